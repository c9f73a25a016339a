//! The moment of a record from what is printed of it: a date and an hour, a date with a time of day, a day, a month, a year.
//!
//! Times are Beijing time. An hour's label names its end, or its beginning where the feed says so. Label 0 of a date is label 24
//! of the day before; the instant of label 24 is midnight of the next date.

use std::collections::HashMap;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::number::parse_number;
use super::text::trimmed;
use crate::feed::{HourEdge, PeriodDaySpec, PeriodSpec, TimeRule, has_time_of_day};
use crate::report::Reason;

/// Hours that Beijing time is ahead of UTC; there is no daylight saving.
const BEIJING_OFFSET_HOURS: i64 = 8;

const MICROSECONDS_PER_HOUR: i64 = 3_600_000_000;

/// A moment as the columns take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The date; of a month or a year, its first day, or its last where the feed says so.
    pub data_date: NaiveDate,
    /// 1 to 24; 0 for what is no hour.
    pub label: u32,
    /// End of the hour, microseconds since 1970-01-01T00:00:00Z; of what is no hour, its beginning.
    pub end_micros: i64,
}

/// Reads moments under one rule, each text once.
pub(crate) struct MomentReader<'a> {
    rule: &'a TimeRule,
    seen: HashMap<String, Option<NaiveDateTime>>,
}

/// What is wrong with a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadMoment {
    Date,
    Hour,
}

impl BadMoment {
    pub fn reason(self) -> Reason {
        match self {
            Self::Date => Reason::BadDate,
            Self::Hour => Reason::BadHour,
        }
    }

    /// What would have been accepted.
    pub fn message(self, rule: &TimeRule) -> String {
        match self {
            Self::Date => format!("no date in the form {}", rule.date_formats.join(" or ")),
            Self::Hour => "no hour, expected 0 to 24".to_owned(),
        }
    }
}

impl<'a> MomentReader<'a> {
    pub fn new(rule: &'a TimeRule) -> Self {
        Self { rule, seen: HashMap::new() }
    }

    /// The moment that a date means, and an hour where the rule has one.
    pub fn read(&mut self, date: &str, hour: Option<&str>) -> Result<Moment, BadMoment> {
        let time = self.read_date(date).ok_or(BadMoment::Date)?;
        let date = time.date();
        match (&self.rule.hour, hour) {
            (Some((_, edge)), hour) => read_hour(date, read_hour_number(hour.unwrap_or_default())?, *edge),
            (None, _) if self.rule.is_hour_label && (time.minute(), time.second()) != (0, 0) => Err(BadMoment::Hour),
            (None, _) if self.rule.is_hour_label => read_hour(date, time.hour(), HourEdge::Ending),
            (None, _) => {
                let end_micros = time.and_utc().timestamp_micros() - BEIJING_OFFSET_HOURS * MICROSECONDS_PER_HOUR;
                Ok(Moment { data_date: date, label: 0, end_micros })
            }
        }
    }

    fn read_date(&mut self, text: &str) -> Option<NaiveDateTime> {
        let text = trimmed(text);
        if let Some(date) = self.seen.get(text) {
            return *date;
        }
        let date = self
            .rule
            .date_formats
            .iter()
            .find_map(|format| parse(text, format, self.rule))
            // Four digits of year are what departments write; anything else is a slip of the key.
            .filter(|date| ('1'..='2').contains(&text.chars().next().unwrap_or(' ')) && in_calendar(date.date()));
        self.seen.insert(text.to_owned(), date);
        date
    }
}

fn parse(text: &str, format: &str, rule: &TimeRule) -> Option<NaiveDateTime> {
    if has_time_of_day(format) {
        // A time needs minutes.
        return match format.contains("%M") || format.contains("%T") || format.contains("%R") {
            true => NaiveDateTime::parse_from_str(text, format).ok(),
            false => NaiveDateTime::parse_from_str(&format!("{text} 00"), &format!("{format} %M")).ok(),
        };
    }
    let is_day = rule.hour.is_some() || rule.period == PeriodSpec::Day;
    let date = match rule.period {
        _ if is_day => NaiveDate::parse_from_str(text, format),
        // A date needs a day: the first of the month, or of the year.
        PeriodSpec::Year => NaiveDate::parse_from_str(&format!("{text} 1 1"), &format!("{format} %m %d")),
        _ => NaiveDate::parse_from_str(&format!("{text} 1"), &format!("{format} %d")),
    };
    let date = date.ok()?;
    let date = match rule.period {
        _ if is_day || rule.period_day == PeriodDaySpec::First => date,
        PeriodSpec::Year => date.with_month(12)?.with_day(31)?,
        _ => date.checked_add_months(Months::new(1))?.pred_opt()?,
    };
    Some(date.and_time(NaiveTime::MIN))
}

fn in_calendar(date: NaiveDate) -> bool {
    (1900..=2199).contains(&date.year())
}

fn read_hour_number(label: &str) -> Result<u32, BadMoment> {
    let number = parse_number(label).map_err(|_| BadMoment::Hour)?.trimmed();
    let hour = u32::try_from(number.digits()).ok().filter(|hour| number.scale() == 0 && *hour <= 24);
    hour.ok_or(BadMoment::Hour)
}

/// The hour of `date` that a label names.
fn read_hour(date: NaiveDate, hour: u32, edge: HourEdge) -> Result<Moment, BadMoment> {
    let (data_date, label) = match (edge, hour) {
        (HourEdge::Ending, 0) => (date.checked_sub_days(Days::new(1)).ok_or(BadMoment::Date)?, 24),
        (HourEdge::Ending, hour) => (date, hour),
        (HourEdge::Beginning, hour) if hour < 24 => (date, hour + 1),
        (HourEdge::Beginning, _) => return Err(BadMoment::Hour),
    };
    let midnight = data_date.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
    let end_micros = midnight + (i64::from(label) - BEIJING_OFFSET_HOURS) * MICROSECONDS_PER_HOUR;
    Ok(Moment { data_date, label, end_micros })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Reference;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn rule(formats: &[&str], hour: Option<HourEdge>, period: PeriodSpec) -> TimeRule {
        let role = |role: &str| Reference::Label { role: role.to_owned(), group: None };
        TimeRule {
            parts: vec![role("date")],
            date_formats: formats.iter().map(|format| (*format).to_owned()).collect(),
            hour: hour.map(|edge| (role("hour"), edge)),
            period,
            period_day: PeriodDaySpec::First,
            is_hour_label: false,
        }
    }

    #[test]
    fn label_0_is_the_last_hour_of_the_day_before() {
        let rule = rule(&["%Y-%m-%d"], Some(HourEdge::Ending), PeriodSpec::Month);
        let mut reader = MomentReader::new(&rule);
        let midnight = reader.read("2019-02-01", Some("0")).expect("an hour");
        assert_eq!((midnight.data_date, midnight.label), (day("2019-01-31"), 24));
        // 2019-02-01T00:00+08:00 is 2019-01-31T16:00Z: 17 927 days and 16 hours after 1970-01-01.
        assert_eq!(midnight.end_micros, (17_927 * 24 + 16) * MICROSECONDS_PER_HOUR);
        assert_eq!(reader.read("2019-01-31", Some("24")), Ok(midnight));
        let noon = reader.read("2019-02-01", Some("12.0")).expect("an hour");
        assert_eq!((noon.data_date, noon.label), (day("2019-02-01"), 12));
    }

    #[test]
    fn a_label_may_name_the_beginning_of_its_hour() {
        let rule = rule(&["%Y %m %d"], Some(HourEdge::Beginning), PeriodSpec::Month);
        let mut reader = MomentReader::new(&rule);
        let last = reader.read("2013 3 1", Some("23")).expect("an hour");
        assert_eq!((last.data_date, last.label), (day("2013-03-01"), 24));
        assert_eq!(reader.read("2013 3 1", Some("24")), Err(BadMoment::Hour));
    }

    #[test]
    fn hours_outside_0_to_24_are_refused() {
        let rule = rule(&["%Y-%m-%d"], Some(HourEdge::Ending), PeriodSpec::Month);
        for label in ["25", "-1", "", "x", "1.5"] {
            assert_eq!(MomentReader::new(&rule).read("2019-02-01", Some(label)), Err(BadMoment::Hour), "{label}");
        }
    }

    #[test]
    fn dates_are_read_in_the_declared_forms_only() {
        let rule = rule(&["%Y%m%d", "%Y-%m-%d"], None, PeriodSpec::Day);
        let mut reader = MomentReader::new(&rule);
        let mut date = |text: &str| reader.read(text, None).map(|moment| moment.data_date);
        assert_eq!(date("20190201"), Ok(day("2019-02-01")));
        assert_eq!(date(" 2019-02-01 "), Ok(day("2019-02-01")));
        for text in ["20190230", "", "0", "2019", "01/02/2019"] {
            assert_eq!(date(text), Err(BadMoment::Date), "{text}");
        }
    }

    #[test]
    fn months_years_and_times_of_day_are_read_in_their_forms() {
        let month = rule(&["%Y年%m月份"], None, PeriodSpec::Month);
        let mut reader = MomentReader::new(&month);
        assert_eq!(reader.read("2025年04月份", None).map(|moment| moment.data_date), Ok(day("2025-04-01")));
        for text in ["2025年13月份", "2025年04月", "2025年第1季度"] {
            assert_eq!(reader.read(text, None), Err(BadMoment::Date), "{text}");
        }
        let year = rule(&["%Y年"], None, PeriodSpec::Year);
        let read = MomentReader::new(&year).read("2018年", None);
        assert_eq!(read.map(|moment| moment.data_date), Ok(day("2018-01-01")));
        let at_end =
            |formats: &[&str], period| TimeRule { period_day: PeriodDaySpec::Last, ..rule(formats, None, period) };
        let date =
            |rule: &TimeRule, text: &str| MomentReader::new(rule).read(text, None).map(|moment| moment.data_date);
        assert_eq!(date(&at_end(&["%Y"], PeriodSpec::Year), "2019"), Ok(day("2019-12-31")));
        let end_of_month = at_end(&["%Y-%m"], PeriodSpec::Month);
        assert_eq!(date(&end_of_month, "2024-02"), Ok(day("2024-02-29")));
        assert_eq!(date(&end_of_month, "2023-12"), Ok(day("2023-12-31")));
        let clock = rule(&["%Y %m-%d %H:%M"], None, PeriodSpec::Month);
        let read = MomentReader::new(&clock).read("2021 04-01 04:30", None).expect("an instant");
        // 18 718 days from 1970-01-01 to 2021-04-01; 04:30 in Beijing is 20:30 of the day before in UTC.
        assert_eq!(read.end_micros, (18_718 * 48 - 7) * MICROSECONDS_PER_HOUR / 2);
    }
}
