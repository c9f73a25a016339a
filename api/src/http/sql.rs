//! SQL over HTTP: one query in, rows in any format out.
//!
//! JSON holds an answer as a whole, with all that is said about it. Files are sent as they come: up to a bound they are collected
//! first, so that they have a length and a digest in front and fail with a status; beyond it the digest comes as a trailer, and an
//! answer that fails half-way breaks the connection. An answer that the releases alone decide has a tag made of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use gongkai_catalog::Label;
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::export::{self, Format};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, IntoResponses, ToSchema};

use super::answers::{ANSWER_BYTES, Kept};
use super::caching::NotModified;
use super::caller::{Asker, NoHead};
use super::download::wanted_format;
use super::error::{BodyProblems, FormatProblems, Problem};
use super::file_answer::{FileAnswer, digest_of, of_known_length};
use super::{ApiError, App, caching};
use crate::access::Caller;
use crate::metrics::Door;
use crate::worker::pool::Collected;
use crate::worker::protocol::Column;
use crate::worker::{Bound, QueryAnswer, Statement};

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
    #[param(example = "SELECT region_name, amount_yuan FROM debt_stock WHERE region_code = '510400' LIMIT 3")]
    q: String,
    /// `json`, `csv`, `ndjson`, `parquet`, `arrow` or `xlsx`.
    #[param(pattern = "^(|json|csv|ndjson|parquet|arrow|xlsx)$")]
    format: Option<String>,
    /// What was current at this time.
    #[param(
        pattern = r"^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?)?$"
    )]
    as_of: Option<String>,
    /// Most rows; more are left out, and the answer says so.
    limit: Option<usize>,
    /// Values of `$1`, `$2`, … as a JSON array of texts, numbers, booleans and nulls.
    parameters: Option<String>,
}

/// A query in the body.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlRequest {
    /// The statement.
    #[schema(example = "SELECT region_name, amount_yuan FROM debt_stock WHERE region_code = '510400' LIMIT 3")]
    sql: String,
    /// `json`, `csv`, `ndjson`, `parquet`, `arrow` or `xlsx`.
    #[schema(pattern = "^(|json|csv|ndjson|parquet|arrow|xlsx)$")]
    format: Option<String>,
    /// What was current at this time.
    #[schema(
        pattern = r"^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?)?$"
    )]
    as_of: Option<String>,
    /// Most rows; more are left out, and the answer says so.
    #[serde(default, deserialize_with = "whole_number")]
    limit: Option<usize>,
    /// Values of `$1`, `$2`, …: texts, numbers, booleans and nulls.
    #[serde(default)]
    #[schema(value_type = Vec<Option<ParameterValue>>)]
    parameters: Vec<serde_json::Value>,
}

/// A whole number that is not negative. JSON tells it from no other number: `10.0` and `1e1` are ten.
fn whole_number<'a, D: Deserializer<'a>>(number: D) -> Result<Option<usize>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(number)? else { return Ok(None) };
    let of_float = || number.as_f64().filter(|float| float.fract() == 0.0 && *float >= 0.0).map(|float| float as u64);
    let whole = number.as_u64().or_else(of_float).and_then(|whole| usize::try_from(whole).ok());
    whole.map(Some).ok_or_else(|| D::Error::custom(format!("{number}; expected a whole number, not negative")))
}

/// A value of a parameter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ParameterValue {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
}

/// A release that an answer is made from.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
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
#[utoipa::path(get, path = "/sql", operation_id = "get_sql", tag = "sql", params(SqlQuery), security((), ("key" = [])),
    responses((status = 200, description = "The answer; other formats by `format`.",
               content((SqlResult = "application/json"), (String = "text/csv"), (String = "application/x-ndjson"),
                       (String = "application/vnd.apache.parquet"), (String = "application/vnd.apache.arrow.stream"),
                       (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
              NotModified, FormatProblems, SqlProblems, AskerProblems))]
pub async fn get_sql(
    _: NoHead,
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    query: Result<Query<SqlQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    let parameters = match query.parameters.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => serde_json::from_str(text)
            .map_err(|_| ApiError::parameter("parameters", text, "a JSON array such as [\"510400\", 2024]"))?,
        None => Vec::new(),
    };
    let request = SqlRequest { sql: query.q, format: query.format, as_of: query.as_of, limit: query.limit, parameters };
    answer(&app, &asker, &headers, request).await
}

/// A query given in the body.
#[utoipa::path(post, path = "/sql", operation_id = "post_sql", tag = "sql", request_body = SqlRequest,
    security((), ("key" = [])),
    responses((status = 200, description = "The answer; other formats by `format`.",
               content((SqlResult = "application/json"), (String = "text/csv"), (String = "application/x-ndjson"),
                       (String = "application/vnd.apache.parquet"), (String = "application/vnd.apache.arrow.stream"),
                       (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
              BodyProblems, FormatProblems, SqlProblems, AskerProblems))]
pub async fn post_sql(
    State(app): State<App>,
    asker: Asker,
    request: Result<Json<SqlRequest>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(request) = request?;
    answer(&app, &asker, &HeaderMap::new(), request).await
}

/// The errors of a query.
#[derive(IntoResponses)]
pub enum SqlProblems {
    /// The request is wrong: `invalid_parameter`, `sql_syntax`, `sql_too_complex`, `statement_not_allowed`, ….
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// A table does not exist, or the caller may not see it: `table_not_found`.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// The query cannot be answered within its limits: `query_timeout`, `query_memory`, `result_too_large`, ….
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(Problem),
    /// Our fault: `internal`.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Too many queries at once: `overloaded`.
    #[response(status = 503, content_type = "application/problem+json")]
    Overloaded(Problem),
}

/// The errors of whoever asks, with a key or without.
#[derive(IntoResponses)]
pub enum AskerProblems {
    /// The key is not valid: `unauthorized`.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// Too many queries of one key or network, or too many keys that were not valid: `rate_limited`.
    #[response(status = 429, content_type = "application/problem+json")]
    RateLimited(Problem),
}

/// A whole answer with what is said about it.
pub struct Answered {
    /// Columns.
    pub columns: Vec<Column>,
    /// Releases read.
    pub releases: Vec<ReleaseReference>,
    /// What the reader should know of the answer.
    pub warnings: Vec<Label>,
    /// Whether statement and releases alone decide it.
    pub is_repeatable: bool,
    /// Types.
    pub schema: arrow::datatypes::SchemaRef,
    /// Rows.
    pub collected: Collected,
    /// Digest of the rows.
    pub digest: String,
}

/// Runs a statement of our own pages and listings, at most `limit` rows and at most what the instance allows.
pub async fn run(app: &App, sql: &str, as_of: Option<&str>, limit: Option<usize>) -> Result<Answered, ApiError> {
    run_for(app, Door::Page, sql.into(), as_of, limit, app.timeout(&Caller::public())).await
}

/// The same for a visitor's statement.
pub async fn run_for(
    app: &App,
    door: Door,
    statement: Statement,
    as_of: Option<&str>,
    limit: Option<usize>,
    timeout: Duration,
) -> Result<Answered, ApiError> {
    let snapshot = app.snapshot_at(as_of).await?;
    run_over(app, door, statement, snapshot, limit, timeout).await
}

/// The same over a state of the releases.
pub async fn run_over(
    app: &App,
    door: Door,
    statement: Statement,
    snapshot: Arc<Snapshot>,
    limit: Option<usize>,
    timeout: Duration,
) -> Result<Answered, ApiError> {
    let settings = &app.instance.config.query;
    let max_rows = limit.unwrap_or(settings.max_rows).min(settings.max_rows);
    // One row more tells whether there are more.
    let stream = app.ask(door, statement, Arc::clone(&snapshot), max_rows + 1, timeout).await?;
    let (columns, warnings, schema) = (stream.columns.clone(), stream.warnings.clone(), stream.schema.clone());
    let is_repeatable = stream.is_repeatable;
    let releases = references(&stream, &snapshot);
    let collected = stream.collect(max_rows, settings.max_bytes).await?;
    let (types, batches) = (Arc::clone(&schema), collected.batches.clone());
    let digest = encoding(move || digest_of(&types, &batches)).await?;
    Ok(Answered { columns, releases, warnings, is_repeatable, schema, collected, digest })
}

/// Work on a whole answer, away from the threads that answer everybody.
async fn encoding<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))?
}

fn references(stream: &QueryAnswer, snapshot: &Snapshot) -> Vec<ReleaseReference> {
    let references = stream.releases.iter().map(|(dataset, number)| ReleaseReference {
        dataset: dataset.clone(),
        number: *number,
        is_synthetic: snapshot.release(dataset, *number).is_some_and(|release| release.is_synthetic),
    });
    references.collect()
}

/// A parameter as the text that the engine reads.
pub(super) fn text_of(value: &serde_json::Value) -> Result<Option<String>, ApiError> {
    use serde_json::Value;
    Ok(match value {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Array(_) | Value::Object(_) => {
            return Err(ApiError::parameter("parameters", &value.to_string(), "texts, numbers, booleans and nulls"));
        }
    })
}

async fn answer(app: &App, asker: &Asker, headers: &HeaderMap, request: SqlRequest) -> Result<Response, ApiError> {
    let started = Instant::now();
    let format = wanted_format(request.format.as_deref().filter(|name| !name.is_empty()).unwrap_or("json"))?;
    let parameters = request.parameters.iter().map(text_of).collect::<Result<Vec<_>, _>>()?;
    let role = asker.caller.role();
    let statement = Statement { sql: request.sql.clone(), parameters, role: role.into(), ..Statement::default() };
    let snapshot = app.snapshot_at(request.as_of.as_deref()).await?;
    let limit = request.limit.map(|limit| limit.to_string()).unwrap_or_default();
    let values = format!("{:?}", statement.parameters);
    // Some roles see more than others.
    let sight = if role.may_read_staging() { "staging" } else { "" };
    let tag = caching::tag(&snapshot, &["sql", sight, &statement.sql, &values, format.name, &limit]);
    // A tag is given out only where the releases alone decide the answer; whoever holds it holds the answer.
    if caching::is_known(headers, &tag) && headers.get(header::IF_NONE_MATCH).is_some_and(|value| value != "*") {
        return Ok(caching::respond(headers, &tag, || StatusCode::NOT_MODIFIED.into_response()));
    }
    if let Some(kept) = app.answers.answer(&tag) {
        app.metrics.cache_hit();
        let mut response = Body::from(kept.body).into_response();
        *response.headers_mut() = kept.headers;
        return Ok(response);
    }
    let running = app.meter(&asker.caller, asker.address)?;
    let timeout = app.timeout(&asker.caller);
    if format.name == "json" {
        let mut answered = run_over(app, Door::Http, statement, snapshot, request.limit, timeout).await?;
        drop(running);
        let batches = std::mem::take(&mut answered.collected.batches);
        let rows = encoding(move || Ok(export::to_rows(&batches)?)).await?;
        let most = app.instance.config.query.max_bytes;
        if rows.len() > most {
            let detail = format!("the rows are larger than {} MiB as JSON; filter them, or ask for a file", most >> 20);
            return Err(ApiError::new("result_too_large", detail));
        }
        let body = json(app, &request, &answered, rows, started)?;
        let head = Head::of(&answered.releases, &answered.warnings, format, answered.is_repeatable.then_some(&tag));
        let headers = head.headers(Some(&answered.digest), answered.collected.truncated);
        if body.len() > ANSWER_BYTES {
            let length = body.len();
            return of_known_length(app, headers, vec![body.into()], length).await;
        }
        return Ok(finished(app, headers, body.into(), answered.is_repeatable.then_some(&tag)));
    }
    let settings = &app.instance.config.query;
    let most = request.limit.unwrap_or(settings.stream_rows).min(settings.stream_rows);
    let stream = app.ask(Door::Http, statement, Arc::clone(&snapshot), most + 1, timeout).await?;
    let releases = references(&stream, &snapshot);
    let is_repeatable = stream.is_repeatable;
    let head = Head::of(&releases, &stream.warnings, format, is_repeatable.then_some(&tag));
    let bound = Bound { rows: most, bytes: settings.stream_bytes };
    // A file cannot say that it is incomplete, so it is only cut where that was asked for.
    let file = FileAnswer::new(stream, format, bound, request.limit.is_some(), running);
    file.send(app, head, settings.max_bytes, is_repeatable.then_some(&tag)).await
}

fn json(
    app: &App,
    request: &SqlRequest,
    answered: &Answered,
    rows: Vec<u8>,
    started: Instant,
) -> Result<Vec<u8>, ApiError> {
    let collected = &answered.collected;
    let now = app.instance.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let as_of = request.as_of.clone().filter(|text| !text.is_empty()).unwrap_or(now);
    let mut permalink = format!(
        "/sql?q={}&as_of={}",
        utf8_percent_encode(&request.sql, NON_ALPHANUMERIC),
        utf8_percent_encode(&as_of, NON_ALPHANUMERIC)
    );
    if !request.parameters.is_empty() {
        let values = serde_json::to_string(&request.parameters).map_err(|error| ApiError::internal(&error))?;
        permalink.push_str(&format!("&parameters={}", utf8_percent_encode(&values, NON_ALPHANUMERIC)));
    }
    let result = SqlResult {
        columns: answered.columns.iter().map(ResultColumn::from).collect(),
        rows: RawValue::from_string("[]".into()).map_err(|error| ApiError::internal(&error))?,
        row_count: collected.row_count,
        truncated: collected.truncated,
        elapsed_ms: started.elapsed().as_millis() as u64,
        releases: answered.releases.clone(),
        warnings: answered.warnings.clone(),
        digest: answered.digest.clone(),
        permalink,
    };
    // The rows are put in their place at the end: large ones are not copied more often than once. Within a text the marks of
    // this place would have backslashes.
    let around = serde_json::to_vec(&result).map_err(|error| ApiError::internal(&error))?;
    let place = br#""rows":[]"#;
    let at = around.windows(place.len()).position(|window| window == place);
    let at = at.ok_or_else(|| ApiError::new("internal", "an answer has no place for its rows"))? + place.len() - 2;
    let mut body = Vec::with_capacity(around.len() + rows.len());
    body.extend_from_slice(&around[..at]);
    body.extend_from_slice(&rows);
    body.extend_from_slice(&around[at + 2..]);
    Ok(body)
}

/// What stands before the rows of an answer.
pub(super) struct Head {
    headers: HeaderMap,
}

impl Head {
    fn of(releases: &[ReleaseReference], warnings: &[Label], format: &Format, tag: Option<&String>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let releases: Vec<String> = releases.iter().map(ReleaseReference::id).collect();
        let warnings = warnings.iter().map(|warning| warning.en.as_str()).collect::<Vec<_>>().join("; ");
        let mut texts = vec![(RELEASES_HEADER, releases.join(", "))];
        if !warnings.is_empty() {
            texts.push((WARNINGS_HEADER, warnings));
        }
        if format.name != "json" {
            texts.push(("content-disposition", format!("attachment; filename=\"query.{}\"", format.name)));
        }
        if let Some(tag) = tag {
            texts.push(("etag", tag.clone()));
        }
        for (name, value) in texts {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        Self { headers }
    }

    /// The headers of an answer that is there as a whole, or, without its digest, of one that comes.
    pub(super) fn headers(mut self, digest: Option<&str>, is_truncated: bool) -> HeaderMap {
        self.headers.insert(TRUNCATED_HEADER, HeaderValue::from_static(if is_truncated { "true" } else { "false" }));
        match digest.map(HeaderValue::from_str) {
            Some(Ok(digest)) => drop(self.headers.insert(DIGEST_HEADER, digest)),
            _ => drop(self.headers.insert(header::TRAILER, HeaderValue::from_static(DIGEST_HEADER))),
        }
        self.headers
    }
}

/// Sends a whole answer, and keeps it where it may be given again.
pub(super) fn finished(app: &App, headers: HeaderMap, body: Bytes, tag: Option<&String>) -> Response {
    if let Some(tag) = tag {
        app.answers.keep_answer(tag, Kept { headers: headers.clone(), body: body.clone() });
    }
    let mut response = Body::from(body).into_response();
    *response.headers_mut() = headers;
    response
}
