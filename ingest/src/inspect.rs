//! How a file is read, for a person who wants to know why it was or was not taken.
//!
//! Holds places, headers and titles, never a value of the body.

use std::collections::BTreeSet;

use gongkai_catalog::Catalog;
use serde::{Deserialize, Serialize};

use crate::feed::Feeds;
use crate::limits::Limits;
use crate::reader::{Document, Format, Grid, Visibility, column_letters, read_document};
use crate::shape::{GridRecognition, recognise};

/// Description of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// Name of the file.
    pub name: String,
    /// Its size.
    pub bytes_len: u64,
    /// What the content is; none where it cannot be read.
    pub format: Option<Format>,
    /// Encoding of a text file.
    pub encoding: Option<String>,
    /// Why it cannot be read, if so.
    pub damage: Option<String>,
    /// What a reader of the file should know.
    pub warnings: Vec<String>,
    /// Its sheets, or the one grid of a text file.
    pub sheets: Vec<SheetInspection>,
}

/// Description of one sheet or text file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetInspection {
    /// Name of the sheet.
    pub sheet: Option<String>,
    /// Whether it is shown.
    pub visibility: Visibility,
    /// Rows with at least one cell.
    pub rows: usize,
    /// Cells that are not empty.
    pub cells: usize,
    /// Last column with a cell, as letters; for text files the largest number of fields.
    pub last_column: String,
    /// Hidden rows, up to the last row with cells.
    pub hidden_rows: Vec<u32>,
    /// Hidden columns that hold something.
    pub hidden_columns: Vec<String>,
    /// Merged ranges.
    pub merged_ranges: usize,
    /// Which feed reads it, or why none does; none for files without grids.
    pub recognition: Option<GridRecognition>,
}

/// Describes how a file is read, without shaping it.
pub fn inspect(bytes: &[u8], name: &str, feeds: &Feeds, catalog: &Catalog, limits: &Limits) -> Inspection {
    let mut inspection = Inspection {
        name: name.to_owned(),
        bytes_len: bytes.len() as u64,
        format: None,
        encoding: None,
        damage: None,
        warnings: Vec::new(),
        sheets: Vec::new(),
    };
    let document = match read_document(bytes, limits) {
        Ok(document) => Document { path: name.to_owned(), ..document },
        Err(error) => {
            inspection.damage = Some(error.to_string());
            return inspection;
        }
    };
    let recognition = recognise(&document, feeds, catalog);
    inspection.format = Some(document.format);
    inspection.encoding.clone_from(&document.encoding);
    inspection.warnings.clone_from(&document.warnings);
    inspection.sheets =
        document.grids.iter().zip(recognition.grids).map(|(grid, recognition)| describe(grid, recognition)).collect();
    inspection
}

fn describe(grid: &Grid, recognition: GridRecognition) -> SheetInspection {
    let last = grid.cells.iter().map(|cell| cell.column).max().unwrap_or_default();
    let filled: BTreeSet<u32> =
        grid.cells.iter().filter(|cell| !cell.text.is_empty()).map(|cell| cell.column).collect();
    SheetInspection {
        sheet: grid.sheet.clone(),
        visibility: grid.visibility,
        rows: grid.rows.len(),
        cells: grid.cells.iter().filter(|cell| !cell.text.is_empty()).count(),
        last_column: if grid.is_text() { last.to_string() } else { column_letters(last) },
        hidden_rows: grid.hidden_rows.iter().copied().collect(),
        hidden_columns: grid.hidden_columns.intersection(&filled).map(|column| column_letters(*column)).collect(),
        merged_ranges: grid.merges.len(),
        recognition: Some(recognition),
    }
}
