//! Department files, parsed where a crash costs nothing but the file.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use gongkai_catalog::{Dataset, Table};
use gongkai_ingest::personal;
use gongkai_ingest::report::Report;
use gongkai_ingest::window::{CellWindow, WindowQuery, read_window};
use gongkai_ingest::{Limits, Member, Outcome, Shaped, ingest_bytes, read_archive};
use gongkai_warehouse::fault;
use gongkai_warehouse::lake::Part;
use gongkai_warehouse::lake::part::cut;
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

/// What a feed reads of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StreamHead {
    /// Dataset of the rows.
    pub dataset: String,
    /// What became of the records.
    pub report: Report,
    /// The parts that its rows make, whose bytes follow.
    pub parts: Vec<PartHead>,
}

/// A part that follows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartHead {
    /// Partition of its rows.
    pub partition: String,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of its file.
    pub bytes: u64,
}

/// A file as read.
#[derive(Debug)]
pub struct ReadFile {
    /// What it is.
    pub finding: Finding,
    /// Rows, as the parts of each of the finding's streams.
    pub parts: Vec<Vec<Part>>,
}

/// The worker's side: reads a file and writes what it is, then its rows.
pub fn answer(
    definitions: &Definitions,
    request: &ReadRequest,
    bytes: &[u8],
    output: &mut impl Write,
) -> anyhow::Result<()> {
    let (finding, parts) = read(definitions, &request.name, bytes)?;
    write_line(output, &finding)?;
    let mut rows = 0;
    for part in &parts {
        fault::point("parse.worker_mid")?;
        output.write_all(&part.bytes)?;
        rows += part.rows;
    }
    write_line(output, &Trailer::Done { rows })
}

fn read(definitions: &Definitions, name: &str, bytes: &[u8]) -> anyhow::Result<(Finding, Vec<Part>)> {
    Ok(match ingest_bytes(bytes, name, &definitions.feeds, &definitions.catalog, &Limits::default()) {
        Outcome::Matched { facts, shaped, personal, .. } => {
            let may_be_public =
                |rows: &Shaped| definitions.feeds.get(&rows.report.feed).is_some_and(|feed| feed.is_source_public);
            // Decision 29: only a file that passed the gate whole is handed out.
            let is_public = !personal::is_blocking(&personal) && shaped.iter().all(may_be_public);
            let mut parts = Vec::new();
            let mut streams = Vec::new();
            for rows in shaped {
                let (dataset, table) = declared(definitions, &rows)?;
                let made = cut(&rows.batch, dataset, table)?;
                let heads = made.iter().map(|part| PartHead {
                    partition: part.partition.clone(),
                    rows: part.rows,
                    bytes: part.bytes.len() as u64,
                });
                streams.push(StreamHead { parts: heads.collect(), dataset: rows.dataset, report: rows.report });
                parts.extend(made);
            }
            let finding = Finding::Matched {
                format: facts.format.name().to_owned(),
                encoding: facts.encoding,
                is_public,
                warnings: facts.warnings,
                personal,
                streams,
            };
            (finding, parts)
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
    })
}

/// Where the rows of a feed belong. Feeds are checked against the catalogue when they load.
fn declared<'a>(definitions: &'a Definitions, rows: &Shaped) -> anyhow::Result<(&'a Dataset, &'a Table)> {
    let dataset = definitions.catalog.datasets.get(&rows.dataset);
    let table = definitions.catalog.tables.get(&rows.table);
    dataset.zip(table).ok_or_else(|| anyhow::anyhow!("dataset {} is not declared", rows.dataset))
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
            scan_bytes: 0,
        };
        let timeout = Duration::from_millis(limits.timeout_ms);
        Self { setup, timeout, output_bytes: limits.output_bytes, worker: None }
    }

    /// Ends the process until there is a file again.
    pub fn rest(&mut self) {
        self.worker = None;
    }

    /// Reads a file, named by its path below the inbox. Blocks.
    ///
    /// # Errors
    ///
    /// No worker could be started. A file that kills its worker is [`Finding::Lost`].
    pub fn read(&mut self, name: &str, sha256: &str, bytes: &[u8]) -> Result<ReadFile, WorkerError> {
        let read = self.under_watch(name, |worker| converse(worker, name, sha256, bytes))?;
        fault::point("parse.worker_died").map_err(WorkerError::Pipe)?;
        Ok(read.unwrap_or_else(|message| ReadFile { finding: Finding::Lost { message }, parts: Vec::new() }))
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
                members.push(Member { bytes: worker.receive_bytes(head.bytes)?, path: head.path });
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
        Finding::Matched { streams, .. } => streams.as_slice(),
        _ => &[],
    };
    let mut parts = Vec::with_capacity(streams.len());
    for stream in streams {
        let made = stream.parts.iter().map(|head| {
            let bytes = worker.receive_bytes(head.bytes)?;
            Ok(Part { partition: head.partition.clone(), rows: head.rows, bytes: bytes.into() })
        });
        parts.push(made.collect::<Result<Vec<_>, WorkerError>>()?);
    }
    worker.receive::<Trailer>()?;
    Ok(ReadFile { finding, parts })
}
