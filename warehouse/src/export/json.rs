//! JSON: an array of objects, or one object a line. Decimals are strings, so that no reader rounds them.

use std::io::Write;

use arrow::array::{Array, ArrayRef, RecordBatch, cast::AsArray};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::text::{Cell, Columns, cell_kind, in_parts};
use super::{BatchWriter, ExportError, ExportOptions, Format, Started, Target};

pub(super) const FORMAT: Format = Format { name: "json", media_type: "application/json", open: open_array };
pub(super) const LINES: Format = Format { name: "ndjson", media_type: "application/x-ndjson", open: open_lines };

struct Json<'a> {
    out: Target<'a>,
    keys: Vec<Vec<u8>>,
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
    let keys = schema
        .fields()
        .iter()
        .map(|field| {
            let mut key = Vec::new();
            push_string(&mut key, field.name());
            key.push(b':');
            key
        })
        .collect();
    let heading: &[u8] = if is_array { b"[" } else { b"" };
    Json { out, keys, is_array, heading, is_empty: true }
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

/// One value as JSON.
pub(crate) fn push_value(
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
        push_value(line, cell_kind(items.data_type()), text.as_deref(), &items, item)?;
    }
    line.push(b']');
    Ok(())
}

/// Rows as objects: a line each, or in an array each after a comma, which the first one has to lose.
fn push_rows(batch: &RecordBatch, keys: &[Vec<u8>], is_array: bool, line: &mut Vec<u8>) -> Result<(), ExportError> {
    let columns = Columns::new(batch)?;
    let (before, after): (&[u8], &[u8]) = if is_array { (b",\n", b"") } else { (b"", b"\n") };
    let mut scratch = String::new();
    for row in 0..batch.num_rows() {
        line.extend_from_slice(before);
        columns.row(row, &mut scratch, |index, kind, text, column| {
            line.push(if index == 0 { b'{' } else { b',' });
            line.extend_from_slice(&keys[index]);
            push_value(line, kind, text, column, row)
        })?;
        line.push(b'}');
        line.extend_from_slice(after);
    }
    Ok(())
}

impl BatchWriter for Json<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ExportError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.out.write_all(std::mem::take(&mut self.heading))?;
        let (keys, is_array) = (&self.keys, self.is_array);
        for part in in_parts(batch, |rows, line| push_rows(rows, keys, is_array, line))? {
            let loses_comma = std::mem::replace(&mut self.is_empty, false) && is_array;
            self.out.write_all(&part[usize::from(loses_comma)..])?;
        }
        Ok(())
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
            columns.row(row, &mut scratch, |index, kind, text, column| {
                if index > 0 {
                    rows.push(b',');
                }
                push_value(&mut rows, kind, text, column, row)
            })?;
            rows.push(b']');
        }
    }
    rows.push(b']');
    Ok(rows)
}
