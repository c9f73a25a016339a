//! The moment of a record.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::part::TimePart;

/// The moment of a record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSpec {
    /// Role of the date's column; exactly one of `date` and `parts`.
    pub date: Option<String>,
    /// Roles and references that make up the date, joined by one blank.
    #[serde(default)]
    pub parts: Vec<String>,
    /// Forms in which the date is written, tried in order. A form with a time of day gives an instant.
    pub date_formats: Vec<String>,
    /// Role of, or reference to, the hour, whose label names its end.
    pub hour_ending: Option<String>,
    /// Role of, or reference to, the hour, whose label names its beginning.
    pub hour_beginning: Option<String>,
    /// What a date without an hour or a time of day is.
    #[serde(default)]
    pub period: PeriodSpec,
    /// Which day of a month or a year its date is.
    #[serde(default)]
    pub period_day: PeriodDaySpec,
    /// Table columns and what they take.
    pub columns: BTreeMap<String, TimePart>,
}

/// Which day of a month or a year its date is: figures of a state at the end, such as balances, have regions as of that day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodDaySpec {
    /// Its first day.
    #[default]
    First,
    /// Its last day.
    Last,
}

/// What a date without a time of day is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodSpec {
    /// A month.
    #[default]
    Month,
    /// A day.
    Day,
    /// A year.
    Year,
}
