//! From one line with many value columns to one row for each value: polars unpivots, settings are taken by column.
//!
//! What is unpivoted is the index of each cell, so that a row keeps its way back to the file. Figures never pass
//! through polars: it would round them.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, BooleanArray, StringArray, UInt32Array};
use arrow::compute::{filter, take};
use arrow::datatypes::UInt32Type;
use arrow::error::ArrowError;
use polars::prelude::{Column, DataFrame, IntoLazy, PlSmallStr, PolarsError, UnpivotArgsDSL, by_name, col, empty};

use super::bridge::to_arrow;

const CELL: &str = "cell";

/// Rows in the order of records, and within one of columns.
pub(crate) struct LongRows {
    /// Index of the record.
    pub record: UInt32Array,
    /// Index of the value column.
    pub ordinal: UInt32Array,
    /// Index of the cell; null where the sheet has none.
    pub cell: UInt32Array,
    /// Settings by table column: one text for each value column.
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
    let names: Vec<PlSmallStr> = (0..columns).map(|ordinal| PlSmallStr::from(ordinal.to_string())).collect();
    let wide = names.iter().cloned().zip(cells).map(|(name, cells)| Column::new(name, cells)).collect();
    let long = DataFrame::new(height, wide)?
        .lazy()
        .unpivot(UnpivotArgsDSL {
            on: Some(by_name(names, true, false)),
            index: empty(),
            variable_name: None,
            value_name: Some(CELL.into()),
        })
        .select([col(CELL)])
        .collect()?;
    let refuse = |error: ArrowError| PolarsError::ComputeError(error.to_string().into());
    // Column stands below column there: the cells of one record are `height` apart.
    let (lines, width) = (height as u32, columns as u32);
    let places = (0..lines).flat_map(|record| (0..width).map(move |ordinal| ordinal * lines + record));
    let cell = to_arrow(long.column(CELL)?).map_err(refuse)?;
    let cell = take(&cell, &UInt32Array::from_iter_values(places), None).map_err(refuse)?;
    let record = UInt32Array::from_iter_values((0..lines).flat_map(|record| std::iter::repeat_n(record, columns)));
    let ordinal = UInt32Array::from_iter_values((0..lines).flat_map(|_| 0..width));
    let mut of_columns = BTreeMap::new();
    for name in settings.first().into_iter().flat_map(BTreeMap::keys) {
        let values = settings.iter().map(|set| set.get(name).map(String::as_str).unwrap_or_default());
        of_columns.insert(name.clone(), StringArray::from_iter_values(values));
    }
    Ok(LongRows { record, cell: cell.as_primitive::<UInt32Type>().clone(), ordinal, settings: of_columns, columns })
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
        assert_eq!(measures, ["limit", "balance"]);
    }
}
