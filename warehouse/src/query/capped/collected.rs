//! What an aggregate collects, counted on the way in.
//!
//! One value has [`COLLECTED_BYTES`]. What all groups hold together is the memory pool's to count, which the engine does after
//! each batch. Two things grow by other laws: values that are collected once each are only known to the aggregate, so that its own
//! size is looked at; and as a window function it answers anew for every row, so that its answers are added up.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::refuse;
use super::sizes::{Form, PLACE, Sizes};

/// Most bytes of one value: the text or list of a group.
const COLLECTED_BYTES: u64 = 16 << 20;
/// Most bytes in which values that are collected once each are looked up: beside its own bytes such a value takes about five times
/// a place.
const DISTINCT_BYTES: u64 = 64 << 20;
/// Fewest bytes of a value that is collected once.
const DISTINCT_PLACE: u64 = 48;
/// Most bytes that one window function gives for the rows of a partition.
const GIVEN_BYTES: u64 = 256 << 20;

/// How the bytes of collected values are counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counting {
    value: Sizes,
    /// The first argument by whose values the collected ones are ordered.
    ordering: usize,
    /// Bytes between two values.
    delimiter: u64,
    is_distinct: bool,
}

impl Counting {
    /// For texts with a delimiter of so many bytes between them.
    pub fn texts(args: &AccumulatorArgs<'_>, delimiter: u64) -> Self {
        // In an order, texts are kept as a list, missing ones included, and joined in the end.
        let is_list = args.is_distinct || !args.order_bys.is_empty();
        let place = if is_list { PLACE } else { 0 };
        let value = Sizes { each: place + delimiter, missing: place, form: Form::Held };
        Self { value, ordering: 2, delimiter, is_distinct: args.is_distinct }
    }

    /// For values of any type.
    pub fn values(args: &AccumulatorArgs<'_>) -> Self {
        let missing = if args.ignore_nulls { 0 } else { PLACE };
        let value = Sizes { missing, ..Sizes::HELD };
        Self { value, ordering: 1, delimiter: 0, is_distinct: args.is_distinct }
    }

    fn of_arguments(&self, arguments: &[ArrayRef]) -> u64 {
        let values = arguments.first().map_or(0, |values| self.value.sum(values.as_ref()));
        of_keys(values, arguments.get(self.ordering..).unwrap_or_default())
    }

    fn of_states(&self, states: &[ArrayRef]) -> u64 {
        let values = states.first().map_or(0, |values| self.value.sum(values.as_ref()));
        of_keys(values, states.get(1..).unwrap_or_default())
    }
}

/// Bytes of values with those of the keys of their order.
fn of_keys(values: u64, keys: &[ArrayRef]) -> u64 {
    keys.iter().fold(values, |sum, keys| sum.saturating_add(Sizes::HELD.sum(keys.as_ref())))
}

/// One value that is being collected.
#[derive(Debug)]
pub(super) struct Collected {
    inner: Box<dyn Accumulator>,
    counting: Counting,
    /// Bytes collected so far.
    bytes: u64,
    /// Bytes of the largest batch: an aggregate that collects each value once keeps room for it.
    batch: u64,
    /// Bytes of the answers given so far.
    given: u64,
}

impl Collected {
    /// The accumulator with its bound, where there is one.
    pub fn around(inner: Box<dyn Accumulator>, counting: Option<Counting>) -> Box<dyn Accumulator> {
        match counting {
            Some(counting) => Box::new(Self { inner, counting, bytes: 0, batch: 0, given: 0 }),
            None => inner,
        }
    }

    /// Counts what comes, before it is taken; of values that are collected once each the aggregate says what it holds.
    fn take(&mut self, bytes: u64, rows: usize, act: impl FnOnce(&mut dyn Accumulator) -> Result<()>) -> Result<()> {
        if !self.counting.is_distinct {
            self.bytes = self.bytes.saturating_add(bytes);
            return if self.bytes > COLLECTED_BYTES { refuse() } else { act(self.inner.as_mut()) };
        }
        // Rows are written into a buffer that grows by doubling, with up to 64 bytes more than their values.
        let batch = bytes.saturating_add(rows as u64 * 64).saturating_mul(2);
        self.batch = self.batch.max(batch);
        act(self.inner.as_mut())?;
        if self.inner.size() as u64 > DISTINCT_BYTES.saturating_add(self.batch) { refuse() } else { Ok(()) }
    }

    /// Refuses a text that would be too large for the delimiters in it: how many values there are once each is not counted.
    fn check_delimiters(&mut self) -> Result<()> {
        let delimiter = self.counting.delimiter;
        let most = (self.inner.size() as u64 / DISTINCT_PLACE).saturating_mul(delimiter);
        if !self.counting.is_distinct || most <= COLLECTED_BYTES {
            return Ok(());
        }
        let state = self.inner.state()?;
        let bytes = state.first().map_or(0, |list| self.answered(list));
        if bytes > COLLECTED_BYTES { refuse() } else { Ok(()) }
    }

    /// Bytes of an answer.
    fn answered(&self, answer: &ScalarValue) -> u64 {
        match answer {
            ScalarValue::LargeUtf8(Some(text)) => text.len() as u64,
            ScalarValue::List(list) => self.counting.value.sum(list.as_ref()),
            _ => 0,
        }
    }
}

impl Accumulator for Collected {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (bytes, rows) = (self.counting.of_arguments(values), rows(values));
        self.take(bytes, rows, |inner| inner.update_batch(values))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (bytes, rows) = (self.counting.of_states(states), rows(states));
        self.take(bytes, rows, |inner| inner.merge_batch(states))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(values)?;
        self.bytes = self.bytes.saturating_sub(self.counting.of_arguments(values));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.check_delimiters()?;
        let answer = self.inner.evaluate()?;
        let bytes = self.answered(&answer);
        self.given = self.given.saturating_add(bytes);
        if bytes > COLLECTED_BYTES || self.given > GIVEN_BYTES { refuse() } else { Ok(answer) }
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.inner.size()
    }
}

/// How many values come, those in lists counted by the list's own values.
fn rows(values: &[ArrayRef]) -> usize {
    values.first().map_or(0, |values| match values.data_type() {
        DataType::List(_) => values.as_list::<i32>().offsets().lengths().sum(),
        _ => values.len(),
    })
}

/// The values of many groups that are being collected.
pub(super) struct CollectedByGroup {
    inner: Box<dyn GroupsAccumulator>,
    counting: Counting,
    /// Bytes collected so far, by group.
    bytes: Vec<u64>,
}

impl CollectedByGroup {
    /// The accumulator with its bound, where there is one.
    pub fn around(inner: Box<dyn GroupsAccumulator>, counting: Option<Counting>) -> Box<dyn GroupsAccumulator> {
        match counting {
            Some(counting) => Box::new(Self { inner, counting, bytes: Vec::new() }),
            None => inner,
        }
    }

    /// Counts what comes for each group, before it is taken.
    fn count(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        if self.bytes.len() < total {
            self.bytes.resize(total, 0);
        }
        let sizes = values.first().map(|values| self.counting.value.rows(values.as_ref())).unwrap_or_default();
        for (row, (group, size)) in groups.iter().zip(sizes).enumerate() {
            if filter.is_some_and(|filter| filter.is_null(row) || !filter.value(row)) {
                continue;
            }
            let Some(bytes) = self.bytes.get_mut(*group) else { continue };
            *bytes = bytes.saturating_add(size);
            if *bytes > COLLECTED_BYTES {
                return refuse();
            }
        }
        Ok(())
    }

    /// Forgets groups that were given out.
    fn forget(&mut self, emitted: EmitTo) {
        let count = match emitted {
            EmitTo::All => self.bytes.len(),
            EmitTo::First(count) => count.min(self.bytes.len()),
        };
        self.bytes.drain(..count);
    }
}

impl GroupsAccumulator for CollectedByGroup {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.count(values, groups, filter, total)?;
        self.inner.update_batch(values, groups, filter, total)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.count(states, groups, None, total)?;
        self.inner.merge_batch(states, groups, total)
    }

    fn evaluate(&mut self, emitted: EmitTo) -> Result<ArrayRef> {
        let answers = self.inner.evaluate(emitted)?;
        self.forget(emitted);
        Ok(answers)
    }

    fn state(&mut self, emitted: EmitTo) -> Result<Vec<ArrayRef>> {
        let states = self.inner.state(emitted)?;
        self.forget(emitted);
        Ok(states)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity() * size_of::<u64>() + self.inner.size()
    }
}
