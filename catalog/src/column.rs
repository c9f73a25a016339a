//! Columns of canonical tables: type, visibility, and the field they print.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Label;

/// Who may see a column. There is no default: a column without a declared visibility does not load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Keys with a declared audience.
    Restricted,
    /// Publishers only; never in a release file.
    Internal,
}

/// Storage type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// 32-bit signed integer.
    Integer,
    /// 64-bit signed integer.
    Bigint,
    /// Exact decimal with total digits and digits after the point.
    Decimal {
        /// Total significant digits, at most 38.
        precision: u8,
        /// Digits after the decimal point.
        scale: i8,
    },
    /// Calendar date.
    Date,
    /// Instant in microseconds, shown at +08:00.
    Timestamp,
    /// True or false.
    Boolean,
}

/// The text is not the name of a column type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a column type; expected text, integer, bigint, decimal(p,s), date, timestamp or boolean")]
pub struct UnknownColumnType;

impl FromStr for ColumnType {
    type Err = UnknownColumnType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "text" => Self::Text,
            "integer" => Self::Integer,
            "bigint" => Self::Bigint,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "boolean" => Self::Boolean,
            other => {
                let (precision, scale) = other
                    .strip_prefix("decimal(")
                    .and_then(|rest| rest.strip_suffix(')'))
                    .and_then(|rest| rest.split_once(','))
                    .ok_or(UnknownColumnType)?;
                let precision: u8 = precision.trim().parse().map_err(|_| UnknownColumnType)?;
                let scale: i8 = scale.trim().parse().map_err(|_| UnknownColumnType)?;
                if !(1..=38).contains(&precision) || scale < 0 || scale as u8 > precision {
                    return Err(UnknownColumnType);
                }
                Self::Decimal { precision, scale }
            }
        })
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Integer => f.write_str("integer"),
            Self::Bigint => f.write_str("bigint"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Boolean => f.write_str("boolean"),
        }
    }
}

/// A resolved column: the field's meaning plus what its table says of it.
#[derive(Debug, Clone)]
pub struct Column {
    /// Name in SQL and in every file.
    pub name: String,
    /// Storage type.
    pub column_type: ColumnType,
    /// Id of the unit, where every value of the column has the same one.
    pub unit: Option<String>,
    /// Heading for readers.
    pub label: Label,
    /// What the value means; shown as the column's comment.
    pub description: Label,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether a row may leave it out.
    pub is_nullable: bool,
    /// Whether it is part of the table's business key.
    pub is_key: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_types_read_back_as_they_print() {
        for text in ["text", "integer", "bigint", "decimal(20,2)", "date", "timestamp", "boolean"] {
            assert_eq!(text.parse::<ColumnType>().expect("declared type").to_string(), text);
        }
    }

    #[test]
    fn a_decimal_with_more_fraction_than_digits_is_refused() {
        assert_eq!("decimal(2,3)".parse::<ColumnType>(), Err(UnknownColumnType));
        assert_eq!("decimal(39,2)".parse::<ColumnType>(), Err(UnknownColumnType));
        assert_eq!("float".parse::<ColumnType>(), Err(UnknownColumnType));
    }
}
