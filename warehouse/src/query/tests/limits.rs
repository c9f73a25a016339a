//! Queries that need more than they may use.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::warehouse::Warehouse;
use crate::query::{EngineSettings, QueryOptions, TextLimits, scan};

/// Some ten million names, to be sorted.
const SORT: &str = "SELECT a.name || b.name AS pair FROM ref.region a CROSS JOIN ref.region b ORDER BY pair";

#[tokio::test]
async fn a_full_pool_is_query_memory() {
    let warehouse = Warehouse::with(EngineSettings { pool_bytes: 8 << 20, ..EngineSettings::default() });
    let error = warehouse.error(SORT).await;
    assert_eq!(error.code(), "query_memory", "{error:?}");
    assert!(!error.to_string().contains("Sort"), "{error}");
}

#[tokio::test]
async fn texts_that_would_grow_too_large_are_not_made() {
    let warehouse = Warehouse::new();
    let long = "x".repeat(10 << 10);
    let hundred = ["t"; 120].join(", ");
    for sql in [
        format!("SELECT replace('{long}', 'x', '{long}')"),
        format!("SELECT sum(octet_length(replace('{long}', 'x', name || '{}'))) FROM ref.region", "y".repeat(1_000)),
        format!("SELECT concat({hundred}) FROM (SELECT '{long}' AS t)"),
        format!("SELECT concat_ws('{long}', {hundred}) FROM (SELECT 'x' AS t)"),
    ] {
        let error = warehouse.error(&sql).await;
        assert_eq!(error.code(), "query_memory", "{error:?}");
    }
}

/// A statement over a text that is as long as twice `long` to the power of `steps`, made by doubling.
fn doubled(long: &str, steps: usize, step: &str, last: &str) -> String {
    let steps: String = (1..=steps).map(|n| format!(", t{n} AS (SELECT {step} AS s FROM t{})", n - 1)).collect();
    format!("WITH t0 AS (SELECT '{long}' AS s){steps} {last}")
}

#[tokio::test]
async fn values_that_would_grow_too_large_are_not_made_by_any_way() {
    let warehouse = Warehouse::new();
    let long = "x".repeat(10 << 10);
    let percent = "%c".repeat(8_000);
    for sql in [
        // 10 KiB doubled seven times is 1.25 MiB.
        doubled(&long, 7, "s || s", "SELECT octet_length(s) FROM t7"),
        doubled(&long, 7, "[s, s]", "SELECT cardinality(s) FROM t7"),
        // No value is too large, but all of a batch are: 10 KiB and 3,000 regions and more, three times.
        format!("SELECT sum(octet_length('{long}' || name || '{long}' || '{long}')) FROM ref.region"),
        format!("SELECT octet_length(regexp_replace('{long}', 'x', '{long}', 'g'))"),
        format!("SELECT octet_length(regexp_replace('{long}', '(x+)', '{}'))", "\\1".repeat(200)),
        format!("SELECT regexp_match('{long}', '{}x+{}')", "(".repeat(200), ")".repeat(200)),
        format!("SELECT octet_length(array_to_string(string_to_array('{long}', CAST(NULL AS TEXT)), '{long}'))"),
        format!("SELECT octet_length(list_to_string(string_to_array('{long}', CAST(NULL AS TEXT)), '{long}'))"),
        format!("SELECT sum(octet_length(to_char(valid_from, '{percent}'))) FROM ref.region"),
        format!("SELECT string_agg('{long}', ',') FROM ref.region"),
        format!("SELECT a.name, string_agg('{long}', ',') FROM ref.region a, ref.region b GROUP BY a.name"),
        format!("SELECT string_agg('{long}', ',' ORDER BY name) FROM ref.region"),
        format!("SELECT string_agg(DISTINCT a.region_code || b.region_code, '{long}') FROM ref.region a, ref.region b"),
        format!(
            "SELECT max(octet_length(s)) FROM (SELECT string_agg('{long}', ',') OVER (ORDER BY region_code) AS s FROM ref.region) t"
        ),
        format!("SELECT array_length(array_agg('{long}' || name)) FROM ref.region"),
        "SELECT array_length(array_agg(a.name)) FROM ref.region a, ref.region b".to_owned(),
        "SELECT array_length(array_agg(a.name ORDER BY b.name)) FROM ref.region a, ref.region b".to_owned(),
        "SELECT array_length(array_agg(DISTINCT a.name || b.name)) FROM ref.region a, ref.region b".to_owned(),
        "SELECT a.tier, array_length(array_agg(b.name)) FROM ref.region a, ref.region b GROUP BY a.tier".to_owned(),
    ] {
        let error = warehouse.error(&sql).await;
        let start: String = sql.chars().take(120).collect();
        assert_eq!(error.code(), "query_memory", "{start}: {error:?}");
    }
}

#[tokio::test]
async fn approximate_percentiles_keep_a_bounded_number_of_centroids() {
    let warehouse = Warehouse::new();
    let sql = "SELECT approx_percentile_cont(0.5, 10001) WITHIN GROUP (ORDER BY as_of_year) FROM debt_stock";
    let error = warehouse.error(sql).await;
    assert_eq!(error.code(), "query_failed", "{error:?}");
    assert!(error.to_string().contains("from 1 to 10,000"), "{error}");
    let sql = "SELECT approx_percentile_cont(0.5, 10000) WITHIN GROUP (ORDER BY as_of_year) FROM debt_stock";
    assert_eq!(warehouse.value(sql).await, "2021.0");
}

#[tokio::test]
async fn functions_with_a_bound_answer_as_before() {
    let warehouse = Warehouse::new();
    let of_three = "FROM (VALUES ('b', 2), ('a', 1), ('b', 3), (NULL, 4)) AS t (name, n)";
    for (sql, expected) in [
        ("SELECT 'a' || 'b'".to_owned(), "ab"),
        ("SELECT 'a' || 1 || 2.5".to_owned(), "a12.5"),
        ("SELECT (NULL || 'x') IS NULL".to_owned(), "true"),
        (format!("SELECT count(*) {of_three} WHERE name || 'x' IS NULL"), "1"),
        (format!("SELECT max(name || '-' || n) {of_three}"), "b-3"),
        (format!("SELECT name || 'x' {of_three} WHERE n < 3 GROUP BY name || 'x' ORDER BY name || 'x' LIMIT 1"), "ax"),
        (format!("SELECT string_agg(name, ',') {of_three} WHERE n < 3"), "b,a"),
        (format!("SELECT string_agg(name, ',' ORDER BY name, n) {of_three}"), "a,b,b"),
        (format!("SELECT string_agg(DISTINCT name, ',' ORDER BY name) {of_three}"), "a,b"),
        (format!("SELECT string_agg(name, ',' ORDER BY n DESC) FILTER (WHERE n > 1) {of_three}"), "b,b"),
        (
            format!(
                "SELECT array_to_string(array_agg(DISTINCT name ORDER BY name) FILTER (WHERE n < 4), '+') {of_three}"
            ),
            "a+b",
        ),
        (format!("SELECT array_to_string(array_agg(n ORDER BY n DESC), '+') {of_three}"), "4+3+2+1"),
        (format!("SELECT array_length(array_agg(n) FILTER (WHERE n > 1)) {of_three}"), "3"),
        (
            format!(
                "SELECT string_agg(s, ' ' ORDER BY n) FROM
                 (SELECT n, array_to_string(array_agg(n) OVER (ORDER BY n ROWS 1 PRECEDING), '+') AS s {of_three}) u"
            ),
            "1 1+2 2+3 3+4",
        ),
        (
            format!("SELECT s FROM (SELECT n, string_agg(name, '') OVER (ORDER BY n) AS s {of_three}) u WHERE n = 4"),
            "abb",
        ),
        ("SELECT regexp_replace('aBc-abc', '(b)c', '<\\1>', 'gi')".to_owned(), "a<B>-a<b>"),
        ("SELECT regexp_replace('abc-abc', 'b', 'x')".to_owned(), "axc-abc"),
        ("SELECT array_to_string(regexp_match('2024年5月', '([0-9]+)年([0-9]+)'), '-')".to_owned(), "2024-5"),
        ("SELECT translate('甲乙a', '甲a', 'x乙')".to_owned(), "x乙乙"),
        ("SELECT array_to_string([1.5, NULL, 2.5], ';', '-')".to_owned(), "1.5;-;2.5"),
    ] {
        assert_eq!(warehouse.value(&sql).await, expected, "{sql}");
    }
    // Long texts that do not grow much are no reason to refuse.
    let words = "word ".repeat(3_000);
    let sql = format!("SELECT octet_length(regexp_replace('{words}', '\\s+', '----', 'g'))");
    assert_eq!(warehouse.value(&sql).await, (3_000 * (4 + 4)).to_string());
}

#[tokio::test]
async fn a_column_of_joined_texts_keeps_its_name_and_type() {
    let warehouse = Warehouse::new();
    let statement =
        scan("SELECT name || 'x' || name FROM ref.region", &TextLimits::default()).expect("a small statement");
    let snapshot = Arc::new(warehouse.snapshot.clone());
    let planned = warehouse.engine.plan(&statement, snapshot, QueryOptions::default()).await.expect("a plan");
    let columns = planned.columns();
    let name = &columns[0].name;
    assert!(name.matches(" || ").count() == 2 && !name.contains("||("), "{name}");
    assert_eq!(columns[0].type_name, "text");
}

#[tokio::test]
async fn joined_lists_are_refused_as_other_functions_of_lists_are() {
    let warehouse = Warehouse::new();
    for sql in ["SELECT [1] || [2]", "SELECT [1] || 2", "SELECT \"||\"('a', 'b')"] {
        assert_eq!(warehouse.error(sql).await.code(), "function_not_allowed", "{sql}");
    }
}

#[tokio::test]
async fn a_regular_expression_that_is_refused_is_the_statements_fault() {
    let warehouse = Warehouse::new();
    let deep = format!("{}x{}", "(".repeat(300), ")".repeat(300));
    for sql in [
        format!("SELECT name FROM ref.region WHERE name ~ '{deep}'"),
        format!("SELECT name FROM ref.region WHERE regexp_like(name, '{deep}')"),
        format!("SELECT regexp_replace(name, '{deep}', '') FROM ref.region"),
        "SELECT regexp_replace(name, '(a{1000}){1000}', '') FROM ref.region".to_owned(),
        "SELECT regexp_match(name, '[') FROM ref.region".to_owned(),
    ] {
        let error = warehouse.error(&sql).await;
        assert_eq!(error.code(), "query_failed", "{sql}: {error:?}");
        assert!(!error.to_string().contains("(((") && !error.to_string().contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn a_full_spill_folder_is_query_disk_and_is_left_empty() {
    let spill = TempDir::new().expect("a temporary folder");
    let settings = EngineSettings {
        pool_bytes: 24 << 20,
        spill_dir: Some(spill.path().to_owned()),
        spill_bytes: 1 << 20,
        ..EngineSettings::default()
    };
    let warehouse = Warehouse::with(settings);
    let error = warehouse.error(SORT).await;
    assert_eq!(error.code(), "query_disk", "{error:?}");
    drop(warehouse);
    let left = || std::fs::read_dir(spill.path()).expect("the folder").count();
    // Tasks that were told to stop let go of their files when they are next polled.
    for _ in 0..200 {
        if left() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} entries are left", left());
}
