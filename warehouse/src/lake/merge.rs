//! Several sources for one table: rows with the same business key become one.
//!
//! Equal figures merge. Different ones are a conflict: the source landed last holds, and the conflict is
//! counted and reported. No row is lost either way, since the normalised table keeps every source's rows.

use std::collections::HashMap;

use arrow::array::{Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::error::ArrowError;
use gongkai_catalog::Table;
use gongkai_catalog::table::SHARED;

use crate::lake::rows::rows_of;

/// What merging found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Rows dropped because another source gives the same figure.
    pub equal: usize,
    /// Rows replaced because a later source gives another figure.
    pub conflicting: usize,
}

/// Keeps one row for each key. `rank` orders sources by their landing; the highest holds.
pub fn merge_by_key(
    batch: &RecordBatch,
    table: &Table,
    rank: &HashMap<&str, usize>,
) -> Result<(RecordBatch, Merged), ArrowError> {
    let keys = rows_of(batch, &table.key)?;
    // `raw_text` and the header may be written differently where the figure is the same.
    let figures: Vec<String> = table
        .own_columns()
        .filter(|column| column.name != "raw_text" && column.name != "published_header")
        .map(|column| column.name.clone())
        .collect();
    let figures = rows_of(batch, &figures)?;
    let source = batch
        .column_by_name(SHARED[0])
        .and_then(|column| column.as_any().downcast_ref::<StringArray>())
        .ok_or_else(|| ArrowError::SchemaError(format!("column {} is missing", SHARED[0])))?;
    let rank_of = |row: usize| rank.get(source.value(row)).copied().unwrap_or(0);

    let mut winner: HashMap<&[u8], usize> = HashMap::with_capacity(batch.num_rows());
    let mut merged = Merged::default();
    for row in 0..batch.num_rows() {
        let key = keys.row(row).data();
        match winner.entry(key) {
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(row);
            }
            std::collections::hash_map::Entry::Occupied(mut slot) => {
                let held = *slot.get();
                if figures.row(held) == figures.row(row) {
                    merged.equal += 1;
                    // The first source of a figure stays its origin.
                    if rank_of(row) < rank_of(held) {
                        slot.insert(row);
                    }
                } else {
                    merged.conflicting += 1;
                    if rank_of(row) > rank_of(held) {
                        slot.insert(row);
                    }
                }
            }
        }
    }
    let mut kept: Vec<u32> = winner.into_values().map(|row| row as u32).collect();
    kept.sort_unstable();
    Ok((take_record_batch(batch, &UInt32Array::from(kept))?, merged))
}
