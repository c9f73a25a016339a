//! The tables about tables.

use super::warehouse::{DEBT, Warehouse};
use crate::query::dictionary::views;

#[tokio::test]
async fn every_view_can_be_read() {
    let warehouse = Warehouse::new();
    // No file was kept, and no table refers to another.
    let empty = ["source_file", "referential_constraints"];
    for view in views() {
        let sql = format!("SELECT * FROM {}.\"{}\"", view.schema, view.name);
        let rows = warehouse.rows(&sql).await;
        assert_eq!(rows.is_empty(), empty.contains(&view.name), "{sql}");
    }
}

#[tokio::test]
async fn datasets_and_releases_say_what_is_current() {
    let warehouse = Warehouse::new();
    let sql = format!("SELECT publisher_zh, current_releases, row_count FROM catalog.dataset WHERE dataset = '{DEBT}'");
    assert_eq!(warehouse.rows(&sql).await, [["各级财政部门（预决算和政府债务信息公开）", "2", "5"]]);
    let sql = format!("SELECT number, is_current, partition FROM catalog.release WHERE dataset = '{DEBT}' ORDER BY 1");
    let expected = [["1", "false", "2021/FINAL"], ["2", "true", "2022/FINAL"], ["3", "true", "2021/FINAL"]];
    assert_eq!(warehouse.rows(&sql).await, expected);
    assert_eq!(warehouse.value("SELECT count(*) FROM catalog.release WHERE dataset = 'undeclared'").await, "0");
    assert_eq!(warehouse.value("SELECT count(*) FROM catalog.release_file").await, "4");
}

#[tokio::test]
async fn the_dictionary_describes_public_columns_in_both_languages() {
    let warehouse = Warehouse::new();
    let sql = "SELECT type_name, unit_symbol, label_zh, label_en FROM catalog.column
               WHERE schema_name = 'open' AND table_name = 'debt_stock' AND column_name = 'amount_yuan'";
    assert_eq!(warehouse.rows(sql).await, [["decimal(20,2)", "元", "金额（元）", "Amount (yuan)"]]);
    let internal = "SELECT count(*) FROM catalog.column WHERE column_name = 'source_region_code'";
    assert_eq!(warehouse.value(internal).await, "0");
    let tables = warehouse.rows("SELECT table_name FROM catalog.table WHERE schema_name = 'open' ORDER BY 1").await;
    let derived = crate::derived::load(&warehouse.catalog).expect("loads");
    let derived = derived.values().filter(|table| table.schema == "open").map(|table| &table.name);
    let mut expected: Vec<_> = warehouse.catalog.tables.keys().chain(derived).map(|name| vec![name.clone()]).collect();
    expected.sort();
    assert_eq!(tables, expected);
    // A column that the dictionary lists can be selected.
    for row in warehouse.rows("SELECT schema_name, table_name, column_name FROM catalog.column").await {
        assert!(row.iter().all(|name| !name.is_empty()));
    }
}

#[tokio::test]
async fn a_region_that_was_merged_has_its_dates() {
    let warehouse = Warehouse::new();
    // 莱芜市 became a part of 济南市 in January 2019, between two states of the list.
    let sql = "SELECT valid_to FROM ref.region WHERE name = '莱芜市'";
    assert_eq!(warehouse.value(sql).await, "2019-10-31");
}
