//! Personal data in places that nobody looks at: hidden sheets, rows and columns, comments, properties. The numbers are the
//! standards' examples.

mod common;

use std::time::Instant;

use common::suite;
use gongkai_ingest::personal::{Declared, Finding, Kind, Part, Severity, scan};
use gongkai_ingest::{Limits, Outcome, read_document};
use rust_xlsxwriter::{DocProperties, Note, Workbook, Worksheet};

const IDENTITY: &str = "11010519491231002X";
const HEADER: [&str; 6] = ["行政区划代码", "县域名称", "所属地域", "所属省份", "所属城市", "摘帽时间"];

/// A list of poor counties with something more in it.
fn book(change: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("名单").expect("a name");
    for (column, text) in HEADER.iter().enumerate() {
        sheet.write_string(0, column as u16, *text).expect("a cell");
    }
    for (column, text) in ["513431", "昭觉县", "西部", "四川省", "凉山彝族自治州", "2020"].iter().enumerate()
    {
        sheet.write_string(1, column as u16, *text).expect("a cell");
    }
    change(&mut workbook);
    workbook.save_to_buffer().expect("a workbook")
}

fn sheet(workbook: &mut Workbook) -> &mut Worksheet {
    workbook.worksheet_from_index(0).expect("the list")
}

fn held(bytes: &[u8]) -> Vec<Finding> {
    match suite().ingest(bytes) {
        Outcome::Held { personal, .. } => personal,
        other => panic!("not held: {other:?}"),
    }
}

fn warnings(bytes: &[u8]) -> Vec<Finding> {
    match suite().ingest(bytes) {
        Outcome::Matched { personal, .. } => personal,
        other => panic!("not matched: {other:?}"),
    }
}

#[test]
fn a_clean_list_is_taken() {
    assert_eq!(warnings(&book(|_| {})), []);
}

#[test]
fn every_corner_of_a_workbook_is_searched() {
    let hidden_sheet = book(|workbook| {
        let sheet = workbook.add_worksheet();
        sheet.set_name("底表").expect("a name").set_hidden(true);
        sheet.write_string(4, 3, IDENTITY).expect("a cell");
    });
    let hidden_row = book(|workbook| {
        sheet(workbook).write_string(9, 7, IDENTITY).expect("a cell").set_row_hidden(9).expect("hidden");
    });
    let hidden_column = book(|workbook| {
        sheet(workbook).write_string(1, 9, IDENTITY).expect("a cell").set_column_hidden(9).expect("hidden");
    });
    let header = book(|workbook| {
        sheet(workbook).write_string(0, 8, format!("联系 {IDENTITY}")).expect("a cell");
    });
    let cells = |sheet: &str| Part::Cells(Some(sheet.to_owned()));
    for (bytes, part, address) in [
        (hidden_sheet, cells("底表"), "D5"),
        (hidden_row, cells("名单"), "H10"),
        (hidden_column, cells("名单"), "J2"),
        (header, cells("名单"), "I1"),
    ] {
        let found = held(&bytes);
        assert_eq!((found.len(), found[0].kind, &found[0].part), (1, Kind::Identity, &part));
        assert_eq!(found[0].addresses, [address]);
    }
    let comment = book(|workbook| {
        let note = Note::new(format!("本人{IDENTITY}")).set_author("财政局");
        sheet(workbook).insert_note(1, 1, &note).expect("a comment");
    });
    let found = held(&comment);
    assert_eq!((found[0].kind, &found[0].part, found[0].addresses[0].as_str()), (Kind::Identity, &Part::Comment, "B2"));
    let sheet_name = book(|workbook| {
        workbook.add_worksheet().set_name(IDENTITY).expect("a name");
    });
    assert_eq!(held(&sheet_name)[0].part, Part::SheetName(2));
    assert!(!held(&sheet_name)[0].to_string().contains(IDENTITY));
    let property = book(|workbook| {
        workbook.set_properties(&DocProperties::new().set_comment("手机 13800138000"));
    });
    assert_eq!((held(&property)[0].kind, &held(&property)[0].part), (Kind::Mobile, &Part::Property));
}

#[test]
fn who_wrote_a_workbook_is_told_and_holds_nothing_back() {
    let found = warnings(&book(|workbook| {
        workbook.set_properties(&DocProperties::new().set_author("张三丰"));
    }));
    assert_eq!((found[0].kind, found[0].severity, &found[0].part), (Kind::Name, Severity::Warn, &Part::Property));
    assert!(!found[0].to_string().contains("张三丰"));
}

#[test]
fn typed_numbers_are_figures_until_their_header_says_otherwise() {
    let with = |header: &str, number: f64| {
        book(|workbook| {
            let sheet = sheet(workbook);
            sheet.write_string(0, 7, header).expect("a cell").write_number(1, 7, number).expect("a cell");
        })
    };
    assert_eq!(warnings(&with("合计", 13_800_138_000.0)), []);
    assert_eq!(warnings(&with("备注", 6_217_003_610_000_000.0)), []);
    assert_eq!(held(&with("手机号码", 13_800_138_000.0))[0].kind, Kind::Mobile);
    assert_eq!(held(&with("身份证号", 110_105_194_912_310_020.0))[0].kind, Kind::DamagedNumber);
}

#[test]
fn searching_a_text_file_of_figures_costs_little_beside_reading_it() {
    let mut text = String::from("date,hour,城市,AQI,PM2.5,PM2.5_24h,PM10,PM10_24h,SO2,SO2_24h,NO2,NO2_24h,O3,CO\n");
    for line in 0..20_000 {
        let hour = line % 24;
        text.push_str(&format!("20190301,{hour},攀枝花,50.0,20.0,21.5,40.0,41.0,8.0,8.1,30.0,31.0,80.0,0.8\n"));
    }
    let limits = Limits::default();
    let begun = Instant::now();
    let document = read_document(text.as_bytes(), &limits).expect("reads");
    let reading = begun.elapsed();
    let begun = Instant::now();
    assert_eq!(scan(&document, text.as_bytes(), &Declared::default(), &limits), []);
    let searching = begun.elapsed();
    println!("read in {reading:?}, searched in {searching:?}");
    assert!(searching < reading, "read in {reading:?}, searched in {searching:?}");
}
