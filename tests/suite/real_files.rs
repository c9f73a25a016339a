//! The departments' own files, where they are there. Expected figures were read in the files themselves.

use std::path::Path;
use std::process::Command;

use gongkai_tests::{Served, python, real_data, sha256, sql, up_once, value};
use serde_json::Value;

/// Files beside those of air quality and the records in each, counted in the files.
const BOOKS: [(&str, u64); 20] = [
    // Every table sheet: 7,687 records of budgets, 250 of debt (44 and 47: 40 + 18 each, 45 and 46: 120, 48: 7 + 7).
    ("lijiang_2025_budget_attachment.xlsx", 7_937),
    ("changde_2025_budget_report.html", 343),
    ("yaan_2025_budget_report.html", 26),
    ("china_cpi.csv", 208),
    ("macro_china_cpi_df.csv", 211),
    ("zhoukou_2025_statistical_bulletin.html", 15),
    // Two feeds: balances, and repayments.
    ("inner_mongolia_xilingol_2024_debt_limit.XLS", 30),
    ("poverty_county_list.csv", 832),
    ("2020摘帽.xlsx", 832),
    // 14 funds and 21 prefectures.
    ("sichuan_2016_poverty_funds_by_programme.json", 294),
    // Form 4-1, 4-2 and the rows of form 4-3, 14 flows and 12 stocks.
    ("海南_2022_60810.xlsx", 31 + 1_408 + 14 + 12),
    ("广东_2021_57700.xlsx", 155 + 4_305 + 14 + 12),
    ("inner_mongolia_xingan_2018.xlsx", 8 + 155 + 14 + 12),
    ("xinjiang_2018.xlsx", 17),
    ("inner_mongolia_bayannur_2018.xlsx", 9),
    ("china_sites_20180101.csv", 1_597),
    ("revertTest.csv", 360),
    ("PRSA_Data_Tiantan_20130301-20170228.csv", 35_064),
    ("water_info_四川省.xlsx", 55),
    ("倮果.csv", 28),
];

#[test]
fn the_departments_files_are_read_released_and_traced() {
    let Some(real) = real_data("the_departments_files_are_read_released_and_traced") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let output = up_once(&data, Some(&real));
    // 1: two rows of the budget workbook are set aside.
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    every_file_is_accounted_for(&report, &real);
    air(&data);
    debt(&data);
    budget(&data);
    poverty(&data);
    prices(&data);
    provenance(&data, &real);

    let again = up_once(&data, Some(&real));
    let again: Value = serde_json::from_slice(&again.stdout).expect("json");
    assert_eq!((&again["ingest"]["landed"], &again["ingest"]["commits"]), (&0.into(), &0.into()));
    assert_eq!(again["releases"], serde_json::json!([]));
}

/// Folders of the five domains.
const DOMAINS: [&str; 5] = ["budget/", "cpi/", "debt/", "environment/", "poverty/"];

fn every_file_is_accounted_for(report: &Value, real: &Path) {
    let files = report["ingest"]["files"].as_array().expect("files");
    let mut matched = Vec::new();
    for file in files {
        let name = file["path"].as_str().expect("a path").rsplit('/').next().expect("a name").to_owned();
        match file["outcome"].as_str().expect("an outcome") {
            "read" => {
                let reports = file["reports"].as_array().expect("reports");
                let number = |key: &str| -> u64 {
                    reports.iter().map(|report| report["totals"][key].as_u64().expect("a count")).sum()
                };
                assert_eq!(number("records_in"), number("records_kept") + number("records_set_aside"), "{name}");
                assert_eq!(
                    number("cells_in"),
                    number("values") + number("missing") + number("cells_set_aside"),
                    "{name}"
                );
                matched.push((name, number("records_in")));
            }
            "unmatched" => {}
            other => panic!("{name}: {other}"),
        }
    }
    for (book, records) in BOOKS {
        assert!(matched.contains(&(book.to_owned(), records)), "{book}: {matched:?}");
    }
    let air: u64 =
        matched.iter().filter(|(name, _)| name.starts_with("china_cities_")).map(|(_, records)| records).sum();
    assert_eq!(air, 81_782);
    // Every data file of the five domains: those in their folders but for what describes them, 105 when they were last counted.
    let data_files = gongkai_ingest::find_files(real).expect("files").into_iter().filter(|file| {
        let is_data = !file.relative.ends_with("SOURCES.md") && !file.relative.ends_with(".yaml");
        is_data && DOMAINS.iter().any(|domain| file.relative.starts_with(domain))
    });
    assert_eq!(matched.len(), data_files.count(), "{matched:?}");
}

fn air(data: &Path) {
    assert_eq!(value(data, "SELECT count(value) FROM air_hourly WHERE geo_kind = 'city'"), "1222149");
    let at = "geo_name = '攀枝花' AND obs_time = '2019-02-01T00:00:00+08:00' AND averaging = '1h'";
    let pm25 = format!(
        "SELECT concat_ws('|', value, data_date, hour_label, region_code, unit) FROM air_hourly WHERE {at} AND measure = 'PM25'"
    );
    assert_eq!(value(data, &pm25), "37.0000|2019-01-31|24|510400|ug_m3");
    let co = format!("SELECT concat_ws('|', value, raw_text, unit) FROM air_hourly WHERE {at} AND measure = 'CO'");
    assert_eq!(value(data, &co), "1.2400|1.24|mg_m3");
}

fn debt(data: &Path) {
    let amount = |region: &str, year: u32, measure: &str| {
        let query = format!(
            "SELECT amount_yuan FROM \"debt_stock@debt_limit_balance_final\" WHERE region_name = '{region}' AND as_of_year = {year} \
             AND measure = '{measure}' AND debt_kind = 'total'"
        );
        value(data, &query)
    };
    assert_eq!(amount("海南省", 2022, "limit"), "370340000000.00");
    assert_eq!(amount("海南省", 2022, "balance"), "348663050234.47");
    assert_eq!(amount("海珠区", 2021, "limit"), "1495000000.00");
    assert_eq!(amount("海珠区", 2021, "balance"), "2345000000.00");
    assert_eq!(value(data, "SELECT region_code FROM debt_stock WHERE region_name = '海珠区' GROUP BY 1"), "440105");
    // Rows 1 to 3 of the form are hidden machine rows.
    assert_eq!(value(data, "SELECT count(*) FROM debt_stock WHERE source_row < 10 AND table_code = 'T31'"), "0");
}

fn budget(data: &Path) {
    let lines = "SELECT concat(count(DISTINCT source_row), ' ', count(DISTINCT CASE WHEN is_hidden THEN source_row END)) \
                 FROM gov_budget_line WHERE source_sheet = '02' AND region_code = '530700'";
    assert_eq!(value(data, lines), "1330 1153");
    let amount = |code: &str, year: u32, stage: &str| {
        let query = format!(
            "SELECT amount_yuan FROM gov_budget_line WHERE region_code = '530700' AND table_code = 'GE12' AND quoted_in = 2025 \
             AND class_code = '{code}' AND fiscal_year = {year} AND stage = '{stage}'"
        );
        value(data, &query)
    };
    assert_eq!(amount("211", 2024, "FINAL"), "906240000.00");
    assert_eq!(amount("211", 2025, "ESTIMATE"), "1094500000.00");
    assert_eq!(amount("21305", 2025, "ESTIMATE"), "933390000.00");
    let line = |table: &str, path: &str, measure: &str| {
        let query = format!(
            "SELECT amount_yuan FROM gov_budget_line WHERE region_code = '530700' AND scope = 'area' AND table_code = '{table}' \
             AND line_path = '{path}' AND measure = '{measure}'"
        );
        value(data, &query)
    };
    assert_eq!(line("GE01", "101/10101", "final"), "1143060000.00");
    assert_eq!(line("GE22", "T/各项支出合计", "estimate"), "7720960000.00");
    assert_eq!(line("GE31", "T/各项收入合计", "final"), "70370000.00");
    assert_eq!(line("GE43", "T/年末滚存结余", "estimate"), "7028880000.00");
    assert_eq!(line("GB12", "201", "budget"), "1543930000.00");
    assert_eq!(line("GB42", "T/支出合计", "budget"), "3690900000.00");
    // What of a total is named below it is no addend.
    let parts = "SELECT count(*) FROM gov_budget_line WHERE line_kind = 'of_which' AND is_leaf";
    assert_eq!(value(data, parts), "0");
    // Every parent of sheet 02 is the sum of its children; sheet 04 prints 1,202 for 21305 in 2024 over children of 784.
    let b02 = |filter: &str| {
        value(
            data,
            &format!("SELECT count(*) FROM catalog.finding WHERE check_id = 'B02' AND outcome <> 'SKIP' AND {filter}"),
        )
    };
    assert_eq!(b02("scope_key LIKE '530700/area/%'"), "0");
    assert_eq!(
        b02("scope_key LIKE '530700/own/2024/FINAL/%/213/21305' AND outcome = 'ERROR' AND diff = '4180000'"),
        "1"
    );
    let tested = "SELECT sum(identities) FROM catalog.check_run WHERE check_id = 'B02' AND outcome = 'PASS'";
    assert!(value(data, tested).parse::<u32>().expect("a count") > 1_000);
}

fn poverty(data: &Path) {
    let of_city = "FROM poverty_allocation WHERE region_name = '攀枝花市'";
    assert_eq!(value(data, &format!("SELECT amount_yuan {of_city} AND fund_name = '以工代赈资金'")), "2000000.00");
    assert_eq!(value(data, &format!("SELECT sum(amount_yuan) {of_city}")), "14580000.00");
    assert_eq!(value(data, "SELECT count(*) FROM poverty_allocation"), "294");
    assert_eq!(
        value(data, "SELECT count(DISTINCT region_id) FROM poverty_county WHERE list_name = 'national_832'"),
        "832"
    );
    let by_year = sql(
        data,
        "csv",
        "SELECT exit_year, count(*) FROM poverty_county WHERE list_name = 'national_832' GROUP BY 1 ORDER BY 1",
    );
    let by_year = String::from_utf8(by_year).expect("text");
    assert_eq!(by_year.lines().skip(1).collect::<Vec<_>>(), ["2016,28", "2017,125", "2018,282", "2019,345", "2020,52"]);
    // Two administrative committees of Qinghai, 冷湖 and 茫崖, have no code of a county.
    assert_eq!(
        value(data, "SELECT count(*) FROM poverty_county WHERE list_name = 'national_832' AND region_code IS NULL"),
        "2"
    );
}

fn prices(data: &Path) {
    let index = |month: &str, base: &str| {
        let query = format!(
            "SELECT concat_ws('|', index_value, conversion, published_scale) FROM cpi_monthly \
             WHERE data_month = '{month}' AND population = 'all' AND base_kind = '{base}'"
        );
        value(data, &query)
    };
    assert_eq!(index("2025-04", "yoy"), "99.9000|99.9|1");
    assert_eq!(index("2025-04", "ytd"), "99.9000|99.9|1");
    assert_eq!(index("2025-04", "mom"), "100.1000|100 + 0.1|1");
    assert_eq!(index("2008-01", "yoy"), "107.0781|107.0781|4");
    // Two vintages of one table: 211 months, the 208 common ones once.
    assert_eq!(value(data, "SELECT count(*) FROM cpi_monthly"), (211 * 9).to_string());
}

fn provenance(data: &Path, real: &Path) {
    let served = Served::start(data, &[]);
    let line = sql(
        data,
        "ndjson",
        "SELECT release_id, row_no FROM \"debt_stock@debt_limit_balance_final\" WHERE region_name = '海南省' AND measure = 'limit' AND debt_kind = 'total'",
    );
    let row: Value = serde_json::from_slice(&line).expect("one row");
    let url = format!(
        "{}/api/v1/provenance?table=debt_stock&release={}&row={}",
        served.base,
        row["release_id"].as_str().expect("text"),
        row["row_no"]
    );
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let body = runtime.block_on(async { reqwest::get(&url).await?.bytes().await }).expect("answers");
    let origin: Value = serde_json::from_slice(&body).expect("json");
    let book = real.join("debt/disclosure_xlsx/海南_2022_60810.xlsx");
    assert_eq!(origin["source"]["sha256"], sha256(&std::fs::read(&book).expect("reads")).as_str());
    assert_eq!(origin["sheet"], "表4-1 地方政府债务限额及余额决算情况表");
    assert_eq!(origin["cell"], "D10");
    assert_eq!(origin["raw_text"], "3703.4");
    assert_eq!(origin["value"], "370340000000.00");

    // A reader that is not ours finds the same number there.
    let Some(python) = python("openpyxl reads the same number", "openpyxl") else { return };
    let script = "import sys, openpyxl\nprint(openpyxl.load_workbook(sys.argv[1], data_only=True)[sys.argv[2]][sys.argv[3]].value)";
    let output = Command::new(python)
        .args(["-W", "ignore", "-c", script])
        .arg(&book)
        .args([origin["sheet"].as_str().expect("text"), "D10"])
        .output()
        .expect("python runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "3703.4", "{}", String::from_utf8_lossy(&output.stderr));
}
