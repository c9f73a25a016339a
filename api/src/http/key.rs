//! Access keys over HTTP, for administrators.
//!
//! The token of a key is in the answer that makes it and in no other; digests are in none. Nothing here may be kept
//! by a cache.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use super::caller::private;
use super::error::{BodyProblems, Problem, Problems, WriteProblems};
use super::{ApiError, App};
use crate::access::{AccessKey, Caller, Keys, NewKey, NewKeyRequest, Role};

/// A key, without anything that would open it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KeyRecord {
    /// Id: the part of the token between `gk_` and the next `_`.
    pub id: String,
    /// The office or person it was made for.
    pub holder: String,
    /// What it may do.
    pub role: Role,
    /// `active`, `expired` or `revoked`.
    pub state: String,
    /// Codes of the regions whose restricted datasets it reads.
    pub regions: Vec<String>,
    /// Groups whose restricted datasets it reads.
    pub groups: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// First moment at which it is not valid any more.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl KeyRecord {
    /// A key as it stands at a moment.
    pub fn of(key: AccessKey, now: DateTime<Utc>) -> Self {
        Self {
            state: key.state(now).name().to_owned(),
            id: key.id,
            holder: key.holder,
            role: key.role,
            regions: key.regions,
            groups: key.groups,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// The keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyList {
    /// Every key, revoked ones among them, in the order in which they were made.
    pub keys: Vec<KeyRecord>,
}

/// A key that was just made. Without `Debug`: it holds the token.
#[derive(Serialize, ToSchema)]
pub struct CreatedKey {
    /// What lists show.
    #[serde(flatten)]
    pub key: KeyRecord,
    /// `gk_{id}_{secret}`: shown here and never again.
    pub token: String,
}

impl CreatedKey {
    /// A key as it stands when it was made.
    pub fn of(made: NewKey, now: DateTime<Utc>) -> Self {
        Self { key: KeyRecord::of(made.key, now), token: made.token }
    }
}

/// The problems of operations that need a key.
#[derive(IntoResponses)]
pub enum KeyProblems {
    /// There is no key, or it is not valid: `unauthorized`.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// The key has another role: `forbidden`.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// Too many keys from this network were not valid: `rate_limited`.
    #[response(status = 429, content_type = "application/problem+json")]
    RateLimited(Problem),
}

/// Every key, without anything that would open it.
#[utoipa::path(get, path = "/keys", operation_id = "list_keys", tag = "keys",
    security(("key" = [])),
    responses((status = 200, description = "The keys.", body = KeyList), KeyProblems, Problems))]
pub async fn list_keys(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    caller.require(Role::may_administer, "listing keys")?;
    let now = app.instance.clock.now();
    let keys = Keys::new(app.store()).list().await?;
    let keys = keys.into_iter().map(|key| KeyRecord::of(key, now)).collect();
    Ok(private(StatusCode::OK, KeyList { keys }))
}

/// Makes a key. Its token is in this answer and in no other.
#[utoipa::path(post, path = "/keys", operation_id = "create_key", tag = "keys", request_body = NewKeyRequest,
    security(("key" = [])),
    responses((status = 201, description = "The key, with its token.", body = CreatedKey),
              KeyProblems, BodyProblems, WriteProblems, Problems))]
pub async fn create_key(
    State(app): State<App>,
    caller: Caller,
    request: Result<Json<NewKeyRequest>, JsonRejection>,
) -> Result<Response, ApiError> {
    caller.require(Role::may_administer, "making a key")?;
    let Json(request) = request?;
    request.check_regions(&app.catalog().regions)?;
    let now = app.instance.clock.now();
    let made = Keys::new(app.store()).create(request, now).await?;
    Ok(private(StatusCode::CREATED, CreatedKey::of(made, now)))
}

/// Takes a key back, from now on. One that is revoked already keeps its first time.
#[utoipa::path(delete, path = "/keys/{id}", operation_id = "revoke_key", tag = "keys",
    params(("id" = String, Path, description = "Id of the key")),
    security(("key" = [])),
    responses((status = 200, description = "The key as it stands now.", body = KeyRecord), KeyProblems, WriteProblems, Problems))]
pub async fn revoke_key(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    caller.require(Role::may_administer, "revoking a key")?;
    let Path(id) = id?;
    let now = app.instance.clock.now();
    let key = Keys::new(app.store()).revoke(&id, now).await?;
    Ok(private(StatusCode::OK, KeyRecord::of(key, now)))
}
