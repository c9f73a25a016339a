//! Functions of the system catalogue that the crate lacks, or has for too few kinds of arguments.
//!
//! Clients call them with whatever they have: numbers of any width, texts for truth values, arguments that are left out. So each
//! takes any arguments, reads them as texts or numbers, and answers nothing where it does not understand them. None of them
//! changes anything, also where its name says so.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int32Builder, ListBuilder, StringArray, new_null_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::common::Result;
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use super::numbers::Numbers;
use super::{VERSION, setting};
use crate::query::search_path::{SearchPath, quoted};

/// What a function computes from its arguments, for so many rows.
type Evaluate = Arc<dyn Fn(&[ArrayRef], usize) -> Result<ArrayRef> + Send + Sync>;

/// A function that takes any arguments.
struct SystemFunction {
    name: &'static str,
    signature: Signature,
    returns: DataType,
    evaluate: Evaluate,
}

impl std::fmt::Debug for SystemFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SystemFunction").field("name", &self.name).finish_non_exhaustive()
    }
}

/// There is one function of a name.
impl PartialEq for SystemFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for SystemFunction {}

impl Hash for SystemFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for SystemFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays: Vec<ArrayRef> = args.args.iter().map(|value| value.to_array(rows)).collect::<Result<_>>()?;
        Ok(ColumnarValue::Array((self.evaluate)(&arrays, rows)?))
    }
}

fn of_arrays(
    name: &'static str,
    returns: DataType,
    evaluate: impl Fn(&[ArrayRef], usize) -> Result<ArrayRef> + Send + Sync + 'static,
) -> ScalarUDF {
    let any = vec![TypeSignature::VariadicAny, TypeSignature::Nullary];
    let signature = Signature::one_of(any, Volatility::Stable);
    ScalarUDF::new_from_impl(SystemFunction { name, signature, returns, evaluate: Arc::new(evaluate) })
}

/// A function that answers each row with a text, which is read in the type that it returns.
fn of_rows(
    name: &'static str,
    returns: DataType,
    answer: impl Fn(&[ArrayRef], usize) -> Option<String> + Send + Sync + 'static,
) -> ScalarUDF {
    let wanted = returns.clone();
    of_arrays(name, returns, move |args, rows| {
        let answers: StringArray = (0..rows).map(|row| answer(args, row)).collect();
        Ok(cast(&answers, &wanted)?)
    })
}

/// A function that answers the same whatever it is asked; none is missing.
fn of_nothing(name: &'static str, returns: DataType, answer: Option<&'static str>) -> ScalarUDF {
    of_rows(name, returns, move |_, _| answer.map(str::to_owned))
}

fn word(args: &[ArrayRef], index: usize, row: usize) -> Option<String> {
    let array = args.get(index)?;
    if array.is_null(row) || array.data_type() == &DataType::Null {
        return None;
    }
    array_value_to_string(array, row).ok()
}

fn number(args: &[ArrayRef], index: usize, row: usize) -> Option<i32> {
    word(args, index, row)?.parse().ok()
}

/// A list as one text. Lists that are stored as text here are all missing, or already what they say.
fn joined(args: &[ArrayRef], row: usize) -> Option<String> {
    let Some(lists) = args.first()?.as_list_opt::<i32>() else {
        return word(args, 0, row);
    };
    if lists.is_null(row) {
        return None;
    }
    let (separator, missing) = (word(args, 1, row)?, word(args, 2, row));
    let values = [lists.value(row)];
    let words = (0..values[0].len()).filter_map(|at| word(&values, 0, at).or_else(|| missing.clone()));
    Some(words.collect::<Vec<_>>().join(&separator))
}

/// `format` with `%s`, `%I` and `%L`.
fn formatted(args: &[ArrayRef], row: usize) -> Option<String> {
    let pattern = word(args, 0, row)?;
    let (mut written, mut next, mut characters) = (String::new(), 1, pattern.chars());
    while let Some(character) = characters.next() {
        if character != '%' {
            written.push(character);
            continue;
        }
        let value = |next: usize| word(args, next, row);
        match characters.next()? {
            '%' => {
                written.push('%');
                continue;
            }
            's' => written.push_str(&value(next).unwrap_or_default()),
            'I' => written.push_str(&quoted(&value(next)?)),
            'L' => match value(next) {
                Some(text) => written.push_str(&format!("'{}'", text.replace('\'', "''"))),
                None => written.push_str("NULL"),
            },
            _ => return None,
        }
        next += 1;
    }
    Some(written)
}

/// The positions of each list, from 1.
fn subscripts(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let Some(lists) = args.first().and_then(|array| array.as_list_opt::<i32>()) else {
        return Ok(new_null_array(&numbers_type(), rows));
    };
    let mut positions = ListBuilder::new(Int32Builder::new());
    for row in 0..rows {
        let length = if lists.is_null(row) { 0 } else { lists.value_length(row) };
        (1..=length).for_each(|position| positions.values().append_value(position));
        positions.append(true);
    }
    Ok(Arc::new(positions.finish()))
}

fn numbers_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Int32, true)))
}

/// The schemas whose tables need no schema before them.
fn schemas(name: &'static str, there: Vec<String>) -> ScalarUDF {
    let returns = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    of_arrays(name, returns, move |args, rows| {
        let is_all = word(args, 0, 0).is_some_and(|word| word.starts_with('t'));
        // The system catalogue is looked in first, unless the path says where.
        let implied = (is_all && !there.iter().any(|schema| schema == "pg_catalog")).then_some("pg_catalog");
        let schemas: Vec<&str> = implied.into_iter().chain(there.iter().map(String::as_str)).collect();
        let list = SingleRowListArrayBuilder::new(Arc::new(StringArray::from(schemas))).build_list_scalar();
        list.to_array_of_size(rows)
    })
}

/// The functions that tell of a path, of which the schemas `there` exist.
pub(super) fn along(path: &SearchPath, there: &[String]) -> Vec<ScalarUDF> {
    let (shown, first) = (path.to_string(), there.first().cloned());
    vec![
        of_rows("current_schema", DataType::Utf8, move |_, _| first.clone()),
        schemas("current_schemas", there.to_vec()),
        of_rows("current_setting", DataType::Utf8, move |args, row| {
            let name = word(args, 0, row)?;
            match name.eq_ignore_ascii_case("search_path") {
                true => Some(shown.clone()),
                false => setting(&name).map(str::to_owned),
            }
        }),
    ]
}

/// Everything that is added.
pub(super) fn all(numbers: &Arc<Numbers>, types: HashMap<String, i32>) -> Vec<ScalarUDF> {
    use DataType::{Boolean, Int32, Int64, Utf8};
    let [columns, tables, constraints, indexes, relations] = std::array::from_fn(|_| Arc::clone(numbers));
    let mut all = vec![
        of_nothing("version", Utf8, Some(VERSION)),
        of_rows("col_description", Utf8, move |args, row| {
            columns.comment(number(args, 0, row)?, number(args, 1, row)?)
        }),
        of_rows("obj_description", Utf8, move |args, row| {
            // Without a kind every number is looked up: numbers of kinds lie apart.
            let is_table = args.len() < 2 || word(args, 1, row).is_some_and(|kind| kind == "pg_class");
            is_table.then(|| tables.comment(number(args, 0, row)?, 0)).flatten()
        }),
        of_rows("pg_get_constraintdef", Utf8, move |args, row| constraints.constraint(number(args, 0, row)?)),
        of_rows("pg_get_indexdef", Utf8, move |args, row| {
            indexes.index(number(args, 0, row)?, usize::try_from(number(args, 1, row).unwrap_or(0)).ok()?)
        }),
        of_rows("pg_relation_number", Int32, move |args, row| {
            relations.relation(word(args, 0, row)?, word(args, 1, row)?).map(|number| number.to_string())
        }),
        of_rows("to_regtype", Int32, move |args, row| types.get(&word(args, 0, row)?).map(i32::to_string)),
        // Says what would be set; settings are set by SET, and by this alone in a statement.
        of_rows("set_config", Utf8, |args, row| word(args, 1, row)),
        of_rows("pg_size_pretty", Utf8, |args, row| word(args, 0, row).map(|size| format!("{size} bytes"))),
        of_rows("array_to_string", Utf8, joined),
        of_rows("format", Utf8, formatted),
        of_arrays("pg_subscripts", numbers_type(), subscripts),
        of_nothing("getdatabaseencoding", Utf8, Some("UTF8")),
        of_nothing("pg_char_to_encoding", Int32, Some("6")),
        of_nothing("pg_is_in_recovery", Boolean, Some("false")),
        of_nothing("pg_is_other_temp_schema", Boolean, Some("false")),
        of_nothing("pg_my_temp_schema", Int32, Some("0")),
    ];
    let path = SearchPath::default();
    all.extend(along(&path, path.schemas()));
    for name in [
        "pg_collation_is_visible",
        "pg_conversion_is_visible",
        "pg_function_is_visible",
        "pg_opclass_is_visible",
        "pg_operator_is_visible",
        "pg_opfamily_is_visible",
        "pg_statistics_obj_is_visible",
        "pg_ts_config_is_visible",
        "pg_ts_dict_is_visible",
        "pg_ts_parser_is_visible",
        "pg_ts_template_is_visible",
        "pg_type_is_visible",
    ] {
        all.push(of_nothing(name, Boolean, Some("true")));
    }
    // Of what does not exist here, nothing is known.
    for name in [
        "json_build_object",
        "pg_advisory_unlock_all",
        "pg_get_function_arguments",
        "pg_get_function_identity_arguments",
        "pg_get_function_result",
        "pg_get_function_sqlbody",
        "pg_get_functiondef",
        "pg_get_ruledef",
        "pg_get_serial_sequence",
        "pg_get_triggerdef",
        "pg_get_viewdef",
        "pg_tablespace_location",
        "shobj_description",
    ] {
        all.push(of_nothing(name, Utf8, None));
    }
    for name in ["pg_database_size", "pg_indexes_size", "pg_table_size", "pg_tablespace_size"] {
        all.push(of_nothing(name, Int64, None));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[&str]) -> Vec<ArrayRef> {
        values.iter().map(|value| Arc::new(StringArray::from(vec![*value])) as ArrayRef).collect()
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(
            formatted(&texts(&["%I.%I", "open", "debt_stock@all"]), 0).as_deref(),
            Some("open.\"debt_stock@all\"")
        );
        assert_eq!(formatted(&texts(&["%s=%L%%", "a", "b'c"]), 0).as_deref(), Some("a='b''c'%"));
        assert_eq!(formatted(&texts(&["%d", "1"]), 0), None);
    }

    #[test]
    fn lists_become_texts_and_texts_stay() {
        assert_eq!(joined(&texts(&["a=r/b", ","]), 0).as_deref(), Some("a=r/b"));
        let list = SingleRowListArrayBuilder::new(Arc::new(StringArray::from(vec!["a", "b"]))).build_list_array();
        let args: Vec<ArrayRef> = vec![Arc::new(list), Arc::new(StringArray::from(vec![", "]))];
        assert_eq!(joined(&args, 0).as_deref(), Some("a, b"));
    }
}
