//! Cells with their addresses.

use std::collections::BTreeSet;
use std::ops::Range;

use compact_str::CompactString;
use gongkai_catalog::Address;
use serde::{Deserialize, Serialize};

/// What a workbook says of a sheet; text files are visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Shown.
    Visible,
    /// Hidden; can be shown by the reader of the workbook.
    Hidden,
    /// Hidden so that only a program can show it.
    VeryHidden,
}

/// Kind of a cell's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Text, and every field of a text file.
    Text,
    /// A number; the text is its shortest decimal form.
    Number,
    /// True or false.
    Boolean,
    /// A date or time; the text is ISO 8601.
    Date,
    /// An error such as `#N/A`.
    Error,
    /// Nothing: an empty field of a text file, or a formula without a cached value.
    Empty,
}

/// Text of a cell. A grid has millions, most of them a few characters long: those stand in the cell itself.
pub type CellText = CompactString;

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Row of the sheet, or line of the text file on which the value begins; from 1.
    pub row: u32,
    /// Column of the sheet, or ordinal of the field; from 1.
    pub column: u32,
    /// Column of the sheet, or position of the value's first character in its line; from 1.
    pub start: u32,
    /// Content as text, as it stands in the file.
    pub text: CellText,
    /// What the content is.
    pub kind: CellKind,
    /// Whether the value is the cached result of a formula.
    pub is_formula: bool,
}

/// Why a row cannot be trusted as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    /// A NUL byte in the line.
    NulByte,
    /// A line that a feed expects to be a record, and none of its patterns reads.
    NoPattern,
}

/// One row with at least one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Row of the sheet, or first line of the record; from 1.
    pub number: u32,
    /// Where its cells are in [`Grid::cells`].
    pub cells: Range<usize>,
    /// Number of fields in a text file; none for sheets, whose empty cells are not stored.
    pub field_count: Option<u32>,
    /// Whether the sheet hides it.
    pub is_hidden: bool,
    /// Why it cannot be trusted, if so.
    pub fault: Option<RowFault>,
}

/// A merged range, all bounds inclusive and from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// First row.
    pub top: u32,
    /// First column.
    pub left: u32,
    /// Last row.
    pub bottom: u32,
    /// Last column.
    pub right: u32,
}

/// The cells of one sheet or text file.
#[derive(Debug, Clone)]
pub struct Grid {
    /// Name of the sheet; none for text files.
    pub sheet: Option<String>,
    /// Whether the sheet is shown.
    pub visibility: Visibility,
    /// Rows in order.
    pub rows: Vec<Row>,
    /// Cells, row by row, columns ascending.
    pub cells: Vec<Cell>,
    /// Merged ranges.
    pub merges: Vec<Merge>,
    /// Columns that the sheet hides.
    pub hidden_columns: BTreeSet<u32>,
    /// Rows that the sheet hides, with or without cells, at most those up to the last row.
    pub hidden_rows: BTreeSet<u32>,
    /// Why reading stopped before the end of the sheet, if it did; such a grid is never shaped.
    pub broken: Option<String>,
    /// Lines of text that stand before a table of a page, such as its title and its unit line, at most the last
    /// [`PREFACE_LINES`]. They are no cells of the grid: `row` and `start` are line and character of the file
    /// ([`Grid::preface_address`]).
    pub preface: Vec<Cell>,
    /// Index in [`Grid::rows`] of the first row of each page after the first, where the text has several; an empty
    /// page begins where the next one does.
    pub pages: Vec<usize>,
}

/// Lines that a preface has at most.
pub const PREFACE_LINES: usize = 12;

impl Grid {
    /// An empty grid.
    pub(super) fn new(sheet: Option<String>, visibility: Visibility) -> Self {
        Self {
            sheet,
            visibility,
            rows: Vec::new(),
            cells: Vec::new(),
            merges: Vec::new(),
            hidden_columns: BTreeSet::new(),
            hidden_rows: BTreeSet::new(),
            broken: None,
            preface: Vec::new(),
            pages: Vec::new(),
        }
    }

    /// A grid without cells that is shown as this one is.
    pub(crate) fn emptied(&self) -> Self {
        Self::new(self.sheet.clone(), self.visibility)
    }

    /// Text, one row and one cell a line.
    #[cfg(test)]
    pub(crate) fn of_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut grid = Self::new(None, Visibility::Visible);
        for (index, line) in lines.enumerate() {
            let (number, first) = (index as u32 + 1, grid.cells.len());
            let kind = if line.is_empty() { CellKind::Empty } else { CellKind::Text };
            grid.cells.push(Cell { row: number, column: 1, start: 1, text: line.into(), kind, is_formula: false });
            let cells = first..first + 1;
            grid.rows.push(Row { number, cells, field_count: Some(1), is_hidden: false, fault: None });
        }
        grid
    }

    /// Whether addresses are `line:col` of a text file instead of `A1` of a sheet.
    pub fn is_text(&self) -> bool {
        self.sheet.is_none()
    }

    /// Cells of a row.
    pub fn cells_of(&self, row: &Row) -> &[Cell] {
        &self.cells[row.cells.clone()]
    }

    /// Index in [`Grid::cells`] of a row's cell in a column.
    pub fn index_of(&self, row: &Row, column: u32) -> Option<usize> {
        let cells = self.cells_of(row);
        // A text row holds every field, so the ordinal is the place.
        let guess = (column as usize).wrapping_sub(1);
        if cells.get(guess).is_some_and(|cell| cell.column == column) {
            return Some(row.cells.start + guess);
        }
        cells.binary_search_by_key(&column, |cell| cell.column).ok().map(|index| row.cells.start + index)
    }

    /// The cell of a row in a column.
    pub fn cell(&self, row: &Row, column: u32) -> Option<&Cell> {
        self.index_of(row, column).map(|index| &self.cells[index])
    }

    /// Text of a row's cell in a column, empty where there is none.
    pub fn text(&self, row: &Row, column: u32) -> &str {
        self.cell(row, column).map(|cell| &*cell.text).unwrap_or_default()
    }

    /// Address of a cell for readers.
    pub fn address(&self, row: u32, start: u32) -> String {
        Address { row, column: start, is_text: self.is_text() }.to_string()
    }

    /// Address of a line of the preface for readers: line and character of the file.
    pub fn preface_address(line: &Cell) -> String {
        Address { row: line.row, column: line.start, is_text: true }.to_string()
    }

    /// The rows of each page, in order; one page where the format has none.
    pub fn page_rows(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let starts = std::iter::once(0).chain(self.pages.iter().copied());
        let ends = self.pages.iter().copied().chain([self.rows.len()]);
        starts.zip(ends).map(|(start, end)| start..end)
    }
}

/// `(10, 4)` → `D10`.
pub fn a1_address(row: u32, column: u32) -> String {
    Address { row, column, is_text: false }.to_string()
}
