//! Values of parameters, as texts: the worker reads them in the types that the statement expects.

use std::str::from_utf8;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};
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
    let wrong = |found: &str| refused(&ApiError::parameter(&format!("${}", index + 1), found, "a value of its type"));
    if portal.parameter_format.is_text(index) {
        return from_utf8(bytes).map(|text| Some(text.to_owned())).map_err(|_| wrong("not UTF-8"));
    }
    macro_rules! read {
        ($type:ty) => {
            portal
                .parameter::<$type>(index, of_type)
                .map_err(|_| wrong("not of its length"))?
                .map(|value| value.to_string())
        };
    }
    Ok(match *of_type {
        Type::BOOL => read!(bool),
        Type::INT2 => read!(i16),
        Type::INT4 => read!(i32),
        Type::INT8 => read!(i64),
        Type::OID => read!(u32),
        Type::FLOAT4 => read!(f32),
        Type::FLOAT8 => read!(f64),
        Type::NUMERIC => Some(number::read(bytes).ok_or_else(|| wrong("no finite number"))?),
        Type::DATE => read!(NaiveDate),
        Type::TIMESTAMP => read!(NaiveDateTime),
        Type::TIMESTAMPTZ => portal
            .parameter::<DateTime<FixedOffset>>(index, of_type)
            .map_err(|_| wrong("not of its length"))?
            .map(|value| value.to_rfc3339()),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
            Some(from_utf8(bytes).map_err(|_| wrong("not UTF-8"))?.to_owned())
        }
        _ => {
            let name = of_type.name();
            return Err(refused(&ApiError::parameter(
                &format!("${}", index + 1),
                name,
                "a text, number, date or time",
            )));
        }
    })
}
