//! One worker process, as its parent holds it.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gongkai_warehouse::fault;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::memory::{Counted, KEEPING_LITTLE, Memory};
use super::protocol::{ARGUMENT, Failure, Kept, Setup};

/// Why a worker cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The program itself could not be started again.
    #[error("worker process does not start: {0}")]
    Start(std::io::Error),
    /// The pipe broke: the worker is gone.
    #[error("worker process ended: {0}")]
    Pipe(std::io::Error),
    /// The worker said something that is not of the protocol.
    #[error("worker process answered out of protocol: {0}")]
    Protocol(#[from] serde_json::Error),
    /// The stream of batches is not Arrow IPC.
    #[error("worker process sent a damaged stream: {0}")]
    Stream(#[from] arrow::error::ArrowError),
}

/// Ends a worker from another thread.
#[derive(Debug, Clone)]
pub struct Killer {
    child: Arc<Mutex<Child>>,
    /// Why the worker was ended, as far as its query is to know: one of the numbers below, 0 if it was not.
    ended: Arc<AtomicU8>,
    /// The process's number.
    pub process: u32,
}

/// Its time was over.
const BY_TIME: u8 = 1;
/// All of them together had too much memory, and it most.
const BY_MEMORY: u8 = 2;
/// Nobody waited for its answer.
const UNWANTED: u8 = 3;

impl Killer {
    /// Ends the worker because its time is over.
    pub fn time_out(&self) {
        self.ended.store(BY_TIME, Ordering::SeqCst);
        self.kill();
    }

    /// Ends the worker because nobody waits for its answer: its end is no accident.
    pub fn leave(&self) {
        self.ended.store(UNWANTED, Ordering::SeqCst);
        self.kill();
    }

    /// Ends the worker because all of them together have taken too much memory.
    pub fn run_out(&self) {
        self.ended.store(BY_MEMORY, Ordering::SeqCst);
        self.kill();
    }

    /// Ends the worker.
    pub fn kill(&self) {
        // A process that has ended already cannot be killed, and need not be.
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }
}

/// Memory that a reader keeps between files.
const KEPT_BYTES: &str = "268435456";

/// Single pieces of memory that it does not keep; the most that every version of the C library takes.
const MAPPED_BYTES: &str = "33554432";

/// Most of a worker's last words that are kept.
const LAST_WORDS: usize = 4096;

/// Keeps the beginning of what a worker says on its standard error, and reads the rest so that it can go on.
fn hear(mut errors: ChildStderr, heard: &Mutex<String>) {
    let mut part = [0; LAST_WORDS];
    while let Ok(read) = errors.read(&mut part) {
        if read == 0 {
            return;
        }
        let said = String::from_utf8_lossy(&part[..read]);
        tracing::debug!(target: "gongkai::worker", "{said}");
        let mut words = heard.lock().unwrap_or_else(PoisonError::into_inner);
        if words.len() < LAST_WORDS {
            words.push_str(&said);
        }
    }
}

/// What a worker says, up to a bound.
#[derive(Debug)]
struct Capped {
    inner: ChildStdout,
    left: u64,
}

impl Read for Capped {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Err(std::io::Error::other("the worker says more than it may"));
        }
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let read = self.inner.read(&mut into[..room])?;
        self.left -= read as u64;
        Ok(read)
    }
}

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    child: Arc<Mutex<Child>>,
    process: u32,
    ended: Arc<AtomicU8>,
    last_words: Arc<Mutex<String>>,
    listener: Option<std::thread::JoinHandle<()>>,
    input: BufWriter<ChildStdin>,
    output: BufReader<Capped>,
    /// Whether it has said that it is ready for questions; a reader of files does not say it.
    pub is_started: bool,
    /// Snapshots that the worker holds.
    pub snapshots: Kept<()>,
    spill_dir: Option<std::path::PathBuf>,
    /// Counted as long as it runs.
    counted: Option<Counted>,
}

impl Worker {
    /// Starts a worker and tells it what it needs.
    pub fn start(setup: &Setup) -> Result<Self, WorkerError> {
        let program = std::env::current_exe().map_err(WorkerError::Start)?;
        let mut command = Command::new(program);
        command.arg(ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is told to every process of the terminal's group. A worker ends when its parent closes the pipe, not
        // before: what it was reading would be taken for a file that kills its worker.
        command.process_group(0);
        if setup.data.is_some() {
            // What holds for the process that serves would hold for its workers. A query wants the memory of the one before,
            // and a worker that has grown is replaced.
            for (name, _) in KEEPING_LITTLE {
                command.env_remove(name);
            }
        } else {
            // Each arena and each thread reserves address space that a file should have.
            command.env("MALLOC_ARENA_MAX", "2").env("POLARS_MAX_THREADS", "2").env("RAYON_NUM_THREADS", "2");
            // What one file gave back the next one needs: memory that goes to the system in between costs a fault a page.
            command.env("MALLOC_TRIM_THRESHOLD_", KEPT_BYTES).env("MALLOC_MMAP_THRESHOLD_", MAPPED_BYTES);
        }
        if setup.data.is_none() {
            fault::point("parse.worker_spawn").map_err(WorkerError::Start)?;
        }
        let mut child = command.spawn().map_err(WorkerError::Start)?;
        let missing = || WorkerError::Start(std::io::Error::other("a pipe is missing"));
        let input = BufWriter::new(child.stdin.take().ok_or_else(missing)?);
        let output = BufReader::new(Capped { inner: child.stdout.take().ok_or_else(missing)?, left: u64::MAX });
        let errors = child.stderr.take().ok_or_else(missing)?;
        let last_words = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&last_words);
        let listener = std::thread::spawn(move || hear(errors, &heard));
        let mut worker = Self {
            process: child.id(),
            child: Arc::new(Mutex::new(child)),
            ended: Arc::default(),
            last_words,
            listener: Some(listener),
            input,
            output,
            is_started: false,
            snapshots: Kept::default(),
            spill_dir: setup.spill_dir.clone(),
            counted: None,
        };
        worker.send(setup)?;
        Ok(worker)
    }

    /// Counts what the worker takes among that of the others.
    pub fn counted_in(mut self, memory: &Arc<Memory>) -> Self {
        self.counted = Some(memory.count(self.process));
        self
    }

    /// What the process has of its own, in bytes.
    pub fn held_bytes(&self) -> u64 {
        Memory::of(self.process)
    }

    /// Bounds what the worker may say from here on.
    pub fn allow(&mut self, bytes: u64) {
        self.output.get_mut().left = bytes;
    }

    /// Whether the worker has said all that it may.
    pub fn is_spent(&self) -> bool {
        self.output.get_ref().left == 0
    }

    /// A handle to end it with.
    pub fn killer(&self) -> Killer {
        Killer { child: Arc::clone(&self.child), ended: Arc::clone(&self.ended), process: self.process }
    }

    /// Whether the process still runs: the system may have ended it while it waited.
    pub fn is_alive(&self) -> bool {
        matches!(self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait(), Ok(None))
    }

    /// Sends one line.
    pub fn send(&mut self, message: &impl Serialize) -> Result<(), WorkerError> {
        Self::send_to(&mut self.input, message)
    }

    /// Sends one line to a worker whose answer is being read.
    pub fn send_to(input: &mut impl Write, message: &impl Serialize) -> Result<(), WorkerError> {
        serde_json::to_writer(&mut *input, message)?;
        input.write_all(b"\n").and_then(|()| input.flush()).map_err(WorkerError::Pipe)
    }

    /// Sends the bytes that a line has announced.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), WorkerError> {
        self.input.write_all(bytes).and_then(|()| self.input.flush()).map_err(WorkerError::Pipe)
    }

    /// Receives one line.
    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<T, WorkerError> {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).map_err(WorkerError::Pipe)?;
        if read == 0 {
            return Err(WorkerError::Pipe(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// Receives the bytes that a line has announced.
    pub fn receive_bytes(&mut self, length: u64) -> Result<Vec<u8>, WorkerError> {
        let mut bytes = Vec::new();
        let read = (&mut self.output).take(length).read_to_end(&mut bytes).map_err(WorkerError::Pipe)?;
        if read as u64 != length {
            return Err(WorkerError::Pipe(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(bytes)
    }

    /// What the worker is told, and what follows a line of it.
    pub fn ends(&mut self) -> (&mut impl Write, &mut impl Read) {
        (&mut self.input, &mut self.output)
    }

    /// Ends the worker and says what its death means to whoever asked.
    pub fn bury(mut self) -> Failure {
        let status = self.end();
        self.tidy();
        match self.ended.load(Ordering::SeqCst) {
            BY_TIME => {
                return Failure::new("query_timeout", "the query did not finish in time; filter it, or ask for less");
            }
            BY_MEMORY => {
                return Failure::new("query_memory", "all queries together need more memory than there is for them");
            }
            UNWANTED => return Failure::new("query_timeout", "nobody waited for the answer"),
            _ => {}
        }
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if words.contains("overflowed its stack") {
            return Failure::new("sql_too_complex", "the statement is nested too deeply");
        }
        if words.contains("memory allocation of") || words.contains("capacity overflow") {
            return Failure::new("query_memory", "the query needs more memory than one query may use");
        }
        tracing::error!(?status, words, "a worker process died");
        Failure::new("query_failed", "the query could not be completed")
    }

    /// Ends a worker that is well.
    pub fn retire(mut self) {
        // A process that has ended already need not be ended.
        let _ = self.end();
        self.tidy();
    }

    /// What is left of a process that has ended.
    fn tidy(&mut self) {
        if let Some(listener) = self.listener.take() {
            // Its standard error is closed: the thread has read the last words and ends.
            let _ = listener.join();
        }
        if let Some(folder) = &self.spill_dir {
            // A killed engine leaves its spill files; nothing else is in the folder.
            let _ = std::fs::remove_dir_all(folder);
        }
    }

    fn end(&self) -> std::io::Result<std::process::ExitStatus> {
        self.killer().kill();
        self.child.lock().unwrap_or_else(PoisonError::into_inner).wait()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // A process that nobody waits for stays in the system's table.
        let _ = self.end();
    }
}
