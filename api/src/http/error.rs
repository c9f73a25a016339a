//! The one table of error codes, and errors as RFC 9457 problems.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gongkai_warehouse::lake::LakeError;
use gongkai_warehouse::log::LogError;
use gongkai_warehouse::store::StoreError;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::pipeline::PipelineError;
use crate::pipeline::signing::SigningError;
use crate::publishing::PublishingError;
use crate::worker::Failure;

/// Every code with its status and title. Nothing else gives a status to an error.
pub const CODES: &[(&str, StatusCode, &str)] = &[
    ("sql_syntax", StatusCode::BAD_REQUEST, "the statement cannot be parsed"),
    ("sql_too_complex", StatusCode::BAD_REQUEST, "the statement is too complex"),
    ("statement_not_allowed", StatusCode::BAD_REQUEST, "only queries are allowed"),
    ("function_not_allowed", StatusCode::BAD_REQUEST, "the function is not available"),
    ("table_not_found", StatusCode::NOT_FOUND, "no such table"),
    ("column_not_found", StatusCode::BAD_REQUEST, "no such column"),
    ("query_failed", StatusCode::BAD_REQUEST, "the query failed"),
    ("query_timeout", StatusCode::UNPROCESSABLE_ENTITY, "the query took too long"),
    ("query_memory", StatusCode::UNPROCESSABLE_ENTITY, "the query needs too much memory"),
    ("query_disk", StatusCode::UNPROCESSABLE_ENTITY, "the query needs too much disk"),
    ("query_too_wide", StatusCode::UNPROCESSABLE_ENTITY, "the query reads too much"),
    ("result_too_large", StatusCode::UNPROCESSABLE_ENTITY, "the answer is too large"),
    ("rate_limited", StatusCode::TOO_MANY_REQUESTS, "too many requests"),
    ("overloaded", StatusCode::SERVICE_UNAVAILABLE, "too many queries at once"),
    ("payload_too_large", StatusCode::PAYLOAD_TOO_LARGE, "the request is too large"),
    ("unsupported_media", StatusCode::UNSUPPORTED_MEDIA_TYPE, "the media type is not accepted"),
    ("not_found", StatusCode::NOT_FOUND, "no such thing"),
    ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "the method is not allowed here"),
    ("invalid_parameter", StatusCode::BAD_REQUEST, "a parameter is wrong"),
    ("invalid_page_token", StatusCode::BAD_REQUEST, "the page token is wrong"),
    ("not_acceptable", StatusCode::NOT_ACCEPTABLE, "no such format"),
    ("unauthorized", StatusCode::UNAUTHORIZED, "a valid key is needed"),
    ("forbidden", StatusCode::FORBIDDEN, "the key may not do this"),
    ("same_person", StatusCode::FORBIDDEN, "who submits a release cannot approve it"),
    ("conflict", StatusCode::CONFLICT, "it changed in between"),
    ("idempotency_mismatch", StatusCode::CONFLICT, "the idempotency key was used for another request"),
    ("release_blocked", StatusCode::CONFLICT, "open findings hold the release back"),
    ("bad_file", StatusCode::UNPROCESSABLE_ENTITY, "the file cannot be taken"),
    ("pii_found", StatusCode::UNPROCESSABLE_ENTITY, "the file holds personal data"),
    ("withdrawn", StatusCode::GONE, "the release was withdrawn"),
    ("read_only", StatusCode::SERVICE_UNAVAILABLE, "nothing can be written at present"),
    ("disk_full", StatusCode::INSUFFICIENT_STORAGE, "no space is left"),
    ("internal", StatusCode::INTERNAL_SERVER_ERROR, "our fault"),
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
}

/// An error of the API.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct ApiError {
    /// A code of [`CODES`].
    pub code: String,
    /// What was found and what would have been accepted.
    pub detail: String,
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
    /// Too many queries at once: `overloaded`.
    #[response(status = 503, content_type = "application/problem+json")]
    Overloaded(Problem),
}

impl ApiError {
    /// An error with a code of [`CODES`].
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into() }
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
        self.entry().1
    }

    fn entry(&self) -> &'static (&'static str, StatusCode, &'static str) {
        CODES.iter().find(|entry| entry.0 == self.code).unwrap_or(&CODES[CODES.len() - 1])
    }

    /// The problem document, without a request id.
    pub fn problem(&self) -> Problem {
        let (code, status, title) = self.entry();
        Problem {
            kind: format!("urn:gongkai:error:{code}"),
            title: (*title).to_owned(),
            status: status.as_u16(),
            code: (*code).to_owned(),
            detail: self.detail.clone(),
            request_id: None,
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
    if status == StatusCode::TOO_MANY_REQUESTS {
        // The longest window that anything is limited by.
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("3"));
    }
    response
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
        Self { code: failure.code, detail: failure.message }
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
        let codes: BTreeSet<&str> = CODES.iter().map(|entry| entry.0).collect();
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
    fn a_query_that_hits_its_own_limit_is_not_our_fault() {
        for code in ["query_timeout", "query_memory", "query_disk", "result_too_large", "query_too_wide"] {
            assert_eq!(ApiError::new(code, "").status(), StatusCode::UNPROCESSABLE_ENTITY, "{code}");
        }
    }
}
