//! Datasets: what the catalogue lists, each a slice of one table by one publisher.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::declaration::Declarations;
use crate::{CatalogError, Label, Licence, Publisher, Table, Theme};

/// Who may read a dataset's releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody.
    Public,
    /// Keys of named regions or groups.
    RegionGroup,
}

impl Audience {
    /// Its name in manifests and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::RegionGroup => "region_group",
        }
    }
}

/// A dataset, every reference resolved.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Identifier, used in paths and release ids.
    pub id: String,
    /// Title.
    pub label: Label,
    /// What it holds, for whom, with its traps.
    pub description: Label,
    /// Table that its rows are in.
    pub table: String,
    /// Id of the publishing office.
    pub publisher: String,
    /// Id of the licence.
    pub licence: String,
    /// Ids of the themes.
    pub themes: Vec<String>,
    /// Region that the dataset describes.
    pub region_code: String,
    /// How often the publisher issues a new period.
    pub cycle: Label,
    /// Columns whose values name a partition, in order: `["as_of_year", "stage"]`.
    pub partition_by: Vec<String>,
    /// Who may read it.
    pub audience: Audience,
    /// Search words beyond title and description.
    pub keywords: Vec<String>,
    /// Things to know before using a figure.
    pub notes: Vec<Label>,
    /// Charts of its page.
    pub charts: Vec<Chart>,
    /// Path of the declaration.
    pub source_file: String,
}

/// How a chart draws its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// A line for each series over an ordered axis.
    Line,
    /// Bars side by side for each series.
    Bar,
}

/// A chart of a dataset's page: a question and how its answer is drawn. Its query answers the columns `x` (text), `y` (a
/// number, null for a gap) and `series` (text), in the order in which they are drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// Title.
    pub label: Label,
    /// How it is drawn.
    pub kind: ChartKind,
    /// Unit of the numbers, shown at the axis.
    pub unit: Label,
    /// The question, over released tables.
    pub sql: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DatasetSpec {
    label: Label,
    description: Label,
    table: String,
    licence: String,
    themes: Vec<String>,
    region_code: String,
    cycle: Label,
    partition_by: Vec<String>,
    audience: Audience,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    notes: Vec<Label>,
    #[serde(default)]
    chart: Vec<Chart>,
}

/// What a dataset may refer to.
pub(crate) struct References<'a> {
    pub tables: &'a BTreeMap<String, Table>,
    pub publishers: &'a BTreeMap<String, Publisher>,
    pub licences: &'a BTreeMap<String, Licence>,
    pub themes: &'a BTreeMap<String, Theme>,
}

pub(crate) fn load(
    declarations: &Declarations,
    references: &References<'_>,
) -> Result<BTreeMap<String, Dataset>, CatalogError> {
    let mut datasets: BTreeMap<String, Dataset> = BTreeMap::new();
    for file in declarations.paths("datasets/", ".toml") {
        let (publisher, id) = split_path(file)?;
        if let Some(first) = datasets.get(id) {
            return Err(CatalogError::Duplicate {
                file: file.to_owned(),
                kind: "dataset",
                name: id.to_owned(),
                first: first.source_file.clone(),
            });
        }
        let spec: DatasetSpec = declarations.toml(file)?;
        check(file, publisher, &spec, references)?;
        datasets.insert(
            id.to_owned(),
            Dataset {
                id: id.to_owned(),
                label: spec.label,
                description: spec.description,
                table: spec.table,
                publisher: publisher.to_owned(),
                licence: spec.licence,
                themes: spec.themes,
                region_code: spec.region_code,
                cycle: spec.cycle,
                partition_by: spec.partition_by,
                audience: spec.audience,
                keywords: spec.keywords,
                charts: spec.chart,
                notes: spec.notes,
                source_file: file.to_owned(),
            },
        );
    }
    Ok(datasets)
}

/// `datasets/finance/debt_limit_balance.toml` → `("finance", "debt_limit_balance")`.
fn split_path(file: &str) -> Result<(&str, &str), CatalogError> {
    file.strip_prefix("datasets/")
        .and_then(|rest| rest.strip_suffix(".toml"))
        .and_then(|rest| rest.split_once('/'))
        .filter(|(_, id)| is_identifier(id))
        .ok_or_else(|| CatalogError::Value {
            file: file.to_owned(),
            key: "path".into(),
            found: file.to_owned(),
            expected: "datasets/{publisher}/{dataset}.toml, the dataset of a-z, 0-9, _ and at most 100 characters"
                .into(),
        })
}

/// Whether a text may name a dataset: `^[a-z0-9][a-z0-9_]{0,99}$`.
pub fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 100
        && bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn check(file: &str, publisher: &str, spec: &DatasetSpec, references: &References<'_>) -> Result<(), CatalogError> {
    let unknown = |key: &str, kind, found: &str, declared_in: &str| CatalogError::Unknown {
        file: file.to_owned(),
        key: key.to_owned(),
        kind,
        found: found.to_owned(),
        declared_in: declared_in.to_owned(),
    };
    if !references.publishers.contains_key(publisher) {
        return Err(unknown("path", "publisher", publisher, "publishers.toml"));
    }
    if !references.licences.contains_key(&spec.licence) {
        return Err(unknown("licence", "licence", &spec.licence, "licences.toml"));
    }
    if let Some(theme) = spec.themes.iter().find(|theme| !references.themes.contains_key(*theme)) {
        return Err(unknown("themes", "theme", theme, "themes.toml"));
    }
    let table = references.tables.get(&spec.table).ok_or_else(|| unknown("table", "table", &spec.table, "tables/"))?;
    if let Some(column) = spec.partition_by.iter().find(|column| table.column(column).is_none()) {
        return Err(unknown("partition_by", "column", column, &table.source_file));
    }
    Ok(())
}
