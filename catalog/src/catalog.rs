//! The resolved whole.

use std::collections::BTreeMap;

use crate::dataset::References;
use crate::declaration::Declarations;
use crate::{
    AirQuality, CatalogError, Dataset, Disclosure, Field, FunctionalClasses, Licence, List, Publisher, RegionList,
    Table, Theme, Unit, Workdays, dataset, disclosure, field, functional_class, list, publisher, region, table, unit,
};

/// Every declaration of one instance, with all references checked.
#[derive(Debug)]
pub struct Catalog {
    /// Units by id.
    pub units: BTreeMap<String, Unit>,
    /// Fields by name.
    pub fields: BTreeMap<String, Field>,
    /// Tables by name.
    pub tables: BTreeMap<String, Table>,
    /// Publishing offices by id.
    pub publishers: BTreeMap<String, Publisher>,
    /// Licences by id.
    pub licences: BTreeMap<String, Licence>,
    /// Themes by id.
    pub themes: BTreeMap<String, Theme>,
    /// Datasets by id.
    pub datasets: BTreeMap<String, Dataset>,
    /// Administrative regions, with the dates for which their names and codes hold.
    pub regions: RegionList,
    /// The functional classification of expenditure, with the fiscal years for which its names hold.
    pub functional_classes: FunctionalClasses,
    /// Reference lists by name.
    pub lists: BTreeMap<String, List>,
    /// Working days, by the notices that are known.
    pub workdays: Workdays,
    /// Break points of the air quality index.
    pub air_quality: AirQuality,
    /// Duties of disclosure, and the regions that have them.
    pub disclosure: Disclosure,
    declarations: Declarations,
}

impl Catalog {
    /// Resolves a set of declarations.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its file and key.
    pub fn load(declarations: Declarations) -> Result<Self, CatalogError> {
        let units = unit::load(&declarations)?;
        let fields = field::load(&declarations, &units)?;
        let tables = table::load(&declarations, &fields)?;
        let publishers = publisher::load_publishers(&declarations)?;
        let licences = publisher::load_licences(&declarations)?;
        let themes = publisher::load_themes(&declarations)?;
        let references = References { tables: &tables, publishers: &publishers, licences: &licences, themes: &themes };
        let datasets = dataset::load(&declarations, &references)?;
        let regions = region::load(&declarations)?;
        check_region_codes(&publishers, &datasets, &regions)?;
        let disclosure = disclosure::load(&declarations, &datasets, &regions)?;
        let functional_classes = functional_class::load(&declarations)?;
        let lists = list::load(&declarations)?;
        let workdays = Workdays::load(&lists)?;
        let air_quality = AirQuality::load(&lists)?;
        Ok(Self {
            units,
            fields,
            tables,
            publishers,
            licences,
            themes,
            datasets,
            regions,
            functional_classes,
            lists,
            workdays,
            air_quality,
            disclosure,
            declarations,
        })
    }

    /// The files that the catalogue was made from.
    pub fn declarations(&self) -> &Declarations {
        &self.declarations
    }

    /// The unit that a department wrote in this way, by id, symbol or alias.
    pub fn unit_as_written(&self, text: &str) -> Option<&Unit> {
        let text = text.trim();
        self.units
            .values()
            .find(|unit| unit.id == text || unit.symbol == text || unit.aliases.iter().any(|alias| alias == text))
    }
}

fn check_region_codes(
    publishers: &BTreeMap<String, Publisher>,
    datasets: &BTreeMap<String, Dataset>,
    regions: &RegionList,
) -> Result<(), CatalogError> {
    let declared = publishers
        .iter()
        .map(|(id, publisher)| ("publishers.toml", format!("{id}.region_code"), &publisher.region_code))
        .chain(
            datasets
                .values()
                .map(|dataset| (dataset.source_file.as_str(), "region_code".to_owned(), &dataset.region_code)),
        );
    for (file, key, code) in declared {
        if regions.by_code(code).next().is_none() {
            return Err(CatalogError::Unknown {
                file: file.to_owned(),
                key,
                kind: "region",
                found: code.clone(),
                declared_in: "codes/regions.csv".into(),
            });
        }
    }
    Ok(())
}
