//! A feed as written in TOML.
//!
//! Nothing here is checked beyond its shape; [`super::resolve`] does that. An unknown key is an error.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gongkai_catalog::Label;
use serde::Deserialize;

use super::part::{PlacePart, TimePart, ValuePart};

/// One file under `feeds/{publisher}/{feed}.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedSpec {
    /// Title for readers.
    pub label: Label,
    /// Dataset that the rows belong to; its table follows.
    pub dataset: String,
    /// Formats that the department publishes: `csv`, `xlsx`.
    pub formats: Vec<String>,
    /// Whether the file itself may be given to everybody.
    pub source_public: bool,
    /// How the header is found.
    #[serde(default)]
    pub header: HeaderSpec,
    /// Texts above the header, by id.
    #[serde(default)]
    pub caption: BTreeMap<String, CaptionSpec>,
    /// The unit line, where one unit holds for the table.
    pub unit: Option<UnitSpec>,
    /// Columns that say what a record is about.
    pub label_column: Vec<LabelColumnSpec>,
    /// Columns that hold figures.
    pub value_column: Vec<ValueColumnSpec>,
    /// What in the body is no record.
    #[serde(default)]
    pub body: BodySpec,
    /// The moment of a record, where it has one.
    pub time: Option<TimeSpec>,
    /// The place of a record.
    pub place: PlaceSpec,
    /// Columns filled by the value cell.
    pub value: ValueSpec,
    /// Columns filled by text found in captions and headers: the first capture that is there.
    #[serde(default)]
    pub printed: BTreeMap<String, Vec<String>>,
    /// Columns with one value in every row.
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    /// Columns whose value changes on declared dates.
    #[serde(default)]
    pub by_date: Vec<ByDateSpec>,
}

/// Where a header may stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeaderSpec {
    /// Rows of the header.
    pub depth: u32,
    /// Visible rows from the top among which it begins.
    pub search_rows: usize,
}

impl Default for HeaderSpec {
    fn default() -> Self {
        Self { depth: 1, search_rows: 1 }
    }
}

/// A text above the header.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionSpec {
    /// Regular expression over the cell's text without blanks; its named groups are captures.
    pub pattern: String,
    /// Whether a table without it is another table.
    #[serde(default)]
    pub required: bool,
}

/// The unit line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitSpec {
    /// Regular expression with the group `unit`.
    pub pattern: String,
    /// Dimension that the unit must have.
    pub dimension: String,
}

/// A column that says what a record is about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelColumnSpec {
    /// Name by which other parts of the feed refer to it.
    pub role: String,
    /// Regular expression over the header without blanks.
    pub header: Option<String>,
    /// Regular expression over a hidden marker cell above the header, for machine columns; such a column is optional.
    pub marker: Option<String>,
    /// Table column that takes its text, if one does.
    pub column: Option<String>,
}

/// A column that holds figures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueColumnSpec {
    /// Regular expression over the levels of the header without blanks, joined by `/`.
    pub header: String,
    /// Table columns that have this value in the rows of this column.
    pub set: BTreeMap<String, String>,
    /// Unit of the column, where the table has no unit line.
    pub unit: Option<String>,
}

/// What in the body is no record.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BodySpec {
    /// Rows whose label matches one of these are not records.
    pub skip: Vec<String>,
    /// The first row with a cell that matches one of these ends the body.
    pub end: Vec<String>,
}

/// The moment of a record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSpec {
    /// Role of the date's column.
    pub date: String,
    /// Forms in which the date is written, tried in order.
    pub date_formats: Vec<String>,
    /// Role of the hour's column; the label names the hour's end.
    pub hour_ending: String,
    /// Table columns and what they take.
    pub columns: BTreeMap<String, TimePart>,
}

/// How rows stand below one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HierarchySpec {
    /// Labels are indented by blanks.
    Indentation,
}

/// The place of a record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceSpec {
    /// Role of the label's column.
    pub label: String,
    /// Tiers that a name is sought in, in order.
    pub tiers: Vec<String>,
    /// Capture that holds the year at whose end names are looked up, for feeds without dates.
    pub year: Option<String>,
    /// How rows stand below one another, for feeds without dates; those with dates are flat lists.
    pub hierarchy: Option<HierarchySpec>,
    /// What the label of a region's own level ends in.
    pub own_suffix: Option<String>,
    /// What stands before the suffix when the region is not named: `自治区` in `自治区本级`.
    #[serde(default)]
    pub own_generic: Vec<String>,
    /// Official names of places that are printed under another one.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// Role of a machine code that is compared with the code that was found.
    pub evidence: Option<String>,
    /// Table columns and what they take.
    pub columns: BTreeMap<String, PlacePart>,
}

/// Columns filled by the value cell.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueSpec {
    /// Texts that mean "no value", besides an empty cell.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Table columns and what they take.
    pub columns: BTreeMap<String, ValuePart>,
}

/// A column whose value changes on declared dates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByDateSpec {
    /// The table column.
    pub column: String,
    /// Where the rule is written.
    pub basis: Label,
    /// Values in order of time; only the last is without an end.
    pub spans: Vec<SpanSpec>,
}

/// One value and its last day.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpanSpec {
    /// The value.
    pub value: String,
    /// Last day on which it holds.
    pub until: Option<NaiveDate>,
}
