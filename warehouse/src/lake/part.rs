//! Parts of `tables/{table}`: the rows that one source gave one slice, each a Parquet file of its own.
//!
//! A part is made where its source is read, and named after its source and its bytes. The same file read again
//! under the same declarations gives the same names: nothing has to be read back to see that nothing changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array, RecordBatch, StringArray, StringBuilder};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use gongkai_catalog::{Address, Dataset, Table};
use sha2::{Digest, Sha256};

use crate::export::parquet::to_part;
use crate::lake::slice::delta_schema;
use crate::lake::{LakeError, SliceKey, rows};
use crate::schema::{normalised_schema, part_schema};
use crate::store::Store;

/// A part as it is made.
#[derive(Debug, Clone)]
pub struct Part {
    /// Values of the dataset's partition columns, joined by `/`.
    pub partition: String,
    /// Rows in it.
    pub rows: u64,
    /// The Parquet file.
    pub bytes: Bytes,
}

/// A part that is on disk, and in no version of its table yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// Path below the folder of its table.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Cuts a source's rows into parts, one for each partition. Rows keep their order.
///
/// # Errors
///
/// A partition column is missing, or rows do not fit their table.
pub fn cut(batch: &RecordBatch, dataset: &Dataset, table: &Table) -> Result<Vec<Part>, LakeError> {
    let arrow = |source| LakeError::Arrow { table: table.name.clone(), source };
    let stored = in_order(batch, &delta_schema(&part_schema(table))).map_err(arrow)?;
    let (partitions, of_row) = partitions_of(batch, &dataset.partition_by).map_err(arrow)?;
    let is_whole = partitions.len() == 1;
    partitions
        .into_iter()
        .map(|(partition, number)| {
            let rows = match is_whole {
                true => stored.clone(),
                false => {
                    let mask: BooleanArray = of_row.iter().map(|of| Some(*of == number)).collect();
                    filter_record_batch(&stored, &mask).map_err(arrow)?
                }
            };
            let bytes = to_part(&rows)
                .map_err(|source| LakeError::Parquet { path: format!("a part of {}", table.name), source })?;
            Ok(Part { partition, rows: rows.num_rows() as u64, bytes: Bytes::from(bytes) })
        })
        .collect()
}

/// The partitions of a batch, numbered, and the number of each row.
fn partitions_of(batch: &RecordBatch, columns: &[String]) -> Result<(BTreeMap<String, usize>, Vec<usize>), ArrowError> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    if columns.is_empty() && batch.num_rows() > 0 {
        numbers.insert(String::new(), 0);
    }
    if columns.is_empty() {
        return Ok((numbers, vec![0; batch.num_rows()]));
    }
    let options = FormatOptions::default();
    let mut formatters = Vec::with_capacity(columns.len());
    for name in columns {
        let column = batch
            .column_by_name(name)
            .ok_or_else(|| ArrowError::SchemaError(format!("partition column {name} is missing")))?;
        formatters.push(ArrayFormatter::try_new(column, &options)?);
    }
    // Neighbours are mostly of one partition: a name is made where it changes.
    let rows = rows::rows_of(batch, columns)?;
    let mut of_row: Vec<usize> = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        if row > 0 && rows.row(row) == rows.row(row - 1) {
            of_row.push(of_row[row - 1]);
            continue;
        }
        let values: Vec<String> = formatters.iter().map(|formatter| formatter.value(row).to_string()).collect();
        let next = numbers.len();
        of_row.push(*numbers.entry(values.join("/")).or_insert(next));
    }
    Ok((numbers, of_row))
}

impl Part {
    /// Writes the part to its table's folder. It belongs to the table once a version names it.
    ///
    /// # Errors
    ///
    /// The storage failed.
    pub async fn store(
        self,
        store: &dyn Store,
        table: &str,
        dataset: &str,
        source_sha256: &str,
    ) -> Result<StoredPart, LakeError> {
        let digest = hex::encode(Sha256::digest(&self.bytes));
        let path = format!("{dataset}/{source_sha256}/{digest}.parquet");
        let bytes = self.bytes.len() as u64;
        // A run that was interrupted may have left it: the name says that it is the same.
        store.put_if_absent(&format!("tables/{table}/{path}"), self.bytes).await?;
        Ok(StoredPart { path, rows: self.rows, bytes })
    }
}

/// The source of a part, by its path below its table's folder.
pub(super) fn source_of(path: &str) -> Option<&str> {
    path.rsplit('/').nth(1).filter(|source| source.len() == 64)
}

/// The slice and the source that a part belongs to.
pub type Owner = (SliceKey, String);

/// Rows of a part in the normalised schema: with the source that its path names, and the address that sheet, row and column give.
pub(super) fn with_origin(batch: &RecordBatch, table: &Table, source_sha256: &str) -> Result<RecordBatch, ArrowError> {
    let schema = normalised_schema(table);
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) => cast(column, field.data_type()),
        None if field.name() == "source_sha256" => {
            Ok(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(source_sha256, batch.num_rows())))
                as ArrayRef)
        }
        None if field.name() == "source_cell" => addresses(batch),
        None => Err(missing(field.name())),
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<Vec<_>, _>>()?)
}

/// The columns of a part in their order and types. A dictionary of texts is written as the texts that it means.
fn in_order(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for field in schema.fields() {
        let column = batch.column_by_name(field.name()).ok_or_else(|| missing(field.name()))?;
        let is_text = matches!(column.data_type(), DataType::Dictionary(_, text) if text.as_ref() == field.data_type());
        let column = if is_text { Arc::clone(column) } else { cast(column, field.data_type())? };
        fields.push(field.as_ref().clone().with_data_type(column.data_type().clone()));
        columns.push(column);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn addresses(batch: &RecordBatch) -> Result<ArrayRef, ArrowError> {
    use std::fmt::Write;
    let numbers = |name: &str| -> Result<&Int32Array, ArrowError> {
        let column = batch.column_by_name(name).and_then(|column| column.as_any().downcast_ref());
        column.ok_or_else(|| missing(name))
    };
    let (rows, columns) = (numbers("source_row")?, numbers("source_column")?);
    let sheets = batch.column_by_name("source_sheet").ok_or_else(|| missing("source_sheet"))?;
    let mut builder = StringBuilder::with_capacity(batch.num_rows(), batch.num_rows() * 6);
    for index in 0..batch.num_rows() {
        let (row, column) = (rows.value(index).unsigned_abs(), columns.value(index).unsigned_abs());
        // Writing to memory does not fail.
        let _ = write!(builder, "{}", Address { row, column, is_text: sheets.is_null(index) });
        builder.append_value("");
    }
    Ok(Arc::new(builder.finish()))
}

fn missing(column: &str) -> ArrowError {
    ArrowError::SchemaError(format!("column {column} is missing"))
}
