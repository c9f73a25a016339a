//! Derived tables: found beside the released ones, made of what the question sees, and refused when they are wrong.

use std::sync::Arc;

use gongkai_catalog::{Catalog, Declarations};

use super::warehouse::{DEBT, Warehouse};
use crate::derived;
use crate::query::{QueryOptions, TextLimits, scan};

const HEADER: &str = r#"-- label = { zh = "推算", en = "Derived" }
-- description = { zh = "推算", en = "Derived" }
-- grain = { zh = "一行", en = "a row" }
"#;

fn loaded(path: &str, text: &str) -> Result<Vec<String>, String> {
    let mut declarations = Declarations::embedded();
    declarations.insert(path, format!("{HEADER}{text}").as_bytes());
    let catalog = Catalog::load(declarations).expect("the catalogue");
    derived::load(&catalog).map(|all| all.into_keys().collect()).map_err(|error| error.to_string())
}

#[test]
fn a_derived_table_has_declared_columns_and_a_name_of_its_own() {
    let good = "-- key = [\"region_code\"]\n-- columns = [\"region_code\"]\nSELECT region_code FROM debt_stock\n";
    assert_eq!(loaded("derived/debt/debt_region.sql", good), Ok(vec!["debt_region".to_owned()]));
    let taken = loaded("derived/debt/debt_stock.sql", good).expect_err("refused");
    assert!(taken.contains("\"debt_stock\"; expected a name that no table has"), "{taken}");
    let unknown = loaded("derived/debt/x.sql", &good.replace("columns = [\"region_code\"]", "columns = [\"regoin\"]"));
    assert!(unknown.expect_err("refused").contains("columns names \"regoin\"; expected a field of fields.toml"));
    let key = loaded("derived/debt/x.sql", &good.replace("key = [\"region_code\"]", "key = [\"scope\"]"));
    assert!(key.expect_err("refused").contains("key names \"scope\"; expected one of the columns"));
    let header = loaded("derived/debt/x.sql", "-- key = 1\nSELECT 1\n").expect_err("refused");
    assert!(header.starts_with("derived/debt/x.sql: header:"), "{header}");
}

#[tokio::test]
async fn a_derived_table_is_made_of_the_releases_that_the_question_sees() {
    let warehouse = Warehouse::new();
    // The fixture's rows have a plain line kind; without totals every row of the released table is there or none is.
    let sql = "SELECT count(*) FROM debt_stock_leaf";
    let statement = scan(sql, &TextLimits::default()).expect("a small statement");
    let snapshot = Arc::new(warehouse.snapshot.clone());
    let planned = warehouse.engine.plan(&statement, snapshot, QueryOptions::default()).await.expect("a plan");
    assert_eq!(planned.releases(), [(DEBT.to_owned(), 2), (DEBT.to_owned(), 3)]);
    // Columns say what fields say.
    let statement =
        scan("SELECT amount_yuan, as_of_year FROM open.debt_stock_leaf", &TextLimits::default()).expect("small");
    let snapshot = Arc::new(warehouse.snapshot.clone());
    let planned = warehouse.engine.plan(&statement, snapshot, QueryOptions::default()).await.expect("a plan");
    let columns = planned.columns();
    assert_eq!((columns[0].type_name.as_str(), columns[0].unit.as_deref()), ("decimal(20,2)", Some("yuan")));
    assert_eq!(columns[1].type_name, "integer");
    // It has no releases of its own to be asked for, and a name in another schema is none.
    assert_eq!(warehouse.error("SELECT 1 FROM open.\"debt_stock_leaf@all\"").await.code(), "table_not_found");
    assert_eq!(warehouse.error("SELECT 1 FROM ref.debt_stock_leaf").await.code(), "table_not_found");
}
