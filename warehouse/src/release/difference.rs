//! The public difference between two releases of a partition: rows by key, values by column.
//!
//! Rows are matched by the table's declared key. Where a row stands (its release and number, its file, sheet and
//! cell) is never compared: a row that only moved is unchanged. Values are those of the JSON export, so that decimals
//! stay exact, and missing, zero and empty stay apart. Nothing is guessed: a row whose key changed is removed and
//! added, never paired by likeness.
//!
//! Invariant: `added + changed + unchanged` are the rows of the later side, `removed + changed + unchanged` those of
//! the earlier one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, UInt32Array, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::row::Rows;
use gongkai_catalog::{Table, Visibility};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::manifest::ManifestDifference;
use crate::export::csv::push_text;
use crate::export::json::push_value;
use crate::export::text::Columns;
use crate::export::{Cell, cell_kind};
use crate::lake::rows::rows_of;
use crate::schema::arrow_type;

/// Version of the form that [`Difference::to_bytes`] gives.
const FORMAT_VERSION: u32 = 1;

/// Largest whole number up to which a double holds every one; canonical JSON (RFC 8785, 3.2.2.3) has no other numbers.
const MOST_EXACT: u64 = 1 << 53;

/// What stands where a value is missing.
static MISSING: Value = Value::Null;

/// What changed from one release to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Columns by which rows are known. Where the table's key is only the place of a row in its file, all that are
    /// compared: then no row changes, it is removed and added.
    pub key: Vec<String>,
    /// Rows that only the later side has, in its order.
    pub added: Vec<Row>,
    /// Rows that only the earlier side has, in its order.
    pub removed: Vec<Row>,
    /// Rows of both sides that differ, in the order of the later one.
    pub changed: Vec<ChangedRow>,
    /// Rows of both sides that are the same.
    pub unchanged: u64,
}

/// A row that only one side has. Values are printed as in the JSON export; a missing one is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Key columns.
    pub key: BTreeMap<String, Value>,
    /// The other public columns.
    pub values: BTreeMap<String, Value>,
}

/// A row of both sides that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedRow {
    /// Key columns.
    pub key: BTreeMap<String, Value>,
    /// The columns that differ, and no others.
    pub columns: BTreeMap<String, Change>,
}

/// A value before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// On the earlier side.
    pub from: Value,
    /// On the later side.
    pub to: Value,
}

/// Which rows differ, told before any of them is printed.
#[derive(Debug)]
pub struct Comparison {
    /// Compared columns, the key first; both sides have them in this order.
    columns: Vec<String>,
    key_count: usize,
    from: RecordBatch,
    to: RecordBatch,
    rows: Pairs,
    /// Positions of the pairs that differ.
    changed: Vec<usize>,
    /// For each column after the key, the pairs that differ in it.
    differs: Vec<BooleanBuffer>,
}

/// Rows by number: those of both sides beside each other, and those of one side.
#[derive(Debug)]
struct Pairs {
    from: UInt32Array,
    to: UInt32Array,
    added: Vec<u32>,
    removed: Vec<u32>,
}

/// The difference between two releases of a partition, each as one batch.
///
/// # Errors
///
/// As [`compare`].
pub fn difference(table: &Table, from: &RecordBatch, to: &RecordBatch) -> Result<Difference, ArrowError> {
    compare(table, from, to)?.difference()
}

/// Finds the rows that differ. Of several rows with one key, the n-th is compared with the n-th.
///
/// Takes near linear time; holds the keys of both sides, then two columns at a time.
///
/// # Errors
///
/// Neither side has a public column of the table, or a column has a type that cannot be compared.
pub fn compare(table: &Table, from: &RecordBatch, to: &RecordBatch) -> Result<Comparison, ArrowError> {
    let (columns, key_count) = compared(table, from, to)?;
    let (from, to) = align(&columns, from, to)?;
    let key = &columns[..key_count];
    let rows = pair(&rows_of(&from, key)?, &rows_of(&to, key)?);
    let mut differs = Vec::with_capacity(columns.len() - key_count);
    for (old, new) in from.columns().iter().zip(to.columns()).skip(key_count) {
        let (old, new) = (take(old, &rows.from, None)?, take(new, &rows.to, None)?);
        differs.push(distinct(&old, &new)?.values().clone());
    }
    let is_changed = differs.iter().fold(BooleanBuffer::new_unset(rows.to.len()), |any, of| &any | of);
    let changed = is_changed.set_indices().collect();
    Ok(Comparison { columns, key_count, from, to, rows, changed, differs })
}

fn has(batch: &RecordBatch, column: &str) -> bool {
    batch.column_by_name(column).is_some()
}

/// The columns to compare, the key first, and how many of them are the key.
fn compared(table: &Table, from: &RecordBatch, to: &RecordBatch) -> Result<(Vec<String>, usize), ArrowError> {
    let public = table.own_columns().filter(|column| column.visibility == Visibility::Public);
    let present: Vec<&str> =
        public.map(|column| column.name.as_str()).filter(|name| has(from, name) || has(to, name)).collect();
    if present.is_empty() {
        return Err(ArrowError::SchemaError(format!("neither side has a public column of table {}", table.name)));
    }
    let is_key = |name: &&str| present.contains(name) && has(from, name) && has(to, name);
    let declared: Vec<&str> = table.key.iter().map(String::as_str).filter(is_key).collect();
    // A place in a file does not outlive a corrected file: such rows are known by all that they say.
    let key = if declared.is_empty() { present.clone() } else { declared };
    let values = present.iter().filter(|name| !key.contains(name));
    let columns = key.iter().chain(values).map(|name| (*name).to_owned()).collect();
    Ok((columns, key.len()))
}

/// Both sides with the same columns of the same types. A column that one side does not have is missing there; one
/// whose type changed is compared and printed as text.
fn align(columns: &[String], from: &RecordBatch, to: &RecordBatch) -> Result<(RecordBatch, RecordBatch), ArrowError> {
    let (mut old, mut new) = (Vec::with_capacity(columns.len()), Vec::with_capacity(columns.len()));
    for name in columns {
        let (left, right) = (from.column_by_name(name), to.column_by_name(name));
        let data_type = left.or(right).map_or(DataType::Null, |column| column.data_type().clone());
        let mut left = left.map_or_else(|| new_null_array(&data_type, from.num_rows()), Arc::clone);
        let mut right = right.map_or_else(|| new_null_array(&data_type, to.num_rows()), Arc::clone);
        if left.data_type() != right.data_type() {
            (left, right) = (cast(&left, &DataType::Utf8)?, cast(&right, &DataType::Utf8)?);
        }
        old.push((name, left, true));
        new.push((name, right, true));
    }
    Ok((RecordBatch::try_from_iter_with_nullable(old)?, RecordBatch::try_from_iter_with_nullable(new)?))
}

/// Pairs rows of equal keys, the n-th with the n-th.
fn pair(from: &Rows, to: &Rows) -> Pairs {
    const NONE: u32 = u32::MAX;
    // The first row of each key that has no partner yet, and after each row the next one of the same key.
    let mut first: HashMap<&[u8], u32> = HashMap::with_capacity(from.num_rows());
    let mut next = vec![NONE; from.num_rows()];
    for row in (0..from.num_rows()).rev() {
        next[row] = first.insert(from.row(row).data(), row as u32).unwrap_or(NONE);
    }
    let mut is_paired = vec![false; from.num_rows()];
    let (mut old, mut new, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..to.num_rows() {
        match first.get_mut(to.row(row).data()) {
            Some(held) if *held != NONE => {
                let partner = *held;
                *held = next[partner as usize];
                is_paired[partner as usize] = true;
                old.push(partner);
                new.push(row as u32);
            }
            _ => added.push(row as u32),
        }
    }
    let removed = (0..from.num_rows()).filter(|row| !is_paired[*row]).map(|row| row as u32).collect();
    Pairs { from: UInt32Array::from(old), to: UInt32Array::from(new), added, removed }
}

/// The values of a row, in the order of the columns.
fn print(columns: &Columns<'_>, row: usize) -> Result<Vec<Value>, ArrowError> {
    let (mut values, mut line, mut scratch) = (Vec::new(), Vec::new(), String::new());
    columns.row(row, &mut scratch, |_, column, text| {
        line.clear();
        push_value(&mut line, column, text, row)?;
        let value: Value = serde_json::from_slice(&line).map_err(|error| ArrowError::JsonError(error.to_string()))?;
        values.push(match value.as_i64() {
            Some(number) if number.unsigned_abs() > MOST_EXACT => Value::from(number.to_string()),
            _ => value,
        });
        Ok::<(), ArrowError>(())
    })?;
    Ok(values)
}

fn named(columns: &[String], values: Vec<Value>) -> BTreeMap<String, Value> {
    columns.iter().cloned().zip(values).collect()
}

impl Comparison {
    /// How many rows are what.
    pub fn counts(&self) -> ManifestDifference {
        ManifestDifference {
            added: self.rows.added.len() as u64,
            removed: self.rows.removed.len() as u64,
            changed: self.changed.len() as u64,
            unchanged: (self.rows.to.len() - self.changed.len()) as u64,
        }
    }

    /// Prints the rows that differ. Memory grows with their number and with that of their columns.
    ///
    /// # Errors
    ///
    /// A value cannot be printed.
    pub fn difference(&self) -> Result<Difference, ArrowError> {
        let (from, to) = (Columns::new(&self.from)?, Columns::new(&self.to)?);
        let whole = |columns: &Columns<'_>, rows: &[u32]| -> Result<Vec<Row>, ArrowError> {
            rows.iter().map(|row| self.whole_row(columns, *row as usize)).collect()
        };
        let changed = self.changed.iter().map(|position| self.changed_row(&from, &to, *position));
        Ok(Difference {
            key: self.columns[..self.key_count].to_vec(),
            added: whole(&to, &self.rows.added)?,
            removed: whole(&from, &self.rows.removed)?,
            changed: changed.collect::<Result<_, _>>()?,
            unchanged: self.counts().unchanged,
        })
    }

    fn whole_row(&self, columns: &Columns<'_>, row: usize) -> Result<Row, ArrowError> {
        let mut key = print(columns, row)?;
        let values = key.split_off(self.key_count);
        let (keys, others) = self.columns.split_at(self.key_count);
        Ok(Row { key: named(keys, key), values: named(others, values) })
    }

    fn changed_row(&self, from: &Columns<'_>, to: &Columns<'_>, position: usize) -> Result<ChangedRow, ArrowError> {
        let old = print(from, self.rows.from.value(position) as usize)?;
        let mut key = print(to, self.rows.to.value(position) as usize)?;
        let new = key.split_off(self.key_count);
        let (keys, others) = self.columns.split_at(self.key_count);
        let changes = old.into_iter().skip(self.key_count).zip(new).map(|(from, to)| Change { from, to });
        let columns = others
            .iter()
            .zip(&self.differs)
            .zip(changes)
            .filter(|((_, differs), _)| differs.value(position))
            .map(|((name, _), change)| (name.clone(), change))
            .collect();
        Ok(ChangedRow { key: named(keys, key), columns })
    }
}

/// A difference as it is published: canonical JSON, whose digest others can reckon.
#[derive(Serialize)]
struct Published<'a> {
    format_version: u32,
    from: Option<&'a str>,
    to: &'a str,
    key: &'a [String],
    added: &'a [Row],
    removed: &'a [Row],
    changed: &'a [ChangedRow],
    unchanged: u64,
}

impl Difference {
    /// Whether both sides say the same.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// How many rows are what.
    pub fn counts(&self) -> ManifestDifference {
        ManifestDifference {
            added: self.added.len() as u64,
            removed: self.removed.len() as u64,
            changed: self.changed.len() as u64,
            unchanged: self.unchanged,
        }
    }

    /// One line of RFC 8785 JSON with the ids of both releases; there is no earlier one before a first release.
    ///
    /// # Errors
    ///
    /// None that printed values can cause.
    pub fn to_bytes(&self, from: Option<&str>, to: &str) -> Result<Vec<u8>, serde_json::Error> {
        serde_json_canonicalizer::to_vec(&Published {
            format_version: FORMAT_VERSION,
            from,
            to,
            key: &self.key,
            added: &self.added,
            removed: &self.removed,
            changed: &self.changed,
            unchanged: self.unchanged,
        })
    }

    /// One line for each value that differs: `change,{key columns},column,from,to`, UTF-8 without a mark.
    ///
    /// A row of one side gives a line for each value that it has. A missing value is an empty field, an empty text is
    /// `""`, and texts are guarded against being run as formulas, as in the CSV of a release.
    pub fn to_csv(&self, table: &Table) -> Vec<u8> {
        let figures = table.columns.iter().filter(|column| cell_kind(&arrow_type(column.column_type)) != Cell::Text);
        let figures = figures.map(|column| column.name.as_str()).collect();
        let mut lines = Lines { key: &self.key, figures, bytes: Vec::new() };
        lines.head();
        for row in &self.added {
            for (column, value) in told(row) {
                lines.push("added", &row.key, column, [&MISSING, value]);
            }
        }
        for row in &self.changed {
            for (column, change) in &row.columns {
                lines.push("changed", &row.key, column, [&change.from, &change.to]);
            }
        }
        for row in &self.removed {
            for (column, value) in told(row) {
                lines.push("removed", &row.key, column, [value, &MISSING]);
            }
        }
        lines.bytes
    }
}

/// The values that a row has; one that has none beside its key still gets a line.
fn told(row: &Row) -> Vec<(&str, &Value)> {
    let values = row.values.iter().filter(|(_, value)| !value.is_null());
    let told: Vec<(&str, &Value)> = values.map(|(column, value)| (column.as_str(), value)).collect();
    if told.is_empty() { vec![("", &MISSING)] } else { told }
}

/// The lines of a CSV file.
struct Lines<'a> {
    key: &'a [String],
    /// Columns whose values are digits and need no guard.
    figures: BTreeSet<&'a str>,
    bytes: Vec<u8>,
}

impl Lines<'_> {
    fn head(&mut self) {
        self.bytes.extend_from_slice(b"change,");
        for name in self.key {
            push_text(&mut self.bytes, name);
            self.bytes.push(b',');
        }
        self.bytes.extend_from_slice(b"column,from,to\n");
    }

    fn push(&mut self, change: &str, key: &BTreeMap<String, Value>, column: &str, values: [&Value; 2]) {
        self.bytes.extend_from_slice(change.as_bytes());
        for name in self.key {
            self.bytes.push(b',');
            self.field(name, key.get(name).unwrap_or(&MISSING));
        }
        self.bytes.push(b',');
        self.bytes.extend_from_slice(column.as_bytes());
        for value in values {
            self.bytes.push(b',');
            self.field(column, value);
        }
        self.bytes.push(b'\n');
    }

    fn field(&mut self, column: &str, value: &Value) {
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
        match value {
            Value::Null => {}
            // A column that was text in another release may print anything.
            Value::String(text) if self.figures.contains(column) && !text.is_empty() && is_digits(text) => {
                self.bytes.extend_from_slice(text.as_bytes());
            }
            Value::String(text) => push_text(&mut self.bytes, text),
            other => self.bytes.extend_from_slice(other.to_string().as_bytes()),
        }
    }
}

#[cfg(test)]
#[path = "difference_tests.rs"]
mod tests;
