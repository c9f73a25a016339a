//! Files that are broken, odd or made to harm: each is refused or read with what is wrong set aside.

mod common;

use std::io::{Cursor, Read, Write};

use common::{decimal, exact, row_where, suite, text};
use gongkai_ingest::report::{Reason, SetAsideKind};
use gongkai_ingest::{Limits, Outcome, ReadError, SAMPLES, read_document};
use proptest::prelude::*;
use rust_xlsxwriter::Workbook;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

const HEADER: &str = "date,hour,城市,AQI,PM2.5,CO\n";

fn book() -> Vec<u8> {
    SAMPLES.get_file("finance_departments/panzhihua_2024_form_4_1.xlsx").expect("a sample").contents().to_vec()
}

fn read(bytes: &[u8]) -> Result<gongkai_ingest::Document, ReadError> {
    read_document(bytes, &Limits::default())
}

/// The workbook with one part changed.
fn with_part(book: &[u8], name: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(book)).expect("a workbook");
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).expect("an entry");
        let entry_name = entry.name().expect("a name").into_owned();
        let mut content = String::new();
        entry.read_to_string(&mut content).expect("XML");
        writer.start_file(&*entry_name, SimpleFileOptions::default()).expect("an entry");
        let content = if entry_name == name { change(&content) } else { content };
        writer.write_all(content.as_bytes()).expect("written");
    }
    writer.finish().expect("a workbook").into_inner()
}

#[test]
fn a_truncated_workbook_is_damaged() {
    let book = book();
    for percent in [10, 50, 90, 99] {
        let error = read(&book[..book.len() * percent / 100]).expect_err("a truncated workbook");
        assert!(matches!(error, ReadError::DamagedZip { .. }), "{percent} %: {error}");
    }
}

#[test]
fn an_empty_file_is_called_empty() {
    let Outcome::Damaged(error) = suite().ingest(b"") else { panic!("read") };
    assert!(error.to_string().contains("empty file"));
    assert!(matches!(suite().ingest(b"\xEF\xBB\xBF\r\n"), Outcome::Damaged(ReadError::Empty)));
}

#[test]
fn a_header_without_rows_gives_an_empty_batch() {
    let shaped = suite().shaped(HEADER.as_bytes());
    assert_eq!((shaped.batch.num_rows(), shaped.report.totals.records_in), (0, 0));
}

#[test]
fn a_gb18030_file_reads_like_its_utf8_twin() {
    let utf8 = format!("{HEADER}20190301,1,攀枝花,41.0,20.0,0.8\n");
    let gb = encoding_rs::GB18030.encode(&utf8).0.into_owned();
    let (a, b) = (suite().shaped(utf8.as_bytes()).batch, suite().shaped(&gb).batch);
    for column in ["geo_id", "raw_text", "source_column"] {
        assert_eq!(a.column_by_name(column), b.column_by_name(column), "{column}");
    }
}

#[test]
fn one_letter_in_a_number_column_sets_aside_one_cell() {
    let file = format!("{HEADER}20190301,1,攀枝花,41.0,2O.0,0.8\n20190301,2,攀枝花,42.0,,0.9\n");
    let shaped = suite().shaped(file.as_bytes());
    let totals = shaped.report.totals;
    assert_eq!((totals.records_kept, totals.records_set_aside), (2, 0));
    assert_eq!((totals.cells_in, totals.values, totals.missing, totals.cells_set_aside), (6, 4, 1, 1));
    let fault = &shaped.report.set_aside[0];
    assert_eq!((fault.kind, fault.reason, fault.address.as_str()), (SetAsideKind::Cell, Reason::NotANumber, "2:21"));
    assert_eq!((fault.column.as_deref(), fault.raw.as_str()), (Some("PM2.5"), "2O.0"));
    assert!(!fault.message.contains("2O"), "a message holds no value");
    let row = row_where(&shaped.batch, &[("value_state", "set_aside")]);
    assert_eq!(decimal(&shaped.batch, "value", row), None);
    let missing = row_where(&shaped.batch, &[("value_state", "missing")]);
    assert_eq!(
        (decimal(&shaped.batch, "value", missing), text(&shaped.batch, "raw_text", missing)),
        (None, Some(String::new()))
    );
}

#[test]
fn records_without_a_readable_key_are_set_aside_whole() {
    let file = format!(
        "{HEADER}20190301,1,攀枝花,1,2,3\n20190231,1,攀枝花,1,2,3\n20190301,25,攀枝花,1,2,3\n20190301,2,,1,2,3\n\
         20190301,3,攀枝花,1,2\n20190301,4,攀枝花,1,2,3,4\n20190301,5,攀枝花,1,\0,3\n20190301,6,攀枝花,1,2,3\n"
    );
    let shaped = suite().shaped(file.as_bytes());
    assert!(shaped.report.is_balanced());
    assert_eq!((shaped.report.totals.records_in, shaped.report.totals.records_kept), (8, 2));
    let faults: Vec<_> = shaped.report.set_aside.iter().map(|fault| (fault.row, fault.reason)).collect();
    let expected = [
        (3, Reason::BadDate),
        (4, Reason::BadHour),
        (5, Reason::NoLabel),
        (6, Reason::TooFewFields),
        (7, Reason::TooManyFields),
        (8, Reason::NulByte),
    ];
    assert_eq!(faults, expected);
    assert_eq!(shaped.report.set_aside[1].address, "4:10");
}

#[test]
fn a_repeated_key_is_a_duplicate_or_a_conflict() {
    let file = format!(
        "{HEADER}20190301,0,攀枝花,41.0,20.0,0.8\n20190228,24,攀枝花,41,20.00,0.8\n20190301,1,攀枝花,1,2,3\n\
         20190301,1,攀枝花,1,9,3\n20190301,0,攀枝花市,41.0,,0.8\n"
    );
    let shaped = suite().shaped(file.as_bytes());
    assert!(shaped.report.is_balanced());
    assert_eq!(shaped.batch.num_rows(), 6);
    let faults: Vec<_> = shaped.report.set_aside.iter().map(|fault| (fault.row, fault.kind, fault.reason)).collect();
    let expected = [
        (3, SetAsideKind::Record, Reason::Duplicate),
        (5, SetAsideKind::Record, Reason::Conflict),
        (6, SetAsideKind::Record, Reason::Conflict),
    ];
    assert_eq!(faults, expected);
    assert!(shaped.report.set_aside[1].message.contains("4:"), "{}", shaped.report.set_aside[1].message);
}

#[test]
fn an_unclosed_quote_names_the_line_where_it_opened() {
    let file = format!("{HEADER}20190301,1,\"攀枝花,1,2,3\n20190301,2,攀枝花,1,2,3\n");
    let Outcome::Damaged(error) = suite().ingest(file.as_bytes()) else { panic!("read") };
    assert_eq!(error, ReadError::UnclosedQuote { line: 2, column: 12 });
}

#[test]
fn other_columns_and_another_order_still_match() {
    let file = "城市;CO;备注;日期;小时\n攀枝花;0,8;晴;2019-03-01;7\n攀枝花;0.8;晴;2019-03-01;8\n";
    let shaped = suite().shaped(file.as_bytes());
    // A decimal comma is no number here: 0,8 must not become 8 or 0.8.
    assert_eq!((shaped.report.totals.values, shaped.report.totals.cells_set_aside), (1, 1));
    assert_eq!(shaped.report.grids[0].columns_not_read[0].text, "备注");
    let row = row_where(&shaped.batch, &[("value_state", "value")]);
    assert_eq!(decimal(&shaped.batch, "value", row), Some(exact("0.8")));
}

#[test]
fn a_file_that_no_feed_knows_says_why() {
    let Outcome::Unmatched { recognition, .. } = suite().ingest("date,hour,PM2.5\n20190301,1,2\n".as_bytes()) else {
        panic!("matched")
    };
    let nearest = &recognition.grids[0].misses[0];
    assert_eq!(
        (nearest.feed.as_str(), nearest.reasons.as_slice()),
        ("air_city_hourly", &["no column for city".to_owned()][..])
    );
    for bytes in [&b"{\"a\":1}"[..], b"<html></html>", b"%PDF-1.7"] {
        assert!(matches!(suite().ingest(bytes), Outcome::Unmatched { .. }));
    }
    for bytes in [&b"{\"a\":"[..], b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"] {
        assert!(matches!(suite().ingest(bytes), Outcome::Damaged(_)));
    }
}

#[test]
fn two_far_corners_cost_two_cells() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, "a").expect("written");
    sheet.write(1_048_575, 16_383, 1.0).expect("written");
    let document = read(&workbook.save_to_buffer().expect("a workbook")).expect("read");
    assert_eq!(document.grids[0].cells.len(), 2);
    assert_eq!(document.grids[0].address(1_048_576, 16_384), "XFD1048576");
}

#[test]
fn a_string_table_that_lies_is_refused_before_it_is_read() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write(0, 0, "a text").expect("written");
    let book = workbook.save_to_buffer().expect("a workbook");
    let claim = |count: &str| {
        with_part(&book, "xl/sharedStrings.xml", |xml| {
            assert!(xml.contains("uniqueCount=\"1\""), "{xml}");
            xml.replace("uniqueCount=\"1\"", &format!("uniqueCount=\"{count}\""))
        })
    };
    assert_eq!(read(&claim("1")).expect("read").grids[0].cells.len(), 1);
    assert!(matches!(read(&claim("4294967295")), Err(ReadError::TooLarge { .. })));
    assert!(matches!(read(&claim("1999999")), Err(ReadError::DamagedZip { .. })));
}

#[test]
fn a_document_type_is_refused() {
    let part = with_part(&book(), "xl/workbook.xml", |xml| {
        xml.replacen("<workbook", "<!DOCTYPE x [<!ENTITY a \"b\">]><workbook", 1)
    });
    assert!(matches!(read(&part), Err(ReadError::DamagedZip { .. })));
}

#[test]
fn a_bomb_is_stopped() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("xl/workbook.xml", SimpleFileOptions::default()).expect("an entry");
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..32 {
        writer.write_all(&blanks).expect("written");
    }
    let bomb = writer.finish().expect("a container").into_inner();
    assert!(matches!(read(&bomb), Err(ReadError::TooLarge { .. })));
    let small = Limits { inflated_bytes: 1 << 20, ..Limits::default() };
    assert!(matches!(read_document(&bomb, &small), Err(ReadError::TooLarge { .. })));
}

#[test]
fn hidden_machine_rows_and_footnotes_are_no_data() {
    let report = suite().shaped(&book()).report;
    assert_eq!(report.totals.records_in, 7);
    let notes = report.grids[0].notes.join("\n");
    for expected in [
        "hidden rows, not data: 1, 2, 3",
        "row 9: skipped",
        "row 17: footnote: 注：1.",
        "hidden columns, read as evidence at most: A, B",
    ] {
        assert!(notes.contains(expected), "{expected} not in {notes}");
    }
}

#[test]
fn a_form_without_its_unit_line_is_not_guessed_at() {
    let bare = with_part(&book(), "xl/worksheets/sheet1.xml", |xml| xml.replace("单位：亿元", "单位：桶"));
    let Outcome::Unmatched { recognition, .. } = suite().ingest(&bare) else { panic!("matched") };
    let miss = &recognition.grids[0].misses[0];
    assert_eq!(miss.feed, "debt_form_4_1");
    assert!(miss.reasons.iter().any(|reason| reason.contains("unit")), "{:?}", miss.reasons);
}

#[test]
fn a_form_in_ten_thousands_is_converted() {
    let book = with_part(&book(), "xl/worksheets/sheet1.xml", |xml| xml.replace("单位：亿元", "单位：万元"));
    let batch = suite().shaped(&book).batch;
    let row = row_where(&batch, &[("region_name", "东区"), ("debt_kind", "general"), ("measure", "limit")]);
    // 14.2350 万元.
    assert_eq!(decimal(&batch, "amount_yuan", row), Some(exact("142350.00")));
    assert_eq!(text(&batch, "published_unit", row).as_deref(), Some("wan_yuan"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let _ = read(&bytes);
        let _ = read(&[b"PK\x03\x04", &bytes[..]].concat());
    }

    #[test]
    fn arbitrary_fields_never_get_lost(fields in proptest::collection::vec("[0-9a-z.,;\"\n攀枝花-]{0,12}", 0..40)) {
        let text = format!("{HEADER}{}", fields.join(","));
        if let Outcome::Matched { shaped, .. } = SUITE.with(|suite| suite.ingest(text.as_bytes())) {
            prop_assert!(shaped[0].report.is_balanced());
        }
    }

    #[test]
    fn a_workbook_with_one_byte_changed_never_panics(place in 0_usize..6_000, byte in any::<u8>()) {
        let mut book = book();
        let place = place % book.len();
        book[place] = byte;
        SUITE.with(|suite| { let _ = suite.ingest(&book); });
    }
}

thread_local! {
    static SUITE: common::Suite = suite();
}
