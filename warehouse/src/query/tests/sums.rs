//! Sums that count the same money more than once are answered with a warning.

use std::sync::Arc;

use gongkai_catalog::Declarations;

use super::warehouse::Warehouse;
use crate::query::{QueryOptions, TextLimits, scan};

/// English warnings of a statement.
async fn warnings(sql: &str) -> Vec<String> {
    let warehouse = Warehouse::new();
    let statement = scan(sql, &TextLimits::default()).expect("a small statement");
    let snapshot = Arc::new(warehouse.snapshot.clone());
    let planned = warehouse.engine.plan(&statement, snapshot, QueryOptions::default()).await.expect("a plan");
    planned.warnings().iter().map(|warning| warning.en.clone()).collect()
}

#[tokio::test]
async fn a_sum_across_levels_and_measures_is_warned_of() {
    let warned = warnings("SELECT sum(amount_yuan) FROM debt_stock").await;
    let expected = "The sum of debt_stock.amount_yuan adds up totals and the rows that make them up, and rows that differ in as_of_year, \
                    stage, quoted_in, table_code, measure, debt_kind: the same money may count more than once; table \
                    debt_stock_leaf has the rows that add up.";
    assert_eq!(warned, [expected]);
    // Another name, a filter that keeps years apart, a mean: what is still mixed is named, and nothing else.
    let sql = "SELECT avg(money) FROM (SELECT amount_yuan * 1 AS money, * FROM debt_stock) AS renamed
      WHERE as_of_year = 2021 AND stage = 'FINAL' AND quoted_in = 2022 AND debt_kind = 'total' AND is_leaf";
    let warned = warnings(sql).await;
    assert!(warned[0].contains("rows that differ in table_code, measure:"), "{warned:?}");
    assert!(!warned[0].contains("totals"), "{warned:?}");
}

#[tokio::test]
async fn a_sum_that_keeps_to_the_rule_is_not_warned_of() {
    for sql in [
        "SELECT as_of_year, stage, quoted_in, table_code, measure, debt_kind, sum(amount_yuan) FROM debt_stock
         WHERE is_leaf GROUP BY 1, 2, 3, 4, 5, 6",
        "SELECT sum(s.amount_yuan) FROM debt_stock AS s WHERE region_code = '510400' AND as_of_year = 2021 AND stage = 'FINAL'
         AND quoted_in = 2022 AND table_code = 'T31' AND measure = 'balance' AND debt_kind = 'total'",
        "SELECT max(amount_yuan), count(amount_yuan) FROM debt_stock",
        "SELECT sum(CASE WHEN amount_yuan > 0 THEN 1 ELSE 0 END) FROM debt_stock",
        "SELECT sum(value) FROM air_hourly",
        "SELECT amount_yuan FROM debt_stock",
    ] {
        assert_eq!(warnings(sql).await, Vec::<String>::new(), "{sql}");
    }
}

#[test]
fn a_rule_names_columns_of_its_table() {
    let mut declarations = Declarations::embedded();
    let file = "tables/debt/debt_stock.toml";
    let text = declarations.text(file).expect("the table").replace("levels = [\"is_leaf\"", "levels = [\"is_leave\"");
    declarations.insert(file, text.as_bytes());
    let error = gongkai_catalog::Catalog::load(declarations).expect_err("refused").to_string();
    assert_eq!(error, format!("{file}: sum names column \"is_leave\", which is not declared in the same table"));
}
