//! From one line with many value columns to one row for each value: polars unpivots and joins the settings.
//!
//! What is unpivoted is the index of each cell, so that a row keeps its way back to the file. Figures never pass
//! through polars: it would round them.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, UInt32Array};
use arrow::compute::filter;
use arrow::datatypes::UInt32Type;
use arrow::error::ArrowError;
use polars::prelude::{
    Column, DataFrame, IntoLazy, JoinArgs, JoinType, PlSmallStr, PolarsError, SortMultipleOptions, UnpivotArgsDSL,
    by_name, col,
};

use super::bridge::to_arrow;

const RECORD: &str = "record";
const VARIABLE: &str = "variable";
const CELL: &str = "cell";
const ORDINAL: &str = "ordinal";

/// Rows in the order of records, and within one of columns.
pub(crate) struct LongRows {
    /// Index of the record.
    pub record: UInt32Array,
    /// Index of the value column.
    pub ordinal: UInt32Array,
    /// Index of the cell; null where the sheet has none.
    pub cell: UInt32Array,
    /// Settings of the value column, by table column.
    pub settings: BTreeMap<String, StringArray>,
    /// Number of value columns.
    pub columns: usize,
}

/// `cells[column][record]` and the settings of each column to long rows.
pub(crate) fn unpivot(
    cells: Vec<Vec<Option<u32>>>,
    settings: &[BTreeMap<String, String>],
) -> Result<LongRows, PolarsError> {
    let columns = cells.len();
    let height = cells.first().map_or(0, Vec::len);
    let records: Vec<u32> = (0..height as u32).collect();
    let names: Vec<PlSmallStr> = (0..cells.len()).map(|ordinal| PlSmallStr::from(ordinal.to_string())).collect();
    let mut wide = vec![Column::new(RECORD.into(), records)];
    wide.extend(names.iter().cloned().zip(cells).map(|(name, cells)| Column::new(name, cells)));
    let wide = DataFrame::new(height, wide)?;
    let long = wide
        .lazy()
        .unpivot(UnpivotArgsDSL {
            on: Some(by_name(names.iter().cloned(), true, false)),
            index: by_name([RECORD], true, false),
            variable_name: Some(VARIABLE.into()),
            value_name: Some(CELL.into()),
        })
        .join(settings_frame(&names, settings)?.lazy(), [col(VARIABLE)], [col(VARIABLE)], JoinArgs::new(JoinType::Left))
        .sort([RECORD, ORDINAL], SortMultipleOptions::default())
        .collect()?;
    let column = |name: &str| -> Result<ArrayRef, PolarsError> {
        to_arrow(long.column(name)?).map_err(|error| PolarsError::ComputeError(error.to_string().into()))
    };
    let mut joined = BTreeMap::new();
    for name in settings.first().into_iter().flat_map(BTreeMap::keys) {
        joined.insert(name.clone(), column(&setting_name(name))?.as_string::<i32>().clone());
    }
    Ok(LongRows {
        record: column(RECORD)?.as_primitive::<UInt32Type>().clone(),
        ordinal: column(ORDINAL)?.as_primitive::<UInt32Type>().clone(),
        cell: column(CELL)?.as_primitive::<UInt32Type>().clone(),
        settings: joined,
        columns,
    })
}

/// A name that no other column of the frame has.
fn setting_name(column: &str) -> String {
    format!("set {column}")
}

fn settings_frame(names: &[PlSmallStr], settings: &[BTreeMap<String, String>]) -> Result<DataFrame, PolarsError> {
    let variables: Vec<String> = names.iter().map(ToString::to_string).collect();
    let ordinals: Vec<u32> = (0..names.len() as u32).collect();
    let mut columns = vec![Column::new(VARIABLE.into(), variables), Column::new(ORDINAL.into(), ordinals)];
    for key in settings.first().into_iter().flat_map(BTreeMap::keys) {
        let values: Vec<&str> =
            settings.iter().map(|set| set.get(key).map(String::as_str).unwrap_or_default()).collect();
        columns.push(Column::new(setting_name(key).into(), values));
    }
    DataFrame::new(names.len(), columns)
}

impl LongRows {
    /// One row for each record of a table without value columns, with the cell that it is about.
    pub fn of_records(cells: Vec<Option<u32>>) -> Self {
        Self {
            record: UInt32Array::from_iter_values(0..cells.len() as u32),
            ordinal: UInt32Array::from(vec![0; cells.len()]),
            cell: UInt32Array::from(cells),
            settings: BTreeMap::new(),
            columns: 0,
        }
    }

    /// Keeps the rows for which the mask says so.
    pub fn retain(&mut self, mask: &BooleanArray) -> Result<(), ArrowError> {
        let kept = |array: &dyn Array| filter(array, mask);
        self.record = kept(&self.record)?.as_primitive::<UInt32Type>().clone();
        self.ordinal = kept(&self.ordinal)?.as_primitive::<UInt32Type>().clone();
        self.cell = kept(&self.cell)?.as_primitive::<UInt32Type>().clone();
        for setting in self.settings.values_mut() {
            *setting = kept(&*setting)?.as_string::<i32>().clone();
        }
        Ok(())
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.record.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_record_by_record_with_their_settings() {
        let set = |measure: &str| BTreeMap::from([("measure".to_owned(), measure.to_owned())]);
        let cells = vec![vec![Some(1), None], vec![Some(2), Some(4)]];
        let rows = unpivot(cells, &[set("limit"), set("balance")]).expect("long rows");
        assert_eq!(rows.record.values().to_vec(), [0, 0, 1, 1]);
        assert_eq!(rows.ordinal.values().to_vec(), [0, 1, 0, 1]);
        assert_eq!(rows.cell.iter().collect::<Vec<_>>(), [Some(1), Some(2), None, Some(4)]);
        let measures: Vec<_> = rows.settings["measure"].iter().flatten().collect();
        assert_eq!(measures, ["limit", "balance", "limit", "balance"]);
    }
}
