//! Fields: one meaning for one column name, wherever it stands.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::declaration::Declarations;
use crate::{CatalogError, ColumnType, Label, Unit};

const FILE: &str = "fields.toml";

/// A quantity or attribute that tables share by name.
#[derive(Debug, Clone)]
pub struct Field {
    /// Name of the columns that print it.
    pub name: String,
    /// Storage type.
    pub column_type: ColumnType,
    /// Unit, where it never varies.
    pub unit: Option<String>,
    /// Heading.
    pub label: Label,
    /// Meaning.
    pub description: Label,
}

/// A field as written in `fields.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldSpec {
    #[serde(rename = "type")]
    column_type: String,
    unit: Option<String>,
    label: Label,
    description: Label,
}

pub(crate) fn load(
    declarations: &Declarations,
    units: &BTreeMap<String, Unit>,
) -> Result<BTreeMap<String, Field>, CatalogError> {
    let specs: BTreeMap<String, FieldSpec> = declarations.toml(FILE)?;
    specs
        .into_iter()
        .map(|(name, spec)| {
            let column_type =
                spec.column_type.parse().map_err(|error: crate::column::UnknownColumnType| CatalogError::Value {
                    file: FILE.into(),
                    key: format!("{name}.type"),
                    found: spec.column_type.clone(),
                    expected: error.to_string(),
                })?;
            if let Some(unit) = spec.unit.as_ref().filter(|unit| !units.contains_key(*unit)) {
                return Err(CatalogError::Unknown {
                    file: FILE.into(),
                    key: format!("{name}.unit"),
                    kind: "unit",
                    found: unit.clone(),
                    declared_in: "units.toml".into(),
                });
            }
            let field = Field {
                name: name.clone(),
                column_type,
                unit: spec.unit,
                label: spec.label,
                description: spec.description,
            };
            Ok((name, field))
        })
        .collect()
}
