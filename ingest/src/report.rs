//! What became of a file: rows in = rows kept + rows set aside, with reasons.
//!
//! A record is a row of the body. A record whose key cannot be read is set aside whole; a cell that is no number
//! is set aside alone and its row stays, without a value. Messages name places and kinds and never hold the
//! value of a cell; that stands in [`SetAside::raw`], which is for the publisher's staging only.
//!
//! Invariants, held by [`Report::is_balanced`]: records in = kept + set aside, and, over the kept records,
//! cells in = values + missing + cells set aside.

use serde::{Deserialize, Serialize};

/// Counts of one grid or of a whole file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of the body that hold something.
    pub records_in: u64,
    /// Records that went into the batch.
    pub records_kept: u64,
    /// Records that were set aside whole.
    pub records_set_aside: u64,
    /// Value cells of the kept records.
    pub cells_in: u64,
    /// Cells with a number.
    pub values: u64,
    /// Cells that are empty or hold a missing marker.
    pub missing: u64,
    /// Cells that were set aside.
    pub cells_set_aside: u64,
}

impl Counts {
    /// Whether nothing got lost.
    pub fn is_balanced(&self) -> bool {
        self.records_in == self.records_kept + self.records_set_aside
            && self.cells_in == self.values + self.missing + self.cells_set_aside
    }

    /// Adds the counts of another grid.
    pub fn add(&mut self, other: &Self) {
        self.records_in += other.records_in;
        self.records_kept += other.records_kept;
        self.records_set_aside += other.records_set_aside;
        self.cells_in += other.cells_in;
        self.values += other.values;
        self.missing += other.missing;
        self.cells_set_aside += other.cells_set_aside;
    }
}

/// What happened to one file under one feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Feed that read it.
    pub feed: String,
    /// Name of the file.
    pub file: String,
    /// Totals over the grids.
    pub totals: Counts,
    /// One entry for each grid that was read.
    pub grids: Vec<GridReport>,
    /// Everything that was set aside.
    pub set_aside: Vec<SetAside>,
    /// Names of places that no code was found for, each once, in the order of the file.
    pub unresolved_places: Vec<String>,
}

impl Report {
    /// Adds a table that is set aside as a whole.
    pub(crate) fn add_refused(&mut self, grid: GridReport, record: SetAside) {
        self.totals.add(&grid.counts);
        self.grids.push(grid);
        self.set_aside.push(record);
    }

    /// Whether the invariants hold for the totals and for every grid.
    pub fn is_balanced(&self) -> bool {
        self.totals.is_balanced() && self.grids.iter().all(|grid| grid.counts.is_balanced())
    }
}

/// What happened to one grid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridReport {
    /// Name of the sheet; none for text files.
    pub sheet: Option<String>,
    /// Title as printed.
    pub title: Option<String>,
    /// The columns that were read, in their order.
    pub header: Vec<HeaderCell>,
    /// Headings of columns that no part of the feed reads.
    pub columns_not_read: Vec<HeaderCell>,
    /// Unit as printed, where one unit holds for the table.
    pub unit: Option<String>,
    /// Counts.
    pub counts: Counts,
    /// Records whose place has no code.
    pub records_without_code: u64,
    /// Footnotes, skipped rows, and other things to know.
    pub notes: Vec<String>,
}

/// One column of a table as its header prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderCell {
    /// Address of the header's last cell.
    pub address: String,
    /// Levels of the header joined by `/`.
    pub text: String,
    /// What it is read as: the role of a label, or the settings of a value column.
    pub read_as: Option<String>,
}

/// Whether a record or a cell was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetAsideKind {
    /// A whole record.
    Record,
    /// One cell.
    Cell,
}

/// Why something was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The line has fewer fields than the header.
    TooFewFields,
    /// The line has more fields than the header.
    TooManyFields,
    /// The line holds a NUL byte.
    NulByte,
    /// The date cannot be read.
    BadDate,
    /// The hour is not one of 0 to 24.
    BadHour,
    /// The row has values but no name of a place.
    NoLabel,
    /// The row is hidden in the sheet.
    HiddenRow,
    /// The row stands below the end of the table and holds numbers.
    AfterEnd,
    /// The line is in none of the forms that the feed declares.
    NoPattern,
    /// The row's label is none that the feed knows.
    UnknownRow,
    /// The cell is not a number.
    NotANumber,
    /// The cell is not what its column holds: a date, a whole number, yes or no.
    WrongType,
    /// What stands for the unit is none.
    UnknownUnit,
    /// The table does not say what a column needs: a year, a region.
    NotPrinted,
    /// The number has more digits than the column holds.
    TooLong,
    /// The number has more decimals than the column holds.
    TooPrecise,
    /// The same key occurred before with the same value.
    Duplicate,
    /// The same key occurred before with another value.
    Conflict,
}

/// One record or cell that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Record or cell.
    pub kind: SetAsideKind,
    /// Name of the sheet; none for text files.
    pub sheet: Option<String>,
    /// Address: `D10` in a sheet, `line:column` in a text file; a record has that of its first cell.
    pub address: String,
    /// Row of the sheet or line of the file.
    pub row: u32,
    /// Header of the column, for a cell or the key part at fault.
    pub column: Option<String>,
    /// Why.
    pub reason: Reason,
    /// What was found and what would have been accepted, without the value itself.
    pub message: String,
    /// Content of the cell, or of the record's cells joined by ` | `; for the publisher's staging only.
    pub raw: String,
}
