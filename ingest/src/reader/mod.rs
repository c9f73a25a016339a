//! Bytes to a grid of cells that keep their address.
//!
//! The format follows from the content; a name never decides. Nothing here knows what a table means: cells
//! are text with a kind and a place. Formats that are recognised but not read give a [`Document`] without
//! grids, so that a caller can say what the file is.
//!
//! Invariant: every [`Cell`] of a grid leads back to one place of the file, and the bytes between two cells
//! are never lost without a warning or an error.

mod archive;
mod csv;
mod encoding;
mod error;
mod grid;
mod html;
mod json;
mod layout;
mod ods;
mod percent;
mod places;
mod quote;
mod range;
mod sniff;
mod text;
mod xls;
mod xlsb;
mod xlsx;
mod xml_guard;

use serde::{Deserialize, Serialize};

pub use archive::{Member, is_archive, read_archive};
pub use error::{Gb18030Refusal, ReadError};
pub use grid::{Cell, CellKind, Grid, Merge, PREFACE_LINES, Row, RowFault, Visibility, a1_address};
pub use sniff::Format;

use crate::Limits;

/// A file as read: its format and the grids in it.
#[derive(Debug, Clone)]
pub struct Document {
    /// What the content is.
    pub format: Format,
    /// Encoding of a text file: `utf-8`, `utf-8-bom`, `gb18030`, `big5` (pages that say so only), `utf-16le` or `utf-16be`.
    pub encoding: Option<String>,
    /// Sheets of a workbook in their order, or the one grid of a text file.
    pub grids: Vec<Grid>,
    /// What a reader of the file should know; never a reason to refuse it.
    pub warnings: Vec<String>,
    /// Path below the inbox, where it is known; only feeds that say so read it.
    pub path: String,
}

/// What is known of a document without its cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentFacts {
    /// What the content is.
    pub format: Format,
    /// Encoding of a text file.
    pub encoding: Option<String>,
    /// Number of sheets, 1 for a text file.
    pub grid_count: usize,
    /// What a reader of the file should know.
    pub warnings: Vec<String>,
}

impl Document {
    /// The document's facts, without its cells.
    pub fn facts(&self) -> DocumentFacts {
        DocumentFacts {
            format: self.format,
            encoding: self.encoding.clone(),
            grid_count: self.grids.len(),
            warnings: self.warnings.clone(),
        }
    }

    /// The document under its path below the inbox, with a warning where the ending of the name says another format
    /// than the content: departments name pages and delimited text `.xls`.
    #[must_use]
    pub fn named(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        let ending = path.rsplit('/').next().and_then(|file| file.rsplit_once('.')).map(|(_, ending)| ending);
        if let Some(ending) = ending.map(str::to_ascii_lowercase)
            && self.format.ending_disagrees(&ending)
        {
            let format = self.format.name();
            self.warnings.push(format!("the name ends in .{ending}, the content is {format} and is read as that"));
        }
        self
    }

    fn without_grids(format: Format) -> Self {
        Self { format, encoding: None, grids: Vec::new(), warnings: Vec::new(), path: String::new() }
    }
}

/// Reads a file's bytes.
///
/// # Errors
///
/// The file is empty, damaged, beyond a limit, or in no encoding that can be told for certain. A file in a
/// format that is recognised but not read is no error.
pub fn read_document(bytes: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    if bytes.len() as u64 > limits.file_bytes {
        return Err(ReadError::TooLarge {
            what: "file bytes".into(),
            found: bytes.len() as u64,
            limit: limits.file_bytes,
        });
    }
    match sniff::sniff(bytes) {
        Format::Empty => Err(ReadError::Empty),
        Format::Zip => xlsx::read_zip(bytes, limits),
        Format::Csv => text::read_text(bytes, limits),
        Format::Html => html::read_html(bytes, limits),
        Format::Json => json::read_json(bytes, limits),
        Format::Xls => xls::read_compound(bytes, limits),
        other => Ok(Document::without_grids(other)),
    }
}
