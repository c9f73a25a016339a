//! Behaviour of the text reader.

use super::*;
use crate::reader::text::read_text;

fn grid(text: &str) -> Grid {
    read_text(text.as_bytes(), &Limits::default()).expect("a readable text").grids.remove(0)
}

fn places(grid: &Grid) -> Vec<(String, &str)> {
    grid.cells.iter().map(|cell| (grid.address(cell.row, cell.start), &*cell.text)).collect()
}

#[test]
fn every_field_knows_its_line_and_character() {
    let grid = grid("\u{FEFF}城市,值\r\n\r\n攀枝花,\"1,2\"\r\n凉山州,\n");
    let expected = [("1:1", "城市"), ("1:4", "值"), ("3:1", "攀枝花"), ("3:6", "1,2"), ("4:1", "凉山州"), ("4:5", "")];
    let found = places(&grid);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((address, text), (expected_address, expected_text)) in found.iter().zip(expected) {
        assert_eq!((address.as_str(), *text), (expected_address, expected_text));
    }
    assert_eq!(grid.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 3, 4]);
}

#[test]
fn a_lone_carriage_return_ends_a_line() {
    assert_eq!(grid("a,b\r1,2\r").rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_quoted_line_break_moves_the_lines_after_it() {
    let grid = grid("a,b\n\"x\ny\",2\n3,4\n");
    assert_eq!(grid.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 4]);
    assert_eq!(grid.address(grid.cells[3].row, grid.cells[3].start), "3:4");
}

#[test]
fn ragged_rows_keep_their_width() {
    let widths: Vec<_> = grid("a,b,c\n1,2\n1,2,3,4\n").rows.iter().map(|row| row.field_count).collect();
    assert_eq!(widths, [Some(3), Some(2), Some(4)]);
}

#[test]
fn an_unclosed_quote_is_refused_at_the_line_where_it_opened() {
    let text = format!("a,b\n1,\"2\n{}", "3,4\n".repeat(100_000));
    let error = read_text(text.as_bytes(), &Limits::default()).expect_err("an open quote");
    assert_eq!(error, ReadError::UnclosedQuote { line: 2, column: 3 });
    let error = read_text(b"a,b\n1,\"2\n3,4\n5,\"6\"\n", &Limits::default()).expect_err("an open quote");
    assert_eq!(error, ReadError::StrayQuote { line: 2, column: 3 });
}

#[test]
fn delimiters_are_told_apart() {
    for (text, fields) in [("a;b;c\n1,5;2;3\n", 3), ("a\tb\n1\t2\n", 2), ("a|b|c|d\n", 4), ("a\n1\n", 1)] {
        assert_eq!(grid(text).rows[0].field_count, Some(fields), "{text:?}");
    }
    let declared = grid("sep=;\na;b\n");
    assert_eq!((declared.rows[0].number, declared.rows[0].field_count), (2, Some(2)));
}

#[test]
fn a_nul_byte_marks_its_line_only() {
    let faults: Vec<_> = grid("a,b\n1,\0\n3,4\n").rows.iter().map(|row| row.fault).collect();
    assert_eq!(faults, [None, Some(RowFault::NulByte), None]);
}

#[test]
fn lines_and_fields_beyond_the_limits_are_refused() {
    let wide = "x,".repeat(3_000);
    assert!(matches!(read_text(wide.as_bytes(), &Limits::default()), Err(ReadError::TooLarge { .. })));
    let long = "x".repeat(2 << 20);
    assert!(matches!(read_text(long.as_bytes(), &Limits::default()), Err(ReadError::TooLarge { .. })));
}

#[test]
fn nothing_but_blanks_is_an_empty_file() {
    assert_eq!(read_text(b" \n\n", &Limits::default()).expect_err("nothing"), ReadError::Empty);
}
