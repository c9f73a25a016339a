//! What handlers share: the instance, the workers and the snapshot that the pointer names.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::ops::Deref;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use gongkai_catalog::{Audience, Catalog, Dataset, Table};
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::lake::pointer;
use gongkai_warehouse::store::Store;
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};
use tracing::Instrument;

use super::answers::Answers;
use super::caller::Asker;
use super::query::StoredQueries;
use super::{ApiError, source, spooled};
use crate::access::{Caller, Guesses, Meter, Role, Running, caller_of};
use crate::config::Query;
use crate::instance::{DEFAULT_DATA, Instance};
use crate::metrics::{Door, Metrics, Sight};
use crate::worker::{Description, Failure, Memory, QueryAnswer, QueryLimits, QueryPool, Statement};

/// An earlier state, by the counter when it was asked for and its own.
type Earlier = ((u64, u64), Arc<Snapshot>);

/// Files that are written while they are sent, at once: each has threads of its own.
const DOWNLOADS: usize = 16;
/// Earlier states that are kept.
const EARLIER: usize = 4;
/// Queries that one party may store in a minute.
const CITATIONS_PER_MINUTE: u32 = 10;
/// Questions of pages that may wait at least.
const PAGES_WAITING: usize = 64;

/// The pointer, and the snapshot that it names.
struct Cached {
    /// The file as the system knows it, on a local disk.
    file: Option<FileMark>,
    bytes: Bytes,
    snapshot: Arc<Snapshot>,
}

/// What tells a file from one that has taken its place: number, time of writing in seconds and nanoseconds, length.
type FileMark = (u64, i64, i64, u64);

/// Shared state; cheap to clone, which every layer and handler does for every request.
#[derive(Clone)]
pub struct App(Arc<Shared>);

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What is shared.
pub struct Shared {
    /// Settings, declarations, warehouse.
    pub instance: Instance,
    /// Workers for queries of visitors.
    pub pool: Arc<QueryPool>,
    /// The worker for what our own pages and listings ask, so that they never wait behind visitors' queries.
    pub page_pool: Arc<QueryPool>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Answers that may be given again.
    pub answers: Answers,
    meter: Meter,
    citations: Meter,
    downloads: Arc<Semaphore>,
    /// KiB of large answers that wait for their clients.
    spool: Arc<Semaphore>,
    cached: RwLock<Option<Cached>>,
    /// Earlier states that were asked for, by the counter then and theirs.
    earlier: RwLock<VecDeque<Earlier>>,
    /// How many queries are stored.
    stored: StoredQueries,
    windows: Arc<source::Windows>,
    guesses: Guesses,
    is_stopping: AtomicBool,
}

impl App {
    /// Over an open instance.
    pub fn new(instance: Instance) -> Self {
        let data = instance.config.data.clone().unwrap_or_else(|| DEFAULT_DATA.to_owned());
        let spill_root = spill_root(&instance);
        let settings = &instance.config.query;
        let definitions = &instance.config.definitions;
        let memory = Memory::new(settings.memory_bytes);
        let pool = QueryPool::new(data.clone(), definitions.clone(), settings, spill_root.clone(), Arc::clone(&memory));
        let of_pages = Query { workers: 1, queue: settings.queue.max(PAGES_WAITING), ..settings.clone() };
        let page_pool =
            QueryPool::new(data, definitions.clone(), &of_pages, spill_root.join("pages"), memory).taking_all();
        let limits = &instance.config.limits;
        let meter = Meter::new(limits.queries_per_minute, limits.queries_at_once);
        let windows = Arc::new(source::Windows::new(instance.config.definitions.clone()));
        Self(Arc::new(Shared {
            instance,
            pool: Arc::new(pool),
            page_pool: Arc::new(page_pool),
            metrics: Arc::default(),
            answers: Answers::default(),
            meter,
            cached: RwLock::default(),
            earlier: RwLock::default(),
            downloads: Arc::new(Semaphore::new(DOWNLOADS)),
            spool: Arc::new(Semaphore::new(spooled::BYTES >> 10)),
            citations: Meter::new(CITATIONS_PER_MINUTE, 0),
            stored: StoredQueries::default(),
            windows,
            guesses: Guesses::default(),
            is_stopping: AtomicBool::default(),
        }))
    }

    /// Declarations.
    pub fn catalog(&self) -> &Catalog {
        &self.instance.definitions.catalog
    }

    /// The warehouse's store.
    pub fn store(&self) -> &dyn Store {
        self.instance.warehouse.store().as_ref()
    }

    /// What the pointer names now. The pointer is looked at each time, and read when another has taken its place: it is never
    /// written to, only replaced. What it names is kept.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>, ApiError> {
        // Before it is read: one that comes in between is found the next time.
        let file = self.pointer_mark();
        if let Some(cached) = self.cached.read().await.as_ref()
            && file.is_some()
            && cached.file == file
        {
            return Ok(Arc::clone(&cached.snapshot));
        }
        let Some(bytes) = self.store().read_optional(pointer::PATH).await? else {
            return Ok(Arc::new(Snapshot::empty()));
        };
        let mut cached = self.cached.write().await;
        let snapshot = match cached.take().filter(|cached| cached.bytes == bytes) {
            Some(cached) => cached.snapshot,
            None => Arc::new(self.instance.warehouse.snapshot().await?),
        };
        *cached = Some(Cached { file, bytes, snapshot: Arc::clone(&snapshot) });
        Ok(snapshot)
    }

    /// The pointer's file as the system knows it; none where it is not on a local disk, or not there.
    fn pointer_mark(&self) -> Option<FileMark> {
        let file = std::fs::metadata(self.store().local_root()?.join(pointer::PATH)).ok()?;
        Some((file.ino(), file.mtime(), file.mtime_nsec(), file.size()))
    }

    /// The snapshot at a time, where one is asked for.
    pub async fn snapshot_at(&self, as_of: Option<&str>) -> Result<Arc<Snapshot>, ApiError> {
        let snapshot = self.snapshot().await?;
        match as_of.filter(|text| !text.is_empty()) {
            Some(text) => Ok(Arc::new(snapshot.as_of(parse_time(text)?))),
            None => Ok(snapshot),
        }
    }

    /// What the pointer named at an earlier state.
    ///
    /// # Errors
    ///
    /// `not_found` where there was no such state.
    pub async fn snapshot_of(&self, counter: u64) -> Result<Arc<Snapshot>, ApiError> {
        let now = self.snapshot().await?;
        if now.counter == counter {
            return Ok(now);
        }
        let key = (now.counter, counter);
        if let Some((_, known)) = self.earlier.read().await.iter().find(|(known, _)| *known == key) {
            return Ok(Arc::clone(known));
        }
        let then = self.instance.warehouse.snapshot_of(counter).await?;
        let then = Arc::new(then.ok_or_else(|| ApiError::not_found("state", &counter.to_string()))?);
        let mut earlier = self.earlier.write().await;
        if earlier.len() >= EARLIER {
            earlier.pop_front();
        }
        earlier.push_back((key, Arc::clone(&then)));
        Ok(then)
    }

    /// A dataset that everybody may see; another does not exist for the caller.
    pub fn dataset(&self, id: &str) -> Result<(&Dataset, &Table), ApiError> {
        self.catalog()
            .datasets
            .get(id)
            .filter(|dataset| dataset.audience == Audience::Public)
            .and_then(|dataset| Some((dataset, self.catalog().tables.get(&dataset.table)?)))
            .ok_or_else(|| ApiError::not_found("dataset", id))
    }

    /// How long a question of this caller may take.
    pub fn timeout(&self, caller: &Caller) -> Duration {
        let settings = &self.instance.config.query;
        let milliseconds = match caller.role() {
            Role::Public => settings.timeout_ms,
            _ => settings.timeout_with_key_ms.max(settings.timeout_ms),
        };
        Duration::from_millis(milliseconds)
    }

    /// Takes one query of the party that asks. It counts as long as what is given back is kept.
    pub fn meter(&self, caller: &Caller, address: Option<IpAddr>) -> Result<Running, ApiError> {
        self.meter.take(caller, address, Instant::now()).map_err(ApiError::from)
    }

    /// A place among the files that are written while they are sent; those that lie ready need none.
    ///
    /// # Errors
    ///
    /// `overloaded` when there is none for too long.
    pub async fn download_place(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let wait = Duration::from_millis(self.instance.config.query.queue_wait_ms);
        let place = tokio::time::timeout(wait, Arc::clone(&self.downloads).acquire_owned()).await;
        let overloaded = || ApiError::new("overloaded", "too many downloads at once; try again in a few seconds");
        place.ok().and_then(Result::ok).ok_or_else(overloaded)
    }

    /// Room for a large answer that waits for its client.
    ///
    /// # Errors
    ///
    /// `overloaded` when there is none.
    pub fn spool_place(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let kibibytes = u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        let overloaded = |_| ApiError::new("overloaded", "too many large answers are on their way; ask for less");
        Arc::clone(&self.spool).try_acquire_many_owned(kibibytes).map_err(overloaded)
    }

    /// The folder for what does not stay in memory.
    pub fn spill_root(&self) -> PathBuf {
        spill_root(&self.instance)
    }

    /// Takes one stored query of the party that asks for it.
    pub fn meter_citation(&self, caller: &Caller, address: Option<IpAddr>) -> Result<(), ApiError> {
        self.citations.take(caller, address, Instant::now()).map(drop).map_err(ApiError::from)
    }

    /// How many queries are stored.
    pub fn stored_queries(&self) -> &StoredQueries {
        &self.stored
    }

    /// Runs a statement in a worker, which stops after so many rows.
    pub async fn ask(
        &self,
        door: Door,
        statement: Statement,
        snapshot: Arc<Snapshot>,
        max_rows: usize,
        timeout: Duration,
    ) -> Result<QueryAnswer, Failure> {
        let pool = if door == Door::Page { &self.page_pool } else { &self.pool };
        let limits = QueryLimits { timeout, max_rows };
        let begun = Instant::now();
        let span = tracing::info_span!("query", ?door, code = tracing::field::Empty);
        let asked = pool.query(statement, snapshot, self.instance.clock.now(), limits);
        let answer = asked.instrument(span.clone()).await;
        let outcome = answer.as_ref().map_or_else(|failure| failure.code.as_str(), |_| "ok");
        span.record("code", outcome);
        self.metrics.query(door, outcome, begun.elapsed());
        answer
    }

    /// Says what a statement would give, without running it. Unless that is known, it is one of its party's queries: planning
    /// takes a worker too.
    pub async fn describe(
        &self,
        asker: &Asker,
        statement: Statement,
        snapshot: Arc<Snapshot>,
        timeout: Duration,
    ) -> Result<Description, ApiError> {
        let key = (statement.clone(), snapshot.counter, snapshot.as_of);
        if let Some(known) = self.answers.description(&key) {
            return Ok(known);
        }
        let _running = self.meter(&asker.caller, asker.address)?;
        let described = self.pool.describe(statement, snapshot, self.instance.clock.now(), timeout).await?;
        self.answers.keep_description(key, &described);
        Ok(described)
    }

    /// What is to be seen of the instance now.
    pub async fn sight(&self) -> Sight {
        let (running, waiting) = self.pool.load();
        let (of_pages, waiting_pages) = self.page_pool.load();
        let snapshot = self.snapshot().await.ok();
        Sight {
            running: running + of_pages,
            waiting: waiting + waiting_pages,
            workers: self.pool.spawned() + self.page_pool.spawned(),
            spill_bytes: folder_bytes(&spill_root(&self.instance)),
            counter: snapshot.as_ref().map_or(0, |snapshot| snapshot.counter),
            releases: snapshot.as_ref().map_or(0, |snapshot| snapshot.current_releases().count() as u64),
        }
    }

    /// Counts a key from this address that was not valid.
    ///
    /// # Errors
    ///
    /// `rate_limited` after too many of them.
    pub fn guessed(&self, address: IpAddr) -> Result<(), ApiError> {
        self.guesses.guessed(Some(address), Instant::now()).map_err(ApiError::from)
    }

    /// Who asks.
    ///
    /// # Errors
    ///
    /// `unauthorized` for a key that is not valid, `rate_limited` after too many of them.
    pub async fn caller(&self, headers: &HeaderMap, address: Option<IpAddr>) -> Result<Caller, ApiError> {
        let now = self.instance.clock.now();
        caller_of(headers, address, self.store(), &self.guesses, now, Instant::now()).await
    }

    /// Windows of department files' cells.
    pub fn windows(&self) -> Arc<source::Windows> {
        Arc::clone(&self.windows)
    }

    /// From now on the instance is not ready.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
    }

    /// Whether the instance is about to end.
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }
}

/// Bytes of all files below a folder; 0 where it is not there.
fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let bytes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

fn spill_root(instance: &Instance) -> PathBuf {
    match instance.warehouse.store().local_root() {
        Some(root) => root.join("work").join("spill"),
        None => std::env::temp_dir().join("gongkai-spill"),
    }
}

/// An instant, or a date for the end of that day in Beijing.
pub fn parse_time(text: &str) -> Result<DateTime<Utc>, ApiError> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    text.parse::<NaiveDate>()
        .ok()
        .and_then(|date| date.and_hms_opt(15, 59, 59))
        .map(|end_of_day| end_of_day.and_utc())
        .ok_or_else(|| ApiError::parameter("as_of", text, "an instant such as 2026-01-31T08:00:00Z, or a date"))
}
