//! One locked session per query over one runtime per process.
//!
//! A session gets no file formats, no table factories and no table functions, so that statements which need
//! them cannot even be planned. Memory, spill space and cached footers belong to the runtime and are shared.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::catalog::CatalogProviderList;
use datafusion::common::ScalarValue;
use datafusion::config::{ConfigOptions, SpillCompression};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder, SessionStateDefaults};
use datafusion::prelude::SessionConfig;
use object_store::ObjectStore;
use serde::{Deserialize, Serialize};

use super::capped;
use super::error::QueryError;
use super::functions::Functions;
use super::names::{CATALOG, DEFAULT_SCHEMA};
use super::read_only::OneStore;
use super::search_path::SearchPath;
use crate::Staging;
use crate::schema::ZONE;

/// What one process may use for its queries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineSettings {
    /// Bytes of memory that operators may reserve together. Real use can be several times as much: see the
    /// module's documentation.
    pub pool_bytes: usize,
    /// Folder for spilled rows, for this process alone. Without one, nothing spills.
    pub spill_dir: Option<PathBuf>,
    /// Bytes of spilled rows.
    pub spill_bytes: u64,
    /// Partitions that a plan is split into.
    pub target_partitions: usize,
    /// Rows of a batch.
    pub batch_size: usize,
    /// Bytes of Parquet footers kept between queries.
    pub metadata_cache_bytes: usize,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            pool_bytes: 256 << 20,
            spill_dir: None,
            spill_bytes: 1 << 30,
            target_partitions: 2,
            batch_size: 8192,
            metadata_cache_bytes: 32 << 20,
        }
    }
}

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// No key.
    #[default]
    Public,
    /// Restricted datasets of named regions or groups.
    Reader,
    /// Proposes releases.
    Publisher,
    /// Approves releases.
    Approver,
    /// Everything.
    Admin,
}

impl Role {
    /// Whether schema `staging` exists for the caller.
    pub fn sees_staging(self) -> bool {
        matches!(self, Self::Publisher | Self::Approver | Self::Admin)
    }
}

/// What one query may do and use.
#[derive(Debug, Clone, Default)]
pub struct QueryOptions {
    /// Role of the caller.
    pub role: Role,
    /// What schema `staging` shows, to roles that see it. Without it the schema does not exist.
    pub staging: Option<Arc<Staging>>,
    /// Values of `$1`, `$2`, …, in order.
    pub parameters: Vec<ScalarValue>,
    /// The same as texts, none for NULL: each is read in the type that the statement expects there. They count only without
    /// values.
    pub texts: Vec<Option<String>>,
    /// Whether statements may ask for the system catalogue of PostgreSQL, as clients of its protocol do.
    pub with_system: bool,
    /// Where names without a schema are looked for.
    pub path: SearchPath,
    /// Bytes of row files that the plan may read; none for no limit.
    pub scan_bytes: Option<u64>,
    /// What time it is, for what is due or late now. A snapshot of an earlier time has its own; without either it is when the
    /// latest release was recorded.
    pub now: Option<DateTime<Utc>>,
}

/// Builds the runtime that all queries of a process share.
pub(super) fn runtime(store: Arc<dyn ObjectStore>, settings: &EngineSettings) -> Result<Arc<RuntimeEnv>, QueryError> {
    let consumers = NonZeroUsize::MIN;
    let pool = TrackConsumersPool::new(FairSpillPool::new(settings.pool_bytes), consumers);
    let mode = match &settings.spill_dir {
        Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
        None => DiskManagerMode::Disabled,
    };
    let disk = DiskManagerBuilder::default()
        .with_mode(mode)
        .with_max_temp_directory_size(settings.spill_bytes)
        .with_max_spill_merge_fan_in(16);
    RuntimeEnvBuilder::new()
        .with_object_store_registry(Arc::new(OneStore::new(store)))
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(disk)
        .with_metadata_cache_limit(settings.metadata_cache_bytes)
        .build_arc()
        .map_err(QueryError::internal)
}

/// The configuration of every session.
pub(super) fn config(settings: &EngineSettings) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(settings.target_partitions)
        .with_batch_size(settings.batch_size)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false)
        .with_default_catalog_and_schema(CATALOG, DEFAULT_SCHEMA);
    restrict(config.options_mut());
    config
}

fn restrict(options: &mut ConfigOptions) {
    // A literal with a point is exact: 0.1 + 0.2 = 0.3, and a measurement compares with 35.5 as printed.
    options.sql_parser.parse_float_as_decimal = true;
    options.execution.time_zone = Some(ZONE.into());
    options.execution.enable_recursive_ctes = false;
    options.execution.enforce_batch_size_in_joins = true;
    options.execution.sort_spill_reservation_bytes = 4 << 20;
    options.execution.spill_compression = SpillCompression::Lz4Frame;
    // The reader skips row groups and pages; single rows are left to the operator above it. Rows of one measure lie between those of
    // others: picking them out column by column took 1.5 to 2 times as long as reading all and filtering once (tests/bench).
    options.execution.parquet.pushdown_filters = false;
    // Such a filter stands for the keys of a sort, a join or an aggregate and is rewritten key by key. Where one key is part
    // of another, as in ORDER BY a - b, b, the longer one is left half rewritten: it reads other columns, and rows are lost.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.optimizer.enable_topk_dynamic_filter_pushdown = false;
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    // Columns of a union carry the comments of one side: plans that differ in comments alone are the same plan.
    options.execution.skip_physical_aggregate_schema_check = true;
    options.explain.show_sizes = false;
}

/// A fresh session. It knows the names of `names` and the listed functions.
pub(super) fn session(
    config: SessionConfig,
    runtime: Arc<RuntimeEnv>,
    names: Arc<dyn CatalogProviderList>,
    functions: &Functions,
) -> SessionState {
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_catalog_list(names)
        .with_scalar_functions(functions.scalar.clone())
        .with_aggregate_functions(functions.aggregate.clone())
        .with_window_functions(functions.window.clone())
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_analyzer_rule(capped::rule())
        .build();
    // Without it now() and current_date cannot be evaluated.
    state.mark_start_execution();
    state
}
