//! Lines of a classified table.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::part::LinePart;

/// Lines of a classified table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineSpec {
    /// Role of the column of class codes. Without one, what stands below what is told by numbering and indentation.
    pub code: Option<String>,
    /// Roles of the columns that make up the code together: 类, 款, 项.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Codes by the name without blanks and numbering, where the table prints none; of several the one below the last line of
    /// the first level.
    #[serde(default)]
    pub code_of: BTreeMap<String, Vec<String>>,
    /// Role of the column of numbers, where the numbering stands in a column of its own.
    pub number: Option<String>,
    /// What a line without numbering is, where others have one.
    #[serde(default)]
    pub unnumbered: UnnumberedSpec,
    /// Role of the column of names.
    pub name: String,
    /// Digits of the codes of each level, from the top: 3, 5, 7 for 类, 款, 项. Goes with `code`.
    #[serde(default)]
    pub digits: Vec<usize>,
    /// Codes that begin so are below the line.
    #[serde(default)]
    pub below: Vec<String>,
    /// Regular expression over names of lines without a code that are totals; others without one are below the line.
    pub total: String,
    /// Regular expression over the numbering before a name, which is taken away.
    pub numbering: String,
    /// Regular expression over the line's path: the other lines belong to other feeds.
    pub only: Option<String>,
    /// Table columns and what they take.
    pub columns: BTreeMap<String, LinePart>,
}

/// What a line without numbering is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnnumberedSpec {
    /// Its indentation tells.
    #[default]
    ByIndentation,
    /// It stands below the numbered line before it.
    Below,
}
