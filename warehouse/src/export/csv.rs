//! Comma-separated values: RFC 4180 with LF, UTF-8, one heading line.
//!
//! A missing value is an empty field; an empty text is `""`. Text that a spreadsheet would run as a
//! formula gets an apostrophe in front; figures never do.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::text::{Cell, Columns, Parts};
use super::{BatchWriter, ExportError, ExportOptions, Format, Started, Target};

pub(super) const FORMAT: Format = Format { name: "csv", media_type: "text/csv; charset=utf-8", open };

/// First characters that spreadsheets take for the start of a formula, half and full width.
const FORMULA_STARTS: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];

struct Csv<'a> {
    out: Target<'a>,
    /// The heading, until it is written.
    heading: Vec<u8>,
    parts: Parts,
}

fn open<'a>(schema: SchemaRef, out: Target<'a>, options: ExportOptions) -> Started<'a> {
    let mut line = Vec::new();
    if options.with_bom {
        line.extend_from_slice("\u{feff}".as_bytes());
    }
    for (index, field) in schema.fields().iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        push_text(&mut line, field.name());
    }
    line.push(b'\n');
    Ok(Box::new(Csv { out, heading: line, parts: Parts::default() }))
}

/// A field as it is, for programs: nothing is put in front of what a spreadsheet would run.
pub fn push_plain(line: &mut Vec<u8>, text: &str) {
    push(line, text, false);
}

pub(crate) fn push_text(line: &mut Vec<u8>, text: &str) {
    push(line, text, is_formula(text));
}

/// Whether the first byte alone tells that no spreadsheet would run the text, which is so for nearly all: it is a letter, a digit,
/// or that of a character that is none of the full-width ones, which begin with EF.
fn begins_harmlessly(text: &str) -> bool {
    text.as_bytes().first().is_some_and(|first| first.is_ascii_alphanumeric() || (*first >= 0x80 && *first != 0xEF))
}

/// Whether a spreadsheet would run the text.
fn is_formula(text: &str) -> bool {
    !begins_harmlessly(text) && text.trim_start_matches([' ', '"', '\'']).starts_with(FORMULA_STARTS)
}

fn push(line: &mut Vec<u8>, text: &str, guard: bool) {
    let special = |byte: u8| (byte == b'"') | (byte == b',') | (byte == b'\n') | (byte == b'\r');
    // Every byte is looked at, none ends the look: so it is done for many at once.
    let quote = guard || text.is_empty() || text.bytes().fold(false, |found, byte| found | special(byte));
    if !quote {
        line.extend_from_slice(text.as_bytes());
        return;
    }
    line.push(b'"');
    if guard {
        line.push(b'\'');
    }
    for byte in text.bytes() {
        if byte == b'"' {
            line.push(b'"');
        }
        line.push(byte);
    }
    line.push(b'"');
}

fn push_rows(batch: &RecordBatch, line: &mut Vec<u8>) -> Result<(), ExportError> {
    let columns = Columns::new(batch)?;
    let mut scratch = String::new();
    for row in 0..batch.num_rows() {
        columns.row(row, &mut scratch, |index, column, text| {
            if index > 0 {
                line.push(b',');
            }
            match (column.kind, text) {
                (_, None) => {}
                (Cell::Text, Some(text)) if column.is_plain && begins_harmlessly(text) => {
                    line.extend_from_slice(text.as_bytes());
                }
                (Cell::Text | Cell::List, Some(text)) => push_text(line, text),
                (_, Some(text)) => line.extend_from_slice(text.as_bytes()),
            }
            Ok::<(), ExportError>(())
        })?;
        line.push(b'\n');
    }
    Ok(())
}

impl BatchWriter for Csv<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ExportError> {
        self.out.write_all(&std::mem::take(&mut self.heading))?;
        self.parts.each(batch, push_rows, |written| Ok(self.out.write_all(written)?))
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.out.write_all(&self.heading)?;
        Ok(self.out.flush()?)
    }
}
