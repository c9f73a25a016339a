//! JSON: an array of objects, or one object a line. Decimals are strings, so that no reader rounds them.

use std::io::Write;

use arrow::array::{Array, ArrayRef, RecordBatch, cast::AsArray};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::text::{Cell, Column, Columns, Parts, cell_kind};
use super::{BatchWriter, ExportError, ExportOptions, Format, Started, Target};

pub(super) const FORMAT: Format = Format { name: "json", media_type: "application/json", open: open_array };
pub(super) const LINES: Format = Format { name: "ndjson", media_type: "application/x-ndjson", open: open_lines };

struct Json<'a> {
    out: Target<'a>,
    /// What stands between the values.
    between: Between,
    parts: Parts,
    is_array: bool,
    /// What stands before all rows, until it is written.
    heading: &'static [u8],
    /// Whether there was no row yet.
    is_empty: bool,
}

fn open_array<'a>(schema: SchemaRef, out: Target<'a>, _: ExportOptions) -> Started<'a> {
    Ok(Box::new(start(&schema, out, true)))
}

fn open_lines<'a>(schema: SchemaRef, out: Target<'a>, _: ExportOptions) -> Started<'a> {
    Ok(Box::new(start(&schema, out, false)))
}

fn start<'a>(schema: &SchemaRef, out: Target<'a>, is_array: bool) -> Json<'a> {
    let heading: &[u8] = if is_array { b"[" } else { b"" };
    let between = Between::new(schema, is_array);
    Json { out, between, parts: Parts::default(), is_array, heading, is_empty: true }
}

/// What stands before each value of a row and after the last: keys, commas, brackets, and the quotes of strings that have nothing
/// to be escaped. Whether the value before and the value behind are such strings makes four of each.
struct Between {
    before: Vec<[[Vec<u8>; 2]; 2]>,
    after: [&'static [u8]; 2],
}

impl Between {
    fn new(schema: &SchemaRef, is_array: bool) -> Self {
        // Rows of an array each come after a comma, which the first one has to lose.
        let (row, after): (&[u8], [&[u8]; 2]) =
            if is_array { (b",\n{", [b"}", b"\"}"]) } else { (b"{", [b"}\n", b"\"}\n"]) };
        let quote = |is_quoted: bool| if is_quoted { &b"\""[..] } else { b"" };
        let before = schema.fields().iter().enumerate().map(|(index, field)| {
            let mut key = if index == 0 { row.to_vec() } else { vec![b','] };
            push_string(&mut key, field.name());
            key.push(b':');
            [false, true].map(|ends| [false, true].map(|begins| [quote(ends), &key, quote(begins)].concat()))
        });
        Self { before: before.collect(), after }
    }
}

fn push_string(line: &mut Vec<u8>, text: &str) {
    // Every byte is looked at, none ends the look: so it is done for many at once.
    let is_plain = text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\'));
    if is_plain {
        line.push(b'"');
        line.extend_from_slice(text.as_bytes());
        line.push(b'"');
        return;
    }
    // Writing a string to memory cannot fail.
    let _ = serde_json::to_writer(line, text);
}

/// One value of a column as JSON.
pub(crate) fn push_value(
    line: &mut Vec<u8>,
    column: &Column<'_>,
    text: Option<&str>,
    row: usize,
) -> Result<(), ArrowError> {
    push_of_kind(line, column.kind, text, column.values, row)
}

fn push_of_kind(
    line: &mut Vec<u8>,
    kind: Cell,
    text: Option<&str>,
    column: &ArrayRef,
    row: usize,
) -> Result<(), ArrowError> {
    match (kind, text) {
        (_, None) => line.extend_from_slice(b"null"),
        (Cell::Integer | Cell::Boolean, Some(text)) => line.extend_from_slice(text.as_bytes()),
        // JSON has no infinity and no NaN; they are computed values and stand as text.
        (Cell::Float, Some(text)) if text.bytes().any(|byte| byte.is_ascii_digit()) && !text.contains("inf") => {
            line.extend_from_slice(text.as_bytes());
        }
        (Cell::List, Some(_)) => push_list(line, column, row)?,
        (_, Some(text)) => push_string(line, text),
    }
    Ok(())
}

fn push_list(line: &mut Vec<u8>, column: &ArrayRef, row: usize) -> Result<(), ArrowError> {
    let items = match column.data_type() {
        DataType::LargeList(_) => column.as_list::<i64>().value(row),
        DataType::FixedSizeList(..) => column.as_fixed_size_list().value(row),
        _ => column.as_list::<i32>().value(row),
    };
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(items.as_ref(), &options)?;
    line.push(b'[');
    for item in 0..items.len() {
        if item > 0 {
            line.push(b',');
        }
        let text = (!items.is_null(item)).then(|| formatter.value(item).to_string());
        push_of_kind(line, cell_kind(items.data_type()), text.as_deref(), &items, item)?;
    }
    line.push(b']');
    Ok(())
}

/// Rows as objects.
fn push_rows(batch: &RecordBatch, between: &Between, line: &mut Vec<u8>) -> Result<(), ExportError> {
    let columns = Columns::new(batch)?;
    let mut scratch = String::new();
    for row in 0..batch.num_rows() {
        let mut is_quoted = false;
        columns.row(row, &mut scratch, |index, column, text| {
            let is_string = matches!(column.kind, Cell::Text | Cell::Decimal) && column.is_plain && text.is_some();
            line.extend_from_slice(&between.before[index][usize::from(is_quoted)][usize::from(is_string)]);
            is_quoted = is_string;
            match text {
                Some(text) if is_string => {
                    line.extend_from_slice(text.as_bytes());
                    Ok(())
                }
                _ => push_value(line, column, text, row),
            }
        })?;
        line.extend_from_slice(between.after[usize::from(is_quoted)]);
    }
    Ok(())
}

impl BatchWriter for Json<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ExportError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.out.write_all(std::mem::take(&mut self.heading))?;
        let write = |rows: &RecordBatch, line: &mut Vec<u8>| push_rows(rows, &self.between, line);
        self.parts.each(batch, write, |written| {
            let loses_comma = std::mem::replace(&mut self.is_empty, false) && self.is_array;
            Ok(self.out.write_all(&written[usize::from(loses_comma)..])?)
        })
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.out.write_all(self.heading)?;
        if self.is_array {
            self.out.write_all(b"\n]\n")?;
        }
        Ok(self.out.flush()?)
    }
}

/// Rows as a JSON array of arrays, for answers that name their columns once.
pub fn to_rows(batches: &[RecordBatch]) -> Result<Vec<u8>, ExportError> {
    let mut rows = vec![b'['];
    let mut scratch = String::new();
    for batch in batches {
        let columns = Columns::new(batch)?;
        for row in 0..batch.num_rows() {
            if rows.len() > 1 {
                rows.push(b',');
            }
            rows.push(b'[');
            columns.row(row, &mut scratch, |index, column, text| {
                if index > 0 {
                    rows.push(b',');
                }
                push_value(&mut rows, column, text, row)
            })?;
            rows.push(b']');
        }
    }
    rows.push(b']');
    Ok(rows)
}
