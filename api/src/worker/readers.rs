//! Several reading processes at once.
//!
//! Files are given out in the order of asking and answered in any; who asked waits for the answers in the order that
//! counts. What a file turns out to be does not depend on which process reads it, or beside what.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::process::WorkerError;
use super::reader::{ReadFile, ReaderProcess};
use crate::config;

/// How long a process waits for the next file before it ends and gives its memory back.
const IDLE: Duration = Duration::from_secs(30);

/// What a file turned out to be, once it is read.
pub type Answer = oneshot::Receiver<Result<ReadFile, WorkerError>>;

struct Job {
    path: String,
    sha256: String,
    bytes: Bytes,
    answer: oneshot::Sender<Result<ReadFile, WorkerError>>,
}

/// Reading processes, each with a thread that talks to it. They end when this is dropped, or have waited long.
#[derive(Debug)]
pub struct Readers {
    jobs: Sender<Job>,
    count: usize,
}

impl Readers {
    /// As many as the settings say. No process starts before there is a file for it.
    pub fn new(definitions: Option<&PathBuf>, settings: &config::Ingest) -> Self {
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        let count = settings.worker_count();
        for _ in 0..count {
            let reader = ReaderProcess::with_limits(definitions.cloned(), settings);
            let waiting = Arc::clone(&waiting);
            std::thread::spawn(move || work(reader, &waiting));
        }
        Self { jobs, count }
    }

    /// How many files are read at once.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Has a file read. The answer is dropped only if the thread that reads it panics.
    pub fn read(&self, path: &str, sha256: &str, bytes: Bytes) -> Answer {
        let (answer, answered) = oneshot::channel();
        let job = Job { path: path.to_owned(), sha256: sha256.to_owned(), bytes, answer };
        // The threads live as long as the sender; without one the answer is dropped and the asker hears of it.
        let _ = self.jobs.send(job);
        answered
    }
}

fn work(mut reader: ReaderProcess, waiting: &Mutex<Receiver<Job>>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(IDLE);
        let Job { path, sha256, bytes, answer } = match next {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => {
                reader.rest();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if !answer.is_closed() {
            let _ = answer.send(reader.read(&path, &sha256, &bytes));
        }
    }
}
