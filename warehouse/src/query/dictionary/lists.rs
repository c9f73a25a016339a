//! Reference lists of the catalogue as tables of schema `ref`.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int32Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Date32Type, Field, Schema};
use datafusion::common::Result;
use gongkai_catalog::{ColumnType, Exact, List, ListColumn};

use super::text;
use crate::query::released_table::{LABEL_EN, LABEL_ZH};
use crate::schema::arrow_type;

/// Every row of a list.
pub(in crate::query) fn batch(list: &List) -> Result<RecordBatch> {
    let fields: Vec<Field> = list.columns.iter().map(field).collect();
    let arrays = list
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| array(column.column_type, list.rows.iter().map(move |row| row[index].as_deref())));
    let arrays = arrays.collect::<Result<Vec<ArrayRef>>>()?;
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

fn field(column: &ListColumn) -> Field {
    let data_type = match arrow_type(column.column_type) {
        DataType::Utf8 => DataType::Utf8View,
        other => other,
    };
    let metadata = HashMap::from([
        ("comment".to_owned(), format!("{} / {}", column.label.zh, column.label.en)),
        (LABEL_ZH.to_owned(), column.label.zh.clone()),
        (LABEL_EN.to_owned(), column.label.en.clone()),
    ]);
    Field::new(&column.name, data_type, true).with_metadata(metadata)
}

/// Values of one column. The list was checked when it was read, so every text there fits its type.
fn array<'a>(column_type: ColumnType, values: impl Iterator<Item = Option<&'a str>>) -> Result<ArrayRef> {
    Ok(match column_type {
        ColumnType::Integer | ColumnType::Bigint => {
            Arc::new(values.map(|value| value?.parse().ok()).collect::<Int32Array>())
        }
        ColumnType::Boolean => Arc::new(values.map(|value| Some(value? == "true")).collect::<BooleanArray>()),
        ColumnType::Date => {
            let days = values.map(|value| Some(Date32Type::from_naive_date(value?.parse().ok()?)));
            Arc::new(days.collect::<Date32Array>())
        }
        ColumnType::Decimal { precision, scale } => {
            let digits = values.map(|value| {
                let number: Exact = value?.parse().ok()?;
                Some(number.rescale(u8::try_from(scale).ok()?)?.digits())
            });
            Arc::new(digits.collect::<Decimal128Array>().with_precision_and_scale(precision, scale)?)
        }
        ColumnType::Text | ColumnType::Timestamp => text(values),
    })
}
