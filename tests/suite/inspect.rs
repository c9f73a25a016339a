//! `gongkai inspect` tells enough to write a feed, and its JSON is what the structures say.

use std::path::PathBuf;

use gongkai_ingest::outline::Holds;
use gongkai_ingest::{Format, Inspection};
use gongkai_tests::{gongkai, root};

fn inspect(file: &std::path::Path, format: &str) -> String {
    let output =
        gongkai(&root().join("data")).args(["inspect", "--format", format]).arg(file).output().expect("starts");
    String::from_utf8(output.stdout).expect("text")
}

fn samples() -> Vec<PathBuf> {
    let files = gongkai_ingest::find_files(&root().join("ingest/samples")).expect("samples");
    // Some of each department: starting the command for every one takes minutes.
    files.into_iter().map(|file| file.path).step_by(5).collect()
}

#[test]
fn samples_are_told_within_80_columns_and_in_the_declared_structure() {
    for path in samples() {
        let text = inspect(&path, "text");
        for line in text.lines() {
            assert!(gongkai_api::text::width(line) <= 80, "{}: {line}", path.display());
        }
        assert!(text.contains("read by feed"), "{text}");
        let inspection: Inspection = serde_json::from_str(&inspect(&path, "json")).expect("the structure");
        assert_eq!(inspection.format_version, 1);
        let reading = inspection.readings.first().expect("a feed reads it");
        assert!(reading.counts.is_balanced() && reading.rows > 0, "{reading:?}");
        // Prose has no tables, in text files and on pages.
        let has_tables = inspection.sheets.iter().any(|sheet| !sheet.tables.is_empty());
        let is_prose = || match inspection.format {
            Some(Format::Html) => !std::fs::read_to_string(&path).is_ok_and(|page| page.contains("<table")),
            format => format == Some(Format::Text),
        };
        assert!(has_tables || is_prose(), "{}", path.display());
    }
}

#[test]
fn a_form_that_no_feed_reads_is_described_with_title_unit_header_and_rows() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("parks.csv");
    let text = "2024年攀枝花市公园门票收入统计表\n单位：万元\n月份,公园,门票收入,其中：线上\n\
                2024年1月,花舞人间,120.50,80.25\n2024年2月,花舞人间,98.75,-\n注：含联票。\n";
    std::fs::write(&file, text).expect("writes");
    let inspection: Inspection = serde_json::from_str(&inspect(&file, "json")).expect("the structure");
    let [table] = &inspection.sheets[0].tables[..] else { panic!("{:?}", inspection.sheets[0].tables) };
    assert_eq!(table.title.as_ref().expect("a title").text, "2024年攀枝花市公园门票收入统计表");
    assert_eq!(table.unit.as_ref().expect("a unit").text, "单位：万元");
    assert_eq!((table.header_rows, table.body_rows, table.records), (Some((3, 3)), (4, 5), 2));
    let holds: Vec<(&str, Holds)> = table.columns.iter().map(|column| (column.header.as_str(), column.holds)).collect();
    let expected = [
        ("月份", Holds::Labels),
        ("公园", Holds::Labels),
        ("门票收入", Holds::Figures),
        ("其中：线上", Holds::Figures),
    ];
    assert_eq!(holds, expected);
    assert_eq!(table.notes[0].text, "注：含联票。");
    let recognition = inspection.sheets[0].recognition.as_ref().expect("judged");
    assert!(recognition.claim.is_none() && recognition.misses.len() > 5);

    let said = inspect(&file, "text");
    for part in [
        "title 1:1: 2024年",
        "unit 2:1: 单位：万元",
        "header in row 3",
        "3:4 公园 (labels)",
        "no feed reads it",
        "--draft",
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    // The nearest few are named; JSON has the others.
    assert_eq!(said.matches("\n      not ").count(), 4, "{said}");
}

#[test]
fn what_would_be_set_aside_is_counted_with_its_places() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("letter.csv");
    std::fs::write(&file, "date,hour,城市,AQI,PM2.5,CO\n20190302,1,攀枝花,50.0,2O.0,0.8\n").expect("writes");
    let said = inspect(&file, "text");
    // The field begins after `20190302,1,攀枝花,50.0,`, which is 20 characters long.
    for part in
        ["1 records in = 1 kept + 0 set aside", "3 cells = 2 values + 0 missing + 1 set aside", "would set aside 2:21"]
    {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
}
