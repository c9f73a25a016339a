//! The dictionary: tables of the warehouse and what their columns mean.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use gongkai_catalog::List;
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::derived::Derived;
use gongkai_warehouse::query::{View, described_views};
use serde::Serialize;
use utoipa::ToSchema;

use super::caching::NotModified;
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
    /// Current rows; none of a table that is reckoned when it is asked for.
    pub rows: Option<u64>,
    /// `released` for rows of releases, `derived` for what follows from them, `list` for a reference list, `view` for what the
    /// warehouse says of itself and of its codes.
    pub kind: TableKind,
}

/// Where the rows of a table come from.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// Released rows of datasets.
    Released,
    /// A declared query over released rows.
    Derived,
    /// A reference list.
    List,
    /// What the warehouse says of itself: its datasets, releases, checks, and the codes that figures refer to.
    View,
}

/// The tables.
#[derive(Debug, Serialize, ToSchema)]
pub struct TableList {
    /// Released tables, derived ones, reference lists, then the views of the catalogue.
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

fn summary(app: &App, snapshot: &Snapshot, table: &gongkai_catalog::Table) -> TableSummary {
    let datasets = app.catalog().datasets.values().filter(|dataset| dataset.table == table.name);
    TableSummary {
        schema: "open".into(),
        name: table.name.clone(),
        label: (&table.label).into(),
        grain: (&table.grain).into(),
        datasets: datasets.map(|dataset| dataset.id.clone()).collect(),
        rows: Some(snapshot.current_of_table(&table.name).map(|release| release.rows).sum()),
        kind: TableKind::Released,
    }
}

fn derived_summary(table: &Derived) -> TableSummary {
    TableSummary {
        schema: table.schema.clone(),
        name: table.name.clone(),
        label: (&table.label).into(),
        grain: (&table.grain).into(),
        datasets: Vec::new(),
        rows: None,
        kind: TableKind::Derived,
    }
}

fn list_summary(list: &List) -> TableSummary {
    TableSummary {
        schema: "ref".into(),
        name: list.name.clone(),
        label: (&list.label).into(),
        grain: (&list.label).into(),
        datasets: Vec::new(),
        rows: Some(list.rows.len() as u64),
        kind: TableKind::List,
    }
}

fn view_summary(view: &View) -> TableSummary {
    TableSummary {
        schema: view.schema.into(),
        name: view.name.into(),
        label: view_text(view.zh, view.en),
        grain: view_text(view.zh, view.en),
        datasets: Vec::new(),
        rows: None,
        kind: TableKind::View,
    }
}

fn view_text(zh: &str, en: &str) -> Text {
    Text { zh: zh.into(), en: en.into() }
}

fn view_columns(view: &View) -> Vec<ColumnRecord> {
    let columns = view.columns.iter().map(|column| ColumnRecord {
        name: column.name.into(),
        column_type: column.type_name().into(),
        unit: None,
        label: view_text(column.zh, column.en),
        description: view_text(column.zh, column.en),
        is_nullable: true,
        is_key: false,
        sum: None,
    });
    columns.collect()
}

fn list_columns(list: &List) -> Vec<ColumnRecord> {
    let columns = list.columns.iter().map(|column| ColumnRecord {
        name: column.name.clone(),
        column_type: column.column_type.to_string(),
        unit: None,
        label: (&column.label).into(),
        description: (&column.label).into(),
        is_nullable: column.is_nullable,
        is_key: column.is_key,
        sum: None,
    });
    columns.collect()
}

/// All tables.
pub fn tables(app: &App, snapshot: &Snapshot) -> Vec<TableSummary> {
    let released = app.catalog().tables.values().map(|table| summary(app, snapshot, table));
    let derived = app.instance.definitions.derived.values().map(derived_summary);
    let lists = app.catalog().lists.values().map(list_summary);
    released.chain(derived).chain(lists).chain(described_views().map(view_summary)).collect()
}

/// One table by its name, which may carry its schema.
///
/// # Errors
///
/// `table_not_found`.
pub fn table(app: &App, snapshot: &Snapshot, name: &str) -> Result<TableRecord, ApiError> {
    let (schema, bare) = name.split_once('.').unwrap_or(("open", name));
    if let Some(table) = app.catalog().tables.get(bare).filter(|_| schema == "open") {
        return Ok(TableRecord {
            summary: summary(app, snapshot, table),
            description: (&table.description).into(),
            key: table.key.clone(),
            columns: columns(table),
        });
    }
    if let Some(table) = app.instance.definitions.derived.get(bare).filter(|derived| derived.schema == schema) {
        return Ok(TableRecord {
            summary: derived_summary(table),
            description: (&table.description).into(),
            key: table.key.clone(),
            columns: table.columns.iter().map(ColumnRecord::from).collect(),
        });
    }
    if let Some(list) = app.catalog().lists.get(bare).filter(|_| schema == "ref") {
        return Ok(TableRecord {
            summary: list_summary(list),
            description: (&list.description).into(),
            key: list.key.clone(),
            columns: list_columns(list),
        });
    }
    if let Some(view) = described_views().find(|view| (view.schema, view.name) == (schema, bare)) {
        return Ok(TableRecord {
            summary: view_summary(view),
            description: view_text(view.zh, view.en),
            key: Vec::new(),
            columns: view_columns(view),
        });
    }
    let name: String = name.chars().take(80).collect();
    Err(ApiError::new("table_not_found", format!("no table {name:?}; /api/v1/tables lists them")))
}

/// Tables that SQL can name.
#[utoipa::path(get, path = "/tables", operation_id = "list_tables", tag = "dictionary",
    responses((status = 200, description = "The tables.", body = TableList), NotModified, Problems))]
pub async fn list_tables(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let snapshot = app.snapshot().await?;
    let tag = caching::tag(&snapshot, &["tables"]);
    Ok(caching::respond(&headers, &tag, || Json(TableList { tables: tables(&app, &snapshot) }).into_response()))
}

/// One table: its grain, key and columns. The name may carry its schema.
#[utoipa::path(get, path = "/tables/{name}", operation_id = "get_table", tag = "dictionary",
    params(("name" = String, Path, description = "`debt_stock`, `open.debt_stock` or `ref.calendar`", example = "debt_stock")),
    responses((status = 200, description = "The table.", body = TableRecord), NotModified, Problems))]
pub async fn get_table(
    State(app): State<App>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(name) = name?;
    let snapshot = app.snapshot().await?;
    let record = table(&app, &snapshot, &name)?;
    let of = &record.summary;
    let tag = caching::tag(&snapshot, &["table", &of.schema, &of.name]);
    Ok(caching::respond(&headers, &tag, || Json(record).into_response()))
}
