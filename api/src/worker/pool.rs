//! The workers for queries, with a bounded queue before them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use chrono::{DateTime, Utc};
use gongkai_catalog::Label;
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::query::{TextLimits, scan};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::process::{Killer, Worker, WorkerError};
use super::protocol::{Column, Failure, Header, QueryLimits, QueryRequest, Request, Setup, Trailer};
use crate::config;

/// An answer as it arrives.
#[derive(Debug)]
pub struct QueryAnswer {
    /// Columns with type, unit and label.
    pub columns: Vec<Column>,
    /// Releases that the answer is made from.
    pub releases: Vec<(String, u64)>,
    /// What the reader should know of the answer.
    pub warnings: Vec<Label>,
    /// Types of the batches.
    pub schema: SchemaRef,
    batches: mpsc::Receiver<Result<RecordBatch, Failure>>,
}

/// A whole answer in memory.
#[derive(Debug)]
pub struct Collected {
    /// The rows, at most as many as allowed.
    pub batches: Vec<RecordBatch>,
    /// Rows in them.
    pub row_count: usize,
    /// Whether rows were left out because of the limit.
    pub truncated: bool,
}

impl QueryAnswer {
    /// The next batch; none after the last.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Failure>> {
        self.batches.recv().await
    }

    /// Collects rows up to the limits. Dropping the rest ends the worker's query.
    pub async fn collect(mut self, max_rows: usize, max_bytes: usize) -> Result<Collected, Failure> {
        let mut collected = Collected { batches: Vec::new(), row_count: 0, truncated: false };
        let mut bytes = 0;
        while let Some(batch) = self.next().await {
            let batch = batch?;
            let room = max_rows - collected.row_count;
            if batch.num_rows() > room {
                collected.truncated = true;
                collected.batches.push(batch.slice(0, room));
                collected.row_count += room;
                break;
            }
            bytes += batch.get_array_memory_size();
            collected.row_count += batch.num_rows();
            collected.batches.push(batch);
            if bytes > max_bytes {
                return Err(Failure::new(
                    "result_too_large",
                    format!("the answer is larger than {} MiB; filter it, or ask for fewer columns", max_bytes >> 20),
                ));
            }
        }
        Ok(collected)
    }
}

/// Workers, started as they are needed and kept while they are healthy.
pub struct QueryPool {
    setup: Setup,
    spill_root: PathBuf,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Worker>>,
    waiting: AtomicUsize,
    queue: usize,
    queue_wait: Duration,
    spawned: AtomicU64,
}

/// What a worker is asked.
struct Question {
    sql: String,
    snapshot: Arc<Snapshot>,
    now: DateTime<Utc>,
    max_rows: usize,
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl QueryPool {
    /// A pool over one warehouse. Nothing starts before the first query or [`QueryPool::warm`].
    pub fn new(data: String, definitions: Option<PathBuf>, settings: &config::Query, spill_root: PathBuf) -> Self {
        Self {
            setup: Setup {
                definitions,
                data: Some(data),
                pool_bytes: settings.pool_bytes,
                address_space_bytes: settings.worker_bytes,
                spill_dir: None,
                spill_bytes: settings.spill_bytes,
            },
            spill_root,
            slots: Arc::new(Semaphore::new(settings.workers.max(1))),
            idle: Mutex::new(Vec::new()),
            waiting: AtomicUsize::new(0),
            queue: settings.queue,
            queue_wait: Duration::from_millis(settings.queue_wait_ms),
            spawned: AtomicU64::new(0),
        }
    }

    /// Starts a worker ahead of the first query.
    pub fn warm(&self) -> Result<(), WorkerError> {
        let worker = self.spawn()?;
        self.give_back(worker);
        Ok(())
    }

    fn spawn(&self) -> Result<Worker, WorkerError> {
        let number = self.spawned.fetch_add(1, Ordering::Relaxed);
        let spill_dir = self.spill_root.join(format!("{}-{number}", std::process::id()));
        Worker::start(&Setup { spill_dir: Some(spill_dir), ..self.setup.clone() })
    }

    /// A waiting worker that still runs.
    fn take(&self) -> Option<Worker> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(worker) = idle.pop() {
            if worker.is_alive() {
                return Some(worker);
            }
            worker.bury();
        }
        None
    }

    fn give_back(&self, worker: Worker) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }

    /// Runs a statement over a snapshot.
    pub async fn query(
        self: &Arc<Self>,
        sql: &str,
        snapshot: Arc<Snapshot>,
        now: DateTime<Utc>,
        limits: QueryLimits,
    ) -> Result<QueryAnswer, Failure> {
        // Before anything parses, and before a place in the queue is taken.
        scan(sql, &TextLimits::default()).map_err(|error| Failure::new(error.code(), error.to_string()))?;
        let deadline = Instant::now() + limits.timeout;
        let permit = self.admit().await?;
        let pool = Arc::clone(self);
        let sql = sql.to_owned();
        let (started_tx, started_rx) = oneshot::channel();
        let question = Question { sql, snapshot, now, max_rows: limits.max_rows };
        tokio::task::spawn_blocking(move || pool.run(permit, question, deadline, started_tx));
        started_rx.await.unwrap_or_else(|_| Err(Failure::new("internal", "the query was not started")))
    }

    async fn admit(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let overloaded = || Failure::new("overloaded", "too many queries at once; try again in a few seconds");
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= self.queue + self.slots.available_permits() {
            return Err(overloaded());
        }
        let permit = tokio::time::timeout(self.queue_wait, Arc::clone(&self.slots).acquire_owned()).await;
        drop(waiting);
        permit.ok().and_then(Result::ok).ok_or_else(overloaded)
    }

    /// The blocking half of a query, on its own thread.
    fn run(
        &self,
        permit: OwnedSemaphorePermit,
        question: Question,
        deadline: Instant,
        started: oneshot::Sender<Result<QueryAnswer, Failure>>,
    ) {
        let worker = match self.take().map_or_else(|| self.spawn(), Ok) {
            Ok(worker) => worker,
            Err(error) => {
                tracing::error!(%error, "no worker");
                let _ = started.send(Err(Failure::new("internal", "no worker process could be started")));
                return;
            }
        };
        let (batches, receiver) = mpsc::channel(4);
        let watch = Watch::start(worker.killer(), deadline, batches.clone());
        // Kept here until the watch has ended: a dropped receiver means that nobody waits any more.
        let mut receiver = Some(receiver);
        if let Some(worker) = converse(worker, question, batches, &mut receiver, started) {
            if watch.stop() {
                self.give_back(worker);
            } else {
                worker.bury();
            }
        }
        drop(permit);
    }
}

/// Ends the worker at the deadline, or when nobody waits for its answer any more.
struct Watch {
    done: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<bool>,
}

impl Watch {
    fn start(killer: Killer, deadline: Instant, batches: mpsc::Sender<Result<RecordBatch, Failure>>) -> Self {
        let (done, stopped) = oneshot::channel::<()>();
        let task = tokio::runtime::Handle::current().spawn(async move {
            tokio::select! {
                biased;
                _ = stopped => true,
                () = tokio::time::sleep_until(deadline) => { killer.time_out(); false }
                () = batches.closed() => { killer.kill(); false }
            }
        });
        Self { done, task }
    }

    /// Ends the watch; false where it had to act. For blocking threads only.
    fn stop(self) -> bool {
        let _ = self.done.send(());
        tokio::runtime::Handle::current().block_on(self.task).unwrap_or(false)
    }
}

/// One question and its answer. Gives the worker back where it can take another.
fn converse(
    mut worker: Worker,
    question: Question,
    batches: mpsc::Sender<Result<RecordBatch, Failure>>,
    receiver: &mut Option<mpsc::Receiver<Result<RecordBatch, Failure>>>,
    started: oneshot::Sender<Result<QueryAnswer, Failure>>,
) -> Option<Worker> {
    let Question { sql, snapshot, now, max_rows } = question;
    let snapshot_key = format!("{}@{:?}", snapshot.counter, snapshot.as_of);
    let is_known = worker.snapshot_key.as_deref() == Some(&snapshot_key);
    let request = Request::Query(QueryRequest {
        sql,
        snapshot_key: snapshot_key.clone(),
        snapshot: (!is_known).then_some(snapshot),
        now,
        max_rows: max_rows as u64,
    });
    let header = worker.send(&request).and_then(|()| worker.receive::<Header>());
    worker.snapshot_key = Some(snapshot_key);
    let (columns, releases, warnings) = match header {
        Ok(Header::Ready { columns, releases, warnings }) => (columns, releases, warnings),
        Ok(Header::Failed(failure)) => {
            let _ = started.send(Err(failure));
            return Some(worker);
        }
        Err(_) => {
            let _ = started.send(Err(worker.bury()));
            return None;
        }
    };
    let mut reader = match StreamReader::try_new(worker.output(), None) {
        Ok(reader) => reader,
        Err(_) => {
            let _ = started.send(Err(worker.bury()));
            return None;
        }
    };
    let schema = reader.schema();
    let answer = receiver.take().map(|batches| QueryAnswer { columns, releases, warnings, schema, batches });
    let answer = answer.ok_or_else(|| Failure::new("internal", "the answer was taken twice"));
    if started.send(answer).is_err() {
        worker.bury();
        return None;
    }
    let mut is_broken = false;
    for batch in &mut reader {
        match batch {
            Ok(batch) => {
                if batches.blocking_send(Ok(batch)).is_err() {
                    is_broken = true;
                    break;
                }
            }
            Err(_) => {
                is_broken = true;
                break;
            }
        }
    }
    drop(reader);
    if is_broken {
        let _ = batches.blocking_send(Err(worker.bury()));
        return None;
    }
    match worker.receive::<Trailer>() {
        Ok(Trailer::Done { .. }) => Some(worker),
        Ok(Trailer::Failed(failure)) => {
            let _ = batches.blocking_send(Err(failure));
            Some(worker)
        }
        Err(_) => {
            let _ = batches.blocking_send(Err(worker.bury()));
            None
        }
    }
}
