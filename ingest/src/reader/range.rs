//! Sheets of formats whose reader gives them whole: binary workbooks and OpenDocument spreadsheets.
//!
//! Such a reader allocates by the corners of the used cells; the passes before it bound these.

use std::fmt::Display;
use std::io::{Read, Seek};

use calamine::{Data, DataRef, Reader};

use super::xlsx::{content, damaged, index_rows};
use super::{Cell, Grid, ReadError};
use crate::Limits;

/// Reads the cells of a sheet into its grid.
pub(super) fn read_cells<RS, R>(
    workbook: &mut R,
    sheet: &str,
    grid: &mut Grid,
    cells_left: usize,
    limits: &Limits,
) -> Result<(), ReadError>
where
    RS: Read + Seek,
    R: Reader<RS>,
    R::Error: Display,
{
    let range = workbook.worksheet_range(sheet).map_err(|error| damaged(Some(sheet), &error.to_string()))?;
    let formulas = workbook.worksheet_formula(sheet).ok();
    let target = Target { sheet, cells_left, limits };
    // Cells are counted from the first one that is used.
    let Some((top, left)) = range.start() else { return Ok(()) };
    for (row, column, value) in range.used_cells() {
        let (row, column) = (row as u32 + top, column as u32 + left);
        let has_formula = |formulas: &calamine::Range<String>| {
            formulas.get_value((row, column)).is_some_and(|formula| !formula.is_empty())
        };
        let is_formula = formulas.as_ref().is_some_and(has_formula);
        target.push(grid, (row + 1, column + 1), &borrowed(value), is_formula)?;
    }
    index_rows(sheet, grid)
}

/// The sheet that takes cells, and how many and how long they may be.
pub(super) struct Target<'a> {
    pub sheet: &'a str,
    pub cells_left: usize,
    pub limits: &'a Limits,
}

impl Target<'_> {
    /// Adds a cell, counted from 1, unless it only has a style.
    pub fn push(
        &self,
        grid: &mut Grid,
        (row, column): (u32, u32),
        value: &DataRef<'_>,
        is_formula: bool,
    ) -> Result<(), ReadError> {
        let Some((text, kind)) = content(value, is_formula) else { return Ok(()) };
        let most = self.limits.cell_chars;
        if text.len() > most && text.chars().count() > most {
            let what = format!("sheet {}, cell {}: characters", self.sheet, super::a1_address(row, column));
            return Err(ReadError::TooLarge { what, found: text.chars().count() as u64, limit: most as u64 });
        }
        if grid.cells.len() >= self.cells_left {
            let limit = self.limits.cells as u64;
            return Err(ReadError::TooLarge { what: "cells".into(), found: limit + 1, limit });
        }
        grid.cells.push(Cell { row, column, start: column, text: text.into(), kind, is_formula });
        Ok(())
    }
}

fn borrowed(value: &Data) -> DataRef<'_> {
    match value {
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(value) => DataRef::Bool(*value),
        Data::DateTime(moment) => DataRef::DateTime(*moment),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}
