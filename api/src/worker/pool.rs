//! The workers for queries, with a bounded queue before them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::ipc::reader::StreamReader;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use gongkai_catalog::Label;
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::query::{TextLimits, scan};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tracing::{Instrument, Span, info_span};

use super::conversation::{Listener, converse, request};
use super::memory::Memory;
use super::process::{Worker, WorkerError};
use super::protocol::{Bound, Column, Failure, Header, QueryLimits, Request, Setup, Started, Statement};
use super::watch::Watch;
use crate::config;

/// Time in which a worker gets ready. It is not part of a question's: a worker that was ended with the time of the question it
/// was started for would be followed by another that is.
const START: Duration = Duration::from_secs(60);

/// Time beyond the deadline in which a worker that is ended leaves its last words.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// An idle worker may hold this part of the memory of all. Chosen: by default there are two workers and that of the pages, so
/// that all three idle hold at most half of `query.memory_bytes`, and the rest is for what is asked. A larger part lets memory
/// get scarce while nothing runs; a smaller one replaces workers more often, whose successors read declarations and small tables
/// anew.
const KEPT_SHARE: u64 = 6;

/// An answer as it arrives.
#[derive(Debug)]
pub struct QueryAnswer {
    /// Columns with type, unit and label.
    pub columns: Vec<Column>,
    /// Releases that the answer is made from.
    pub releases: Vec<(String, u64)>,
    /// What the reader should know of the answer.
    pub warnings: Vec<Label>,
    /// Whether statement and releases alone decide the answer.
    pub is_repeatable: bool,
    /// Types of the batches.
    pub schema: SchemaRef,
    pub(super) batches: mpsc::Receiver<Result<RecordBatch, Failure>>,
    /// Somebody waits for the answer as long as this is there.
    pub(super) _waits: Option<mpsc::Receiver<()>>,
    pub(super) taken: Bound,
}

/// What a statement would give.
#[derive(Debug, Clone)]
pub struct Description {
    /// Parameters `1`, `2`, … with the types that are expected; [`arrow::datatypes::DataType::Null`] where nothing decides.
    pub parameters: SchemaRef,
    /// Types of the rows.
    pub schema: SchemaRef,
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

    /// The next batch of an answer that may not be larger than a bound; beyond it the answer ends with `result_too_large`.
    pub async fn next_within(&mut self, bound: Bound) -> Option<Result<RecordBatch, Failure>> {
        let batch = match self.next().await? {
            Ok(batch) => batch,
            Err(failure) => return Some(Err(failure)),
        };
        self.taken.rows += batch.num_rows();
        self.taken.bytes += held_bytes(&batch);
        if self.taken.rows > bound.rows || self.taken.bytes > bound.bytes {
            self.batches.close();
            let message = format!(
                "the answer has more than {} rows or {} MiB; filter it, or download the release",
                bound.rows,
                bound.bytes >> 20
            );
            return Some(Err(Failure::new("result_too_large", message)));
        }
        Some(Ok(batch))
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
            bytes += held_bytes(&batch);
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

/// Bytes that the rows of a batch hold. A batch that came over IPC has all its columns in one buffer, and a column of
/// texts keeps the texts of rows that LIMIT took away: neither is counted.
pub(super) fn held_bytes(batch: &RecordBatch) -> usize {
    let held = |column: &ArrayRef| {
        let texts = match column.data_type() {
            DataType::Utf8View => column.as_string_view().total_buffer_bytes_used(),
            DataType::BinaryView => column.as_binary_view().total_buffer_bytes_used(),
            _ => 0,
        };
        texts + column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size())
    };
    batch.columns().iter().map(held).sum()
}

/// Workers, started as they are needed and kept while they are healthy.
pub struct QueryPool {
    setup: Setup,
    spill_root: PathBuf,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Worker>>,
    waiting: AtomicUsize,
    capacity: usize,
    queue: usize,
    queue_wait: Duration,
    spawned: AtomicU64,
    memory: Arc<Memory>,
    /// Whether no query is taken while memory is scarce.
    gives_way: bool,
    /// Bytes that an idle worker may hold; one that has grown beyond them is replaced.
    kept_bytes: u64,
}

/// What a worker is asked.
pub(super) struct Question {
    /// Closed when nobody waits for the answer any more.
    waited_for: mpsc::Sender<()>,
    pub statement: Statement,
    pub snapshot: Arc<Snapshot>,
    pub now: DateTime<Utc>,
    pub max_rows: usize,
    span: Span,
}

impl Question {
    /// Whether an answer comes too late: its time is over, or nobody waits for it.
    fn is_late(&self, deadline: Instant) -> bool {
        self.waited_for.is_closed() || Instant::now() >= deadline
    }
}

/// A worker was not ready before a question's time was over.
fn not_ready() -> Failure {
    Failure::new("overloaded", "no worker is ready yet; try again in a few seconds")
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl QueryPool {
    /// A pool over one warehouse. Nothing starts before the first query or [`QueryPool::warm`].
    pub fn new(
        data: String,
        definitions: Option<PathBuf>,
        settings: &config::Query,
        spill_root: PathBuf,
        memory: Arc<Memory>,
    ) -> Self {
        Self {
            setup: Setup {
                definitions,
                data: Some(data),
                pool_bytes: settings.pool_bytes,
                address_space_bytes: settings.worker_bytes,
                spill_dir: None,
                spill_bytes: settings.spill_bytes,
                scan_bytes: settings.scan_bytes,
            },
            spill_root,
            slots: Arc::new(Semaphore::new(settings.workers.max(1))),
            idle: Mutex::new(Vec::new()),
            waiting: AtomicUsize::new(0),
            capacity: settings.workers.max(1),
            queue: settings.queue,
            queue_wait: Duration::from_millis(settings.queue_wait_ms),
            spawned: AtomicU64::new(0),
            memory,
            gives_way: true,
            kept_bytes: settings.memory_bytes / KEPT_SHARE,
        }
    }

    /// The same for questions that are taken however scarce memory is: those of pages.
    pub fn taking_all(self) -> Self {
        Self { gives_way: false, ..self }
    }

    /// Starts all workers ahead of the first query. Each is a process that loads the declarations for itself: what this one has
    /// loaded cannot be handed to it.
    pub fn warm(&self) -> Result<(), WorkerError> {
        for _ in 0..self.capacity {
            self.keep(self.spawn()?);
        }
        Ok(())
    }

    fn spawn(&self) -> Result<Worker, WorkerError> {
        let number = self.spawned.fetch_add(1, Ordering::Relaxed);
        let spill_dir = self.spill_root.join(format!("{}-{number}", std::process::id()));
        let worker = Worker::start(&Setup { spill_dir: Some(spill_dir), ..self.setup.clone() })?;
        Ok(worker.counted_in(&self.memory))
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
        // What a large query has left behind is not given to the system by itself.
        if worker.held_bytes() > self.kept_bytes {
            worker.retire();
            match self.spawn() {
                Ok(fresh) => return self.keep(fresh),
                Err(error) => return tracing::error!(%error, "no worker"),
            }
        }
        self.keep(worker);
    }

    fn keep(&self, worker: Worker) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.capacity {
            return idle.push(worker);
        }
        drop(idle);
        worker.retire();
    }

    /// Runs a statement over a snapshot.
    pub async fn query(
        self: &Arc<Self>,
        statement: Statement,
        snapshot: Arc<Snapshot>,
        now: DateTime<Utc>,
        limits: QueryLimits,
    ) -> Result<QueryAnswer, Failure> {
        let deadline = Instant::now() + limits.timeout;
        let permit = self.admit(&statement).instrument(info_span!("queue")).await?;
        let pool = Arc::clone(self);
        let (started_tx, started_rx) = oneshot::channel();
        let (waited_for, waits) = mpsc::channel(1);
        let question =
            Question { waited_for, statement, snapshot, now, max_rows: limits.max_rows, span: Span::current() };
        tokio::task::spawn_blocking(move || pool.run(permit, question, deadline, started_tx));
        let started = match tokio::time::timeout_at(deadline + LAST_WORDS, started_rx).await {
            Ok(started) => started.unwrap_or_else(|_| Err(Failure::new("internal", "the query was not started"))),
            Err(_) => Err(not_ready()),
        };
        started.map(|answer| QueryAnswer { _waits: Some(waits), ..answer })
    }

    /// Says what a statement would give over a snapshot.
    pub async fn describe(
        self: &Arc<Self>,
        statement: Statement,
        snapshot: Arc<Snapshot>,
        now: DateTime<Utc>,
        timeout: Duration,
    ) -> Result<Description, Failure> {
        let deadline = Instant::now() + timeout;
        let permit = self.admit(&statement).instrument(info_span!("queue")).await?;
        let pool = Arc::clone(self);
        // Who no longer waits is noticed by the watch: the worker's time is not spent on nobody.
        let (waited_for, _waits) = mpsc::channel(1);
        let question = Question { waited_for, statement, snapshot, now, max_rows: 0, span: Span::current() };
        let described = tokio::task::spawn_blocking(move || pool.run_description(permit, question, deadline));
        match tokio::time::timeout_at(deadline + LAST_WORDS, described).await {
            Ok(described) => {
                described.unwrap_or_else(|_| Err(Failure::new("internal", "the statement was not described")))
            }
            Err(_) => Err(not_ready()),
        }
    }

    /// How many queries run, and how many wait.
    pub fn load(&self) -> (usize, usize) {
        (self.capacity - self.slots.available_permits(), self.waiting.load(Ordering::SeqCst))
    }

    /// Whether somebody waits for a worker and there is none.
    pub(super) fn is_waited_for(&self) -> bool {
        let (running, waiting) = self.load();
        waiting > 0 && running == self.capacity
    }

    /// Workers started since the process began.
    pub fn spawned(&self) -> u64 {
        self.spawned.load(Ordering::Relaxed)
    }

    async fn admit(&self, statement: &Statement) -> Result<OwnedSemaphorePermit, Failure> {
        let overloaded = || Failure::new("overloaded", "too many queries at once; try again in a few seconds");
        // What is refused when there is most to do costs least: nothing is looked at before there is a place.
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= self.queue + self.slots.available_permits() {
            return Err(overloaded());
        }
        // Before anything parses.
        scan(&statement.sql, &TextLimits::default()).map_err(|error| Failure::new(error.code(), error.to_string()))?;
        if self.gives_way && self.memory.is_scarce() {
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
        let _within = question.span.clone().entered();
        let worker = match self.worker() {
            Ok(worker) => worker,
            Err(failure) => {
                let _ = started.send(Err(failure));
                return;
            }
        };
        if question.is_late(deadline) {
            self.give_back(worker);
            let _ = started.send(Err(not_ready()));
            return;
        }
        // Two batches wait for their reader; the third place is for the word that there are no more.
        let (batches, receiver) = mpsc::channel(3);
        let watch = Watch::start(worker.killer(), deadline, question.waited_for.clone(), Arc::clone(&self.memory));
        // The answer ends for its reader when this is dropped: not before the watch has ended, which would take a reader
        // that is done for one that has gone.
        let end = batches.clone();
        let listener = Listener { batches, receiver, started, deadline };
        if let Some(worker) = converse(self, worker, question, listener) {
            if watch.stop() {
                self.give_back(worker);
            } else {
                worker.bury();
            }
        }
        drop(permit);
        drop(end);
    }

    /// A worker that is ready. For blocking threads only.
    fn worker(&self) -> Result<Worker, Failure> {
        let unusable = || Failure::new("internal", "no worker process could be started");
        let mut worker = self.take().map_or_else(|| self.spawn(), Ok).map_err(|error| {
            tracing::error!(%error, "no worker");
            unusable()
        })?;
        if !worker.is_started {
            // It gets ready even if whoever asked has gone: the next one wants it.
            let (waited_for, _waits) = mpsc::channel(1);
            let watch = Watch::start(worker.killer(), Instant::now() + START, waited_for, Arc::clone(&self.memory));
            let started = worker.receive::<Started>();
            let is_in_time = watch.stop();
            if let Err(error) = started {
                tracing::error!(%error, is_in_time, "a worker process does not get ready");
                worker.bury();
                return Err(unusable());
            }
            worker.is_started = true;
        }
        Ok(worker)
    }

    /// The blocking half of a description.
    fn run_description(
        &self,
        permit: OwnedSemaphorePermit,
        question: Question,
        deadline: Instant,
    ) -> Result<Description, Failure> {
        let _within = question.span.clone().entered();
        let mut worker = self.worker()?;
        if question.is_late(deadline) {
            self.give_back(worker);
            return Err(not_ready());
        }
        let watch = Watch::start(worker.killer(), deadline, question.waited_for.clone(), Arc::clone(&self.memory));
        let request = request(&mut worker, question);
        let header = worker.send(&Request::Describe(request)).and_then(|()| worker.receive::<Header>());
        let is_unharmed = watch.stop();
        let described = match header {
            Ok(Header::Described { parameters, schema }) => {
                let parts = schema_of(&parameters).zip(schema_of(&schema));
                parts
                    .map(|(parameters, schema)| Description { parameters, schema })
                    .ok_or_else(|| Failure::new("internal", "the worker's answer cannot be read"))
            }
            Ok(Header::Failed(failure)) => Err(failure),
            Ok(Header::Ready { .. }) | Err(_) => {
                let failure = worker.bury();
                drop(permit);
                return Err(failure);
            }
        };
        if is_unharmed {
            self.give_back(worker);
        } else {
            worker.bury();
        }
        drop(permit);
        described
    }
}

/// A schema that came as an Arrow stream without rows, in base64.
fn schema_of(text: &str) -> Option<SchemaRef> {
    let bytes = STANDARD.decode(text).ok()?;
    Some(StreamReader::try_new(bytes.as_slice(), None).ok()?.schema())
}
