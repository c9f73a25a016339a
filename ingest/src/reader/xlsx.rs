//! Workbooks to grids, cell by cell.
//!
//! Cells are streamed: a sheet with one cell in each far corner costs two cells. Declared dimensions are not
//! believed. Numbers become their shortest decimal text, those shown in per cent the text that is shown, and a formula gives its
//! cached value.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Dimensions, Reader as _, SheetVisible, Xlsx, open_workbook_from_rs};
use gongkai_catalog::Exact;

use super::layout::{Layout, percent_styles, read_layout, sheet_parts};
use super::range::Target;
use super::{CellKind, Document, Format, Grid, Merge, ReadError, Row, Visibility, archive, ods, percent, xlsb};
use crate::Limits;

const ROWS: u32 = 1_048_576;
const COLUMNS: u32 = 16_384;

/// A zip container: a workbook where it holds one.
pub(super) fn read_zip(bytes: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    let names = archive::scan(bytes, limits)?;
    if names.contains("xl/workbook.bin") {
        return xlsb::read_workbook(bytes, limits);
    }
    if names.contains("content.xml") && ods::is_spreadsheet(bytes, limits) {
        return ods::read_spreadsheet(bytes, limits);
    }
    if !names.contains("xl/workbook.xml") {
        return Ok(Document::without_grids(Format::Zip));
    }
    // calamine is bounded by the scan above; a panic in it is a damaged file, not a stopped service.
    catch_unwind(AssertUnwindSafe(|| read_workbook(bytes, limits)))
        .unwrap_or_else(|_| Err(damaged(None, "the workbook reader stopped on its content")))
}

type Workbook<'a> = Xlsx<Cursor<&'a [u8]>>;

fn read_workbook(bytes: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    let mut workbook: Workbook<'_> = open_workbook_from_rs(Cursor::new(bytes))
        .map_err(|error: calamine::XlsxError| damaged(None, &error.to_string()))?;
    let sheets = workbook.sheets_metadata().to_vec();
    if sheets.len() > limits.sheets {
        let (found, limit) = (sheets.len() as u64, limits.sheets as u64);
        return Err(ReadError::TooLarge { what: "sheets".into(), found, limit });
    }
    let parts = sheet_parts(bytes, limits);
    let percents = percent_styles(bytes, limits);
    let mut warnings = Vec::new();
    let mut grids = Vec::new();
    let mut cells_left = limits.cells;
    for sheet in sheets {
        if sheet.typ != calamine::SheetType::WorkSheet {
            warnings.push(format!("sheet {}: holds no cells (chart, macro or dialogue sheet)", sheet.name));
            continue;
        }
        let visibility = visibility(sheet.visible);
        let mut grid = Grid::new(Some(sheet.name.clone()), visibility);
        read_merges(&mut workbook, &sheet.name, &mut grid, &mut warnings);
        read_cells(&mut workbook, &sheet.name, &mut grid, cells_left, limits)?;
        cells_left -= grid.cells.len();
        let layout = parts.get(&sheet.name).and_then(|part| read_layout(bytes, part, &percents, limits));
        match layout {
            Some(layout) if layout.has_wrong_string => {
                return Err(damaged(Some(&sheet.name), "a cell names a shared string that cannot be"));
            }
            Some(layout) => lay_out(&mut grid, layout),
            None => grid.broken = Some("its hidden rows and columns could not be told".into()),
        }
        if let Some(reason) = &grid.broken {
            warnings.push(format!("sheet {}: {reason}", sheet.name));
        }
        grids.push(grid);
    }
    Ok(Document { format: Format::Xlsx, encoding: None, grids, warnings, path: String::new() })
}

fn read_merges(workbook: &mut Workbook<'_>, sheet: &str, grid: &mut Grid, warnings: &mut Vec<String>) {
    match workbook.merge_cells_by_sheet_name(sheet) {
        Ok(ranges) => grid.merges.extend(ranges.iter().map(merge)),
        Err(error) => warnings.push(format!("sheet {sheet}: merged ranges not read: {error}")),
    }
}

fn read_cells(
    workbook: &mut Workbook<'_>,
    sheet: &str,
    grid: &mut Grid,
    cells_left: usize,
    limits: &Limits,
) -> Result<(), ReadError> {
    let mut reader =
        workbook.worksheet_cells_reader(sheet).map_err(|error| damaged(Some(sheet), &error.to_string()))?;
    let target = Target { sheet, cells_left, limits };
    let mut last = (1, 1);
    loop {
        let record = match reader.next_cell_with_formula() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            // A string that the table does not have: no error of a newer kind of cell, but a file that lies.
            Err(calamine::XlsxError::Unexpected(reason)) => return Err(damaged(Some(sheet), reason)),
            Err(error) => {
                // One cell of a newer kind ends the stream; the other sheets of the book are still good.
                let last = super::a1_address(last.0, last.1);
                grid.broken = Some(format!("cells after {last} could not be read: {error}"));
                break;
            }
        };
        let (row, column) = (record.pos.0.saturating_add(1), record.pos.1.saturating_add(1));
        if row > ROWS || column > COLUMNS {
            return Err(damaged(Some(sheet), "a cell outside 1048576 rows and 16384 columns"));
        }
        let is_formula = record.formula.is_some();
        target.push(grid, (row, column), &record.value, is_formula)?;
        last = (row, column);
    }
    index_rows(sheet, grid)
}

/// What a workbook says of a sheet.
pub(super) fn visibility(visible: SheetVisible) -> Visibility {
    match visible {
        SheetVisible::Visible => Visibility::Visible,
        SheetVisible::Hidden => Visibility::Hidden,
        SheetVisible::VeryHidden => Visibility::VeryHidden,
    }
}

/// A merged range, counted from 1.
pub(super) fn merge(range: &Dimensions) -> Merge {
    Merge {
        top: range.start.0.saturating_add(1),
        left: range.start.1.saturating_add(1),
        bottom: range.end.0.saturating_add(1),
        right: range.end.1.saturating_add(1),
    }
}

/// The text and kind of a value; `None` for a cell that only has a style.
pub(super) fn content(value: &DataRef<'_>, is_formula: bool) -> Option<(String, CellKind)> {
    Some(match value {
        DataRef::Int(number) => (number.to_string(), CellKind::Number),
        DataRef::Float(number) => match Exact::from_f64(*number) {
            Ok(exact) => (exact.to_string(), CellKind::Number),
            // Beyond 38 digits: keep what the cell says, and let the number parser refuse it.
            Err(_) => (format!("{number:e}"), CellKind::Number),
        },
        DataRef::String(text) => return text_content(text, is_formula),
        DataRef::SharedString(text) => return text_content(text, is_formula),
        DataRef::Bool(value) => (value.to_string(), CellKind::Boolean),
        DataRef::DateTime(moment) => match moment.as_datetime().filter(|_| !moment.is_duration()) {
            Some(moment) => (moment.format("%Y-%m-%dT%H:%M:%S").to_string(), CellKind::Date),
            None => (moment.as_f64().to_string(), CellKind::Date),
        },
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => (text.clone(), CellKind::Date),
        DataRef::Error(error) => (error.to_string(), CellKind::Error),
        DataRef::Empty if is_formula => (String::new(), CellKind::Empty),
        DataRef::Empty => return None,
    })
}

fn text_content(text: &str, is_formula: bool) -> Option<(String, CellKind)> {
    if text.is_empty() {
        return is_formula.then(|| (String::new(), CellKind::Empty));
    }
    Some((text.to_owned(), CellKind::Text))
}

pub(super) fn index_rows(sheet: &str, grid: &mut Grid) -> Result<(), ReadError> {
    if !grid.cells.is_sorted_by_key(|cell| (cell.row, cell.column)) {
        grid.cells.sort_by_key(|cell| (cell.row, cell.column));
    }
    if let Some(pair) =
        grid.cells.windows(2).find(|pair| (pair[0].row, pair[0].column) == (pair[1].row, pair[1].column))
    {
        let address = super::a1_address(pair[0].row, pair[0].column);
        return Err(damaged(Some(sheet), &format!("cell {address} occurs twice")));
    }
    let mut start = 0;
    while start < grid.cells.len() {
        let number = grid.cells[start].row;
        let length = grid.cells[start..].iter().take_while(|cell| cell.row == number).count();
        let cells = start..start + length;
        grid.rows.push(Row { number, cells, field_count: None, is_hidden: false, fault: None });
        start += length;
    }
    Ok(())
}

/// Takes over what the pass over the layout has found.
pub(super) fn lay_out(grid: &mut Grid, layout: Layout) {
    percent::show(grid, &layout.percents);
    for row in &mut grid.rows {
        row.is_hidden = layout.hidden_rows.contains(&row.number);
    }
    let last = grid.rows.last().map_or(0, |row| row.number);
    grid.hidden_rows = layout.hidden_rows.into_iter().take_while(|row| *row <= last).collect();
    grid.hidden_columns = layout.hidden_columns;
}

pub(super) fn damaged(sheet: Option<&str>, reason: &str) -> ReadError {
    ReadError::DamagedWorkbook { sheet: sheet.map(str::to_owned), reason: reason.to_owned() }
}
