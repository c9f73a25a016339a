//! Department files, parsed where a crash costs nothing but the file.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use gongkai_ingest::personal;
use gongkai_ingest::report::Report;
use gongkai_ingest::window::{CellWindow, WindowQuery, read_window};
use gongkai_ingest::{Limits, Member, Outcome, ingest_bytes, read_archive};
use serde::{Deserialize, Serialize};

use super::child::write_line;
use super::process::{Worker, WorkerError};
use super::protocol::{ReadRequest, Request, Setup, Trailer, UnpackRequest, WindowRequest};
use crate::config;
use crate::instance::Definitions;

/// Reasons that are kept for a grid that no feed reads; `gongkai inspect` says all.
const REASONS: usize = 3;

/// What a file turned out to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Finding {
    /// A feed reads it.
    Matched {
        /// Format, found by content.
        format: String,
        /// Encoding of text.
        encoding: Option<String>,
        /// Whether every feed that reads it allows the whole file to be handed out.
        is_public: bool,
        /// Things to know about the file.
        warnings: Vec<String>,
        /// Personal data that keeps nothing back.
        personal: Vec<personal::Finding>,
        /// What became of its records; one entry for each stream that follows.
        streams: Vec<StreamHead>,
    },
    /// A feed reads it, and personal data in it keeps its rows back.
    Held {
        /// Format, found by content.
        format: String,
        /// Encoding of text.
        encoding: Option<String>,
        /// Feeds that read it.
        feeds: Vec<String>,
        /// What was found, without the values.
        personal: Vec<personal::Finding>,
    },
    /// No feed reads it.
    Unmatched {
        /// Format, found by content.
        format: String,
        /// Why each feed does not read it.
        reasons: Vec<String>,
    },
    /// It cannot be read.
    Damaged {
        /// What was found, where, and what would have been accepted.
        message: String,
    },
    /// Its reader did not come back. Another time it may.
    Lost {
        /// What became of the reader.
        message: String,
    },
}

/// What a stream of rows is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StreamHead {
    /// Dataset of the rows.
    pub dataset: String,
    /// What became of the records.
    pub report: Report,
}

/// A file as read.
#[derive(Debug)]
pub struct ReadFile {
    /// What it is.
    pub finding: Finding,
    /// Rows, one batch for each of the finding's streams.
    pub batches: Vec<RecordBatch>,
}

/// The worker's side: reads a file and writes what it is, then its rows.
pub fn answer(
    definitions: &Definitions,
    request: &ReadRequest,
    bytes: &[u8],
    output: &mut impl Write,
) -> anyhow::Result<()> {
    let (finding, batches) = read(definitions, &request.name, bytes);
    write_line(output, &finding)?;
    let mut rows = 0;
    for batch in &batches {
        let mut writer = StreamWriter::try_new(&mut *output, &batch.schema())?;
        writer.write(batch)?;
        writer.finish()?;
        rows += batch.num_rows() as u64;
    }
    write_line(output, &Trailer::Done { rows })
}

fn read(definitions: &Definitions, name: &str, bytes: &[u8]) -> (Finding, Vec<RecordBatch>) {
    match ingest_bytes(bytes, name, &definitions.feeds, &definitions.catalog, &Limits::default()) {
        Outcome::Matched { facts, shaped, personal, .. } => {
            let may_be_public = |rows: &gongkai_ingest::Shaped| {
                definitions.feeds.get(&rows.report.feed).is_some_and(|feed| feed.is_source_public)
            };
            // Decision 29: only a file that passed the gate whole is handed out.
            let is_public = !personal::is_blocking(&personal) && shaped.iter().all(may_be_public);
            let mut batches = Vec::new();
            let mut streams = Vec::new();
            for rows in shaped {
                streams.push(StreamHead { dataset: rows.dataset, report: rows.report });
                batches.push(rows.batch);
            }
            let finding = Finding::Matched {
                format: facts.format.name().to_owned(),
                encoding: facts.encoding,
                is_public,
                warnings: facts.warnings,
                personal,
                streams,
            };
            (finding, batches)
        }
        Outcome::Held { facts, recognition, personal } => {
            let finding = Finding::Held {
                format: facts.format.name().to_owned(),
                encoding: facts.encoding,
                feeds: recognition.feeds().into_iter().map(str::to_owned).collect(),
                personal,
            };
            (finding, Vec::new())
        }
        Outcome::Unmatched { facts, recognition } => {
            let misses = recognition.grids.into_iter().flat_map(|grid| {
                let sheet = grid.sheet.map(|sheet| format!("{sheet}: ")).unwrap_or_default();
                grid.misses
                    .into_iter()
                    .take(REASONS)
                    .map(move |miss| format!("{sheet}{}: {}", miss.feed, miss.reasons.join("; ")))
            });
            (Finding::Unmatched { format: facts.format.name().to_owned(), reasons: misses.collect() }, Vec::new())
        }
        Outcome::Refused { error, .. } => (Finding::Damaged { message: error.to_string() }, Vec::new()),
        Outcome::Damaged(error) => (Finding::Damaged { message: error.to_string() }, Vec::new()),
    }
}

/// A file of an archive; its bytes follow the list.
#[derive(Debug, Serialize, Deserialize)]
struct MemberHead {
    path: String,
    bytes: u64,
}

/// The worker's side of an archive: the list of its files and then their bytes, or why it is not opened.
pub fn answer_archive(bytes: &[u8], output: &mut impl Write) -> anyhow::Result<()> {
    let members = match read_archive(bytes, &Limits::default()) {
        Ok(members) => members,
        Err(error) => return write_line(output, &Err::<Vec<MemberHead>, _>(error.to_string())),
    };
    let head = |member: &Member| MemberHead { path: member.path.clone(), bytes: member.bytes.len() as u64 };
    write_line(output, &Ok::<_, String>(members.iter().map(head).collect::<Vec<_>>()))?;
    for member in members {
        output.write_all(&member.bytes)?;
    }
    Ok(())
}

/// The worker's side of a window: the cells, or why there are none.
pub fn answer_window(query: &WindowQuery, bytes: &[u8], output: &mut impl Write) -> anyhow::Result<()> {
    let window = read_window(bytes, query, &Limits::default()).map_err(|error| error.to_string());
    write_line(output, &window)
}

/// The parent's side: one worker that reads one file after another, and is replaced when a file kills it.
pub struct ReaderProcess {
    setup: Setup,
    timeout: Duration,
    output_bytes: u64,
    worker: Option<Worker>,
}

impl ReaderProcess {
    /// One with the limits of the default settings.
    pub fn new(definitions: Option<PathBuf>) -> Self {
        Self::with_limits(definitions, &config::Ingest::default())
    }

    /// Nothing starts before the first file.
    pub fn with_limits(definitions: Option<PathBuf>, limits: &config::Ingest) -> Self {
        let setup = Setup {
            definitions,
            data: None,
            pool_bytes: 0,
            address_space_bytes: limits.worker_bytes,
            spill_dir: None,
            spill_bytes: 0,
        };
        let timeout = Duration::from_millis(limits.timeout_ms);
        Self { setup, timeout, output_bytes: limits.output_bytes, worker: None }
    }

    /// Reads a file, named by its path below the inbox. Blocks.
    ///
    /// # Errors
    ///
    /// No worker could be started. A file that kills its worker is [`Finding::Lost`].
    pub fn read(&mut self, name: &str, sha256: &str, bytes: &[u8]) -> Result<ReadFile, WorkerError> {
        let read = self.under_watch(name, |worker| converse(worker, name, sha256, bytes))?;
        Ok(read.unwrap_or_else(|message| ReadFile { finding: Finding::Lost { message }, batches: Vec::new() }))
    }

    /// Opens an archive, named by its path below the inbox. Blocks. The inner error says what it is instead.
    ///
    /// # Errors
    ///
    /// No worker could be started.
    pub fn unpack(&mut self, name: &str, bytes: &[u8]) -> Result<Result<Vec<Member>, Finding>, WorkerError> {
        let unpacked = self.under_watch(name, |worker| {
            worker.send(&Request::Unpack(UnpackRequest { bytes: bytes.len() as u64 }))?;
            worker.send_bytes(bytes)?;
            let heads = match worker.receive::<Result<Vec<MemberHead>, String>>()? {
                Ok(heads) => heads,
                Err(message) => return Ok(Err(message)),
            };
            let mut members = Vec::with_capacity(heads.len());
            for head in heads {
                let mut bytes = Vec::new();
                worker.output().take(head.bytes).read_to_end(&mut bytes).map_err(WorkerError::Pipe)?;
                if bytes.len() as u64 != head.bytes {
                    return Err(WorkerError::Pipe(std::io::ErrorKind::UnexpectedEof.into()));
                }
                members.push(Member { path: head.path, bytes });
            }
            Ok(Ok(members))
        })?;
        Ok(match unpacked {
            Ok(members) => members.map_err(|message| Finding::Damaged { message }),
            Err(message) => Err(Finding::Lost { message }),
        })
    }

    /// Reads a window of a file's cells. Blocks. The inner error says in words why there is none.
    ///
    /// # Errors
    ///
    /// No worker could be started.
    pub fn window(&mut self, query: &WindowQuery, bytes: &[u8]) -> Result<Result<CellWindow, String>, WorkerError> {
        let window = self.under_watch("a window of cells", |worker| {
            worker.send(&Request::Window(WindowRequest { query: query.clone(), bytes: bytes.len() as u64 }))?;
            worker.send_bytes(bytes)?;
            worker.receive::<Result<CellWindow, String>>()
        })?;
        Ok(window.and_then(|window| window))
    }

    /// Talks to the worker until the deadline; one that does not come back is buried and replaced.
    fn under_watch<T>(
        &mut self,
        name: &str,
        talk: impl FnOnce(&mut Worker) -> Result<T, WorkerError>,
    ) -> Result<Result<T, String>, WorkerError> {
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(&self.setup)?,
        };
        worker.allow(self.output_bytes);
        let killer = worker.killer();
        let timeout = self.timeout;
        let (done, waiting) = std::sync::mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            if waiting.recv_timeout(timeout) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                killer.time_out();
            }
        });
        let said = talk(&mut worker);
        let _ = done.send(());
        let _ = watch.join();
        match said {
            Ok(said) => {
                self.worker = Some(worker);
                Ok(Ok(said))
            }
            Err(error) => {
                tracing::warn!(file = name, %error, "a file ended its worker");
                let is_spent = worker.is_spent();
                let failure = worker.bury();
                let message = match failure.code.as_str() {
                    _ if is_spent => format!("it gives more than {} bytes of rows", self.output_bytes),
                    "query_timeout" => format!("reading took longer than {} s", timeout.as_secs_f32()),
                    "query_memory" => "reading needs more memory than a file may use".to_owned(),
                    "sql_too_complex" => "it is nested too deeply".to_owned(),
                    _ => "reading ended abnormally; the file is kept for inspection".to_owned(),
                };
                Ok(Err(message))
            }
        }
    }
}

fn converse(worker: &mut Worker, name: &str, sha256: &str, bytes: &[u8]) -> Result<ReadFile, WorkerError> {
    worker.send(&Request::Read(ReadRequest {
        name: name.to_owned(),
        sha256: sha256.to_owned(),
        bytes: bytes.len() as u64,
    }))?;
    worker.send_bytes(bytes)?;
    let finding: Finding = worker.receive()?;
    let streams = match &finding {
        Finding::Matched { streams, .. } => streams.len(),
        _ => 0,
    };
    let mut batches = Vec::with_capacity(streams);
    for _ in 0..streams {
        let mut reader = StreamReader::try_new(worker.output(), None)?;
        let schema = reader.schema();
        let parts = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
        batches.push(arrow::compute::concat_batches(&Arc::clone(&schema), &parts)?);
    }
    worker.receive::<Trailer>()?;
    Ok(ReadFile { finding, batches })
}
