//! Functions of the engine that make texts far larger than their arguments, with a bound on what they make.
//!
//! The bytes of an answer are counted from the arguments before anything of it is made: the engine reserves no memory for what
//! a function makes, so that nothing else would refuse it. `||` and `regexp_replace` are not among them: the one is an operator,
//! and what the other makes is known only when it is made.
//!
//! Invariant: no value beyond [`VALUE_BYTES`] and no batch beyond [`BATCH_BYTES`] comes out of one of these.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, AsArray, BinaryArray, BinaryViewArray, LargeBinaryArray, LargeStringArray, StringArray, StringViewArray,
};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::error::QueryError;

/// Most bytes of one value that is made. Chosen: as much as one message of a worker to its parent holds, so that a value alone does
/// not make one larger. More costs that memory for each value; less refuses texts that somebody may want.
const VALUE_BYTES: u64 = 1 << 20;
/// Most bytes of the values that are made for one batch. Chosen: a quarter of the pool of a worker (`query.pool_bytes`), which
/// does not count them. More leaves less for the operators around; less refuses more statements whose values are small one by
/// one.
const BATCH_BYTES: u64 = 64 << 20;
/// Up to so many bytes a value is taken to be as large as it could be, and occurrences are not counted: a batch of 8,192 such
/// values, the most that the engine makes, is within its bound.
const SMALL: u64 = BATCH_BYTES / 8_192;

/// How the bytes of an answer follow from the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Measure {
    /// All arguments, one after another.
    Sum,
    /// The same with the first one between the others.
    Separated,
    /// The first argument with the third in the place of every second.
    Replaced,
}

/// A function of the engine with a bound on what it makes.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Capped {
    inner: Arc<ScalarUDF>,
    measure: Measure,
}

/// The function with its bound, where it needs one.
pub(super) fn of(function: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    let measure = match function.name() {
        "concat" => Measure::Sum,
        "concat_ws" => Measure::Separated,
        "replace" => Measure::Replaced,
        _ => return function,
    };
    Arc::new(ScalarUDF::new_from_impl(Capped { inner: function, measure }))
}

/// `simplify` is not passed on: that of `concat` and `concat_ws` puts the engine's own function, without a bound, in place of this
/// one.
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

impl Measure {
    fn check(self, args: &ScalarFunctionArgs) -> Result<()> {
        let values: Vec<Values<'_>> = args.args.iter().map(Values::of).collect();
        // Where all arguments are the same for every row, so is the answer, and it is made once.
        let rows = if values.iter().all(|value| matches!(value, Values::Same(_))) { 1 } else { args.number_rows };
        let mut sum: u64 = 0;
        for row in 0..rows {
            let bytes = self.bytes(&values, row);
            sum = sum.saturating_add(bytes);
            if bytes > VALUE_BYTES || sum > BATCH_BYTES {
                return Err(DataFusionError::External(Box::new(QueryError::Memory)));
            }
        }
        Ok(())
    }

    fn bytes(self, values: &[Values<'_>], row: usize) -> u64 {
        let length = |value: &Values<'_>| value.get(row).map_or(0, |bytes| bytes.len() as u64);
        match (self, values) {
            (Self::Replaced, [text, from, to]) => match (text.get(row), from.get(row), to.get(row)) {
                (Some(text), Some(from), Some(to)) => replaced(text, from, to),
                _ => 0,
            },
            (Self::Separated, [separator, others @ ..]) => {
                let between = (others.len() as u64).saturating_sub(1);
                others.iter().map(length).sum::<u64>() + between * length(separator)
            }
            (_, all) => all.iter().map(length).sum(),
        }
    }
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

/// The values of one argument.
enum Values<'a> {
    Same(Option<&'a [u8]>),
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    TextView(&'a StringViewArray),
    Binary(&'a BinaryArray),
    LargeBinary(&'a LargeBinaryArray),
    BinaryView(&'a BinaryViewArray),
    /// Neither texts nor bytes; none of the functions takes them.
    Other,
}

impl<'a> Values<'a> {
    fn of(value: &'a ColumnarValue) -> Self {
        match value {
            ColumnarValue::Scalar(value) => Self::Same(match value {
                ScalarValue::Utf8(text) | ScalarValue::LargeUtf8(text) | ScalarValue::Utf8View(text) => {
                    text.as_deref().map(str::as_bytes)
                }
                ScalarValue::Binary(bytes) | ScalarValue::LargeBinary(bytes) | ScalarValue::BinaryView(bytes) => {
                    bytes.as_deref()
                }
                _ => None,
            }),
            ColumnarValue::Array(array) => match array.data_type() {
                DataType::Utf8 => Self::Text(array.as_string()),
                DataType::LargeUtf8 => Self::LargeText(array.as_string()),
                DataType::Utf8View => Self::TextView(array.as_string_view()),
                DataType::Binary => Self::Binary(array.as_binary()),
                DataType::LargeBinary => Self::LargeBinary(array.as_binary()),
                DataType::BinaryView => Self::BinaryView(array.as_binary_view()),
                _ => Self::Other,
            },
        }
    }

    /// The bytes of a row; none where the value is missing.
    fn get(&self, row: usize) -> Option<&'a [u8]> {
        match *self {
            Self::Same(bytes) => bytes,
            Self::Text(array) => array.is_valid(row).then(|| array.value(row).as_bytes()),
            Self::LargeText(array) => array.is_valid(row).then(|| array.value(row).as_bytes()),
            Self::TextView(array) => array.is_valid(row).then(|| array.value(row).as_bytes()),
            Self::Binary(array) => array.is_valid(row).then(|| array.value(row)),
            Self::LargeBinary(array) => array.is_valid(row).then(|| array.value(row)),
            Self::BinaryView(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Other => None,
        }
    }
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
}
