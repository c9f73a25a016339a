//! Binary Office Open XML workbooks to grids.
//!
//! Cells are streamed. A first pass over the records checks that each lies within its part, and learns what the
//! cell reader does not tell: merged ranges, hidden rows and columns, which cells hold formulas and which are shown
//! in per cent, and the formulas whose result is an error, which it leaves out.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{CellErrorType, DataRef, Reader as _, SheetType, Xlsb, open_workbook_from_rs};

use super::archive::read_part;
use super::layout::{COLUMNS, Layout, ROWS, relations};
use super::percent::PercentFormats;
use super::range::Target;
use super::xlsx::{damaged, index_rows, lay_out, visibility};
use super::{Document, Format, Grid, Merge, ReadError};
use crate::Limits;

// Records of [MS-XLSB] 2.3.2.
const ROW_HEADER: u16 = 0x00;
const FORMULAS: std::ops::RangeInclusive<u16> = 0x08..=0x0B;
const FORMULA_ERROR: u16 = 0x0B;
/// Cells with a number: short, double, result of a formula.
const NUMBERS: [u16; 3] = [0x02, 0x05, 0x09];
const SHARED_STRING: u16 = 0x13;
const COLUMN: u16 = 0x3C;
const SHEET: u16 = 0x9C;
const MERGE: u16 = 0xB0;
const FORMAT: u16 = 0x2C;
const STYLE: u16 = 0x2F;
const BEGIN_STYLES: u16 = 0x0269;
const END_STYLES: u16 = 0x026A;

/// A container, which the scan of containers has passed, with `xl/workbook.bin` in it.
pub(super) fn read_workbook(bytes: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    for part in ["xl/workbook.bin", "xl/styles.bin", "xl/sharedStrings.bin"] {
        let Some(content) = read_part(bytes, part, limits) else { continue };
        let mut strings = 0;
        for record in Records(&content) {
            strings += u64::from(record.map_err(|reason| damaged(None, reason))?.kind == SHARED_STRING);
        }
        if strings > limits.shared_strings {
            let limit = limits.shared_strings;
            return Err(ReadError::TooLarge { what: "shared strings".into(), found: strings, limit });
        }
    }
    // calamine indexes into records as if they were whole; a panic in it is a damaged file, not a stopped service.
    catch_unwind(AssertUnwindSafe(|| read_sheets(bytes, limits)))
        .unwrap_or_else(|_| Err(damaged(None, "the workbook reader stopped on its content")))
}

fn read_sheets(bytes: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    let parts = sheet_parts(bytes, limits);
    let percents = percent_styles(bytes, limits);
    let mut workbook: Xlsb<Cursor<&[u8]>> = open_workbook_from_rs(Cursor::new(bytes))
        .map_err(|error: calamine::XlsbError| damaged(None, &error.to_string()))?;
    let sheets = workbook.sheets_metadata().to_vec();
    if sheets.len() > limits.sheets {
        let (found, limit) = (sheets.len() as u64, limits.sheets as u64);
        return Err(ReadError::TooLarge { what: "sheets".into(), found, limit });
    }
    let (mut grids, mut warnings) = (Vec::new(), Vec::new());
    let mut cells_left = limits.cells;
    for sheet in sheets {
        let name = sheet.name.as_str();
        if sheet.typ != SheetType::WorkSheet {
            warnings.push(format!("sheet {name}: holds no cells (chart, macro or dialogue sheet)"));
            continue;
        }
        let part = parts.get(name).and_then(|part| read_part(bytes, part, limits));
        let part = part.ok_or_else(|| damaged(Some(name), "its part is not in the container"))?;
        let scanned = scan(&part, &percents).map_err(|reason| damaged(Some(name), reason))?;
        let mut grid = Grid::new(Some(name.to_owned()), visibility(sheet.visible));
        let target = Target { sheet: name, cells_left, limits };
        for ((row, column), error) in scanned.errors {
            target.push(&mut grid, (row, column), &DataRef::Error(error), true)?;
        }
        let mut reader =
            workbook.worksheet_cells_reader(name).map_err(|error| damaged(Some(name), &error.to_string()))?;
        while let Some(cell) = reader.next_cell().map_err(|error| damaged(Some(name), &error.to_string()))? {
            let (row, column) = cell.get_position();
            let place = (row.saturating_add(1), column.saturating_add(1));
            if place.0 > ROWS || place.1 > COLUMNS {
                return Err(damaged(Some(name), "a cell outside 1048576 rows and 16384 columns"));
            }
            target.push(&mut grid, place, cell.get_value(), scanned.formulas.contains(&place))?;
        }
        index_rows(name, &mut grid)?;
        cells_left -= grid.cells.len();
        grid.merges = scanned.merges;
        lay_out(&mut grid, scanned.layout);
        grids.push(grid);
    }
    Ok(Document { format: Format::Xlsb, encoding: None, grids, warnings, path: String::new() })
}

/// The part of each sheet by the sheet's name.
fn sheet_parts(bytes: &[u8], limits: &Limits) -> BTreeMap<String, String> {
    let targets = relations(bytes, "xl/_rels/workbook.bin.rels", limits);
    let content = read_part(bytes, "xl/workbook.bin", limits).unwrap_or_default();
    let mut parts = BTreeMap::new();
    for record in Records(&content).flatten().filter(|record| record.kind == SHEET) {
        // State and identifier, then the relation and the name.
        let Some((relation, rest)) = wide_text(&record.body[8.min(record.body.len())..]) else { continue };
        let Some((name, _)) = wide_text(rest) else { continue };
        if let Some(part) = targets.get(&relation) {
            parts.insert(name, part.clone());
        }
    }
    parts
}

/// A text with its length before it, and what follows.
fn wide_text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let (text, rest) = rest.split_at_checked(length.checked_mul(2)?)?;
    let units: Vec<u16> = text.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    Some((String::from_utf16_lossy(&units), rest))
}

/// What the first pass learns of a sheet; places count from 1.
#[derive(Default)]
struct Scanned {
    layout: Layout,
    merges: Vec<Merge>,
    formulas: BTreeSet<(u32, u32)>,
    errors: Vec<((u32, u32), CellErrorType)>,
}

/// Decimals of the styles that show per cent, by the style's place in the list.
fn percent_styles(bytes: &[u8], limits: &Limits) -> BTreeMap<u32, u8> {
    let content = read_part(bytes, "xl/styles.bin", limits).unwrap_or_default();
    let mut formats = PercentFormats::default();
    let mut styles = BTreeMap::new();
    let (mut is_listed, mut index) = (false, 0_u32);
    for record in Records(&content).flatten() {
        match record.kind {
            FORMAT => {
                if let Some((code, _)) = record.body.get(2..).and_then(wide_text) {
                    formats.declare(record.number(0) & 0xFFFF, &code);
                }
            }
            BEGIN_STYLES => is_listed = true,
            END_STYLES => is_listed = false,
            STYLE if is_listed => {
                // The style that it is made from, and the format.
                if let Some(decimals) = formats.decimals(record.number(0) >> 16) {
                    styles.insert(index, decimals);
                }
                index = index.saturating_add(1);
            }
            _ => {}
        }
    }
    styles
}

fn scan(part: &[u8], percents: &BTreeMap<u32, u8>) -> Result<Scanned, &'static str> {
    let mut scanned = Scanned::default();
    let mut row = 0;
    for record in Records(part) {
        let record = record?;
        if NUMBERS.contains(&record.kind)
            && let Some(decimals) = percents.get(&(record.number(4) & 0x00FF_FFFF))
        {
            scanned.layout.percents.insert((row, record.number(0).saturating_add(1)), *decimals);
        }
        match record.kind {
            ROW_HEADER => {
                row = record.number(0).saturating_add(1);
                // The cell reader takes such a row for the end of the sheet.
                if row > ROWS {
                    return Err("a row outside 1048576 rows");
                }
                if record.body.get(11).is_some_and(|flags| flags & 0x10 != 0) {
                    scanned.layout.hidden_rows.insert(row);
                }
            }
            COLUMN if record.body.get(16).is_some_and(|flags| flags & 1 != 0) => {
                let last = record.number(4).min(COLUMNS - 1);
                scanned.layout.hidden_columns.extend(record.number(0).saturating_add(1)..=last + 1);
            }
            MERGE => scanned.merges.push(Merge {
                top: record.number(0).saturating_add(1),
                bottom: record.number(4).saturating_add(1),
                left: record.number(8).saturating_add(1),
                right: record.number(12).saturating_add(1),
            }),
            kind if FORMULAS.contains(&kind) => {
                let place = (row, record.number(0).saturating_add(1));
                scanned.formulas.insert(place);
                if kind == FORMULA_ERROR {
                    let code = record.body.get(8).copied().unwrap_or_default();
                    scanned.errors.push((place, error_type(code).ok_or("an error of an unknown kind")?));
                }
            }
            _ => {}
        }
    }
    Ok(scanned)
}

/// [MS-XLSB] 2.5.97.2.
fn error_type(code: u8) -> Option<CellErrorType> {
    Some(match code {
        0x00 => CellErrorType::Null,
        0x07 => CellErrorType::Div0,
        0x0F => CellErrorType::Value,
        0x17 => CellErrorType::Ref,
        0x1D => CellErrorType::Name,
        0x24 => CellErrorType::Num,
        0x2A => CellErrorType::NA,
        0x2B => CellErrorType::GettingData,
        _ => return None,
    })
}

struct Record<'a> {
    kind: u16,
    body: &'a [u8],
}

impl Record<'_> {
    /// The number at an offset, 0 beyond the end.
    fn number(&self, offset: usize) -> u32 {
        let bytes = self.body.get(offset..offset + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    }
}

/// The records of a part; the last is an error where the part is cut off.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        const CUT_OFF: &str = "a record goes on after the end of its part";
        if self.0.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.0);
        let Some((kind, bytes)) = variable(bytes, 2) else { return Some(Err(CUT_OFF)) };
        let Some((length, bytes)) = variable(bytes, 4) else { return Some(Err(CUT_OFF)) };
        let Some((body, rest)) = bytes.split_at_checked(length as usize) else { return Some(Err(CUT_OFF)) };
        self.0 = rest;
        Some(Ok(Record { kind: kind as u16, body }))
    }
}

/// A number of seven bits in each byte, the lowest first, at most `most` bytes long.
fn variable(bytes: &[u8], most: usize) -> Option<(u32, &[u8])> {
    let mut number = 0;
    for index in 0..most {
        let byte = *bytes.get(index)?;
        number |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 || index + 1 == most {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
#[path = "xlsb_tests.rs"]
mod tests;
