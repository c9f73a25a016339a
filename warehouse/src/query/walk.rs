//! The check of a logical plan, before any optimiser has touched it.
//!
//! The engine's own options refuse statements and changes, yet let `DESCRIBE`, `EXPLAIN` and extensions
//! through; and expression planners put functions into a plan that no registry knows. So both node kinds and
//! function names are compared with lists: what is not listed is refused, new kinds included.

use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::source_as_provider;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan, Volatility};

use super::dictionary::is_decided_by_releases;
use super::error::QueryError;
use super::functions::Functions;
use super::names::DEFAULT_SCHEMA;
use super::released_table::ReleasedTable;
use super::system::NamedTable;
use super::translate;

/// What a plan that may run is made of.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Releases of its tables, in order, each once.
    pub releases: Vec<(String, u64)>,
    /// Whether the releases alone decide the answer: no chance, and no clock.
    pub is_repeatable: bool,
}

impl Checked {
    /// Adds what was reckoned before the plan, for it.
    pub fn with(mut self, reckoned: Vec<Self>) -> Self {
        for other in reckoned {
            self.releases.extend(other.releases);
            self.is_repeatable &= other.is_repeatable;
        }
        self.releases.sort();
        self.releases.dedup();
        self
    }
}

/// Which tables a plan may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tables {
    /// Released ones, derived ones and those of the dictionary.
    Ours,
    /// Those of the system catalogue.
    System,
}

/// Whether parameters may stand in a plan without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameters {
    /// The plan is to run.
    Bound,
    /// The plan is only looked at.
    Open,
}

/// Checks a plan and says what it is made of.
pub(super) fn check(
    plan: &LogicalPlan,
    functions: &Functions,
    tables: Tables,
    parameters: Parameters,
) -> Result<Checked, QueryError> {
    let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(plan).map_err(|_| QueryError::not_allowed("this statement"))?;
    let mut checked = Checked { releases: Vec::new(), is_repeatable: true };
    plan.apply_with_subqueries(|node| {
        check_node(node, tables, &mut checked)?;
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                checked.is_repeatable &= is_function_of_its_arguments(part);
                check_expression(part, functions, parameters).map(|()| TreeNodeRecursion::Continue)
            })
        })
    })
    .map_err(translate::planning)?;
    checked.releases.sort();
    checked.releases.dedup();
    Ok(checked)
}

fn refuse<T>(error: QueryError) -> Result<T> {
    Err(DataFusionError::External(Box::new(error)))
}

fn is_function_of_its_arguments(expression: &Expr) -> bool {
    match expression {
        Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Immutable,
        _ => true,
    }
}

fn check_node(node: &LogicalPlan, tables: Tables, checked: &mut Checked) -> Result<()> {
    match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Unnest(_) => Ok(()),
        LogicalPlan::TableScan(scan) => check_scan(scan, tables, checked),
        _ => refuse(QueryError::not_allowed("this kind of query")),
    }
}

fn check_scan(scan: &TableScan, tables: Tables, checked: &mut Checked) -> Result<()> {
    let provider = source_as_provider(&scan.source)?;
    let provider: &dyn TableProvider = provider.as_ref();
    if tables == Tables::System {
        return match provider.is::<NamedTable>() {
            true => refuse(QueryError::not_allowed("a question about the system catalogue that also reads tables")),
            false => Ok(()),
        };
    }
    if let Some(table) = provider.downcast_ref::<ReleasedTable>() {
        checked.releases.extend_from_slice(table.releases());
        return Ok(());
    }
    if provider.is::<MemTable>() {
        let schema = scan.table_name.schema().unwrap_or(DEFAULT_SCHEMA);
        checked.is_repeatable &= is_decided_by_releases(schema, scan.table_name.table());
        return Ok(());
    }
    refuse(QueryError::not_allowed("this kind of table"))
}

fn check_expression(expression: &Expr, functions: &Functions, parameters: Parameters) -> Result<()> {
    let name = match expression {
        Expr::ScalarFunction(call) => call.func.name(),
        Expr::AggregateFunction(call) => call.func.name(),
        Expr::WindowFunction(call) => call.fun.name(),
        Expr::HigherOrderFunction(call) => call.func.name(),
        Expr::ScalarVariable(..) => return refuse(QueryError::not_allowed("a session variable")),
        Expr::Placeholder(placeholder) if parameters == Parameters::Bound => {
            let detail = format!("parameter {} has no value", placeholder.id);
            return refuse(QueryError::syntax(detail));
        }
        _ => return Ok(()),
    };
    if functions.has(name) {
        return Ok(());
    }
    refuse(QueryError::FunctionNotAllowed { name: super::error::excerpt(name) })
}
