//! Releases and their immutable files.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gongkai_warehouse::ReleaseRecord;
use gongkai_warehouse::release::{Manifest, prepare};
use serde::Serialize;
use tower::ServiceExt;
use tower_http::services::ServeFile;
use utoipa::ToSchema;

use super::caching::NotModified;
use super::dataset::{ReleaseSummary, release_summary};
use super::error::{Problems, WithdrawnProblems};
use super::{ApiError, App, caching, file_parts};

/// The history of a dataset.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleaseList {
    /// Every release, the newest first.
    pub releases: Vec<ReleaseSummary>,
}

/// A release with what it claims.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleaseDetail {
    /// What lists show.
    #[serde(flatten)]
    pub summary: ReleaseSummary,
    /// The manifest, whose digest stands in the log.
    #[schema(value_type = Object)]
    pub manifest: Manifest,
}

/// Every release of a dataset.
#[utoipa::path(get, path = "/datasets/{id}/releases", operation_id = "list_releases", tag = "releases",
    params(("id" = String, Path, description = "Dataset id", example = "debt_limit_balance_final")),
    responses((status = 200, description = "Every release, the newest first.", body = ReleaseList), NotModified, Problems))]
pub async fn list_releases(
    State(app): State<App>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    app.dataset(&id)?;
    let snapshot = app.snapshot().await?;
    let current: Vec<String> = snapshot.current_of_dataset(&id).iter().map(|release| release.id()).collect();
    let mut releases: Vec<ReleaseSummary> = snapshot
        .releases
        .iter()
        .filter(|release| release.dataset == id)
        .map(|release| ReleaseSummary {
            withdrawn_by: snapshot.withdrawal_of(release).map(ReleaseRecord::id),
            ..release_summary(release, current.contains(&release.id()))
        })
        .collect();
    releases.reverse();
    let tag = caching::tag(&snapshot, &["releases", &id]);
    Ok(caching::respond(&headers, &tag, || Json(ReleaseList { releases }).into_response()))
}

pub(super) fn find<'a>(
    snapshot: &'a gongkai_warehouse::Snapshot,
    id: &str,
    number: u64,
) -> Result<&'a ReleaseRecord, ApiError> {
    snapshot.release(id, number).ok_or_else(|| ApiError::not_found("release", &format!("{id}.{number}")))
}

/// Files that are made of the manifest, with their media types.
const SIGNATURES: [(&str, &str); 4] = [
    ("manifest.json.sig", "application/octet-stream"),
    ("manifest.json.minisig", "text/plain; charset=utf-8"),
    ("manifest.json.note", "text/plain; charset=utf-8"),
    ("SHA256SUMS", "text/plain; charset=utf-8"),
];

fn is_of_manifest(name: &str) -> bool {
    name == "manifest.json" || SIGNATURES.iter().any(|(known, _)| *known == name)
}

/// Whether rows and files of a release may be given out.
///
/// # Errors
///
/// `withdrawn`, with the release that took it back and the reason.
pub fn require_readable(snapshot: &gongkai_warehouse::Snapshot, release: &ReleaseRecord) -> Result<(), ApiError> {
    match snapshot.withdrawal_of(release) {
        Some(by) => {
            let detail = format!("{} was withdrawn by {} on {}: {}", release.id(), by.id(), by.recorded_at, by.reason);
            Err(ApiError::new("withdrawn", detail))
        }
        None => Ok(()),
    }
}

/// One release: its manifest and files.
#[utoipa::path(get, path = "/datasets/{id}/releases/{number}", operation_id = "get_release", tag = "releases",
    params(("id" = String, Path, description = "Dataset id", example = "debt_limit_balance_final"), ("number" = u64, Path, description = "Release number", example = 1)),
    responses((status = 200, description = "The release.", body = ReleaseDetail), NotModified, Problems))]
pub async fn get_release(
    State(app): State<App>,
    headers: HeaderMap,
    path: Result<Path<(String, u64)>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path((id, number)) = path?;
    app.dataset(&id)?;
    let snapshot = app.snapshot().await?;
    let release = find(&snapshot, &id, number)?;
    let is_current = snapshot.current_releases().any(|current| current == release);
    let manifest = prepare::read_manifest(app.store(), release).await?;
    let tag = caching::tag(&snapshot, &["release", &release.id()]);
    let withdrawn_by = snapshot.withdrawal_of(release).map(ReleaseRecord::id);
    let summary = ReleaseSummary { withdrawn_by, ..release_summary(release, is_current) };
    let detail = ReleaseDetail { summary, manifest };
    Ok(caching::respond(&headers, &tag, || Json(detail).into_response()))
}

/// A file of a release. It never changes: ranges, `HEAD` and conditional requests are answered from it.
#[utoipa::path(get, path = "/datasets/{id}/releases/{number}/files/{name}", operation_id = "get_release_file", tag = "releases",
    params(("id" = String, Path, description = "Dataset id", example = "debt_limit_balance_final"), ("number" = u64, Path, description = "Release number", example = 1),
           ("name" = String, Path, description = "File name, `manifest.json` among them", example = "manifest.json")),
    responses((status = 200, description = "The file.",
               content((String = "text/csv"), (serde_json::Value = "application/json"), (String = "text/plain"),
                       (String = "application/vnd.apache.parquet"), (String = "application/octet-stream"),
                       (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
              (status = 206, description = "A range of it."),
              (status = 416, description = "The file has no such range."),
              NotModified, WithdrawnProblems, Problems))]
pub async fn get_release_file(
    State(app): State<App>,
    path: Result<Path<(String, u64, String)>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path((id, number, name)) = path?;
    app.dataset(&id)?;
    let snapshot = app.snapshot().await?;
    let release = find(&snapshot, &id, number)?;
    // Manifest and signatures of what was taken back remain.
    if !is_of_manifest(&name) {
        require_readable(&snapshot, release)?;
    }
    // The other side of a difference may have been taken back since.
    let before = release.supersedes.and_then(|number| snapshot.release(&id, number));
    if let Some(before) = before.filter(|_| name == prepare::DIFFERENCE) {
        require_readable(&snapshot, before)?;
    }
    // Names come from the release's own list; what a client writes is never joined to a path.
    let (name, media_type, digest) = if name == "manifest.json" {
        ("manifest.json", "application/json", release.manifest_sha256.as_str())
    } else if let Some((name, media_type)) = SIGNATURES.iter().find(|(known, _)| *known == name) {
        (*name, *media_type, release.manifest_sha256.as_str())
    } else {
        let file = release.files.iter().find(|file| file.name == name);
        let file = file.ok_or_else(|| ApiError::not_found("file", &name))?;
        (file.name.as_str(), file.media_type.as_str(), file.sha256.as_str())
    };
    let stored = format!("{}/{name}", release.folder());
    let shown =
        format!("{}-{number}{}", release.dataset, name.trim_start_matches("data").trim_start_matches("manifest"));
    send_stored(
        &app,
        request,
        Stored { path: &stored, media_type, digest, file_name: &shown, is_immutable: is_of_manifest(name) },
    )
    .await
}

/// A stored file on its way out.
pub struct Stored<'a> {
    /// Path below the warehouse root.
    pub path: &'a str,
    /// Media type.
    pub media_type: &'a str,
    /// SHA-256, which is its tag.
    pub digest: &'a str,
    /// Name under which a browser saves it.
    pub file_name: &'a str,
    /// Whether the address will always give these bytes.
    pub is_immutable: bool,
}

/// Where what an answer announces begins in its file, and how many bytes it has; none where it is no file.
fn part_of(answer: &Response) -> Option<(u64, u64)> {
    let text = |name| answer.headers().get(name)?.to_str().ok();
    let length = text(header::CONTENT_LENGTH)?.parse().ok()?;
    match answer.status() {
        StatusCode::OK => Some((0, length)),
        StatusCode::PARTIAL_CONTENT => {
            let (from, _) = text(header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('-')?;
            Some((from.parse().ok()?, length))
        }
        _ => None,
    }
}

/// Sends a stored file: by the system's own path where there is one, so that memory stays flat.
pub async fn send_stored(app: &App, request: Request, stored: Stored<'_>) -> Result<Response, ApiError> {
    let tag = format!("\"{}\"", stored.digest);
    let mut response = if caching::is_known(request.headers(), &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if let Some(root) = app.store().local_root() {
        let mut request = request;
        // A part of another version would be joined with what the client has of it.
        if let Some(version) = request.headers_mut().remove(header::IF_RANGE)
            && version != tag
        {
            request.headers_mut().remove(header::RANGE);
        }
        // Our tag decides; modification times of a copied warehouse mean nothing.
        for name in [header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE, header::IF_NONE_MATCH, header::IF_MATCH] {
            request.headers_mut().remove(name);
        }
        let path = root.join(stored.path);
        let has_body = request.method() != Method::HEAD;
        *request.method_mut() = Method::HEAD;
        let answer = ServeFile::new(&path).oneshot(request).await;
        let mut response = answer.unwrap_or_else(|never| match never {}).map(Body::new);
        if has_body && let Some((from, length)) = part_of(&response) {
            let mut file = File::open(&path).map_err(|error| ApiError::internal(&error))?;
            file.seek(SeekFrom::Start(from)).map_err(|error| ApiError::internal(&error))?;
            *response.body_mut() = Body::from_stream(file_parts::parts(file, length));
        }
        response.headers_mut().remove(header::LAST_MODIFIED);
        response
    } else {
        app.store().read(stored.path).await?.into_response()
    };
    let headers = response.headers_mut();
    let mut set = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, stored.media_type.to_owned());
    set(header::ETAG, tag);
    set(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", stored.file_name));
    let policy =
        if stored.is_immutable { "public, max-age=31536000, immutable" } else { "public, max-age=0, must-revalidate" };
    set(header::CACHE_CONTROL, policy.to_owned());
    Ok(response)
}
