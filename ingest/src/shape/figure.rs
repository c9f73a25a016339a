//! One value cell: its state, its figure, and how the stored number follows from it.

use gongkai_catalog::exact::{NotExact, POWERS, Rescaled};
use gongkai_catalog::{Column, ColumnType, Exact, Unit};

use super::number::{parse_number, parse_shown};
use super::text::trimmed;
use crate::reader::CellKind;
use crate::report::Reason;

/// The unit of figures in per cent.
pub(super) const PERCENT: &str = "percent";

/// Symbol of a unit that there is nothing to say of.
const NO_UNIT: &str = "1";

/// What a value cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Figure {
    /// A number.
    Value(Value),
    /// Nothing, or a missing marker.
    Missing,
    /// Less than could be measured: the detection limit, as digits at the limit column's scale.
    Below(i128),
    /// Something that cannot be stored as a number.
    SetAside(Reason, String),
}

impl Figure {
    /// Names in the state column.
    pub const STATES: [&str; 4] = ["value", "missing", "below_limit", "set_aside"];

    /// Its name's index in [`Self::STATES`].
    pub fn state(&self) -> u32 {
        match self {
            Self::Value(_) => 0,
            Self::Missing => 1,
            Self::Below(_) => 2,
            Self::SetAside(..) => 3,
        }
    }
}

/// A number as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    /// Digits at the number column's scale.
    pub number: i128,
    /// Digits at the published column's scale, where the table has one.
    pub published: Option<i128>,
    /// Decimals of the published figure.
    pub scale: i32,
    /// How the number follows from the content, where the table says so.
    pub conversion: Option<String>,
}

/// The columns of a table that a figure goes into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MeasureColumns<'a> {
    /// The number, in the column's unit where it has one.
    pub number: &'a Column,
    /// The number in the published unit.
    pub published: Option<&'a Column>,
    /// The detection limit, where cells may name one in place of a figure.
    pub limit: Option<&'a Column>,
    /// Whether the table says how the number follows.
    pub says_conversion: bool,
}

/// How the figures of one column are stored.
#[derive(Debug, Clone)]
pub(crate) struct Measure<'a> {
    number: (u8, u8),
    published: Option<(u8, u8)>,
    limit: Option<(u8, u8)>,
    unit: Option<&'a Unit>,
    /// Whether the number is in the column's unit rather than the published one.
    is_converted: bool,
    says_conversion: bool,
    missing: &'a [String],
    /// Decimals of the published unit that are worth more than the number column can hold.
    scale_cap: u8,
    /// What is added to the figure to give the number.
    add: Option<Exact>,
}

impl<'a> Measure<'a> {
    /// How figures in `unit` go into the columns of a table.
    pub fn new(columns: MeasureColumns<'_>, unit: Option<&'a Unit>, missing: &'a [String]) -> Self {
        let MeasureColumns { number, published, limit, says_conversion } = columns;
        let is_converted = number.unit.is_some();
        let shape = decimal(number);
        let zeros = match unit.filter(|_| is_converted) {
            Some(unit) => unit.factor.to_string().bytes().rev().take_while(|digit| *digit == b'0').count() as u8,
            None => 0,
        };
        Self {
            number: shape,
            published: published.map(decimal),
            limit: limit.map(decimal),
            unit,
            is_converted,
            says_conversion,
            missing,
            scale_cap: shape.1 + zeros,
            add: None,
        }
    }

    /// The same, with something added to every figure.
    pub fn adding(self, add: Option<Exact>) -> Self {
        Self { add, ..self }
    }

    /// Reads one cell.
    pub fn read(&self, text: &str, kind: CellKind) -> Figure {
        let plain = trimmed(text);
        if plain.is_empty() || self.missing.iter().any(|marker| marker == plain) {
            return Figure::Missing;
        }
        if !matches!(kind, CellKind::Text | CellKind::Number) {
            let found = match kind {
                CellKind::Error => "an error value",
                CellKind::Boolean => "a truth value",
                _ => "a date",
            };
            return Figure::SetAside(Reason::NotANumber, format!("{found}, expected a number"));
        }
        if let Some((precision, scale)) = self.limit
            && let Some(limit) = below(plain).and_then(|limit| parse_number(limit).ok())
        {
            return match limit.trimmed().rescale(scale) {
                Some(Rescaled::Exact(digits)) if fits(digits, precision) => Figure::Below(digits),
                _ => {
                    let message = format!("a detection limit beyond decimal({precision},{scale}) of its column");
                    Figure::SetAside(Reason::TooLong, message)
                }
            };
        }
        let number = match kind {
            // A workbook's cell may be shown in per cent.
            CellKind::Number => parse_shown(plain, self.unit.is_some_and(|unit| unit.id == PERCENT)),
            _ => parse_number(plain),
        };
        match number {
            Ok(figure) => self.store(figure),
            Err(NotExact::TooLong) => {
                Figure::SetAside(Reason::TooLong, format!("too many digits, expected {}", NotExact::TooLong))
            }
            Err(error) => Figure::SetAside(Reason::NotANumber, format!("not a number, expected {error}")),
        }
    }

    fn store(&self, figure: Exact) -> Figure {
        let (precision, scale) = self.number;
        let too_long =
            || Figure::SetAside(Reason::TooLong, format!("a number beyond decimal({precision},{scale}) of its column"));
        let converted = match self.unit.filter(|_| self.is_converted) {
            Some(unit) => figure.trimmed().checked_mul(unit.factor),
            None => Some(figure),
        };
        let converted = match self.add {
            Some(add) => converted.and_then(|number| number.checked_add(add)),
            None => converted,
        };
        let Some(rescaled) = converted.and_then(|number| number.rescale(scale)) else { return too_long() };
        if !fits(rescaled.digits(), precision) {
            return too_long();
        }
        let is_rounded = matches!(rescaled, Rescaled::Rounded(_));
        if is_rounded && !self.says_conversion {
            return Figure::SetAside(Reason::TooPrecise, format!("more than the {scale} decimals of its column"));
        }
        let published = match self.published {
            Some((precision, scale)) => match figure.trimmed().rescale(scale).map(Rescaled::digits) {
                Some(digits) if fits(digits, precision) => Some(digits),
                _ => return too_long(),
            },
            None => None,
        };
        Figure::Value(Value {
            number: rescaled.digits(),
            published,
            scale: i32::from(figure.scale().min(self.scale_cap)),
            conversion: self.says_conversion.then(|| self.describe(figure, is_rounded)),
        })
    }

    fn describe(&self, figure: Exact, is_rounded: bool) -> String {
        let mut text = match self.unit.filter(|_| self.is_converted) {
            _ if self.add.is_some() => {
                let add = self.add.map(|add| add.to_string()).unwrap_or_default();
                let printed = figure.to_string();
                match printed.strip_prefix('-') {
                    Some(fall) => format!("{add} - {fall}"),
                    None => format!("{add} + {printed}"),
                }
            }
            Some(unit) if unit.symbol == NO_UNIT => figure.to_string(),
            Some(unit) => format!("{figure} {} × {}", unit.symbol, unit.factor),
            None => figure.to_string(),
        };
        if is_rounded && self.number.1 == 2 && self.is_converted {
            text.push_str("，舍入到分");
        } else if is_rounded {
            text.push_str(&format!("，舍入到 {} 位小数", self.number.1));
        }
        text
    }
}

/// The detection limit in `<0.025`, or in `0.025L` as HJ 630 writes it.
fn below(text: &str) -> Option<&str> {
    text.strip_prefix(['<', '＜']).or_else(|| text.strip_suffix(['L', 'Ｌ'])).map(str::trim)
}

fn decimal(column: &Column) -> (u8, u8) {
    match column.column_type {
        ColumnType::Decimal { precision, scale } => (precision, scale.unsigned_abs()),
        ColumnType::Integer => (9, 0),
        // A feed whose number column is neither does not load.
        _ => (38, 0),
    }
}

fn fits(digits: i128, precision: u8) -> bool {
    digits.unsigned_abs() < POWERS[usize::from(precision.min(38))].unsigned_abs()
}

#[cfg(test)]
#[path = "figure_tests.rs"]
mod tests;
