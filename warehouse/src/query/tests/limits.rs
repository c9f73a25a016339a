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
