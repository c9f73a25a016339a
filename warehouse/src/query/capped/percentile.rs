//! The value at a place between two others, as exact as a double.
//!
//! The engine reckons such a place in millionths, cut off: its 95th percentile of eight values is not that of PostgreSQL or of
//! DuckDB. It keeps all values until the end either way. So they are taken from its state, and the place is reckoned here.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

/// The value at a fraction of the way from the least to the greatest; none of none.
fn percentile(values: &mut [f64], fraction: f64) -> Option<f64> {
    let place = fraction * values.len().checked_sub(1)? as f64;
    let (_, lower, above) = values.select_nth_unstable_by(place as usize, f64::total_cmp);
    let upper = above.iter().copied().min_by(f64::total_cmp).unwrap_or(*lower);
    let weight = place.fract();
    // Without a way to go there is none to multiply: it may be endless.
    Some(if weight == 0.0 { *lower } else { *lower + weight * (upper - *lower) })
}

fn values(list: &ArrayRef) -> Vec<f64> {
    list.as_primitive::<Float64Type>().values().to_vec()
}

/// The values of one group.
#[derive(Debug)]
pub(super) struct Interpolated {
    inner: Box<dyn Accumulator>,
    fraction: f64,
}

impl Interpolated {
    /// The accumulator with its own place, where a fraction is given.
    pub fn around(inner: Box<dyn Accumulator>, fraction: Option<f64>) -> Box<dyn Accumulator> {
        match fraction {
            Some(fraction) => Box::new(Self { inner, fraction }),
            None => inner,
        }
    }
}

impl Accumulator for Interpolated {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let states = self.inner.state()?;
        let [ScalarValue::List(list)] = states.as_slice() else {
            return internal_err!("a percentile collects lists of values, not {states:?}");
        };
        let found = percentile(&mut values(&list.value(0)), self.fraction);
        // The state was taken away, and a window goes on with it.
        self.inner.merge_batch(&[Arc::clone(list) as ArrayRef])?;
        Ok(ScalarValue::Float64(found))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.inner.size()
    }
}

/// The values of many groups.
pub(super) struct InterpolatedByGroup {
    inner: Box<dyn GroupsAccumulator>,
    fraction: f64,
}

impl InterpolatedByGroup {
    /// The accumulator with its own place, where a fraction is given.
    pub fn around(inner: Box<dyn GroupsAccumulator>, fraction: Option<f64>) -> Box<dyn GroupsAccumulator> {
        match fraction {
            Some(fraction) => Box::new(Self { inner, fraction }),
            None => inner,
        }
    }
}

impl GroupsAccumulator for InterpolatedByGroup {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.inner.update_batch(values, groups, filter, total)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.inner.merge_batch(states, groups, total)
    }

    fn evaluate(&mut self, emitted: EmitTo) -> Result<ArrayRef> {
        let states = self.inner.state(emitted)?;
        let Some(lists) = states.first().and_then(|lists| lists.as_list_opt::<i32>()) else {
            return internal_err!("a percentile collects lists of values");
        };
        let found: Float64Array = lists.iter().map(|list| percentile(&mut values(&list?), self.fraction)).collect();
        Ok(Arc::new(found))
    }

    fn state(&mut self, emitted: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emitted)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.inner.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_a_double() {
        let seven = || [7.0, 1.0, 3.0, 2.0, 6.0, 4.0, 5.0, 8.0];
        for (fraction, expected) in [(0.0, 1.0), (1.0, 8.0), (0.5, 4.5), (0.95, 1.0 + 0.95 * 7.0), (1.0 / 7.0, 2.0)] {
            assert_eq!(percentile(&mut seven(), fraction), Some(expected), "{fraction}");
        }
        assert_eq!(percentile(&mut [], 0.5), None);
        assert_eq!(percentile(&mut [3.5], 0.3), Some(3.5));
        assert_eq!(percentile(&mut [f64::INFINITY, f64::INFINITY, 1.0], 0.5), Some(f64::INFINITY));
    }
}
