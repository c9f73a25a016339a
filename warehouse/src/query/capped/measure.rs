//! How the bytes of an answer follow from the arguments.
//!
//! The count may be higher than what is made, never lower. It costs little beside the function itself: where a cheap bound is
//! not enough, occurrences are counted.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, LargeBinaryArray, LargeStringArray, StringArray,
    StringViewArray,
};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::expression::{Expression, is_global, references};
use super::sizes::{Form, Sizes};
use super::{BATCH_BYTES, VALUE_BYTES, refuse};

/// Up to so many bytes a value is taken to be as large as it could be, and occurrences are not counted: a batch of 8,192 such
/// values, the most that the engine makes, is within its bound.
const SMALL: u64 = BATCH_BYTES / 8_192;
/// Most bytes that one byte of a format of dates and times becomes: `%+` is `+262142-12-31T23:59:59.999999999+14:00`.
const FORMATTED: u64 = 20;

/// How the bytes of an answer follow from the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Measure {
    /// All arguments, one after another, or side by side in a list.
    Sum,
    /// The same with the first one between the others.
    Separated,
    /// The first argument with the third in the place of every second.
    Replaced,
    /// The first argument with characters of the third in the place of its own.
    Translated,
    /// What the second argument, a format of dates and times, becomes.
    Formatted,
    /// The values of the first argument, a list, with the second between them and the third in the place of missing ones.
    Joined,
    /// The first argument with the third in the place of what the second, a regular expression, matches.
    ReplacedMatches,
    /// The groups of what the second argument, a regular expression, matches in the first.
    MatchedGroups,
}

impl Measure {
    /// How a function of that canonical name is measured; none for those that need no bound.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "concat" | "make_array" => Self::Sum,
            "concat_ws" => Self::Separated,
            "replace" => Self::Replaced,
            "translate" => Self::Translated,
            "to_char" => Self::Formatted,
            "array_to_string" => Self::Joined,
            "regexp_replace" => Self::ReplacedMatches,
            "regexp_match" => Self::MatchedGroups,
            _ => return None,
        })
    }

    /// Refuses a call whose answer would be too large.
    pub fn check(self, args: &ScalarFunctionArgs) -> Result<()> {
        let mut values = args.args.iter().map(Values::of).collect::<Result<Vec<Values<'_>>>>()?;
        if self == Self::Joined
            && let (Some(first), Some(list)) = (values.first_mut(), args.args.first())
        {
            *first = Values::of_list(list)?;
        }
        // Where all arguments are the same for every row, so is the answer, and it is made once.
        let rows =
            if args.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_))) { 1 } else { args.number_rows };
        if is_within(rows, |row| self.bytes(&values, row)) {
            return Ok(());
        }
        let mut expression = Expression::default();
        let is_bounded = match (self, values.as_slice()) {
            (Self::ReplacedMatches, [text, pattern, replacement, flags @ ..]) => is_within(rows, |row| {
                let flags = flags.first().map_or(Some(""), |flags| flags.text(row));
                match (text.text(row), pattern.text(row), replacement.text(row), flags) {
                    (Some(text), Some(pattern), Some(replacement), Some(flags)) => {
                        expression.replaced(text, pattern, replacement, flags)
                    }
                    _ => 0,
                }
            }),
            (Self::MatchedGroups, [text, pattern, flags @ ..]) => is_within(rows, |row| {
                let flags = flags.first().and_then(|flags| flags.text(row)).unwrap_or_default();
                match (text.text(row), pattern.text(row)) {
                    (Some(text), Some(pattern)) => expression.groups(text, pattern, flags),
                    _ => 0,
                }
            }),
            _ => false,
        };
        if is_bounded { Ok(()) } else { refuse() }
    }

    fn bytes(self, values: &[Values<'_>], row: usize) -> u64 {
        let sum = |values: &[Values<'_>]| values.iter().map(|value| value.bytes(row)).fold(0, u64::saturating_add);
        match (self, values) {
            (Self::Replaced, [text, from, to]) => match (text.get(row), from.get(row), to.get(row)) {
                (Some(text), Some(from), Some(to)) => replaced(text, from, to),
                _ => 0,
            },
            (Self::Separated, [separator, others @ ..]) => {
                let between = (others.len() as u64).saturating_sub(1);
                sum(others).saturating_add(between.saturating_mul(separator.bytes(row)))
            }
            (Self::Translated, [text, _, to]) => match (text.get(row), to.get(row)) {
                (Some(text), Some(to)) => translated(text, to),
                _ => 0,
            },
            (Self::Formatted, [_, format]) => format.bytes(row).saturating_mul(FORMATTED),
            (Self::Joined, [list, between @ ..]) => {
                list.bytes(row).saturating_add(list.count(row).saturating_mul(sum(between)))
            }
            (Self::ReplacedMatches, [text, _, replacement, flags @ ..]) => {
                match (text.get(row), replacement.get(row)) {
                    (Some(text), Some(replacement)) => {
                        let is_global = flags.first().and_then(|flags| flags.get(row)).is_some_and(is_global);
                        let length = text.len() as u64;
                        let matches = if is_global { length + 1 } else { 1 };
                        let brought_back = references(replacement).saturating_mul(length);
                        matches
                            .saturating_mul(replacement.len() as u64)
                            .saturating_add(length)
                            .saturating_add(brought_back)
                    }
                    _ => 0,
                }
            }
            (Self::MatchedGroups, [text, pattern, ..]) => match (text.get(row), pattern.get(row)) {
                (Some(text), Some(pattern)) => {
                    let groups = pattern.iter().filter(|byte| **byte == b'(').count().max(1);
                    (text.len() as u64).saturating_mul(groups as u64)
                }
                _ => 0,
            },
            (_, all) => sum(all),
        }
    }
}

/// Whether no row is beyond the bound of a value, nor all of them beyond that of a batch.
fn is_within(rows: usize, mut bytes: impl FnMut(usize) -> u64) -> bool {
    let mut sum: u64 = 0;
    (0..rows).all(|row| {
        let bytes = bytes(row);
        sum = sum.saturating_add(bytes);
        bytes <= VALUE_BYTES && sum <= BATCH_BYTES
    })
}

/// Bytes of a text with something in the place of every occurrence of something else.
fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> u64 {
    let length = text.len() as u64;
    if from.is_empty() || to.len() <= from.len() {
        return length;
    }
    let grows = (to.len() - from.len()) as u64;
    let most = length.saturating_add((text.len() / from.len()) as u64 * grows);
    if most <= SMALL {
        return most;
    }
    // Texts are UTF-8; what is none has no occurrences that would be replaced.
    let (Ok(text), Ok(from)) = (std::str::from_utf8(text), std::str::from_utf8(from)) else { return length };
    length.saturating_add(text.matches(from).count() as u64 * grows)
}

/// Bytes of a text whose characters may each become any of others.
fn translated(text: &[u8], to: &[u8]) -> u64 {
    let length = text.len() as u64;
    if to.is_ascii() {
        return length;
    }
    // No character has more than four bytes.
    if length * 4 <= SMALL {
        return length * 4;
    }
    let (Ok(text), Ok(to)) = (std::str::from_utf8(text), std::str::from_utf8(to)) else { return length };
    let longest = to.chars().map(char::len_utf8).max().unwrap_or_default();
    text.chars().map(|character| character.len_utf8().max(longest) as u64).sum()
}

/// The values of one argument.
enum Values<'a> {
    Same(Option<&'a [u8]>),
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    TextView(&'a StringViewArray),
    Binary(&'a BinaryArray),
    LargeBinary(&'a LargeBinaryArray),
    BinaryView(&'a BinaryViewArray),
    /// Neither texts nor bytes: their sizes. One row stands for all where the argument is a constant.
    Sizes {
        bytes: Vec<u64>,
        /// How many values a list has, with those inside them; empty where nobody asks.
        count: Vec<u64>,
    },
}

impl<'a> Values<'a> {
    fn of(value: &'a ColumnarValue) -> Result<Self> {
        Ok(match value {
            ColumnarValue::Scalar(value) => match value {
                ScalarValue::Utf8(text) | ScalarValue::LargeUtf8(text) | ScalarValue::Utf8View(text) => {
                    Self::Same(text.as_deref().map(str::as_bytes))
                }
                ScalarValue::Binary(bytes) | ScalarValue::LargeBinary(bytes) | ScalarValue::BinaryView(bytes) => {
                    Self::Same(bytes.as_deref())
                }
                other => Self::Sizes { bytes: Sizes::HELD.rows(other.to_array()?.as_ref()), count: Vec::new() },
            },
            ColumnarValue::Array(array) => match array.data_type() {
                DataType::Utf8 => Self::Text(array.as_string()),
                DataType::LargeUtf8 => Self::LargeText(array.as_string()),
                DataType::Utf8View => Self::TextView(array.as_string_view()),
                DataType::Binary => Self::Binary(array.as_binary()),
                DataType::LargeBinary => Self::LargeBinary(array.as_binary()),
                DataType::BinaryView => Self::BinaryView(array.as_binary_view()),
                _ => Self::Sizes { bytes: Sizes::HELD.rows(array.as_ref()), count: Vec::new() },
            },
        })
    }

    /// A list whose values are to be printed.
    fn of_list(value: &ColumnarValue) -> Result<Self> {
        let array: ArrayRef = match value {
            ColumnarValue::Scalar(value) => value.to_array()?,
            ColumnarValue::Array(array) => Arc::clone(array),
        };
        let bytes = Sizes { each: 0, missing: 0, form: Form::Printed }.rows(array.as_ref());
        // Whatever a value counts beyond its bytes, it counts once.
        let with_one = Sizes { each: 1, missing: 1, form: Form::Printed }.rows(array.as_ref());
        let count = with_one.iter().zip(&bytes).map(|(with_one, bytes)| with_one.saturating_sub(*bytes)).collect();
        Ok(Self::Sizes { bytes, count })
    }

    /// The bytes of a row; none where the value is missing or no text.
    fn get(&self, row: usize) -> Option<&'a [u8]> {
        match *self {
            Self::Same(bytes) => bytes,
            Self::Text(array) => array.is_valid(row).then(|| array.value(row).as_bytes()),
            Self::LargeText(array) => array.is_valid(row).then(|| array.value(row).as_bytes()),
            Self::TextView(array) => array.is_valid(row).then(|| array.value(row).as_bytes()),
            Self::Binary(array) => array.is_valid(row).then(|| array.value(row)),
            Self::LargeBinary(array) => array.is_valid(row).then(|| array.value(row)),
            Self::BinaryView(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Sizes { .. } => None,
        }
    }

    /// The text of a row.
    fn text(&self, row: usize) -> Option<&'a str> {
        self.get(row).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// How many bytes the value of a row has.
    fn bytes(&self, row: usize) -> u64 {
        match self {
            Self::Sizes { bytes, .. } => of_row(bytes, row),
            texts => texts.get(row).map_or(0, |bytes| bytes.len() as u64),
        }
    }

    /// How many values the list of a row has.
    fn count(&self, row: usize) -> u64 {
        match self {
            Self::Sizes { count, .. } => of_row(count, row),
            _ => 0,
        }
    }
}

/// The size of a row, or of the one that stands for all.
fn of_row(sizes: &[u64], row: usize) -> u64 {
    sizes.get(row).or(sizes.first()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_replacing_makes_is_counted() {
        assert_eq!(replaced("abcabc".as_bytes(), b"b", b"xyz"), 18, "small texts are not looked through");
        assert_eq!(replaced(b"abc", b"", b"xyz"), 3, "nothing is found everywhere and replaced nowhere");
        assert_eq!(replaced(b"abc", b"abc", b"x"), 3);
        let text = "ab".repeat(1 << 13);
        assert_eq!(replaced(text.as_bytes(), b"a", "中".as_bytes()), (1 << 14) + 2 * (1 << 13));
        assert_eq!(replaced(text.as_bytes(), b"c", "中".as_bytes()), 1 << 14);
    }

    #[test]
    fn what_translating_makes_is_counted() {
        assert_eq!(translated(b"abc", b"xyz"), 3);
        assert_eq!(translated(b"abc", "中".as_bytes()), 12, "small texts are not looked through");
        let text = "a中".repeat(1 << 12);
        assert_eq!(translated(text.as_bytes(), "文".as_bytes()), 6 << 12);
    }

    #[test]
    fn a_value_and_a_batch_have_their_bounds() {
        assert!(is_within(64, |_| VALUE_BYTES));
        assert!(!is_within(65, |_| VALUE_BYTES));
        assert!(!is_within(1, |_| VALUE_BYTES + 1));
    }
}
