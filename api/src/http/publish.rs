//! From a file to a release in one act, and releases taken back. Needs a key.

use axum::Json;
use axum::body::{Body, HttpBody};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use gongkai_warehouse::fault;
use gongkai_warehouse::release::{Mode, Published, Reach};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::caller::private;
use super::dataset::{ReleaseSummary, release_summary};
use super::error::{BodyProblems, FileBytes, Problems, WriteProblems};
use super::key::KeyProblems;
use super::{ApiError, App};
use crate::access::{Caller, Role};
use crate::pipeline::PipelineError;
use crate::publishing::{self, Announced, Incoming, PublishingError, ReceiveError, Release, Taken};

/// Largest file that is taken.
pub const LARGEST_BYTES: u64 = 200 << 20;

/// Longest key that a request may have.
const REQUEST_KEY_BYTES: usize = 200;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A file that was read.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileTaken {
    /// SHA-256 of the file.
    pub sha256: String,
    /// Feeds that read it, joined by a comma.
    pub feed: String,
    /// Partitions that have rows of it, as `dataset/partition`.
    pub partitions: Vec<String>,
    /// Records and cells that were set aside.
    pub set_aside: u64,
}

impl From<Taken> for FileTaken {
    fn from(taken: Taken) -> Self {
        Self {
            sha256: taken.sha256,
            feed: taken.feed,
            partitions: taken.slices.iter().map(|(dataset, partition)| format!("{dataset}/{partition}")).collect(),
            set_aside: taken.set_aside,
        }
    }
}

/// What was released.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedFile {
    /// The file.
    pub file: FileTaken,
    /// Its releases; where its rows changed nothing, those that hold them.
    pub releases: Vec<ReleaseSummary>,
    /// Partitions that blocking checks held back.
    pub held: Vec<String>,
    /// Counter of the state in which all of it is visible.
    pub counter: u64,
}

/// A file to be released.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReleaseQuery {
    /// Its name, with folders before it where a feed reads them.
    pub name: String,
    /// Its SHA-256 in hexadecimal, if it shall be compared.
    #[param(pattern = "^[0-9a-fA-F]{64}$")]
    pub sha256: Option<String>,
    /// Why; public.
    pub reason: Option<String>,
    /// Why it shall go out although blocking checks find errors; public.
    pub open_findings_reason: Option<String>,
}

/// What to take back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWithdrawal {
    /// Why; the tombstone says it.
    #[schema(pattern = r"\S")]
    pub reason: String,
    /// Whether every earlier release of the same partition goes with it.
    #[serde(default)]
    pub with_earlier: bool,
}

impl From<PublishingError> for ApiError {
    fn from(error: PublishingError) -> Self {
        use gongkai_warehouse::lake::LakeError;
        use gongkai_warehouse::register::{DraftError, EventError};
        let code = match &error {
            PublishingError::Busy => "overloaded",
            PublishingError::BadFile { .. } | PublishingError::Receive(ReceiveError::Digest { .. }) => "bad_file",
            PublishingError::Personal { .. } => "pii_found",
            PublishingError::NotCurrent { .. } | PublishingError::Unchanged { .. } | PublishingError::TwoPersons => {
                "conflict"
            }
            PublishingError::OtherRequest => "idempotency_mismatch",
            PublishingError::Held { .. } | PublishingError::Draft(DraftError::Blocked { .. }) => "release_blocked",
            PublishingError::Draft(DraftError::SamePerson { .. }) => "same_person",
            PublishingError::Draft(DraftError::NotFound { .. }) => "not_found",
            PublishingError::Draft(DraftError::State { .. }) => "conflict",
            PublishingError::Draft(DraftError::Empty { .. }) => "invalid_parameter",
            PublishingError::Receive(ReceiveError::Name { .. } | ReceiveError::BrokenOff { .. }) => "invalid_parameter",
            PublishingError::Receive(ReceiveError::TooLarge { .. }) => "payload_too_large",
            PublishingError::Receive(ReceiveError::Io(source)) => return disk(source),
            PublishingError::Pipeline(PipelineError::Lake(LakeError::Moved { .. })) => "conflict",
            PublishingError::Pipeline(PipelineError::Lake(LakeError::NoSuchRelease { .. })) => "not_found",
            PublishingError::Event(EventError::Lake(_)) | PublishingError::Draft(DraftError::Lake(_)) => "",
            PublishingError::Event(_) => "invalid_parameter",
            PublishingError::Pipeline(_) => "",
        };
        if !code.is_empty() {
            return Self::new(code, error.to_string());
        }
        match error {
            PublishingError::Pipeline(PipelineError::Lake(error))
            | PublishingError::Draft(DraftError::Lake(error))
            | PublishingError::Event(EventError::Lake(error)) => error.into(),
            error => Self::of_storage(&error),
        }
    }
}

fn disk(source: &std::io::Error) -> ApiError {
    match source.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            ApiError::new("disk_full", "no space is left on the storage")
        }
        _ => ApiError::internal(source),
    }
}

/// Receives a file.
pub async fn receive(app: &App, name: &str, sha256: Option<&str>, body: Body) -> Result<Incoming, ApiError> {
    let bytes = HttpBody::size_hint(&body).exact();
    if bytes.is_some_and(|bytes| bytes > LARGEST_BYTES) {
        return Err(PublishingError::from(ReceiveError::TooLarge { limit: LARGEST_BYTES }).into());
    }
    let announced = Announced { sha256, bytes };
    let received = Incoming::receive(&app.instance, name, body.into_data_stream(), LARGEST_BYTES, announced).await;
    Ok(received.map_err(PublishingError::from)?)
}

/// Digest of who asks and the key that they gave the request.
fn request_sha256(headers: &HeaderMap, caller: &Caller) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| !text.is_empty() && text.len() <= REQUEST_KEY_BYTES);
    let text = text
        .ok_or_else(|| ApiError::parameter("Idempotency-Key", "another text", "1 to 200 printable ASCII characters"))?;
    let key = caller.key().map(|key| key.id.as_str()).unwrap_or_default();
    Ok(Some(hex::encode(Sha256::digest(format!("{key}\n{text}")))))
}

/// The release that the caller believes to be the newest of its dataset.
fn expected(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let id = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let is_release = |id: &&str| id.rsplit_once('.').is_some_and(|(_, number)| number.parse::<u64>().is_ok());
    match id.filter(is_release) {
        Some(id) => Ok(Some(id.to_owned())),
        None => Err(ApiError::parameter("If-Match", text, "a release in quotes such as \"air_city_hourly.3\"")),
    }
}

/// Reads a department file and releases what it changes, where the instance lets one person do so.
///
/// With `If-Match: "dataset.number"` only if that is the newest release of the dataset. With an `Idempotency-Key`,
/// asking again gives the same releases.
#[utoipa::path(post, path = "/releases", operation_id = "create_release", tag = "publishing", params(ReleaseQuery),
    request_body(content = FileBytes, content_type = "application/octet-stream", description = "The file, at most 200 MiB."),
    security(("key" = [])),
    responses((status = 201, description = "What was released.", body = ReleasedFile),
              Problems, KeyProblems, WriteProblems))]
pub async fn create_release(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    query: Result<Query<ReleaseQuery>, QueryRejection>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(Role::may_submit, "releasing a file")?;
    let Query(query) = query?;
    if !app.instance.config.publishing.local_operator {
        return Err(PublishingError::TwoPersons.into());
    }
    let (request_sha256, expected) = (request_sha256(&headers, &caller)?, expected(&headers)?);
    let incoming = receive(&app, &query.name, query.sha256.as_deref(), body).await?;
    let asked =
        Release { reason: query.reason, open_findings_reason: query.open_findings_reason, expected, request_sha256 };
    let instance = app.instance.clone();
    let step = async move { publishing::release_file(&instance, &incoming, asked).await };
    let (taken, published) = publishing::whole(step).await?;
    fault::point("answer.before_send").map_err(|error| ApiError::internal(&error))?;
    Ok(private(StatusCode::CREATED, released(taken, &published)))
}

fn released(taken: Taken, published: &Published) -> ReleasedFile {
    ReleasedFile {
        file: taken.into(),
        releases: published.releases.iter().map(|release| release_summary(release, true)).collect(),
        held: published.held.iter().map(|held| format!("{}/{}", held.dataset, held.partition)).collect(),
        counter: published.counter,
    }
}

/// Takes a release back. Its rows and files are given out no more; manifest, leaf and reason remain.
#[utoipa::path(post, path = "/releases/{id}/withdraw", operation_id = "withdraw_release", tag = "publishing",
    params(("id" = String, Path, description = "The release: dataset.number")), request_body = NewWithdrawal,
    security(("key" = [])),
    responses((status = 201, description = "The withdrawal.", body = ReleaseSummary),
              Problems, KeyProblems, BodyProblems, WriteProblems))]
pub async fn withdraw_release(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<NewWithdrawal>, JsonRejection>,
) -> Result<Response, ApiError> {
    caller.require(Role::may_approve, "withdrawing a release")?;
    let (Path(id), Json(new)) = (id?, body?);
    let reach = if new.with_earlier { Reach::Partition } else { Reach::One };
    let (instance, release) = (app.instance.clone(), id.clone());
    let step = async move { publishing::withdraw(&instance, &release, new.reason, reach, Mode::Approver).await };
    let published = publishing::whole(step).await?;
    let withdrawal = published.releases.first();
    let withdrawal = withdrawal.ok_or_else(|| ApiError::not_found("release", &id))?;
    Ok(private(StatusCode::CREATED, release_summary(withdrawal, true)))
}

/// Lets a client see what it may send.
pub fn allowed_headers() -> [HeaderName; 2] {
    [IDEMPOTENCY_KEY, header::IF_MATCH]
}
