//! Workbooks written record by record: what they become, and which are refused.

use std::io::Write;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::reader::{CellKind, Visibility, read_document};

fn record(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = if kind < 0x80 { vec![kind as u8] } else { vec![kind as u8 | 0x80, (kind >> 7) as u8] };
    assert!(body.len() < 0x80, "one byte of length");
    bytes.push(body.len() as u8);
    bytes.extend_from_slice(body);
    bytes
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut bytes = numbers(&[units.len() as u32]);
    bytes.extend(units.into_iter().flat_map(u16::to_le_bytes));
    bytes
}

fn row(number: u32, is_hidden: bool) -> Vec<u8> {
    let mut body = numbers(&[number, 0]);
    body.extend([0, 0, 0, if is_hidden { 0x10 } else { 0 }, 0, 0, 0, 0, 0]);
    record(ROW_HEADER, &body)
}

/// A cell with its column, its style and its value.
fn cell(kind: u16, column: u32, value: &[u8]) -> Vec<u8> {
    record(kind, &[numbers(&[column, 0]).as_slice(), value].concat())
}

fn workbook(rows: &[u8], after: &[u8]) -> Vec<u8> {
    workbook_with(rows, after, None)
}

fn workbook_with(rows: &[u8], after: &[u8], styles: Option<&[u8]>) -> Vec<u8> {
    let sheet = [
        record(0x81, &[]),
        record(0x94, &numbers(&[0, 0, 0, 0])),
        record(COLUMN, &[numbers(&[4, 5, 0, 0]).as_slice(), &[1, 0]].concat()),
        record(0x91, &[]),
        rows.to_vec(),
        record(0x92, &[]),
        after.to_vec(),
        record(0x82, &[]),
    ]
    .concat();
    let book = [
        record(0x83, &[]),
        record(0x99, &[0; 8]),
        record(0x8F, &[]),
        record(SHEET, &[numbers(&[1, 1]), wide("rId1"), wide("表一")].concat()),
        record(0x90, &[]),
        record(0x9D, &[0; 4]),
        record(0x84, &[]),
    ]
    .concat();
    let strings =
        [record(0x9F, &numbers(&[1, 1])), record(SHARED_STRING, &[&[0][..], &wide("东区")].concat())].concat();
    let relations = "<Relationships><Relationship Id=\"rId1\" Target=\"worksheets/sheet1.bin\"/></Relationships>";
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let styles = styles.map(|styles| ("xl/styles.bin", styles));
    for (name, part) in [
        ("xl/workbook.bin", book.as_slice()),
        ("xl/_rels/workbook.bin.rels", relations.as_bytes()),
        ("xl/worksheets/sheet1.bin", &sheet),
        ("xl/sharedStrings.bin", &strings),
    ]
    .into_iter()
    .chain(styles)
    {
        writer.start_file(name, SimpleFileOptions::default()).expect("an entry");
        writer.write_all(part).expect("written");
    }
    writer.finish().expect("a container").into_inner()
}

#[test]
fn cells_merges_and_hidden_rows_have_their_places() {
    let rows = [
        row(0, false),
        cell(0x07, 0, &numbers(&[0])),
        cell(0x05, 1, &12.5_f64.to_le_bytes()),
        row(2, true),
        cell(0x06, 1, &wide("限额")),
        cell(FORMULA_ERROR, 2, &[0x2A, 0, 0, 0, 0, 0, 0]),
    ]
    .concat();
    let document = read_document(&workbook(&rows, &record(MERGE, &numbers(&[0, 1, 0, 3]))), &Limits::default());
    let document = document.expect("reads");
    assert_eq!(document.format, Format::Xlsb);
    let grid = &document.grids[0];
    assert_eq!((grid.sheet.as_deref(), grid.visibility), (Some("表一"), Visibility::Hidden));
    let cells: Vec<String> =
        grid.cells.iter().map(|cell| format!("{} {}", grid.address(cell.row, cell.start), cell.text)).collect();
    assert_eq!(cells, ["A1 东区", "B1 12.5", "B3 限额", "C3 #N/A"]);
    assert_eq!((grid.cells[3].kind, grid.cells[3].is_formula), (CellKind::Error, true));
    assert_eq!(grid.merges, [Merge { top: 1, left: 1, bottom: 2, right: 4 }]);
    assert_eq!(grid.hidden_rows.iter().copied().collect::<Vec<_>>(), [3]);
    assert_eq!(grid.hidden_columns.iter().copied().collect::<Vec<_>>(), [5, 6]);
}

#[test]
fn numbers_in_per_cent_are_what_they_show() {
    // Two styles: General, and one of the declared format 164.
    let style = |format: u32| record(STYLE, &numbers(&[format << 16, 0, 0, 0]));
    let styles = [
        record(0x0267, &numbers(&[1])),
        record(FORMAT, &[&164_u16.to_le_bytes()[..], &wide("0.0%")].concat()),
        record(0x0268, &[]),
        record(BEGIN_STYLES, &numbers(&[2])),
        style(0),
        style(164),
        record(END_STYLES, &[]),
    ]
    .concat();
    let styled =
        |column: u32, value: f64| record(0x05, &[numbers(&[column, 1]).as_slice(), &value.to_le_bytes()].concat());
    let rows = [row(0, false), cell(0x05, 0, &0.04_f64.to_le_bytes()), styled(1, 0.04), styled(2, -0.0425)].concat();
    let document = read_document(&workbook_with(&rows, &[], Some(&styles)), &Limits::default()).expect("reads");
    let texts: Vec<&str> = document.grids[0].cells.iter().map(|cell| &*cell.text).collect();
    assert_eq!(texts, ["0.04", "4.0%", "-4.25%"]);
}

#[test]
fn records_that_lie_are_refused() {
    let far = [row(0x0020_0000, false), cell(0x05, 1, &1_f64.to_le_bytes())].concat();
    let string = [row(0, false), cell(0x07, 0, &numbers(&[99_999_999]))].concat();
    let column = [row(0, false), cell(0x05, 20_000, &1_f64.to_le_bytes())].concat();
    let cut = [row(0, false), vec![0x05, 0xFF, 0xFF, 0xFF, 0x7F]].concat();
    for rows in [far, string, column, cut] {
        let read = read_document(&workbook(&rows, &[]), &Limits::default());
        assert!(matches!(read, Err(ReadError::DamagedWorkbook { .. })), "{read:?}");
    }
}
