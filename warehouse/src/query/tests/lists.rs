//! Lists as values of parameters, and as texts in a statement.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;

use super::warehouse::Warehouse;
use crate::query::{QueryError, QueryOptions, TextLimits, scan};

async fn count(warehouse: &Warehouse, condition: &str, values: &[Option<&str>]) -> Result<i64, QueryError> {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use futures::TryStreamExt;

    let sql = format!("SELECT count(*) FROM debt_stock WHERE {condition}");
    let statement = scan(&sql, &TextLimits::default())?;
    let texts = values.iter().map(|value| value.map(str::to_owned)).collect();
    let options = QueryOptions { texts, ..QueryOptions::default() };
    let planned = warehouse.engine.plan(&statement, Arc::new(warehouse.snapshot.clone()), options).await?;
    let batches: Vec<arrow::array::RecordBatch> = planned.execute()?.try_collect().await?;
    Ok(batches[0].column(0).as_primitive::<Int64Type>().value(0))
}

#[tokio::test]
async fn a_list_is_a_parameter() {
    let warehouse = Warehouse::new();
    // 2021: 510000, 510100, 510400; 2022: 510000, 510100.
    for (condition, values, expected) in [
        ("region_code = ANY($1)", vec![Some("{510000,510100}")], 4),
        ("region_code = ANY ($1)", vec![Some("{\"510400\",NULL}")], 1),
        ("region_code = ANY($1::text[])", vec![Some("{510400}")], 1),
        ("region_code = ANY($1)", vec![Some("{}")], 0),
        ("region_code = ANY($1)", vec![None], 0),
        ("region_code <> ALL($1)", vec![Some("{510000,510100}")], 1),
        ("NOT (region_code = ANY($1))", vec![Some("{510000,510100}")], 1),
        // A missing value may be anything: of none is it certain that it is another.
        ("region_code <> ALL($1)", vec![Some("{510000,NULL}")], 0),
        ("as_of_year = ANY($1)", vec![Some("{2022,1999}")], 2),
        ("amount_yuan = ANY($1)", vec![Some("{100.20,50.05}")], 2),
        ("region_code = ANY($1) AND as_of_year = $2", vec![Some("{510000}"), Some("2021")], 1),
        ("region_code IN (SELECT region_code FROM ref.region WHERE region_code = ANY($1))", vec![Some("{510100}")], 2),
        ("as_of_year = CAST($1 AS INTEGER)", vec![Some("2022")], 2),
    ] {
        let found = count(&warehouse, condition, &values).await;
        assert_eq!(found.unwrap_or_else(|error| panic!("{condition}: {error}")), expected, "{condition} {values:?}");
    }
    for wrong in ["510000", "{510000", "{{1},{2}}"] {
        let error = count(&warehouse, "region_code = ANY($1)", &[Some(wrong)]).await.expect_err(wrong);
        assert_eq!(error.code(), "query_failed", "{wrong}");
    }
    let many = format!("{{{}}}", vec!["510000"; 10_001].join(","));
    assert!(count(&warehouse, "region_code = ANY($1)", &[Some(&many)]).await.is_err());
}

#[tokio::test]
async fn a_list_is_written_as_a_text() {
    let warehouse = Warehouse::new();
    for (condition, expected) in [
        ("region_code = ANY('{510000,510100}')", 4),
        ("region_code = ANY('{510400}'::text[])", 1),
        ("region_code <> ALL('{510000,510100}')", 1),
        ("NOT region_code = ANY('{510000,510100}')", 1),
        ("NOT ((region_code = ANY(('{510000,510100}'))))", 1),
        // Of a list with a missing value nobody knows that something is not in it.
        ("(region_code <> ALL('{510400,NULL}')) IS NULL", 4),
        ("as_of_year = ANY('{2021}')", 3),
        ("as_of_year = ANY(ARRAY[2021, 2022])", 5),
    ] {
        let found = count(&warehouse, condition, &[]).await;
        assert_eq!(found.unwrap_or_else(|error| panic!("{condition}: {error}")), expected, "{condition}");
    }
}

#[tokio::test]
async fn a_parameter_is_described_by_what_it_is_compared_with() {
    let warehouse = Warehouse::new();
    for (condition, expected) in [
        ("region_code = ANY($1)", "a list of texts"),
        ("as_of_year <> ALL($1)", "a list of whole numbers"),
        ("amount_yuan = ANY($1) OR $1 IS NULL", "a list of decimals"),
        ("as_of_year = $1::bigint", "whole numbers"),
        ("stage = CAST($1 AS TEXT)", "texts"),
    ] {
        let sql = format!("SELECT row_no FROM debt_stock WHERE {condition}");
        let statement = scan(&sql, &TextLimits::default()).expect("a statement");
        let snapshot = Arc::new(warehouse.snapshot.clone());
        let described = warehouse.engine.describe(&statement, snapshot, QueryOptions::default()).await;
        let described = described.unwrap_or_else(|error| panic!("{condition}: {error}"));
        assert_eq!(described.parameters.fields().len(), 1, "{condition}");
        assert_eq!(words(described.parameters.field(0).data_type()), expected, "{condition}");
    }
}

fn words(data_type: &DataType) -> String {
    match data_type {
        DataType::List(inner) => format!("a list of {}", words(inner.data_type())),
        DataType::Utf8 | DataType::Utf8View => "texts".into(),
        DataType::Decimal128(..) => "decimals".into(),
        whole if whole.is_integer() => "whole numbers".into(),
        other => other.to_string(),
    }
}
