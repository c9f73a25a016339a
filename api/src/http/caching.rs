//! ETags for content that is a function of releases.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gongkai_warehouse::Snapshot;
use sha2::{Digest, Sha256};
use utoipa::IntoResponses;

/// The client holds the content (`If-None-Match`).
#[derive(IntoResponses)]
#[response(status = 304)]
pub struct NotModified;

/// The tag of a representation: the pointer's counter, and what was asked of it.
pub fn tag(snapshot: &Snapshot, parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(env!("CARGO_PKG_VERSION"));
    hasher.update(snapshot.counter.to_be_bytes());
    hasher.update((snapshot.releases.len() as u64).to_be_bytes());
    hasher.update(format!("{:?}", snapshot.as_of));
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    // Weak: the same content may be sent in several encodings.
    format!("W/\"{}\"", hex::encode(&hasher.finalize()[..12]))
}

/// Whether the client holds this representation.
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let bare = tag.trim_start_matches("W/");
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|candidate| candidate.trim() == "*" || candidate.trim().trim_start_matches("W/") == bare)
}

/// `304`, or the content with its tag.
pub fn respond(headers: &HeaderMap, tag: &str, content: impl FnOnce() -> Response) -> Response {
    let mut response = if is_known(headers, tag) { StatusCode::NOT_MODIFIED.into_response() } else { content() };
    if let Ok(value) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=0, must-revalidate"));
    response
}
