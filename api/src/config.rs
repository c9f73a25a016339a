//! Settings: `gongkai.toml`, overridden by `GONGKAI_*` variables, overridden by flags.

use std::path::{Path, PathBuf};

use gongkai_warehouse::release::OnError;
use serde::Deserialize;

use crate::access::{Proxies, UnknownProxy};

/// Name of the settings file in the working folder.
pub const FILE: &str = "gongkai.toml";

/// All settings of one instance. Every one has a default; an unknown one is refused.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of department files; none for the shipped samples.
    pub inbox: Option<PathBuf>,
    /// Warehouse: a folder, `file://…` or `memory://`.
    pub data: Option<String>,
    /// Folder of declarations in place of those built in.
    pub definitions: Option<PathBuf>,
    /// Address for HTTP.
    pub http: Option<String>,
    /// Folder of the signing key: of this machine, never in the warehouse.
    pub keys: Option<PathBuf>,
    /// Publishing.
    pub publishing: Publishing,
    /// Address for clients of PostgreSQL; none for no such door.
    pub pg: Option<String>,
    /// Address for clients of Arrow Flight SQL; none for no such door.
    pub flight: Option<String>,
    /// The certificate of both.
    pub tls: Tls,
    /// Collector of OpenTelemetry that traces are sent to, such as `http://127.0.0.1:4317`; none for no traces.
    pub otlp: Option<String>,
    /// Limits of queries from outside.
    pub query: Query,
    /// Limits of connections and requests.
    pub limits: Limits,
    /// How department files are read.
    pub ingest: Ingest,
}

/// The certificate of the doors for PostgreSQL and Arrow Flight SQL. Keys are taken over TLS only.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// File with the certificate and those above it, in PEM.
    pub certificate: Option<PathBuf>,
    /// File with its private key, in PEM.
    pub key: Option<PathBuf>,
}

/// Limits of connections and requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Most connections of HTTP at once.
    pub http_connections: usize,
    /// Most connections of PostgreSQL at once.
    pub pg_connections: usize,
    /// Most connections that one IPv4 address or one IPv6 /64 has at a door, and at most a quarter of those of PostgreSQL; 0 for no
    /// limit. This machine and the proxies that are
    /// believed are not counted: many clients come through them.
    pub connections_per_address: usize,
    /// Queries that one key, one IPv4 /24 or one IPv6 /64 may ask in a minute; 0 for no limit.
    pub queries_per_minute: u32,
    /// Queries that one of these may have running or waiting at once; 0 for no limit.
    pub queries_at_once: u32,
    /// Queries that may be stored to be cited, in all; 0 for no limit. They are never removed, and anybody may store one.
    pub stored_queries: usize,
    /// Proxies that are believed when they say for whom they ask: addresses and networks.
    pub trusted_proxies: Proxies,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            http_connections: 1024,
            pg_connections: 128,
            connections_per_address: 64,
            queries_per_minute: 600,
            queries_at_once: 0,
            // Chosen: with at most 8 KiB of statement and as much of values in each they take 1.6 GiB, and what JSON and the names
            // of releases add. More is disk that strangers may fill; with less, citing ends sooner.
            stored_queries: 100_000,
            trusted_proxies: Proxies::default(),
        }
    }
}

/// Settings of publishing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Publishing {
    /// The office that approves releases, as the manifest names it.
    pub office: String,
    /// Name of a log that this instance begins, such as `data.example.gov.cn/log`; else one is made of the key.
    pub origin: Option<String>,
    /// What to do where a blocking check finds an error.
    pub on_error: OnError,
    /// Whether one person may submit and approve, and `gongkai up` releases what it reads.
    pub local_operator: bool,
}

impl Default for Publishing {
    fn default() -> Self {
        Self {
            office: "本机操作员 (local operator)".into(),
            origin: None,
            on_error: OnError::Publish,
            local_operator: true,
        }
    }
}

/// Limits of queries from outside.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Query {
    /// Longest time of one query, waiting included, without a key.
    pub timeout_ms: u64,
    /// The same with a key.
    pub timeout_with_key_ms: u64,
    /// Worker processes.
    pub workers: usize,
    /// Queries that may wait for a worker.
    pub queue: usize,
    /// Longest wait for a worker.
    pub queue_wait_ms: u64,
    /// Memory pool of one worker.
    pub pool_bytes: usize,
    /// Address space of one worker, enforced by the system.
    pub worker_bytes: u64,
    /// Memory that the process and its workers for queries may take together. Beyond it the query that has most is ended; near it
    /// only those of our own pages are taken.
    pub memory_bytes: u64,
    /// Bytes of row files that one query may read.
    pub scan_bytes: u64,
    /// Disk that one worker may spill to.
    pub spill_bytes: u64,
    /// Most rows in one answer.
    pub max_rows: usize,
    /// Most bytes in one answer, as Arrow.
    pub max_bytes: usize,
    /// Most rows of an answer that is sent as it comes: files, and the protocols of PostgreSQL and Arrow Flight.
    pub stream_rows: usize,
    /// Most bytes of such an answer, as Arrow.
    pub stream_bytes: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            timeout_ms: 10_000,
            timeout_with_key_ms: 60_000,
            workers: 2,
            queue: 16,
            queue_wait_ms: 5_000,
            pool_bytes: 256 << 20,
            worker_bytes: 1536 << 20,
            memory_bytes: 768 << 20,
            scan_bytes: 8 << 30,
            spill_bytes: 1 << 30,
            max_rows: 100_000,
            max_bytes: 32 << 20,
            stream_rows: 1_000_000,
            stream_bytes: 256 << 20,
        }
    }
}

/// How department files are read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// Processes that read files at once; 0 for the number of cores, at most 4.
    pub workers: usize,
    /// Address space of one of them, enforced by the system.
    pub worker_bytes: u64,
    /// Longest time that one file may take.
    pub timeout_ms: u64,
    /// Most bytes of rows that one file may give, as Arrow.
    pub output_bytes: u64,
    /// Time between two looks at a watched inbox.
    pub watch_ms: u64,
}

/// Most reading processes where the setting does not name a number: each may take its whole address space.
const MOST_WORKERS: usize = 4;

impl Default for Ingest {
    fn default() -> Self {
        Self { workers: 0, worker_bytes: 1 << 30, timeout_ms: 60_000, output_bytes: 1 << 30, watch_ms: 2_000 }
    }
}

impl Ingest {
    /// Processes that read files at once.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS),
            count => count,
        }
    }
}

/// Why the settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not the TOML that is expected.
    #[error("{path}: {source}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// The parser's message.
        source: Box<toml::de::Error>,
    },
    /// A variable's text names no proxy.
    #[error("GONGKAI_TRUSTED_PROXIES: {0}")]
    Proxy(#[source] UnknownProxy),
    /// A variable's text is not a number.
    #[error("{variable} is {found:?}, expected a whole number")]
    Number {
        /// The variable.
        variable: &'static str,
        /// Its text.
        found: String,
    },
}

impl Config {
    /// Reads `gongkai.toml` in `folder`, if there is one, then the environment.
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join(FILE);
        let mut config = match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|source| ConfigError::Toml { path, source: Box::new(source) })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(source) => return Err(ConfigError::Read { path, source }),
        };
        config.read_environment()?;
        Ok(config)
    }

    fn read_environment(&mut self) -> Result<(), ConfigError> {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(value) = text("GONGKAI_INBOX") {
            self.inbox = Some(value.into());
        }
        if let Some(value) = text("GONGKAI_DATA") {
            self.data = Some(value);
        }
        if let Some(value) = text("GONGKAI_DEFINITIONS") {
            self.definitions = Some(value.into());
        }
        if let Some(value) = text("GONGKAI_KEYS") {
            self.keys = Some(value.into());
        }
        if let Some(value) = text("GONGKAI_HTTP") {
            self.http = Some(value);
        }
        if let Some(value) = text("GONGKAI_PG") {
            self.pg = Some(value);
        }
        if let Some(value) = text("GONGKAI_FLIGHT") {
            self.flight = Some(value);
        }
        if let Some(value) = text("GONGKAI_OTLP") {
            self.otlp = Some(value);
        }
        if let Some(value) = text("GONGKAI_TLS_CERTIFICATE") {
            self.tls.certificate = Some(value.into());
        }
        if let Some(value) = text("GONGKAI_TLS_KEY") {
            self.tls.key = Some(value.into());
        }
        let number = |variable: &'static str| {
            text(variable)
                .map(|found| found.parse::<u64>().map_err(|_| ConfigError::Number { variable, found }))
                .transpose()
        };
        if let Some(value) = number("GONGKAI_QUERY_TIMEOUT_MS")? {
            self.query.timeout_ms = value;
        }
        if let Some(value) = number("GONGKAI_QUERY_TIMEOUT_WITH_KEY_MS")? {
            self.query.timeout_with_key_ms = value;
        }
        if let Some(value) = number("GONGKAI_QUERIES_PER_MINUTE")? {
            self.limits.queries_per_minute = u32::try_from(value).unwrap_or(u32::MAX);
        }
        if let Some(value) = text("GONGKAI_TRUSTED_PROXIES") {
            let proxies: Vec<String> = value.split(',').map(str::to_owned).collect();
            self.limits.trusted_proxies = Proxies::try_from(proxies).map_err(ConfigError::Proxy)?;
        }
        if let Some(value) = number("GONGKAI_QUERY_WORKERS")? {
            self.query.workers = value.max(1) as usize;
        }
        if let Some(value) = number("GONGKAI_QUERY_MAX_ROWS")? {
            self.query.max_rows = value as usize;
        }
        if let Some(value) = number("GONGKAI_INGEST_WORKERS")? {
            self.ingest.workers = value as usize;
        }
        if let Some(value) = number("GONGKAI_INGEST_WORKER_BYTES")? {
            self.ingest.worker_bytes = value;
        }
        if let Some(value) = number("GONGKAI_INGEST_TIMEOUT_MS")? {
            self.ingest.timeout_ms = value;
        }
        if let Some(value) = number("GONGKAI_INGEST_WATCH_MS")? {
            self.ingest.watch_ms = value;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_setting_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(FILE), "[query]\ntimeout = 3\n").expect("writes");
        let error = Config::load(folder.path()).expect_err("unknown setting").to_string();
        assert!(error.contains("timeout") && error.contains("gongkai.toml"), "{error}");
    }

    #[test]
    fn settings_not_named_keep_their_defaults() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(FILE), "[query]\ntimeout_ms = 3000\n").expect("writes");
        let config = Config::load(folder.path()).expect("loads");
        assert_eq!((config.query.timeout_ms, config.query.max_rows), (3000, 100_000));
    }
}
