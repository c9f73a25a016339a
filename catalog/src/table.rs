//! Canonical tables: what one row is, by which columns it is known, and what each column says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::declaration::Declarations;
use crate::{CatalogError, Column, Field, Label, Visibility};

/// A canonical table, every column resolved to its field.
#[derive(Debug, Clone)]
pub struct Table {
    /// Name in SQL, without schema.
    pub name: String,
    /// Subject area: `debt`, `environment`, ….
    pub domain: String,
    /// Title for readers.
    pub label: Label,
    /// What the table holds, and what its traps are.
    pub description: Label,
    /// What one row is.
    pub grain: Label,
    /// Columns in order, the shared ones ([`SHARED`]) last.
    pub columns: Vec<Column>,
    /// Business key, unique within one release.
    pub key: Vec<String>,
    /// The order of rows in every file.
    pub sort: Vec<String>,
    /// What its amounts may be added up over.
    pub sums: Vec<SumRule>,
    /// Path of the declaration.
    pub source_file: String,
}

/// What a column may be added up over. A sum that keeps to none of it counts the same money more than once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SumRule {
    /// The column.
    pub column: String,
    /// Columns of which a sum may span one value only: each is filtered or grouped by.
    pub within: Vec<String>,
    /// Columns that tell totals from what makes them up: one of them is filtered or grouped by. Empty where rows have no levels.
    #[serde(default)]
    pub levels: Vec<String>,
    /// Derived table that holds the additive rows.
    pub additive: Option<String>,
}

/// Columns that every fact row carries, after its own: the release it belongs to and the cell it came from.
pub const SHARED: [&str; 7] =
    ["source_sha256", "source_sheet", "source_row", "source_column", "source_cell", "release_id", "row_no"];

/// Shared columns that no feed fills: the digest is that of its file, the address follows from sheet, row and column, the
/// others are the release's.
pub const DERIVED: [&str; 4] = ["source_sha256", "source_cell", "release_id", "row_no"];

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Columns that everybody may see.
    pub fn public_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.visibility == Visibility::Public)
    }

    /// The table's own columns: what a feed has to produce.
    pub fn own_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !SHARED.contains(&column.name.as_str()))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableSpec {
    label: Label,
    description: Label,
    grain: Label,
    key: Vec<String>,
    sort: Vec<String>,
    #[serde(default)]
    sum: Vec<SumRule>,
    column: Vec<ColumnSpec>,
}

/// A column as written. Label and description come from the field unless the table says more.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnSpec {
    name: String,
    /// Required: a column without it does not load.
    visibility: Visibility,
    #[serde(default)]
    nullable: bool,
    label: Option<Label>,
    description: Option<Label>,
}

pub(crate) fn load(
    declarations: &Declarations,
    fields: &BTreeMap<String, Field>,
) -> Result<BTreeMap<String, Table>, CatalogError> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for file in declarations.paths("tables/", ".toml") {
        let (domain, name) = split_path(file)?;
        if let Some(first) = tables.get(name) {
            return Err(CatalogError::Duplicate {
                file: file.to_owned(),
                kind: "table",
                name: name.to_owned(),
                first: first.source_file.clone(),
            });
        }
        let spec: TableSpec = declarations.toml(file)?;
        tables.insert(name.to_owned(), resolve(file, domain, name, spec, fields)?);
    }
    Ok(tables)
}

/// `tables/debt/debt_stock.toml` → `("debt", "debt_stock")`.
fn split_path(file: &str) -> Result<(&str, &str), CatalogError> {
    file.strip_prefix("tables/")
        .and_then(|rest| rest.strip_suffix(".toml"))
        .and_then(|rest| rest.split_once('/'))
        .filter(|(_, name)| !name.contains('/'))
        .ok_or_else(|| CatalogError::Value {
            file: file.to_owned(),
            key: "path".into(),
            found: file.to_owned(),
            expected: "tables/{domain}/{table}.toml".into(),
        })
}

fn resolve(
    file: &str,
    domain: &str,
    name: &str,
    spec: TableSpec,
    fields: &BTreeMap<String, Field>,
) -> Result<Table, CatalogError> {
    let unknown = |key: String, kind, found: &str, declared_in: &str| CatalogError::Unknown {
        file: file.to_owned(),
        key,
        kind,
        found: found.to_owned(),
        declared_in: declared_in.to_owned(),
    };
    let shared = SHARED.iter().map(|name| ColumnSpec {
        name: (*name).to_owned(),
        visibility: Visibility::Public,
        nullable: *name == "source_sheet",
        label: None,
        description: None,
    });
    let mut columns = Vec::new();
    let mut names = BTreeSet::new();
    for column in spec.column.into_iter().chain(shared) {
        let field = fields
            .get(&column.name)
            .ok_or_else(|| unknown(format!("column {}", column.name), "field", &column.name, "fields.toml"))?;
        if !names.insert(column.name.clone()) {
            return Err(CatalogError::Duplicate {
                file: file.to_owned(),
                kind: "column",
                name: column.name,
                first: file.to_owned(),
            });
        }
        columns.push(Column {
            is_key: spec.key.contains(&column.name),
            name: column.name,
            column_type: field.column_type,
            unit: field.unit.clone(),
            label: column.label.unwrap_or_else(|| field.label.clone()),
            description: column.description.unwrap_or_else(|| field.description.clone()),
            visibility: column.visibility,
            is_nullable: column.nullable,
        });
    }
    for (list, key) in [(&spec.key, "key"), (&spec.sort, "sort")] {
        if let Some(missing) = list.iter().find(|column| !names.contains(*column)) {
            return Err(unknown(key.to_owned(), "column", missing, "the same table"));
        }
    }
    for rule in &spec.sum {
        let mut of_rule = std::iter::once(&rule.column).chain(&rule.within).chain(&rule.levels);
        if let Some(missing) = of_rule.find(|column| !names.contains(*column)) {
            return Err(unknown("sum".to_owned(), "column", missing, "the same table"));
        }
    }
    if spec.key.is_empty() {
        return Err(CatalogError::Value {
            file: file.to_owned(),
            key: "key".into(),
            found: "[]".into(),
            expected: "at least one column".into(),
        });
    }
    Ok(Table {
        name: name.to_owned(),
        domain: domain.to_owned(),
        label: spec.label,
        description: spec.description,
        grain: spec.grain,
        columns,
        key: spec.key,
        sort: spec.sort,
        sums: spec.sum,
        source_file: file.to_owned(),
    })
}
