//! Bounds on what a department file may ask of the reader.
//!
//! Every bound is checked against bytes that were really read, never against a size that the file declares.
//! A file beyond a bound is refused as a whole: a part of it is never read as if it were all.

use serde::{Deserialize, Serialize};

/// The bounds of one reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Entries of a zip container.
    pub zip_entries: usize,
    /// Inflated bytes of one zip entry.
    pub entry_bytes: u64,
    /// Inflated bytes of all zip entries together.
    pub inflated_bytes: u64,
    /// Inflated bytes for one compressed byte, beyond which an entry of more than 10 MiB is a bomb.
    pub inflation_ratio: u64,
    /// Shared strings that a workbook may declare.
    pub shared_strings: u64,
    /// Sheets of a workbook.
    pub sheets: usize,
    /// Cells of all sheets, or fields of a text file.
    pub cells: usize,
    /// Characters of one cell or field.
    pub cell_chars: usize,
    /// Bytes of one line of a text file.
    pub line_bytes: usize,
    /// Fields of one line of a text file.
    pub fields: usize,
    /// Levels of keys in JSON.
    pub json_depth: usize,
    /// Values of one list, or lines of values, in JSON.
    pub json_items: usize,
    /// Bytes of a page.
    pub html_bytes: u64,
    /// Levels of elements in a page.
    pub html_depth: usize,
    /// Tables of a page.
    pub html_tables: usize,
    /// Rows, or columns, that one cell of a page may span.
    pub html_span: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 200 << 20,
            zip_entries: 1_000,
            entry_bytes: 512 << 20,
            inflated_bytes: 1 << 30,
            inflation_ratio: 200,
            shared_strings: 2_000_000,
            sheets: 256,
            cells: 20_000_000,
            cell_chars: 32_767,
            line_bytes: 1 << 20,
            fields: 2_000,
            json_depth: 32,
            json_items: 5_000_000,
            html_bytes: 32 << 20,
            html_depth: 256,
            html_tables: 100,
            html_span: 1_000,
        }
    }
}
