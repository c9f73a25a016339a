//! How many bytes the values of an array are, row by row, whatever their type.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};

/// Bytes that a value takes in a list beside its own: an offset, or a view.
pub(super) const PLACE: u64 = 8;

/// What counts as the bytes of a value that is neither a text nor bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// What it takes in memory.
    Held,
    /// What it takes as a text, at most.
    Printed,
}

/// A way to count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Bytes that every value counts beside its own, those inside lists and structs included.
    pub each: u64,
    /// Bytes that a missing value counts.
    pub missing: u64,
    /// What counts for values that are no texts.
    pub form: Form,
}

impl Sizes {
    /// Values as they lie in memory.
    pub const HELD: Self = Self { each: PLACE, missing: PLACE, form: Form::Held };

    /// Bytes of each row. Values inside lists are gone through once.
    pub fn rows(&self, array: &dyn Array) -> Vec<u64> {
        let mut sizes = self.present(array);
        if let Some(nulls) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
            for (size, is_present) in sizes.iter_mut().zip(nulls.iter()) {
                if !is_present {
                    *size = self.missing;
                }
            }
        }
        sizes
    }

    /// Bytes of all rows together.
    pub fn sum(&self, array: &dyn Array) -> u64 {
        self.rows(array).into_iter().fold(0, u64::saturating_add)
    }

    /// Bytes of each row, as if none were missing.
    fn present(&self, array: &dyn Array) -> Vec<u64> {
        match array.data_type() {
            DataType::Utf8 => self.with_each(array.as_string::<i32>().offsets().lengths()),
            DataType::LargeUtf8 => self.with_each(array.as_string::<i64>().offsets().lengths()),
            DataType::Utf8View => self.with_each(array.as_string_view().lengths().map(|length| length as usize)),
            DataType::Binary => self.with_each(array.as_binary::<i32>().offsets().lengths()),
            DataType::LargeBinary => self.with_each(array.as_binary::<i64>().offsets().lengths()),
            DataType::BinaryView => self.with_each(array.as_binary_view().lengths().map(|length| length as usize)),
            DataType::List(_) => self.of_lists(array.as_list::<i32>().values(), array.as_list::<i32>().offsets()),
            DataType::LargeList(_) => self.of_lists(array.as_list::<i64>().values(), array.as_list::<i64>().offsets()),
            DataType::Map(..) => {
                let entries: ArrayRef = Arc::new(array.as_map().entries().clone());
                self.of_lists(&entries, array.as_map().offsets())
            }
            DataType::FixedSizeList(..) => self.of_fixed_lists(array),
            DataType::Struct(_) => {
                let mut sizes = vec![self.each; array.len()];
                for column in array.as_struct().columns() {
                    for (size, more) in sizes.iter_mut().zip(self.rows(column.as_ref())) {
                        *size = size.saturating_add(more);
                    }
                }
                sizes
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                // Without values there is nothing that a key could stand for.
                if dictionary.values().is_empty() {
                    return vec![self.each; array.len()];
                }
                let values = self.rows(dictionary.values().as_ref());
                dictionary.normalized_keys().into_iter().map(|key| values[key]).collect()
            }
            other => match self.form {
                Form::Held => vec![self.each.saturating_add(width(other)); array.len()],
                Form::Printed => self.printed(array),
            },
        }
    }

    fn with_each(&self, lengths: impl Iterator<Item = usize>) -> Vec<u64> {
        lengths.map(|length| self.each.saturating_add(length as u64)).collect()
    }

    fn of_lists<O: OffsetSizeTrait>(&self, values: &ArrayRef, offsets: &OffsetBuffer<O>) -> Vec<u64> {
        // Parts of one array share its values: only those of this part are gone through.
        let (first, last) = (offsets[0].as_usize(), offsets[offsets.len() - 1].as_usize());
        let inner = self.rows(values.slice(first, last - first).as_ref());
        let sum = |from: usize, to: usize| {
            inner[from - first..to - first].iter().copied().fold(self.each, u64::saturating_add)
        };
        offsets.windows(2).map(|pair| sum(pair[0].as_usize(), pair[1].as_usize())).collect()
    }

    fn of_fixed_lists(&self, array: &dyn Array) -> Vec<u64> {
        let list = array.as_fixed_size_list();
        let length = usize::try_from(list.value_length()).unwrap_or_default();
        let inner = self.rows(list.values().as_ref());
        let sum =
            |row: usize| inner[row * length..(row + 1) * length].iter().copied().fold(self.each, u64::saturating_add);
        (0..list.len()).map(sum).collect()
    }

    fn printed(&self, array: &dyn Array) -> Vec<u64> {
        match array.data_type() {
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>().values();
                values.iter().map(|value| self.each.saturating_add(digits(f64::from(*value)))).collect()
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>().values();
                values.iter().map(|value| self.each.saturating_add(digits(*value))).collect()
            }
            // 18446744073709551615, -9223372036854775808
            other if other.is_integer() => vec![self.each.saturating_add(20); array.len()],
            DataType::Boolean | DataType::Null => vec![self.each.saturating_add(5); array.len()],
            // Decimals have up to 76 digits; moments and spans are shorter.
            _ => vec![self.each.saturating_add(80); array.len()],
        }
    }
}

/// Bytes of a value in memory.
fn width(data_type: &DataType) -> u64 {
    let width = match data_type {
        DataType::Boolean | DataType::Null => 1,
        DataType::FixedSizeBinary(width) => usize::try_from(*width).unwrap_or_default(),
        other => other.primitive_width().unwrap_or(16),
    };
    width as u64
}

/// Bytes of a number that is printed without an exponent, at most: 17 digits that count, zeros up to the point, sign and point.
fn digits(value: f64) -> u64 {
    let zeros = value.abs().log10().abs();
    24 + if zeros.is_finite() { zeros as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Float64Array, Int64Array, ListArray, StringArray, StringViewArray};
    use datafusion::arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn texts_and_lists_are_counted_by_row() {
        let texts = [Some("ab"), None, Some("中文")];
        assert_eq!(Sizes::HELD.rows(&StringArray::from(texts.to_vec())), [2 + 8, 8, 6 + 8]);
        assert_eq!(Sizes::HELD.rows(&StringViewArray::from(texts.to_vec())), [2 + 8, 8, 6 + 8]);
        let lists = [Some(vec![Some(1), None]), None, Some(vec![]), Some(vec![Some(2)])];
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(lists);
        // A list and each of its values have a place, a number has eight bytes.
        assert_eq!(Sizes::HELD.rows(&lists), [8 + 16 + 8, 8, 8, 8 + 16]);
        // The last two rows alone share the values of all.
        assert_eq!(Sizes::HELD.rows(&lists.slice(2, 2)), [8, 8 + 16]);
    }

    #[test]
    fn no_number_is_printed_longer_than_counted() {
        let numbers = [0.0, -1.5, f64::MAX, f64::MIN_POSITIVE, 5e-324, f64::INFINITY, f64::NAN, 123_456_789.123_456_7];
        let printed = Sizes { each: 0, missing: 0, form: Form::Printed };
        for (counted, number) in printed.rows(&Float64Array::from(numbers.to_vec())).into_iter().zip(numbers) {
            assert!(number.to_string().len() as u64 <= counted, "{number}: {counted}");
        }
        let counted = printed.rows(&Int64Array::from(vec![i64::MIN]));
        assert_eq!(counted, [i64::MIN.to_string().len() as u64]);
    }
}
