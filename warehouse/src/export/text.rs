//! Values as text, for the formats that are text.

use std::panic::resume_unwind;
use std::sync::OnceLock;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::ExportError;
use super::written::Texts;

/// How a column's values are written in text formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// A whole number.
    Integer,
    /// An exact decimal: digits in CSV, a string in JSON.
    Decimal,
    /// A floating-point number, from a computed column.
    Float,
    /// True or false.
    Boolean,
    /// Text, dates, instants and everything else.
    Text,
    /// A list, written as an array in JSON.
    List,
}

/// How values of a type are written.
pub fn cell_kind(data_type: &DataType) -> Cell {
    match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => {
            Cell::Integer
        }
        DataType::Int64 | DataType::UInt64 => Cell::Integer,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            Cell::Decimal
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Cell::Float,
        DataType::Boolean => Cell::Boolean,
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => Cell::List,
        _ => Cell::Text,
    }
}

/// The columns of a batch, ready to be written as text.
pub struct Columns<'a> {
    columns: Vec<(Cell, &'a ArrayRef, Texts<'a>)>,
}

impl<'a> Columns<'a> {
    /// Prepares a batch.
    pub fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let prepared = |column: &'a ArrayRef| Ok((cell_kind(column.data_type()), column, Texts::new(column)?));
        Ok(Self { columns: batch.columns().iter().map(prepared).collect::<Result<_, ArrowError>>()? })
    }

    /// The cells of one row; missing ones give no text. `scratch` is reused from cell to cell.
    pub fn row<E: From<ArrowError>>(
        &self,
        row: usize,
        scratch: &mut String,
        mut each: impl FnMut(usize, Cell, Option<&str>, &ArrayRef) -> Result<(), E>,
    ) -> Result<(), E> {
        for (index, (kind, column, texts)) in self.columns.iter().enumerate() {
            match column.is_null(row) {
                true => each(index, *kind, None, column)?,
                false => texts.with(row, scratch, |text| each(index, *kind, Some(text), column))?,
            }
        }
        Ok(())
    }
}

/// Fewest rows of a part: a quarter of the engine's batches of 8,192, so that one of them is worth [`MOST_PARTS`] threads.
const PART_ROWS: usize = 2048;
/// Most threads that write one batch.
const MOST_PARTS: usize = 4;

/// Writes the parts of a batch at once, as many as there are processors for. What they wrote comes in the order of the rows.
pub(super) fn in_parts<W>(batch: &RecordBatch, write: W) -> Result<Vec<Vec<u8>>, ExportError>
where
    W: Fn(&RecordBatch, &mut Vec<u8>) -> Result<(), ExportError> + Sync,
{
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    let processors = *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    let rows = batch.num_rows();
    let count = (rows / PART_ROWS).clamp(1, processors.min(MOST_PARTS));
    let part = |number: usize| {
        let (from, to) = (rows * number / count, rows * (number + 1) / count);
        let mut written = Vec::new();
        write(&batch.slice(from, to - from), &mut written).map(|()| written)
    };
    std::thread::scope(|scope| {
        let part = &part;
        let others: Vec<_> = (1..count).map(|number| scope.spawn(move || part(number))).collect();
        let first = part(0);
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        std::iter::once(first).chain(others).collect()
    })
}
