//! Plans the derived tables that a statement names, each once and before it.
//!
//! A derived table's plan takes the place of its name, so that what the statement filters and leaves out reaches the released
//! tables below, and the releases of the answer are those of the tables that it was derived from.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::MemTable;
use datafusion::catalog::view::ViewTable;
use datafusion::common::metadata::FieldMetadata;
use datafusion::config::Dialect;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, col};
use datafusion::physical_plan::collect;
use datafusion::sql::parser::Statement;
use gongkai_catalog::Column;

use super::error::QueryError;
use super::functions::Functions;
use super::names::{DEFAULT_SCHEMA, Names};
use super::released_table::{LABEL_EN, LABEL_ZH, UNIT};
use super::translate;
use super::walk::{self, Parameters, Tables};
use crate::derived::Derived;
use crate::schema::arrow_type;

/// How deep derived tables may be made of derived tables; more is a loop.
const DEEPEST: usize = 8;

/// Plans every derived table that a statement names, in a session without a path.
///
/// # Errors
///
/// A derived table whose query cannot be planned is our fault, not the caller's: `internal`.
pub(super) async fn plan_named(
    statement: &Statement,
    state: &SessionState,
    names: &Names,
    functions: &Functions,
    purpose: Purpose,
) -> Result<(), QueryError> {
    Planner { state, names, functions, purpose }.plan_below(statement, 0).await
}

/// What a plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is to run: what is needed several times is reckoned once.
    Rows,
    /// Only its columns are asked for: nothing is reckoned.
    Columns,
}

struct Planner<'a> {
    state: &'a SessionState,
    names: &'a Names,
    functions: &'a Functions,
    purpose: Purpose,
}

impl Planner<'_> {
    async fn plan_below(&self, statement: &Statement, depth: usize) -> Result<(), QueryError> {
        let Self { state, names, .. } = *self;
        for reference in state.resolve_table_references(statement).map_err(translate::planning)? {
            // What derived tables are made of was declared by those who know no path.
            let schema = match depth {
                0 => names.schema_of(reference.schema(), reference.table()),
                _ => reference.schema().unwrap_or(DEFAULT_SCHEMA),
            };
            let Some(derived) = names.derived(schema, reference.table()) else {
                continue;
            };
            if names.planned(&derived.name).is_some() {
                continue;
            }
            if depth == DEEPEST {
                return Err(broken(derived, "it is made of itself"));
            }
            if self.purpose == Purpose::Rows {
                for once in &derived.once {
                    Box::pin(self.reckon(derived, once, depth)).await?;
                }
            }
            let query =
                state.sql_to_statement(&derived.sql, &Dialect::Generic).map_err(|error| broken(derived, error))?;
            Box::pin(self.plan_below(&query, depth + 1)).await?;
            let plan = state.statement_to_plan(query).await.map_err(|error| broken(derived, error))?;
            let plan = LogicalPlanBuilder::from(plan)
                .alias("derived")
                .and_then(|plan| plan.project(columns(derived)))
                .and_then(LogicalPlanBuilder::build)
                .map_err(|error| broken(derived, error))?;
            names.keep_planned(&derived.name, Arc::new(ViewTable::new(plan, None)));
        }
        Ok(())
    }

    /// Reckons the rows of a derived table that another one names several times, and keeps them in its place.
    async fn reckon(&self, derived: &Derived, once: &str, depth: usize) -> Result<(), QueryError> {
        let Self { state, names, .. } = *self;
        let name = once.rsplit('.').next().unwrap_or(once);
        if names.planned(name).is_some() {
            return Ok(());
        }
        let all = state
            .sql_to_statement(&format!("SELECT * FROM {once}"), &Dialect::Generic)
            .map_err(|error| broken(derived, error))?;
        self.plan_below(&all, depth + 1).await?;
        let plan = state.statement_to_plan(all).await.map_err(|error| broken(derived, error))?;
        let checked = walk::check(&plan, self.functions, Tables::Ours, Parameters::Bound)?;
        let optimised = state.optimize(&plan).map_err(|error| broken(derived, error))?;
        let physical = state.query_planner().create_physical_plan(&optimised, state).await;
        let physical = physical.map_err(|error| broken(derived, error))?;
        let schema = physical.schema();
        let rows = collect(physical, state.task_ctx()).await.map_err(translate::execution)?;
        let table = MemTable::try_new(schema, vec![rows]).map_err(QueryError::internal)?;
        names.keep_planned(name, Arc::new(table));
        names.keep_reckoned(checked);
        Ok(())
    }
}

fn broken(derived: &Derived, reason: impl ToString) -> QueryError {
    QueryError::Internal { source: format!("derived table {}: {}", derived.name, reason.to_string()).into() }
}

/// A column's type in queries, and what the dictionary says of it.
fn described(column: &Column) -> (DataType, HashMap<String, String>) {
    let data_type = match arrow_type(column.column_type) {
        DataType::Utf8 => DataType::Utf8View,
        other => other,
    };
    let mut metadata = HashMap::from([
        ("comment".to_owned(), format!("{} / {}", column.description.zh, column.description.en)),
        (LABEL_ZH.to_owned(), column.label.zh.clone()),
        (LABEL_EN.to_owned(), column.label.en.clone()),
    ]);
    metadata.extend(column.unit.clone().map(|unit| (UNIT.to_owned(), unit)));
    (data_type, metadata)
}

/// The schema of a derived table.
pub(super) fn schema(derived: &Derived) -> SchemaRef {
    let fields = derived.columns.iter().map(|column| {
        let (data_type, metadata) = described(column);
        Field::new(&column.name, data_type, true).with_metadata(metadata)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The declared columns, in their types and with what the dictionary says of them.
fn columns(derived: &Derived) -> Vec<Expr> {
    let columns = derived.columns.iter().map(|column| {
        let (data_type, metadata) = described(column);
        cast(col(format!("\"{}\"", column.name)), data_type)
            .alias_with_metadata(&column.name, Some(FieldMetadata::from(metadata)))
    });
    columns.collect()
}
