//! The moment of a record from its printed date and hour, or its month.
//!
//! The label names the hour's end, Beijing time. Label 0 of a date is label 24 of the day before; the instant of
//! label 24 is midnight of the next date.

use std::collections::HashMap;

use chrono::{Days, NaiveDate, NaiveTime};

use super::number::parse_number;
use super::text::trimmed;
use crate::report::Reason;

/// Hours that Beijing time is ahead of UTC; there is no daylight saving.
const BEIJING_OFFSET_HOURS: i64 = 8;

const MICROSECONDS_PER_HOUR: i64 = 3_600_000_000;

/// A moment as the columns take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The date; of a month, its first day.
    pub data_date: NaiveDate,
    /// 1 to 24; 0 for a month.
    pub label: u32,
    /// End of the hour, microseconds since 1970-01-01T00:00:00Z; of a month, its beginning in Beijing.
    pub end_micros: i64,
}

/// Reads dates, each text once.
pub(crate) struct DateReader<'a> {
    formats: &'a [String],
    /// Whether the texts name months.
    has_months: bool,
    seen: HashMap<String, Option<NaiveDate>>,
}

impl<'a> DateReader<'a> {
    pub fn new(formats: &'a [String], has_months: bool) -> Self {
        Self { formats, has_months, seen: HashMap::new() }
    }

    pub fn read(&mut self, text: &str) -> Option<NaiveDate> {
        let text = trimmed(text);
        if let Some(date) = self.seen.get(text) {
            return *date;
        }
        let date = self
            .formats
            .iter()
            .find_map(|format| match self.has_months {
                // A date needs a day: the first of the month.
                true => NaiveDate::parse_from_str(&format!("{text} 1"), &format!("{format} %d")).ok(),
                false => NaiveDate::parse_from_str(text, format).ok(),
            })
            // Four digits of year are what departments write; anything else is a slip of the key.
            .filter(|date| ('1'..='2').contains(&text.chars().next().unwrap_or(' ')) && in_calendar(*date));
        self.seen.insert(text.to_owned(), date);
        date
    }
}

fn in_calendar(date: NaiveDate) -> bool {
    use chrono::Datelike;
    (1900..=2199).contains(&date.year())
}

/// The hour that ends at `label` of `date`.
pub(crate) fn read_hour(date: NaiveDate, label: &str) -> Result<Moment, Reason> {
    let number = parse_number(label).map_err(|_| Reason::BadHour)?.trimmed();
    let hour = u64::try_from(number.digits()).ok().filter(|hour| number.scale() == 0 && *hour <= 24);
    let hour = hour.ok_or(Reason::BadHour)?;
    let (data_date, label) = match hour {
        0 => (date.checked_sub_days(Days::new(1)).ok_or(Reason::BadDate)?, 24),
        hour => (date, hour as u32),
    };
    let midnight = data_date.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
    let end_micros = midnight + (i64::from(label) - BEIJING_OFFSET_HOURS) * MICROSECONDS_PER_HOUR;
    Ok(Moment { data_date, label, end_micros })
}

/// The month that begins on that date.
pub(crate) fn read_month(first: NaiveDate) -> Moment {
    let midnight = first.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
    Moment { data_date: first, label: 0, end_micros: midnight - BEIJING_OFFSET_HOURS * MICROSECONDS_PER_HOUR }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn label_0_is_the_last_hour_of_the_day_before() {
        let midnight = read_hour(day("2019-02-01"), "0").expect("an hour");
        assert_eq!((midnight.data_date, midnight.label), (day("2019-01-31"), 24));
        // 2019-02-01T00:00+08:00 is 2019-01-31T16:00Z: 17 927 days and 16 hours after 1970-01-01.
        assert_eq!(midnight.end_micros, (17_927 * 24 + 16) * MICROSECONDS_PER_HOUR);
        assert_eq!(read_hour(day("2019-01-31"), "24"), Ok(midnight));
        let noon = read_hour(day("2019-02-01"), "12.0").expect("an hour");
        assert_eq!((noon.data_date, noon.label), (day("2019-02-01"), 12));
    }

    #[test]
    fn hours_outside_0_to_24_are_refused() {
        for label in ["25", "-1", "", "x", "1.5"] {
            assert_eq!(read_hour(day("2019-02-01"), label), Err(Reason::BadHour), "{label}");
        }
    }

    #[test]
    fn dates_are_read_in_the_declared_forms_only() {
        let formats = ["%Y%m%d".to_owned(), "%Y-%m-%d".to_owned()];
        let mut reader = DateReader::new(&formats, false);
        assert_eq!(reader.read("20190201"), Some(day("2019-02-01")));
        assert_eq!(reader.read(" 2019-02-01 "), Some(day("2019-02-01")));
        for text in ["20190230", "", "0", "2019", "01/02/2019"] {
            assert_eq!(reader.read(text), None, "{text}");
        }
    }

    #[test]
    fn a_month_is_read_without_its_day() {
        let formats = ["%Y年%m月份".to_owned()];
        let mut reader = DateReader::new(&formats, true);
        assert_eq!(reader.read("2025年04月份"), Some(day("2025-04-01")));
        for text in ["2025年13月份", "2025年04月", "2025年第1季度"] {
            assert_eq!(reader.read(text), None, "{text}");
        }
    }
}
