//! The stages in their order: session, syntax tree, names, logical plan, checks, physical plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::Statement;
use gongkai_catalog::Catalog;
use object_store::ObjectStore;
use tokio::sync::OnceCell;

use super::derive::Purpose;
use super::dictionary::is_decided_by_releases;
use super::error::{Dimension, QueryError, excerpt};
use super::explain::{self, explain};
use super::functions::Functions;
use super::kept_rows::KeptRows;
use super::names::{ALONG_PATH, CATALOG, Names};
use super::plan::{DescribedQuery, PlannedQuery};
use super::scan::ScannedStatement;
use super::session::{self, EngineSettings, QueryOptions};
use super::statement::{self, ParsedStatement};
use super::system::{self, ShownTable, System};
use super::walk::{self, Checked, Parameters, Tables};
use super::{derive, parameter, sums, translate};
use crate::Snapshot;
use crate::derived::{self, Derived};

/// What all queries of one process share.
#[derive(Debug)]
pub struct QueryEngine {
    catalog: Arc<Catalog>,
    runtime: Arc<RuntimeEnv>,
    config: SessionConfig,
    functions: Arc<Functions>,
    derived: Arc<BTreeMap<String, Derived>>,
    system: OnceCell<Arc<System>>,
    kept: Arc<KeptRows>,
}

/// A statement as the planner understands it.
struct Logical {
    state: SessionState,
    plan: LogicalPlan,
    is_explain: bool,
    /// The system catalogue, where the statement is about it.
    system: Option<Arc<System>>,
    /// What derived tables that were reckoned before are made of.
    reckoned: Vec<Checked>,
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
        let functions = Arc::new(Functions::new(&catalog));
        let derived = Arc::new(derived::load(&catalog).map_err(QueryError::internal)?);
        let config = session::config(&settings);
        Ok(Self { catalog, runtime, config, functions, derived, system: OnceCell::new(), kept: Arc::default() })
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
        let logical = self.logical(statement, snapshot, &options, Purpose::Rows).await?;
        let Logical { state, mut plan, is_explain, system, reckoned } = logical;
        let parameters = match options.parameters.is_empty() {
            true => parameter::read(&plan, &options.texts)?,
            false => options.parameters,
        };
        if !parameters.is_empty() {
            plan = plan.with_param_values(parameters).map_err(translate::planning)?;
        }
        let checked = self.check(&plan, system.as_deref(), Parameters::Bound)?;
        let Checked { releases, is_repeatable } = checked.with(reckoned);
        let warnings = sums::warnings(&plan, &self.catalog).map_err(translate::planning)?;
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
        Ok(PlannedQuery { schema, releases, warnings, is_repeatable, plan: physical, context: state.task_ctx() })
    }

    /// Says what a statement would give and which parameters it has. Nothing is read.
    ///
    /// # Errors
    ///
    /// Those of [`QueryEngine::plan`].
    pub async fn describe(
        &self,
        statement: &ScannedStatement,
        snapshot: Arc<Snapshot>,
        options: QueryOptions,
    ) -> Result<DescribedQuery, QueryError> {
        let logical = self.logical(statement, snapshot, &options, Purpose::Columns).await?;
        let Logical { state, plan, is_explain, system, .. } = logical;
        self.check(&plan, system.as_deref(), Parameters::Open)?;
        let parameters = parameter::of(&plan)?;
        let schema = if is_explain { explain::schema() } else { columns(plan, &state, &parameters).await };
        let parameters = match system.is_some() && system::types::is_asked(statement.text()) {
            true => system::types::parameters(),
            false => parameters,
        };
        Ok(DescribedQuery { schema, parameters })
    }

    /// The stages up to a logical plan, whose parameters have no values yet.
    async fn logical(
        &self,
        statement: &ScannedStatement,
        snapshot: Arc<Snapshot>,
        options: &QueryOptions,
        purpose: Purpose,
    ) -> Result<Logical, QueryError> {
        let (catalog, derived) = (Arc::clone(&self.catalog), Arc::clone(&self.derived));
        let names = Names::new(catalog, derived, Arc::clone(&self.functions), snapshot, options)
            .keeping(Arc::clone(&self.kept));
        if options.with_system && system::is_about(statement) {
            return self.logical_of_system(statement, &names).await;
        }
        let session_of = |config: SessionConfig| {
            session::session(config, Arc::clone(&self.runtime), Arc::new(names.clone()), &self.functions)
        };
        let state = session_of(self.config.clone());
        let ParsedStatement { query, is_explain } = statement::parse(statement, &state, &self.functions)?;
        resolve(&query, &state, &names)?;
        derive::plan_named(&query, &state, &names, &self.functions, purpose).await?;
        let state = match options.path.is_default() {
            true => state,
            false => session_of(self.config.clone().with_default_catalog_and_schema(CATALOG, ALONG_PATH)),
        };
        let plan = state.statement_to_plan(query).await.map_err(translate::planning)?;
        let plan = match parameter::may_need_types(statement.text()) {
            true => parameter::typed(plan).map_err(translate::planning)?,
            false => plan,
        };
        check_columns(&plan, statement)?;
        Ok(Logical { state, plan, is_explain, system: None, reckoned: names.take_reckoned() })
    }

    /// The same for a statement about the system catalogue.
    async fn logical_of_system(&self, statement: &ScannedStatement, names: &Names) -> Result<Logical, QueryError> {
        let make = || async {
            let shown = names.shown().map_err(QueryError::internal)?;
            System::new(self.config.clone(), Arc::clone(&self.runtime), &self.functions, shown).await.map(Arc::new)
        };
        let system = Arc::clone(self.system.get_or_try_init(make).await?);
        let along = names.path_there();
        let parsed = system.parse(statement, &along)?;
        let Statement::Query(query) = &parsed else {
            return Err(QueryError::not_allowed(statement::first_word(&parsed.to_string())));
        };
        statement::check(query, system.functions(), statement.limits())?;
        let state = match names.path().is_default() {
            true => system.state(),
            false => system.state_along(names.path(), &along).map_err(QueryError::internal)?,
        };
        let plan = state.statement_to_plan(EngineStatement::Statement(Box::new(parsed))).await;
        let plan = plan.map_err(translate::planning)?;
        check_columns(&plan, statement)?;
        Ok(Logical { plan, state, is_explain: false, system: Some(system), reckoned: Vec::new() })
    }

    fn check(
        &self,
        plan: &LogicalPlan,
        system: Option<&System>,
        parameters: Parameters,
    ) -> Result<Checked, QueryError> {
        match system {
            Some(system) => walk::check(plan, system.functions(), Tables::System, parameters),
            None => walk::check(plan, &self.functions, Tables::Ours, parameters),
        }
    }
}

/// The columns of a plan as they will be when it runs: the engine settles types until the last of its stages. Parameters are
/// missing values until then.
async fn columns(plan: LogicalPlan, state: &SessionState, parameters: &SchemaRef) -> SchemaRef {
    let planned = Arc::clone(plan.schema().inner());
    let bound = parameter::missing(parameters).and_then(|values| match values.is_empty() {
        true => Ok(plan),
        false => plan.with_param_values(values),
    });
    let Ok(optimised) = bound.and_then(|plan| state.optimize(&plan)) else {
        // What cannot be planned without values is reported when they are there.
        return planned;
    };
    let physical = state.query_planner().create_physical_plan(&optimised, state).await;
    physical.map_or(planned, |plan| plan.schema())
}

/// Every table that everybody may see, with its columns, in the order of schemas and names.
///
/// # Errors
///
/// `internal` when a list does not load.
pub fn shown_tables(
    catalog: &Arc<Catalog>,
    derived: &Arc<BTreeMap<String, Derived>>,
) -> Result<Vec<ShownTable>, QueryError> {
    let functions = Arc::new(Functions::new(catalog));
    let snapshot = Arc::new(Snapshot::empty());
    let names = Names::new(Arc::clone(catalog), Arc::clone(derived), functions, snapshot, &QueryOptions::default());
    names.shown().map_err(QueryError::internal)
}

/// Finds every table that the statement names, so that a missing one is reported as the caller wrote it.
fn resolve(query: &EngineStatement, state: &SessionState, names: &Names) -> Result<(), QueryError> {
    for reference in state.resolve_table_references(query).map_err(translate::planning)? {
        let is_ours =
            reference.catalog().is_none_or(|catalog| catalog == CATALOG) && reference.schema() != Some(ALONG_PATH);
        let schema = names.schema_of(reference.schema(), reference.table());
        if reference.schema().is_none() && !is_decided_by_releases(schema, reference.table()) {
            // The plan says of such a name only that it has no schema.
            names.keep_reckoned(Checked { releases: Vec::new(), is_repeatable: false });
        }
        let is_there = names.derived(schema, reference.table()).is_some()
            || names.table(schema, reference.table()).map_err(QueryError::internal)?.is_some();
        let found = is_ours && is_there;
        if !found {
            return Err(QueryError::TableNotFound { name: excerpt(&reference.to_string()) });
        }
    }
    Ok(())
}

/// Compares the columns of a plan with what an answer may have.
fn check_columns(plan: &LogicalPlan, statement: &ScannedStatement) -> Result<(), QueryError> {
    let (found, limit) = (plan.schema().fields().len(), statement.limits().output_columns);
    match found > limit {
        true => Err(QueryError::TooComplex { dimension: Dimension::OutputColumns, found, limit }),
        false => Ok(()),
    }
}

/// Compares the bytes of all row files in the plan, and of the rows in memory, with what one query may read.
fn check_width(plan: &Arc<dyn ExecutionPlan>, limit: u64) -> Result<(), QueryError> {
    let mut bytes: u64 = 0;
    plan.apply(|node| {
        let scan = node.downcast_ref::<DataSourceExec>();
        if let Some(config) = scan.and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>()) {
            let files = config.file_groups.iter().flat_map(|group| group.iter());
            bytes = bytes.saturating_add(files.map(|file| file.effective_size()).sum());
        }
        if let Some(rows) = scan.and_then(|scan| scan.data_source().downcast_ref::<MemorySourceConfig>()) {
            let batches = rows.partitions().iter().flatten();
            bytes = bytes.saturating_add(batches.map(|batch| batch.get_array_memory_size() as u64).sum());
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(QueryError::internal)?;
    if bytes > limit { Err(QueryError::TooWide { bytes, limit }) } else { Ok(()) }
}
