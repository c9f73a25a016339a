//! The parts of a resolved feed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gongkai_catalog::{Exact, Tier};
use regex::Regex;

use super::reference::Reference;
use super::spec::{CaptionScope, FillDown, PeriodDaySpec, PeriodSpec, TextScope};

#[derive(Debug, Clone)]
pub(crate) struct Caption {
    pub id: String,
    pub pattern: Regex,
    pub is_required: bool,
    pub within: CaptionScope,
    pub may_be_hidden: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct UnitLine {
    pub pattern: Regex,
    pub dimension: String,
}

#[derive(Debug, Clone)]
pub(crate) struct LabelColumn {
    pub role: String,
    pub header: Option<Regex>,
    pub marker: Option<Regex>,
    pub may_be_hidden: bool,
    pub must_be_filled: bool,
    /// What its text has to match; rows that do not are other feeds'.
    pub only: Option<Regex>,
    /// Its named groups are captures.
    pub pattern: Option<Regex>,
    /// What the text of the first record has to match.
    pub must_match: Option<Regex>,
    pub fill_down: Option<FillDown>,
    pub fill_right: bool,
    /// What parts the records of one cell.
    pub split: Option<String>,
    pub is_optional: bool,
    /// Whether missing markers hold for it.
    pub has_missing: bool,
    pub date_formats: Vec<String>,
}

impl LabelColumn {
    /// Whether a table without it is another table.
    pub fn is_required(&self) -> bool {
        self.marker.is_none() && !self.is_optional
    }
}

/// The unit of a value column.
#[derive(Debug, Clone)]
pub(crate) enum ColumnUnit {
    /// A declared one.
    Known(String),
    /// As printed, where the reference says.
    Printed(Reference),
}

#[derive(Debug, Clone)]
pub(crate) struct ValueColumn {
    pub header: Regex,
    pub set: BTreeMap<String, String>,
    pub unit: Option<ColumnUnit>,
    /// Whether several columns may match.
    pub is_many: bool,
    pub fill_down: Option<FillDown>,
    /// What is added to the figure.
    pub add: Option<Exact>,
    /// Whether it gives no rows and only confirms the column with the same settings.
    pub is_confirming: bool,
    /// Whether a table without it is another table.
    pub is_required: bool,
}

impl ValueColumn {
    /// Its settings for readers: `measure=PM25, averaging=24h`.
    pub fn description(&self) -> String {
        let settings: Vec<String> = self.set.iter().map(|(column, value)| format!("{column}={value}")).collect();
        if settings.is_empty() { "the figure".to_owned() } else { settings.join(", ") }
    }
}

/// Which edge of its hour a label names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HourEdge {
    Ending,
    Beginning,
}

#[derive(Debug, Clone)]
pub(crate) struct TimeRule {
    /// What makes up the date.
    pub parts: Vec<Reference>,
    pub date_formats: Vec<String>,
    pub hour: Option<(Reference, HourEdge)>,
    pub period: PeriodSpec,
    /// Which day of a month or a year its date is.
    pub period_day: PeriodDaySpec,
    /// Whether a time of day in the date is the label of an hour's end.
    pub is_hour_label: bool,
}

impl TimeRule {
    /// Whether the moment differs from column to column.
    pub fn is_of_columns(&self) -> bool {
        self.parts.iter().chain(self.hour.iter().map(|(reference, _)| reference)).any(Reference::is_of_column)
    }
}

/// How records are cut out of a text.
#[derive(Debug, Clone)]
pub(crate) struct TextRule {
    pub scope: TextScope,
    pub title: Option<Regex>,
    pub from: Option<Regex>,
    pub to: Option<Regex>,
    pub must: Option<Regex>,
    pub records: Vec<Regex>,
}

/// Rows that head those below them.
#[derive(Debug, Clone)]
pub(crate) struct SectionRule {
    pub role: String,
    pub pattern: Regex,
}

/// A row that says what its figures mean.
#[derive(Debug, Clone)]
pub(crate) struct RowRule {
    pub label: Regex,
    /// Whether such rows are another feed's.
    pub leaves: bool,
    pub set: BTreeMap<String, String>,
}

/// Where the name of a record's place stands.
#[derive(Debug, Clone)]
pub(crate) enum PlaceSource {
    /// In a column; rows stand below one another by their indentation.
    Hierarchy(String),
    /// In a column, each row for itself.
    Label(String),
    /// In the first of these that is there.
    Printed(Vec<Reference>),
    /// In the feed.
    Fixed(String),
    /// There is none; the code is the first of these that is there.
    Code(Vec<Reference>),
    /// Nowhere: the records have none.
    Nowhere,
}

/// The date at which names are looked up.
#[derive(Debug, Clone)]
pub(crate) enum PlaceDate {
    /// The record's own.
    Moment,
    /// End of the year in the first of these that is there.
    Printed(Vec<Reference>),
    /// End of the year in a column.
    Label(String),
    /// End of that year.
    Year(i32),
}

/// Values that follow from a label.
#[derive(Debug, Clone)]
pub(crate) struct LabelCases {
    pub role: String,
    pub cases: Vec<(Regex, String)>,
    pub otherwise: Option<String>,
}

/// Values that follow from a capture.
#[derive(Debug, Clone)]
pub(crate) struct PrintedCases {
    pub captures: Vec<Reference>,
    pub cases: Vec<(Regex, String)>,
    pub otherwise: Option<String>,
}

/// Name by which `by_label` refers to the path of a line.
pub(crate) const LINE_PATH: &str = "line.path";

/// How lines of a classified table are read.
#[derive(Debug, Clone)]
pub(crate) struct LineRule {
    /// Roles that make up the codes; none where numbering and indentation tell, or the names.
    pub codes: Vec<String>,
    /// Codes by names without blanks.
    pub code_of: BTreeMap<String, Vec<String>>,
    /// Role of the numbers, where they have a column of their own.
    pub number: Option<String>,
    /// Whether a line without numbering stands below the numbered one before it.
    pub stands_below: bool,
    pub name: String,
    pub digits: Vec<usize>,
    pub below: Vec<String>,
    pub total: Regex,
    pub numbering: Regex,
    /// What the path has to match; lines that do not are other feeds'.
    pub only: Option<Regex>,
}

#[derive(Debug, Clone)]
pub(crate) struct PlaceRule {
    pub source: PlaceSource,
    /// The region above all rows, where the table has none for it.
    pub root: Vec<Reference>,
    pub date: PlaceDate,
    pub tiers: Vec<Tier>,
    /// Region that names are sought below.
    pub within: Option<String>,
    /// Columns that name the regions above, the highest first.
    pub within_labels: Vec<String>,
    /// Captions that do.
    pub within_printed: Vec<Reference>,
    pub own_suffix: Option<String>,
    pub own_generic: Vec<String>,
    pub lower_suffixes: Vec<String>,
    pub aliases: BTreeMap<String, String>,
    pub evidence: Option<String>,
}

impl PlaceRule {
    /// That of records without a place.
    pub fn nowhere() -> Self {
        Self {
            source: PlaceSource::Nowhere,
            root: Vec::new(),
            date: PlaceDate::Moment,
            tiers: Vec::new(),
            within: None,
            within_labels: Vec::new(),
            within_printed: Vec::new(),
            own_suffix: None,
            own_generic: Vec::new(),
            lower_suffixes: Vec::new(),
            aliases: BTreeMap::new(),
            evidence: None,
        }
    }

    /// The name under which a printed one is looked up.
    pub fn official<'a>(&'a self, printed: &'a str) -> &'a str {
        self.aliases.get(printed).map_or(printed, String::as_str)
    }

    /// The region whose own level or lower levels a label stands for, and which of the two (`own`, `lower`).
    pub fn part_of<'a>(&self, label: &'a str) -> Option<(&'a str, &'static str)> {
        let own = self.own_suffix.iter().map(|suffix| (suffix, "own"));
        let lower = self.lower_suffixes.iter().map(|suffix| (suffix, "lower"));
        own.chain(lower).find_map(|(suffix, scope)| Some((label.strip_suffix(suffix.as_str())?.trim(), scope)))
    }
}

/// One value and its last day; none for the one that still holds.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub value: String,
    pub until: Option<NaiveDate>,
}
