//! The moment of each row: its record's, or where headers tell a part of it the one of its record and column.

use std::collections::HashMap;

use arrow::array::{BooleanArray, UInt32Array};
use arrow::error::ArrowError;

use super::GridContext;
use super::body::Body;
use super::moment::{BadMoment, Moment, MomentReader};
use super::reshape::LongRows;
use super::told::Teller;
use crate::report::{SetAside, SetAsideKind};

/// Moments, and which of them each row has.
pub(super) struct Moments {
    pub values: Vec<Option<Moment>>,
    pub of_row: UInt32Array,
}

/// Reads the moments of a table's rows. Rows whose moment cannot be read are taken out and given back as set aside.
pub(super) fn read_moments(
    context: &GridContext<'_>,
    body: &Body,
    rows: &mut LongRows,
) -> Result<(Moments, Vec<SetAside>), ArrowError> {
    let Some(rule) = context.feed.time.as_ref().filter(|rule| rule.is_of_columns()) else {
        let values = body.records.iter().map(|record| record.moment).collect();
        return Ok((Moments { values, of_row: rows.record.clone() }, Vec::new()));
    };
    let teller = Teller { context, body, rows };
    let dates = teller.joined(&rule.parts, " ");
    let hours = rule.hour.as_ref().map(|(hour, _)| teller.first(std::slice::from_ref(hour)));
    let mut reader = MomentReader::new(rule);
    let mut seen: HashMap<(u32, u32), u32> = HashMap::new();
    let mut read: Vec<Result<Moment, BadMoment>> = Vec::new();
    let mut of_row = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        let date = dates.of_row.value(row);
        let hour = hours.as_ref().map_or(0, |hours| hours.of_row.value(row));
        let index = *seen.entry((date, hour)).or_insert_with(|| {
            let text = |texts: &[Option<String>], index: u32| texts[index as usize].clone().unwrap_or_default();
            let hour = hours.as_ref().map(|hours| text(&hours.texts, hour));
            read.push(reader.read(&text(&dates.texts, date), hour.as_deref()));
            read.len() as u32 - 1
        });
        of_row.push(index);
    }
    let mut faults = Vec::new();
    let mut kept = vec![true; rows.len()];
    for (row, index) in of_row.iter().enumerate() {
        if let Err(bad) = read[*index as usize] {
            kept[row] = false;
            faults.push(fault(context, body, rows, row, bad));
        }
    }
    if !faults.is_empty() {
        let mask = BooleanArray::from(kept.clone());
        rows.retain(&mask)?;
        let mut keep = kept.iter();
        of_row.retain(|_| keep.next().copied().unwrap_or_default());
    }
    let values = read.into_iter().map(Result::ok).collect();
    Ok((Moments { values, of_row: UInt32Array::from(of_row) }, faults))
}

/// A figure whose moment cannot be read.
fn fault(context: &GridContext<'_>, body: &Body, rows: &LongRows, row: usize, bad: BadMoment) -> SetAside {
    let GridContext { feed, grid, binding, .. } = *context;
    let record = &body.records[rows.record.value(row) as usize];
    let header = &binding.values[rows.ordinal.value(row) as usize].header;
    let line = &grid.rows[record.row];
    let cell = grid.cell(line, header.column);
    SetAside {
        kind: SetAsideKind::Cell,
        sheet: grid.sheet.clone(),
        address: grid.address(line.number, cell.map_or(header.column, |cell| cell.start)),
        row: line.number,
        column: Some(header.shown.clone()),
        reason: bad.reason(),
        message: feed.time.as_ref().map(|rule| bad.message(rule)).unwrap_or_default(),
        raw: cell.map(|cell| cell.text.to_string()).unwrap_or_default(),
    }
}
