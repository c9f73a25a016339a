//! Declared tables as Arrow schemas: the one mapping from meaning to storage types.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use gongkai_catalog::table::DERIVED;
use gongkai_catalog::{Column, ColumnType, Table, Visibility};

/// Offset at which instants are shown and literals without a zone are read: Beijing time, which has no summer time.
pub const ZONE: &str = "+08:00";

/// Arrow type of a declared column in released files and in SQL.
pub fn arrow_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Text => DataType::Utf8,
        ColumnType::Integer => DataType::Int32,
        ColumnType::Bigint => DataType::Int64,
        ColumnType::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
        ColumnType::Date => DataType::Date32,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(ZONE.into())),
        ColumnType::Boolean => DataType::Boolean,
    }
}

fn arrow_field(column: &Column) -> Field {
    let comment = format!("{} / {}", column.description.zh, column.description.en);
    let mut metadata = HashMap::from([("comment".to_owned(), comment)]);
    if let Some(unit) = &column.unit {
        metadata.insert("unit".to_owned(), unit.clone());
    }
    Field::new(&column.name, arrow_type(column.column_type), column.is_nullable).with_metadata(metadata)
}

/// Schema of the normalised rows of a table: every column but those of a release.
pub fn normalised_schema(table: &Table) -> SchemaRef {
    schema_of(table, |column| column.name != "release_id" && column.name != "row_no")
}

/// Schema of the rows in the parts of `tables/{table}`: what feeds give. Addresses follow from it.
pub fn part_schema(table: &Table) -> SchemaRef {
    schema_of(table, |column| !DERIVED.contains(&column.name.as_str()))
}

/// Schema of released rows: public columns only, with `release_id` and `row_no`.
pub fn released_schema(table: &Table) -> SchemaRef {
    schema_of(table, |column| column.visibility == Visibility::Public)
}

/// Rows with the columns of `schema`, whenever they were released: one that they lack is missing in every row.
///
/// # Errors
///
/// A value that does not fit its column's type, or a missing one where the column has none.
pub fn with_columns(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) => cast(column, field.data_type()),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)
}

/// The schema of answers: texts lie one behind the other, which every reader of Arrow knows; the engine keeps them as views.
pub fn of_answers(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8View => field.as_ref().clone().with_data_type(DataType::Utf8),
        _ => field.as_ref().clone(),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

fn schema_of(table: &Table, is_in: impl Fn(&Column) -> bool) -> SchemaRef {
    let columns = table.columns.iter().filter(|column| is_in(column));
    Arc::new(Schema::new(columns.map(arrow_field).collect::<Vec<_>>()))
}
