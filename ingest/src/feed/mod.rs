//! Feeds: how one kind of department file becomes rows of one table.
//!
//! A feed is a TOML file under `feeds/{publisher}/{feed}.toml`. It is parsed as written ([`FeedSpec`]) and
//! resolved against the catalogue into a [`Feed`]: its dataset and table exist, its units exist, and every
//! column of the table is filled by exactly one part that has the column's type. A feed that leaves a column
//! open does not load.

mod check;
mod error;
mod part;
mod producer;
mod reference;
mod resolve;
mod rule;
mod spec;

use std::collections::BTreeMap;

use gongkai_catalog::{Catalog, Declarations, Label};
use regex::Regex;

pub(crate) use check::has_time_of_day;
pub use error::FeedError;
pub use part::{LinePart, OriginPart, PlacePart, TimePart, ValuePart};
pub(crate) use producer::Producer;
pub(crate) use reference::{Grain, Reference};
pub(crate) use rule::{
    Caption, ColumnUnit, HourEdge, LINE_PATH, LabelCases, LabelColumn, LineRule, PlaceDate, PlaceRule, PlaceSource,
    PrintedCases, RowRule, SectionRule, Span, TextRule, TimeRule, UnitLine, ValueColumn,
};
pub use spec::FeedSpec;
pub(crate) use spec::{CaptionScope, FillDown, PeriodDaySpec, PeriodSpec, TextScope};

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
    /// Names of the columns by position; empty where the table has a header.
    pub(crate) header_names: Vec<String>,
    pub(crate) header_repeats: bool,
    pub(crate) header_is_exact: bool,
    pub(crate) text: Option<TextRule>,
    pub(crate) captions: Vec<Caption>,
    pub(crate) unit: Option<UnitLine>,
    pub(crate) unit_by: Option<PrintedCases>,
    pub(crate) section: Option<SectionRule>,
    pub(crate) rows: Vec<RowRule>,
    pub(crate) leaves_other_rows: bool,
    pub(crate) labels: Vec<LabelColumn>,
    pub(crate) values: Vec<ValueColumn>,
    pub(crate) skip: Vec<Regex>,
    pub(crate) end: Vec<Regex>,
    pub(crate) missing: Vec<String>,
    pub(crate) blank_is_no_row: bool,
    pub(crate) time: Option<TimeRule>,
    pub(crate) place: PlaceRule,
    pub(crate) line: Option<LineRule>,
    pub(crate) keeps_hidden_rows: bool,
    /// Role of the column without which a row is no record.
    pub(crate) subject: String,
    /// Who fills each column of the table, in the table's order, without `release_id` and `row_no`.
    pub(crate) producers: Vec<(String, Producer)>,
}

impl Feed {
    /// Whether it takes some of a table's rows and leaves the others to other feeds.
    pub(crate) fn is_partial(&self) -> bool {
        self.leaves_other_rows
            || self.rows.iter().any(|row| row.leaves)
            || self.labels.iter().any(|label| label.only.is_some())
            || self.line.as_ref().is_some_and(|line| line.only.is_some())
    }

    /// For how many rows a column of its table is the same.
    pub(crate) fn grain_of(&self, column: &str) -> Grain {
        let producer = self.producers.iter().find(|(name, _)| name == column).map(|(_, producer)| producer);
        let time = if self.time.as_ref().is_some_and(TimeRule::is_of_columns) { Grain::Row } else { Grain::Record };
        match producer {
            None => Grain::Row,
            Some(Producer::Constant(_) | Producer::Empty | Producer::Origin(OriginPart::Sheet)) => Grain::Table,
            Some(Producer::Setting | Producer::Value(ValuePart::Header)) => Grain::Column,
            Some(Producer::Value(ValuePart::Unit)) if self.unit_by.is_none() => {
                let units = self.values.iter().filter_map(|value| value.unit.as_ref());
                let is_of_record = |unit: &ColumnUnit| match unit {
                    ColumnUnit::Known(_) => false,
                    ColumnUnit::Printed(reference) => reference.is_of_record(),
                };
                if units.into_iter().any(is_of_record) { Grain::Row } else { Grain::Column }
            }
            Some(Producer::Value(_) | Producer::Origin(_)) => Grain::Row,
            Some(Producer::Printed(references) | Producer::Joined(references)) => Grain::of(references),
            Some(Producer::ByPrinted(rule)) => Grain::of(&rule.captures),
            Some(Producer::Place(_)) => match &self.place.source {
                PlaceSource::Printed(names) if names.iter().any(Reference::is_of_column) => Grain::Column,
                _ => Grain::Record,
            },
            Some(Producer::Time(_) | Producer::ByDate(_)) => time,
            Some(
                Producer::RowSetting
                | Producer::Line(_)
                | Producer::IsHidden
                | Producer::ByLabel(_)
                | Producer::Label(_),
            ) => Grain::Record,
        }
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
        let known = resolve::Patterns::default();
        for file in declarations.paths("feeds/", ".toml") {
            let feed = resolve::resolve(file, declarations.toml(file)?, catalog, &known)?;
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
