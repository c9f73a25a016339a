//! Business keys that occur twice in one file.
//!
//! The first row of a key stays, or where it holds no value the first that does. Another is set aside: as a duplicate where it says
//! the same, as a conflict where it does not. A record all of whose cells are set aside so is set aside whole.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use gongkai_catalog::table::DERIVED;

use super::figure::Figure;
use super::reshape::LongRows;
use super::table::ShapedGrid;
use crate::feed::{Feed, Grain};
use crate::report::{Reason, SetAsideKind};

/// A row whose key occurred before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Repeat {
    /// The row.
    pub row: usize,
    /// The first row of the key.
    pub first: usize,
}

/// Rows of the batch whose key occurred before, in order. `rows` says what they were made of, where they are of one grid.
pub(super) fn find_repeats(
    feed: &Feed,
    batch: &RecordBatch,
    key: &[String],
    rows: Option<&LongRows>,
) -> Result<Vec<Repeat>, ArrowError> {
    // The digest of the file is one for all its rows.
    let columns = key
        .iter()
        .filter(|name| !DERIVED.contains(&name.as_str()))
        .map(|name| {
            let column = batch.column_by_name(name).cloned();
            Ok((name.as_str(), column.ok_or_else(|| ArrowError::SchemaError(format!("no column {name}")))?))
        })
        .collect::<Result<Vec<_>, ArrowError>>()?;
    if let Some(rows) = rows
        && are_told_apart(feed, &columns, rows)?
    {
        return Ok(Vec::new());
    }
    repeats_of(&columns.into_iter().map(|(_, column)| column).collect::<Vec<_>>())
}

/// Whether records and columns alone tell the keys apart: each part of the key belongs to the record or to the column, and
/// neither occurs twice. It is so in most files, and asks for the keys of records and columns in place of those of all rows.
fn are_told_apart(feed: &Feed, key: &[(&str, ArrayRef)], rows: &LongRows) -> Result<bool, ArrowError> {
    let (mut of_records, mut of_columns) = (Vec::new(), Vec::new());
    for (name, part) in key {
        match feed.grain_of(name) {
            Grain::Table => {}
            Grain::Record => of_records.push(part),
            Grain::Column => of_columns.push(part),
            Grain::Row => return Ok(false),
        }
    }
    let firsts = |indices: &[u32], count: usize| -> UInt32Array {
        let mut first: Vec<Option<u32>> = vec![None; count];
        for (row, index) in indices.iter().enumerate() {
            first[*index as usize].get_or_insert(row as u32);
        }
        first.into_iter().flatten().collect()
    };
    let differ = |parts: &[&ArrayRef], of: UInt32Array| -> Result<bool, ArrowError> {
        if parts.is_empty() {
            return Ok(of.len() < 2);
        }
        let parts = parts.iter().map(|part| take(part, &of, None)).collect::<Result<Vec<_>, _>>()?;
        Ok(repeats_of(&parts)?.is_empty())
    };
    let (records, ordinals) = (rows.record.values(), rows.ordinal.values());
    let last = records.last().map_or(0, |record| *record as usize + 1);
    Ok(differ(&of_records, firsts(records, last))? && differ(&of_columns, firsts(ordinals, rows.columns.max(1)))?)
}

fn repeats_of(columns: &[ArrayRef]) -> Result<Vec<Repeat>, ArrowError> {
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let rows = RowConverter::new(fields)?.convert_columns(columns)?;
    let mut seen = HashMap::with_capacity_and_hasher(rows.num_rows(), ahash::RandomState::new());
    let mut repeats = Vec::new();
    for (row, key) in rows.iter().enumerate() {
        match seen.entry(key) {
            Entry::Occupied(first) => repeats.push(Repeat { row, first: *first.get() }),
            Entry::Vacant(free) => {
                free.insert(row);
            }
        }
    }
    Ok(repeats)
}

/// Moves repeats from the grids' rows to what they set aside; the mask of rows that stay, `None` for all.
pub(super) fn set_aside_repeats(grids: &mut [ShapedGrid<'_>], repeats: &[Repeat]) -> Option<BooleanArray> {
    if repeats.is_empty() {
        return None;
    }
    let total: usize = grids.iter().map(|grid| grid.rows.len()).sum();
    let mut kept = vec![true; total];
    let repeats = prefer_values(grids, repeats);
    let faults: Vec<(usize, usize, Reason, String)> = repeats
        .iter()
        .map(|repeat| {
            kept[repeat.row] = false;
            let (grid, row) = locate(grids, repeat.row);
            let (first_grid, first_row) = locate(grids, repeat.first);
            let (second, first) = (&grids[grid].figures[row], &grids[first_grid].figures[first_row]);
            let sheet =
                grids[first_grid].grid.sheet.as_ref().map(|sheet| format!("sheet {sheet}, ")).unwrap_or_default();
            let place = format!("{sheet}{}", grids[first_grid].address(first_row));
            let (reason, how) = match (second, first) {
                _ if is_same(second, first) => (Reason::Duplicate, "the same value"),
                (Figure::Missing, Figure::Value(_) | Figure::Below(_)) => (Reason::Conflict, "a value"),
                _ => (Reason::Conflict, "another value"),
            };
            (grid, row, reason, format!("the key occurs at {place} as well, with {how}"))
        })
        .collect();
    for (index, grid) in grids.iter_mut().enumerate() {
        let own =
            faults.iter().filter(|(of, ..)| *of == index).map(|(_, row, reason, message)| (*row, *reason, message));
        set_aside_in(grid, &own.collect::<Vec<_>>());
    }
    Some(BooleanArray::from(kept))
}

/// The same repeats, where a key's first row holds nothing counted from the first that holds a value.
fn prefer_values(grids: &[ShapedGrid<'_>], repeats: &[Repeat]) -> Vec<Repeat> {
    let has_value = |row: usize| {
        let (grid, row) = locate(grids, row);
        matches!(grids[grid].figures[row], Figure::Value(_) | Figure::Below(_))
    };
    let mut better: HashMap<usize, usize> = HashMap::new();
    for repeat in repeats {
        if has_value(repeat.row) && !has_value(repeat.first) {
            better.entry(repeat.first).or_insert(repeat.row);
        }
    }
    let counted = repeats.iter().map(|repeat| match better.get(&repeat.first) {
        Some(better) if *better == repeat.row => Repeat { row: repeat.first, first: repeat.row },
        Some(better) => Repeat { row: repeat.row, first: *better },
        None => *repeat,
    });
    let mut counted: Vec<Repeat> = counted.collect();
    counted.sort_by_key(|repeat| repeat.row);
    counted
}

fn is_same(second: &Figure, first: &Figure) -> bool {
    match (second, first) {
        (Figure::Value(second), Figure::Value(first)) => {
            second.number == first.number && second.published == first.published
        }
        (Figure::Missing, Figure::Missing) => true,
        (Figure::Below(second), Figure::Below(first)) => second == first,
        _ => false,
    }
}

/// Grid and row within it of a row of the whole batch.
fn locate(grids: &[ShapedGrid<'_>], mut row: usize) -> (usize, usize) {
    for (index, grid) in grids.iter().enumerate() {
        if row < grid.rows.len() {
            return (index, row);
        }
        row -= grid.rows.len();
    }
    (grids.len().saturating_sub(1), row)
}

fn set_aside_in(grid: &mut ShapedGrid<'_>, faults: &[(usize, Reason, &String)]) {
    // The rows of one record stand together, so that its faults do too.
    let records = grid.rows.record.clone();
    for of_record in faults.chunk_by(|a, b| records.value(a.0) == records.value(b.0)) {
        let record = records.value(of_record[0].0);
        let end = records.values().partition_point(|other| *other <= record);
        let rows = end - records.values().partition_point(|other| *other < record);
        let width = if grid.headers.is_empty() { 0 } else { rows };
        let counts = &mut grid.report.counts;
        for (row, ..) in of_record.iter().filter(|_| width > 0) {
            match &grid.figures[*row] {
                Figure::Value(_) => counts.values -= 1,
                Figure::Missing | Figure::Below(_) => counts.missing -= 1,
                Figure::SetAside(..) => counts.cells_set_aside -= 1,
            }
        }
        if of_record.len() < width {
            counts.cells_set_aside += of_record.len() as u64;
            for (row, reason, message) in of_record {
                let fault = grid.cell_fault(*row, *reason, (*message).clone());
                grid.set_aside.push(fault);
            }
            continue;
        }
        counts.cells_in -= width as u64;
        counts.records_kept -= 1;
        counts.records_set_aside += 1;
        let worst = of_record.iter().find(|(_, reason, _)| *reason == Reason::Conflict).unwrap_or(&of_record[0]);
        let fault = grid.record_fault(records.value(worst.0), worst.1, worst.2.clone());
        // Cells of the record that could not be read go with it.
        grid.set_aside.retain(|cell| cell.kind != SetAsideKind::Cell || cell.row != fault.row);
        grid.set_aside.push(fault);
    }
}
