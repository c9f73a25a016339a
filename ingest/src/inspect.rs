//! How a file is read, for a person who wants to know why it was or was not taken, or who writes a feed for it.
//!
//! The structures are what `gongkai inspect --format json` prints: fields are added, never renamed or removed, under
//! [`FORMAT_VERSION`]. They show titles, headers and the first rows of tables, so they are for the operator who holds
//! the file, and no door serves them.

use std::collections::{BTreeMap, BTreeSet};

use gongkai_catalog::{Catalog, column_letters};
use serde::{Deserialize, Serialize};

use crate::feed::Feeds;
use crate::limits::Limits;
use crate::outline::{FoundTable, outline};
use crate::reader::{Document, Format, Grid, Visibility, is_archive, read_archive, read_document};
use crate::report::{Counts, Reason, SetAsideKind};
use crate::shape::{GridRecognition, Recognition, recognise, shape};

/// Version of the structures.
pub const FORMAT_VERSION: u32 = 1;
/// Places of a reading that are named; all are counted.
const EXAMPLES: usize = 10;

/// Description of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// Version of this structure.
    pub format_version: u32,
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
    /// What each feed that reads it makes of it.
    pub readings: Vec<Reading>,
    /// The files of an archive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Inspection>,
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
    /// Number of merged ranges.
    pub merged_ranges: usize,
    /// The merged ranges, as `A1:C1`.
    pub merges: Vec<String>,
    /// Tables as they seem to stand, whether or not a feed reads them.
    pub tables: Vec<FoundTable>,
    /// Which feed reads it, or why none does; none for files without grids.
    pub recognition: Option<GridRecognition>,
}

/// What one feed makes of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The feed.
    pub feed: String,
    /// Dataset of its rows.
    pub dataset: String,
    /// Table of the dataset.
    pub table: String,
    /// Records and cells.
    pub counts: Counts,
    /// Rows that it gives.
    pub rows: usize,
    /// How many records and cells would be set aside for each reason.
    pub set_aside: BTreeMap<Reason, u64>,
    /// The first of them.
    pub examples: Vec<SetAsideExample>,
    /// Names of places without a code.
    pub unresolved_places: Vec<String>,
    /// Why the file is refused although the feed knows it.
    pub refusal: Option<String>,
}

/// Something that would be set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAsideExample {
    /// Record or cell.
    pub kind: SetAsideKind,
    /// Sheet; none for text files.
    pub sheet: Option<String>,
    /// Address.
    pub address: String,
    /// Why.
    pub reason: Reason,
    /// What was found and what would have been accepted.
    pub message: String,
}

/// Describes how a file is read, and what each feed that reads it makes of it.
pub fn inspect(bytes: &[u8], name: &str, feeds: &Feeds, catalog: &Catalog, limits: &Limits) -> Inspection {
    let mut inspection = blank(bytes, name);
    if !is_archive(bytes) {
        return inspect_document(bytes, name, feeds, catalog, limits);
    }
    inspection.format = Some(Format::Zip);
    match read_archive(bytes, limits) {
        Ok(members) => {
            let paths = members.into_iter().map(|member| (format!("{name}/{}", member.path), member.bytes));
            inspection.members =
                paths.map(|(path, bytes)| inspect_document(&bytes, &path, feeds, catalog, limits)).collect();
        }
        Err(error) => inspection.damage = Some(error.to_string()),
    }
    inspection
}

/// What is known before a file is read.
fn blank(bytes: &[u8], name: &str) -> Inspection {
    Inspection {
        format_version: FORMAT_VERSION,
        name: name.to_owned(),
        bytes_len: bytes.len() as u64,
        format: None,
        encoding: None,
        damage: None,
        warnings: Vec::new(),
        sheets: Vec::new(),
        readings: Vec::new(),
        members: Vec::new(),
    }
}

fn inspect_document(bytes: &[u8], name: &str, feeds: &Feeds, catalog: &Catalog, limits: &Limits) -> Inspection {
    let mut inspection = blank(bytes, name);
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
    inspection.readings = readings(&document, &recognition, feeds, catalog);
    inspection.sheets =
        document.grids.iter().zip(recognition.grids).map(|(grid, recognition)| describe(grid, recognition)).collect();
    inspection
}

fn readings(document: &Document, recognition: &Recognition, feeds: &Feeds, catalog: &Catalog) -> Vec<Reading> {
    let claimed = recognition.feeds().into_iter().filter_map(|id| feeds.get(id));
    claimed
        .map(|feed| {
            let mut reading = Reading {
                feed: feed.id.clone(),
                dataset: feed.dataset.clone(),
                table: feed.table.clone(),
                counts: Counts::default(),
                rows: 0,
                set_aside: BTreeMap::new(),
                examples: Vec::new(),
                unresolved_places: Vec::new(),
                refusal: None,
            };
            match shape(feed, document, catalog) {
                Ok(shaped) => {
                    reading.counts = shaped.report.totals;
                    reading.rows = shaped.batch.num_rows();
                    for item in &shaped.report.set_aside {
                        *reading.set_aside.entry(item.reason).or_default() += 1;
                    }
                    let examples = shaped.report.set_aside.into_iter().take(EXAMPLES);
                    reading.examples = examples
                        .map(|item| SetAsideExample {
                            kind: item.kind,
                            sheet: item.sheet,
                            address: item.address,
                            reason: item.reason,
                            message: item.message,
                        })
                        .collect();
                    reading.unresolved_places = shaped.report.unresolved_places;
                }
                Err(error) => reading.refusal = Some(error.to_string()),
            }
            reading
        })
        .collect()
}

fn describe(grid: &Grid, recognition: GridRecognition) -> SheetInspection {
    let last = grid.cells.iter().map(|cell| cell.column).max().unwrap_or_default();
    let filled: BTreeSet<u32> =
        grid.cells.iter().filter(|cell| !cell.text.is_empty()).map(|cell| cell.column).collect();
    let merges = grid.merges.iter().map(|merge| {
        let (left, right) = (column_letters(merge.left), column_letters(merge.right));
        format!("{left}{}:{right}{}", merge.top, merge.bottom)
    });
    SheetInspection {
        sheet: grid.sheet.clone(),
        visibility: grid.visibility,
        rows: grid.rows.len(),
        cells: grid.cells.iter().filter(|cell| !cell.text.is_empty()).count(),
        last_column: if grid.is_text() { last.to_string() } else { column_letters(last) },
        hidden_rows: grid.hidden_rows.iter().copied().collect(),
        hidden_columns: grid.hidden_columns.intersection(&filled).map(|column| column_letters(*column)).collect(),
        merged_ranges: grid.merges.len(),
        merges: merges.collect(),
        tables: outline(grid),
        recognition: Some(recognition),
    }
}
