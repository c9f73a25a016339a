//! Queries that are cited: a statement with the state of the releases that it was asked over and the digest of its answer,
//! stored under an id that does not change.
//!
//! The id follows from what is stored, so that the same question over the same state is one record. Only a statement that the
//! releases alone decide can be stored. It is asked again over its own state, or over that of today, and the rows are compared,
//! whatever their order: a statement without ORDER BY promises none.
//!
//! What is stored stays. A party may store so many a minute, and all together so many (`limits.stored_queries`): who has no key
//! cannot fill the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::export::{self, ExportOptions};
use gongkai_warehouse::store::{Put, Store, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use utoipa::ToSchema;

use super::app::parse_time;
use super::caller::{Asker, NoHead};
use super::error::{BodyProblems, WriteProblems};
use super::sql::{Answered, AskerProblems, ParameterValue, ReleaseReference, SqlProblems, run_over, text_of};
use super::{ApiError, App};
use crate::metrics::Door;
use crate::worker::Statement;

const FOLDER: &str = "state/query";
/// Longest statement that is stored, and most bytes of values with it.
const STATEMENT_BYTES: usize = 8 << 10;
/// Characters of an id.
const ID_CHARS: usize = 24;

/// A statement to store.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryRequest {
    /// The statement.
    #[schema(example = "SELECT region_name, amount_yuan FROM debt_stock WHERE region_code = '510400' LIMIT 3")]
    sql: String,
    /// Values of `$1`, `$2`, ….
    #[serde(default)]
    #[schema(value_type = Vec<Option<ParameterValue>>)]
    parameters: Vec<serde_json::Value>,
    /// What was current at this time; none for now.
    #[schema(
        pattern = r"^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?)?$"
    )]
    as_of: Option<String>,
}

/// A stored query.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StoredQuery {
    /// Its id: 24 hexadecimal digits that follow from the rest.
    pub id: String,
    /// The statement.
    pub sql: String,
    /// Values of `$1`, `$2`, … as texts.
    pub parameters: Vec<Option<String>>,
    /// The time that was asked about.
    pub as_of: Option<String>,
    /// Counter of the pointer: the state of the releases.
    pub counter: u64,
    /// Releases that the answer was made from.
    pub releases: Vec<ReleaseReference>,
    /// Rows of the answer.
    pub row_count: usize,
    /// SHA-256 of the rows in their `ndjson` form.
    pub digest: String,
    /// The same of these lines in the order of their bytes: rows in another order have it too. Empty in queries that were stored
    /// before it was kept; their rows are compared in the order that they had.
    #[serde(default)]
    #[schema(required)]
    pub set_digest: String,
    /// When it was stored.
    pub stored_at: DateTime<Utc>,
}

/// A stored query, asked again.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueryComparison {
    /// The stored query.
    pub query: StoredQuery,
    /// Whether its own state still gives the same rows, in whatever order. A withdrawal changes them, and so does LIMIT without
    /// an ORDER BY that leaves nothing open.
    pub is_reproduced: bool,
    /// Rows of its own state, asked again.
    pub digest_again: String,
    /// Whether today's releases give the same rows, in whatever order.
    pub is_unchanged: bool,
    /// Today's rows; none where the statement does not run any more.
    pub digest_now: Option<String>,
    /// Releases that today's rows are made from.
    pub releases_now: Vec<ReleaseReference>,
}

impl StoredQuery {
    fn statement(&self) -> Statement {
        Statement { sql: self.sql.clone(), parameters: self.parameters.clone(), ..Statement::default() }
    }

    /// The id that follows from the rest.
    fn id_of(&self) -> String {
        let mut hasher = Sha256::new();
        let parts = (&self.sql, &self.parameters, &self.as_of, self.counter, &self.set_digest);
        hasher.update(serde_json::to_vec(&parts).unwrap_or_default());
        hex::encode(hasher.finalize())[..ID_CHARS].to_owned()
    }
}

/// How many queries are stored: counted when the first one is to be stored, and kept up from there. What another server stores in
/// the same warehouse meanwhile is counted when this one begins anew.
#[derive(Debug, Default)]
pub struct StoredQueries(OnceCell<AtomicUsize>);

/// The place of one stored query, given back unless it is kept.
struct Place<'a> {
    count: &'a AtomicUsize,
    is_kept: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.count.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl StoredQueries {
    /// A place for one more among so many, 0 for no limit; none where all are taken.
    async fn place(&self, store: &dyn Store, most: usize) -> Result<Option<Place<'_>>, StoreError> {
        let counted = || async { store.list(FOLDER).await.map(|files| AtomicUsize::new(files.len())) };
        let count = self.0.get_or_try_init(counted).await?;
        let before = count.fetch_add(1, Ordering::SeqCst);
        let place = Place { count, is_kept: false };
        Ok((most == 0 || before < most).then_some(place))
    }
}

/// Stores a query, or finds it stored before.
async fn keep(app: &App, query: StoredQuery) -> Result<(StatusCode, StoredQuery), ApiError> {
    let path = format!("{FOLDER}/{}.json", query.id);
    if app.store().read_optional(&path).await?.is_some() {
        return Ok((StatusCode::OK, read(app, &query.id).await?));
    }
    let most = app.instance.config.limits.stored_queries;
    let Some(mut place) = app.stored_queries().place(app.store(), most).await? else {
        let detail = format!(
            "{most} queries are stored, and no more are taken; cite the permalink of the answer of /api/v1/sql"
        );
        return Err(ApiError::new("disk_full", detail));
    };
    let bytes = serde_json::to_vec_pretty(&query).map_err(|error| ApiError::internal(&error))?;
    match app.store().put_if_absent(&path, Bytes::from(bytes)).await? {
        Put::Created => {
            place.is_kept = true;
            Ok((StatusCode::CREATED, query))
        }
        Put::Existed => Ok((StatusCode::OK, read(app, &query.id).await?)),
    }
}

fn state(snapshot: Arc<Snapshot>, as_of: Option<&str>) -> Result<Arc<Snapshot>, ApiError> {
    match as_of.filter(|time| !time.is_empty()) {
        Some(time) => Ok(Arc::new(snapshot.as_of(parse_time(time)?))),
        None => Ok(snapshot),
    }
}

async fn ask(app: &App, asker: &Asker, statement: Statement, snapshot: Arc<Snapshot>) -> Result<Answered, ApiError> {
    let running = app.meter(&asker.caller, asker.address)?;
    let answered = run_over(app, Door::Http, statement, snapshot, None, app.timeout(&asker.caller)).await?;
    drop(running);
    if answered.collected.truncated {
        return Err(ApiError::new("result_too_large", "a query that is stored has to give all its rows; filter it"));
    }
    Ok(answered)
}

/// The digest of an answer's rows, whatever their order.
async fn set_digest(answered: &Answered) -> Result<String, ApiError> {
    let (schema, batches) = (Arc::clone(&answered.schema), answered.collected.batches.clone());
    let digested = tokio::task::spawn_blocking(move || {
        let bytes = export::to_bytes(&export::LINES, &schema, &batches, ExportOptions::default())?;
        let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        lines.sort_unstable();
        let mut hasher = Sha256::new();
        lines.iter().for_each(|line| hasher.update(line));
        Ok(format!("sha256:{}", hex::encode(hasher.finalize())))
    });
    digested.await.unwrap_or_else(|error| Err(ApiError::internal(&error)))
}

/// Whether an answer has the rows that were stored, in whatever order. In the same order there is nothing to sort.
async fn has_rows_of(answered: &Answered, query: &StoredQuery) -> Result<bool, ApiError> {
    Ok(answered.digest == query.digest || set_digest(answered).await? == query.set_digest)
}

async fn read(app: &App, id: &str) -> Result<StoredQuery, ApiError> {
    let missing = || ApiError::not_found("query", &id.chars().take(40).collect::<String>());
    if id.len() != ID_CHARS || !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(missing());
    }
    let bytes = app.store().read_optional(&format!("{FOLDER}/{id}.json")).await?.ok_or_else(missing)?;
    let query: StoredQuery = serde_json::from_slice(&bytes).map_err(|error| ApiError::internal(&error))?;
    Ok(query)
}

/// Stores a query so that it can be cited.
#[utoipa::path(post, path = "/queries", operation_id = "create_query", tag = "sql", request_body = QueryRequest,
    security((), ("key" = [])),
    responses((status = 201, description = "It is stored.", body = StoredQuery),
              (status = 200, description = "It was stored before.", body = StoredQuery),
              BodyProblems, WriteProblems, SqlProblems, AskerProblems))]
pub async fn create_query(
    State(app): State<App>,
    asker: Asker,
    request: Result<Json<QueryRequest>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(request) = request?;
    if request.sql.len() > STATEMENT_BYTES {
        return Err(ApiError::new("sql_too_complex", "a statement that is stored has at most 8 KiB"));
    }
    let parameters = request.parameters.iter().map(text_of).collect::<Result<Vec<_>, _>>()?;
    // A value that is missing takes some bytes of its own.
    if parameters.iter().map(|value| value.as_ref().map_or(0, String::len) + 4).sum::<usize>() > STATEMENT_BYTES {
        return Err(ApiError::new("sql_too_complex", "the values of a statement that is stored have at most 8 KiB"));
    }
    app.meter_citation(&asker.caller, asker.address)?;
    let now = app.snapshot().await?;
    let as_of = request.as_of.filter(|time| !time.is_empty());
    let statement = Statement { sql: request.sql.clone(), parameters: parameters.clone(), ..Statement::default() };
    let answered = ask(&app, &asker, statement, state(Arc::clone(&now), as_of.as_deref())?).await?;
    if !answered.is_repeatable {
        let detail = "the answer depends on the time or on chance; ask without now(), random() and what is due today";
        return Err(ApiError::new("invalid_parameter", detail));
    }
    let set_digest = set_digest(&answered).await?;
    let mut query = StoredQuery {
        id: String::new(),
        set_digest,
        sql: request.sql,
        parameters,
        as_of,
        counter: now.counter,
        releases: answered.releases,
        row_count: answered.collected.row_count,
        digest: answered.digest,
        stored_at: app.instance.clock.now(),
    };
    query.id = query.id_of();
    let (status, query) = keep(&app, query).await?;
    let location = format!("/api/v1/queries/{}", query.id);
    Ok((status, [(header::LOCATION, location)], Json(query)).into_response())
}

/// A stored query.
#[utoipa::path(get, path = "/queries/{id}", operation_id = "get_query", tag = "sql",
    params(("id" = String, Path, description = "Id of the query", pattern = "^[0-9a-f]{24}$")),
    responses((status = 200, description = "The query as it was stored.", body = StoredQuery), super::error::Problems))]
pub async fn get_query(State(app): State<App>, id: Result<Path<String>, PathRejection>) -> Result<Response, ApiError> {
    let Path(id) = id?;
    Ok(Json(read(&app, &id).await?).into_response())
}

/// Asks a stored query again, over its own state and over that of today, and compares.
#[utoipa::path(get, path = "/queries/{id}/comparison", operation_id = "get_query_comparison", tag = "sql", security((), ("key" = [])),
    params(("id" = String, Path, description = "Id of the query", pattern = "^[0-9a-f]{24}$")),
    responses((status = 200, description = "What it gives again.", body = QueryComparison),
              SqlProblems, AskerProblems))]
pub async fn get_query_comparison(
    _: NoHead,
    State(app): State<App>,
    asker: Asker,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let query = read(&app, &id).await?;
    let then = state(app.snapshot_of(query.counter).await?, query.as_of.as_deref())?;
    let again = ask(&app, &asker, query.statement(), then).await?;
    let now = state(app.snapshot().await?, query.as_of.as_deref())?;
    // A table or a column may be gone by now; that is an answer too.
    let now = match ask(&app, &asker, query.statement(), now).await {
        Ok(answered) => Some(answered),
        Err(error) if matches!(error.code.as_str(), "table_not_found" | "column_not_found") => None,
        Err(error) => return Err(error),
    };
    let is_unchanged = match &now {
        Some(now) => has_rows_of(now, &query).await?,
        None => false,
    };
    let comparison = QueryComparison {
        is_reproduced: has_rows_of(&again, &query).await?,
        digest_again: again.digest,
        is_unchanged,
        digest_now: now.as_ref().map(|now| now.digest.clone()),
        releases_now: now.map(|now| now.releases).unwrap_or_default(),
        query,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(comparison)).into_response())
}

#[cfg(test)]
mod tests {
    use gongkai_warehouse::store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn there_are_so_many_stored_queries_and_a_place_that_is_not_used_comes_back() {
        let store = MemoryStore::new();
        store.put(&format!("{FOLDER}/0.json"), Bytes::new()).await.expect("one is there");
        let stored = StoredQueries::default();
        let mut kept = stored.place(&store, 3).await.expect("counts").expect("the second");
        kept.is_kept = true;
        drop(kept);
        let unused = stored.place(&store, 3).await.expect("counts").expect("the third");
        assert!(stored.place(&store, 3).await.expect("counts").is_none());
        drop(unused);
        assert!(stored.place(&store, 3).await.expect("counts").is_some());
        assert!(stored.place(&store, 2).await.expect("counts").is_none());
        assert!(stored.place(&store, 0).await.expect("counts").is_some(), "0 is no limit");
    }
}
