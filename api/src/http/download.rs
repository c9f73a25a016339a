//! A whole dataset as one file: its current releases, one after another.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use gongkai_warehouse::ReleaseRecord;
use gongkai_warehouse::export::{self, ExportError, ExportOptions, Format, Target};
use gongkai_warehouse::lake::LakeError;
use gongkai_warehouse::release::release_rows;
use gongkai_warehouse::schema::{released_schema, with_columns};
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use utoipa::IntoParams;

use super::caching::NotModified;
use super::error::{FormatProblems, Problems};
use super::file_parts::next_part;
use super::release::{Stored, send_stored};
use super::{ApiError, App, caching};

/// How to download.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DownloadQuery {
    /// `csv`, `json`, `ndjson`, `parquet`, `arrow` or `xlsx`.
    #[param(pattern = "^(|csv|json|ndjson|parquet|arrow|xlsx)$", example = "csv")]
    format: Option<String>,
    /// Begin CSV with a byte order mark, for Excel.
    #[serde(default)]
    bom: bool,
    /// What was current at this time.
    #[param(
        pattern = r"^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?)?$"
    )]
    as_of: Option<String>,
}

/// The format of that name, or what would have been accepted.
pub fn wanted_format(name: &str) -> Result<&'static Format, ApiError> {
    export::format(name).ok_or_else(|| {
        let found: String = name.chars().take(40).collect();
        ApiError::new("not_acceptable", format!("no format {found:?}; there are {}", export::format_names()))
    })
}

/// A dataset as one file.
#[utoipa::path(get, path = "/datasets/{id}/download", operation_id = "download_dataset", tag = "downloads",
    params(("id" = String, Path, description = "Dataset id", example = "debt_limit_balance_final"), DownloadQuery),
    responses((status = 200, description = "The rows of all current releases.",
               content((String = "text/csv"), (Vec<serde_json::Value> = "application/json"), (String = "application/x-ndjson"),
                       (String = "application/vnd.apache.parquet"), (String = "application/vnd.apache.arrow.stream"),
                       (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
              (status = 206, description = "A range of it, where it is one stored file."),
              (status = 416, description = "The file has no such range."),
              NotModified, FormatProblems, Problems))]
pub async fn download_dataset(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<DownloadQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let (Path(id), Query(query)) = (id?, query?);
    let (_, table) = app.dataset(&id)?;
    let format = wanted_format(query.format.as_deref().filter(|name| !name.is_empty()).unwrap_or("csv"))?;
    let snapshot = app.snapshot_at(query.as_of.as_deref()).await?;
    let releases: Vec<ReleaseRecord> = snapshot.current_of_dataset(&id).into_iter().cloned().collect();
    if releases.is_empty() {
        return Err(ApiError::new("not_found", format!("dataset {id:?} has no release at that time")));
    }
    let file_name = format!("{id}.{}", format.name);
    // One release in a stored format is sent as it lies.
    if let [release] = releases.as_slice()
        && !query.bom
        && let Some(file) = release.files.iter().find(|file| file.name == format!("data.{}", format.name))
    {
        let path = format!("{}/{}", release.folder(), file.name);
        let stored = Stored {
            path: &path,
            media_type: &file.media_type,
            digest: &file.sha256,
            file_name: &file_name,
            is_immutable: false,
        };
        return send_stored(&app, request, stored).await;
    }
    let rows: u64 = releases.iter().map(|release| release.rows).sum();
    if format.name == "xlsx" && rows >= 1_048_576 {
        return Err(ExportError::TooManyRows { rows: rows as usize }.into());
    }
    let place = app.download_place().await?;
    let tag = caching::tag(&snapshot, &["download", &id, format.name, if query.bom { "bom" } else { "" }]);
    let schema = released_schema(table);
    let options = ExportOptions { with_bom: query.bom };
    let media_type = format.media_type;
    Ok(caching::respond(request.headers(), &tag, || {
        let body = stream_releases(app.clone(), releases, format, schema, options, place);
        let disposition = format!("attachment; filename=\"{file_name}\"");
        ([(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)], body)
            .into_response()
    }))
}

/// Writes release after release into the response; memory holds one batch and a few chunks.
///
/// A failure breaks the connection: a file that ends early must not look whole.
fn stream_releases(
    app: App,
    releases: Vec<ReleaseRecord>,
    format: &'static Format,
    schema: SchemaRef,
    options: ExportOptions,
    place: OwnedSemaphorePermit,
) -> Body {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let failed = sender.clone();
        let target = Chunks { sender, buffer: Vec::with_capacity(CHUNK) };
        let written = match format.name {
            "csv" => write_csv(&app, &runtime, &releases, &schema, options, target),
            _ => write_rows(&app, &runtime, &releases, format, &schema, options, Box::new(target)),
        };
        if let Err(error) = written {
            tracing::error!(%error, "a download broke off");
            let _ = failed.blocking_send(Err(io::Error::other("the download broke off")));
        }
        drop(place);
    });
    let chunks =
        stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|chunk| (chunk, receiver)) });
    // Compression asks again after the end, which `unfold` answers with a panic.
    Body::from_stream(chunks.fuse())
}

/// Writes the rows of releases as one file.
fn write_rows(
    app: &App,
    runtime: &Handle,
    releases: &[ReleaseRecord],
    format: &Format,
    schema: &SchemaRef,
    options: ExportOptions,
    target: Target<'_>,
) -> Result<(), DownloadError> {
    let mut writer = (format.open)(Arc::clone(schema), target, options)?;
    for release in releases {
        for batch in runtime.block_on(release_rows(&app.instance.warehouse, release))? {
            writer.write(&with_columns(&batch?, schema).map_err(ExportError::from)?)?;
        }
    }
    Ok(writer.finish()?)
}

/// The same as CSV, where every release has a file of its own: what stands below its heading is sent as it lies, where the heading
/// is that of today.
fn write_csv(
    app: &App,
    runtime: &Handle,
    releases: &[ReleaseRecord],
    schema: &SchemaRef,
    options: ExportOptions,
    mut target: Chunks,
) -> Result<(), DownloadError> {
    let format = &export::CSV;
    target.write_all(&export::to_bytes(format, schema, &[], options)?)?;
    let heading = export::to_bytes(format, schema, &[], ExportOptions::default())?;
    for release in releases {
        if !copy_below(app, release, &heading, &mut target)? {
            let below = Box::new(Below { skipped: heading.len(), target: &mut target });
            let one = std::slice::from_ref(release);
            write_rows(app, runtime, one, format, schema, ExportOptions::default(), below)?;
        }
    }
    Ok(target.flush()?)
}

/// Sends what a release's file has below this heading. Gives whether it has one of it.
fn copy_below(app: &App, release: &ReleaseRecord, heading: &[u8], target: &mut Chunks) -> io::Result<bool> {
    let stored = release.files.iter().find(|file| file.name == "data.csv");
    let (Some(root), Some(stored)) = (app.store().local_root(), stored) else { return Ok(false) };
    let mut file = File::open(root.join(release.folder()).join(&stored.name))?;
    let mut found = vec![0; heading.len()];
    match file.read_exact(&mut found) {
        Ok(()) if found == heading => {}
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
        _ => return Ok(false),
    }
    target.send()?;
    let mut left = stored.bytes.saturating_sub(heading.len() as u64);
    while left > 0 {
        let part = next_part(&file, left)?;
        left -= part.len() as u64;
        target.sender.blocking_send(Ok(part)).map_err(|_| io::ErrorKind::BrokenPipe)?;
    }
    Ok(true)
}

/// Why a download broke off.
#[derive(Debug, thiserror::Error)]
enum DownloadError {
    #[error(transparent)]
    Write(#[from] io::Error),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Rows(#[from] LakeError),
}

/// A target that the first bytes do not reach.
struct Below<'a> {
    skipped: usize,
    target: &'a mut Chunks,
}

impl Write for Below<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = self.skipped.min(bytes.len());
        self.skipped -= skipped;
        self.target.write_all(&bytes[skipped..])?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}

/// Chunks that wait for the client: about a megabyte, where they are parts of a file.
const WAITING: usize = 4;
const CHUNK: usize = 64 * 1024;

struct Chunks {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Chunks {
    fn send(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = Bytes::from(std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK)));
        self.sender.blocking_send(Ok(chunk)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}
