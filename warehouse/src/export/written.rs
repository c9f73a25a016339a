//! The values of one column, written out.
//!
//! Instants and days come in runs, since rows are sorted by them: what was written for one is used again for the next. Decimals
//! are written digit by digit. Every other type is left to Arrow's formatter, whose texts all of them equal.

use std::cell::RefCell;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, PrimitiveArray, StringArray, StringViewArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_display_error(false);

/// How the values of a column become text.
pub(super) enum Texts<'a> {
    /// They are text.
    Plain(&'a StringArray),
    /// They are text, kept as views.
    Views(&'a StringViewArray),
    /// Exact decimals.
    Decimals(Decimals<'a>),
    /// Instants.
    Instants(Runs<'a, TimestampMicrosecondType>),
    /// Days.
    Days(Runs<'a, Date32Type>),
    /// Everything else.
    Formatted(ArrayFormatter<'a>),
}

impl<'a> Texts<'a> {
    /// Prepares a column.
    pub fn new(column: &'a ArrayRef) -> Result<Self, ArrowError> {
        let formatter = || ArrayFormatter::try_new(column.as_ref(), &OPTIONS);
        Ok(match column.data_type() {
            DataType::Utf8 => Self::Plain(column.as_string()),
            DataType::Utf8View => Self::Views(column.as_string_view()),
            DataType::Decimal128(precision, scale) if *scale >= 0 => Self::Decimals(Decimals {
                values: column.as_primitive(),
                precision: usize::from(*precision),
                scale: usize::from(scale.unsigned_abs()),
                formatter: formatter()?,
            }),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Self::Instants(Runs::new(column, formatter()?)),
            DataType::Date32 => Self::Days(Runs::new(column, formatter()?)),
            _ => Self::Formatted(formatter()?),
        })
    }

    /// Whether no text has a byte that CSV or JSON would write differently: found out where the texts lie as one.
    pub fn are_plain(&self) -> bool {
        match self {
            Self::Plain(texts) => {
                let offsets = texts.value_offsets();
                let (from, to) = (offsets[0] as usize, offsets[texts.len()] as usize);
                // Every byte is looked at, none ends the look: so it is done for many at once.
                let is_plain = |byte: u8| (byte >= b' ') & (byte != b'"') & (byte != b',') & (byte != b'\\');
                texts.value_data()[from..to].iter().fold(true, |plain, byte| plain & is_plain(*byte))
            }
            Self::Decimals(_) | Self::Instants(_) | Self::Days(_) => true,
            Self::Views(_) | Self::Formatted(_) => false,
        }
    }

    /// Gives the text of a value that is there. `scratch` holds it where it has to be written.
    pub fn with<T, E: From<ArrowError>>(
        &self,
        row: usize,
        scratch: &mut String,
        take: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, E> {
        scratch.clear();
        match self {
            Self::Plain(texts) => return take(texts.value(row)),
            Self::Views(texts) => return take(texts.value(row)),
            Self::Instants(runs) => return runs.with(row, take),
            Self::Days(runs) => return runs.with(row, take),
            Self::Decimals(decimals) => decimals.write(row, scratch)?,
            Self::Formatted(formatter) => formatter.value(row).write(scratch)?,
        }
        take(scratch)
    }
}

/// Exact decimals of a scale that is not negative.
pub(super) struct Decimals<'a> {
    values: &'a Decimal128Array,
    precision: usize,
    scale: usize,
    /// For values of more digits than the type has.
    formatter: ArrayFormatter<'a>,
}

impl Decimals<'_> {
    fn write(&self, row: usize, text: &mut String) -> Result<(), ArrowError> {
        let value = self.values.value(row);
        let mut buffer = itoa::Buffer::new();
        let digits = match u64::try_from(value.unsigned_abs()) {
            Ok(small) => buffer.format(small),
            Err(_) => buffer.format(value.unsigned_abs()),
        };
        if digits.len() > self.precision {
            return self.formatter.value(row).write(text);
        }
        if value < 0 {
            text.push('-');
        }
        match digits.len().checked_sub(self.scale) {
            _ if self.scale == 0 => text.push_str(digits),
            None | Some(0) => {
                text.push_str("0.");
                text.extend(std::iter::repeat_n('0', self.scale - digits.len()));
                text.push_str(digits);
            }
            Some(whole) => {
                text.push_str(&digits[..whole]);
                text.push('.');
                text.push_str(&digits[whole..]);
            }
        }
        Ok(())
    }
}

/// Values that are often those of the row before.
pub(super) struct Runs<'a, T: ArrowPrimitiveType> {
    values: &'a PrimitiveArray<T>,
    formatter: ArrayFormatter<'a>,
    last: RefCell<(Option<T::Native>, String)>,
}

impl<'a, T: ArrowPrimitiveType> Runs<'a, T> {
    fn new(column: &'a ArrayRef, formatter: ArrayFormatter<'a>) -> Self {
        Self { values: column.as_primitive(), formatter, last: RefCell::default() }
    }

    fn with<R, E: From<ArrowError>>(&self, row: usize, take: impl FnOnce(&str) -> Result<R, E>) -> Result<R, E> {
        let mut last = self.last.borrow_mut();
        let (value, text) = &mut *last;
        if *value != Some(self.values.value(row)) {
            // A value that cannot be written is not the one before of the next.
            *value = None;
            text.clear();
            self.formatter.value(row).write(text)?;
            *value = Some(self.values.value(row));
        }
        take(text)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, TimestampMicrosecondArray};
    use proptest::prelude::*;

    use super::*;
    use crate::schema::ZONE;

    /// The texts of all values of a column, by [`Texts`] and by Arrow's formatter.
    fn both(column: ArrayRef) -> (Vec<String>, Vec<String>) {
        let texts = Texts::new(&column).expect("a type that can be written");
        let formatter = ArrayFormatter::try_new(column.as_ref(), &OPTIONS).expect("a type that can be written");
        let mut scratch = String::new();
        let ours =
            |row| texts.with(row, &mut scratch, |text| Ok::<_, ArrowError>(text.to_owned())).expect("is written");
        ((0..column.len()).map(ours).collect(), (0..column.len()).map(|row| formatter.value(row).to_string()).collect())
    }

    proptest! {
        #[test]
        fn decimals_are_written_as_arrow_does(
            values in prop::collection::vec(prop_oneof![any::<i128>(), (-20_000_i128..20_000), any::<i64>().prop_map(i128::from)], 1..20),
            precision in 1_u8..=38,
            scale in 0_i8..=38,
        ) {
            let scale = scale.min(precision.cast_signed());
            let column = Decimal128Array::from(values).with_precision_and_scale(precision, scale).expect("a decimal type");
            let (ours, theirs) = both(Arc::new(column));
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn runs_of_instants_and_days_are_written_as_arrow_does(values in prop::collection::vec((-40_000_i32..80_000, 1_usize..4), 1..20)) {
            let days: Vec<i32> = values.iter().flat_map(|(value, count)| std::iter::repeat_n(*value, *count)).collect();
            let instants = days.iter().map(|day| i64::from(*day) * 86_400_000_000 + i64::from(*day % 7) * 1_500_000);
            let instants = TimestampMicrosecondArray::from_iter_values(instants);
            for column in [
                Arc::new(Date32Array::from(days.clone())) as ArrayRef,
                Arc::new(instants.clone()),
                Arc::new(instants.with_timezone(ZONE)),
            ] {
                let (ours, theirs) = both(column);
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
