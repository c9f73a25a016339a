//! Values as text, for the formats that are text.

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

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

/// The columns of a batch with a formatter each.
pub struct Columns<'a> {
    columns: Vec<(Cell, &'a ArrayRef, ArrayFormatter<'a>)>,
}

const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_display_error(false);

impl<'a> Columns<'a> {
    /// Prepares a batch.
    pub fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let columns = batch
            .columns()
            .iter()
            .map(|column| {
                Ok((cell_kind(column.data_type()), column, ArrayFormatter::try_new(column.as_ref(), &OPTIONS)?))
            })
            .collect::<Result<_, ArrowError>>()?;
        Ok(Self { columns })
    }

    /// The cells of one row; missing ones give no text. `scratch` is reused from cell to cell.
    pub fn row<E: From<ArrowError>>(
        &self,
        row: usize,
        scratch: &mut String,
        mut each: impl FnMut(usize, Cell, Option<&str>, &ArrayRef) -> Result<(), E>,
    ) -> Result<(), E> {
        for (index, (kind, column, formatter)) in self.columns.iter().enumerate() {
            if column.is_null(row) {
                each(index, *kind, None, column)?;
                continue;
            }
            scratch.clear();
            formatter.value(row).write(scratch).map_err(E::from)?;
            each(index, *kind, Some(scratch), column)?;
        }
        Ok(())
    }
}
