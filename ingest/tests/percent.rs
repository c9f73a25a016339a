//! Cells that a workbook shows in per cent are read as they are shown.

mod common;

#[path = "common/containers.rs"]
mod containers;

use common::{suite, text};
use containers::compound;
use gongkai_ingest::{Format, Limits, read_document};
use rust_xlsxwriter::{Format as Style, Workbook};

fn texts(book: &[u8], format: Format) -> Vec<String> {
    let document = read_document(book, &Limits::default()).expect("reads");
    assert_eq!(document.format, format);
    document.grids[0].cells.iter().map(|cell| cell.text.to_string()).collect()
}

#[test]
fn a_workbooks_numbers_in_per_cent_are_what_they_show() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let style = |code: &str| Style::new().set_num_format(code);
    sheet.write(0, 0, "权重").expect("written");
    // The two formats that need no declaration, a declared one, and others that are no per cent.
    for (row, code, value) in [
        (1, "0.00%", 0.04),
        (2, "0%", 0.04),
        (3, "0%", 0.0425),
        (4, "0.0%;[Red]-0.0%", -0.5),
        (5, "0.00", 0.04),
        (6, "General", 0.04),
        (7, "0.00\"%\"", 4.0),
    ] {
        sheet.write_with_format(row, 0, value, &style(code)).expect("written");
    }
    // A text stays as it is, whatever the format of its cell.
    sheet.write_with_format(8, 0, "4%", &style("0.00%")).expect("written");
    let book = workbook.save_to_buffer().expect("a workbook");
    assert_eq!(texts(&book, Format::Xlsx), ["权重", "4.00%", "4%", "4.25%", "-50.0%", "0.04", "0.04", "4", "4%"]);
}

#[test]
fn so_are_those_of_a_binary_workbook() {
    let record = |kind: u16, body: &[u8]| {
        let length = u16::try_from(body.len()).expect("a short record");
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), body].concat()
    };
    let bof = |kind: u16| record(0x0809, &[&[0, 6][..], &kind.to_le_bytes(), &[0; 12]].concat());
    let style = |format: u16| record(0x00E0, &[&[0, 0][..], &format.to_le_bytes(), &[0; 16]].concat());
    // A format with one byte for each character, and the styles: General, 0.00%, the declared one.
    let declared = record(0x041E, &[&[164, 0, 4, 0, 0][..], b"0.0%"].concat());
    let styles = [declared, style(0), style(10), style(164)].concat();
    let mut globals = [bof(5), styles].concat();
    let offset = u32::try_from(globals.len() + 4 + 10 + 4).expect("a short stream");
    globals.extend(record(0x0085, &[&offset.to_le_bytes()[..], &[0, 0, 2, 0], b"s1"].concat()));
    globals.extend(record(0x000A, &[]));
    let place = |column: u16, style: u16| [[0, 0], column.to_le_bytes(), style.to_le_bytes()].concat();
    let number = |column: u16, style: u16, value: f64| {
        record(0x0203, &[place(column, style).as_slice(), &value.to_le_bytes()].concat())
    };
    // A row of short numbers: 25 and 4 of the declared style and of none, each 100 times too large (bit 0) and whole (bit 1).
    let short = |style: u16, whole: u32| [&style.to_le_bytes()[..], &(whole << 2 | 3).to_le_bytes()].concat();
    let several = [&[0, 0, 3, 0][..], &short(2, 25), &short(0, 4), &[4, 0]].concat();
    let sheet = [
        bof(0x10),
        number(0, 0, 0.04),
        number(1, 1, 0.04),
        number(2, 2, -0.0425),
        record(0x00BD, &several),
        record(0x000A, &[]),
    ]
    .concat();
    let book = compound(&[("/Workbook", &[globals, sheet].concat())]);
    assert_eq!(texts(&book, Format::Xls), ["0.04", "4.00%", "-4.25%", "25.0%", "0.04"]);
}

#[test]
fn a_weight_of_4_per_cent_is_4_and_not_a_25th_of_1() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, "攀枝花市政务公开考核权重表").expect("written");
    for (column, header) in ["地区", "年度", "权重"].into_iter().enumerate() {
        sheet.write(1, column as u16, header).expect("written");
    }
    sheet.write(2, 0, "米易县").expect("written");
    sheet.write(2, 1, 2020).expect("written");
    sheet.write_with_format(2, 2, 0.04, &Style::new().set_num_format("0.00%")).expect("written");
    let shaped = suite().shaped(&workbook.save_to_buffer().expect("a workbook"));
    assert_eq!(text(&shaped.batch, "weight_pct", 0).as_deref(), Some("4.00"));
}
