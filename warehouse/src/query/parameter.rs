//! Values for `$1`, `$2`, …: in which types a statement expects them, and texts read in those types.
//!
//! Protocols bring values in types of their own. They are handed over as texts, so that there is one reading: the engine's own
//! conversion into the type that the plan expects, and text where nothing decides. Lists are texts too, as
//! `list_text` has them.
//!
//! The engine takes the type of a parameter from what it is compared with, and from nothing else. `x = ANY ($1)` and
//! `CAST($1 AS …)` say a type as well, and clients that encode values by the type that they are told depend on it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError, Result as EngineResult, ScalarValue};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, LogicalPlan};

use super::error::QueryError;
use super::list_text::read_list;
use super::translate;

/// The most parameters that a statement may have.
const MOST: usize = 1_000;
/// The most values of a list that is given as one text: each becomes a part of the plan.
const MOST_OF_LIST: usize = 10_000;

/// Whether a statement may have a parameter, or a list that is written as a text: the others need no look at their plan.
pub(super) fn may_need_types(text: &str) -> bool {
    text.contains(['$', '{'])
}

/// Gives parameters a type that nothing but a list or a cast says, and reads lists that are written as texts.
///
/// # Errors
///
/// Those of the engine; a text that is no list stays as it is, and the engine refuses it.
pub(super) fn typed(plan: LogicalPlan) -> EngineResult<LogicalPlan> {
    let mut said: HashMap<String, DataType> = HashMap::new();
    let mut known: HashSet<String> = HashSet::new();
    let mut has_text = false;
    plan.apply_with_subqueries(|node| {
        let mut below: Option<DFSchema> = None;
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::Placeholder(Placeholder { id, field: Some(_) }) = part {
                    known.insert(id.clone());
                }
                if let Some((inner, says)) = expected(part)
                    && let Some(data_type) = says.data_type(below.get_or_insert_with(|| of_inputs(node)))
                {
                    match inner {
                        Expr::Placeholder(Placeholder { id, .. }) => {
                            said.entry(id.clone()).or_insert(data_type);
                        }
                        _ => has_text |= written_list(inner, &data_type).is_some(),
                    }
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    // What is compared as well has the type of the comparison: the engine wants one type of a parameter.
    said.retain(|id, _| !known.contains(id));
    if said.is_empty() && !has_text {
        return Ok(plan);
    }
    let typed = plan.transform_up_with_subqueries(|node| {
        let below = of_inputs(&node);
        let names = NamePreserver::new(&node);
        node.map_expressions(|expression| {
            let name = names.save(&expression);
            let changed = expression.transform_up(|part| Ok(with_type(part, &said, &below)))?;
            Ok(changed.update_data(|expression| name.restore(expression)))
        })
    });
    typed.map(|typed| typed.data)
}

fn of_inputs(node: &LogicalPlan) -> DFSchema {
    merge_schema(&node.inputs())
}

/// What an expression says of the type of a part.
enum Says<'a> {
    /// It is this one.
    Type(&'a DataType),
    /// It is a list of what this expression gives.
    ListOf(&'a Expr),
}

impl Says<'_> {
    fn data_type(&self, below: &DFSchema) -> Option<DataType> {
        let value = match self {
            Self::Type(data_type) => return Some((*data_type).clone()),
            Self::ListOf(value) => value.to_field(below).ok()?.1,
        };
        let of_values = match value.data_type() {
            DataType::Dictionary(_, values) => values.as_ref().clone(),
            DataType::Null => DataType::Utf8View,
            other => other.clone(),
        };
        Some(DataType::List(Arc::new(Field::new_list_field(of_values, true))))
    }
}

/// The parameter without a type, or the literal, of which an expression says the type.
fn expected(part: &Expr) -> Option<(&Expr, Says<'_>)> {
    let (inner, says) = match part {
        Expr::Cast(cast) => (cast.expr.as_ref(), Says::Type(cast.field.data_type())),
        Expr::ScalarFunction(call) if call.func.name() == "array_has" => {
            let [list, value] = call.args.as_slice() else { return None };
            (list, Says::ListOf(value))
        }
        _ => return None,
    };
    let is_open = matches!(inner, Expr::Placeholder(Placeholder { field: None, .. }) | Expr::Literal(..));
    is_open.then_some((inner, says))
}

fn with_type(part: Expr, said: &HashMap<String, DataType>, below: &DFSchema) -> Transformed<Expr> {
    if let Expr::Placeholder(Placeholder { id, field: None }) = &part
        && let Some(data_type) = said.get(id)
    {
        let field: FieldRef = Arc::new(Field::new("", data_type.clone(), true));
        return Transformed::yes(Expr::Placeholder(Placeholder::new_with_field(id.clone(), Some(field))));
    }
    let list = expected(&part).and_then(|(inner, says)| {
        let data_type = says.data_type(below)?;
        written_list(inner, &data_type)
    });
    let Some(list) = list else { return Transformed::no(part) };
    let list = Expr::Literal(list, None);
    match part {
        Expr::ScalarFunction(mut call) => {
            call.args[0] = list;
            Transformed::yes(Expr::ScalarFunction(call))
        }
        // The cast stays: it says how the parts of the list are called.
        Expr::Cast(cast) => Transformed::yes(Expr::Cast(Cast { expr: Box::new(list), field: cast.field })),
        other => Transformed::no(other),
    }
}

/// The list that a text in the statement stands for, where one is expected.
fn written_list(written: &Expr, expected: &DataType) -> Option<ScalarValue> {
    let Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)), _) = written else {
        return None;
    };
    let DataType::List(field) = expected else { return None };
    list_of(text, field).ok()
}

/// Reads a text as a list of values.
fn list_of(text: &str, field: &FieldRef) -> EngineResult<ScalarValue> {
    let values = read_list(text).filter(|values| values.len() <= MOST_OF_LIST);
    let values = values.ok_or_else(|| DataFusionError::Execution("not a list, or too long".to_owned()))?;
    let values = values.into_iter().map(|value| match value {
        Some(text) => ScalarValue::try_from_string(text, field.data_type()),
        None => ScalarValue::try_from(field.data_type()),
    });
    let values: Vec<ScalarValue> = values.collect::<EngineResult<_>>()?;
    Ok(ScalarValue::List(ScalarValue::new_list(&values, field.data_type(), true)))
}

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
        let value = match (text, data_type) {
            (Some(text), DataType::List(field)) => list_of(text, field),
            (Some(text), _) => ScalarValue::try_from_string(text.clone(), data_type),
            (None, _) => ScalarValue::try_from(data_type),
        };
        value.map_err(|_| QueryError::Failed { reason: "a parameter is no value of the type expected there" })
    });
    values.collect()
}
