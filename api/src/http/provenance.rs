//! From a published figure to the cell it came from.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use gongkai_catalog::{Table, Visibility};
use gongkai_warehouse::export;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::error::{Problems, WithdrawnProblems};
use super::release::require_readable;
use super::sql::run;
use super::{ApiError, App};

/// Columns that hold the printed figure, in the order in which they are taken where none is named.
pub const FIGURES: [&str; 4] = ["amount_yuan", "index_value", "value", "exit_year"];

/// Which figure.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ProvenanceQuery {
    /// Table, such as `debt_stock`.
    #[param(example = "debt_stock")]
    pub table: String,
    /// Release, such as `debt_limit_balance_final.1`: column `release_id` of the row.
    #[param(example = "debt_limit_balance_final.1")]
    pub release: String,
    /// Row: column `row_no`.
    #[param(example = 1)]
    pub row: u32,
    /// Column; the figure of the row where absent.
    pub column: Option<String>,
}

/// A department file.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceReference {
    /// SHA-256 of the file as it came.
    pub sha256: String,
    /// Name under which it was found.
    pub name: Option<String>,
    /// Length.
    pub bytes: Option<u64>,
    /// Format, found by content.
    pub format: Option<String>,
    /// Encoding of text.
    pub encoding: Option<String>,
    /// Feed that read it.
    pub feed: Option<String>,
    /// Where the figures come from.
    pub origin: Option<String>,
    /// Whether the figures are synthetic samples.
    pub is_synthetic: Option<bool>,
    /// Whether the whole file may be had from `/api/v1/sources/{sha256}`.
    pub is_public: Option<bool>,
}

/// Where a figure came from.
#[derive(Debug, Serialize, ToSchema)]
pub struct Provenance {
    /// Table.
    pub table: String,
    /// Release.
    pub release: String,
    /// Row of the release.
    pub row: u32,
    /// Column asked for.
    pub column: String,
    /// Its value as released.
    pub value: Value,
    /// Unit of the value.
    pub unit: Option<String>,
    /// The department's file.
    pub source: SourceReference,
    /// Sheet of the workbook; none in text files.
    pub sheet: Option<String>,
    /// Cell of the row's figure: A1, or line:column in text files.
    pub cell: Option<String>,
    /// What stands in that cell.
    pub raw_text: Option<String>,
    /// How the value follows from it.
    pub conversion: Option<String>,
    /// The whole row.
    #[schema(value_type = Object)]
    pub record: Map<String, Value>,
}

/// Where a released figure came from: file, sheet, cell, raw text, conversion.
#[utoipa::path(get, path = "/provenance", operation_id = "get_provenance", tag = "provenance", params(ProvenanceQuery),
    responses((status = 200, description = "The origin of the figure.", body = Provenance), WithdrawnProblems, Problems))]
pub async fn get_provenance(
    State(app): State<App>,
    query: Result<Query<ProvenanceQuery>, QueryRejection>,
) -> Result<Json<Provenance>, ApiError> {
    let Query(query) = query?;
    Ok(Json(trace(&app, query).await?))
}

/// Where a released figure came from.
///
/// # Errors
///
/// No such table, release, row or column.
pub async fn trace(app: &App, query: ProvenanceQuery) -> Result<Provenance, ApiError> {
    let name = query.table.strip_prefix("open.").unwrap_or(&query.table);
    let table = app.catalog().tables.get(name);
    let table = table.ok_or_else(|| ApiError::new("table_not_found", format!("no table {:?}", query.table)))?;
    let column = figure(table, query.column.as_deref())?;
    let snapshot = app.snapshot().await?;
    let known = snapshot.releases.iter().find(|release| release.id() == query.release && release.table == table.name);
    let known = known.filter(|release| app.dataset(&release.dataset).is_ok());
    let known = known.ok_or_else(|| ApiError::not_found("release of that table", &query.release))?;
    require_readable(&snapshot, known)?;
    // Both names come from our own lists, so they cannot break out of the quotes.
    let sql = format!("SELECT * FROM open.\"{}@{}\" WHERE row_no = {}", table.name, query.release, query.row);
    let answered = run(app, &sql, None, Some(1)).await?;
    let line = export::to_bytes(&export::LINES, &answered.schema, &answered.collected.batches, Default::default())?;
    if line.is_empty() {
        return Err(ApiError::not_found("row", &query.row.to_string()));
    }
    let record: Map<String, Value> = serde_json::from_slice(&line).map_err(|error| ApiError::internal(&error))?;
    let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
    let sha256 = text("source_sha256").unwrap_or_default();
    let source = snapshot.sources.iter().find(|source| source.sha256 == sha256);
    let declared = table.column(&column).and_then(|column| column.unit.clone());
    Ok(Provenance {
        table: table.name.clone(),
        release: query.release,
        row: query.row,
        value: record.get(&column).cloned().unwrap_or(Value::Null),
        unit: declared.or_else(|| text("unit")),
        column,
        source: SourceReference {
            name: source.map(|source| source.name.clone()),
            bytes: source.map(|source| source.bytes),
            format: source.map(|source| source.format.clone()),
            encoding: source.and_then(|source| source.encoding.clone()),
            feed: source.map(|source| source.feed.clone()),
            origin: source.and_then(|source| source.origin.clone()),
            is_synthetic: source.map(|source| source.is_synthetic),
            is_public: source.map(|source| source.is_public),
            sha256,
        },
        sheet: text("source_sheet"),
        cell: text("source_cell"),
        raw_text: text("raw_text"),
        conversion: text("conversion"),
        record,
    })
}

fn figure(table: &Table, column: Option<&str>) -> Result<String, ApiError> {
    let is_public = |name: &str| table.column(name).is_some_and(|column| column.visibility == Visibility::Public);
    match column.filter(|name| !name.is_empty()) {
        Some(name) if is_public(name) => Ok(name.to_owned()),
        Some(name) => Err(ApiError::new("column_not_found", format!("no column {name:?} in table {:?}", table.name))),
        None => FIGURES
            .iter()
            .find(|name| is_public(name))
            .map(|name| (*name).to_owned())
            // A register has no figures: its row is known by its key.
            .or_else(|| table.key.iter().find(|name| is_public(name)).cloned())
            .ok_or_else(|| ApiError::parameter("column", "", "the name of a column")),
    }
}
