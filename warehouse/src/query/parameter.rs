//! Values for `$1`, `$2`, …: in which types a statement expects them, and texts read in those types.
//!
//! Protocols bring values in types of their own. They are handed over as texts, so that there is one reading: the engine's own
//! conversion into the type that the plan expects, and text where nothing decides.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::LogicalPlan;

use super::error::QueryError;
use super::translate;

/// The most parameters that a statement may have.
const MOST: usize = 1_000;

/// The parameters of a plan, as fields named by their numbers.
///
/// # Errors
///
/// `sql_syntax` for parameters that are not numbered from 1 on.
pub(super) fn of(plan: &LogicalPlan) -> Result<SchemaRef, QueryError> {
    let types = plan.get_parameter_types().map_err(translate::planning)?;
    let mut numbered = Vec::with_capacity(types.len());
    for (name, data_type) in types {
        let number = name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        let Some(number) = number.filter(|number| (1..=MOST).contains(number)) else {
            return Err(QueryError::syntax(format!("parameter {name} is not one of $1 to ${MOST}")));
        };
        numbered.push((number, data_type));
    }
    let last = numbered.iter().map(|(number, _)| *number).max().unwrap_or_default();
    let mut fields: Vec<Field> =
        (1..=last).map(|number| Field::new(number.to_string(), DataType::Null, true)).collect();
    for (number, data_type) in numbered {
        if let Some(data_type) = data_type {
            fields[number - 1].set_data_type(data_type);
        }
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// A missing value for each parameter, in the type that it is read in.
pub(super) fn missing(parameters: &SchemaRef) -> Result<Vec<ScalarValue>, DataFusionError> {
    let types = parameters.fields().iter().map(|field| match field.data_type() {
        DataType::Null => &DataType::Utf8View,
        known => known,
    });
    types.map(ScalarValue::try_from).collect()
}

/// Texts as values of the types that the plan expects.
///
/// # Errors
///
/// `sql_syntax` where their number is not that of the parameters, `query_failed` for a text that is no value of its type.
pub(super) fn read(plan: &LogicalPlan, texts: &[Option<String>]) -> Result<Vec<ScalarValue>, QueryError> {
    let expected = of(plan)?;
    let count = expected.fields().len();
    if texts.len() != count {
        return Err(QueryError::syntax(format!(
            "{} values were given, and the statement has {count} parameters",
            texts.len()
        )));
    }
    let values = expected.fields().iter().zip(texts).map(|(field, text)| {
        let data_type = match field.data_type() {
            DataType::Null => &DataType::Utf8View,
            known => known,
        };
        let value = match text {
            Some(text) => ScalarValue::try_from_string(text.clone(), data_type),
            None => ScalarValue::try_from(data_type),
        };
        value.map_err(|_| QueryError::Failed { reason: "a parameter is no value of the type expected there" })
    });
    values.collect()
}
