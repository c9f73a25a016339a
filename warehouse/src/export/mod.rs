//! Rows as files: one module a format, all behind [`Format`].
//!
//! Every format gives the same figures. Decimals never pass through a floating-point number, missing is
//! never zero, and the same rows give the same bytes whatever machine writes them and however the batches were cut.

mod arrow_stream;
pub(crate) mod csv;
pub(crate) mod json;
pub(crate) mod parquet;
pub(crate) mod text;
mod written;
mod xlsx;

use std::io::Write;

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::SchemaRef;
use ::arrow::error::ArrowError;

pub use csv::push_plain as csv_text;
pub use json::to_rows;
pub use text::{Cell, Column, Columns, cell_kind};

/// Why rows could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The target refused the bytes.
    #[error("writing failed: {0}")]
    Write(#[from] std::io::Error),
    /// A column could not be shown.
    #[error("a column cannot be written: {0}")]
    Arrow(#[from] ArrowError),
    /// The Parquet writer failed.
    #[error("parquet: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// The workbook writer failed.
    #[error("xlsx: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// A workbook holds at most 1,048,575 rows below its heading.
    #[error(
        "{rows} rows do not fit a worksheet, which holds 1,048,575 below its heading; filter, or take csv or parquet"
    )]
    TooManyRows {
        /// Rows asked for.
        rows: usize,
    },
}

/// What a writer may be told.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExportOptions {
    /// Begin CSV with a byte order mark, which Excel needs to read Chinese.
    pub with_bom: bool,
}

/// Writes batches to a file.
pub trait BatchWriter {
    /// Writes rows.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ExportError>;

    /// Writes what comes after the last row and flushes.
    fn finish(self: Box<Self>) -> Result<(), ExportError>;
}

/// Rust has no `dyn Write + Send` alias; every target is one.
pub type Target<'a> = Box<dyn Write + Send + 'a>;

/// A started file, or why it could not be started.
pub type Started<'a> = Result<Box<dyn BatchWriter + Send + 'a>, ExportError>;

/// Starts a file of one format.
pub type Open = for<'a> fn(SchemaRef, Target<'a>, ExportOptions) -> Started<'a>;

/// A file format.
pub struct Format {
    /// Name in commands and parameters, and the file's extension.
    pub name: &'static str,
    /// Media type.
    pub media_type: &'static str,
    /// Starts a file.
    pub open: Open,
}

/// Every format of files and answers.
pub static FORMATS: [Format; 6] =
    [csv::FORMAT, json::FORMAT, json::LINES, parquet::FORMAT, arrow_stream::FORMAT, xlsx::FORMAT];

/// Comma-separated values, which every release has a file of.
pub static CSV: Format = csv::FORMAT;

/// One array of objects, as pages of records have it.
pub static JSON: Format = json::FORMAT;

/// One object a line, `ndjson`: what digests of rows are made of.
pub static LINES: Format = json::LINES;

/// The format of that name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Names of all formats, for messages.
pub fn format_names() -> String {
    FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ")
}

/// Whole batches as the bytes of one file.
pub fn to_bytes(
    format: &Format,
    schema: &SchemaRef,
    batches: &[RecordBatch],
    options: ExportOptions,
) -> Result<Vec<u8>, ExportError> {
    let mut bytes = Vec::new();
    let mut writer = (format.open)(SchemaRef::clone(schema), Box::new(&mut bytes), options)?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
