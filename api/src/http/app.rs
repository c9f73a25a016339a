//! What handlers share: the instance, the workers and the snapshot that the pointer names.

use std::net::IpAddr;
use std::path::PathBuf;
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
use tokio::sync::RwLock;

use super::{ApiError, source};
use crate::access::{Caller, Guesses, Role, caller_of};
use crate::instance::{DEFAULT_DATA, Instance};
use crate::worker::{Description, Failure, QueryAnswer, QueryLimits, QueryPool, Statement};

/// The pointer's bytes, and the snapshot they name.
type Cached = (Bytes, Arc<Snapshot>);

/// Shared state; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Settings, declarations, warehouse.
    pub instance: Instance,
    /// Workers for queries.
    pub pool: Arc<QueryPool>,
    cached: Arc<RwLock<Option<Cached>>>,
    windows: Arc<source::Windows>,
    guesses: Arc<Guesses>,
    is_stopping: Arc<AtomicBool>,
}

impl App {
    /// Over an open instance.
    pub fn new(instance: Instance) -> Self {
        let data = instance.config.data.clone().unwrap_or_else(|| DEFAULT_DATA.to_owned());
        let spill_root = spill_root(&instance);
        let pool = QueryPool::new(data, instance.config.definitions.clone(), &instance.config.query, spill_root);
        let windows = Arc::new(source::Windows::new(instance.config.definitions.clone()));
        Self {
            instance,
            pool: Arc::new(pool),
            cached: Arc::default(),
            windows,
            guesses: Arc::default(),
            is_stopping: Arc::default(),
        }
    }

    /// Declarations.
    pub fn catalog(&self) -> &Catalog {
        &self.instance.definitions.catalog
    }

    /// The warehouse's store.
    pub fn store(&self) -> &dyn Store {
        self.instance.warehouse.store().as_ref()
    }

    /// What the pointer names now. It is read each time; what it names is kept.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>, ApiError> {
        let Some(bytes) = self.store().read_optional(pointer::PATH).await? else {
            return Ok(Arc::new(Snapshot::empty()));
        };
        if let Some((known, snapshot)) = self.cached.read().await.as_ref()
            && *known == bytes
        {
            return Ok(Arc::clone(snapshot));
        }
        let snapshot = Arc::new(self.instance.warehouse.snapshot().await?);
        *self.cached.write().await = Some((bytes, Arc::clone(&snapshot)));
        Ok(snapshot)
    }

    /// The snapshot at a time, where one is asked for.
    pub async fn snapshot_at(&self, as_of: Option<&str>) -> Result<Arc<Snapshot>, ApiError> {
        let snapshot = self.snapshot().await?;
        match as_of.filter(|text| !text.is_empty()) {
            Some(text) => Ok(Arc::new(snapshot.as_of(parse_time(text)?))),
            None => Ok(snapshot),
        }
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

    /// Runs a statement in a worker, which stops after so many rows.
    pub async fn ask(
        &self,
        statement: Statement,
        snapshot: Arc<Snapshot>,
        max_rows: usize,
        timeout: Duration,
    ) -> Result<QueryAnswer, Failure> {
        let limits = QueryLimits { timeout, max_rows };
        self.pool.query(statement, snapshot, self.instance.clock.now(), limits).await
    }

    /// Says what a statement would give, without running it.
    pub async fn describe(
        &self,
        statement: Statement,
        snapshot: Arc<Snapshot>,
        timeout: Duration,
    ) -> Result<Description, Failure> {
        self.pool.describe(statement, snapshot, self.instance.clock.now(), timeout).await
    }

    /// Whether a key from this address is looked at: not after too many that were not valid.
    pub fn may_guess(&self, address: IpAddr) -> Result<(), ApiError> {
        let checked = self.guesses.check(Some(address), Instant::now());
        checked.map_err(|refused| ApiError::new("rate_limited", refused.to_string()))
    }

    /// Counts a key that was not valid.
    pub fn count_guess(&self, address: IpAddr) {
        self.guesses.count(Some(address), Instant::now());
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
