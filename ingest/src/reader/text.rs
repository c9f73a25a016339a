//! Text files: delimited text goes to the csv reader, the rest to a grid of lines.
//!
//! Text layers of PDFs and excerpts have no fields: every line is one row with one cell, which begins at the
//! first character of the line and keeps its blanks. Form feeds end pages. Lines without characters are no
//! rows. A file is delimited where most of its records have the same number of fields; a comma between
//! thousands is no delimiter unless every record has as many.

use super::encoding::{Decoded, decode};
use super::{Cell, CellKind, Document, Format, Grid, ReadError, Row, RowFault, Visibility, csv};
use crate::Limits;

/// Records by which delimited text is told from lines, and the bytes that are looked at for them.
const JUDGED_RECORDS: usize = 200;
const JUDGED_BYTES: usize = 1 << 20;

pub(super) fn read_text(bytes: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    let decoded = decode(bytes)?;
    if decoded.text.trim().is_empty() {
        return Err(ReadError::Empty);
    }
    if is_delimited(&decoded.text) { csv::read_decoded(&decoded, limits) } else { read_lines(&decoded, limits) }
}

/// Whether a text has fields.
fn is_delimited(text: &str) -> bool {
    if csv::declared_delimiter(text).is_some() {
        return true;
    }
    let records = records(text);
    if records.is_empty() {
        return false;
    }
    csv::DELIMITERS.into_iter().any(|delimiter| {
        let all: Vec<usize> = records.iter().map(|record| count(record, delimiter, Commas::All)).collect();
        // Also a file of one line, and one that is cut off by a quote without an end.
        if all[0] > 0 && all.iter().all(|count| *count == all[0]) {
            return !is_thousands_only(&records, delimiter);
        }
        let real: Vec<usize> = records.iter().map(|record| count(record, delimiter, Commas::NotOfThousands)).collect();
        let share = |wanted: &dyn Fn(usize) -> bool| real.iter().filter(|count| wanted(**count)).count() * 100;
        let agreeing = real.iter().filter(|count| **count > 0).map(|mode| share(&|count| count == *mode)).max();
        // Records of many lengths are still records where hardly one has no delimiter.
        agreeing.unwrap_or(0) >= 50 * real.len() || share(&|count| count > 0) >= 80 * real.len()
    })
}

/// A few lines, each a name and one number with commas, are no table of fields.
fn is_thousands_only(records: &[&str], delimiter: u8) -> bool {
    delimiter == b','
        && records.iter().all(|record| {
            count(record, delimiter, Commas::NotOfThousands) == 0
                && record.split(',').next().is_some_and(|first| first.trim().contains(' '))
        })
}

/// The first records that are not blank; one in quotes may go over several lines.
fn records(text: &str) -> Vec<&str> {
    let judged = &text[..text.floor_char_boundary(JUDGED_BYTES)];
    let mut records = Vec::new();
    let (mut start, mut is_quoted) = (0, false);
    for (at, byte) in judged.bytes().enumerate() {
        is_quoted ^= byte == b'"';
        if matches!(byte, b'\n' | b'\r') && !is_quoted {
            if !judged[start..at].trim().is_empty() {
                records.push(&judged[start..at]);
            }
            start = at + 1;
            if records.len() == JUDGED_RECORDS {
                return records;
            }
        }
    }
    // A record that is cut off says nothing, unless it is the only one or swallows the rest by a quote.
    let last = &judged[start..];
    if (judged.len() == text.len() || records.is_empty() || is_quoted) && !last.trim().is_empty() {
        records.push(last);
    }
    records
}

/// Which commas count as delimiters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Commas {
    All,
    NotOfThousands,
}

/// Delimiters of a record outside quotes.
fn count(record: &str, delimiter: u8, commas: Commas) -> usize {
    let bytes = record.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is_of_thousands =
        |at: usize| at > 0 && is_digit(at - 1) && (1..=3).all(|ahead| is_digit(at + ahead)) && !is_digit(at + 4);
    let mut is_quoted = false;
    let mut found = 0;
    for (at, byte) in bytes.iter().enumerate() {
        is_quoted ^= *byte == b'"';
        let counts = *byte == delimiter && !is_quoted;
        let is_left_out = delimiter == b',' && commas == Commas::NotOfThousands && counts && is_of_thousands(at);
        found += usize::from(counts && !is_left_out);
    }
    found
}

fn read_lines(decoded: &Decoded, limits: &Limits) -> Result<Document, ReadError> {
    let text = decoded.text.as_str();
    let mut grid = Grid::new(None, Visibility::Visible);
    let (mut line, mut line_start) = (1_u32, 0);
    let mut has_nul = false;
    while line_start < text.len() {
        let rest = &text[line_start..];
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        if length > limits.line_bytes {
            let what = format!("line {line}: bytes of one line");
            return Err(ReadError::TooLarge { what, found: length as u64, limit: limits.line_bytes as u64 });
        }
        let mut start = 1;
        for (index, piece) in rest[..length].split('\x0C').enumerate() {
            if index > 0 {
                grid.pages.push(grid.rows.len());
            }
            if !piece.trim().is_empty() {
                has_nul |= piece.contains('\0');
                push_line(&mut grid, line, start, piece);
            }
            start += piece.chars().count() as u32 + 1;
        }
        if grid.cells.len() > limits.cells {
            let (found, limit) = (grid.cells.len() as u64, limits.cells as u64);
            return Err(ReadError::TooLarge { what: "lines".into(), found, limit });
        }
        let end = if rest[length..].starts_with("\r\n") { 2 } else { 1 };
        line_start += length + end;
        line = line.saturating_add(1);
    }
    let warnings = has_nul.then(|| "some lines hold NUL bytes and are set aside".to_owned());
    Ok(Document {
        format: Format::Text,
        encoding: Some(decoded.encoding.to_owned()),
        grids: vec![grid],
        warnings: warnings.into_iter().collect(),
        path: String::new(),
    })
}

fn push_line(grid: &mut Grid, line: u32, start: u32, text: &str) {
    let first = grid.cells.len();
    let cells = first..first + 1;
    let fault = text.contains('\0').then_some(RowFault::NulByte);
    grid.cells.push(Cell { row: line, column: 1, start, text: text.into(), kind: CellKind::Text, is_formula: false });
    grid.rows.push(Row { number: line, cells, field_count: Some(1), is_hidden: false, fault });
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
