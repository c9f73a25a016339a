//! The dictionary: tables of the warehouse and what their columns mean.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use gongkai_catalog::List;
use gongkai_warehouse::derived::Derived;
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
    /// Current rows; none of a derived table, which is reckoned when it is asked for.
    pub rows: Option<u64>,
    /// `released` for rows of releases, `derived` for what follows from them, `list` for a reference list.
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
}

/// The tables.
#[derive(Debug, Serialize, ToSchema)]
pub struct TableList {
    /// Every table of the open schema, then the reference lists.
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

/// Tables that SQL can name.
#[utoipa::path(get, path = "/tables", operation_id = "list_tables", tag = "dictionary",
    responses((status = 200, description = "The tables.", body = TableList), Problems))]
pub async fn list_tables(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let snapshot = app.snapshot().await?;
    let released = app.catalog().tables.values().map(|table| summary(&app, &snapshot, table));
    let derived = app.instance.definitions.derived.values().map(derived_summary);
    let lists = app.catalog().lists.values().map(list_summary);
    let tables = released.chain(derived).chain(lists).collect();
    let tag = caching::tag(&snapshot, &["tables"]);
    Ok(caching::respond(&headers, &tag, || Json(TableList { tables }).into_response()))
}

/// One table: its grain, key and columns. The name may carry its schema.
#[utoipa::path(get, path = "/tables/{name}", operation_id = "get_table", tag = "dictionary",
    params(("name" = String, Path, description = "`debt_stock`, `open.debt_stock` or `ref.calendar`")),
    responses((status = 200, description = "The table.", body = TableRecord), Problems))]
pub async fn get_table(
    State(app): State<App>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(name) = name?;
    let missing = || ApiError::new("table_not_found", format!("no table {name:?}"));
    let (schema, bare) = name.split_once('.').unwrap_or(("open", &name));
    let snapshot = app.snapshot().await?;
    let released = app.catalog().tables.get(bare).filter(|_| schema == "open");
    let derived = app.instance.definitions.derived.get(bare).filter(|derived| derived.schema == schema);
    let list = app.catalog().lists.get(bare).filter(|_| schema == "ref");
    let record = match (released, derived, list) {
        (Some(table), ..) => TableRecord {
            summary: summary(&app, &snapshot, table),
            description: (&table.description).into(),
            key: table.key.clone(),
            columns: columns(table),
        },
        (_, Some(table), _) => TableRecord {
            summary: derived_summary(table),
            description: (&table.description).into(),
            key: table.key.clone(),
            columns: table.columns.iter().map(ColumnRecord::from).collect(),
        },
        (.., Some(list)) => TableRecord {
            summary: list_summary(list),
            description: (&list.description).into(),
            key: list.key.clone(),
            columns: list_columns(list),
        },
        _ => return Err(missing()),
    };
    Ok(caching::respond(&headers, &caching::tag(&snapshot, &["table", schema, bare]), || Json(record).into_response()))
}
