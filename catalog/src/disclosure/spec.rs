//! The declarations as they are written: regions, fields with their items, and what tiers and regions have otherwise.
//!
//! Nothing is checked here but names and types; an unknown key is refused. What the parts mean together is resolved by
//! [`mod@super::load`].

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::{ItemAudience, ItemDataset, ItemMode, LegalBasis};
use crate::Label;
use crate::deadline::DeadlineRule;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegionsSpec {
    pub(super) version: String,
    pub(super) label: Label,
    pub(super) basis: String,
    pub(super) valid_from: NaiveDate,
    /// Regions by their codes.
    #[serde(default)]
    pub(super) region: Vec<String>,
    /// Regions with every county and township below them.
    #[serde(default)]
    pub(super) within: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldSpec {
    pub(super) field: String,
    pub(super) label: Label,
    pub(super) publisher: Label,
    pub(super) level1: BTreeMap<String, Label>,
    pub(super) item: Vec<ItemSpec>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemSpec {
    pub(super) code: String,
    pub(super) label: Label,
    pub(super) tiers: Vec<String>,
    pub(super) content: Vec<String>,
    pub(super) deadline_text: String,
    pub(super) rule: Option<DeadlineRule>,
    #[serde(default)]
    pub(super) reviewed: bool,
    pub(super) legal_basis: Vec<LegalBasis>,
    pub(super) publisher: Option<Label>,
    pub(super) channels: Vec<String>,
    pub(super) audience: ItemAudience,
    pub(super) audience_text: Option<String>,
    #[serde(default)]
    pub(super) mode: ItemMode,
    pub(super) oga_class: Option<u8>,
    #[serde(default)]
    pub(super) obligations: Vec<String>,
    #[serde(default)]
    pub(super) datasets: Vec<ItemDataset>,
    pub(super) valid_from: Option<NaiveDate>,
    pub(super) valid_to: Option<NaiveDate>,
    pub(super) reason: Option<Label>,
    /// What one tier has otherwise.
    #[serde(default)]
    pub(super) by_tier: Vec<Change>,
    /// Number of the field, of an item that one region has alone.
    pub(super) field: Option<String>,
    /// Why it has it.
    pub(super) local_reason: Option<Label>,
}

/// What a tier (`tier`) or a region (`item`, `reason`) has otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    pub(super) tier: Option<String>,
    pub(super) item: Option<String>,
    pub(super) reason: Option<Label>,
    #[serde(default)]
    pub(super) omit: bool,
    pub(super) deadline_text: Option<String>,
    pub(super) rule: Option<DeadlineRule>,
    #[serde(default)]
    pub(super) reviewed: bool,
    pub(super) channels: Option<Vec<String>>,
    pub(super) content: Option<Vec<String>>,
    pub(super) publisher: Option<Label>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocalSpec {
    pub(super) region: String,
    #[serde(default)]
    pub(super) change: Vec<Change>,
    #[serde(default)]
    pub(super) item: Vec<ItemSpec>,
}
