//! The publication log for everybody: checkpoint, tiles, proofs and keys.
//!
//! Below `/api/v1/log` lies what C2SP tlog-tiles describes, so that a client written for such logs works here. Only
//! what the pointer names is given out: a state that is signed and not yet visible does not exist for others.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use gongkai_warehouse::ReleaseRecord;
use gongkai_warehouse::lake::LakeError;
use gongkai_warehouse::lake::pointer::{self, Current};
use gongkai_warehouse::log::{self, Log, TileName};
use gongkai_warehouse::signing::PublicKey;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::Problems;
use super::{ApiError, App};
use crate::proof::ReleaseProof;

/// A tile never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// A checkpoint does, with every publication.
const SHORTLY: HeaderValue = HeaderValue::from_static("public, max-age=0, must-revalidate");

/// Which proof.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ProofQuery {
    /// A release, as `dataset.number`: proves that it is in the log.
    pub release: Option<String>,
    /// An earlier size of the log: proves that it only grew since.
    #[param(minimum = 1)]
    pub from: Option<u64>,
}

/// That the log only grew.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GrowthProof {
    /// The earlier size.
    pub from: u64,
    /// Leaves of the log.
    pub log_size: u64,
    /// Root of the log in base64.
    pub root: String,
    /// Hashes that lead from the earlier root to this one in base64 (RFC 6962, 2.1.2).
    pub consistency: Vec<String>,
    /// The signed state that has this root.
    pub checkpoint: String,
}

/// Either proof.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Proof {
    /// Of a release.
    Release(ReleaseProof),
    /// Of growth.
    Growth(GrowthProof),
}

/// A key that signs, or signed.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogKey {
    /// Eight hexadecimal digits.
    pub id: String,
    /// For signed notes and `gongkai verify --key`.
    pub note: String,
    /// For openssl.
    pub pem: String,
    /// For `minisign -P`.
    pub minisign: String,
    /// Index of the leaf from which it signs.
    pub log_index: u64,
    /// Since when it is not to be believed.
    pub revoked_since: Option<String>,
}

/// The log's name and keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogKeys {
    /// Name of the log.
    pub origin: String,
    /// Its keys, the one that signs now last. Compare them with what the office publishes elsewhere.
    pub keys: Vec<LogKey>,
}

async fn current(app: &App) -> Result<Current, ApiError> {
    let current = pointer::read(app.store()).await?.current;
    if current.checkpoint.is_empty() {
        return Err(ApiError::new("not_found", "nothing is published yet"));
    }
    Ok(current)
}

/// The signed state of the publication log: a C2SP checkpoint. Keep it, and later states can be held against it.
#[utoipa::path(get, path = "/log/checkpoint", operation_id = "get_log_checkpoint", tag = "log",
    responses((status = 200, description = "A signed note of origin, size and root.", content_type = "text/plain"), Problems))]
pub async fn get_log_checkpoint(State(app): State<App>) -> Result<Response, ApiError> {
    let current = current(&app).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CACHE_CONTROL, SHORTLY),
    ];
    Ok((headers, current.checkpoint).into_response())
}

/// A tile of the log: 256 hashes, or 256 entries each after its length in two bytes; fewer at the end of the log.
#[utoipa::path(get, path = "/log/tile/{*path}", operation_id = "get_log_tile", tag = "log",
    params(("path" = String, Path, description = "Level and number as C2SP tlog-tiles writes them: `0/000`, `1/000.p/3`, `entries/x001/234`")),
    responses((status = 200, description = "The tile.", content_type = "application/octet-stream"), Problems))]
pub async fn get_log_tile(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(path) = path?;
    let current = current(&app).await?;
    let name = TileName::parse(&format!("tile/{path}")).filter(|name| name.leaves() <= current.log_size);
    let name = name.ok_or_else(|| ApiError::not_found("tile", &path.chars().take(100).collect::<String>()))?;
    let bytes = app.store().read_optional(&format!("{}/{}", log::FOLDER, name.path())).await?;
    let bytes = bytes.ok_or_else(|| ApiError::not_found("tile", &path))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CACHE_CONTROL, FOREVER),
    ];
    Ok((headers, bytes).into_response())
}

/// Proves that a release is in the log, or that the log only grew since an earlier size.
#[utoipa::path(get, path = "/log/proof", operation_id = "get_log_proof", tag = "log", params(ProofQuery),
    responses((status = 200, description = "The proof, with the signed state that it leads to.", body = Proof), Problems))]
pub async fn get_log_proof(
    State(app): State<App>,
    query: Result<Query<ProofQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    let current = current(&app).await?;
    let log = Log::open(app.store(), current.checkpoint()?.as_ref()).await.map_err(LakeError::from)?;
    let proof = match (&query.release, query.from) {
        (Some(release), None) => {
            let snapshot = app.snapshot().await?;
            let known = snapshot.releases.iter().find(|known| known.id() == *release);
            let is_shown =
                |known: &&ReleaseRecord| known.log_index < current.log_size && app.dataset(&known.dataset).is_ok();
            let known = known.filter(is_shown);
            let known = known.ok_or_else(|| ApiError::not_found("release", release))?;
            Proof::Release(ReleaseProof::make(app.store(), &current, &log, known).await?)
        }
        (None, Some(from)) => {
            let growth = log.tree().prove_growth(from).map_err(|_| {
                let expected = format!("a size from 1 to {}", current.log_size);
                ApiError::parameter("from", &from.to_string(), &expected)
            })?;
            Proof::Growth(GrowthProof {
                from,
                log_size: growth.log_size,
                root: growth.root.to_string(),
                consistency: growth.consistency.iter().map(ToString::to_string).collect(),
                checkpoint: current.checkpoint.clone(),
            })
        }
        _ => return Err(ApiError::new("invalid_parameter", "expected either release or from")),
    };
    Ok(([(header::CACHE_CONTROL, SHORTLY)], Json(proof)).into_response())
}

/// The name of the log and the keys that sign it.
#[utoipa::path(get, path = "/log/key", operation_id = "get_log_key", tag = "log",
    responses((status = 200, description = "Name and keys.", body = LogKeys), Problems))]
pub async fn get_log_key(State(app): State<App>) -> Result<Response, ApiError> {
    let current = current(&app).await?;
    let state = pointer::read_index(app.store(), &current).await?.log;
    let origin = state.origin.clone();
    let shown = |record: &gongkai_warehouse::publication::KeyRecord| {
        let key = PublicKey::from_base64(&record.public_key)?;
        Some(LogKey {
            id: key.short_id(),
            note: key.verifier_key(&origin),
            pem: key.pem(),
            minisign: key.minisign().lines().nth(1).unwrap_or_default().to_owned(),
            log_index: record.log_index,
            revoked_since: record.revoked_since.map(|since| since.to_rfc3339()),
        })
    };
    let keys = state.keys.iter().filter_map(shown).collect();
    Ok(([(header::CACHE_CONTROL, SHORTLY)], Json(LogKeys { origin: state.origin, keys })).into_response())
}

/// Adds what a browser needs to keep nothing of an answer about a caller's own file.
pub fn private(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
}
