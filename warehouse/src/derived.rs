//! Derived tables: what follows from released rows by a declared query.
//!
//! A derived table is one file under `derived/{domain}/{name}.sql`: a header of TOML in SQL comments that says what it means, then
//! one query over `open`, `catalog` and `ref`. SQL shows it in schema `open` beside the released tables, or in `catalog` where the
//! header says `schema = "catalog"`. Nothing of it is stored: it is
//! computed from the releases that a question sees, so that a correction changes it in the same moment, and `as_of` gives
//! what followed from the figures of that time. Every derived value carries the standard, the method and its version as columns,
//! or the header's description says them.
//!
//! Columns are fields of the catalogue, in the order of the header; the query's answer is brought to their types, so that a
//! derived column has the same name, type, unit and meaning everywhere.

use std::collections::{BTreeMap, BTreeSet};

use gongkai_catalog::{Catalog, Column, Declarations, Label, Visibility};
use include_dir::{Dir, include_dir};
use serde::Deserialize;

static DERIVED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/derived");

/// Adds the derived tables built into the binary to a set of declarations, as `derived/{domain}/{name}.sql`.
pub fn add_embedded(declarations: &mut Declarations) {
    declarations.insert_dir("derived", &DERIVED);
}

/// Why a derived table does not load.
#[derive(Debug, thiserror::Error)]
pub enum DerivedError {
    /// The header is not what it should be.
    #[error("{file}: header: {reason}; expected TOML in lines that begin with -- and then the query")]
    Header {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A name that is taken, or is not there.
    #[error("{file}: {key} names {found:?}; expected {expected}")]
    Name {
        /// The file.
        file: String,
        /// Key of the header.
        key: &'static str,
        /// What was found.
        found: String,
        /// What would have been accepted.
        expected: String,
    },
}

/// A derived table, its columns resolved to their fields.
#[derive(Debug, Clone)]
pub struct Derived {
    /// Schema in SQL: `open` or `catalog`.
    pub schema: String,
    /// Name in SQL, within its schema; no other table of any schema has it.
    pub name: String,
    /// Subject area: the folder.
    pub domain: String,
    /// Title.
    pub label: Label,
    /// What it holds, by which standard and method, and what it leaves out.
    pub description: Label,
    /// What one row is.
    pub grain: Label,
    /// Columns that tell rows apart.
    pub key: Vec<String>,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Derived tables that the query names several times, as `schema.name`: their rows are reckoned once, before it.
    pub once: Vec<String>,
    /// The query.
    pub sql: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(default = "open")]
    schema: String,
    label: Label,
    description: Label,
    grain: Label,
    key: Vec<String>,
    columns: Vec<String>,
    /// What columns mean here, where it is not what their fields say.
    #[serde(default)]
    describe: BTreeMap<String, Meaning>,
    /// Derived tables whose rows are reckoned once, as `schema.name`.
    #[serde(default)]
    once: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meaning {
    label: Label,
    description: Label,
}

fn open() -> String {
    "open".to_owned()
}

/// The header of a file of SQL as TOML, and the query below it.
pub(crate) fn split(text: &str) -> (String, String) {
    let header: Vec<&str> = text.lines().take_while(|line| line.starts_with("--")).collect();
    let sql = text.lines().skip(header.len()).collect::<Vec<_>>().join("\n");
    (header.iter().map(|line| format!("{}\n", line.trim_start_matches('-'))).collect(), sql)
}

/// Every derived table of a set of declarations, by name.
///
/// # Errors
///
/// The first one that is wrong, with its file.
pub fn load(catalog: &Catalog) -> Result<BTreeMap<String, Derived>, DerivedError> {
    let declarations = catalog.declarations();
    let mut all = BTreeMap::new();
    for file in declarations.paths("derived/", ".sql") {
        let derived = read(file, catalog)?;
        if catalog.tables.contains_key(&derived.name) || all.contains_key(&derived.name) {
            let (file, found) = (file.to_owned(), derived.name);
            return Err(DerivedError::Name {
                file,
                key: "the file",
                found,
                expected: "a name that no table has".into(),
            });
        }
        all.insert(derived.name.clone(), derived);
    }
    for (name, derived) in &all {
        for once in &derived.once {
            let (schema, table) = once.split_once('.').unwrap_or_default();
            if !all.get(table).is_some_and(|other| other.schema == schema && table != name) {
                return Err(DerivedError::Name {
                    file: format!("derived/{}/{name}.sql", derived.domain),
                    key: "once",
                    found: once.clone(),
                    expected: "another derived table, as schema.name".into(),
                });
            }
        }
    }
    Ok(all)
}

fn read(file: &str, catalog: &Catalog) -> Result<Derived, DerivedError> {
    let wrong = |reason: String| DerivedError::Header { file: file.to_owned(), reason };
    let text = catalog.declarations().text(file).map_err(|error| wrong(error.to_string()))?;
    let (toml, sql) = split(text);
    let header: Header = toml::from_str(&toml).map_err(|error| wrong(error.message().to_owned()))?;
    let (domain, name) = file
        .strip_prefix("derived/")
        .and_then(|rest| rest.strip_suffix(".sql"))
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(|| wrong("the path is not derived/{domain}/{name}.sql".into()))?;
    let named = |key, found: &str, expected: &str| DerivedError::Name {
        file: file.to_owned(),
        key,
        found: found.to_owned(),
        expected: expected.to_owned(),
    };
    if !["open", "catalog"].contains(&header.schema.as_str()) {
        return Err(named("schema", &header.schema, "open or catalog"));
    }
    let mut columns = Vec::with_capacity(header.columns.len());
    let mut names = BTreeSet::new();
    for name in &header.columns {
        let field = catalog.fields.get(name).ok_or_else(|| named("columns", name, "a field of fields.toml"))?;
        if !names.insert(name) {
            return Err(named("columns", name, "each column once"));
        }
        columns.push(Column {
            name: name.clone(),
            column_type: field.column_type,
            unit: field.unit.clone(),
            label: header.describe.get(name).map_or_else(|| field.label.clone(), |own| own.label.clone()),
            description: header
                .describe
                .get(name)
                .map_or_else(|| field.description.clone(), |own| own.description.clone()),
            visibility: Visibility::Public,
            is_nullable: true,
            is_key: header.key.contains(name),
        });
    }
    if let Some(unknown) = header.describe.keys().find(|name| !names.contains(name)) {
        return Err(named("describe", unknown, "one of the columns"));
    }
    if let Some(missing) = header.key.iter().find(|key| !names.contains(key)) {
        return Err(named("key", missing, "one of the columns"));
    }
    Ok(Derived {
        schema: header.schema,
        name: name.to_owned(),
        domain: domain.to_owned(),
        label: header.label,
        description: header.description,
        grain: header.grain,
        key: header.key,
        columns,
        once: header.once,
        sql,
    })
}
