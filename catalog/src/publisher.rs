//! Who publishes, under which licence, on which theme.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::declaration::Declarations;
use crate::{CatalogError, Label};

/// An office that publishes datasets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publisher {
    /// Official name.
    pub label: Label,
    /// Region the office belongs to; `000000` for national offices.
    pub region_code: String,
    /// Public address of the office.
    pub homepage: Option<String>,
}

/// Terms under which a dataset may be used.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// Title.
    pub label: Label,
    /// Full text, where it is published.
    pub url: Option<String>,
}

/// A subject that datasets are listed under.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Title.
    pub label: Label,
}

pub(crate) fn load_publishers(declarations: &Declarations) -> Result<BTreeMap<String, Publisher>, CatalogError> {
    declarations.toml("publishers.toml")
}

pub(crate) fn load_licences(declarations: &Declarations) -> Result<BTreeMap<String, Licence>, CatalogError> {
    declarations.toml("licences.toml")
}

pub(crate) fn load_themes(declarations: &Declarations) -> Result<BTreeMap<String, Theme>, CatalogError> {
    declarations.toml("themes.toml")
}
