//! The dictionary: tables of the warehouse and what their columns mean.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::dataset::{ColumnRecord, Text, columns};
use super::error::Problems;
use super::{ApiError, App, caching};

/// A table in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct TableSummary {
    /// Schema in SQL.
    pub schema: String,
    /// Name in SQL.
    pub name: String,
    /// Title.
    pub label: Text,
    /// What one row is.
    pub grain: Text,
    /// Datasets whose rows are in it.
    pub datasets: Vec<String>,
    /// Current rows.
    pub rows: u64,
}

/// The tables.
#[derive(Debug, Serialize, ToSchema)]
pub struct TableList {
    /// Every table of the open schema.
    pub tables: Vec<TableSummary>,
}

/// A table in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct TableRecord {
    /// What lists show.
    #[serde(flatten)]
    pub summary: TableSummary,
    /// What it holds and what its traps are.
    pub description: Text,
    /// Business key.
    pub key: Vec<String>,
    /// Columns.
    pub columns: Vec<ColumnRecord>,
}

fn summary(app: &App, snapshot: &gongkai_warehouse::Snapshot, table: &gongkai_catalog::Table) -> TableSummary {
    let datasets = app.catalog().datasets.values().filter(|dataset| dataset.table == table.name);
    TableSummary {
        schema: "open".into(),
        name: table.name.clone(),
        label: (&table.label).into(),
        grain: (&table.grain).into(),
        datasets: datasets.map(|dataset| dataset.id.clone()).collect(),
        rows: snapshot.current_of_table(&table.name).map(|release| release.rows).sum(),
    }
}

/// Tables that SQL can name.
#[utoipa::path(get, path = "/tables", operation_id = "list_tables", tag = "dictionary",
    responses((status = 200, description = "The tables.", body = TableList), Problems))]
pub async fn list_tables(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let snapshot = app.snapshot().await?;
    let tables = app.catalog().tables.values().map(|table| summary(&app, &snapshot, table)).collect();
    let tag = caching::tag(&snapshot, &["tables"]);
    Ok(caching::respond(&headers, &tag, || Json(TableList { tables }).into_response()))
}

/// One table: its grain, key and columns. The name may carry its schema.
#[utoipa::path(get, path = "/tables/{name}", operation_id = "get_table", tag = "dictionary",
    params(("name" = String, Path, description = "`debt_stock` or `open.debt_stock`")),
    responses((status = 200, description = "The table.", body = TableRecord), Problems))]
pub async fn get_table(
    State(app): State<App>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(name) = name?;
    let bare = name.strip_prefix("open.").unwrap_or(&name);
    let table = app.catalog().tables.get(bare);
    let table = table.ok_or_else(|| ApiError::new("table_not_found", format!("no table {name:?}")))?;
    let snapshot = app.snapshot().await?;
    let record = TableRecord {
        summary: summary(&app, &snapshot, table),
        description: (&table.description).into(),
        key: table.key.clone(),
        columns: columns(table),
    };
    Ok(caching::respond(&headers, &caching::tag(&snapshot, &["table", bare]), || Json(record).into_response()))
}
