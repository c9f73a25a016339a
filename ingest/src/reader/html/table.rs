//! One table of a page to a grid, its spans expanded.
//!
//! A cell stands in the first column that no span from above covers. Spans become merged ranges with the text
//! in their first cell, as in a workbook; they end with their group of rows, whatever they ask for.

use super::flow::Flow;
use crate::Limits;
use crate::reader::{Cell, CellKind, Grid, Merge, ReadError, Row, Visibility};

/// A table while it is read.
pub(super) struct Table {
    grid: Grid,
    /// Row being read, 0 before the first.
    row: u32,
    /// First column that may be free.
    column: u32,
    /// Last row that spans cover in each column, and the last of these.
    covered: Vec<u32>,
    last_covered: u32,
    /// First merged range and first cell of the group of rows and of the row.
    group_merges: usize,
    row_cells: usize,
    open: Option<OpenCell>,
    /// Cells that were begun.
    begun: usize,
}

struct OpenCell {
    left: u32,
    flow: Flow,
}

/// Rows and columns that a cell asks for.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub rows: u32,
    pub columns: u32,
}

impl Span {
    /// As written in the tag: no number is 1; no rows are all that remain in the group.
    pub fn parse(colspan: Option<&str>, rowspan: Option<&str>, limits: &Limits) -> Result<Self, ReadError> {
        let (columns, rows) = (leading_number(colspan), leading_number(rowspan));
        let limit = limits.html_span;
        for (what, asked) in [("columns that one cell spans", columns), ("rows that one cell spans", rows)] {
            if asked > limit {
                return Err(ReadError::TooLarge { what: what.into(), found: asked.into(), limit: limit.into() });
            }
        }
        Ok(Self { rows: if rows == 0 { limit } else { rows }, columns: columns.max(1) })
    }

    /// Cells that it covers.
    pub fn area(self) -> usize {
        self.rows as usize * self.columns as usize
    }
}

fn leading_number(written: Option<&str>) -> u32 {
    let Some(written) = written.map(str::trim_start) else { return 1 };
    let digits = written.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return 1;
    }
    written[..digits].parse().unwrap_or(u32::MAX)
}

impl Table {
    /// The table with the number `number` in the order of the page, from 1.
    pub fn new(number: usize, preface: Vec<Cell>) -> Self {
        let mut grid = Grid::new(Some(format!("table {number}")), Visibility::Visible);
        grid.preface = preface;
        Self {
            grid,
            row: 0,
            column: 1,
            covered: Vec::new(),
            last_covered: 0,
            group_merges: 0,
            row_cells: 0,
            open: None,
            begun: 0,
        }
    }

    pub fn start_row(&mut self) {
        self.row += 1;
        self.column = 1;
        self.row_cells = self.grid.cells.len();
    }

    pub fn start_cell(&mut self, span: Span, limits: &Limits) -> Result<(), ReadError> {
        while self.covered.get(self.column as usize - 1).is_some_and(|covered| *covered >= self.row) {
            self.column += 1;
        }
        let (left, right) = (self.column, self.column + span.columns - 1);
        if right as usize > limits.fields {
            let what = format!("{}, row {}: columns", self.grid.sheet.as_deref().unwrap_or_default(), self.row);
            return Err(ReadError::TooLarge { what, found: right.into(), limit: limits.fields as u64 });
        }
        let bottom = self.row.saturating_add(span.rows - 1);
        if self.covered.len() < right as usize {
            self.covered.resize(right as usize, 0);
        }
        for covered in &mut self.covered[left as usize - 1..right as usize] {
            *covered = bottom.max(*covered);
        }
        self.last_covered = self.last_covered.max(bottom);
        if span.area() > 1 {
            self.grid.merges.push(Merge { top: self.row, left, bottom, right });
        }
        self.column = right + 1;
        self.begun += 1;
        self.open = Some(OpenCell { left, flow: Flow::default() });
        Ok(())
    }

    /// Text that the open cell has taken so far; none where no cell is open.
    pub fn flow(&mut self) -> Option<&mut Flow> {
        self.open.as_mut().map(|cell| &mut cell.flow)
    }

    pub fn end_cell(&mut self, limits: &Limits) -> Result<(), ReadError> {
        let Some(mut cell) = self.open.take() else { return Ok(()) };
        let Some((text, _)) = cell.flow.take() else { return Ok(()) };
        let (row, column) = (self.row, cell.left);
        let characters = text.chars().count();
        if characters > limits.cell_chars {
            let address = self.grid.address(row, column);
            let what = format!("{}, cell {address}: characters", self.grid.sheet.as_deref().unwrap_or_default());
            return Err(ReadError::TooLarge { what, found: characters as u64, limit: limits.cell_chars as u64 });
        }
        let kind = CellKind::Text;
        self.grid.cells.push(Cell { row, column, start: column, text: text.into(), kind, is_formula: false });
        Ok(())
    }

    pub fn end_row(&mut self) {
        let cells = self.row_cells..self.grid.cells.len();
        self.row_cells = cells.end;
        if !cells.is_empty() {
            self.grid.rows.push(Row { number: self.row, cells, field_count: None, is_hidden: false, fault: None });
        }
    }

    /// Ends the spans that reach beyond the group of rows.
    pub fn end_group(&mut self) {
        let row = self.row.max(1);
        if self.last_covered > row {
            self.covered.iter_mut().for_each(|covered| *covered = row.min(*covered));
            self.last_covered = row;
        }
        let mut merges = self.grid.merges.split_off(self.group_merges);
        merges.iter_mut().for_each(|merge| merge.bottom = row.min(merge.bottom));
        merges.retain(|merge| (merge.top, merge.left) != (merge.bottom, merge.right));
        self.grid.merges.append(&mut merges);
        self.group_merges = self.grid.merges.len();
    }

    /// Cells so far.
    pub fn len(&self) -> usize {
        self.grid.cells.len()
    }

    /// The text of a table that has one cell only: what an editor pasted into a cell of another table.
    pub fn only_text(&self) -> Option<&str> {
        match &self.grid.cells[..] {
            [cell] if self.begun == 1 => Some(&cell.text),
            _ => None,
        }
    }

    /// A caption of the table, which stands before its rows.
    pub fn caption(&mut self, line: Cell) {
        self.grid.preface.push(line);
        let surplus = self.grid.preface.len().saturating_sub(crate::reader::PREFACE_LINES);
        self.grid.preface.drain(..surplus);
    }

    pub fn into_grid(mut self) -> Grid {
        self.end_group();
        self.grid
    }
}
