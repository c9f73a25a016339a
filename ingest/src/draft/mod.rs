//! A first feed declaration for a file, for a person to finish.
//!
//! What the file shows is proposed: where the header is, which columns are labels and which figures, the unit line, the
//! title with its year and place as captures. Where a dataset is named, columns of its table are filled as other feeds
//! fill columns of the same name. Nothing else is guessed: what is left open stands in a list at the top, and a draft
//! with an open column that must be filled does not load until somebody has decided.

mod columns;
mod guess;
mod write;

use std::fmt;

use gongkai_catalog::Catalog;

use crate::feed::Feeds;
use crate::limits::Limits;
use crate::outline::{FoundTable, Holds, outline};
use crate::reader::{Document, Grid, ReadError, Visibility, read_document};

/// A feed declaration to finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Id that the feed could have.
    pub id: String,
    /// Where its file belongs in the definitions.
    pub path: String,
    /// The declaration.
    pub toml: String,
    /// What somebody has to decide.
    pub to_decide: Vec<String>,
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.toml)
    }
}

/// Why there is no draft.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It holds nothing that looks like a table.
    #[error("no visible table was found in {format}; expected a header above rows")]
    NoTable {
        /// Format, by content.
        format: &'static str,
    },
}

/// The table that a draft is about, with the grid that it is in.
pub(crate) struct Site<'a> {
    pub document: &'a Document,
    pub grid: &'a Grid,
    pub table: &'a FoundTable,
    pub feeds: &'a Feeds,
    pub catalog: &'a Catalog,
}

impl Site<'_> {
    /// Texts of a column in the first rows of the body, without those that stand for no value.
    pub fn texts(&self, column: u32) -> Vec<&str> {
        let (first, last) = self.table.body;
        let rows = self.grid.rows[first..=last].iter().filter(|row| !row.is_hidden).take(200);
        let texts = rows.map(|row| self.grid.text(row, column).trim());
        texts.filter(|text| !text.is_empty() && !crate::outline::MISSING.contains(text)).collect()
    }
}

/// Drafts a feed for the largest table of a file.
///
/// # Errors
///
/// The file cannot be read, or shows no table.
pub fn draft(
    bytes: &[u8],
    name: &str,
    dataset: Option<&str>,
    feeds: &Feeds,
    catalog: &Catalog,
    limits: &Limits,
) -> Result<Draft, DraftError> {
    let document = Document { path: name.to_owned(), ..read_document(bytes, limits)? };
    let visible = document.grids.iter().filter(|grid| grid.visibility == Visibility::Visible);
    let tables: Vec<(&Grid, FoundTable)> =
        visible.flat_map(|grid| outline(grid).into_iter().map(move |table| (grid, table))).collect();
    let size = |table: &FoundTable| {
        let figures = table.columns.iter().filter(|column| column.holds == Holds::Figures).count();
        (table.header_rows.is_some(), table.records * (figures + 1))
    };
    let largest = tables.iter().rev().max_by_key(|(_, table)| size(table));
    let Some((grid, table)) = largest.filter(|(_, table)| table.header_rows.is_some()) else {
        return Err(DraftError::NoTable { format: document.format.name() });
    };
    let site = Site { document: &document, grid, table, feeds, catalog };
    let guess = guess::guess(&site, dataset);
    Ok(write::write(&site, name, guess))
}
