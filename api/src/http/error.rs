//! The one table of error codes, and errors as RFC 9457 problems.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gongkai_warehouse::lake::LakeError;
use gongkai_warehouse::log::LogError;
use gongkai_warehouse::store::StoreError;
use serde::Serialize;
use tonic::Code as Grpc;
use utoipa::{IntoResponses, ToSchema};

use crate::access::{TooMany, TooManyGuesses};
use crate::pipeline::PipelineError;
use crate::pipeline::signing::SigningError;
use crate::publishing::PublishingError;
use crate::worker::Failure;

/// What a code means behind each door.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// The code.
    pub name: &'static str,
    /// Status over HTTP.
    pub status: StatusCode,
    /// State over the protocol of PostgreSQL.
    pub sqlstate: &'static str,
    /// Status over Arrow Flight.
    pub grpc: Grpc,
    /// The kind of error in words.
    pub title: &'static str,
}

const fn code(name: &'static str, status: StatusCode, sqlstate: &'static str, grpc: Grpc, title: &'static str) -> Code {
    Code { name, status, sqlstate, grpc, title }
}

/// Every code with its statuses and title. Nothing else gives a status to an error, whatever the protocol.
pub const CODES: &[Code] = &[
    code("sql_syntax", StatusCode::BAD_REQUEST, "42601", Grpc::InvalidArgument, "the statement cannot be parsed"),
    code("sql_too_complex", StatusCode::BAD_REQUEST, "54001", Grpc::InvalidArgument, "the statement is too complex"),
    code("statement_not_allowed", StatusCode::BAD_REQUEST, "25006", Grpc::PermissionDenied, "only queries are allowed"),
    code(
        "function_not_allowed",
        StatusCode::BAD_REQUEST,
        "42883",
        Grpc::InvalidArgument,
        "the function is not available",
    ),
    code("table_not_found", StatusCode::NOT_FOUND, "42P01", Grpc::NotFound, "no such table"),
    code("column_not_found", StatusCode::BAD_REQUEST, "42703", Grpc::InvalidArgument, "no such column"),
    code("query_failed", StatusCode::BAD_REQUEST, "22000", Grpc::InvalidArgument, "the query failed"),
    code("query_timeout", StatusCode::UNPROCESSABLE_ENTITY, "57014", Grpc::DeadlineExceeded, "the query took too long"),
    code(
        "query_memory",
        StatusCode::UNPROCESSABLE_ENTITY,
        "53200",
        Grpc::ResourceExhausted,
        "the query needs too much memory",
    ),
    code(
        "query_disk",
        StatusCode::UNPROCESSABLE_ENTITY,
        "53100",
        Grpc::ResourceExhausted,
        "the query needs too much disk",
    ),
    code(
        "query_too_wide",
        StatusCode::UNPROCESSABLE_ENTITY,
        "54000",
        Grpc::ResourceExhausted,
        "the query reads too much",
    ),
    code(
        "result_too_large",
        StatusCode::UNPROCESSABLE_ENTITY,
        "54000",
        Grpc::ResourceExhausted,
        "the answer is too large",
    ),
    code("rate_limited", StatusCode::TOO_MANY_REQUESTS, "53300", Grpc::ResourceExhausted, "too many requests"),
    code("overloaded", StatusCode::SERVICE_UNAVAILABLE, "53300", Grpc::Unavailable, "too many queries at once"),
    code(
        "payload_too_large",
        StatusCode::PAYLOAD_TOO_LARGE,
        "54000",
        Grpc::ResourceExhausted,
        "the request is too large",
    ),
    code(
        "unsupported_media",
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "0A000",
        Grpc::InvalidArgument,
        "the media type is not accepted",
    ),
    code(
        "request_timeout",
        StatusCode::REQUEST_TIMEOUT,
        "57014",
        Grpc::DeadlineExceeded,
        "the request comes too slowly",
    ),
    code("not_found", StatusCode::NOT_FOUND, "42704", Grpc::NotFound, "no such thing"),
    code(
        "method_not_allowed",
        StatusCode::METHOD_NOT_ALLOWED,
        "0A000",
        Grpc::Unimplemented,
        "the method is not allowed here",
    ),
    code("invalid_parameter", StatusCode::BAD_REQUEST, "22023", Grpc::InvalidArgument, "a parameter is wrong"),
    code("invalid_page_token", StatusCode::BAD_REQUEST, "22023", Grpc::InvalidArgument, "the page token is wrong"),
    code("not_acceptable", StatusCode::NOT_ACCEPTABLE, "0A000", Grpc::InvalidArgument, "no such format"),
    code("unauthorized", StatusCode::UNAUTHORIZED, "28P01", Grpc::Unauthenticated, "a valid key is needed"),
    code("forbidden", StatusCode::FORBIDDEN, "42501", Grpc::PermissionDenied, "the key may not do this"),
    code(
        "same_person",
        StatusCode::FORBIDDEN,
        "42501",
        Grpc::PermissionDenied,
        "who submits a release cannot approve it",
    ),
    code("conflict", StatusCode::CONFLICT, "40001", Grpc::Aborted, "it changed in between"),
    code(
        "idempotency_mismatch",
        StatusCode::CONFLICT,
        "40001",
        Grpc::Aborted,
        "the idempotency key was used for another request",
    ),
    code(
        "release_blocked",
        StatusCode::CONFLICT,
        "40001",
        Grpc::FailedPrecondition,
        "open findings hold the release back",
    ),
    code("bad_file", StatusCode::UNPROCESSABLE_ENTITY, "22000", Grpc::InvalidArgument, "the file cannot be taken"),
    code("pii_found", StatusCode::UNPROCESSABLE_ENTITY, "22000", Grpc::InvalidArgument, "the file holds personal data"),
    code("withdrawn", StatusCode::GONE, "42P01", Grpc::NotFound, "the release was withdrawn"),
    code("read_only", StatusCode::SERVICE_UNAVAILABLE, "25006", Grpc::Unavailable, "nothing can be written at present"),
    code("disk_full", StatusCode::INSUFFICIENT_STORAGE, "53100", Grpc::ResourceExhausted, "no space is left"),
    code("internal", StatusCode::INTERNAL_SERVER_ERROR, "XX000", Grpc::Internal, "our fault"),
];

/// An RFC 9457 problem.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "urn:gongkai:error:table_not_found", "title": "no such table", "status": 404,
    "code": "table_not_found", "detail": "no table \"debts\"", "request_id": "6a1f-12"
}))]
pub struct Problem {
    /// Identifies the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code, the same behind every door.
    pub code: String,
    /// What was found and what would have been accepted.
    pub detail: String,
    /// Names the request in our log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Seconds after which it is worth asking again, for the header.
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
}

/// An error of the API.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct ApiError {
    /// A code of [`CODES`].
    pub code: String,
    /// What was found and what would have been accepted.
    pub detail: String,
    /// Seconds until it is accepted, where that is known.
    pub retry_after_s: Option<NonZeroU64>,
}

/// The errors of every operation, for the API's description.
#[derive(IntoResponses)]
pub enum Problems {
    /// The request is wrong: `invalid_parameter`, `sql_syntax`, `sql_too_complex`, `statement_not_allowed`, ….
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// There is no such thing, or the caller may not see it: `not_found`, `table_not_found`.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// The request cannot be answered within its limits: `query_timeout`, `query_memory`, `result_too_large`, ….
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(Problem),
    /// Our fault: `internal`.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Too many queries at once, or nothing can be written at present: `overloaded`, `read_only`.
    #[response(status = 503, content_type = "application/problem+json")]
    Overloaded(Problem),
}

/// The errors of operations that answer in several formats.
#[derive(IntoResponses)]
pub enum FormatProblems {
    /// No such format.
    #[response(status = 406, content_type = "application/problem+json")]
    NotAcceptable(Problem),
}

/// The errors of operations that give out what can be taken back.
#[derive(IntoResponses)]
pub enum WithdrawnProblems {
    /// The release was taken back: `withdrawn`.
    #[response(status = 410, content_type = "application/problem+json")]
    Withdrawn(Problem),
}

/// The errors of operations that take JSON.
#[derive(IntoResponses)]
pub enum BodyProblems {
    /// The body comes too slowly: `request_timeout`.
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(Problem),
    /// The body is too large: `payload_too_large`.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is not JSON: `unsupported_media`.
    #[response(status = 415, content_type = "application/problem+json")]
    Unsupported(Problem),
}

/// The errors of operations that write.
#[derive(IntoResponses)]
pub enum WriteProblems {
    /// The body comes too slowly: `request_timeout`.
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(Problem),
    /// It is not as the request expects it: `conflict`, `idempotency_mismatch`, `release_blocked`.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// The body is too large: `payload_too_large`.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// No space is left: `disk_full`.
    #[response(status = 507, content_type = "application/problem+json")]
    DiskFull(Problem),
}

/// Bytes of a file, at least one.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary, min_length = 1)]
pub struct FileBytes(pub Vec<u8>);

impl ApiError {
    /// An error with a code of [`CODES`].
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into(), retry_after_s: None }
    }

    /// Too many requests, for so many seconds yet.
    fn rate_limited(detail: String, retry_after_s: u64) -> Self {
        Self { retry_after_s: NonZeroU64::new(retry_after_s), ..Self::new("rate_limited", detail) }
    }

    /// Nothing of that name.
    pub fn not_found(kind: &str, name: &str) -> Self {
        Self::new("not_found", format!("no {kind} {name:?}"))
    }

    /// A parameter that is not one of those accepted.
    pub fn parameter(name: &str, found: &str, expected: &str) -> Self {
        let found: String = found.chars().take(100).collect();
        Self::new("invalid_parameter", format!("{name} is {found:?}, expected {expected}"))
    }

    /// Our fault: the cause goes to the log, never to the caller.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "internal error");
        Self::new("internal", "something failed on our side; the request id names it in our log")
    }

    /// Status of the code.
    pub fn status(&self) -> StatusCode {
        self.entry().status
    }

    /// What its code means behind each door.
    pub fn entry(&self) -> &'static Code {
        CODES.iter().find(|entry| entry.name == self.code).unwrap_or(&CODES[CODES.len() - 1])
    }

    /// The problem document, without a request id.
    pub fn problem(&self) -> Problem {
        let Code { name, status, title, .. } = self.entry();
        Problem {
            kind: format!("urn:gongkai:error:{name}"),
            title: (*title).to_owned(),
            status: status.as_u16(),
            code: (*name).to_owned(),
            detail: self.detail.clone(),
            request_id: None,
            retry_after_s: self.retry_after_s.map(NonZeroU64::get).or_else(|| retry_after(*status)),
        }
    }
}

/// Writes a problem with its media type.
pub fn render(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = problem.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The longest window that anything is limited by, in seconds.
const LONGEST_WINDOW_S: u64 = 60;
/// When those who found no place come again, in seconds: the earliest, and how many seconds they are spread over.
const SOONEST_S: u64 = 2;
const SPREAD_S: u64 = 9;

/// When to come again, in seconds, where a status means that it is worth it and nothing says when.
///
/// Who is refused because there is too much to do gets each of the seconds from 2 to 10 in turn: those who are refused at once do
/// not all come back at once.
fn retry_after(status: StatusCode) -> Option<u64> {
    static REFUSED: AtomicU64 = AtomicU64::new(0);
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(LONGEST_WINDOW_S),
        StatusCode::SERVICE_UNAVAILABLE => Some(SOONEST_S + REFUSED.fetch_add(1, Ordering::Relaxed) % SPREAD_S),
        _ => None,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = self.problem();
        let mut response = render(&problem);
        // The middleware that knows the request id writes the body again.
        response.extensions_mut().insert(problem);
        response
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        if let Some(cause) = &failure.cause {
            tracing::error!(cause, "internal error of a query");
        }
        Self { code: failure.code, detail: failure.message, retry_after_s: None }
    }
}

impl From<TooMany> for ApiError {
    fn from(refused: TooMany) -> Self {
        Self::rate_limited(refused.to_string(), refused.retry_after_s)
    }
}

impl From<TooManyGuesses> for ApiError {
    fn from(refused: TooManyGuesses) -> Self {
        Self::rate_limited(refused.to_string(), refused.retry_after_s)
    }
}

impl From<LakeError> for ApiError {
    fn from(error: LakeError) -> Self {
        Self::of_storage(&error)
    }
}

impl ApiError {
    /// What a failure below says of the disk, however deep it says so; else our fault.
    pub fn of_storage(error: &(dyn std::error::Error + 'static)) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let mut current = Some(error);
        while let Some(cause) = current {
            let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
            let store = cause.downcast_ref::<StoreError>();
            if matches!(kind, Some(StorageFull | QuotaExceeded)) || matches!(store, Some(StoreError::Full { .. })) {
                return Self::new("disk_full", "no space is left on the storage");
            }
            if matches!(kind, Some(ReadOnlyFilesystem)) || matches!(store, Some(StoreError::ReadOnly { .. })) {
                return Self::new(
                    "read_only",
                    "a write to the disk failed before; nothing is written until the service is started again",
                );
            }
            current = inside(cause).or_else(|| cause.source());
        }
        Self::internal(&error)
    }
}

/// The error that one of ours stands for: their `source` passes over it.
fn inside<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a (dyn std::error::Error + 'static)> {
    if let Some(error) = error.downcast_ref::<PublishingError>() {
        return match error {
            PublishingError::Pipeline(inner) => Some(inner),
            _ => None,
        };
    }
    if let Some(error) = error.downcast_ref::<PipelineError>() {
        return match error {
            PipelineError::Lake(inner) | PipelineError::Signing(SigningError::Lake(inner)) => Some(inner),
            _ => None,
        };
    }
    match error.downcast_ref::<LakeError>() {
        Some(LakeError::Store(inner) | LakeError::Log(LogError::Store(inner))) => Some(inner),
        _ => None,
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        LakeError::from(error).into()
    }
}

impl From<gongkai_warehouse::export::ExportError> for ApiError {
    fn from(error: gongkai_warehouse::export::ExportError) -> Self {
        match &error {
            gongkai_warehouse::export::ExportError::TooManyRows { .. } => {
                Self::new("result_too_large", error.to_string())
            }
            _ => Self::internal(&error),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new("invalid_parameter", rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::new("invalid_parameter", rejection.body_text())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new("payload_too_large", "the body is larger than 2 MiB"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Self::new("unsupported_media", "expected a body of type application/json")
            }
            _ => Self::new("invalid_parameter", rejection.body_text()),
        }
    }
}

/// No handler for the path.
pub async fn unknown_path(uri: axum::http::Uri) -> ApiError {
    let path: String = uri.path().chars().take(100).collect();
    ApiError::new("not_found", format!("nothing at {path:?}; /openapi.json lists what there is"))
}

/// No handler for the method.
pub async fn unknown_method() -> ApiError {
    ApiError::new("method_not_allowed", "the Allow header lists the methods of this path")
}

/// A handler panicked: the process lives on, the request does not.
pub fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    ApiError::new("internal", "something failed on our side; the request id names it in our log").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_stands_once() {
        let codes: BTreeSet<&str> = CODES.iter().map(|entry| entry.name).collect();
        assert_eq!(codes.len(), CODES.len());
    }

    #[test]
    fn a_full_or_broken_disk_is_told_however_deep_it_is_found() {
        let full = || StoreError::Full { path: "log/tile/0/000".into() };
        let deep: [PublishingError; 3] = [
            LakeError::from(full()).into(),
            LakeError::Log(LogError::Store(full())).into(),
            PublishingError::Pipeline(PipelineError::Signing(SigningError::Lake(full().into()))),
        ];
        for error in deep {
            assert_eq!(ApiError::from(error).code, "disk_full");
        }
        let broken = LakeError::from(StoreError::ReadOnly { path: "current.json".into() });
        assert_eq!(ApiError::from(broken).code, "read_only");
    }

    #[test]
    fn who_finds_no_place_comes_back_within_ten_seconds_and_not_with_the_next() {
        let told = || {
            let headers = ApiError::new("overloaded", "").into_response().headers().clone();
            headers
                .get(header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
                .expect("seconds")
        };
        let seconds: BTreeSet<u64> = (0..20).map(|_| told()).collect();
        assert!(seconds.iter().all(|seconds| (2..=10).contains(seconds)) && seconds.len() > 2, "{seconds:?}");
        let full = ApiError { retry_after_s: NonZeroU64::new(7), ..ApiError::new("rate_limited", "") };
        assert_eq!(full.into_response().headers()[header::RETRY_AFTER], "7");
        assert!(!ApiError::new("not_found", "").into_response().headers().contains_key(header::RETRY_AFTER));
    }

    #[test]
    fn a_query_that_hits_its_own_limit_is_not_our_fault() {
        for code in ["query_timeout", "query_memory", "query_disk", "result_too_large", "query_too_wide"] {
            assert_eq!(ApiError::new(code, "").status(), StatusCode::UNPROCESSABLE_ENTITY, "{code}");
        }
    }
}
