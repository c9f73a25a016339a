//! Columns and rows of the body: what they hold, what they mean, and which are no records.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Which blank cells take the text above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillDown {
    /// Those inside a vertical merge.
    Merged,
    /// All.
    Blank,
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
    /// Whether the column may be one that the sheet hides.
    #[serde(default)]
    pub may_be_hidden: bool,
    /// Whether a record without it is set aside; a table column that is never null needs this.
    #[serde(default)]
    pub must_be_filled: bool,
    /// Regular expression over its text without blanks: other rows belong to other feeds.
    pub only: Option<String>,
    /// Regular expression over its text without blanks; its named groups are `ROLE.NAME`.
    pub pattern: Option<String>,
    /// Regular expression that the text of the first record has to match, for tables without a header.
    pub must_match: Option<String>,
    /// Which blank cells take the text above them.
    pub fill_down: Option<FillDown>,
    /// Whether blank cells inside a horizontal merge take its text.
    #[serde(default)]
    pub fill_right: bool,
    /// What parts the records that one cell lists.
    pub split: Option<String>,
    /// Whether a table without the column is still the feed's.
    #[serde(default)]
    pub optional: bool,
    /// Whether the missing markers of `[value]` hold for it.
    #[serde(default)]
    pub missing: bool,
    /// Forms in which its dates are written, where it fills a column of dates.
    #[serde(default)]
    pub date_formats: Vec<String>,
}

/// A column that holds figures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueColumnSpec {
    /// Regular expression over the levels of the header without blanks, joined by `/`.
    pub header: String,
    /// Table columns that have this value in the rows of this column.
    pub set: BTreeMap<String, String>,
    /// Unit of the column, or a reference to it as printed, where the table has no unit line.
    pub unit: Option<String>,
    /// Whether several columns may match, told apart by what the header captures.
    #[serde(default)]
    pub many: bool,
    /// Which blank cells take the figure above them.
    pub fill_down: Option<FillDown>,
    /// What is added to the figure to give the number: 100 where a change in per cent stands for an index.
    pub add: Option<String>,
    /// Whether the column only says again what the column with the same settings says. It gives no rows; where the
    /// two differ, the report names the place.
    #[serde(default)]
    pub confirms: bool,
    /// Whether a table without it is another table.
    #[serde(default)]
    pub required: bool,
}

/// What in the body is no record.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BodySpec {
    /// Rows whose label matches one of these are not records.
    pub skip: Vec<String>,
    /// The first row with a cell that matches one of these ends the body.
    pub end: Vec<String>,
    /// What hidden rows of the body are.
    pub hidden_rows: HiddenRowsSpec,
    /// Table column that says whether the row is hidden.
    pub hidden_column: Option<String>,
}

/// What hidden rows of the body are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiddenRowsSpec {
    /// Not data; each is reported with its place.
    #[default]
    SetAside,
    /// Data like the others.
    Keep,
}

/// Rows that head those below them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectionSpec {
    /// Role of the column that holds the heading.
    pub label: String,
    /// Regular expression over its text without blanks; its named groups are `section.NAME`.
    pub pattern: String,
}

/// A row that says what its figures mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowSpec {
    /// Regular expression over the names of the lines down to the record, without blanks and numbering, joined by `/`; without
    /// `[line]` over the subject's text without blanks. Its named groups are `row.NAME`.
    pub label: String,
    /// Table columns that have this value in the record's rows.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Whether such rows are another feed's.
    #[serde(default)]
    pub leave: bool,
}

/// What becomes of records that no row rule matches.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RowsSpec {
    /// Set aside, or left to other feeds.
    pub others: OthersSpec,
}

/// What becomes of other records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OthersSpec {
    /// They are set aside.
    #[default]
    SetAside,
    /// Another feed reads them.
    Leave,
}
