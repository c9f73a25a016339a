//! Names without a schema, along a path.

use std::sync::Arc;

use futures::TryStreamExt;

use super::warehouse::Warehouse;
use crate::query::{QueryError, QueryOptions, SearchPath, TextLimits, scan};

fn along(path: &str) -> QueryOptions {
    let path = SearchPath::read(path).expect("a path");
    QueryOptions { path, with_system: true, ..QueryOptions::default() }
}

/// The rows of an answer, as the engine shows them; and its columns, as a description has them.
async fn asked(warehouse: &Warehouse, path: &str, sql: &str) -> Result<String, QueryError> {
    let statement = scan(sql, &TextLimits::default())?;
    let snapshot = Arc::new(warehouse.snapshot.clone());
    let described = warehouse.engine.describe(&statement, Arc::clone(&snapshot), along(path)).await?;
    let planned = warehouse.engine.plan(&statement, snapshot, along(path)).await?;
    let types =
        |fields: &arrow::datatypes::Fields| fields.iter().map(|field| field.data_type().clone()).collect::<Vec<_>>();
    assert_eq!(types(described.schema.fields()), types(planned.schema().fields()), "{sql}");
    let batches: Vec<_> = planned.execute()?.try_collect().await?;
    Ok(arrow::util::pretty::pretty_format_batches(&batches).expect("rows").to_string())
}

async fn same(warehouse: &Warehouse, path: &str, sql: &str, as_sql: &str) {
    let found = asked(warehouse, path, sql).await.unwrap_or_else(|error| panic!("{path}: {sql}: {error}"));
    let expected = asked(warehouse, "open", as_sql).await.unwrap_or_else(|error| panic!("{as_sql}: {error}"));
    assert_eq!(found, expected, "{path}: {sql}");
}

#[tokio::test]
async fn a_name_means_the_table_of_the_first_schema_that_has_it() {
    let warehouse = Warehouse::new();
    for (path, sql, as_sql) in [
        ("catalog", "SELECT count(*) AS n FROM dataset", "SELECT count(*) AS n FROM catalog.dataset"),
        ("nowhere, open", "SELECT count(*) AS n FROM debt_stock", "SELECT count(*) AS n FROM open.debt_stock"),
        (
            "ref, open, catalog",
            "SELECT count(*) AS n FROM region, debt_stock, (SELECT dataset FROM dataset LIMIT 1) AS one",
            "SELECT count(*) AS n FROM ref.region, open.debt_stock",
        ),
        ("catalog", "SELECT count(*) AS n FROM open.debt_stock", "SELECT count(*) AS n FROM debt_stock"),
        // Names that a statement defines itself come before those of tables.
        ("catalog", "WITH dataset AS (SELECT 7 AS n) SELECT n FROM dataset", "SELECT 7 AS n"),
        (
            "catalog, open",
            "SELECT count(dataset.row_no) AS n FROM debt_stock AS dataset",
            "SELECT count(row_no) AS n FROM debt_stock",
        ),
        (
            "catalog, open",
            "SELECT count(*) AS n FROM debt_stock WHERE EXISTS (SELECT 1 FROM dataset WHERE dataset.dataset = 'none')",
            "SELECT 0 AS n",
        ),
        // Derived tables are made of what they were declared of.
        (
            "catalog, open",
            "SELECT count(*) AS n FROM debt_stock_leaf",
            "SELECT count(*) AS n FROM open.debt_stock_leaf",
        ),
        ("catalog", "SELECT count(*) AS n FROM open.debt_stock_leaf", "SELECT count(*) AS n FROM open.debt_stock_leaf"),
    ] {
        same(&warehouse, path, sql, as_sql).await;
    }
    for (path, name) in
        [("catalog", "debt_stock"), ("", "debt_stock"), ("open", "dataset"), ("staging, ref", "dataset")]
    {
        let error = asked(&warehouse, path, &format!("SELECT * FROM {name}")).await.expect_err(path);
        assert_eq!(error.code(), "table_not_found", "{path}: {name}");
    }
    let hidden = asked(&warehouse, "catalog", "SELECT * FROM \"\0path\".dataset").await.expect_err("no name");
    assert_ne!(hidden.code(), "internal");
}

#[tokio::test]
async fn an_answer_that_depends_on_the_clock_says_so_without_its_schema() {
    let warehouse = Warehouse::new();
    let snapshot = Arc::new(warehouse.snapshot.clone());
    for (path, name, is_repeatable) in
        [("catalog", "clock", false), ("catalog", "dataset", true), ("open", "catalog.clock", false)]
    {
        let statement = scan(&format!("SELECT * FROM {name}"), &TextLimits::default()).expect("a statement");
        let planned = warehouse.engine.plan(&statement, Arc::clone(&snapshot), along(path)).await.expect("a plan");
        assert_eq!(planned.is_repeatable(), is_repeatable, "{path}: {name}");
    }
}

#[tokio::test]
async fn the_system_catalogue_tells_of_the_path() {
    let warehouse = Warehouse::new();
    let tell = "SELECT current_schema() AS a, array_to_string(current_schemas(true), ' ') AS b, \
         array_to_string(current_schemas(false), ' ') AS c, current_setting('search_path') AS d";
    for (path, expected) in [
        ("open", ["open", "pg_catalog open", "open", "open"]),
        (
            "catalog, nowhere, open, catalog",
            ["catalog", "pg_catalog catalog open", "catalog open", "catalog, nowhere, open, catalog"],
        ),
        ("ref, pg_catalog", ["ref", "ref pg_catalog", "ref pg_catalog", "ref, pg_catalog"]),
    ] {
        let found = asked(&warehouse, path, tell).await.unwrap_or_else(|error| panic!("{path}: {error}"));
        let [a, b, c, d] = expected;
        let shown = format!("SELECT '{a}' AS a, '{b}' AS b, '{c}' AS c, '{d}' AS d");
        assert_eq!(found, asked(&warehouse, "open", &shown).await.expect("literals"), "{path}");
    }
    let nothing = asked(&warehouse, "nowhere", "SELECT current_schema() IS NULL AS x").await.expect("an answer");
    assert!(nothing.contains("true"), "{nothing}");
}
