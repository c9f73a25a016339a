//! SQL in the browser.

use axum::extract::{Query, State};
use minijinja::context;
use serde::Deserialize;

use super::table::Table;
use super::template::{Visitor, render};
use super::{Page, PageError, serde};
use crate::http::caller::Asker;
use crate::http::{ApiError, App, sql};
use crate::metrics::Door;

/// Rows that the page shows.
const SHOWN_ROWS: usize = 200;

/// What the page asks for.
#[derive(Debug, Default, Deserialize)]
pub struct SqlPageQuery {
    q: Option<String>,
    as_of: Option<String>,
}

/// Runs a visitor's statement: it has the limits of every visitor's.
async fn ask(app: &App, asker: &Asker, sql: &str, as_of: Option<&str>) -> Result<sql::Answered, ApiError> {
    let running = app.meter(&asker.caller, asker.address)?;
    let timeout = app.timeout(&asker.caller);
    let answered = sql::run_for(app, Door::Http, sql.into(), as_of, Some(SHOWN_ROWS), timeout).await;
    drop(running);
    answered
}

pub async fn show(State(app): State<App>, asker: Asker, visitor: Visitor, Query(query): Query<SqlPageQuery>) -> Page {
    let statement = query.q.clone().filter(|text| !text.trim().is_empty());
    let page = async {
        let text = crate::http::dataset::Text::from;
        let released = app.catalog().tables.values().map(|table| {
            let columns: Vec<String> = table.public_columns().map(|column| column.name.clone()).collect();
            context! { name => table.name.clone(), label => serde(&text(&table.label)), columns }
        });
        let derived = app.instance.definitions.derived.values().map(|table| {
            let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
            let name = match table.schema.as_str() {
                "open" => table.name.clone(),
                schema => format!("{schema}.{}", table.name),
            };
            context! { name, label => serde(&text(&table.label)), columns }
        });
        let lists = app.catalog().lists.values().map(|list| {
            let columns: Vec<String> = list.columns.iter().map(|column| column.name.clone()).collect();
            context! { name => format!("ref.{}", list.name), label => serde(&text(&list.label)), columns }
        });
        let tables: Vec<_> = released.chain(derived).chain(lists).collect();
        let mut values = context! { q => statement.clone(), as_of => query.as_of.clone(), tables };
        if let Some(statement) = &statement {
            values = match ask(&app, &asker, statement, query.as_of.as_deref()).await {
                Ok(answered) => {
                    let snapshot = app.snapshot().await?;
                    let table = Table::of(&answered, &snapshot, visitor.language.code())?;
                    let releases: Vec<String> = answered.releases.iter().map(sql::ReleaseReference::id).collect();
                    let is_synthetic = answered.releases.iter().any(|release| release.is_synthetic);
                    context! {
                        answer => serde(&table), digest => answered.digest, releases, is_synthetic, warnings => serde(&answered.warnings),
                        truncated => answered.collected.truncated, row_count => answered.collected.row_count, ..values
                    }
                }
                Err(error) => context! { problem => serde(&error.problem()), ..values },
            };
        }
        render("sql.html", &visitor, values)
    };
    let page: Result<_, ApiError> = page.await;
    page.map_err(|error| PageError(error, visitor.clone()))
}
