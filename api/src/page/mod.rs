//! The portal's pages: plain HTML that works without scripts, Chinese by default, English by `?lang=en`.
//!
//! A page shows what the API answers and nothing else. Everything that comes from a department's file is
//! escaped by the template engine; pages carry no inline style and no script.

mod chart;
mod template;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use gongkai_warehouse::export;
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Deserialize;

use crate::http::dataset::{self, DatasetFilter};
use crate::http::{ApiError, App, sql};
use template::{Language, render};

/// Rows that a dataset page shows.
const PREVIEW_ROWS: usize = 20;

/// Parameters of every page.
#[derive(Debug, Default, Deserialize)]
struct PageQuery {
    lang: Option<String>,
    q: Option<String>,
    as_of: Option<String>,
}

/// The pages.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/datasets") }))
        .route("/datasets", get(list))
        .route("/datasets/{id}", get(show))
        .route("/sql", get(query))
        .route("/assets/{name}", get(asset))
        .with_state(app)
}

/// A page that could not be made is a page too.
struct PageError(ApiError, Language);

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let problem = self.0.problem();
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let page = render("problem.html", self.1, context! { problem => Value::from(Serde(&problem)), path => "" });
        (status, page.unwrap_or_else(|_| Html(String::new()))).into_response()
    }
}

async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Query(query): Query<PageQuery>,
) -> Result<Html<String>, PageError> {
    let language = Language::of(query.lang.as_deref(), &headers);
    let page = async {
        let snapshot = app.snapshot().await?;
        let datasets = dataset::find(app.catalog(), &snapshot, &DatasetFilter::of_words(query.q.clone()))?;
        let values = context! { datasets => Value::from(Serde(&datasets)), q => query.q, path => "/datasets" };
        render("datasets.html", language, values)
    };
    page.await.map_err(|error| PageError(error, language))
}

async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Html<String>, PageError> {
    let language = Language::of(query.lang.as_deref(), &headers);
    let page = async {
        let snapshot = app.snapshot().await?;
        let record = dataset::record(&app, &snapshot, &id)?;
        let mut preview = Table::default();
        if !record.releases.is_empty() {
            let statement = format!(
                "SELECT * FROM open.\"{}\" WHERE split_part(release_id, '.', 1) = '{id}' ORDER BY release_id, row_no LIMIT {PREVIEW_ROWS}",
                record.summary.table
            );
            preview = Table::of(&sql::run(&app, &statement, None, None).await?, &record)?;
        }
        let values = context! {
            dataset => Value::from(Serde(&record)),
            preview => Value::from(Serde(&preview)),
            path => format!("/datasets/{id}"),
        };
        render("dataset.html", language, values)
    };
    page.await.map_err(|error| PageError(error, language))
}

async fn query(
    State(app): State<App>,
    headers: HeaderMap,
    Query(query): Query<PageQuery>,
) -> Result<Html<String>, PageError> {
    let language = Language::of(query.lang.as_deref(), &headers);
    let statement = query.q.clone().filter(|text| !text.trim().is_empty());
    let page = async {
        let mut values = context! {
            q => statement.clone(), as_of => query.as_of.clone(), path => "/sql",
            tables => app.catalog().tables.keys().cloned().collect::<Vec<_>>(),
        };
        if let Some(statement) = &statement {
            values = match sql::run(&app, statement, query.as_of.as_deref(), Some(200)).await {
                Ok(answered) => {
                    let table = Table::plain(&answered)?;
                    let releases: Vec<String> = answered.releases.iter().map(sql::ReleaseReference::id).collect();
                    let is_synthetic = answered.releases.iter().any(|release| release.is_synthetic);
                    context! {
                        answer => Value::from(Serde(&table)), digest => answered.digest, releases, is_synthetic,
                        truncated => answered.collected.truncated, row_count => answered.collected.row_count, ..values
                    }
                }
                Err(error) => context! { problem => Value::from(Serde(&error.problem())), ..values },
            };
        }
        render("sql.html", language, values)
    };
    page.await.map_err(|error| PageError(error, language))
}

/// Rows as a page shows them.
#[derive(Debug, Default, serde::Serialize)]
struct Table {
    columns: Vec<Heading>,
    rows: Vec<Vec<Option<String>>>,
}

#[derive(Debug, serde::Serialize)]
struct Heading {
    name: String,
    label: Option<dataset::Text>,
    is_number: bool,
}

impl Table {
    fn plain(answered: &sql::Answered) -> Result<Self, ApiError> {
        let rows: Vec<Vec<serde_json::Value>> = serde_json::from_slice(&export::to_rows(&answered.collected.batches)?)
            .map_err(|error| ApiError::internal(&error))?;
        let columns = answered.columns.iter().zip(answered.schema.fields()).map(|(column, field)| Heading {
            name: column.name.clone(),
            label: None,
            is_number: matches!(
                export::cell_kind(field.data_type()),
                export::Cell::Integer | export::Cell::Decimal | export::Cell::Float
            ),
        });
        Ok(Self {
            columns: columns.collect(),
            rows: rows
                .into_iter()
                .map(|row| {
                    row.into_iter()
                        .map(|value| match value {
                            serde_json::Value::Null => None,
                            serde_json::Value::String(text) => Some(text),
                            other => Some(other.to_string()),
                        })
                        .collect()
                })
                .collect(),
        })
    }

    fn of(answered: &sql::Answered, record: &dataset::DatasetRecord) -> Result<Self, ApiError> {
        let mut table = Self::plain(answered)?;
        for heading in &mut table.columns {
            let declared = record.columns.iter().find(|column| column.name == heading.name);
            heading.label = declared.map(|column| column.label.clone());
        }
        Ok(table)
    }
}

async fn asset(Path(name): Path<String>) -> Response {
    match template::ASSETS.get_file(&name) {
        Some(file) if name.ends_with(".css") => (
            [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")],
            file.contents(),
        )
            .into_response(),
        _ => ApiError::not_found("asset", &name).into_response(),
    }
}
