//! The monitoring stations' and water sections' own files, where they are there. Expected figures were counted in the files
//! themselves.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::row::{RowConverter, SortField};
use gongkai_catalog::Catalog;
use gongkai_ingest::report::{Reason, SetAsideKind};
use gongkai_ingest::{Feeds, Limits, Outcome, Shaped, embedded_declarations, find_files, ingest_bytes};
use gongkai_tests::{real_data, sql, up_once, value};
use serde_json::Value;

const STATIONS: &str = "environment/air_station_hourly";

/// What the feeds make of one file, in the order of the feeds.
fn read(catalog: &Catalog, feeds: &Feeds, folder: &Path, relative: &str) -> Vec<Shaped> {
    let bytes = std::fs::read(folder.join(relative)).expect("a real file");
    match ingest_bytes(&bytes, relative, feeds, catalog, &Limits::default()) {
        Outcome::Matched { shaped, .. } => shaped,
        other => panic!("{relative} is not matched: {other:?}"),
    }
}

fn declared() -> (Catalog, Feeds) {
    let declarations = embedded_declarations();
    let catalog = Catalog::load(declarations.clone()).expect("loads");
    let feeds = Feeds::load(&declarations, &catalog).expect("loads");
    (catalog, feeds)
}

/// Rows without the columns that say where they stand in their file, in one order.
fn rows_without_origin(batch: &RecordBatch) -> Vec<Vec<u8>> {
    let schema = batch.schema();
    let kept: Vec<usize> =
        (0..batch.num_columns()).filter(|index| !schema.field(*index).name().starts_with("source_")).collect();
    let batch = batch.project(&kept).expect("columns");
    let fields = batch.columns().iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let rows = RowConverter::new(fields).expect("a converter").convert_columns(batch.columns()).expect("rows");
    let mut rows: Vec<Vec<u8>> = rows.iter().map(|row| row.as_ref().to_vec()).collect();
    rows.sort_unstable();
    rows
}

#[test]
fn a_column_and_a_line_for_each_station_give_the_same_rows() {
    let Some(real) = real_data("a_column_and_a_line_for_each_station_give_the_same_rows") else { return };
    let (catalog, feeds) = declared();
    let wide = read(&catalog, &feeds, &real, &format!("{STATIONS}/revertTest.csv")).remove(0);
    let long = read(&catalog, &feeds, &real, &format!("{STATIONS}/china_sites_20180101.csv")).remove(0);
    // 24 hours × 15 types, and 1,597 stations; 199,825 cells of both are blank.
    for (shaped, records) in [(&wide, 360), (&long, 1_597)] {
        let totals = shaped.report.totals;
        assert!(shaped.report.is_balanced());
        assert_eq!((totals.records_in, totals.records_set_aside), (records, 0));
        assert_eq!((totals.cells_in, totals.values, totals.missing), (574_920, 375_095, 199_825));
    }
    let is_same = rows_without_origin(&wide.batch) == rows_without_origin(&long.batch);
    assert!(is_same, "the two orientations give different rows");
}

#[test]
fn what_has_no_time_or_repeats_at_a_section_is_set_aside() {
    let Some(real) = real_data("what_has_no_time_or_repeats_at_a_section_is_set_aside") else { return };
    let (catalog, feeds) = declared();
    let section = |name: &str| {
        let path = format!("environment/water_sections_2021/四川省/长江流域/{name}/2021-04/{name}.csv");
        let shaped = read(&catalog, &feeds, &real, &path).remove(0);
        let totals = shaped.report.totals;
        let reasons = |wanted: Reason| {
            let of_records = shaped.report.set_aside.iter().filter(|fault| fault.kind == SetAsideKind::Record);
            of_records.filter(|fault| fault.reason == wanted).count()
        };
        let by_reason = [Reason::BadDate, Reason::Duplicate, Reason::Conflict].map(reasons);
        (totals.records_in, totals.records_kept, by_reason)
    };
    // Three lines without a time; four moments printed twice alike. 04-04 04:00 stands twice, four items of the first line without a
    // value and with one in the second: both lines stay, each without the cells that the other holds.
    assert_eq!(section("倮果"), (28, 21, [3, 4, 0]));
    assert_eq!(section("龙洞"), (28, 27, [0, 1, 0]));
}

/// Copies folders of the real files into an inbox, so that the days of whole cities are not read again.
fn inbox(real: &Path, folder: &Path) -> PathBuf {
    let inbox = folder.join("inbox");
    for part in ["air_station_snapshot", "prsa_beijing", "water_sections_2021", "water_sections_2026"] {
        let part = real.join("environment").join(part);
        for file in find_files(&part).expect("a readable folder") {
            let target = inbox.join(part.file_name().expect("a name")).join(&file.relative);
            std::fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
            std::fs::copy(&file.path, target).expect("copies");
        }
    }
    let list = "站点列表-2018.11.08起.csv";
    std::fs::copy(real.join(STATIONS).join(list), inbox.join(list)).expect("copies");
    inbox
}

#[test]
fn stations_and_sections_are_read_released_and_checked() {
    let Some(real) = real_data("stations_and_sections_are_read_released_and_checked") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let output = up_once(&data, Some(&inbox(&real, folder.path())));
    // 1: eight lines of the sections of 2021 are set aside.
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    for file in report["ingest"]["files"].as_array().expect("files") {
        assert_eq!(file["outcome"], "read", "{}", file["path"]);
    }
    snapshot(&data);
    archive(&data);
    sections(&data);
}

fn snapshot(data: &Path) {
    // 1,495 stations × 15 measures; `-;` stands in 568 of them.
    let counts = "SELECT concat_ws('|', count(*), count(value)) FROM air_hourly WHERE data_kind = 'realtime'";
    assert_eq!(value(data, counts), "22425|21857");
    let at = "data_kind = 'realtime' AND averaging = '1h' AND obs_time = '2018-02-20T07:00:00+08:00'";
    let row = "concat_ws('|', coalesce(CAST(value AS VARCHAR), value_state), raw_text, unit, data_date, hour_label, region_code)";
    let of = |station: &str, measure: &str| {
        value(
            data,
            &format!("SELECT {row} FROM air_hourly WHERE {at} AND geo_id = '{station}' AND measure = '{measure}'"),
        )
    };
    assert_eq!(of("1888A", "PM10"), "missing|-;|ug_m3|2018-02-20|7|510400");
    assert_eq!(of("1890A", "CO"), "1.6000|1.6|mg_m3|2018-02-20|7|510400");
    // A printed zero is a value, also where its mean of 24 hours is 98.
    assert_eq!(of("1002A", "PM25"), "0.0000|0|ug_m3|2018-02-20|7|110000");
    let listed = sql(data, "csv", "SELECT listed_on, count(*), count(longitude) FROM station GROUP BY 1 ORDER BY 1");
    let listed = String::from_utf8(listed).expect("text");
    assert_eq!(listed.lines().skip(1).collect::<Vec<_>>(), ["2018-02-20,1495,1495", "2018-11-08,13,13"]);
    let xian = "SELECT concat_ws('|', station_name, city_name, region_code, longitude, latitude) FROM station \
                WHERE station_id = '1472A' AND listed_on = '2018-11-08'";
    assert_eq!(value(data, xian), "草滩|西安|610100|108.869000000|34.378000000");
}

fn archive(data: &Path) {
    // 35,064 hours × 6 pollutants; NA stands in 677 + 597 + 1,118 + 744 + 1,126 + 843 of them.
    let counts = "SELECT concat_ws('|', count(*), count(value), min(unit), max(unit)) FROM air_hourly WHERE data_kind = 'unstated'";
    assert_eq!(value(data, counts), "210384|205279|ug_m3|ug_m3");
    let ceiling = "SELECT max(value) FROM air_hourly WHERE data_kind = 'unstated' AND measure = 'CO'";
    assert_eq!(value(data, ceiling), "10000.0000");
    // PM2.5 stands above PM10 in more than a tenth of the hours of ten months, counted in the file by the date of the hour.
    let above = "SELECT count(*) FROM catalog.finding WHERE check_id = 'E03' AND outcome = 'WARN'";
    assert_eq!(value(data, above), "10");
    // Ceiling values are no errors of unit.
    let wrong = "SELECT count(*) FROM catalog.finding WHERE check_id = 'R01'";
    assert_eq!(value(data, wrong), "0");
}

fn sections(data: &Path) {
    // 1,004 sections of 2026 and 20 + 27 moments of 2021, 11 items each.
    let counts = "SELECT concat_ws('|', count(*), count(sample_value)) FROM water_sample";
    assert_eq!(value(data, counts), "11561|9179");
    let provinces = "SELECT count(DISTINCT region_code) FROM water_sample WHERE data_month = '2026-02'";
    assert_eq!(value(data, provinces), "26");
    let of_city = "SELECT count(DISTINCT section_id) FROM water_sample WHERE data_month = '2026-02' AND class_printed = 'Ⅰ' \
                   AND section_id IN ('510000/龙洞', '510000/倮果', '510000/雅砻江口', '510000/柏枝')";
    assert_eq!(value(data, of_city), "4");
    let smallest = "SELECT concat_ws('|', sample_value, raw_text) FROM water_sample WHERE item = 'ammonia_nitrogen' \
                    ORDER BY sample_value NULLS LAST LIMIT 1";
    assert_eq!(value(data, smallest), "0.00004000|0.00004");
    // A name that stands in two provinces is two sections.
    let twice = "SELECT count(DISTINCT section_id) FROM water_sample WHERE section_name = '白马'";
    assert_eq!(value(data, twice), "2");
    // Every printed class follows from its values by the limits of rivers or of lakes: 993 of 2026 and 42 of 2021.
    let classes =
        sql(data, "csv", "SELECT outcome, sum(identities) FROM catalog.check_run WHERE check_id = 'E10' GROUP BY 1");
    let classes = String::from_utf8(classes).expect("text");
    assert_eq!(classes.lines().skip(1).collect::<Vec<_>>(), ["PASS,1035"]);
}
