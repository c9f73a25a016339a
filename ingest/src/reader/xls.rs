//! Binary workbooks (BIFF8 in a compound file) to grids.
//!
//! A first pass over the records measures the sheets, because the cell reader allocates by their corners, and
//! learns what it does not tell: which rows and columns are hidden, and which cells are shown in per cent. A
//! workbook that is protected by a password is refused; so is one whose sheets span more than the limit.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Reader as _, SheetType, Xls, open_workbook_from_rs};

use super::layout::Layout;
use super::percent::{PercentFormats, Percents};
use super::range::read_cells;
use super::xlsx::{damaged, lay_out, merge, visibility};
use super::{Document, Format, Grid, ReadError};
use crate::Limits;

/// Cells that all sheets may span together, empty ones included: about 24 bytes each, held twice.
pub(super) const SPANNED_CELLS: u64 = 8_000_000;

const BOF: u16 = 0x0809;
const FILEPASS: u16 = 0x002F;
const BOUNDSHEET: u16 = 0x0085;
const DIMENSIONS: u16 = 0x0200;
const ROW: u16 = 0x0208;
const COLINFO: u16 = 0x007D;
const FORMAT: u16 = 0x041E;
const STYLE: u16 = 0x00E0;

/// Cells with one number: FORMULA, NUMBER, RK; and those of a row with several.
const NUMBERS: [u16; 3] = [0x0006, 0x0203, 0x027E];
const NUMBERS_OF_ROW: u16 = 0x00BD;

/// Records that hold a cell: its row and column come first.
const CELLS: [u16; 9] = [0x0006, 0x00BD, 0x00BE, 0x00FD, 0x0201, 0x0203, 0x0204, 0x0205, 0x027E];

/// A compound file: a workbook where it holds one.
pub(super) fn read_compound(bytes: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    let Some(stream) = workbook_stream(bytes)? else { return Ok(Document::without_grids(Format::Unknown)) };
    let sheets = scan(&stream)?;
    // calamine is bounded by the scan above; a panic in it is a damaged file, not a stopped service.
    catch_unwind(AssertUnwindSafe(|| read_workbook(bytes, &sheets, limits)))
        .unwrap_or_else(|_| Err(damaged(None, "the workbook reader stopped on its content")))
}

/// The stream of records; none where the compound file is something else, such as a text document.
fn workbook_stream(bytes: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes))
        .map_err(|_| damaged(None, "the compound file is cut off or its index is wrong"))?;
    for name in ["/Workbook", "/Book"] {
        if !file.is_stream(name) {
            continue;
        }
        let mut content = Vec::new();
        let stream = file.open_stream(name).map_err(|_| damaged(None, "its records cannot be found"))?;
        // A stream is not longer than the file that holds it, whatever it says.
        let read = stream.take(bytes.len() as u64).read_to_end(&mut content);
        read.map_err(|_| damaged(None, "its records end early"))?;
        return Ok(Some(content));
    }
    if file.exists("/EncryptedPackage") {
        return Err(damaged(None, PROTECTED));
    }
    Ok(None)
}

pub(super) const PROTECTED: &str = "it is protected by a password; expected a workbook that opens without one";

/// What the first pass learns of a sheet.
#[derive(Default)]
struct Scanned {
    hidden_rows: BTreeSet<u32>,
    hidden_columns: BTreeSet<u32>,
    percents: Percents,
    last_row: u64,
    last_column: u64,
}

/// The sheets in the order of the workbook's list.
fn scan(stream: &[u8]) -> Result<Vec<Scanned>, ReadError> {
    let mut offsets: Vec<usize> = Vec::new();
    let mut sheets: Vec<Scanned> = Vec::new();
    let mut current: Option<usize> = None;
    let mut formats = PercentFormats::default();
    // Decimals of the styles that show per cent; of the others none.
    let mut styles: Vec<Option<u8>> = Vec::new();
    let mut at = 0;
    while let Some(head) = stream.get(at..at + 4) {
        let (kind, length) =
            (u16::from_le_bytes([head[0], head[1]]), usize::from(u16::from_le_bytes([head[2], head[3]])));
        let Some(body) = stream.get(at + 4..at + 4 + length) else { break };
        let word =
            |offset: usize| body.get(offset..offset + 2).map_or(0, |pair| u16::from_le_bytes([pair[0], pair[1]]));
        let double = |offset: usize| u64::from(word(offset)) | u64::from(word(offset + 2)) << 16;
        match kind {
            FILEPASS => return Err(damaged(None, PROTECTED)),
            BOUNDSHEET => {
                offsets.push(double(0) as usize);
                sheets.push(Scanned::default());
            }
            FORMAT => {
                if let Some(code) = format_code(body) {
                    formats.declare(u32::from(word(0)), &code);
                }
            }
            STYLE => styles.push(formats.decimals(u32::from(word(2)))),
            BOF => current = offsets.iter().position(|offset| *offset == at),
            _ => {}
        }
        if let Some(sheet) = current.and_then(|index| sheets.get_mut(index)) {
            match kind {
                ROW if word(12) & 0x20 != 0 => {
                    sheet.hidden_rows.insert(u32::from(word(0)) + 1);
                }
                COLINFO if word(8) & 1 != 0 => {
                    let last = u32::from(word(2)).min(255);
                    sheet.hidden_columns.extend(u32::from(word(0)) + 1..=last + 1);
                }
                // Rows and columns after the last one.
                DIMENSIONS => {
                    sheet.last_row = sheet.last_row.max(double(4));
                    sheet.last_column = sheet.last_column.max(u64::from(word(10)));
                }
                kind if CELLS.contains(&kind) => {
                    let style = |offset: usize| styles.get(usize::from(word(offset))).copied().flatten();
                    let row = u32::from(word(0)) + 1;
                    if NUMBERS.contains(&kind)
                        && let Some(decimals) = style(4)
                    {
                        sheet.percents.insert((row, u32::from(word(2)) + 1), decimals);
                    }
                    if kind == NUMBERS_OF_ROW {
                        // Row and first column, then a style and four bytes of number for each cell, then the last column.
                        for index in 0..length.saturating_sub(6) / 6 {
                            if let Some(decimals) = style(4 + 6 * index) {
                                sheet.percents.insert((row, u32::from(word(2)) + 1 + index as u32), decimals);
                            }
                        }
                    }
                    sheet.last_row = sheet.last_row.max(u64::from(word(0)) + 1);
                    sheet.last_column = sheet.last_column.max(u64::from(word(2)) + 1);
                }
                _ => {}
            }
        }
        at += 4 + length;
    }
    let spanned =
        sheets.iter().map(|sheet| sheet.last_row.saturating_mul(sheet.last_column)).fold(0, u64::saturating_add);
    if spanned > SPANNED_CELLS {
        let what = "cells between the corners of the sheets".into();
        return Err(ReadError::TooLarge { what, found: spanned, limit: SPANNED_CELLS });
    }
    Ok(sheets)
}

/// The code of a declared format: its length in characters, whether these take two bytes, and they themselves.
fn format_code(body: &[u8]) -> Option<String> {
    let length = usize::from(u16::from_le_bytes([*body.get(2)?, *body.get(3)?]));
    let characters = body.get(5..)?;
    match body.get(4)? & 1 {
        0 => Some(characters.get(..length)?.iter().map(|byte| char::from(*byte)).collect()),
        _ => {
            let pairs = characters.get(..length.checked_mul(2)?)?.chunks_exact(2);
            let units: Vec<u16> = pairs.map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            Some(String::from_utf16_lossy(&units))
        }
    }
}

fn read_workbook(bytes: &[u8], scanned: &[Scanned], limits: &Limits) -> Result<Document, ReadError> {
    let mut workbook: Xls<Cursor<&[u8]>> = open_workbook_from_rs(Cursor::new(bytes))
        .map_err(|error: calamine::XlsError| damaged(None, &error.to_string()))?;
    let sheets = workbook.sheets_metadata().to_vec();
    if sheets.len() > limits.sheets {
        let (found, limit) = (sheets.len() as u64, limits.sheets as u64);
        return Err(ReadError::TooLarge { what: "sheets".into(), found, limit });
    }
    let (mut grids, mut warnings) = (Vec::new(), Vec::new());
    let mut cells_left = limits.cells;
    for (index, sheet) in sheets.iter().enumerate() {
        if sheet.typ != SheetType::WorkSheet {
            warnings.push(format!("sheet {}: holds no cells (chart, macro or dialogue sheet)", sheet.name));
            continue;
        }
        let mut grid = Grid::new(Some(sheet.name.clone()), visibility(sheet.visible));
        let merges = workbook.merge_cells_by_sheet_name(&sheet.name).unwrap_or_default();
        grid.merges.extend(merges.iter().map(merge));
        read_cells(&mut workbook, &sheet.name, &mut grid, cells_left, limits)?;
        cells_left -= grid.cells.len();
        match scanned.get(index).filter(|_| scanned.len() == sheets.len()) {
            Some(scanned) => {
                let (hidden_rows, hidden_columns) = (scanned.hidden_rows.clone(), scanned.hidden_columns.clone());
                let percents = scanned.percents.clone();
                lay_out(&mut grid, Layout { hidden_rows, hidden_columns, percents, has_wrong_string: false });
            }
            None => {
                let reason = "its hidden rows and columns could not be told".to_owned();
                warnings.push(format!("sheet {}: {reason}", sheet.name));
                grid.broken = Some(reason);
            }
        }
        grids.push(grid);
    }
    Ok(Document { format: Format::Xls, encoding: None, grids, warnings, path: String::new() })
}
