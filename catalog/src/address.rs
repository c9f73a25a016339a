//! Addresses of cells, as a workbook or a text editor shows them.

use std::fmt::{self, Display, Formatter};

/// Where a value stands. It shows itself as `D10` in a sheet and as `10:35`, line and character, in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// Row of the sheet or line of the text, from 1.
    pub row: u32,
    /// Column of the sheet or character of the line, from 1.
    pub column: u32,
    /// Whether it is a text without columns.
    pub is_text: bool,
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.is_text {
            true => write!(f, "{}:{}", self.row, self.column),
            false => write!(f, "{}{}", column_letters(self.column), self.row),
        }
    }
}

/// Letters of a column, `A` for 1, `AA` for 27; none for 0.
pub fn column_letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column;
    while rest > 0 {
        letters.push(b'A' + ((rest - 1) % 26) as u8);
        rest = (rest - 1) / 26;
    }
    letters.reverse();
    letters.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_on_after_z() {
        let sheet = |row, column| Address { row, column, is_text: false }.to_string();
        assert_eq!([sheet(10, 4), sheet(1, 26), sheet(1, 27)], ["D10", "Z1", "AA1"]);
        assert_eq!(sheet(1_048_576, 16_384), "XFD1048576");
        assert_eq!(Address { row: 10, column: 35, is_text: true }.to_string(), "10:35");
    }
}
