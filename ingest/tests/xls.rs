//! Binary workbooks: what is hidden is told, and what is harmful is refused.
//!
//! `fixtures/hidden.xls` is made up: two sheets, the second hidden; in the first a merged title, column A and row 4 hidden.

use gongkai_ingest::reader::{CellKind, Visibility};
use gongkai_ingest::{Format, Limits, ReadError, read_document};

const BOOK: &[u8] = include_bytes!("fixtures/hidden.xls");

/// Where a record of that kind begins in the file, head included.
fn record(kind: u16) -> usize {
    let head = kind.to_le_bytes();
    // Records stand one after another from the beginning of the stream, which begins with the first BOF.
    let start = BOOK.windows(4).position(|four| four == [0x09, 0x08, 0x10, 0x00]).expect("a BOF");
    let mut at = start;
    while BOOK[at..at + 2] != head {
        at += 4 + usize::from(u16::from_le_bytes([BOOK[at + 2], BOOK[at + 3]]));
    }
    at
}

#[test]
fn hidden_rows_columns_and_sheets_are_told() {
    let document = read_document(BOOK, &Limits::default()).expect("reads");
    assert_eq!((document.format, document.grids.len()), (Format::Xls, 2));
    let (first, second) = (&document.grids[0], &document.grids[1]);
    assert_eq!((first.sheet.as_deref(), first.visibility), (Some("表 一"), Visibility::Visible));
    assert_eq!(second.visibility, Visibility::Hidden);
    assert!(first.hidden_columns.iter().eq([&1]) && first.hidden_rows.iter().eq([&4]));
    let hidden: Vec<_> = first.rows.iter().filter(|row| row.is_hidden).map(|row| row.number).collect();
    assert_eq!(hidden, [4]);
    assert_eq!((first.merges[0].left, first.merges[0].right), (1, 3));
    let text = |row: usize, column: u32| first.text(&first.rows[row], column);
    assert_eq!((text(0, 1), text(2, 3), text(3, 3), text(4, 3)), ("2024年示例", "12.5", "-3", "0"));
    let figure = first.cell(&first.rows[2], 3).expect("a cell");
    assert_eq!(
        (figure.kind, figure.is_formula, first.address(figure.row, figure.start).as_str()),
        (CellKind::Number, false, "C3")
    );
}

#[test]
fn a_workbook_cut_anywhere_is_refused_or_read_and_never_stops_the_program() {
    for length in (8..BOOK.len()).step_by(61) {
        // A cut behind the last record can leave a workbook that reads.
        if let Err(error) = read_document(&BOOK[..length], &Limits::default()) {
            assert!(!error.to_string().is_empty());
        }
    }
    assert!(matches!(read_document(&BOOK[..600], &Limits::default()), Err(ReadError::DamagedWorkbook { .. })));
}

#[test]
fn a_sheet_that_claims_to_be_endless_is_refused_before_anything_is_allocated() {
    let mut book = BOOK.to_vec();
    // DIMENSIONS: rows after the last one, four bytes at offset 4 of the record's body.
    let body = record(0x0085) + 4;
    let sheet = u32::from_le_bytes([BOOK[body], BOOK[body + 1], BOOK[body + 2], BOOK[body + 3]]) as usize;
    let start = BOOK.windows(4).position(|four| four == [0x09, 0x08, 0x10, 0x00]).expect("a BOF") + sheet;
    let mut at = start;
    while book[at..at + 2] != 0x0200_u16.to_le_bytes() {
        at += 4 + usize::from(u16::from_le_bytes([book[at + 2], book[at + 3]]));
    }
    book[at + 8..at + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(read_document(&book, &Limits::default()), Err(ReadError::TooLarge { .. })));
}

#[test]
fn a_compound_file_that_is_no_workbook_is_unknown() {
    let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).expect("creates");
    std::io::Write::write_all(&mut file.create_stream("/WordDocument").expect("creates"), b"text").expect("writes");
    let bytes = file.into_inner().into_inner();
    let document = read_document(&bytes, &Limits::default()).expect("recognised");
    assert!(document.grids.is_empty());

    let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).expect("creates");
    std::io::Write::write_all(&mut file.create_stream("/EncryptedPackage").expect("creates"), b"secret")
        .expect("writes");
    let error = read_document(&file.into_inner().into_inner(), &Limits::default()).expect_err("refused").to_string();
    assert!(error.contains("password"), "{error}");
}
