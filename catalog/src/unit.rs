//! Units of measurement and of account, with the ways in which departments write them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::declaration::Declarations;
use crate::{CatalogError, Exact, Label};

const FILE: &str = "units.toml";

/// A unit that a figure was published in.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Identifier used in declarations and in the `unit` columns.
    pub id: String,
    /// How it is printed beside a figure.
    pub symbol: String,
    /// Name for readers.
    pub label: Label,
    /// Units of one dimension convert into each other; its name is that of the base unit's quantity.
    pub dimension: String,
    /// How many base units one unit is.
    pub factor: Exact,
    /// Spellings found in department files.
    pub aliases: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitSpec {
    symbol: String,
    label: Label,
    dimension: String,
    factor: String,
    #[serde(default)]
    aliases: Vec<String>,
}

pub(crate) fn load(declarations: &Declarations) -> Result<BTreeMap<String, Unit>, CatalogError> {
    let specs: BTreeMap<String, UnitSpec> = declarations.toml(FILE)?;
    specs
        .into_iter()
        .map(|(id, spec)| {
            let factor = spec.factor.parse::<Exact>().map_err(|error| CatalogError::Value {
                file: FILE.into(),
                key: format!("{id}.factor"),
                found: spec.factor.clone(),
                expected: error.to_string(),
            })?;
            let unit = Unit {
                id: id.clone(),
                symbol: spec.symbol,
                label: spec.label,
                dimension: spec.dimension,
                factor,
                aliases: spec.aliases,
            };
            Ok((id, unit))
        })
        .collect()
}
