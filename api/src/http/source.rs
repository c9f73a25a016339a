//! Department files as they came, and windows of their cells.
//!
//! A file is handed out only when its feed declares it public; any other answers like one that does not exist. Cells are
//! read by a worker process, because the file is a stranger's; what was read is kept for a while.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Mutex;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use gongkai_ingest::window::{CellWindow, MOST_ROWS, WindowQuery, parse_a1};
use gongkai_warehouse::{Snapshot, SourceRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caching::NotModified;
use super::error::{Problems, WithdrawnProblems};
use super::{ApiError, App, caching};
use crate::worker::reader::ReaderProcess;

/// Windows that are kept.
const KEPT: usize = 128;

type Key = (String, WindowQuery);

/// One worker that reads windows, and the last ones that it read.
pub struct Windows {
    reader: Mutex<ReaderProcess>,
    kept: Mutex<VecDeque<(Key, CellWindow)>>,
}

impl Windows {
    /// Nothing starts before the first question.
    pub fn new(definitions: Option<PathBuf>) -> Self {
        Self { reader: Mutex::new(ReaderProcess::new(definitions)), kept: Mutex::default() }
    }

    fn known(&self, key: &Key) -> Option<CellWindow> {
        let kept = self.kept.lock().ok()?;
        kept.iter().find(|(known, _)| known == key).map(|(_, window)| window.clone())
    }

    fn read(&self, key: Key, bytes: &[u8]) -> Result<CellWindow, ApiError> {
        let poisoned = || ApiError::new("internal", "the reader of windows stopped");
        let read = self.reader.lock().map_err(|_| poisoned())?.window(&key.1, bytes);
        let window = read
            .map_err(|error| ApiError::internal(&error))?
            .map_err(|message| ApiError::new("invalid_parameter", format!("no cells: {message}")))?;
        let mut kept = self.kept.lock().map_err(|_| poisoned())?;
        kept.push_back((key, window.clone()));
        while kept.len() > KEPT {
            kept.pop_front();
        }
        Ok(window)
    }
}

/// A file that the public may have.
fn public_source<'a>(snapshot: &'a Snapshot, sha256: &str) -> Result<&'a SourceRecord, ApiError> {
    let found = snapshot.sources.iter().find(|source| source.sha256 == sha256 && source.is_public);
    let found = found.ok_or_else(|| ApiError::not_found("source file", sha256))?;
    match snapshot.withdrawal_of_source(sha256) {
        Some(by) => {
            let detail = format!("figures of this file were withdrawn by {}: {}", by.id(), by.reason);
            Err(ApiError::new("withdrawn", detail))
        }
        None => Ok(found),
    }
}

async fn content(app: &App, sha256: &str) -> Result<Bytes, ApiError> {
    // The digest is one of our own list, so it cannot lead anywhere else.
    Ok(app.store().read(&format!("sources/{}/{sha256}", &sha256[..2])).await?)
}

/// A window of a file's cells.
pub async fn window(app: &App, snapshot: &Snapshot, sha256: &str, query: WindowQuery) -> Result<CellWindow, ApiError> {
    let source = public_source(snapshot, sha256)?;
    let key = (source.sha256.clone(), query);
    let windows = app.windows();
    if let Some(window) = windows.known(&key) {
        return Ok(window);
    }
    let bytes = content(app, sha256).await?;
    tokio::task::spawn_blocking(move || windows.read(key, &bytes)).await.map_err(|error| ApiError::internal(&error))?
}

/// A department's file, byte for byte as it came, where its audience is the public.
#[utoipa::path(get, path = "/sources/{sha256}", operation_id = "get_source", tag = "provenance",
    params(("sha256" = String, Path, description = "SHA-256 of the file, in hexadecimal", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "The file.", content_type = "application/octet-stream"),
              NotModified, WithdrawnProblems, Problems))]
pub async fn get_source(
    State(app): State<App>,
    headers: HeaderMap,
    sha256: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(sha256) = sha256?;
    let snapshot = app.snapshot().await?;
    let source = public_source(&snapshot, &sha256)?;
    let tag = format!("\"{sha256}\"");
    let bytes = if caching::is_known(&headers, &tag) { Bytes::new() } else { content(&app, &sha256).await? };
    let name = percent_encoding::utf8_percent_encode(&source.name, percent_encoding::NON_ALPHANUMERIC);
    let disposition = format!("attachment; filename*=UTF-8''{name}");
    Ok(caching::respond(&headers, &tag, || {
        // Whatever it is, a browser keeps it and does not show it.
        let fields =
            [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
        (fields, bytes).into_response()
    }))
}

/// Which cells.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CellsQuery {
    /// Sheet of a workbook; none for text files.
    sheet: Option<String>,
    /// `A1:F20` in a workbook, lines `1:20` in a text file.
    #[param(
        pattern = "^([A-Z]{1,3}[1-9][0-9]{0,6}(:[A-Z]{1,3}[1-9][0-9]{0,6})?|[1-9][0-9]{0,6}(:[1-9][0-9]{0,6})?)$",
        example = "A1:F20"
    )]
    range: String,
}

/// A cell.
#[derive(Debug, Serialize, ToSchema)]
pub struct CellRecord {
    /// Column from 1; of a text file, the field.
    pub column: u32,
    /// Address: A1, or line:character.
    pub address: String,
    /// Content as it stands in the file.
    pub text: String,
    /// `text`, `number`, `boolean`, `date`, `error` or `empty`.
    pub kind: String,
}

/// A row that holds something.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowRecord {
    /// Row of the sheet, or line; 0 for the header that keys of JSON make.
    pub number: u32,
    /// Whether the sheet hides it.
    pub is_hidden: bool,
    /// Its cells.
    pub cells: Vec<CellRecord>,
}

/// A window of cells.
#[derive(Debug, Serialize, ToSchema)]
pub struct CellsRecord {
    /// SHA-256 of the file.
    pub sha256: String,
    /// Sheet; none in text files.
    pub sheet: Option<String>,
    /// Columns of the window that the sheet hides.
    pub hidden_columns: Vec<u32>,
    /// Rows that hold something.
    pub rows: Vec<RowRecord>,
}

/// A window of the cells of a department's file, where its audience is the public.
#[utoipa::path(get, path = "/sources/{sha256}/cells", operation_id = "get_source_cells", tag = "provenance",
    params(("sha256" = String, Path, description = "SHA-256 of the file, in hexadecimal", pattern = "^[0-9a-f]{64}$"), CellsQuery),
    responses((status = 200, description = "The cells, at most 100 rows and 50 columns.", body = CellsRecord),
              WithdrawnProblems, Problems))]
pub async fn get_source_cells(
    State(app): State<App>,
    sha256: Result<Path<String>, PathRejection>,
    query: Result<Query<CellsQuery>, QueryRejection>,
) -> Result<Json<CellsRecord>, ApiError> {
    let (Path(sha256), Query(query)) = (sha256?, query?);
    let snapshot = app.snapshot().await?;
    let range = parse_range(&query).ok_or_else(|| {
        let expected = format!("A1:F20 in a sheet or lines such as 1:20 in a text file, at most {MOST_ROWS} rows");
        ApiError::parameter("range", &query.range, &expected)
    })?;
    let window = window(&app, &snapshot, &sha256, range).await?;
    let rows = window.rows.into_iter().map(|row| RowRecord {
        number: row.number,
        is_hidden: row.is_hidden,
        cells: row
            .cells
            .into_iter()
            .map(|cell| CellRecord { column: cell.column, address: cell.address, text: cell.text, kind: cell.kind })
            .collect(),
    });
    Ok(Json(CellsRecord { sha256, sheet: window.sheet, hidden_columns: window.hidden_columns, rows: rows.collect() }))
}

fn parse_range(query: &CellsQuery) -> Option<WindowQuery> {
    let (first, last) = query.range.split_once(':').unwrap_or((&query.range, &query.range));
    let ((top, left), (bottom, right)) = match &query.sheet {
        Some(_) => (parse_a1(first)?, parse_a1(last)?),
        None => ((first.parse().ok()?, 1), (last.parse().ok()?, 50)),
    };
    let is_whole = top <= bottom && left <= right && bottom - top < MOST_ROWS;
    is_whole.then(|| WindowQuery { sheet: query.sheet.clone(), top, bottom, left, right })
}
