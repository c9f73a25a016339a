//! Cells that a feed fills: from the cell above them inside a vertical merge or always, and from the left inside a horizontal one.
//!
//! Only where the feed declares it: a blank cell below a text is as often a fact of its own. The place of a filled figure is
//! that of the cell which holds it.

use std::collections::{HashMap, HashSet};

use super::bind::Binding;
use super::text::is_filled;
use crate::feed::{Feed, FillDown};
use crate::reader::Grid;

/// Which cell stands for a blank one.
#[derive(Debug, Default)]
pub(crate) struct Fills {
    /// Index of the cell by index of the row and column.
    cells: HashMap<(usize, u32), usize>,
}

impl Fills {
    /// The fills of a table's columns.
    pub fn of(feed: &Feed, grid: &Grid, binding: &Binding) -> Self {
        let labels = feed.labels.iter().filter_map(|label| Some((*binding.labels.get(&label.role)?, label.fill_down?)));
        let values = binding.values.iter();
        let values = values.filter_map(|value| Some((value.header.column, feed.values[value.rule].fill_down?)));
        let mut fills = Self::default();
        let columns: Vec<(u32, FillDown)> = labels.chain(values).collect();
        let body = grid.rows.partition_point(|row| row.number <= binding.header_rows.1);
        for (column, _) in columns.iter().filter(|(_, fill)| *fill == FillDown::Blank) {
            fills.fill_blanks(grid, body, *column);
        }
        let merged: HashSet<u32> =
            columns.iter().filter(|(_, fill)| *fill == FillDown::Merged).map(|(column, _)| *column).collect();
        for merge in grid.merges.iter().filter(|merge| merge.bottom > merge.top && merged.contains(&merge.left)) {
            let first = grid.rows.partition_point(|row| row.number < merge.top);
            let Some(top) = grid.rows.get(first).filter(|row| row.number == merge.top && first >= body) else {
                continue;
            };
            let Some(cell) = grid.index_of(top, merge.left) else { continue };
            for (index, row) in grid.rows.iter().enumerate().skip(first + 1) {
                if row.number > merge.bottom {
                    break;
                }
                fills.fill(grid, index, merge.left, cell);
            }
        }
        let right = feed.labels.iter().filter(|label| label.fill_right);
        for column in right.filter_map(|label| binding.labels.get(&label.role)) {
            fills.fill_right(grid, body, *column);
        }
        fills
    }

    fn fill_right(&mut self, grid: &Grid, body: usize, column: u32) {
        for merge in grid.merges.iter().filter(|merge| merge.left < column && column <= merge.right) {
            let first = grid.rows.partition_point(|row| row.number < merge.top);
            let Some(top) = grid.rows.get(first).filter(|row| row.number == merge.top && first >= body) else {
                continue;
            };
            let Some(cell) = grid.index_of(top, merge.left) else { continue };
            for (index, _) in grid.rows.iter().enumerate().skip(first).take_while(|(_, row)| row.number <= merge.bottom)
            {
                self.fill(grid, index, column, cell);
            }
        }
    }

    fn fill_blanks(&mut self, grid: &Grid, body: usize, column: u32) {
        let mut above = None;
        for (index, row) in grid.rows.iter().enumerate().skip(body) {
            match grid.index_of(row, column) {
                Some(cell) if is_filled(&grid.cells[cell].text) => above = Some(cell),
                _ => {
                    if let Some(cell) = above {
                        self.fill(grid, index, column, cell);
                    }
                }
            }
        }
    }

    fn fill(&mut self, grid: &Grid, row: usize, column: u32, cell: usize) {
        if !is_filled(grid.text(&grid.rows[row], column)) {
            self.cells.insert((row, column), cell);
        }
    }

    /// Index of the cell that stands in a row's column.
    pub fn index(&self, grid: &Grid, row: usize, column: u32) -> Option<usize> {
        if !self.cells.is_empty()
            && let Some(cell) = self.cells.get(&(row, column))
        {
            return Some(*cell);
        }
        grid.index_of(&grid.rows[row], column)
    }

    /// Text of a row's column.
    pub fn text<'a>(&self, grid: &'a Grid, row: usize, column: u32) -> &'a str {
        self.index(grid, row, column).map(|cell| &*grid.cells[cell].text).unwrap_or_default()
    }
}
