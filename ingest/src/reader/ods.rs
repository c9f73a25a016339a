//! OpenDocument spreadsheets to grids.
//!
//! The cell reader expands repeated rows, columns, blanks and texts: six hundred bytes can ask for gigabytes. A
//! first pass over `content.xml` bounds what it would allocate, and learns what it does not tell: merged ranges,
//! hidden rows and columns, and cells that are shown in per cent.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Ods, Reader as _, open_workbook_from_rs};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::archive::read_part;
use super::layout::{COLUMNS, Layout, ROWS, attribute};
use super::percent::Percents;
use super::range::read_cells;
use super::xls::PROTECTED;
use super::xlsx::{damaged, lay_out, visibility};
use super::{Document, Format, Grid, Merge, ReadError};
use crate::Limits;

/// Cells that a sheet may span, empty ones included: the reader holds a value and a formula of each, twice.
const SPANNED_CELLS: u64 = 4_000_000;

/// Bytes of text after repetition.
const TEXT_BYTES: u64 = 256 << 20;

const MIMETYPE: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";

/// Whether a container, which [`super::archive::scan`] has passed, is a spreadsheet of this format.
pub(super) fn is_spreadsheet(bytes: &[u8], limits: &Limits) -> bool {
    read_part(bytes, "mimetype", limits).is_some_and(|content| content.trim_ascii_end() == MIMETYPE)
}

pub(super) fn read_spreadsheet(bytes: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    let manifest = read_part(bytes, "META-INF/manifest.xml", limits).unwrap_or_default();
    if String::from_utf8_lossy(&manifest).contains("encryption-data") {
        return Err(damaged(None, PROTECTED));
    }
    let content = read_part(bytes, "content.xml", limits).ok_or_else(|| damaged(None, "it has no content.xml"))?;
    let (scanned, styles) = scan(&content)?;
    // calamine is bounded by the scan above; a panic in it is a damaged file, not a stopped service.
    catch_unwind(AssertUnwindSafe(|| read_sheets(bytes, scanned, &styles, limits)))
        .unwrap_or_else(|_| Err(damaged(None, "the workbook reader stopped on its content")))
}

fn read_sheets(
    bytes: &[u8],
    mut scanned: BTreeMap<String, Sheet>,
    styles: &Styles,
    limits: &Limits,
) -> Result<Document, ReadError> {
    let mut workbook: Ods<Cursor<&[u8]>> = open_workbook_from_rs(Cursor::new(bytes))
        .map_err(|error: calamine::OdsError| damaged(None, &error.to_string()))?;
    let sheets = workbook.sheets_metadata().to_vec();
    if sheets.len() > limits.sheets {
        let (found, limit) = (sheets.len() as u64, limits.sheets as u64);
        return Err(ReadError::TooLarge { what: "sheets".into(), found, limit });
    }
    let mut grids = Vec::new();
    let mut cells_left = limits.cells;
    for sheet in sheets {
        let mut grid = Grid::new(Some(sheet.name.clone()), visibility(sheet.visible));
        read_cells(&mut workbook, &sheet.name, &mut grid, cells_left, limits)?;
        cells_left -= grid.cells.len();
        let Some(Sheet { merges, mut layout, percents, .. }) = scanned.remove(&sheet.name) else {
            return Err(damaged(Some(&sheet.name), "the name of a sheet occurs twice"));
        };
        grid.merges = merges;
        layout.percents = spread(&grid, &percents, styles);
        lay_out(&mut grid, layout);
        grids.push(grid);
    }
    Ok(Document { format: Format::Ods, encoding: None, grids, warnings: Vec::new(), path: String::new() })
}

/// What the first pass learns of a sheet.
#[derive(Default)]
struct Sheet {
    layout: Layout,
    merges: Vec<Merge>,
    /// Cells in per cent as ranges, with the name of their style; they become single cells when the used ones are known.
    percents: Vec<(Merge, String)>,
    /// Row and column after what is read so far; columns of the list of columns.
    row: u64,
    column: u64,
    listed: u64,
    /// Times that the row being read, and the cell in it, are repeated.
    row_repeats: u64,
    cell_repeats: u64,
    is_hidden: bool,
    /// Hidden rows as ranges; they become single rows when the last used row is known.
    hidden: Vec<(u64, u64)>,
    first_row: Option<u64>,
    last_row: u64,
    last_column: u64,
    /// Cells up to the last used one of each row element.
    dense: u64,
    row_width: u64,
}

impl Sheet {
    fn start_row(&mut self, element: &BytesStart<'_>) {
        self.end_row();
        self.row_repeats = repeats(element, "table:number-rows-repeated");
        self.is_hidden = is_hidden(element);
    }

    /// Moves past the row being read.
    fn end_row(&mut self) {
        let next = self.row.saturating_add(self.row_repeats).min(u64::from(ROWS));
        if self.is_hidden && self.row_repeats > 0 {
            self.hidden.push((self.row + 1, next));
        }
        if self.row_width > 0 {
            self.first_row.get_or_insert(self.row);
            self.last_row = next;
            self.last_column = self.last_column.max(self.row_width);
        }
        self.dense = self.dense.saturating_add(self.row_width);
        (self.row, self.column, self.row_repeats, self.row_width, self.is_hidden) = (next, 0, 0, 0, false);
    }

    fn cell(&mut self, element: &BytesStart<'_>) {
        let repeats = repeats(element, "table:number-columns-repeated");
        let is_used = ["office:value-type", "office:value", "office:string-value", "table:formula"]
            .iter()
            .any(|name| element.try_get_attribute(name).ok().flatten().is_some());
        let (rows, columns) =
            (repeats_of(element, "table:number-rows-spanned"), repeats_of(element, "table:number-columns-spanned"));
        if rows * columns > 1 {
            let edge = |start: u64, length: u64, last: u32| start.saturating_add(length).min(u64::from(last)) as u32;
            self.merges.push(Merge {
                top: edge(self.row, 1, ROWS),
                left: edge(self.column, 1, COLUMNS),
                bottom: edge(self.row, rows, ROWS),
                right: edge(self.column, columns, COLUMNS),
            });
        }
        self.column = self.column.saturating_add(repeats).min(u64::from(COLUMNS));
        self.cell_repeats = repeats.min(u64::from(COLUMNS));
        if is_used {
            self.row_width = self.column;
        }
        if attribute(element, "office:value-type").is_some_and(|kind| kind == "percentage") {
            let bottom = self.row.saturating_add(self.row_repeats.max(1)).min(u64::from(ROWS)) as u32;
            let left = self.column.saturating_sub(repeats).saturating_add(1) as u32;
            let range = Merge { top: self.row.saturating_add(1) as u32, left, bottom, right: self.column as u32 };
            self.percents.push((range, attribute(element, "table:style-name").unwrap_or_default()));
        }
    }

    fn listed_column(&mut self, element: &BytesStart<'_>) {
        let end = self.listed.saturating_add(repeats(element, "table:number-columns-repeated")).min(u64::from(COLUMNS));
        if is_hidden(element) {
            self.layout.hidden_columns.extend(self.listed as u32 + 1..=end as u32);
        }
        self.listed = end;
    }

    /// What the cell reader would hold of the sheet at once.
    fn spanned(&self) -> u64 {
        let rows = self.last_row.saturating_sub(self.first_row.unwrap_or_default());
        self.dense.max(rows.saturating_mul(self.last_column))
    }

    fn finish(&mut self) {
        self.end_row();
        for (first, last) in std::mem::take(&mut self.hidden) {
            self.layout.hidden_rows.extend(first as u32..=last.min(self.last_row) as u32);
        }
    }
}

/// How many decimals the styles of cells fix that show per cent.
#[derive(Default)]
struct Styles {
    /// By the name of the style of numbers.
    decimals: BTreeMap<String, u8>,
    /// The style of numbers of each style of cells.
    of_cell: BTreeMap<String, String>,
    /// The style of numbers that is being read, where it shows per cent.
    open: Option<String>,
}

impl Styles {
    fn visit(&mut self, element: &BytesStart<'_>) {
        match element.name().as_ref() {
            "number:percentage-style" => self.open = attribute(element, "style:name"),
            "number:number" => {
                let places = ["number:min-decimal-places", "number:decimal-places"];
                let decimals = places.iter().find_map(|name| attribute(element, name)?.parse().ok());
                if let (Some(name), Some(decimals)) = (self.open.take(), decimals) {
                    self.decimals.insert(name, decimals);
                }
            }
            "style:style" => {
                if let (Some(name), Some(numbers)) =
                    (attribute(element, "style:name"), attribute(element, "style:data-style-name"))
                {
                    self.of_cell.insert(name, numbers);
                }
            }
            name if name.starts_with("number:") && name.ends_with("-style") => self.open = None,
            _ => {}
        }
    }

    /// None fixed where the style is not in this part.
    fn decimals_of(&self, cell: &str) -> u8 {
        self.of_cell.get(cell).and_then(|numbers| self.decimals.get(numbers)).copied().unwrap_or_default()
    }
}

/// The used cells of ranges in per cent.
fn spread(grid: &Grid, ranges: &[(Merge, String)], styles: &Styles) -> Percents {
    let mut percents = Percents::new();
    for (range, style) in ranges {
        let decimals = styles.decimals_of(style);
        let first = grid.rows.partition_point(|row| row.number < range.top);
        for row in grid.rows[first..].iter().take_while(|row| row.number <= range.bottom) {
            let cells = &grid.cells[row.cells.clone()];
            let left = cells.partition_point(|cell| cell.column < range.left);
            let within = cells[left..].iter().take_while(|cell| cell.column <= range.right);
            percents.extend(within.map(|cell| ((cell.row, cell.column), decimals)));
        }
    }
    percents
}

/// The sheets of `content.xml` by their names, each within the bounds, and the styles of their cells.
fn scan(content: &[u8]) -> Result<(BTreeMap<String, Sheet>, Styles), ReadError> {
    let broken = || damaged(None, "content.xml is no XML");
    let text = std::str::from_utf8(content).map_err(|_| broken())?;
    // The cell reader looks for the end of what it has begun even after the end of the part, for ever: this one
    // refuses ends that do not match, and counts what stays open.
    let mut reader = Reader::from_str(text);
    let mut open = 0_u32;
    let mut sheets: BTreeMap<String, Sheet> = BTreeMap::new();
    let mut styles = Styles::default();
    let mut name = String::new();
    let mut text_bytes = 0_u64;
    loop {
        let event = reader.read_event().map_err(|_| broken())?;
        match &event {
            Event::Start(_) => open += 1,
            Event::End(_) => open -= 1,
            Event::Eof if open > 0 => return Err(broken()),
            _ => {}
        }
        let (length, sheet) = match event {
            Event::Start(element) | Event::Empty(element) => {
                if element.name().as_ref() == "table:table"
                    && let Some(named) = attribute(&element, "table:name")
                {
                    if let Some(sheet) = sheets.get_mut(&name) {
                        sheet.finish();
                    }
                    if sheets.contains_key(&named) {
                        return Err(damaged(Some(&named), "the name of a sheet occurs twice"));
                    }
                    sheets.insert(named.clone(), Sheet::default());
                    name = named;
                }
                let Some(sheet) = sheets.get_mut(&name) else {
                    styles.visit(&element);
                    continue;
                };
                let length = visit(sheet, &element);
                if sheet.spanned().max(sheet.dense.saturating_add(sheet.row_width)) > SPANNED_CELLS {
                    let (what, found) = (format!("sheet {name}: cells that it spans"), sheet.spanned());
                    return Err(ReadError::TooLarge { what, found, limit: SPANNED_CELLS });
                }
                (length, sheet)
            }
            Event::Text(text) => {
                let Some(sheet) = sheets.get_mut(&name) else { continue };
                (text.len() as u64, sheet)
            }
            Event::Eof => break,
            _ => continue,
        };
        let times = sheet.row_repeats.max(1).saturating_mul(sheet.cell_repeats.max(1));
        text_bytes = text_bytes.saturating_add(length.saturating_mul(times));
        if text_bytes > TEXT_BYTES {
            let what = "bytes of text after repetition".into();
            return Err(ReadError::TooLarge { what, found: text_bytes, limit: TEXT_BYTES });
        }
    }
    if let Some(sheet) = sheets.get_mut(&name) {
        sheet.finish();
    }
    for (name, sheet) in &sheets {
        if sheet.spanned() > SPANNED_CELLS {
            let (what, found) = (format!("sheet {name}: cells that it spans"), sheet.spanned());
            return Err(ReadError::TooLarge { what, found, limit: SPANNED_CELLS });
        }
    }
    Ok((sheets, styles))
}

/// Takes an element into account; gives the bytes of text that it stands for by itself.
fn visit(sheet: &mut Sheet, element: &BytesStart<'_>) -> u64 {
    match element.name().as_ref() {
        "table:table-row" => sheet.start_row(element),
        "table:table-column" => sheet.listed_column(element),
        "table:table-cell" | "table:covered-table-cell" => {
            sheet.cell(element);
            return attribute(element, "office:string-value").map_or(0, |value| value.len() as u64);
        }
        "text:s" => return repeats(element, "text:c"),
        _ => {}
    }
    0
}

/// How often an element stands; what is no number is once here and an error to the cell reader.
fn repeats(element: &BytesStart<'_>, name: &str) -> u64 {
    attribute(element, name).map_or(1, |value| match value.parse::<u64>() {
        Ok(times) => times,
        Err(_) if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => u64::MAX,
        Err(_) => 1,
    })
}

/// A span, at least 1 and no longer than a sheet.
fn repeats_of(element: &BytesStart<'_>, name: &str) -> u64 {
    repeats(element, name).clamp(1, u64::from(ROWS))
}

fn is_hidden(element: &BytesStart<'_>) -> bool {
    attribute(element, "table:visibility").is_some_and(|value| matches!(value.as_str(), "collapse" | "filter"))
}

#[cfg(test)]
#[path = "ods_tests.rs"]
mod tests;
