//! The levels of a header above each column.
//!
//! A group header above several columns is filled into all of them: by its merged range, or, where the
//! department merged nothing, from the left into columns that have a lower level of their own.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::number::parse_number;
use super::text::{is_filled, on_one_line, without_blanks};
use crate::reader::{Cell, CellKind, Grid, Row};

/// One column of a candidate header.
#[derive(Debug, Clone)]
pub(crate) struct HeaderColumn {
    pub column: u32,
    /// Levels joined by `/`, for readers.
    pub shown: String,
    /// Levels without blanks joined by `/`, for patterns.
    pub compared: String,
    /// Address of the lowest level's cell.
    pub address: String,
    /// Whether the sheet hides the column.
    pub is_hidden: bool,
}

/// A header as read.
#[derive(Debug)]
pub(crate) struct Header {
    pub columns: Vec<HeaderColumn>,
    /// Number of its last row.
    pub last: u32,
}

/// Rows at whose headers every feed looks. Further down only those look whose tables stand below one another.
const SHARED_ROWS: usize = 64;

/// Headers of the first rows of one grid, each read once: every feed asks for the same ones.
#[derive(Debug, Default)]
pub(crate) struct HeaderCache {
    read: RefCell<HashMap<(usize, u32), Rc<Header>>>,
}

impl HeaderCache {
    /// The header of `depth` rows that begins at the row with index `top`.
    pub fn read(&self, grid: &Grid, top: usize, depth: u32) -> Rc<Header> {
        let read = || {
            let (columns, last) = read_header(grid, top, depth);
            Rc::new(Header { columns, last })
        };
        if top >= SHARED_ROWS {
            return read();
        }
        Rc::clone(self.read.borrow_mut().entry((top, depth)).or_insert_with(read))
    }
}

/// Reads the header of `depth` rows that begins at the row with index `top`.
///
/// Gives the columns and the number of the header's last row.
pub(crate) fn read_header(grid: &Grid, top: usize, depth: u32) -> (Vec<HeaderColumn>, u32) {
    let first = grid.rows[top].number;
    let levels: Vec<Option<&Row>> = if grid.is_text() {
        (0..depth as usize).map(|level| grid.rows.get(top + level)).collect()
    } else {
        (0..depth).map(|level| row_by_number(grid, first.saturating_add(level))).collect()
    };
    let last = levels.iter().flatten().map(|row| row.number).next_back().unwrap_or(first);
    let last = if grid.is_text() { last } else { first.saturating_add(depth - 1) };
    let mut columns: BTreeMap<u32, Vec<Option<String>>> = BTreeMap::new();
    for (level, row) in levels.iter().enumerate() {
        for cell in row.iter().flat_map(|row| grid.cells_of(row)) {
            if is_filled(&cell.text) {
                columns.entry(cell.column).or_insert_with(|| vec![None; levels.len()])[level] =
                    Some(cell.text.to_string());
            }
        }
    }
    fill_merged(grid, first, last, &mut columns);
    fill_from_left(&mut columns);
    let columns = columns.into_iter().map(|(column, texts)| describe(grid, &levels, first, column, texts)).collect();
    (columns, last)
}

/// The columns of a table without a header, named by their positions.
pub(crate) fn named_columns(grid: &Grid, names: &[String]) -> Vec<HeaderColumn> {
    let first = grid.rows.first().map_or(1, |row| row.number);
    let named = names.iter().enumerate().map(|(index, name)| {
        let column = index as u32 + 1;
        HeaderColumn {
            column,
            shown: name.clone(),
            compared: name.clone(),
            address: grid.address(first, column),
            is_hidden: grid.hidden_columns.contains(&column),
        }
    });
    named.collect()
}

/// The rows of a header, at most `depth`: a row with a number in a shown column is the first of the body.
pub(crate) fn shown_depth(grid: &Grid, top: usize, depth: u32) -> u32 {
    let first = grid.rows[top].number;
    let row = |level: u32| match grid.is_text() {
        true => grid.rows.get(top + level as usize),
        false => row_by_number(grid, first.saturating_add(level)),
    };
    let is_number = |cell: &Cell| match cell.kind {
        CellKind::Number => true,
        CellKind::Text => grid.is_text() && parse_number(&cell.text).is_ok(),
        _ => false,
    };
    let has_number = |row: &Row| {
        let shown = grid.cells_of(row).iter().filter(|cell| !grid.hidden_columns.contains(&cell.column));
        shown.into_iter().any(is_number)
    };
    (1..depth).find(|level| row(*level).is_some_and(has_number)).unwrap_or(depth)
}

fn row_by_number(grid: &Grid, number: u32) -> Option<&Row> {
    grid.rows.binary_search_by_key(&number, |row| row.number).ok().map(|index| &grid.rows[index])
}

fn fill_merged(grid: &Grid, first: u32, last: u32, columns: &mut BTreeMap<u32, Vec<Option<String>>>) {
    for merge in grid.merges.iter().filter(|merge| merge.top >= first && merge.top <= last) {
        let level = (merge.top - first) as usize;
        let Some(text) = columns.get(&merge.left).and_then(|texts| texts.get(level).cloned().flatten()) else {
            continue;
        };
        // Only columns that have a level of their own take the group's text: a merge can span a whole sheet.
        let range = merge.left..=merge.right.max(merge.left);
        for (column, texts) in columns.range_mut(range) {
            if *column != merge.left && texts[level].is_none() {
                texts[level] = Some(text.clone());
            }
        }
    }
}

fn fill_from_left(columns: &mut BTreeMap<u32, Vec<Option<String>>>) {
    let depth = columns.values().next().map_or(0, Vec::len);
    for level in 0..depth.saturating_sub(1) {
        let mut left: Option<String> = None;
        for texts in columns.values_mut() {
            match &texts[level] {
                Some(text) => left = Some(text.clone()),
                None if texts[level + 1..].iter().any(Option::is_some) => texts[level] = left.clone(),
                None => left = None,
            }
        }
    }
}

fn describe(grid: &Grid, levels: &[Option<&Row>], first: u32, column: u32, texts: Vec<Option<String>>) -> HeaderColumn {
    let mut shown: Vec<String> = Vec::new();
    let mut compared: Vec<String> = Vec::new();
    for text in texts.iter().flatten() {
        let plain = without_blanks(text);
        if compared.last() != Some(&plain) {
            compared.push(plain);
            shown.push(on_one_line(text));
        }
    }
    let lowest =
        levels.iter().flatten().rev().find_map(|row| grid.cell(row, column).filter(|cell| is_filled(&cell.text)));
    let address = match lowest {
        Some(cell) => grid.address(cell.row, cell.start),
        None => grid.address(first, column),
    };
    let is_hidden = grid.hidden_columns.contains(&column);
    HeaderColumn { column, shown: shown.join("/"), compared: compared.join("/"), address, is_hidden }
}
