//! An answer as a file, sent as it comes.
//!
//! A thread of its own encodes batch after batch; what it has written is collected up to a bound, so that an answer below it has
//! a length, a digest and a status of its own. Beyond the bound the collected part and all that follows are sent as chunks. The
//! last of them is followed by the digest as a trailer; an answer that fails has no last chunk.
//!
//! Threads: an answer has one that encodes and one that digests, and while a batch is written as CSV or JSON, up to three more of
//! each. Up to the bound they never wait for the client: they end soon after their query, and as many of these run
//! as there are workers. Beyond it they go at the pace of the client: such an answer takes one of the places of downloads
//! ([`App::download_place`]).

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use gongkai_warehouse::export::{self, ExportError, ExportOptions, Format};
use http_body::Frame;
use http_body_util::StreamBody;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::answers::ANSWER_BYTES;
use super::sql::{DIGEST_HEADER, Head, finished};
use super::{ApiError, App, spooled};
use crate::access::Running;
use crate::worker::{Bound, Failure, QueryAnswer};

/// Pieces that wait for the client.
const WAITING: usize = 2;

/// What the encoding thread says.
enum Part {
    /// The next bytes.
    Bytes(Bytes),
    /// The end, with the digest of the rows.
    End { digest: String, is_truncated: bool },
    /// There is no end.
    Failed(Failure),
}

/// An answer on its way to a file.
pub struct FileAnswer {
    parts: mpsc::Receiver<Part>,
}

/// Bytes of a piece. Chosen above what the C library takes from the system by itself and gives back at once
/// ([`crate::worker::memory::KEEPING_LITTLE`]): as many as an answer has are collected, and go at different times.
const PIECE_BYTES: usize = 512 << 10;

/// What a writer has written and nobody has taken yet, in pieces.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<Vec<u8>>>>);

impl Written {
    /// The pieces that are full.
    fn take_full(&self) -> Vec<Vec<u8>> {
        let mut pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = pieces.len().saturating_sub(1);
        pieces.drain(..full).collect()
    }

    /// All of them.
    fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match pieces.last_mut().filter(|last| last.len() + bytes.len() <= last.capacity()) {
            Some(last) => last.extend_from_slice(bytes),
            None => {
                let mut piece = Vec::with_capacity(PIECE_BYTES.max(bytes.len()));
                piece.extend_from_slice(bytes);
                pieces.push(piece);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A target that is digested and not kept.
#[derive(Clone, Default)]
struct Digested(Arc<Mutex<Sha256>>);

impl Write for Digested {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Digested {
    fn digest(&self) -> String {
        let digest = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().finalize();
        format!("sha256:{}", hex::encode(digest))
    }
}

/// What waits for its digest.
const UNDIGESTED: usize = 2;

/// A part of an answer that is to be digested.
enum Undigested {
    /// Rows, which have to be written for it.
    Rows(RecordBatch),
    /// Rows as they are digested: the file has the same form.
    Lines(Bytes),
}

/// The digest of an answer on its way, made beside the file by a thread of its own.
struct Digesting {
    parts: std::sync::mpsc::SyncSender<Undigested>,
    thread: std::thread::JoinHandle<Result<String, ExportError>>,
}

impl Digesting {
    fn start(schema: SchemaRef) -> Result<Self, Failure> {
        let (parts, taken) = std::sync::mpsc::sync_channel(UNDIGESTED);
        let thread = std::thread::Builder::new().name("digest".into()).spawn(move || {
            let mut digested = Digested::default();
            let mut writer = (export::LINES.open)(schema, Box::new(digested.clone()), ExportOptions::default())?;
            for part in taken {
                match part {
                    Undigested::Rows(batch) => writer.write(&batch)?,
                    Undigested::Lines(bytes) => digested.write_all(&bytes)?,
                }
            }
            writer.finish()?;
            Ok(digested.digest())
        });
        let thread = thread.map_err(|error| {
            tracing::error!(%error, "no thread for a digest");
            Failure::new("internal", "no digest can be made")
        })?;
        Ok(Self { parts, thread })
    }

    fn add(&self, part: Undigested) {
        // A thread that has ended has failed, and says so at the end.
        let _ = self.parts.send(part);
    }

    fn finish(self) -> Result<String, Failure> {
        drop(self.parts);
        let digest = self.thread.join().map_err(|_| Failure::new("internal", "the digest could not be made"))?;
        digest.map_err(unwritten)
    }
}

/// The digest of an answer: that of its rows in their `ndjson` form, which is not kept.
pub(super) fn digest_of(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<String, ApiError> {
    let digested = Digested::default();
    let mut writer = (export::LINES.open)(Arc::clone(schema), Box::new(digested.clone()), ExportOptions::default())?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(digested.digest())
}

impl FileAnswer {
    /// Begins to encode. Beyond the bound's rows the answer is cut where `may_cut` says so, and fails otherwise.
    pub fn new(answer: QueryAnswer, format: &'static Format, bound: Bound, may_cut: bool, running: Running) -> Self {
        let (sender, parts) = mpsc::channel(WAITING);
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            let end = match encode(answer, format, bound, may_cut, &sender, &runtime) {
                Ok(end) => end,
                Err(failure) => Part::Failed(failure),
            };
            // Nobody may be listening any more.
            let _ = sender.blocking_send(end);
            drop(running);
        });
        Self { parts }
    }

    /// Sends it: as a whole up to so many bytes, in chunks beyond.
    ///
    /// # Errors
    ///
    /// What became of it before the first byte is sent, `overloaded` where too many are on their way among it.
    pub async fn send(
        mut self,
        app: &App,
        head: Head,
        whole: usize,
        tag: Option<&String>,
    ) -> Result<Response, ApiError> {
        // Parts stay as they came: putting them together would take their memory twice.
        let (mut collected, mut length) = (Vec::new(), 0);
        while length <= whole {
            match self.parts.recv().await {
                Some(Part::Bytes(bytes)) => {
                    length += bytes.len();
                    collected.push(bytes);
                }
                Some(Part::End { digest, is_truncated }) => {
                    let headers = head.headers(Some(&digest), is_truncated);
                    return match length <= ANSWER_BYTES {
                        true => Ok(finished(app, headers, collected.concat().into(), tag)),
                        false => of_known_length(app, headers, collected, length).await,
                    };
                }
                Some(Part::Failed(failure)) => return Err(failure.into()),
                None => return Err(ApiError::new("internal", "the answer ended without an end")),
            }
        }
        // From here on its threads wait for the client.
        let place = app.download_place().await?;
        let first = spooled::frames(app, collected, length).await?;
        let rest = stream::unfold(Some((self.parts, place)), |state| async move {
            let (mut parts, place) = state?;
            Some(match parts.recv().await {
                Some(Part::Bytes(bytes)) => (Ok(Frame::data(bytes)), Some((parts, place))),
                Some(Part::End { digest, .. }) => (Ok(Frame::trailers(trailers(&digest))), None),
                Some(Part::Failed(failure)) => {
                    tracing::warn!(code = failure.code, "an answer broke off");
                    (Err(io::Error::other("the answer broke off")), None)
                }
                None => (Err(io::Error::other("the answer ended without an end")), None),
            })
        });
        // Compression asks again after the end, which `unfold` answers with a panic.
        let frames = first.chain(rest).fuse();
        let mut response = Body::new(StreamBody::new(frames)).into_response();
        *response.headers_mut() = head.headers(None, false);
        Ok(response)
    }
}

/// Parts that are all there, sent one after another.
pub(super) async fn of_known_length(
    app: &App,
    mut headers: HeaderMap,
    parts: Vec<Bytes>,
    length: usize,
) -> Result<Response, ApiError> {
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    let frames = spooled::frames(app, parts, length).await?.fuse();
    let mut response = Body::new(StreamBody::new(frames)).into_response();
    *response.headers_mut() = headers;
    Ok(response)
}

fn trailers(digest: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(digest) {
        trailers.insert(DIGEST_HEADER, value);
    }
    trailers
}

fn unwritten(error: ExportError) -> Failure {
    let error = ApiError::from(error);
    Failure::new(&error.code, error.detail)
}

/// Encodes all batches; what is written goes out after each of them.
fn encode(
    mut answer: QueryAnswer,
    format: &'static Format,
    bound: Bound,
    may_cut: bool,
    sender: &mpsc::Sender<Part>,
    runtime: &tokio::runtime::Handle,
) -> Result<Part, Failure> {
    let written = Written::default();
    let schema = Arc::clone(&answer.schema);
    let digesting = Digesting::start(Arc::clone(&schema))?;
    // Lines of JSON are what digests are made of.
    let are_lines = format.name == export::LINES.name;
    let gone = || Failure::new("internal", "nobody takes the answer");
    let pass_on = |pieces: Vec<Vec<u8>>| {
        for piece in pieces {
            let piece = Bytes::from(piece);
            if are_lines {
                digesting.add(Undigested::Lines(piece.clone()));
            }
            sender.blocking_send(Part::Bytes(piece)).map_err(|_| gone())?;
        }
        Ok(())
    };
    let writer = (format.open)(schema, Box::new(written.clone()), ExportOptions::default());
    let mut writer = writer.map_err(unwritten)?;
    let mut rows = 0;
    let mut is_truncated = false;
    // The row beyond the bound is what tells that there are more.
    let open_end = Bound { rows: bound.rows.saturating_add(1), ..bound };
    while let Some(batch) = runtime.block_on(answer.next_within(open_end)) {
        let mut batch = batch?;
        if rows + batch.num_rows() > bound.rows {
            if !may_cut {
                return Err(Failure::new(
                    "result_too_large",
                    format!("more than {} rows; filter them, or accept fewer with `limit`", bound.rows),
                ));
            }
            batch = batch.slice(0, bound.rows - rows);
            is_truncated = true;
        }
        rows += batch.num_rows();
        if !are_lines {
            digesting.add(Undigested::Rows(batch.clone()));
        }
        writer.write(&batch).map_err(unwritten)?;
        pass_on(written.take_full())?;
        // A piece may take long to be full.
        if sender.is_closed() {
            return Err(gone());
        }
        if is_truncated {
            break;
        }
    }
    writer.finish().map_err(unwritten)?;
    pass_on(written.take())?;
    Ok(Part::End { digest: digesting.finish()?, is_truncated })
}
