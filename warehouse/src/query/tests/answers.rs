//! Right numbers from the right releases.

use std::sync::Arc;

use futures::TryStreamExt;

use super::warehouse::{AIR, DEBT, Warehouse};
use crate::Snapshot;
use crate::query::{EngineSettings, QueryOptions, TextLimits, scan};

#[tokio::test]
async fn a_table_is_the_union_of_its_current_releases() {
    let warehouse = Warehouse::new();
    // 100.20 + 50.05 + 120.00 + 60.30
    assert_eq!(warehouse.value("SELECT sum(amount_yuan) FROM debt_stock").await, "330.55");
    assert_eq!(warehouse.value("SELECT sum(amount_yuan) FROM open.debt_stock").await, "330.55");
    assert_eq!(warehouse.value("SELECT sum(amount_yuan) FROM gongkai.open.debt_stock").await, "330.55");
    let by_year = warehouse.map("SELECT as_of_year, sum(amount_yuan) FROM debt_stock GROUP BY as_of_year").await;
    assert_eq!((by_year["2021"].as_str(), by_year["2022"].as_str()), ("150.25", "180.30"));
}

#[tokio::test]
async fn files_of_a_small_table_are_read_once() {
    let warehouse = Warehouse::new();
    let sum = "SELECT sum(amount_yuan) FROM debt_stock";
    assert_eq!(warehouse.value(sum).await, "330.55");
    std::fs::remove_dir_all(warehouse.folder.path().join("releases")).expect("removes");
    assert_eq!(warehouse.value("SELECT count(*) FROM debt_stock WHERE as_of_year = 2022").await, "2");
    // Of releases that nobody asked for before nothing is there.
    let of_one = format!("SELECT sum(amount_yuan) FROM open.\"debt_stock@{DEBT}.1\"");
    assert_eq!(warehouse.error(&of_one).await.code(), "internal");
}

#[tokio::test]
async fn one_release_and_all_releases_have_names() {
    let warehouse = Warehouse::new();
    let sum = |table: &str| format!("SELECT sum(amount_yuan) FROM open.\"debt_stock@{table}\"");
    assert_eq!(warehouse.value(&sum(&format!("{DEBT}.1"))).await, "150.15");
    assert_eq!(warehouse.value(&sum(&format!("{DEBT}.3"))).await, "150.25");
    assert_eq!(warehouse.value(&sum("all")).await, "480.70");
    assert_eq!(warehouse.value("SELECT count(*) FROM open.\"debt_stock@all\"").await, "8");
}

#[tokio::test]
async fn what_is_current_of_one_dataset_has_a_name() {
    let warehouse = Warehouse::new();
    let of_dataset = format!("SELECT sum(amount_yuan) FROM open.\"debt_stock@{DEBT}\"");
    assert_eq!(warehouse.value(&of_dataset).await, "330.55");
    // Neither a dataset of another table nor one that is not declared.
    for name in [format!("debt_stock@{AIR}"), "debt_stock@nothing".to_owned()] {
        let error = warehouse.error(&format!("SELECT count(*) FROM open.\"{name}\"")).await;
        assert_eq!(error.code(), "table_not_found", "{name}");
    }
}

#[tokio::test]
async fn an_earlier_time_sees_the_releases_of_that_time() {
    let warehouse = Warehouse::new();
    let sum = "SELECT sum(amount_yuan) FROM debt_stock";
    let at = |time: &str| warehouse.snapshot.as_of(time.parse().expect("a time"));
    let rows = warehouse.at(&at("2022-08-02T00:00:00Z"), sum).await.expect("an answer");
    assert_eq!(rows, [["150.15"]]);
    // The correction of September 2023 is not out yet: 150.15 + 180.30.
    let rows = warehouse.at(&at("2023-08-15T00:00:00Z"), sum).await.expect("an answer");
    assert_eq!(rows, [["330.45"]]);
    let rows = warehouse.at(&at("2020-01-01T00:00:00Z"), "SELECT count(*) FROM debt_stock").await.expect("an answer");
    assert_eq!(rows, [["0"]]);
}

#[tokio::test]
async fn a_table_without_releases_is_empty_with_its_columns() {
    let warehouse = Warehouse::new();
    let empty = Snapshot::empty();
    let rows = warehouse.at(&empty, "SELECT region_name, amount_yuan FROM debt_stock").await.expect("an answer");
    assert!(rows.is_empty());
    let rows = warehouse.at(&empty, "SELECT count(*), sum(value) FROM air_hourly").await.expect("an answer");
    assert_eq!(rows, [["0", ""]]);
}

#[tokio::test]
async fn missing_values_stay_missing() {
    let warehouse = Warehouse::new();
    assert_eq!(warehouse.rows("SELECT count(*), count(amount_yuan) FROM debt_stock").await, [["5", "4"]]);
    assert_eq!(warehouse.value("SELECT region_name FROM debt_stock WHERE amount_yuan IS NULL").await, "攀枝花市");
    // (35.5 + 70.25) / 2: the missing hour does not count as 0.
    assert_eq!(warehouse.value("SELECT avg(value) FROM air_hourly").await, "52.87500000");
    assert_eq!(warehouse.value("SELECT count(*) FROM air_hourly WHERE value <> 35.5").await, "1");
}

#[tokio::test]
async fn decimals_are_exact_from_file_and_text() {
    let warehouse = Warehouse::new();
    assert_eq!(warehouse.value("SELECT 0.1 + 0.2 = 0.3").await, "true");
    assert_eq!(warehouse.value("SELECT count(*) FROM debt_stock WHERE amount_yuan = 100.20").await, "1");
    assert_eq!(warehouse.value("SELECT 99999999999999999.01 + 0.01").await, "99999999999999999.02");
}

#[tokio::test]
async fn tables_join_with_code_lists() {
    let warehouse = Warehouse::new();
    let rows = warehouse
        .rows(
            "WITH latest AS (SELECT * FROM debt_stock WHERE as_of_year = 2022)
             SELECT r.name, r.tier, d.amount_yuan,
                    rank() OVER (ORDER BY d.amount_yuan DESC) AS place
             FROM latest d JOIN ref.region r ON r.region_code = d.region_code AND r.valid_to IS NULL
             ORDER BY place",
        )
        .await;
    assert_eq!(rows, [["四川省", "province", "120.00", "1"], ["成都市", "city", "60.30", "2"]]);
}

#[tokio::test]
async fn everyday_forms_work() {
    let warehouse = Warehouse::new();
    for (sql, expected) in [
        ("SELECT median(amount_yuan) FROM debt_stock WHERE as_of_year = 2022", "90.15"),
        ("SELECT approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY as_of_year) FROM debt_stock", "2021.0"),
        ("SELECT count(DISTINCT region_code) FROM debt_stock", "3"),
        (
            "SELECT string_agg(DISTINCT region_name, '、' ORDER BY region_name) FROM debt_stock",
            "四川省、成都市、攀枝花市",
        ),
        ("SELECT max(amount_yuan) FILTER (WHERE as_of_year = 2021) FROM debt_stock", "100.20"),
        ("SELECT count(*) FROM debt_stock WHERE region_name LIKE '%市' AND as_of_year BETWEEN 2021 AND 2022", "3"),
        ("SELECT count(*) FROM (SELECT as_of_year FROM debt_stock UNION SELECT 2030) t", "3"),
        ("SELECT CASE WHEN max(amount_yuan) > 100 THEN '高' ELSE '低' END FROM debt_stock", "高"),
        ("SELECT substring('政府债务' FROM 3 FOR 2) || upper('ok')", "债务OK"),
        ("SELECT extract(year FROM DATE '2024-03-01') + 1", "2025"),
        ("SELECT date_trunc('month', DATE '2024-03-17')", "2024-03-01T00:00:00"),
        ("SELECT regexp_replace('A-12', '[A-Z]-', '')", "12"),
        ("SELECT coalesce(NULL, nullif(1, 1), 7)", "7"),
        ("SELECT TRY_CAST('x' AS INT) IS NULL", "true"),
        (
            "SELECT count(*) FROM debt_stock a WHERE EXISTS (SELECT 1 FROM air_hourly b WHERE b.geo_id = a.region_code)",
            "3",
        ),
        ("SELECT count(*) FROM debt_stock WHERE region_code IN (SELECT geo_id FROM air_hourly)", "3"),
        ("SELECT stddev(as_of_year) > 0 AND corr(as_of_year, amount_yuan) > 0 FROM debt_stock", "true"),
        ("SELECT now() > TIMESTAMP '2024-01-01 00:00:00'", "true"),
        ("SELECT to_char(obs_time, '%Y-%m-%d %H:%M') FROM air_hourly WHERE geo_id = '510100'", "2024-01-02 00:00"),
        ("SELECT unnest(string_to_array('a', ','))", "a"),
        ("VALUES (1)", "1"),
    ] {
        assert_eq!(warehouse.value(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn percentiles_lie_where_a_double_says() {
    let warehouse = Warehouse::new();
    for (asked, expected) in [
        ("percentile_cont(0.3333333333333333) WITHIN GROUP (ORDER BY x)", "0.3333333333333333"),
        ("percentile_cont(0.3333333333333333) WITHIN GROUP (ORDER BY x DESC)", "0.6666666666666667"),
        ("percentile_cont(DISTINCT x, 0.3333333333333333)", "0.3333333333333333"),
        ("percentile_cont(x, 0.3333333333333333) FILTER (WHERE x < 0)", ""),
        ("quantile_cont(x, 1.0)", "1.0"),
    ] {
        let sql = format!("SELECT {asked} FROM (VALUES (0, 1), (1, 1), (NULL, 2)) AS t(x, n)");
        assert_eq!(warehouse.value(&sql).await, expected, "{asked}");
        let sql =
            format!("SELECT {asked} FROM (VALUES (0, 1), (1, 1), (5, 2)) AS t(x, n) GROUP BY n ORDER BY n LIMIT 1");
        assert_eq!(warehouse.value(&sql).await, expected, "{asked} in groups");
    }
    // In windows that grow, {0}, {0, 1}, {0, 1, 4}, and in those that move, {0}, {0, 1}, {1, 4}.
    for (frame, expected) in [("", "0.6666666666666666"), ("ROWS BETWEEN 1 PRECEDING AND CURRENT ROW", "2.0")] {
        let over = format!("percentile_cont(x, 0.3333333333333333) OVER (ORDER BY x {frame}) AS p");
        let sql = format!("SELECT max(p) FROM (SELECT {over} FROM (VALUES (4), (0), (1)) AS t(x))");
        assert_eq!(warehouse.value(&sql).await, expected, "{frame}");
    }
}

#[tokio::test]
async fn times_without_a_zone_are_beijing_time() {
    let warehouse = Warehouse::new();
    let sql = "SELECT count(*) FROM air_hourly WHERE obs_time = '2024-01-02 00:00:00'";
    assert_eq!(warehouse.value(sql).await, "1");
    let sql = "SELECT count(*) FROM air_hourly WHERE obs_time = TIMESTAMPTZ '2024-01-01T16:00:00Z'";
    assert_eq!(warehouse.value(sql).await, "1");
}

#[tokio::test]
async fn region_functions_know_names_by_date_and_descent() {
    let warehouse = Warehouse::new();
    for (sql, expected) in [
        ("SELECT region_name('510400', DATE '2020-01-01')", "攀枝花市"),
        ("SELECT region_name('510400', '2020-01-01')", "攀枝花市"),
        ("SELECT region_name('999999', DATE '2020-01-01') IS NULL", "true"),
        ("SELECT region_within('510400', '510000')", "true"),
        ("SELECT region_within('510400', '000000')", "true"),
        ("SELECT region_within('510400', '510400')", "true"),
        ("SELECT region_within('510000', '510400')", "false"),
        ("SELECT region_within(NULL, '510400') IS NULL", "true"),
        ("SELECT count(*) FROM debt_stock WHERE region_within(region_code, '510400')", "1"),
    ] {
        assert_eq!(warehouse.value(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn a_plan_says_what_its_result_will_be() {
    let warehouse = Warehouse::new();
    let sql = "SELECT amount_yuan, region_name AS name, 1 AS one, sum(amount_yuan) OVER () AS total FROM debt_stock";
    let statement = scan(sql, &TextLimits::default()).expect("a small statement");
    let snapshot = Arc::new(warehouse.snapshot.clone());
    let planned = warehouse.engine.plan(&statement, snapshot, QueryOptions::default()).await.expect("a plan");
    let columns = planned.columns();
    let types: Vec<(&str, &str)> =
        columns.iter().map(|column| (column.name.as_str(), column.type_name.as_str())).collect();
    assert_eq!(
        types,
        [("amount_yuan", "decimal(20,2)"), ("name", "text"), ("one", "bigint"), ("total", "decimal(30,2)")]
    );
    assert_eq!(columns[0].unit.as_deref(), Some("yuan"));
    assert_eq!(columns[0].label.as_ref().map(|label| label.en.as_str()), Some("Amount (yuan)"));
    assert_eq!(columns[2].label, None);
    assert_eq!(planned.releases(), [(DEBT.to_owned(), 2), (DEBT.to_owned(), 3)]);
    let schema = planned.schema();
    let batches: Vec<_> = planned.execute().expect("a stream").try_collect().await.expect("rows");
    assert!(batches.iter().all(|batch| batch.schema() == schema));
}

#[tokio::test]
async fn releases_are_named_even_when_no_row_is_read() {
    let warehouse = Warehouse::new();
    let sql = "SELECT count(*) FROM air_hourly, (SELECT 1 FROM open.\"debt_stock@all\" LIMIT 1)";
    let statement = scan(sql, &TextLimits::default()).expect("a small statement");
    let snapshot = Arc::new(warehouse.snapshot.clone());
    let planned = warehouse.engine.plan(&statement, snapshot, QueryOptions::default()).await.expect("a plan");
    let debt = [1, 2, 3].map(|number| (DEBT.to_owned(), number));
    assert_eq!(planned.releases(), [[(AIR.to_owned(), 1)].as_slice(), debt.as_slice()].concat());
}

#[tokio::test]
async fn row_counts_are_answered_without_reading() {
    let warehouse = Warehouse::new();
    let plan = warehouse.map("EXPLAIN SELECT count(*) FROM debt_stock").await;
    assert!(!plan["physical_plan"].contains("DataSourceExec"), "{}", plan["physical_plan"]);
    assert_eq!(warehouse.value("SELECT count(*) FROM debt_stock").await, "5");
    // A filter must not be answered from the count.
    assert_eq!(warehouse.value("SELECT count(*) FROM debt_stock WHERE as_of_year = 2022").await, "2");
}

#[tokio::test]
async fn a_plan_is_shown_without_files() {
    let warehouse = Warehouse::new();
    let plan = warehouse.map("EXPLAIN SELECT region_name FROM debt_stock WHERE amount_yuan > 100 ORDER BY 1").await;
    assert!(plan["logical_plan"].contains("debt_stock"));
    assert!(plan["physical_plan"].contains("DataSourceExec"));
    for text in plan.values() {
        assert!(!text.contains("releases/") && !text.contains("parquet") && !text.contains("lake:"), "{text}");
    }
}

#[tokio::test]
async fn parameters_take_their_values_in_order() {
    let warehouse = Warehouse::new();
    let sql = "SELECT sum(amount_yuan) FROM debt_stock WHERE as_of_year = $1 AND region_name = $2";
    let statement = scan(sql, &TextLimits::default()).expect("a small statement");
    let parameters = vec![2021.into(), "成都市".into()];
    let options = QueryOptions { parameters, ..QueryOptions::default() };
    let snapshot = Arc::new(warehouse.snapshot.clone());
    let planned = warehouse.engine.plan(&statement, snapshot, options).await.expect("a plan");
    let batches: Vec<_> = planned.execute().expect("a stream").try_collect().await.expect("rows");
    let text = arrow::util::pretty::pretty_format_batches(&batches).expect("a table").to_string();
    assert!(text.contains("50.05"), "{text}");
    assert_eq!(warehouse.error(sql).await.code(), "sql_syntax");
}

#[tokio::test]
async fn a_query_that_would_read_too_much_is_refused_before_reading() {
    let warehouse = Warehouse::new();
    let statement = scan("SELECT region_name FROM debt_stock", &TextLimits::default()).expect("a small statement");
    let options = QueryOptions { scan_bytes: Some(1_000), ..QueryOptions::default() };
    let snapshot = Arc::new(warehouse.snapshot.clone());
    let error = warehouse.engine.plan(&statement, snapshot, options).await.expect_err("two files of several kB");
    assert_eq!(error.code(), "query_too_wide");
}

#[tokio::test]
async fn settings_are_plain_data() {
    let settings = EngineSettings::default();
    let text = serde_json::to_string(&settings).expect("JSON");
    assert_eq!(serde_json::from_str::<EngineSettings>(&text).expect("settings"), settings);
}
