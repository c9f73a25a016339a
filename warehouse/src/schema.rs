//! Declared tables as Arrow schemas: the one mapping from meaning to storage types.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
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

/// Schema of the normalised rows in `tables/{table}`: every column that a feed produces, and where it came from.
pub fn normalised_schema(table: &Table) -> SchemaRef {
    let columns = table.columns.iter().filter(|column| column.name != "release_id" && column.name != "row_no");
    Arc::new(Schema::new(columns.map(arrow_field).collect::<Vec<_>>()))
}

/// Schema of released rows: public columns only, with `release_id` and `row_no`.
pub fn released_schema(table: &Table) -> SchemaRef {
    let columns = table.columns.iter().filter(|column| column.visibility == Visibility::Public);
    Arc::new(Schema::new(columns.map(arrow_field).collect::<Vec<_>>()))
}
