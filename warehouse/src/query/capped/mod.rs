//! Functions of the engine that make values far larger than their arguments, with a bound on what they make.
//!
//! The engine reserves no memory for what a function makes, so that nothing else would refuse it. For functions of rows the bytes
//! of an answer are counted from the arguments before anything of it is made (`measure`, `expression`, `sizes`); aggregates are
//! stopped while they collect (`aggregate`, `collected`).
//!
//! The registry is not the only way to a function: the planner makes lists in square brackets and `||` by itself. So a last rule
//! of the analyser ([`rule`]) goes over every plan, and what is folded into constants later has passed it too.
//!
//! Without a bound of their own are functions whose answer is at most a small multiple of their arguments: changes of case (up to
//! three times), `string_to_array` (a place for each part), and those that cut.
//!
//! Invariant: no value beyond [`VALUE_BYTES`] and no batch beyond [`BATCH_BYTES`] comes out of a function of rows, and no value
//! beyond `COLLECTED_BYTES` out of an aggregate that collects. What would is `query_memory`.

mod aggregate;
mod collected;
mod expression;
mod measure;
mod operator;
mod percentile;
mod sizes;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

pub(super) use self::aggregate::of as aggregate;
use self::measure::Measure;
pub(super) use self::operator::rule;
use super::error::QueryError;

/// Most bytes of one value that is made. Chosen: as much as one message of a worker to its parent holds, so that a value alone does
/// not make one larger. More costs that memory for each value; less refuses texts that somebody may want.
const VALUE_BYTES: u64 = 1 << 20;
/// Most bytes of the values that are made for one batch. Chosen: a quarter of the pool of a worker (`query.pool_bytes`), which
/// does not count them. More leaves less for the operators around; less refuses more statements whose values are small one by
/// one.
const BATCH_BYTES: u64 = 64 << 20;

/// The refusal of an answer that would be too large.
fn refuse<T>() -> Result<T> {
    Err(DataFusionError::External(Box::new(QueryError::Memory)))
}

/// A function of the engine with a bound on what it makes.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Capped {
    inner: Arc<ScalarUDF>,
    measure: Measure,
}

/// The function with its bound, where it needs one and has none. It keeps its name and its aliases.
pub(super) fn scalar(function: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    match Measure::of(function.name()) {
        Some(measure) if !function.inner().is::<Capped>() => {
            Arc::new(ScalarUDF::new_from_impl(Capped { inner: function, measure }))
        }
        _ => function,
    }
}

/// `simplify` is not passed on: that of `concat` and `concat_ws` puts the engine's own function, without a bound, in place of this
/// one, and no other has any.
impl ScalarUDFImpl for Capped {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.inner().return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.inner().return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.inner().coerce_types(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.measure.check(&args)?;
        self.inner.inner().invoke_with_args(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.inner().documentation()
    }
}
