//! Queries that need more than they may use.

use std::time::Duration;

use tempfile::TempDir;

use super::warehouse::Warehouse;
use crate::query::EngineSettings;

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
