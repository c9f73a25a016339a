//! What parent and worker say to each other.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gongkai_catalog::Label;
use gongkai_ingest::window::WindowQuery;
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::query::{Role, SearchPath};
use serde::{Deserialize, Serialize};

/// Hidden argument that makes the binary a worker.
pub const ARGUMENT: &str = "worker-process";

/// First line to a worker: what it needs before any request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// Declarations in place of those built in.
    pub definitions: Option<PathBuf>,
    /// Address of the warehouse; none for a worker that parses files.
    pub data: Option<String>,
    /// Memory pool of the engine.
    pub pool_bytes: usize,
    /// Address space, enforced by the system.
    pub address_space_bytes: u64,
    /// Folder for spilling, its own.
    pub spill_dir: Option<PathBuf>,
    /// Most bytes in it.
    pub spill_bytes: u64,
    /// Bytes of row files that one statement may read.
    pub scan_bytes: u64,
}

/// What a worker for queries says once it has what it needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Started {}

/// One request.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Run a statement.
    Query(QueryRequest),
    /// Say what a statement would give, without running it.
    Describe(QueryRequest),
    /// Nobody wants the rest of the answer that is being sent. It may have ended by itself before this comes.
    Stop,
    /// Read a department file; its bytes follow the line.
    Read(ReadRequest),
    /// Open an archive of files; its bytes follow the line.
    Unpack(UnpackRequest),
    /// Show a window of a department file's cells; its bytes follow the line.
    Window(WindowRequest),
}

/// A statement to run.
#[derive(Debug, Serialize, Deserialize)]
pub struct QueryRequest {
    /// The statement, already scanned by the parent.
    #[serde(flatten)]
    pub statement: Statement,
    /// Names the snapshot; the worker keeps the last ones it was given.
    pub snapshot_key: String,
    /// The snapshot, where the worker does not have it yet.
    pub snapshot: Option<Arc<Snapshot>>,
    /// What time it is.
    pub now: DateTime<Utc>,
    /// Rows after which the worker stops by itself.
    pub max_rows: u64,
}

/// Snapshots that a worker keeps. Chosen, as many as earlier states that the server keeps: the current one, that before a
/// publication, and two that `as_of` asks for. A worker holds each of them in memory; one that it does not hold is sent to it
/// again with the question.
const SNAPSHOTS: usize = 4;

/// What a worker keeps of snapshots, by key. Parent and worker do the same, so that they agree on what is there: the first
/// that came is the first that goes.
#[derive(Debug)]
pub struct Kept<T> {
    by_key: VecDeque<(String, T)>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { by_key: VecDeque::new() }
    }
}

impl<T> Kept<T> {
    /// What is kept under a key.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.by_key.iter().find(|(known, _)| known == key).map(|(_, kept)| kept)
    }

    /// Keeps one more.
    pub fn keep(&mut self, key: String, kept: T) {
        if self.by_key.len() == SNAPSHOTS {
            self.by_key.pop_front();
        }
        self.by_key.push_back((key, kept));
    }
}

/// A statement with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// Values of `$1`, `$2`, … as texts, none for NULL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Option<String>>,
    /// The same as an Arrow stream of one row, in base64: what a client sent, read by nobody before the worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<String>,
    /// Role of whoever asks: schema `staging` exists for some. What is known of a statement is known for this role.
    #[serde(default)]
    pub role: Role,
    /// Whether it may ask for the system catalogue of PostgreSQL.
    #[serde(default)]
    pub with_system: bool,
    /// Where names without a schema are looked for. What is known of a statement is known of it along this path.
    #[serde(default, skip_serializing_if = "SearchPath::is_default")]
    pub path: SearchPath,
}

impl From<&str> for Statement {
    fn from(sql: &str) -> Self {
        Self { sql: sql.to_owned(), ..Self::default() }
    }
}

/// A file to read.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadRequest {
    /// Name under which it was found.
    pub name: String,
    /// Digest of its bytes.
    pub sha256: String,
    /// Length of what follows.
    pub bytes: u64,
}

/// An archive to open.
#[derive(Debug, Serialize, Deserialize)]
pub struct UnpackRequest {
    /// Length of what follows.
    pub bytes: u64,
}

/// Cells to show.
#[derive(Debug, Serialize, Deserialize)]
pub struct WindowRequest {
    /// Which.
    pub query: WindowQuery,
    /// Length of what follows.
    pub bytes: u64,
}

/// First line of an answer to a query.
#[derive(Debug, Serialize, Deserialize)]
pub enum Header {
    /// A stream follows.
    Ready {
        /// Columns of the answer.
        columns: Vec<Column>,
        /// Releases that the answer is made from.
        releases: Vec<(String, u64)>,
        /// What the reader should know of the answer.
        warnings: Vec<Label>,
        /// Whether statement and releases alone decide the answer.
        is_repeatable: bool,
    },
    /// What the statement would give; nothing follows.
    Described {
        /// Schema of its parameters, as an Arrow stream without rows in base64.
        parameters: String,
        /// Schema of its rows, likewise.
        schema: String,
    },
    /// Nothing follows.
    Failed(Failure),
}

/// Last line of an answer.
#[derive(Debug, Serialize, Deserialize)]
pub enum Trailer {
    /// The stream was whole.
    Done {
        /// Rows sent.
        rows: u64,
    },
    /// The stream broke off.
    Failed(Failure),
    /// The stream ended before its end: the worker was told to stop.
    Stopped,
}

/// A column of an answer, with the meaning that declarations give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type in the words of the dictionary.
    #[serde(rename = "type")]
    pub column_type: String,
    /// Unit id.
    pub unit: Option<String>,
    /// Label in Chinese.
    pub label: Option<String>,
}

/// Why there is no answer, in words that may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Stable code.
    pub code: String,
    /// What was found and what would have been accepted.
    pub message: String,
    /// What the engine said of a failure that is ours: for the log, never for callers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Failure {
    /// A failure with a code of the table in `reliability`.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), cause: None }
    }
}

/// What an answer may be that is sent as it comes.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// Most rows.
    pub rows: usize,
    /// Most bytes of its batches in memory.
    pub bytes: usize,
}

/// What one query may cost.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    /// From being asked to the last batch.
    pub timeout: std::time::Duration,
    /// Rows after which the worker stops.
    pub max_rows: usize,
}
