//! A window of a file's cells, for a person who wants to see where a figure stands.

use gongkai_catalog::column_letters;
use serde::{Deserialize, Serialize};

use crate::Limits;
use crate::reader::{CellKind, Grid, ReadError, read_document};

/// Most rows of a window.
pub const MOST_ROWS: u32 = 100;
/// Most columns of a window.
pub const MOST_COLUMNS: u32 = 50;

/// Which cells. Rows and columns from 1, both ends included; of a text file, rows are lines and columns are fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WindowQuery {
    /// Name of the sheet; none for text files.
    pub sheet: Option<String>,
    /// First row.
    pub top: u32,
    /// Last row.
    pub bottom: u32,
    /// First column.
    pub left: u32,
    /// Last column.
    pub right: u32,
}

/// The cells of a window, empty ones left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellWindow {
    /// Name of the sheet; none for text files.
    pub sheet: Option<String>,
    /// First and last column.
    pub columns: (u32, u32),
    /// Columns of the window that the sheet hides.
    pub hidden_columns: Vec<u32>,
    /// Rows that hold something.
    pub rows: Vec<WindowRow>,
}

/// One row of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRow {
    /// Row of the sheet, or line of the text file; 0 for the header that keys of JSON make.
    pub number: u32,
    /// Whether the sheet hides it.
    pub is_hidden: bool,
    /// Its cells.
    pub cells: Vec<WindowCell>,
}

/// One cell of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowCell {
    /// Column of the sheet, or number of the field.
    pub column: u32,
    /// Address: A1, or line:character.
    pub address: String,
    /// Content as it stands in the file.
    pub text: String,
    /// `text`, `number`, `boolean`, `date`, `error` or `empty`.
    pub kind: String,
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It has no such sheet.
    #[error("no sheet {found:?}; the file has {expected}")]
    NoSheet {
        /// What was asked for.
        found: String,
        /// What there is.
        expected: String,
    },
}

/// Reads a window of a file.
///
/// # Errors
///
/// The file cannot be read, or has no such sheet.
pub fn read_window(bytes: &[u8], query: &WindowQuery, limits: &Limits) -> Result<CellWindow, WindowError> {
    let document = read_document(bytes, limits)?;
    let grids: Vec<&Grid> = document.grids.iter().filter(|grid| grid.sheet == query.sheet).collect();
    if grids.is_empty() {
        let names: Vec<&str> = document.grids.iter().filter_map(|grid| grid.sheet.as_deref()).collect();
        let expected = if names.is_empty() { "no sheets".to_owned() } else { names.join(", ") };
        return Err(WindowError::NoSheet { found: query.sheet.clone().unwrap_or_default(), expected });
    }
    let bottom = query.bottom.min(query.top.saturating_add(MOST_ROWS - 1));
    let right = query.right.min(query.left.saturating_add(MOST_COLUMNS - 1));
    let mut window = CellWindow {
        sheet: query.sheet.clone(),
        columns: (query.left, right),
        hidden_columns: Vec::new(),
        rows: Vec::new(),
    };
    for grid in grids {
        window.hidden_columns.extend(grid.hidden_columns.range(query.left..=right));
        let is_header = |number: u32| number == 0;
        let rows = grid.rows.iter().filter(|row| (query.top..=bottom).contains(&row.number) || is_header(row.number));
        // Tables of one JSON file that lie elsewhere in it give their header only.
        let rows: Vec<_> = rows.take(MOST_ROWS as usize).collect();
        if rows.iter().all(|row| is_header(row.number)) && document.grids.len() > 1 {
            continue;
        }
        window.rows.extend(rows.into_iter().map(|row| {
            WindowRow {
                number: row.number,
                is_hidden: row.is_hidden,
                cells: grid
                    .cells_of(row)
                    .iter()
                    .filter(|cell| (query.left..=right).contains(&cell.column))
                    .map(|cell| WindowCell {
                        column: cell.column,
                        address: grid.address(cell.row, cell.start),
                        text: cell.text.to_string(),
                        kind: kind_name(cell.kind).to_owned(),
                    })
                    .collect(),
            }
        }));
    }
    Ok(window)
}

fn kind_name(kind: CellKind) -> &'static str {
    match kind {
        CellKind::Text => "text",
        CellKind::Number => "number",
        CellKind::Boolean => "boolean",
        CellKind::Date => "date",
        CellKind::Error => "error",
        CellKind::Empty => "empty",
    }
}

/// `A1` → row 1, column 1.
pub fn parse_a1(address: &str) -> Option<(u32, u32)> {
    let digits = address.find(|character: char| character.is_ascii_digit())?;
    let (letters, row) = address.split_at(digits);
    let is_column = (1..=3).contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_uppercase());
    // More letters than a sheet has columns would not fit into the number.
    if !is_column {
        return None;
    }
    let column = letters.bytes().fold(0_u32, |column, letter| column * 26 + u32::from(letter - b'A') + 1);
    let row = row.parse().ok().filter(|row| *row > 0)?;
    Some((row, column))
}

/// Letters of a column, as a heading.
pub fn heading(column: u32) -> String {
    column_letters(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(top: u32, bottom: u32) -> WindowQuery {
        WindowQuery { sheet: None, top, bottom, left: 1, right: 3 }
    }

    #[test]
    fn a_window_holds_the_asked_lines_and_fields_with_their_addresses() {
        let window =
            read_window("a,b,c,d\n1,2,3,4\n5,6,7,8\n".as_bytes(), &query(2, 2), &Limits::default()).expect("reads");
        assert_eq!(window.rows.len(), 1);
        let shown: Vec<_> =
            window.rows[0].cells.iter().map(|cell| (cell.address.as_str(), cell.text.as_str())).collect();
        assert_eq!(shown, [("2:1", "1"), ("2:3", "2"), ("2:5", "3")]);
    }

    #[test]
    fn a_window_of_json_has_the_keys_as_its_header() {
        let window = read_window(b"[{\"a\":1},\n{\"a\":2}]", &query(2, 2), &Limits::default()).expect("reads");
        let texts: Vec<_> =
            window.rows.iter().flat_map(|row| row.cells.iter().map(|cell| cell.text.as_str())).collect();
        assert_eq!(texts, ["a", "2"]);
    }

    #[test]
    fn a_sheet_that_is_not_there_is_named_with_those_that_are() {
        let asked = WindowQuery { sheet: Some("x".into()), ..query(1, 1) };
        let error = read_window(b"a,b\n1,2\n", &asked, &Limits::default()).expect_err("refused").to_string();
        assert_eq!(error, "no sheet \"x\"; the file has no sheets");
    }

    #[test]
    fn addresses_are_read_back() {
        assert_eq!(parse_a1("D10"), Some((10, 4)));
        assert_eq!(parse_a1("AA1"), Some((1, 27)));
        for text in ["", "10", "D", "D0", "d1", "ABCD1", "ABCDEFGHIJ1", "\u{16}÷÷d6"] {
            assert_eq!(parse_a1(text), None, "{text}");
        }
    }
}
