//! A query that passed every check and waits to be run.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use gongkai_catalog::Label;
use serde::{Deserialize, Serialize};

use super::error::QueryError;
use super::released_table::{LABEL_EN, LABEL_ZH, UNIT};
use super::translate;

/// A column of a result, as every protocol describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultColumn {
    /// Name, as the statement gave it or the planner made it.
    pub name: String,
    /// Type in the product's own words: `text`, `decimal(20,2)`, ….
    pub type_name: String,
    /// Id of the unit, where the column is a declared one.
    pub unit: Option<String>,
    /// Heading, where the column is a declared one.
    pub label: Option<Label>,
}

/// A plan and what it will give.
#[derive(Debug)]
pub struct PlannedQuery {
    pub(super) schema: SchemaRef,
    pub(super) releases: Vec<(String, u64)>,
    pub(super) warnings: Vec<Label>,
    pub(super) is_repeatable: bool,
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) context: Arc<TaskContext>,
}

/// What a statement would give and needs, without running it.
#[derive(Debug, Clone)]
pub struct DescribedQuery {
    /// Schema of the result.
    pub schema: SchemaRef,
    /// Parameters `$1`, `$2`, … as fields of these names, in order. A type that nothing in the statement decides is
    /// [`DataType::Null`].
    pub parameters: SchemaRef,
}

impl PlannedQuery {
    /// Schema of the result. Field metadata carry comment, unit and labels of declared columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The columns of the result.
    pub fn columns(&self) -> Vec<ResultColumn> {
        self.schema.fields().iter().map(|field| result_column(field)).collect()
    }

    /// Releases that the answer is made from, as (dataset, number), ordered, each once.
    ///
    /// A release belongs to it when one of the statement's tables holds it, even if its row count alone
    /// answered or no row of it passed the filter.
    pub fn releases(&self) -> Vec<(String, u64)> {
        self.releases.clone()
    }

    /// What the caller should know of the answer: sums that may count the same money more than once.
    pub fn warnings(&self) -> &[Label] {
        &self.warnings
    }

    /// Whether the statement and the releases alone decide the answer. Otherwise it may differ the next time.
    pub fn is_repeatable(&self) -> bool {
        self.is_repeatable
    }

    /// Starts the query. Errors in the stream translate by `QueryError::from`.
    ///
    /// # Errors
    ///
    /// Whatever stops the query before its first row.
    pub fn execute(self) -> Result<SendableRecordBatchStream, QueryError> {
        execute_stream(self.plan, self.context).map_err(translate::execution)
    }
}

fn result_column(field: &Field) -> ResultColumn {
    let metadata = field.metadata();
    let label = metadata.get(LABEL_ZH).zip(metadata.get(LABEL_EN));
    ResultColumn {
        name: field.name().clone(),
        type_name: type_name(field.data_type()),
        unit: metadata.get(UNIT).cloned(),
        label: label.map(|(zh, en)| Label { zh: zh.clone(), en: en.clone() }),
    }
}

/// The name of a type in the words of the declarations, extended for what only queries make.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".into(),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => "integer".into(),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint".into(),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "double".into(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Boolean => "boolean".into(),
        DataType::Date32 | DataType::Date64 => "date".into(),
        DataType::Timestamp(..) => "timestamp".into(),
        DataType::Time32(_) | DataType::Time64(_) => "time".into(),
        DataType::Interval(_) | DataType::Duration(_) => "interval".into(),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            format!("{}[]", type_name(item.data_type()))
        }
        DataType::Null => "null".into(),
        other => other.to_string().to_lowercase(),
    }
}
