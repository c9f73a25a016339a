//! What the process counts of itself, in the text format of OpenMetrics: `GET /metrics`.
//!
//! Names and labels are few and fixed: no statement, no address, no key and no dataset is a label.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// The protocol that a query came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Door {
    /// SQL over HTTP.
    Http,
    /// Pages and listings of our own.
    Page,
    /// The protocol of PostgreSQL.
    Postgres,
    /// Arrow Flight SQL.
    Flight,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueryLabels {
    door: Door,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DoorLabels {
    door: Door,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

/// The counters of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram>,
    queries: Family<QueryLabels, Counter>,
    query_seconds: Family<DoorLabels, Histogram>,
    refused_connections: Family<DoorLabels, Counter>,
    running: Gauge,
    waiting: Gauge,
    workers: Gauge<i64>,
    cache_hits: Counter,
    memory: Gauge<u64, AtomicU64>,
    spill: Gauge<u64, AtomicU64>,
    counter: Gauge<u64, AtomicU64>,
    releases: Gauge<u64, AtomicU64>,
}

/// What is looked at when somebody asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sight {
    /// Queries that run.
    pub running: usize,
    /// Queries that wait.
    pub waiting: usize,
    /// Worker processes started since the process began.
    pub workers: u64,
    /// Bytes in the folder for spilling.
    pub spill_bytes: u64,
    /// Counter of the pointer.
    pub counter: u64,
    /// Current releases.
    pub releases: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("gongkai");
        let (requests, request_seconds) =
            (Family::default(), Family::new_with_constructor(seconds as fn() -> Histogram));
        let (queries, query_seconds) = (Family::default(), Family::new_with_constructor(seconds as fn() -> Histogram));
        let refused_connections = Family::<DoorLabels, Counter>::default();
        let (running, waiting, workers) = (Gauge::default(), Gauge::default(), Gauge::default());
        let cache_hits = Counter::default();
        let (memory, spill, counter, releases) =
            (Gauge::default(), Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("http_requests", "Requests by route, method and status", Family::clone(&requests));
        registry.register_with_unit(
            "http_request_duration",
            "Time from the head of a request to the head of its answer",
            Unit::Seconds,
            Family::clone(&request_seconds),
        );
        registry.register("queries", "Queries by door and outcome: ok, or a code of errors", Family::clone(&queries));
        registry.register_with_unit(
            "query_start_duration",
            "Time from a query to the start of its answer: waiting and planning",
            Unit::Seconds,
            Family::clone(&query_seconds),
        );
        registry.register(
            "connections_refused",
            "Connections closed because their address, or the door, had as many as it may",
            Family::clone(&refused_connections),
        );
        registry.register("queries_running", "Queries that a worker runs", running.clone());
        registry.register("queries_waiting", "Queries that wait for a worker", waiting.clone());
        registry.register("workers_started", "Worker processes started since the process began", workers.clone());
        registry.register("query_cache_hits", "Answers given from the cache", cache_hits.clone());
        registry.register_with_unit(
            "resident_memory",
            "Resident memory of the main process",
            Unit::Bytes,
            memory.clone(),
        );
        registry.register_with_unit("spill", "Rows spilled to disk", Unit::Bytes, spill.clone());
        registry.register("pointer_counter", "Counter of the pointer that is served", counter.clone());
        registry.register("releases_current", "Current releases", releases.clone());
        Self {
            registry,
            requests,
            request_seconds,
            queries,
            query_seconds,
            refused_connections,
            running,
            waiting,
            workers,
            cache_hits,
            memory,
            spill,
            counter,
            releases,
        }
    }
}

impl Metrics {
    /// Counts a request that was answered.
    pub fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let labels = RequestLabels { route: route.to_owned(), method: method.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.get_or_create(&RouteLabels { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// Counts a query that was started or refused.
    pub fn query(&self, door: Door, outcome: &str, took: Duration) {
        self.queries.get_or_create(&QueryLabels { door, outcome: outcome.to_owned() }).inc();
        self.query_seconds.get_or_create(&DoorLabels { door }).observe(took.as_secs_f64());
    }

    /// Counts a connection that was not taken.
    pub fn refuse_connection(&self, door: Door) {
        self.refused_connections.get_or_create(&DoorLabels { door }).inc();
    }

    /// Counts an answer from the cache.
    pub fn cache_hit(&self) {
        self.cache_hits.inc();
    }

    /// Everything as text.
    pub fn render(&self, sight: Sight) -> String {
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.running.set(gauge(sight.running as u64));
        self.waiting.set(gauge(sight.waiting as u64));
        self.workers.set(gauge(sight.workers));
        self.memory.set(resident_bytes());
        self.spill.set(sight.spill_bytes);
        self.counter.set(sight.counter);
        self.releases.set(sight.releases);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Resident memory of this process; 0 where the system does not tell.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or_default() << 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told_in_the_text_format() {
        let metrics = Metrics::default();
        metrics.request("/api/v1/sql", "GET", 200, Duration::from_millis(3));
        metrics.query(Door::Postgres, "query_timeout", Duration::from_secs(10));
        metrics.refuse_connection(Door::Flight);
        metrics.cache_hit();
        let text =
            metrics.render(Sight { running: 1, waiting: 2, workers: 3, spill_bytes: 4, counter: 5, releases: 6 });
        for line in [
            r#"gongkai_http_requests_total{route="/api/v1/sql",method="GET",status="200"} 1"#,
            r#"gongkai_queries_total{door="Postgres",outcome="query_timeout"} 1"#,
            r#"gongkai_connections_refused_total{door="Flight"} 1"#,
            "gongkai_queries_waiting 2",
            "gongkai_query_cache_hits_total 1",
            "gongkai_spill_bytes 4",
            "gongkai_releases_current 6",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(resident_bytes() > 1 << 20);
    }
}
