//! The stages in their order: session, syntax tree, names, logical plan, checks, physical plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use gongkai_catalog::Catalog;
use object_store::ObjectStore;

use super::error::{Dimension, QueryError, excerpt};
use super::explain::explain;
use super::functions::Functions;
use super::names::{CATALOG, DEFAULT_SCHEMA, Names};
use super::plan::PlannedQuery;
use super::scan::ScannedStatement;
use super::session::{self, EngineSettings, QueryOptions};
use super::statement::{self, ParsedStatement};
use super::{derive, sums, translate, walk};
use crate::Snapshot;
use crate::derived::{self, Derived};

/// What all queries of one process share.
#[derive(Debug)]
pub struct QueryEngine {
    catalog: Arc<Catalog>,
    runtime: Arc<RuntimeEnv>,
    config: SessionConfig,
    functions: Functions,
    derived: Arc<BTreeMap<String, Derived>>,
}

impl QueryEngine {
    /// An engine over the warehouse at the root of `store`, which it only reads.
    ///
    /// # Errors
    ///
    /// `internal` when the spill folder cannot be used or a derived table does not load.
    pub fn new(
        catalog: Arc<Catalog>,
        store: Arc<dyn ObjectStore>,
        settings: EngineSettings,
    ) -> Result<Self, QueryError> {
        let runtime = session::runtime(store, &settings)?;
        let functions = Functions::new(&catalog);
        let derived = Arc::new(derived::load(&catalog).map_err(QueryError::internal)?);
        Ok(Self { catalog, runtime, config: session::config(&settings), functions, derived })
    }

    /// Plans a statement over a snapshot.
    ///
    /// Planning is work: it runs for milliseconds, does not yield, and belongs under the query's deadline.
    ///
    /// # Errors
    ///
    /// Every code of [`QueryError`] except those of results.
    pub async fn plan(
        &self,
        statement: &ScannedStatement,
        snapshot: Arc<Snapshot>,
        options: QueryOptions,
    ) -> Result<PlannedQuery, QueryError> {
        let names = Names::new(Arc::clone(&self.catalog), Arc::clone(&self.derived), snapshot, &options);
        let runtime = Arc::clone(&self.runtime);
        let state = session::session(self.config.clone(), runtime, Arc::new(names.clone()), &self.functions);
        let ParsedStatement { query, is_explain } = statement::parse(statement, &state, &self.functions)?;
        resolve(&query, &state, &names)?;
        derive::plan_named(&query, &state, &names).await?;
        let mut plan = state.statement_to_plan(query).await.map_err(translate::planning)?;
        if !options.parameters.is_empty() {
            plan = plan.with_param_values(options.parameters).map_err(translate::planning)?;
        }
        let releases = walk::check(&plan, &self.functions)?;
        let warnings = sums::warnings(&plan, &self.catalog).map_err(translate::planning)?;
        let columns = plan.schema().fields().len();
        let limit = statement.limits().output_columns;
        if columns > limit {
            return Err(QueryError::TooComplex { dimension: Dimension::OutputColumns, found: columns, limit });
        }
        let optimised = state.optimize(&plan).map_err(translate::planning)?;
        let physical =
            state.query_planner().create_physical_plan(&optimised, &state).await.map_err(translate::planning)?;
        if let Some(limit) = options.scan_bytes {
            check_width(&physical, limit)?;
        }
        let (physical, schema): (_, SchemaRef) = if is_explain {
            let physical = explain(&optimised, &physical).map_err(QueryError::internal)?;
            let schema = physical.schema();
            (physical, schema)
        } else {
            let schema = physical.schema();
            (physical, schema)
        };
        Ok(PlannedQuery { schema, releases, warnings, plan: physical, context: state.task_ctx() })
    }
}

/// Finds every table that the statement names, so that a missing one is reported as the caller wrote it.
fn resolve(query: &datafusion::sql::parser::Statement, state: &SessionState, names: &Names) -> Result<(), QueryError> {
    for reference in state.resolve_table_references(query).map_err(translate::planning)? {
        let is_ours = reference.catalog().is_none_or(|catalog| catalog == CATALOG);
        let schema = reference.schema().unwrap_or(DEFAULT_SCHEMA);
        let is_there = names.derived(schema, reference.table()).is_some()
            || names.table(schema, reference.table()).map_err(QueryError::internal)?.is_some();
        let found = is_ours && is_there;
        if !found {
            return Err(QueryError::TableNotFound { name: excerpt(&reference.to_string()) });
        }
    }
    Ok(())
}

/// Compares the bytes of all row files in the plan with what one query may read.
fn check_width(plan: &Arc<dyn ExecutionPlan>, limit: u64) -> Result<(), QueryError> {
    let mut bytes: u64 = 0;
    plan.apply(|node| {
        let scan = node.downcast_ref::<DataSourceExec>();
        if let Some(config) = scan.and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>()) {
            let files = config.file_groups.iter().flat_map(|group| group.iter());
            bytes = bytes.saturating_add(files.map(|file| file.effective_size()).sum());
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(QueryError::internal)?;
    if bytes > limit { Err(QueryError::TooWide { bytes, limit }) } else { Ok(()) }
}
