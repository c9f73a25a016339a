//! The tiered catalogue of disclosure duties: items, each declared once, and the regions that follow them.
//!
//! The item of a region is the two together, under the code `{region}-{field}-{first level}{second level}`, stable for
//! life. Deadlines are kept as their text and as a typed rule; computing due dates from them is not done here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::declaration::Declarations;
use crate::{CatalogError, Dataset, Label, RegionList, Tier};

/// Everything that must be public, by whom and until when.
#[derive(Debug, Clone)]
pub struct Disclosure {
    /// Title of the catalogue.
    pub label: Label,
    /// Version of the list.
    pub version: String,
    /// The document that it follows.
    pub basis: String,
    /// First day on which it holds.
    pub valid_from: Option<NaiveDate>,
    /// Regions that follow it, in order.
    pub regions: Vec<DisclosureRegion>,
    /// Fields in the order of their numbers, each with its items.
    pub fields: Vec<DisclosureField>,
}

/// A region that follows the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisclosureRegion {
    /// Code.
    pub region_code: String,
    /// Its name when the catalogue began to hold.
    pub name: String,
    /// Its tier: which items are its own.
    pub tier: Tier,
}

/// A field of duties.
#[derive(Debug, Clone)]
pub struct DisclosureField {
    /// Number of two digits.
    pub number: String,
    /// Title.
    pub label: Label,
    /// Office whose duty it is.
    pub publisher: Label,
    /// Items in the order of their codes.
    pub items: Vec<DisclosureItem>,
}

/// One duty.
#[derive(Debug, Clone)]
pub struct DisclosureItem {
    /// Code within the field: two digits of each level.
    pub code: String,
    /// First level.
    pub level1: Label,
    /// Second level.
    pub label: Label,
    /// Tiers that have the duty.
    pub tiers: Vec<Tier>,
    /// What has to be in it.
    pub content: Vec<String>,
    /// Deadline as written.
    pub deadline_text: String,
    /// Deadline as a rule.
    pub rule: DeadlineRule,
    /// What it follows from.
    pub legal_basis: Vec<LegalBasis>,
    /// Where it is published.
    pub channels: Vec<String>,
    /// For whom.
    pub audience: ItemAudience,
    /// The audience in words, where it is not everybody.
    pub audience_text: Option<String>,
    /// Datasets that fulfil it.
    pub datasets: Vec<ItemDataset>,
}

/// For whom an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemAudience {
    /// Everybody.
    Public,
    /// The people concerned.
    Specific,
}

/// A law or document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalBasis {
    /// Title.
    pub title: String,
    /// Number of the document.
    pub doc_no: Option<String>,
    /// Article.
    pub article: Option<String>,
}

impl LegalBasis {
    /// Title, number and article, as a citation.
    pub fn citation(&self) -> String {
        let parts = [Some(&self.title), self.doc_no.as_ref(), self.article.as_ref()];
        parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
    }
}

/// A dataset that fulfils an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemDataset {
    /// Id of the dataset.
    pub dataset: String,
    /// Values that a partition must have to count: `stage = "FINAL"`.
    #[serde(default)]
    pub partition: BTreeMap<String, String>,
}

/// Unit of a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanUnit {
    /// Working day of the State Council's calendar.
    Workday,
    /// Calendar day.
    Day,
    /// Hour; as an offset, the hour of the day.
    Hour,
}

/// A number of days or hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// How many.
    pub n: u32,
    /// Of what.
    pub unit: SpanUnit,
}

/// When an item is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DeadlineRule {
    /// So long after an event.
    Within {
        /// How many.
        n: u32,
        /// Of what.
        unit: SpanUnit,
        /// `formed_or_changed`, `decision`, `approved`, `replied`, `allocated`, `event`, `period_end`.
        anchor: String,
    },
    /// By a day of the year.
    ByDate {
        /// Month.
        month: u32,
        /// Day.
        day: u32,
    },
    /// Again and again.
    Recurring {
        /// `daily`, `weekly`, `monthly`, `quarterly` or `yearly`.
        freq: String,
        /// How long after the period.
        offset: Span,
    },
    /// So long after the observation.
    Realtime {
        /// How many.
        n: u32,
        /// Of what.
        unit: SpanUnit,
    },
    /// On display for at least so long.
    MinDisplay {
        /// How many.
        n: u32,
        /// Of what.
        unit: SpanUnit,
    },
    /// Together with another item.
    WithParent {
        /// `{field}-{code}` of that item.
        parent: String,
    },
}

const ANCHORS: [&str; 7] = ["formed_or_changed", "decision", "approved", "replied", "allocated", "event", "period_end"];
const FREQUENCIES: [&str; 5] = ["daily", "weekly", "monthly", "quarterly", "yearly"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionsSpec {
    version: String,
    label: Label,
    basis: String,
    valid_from: NaiveDate,
    region: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldSpec {
    field: String,
    label: Label,
    publisher: Label,
    level1: BTreeMap<String, Label>,
    item: Vec<ItemSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemSpec {
    code: String,
    label: Label,
    tiers: Vec<String>,
    content: Vec<String>,
    deadline_text: String,
    rule: DeadlineRule,
    legal_basis: Vec<LegalBasis>,
    channels: Vec<String>,
    audience: ItemAudience,
    audience_text: Option<String>,
    #[serde(default)]
    datasets: Vec<ItemDataset>,
}

impl Disclosure {
    /// No duties: an instance without a catalogue.
    fn none() -> Self {
        Self {
            label: Label { zh: "无目录".into(), en: "no catalogue".into() },
            version: String::new(),
            basis: String::new(),
            valid_from: None,
            regions: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// Items of a region, in the order of codes.
    pub fn items_of<'a>(
        &'a self,
        region: &'a DisclosureRegion,
    ) -> impl Iterator<Item = (&'a DisclosureField, &'a DisclosureItem)> {
        let items = self.fields.iter().flat_map(|field| field.items.iter().map(move |item| (field, item)));
        items.filter(|(_, item)| item.tiers.contains(&region.tier))
    }

    /// The region of that code.
    pub fn region(&self, code: &str) -> Option<&DisclosureRegion> {
        self.regions.iter().find(|region| region.region_code == code)
    }
}

/// The full code of an item: `510400-04-0101`.
pub fn item_code(region: &DisclosureRegion, field: &DisclosureField, item: &DisclosureItem) -> String {
    format!("{}-{}-{}", region.region_code, field.number, item.code)
}

const REGIONS: &str = "disclosure/regions.toml";

pub(crate) fn load(
    declarations: &Declarations,
    datasets: &BTreeMap<String, Dataset>,
    regions: &RegionList,
) -> Result<Disclosure, CatalogError> {
    if !declarations.paths(REGIONS, "").any(|path| path == REGIONS) {
        return Ok(Disclosure::none());
    }
    let spec: RegionsSpec = declarations.toml(REGIONS)?;
    let mut followers = Vec::new();
    for code in &spec.region {
        let region = regions.by_code(code).find(|region| region.holds_on(spec.valid_from));
        let region = region.ok_or_else(|| {
            wrong(REGIONS, "region", code, &format!("a code of codes/regions.csv that holds on {}", spec.valid_from))
        })?;
        if followers.iter().any(|known: &DisclosureRegion| known.region_code == *code) {
            return Err(wrong(REGIONS, "region", code, "each region once"));
        }
        followers.push(DisclosureRegion { region_code: code.clone(), name: region.name.clone(), tier: region.tier });
    }
    let mut fields = Vec::new();
    for file in declarations.paths("disclosure/items/", ".toml") {
        fields.push(load_field(file, declarations.toml(file)?, datasets)?);
    }
    fields.sort_by(|a: &DisclosureField, b| a.number.cmp(&b.number));
    check_parents(&fields)?;
    Ok(Disclosure {
        label: spec.label,
        version: spec.version,
        basis: spec.basis,
        valid_from: Some(spec.valid_from),
        regions: followers,
        fields,
    })
}

fn load_field(
    file: &str,
    spec: FieldSpec,
    datasets: &BTreeMap<String, Dataset>,
) -> Result<DisclosureField, CatalogError> {
    if spec.field.len() != 2 || !spec.field.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong(file, "field", &spec.field, "two digits"));
    }
    let mut items: Vec<DisclosureItem> = Vec::new();
    for item in spec.item {
        let key = format!("item {}", item.code);
        let level1 = item.code.get(..2).filter(|_| item.code.len() == 4).and_then(|level| spec.level1.get(level));
        let level1 = level1
            .ok_or_else(|| wrong(file, &key, &item.code, "four digits, the first two of them declared in [level1]"))?;
        if items.iter().any(|known| known.code == item.code) {
            return Err(wrong(file, &key, &item.code, "a code that is used once"));
        }
        let tiers = item
            .tiers
            .iter()
            .map(|tier| Tier::from_name(tier).ok_or_else(|| wrong(file, &key, tier, "city, county or township")));
        check_rule(file, &key, &item.rule)?;
        for link in &item.datasets {
            let dataset = datasets
                .get(&link.dataset)
                .ok_or_else(|| wrong(file, &key, &link.dataset, "a dataset of datasets/"))?;
            if let Some(column) = link.partition.keys().find(|column| !dataset.partition_by.contains(column)) {
                let expected = format!("partition columns of {}: {}", dataset.id, dataset.partition_by.join(", "));
                return Err(wrong(file, &key, column, &expected));
            }
        }
        if item.audience == ItemAudience::Specific && item.audience_text.is_none() {
            return Err(wrong(file, &key, "no audience_text", "whom a specific item is for"));
        }
        items.push(DisclosureItem {
            level1: level1.clone(),
            tiers: tiers.collect::<Result<_, _>>()?,
            code: item.code,
            label: item.label,
            content: item.content,
            deadline_text: item.deadline_text,
            rule: item.rule,
            legal_basis: item.legal_basis,
            channels: item.channels,
            audience: item.audience,
            audience_text: item.audience_text,
            datasets: item.datasets,
        });
    }
    items.sort_by(|a, b| a.code.cmp(&b.code));
    Ok(DisclosureField { number: spec.field, label: spec.label, publisher: spec.publisher, items })
}

fn check_rule(file: &str, key: &str, rule: &DeadlineRule) -> Result<(), CatalogError> {
    match rule {
        DeadlineRule::Within { anchor, .. } if !ANCHORS.contains(&anchor.as_str()) => {
            Err(wrong(file, key, anchor, &format!("an anchor: {}", ANCHORS.join(", "))))
        }
        DeadlineRule::Recurring { freq, .. } if !FREQUENCIES.contains(&freq.as_str()) => {
            Err(wrong(file, key, freq, &format!("a frequency: {}", FREQUENCIES.join(", "))))
        }
        // A leap year, so that the 29th of February is a day.
        DeadlineRule::ByDate { month, day } if NaiveDate::from_ymd_opt(2020, *month, *day).is_none() => {
            Err(wrong(file, key, &format!("{month}-{day}"), "a day of the year"))
        }
        _ => Ok(()),
    }
}

fn check_parents(fields: &[DisclosureField]) -> Result<(), CatalogError> {
    let codes: BTreeSet<String> = fields
        .iter()
        .flat_map(|field| field.items.iter().map(move |item| format!("{}-{}", field.number, item.code)))
        .collect();
    for item in fields.iter().flat_map(|field| &field.items) {
        if let DeadlineRule::WithParent { parent } = &item.rule
            && !codes.contains(parent)
        {
            return Err(wrong("disclosure/items/", &format!("item {}", item.code), parent, "the code of another item"));
        }
    }
    Ok(())
}

fn wrong(file: &str, key: &str, found: &str, expected: &str) -> CatalogError {
    CatalogError::Value {
        file: file.to_owned(),
        key: key.to_owned(),
        found: found.to_owned(),
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;

    fn load_with(path: &str, from: &str, to: &str) -> Result<Catalog, CatalogError> {
        let mut declarations = Declarations::embedded();
        let text = declarations.text(path).expect("there").to_owned();
        assert!(text.contains(from), "{from}");
        declarations.insert(path, text.replacen(from, to, 1).as_bytes());
        Catalog::load(declarations)
    }

    #[test]
    fn each_tier_has_its_items() {
        let catalog = Catalog::load(Declarations::embedded()).expect("loads");
        let count = |code: &str| {
            let region = catalog.disclosure.region(code).expect("follows");
            catalog.disclosure.items_of(region).count()
        };
        // Counted in the initial list: 45 items; C in 34 of them, X in 38, T in 21.
        assert_eq!(catalog.disclosure.fields.iter().map(|field| field.items.len()).sum::<usize>(), 45);
        assert_eq!((count("510400"), count("510421"), count("510421100")), (34, 38, 21));
    }

    #[test]
    fn references_are_checked_and_named() {
        for (path, from, to, expected) in [
            (REGIONS, "\"510402\"", "\"519999\"", "519999"),
            ("disclosure/items/27_prices.toml", "dataset = \"cpi_monthly\"", "dataset = \"cpi\"", "\"cpi\""),
            ("disclosure/items/28_debt.toml", "parent = \"28-0102\"", "parent = \"28-0199\"", "28-0199"),
            ("disclosure/items/28_debt.toml", "partition = { stage", "partition = { phase", "phase"),
            ("disclosure/items/28_debt.toml", "anchor = \"event\"", "anchor = \"whenever\"", "whenever"),
        ] {
            let error = load_with(path, from, to).expect_err("refused").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
