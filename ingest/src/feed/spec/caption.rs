//! What stands above the rows: captions, and the unit line.

use serde::Deserialize;

/// A text above the header.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionSpec {
    /// Regular expression over the cell's text without blanks; its named groups are captures.
    pub pattern: String,
    /// Whether a table without it is another table.
    #[serde(default)]
    pub required: bool,
    /// Where it is sought: above the header of the table, or, when it is not there, on any sheet of the document.
    #[serde(default)]
    pub within: CaptionScope,
    /// Whether it may stand in a row or column that the sheet hides.
    #[serde(default)]
    pub hidden: bool,
}

/// Where a caption is sought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptionScope {
    /// Above the header of the table itself.
    #[default]
    Table,
    /// There, else among the first rows of the other visible sheets.
    Document,
    /// In the path of the file below its inbox: for what a department says with folders and names only.
    Path,
    /// In the name of the table's sheet.
    Sheet,
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
