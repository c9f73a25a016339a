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
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};

use super::error::QueryError;
use super::functions::Functions;
use super::released_table::ReleasedTable;
use super::translate;

/// Checks a plan and names the releases that its tables are made of, in order, each once.
pub(super) fn check(plan: &LogicalPlan, functions: &Functions) -> Result<Vec<(String, u64)>, QueryError> {
    let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(plan).map_err(|_| QueryError::not_allowed("this statement"))?;
    let mut releases = Vec::new();
    plan.apply_with_subqueries(|node| {
        check_node(node, &mut releases)?;
        node.apply_expressions(|expression| {
            expression.apply(|part| check_expression(part, functions).map(|()| TreeNodeRecursion::Continue))
        })
    })
    .map_err(translate::planning)?;
    releases.sort();
    releases.dedup();
    Ok(releases)
}

fn refuse<T>(error: QueryError) -> Result<T> {
    Err(DataFusionError::External(Box::new(error)))
}

fn check_node(node: &LogicalPlan, releases: &mut Vec<(String, u64)>) -> Result<()> {
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
        LogicalPlan::TableScan(scan) => check_scan(scan, releases),
        _ => refuse(QueryError::not_allowed("this kind of query")),
    }
}

fn check_scan(scan: &TableScan, releases: &mut Vec<(String, u64)>) -> Result<()> {
    let provider = source_as_provider(&scan.source)?;
    let provider: &dyn TableProvider = provider.as_ref();
    if let Some(table) = provider.downcast_ref::<ReleasedTable>() {
        releases.extend_from_slice(table.releases());
        return Ok(());
    }
    if provider.is::<MemTable>() {
        return Ok(());
    }
    refuse(QueryError::not_allowed("this kind of table"))
}

fn check_expression(expression: &Expr, functions: &Functions) -> Result<()> {
    let name = match expression {
        Expr::ScalarFunction(call) => call.func.name(),
        Expr::AggregateFunction(call) => call.func.name(),
        Expr::WindowFunction(call) => call.fun.name(),
        Expr::HigherOrderFunction(call) => call.func.name(),
        Expr::ScalarVariable(..) => return refuse(QueryError::not_allowed("a session variable")),
        Expr::Placeholder(placeholder) => {
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
