//! SQL over HTTP: one query in, rows in any format out.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use gongkai_catalog::Label;
use gongkai_warehouse::export::{self, ExportOptions};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::download::wanted_format;
use super::error::Problems;
use super::{ApiError, App};
use crate::access::Caller;
use crate::worker::Statement;
use crate::worker::pool::Collected;
use crate::worker::protocol::Column;

/// Header that names the releases an answer is made from.
pub const RELEASES_HEADER: &str = "x-gongkai-releases";
/// Header with the digest of the answer's rows.
pub const DIGEST_HEADER: &str = "x-gongkai-digest";
/// Header with warnings about sums, in English; absent where there are none.
pub const WARNINGS_HEADER: &str = "x-gongkai-warnings";
/// Header that says whether rows were left out.
pub const TRUNCATED_HEADER: &str = "x-gongkai-truncated";

/// A query in the address.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SqlQuery {
    /// The statement.
    q: String,
    /// `json`, `csv`, `ndjson`, `parquet`, `arrow` or `xlsx`.
    format: Option<String>,
    /// What was current at this time.
    as_of: Option<String>,
    /// Most rows; more are left out, and the answer says so.
    limit: Option<usize>,
}

/// A query in the body.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlRequest {
    /// The statement.
    sql: String,
    /// `json`, `csv`, `ndjson`, `parquet`, `arrow` or `xlsx`.
    format: Option<String>,
    /// What was current at this time.
    as_of: Option<String>,
    /// Most rows; more are left out, and the answer says so.
    limit: Option<usize>,
}

/// A release that an answer is made from.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleaseReference {
    /// Dataset id.
    pub dataset: String,
    /// Release number.
    pub number: u64,
    /// Whether its figures are synthetic samples.
    pub is_synthetic: bool,
}

impl ReleaseReference {
    /// `{dataset}.{number}`.
    pub fn id(&self) -> String {
        format!("{}.{}", self.dataset, self.number)
    }
}

/// A column of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultColumn {
    /// Name.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub column_type: String,
    /// Unit id, where the column is one of the dictionary's.
    pub unit: Option<String>,
    /// Chinese label, where the column is one of the dictionary's.
    pub label: Option<String>,
}

impl From<&Column> for ResultColumn {
    fn from(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            column_type: column.column_type.clone(),
            unit: column.unit.clone(),
            label: column.label.clone(),
        }
    }
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct SqlResult {
    /// Columns.
    pub columns: Vec<ResultColumn>,
    /// Rows, each an array in the order of the columns; decimals are strings.
    #[schema(value_type = Vec<Vec<serde_json::Value>>)]
    pub rows: Box<RawValue>,
    /// Rows delivered.
    pub row_count: usize,
    /// Whether more rows were left out because of the limit.
    pub truncated: bool,
    /// Time from request to answer.
    pub elapsed_ms: u64,
    /// Releases that the answer is made from.
    pub releases: Vec<ReleaseReference>,
    /// Sums that may count the same money more than once, with the table that has the rows that add up.
    #[schema(value_type = Vec<Object>)]
    pub warnings: Vec<Label>,
    /// SHA-256 of the rows in their `ndjson` form.
    pub digest: String,
    /// Address that asks the same of the same releases.
    pub permalink: String,
}

/// A query given in the address.
#[utoipa::path(get, path = "/sql", operation_id = "get_sql", tag = "sql", params(SqlQuery),
    responses((status = 200, description = "The answer; other formats by `format`.", body = SqlResult), Problems))]
pub async fn get_sql(
    State(app): State<App>,
    query: Result<Query<SqlQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    answer(&app, SqlRequest { sql: query.q, format: query.format, as_of: query.as_of, limit: query.limit }).await
}

/// A query given in the body.
#[utoipa::path(post, path = "/sql", operation_id = "post_sql", tag = "sql", request_body = SqlRequest,
    responses((status = 200, description = "The answer; other formats by `format`.", body = SqlResult), Problems))]
pub async fn post_sql(
    State(app): State<App>,
    request: Result<Json<SqlRequest>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(request) = request?;
    answer(&app, request).await
}

/// A whole answer with what is said about it.
pub struct Answered {
    /// Columns.
    pub columns: Vec<Column>,
    /// Releases read.
    pub releases: Vec<ReleaseReference>,
    /// What the reader should know of the answer.
    pub warnings: Vec<Label>,
    /// Types.
    pub schema: arrow::datatypes::SchemaRef,
    /// Rows.
    pub collected: Collected,
    /// Digest of the rows.
    pub digest: String,
}

/// Runs a statement and collects its rows, at most `limit` and at most what the instance allows.
pub async fn run(app: &App, sql: &str, as_of: Option<&str>, limit: Option<usize>) -> Result<Answered, ApiError> {
    let snapshot = app.snapshot_at(as_of).await?;
    let settings = &app.instance.config.query;
    let max_rows = limit.unwrap_or(settings.max_rows).min(settings.max_rows);
    // One row more tells whether there are more.
    let timeout = app.timeout(&Caller::public());
    let stream = app.ask(Statement::from(sql), Arc::clone(&snapshot), max_rows + 1, timeout).await?;
    let (columns, warnings, schema) = (stream.columns.clone(), stream.warnings.clone(), stream.schema.clone());
    let releases = stream.releases.iter().map(|(dataset, number)| ReleaseReference {
        dataset: dataset.clone(),
        number: *number,
        is_synthetic: snapshot.release(dataset, *number).is_some_and(|release| release.is_synthetic),
    });
    let releases = releases.collect();
    let collected = stream.collect(max_rows, settings.max_bytes).await?;
    let lines = export::format("ndjson").ok_or_else(|| ApiError::new("internal", "no ndjson"))?;
    let bytes = export::to_bytes(lines, &schema, &collected.batches, ExportOptions::default())?;
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
    Ok(Answered { columns, releases, warnings, schema, collected, digest })
}

async fn answer(app: &App, request: SqlRequest) -> Result<Response, ApiError> {
    let started = std::time::Instant::now();
    let format = wanted_format(request.format.as_deref().unwrap_or("json"))?;
    let now = app.instance.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let answered = run(app, &request.sql, request.as_of.as_deref(), request.limit).await?;
    let collected = &answered.collected;
    // A file cannot say that it is incomplete, so it is only cut where that was asked for.
    if collected.truncated && format.name != "json" && request.limit.is_none() {
        return Err(ApiError::new(
            "result_too_large",
            format!("more than {} rows; filter them, or accept fewer with `limit`", collected.row_count),
        ));
    }
    let releases: Vec<String> = answered.releases.iter().map(ReleaseReference::id).collect();
    let warnings = answered.warnings.iter().map(|warning| warning.en.as_str()).collect::<Vec<_>>().join("; ");
    let body = if format.name == "json" {
        let rows = String::from_utf8(export::to_rows(&collected.batches)?).unwrap_or_default();
        let as_of = request.as_of.clone().filter(|text| !text.is_empty()).unwrap_or(now);
        let result = SqlResult {
            columns: answered.columns.iter().map(ResultColumn::from).collect(),
            rows: RawValue::from_string(rows).map_err(|error| ApiError::internal(&error))?,
            row_count: collected.row_count,
            truncated: collected.truncated,
            elapsed_ms: started.elapsed().as_millis() as u64,
            releases: answered.releases,
            warnings: answered.warnings.clone(),
            digest: answered.digest.clone(),
            permalink: format!(
                "/sql?q={}&as_of={}",
                utf8_percent_encode(&request.sql, NON_ALPHANUMERIC),
                utf8_percent_encode(&as_of, NON_ALPHANUMERIC)
            ),
        };
        serde_json::to_vec(&result).map_err(|error| ApiError::internal(&error))?
    } else {
        export::to_bytes(format, &answered.schema, &collected.batches, ExportOptions::default())?
    };
    let mut response = Body::from(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if format.name != "json" {
        let name = format!("attachment; filename=\"query.{}\"", format.name);
        headers.insert(
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment")),
        );
    }
    for (name, value) in [
        (RELEASES_HEADER, releases.join(", ")),
        (DIGEST_HEADER, answered.digest.clone()),
        (TRUNCATED_HEADER, collected.truncated.to_string()),
        (WARNINGS_HEADER, warnings),
    ] {
        if let Some(value) =
            HeaderValue::from_str(&value).ok().filter(|value| name != WARNINGS_HEADER || !value.is_empty())
        {
            headers.insert(name, value);
        }
    }
    Ok(response)
}
