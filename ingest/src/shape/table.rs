//! One table of one grid: its rows, its batch, and what became of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Schema, UInt32Type};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use gongkai_catalog::{Catalog, Column, Table, column_letters};

use super::attribute::read_attributes;
use super::bind::BoundColumn;
use super::body::{Body, Fault, Record, read_body, record_fault};
use super::columns::{ColumnSource, batch_schema};
use super::figure::{Figure, Measure, MeasureColumns};
use super::header::HeaderColumn;
use super::moments::read_moments;
use super::reshape::{LongRows, unpivot};
use super::text::{is_filled, without_blanks};
use super::told::{Teller, Told, tell};
use super::{Addresses, GridContext, ShapeError};
use crate::feed::{ColumnUnit, PlaceDate, Producer, ValuePart};
use crate::reader::{Cell, CellKind, Grid};
use crate::report::{Counts, GridReport, HeaderCell, Reason, SetAside, SetAsideKind};

/// A grid's rows with what is needed to judge them against the other grids of the file.
pub(super) struct ShapedGrid<'a> {
    pub grid: &'a Grid,
    pub batch: RecordBatch,
    pub headers: Vec<String>,
    pub records: Vec<Record>,
    pub rows: LongRows,
    pub figures: Vec<Figure>,
    pub addresses: Addresses,
    pub report: GridReport,
    pub set_aside: Vec<SetAside>,
    pub unresolved: Vec<String>,
}

pub(super) fn shape_grid<'a>(
    context: &GridContext<'a>,
    table: &Table,
    catalog: &Catalog,
) -> Result<ShapedGrid<'a>, ShapeError> {
    let GridContext { feed, grid, binding, .. } = *context;
    let refuse = |reason: String| ShapeError::Batch { feed: feed.id.clone(), table: table.name.clone(), reason };
    let body = read_body(context, catalog, place_year_end(context)?);
    let mut rows = reshape(context, &body)?;
    let without_figure = leave_blanks(context, &mut rows).map_err(|error| refuse(error.to_string()))?;
    let (moments, bad_moments) = read_moments(context, &body, &mut rows).map_err(|error| refuse(error.to_string()))?;
    let units = row_units(context, catalog, &body, &rows);
    let figures = read_figures(context, table, catalog, &rows, units.as_ref());
    let (attributes, bad_attributes) =
        read_attributes(context, table, &body).map_err(|error| refuse(error.to_string()))?;
    let addresses = address_rows(context, &body, &rows);
    let (places, of_row) = match &body.column_places {
        Some(places) => (UInt32Array::from(places.clone()), &rows.ordinal),
        None => (UInt32Array::from_iter_values(body.records.iter().map(|record| record.place)), &rows.record),
    };
    let row_place = take(&places, of_row, None).map_err(|error| refuse(error.to_string()))?;
    let source = ColumnSource {
        context,
        body: &body,
        rows: &rows,
        figures: &figures,
        addresses: &addresses,
        row_place: row_place.as_primitive::<UInt32Type>().clone(),
        moments: &moments,
        units: units.as_ref(),
        attributes: &attributes,
    };
    let arrays = feed
        .producers
        .iter()
        .map(|(name, producer)| {
            let column = table.column(name).ok_or_else(|| refuse(format!("no column {name}")))?;
            source.build(column, producer)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let given = batch_schema(table);
    let fields = given.fields().iter().zip(&arrays);
    let fields = fields.map(|(field, array)| field.as_ref().clone().with_data_type(array.data_type().clone()));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let batch = RecordBatch::try_new(Arc::new(schema), arrays).map_err(|error| refuse(error.to_string()))?;
    let mut shaped = ShapedGrid {
        grid,
        batch,
        headers: binding.values.iter().map(|value| value.header.shown.clone()).collect(),
        records: body.records,
        rows,
        figures,
        addresses,
        report: GridReport {
            sheet: grid.sheet.clone(),
            title: binding.title.clone(),
            header: header_cells(context),
            columns_not_read: binding.unread.iter().map(|column| header_cell(column, None)).collect(),
            unit: binding.unit_printed.clone(),
            counts: Counts { records_in: body.records_in, ..Counts::default() },
            records_without_code: body.records_without_code,
            notes: body.notes,
        },
        set_aside: body.set_aside,
        unresolved: body.unresolved,
    };
    shaped.count();
    if without_figure > 0 {
        shaped.report.notes.push(format!("{without_figure} empty cells give no row, as the feed declares"));
    }
    let bad_cells = bad_moments.into_iter().chain(bad_attributes);
    for fault in bad_cells {
        shaped.report.counts.cells_in += 1;
        shaped.report.counts.cells_set_aside += 1;
        shaped.set_aside.push(fault);
    }
    let confirmed = shaped.compare_confirming(context, table, catalog);
    shaped.report.notes.extend(confirmed);
    shaped.report.notes.extend(layout_notes(context));
    Ok(shaped)
}

/// The date at which names of the whole table are looked up, where one holds for it.
fn place_year_end(context: &GridContext<'_>) -> Result<Option<NaiveDate>, ShapeError> {
    let GridContext { feed, grid, .. } = *context;
    let (year, capture) = match &feed.place.date {
        PlaceDate::Moment | PlaceDate::Label(_) => return Ok(None),
        PlaceDate::Year(year) => (Some(*year), "place.year_is".to_owned()),
        // Years that labels or headers tell are read with each record.
        PlaceDate::Printed(years) if years.iter().any(|year| year.is_of_record()) => return Ok(None),
        PlaceDate::Printed(years) => {
            let told = years.iter().find_map(|year| tell(context, &Body::default(), None, 0, year));
            let names = years.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
            (told.and_then(|year| year.parse().ok()), names)
        }
    };
    let date = year.and_then(|year| NaiveDate::from_ymd_opt(year, 12, 31));
    date.map(Some).ok_or_else(|| ShapeError::NotPrinted {
        feed: feed.id.clone(),
        sheet: grid.sheet.clone(),
        column: "place.year".into(),
        captures: capture,
    })
}

fn reshape(context: &GridContext<'_>, body: &Body) -> Result<LongRows, ShapeError> {
    let GridContext { feed, grid, binding, .. } = *context;
    let index = |record: &Record, column: u32| body.fills.index(grid, record.row, column).map(|index| index as u32);
    if binding.values.is_empty() {
        let subject = binding.labels.get(&feed.subject).copied().unwrap_or_default();
        return Ok(LongRows::of_records(body.records.iter().map(|record| index(record, subject)).collect()));
    }
    let cells = binding
        .values
        .iter()
        .map(|value| body.records.iter().map(|record| index(record, value.header.column)).collect())
        .collect();
    let settings: Vec<BTreeMap<String, String>> =
        binding.values.iter().map(|value| feed.values[value.rule].set.clone()).collect();
    unpivot(cells, &settings).map_err(|error| ShapeError::Reshape { feed: feed.id.clone(), reason: error.to_string() })
}

/// Takes away the rows of empty cells, where the feed says that there is no such figure; how many.
fn leave_blanks(context: &GridContext<'_>, rows: &mut LongRows) -> Result<usize, ArrowError> {
    let GridContext { feed, grid, .. } = *context;
    if !feed.blank_is_no_row || rows.columns == 0 {
        return Ok(0);
    }
    let is_filled = |cell: Option<u32>| cell.is_some_and(|cell| is_filled(&grid.cells[cell as usize].text));
    let mask: BooleanArray = rows.cell.iter().map(|cell| Some(is_filled(cell))).collect();
    let left = rows.len() - mask.true_count();
    rows.retain(&mask)?;
    Ok(left)
}

/// The unit of each row, where labels or headers tell it: its id, or what stands for it where that is none.
fn row_units(context: &GridContext<'_>, catalog: &Catalog, body: &Body, rows: &LongRows) -> Option<Told> {
    let feed = context.feed;
    let teller = Teller { context, body, rows };
    if let Some(rule) = &feed.unit_by {
        return Some(teller.case(rule));
    }
    let printed = feed.values.iter().find_map(|value| match &value.unit {
        Some(ColumnUnit::Printed(reference)) if reference.is_of_record() => Some(reference),
        _ => None,
    })?;
    let id = |text: Option<String>| {
        let text = without_blanks(text.as_deref().unwrap_or_default());
        Some(catalog.unit_as_written(&text).map_or(text, |unit| unit.id.clone()))
    };
    Some(teller.first(std::slice::from_ref(printed)).map(id))
}

fn read_figures(
    context: &GridContext<'_>,
    table: &Table,
    catalog: &Catalog,
    rows: &LongRows,
    units: Option<&Told>,
) -> Vec<Figure> {
    let GridContext { feed, grid, binding, .. } = *context;
    if binding.values.is_empty() {
        return vec![Figure::Missing; rows.len()];
    }
    let column_of = |wanted: ValuePart| -> Option<&Column> {
        let found =
            feed.producers.iter().find(|(_, producer)| matches!(producer, Producer::Value(part) if *part == wanted));
        table.column(&found?.0)
    };
    let Some(number) = column_of(ValuePart::Number) else { return Vec::new() };
    let (published, conversion) = (column_of(ValuePart::Published), column_of(ValuePart::Conversion));
    let limit = column_of(ValuePart::Limit);
    let measures = |unit: &dyn Fn(&BoundColumn) -> Option<String>| -> Vec<Measure<'_>> {
        let columns = MeasureColumns { number, published, limit, says_conversion: conversion.is_some() };
        let measure = |value: &BoundColumn| {
            let unit = unit(value).and_then(|unit| catalog.units.get(&unit));
            Measure::new(columns, unit, &feed.missing).adding(feed.values[value.rule].add)
        };
        binding.values.iter().map(measure).collect()
    };
    let read = |measure: &Measure<'_>, cell: Option<u32>| match cell.map(|cell| &grid.cells[cell as usize]) {
        Some(cell) => measure.read(&cell.text, cell.kind),
        None => Figure::Missing,
    };
    let Some(units) = units else {
        let measures = measures(&|value| Some(value.unit.clone()));
        let cells = rows.cell.iter().zip(rows.ordinal.values());
        return cells.map(|(cell, ordinal)| read(&measures[*ordinal as usize], cell)).collect();
    };
    // There are few units: each has its measures.
    let mut known: BTreeMap<&str, Vec<Measure<'_>>> = BTreeMap::new();
    for unit in units.texts.iter().flatten() {
        if !known.contains_key(unit.as_str()) && catalog.units.contains_key(unit) {
            known.insert(unit, measures(&|_| Some(unit.clone())));
        }
    }
    let rows = rows.cell.iter().zip(rows.ordinal.values()).zip(units.of_row.values());
    rows.map(|((cell, ordinal), unit)| {
        let measures = units.texts[*unit as usize].as_deref().and_then(|unit| known.get(unit));
        match measures {
            Some(measures) => read(&measures[*ordinal as usize], cell),
            None if cell.is_none_or(|cell| !is_filled(&grid.cells[cell as usize].text)) => Figure::Missing,
            None => Figure::SetAside(Reason::UnknownUnit, "a figure whose unit is none in units.toml".to_owned()),
        }
    })
    .collect()
}

/// Where each row's cell is; an absent cell of a sheet has the address that it would have, one of a text that of its record.
fn address_rows(context: &GridContext<'_>, body: &Body, rows: &LongRows) -> Addresses {
    let GridContext { grid, binding, .. } = *context;
    let mut addresses = Addresses { rows: Vec::with_capacity(rows.len()), columns: Vec::with_capacity(rows.len()) };
    for ((cell, record), ordinal) in rows.cell.iter().zip(rows.record.values()).zip(rows.ordinal.values()) {
        let (row, column) = match cell.map(|cell| &grid.cells[cell as usize]) {
            Some(cell) => (cell.row, cell.start),
            None => {
                let row = &grid.rows[body.records[*record as usize].row];
                match grid.cells_of(row).first().filter(|_| grid.is_text()) {
                    Some(first) => (first.row, first.start),
                    None => (row.number, binding.values.get(*ordinal as usize).map_or(1, |value| value.header.column)),
                }
            }
        };
        addresses.rows.push(i32::try_from(row).unwrap_or(i32::MAX));
        addresses.columns.push(i32::try_from(column).unwrap_or(i32::MAX));
    }
    addresses
}

impl ShapedGrid<'_> {
    /// Counts records and cells, and sets aside the cells that are no numbers.
    fn count(&mut self) {
        let mut counts = Counts {
            records_in: self.report.counts.records_in,
            records_kept: self.records.len() as u64,
            records_set_aside: self.set_aside.len() as u64,
            cells_in: if self.rows.columns == 0 { 0 } else { self.rows.len() as u64 },
            ..Counts::default()
        };
        for index in 0..if self.rows.columns == 0 { 0 } else { self.figures.len() } {
            match &self.figures[index] {
                Figure::Value(_) => counts.values += 1,
                Figure::Missing | Figure::Below(_) => counts.missing += 1,
                Figure::SetAside(reason, message) => {
                    counts.cells_set_aside += 1;
                    let fault = self.cell_fault(index, *reason, message.clone());
                    self.set_aside.push(fault);
                }
            }
        }
        self.report.counts = counts;
        let formulas = self.formula_cells();
        if !formulas.is_empty() {
            self.report.notes.push(format!("formulas, taken by their cached values: {}", formulas.join(", ")));
        }
    }

    /// What the columns say that only confirm others: how often they agree, and every place where they do not.
    fn compare_confirming(&self, context: &GridContext<'_>, table: &Table, catalog: &Catalog) -> Vec<String> {
        let GridContext { feed, grid, binding, .. } = *context;
        let number = feed.producers.iter().find(|(_, part)| matches!(part, Producer::Value(ValuePart::Number)));
        let Some(number) = number.and_then(|(name, _)| table.column(name)) else { return Vec::new() };
        let mut row_of: HashMap<(u32, u32), usize> = HashMap::new();
        if !binding.confirming.is_empty() {
            let rows = self.rows.record.values().iter().zip(self.rows.ordinal.values());
            row_of.extend(rows.enumerate().map(|(row, (record, ordinal))| ((*record, *ordinal), row)));
        }
        let mut notes = Vec::new();
        for column in &binding.confirming {
            let rule = &feed.values[column.rule];
            let Some(of) = binding.values.iter().position(|value| feed.values[value.rule].set == rule.set) else {
                continue;
            };
            let columns = MeasureColumns { number, published: None, limit: None, says_conversion: true };
            let measure = Measure::new(columns, catalog.units.get(&column.unit), &feed.missing).adding(rule.add);
            let mut agreeing = 0;
            for (position, record) in self.records.iter().enumerate() {
                let figure = match grid.cell(&grid.rows[record.row], column.header.column) {
                    Some(cell) => measure.read(&cell.text, cell.kind),
                    None => Figure::Missing,
                };
                let Some(row) = row_of.get(&(position as u32, of as u32)).copied() else { continue };
                let is_equal = match (&figure, &self.figures[row]) {
                    (Figure::Value(a), Figure::Value(b)) => a.number == b.number,
                    (Figure::Missing, Figure::Missing) => true,
                    _ => false,
                };
                if is_equal {
                    agreeing += 1;
                } else {
                    let line = grid.rows[record.row].number;
                    let shown = &column.header.shown;
                    notes.push(format!("row {line}: {shown} does not confirm {}, which is taken", self.address(row)));
                }
            }
            let (shown, confirmed) = (&column.header.shown, &binding.values[of].header.shown);
            notes.push(format!("{shown} confirms {confirmed} in {agreeing} of {} records", self.records.len()));
        }
        notes
    }

    /// Address of a row's cell.
    pub fn address(&self, row: usize) -> String {
        self.grid.address(self.addresses.rows[row].unsigned_abs(), self.addresses.columns[row].unsigned_abs())
    }

    /// A row's cell, set aside.
    pub fn cell_fault(&self, row: usize, reason: Reason, message: String) -> SetAside {
        let raw = self.cell(row).map(|cell| cell.text.to_string()).unwrap_or_default();
        SetAside {
            kind: SetAsideKind::Cell,
            sheet: self.grid.sheet.clone(),
            address: self.address(row),
            row: self.addresses.rows[row].unsigned_abs(),
            column: Some(self.headers[self.rows.ordinal.value(row) as usize].clone()),
            reason,
            message,
            raw,
        }
    }

    /// A record, set aside.
    pub fn record_fault(&self, record: u32, reason: Reason, message: String) -> SetAside {
        let row = &self.grid.rows[self.records[record as usize].row];
        record_fault(self.grid, row, Fault { reason, message, part: None })
    }

    fn cell(&self, row: usize) -> Option<&Cell> {
        self.rows.cell.is_valid(row).then(|| &self.grid.cells[self.rows.cell.value(row) as usize])
    }

    fn formula_cells(&self) -> Vec<String> {
        if self.grid.is_text() {
            return Vec::new();
        }
        let rows = (0..self.rows.len()).filter_map(|row| Some((row, self.cell(row).filter(|cell| cell.is_formula)?)));
        rows.map(|(row, cell)| match cell.kind {
            CellKind::Empty => format!("{} (no value)", self.address(row)),
            _ => self.address(row),
        })
        .collect()
    }
}

fn header_cells(context: &GridContext<'_>) -> Vec<HeaderCell> {
    let labels = context.binding.label_headers.iter().map(|(role, column)| header_cell(column, Some(role.clone())));
    let values = context
        .binding
        .values
        .iter()
        .map(|value| header_cell(&value.header, Some(context.feed.values[value.rule].description())));
    let confirming = context.binding.confirming.iter().map(|value| {
        header_cell(&value.header, Some(format!("confirms {}", context.feed.values[value.rule].description())))
    });
    labels.chain(values).chain(confirming).collect()
}

fn header_cell(column: &HeaderColumn, read_as: Option<String>) -> HeaderCell {
    HeaderCell { address: column.address.clone(), text: column.shown.clone(), read_as }
}

/// What the sheet hides, and which value columns of the feed it does not have.
fn layout_notes(context: &GridContext<'_>) -> Vec<String> {
    let GridContext { feed, grid, binding, .. } = *context;
    let mut notes = Vec::new();
    if !grid.hidden_rows.is_empty() {
        let rows: Vec<String> = grid.hidden_rows.iter().take(20).map(ToString::to_string).collect();
        notes.push(format!("hidden rows, not data: {} ({} in all)", rows.join(", "), grid.hidden_rows.len()));
    }
    let filled: BTreeSet<u32> = grid.cells.iter().map(|cell| cell.column).collect();
    let hidden: Vec<String> = grid
        .hidden_columns
        .iter()
        .filter(|column| filled.contains(column))
        .map(|column| column_letters(*column))
        .collect();
    if !hidden.is_empty() {
        notes.push(format!("hidden columns, read as evidence at most: {}", hidden.join(", ")));
    }
    for column in &binding.unread {
        notes.push(format!("column {} at {} is not read by this feed", column.shown, column.address));
    }
    let bound: BTreeSet<usize> = binding.values.iter().chain(&binding.confirming).map(|value| value.rule).collect();
    let absent: Vec<String> = (0..feed.values.len())
        .filter(|rule| !bound.contains(rule))
        .map(|rule| feed.values[rule].description())
        .collect();
    if !absent.is_empty() {
        notes.push(format!("columns of the feed that the file does not have: {}", absent.join("; ")));
    }
    notes
}
