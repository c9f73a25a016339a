//! Delimited text to a grid in which every field knows its line and character column.
//!
//! Refuses an unclosed quote, naming the line where it opened, and lines beyond the limits. Ragged rows are
//! kept as they stand: which width is right is for the table's header to say.

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};
use memchr::memchr3;

use super::encoding::Decoded;
use super::quote::{Quoting, judge};
use super::{Cell, CellKind, Document, Format, Grid, ReadError, Row, RowFault, Visibility};
use crate::Limits;

pub(super) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Lines that the delimiter is judged by.
const SNIFFED_LINES: usize = 20;

pub(super) fn read_decoded(decoded: &Decoded, limits: &Limits) -> Result<Document, ReadError> {
    let Decoded { text, encoding } = decoded;
    let mut warnings = Vec::new();
    let mut skip = 0;
    let delimiter = match declared_delimiter(text) {
        Some((delimiter, length)) => {
            skip = length;
            warnings.push("line 1 declares the delimiter (sep=) and is not data".to_owned());
            delimiter
        }
        None => sniff_delimiter(text),
    };
    let mut scan = Scan::new(text, delimiter, limits);
    scan.skip_line(skip);
    let grid = scan.run()?;
    if grid.rows.iter().any(|row| row.fault == Some(RowFault::NulByte)) {
        warnings.push("some lines hold NUL bytes and are set aside".to_owned());
    }
    Ok(Document {
        format: Format::Csv,
        encoding: Some((*encoding).to_owned()),
        grids: vec![grid],
        warnings,
        path: String::new(),
    })
}

/// `sep=;` in the first line, as spreadsheets write it: the delimiter and the length of the line.
pub(super) fn declared_delimiter(text: &str) -> Option<(u8, usize)> {
    let line = text.lines().next()?;
    let rest = line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP="))?;
    let delimiter = DELIMITERS.into_iter().find(|delimiter| rest.as_bytes() == [*delimiter])?;
    Some((delimiter, line.len()))
}

/// The delimiter on which most of the first lines agree, the more fields the better.
fn sniff_delimiter(text: &str) -> u8 {
    let score = |delimiter: u8| {
        let counts: Vec<usize> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .take(SNIFFED_LINES)
            .map(|line| count_outside_quotes(line, delimiter))
            .collect();
        let mode = counts
            .iter()
            .copied()
            .filter(|count| *count > 0)
            .max_by_key(|count| (counts.iter().filter(|other| *other == count).count(), *count));
        mode.map(|mode| (counts.iter().filter(|count| **count == mode).count(), mode)).unwrap_or_default()
    };
    // Comma wins a tie because it comes first.
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

fn count_outside_quotes(line: &str, delimiter: u8) -> usize {
    let mut is_quoted = false;
    line.bytes()
        .filter(|byte| {
            is_quoted ^= *byte == b'"';
            *byte == delimiter && !is_quoted
        })
        .count()
}

struct Scan<'a> {
    text: &'a [u8],
    decoded: &'a str,
    reader: Reader,
    delimiter: u8,
    limits: &'a Limits,
    /// Offset of the next unread byte, and the place that it has.
    at: usize,
    line: u32,
    /// Characters of the line before `at`.
    column: u32,
    line_start: usize,
    grid: Grid,
    output: Vec<u8>,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str, delimiter: u8, limits: &'a Limits) -> Self {
        Self {
            text: text.as_bytes(),
            decoded: text,
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            delimiter,
            limits,
            at: 0,
            line: 1,
            column: 0,
            line_start: 0,
            grid: Grid::new(None, Visibility::Visible),
            output: vec![0; 4096],
        }
    }

    fn skip_line(&mut self, length: usize) {
        self.advance(length);
    }

    fn run(mut self) -> Result<Grid, ReadError> {
        loop {
            // Line ends before a record are skipped here: csv-core would count them into its first field.
            let blank = self.text[self.at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.advance(blank);
            if self.at >= self.text.len() {
                return Ok(self.grid);
            }
            self.read_record()?;
        }
    }

    fn read_record(&mut self) -> Result<(), ReadError> {
        let first_cell = self.grid.cells.len();
        let (number, start) = (self.line, self.at);
        let mut has_nul = false;
        let mut ordinal = 0;
        loop {
            ordinal += 1;
            self.check("fields of one line", ordinal, self.limits.fields)?;
            self.check("fields", self.grid.cells.len() + 1, self.limits.cells)?;
            let (cell, is_last) = self.read_field(ordinal as u32)?;
            has_nul |= cell.text.contains('\0');
            self.grid.cells.push(cell);
            if is_last {
                break;
            }
        }
        let has_content = self.grid.cells[first_cell..].iter().any(|cell| cell.kind != CellKind::Empty);
        if !has_content && ordinal == 1 {
            self.grid.cells.truncate(first_cell);
            return Ok(());
        }
        debug_assert!(self.at > start, "a record takes at least one byte");
        self.grid.rows.push(Row {
            number,
            cells: first_cell..self.grid.cells.len(),
            field_count: Some(ordinal as u32),
            is_hidden: false,
            fault: has_nul.then_some(RowFault::NulByte),
        });
        Ok(())
    }

    /// The next field, and whether it ends its record.
    fn read_field(&mut self, ordinal: u32) -> Result<(Cell, bool), ReadError> {
        let start = self.at;
        let (row, start_column) = (self.line, self.column + 1);
        if self.text.get(start) != Some(&b'"') {
            return self.read_plain_field(ordinal);
        }
        // Fields that are not quoted were read without it.
        self.reader.reset();
        let mut written = 0;
        let mut consumed = 0;
        let is_last = loop {
            let (result, read, wrote) =
                self.reader.read_field(&self.text[start + consumed..], &mut self.output[written..]);
            consumed += read;
            written += wrote;
            match result {
                ReadFieldResult::OutputFull => self.output.resize(self.output.len() * 2, 0),
                ReadFieldResult::Field { record_end } => break record_end,
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::End => break true,
            }
            if written > self.limits.cell_chars * 4 {
                return Err(self.overlong(start, row, start_column, written));
            }
        };
        let raw = self.trim_terminator(&self.text[start..start + consumed], is_last);
        let quoting = judge(raw);
        match quoting {
            Quoting::Open => return Err(ReadError::UnclosedQuote { line: row, column: start_column }),
            Quoting::Stray => return Err(ReadError::StrayQuote { line: row, column: start_column }),
            Quoting::Plain | Quoting::Closed => {}
        }
        let (raw_len, is_quoted) = (raw.len(), quoting == Quoting::Closed);
        let text = String::from_utf8_lossy(&self.output[..written]).into_owned();
        self.advance(raw_len);
        self.advance(consumed - raw_len);
        let kind = if text.is_empty() { CellKind::Empty } else { CellKind::Text };
        let start = start_column + u32::from(is_quoted);
        Ok((Cell { row, column: ordinal, start, text: text.into(), kind, is_formula: false }, is_last))
    }

    /// A field that is not quoted: it ends before the next delimiter or line end, and quotes in it are its own.
    fn read_plain_field(&mut self, ordinal: u32) -> Result<(Cell, bool), ReadError> {
        let (start, row, column) = (self.at, self.line, self.column + 1);
        let rest = &self.text[start..];
        let length = memchr3(self.delimiter, b'\n', b'\r', rest).unwrap_or(rest.len());
        if length > self.limits.cell_chars * 4 {
            return Err(self.overlong(start, row, column, length));
        }
        let text = &self.decoded[start..start + length];
        self.at += length;
        self.column += text.chars().count() as u32;
        let is_last = self.text.get(self.at) != Some(&self.delimiter);
        self.advance(usize::from(self.at < self.text.len()));
        let kind = if text.is_empty() { CellKind::Empty } else { CellKind::Text };
        Ok((Cell { row, column: ordinal, start: column, text: text.into(), kind, is_formula: false }, is_last))
    }

    fn trim_terminator(&self, raw: &'a [u8], is_last: bool) -> &'a [u8] {
        match raw.last() {
            Some(byte) if *byte == self.delimiter && !is_last => &raw[..raw.len() - 1],
            Some(b'\n' | b'\r') if is_last => {
                let raw = &raw[..raw.len() - 1];
                raw.strip_suffix(b"\r").unwrap_or(raw)
            }
            _ => raw,
        }
    }

    /// A field that does not end: an open quote where it began with one.
    fn overlong(&self, start: usize, line: u32, column: u32, written: usize) -> ReadError {
        if self.text[start] == b'"' {
            return ReadError::UnclosedQuote { line, column };
        }
        ReadError::TooLarge {
            what: format!("line {line}: bytes of one field"),
            found: written as u64,
            limit: self.limits.cell_chars as u64 * 4,
        }
    }

    fn check(&self, what: &str, found: usize, limit: usize) -> Result<(), ReadError> {
        if self.at - self.line_start > self.limits.line_bytes {
            return Err(ReadError::TooLarge {
                what: format!("line {}: bytes of one line", self.line),
                found: (self.at - self.line_start) as u64,
                limit: self.limits.line_bytes as u64,
            });
        }
        if found > limit {
            let what = format!("line {}: {what}", self.line);
            return Err(ReadError::TooLarge { what, found: found as u64, limit: limit as u64 });
        }
        Ok(())
    }

    /// Moves on by `length` bytes and keeps line and column.
    fn advance(&mut self, length: usize) {
        let end = self.at + length;
        while self.at < end {
            let byte = self.text[self.at];
            self.at += 1;
            // A CR before an LF is half of one line end; alone it is a whole one.
            let ends_line = byte == b'\n' || (byte == b'\r' && self.text.get(self.at) != Some(&b'\n'));
            if ends_line {
                self.line += 1;
                self.column = 0;
                self.line_start = self.at;
            } else if byte & 0xC0 != 0x80 && byte != b'\r' {
                self.column += 1;
            }
        }
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
