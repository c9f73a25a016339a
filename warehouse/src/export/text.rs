//! Values as text, for the formats that are text.

use std::panic::resume_unwind;
use std::sync::OnceLock;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::buffer::NullBuffer;
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

/// A column of a batch, ready to be written as text.
pub struct Column<'a> {
    /// How its values are written.
    pub kind: Cell,
    /// The values themselves.
    pub values: &'a ArrayRef,
    /// Whether no value of it has a byte that CSV or JSON would write differently.
    pub(super) is_plain: bool,
    nulls: Option<&'a NullBuffer>,
    texts: Texts<'a>,
}

/// The columns of a batch, ready to be written as text.
pub struct Columns<'a> {
    columns: Vec<Column<'a>>,
}

impl<'a> Columns<'a> {
    /// Prepares a batch.
    pub fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let prepared = |values: &'a ArrayRef| {
            let (kind, texts) = (cell_kind(values.data_type()), Texts::new(values)?);
            Ok(Column { kind, values, is_plain: texts.are_plain(), nulls: values.nulls(), texts })
        };
        Ok(Self { columns: batch.columns().iter().map(prepared).collect::<Result<_, ArrowError>>()? })
    }

    /// The cells of one row, each with the number of its column; missing ones give no text. `scratch` is reused from cell to cell.
    pub fn row<E: From<ArrowError>>(
        &self,
        row: usize,
        scratch: &mut String,
        mut each: impl FnMut(usize, &Column<'a>, Option<&str>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (index, column) in self.columns.iter().enumerate() {
            match column.nulls.is_some_and(|nulls| nulls.is_null(row)) {
                true => each(index, column, None)?,
                false => column.texts.with(row, scratch, |text| each(index, column, Some(text)))?,
            }
        }
        Ok(())
    }
}

/// Rows that one thread writes before they are passed on: what they take as text stays in a processor's cache.
const PIECE_ROWS: usize = 1024;
/// Most threads that write one batch.
const MOST_PARTS: usize = 4;

/// What writes rows of a batch as text, and keeps the memory that they take.
pub(super) struct Parts {
    threads: usize,
    written: Vec<Vec<u8>>,
}

impl Default for Parts {
    /// Half of the processors write at once: the others are for whoever reads the rows, digests them or sends them.
    fn default() -> Self {
        static PROCESSORS: OnceLock<usize> = OnceLock::new();
        let processors = *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
        Self { threads: processors.div_ceil(2).min(MOST_PARTS), written: Vec::new() }
    }
}

impl Parts {
    /// Writes a batch and passes on what was written, in the order of the rows.
    pub fn each<W>(
        &mut self,
        batch: &RecordBatch,
        write: W,
        mut take: impl FnMut(&[u8]) -> Result<(), ExportError>,
    ) -> Result<(), ExportError>
    where
        W: Fn(&RecordBatch, &mut Vec<u8>) -> Result<(), ExportError> + Sync,
    {
        let rows = batch.num_rows();
        let threads = self.threads.min(rows.div_ceil(PIECE_ROWS)).max(1);
        self.written.resize_with(threads, Vec::new);
        let part = |from: usize, written: &mut Vec<u8>| {
            written.clear();
            write(&batch.slice(from, PIECE_ROWS.min(rows - from)), written)
        };
        for round in (0..rows).step_by(threads * PIECE_ROWS) {
            let (first, others) = self.written.split_at_mut(1);
            let others = &mut others[..(rows - round).div_ceil(PIECE_ROWS).min(threads) - 1];
            std::thread::scope(|scope| {
                let part = &part;
                let others: Vec<_> = (1..)
                    .zip(others.iter_mut())
                    .map(|(number, written)| scope.spawn(move || part(round + number * PIECE_ROWS, written)))
                    .collect();
                let first = part(round, &mut first[0]);
                let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
                std::iter::once(first).chain(others).collect::<Result<(), _>>()
            })?;
            for written in first.iter().chain(others.iter()) {
                take(written)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int32Array};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn however_many_threads_write_rows_keep_their_order() {
        for (rows, threads) in [(0, 1), (1, 4), (1024, 2), (1025, 2), (5000, 1), (5000, 2), (5000, 3), (10_001, 4)] {
            let numbers = Arc::new(Int32Array::from_iter_values(0..rows)) as ArrayRef;
            let batch = RecordBatch::try_from_iter([("number", numbers)]).expect("one column");
            let mut parts = Parts { threads, written: Vec::new() };
            let write = |part: &RecordBatch, line: &mut Vec<u8>| {
                let numbers = part.column(0).as_primitive::<Int32Type>();
                line.extend(numbers.values().iter().flat_map(|number| number.to_le_bytes()));
                Ok(())
            };
            // The second batch is written where the first was.
            for _ in 0..2 {
                let mut taken = Vec::new();
                parts
                    .each(&batch, write, |written| {
                        taken.extend_from_slice(written);
                        Ok(())
                    })
                    .expect("nothing fails");
                let expected: Vec<u8> = (0..rows).flat_map(i32::to_le_bytes).collect();
                assert!(taken == expected, "{rows} rows by {threads} threads");
            }
        }
    }

    #[test]
    fn what_one_thread_cannot_write_fails_the_batch() {
        let numbers = Arc::new(Int32Array::from_iter_values(0..3000)) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("number", numbers)]).expect("one column");
        let write = |part: &RecordBatch, _: &mut Vec<u8>| match part.column(0).as_primitive::<Int32Type>().value(0) {
            1024 => Err(std::io::Error::other("the second part").into()),
            _ => Ok(()),
        };
        let outcome = Parts { threads: 3, written: Vec::new() }.each(&batch, write, |_| Ok(()));
        assert!(outcome.is_err_and(|error| error.to_string().contains("the second part")));
    }
}
