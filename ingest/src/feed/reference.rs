//! References: where a text stands that a column, a place or a moment takes.
//!
//! Written as `header.year`, `title.region`, `label.name`, `row.year`, `section.kind`, or as the role of a label.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Where a text stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reference {
    /// A group of the value column's header, with its `header.`.
    Header(String),
    /// A group of a caption, with the caption's id.
    Caption(String),
    /// A label of the record, or a group of it.
    Label { role: String, group: Option<String> },
    /// A group of the row's rule.
    Row(String),
    /// A group of the heading above the record.
    Section(String),
}

impl Reference {
    /// Whether it differs from column to column.
    pub fn is_of_column(&self) -> bool {
        matches!(self, Self::Header(_))
    }

    /// Whether it differs from record to record.
    pub fn is_of_record(&self) -> bool {
        matches!(self, Self::Label { .. } | Self::Row(_) | Self::Section(_))
    }
}

/// For how many rows of a table a text or a value is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    /// For all of them.
    Table,
    /// For those of one value column.
    Column,
    /// For those of one record.
    Record,
    /// For none but the row itself, as far as one can say before it is read.
    Row,
}

impl Grain {
    /// Of what several references tell together.
    pub fn of(references: &[Reference]) -> Self {
        let of_column = references.iter().any(Reference::is_of_column);
        let of_record = references.iter().any(Reference::is_of_record);
        match (of_column, of_record) {
            (true, true) => Self::Row,
            (false, true) => Self::Record,
            (true, false) => Self::Column,
            (false, false) => Self::Table,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) | Self::Caption(name) => formatter.write_str(name),
            Self::Label { role, group: None } => formatter.write_str(role),
            Self::Label { role, group: Some(group) } => write!(formatter, "{role}.{group}"),
            Self::Row(name) => write!(formatter, "row.{name}"),
            Self::Section(name) => write!(formatter, "section.{name}"),
        }
    }
}

/// What a feed offers to references: its roles, and the named groups of its patterns.
#[derive(Debug, Default)]
pub(super) struct Offered {
    pub roles: BTreeSet<String>,
    /// Groups by the id before the point.
    pub captions: BTreeMap<String, BTreeSet<String>>,
    pub labels: BTreeMap<String, BTreeSet<String>>,
    pub header: BTreeSet<String>,
    pub row: BTreeSet<String>,
    pub section: BTreeSet<String>,
}

impl Offered {
    /// The reference that a text means; none where nothing of the feed is called so.
    pub fn read(&self, text: &str) -> Option<Reference> {
        let has = |groups: Option<&BTreeSet<String>>, name: &str| groups.is_some_and(|groups| groups.contains(name));
        let Some((id, name)) = text.split_once('.') else {
            return self.roles.contains(text).then(|| Reference::Label { role: text.to_owned(), group: None });
        };
        if has(self.captions.get(id), name) {
            return Some(Reference::Caption(text.to_owned()));
        }
        if has(self.labels.get(id), name) {
            return Some(Reference::Label { role: id.to_owned(), group: Some(name.to_owned()) });
        }
        match id {
            "header" if self.header.contains(name) => Some(Reference::Header(text.to_owned())),
            "row" if self.row.contains(name) => Some(Reference::Row(name.to_owned())),
            "section" if self.section.contains(name) => Some(Reference::Section(name.to_owned())),
            _ => None,
        }
    }
}
