//! Rows as comparable bytes: digests, keys and orders that do not depend on how batches were cut.

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use sha2::{Digest, Sha256};

/// Named columns of a batch as one comparable byte string a row.
pub fn rows_of(batch: &RecordBatch, columns: &[String]) -> Result<Rows, ArrowError> {
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
    for name in columns {
        let array =
            batch.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("column {name} is missing")))?;
        arrays.push(ArrayRef::clone(array));
    }
    let fields = arrays.iter().map(|array| SortField::new(array.data_type().clone())).collect();
    RowConverter::new(fields)?.convert_columns(&arrays)
}

/// Names of all columns.
pub fn names(schema: &SchemaRef) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

/// SHA-256 over the rows in their order, in hexadecimal.
pub fn digest(batch: &RecordBatch) -> Result<String, ArrowError> {
    let rows = rows_of(batch, &names(&batch.schema()))?;
    let mut hasher = Sha256::new();
    for row in rows.iter() {
        let bytes: &[u8] = row.as_ref();
        hasher.update((bytes.len() as u32).to_be_bytes());
        hasher.update(bytes);
    }
    Ok(hex::encode(hasher.finalize()))
}

/// The rows ordered by the named columns, nulls first, equal rows in the order they came.
pub fn sort(batch: &RecordBatch, columns: &[String]) -> Result<RecordBatch, ArrowError> {
    let rows = rows_of(batch, columns)?;
    let mut order: Vec<u32> = (0..batch.num_rows() as u32).collect();
    order.sort_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)));
    take_record_batch(batch, &UInt32Array::from(order))
}

/// One batch of many.
pub fn concat(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch, ArrowError> {
    concat_batches(schema, batches)
}
