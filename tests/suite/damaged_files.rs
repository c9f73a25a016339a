//! Files as they should not be: each is reported, none is lost, the others go through.

use std::path::Path;

use gongkai_tests::{root, sql, up_once, value};
use serde_json::Value;

const HEADER: &str = "date,hour,城市,AQI,PM2.5,CO\n";

fn sample(folder: &str, wanted: &str) -> Vec<u8> {
    let folder = root().join("ingest/samples").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("samples").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let path = paths.into_iter().find(|path| path.to_string_lossy().ends_with(wanted));
    std::fs::read(path.expect("a sample")).expect("reads")
}

fn file<'a>(report: &'a Value, name: &str) -> &'a Value {
    let files = report["ingest"]["files"].as_array().expect("files");
    files.iter().find(|file| file["path"] == name).unwrap_or_else(|| panic!("{name} is not reported"))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).expect("writes");
}

#[test]
fn damaged_files_are_reported_and_the_others_go_through() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    let workbook = sample("finance_departments", "2020_form_4_1.xlsx");
    write(&inbox, "truncated.xlsx", &workbook[..workbook.len() / 2]);
    write(&inbox, "whole.xlsx", &workbook);
    write(&inbox, "empty.csv", b"");
    let chinese = format!("{HEADER}20190301,1,攀枝花,50.0,20.0,0.8\n20190301,2,成都,60.0,30.0,0.9\n");
    let (gb18030, _, _) = encoding_rs::GB18030.encode(&chinese);
    write(&inbox, "gb18030.csv", &gb18030);
    let letter = format!("{HEADER}20190302,1,攀枝花,50.0,2O.0,0.8\n20190302,2,攀枝花,60.0,30.0,0.9\n");
    write(&inbox, "letter.csv", letter.as_bytes());

    let output = up_once(&data, Some(&inbox));
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");

    assert_eq!(file(&report, "truncated.xlsx")["outcome"], "damaged");
    assert!(!file(&report, "truncated.xlsx")["message"].as_str().expect("a message").is_empty());
    assert_eq!(file(&report, "empty.csv")["outcome"], "damaged");
    assert_eq!(file(&report, "whole.xlsx")["outcome"], "read");
    assert_eq!(file(&report, "gb18030.csv")["encoding"], "gb18030");
    let letter = file(&report, "letter.csv");
    let totals = &letter["reports"][0]["totals"];
    assert_eq!((&totals["records_in"], &totals["records_kept"]), (&Value::from(2), &Value::from(2)));
    assert_eq!((&totals["cells_in"], &totals["values"], &totals["cells_set_aside"]), (&6.into(), &5.into(), &1.into()));
    let set_aside = &letter["reports"][0]["set_aside"][0];
    // Line 2; the field begins after `20190302,1,攀枝花,50.0,`, which is 20 characters long.
    assert_eq!(set_aside["address"], "2:21");
    assert_eq!(set_aside["column"], "PM2.5");
    assert_eq!(set_aside["raw"], "2O.0");

    // Nothing is lost: every file that is ours is kept as it came.
    for name in ["truncated.xlsx", "empty.csv", "letter.csv"] {
        let sha256 = file(&report, name)["sha256"].as_str().expect("a digest").to_owned();
        let kept = std::fs::read(data.join("sources").join(&sha256[..2]).join(&sha256)).expect("kept");
        assert_eq!(kept, std::fs::read(inbox.join(name)).expect("reads"));
    }
    let query = "SELECT value_state || '|' || coalesce(CAST(value AS VARCHAR), 'NULL') FROM air_hourly \
                 WHERE measure = 'PM25' AND data_date = '2019-03-02' AND hour_label = 1";
    assert_eq!(value(&data, query), "set_aside|NULL");
    assert_eq!(value(&data, "SELECT region_code FROM air_hourly WHERE geo_name = '成都' GROUP BY 1"), "510100");
    let csv = String::from_utf8(sql(&data, "csv", "SELECT DISTINCT region_name FROM debt_stock")).expect("text");
    assert!(csv.contains("攀枝花市"), "{csv}");
}

#[test]
fn a_workbook_cut_anywhere_is_reported() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    let workbook = sample("finance_departments", "2020_form_4_1.xlsx");
    for percent in [10, 50, 90, 99] {
        write(&inbox, &format!("cut_{percent}.xlsx"), &workbook[..workbook.len() * percent / 100]);
    }
    let output = up_once(&data, Some(&inbox));
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    for percent in [10, 50, 90, 99] {
        assert_eq!(file(&report, &format!("cut_{percent}.xlsx"))["outcome"], "damaged", "{percent} %");
    }
}

#[test]
fn a_corrected_file_makes_a_correction_and_the_old_figure_stays_queryable() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    write(&inbox, "a.csv", format!("{HEADER}20190301,1,攀枝花,50.0,20.0,0.8\n").as_bytes());
    assert!(up_once(&data, Some(&inbox)).status.success());
    write(&inbox, "b.csv", format!("{HEADER}20190301,1,攀枝花,50.0,21.0,0.8\n").as_bytes());
    let output = up_once(&data, Some(&inbox));
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    assert_eq!(report["releases"][0]["kind"], "correction", "{report}");
    let now = "SELECT value FROM air_hourly WHERE measure = 'PM25'";
    assert_eq!(value(&data, now), "21.0000");
    let then = "SELECT value FROM open.\"air_hourly@air_city_hourly.1\" WHERE measure = 'PM25'";
    assert_eq!(value(&data, then), "20.0000");
    assert_eq!(value(&data, "SELECT count(*) FROM open.\"air_hourly@all\" WHERE measure = 'PM25'"), "2");
}
