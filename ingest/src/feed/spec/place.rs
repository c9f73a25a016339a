//! The place of a record.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::part::PlacePart;
use super::OneOrMany;

/// The place of a record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceSpec {
    /// Role of the label's column; exactly one of `label`, `printed`, `fixed` and `code`.
    pub label: Option<String>,
    /// Captures that hold the name, where one place holds for the table: the first that is there.
    #[serde(default)]
    pub printed: Vec<String>,
    /// The name, where the feed is about one place.
    pub fixed: Option<String>,
    /// References to the code, where the file has no names: the first that is there.
    #[serde(default)]
    pub code: Vec<String>,
    /// References to the region that stands above all rows, where the table has no row for it; goes with `hierarchy`.
    #[serde(default)]
    pub root: Vec<String>,
    /// Tiers that a name is sought in, in order.
    pub tiers: Vec<String>,
    /// References to the year at whose end names are looked up, the first that is there; exactly one of `[time]`, `year`,
    /// `year_label` and `year_is`.
    #[serde(default)]
    pub year: OneOrMany,
    /// Role of the column that holds it.
    pub year_label: Option<String>,
    /// That year, where the feed is about one.
    pub year_is: Option<i32>,
    /// Code of the region that names are sought below.
    pub within: Option<String>,
    /// Roles of the columns that name the regions above, the highest first.
    #[serde(default)]
    pub within_labels: Vec<String>,
    /// References to the names of the regions above, the highest first, where they hold for the table.
    #[serde(default)]
    pub within_printed: Vec<String>,
    /// How rows stand below one another; a flat list where absent.
    pub hierarchy: Option<HierarchySpec>,
    /// What the label of a region's own level ends in.
    pub own_suffix: Option<String>,
    /// What stands before the suffix when the region is not named: `自治区` in `自治区本级`.
    #[serde(default)]
    pub own_generic: Vec<String>,
    /// What the label of all levels below a region ends in: `区县合计`.
    #[serde(default)]
    pub lower_suffixes: Vec<String>,
    /// Official names of places that are printed under another one.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// Role of a machine code that is compared with the code that was found.
    pub evidence: Option<String>,
    /// Table columns and what they take.
    pub columns: BTreeMap<String, PlacePart>,
}

/// How rows stand below one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HierarchySpec {
    /// Labels are indented by blanks.
    Indentation,
}
