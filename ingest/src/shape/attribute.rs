//! Labels that fill columns of another type than text: numbers, dates, yes and no.
//!
//! A label that is not what its column holds is set aside alone: its record stays, without it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int32Array};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use gongkai_catalog::exact::Rescaled;
use gongkai_catalog::{ColumnType, Table};

use super::GridContext;
use super::body::Body;
use super::columns::days_since_1970;
use super::figure::PERCENT;
use super::number::{parse_number, parse_shown};
use super::text::trimmed;
use crate::feed::{LabelColumn, Producer};
use crate::report::{Reason, SetAside, SetAsideKind};

/// One array for each such label, by its role, with one value for each record; and what is set aside.
pub(super) fn read_attributes(
    context: &GridContext<'_>,
    table: &Table,
    body: &Body,
) -> Result<(BTreeMap<String, ArrayRef>, Vec<SetAside>), ArrowError> {
    let feed = context.feed;
    let (mut arrays, mut faults) = (BTreeMap::new(), Vec::new());
    for (name, producer) in &feed.producers {
        let Producer::Label(role) = producer else { continue };
        let (Some(column), Some(label)) = (table.column(name), feed.labels.iter().find(|label| label.role == *role))
        else {
            continue;
        };
        let mut reader = Reader { context, body, label, faults: &mut faults };
        let array: ArrayRef = match column.column_type {
            ColumnType::Integer => {
                let read = |text: &str| {
                    let number = parse_number(text).ok()?.trimmed();
                    i32::try_from(number.digits()).ok().filter(|_| number.scale() == 0)
                };
                Arc::new(reader.read(read, "a whole number").into_iter().collect::<Int32Array>())
            }
            ColumnType::Decimal { precision, scale } => {
                // What the column is in may stand in the cell too.
                let is_in_percent = column.unit.as_deref() == Some(PERCENT);
                let number = |text: &str| match is_in_percent {
                    true => parse_shown(text, true),
                    false => parse_number(text),
                };
                let read = |text: &str| match number(text).ok()?.trimmed().rescale(scale.unsigned_abs())? {
                    Rescaled::Rounded(_) => None,
                    exact => Some(exact.digits()),
                };
                let expected = format!("a number of at most {scale} decimals");
                let digits = reader.read(read, &expected).into_iter().collect::<Decimal128Array>();
                Arc::new(digits.with_precision_and_scale(precision, scale)?)
            }
            ColumnType::Date => {
                let formats = &label.date_formats;
                let read = |text: &str| {
                    let date = formats.iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok());
                    date.map(days_since_1970)
                };
                let expected = format!("a date in the form {}", formats.join(" or "));
                Arc::new(reader.read(read, &expected).into_iter().collect::<Date32Array>())
            }
            ColumnType::Boolean => {
                let read = |text: &str| match text {
                    "是" | "有" | "√" | "■" | "true" | "TRUE" | "1" => Some(true),
                    "否" | "无" | "□" | "false" | "FALSE" | "0" => Some(false),
                    _ => None,
                };
                Arc::new(reader.read(read, "是 or 否").into_iter().collect::<BooleanArray>())
            }
            ColumnType::Text | ColumnType::Bigint | ColumnType::Timestamp => continue,
        };
        arrays.insert(role.clone(), array);
    }
    Ok((arrays, faults))
}

struct Reader<'a> {
    context: &'a GridContext<'a>,
    body: &'a Body,
    label: &'a LabelColumn,
    faults: &'a mut Vec<SetAside>,
}

impl Reader<'_> {
    /// One value for each record: none where there is nothing, and where it is set aside.
    fn read<T>(&mut self, read: impl Fn(&str) -> Option<T>, expected: &str) -> Vec<Option<T>> {
        let feed = self.context.feed;
        let records = self.body.records.iter();
        let values = records.map(|record| {
            let text = trimmed(self.body.text(self.context, record, &self.label.role));
            let is_missing = self.label.has_missing && feed.missing.iter().any(|marker| marker == text);
            if text.is_empty() || is_missing {
                return None;
            }
            let value = read(text);
            if value.is_none() {
                let fault = self.fault(record.row, expected, text);
                self.faults.push(fault);
            }
            value
        });
        values.collect()
    }

    fn fault(&self, row: usize, expected: &str, raw: &str) -> SetAside {
        let grid = self.context.grid;
        let line = &grid.rows[row];
        let column = self.context.binding.labels.get(&self.label.role).copied().unwrap_or_default();
        SetAside {
            kind: SetAsideKind::Cell,
            sheet: grid.sheet.clone(),
            address: grid.address(line.number, grid.cell(line, column).map_or(column, |cell| cell.start)),
            row: line.number,
            column: Some(self.label.role.clone()),
            reason: Reason::WrongType,
            message: format!("not what its column holds, expected {expected}"),
            raw: raw.to_owned(),
        }
    }
}
