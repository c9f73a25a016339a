//! Columns filled by the value cell, by units and by cases.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gongkai_catalog::Label;
use serde::Deserialize;

use super::super::part::ValuePart;

/// Columns filled by the value cell.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValueSpec {
    /// Texts that mean "no value", besides an empty cell.
    pub missing: Vec<String>,
    /// What an empty cell is.
    pub blank: BlankSpec,
    /// Table columns and what they take.
    pub columns: BTreeMap<String, ValuePart>,
}

/// What an empty value cell is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlankSpec {
    /// A figure that is missing.
    #[default]
    Missing,
    /// No figure at all: the row of the table has none of that kind.
    NoRow,
}

/// The unit of each figure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitBySpec {
    /// References: the first that is there.
    pub captures: Vec<String>,
    /// The first case whose pattern matches it.
    pub cases: Vec<CaseSpec>,
    /// The unit where none does.
    pub otherwise: String,
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

/// A column whose value follows from a label.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByLabelSpec {
    /// The table column.
    pub column: String,
    /// Role of the label; `line.path` for the path of the line.
    pub role: String,
    /// The first case whose pattern matches the label without blanks.
    pub cases: Vec<CaseSpec>,
    /// The value where none does; null without one.
    pub otherwise: Option<String>,
}

/// A column whose value follows from captions and headers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByPrintedSpec {
    /// The table column.
    pub column: String,
    /// Captures: the first that is there.
    pub captures: Vec<String>,
    /// The first case whose pattern matches it.
    pub cases: Vec<CaseSpec>,
    /// The value where none does; null without one.
    pub otherwise: Option<String>,
}

/// One pattern and its value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSpec {
    /// Regular expression over the label without blanks.
    pub pattern: String,
    /// The value; `${name}` stands for a group of the pattern.
    pub value: String,
}
