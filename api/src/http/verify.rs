//! A file in, its standing out: current, superseded, withdrawn, or unknown.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::error::{FileBytes, Problems};
use super::{ApiError, App, log};
use crate::standing::{Standing, standing};

/// Largest file that is looked up; larger ones are compared by `sha256sum` with `SHA256SUMS`.
const LARGEST_BYTES: usize = 200 << 20;

/// What a file is.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerifiedFile {
    /// SHA-256 of the bytes, in hexadecimal.
    pub sha256: String,
    /// Their number.
    pub bytes: usize,
    /// What they are to the releases.
    #[serde(flatten)]
    pub standing: Standing,
}

/// Says which release a file belongs to. The file is digested as it comes and kept nowhere.
#[utoipa::path(post, path = "/verify", operation_id = "post_verify", tag = "log",
    request_body(content = FileBytes, content_type = "application/octet-stream", description = "The file."),
    responses((status = 200, description = "What it is.", body = VerifiedFile),
              (status = 408, description = "The file comes too slowly.", content_type = "application/problem+json", body = super::error::Problem),
              (status = 413, description = "The file is larger than 200 MiB.", content_type = "application/problem+json", body = super::error::Problem),
              Problems))]
pub async fn post_verify(State(app): State<App>, body: Body) -> Result<Response, ApiError> {
    let mut stream = body.into_data_stream();
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| ApiError::new("invalid_parameter", "the body broke off"))?;
        bytes += chunk.len();
        if bytes > LARGEST_BYTES {
            return Err(ApiError::new("payload_too_large", "the file is larger than 200 MiB"));
        }
        hasher.update(&chunk);
    }
    if bytes == 0 {
        return Err(ApiError::new("invalid_parameter", "the body is empty; expected a file"));
    }
    let sha256 = hex::encode(hasher.finalize());
    let snapshot = app.snapshot().await?;
    let standing = standing(app.catalog(), &snapshot, &sha256);
    let mut headers = HeaderMap::new();
    log::private(&mut headers);
    Ok((headers, Json(VerifiedFile { sha256, bytes, standing })).into_response())
}
