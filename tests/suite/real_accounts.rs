//! Departments' own final accounts in text layers, and compilations of city finances, where they are there. Expected figures were
//! read in the files themselves.

use std::path::Path;

use gongkai_tests::{real_data, sql, up_once, value};
use serde_json::Value;

fn report(data: &Path, inbox: &Path, code: i32) -> Value {
    let output = up_once(data, Some(inbox));
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("json")
}

/// Feeds that read a file, each with its records in and set aside and its cells set aside.
fn by_feed(report: &Value, name: &str) -> Vec<(String, u64, u64, u64)> {
    let files = report["ingest"]["files"].as_array().expect("files");
    let file = files.iter().find(|file| file["path"].as_str().is_some_and(|path| path.ends_with(name)));
    let reports = file.and_then(|file| file["reports"].as_array()).unwrap_or_else(|| panic!("{name} is not read"));
    let mut found: Vec<_> = reports
        .iter()
        .map(|report| {
            let totals = &report["totals"];
            let number = |key: &str| totals[key].as_u64().expect("a count");
            assert_eq!(number("records_in"), number("records_kept") + number("records_set_aside"), "{name}");
            assert_eq!(number("cells_in"), number("values") + number("missing") + number("cells_set_aside"), "{name}");
            let feed = report["feed"].as_str().expect("a feed").to_owned();
            (feed, number("records_in"), number("records_set_aside"), number("cells_set_aside"))
        })
        .collect();
    found.sort();
    found
}

fn lines(data: &Path, query: &str) -> Vec<String> {
    let text = String::from_utf8(sql(data, "csv", query)).expect("text");
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn the_text_of_final_accounts_gives_what_is_certain_and_sets_the_rest_aside() {
    let Some(real) = real_data("the_text_of_final_accounts_gives_what_is_certain_and_sets_the_rest_aside") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    // 1: figures whose column vanished are set aside.
    let report = report(&data, &real.join("budget/department_final_accounts_text"), 1);
    let of = |name: &str, expected: &[(&str, u64, u64, u64)]| {
        let found = by_feed(&report, name);
        let found: Vec<_> =
            found.iter().map(|(feed, records, aside, cells)| (feed.as_str(), *records, *aside, *cells)).collect();
        assert_eq!(found, expected, "{name}");
    };
    // Lines with some of their columns: 20 × 6 of 收入决算表, 20 × 5 of 支出决算表, 16 × 2 of 一般公共预算财政拨款支出决算表 (the other four print all
    // three), and 7 × 3 of 财政拨款收入支出决算总表. 三公 prints two figures of twelve.
    of(
        "putuo_finance_bureau_2024_final_accounts.txt",
        &[
            ("department_appropriation_expenditure_final", 29, 0, 21),
            ("department_appropriation_income_final", 6, 0, 0),
            ("department_appropriation_opening_final", 1, 0, 0),
            ("department_basic_expenditure_final", 66, 0, 0),
            ("department_expenditure_final", 20, 0, 100),
            ("department_general_expenditure_final", 20, 0, 32),
            ("department_income_final", 20, 0, 120),
            ("department_nil_final", 2, 0, 0),
            ("department_summary_expenditure_final", 30, 0, 0),
            ("department_summary_income_final", 12, 0, 0),
            ("three_public_final", 2, 2, 0),
        ],
    );
    // 18 × 6, 18 × 5, 15 × 2, 6 × 3.
    of(
        "putuo_social_work_dept_2024_final_accounts.txt",
        &[
            ("department_appropriation_expenditure_final", 29, 0, 18),
            ("department_appropriation_income_final", 6, 0, 0),
            ("department_appropriation_opening_final", 1, 0, 0),
            ("department_basic_expenditure_final", 67, 0, 0),
            ("department_expenditure_final", 18, 0, 90),
            ("department_general_expenditure_final", 18, 0, 30),
            ("department_income_final", 18, 0, 108),
            ("department_nil_final", 2, 0, 0),
            ("department_summary_expenditure_final", 30, 0, 0),
            ("department_summary_income_final", 12, 0, 0),
            ("three_public_nil_final", 1, 0, 0),
        ],
    );

    let finance = "org_name = '上海市普陀区财政局' AND fiscal_year = 2024 AND stage = 'FINAL'";
    let amount = |table: &str, path: &str, rest: &str| {
        let query = format!(
            "SELECT amount_yuan FROM dept_budget_line WHERE {finance} AND table_code = '{table}' AND line_path = '{path}' AND {rest}"
        );
        value(&data, &query)
    };
    // 普陀区 of 上海市, not of 舟山市.
    assert_eq!(value(&data, "SELECT string_agg(DISTINCT region_code, ',') FROM dept_budget_line"), "310107");
    assert_eq!(amount("DF01", "T/总计", "side = 'income'"), "29953900.00");
    assert_eq!(amount("DF01", "T/总计", "side = 'expenditure'"), "29953900.00");
    assert_eq!(amount("DF01", "T/其他收入", "side = 'income'"), "62000.00");
    assert_eq!(amount("DF02", "201/20106/2010601", "fund_source = 'total'"), "15119000.00");
    assert_eq!(amount("DF03", "T/合计", "split = 'total'"), "29400500.00");
    assert_eq!(amount("DF04", "T/一般公共服务支出", "fund_source = 'fiscal'"), "21066600.00");
    assert_eq!(amount("DF04", "T/年初财政拨款结转和结余", "fund_source = 'general'"), "216300.00");
    for (split, yuan) in [("total", "15118900.00"), ("basic", "15035200.00"), ("project", "83700.00")] {
        assert_eq!(amount("DF05", "201/20106/2010601", &format!("split = '{split}'")), yuan);
    }
    assert_eq!(amount("DF06", "301/30102", "split = 'total'"), "12385800.00");
    // A class without a figure is missing, not zero.
    assert_eq!(amount("DF06", "301/30103", "value_state = 'missing'"), "");
    // 2,152.26 + 184.65 = 2,336.91, the basic expenditure of 一般公共预算财政拨款支出决算表.
    let basic = format!(
        "SELECT sum(amount_yuan) FROM dept_budget_line WHERE {finance} AND table_code = 'DF06' AND split IN ('personnel', 'public')"
    );
    assert_eq!(value(&data, &basic), amount("DF05", "T/合计", "split = 'basic'"));
    // The eleven 项 add up to 2,940.06, the total says 2,940.05: rounding of the print.
    let leaves = format!(
        "SELECT concat_ws('|', count(*), sum(amount_yuan)) FROM dept_budget_line WHERE {finance} AND table_code = 'DF03' \
         AND split = 'total' AND is_leaf AND line_kind = 'detail'"
    );
    assert_eq!(value(&data, &leaves), "11|29400600.00");
    // Names that the print wraps are whole again.
    let name = format!("SELECT DISTINCT line_name FROM dept_budget_line WHERE {finance} AND class_code = '2080505'");
    assert_eq!(value(&data, &name), "机关事业单位基本养老保险缴费支出");
    let nil =
        "SELECT concat_ws('|', org_name, table_code) FROM dept_budget_line WHERE is_nil ORDER BY org_name, table_code";
    assert_eq!(
        lines(&data, nil),
        [
            "上海市普陀区财政局|DF08",
            "上海市普陀区财政局|DF09",
            "中共上海市普陀区委社会工作部|DF08",
            "中共上海市普陀区委社会工作部|DF09",
        ]
    );
    let three = "SELECT concat_ws('|', org_name, item, is_nil, value_state) FROM three_public";
    assert_eq!(lines(&data, three), ["中共上海市普陀区委社会工作部|total|true|missing"]);
}

#[test]
fn compilations_of_city_finances_come_out_with_their_totals() {
    let Some(real) = real_data("compilations_of_city_finances_come_out_with_their_totals") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    // 1: one cell of the workbook holds `1 1.44`, which is no number.
    let report = report(&data, &real.join("budget/city_panels"), 1);
    // 325 rows below the header, 27 of them provinces; 34 years of 300 cities.
    let read = |name: &str| -> Vec<(String, u64)> {
        by_feed(&report, name).into_iter().map(|(feed, records, ..)| (feed, records)).collect()
    };
    assert_eq!(
        read("china_city_statistical_yearbook_2019_prefecture.xlsx"),
        [("city_yearbook".to_owned(), 298), ("city_yearbook_rates".to_owned(), 298)]
    );
    assert_eq!(
        read("china_city_panel_with_policies.csv"),
        [("city_panel".to_owned(), 10_200), ("city_panel_rates".to_owned(), 10_200)]
    );
    let of = |dataset: &str, code: &str, scope: &str| {
        let query = format!(
            "SELECT concat_ws('|', count(published_value), CAST(sum(published_value) AS DECIMAL(38,2))) FROM fiscal_indicator \
             WHERE release_id LIKE '{dataset}.%' AND indicator_code = '{code}' AND scope = '{scope}'"
        );
        value(&data, &query)
    };
    // Columns AG, AH, AI, AS, AT, AV and AW of the workbook.
    assert_eq!(of("city_yearbook", "gdp", "area"), "296|8942023503.00");
    assert_eq!(of("city_yearbook", "gdp", "urban_districts"), "290|5469757969.00");
    assert_eq!(of("city_yearbook", "gdp_per_capita", "area"), "295|17871754.00");
    assert_eq!(of("city_yearbook", "general_revenue", "area"), "296|832450106.00");
    assert_eq!(of("city_yearbook", "general_expenditure", "area"), "296|1532105677.00");
    assert_eq!(of("city_yearbook", "education_expenditure", "area"), "296|248859915.00");
    assert_eq!(of("city_yearbook", "general_revenue", "urban_districts"), "292|586246444.00");
    assert_eq!(of("city_panel", "gdp", "area"), "9567|139502153823.00");
    assert_eq!(of("city_panel", "general_revenue", "area"), "9620|11915823910.00");
    assert_eq!(of("city_panel", "gdp_growth", "area"), "8258|88470.17");
    // 615,026 万元 in both.
    let panzhihua = "SELECT DISTINCT amount_yuan FROM fiscal_indicator WHERE region_code = '510400' AND period = '2018' \
                     AND indicator_code = 'general_revenue' AND scope = 'area'";
    assert_eq!(value(&data, panzhihua), "6150260000.00");
}
