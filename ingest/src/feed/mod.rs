//! Feeds: how one kind of department file becomes rows of one table.
//!
//! A feed is a TOML file under `feeds/{publisher}/{feed}.toml`. It is parsed as written ([`FeedSpec`]) and
//! resolved against the catalogue into a [`Feed`]: its dataset and table exist, its units exist, and every
//! column of the table is filled by exactly one part that has the column's type. A feed that leaves a column
//! open does not load.

mod error;
mod part;
mod producer;
mod resolve;
mod spec;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gongkai_catalog::{Catalog, Declarations, Exact, Label, Tier};
use regex::Regex;

pub use error::FeedError;
pub use part::{LinePart, OriginPart, PlacePart, TimePart, ValuePart};
pub(crate) use producer::Producer;
pub(crate) use spec::CaptionScope;
pub use spec::FeedSpec;

use crate::reader::Format;

/// A feed, every reference resolved.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Name of its file without `.toml`.
    pub id: String,
    /// Id of the publishing office.
    pub publisher: String,
    /// Title for readers.
    pub label: Label,
    /// Id of the dataset.
    pub dataset: String,
    /// Table of the dataset.
    pub table: String,
    /// Formats that it reads.
    pub formats: Vec<Format>,
    /// Whether the file itself may be given to everybody.
    pub is_source_public: bool,
    /// Path of the declaration.
    pub source_file: String,
    pub(crate) header_depth: u32,
    pub(crate) header_search_rows: usize,
    pub(crate) captions: Vec<Caption>,
    pub(crate) unit: Option<UnitLine>,
    pub(crate) labels: Vec<LabelColumn>,
    pub(crate) values: Vec<ValueColumn>,
    pub(crate) skip: Vec<Regex>,
    pub(crate) end: Vec<Regex>,
    pub(crate) missing: Vec<String>,
    pub(crate) time: Option<TimeRule>,
    pub(crate) place: PlaceRule,
    pub(crate) line: Option<LineRule>,
    pub(crate) keeps_hidden_rows: bool,
    /// Role of the column without which a row is no record.
    pub(crate) subject: String,
    /// Who fills each column of the table, in the table's order, without `release_id` and `row_no`.
    pub(crate) producers: Vec<(String, Producer)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Caption {
    pub id: String,
    pub pattern: Regex,
    pub is_required: bool,
    pub within: CaptionScope,
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
}

impl LabelColumn {
    /// Whether a table without it is another table.
    pub fn is_required(&self) -> bool {
        self.marker.is_none()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct ValueColumn {
    pub header: Regex,
    pub set: BTreeMap<String, String>,
    pub unit: Option<String>,
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

#[derive(Debug, Clone)]
pub(crate) struct TimeRule {
    pub date: String,
    pub date_formats: Vec<String>,
    /// Role of the hour; none where dates are months.
    pub hour_ending: Option<String>,
}

/// Where the name of a record's place stands.
#[derive(Debug, Clone)]
pub(crate) enum PlaceSource {
    /// In a column; rows stand below one another by their indentation.
    Hierarchy(String),
    /// In a column, each row for itself.
    Label(String),
    /// In the first of these captures that is there, one place for the table.
    Printed(Vec<String>),
    /// In the feed.
    Fixed(String),
}

/// The date at which names are looked up.
#[derive(Debug, Clone)]
pub(crate) enum PlaceDate {
    /// The record's own.
    Moment,
    /// End of the year in a capture.
    Printed(String),
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
    pub otherwise: String,
}

/// Values that follow from a capture.
#[derive(Debug, Clone)]
pub(crate) struct PrintedCases {
    pub captures: Vec<String>,
    pub cases: Vec<(Regex, String)>,
    pub otherwise: String,
}

/// Name by which `by_label` refers to the path of a line.
pub(crate) const LINE_PATH: &str = "line.path";

/// How lines of a classified table are read.
#[derive(Debug, Clone)]
pub(crate) struct LineRule {
    /// Role of the codes; none where numbering and indentation tell.
    pub code: Option<String>,
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
    pub date: PlaceDate,
    pub tiers: Vec<Tier>,
    /// Region that names are sought below.
    pub within: Option<String>,
    /// Columns that name the regions above, the highest first.
    pub within_labels: Vec<String>,
    pub own_suffix: Option<String>,
    pub own_generic: Vec<String>,
    pub lower_suffixes: Vec<String>,
    pub aliases: BTreeMap<String, String>,
    pub evidence: Option<String>,
}

impl PlaceRule {
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

impl Feed {
    /// Whether it takes some of a table's rows and leaves the others to other feeds.
    pub(crate) fn is_partial(&self) -> bool {
        self.labels.iter().any(|label| label.only.is_some())
            || self.line.as_ref().is_some_and(|line| line.only.is_some())
    }
}

/// All feeds of one instance, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct Feeds {
    feeds: BTreeMap<String, Feed>,
}

impl Feeds {
    /// Resolves every feed of a set of declarations.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its file and key.
    pub fn load(declarations: &Declarations, catalog: &Catalog) -> Result<Self, FeedError> {
        let mut feeds: BTreeMap<String, Feed> = BTreeMap::new();
        for file in declarations.paths("feeds/", ".toml") {
            let feed = resolve::resolve(file, declarations.toml(file)?, catalog)?;
            if let Some(first) = feeds.get(&feed.id) {
                return Err(FeedError::Value {
                    file: file.to_owned(),
                    key: "path".into(),
                    found: feed.id,
                    expected: format!("a name that {} does not use already", first.source_file),
                });
            }
            feeds.insert(feed.id.clone(), feed);
        }
        Ok(Self { feeds })
    }

    /// Every feed, in the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = &Feed> {
        self.feeds.values()
    }

    /// The feed of that id.
    pub fn get(&self, id: &str) -> Option<&Feed> {
        self.feeds.get(id)
    }
}

#[cfg(test)]
mod tests;
