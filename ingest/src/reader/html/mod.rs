//! Pages to grids: every table one grid, and the text of the page another.
//!
//! Table N of the page, counted by start tags from 1, is the sheet `table N`; its cells have the addresses that
//! a workbook would give them, spans are merged ranges. A table inside a cell is a table of its own and no
//! text of that cell, unless it has one cell only. What stands between the last table and this one, such as its title and unit line, is its
//! preface. The last grid has no sheet: its rows are the lines of the page, one cell each with the line and
//! character of the page at which the text begins; text in tables is in it too.
//!
//! Never fetched or run: scripts, styles, images, links. Never built: a tree. Refused: pages beyond the
//! limits of size, depth, tables and spans.

mod flow;
mod page;
mod table;
mod tokens;

use super::encoding::{Decoded, decode_page};
use super::{Document, Format, ReadError};
use crate::Limits;

pub(super) fn read_html(bytes: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    if bytes.len() as u64 > limits.html_bytes {
        let (found, limit) = (bytes.len() as u64, limits.html_bytes);
        return Err(ReadError::TooLarge { what: "bytes of the page".into(), found, limit });
    }
    let (Decoded { text, encoding }, warning) = decode_page(bytes)?;
    let mut page = page::Page::new(&text, limits);
    tokens::tokenize(&text, &mut page)?;
    Ok(Document {
        format: Format::Html,
        encoding: Some(encoding.to_owned()),
        grids: page.into_grids()?,
        warnings: warning.into_iter().collect(),
        path: String::new(),
    })
}

#[cfg(test)]
mod tests;
