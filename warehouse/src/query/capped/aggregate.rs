//! Aggregates whose answer or state grows with what they are given, with a bound.
//!
//! `string_agg` and `array_agg` are the engine's own, wherever they stand: over all rows, in groups, as window functions, with
//! `DISTINCT`, `ORDER BY` and `FILTER`. What they are given is counted on the way in. The approximate percentiles take how many
//! centroids they keep from the statement. The exact one collects numbers, which the engine reserves memory for; only the place
//! between two of them is reckoned here (`percentile`).

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF, Signature,
};
use datafusion::physical_expr::expressions::Literal;

use super::collected::{Collected, CollectedByGroup, Counting};
use super::percentile::{Interpolated, InterpolatedByGroup};
use crate::query::error::QueryError;

/// Most centroids that an approximate percentile keeps; the engine keeps 100 where nothing is said.
const CENTROIDS: u64 = 10_000;

/// What bounds an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bound {
    /// Texts with a delimiter between them.
    Texts,
    /// Values of any type.
    Values,
    /// A number of centroids, as the argument at this place.
    Centroids(usize),
    /// None: it is the place of a percentile that is reckoned here.
    Place,
}

/// An aggregate of the engine with a bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Capped {
    inner: Arc<AggregateUDF>,
    bound: Bound,
}

/// The aggregate with its bound, where it needs one. It keeps its name and its aliases.
pub fn of(function: Arc<AggregateUDF>) -> Arc<AggregateUDF> {
    let bound = match function.name() {
        "string_agg" => Bound::Texts,
        "array_agg" => Bound::Values,
        "approx_percentile_cont" => Bound::Centroids(2),
        "approx_percentile_cont_with_weight" => Bound::Centroids(3),
        "percentile_cont" => Bound::Place,
        _ => return function,
    };
    Arc::new(AggregateUDF::new_from_impl(Capped { inner: function, bound }))
}

impl Capped {
    /// How values are counted; none where nothing is collected.
    ///
    /// # Errors
    ///
    /// A number of centroids that is not accepted.
    fn counting(&self, args: &AccumulatorArgs<'_>) -> Result<Option<Counting>> {
        let constant = |index: usize| args.exprs.get(index).and_then(|expr| expr.downcast_ref::<Literal>());
        match self.bound {
            Bound::Texts => {
                let delimiter = constant(1).and_then(|literal| literal.value().try_as_str().flatten());
                Ok(Some(Counting::texts(args, delimiter.map_or(0, str::len) as u64)))
            }
            Bound::Values => Ok(Some(Counting::values(args))),
            Bound::Centroids(index) if args.exprs.len() > index => {
                match constant(index).and_then(|literal| number(literal.value())) {
                    Some(1..=CENTROIDS) => Ok(None),
                    _ => Err(DataFusionError::External(Box::new(QueryError::Failed {
                        reason: "the number of centroids is not a constant from 1 to 10,000",
                    }))),
                }
            }
            Bound::Centroids(_) | Bound::Place => Ok(None),
        }
    }

    /// The way from the least value to the greatest that a percentile of doubles lies at; none of other numbers, which is the
    /// engine's.
    fn fraction(&self, args: &AccumulatorArgs<'_>) -> Option<f64> {
        let is_double = || args.expr_fields.first().is_some_and(|field| *field.data_type() == DataType::Float64);
        let literal = args.exprs.get(1)?.downcast_ref::<Literal>()?;
        let ScalarValue::Float64(Some(fraction)) = literal.value() else { return None };
        let is_descending = args.order_bys.first().is_some_and(|key| key.options.descending);
        (self.bound == Bound::Place && is_double()).then_some(if is_descending { 1.0 - fraction } else { *fraction })
    }
}

/// A whole number that is not negative.
fn number(value: &ScalarValue) -> Option<u64> {
    match value {
        ScalarValue::UInt8(value) => value.map(u64::from),
        ScalarValue::UInt16(value) => value.map(u64::from),
        ScalarValue::UInt32(value) => value.map(u64::from),
        ScalarValue::UInt64(value) => *value,
        ScalarValue::Int8(value) => value.and_then(|value| value.try_into().ok()),
        ScalarValue::Int16(value) => value.and_then(|value| value.try_into().ok()),
        ScalarValue::Int32(value) => value.and_then(|value| value.try_into().ok()),
        ScalarValue::Int64(value) => value.and_then(|value| value.try_into().ok()),
        _ => None,
    }
}

/// What none of these functions has of its own is not passed on: rewriting in the planner, answers from statistics.
impl AggregateUDFImpl for Capped {
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
        self.inner.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        self.inner.return_field(fields)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let (counting, fraction) = (self.counting(&args)?, self.fraction(&args));
        Ok(Interpolated::around(Collected::around(self.inner.accumulator(args)?, counting), fraction))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        // The state of different values does not say how often each of them is in the window.
        let fraction = self.fraction(&args).filter(|_| !args.is_distinct);
        let counting = self.counting(&args)?;
        let inner = self.inner.create_sliding_accumulator(args)?;
        Ok(Interpolated::around(Collected::around(inner, counting), fraction))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let (counting, fraction) = (self.counting(&args)?, self.fraction(&args));
        let inner = self.inner.create_groups_accumulator(args)?;
        Ok(InterpolatedByGroup::around(CollectedByGroup::around(inner, counting), fraction))
    }

    fn with_beneficial_ordering(self: Arc<Self>, is_ordered: bool) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let inner = Arc::clone(self.inner.inner()).with_beneficial_ordering(is_ordered)?;
        Ok(inner.map(|inner| {
            let inner = Arc::new(AggregateUDF::new_from_shared_impl(inner));
            Arc::new(Self { inner, bound: self.bound }) as Arc<dyn AggregateUDFImpl>
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    /// The engine's own answer names the function without a bound.
    fn reverse_expr(&self) -> ReversedUDAF {
        match self.inner.reverse_udf() {
            ReversedUDAF::Reversed(inner) => ReversedUDAF::Reversed(of(inner)),
            other => other,
        }
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.inner.supports_null_handling_clause()
    }

    fn supports_within_group_clause(&self) -> bool {
        self.inner.supports_within_group_clause()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
