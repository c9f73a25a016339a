//! Spreadsheets written by hand: what they become, and which are refused.

use std::io::Write;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::reader::read_document;

fn spreadsheet(tables: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content><office:automatic-styles>\
         <style:style style:name=\"off\"><style:table-properties table:display=\"false\"/></style:style>\
         </office:automatic-styles><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>\
         </office:document-content>"
    );
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, part) in [
        ("mimetype", MIMETYPE),
        ("META-INF/manifest.xml", b"<manifest:manifest/>"),
        ("content.xml", content.as_bytes()),
    ] {
        writer.start_file(name, SimpleFileOptions::default()).expect("an entry");
        writer.write_all(part).expect("written");
    }
    writer.finish().expect("a container").into_inner()
}

fn read(tables: &str) -> Result<Document, ReadError> {
    read_document(&spreadsheet(tables), &Limits::default())
}

fn text(value: &str) -> String {
    format!("<table:table-cell office:value-type=\"string\"><text:p>{value}</text:p></table:table-cell>")
}

#[test]
fn cells_merges_and_hidden_rows_have_their_places() {
    let tables = format!(
        "<table:table table:name=\"表一\"><table:table-column table:number-columns-repeated=\"2\"/>\
         <table:table-column table:visibility=\"collapse\"/>\
         <table:table-row><table:table-cell table:number-columns-spanned=\"2\" office:value-type=\"string\">\
         <text:p>债务</text:p></table:table-cell><table:covered-table-cell/></table:table-row>\
         <table:table-row table:number-rows-repeated=\"3\" table:visibility=\"collapse\"><table:table-cell/>\
         </table:table-row><table:table-row><table:table-cell table:number-columns-repeated=\"2\"/>{}\
         <table:table-cell office:value-type=\"float\" office:value=\"12.5\" table:formula=\"of:=1\"/>\
         </table:table-row></table:table><table:table table:name=\"藏\" table:style-name=\"off\"><table:table-row>{}\
         </table:table-row></table:table>",
        text("东区&amp;西区"),
        text("x")
    );
    let document = read(&tables).expect("reads");
    assert_eq!(document.format, Format::Ods);
    let grid = &document.grids[0];
    let cells: Vec<String> =
        grid.cells.iter().map(|cell| format!("{} {}", grid.address(cell.row, cell.start), cell.text)).collect();
    assert_eq!(cells, ["A1 债务", "C5 东区&西区", "D5 12.5"]);
    assert!(grid.cells[2].is_formula);
    assert_eq!(grid.merges, [Merge { top: 1, left: 1, bottom: 1, right: 2 }]);
    assert_eq!(grid.hidden_rows.iter().copied().collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(grid.hidden_columns.iter().copied().collect::<Vec<_>>(), [3]);
    assert_eq!(document.grids[1].visibility, crate::reader::Visibility::Hidden);
}

#[test]
fn numbers_in_per_cent_are_what_they_show() {
    let percent = |style: &str, value: &str, repeats: u32| {
        format!(
            "<table:table-cell {style} table:number-columns-repeated=\"{repeats}\" office:value-type=\"percentage\" \
             office:value=\"{value}\"/>"
        )
    };
    let styled = "table:style-name=\"ce1\"";
    let tables = format!(
        "<number:percentage-style style:name=\"N11\"><number:number number:decimal-places=\"2\"/></number:percentage-style>\
         <style:style style:name=\"ce1\" style:data-style-name=\"N11\"/><table:table table:name=\"a\">\
         <table:table-row table:number-rows-repeated=\"2\"><table:table-cell office:value-type=\"float\" \
         office:value=\"0.04\"/>{}{}</table:table-row></table:table>",
        percent(styled, "0.04", 2),
        percent("", "0.0425", 1)
    );
    let document = read(&tables).expect("reads");
    let grid = &document.grids[0];
    let texts: Vec<String> =
        grid.cells.iter().map(|cell| format!("{}{} {}", cell.row, cell.column, cell.text)).collect();
    let row = |row: u32| ["1 0.04", "2 4.00%", "3 4.00%", "4 4.25%"].map(|cell| format!("{row}{cell}"));
    assert_eq!(texts, [row(1), row(2)].concat());
}

#[test]
fn empty_rows_to_the_end_of_the_sheet_cost_nothing() {
    let tables = format!(
        "<table:table table:name=\"a\"><table:table-row>{}</table:table-row><table:table-row \
         table:number-rows-repeated=\"1048575\"><table:table-cell table:number-columns-repeated=\"16384\"/>\
         </table:table-row></table:table>",
        text("x")
    );
    assert_eq!(read(&tables).expect("reads").grids[0].cells.len(), 1);
}

#[test]
fn repetition_is_bounded() {
    let row = |row: &str, cell: &str, value: &str| {
        format!(
            "<table:table table:name=\"a\"><table:table-row table:number-rows-repeated=\"{row}\"><table:table-cell \
             table:number-columns-repeated=\"{cell}\" office:value-type=\"string\"><text:p>{value}</text:p>\
             </table:table-cell></table:table-row></table:table>"
        )
    };
    let blank_rows = |rows: &str| {
        format!(
            "<table:table table:name=\"a\"><table:table-row>{0}</table:table-row><table:table-row \
             table:number-rows-repeated=\"{rows}\"><table:table-cell/></table:table-row><table:table-row>\
             <table:table-cell table:number-columns-repeated=\"16383\"/>{0}</table:table-row></table:table>",
            text("x")
        )
    };
    for tables in [
        row("1000", "100000", "x"),
        row("1048576", "16384", "x"),
        row("99999999999999999999999", "9", "x"),
        row("4000", "900", &"x".repeat(30_000)),
        row("1", "1", "<text:s text:c=\"4000000000\"/>"),
        blank_rows("1048000"),
    ] {
        assert!(matches!(read(&tables), Err(ReadError::TooLarge { .. })), "{}", &tables[..120]);
    }
    assert_eq!(read(&row("3", "2", "x")).expect("reads").grids[0].cells.len(), 6);
}

#[test]
fn elements_that_are_not_closed_are_refused() {
    let open = format!("<table:table table:name=\"a\"><table:table-row>{}</table:table-row>", text("x"));
    let crossed =
        format!("<table:table table:name=\"a\"><table:table-row>{}</table:table></table:table-row>", text("x"));
    for tables in [open, crossed] {
        assert!(matches!(read(&tables), Err(ReadError::DamagedWorkbook { .. })), "{tables}");
    }
}
