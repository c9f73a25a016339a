//! Notebooks, executed over a warehouse of the samples; their outputs against the product's own answers.

use std::path::Path;
use std::process::Command;

use gongkai_tests::{EVERY_DOOR, Served, python, root, samples, skip, up_samples, value};
use serde_json::Value;

/// What the code cells of a notebook gave, in order; nothing where it cannot run here.
fn execute(name: &str, data: &Path, served: Option<&Served>) -> Option<Vec<Value>> {
    let needed = "nbclient, ipykernel, polars, duckdb, matplotlib, psycopg, adbc_driver_flightsql, deltalake, pyarrow";
    let python = python("notebooks", needed)?;
    let mut command = Command::new(&python);
    command.arg(root().join("tests/execute_notebook.py")).arg(root().join("notebooks").join(name));
    command.env("GONGKAI_DATA", data).env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(served) = served {
        command.env("GONGKAI_URL", &served.base);
        command.env("GONGKAI_PG", served.pg.as_deref().expect("the door for PostgreSQL"));
        command.env("GONGKAI_FLIGHT", served.flight.as_deref().expect("the door for Arrow Flight"));
    }
    let output = command.output().unwrap_or_else(|error| panic!("python does not start: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("no Chinese font is installed") {
        skip("notebooks", "no Chinese font is installed, such as Debian's fonts-wqy-zenhei");
        return None;
    }
    assert!(output.status.success(), "{name}: {said}");
    let cells = String::from_utf8_lossy(&output.stdout);
    Some(cells.lines().map(|line| serde_json::from_str(line).expect("a cell as JSON")).collect())
}

/// The same over a served warehouse of the samples.
fn execute_served(name: &str, data: &Path) -> Option<Vec<Value>> {
    up_samples(data);
    let served = Served::start(data, &EVERY_DOOR);
    let cells = execute(name, data, Some(&served))?;
    for cell in &cells {
        let source = cell["source"].as_str().unwrap_or_default();
        if source.contains("plt.show()") {
            assert!(output(&cells, source, "image/png").ends_with("characters"), "no picture of {source}");
            assert!(source.contains("name_sources") || source.contains("来源"), "a picture names no source: {source}");
        }
    }
    Some(cells)
}

/// The cells of the first line of a printed table that has all of these.
fn line(table: &str, cells: &[&str]) -> Vec<String> {
    let of = |line: &str| line.split(['│', '┆']).map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let found = table.lines().map(of).find(|line| cells.iter().all(|cell| line.iter().any(|found| found == cell)));
    found.unwrap_or_else(|| panic!("no line with {cells:?} in\n{table}"))
}

/// Whether a line of a printed table with the first cells has the last one too.
fn assert_line(table: &str, cells: &[&str], expected: &str) {
    let line = line(table, cells);
    assert!(line.iter().any(|cell| cell == expected), "{cells:?}: no {expected} in {line:?}");
}

/// The text output of the first cell whose source has these words.
fn output<'a>(cells: &'a [Value], words: &str, kind: &str) -> &'a str {
    let cell = cells.iter().find(|cell| cell["source"].as_str().is_some_and(|source| source.contains(words)));
    let outputs = cell.unwrap_or_else(|| panic!("no cell has {words:?}"))["outputs"].as_array().expect("outputs");
    let found = outputs.iter().find(|output| output["kind"] == kind);
    found.unwrap_or_else(|| panic!("{words:?} gave no {kind}: {outputs:?}"))["content"].as_str().expect("text")
}

#[test]
fn the_first_notebook_runs_and_agrees_with_sql() {
    let (_folder, data) = samples();
    let Some(cells) = execute("getting-started.ipynb", &data, None) else { return };

    assert!(output(&cells, "plt.show()", "image/png").ends_with("characters"));
    let debt = output(&cells, "debt = (", "text/plain");
    // Public figures of 2022 and 2023 are in the samples; the synthetic 2024 release is left out by the notebook.
    for (year, measure) in [("2022", "limit"), ("2022", "balance"), ("2023", "limit"), ("2023", "balance")] {
        let amount = value(
            &data,
            &format!(
                "SELECT amount_yuan FROM debt_stock WHERE region_code = '510400' AND scope = 'area' \
                 AND debt_kind = 'total' AND measure = '{measure}' AND as_of_year = {year}"
            ),
        );
        assert!(debt.contains(&amount), "{year} {measure} {amount} is not in\n{debt}");
    }
    assert!(!debt.contains("2024"), "a synthetic release is among the published ones:\n{debt}");
    let months = value(
        &data,
        "SELECT count(*) FROM cpi_monthly WHERE base_kind = 'yoy' AND population = 'all' AND item_code = 'total' AND data_year = 2024",
    );
    let prices = output(&cells, "duckdb.execute", "text/plain");
    let row = prices.lines().find(|line| line.contains("2024")).unwrap_or_else(|| panic!("no 2024 in\n{prices}"));
    assert!(row.contains(&format!(" {months} ")), "{months} months, not {row:?}");
    let traced = output(&cells, "openpyxl.load_workbook", "text/plain");
    let raw = traced.split("'raw_text': '").nth(1).and_then(|rest| rest.split('\'').next()).expect("raw text");
    assert!(traced.contains(&format!("'openpyxl reads': {raw}")), "{traced}");
}

#[test]
fn four_ways_of_reading_give_the_same_rows() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    let Some(cells) = execute_served("four-ways.ipynb", &data) else { return };

    let comparison = output(&cells, "comparison = pl.DataFrame(", "text/plain");
    let rows = value(&data, "SELECT count(*) FROM debt_stock");
    let missing = value(&data, "SELECT count(*) FROM debt_stock WHERE amount_yuan IS NULL");
    // A sum of everything counts debt many times over; it is compared, not read.
    let sum = value(&data, "SELECT sum(amount_yuan) FROM debt_stock");
    for way in ["HTTP", "PostgreSQL", "Flight SQL", "Delta"] {
        let line = line(comparison, &[way]);
        assert_eq!([&line[2], &line[4], &line[5]], [&rows, &missing, &sum], "{way}");
    }
    let debt = output(&cells, "pivot(\"debt_kind\"", "text/plain");
    for (year, measure, kind) in
        [("2020", "limit", "general"), ("2022", "balance", "special"), ("2023", "limit", "special")]
    {
        let amount = value(
            &data,
            &format!(
                "SELECT amount_yuan FROM \"debt_stock@debt_limit_balance_final\" WHERE region_code = '510400' \
                 AND scope = 'area' AND as_of_year = {year} AND measure = '{measure}' AND debt_kind = '{kind}'"
            ),
        );
        assert_line(debt, &[year, measure], &amount);
    }
    assert!(!debt.contains("2021") && !debt.contains("2024"), "synthetic figures among the published ones:\n{debt}");
}

#[test]
fn debt_of_counties_agrees_with_sql_and_the_checks() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    let Some(cells) = execute_served("county-debt.ipynb", &data) else { return };

    let used = output(&cells, "used = (", "text/plain");
    for (year, code) in [("2021", "510411"), ("2021", "510422"), ("2024", "510402"), ("2024", "510421")] {
        let amount = |measure: &str| {
            format!(
                "(SELECT amount_yuan FROM \"debt_stock@debt_limit_balance_final\" WHERE region_code = '{code}' \
                 AND scope = 'area' AND as_of_year = {year} AND measure = '{measure}' AND debt_kind = 'total')"
            )
        };
        let (limit, balance) = (amount("limit"), amount("balance"));
        assert_line(used, &[year, code], &value(&data, &format!("SELECT {limit}")));
        assert_line(used, &[year, code], &value(&data, &format!("SELECT {balance}")));
        assert_line(used, &[year, code], &value(&data, &format!("SELECT round({balance} / {limit} * 100, 1)")));
    }
    let above = output(&cells, "above = used.filter", "text/plain");
    assert_line(above, &["2021", "510411"], "-85000000.00");
    assert_eq!(above.matches("5104").count(), 1, "{above}");
    let burden = output(&cells, "burden = (", "text/plain");
    // 31.45 / 6.5 and 19 / 8.
    assert_line(burden, &["510411"], "4.84");
    assert_line(burden, &["510402"], "2.38");
    let synthetic = "SELECT count(*) FROM catalog.release WHERE dataset = 'debt_limit_balance_final' AND is_synthetic";
    let origins = output(&cells, "origins = shared.origin(debt)", "text/plain");
    assert_eq!(origins.matches("true").count().to_string(), value(&data, synthetic), "{origins}");
}

#[test]
fn air_and_spending_agree_with_sql() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    let Some(cells) = execute_served("air-and-spending.ipynb", &data) else { return };

    let days = output(&cells, "means = duckdb.sql", "text/plain");
    for (code, day) in [("510400", "2019-03-02"), ("530700", "2019-03-01")] {
        let hours = value(
            &data,
            &format!(
                "SELECT count(value) FROM \"air_hourly@air_city_hourly\" WHERE region_code = '{code}' \
                 AND data_date = DATE '{day}' AND measure = 'PM25' AND averaging = '1h'"
            ),
        );
        assert_line(days, &[code, day], &hours);
        let of =
            format!("FROM air_daily WHERE geo_kind = 'city' AND region_code = '{code}' AND data_date = DATE '{day}'");
        assert_line(days, &[code, day], &value(&data, &format!("SELECT pm25_ug_m3 {of}")));
        assert_line(days, &[code, day], &value(&data, &format!("SELECT aqi {of}")));
    }
    let spending = output(&cells, "checked = (", "text/plain");
    for (year, stage) in [("2018", "FINAL"), ("2019", "BUDGET"), ("2020", "ESTIMATE")] {
        let printed = value(
            &data,
            &format!(
                "SELECT amount_yuan FROM gov_budget_line WHERE region_code = '510400' AND scope = 'area' \
                 AND table_code = 'GE12' AND class_code = '211' AND fiscal_year = {year} AND stage = '{stage}'"
            ),
        );
        assert_line(spending, &[year, stage], &printed);
        assert_line(spending, &[year, stage], "0.00");
    }
    let report = output(&cells, "wide = (", "text/plain");
    // 352 of 366 days.
    assert_line(report, &["510400", "352.0000", "366.0000"], "96.2");
}

#[test]
fn the_chain_of_prices_and_pork_agree_with_sql() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    let Some(cells) = execute_served("prices.ipynb", &data) else { return };

    let chain = output(&cells, "level, chain =", "text/plain");
    for month in ["2023-12", "2025-04"] {
        let of =
            format!("FROM cpi_chain WHERE region_code = '000000' AND population = 'all' AND data_month = '{month}'");
        let line = line(chain, &[month]);
        assert_eq!(line[5], value(&data, &format!("SELECT chain_index {of}")), "{line:?}");
        assert_eq!(line[7], value(&data, &format!("SELECT yoy_chained {of}")), "{line:?}");
    }
    let pork = output(&cells, "pork = shared.ask", "text/plain");
    let price = value(
        &data,
        "SELECT CAST(value * 2 AS DECIMAL(23, 8)) FROM price_observation WHERE region_name = '米易县' \
         AND commodity_name = '猪肉' AND measure = 'price' AND unit = 'yuan_500g'",
    );
    // 17.09 yuan per 500 grams, 12 a year earlier.
    assert_eq!(price, "34.18000000");
    assert_line(pork, &["米易县", "带皮后腿"], &price);
    assert_line(pork, &["米易县", "带皮后腿"], "42.4");
}

#[test]
fn coverage_agrees_with_sql_and_the_api() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    let Some(cells) = execute_served("coverage.ipynb", &data) else { return };

    let counts = output(&cells, "coverage = shared.ask", "text/plain");
    let api = output(&cells, "of_api(\"510400\")", "text/plain");
    for (code, state, at) in [("510400", "covered", 4), ("510400", "synthetic", 5), ("510411", "missing", 6)] {
        let query =
            format!("SELECT count(*) FROM catalog.item_coverage WHERE region_code = '{code}' AND state = '{state}'");
        let count = value(&data, &query);
        assert_eq!(line(counts, &[code])[at], count, "{code} {state}");
        if code == "510400" {
            let total = api.split("'fields'").next().expect("the total comes first");
            assert!(total.contains(&format!("'{state}': {count},")), "{state} {count}: {total}");
        }
    }
}

#[test]
fn the_script_in_r_agrees_with_sql() {
    let packages = Command::new("Rscript").args(["-e", "library(jsonlite)"]).output();
    if !packages.is_ok_and(|output| output.status.success()) {
        skip("notebooks", "R with jsonlite is not installed (Debian: r-base-core, r-cran-jsonlite)");
        return;
    }
    let (_folder, data) = samples();
    let served = Served::start(&data, &[]);
    let output = Command::new("Rscript")
        .arg(root().join("notebooks/read_warehouse.R"))
        .env("GONGKAI_URL", &served.base)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).expect("json");
    let rows = read["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 6, "three years, limit and balance: {read}");
    for row in rows {
        let text = |name: &str| row[name].as_str().expect("text").to_owned();
        let amount = value(
            &data,
            &format!(
                "SELECT amount_yuan FROM \"debt_stock@debt_limit_balance_final\" WHERE region_code = '510400' \
                 AND scope = 'area' AND debt_kind = 'total' AND as_of_year = {} AND measure = '{}'",
                text("as_of_year"),
                text("measure")
            ),
        );
        assert_eq!(text("amount_yuan"), amount, "{row}");
    }
    // 238.6 / 255.4.
    assert_eq!(read["used_pct"][1], 93.4);
    assert!(read["terms"][0]["licence_zh"].as_str().is_some_and(|licence| licence.contains("政府信息公开")), "{read}");
}

#[test]
fn notebooks_are_kept_without_outputs() {
    for entry in std::fs::read_dir(root().join("notebooks")).expect("folder").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "ipynb") {
            let text = std::fs::read(&path).expect("readable");
            let notebook: Value = serde_json::from_slice(&text).expect("a notebook");
            for cell in notebook["cells"].as_array().expect("cells") {
                let is_clean = cell["outputs"].as_array().is_none_or(Vec::is_empty);
                assert!(is_clean, "{} has outputs; clear them before it is committed", path.display());
            }
        }
    }
}
