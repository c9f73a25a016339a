//! The operator `||` as a function with a bound, and the rule that puts bounded functions into plans.
//!
//! The engine evaluates the operator by itself, where nothing counts. The rule runs after the analyser has settled the types, so
//! that operands, the type of the answer and whether it may be missing stay what they were; so does the name of the column. The
//! registry does not know the function: nobody can call it. Lists are none of its business, the planner makes functions of them
//! that are not available.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::compute::kernels::concat_elements::concat_elements_dyn;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use datafusion::logical_expr::expr::{BinaryExpr, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::analyzer::function_rewrite::ApplyFunctionRewrites;

use super::measure::Measure;

/// The rule that every session has at the end of its analyser.
pub fn rule() -> Arc<dyn AnalyzerRule + Send + Sync> {
    Arc::new(ApplyFunctionRewrites::new(vec![Arc::new(Bounded)]))
}

static JOINED: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Joined { signature }))
});

/// Puts functions with a bound in the place of those without one, wherever they came from.
#[derive(Debug)]
struct Bounded;

impl FunctionRewrite for Bounded {
    fn name(&self) -> &str {
        "bounded_functions"
    }

    fn rewrite(&self, expr: Expr, _: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        Ok(match expr {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
                let call = ScalarFunction::new_udf(Arc::clone(&JOINED), vec![*left, *right]);
                Transformed::yes(Expr::ScalarFunction(call))
            }
            Expr::ScalarFunction(ScalarFunction { func, args }) => {
                let bounded = super::scalar(Arc::clone(&func));
                let is_other = !Arc::ptr_eq(&bounded, &func);
                let call = Expr::ScalarFunction(ScalarFunction::new_udf(bounded, args));
                if is_other { Transformed::yes(call) } else { Transformed::no(call) }
            }
            other => Transformed::no(other),
        })
    }
}

/// `||`: two texts, or two runs of bytes, one after the other; missing where either is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Joined {
    signature: Signature,
}

impl ScalarUDFImpl for Joined {
    fn name(&self) -> &str {
        "||"
    }

    /// The name of the column, as that of the operator is.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        Ok(args.iter().map(|argument| argument.schema_name().to_string()).collect::<Vec<_>>().join(" || "))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let (left, right) = two(types)?;
        BinaryTypeCoercer::new(left, &Operator::StringConcat, right).get_result_type()
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let is_nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, is_nullable)))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let (left, right) = two(types)?;
        let (left, right) = BinaryTypeCoercer::new(left, &Operator::StringConcat, right).get_input_types()?;
        Ok(vec![left, right])
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        // Both sides have the type of the answer, unless they are runs of fixed lengths or not settled.
        let is_missing = |argument: &Expr| match argument {
            Expr::Literal(value, _) => {
                value.is_null() && !matches!(value, ScalarValue::Null | ScalarValue::FixedSizeBinary(..))
            }
            _ => false,
        };
        match args.iter().find(|argument| is_missing(argument)) {
            Some(missing) => Ok(ExprSimplifyResult::Simplified(missing.clone())),
            None => Ok(ExprSimplifyResult::Original(args)),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Measure::Sum.check(&args)?;
        let (left, right) = two(&args.args)?;
        let is_constant = matches!((left, right), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let made = concat_elements_dyn(left.to_array(rows)?.as_ref(), right.to_array(rows)?.as_ref())?;
        match is_constant {
            true => ScalarValue::try_from_array(&made, 0).map(ColumnarValue::Scalar),
            false => Ok(ColumnarValue::Array(made)),
        }
    }
}

fn two<T>(all: &[T]) -> Result<(&T, &T)> {
    match all {
        [left, right] => Ok((left, right)),
        _ => internal_err!("|| stands between two values, not {}", all.len()),
    }
}
