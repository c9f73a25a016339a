//! Values of parameters, as texts: the worker reads them in the types that the statement expects.

use std::str::from_utf8;

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, Utc};
use gongkai_warehouse::query::write_list;
use pgwire::api::Type;
use pgwire::api::portal::Portal;
use pgwire::error::PgWireResult;

use super::{number, refused};
use crate::http::ApiError;

/// The text of a parameter; none for NULL.
///
/// # Errors
///
/// `invalid_parameter` for bytes that are no value of the type, and for types without a text.
pub fn text_of<S: Clone>(portal: &Portal<S>, index: usize, of_type: &Type) -> PgWireResult<Option<String>> {
    let Some(Some(bytes)) = portal.parameters.get(index) else { return Ok(None) };
    let wrong = |wrong: Wrong| {
        let (found, accepted) = match wrong {
            Wrong::Bytes(found) => (found.to_owned(), "a value of its type"),
            Wrong::Type(of_type) => (of_type.name().to_owned(), "a text, number, date or time, or a list of such"),
        };
        refused(&ApiError::parameter(&format!("${}", index + 1), &found, accepted))
    };
    if portal.parameter_format.is_text(index) {
        return utf8(bytes).map(Some).map_err(wrong);
    }
    let text = match is_list(of_type) {
        true => list(bytes),
        false => scalar(bytes, of_type),
    };
    text.map(Some).map_err(wrong)
}

/// Why bytes are no value.
#[derive(Debug, PartialEq)]
enum Wrong {
    /// They are not in the form of the type.
    Bytes(&'static str),
    /// Nothing is known of the type.
    Type(Type),
}

const LENGTH: Wrong = Wrong::Bytes("not of its length");

fn is_list(of_type: &Type) -> bool {
    matches!(
        *of_type,
        Type::BOOL_ARRAY
            | Type::INT2_ARRAY
            | Type::INT4_ARRAY
            | Type::INT8_ARRAY
            | Type::OID_ARRAY
            | Type::FLOAT4_ARRAY
            | Type::FLOAT8_ARRAY
            | Type::NUMERIC_ARRAY
            | Type::DATE_ARRAY
            | Type::TIMESTAMP_ARRAY
            | Type::TIMESTAMPTZ_ARRAY
            | Type::TEXT_ARRAY
            | Type::VARCHAR_ARRAY
            | Type::BPCHAR_ARRAY
            | Type::NAME_ARRAY
    )
}

fn utf8(bytes: &[u8]) -> Result<String, Wrong> {
    from_utf8(bytes).map(str::to_owned).map_err(|_| Wrong::Bytes("not UTF-8"))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Wrong> {
    bytes.try_into().map_err(|_| LENGTH)
}

/// One value in the binary form of its type.
fn scalar(bytes: &[u8], of_type: &Type) -> Result<String, Wrong> {
    Ok(match *of_type {
        Type::BOOL => (fixed::<1>(bytes)? != [0]).to_string(),
        Type::INT2 => i16::from_be_bytes(fixed(bytes)?).to_string(),
        Type::INT4 => i32::from_be_bytes(fixed(bytes)?).to_string(),
        Type::INT8 => i64::from_be_bytes(fixed(bytes)?).to_string(),
        Type::OID => u32::from_be_bytes(fixed(bytes)?).to_string(),
        Type::FLOAT4 => f32::from_be_bytes(fixed(bytes)?).to_string(),
        Type::FLOAT8 => f64::from_be_bytes(fixed(bytes)?).to_string(),
        Type::NUMERIC => number::read(bytes).ok_or(Wrong::Bytes("no finite number"))?,
        Type::DATE => {
            let days = Duration::days(i32::from_be_bytes(fixed(bytes)?).into());
            let date = NaiveDate::default().checked_add_signed(EPOCH).and_then(|epoch| epoch.checked_add_signed(days));
            date.ok_or(Wrong::Bytes("no day that is known here"))?.to_string()
        }
        Type::TIMESTAMP => moment(bytes)?.to_string(),
        Type::TIMESTAMPTZ => moment(bytes)?.and_utc().fixed_offset().to_rfc3339(),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => utf8(bytes)?,
        _ => return Err(Wrong::Type(of_type.clone())),
    })
}

/// From 1970 to 2000, where days and microseconds of the protocol begin.
const EPOCH: Duration = Duration::days(10_957);

fn moment(bytes: &[u8]) -> Result<NaiveDateTime, Wrong> {
    let since = Duration::microseconds(i64::from_be_bytes(fixed(bytes)?));
    let epoch: DateTime<Utc> = DateTime::UNIX_EPOCH + EPOCH;
    let moment = epoch.naive_utc().checked_add_signed(since);
    moment.ok_or(Wrong::Bytes("no time that is known here"))
}

/// A list in its binary form: dimensions, whether a value is missing, the number of the type, for each dimension its length and
/// first place, and the values.
fn list(bytes: &[u8]) -> Result<String, Wrong> {
    let mut rest = bytes;
    let dimensions = long(&mut rest)?;
    let _has_missing = long(&mut rest)?;
    let of_values = long(&mut rest)?.cast_unsigned();
    let count = match dimensions {
        0 => 0,
        1 => {
            let count = long(&mut rest)?;
            let _first = long(&mut rest)?;
            count
        }
        _ => return Err(Wrong::Bytes("a list of lists")),
    };
    // Of a list without values some clients say no type.
    let of_values = match count {
        0 => Type::UNKNOWN,
        _ => Type::from_oid(of_values).ok_or(Wrong::Bytes("a list of unknown type"))?,
    };
    // Nothing is set aside for a count that the bytes do not bear out.
    let mut values = Vec::new();
    for _ in 0..count {
        let length = long(&mut rest)?;
        let value = match usize::try_from(length) {
            Ok(length) => {
                let (value, after) = rest.split_at_checked(length).ok_or(LENGTH)?;
                rest = after;
                Some(scalar(value, &of_values)?)
            }
            Err(_) if length == -1 => None,
            Err(_) => return Err(LENGTH),
        };
        values.push(value);
    }
    if rest.is_empty() { Ok(write_list(values)) } else { Err(LENGTH) }
}

fn long(rest: &mut &[u8]) -> Result<i32, Wrong> {
    let (bytes, after) = rest.split_first_chunk::<4>().ok_or(LENGTH)?;
    *rest = after;
    Ok(i32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_from_their_binary_form() {
        // 2024-05-01 is day 8887 after 2000-01-01: 24 years with 6 leap days are 8766, and 31 + 29 + 31 + 30 days.
        let day: i32 = 8_766 + 121;
        let noon = (i64::from(day) * 86_400 + 43_200) * 1_000_000;
        for (of_type, bytes, text) in [
            (Type::BOOL, vec![1], "true"),
            (Type::BOOL, vec![0], "false"),
            (Type::INT2, (-7_i16).to_be_bytes().to_vec(), "-7"),
            (Type::INT4, 2024_i32.to_be_bytes().to_vec(), "2024"),
            (Type::INT8, i64::MIN.to_be_bytes().to_vec(), "-9223372036854775808"),
            (Type::OID, u32::MAX.to_be_bytes().to_vec(), "4294967295"),
            (Type::FLOAT4, 0.5_f32.to_be_bytes().to_vec(), "0.5"),
            (Type::FLOAT8, 0.1_f64.to_be_bytes().to_vec(), "0.1"),
            (Type::NUMERIC, number::write("25540000000.50"), "25540000000.50"),
            (Type::DATE, day.to_be_bytes().to_vec(), "2024-05-01"),
            (Type::DATE, (-1_i32).to_be_bytes().to_vec(), "1999-12-31"),
            (Type::TIMESTAMP, noon.to_be_bytes().to_vec(), "2024-05-01 12:00:00"),
            (Type::TIMESTAMPTZ, noon.to_be_bytes().to_vec(), "2024-05-01T12:00:00+00:00"),
            (Type::TEXT, "攀枝花市".into(), "攀枝花市"),
        ] {
            assert_eq!(scalar(&bytes, &of_type).as_deref(), Ok(text), "{of_type}");
        }
        for (of_type, bytes) in [
            (Type::INT4, vec![0; 8]),
            (Type::BOOL, vec![]),
            (Type::DATE, i32::MAX.to_be_bytes().to_vec()),
            (Type::TIMESTAMP, i64::MAX.to_be_bytes().to_vec()),
            (Type::TEXT, vec![0xff]),
            (Type::POINT, vec![0; 16]),
        ] {
            assert!(scalar(&bytes, &of_type).is_err(), "{of_type}");
        }
    }

    fn binary(dimensions: &[i32], of_values: &Type, values: &[Option<&[u8]>]) -> Vec<u8> {
        let length = |bytes: &[u8]| i32::try_from(bytes.len()).expect("short").to_be_bytes();
        let mut bytes = Vec::new();
        bytes.extend(i32::try_from(dimensions.len()).expect("few").to_be_bytes());
        bytes.extend(i32::from(values.contains(&None)).to_be_bytes());
        bytes.extend(of_values.oid().to_be_bytes());
        for count in dimensions {
            bytes.extend(count.to_be_bytes());
            bytes.extend(1_i32.to_be_bytes());
        }
        for value in values {
            bytes.extend(value.map_or((-1_i32).to_be_bytes(), length));
            bytes.extend(value.unwrap_or_default());
        }
        bytes
    }

    #[test]
    fn lists_are_read_from_their_binary_form() {
        let texts: [Option<&[u8]>; 3] = [Some(b"a,\"b\""), None, Some(b"")];
        assert_eq!(list(&binary(&[3], &Type::TEXT, &texts)).as_deref(), Ok(r#"{"a,\"b\"",NULL,""}"#));
        let years = [2021_i32.to_be_bytes(), 2022_i32.to_be_bytes()];
        let years: Vec<Option<&[u8]>> = years.iter().map(|year| Some(year.as_slice())).collect();
        assert_eq!(list(&binary(&[2], &Type::INT4, &years)).as_deref(), Ok(r#"{"2021","2022"}"#));
        assert_eq!(list(&binary(&[], &Type::INT8, &[])).as_deref(), Ok("{}"));
        assert_eq!(list(&[0; 12]).as_deref(), Ok("{}"), "of no type");
        assert_eq!(list(&binary(&[0], &Type::INT8, &[])).as_deref(), Ok("{}"));

        let whole = binary(&[2], &Type::INT4, &years);
        for wrong in [
            whole[..whole.len() - 1].to_vec(),
            [whole.as_slice(), &[0]].concat(),
            binary(&[3], &Type::INT4, &years),
            binary(&[1], &Type::INT4, &years),
            binary(&[i32::MAX], &Type::INT4, &years),
            binary(&[1, 2], &Type::INT4, &years),
            binary(&[2], &Type::INT8, &years),
            binary(&[2], &Type::POINT, &years),
            Vec::new(),
        ] {
            assert!(list(&wrong).is_err(), "{wrong:?}");
        }
    }
}
