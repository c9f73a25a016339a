//! The feeds over real department files, where they are at hand.

mod common;

use std::path::{Path, PathBuf};

use common::{decimal, exact, integer, real_data, row_where, rows_where, suite, text};
use gongkai_ingest::{Outcome, find_files};

fn files(folder: &Path) -> Vec<PathBuf> {
    find_files(folder).expect("a readable folder").into_iter().map(|file| file.path).collect()
}

fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).expect("a real file")
}

#[test]
fn eleven_days_of_city_air_are_read_whole() {
    let Some(folder) = real_data("environment/air_city_hourly") else { return };
    let suite = suite();
    let (mut records, mut cells, mut values) = (0, 0, 0);
    let mut unresolved: Vec<String> = Vec::new();
    for path in files(&folder) {
        let shaped = suite.shaped(&std::fs::read(&path).expect("a file"));
        let totals = shaped.report.totals;
        assert!(shaped.report.is_balanced());
        assert_eq!(totals.records_set_aside + totals.cells_set_aside, 0, "{}", path.display());
        assert_eq!(shaped.batch.num_rows() as u64, totals.cells_in);
        println!(
            "{}: {} records, {} cells, {} values, {} without code ({} names)",
            path.file_name().expect("a name").display(),
            totals.records_kept,
            totals.cells_in,
            totals.values,
            shaped.report.grids[0].records_without_code,
            shaped.report.unresolved_places.len()
        );
        for name in shaped.report.unresolved_places {
            if !unresolved.contains(&name) {
                unresolved.push(name);
            }
        }
        records += totals.records_in;
        cells += totals.cells_in;
        values += totals.values;
    }
    // 胶南市 became a part of 青岛市黄岛区 in 2012 and has had no code since.
    assert_eq!(unresolved, ["胶南"]);
    // Lines of the files without headers; 15 cells each; non-empty fields, counted in the files themselves.
    assert_eq!((records, cells, values), (81_782, 1_226_730, 1_222_149));
}

#[test]
fn hour_0_belongs_to_the_day_before() {
    let Some(folder) = real_data("environment/air_city_hourly") else { return };
    let batch = suite().shaped(&bytes(&folder, "china_cities_20190201.csv")).batch;
    let panzhihua = |measure: &str| {
        let wanted = [("geo_name", "攀枝花"), ("measure", measure), ("averaging", "1h"), ("data_month", "2019-01")];
        row_where(&batch, &wanted)
    };
    let pm25 = panzhihua("PM25");
    assert_eq!(decimal(&batch, "value", pm25), Some(exact("37.0")));
    assert_eq!(integer(&batch, "hour_label", pm25), 24);
    assert_eq!(text(&batch, "geo_id", pm25).as_deref(), Some("510400"));
    assert_eq!(text(&batch, "raw_text", pm25).as_deref(), Some("37.0"));
    let beijing = [("geo_name", "北京"), ("measure", "AQI"), ("averaging", "1h"), ("data_month", "2019-01")];
    assert_eq!(text(&batch, "region_code", row_where(&batch, &beijing)).as_deref(), Some("110000"));
    let co = panzhihua("CO");
    assert_eq!(decimal(&batch, "value", co), Some(exact("1.24")));
    assert_eq!(text(&batch, "unit", co).as_deref(), Some("mg_m3"));
}

/// What holds no data of the five domains: descriptions of other files, a template, and the second set of declarations' files.
const NO_DATA: [&str; 5] = ["SOURCES.md", ".yaml", "datapackage.json", "schema.json", "international/"];

#[test]
fn every_data_file_of_the_five_domains_is_read_and_balances() {
    let Some(folder) = real_data("") else { return };
    let suite = suite();
    let domains = ["budget/", "cpi/", "debt/", "environment/", "poverty/"];
    let mut unmatched = Vec::new();
    let mut matched = 0;
    for path in files(&folder) {
        let relative = path.strip_prefix(&folder).expect("below").display().to_string();
        if !domains.iter().any(|domain| relative.starts_with(domain)) {
            continue;
        }
        match suite.ingest_at(&relative, &std::fs::read(&path).expect("a file")) {
            Outcome::Matched { shaped, .. } => {
                matched += 1;
                assert!(shaped.iter().all(|rows| rows.report.is_balanced()), "{relative}");
            }
            Outcome::Unmatched { recognition, .. } => {
                assert!(recognition.grids.iter().all(|grid| grid.misses.iter().all(|miss| !miss.reasons.is_empty())));
                if !NO_DATA.iter().any(|part| relative.contains(part)) {
                    unmatched.push(relative);
                }
            }
            Outcome::Held { personal, .. } => panic!("{relative} is held: {personal:?}"),
            Outcome::Refused { error, .. } => panic!("{relative}: {error}"),
            Outcome::Damaged(error) => panic!("{relative}: {error}"),
        }
    }
    assert_eq!(unmatched, Vec::<String>::new());
    assert!(matched >= 100, "{matched} files");
}

#[test]
fn every_region_of_form_4_1_is_read() {
    let Some(folder) = real_data("debt/disclosure_xlsx") else { return };
    let suite = suite();
    for (name, records) in [
        ("海南_2022_60810.xlsx", 31),
        ("广东_2021_57700.xlsx", 155),
        ("xinjiang_2018.xlsx", 17),
        ("inner_mongolia_bayannur_2018.xlsx", 9),
        ("inner_mongolia_xingan_2018.xlsx", 8),
    ] {
        let shaped = suite.shaped_at(name, &bytes(&folder, name));
        let report = shaped.into_iter().find(|rows| rows.report.feed == "debt_form_4_1").expect("form 4-1").report;
        println!(
            "{name}: {:?}\n  without code: {:?}\n  {:#?}",
            report.totals, report.unresolved_places, report.grids[0].notes
        );
        assert_eq!(report.totals.records_in, records, "{name}");
        assert_eq!(report.totals.records_set_aside + report.totals.cells_set_aside, 0, "{name}");
        assert_eq!((report.totals.cells_in, report.totals.values), (records * 6, records * 6), "{name}");
        assert_eq!(report.grids.len(), 1, "{name}");
        assert_eq!(report.grids[0].unit.as_deref(), Some("亿元"));
    }
}

#[test]
fn hainan_2022_reads_as_published() {
    let Some(folder) = real_data("debt/disclosure_xlsx") else { return };
    let batch = suite().shaped(&bytes(&folder, "海南_2022_60810.xlsx")).batch;
    let hainan = [("region_id", "460000"), ("scope", "area"), ("debt_kind", "total")];
    let limit = row_where(&batch, &[&hainan[..], &[("measure", "limit")]].concat());
    assert_eq!(decimal(&batch, "amount_yuan", limit), Some(exact("370340000000.00")));
    assert_eq!((integer(&batch, "source_row", limit), integer(&batch, "source_column", limit)), (10, 4));
    assert_eq!(text(&batch, "conversion", limit).as_deref(), Some("3703.4 亿元 × 100000000"));
    assert_eq!(text(&batch, "line_kind", limit).as_deref(), Some("total"));
    assert_eq!((integer(&batch, "as_of_year", limit), integer(&batch, "quoted_in", limit)), (2022, 2022));
    let balance = row_where(&batch, &[&hainan[..], &[("measure", "balance")]].concat());
    assert_eq!(decimal(&batch, "amount_yuan", balance), Some(exact("348663050234.47")));
    let own = row_where(&batch, &[("region_name", "海口市本级"), ("debt_kind", "general"), ("measure", "limit")]);
    assert_eq!(text(&batch, "region_id", own).as_deref(), Some("460100"));
    assert_eq!(text(&batch, "scope", own).as_deref(), Some("own"));
    assert_eq!(text(&batch, "parent_path", own).as_deref(), Some("海南省/海口市"));
    assert_eq!(text(&batch, "published_header", own).as_deref(), Some("2022年债务限额/一般债务"));
    assert_eq!(text(&batch, "published_table_no", own).as_deref(), Some("表4-1"));
    assert_eq!(text(&batch, "source_region_code", own).as_deref(), Some("460100"));
    let pseudo = row_where(&batch, &[("region_name", "县级"), ("debt_kind", "total"), ("measure", "limit")]);
    assert_eq!(text(&batch, "region_code", pseudo), None);
    assert_eq!(text(&batch, "region_id", pseudo).as_deref(), Some("460000/县级"));
    // The last county of the table stands below the pseudo region and keeps its own code.
    let last =
        row_where(&batch, &[("region_name", "琼中黎族苗族自治县"), ("debt_kind", "total"), ("measure", "limit")]);
    assert_eq!(text(&batch, "region_code", last).as_deref(), Some("469030"));
    assert_eq!((integer(&batch, "source_row", last), integer(&batch, "source_column", last)), (40, 4));
}

#[test]
fn districts_of_one_name_are_told_apart_by_their_city() {
    let Some(folder) = real_data("debt/disclosure_xlsx") else { return };
    let batch = suite().shaped(&bytes(&folder, "广东_2021_57700.xlsx")).batch;
    let haizhu = [("region_name", "海珠区"), ("debt_kind", "total")];
    let limit = row_where(&batch, &[&haizhu[..], &[("measure", "limit")]].concat());
    assert_eq!(decimal(&batch, "amount_yuan", limit), Some(exact("1495000000.00")));
    assert_eq!(text(&batch, "region_code", limit).as_deref(), Some("440105"));
    let balance = row_where(&batch, &[&haizhu[..], &[("measure", "balance")]].concat());
    assert_eq!(decimal(&batch, "amount_yuan", balance), Some(exact("2345000000.00")));
    for row in rows_where(&batch, &[("scope", "area"), ("debt_kind", "total"), ("measure", "limit")]) {
        let code = text(&batch, "region_code", row);
        println!("{:?} {:?}", text(&batch, "region_name", row), code);
    }
}

#[test]
fn a_formula_gives_its_cached_value_and_is_noted() {
    let Some(folder) = real_data("debt/disclosure_xlsx") else { return };
    let shaped = suite().shaped(&bytes(&folder, "xinjiang_2018.xlsx"));
    let batch = &shaped.batch;
    let corps = row_where(batch, &[("region_name", "兵团市"), ("debt_kind", "total"), ("measure", "limit")]);
    // The formula is =80.2+60.
    assert_eq!(decimal(batch, "amount_yuan", corps), Some(exact("14020000000")));
    assert_eq!(text(batch, "region_id", corps).as_deref(), Some("650000/兵团市"));
    assert!(shaped.report.grids[0].notes.iter().any(|note| note.contains("D26")));
    let own = row_where(batch, &[("region_name", "自治区本级"), ("debt_kind", "total"), ("measure", "limit")]);
    assert_eq!(
        (text(batch, "region_id", own).as_deref(), text(batch, "scope", own).as_deref()),
        (Some("650000"), Some("own"))
    );
}
