//! The moment on which something is due, and the way to it.

use chrono::{Datelike, Days, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use serde::Serialize;

use super::{DeadlineRule, Roll, Span, SpanUnit};
use crate::Workdays;

/// Why nothing can be reckoned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DueError {
    /// No notice covers a year on the way.
    #[error("the working-day calendar ends before it: no notice for {year}")]
    Calendar {
        /// The first year without one.
        year: i32,
    },
    /// The rule counts from no date.
    #[error("a rule of kind {kind} has no due date of its own")]
    NoDate {
        /// Its kind.
        kind: &'static str,
    },
    /// The span leads out of the calendar.
    #[error("the span is too long")]
    TooLong,
}

/// What a day on the way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The day that counting begins with; it is day 0.
    Start,
    /// A day that counts.
    Counted,
    /// A Saturday or Sunday.
    Weekend,
    /// A day off by a notice.
    Holiday,
    /// A Saturday or Sunday that a notice makes a working day; it counts.
    Makeup,
    /// Several calendar days, months or hours at once.
    Span,
    /// The due date was a day of rest and moved.
    Rolled,
}

/// One step of the reckoning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The day.
    pub date: NaiveDate,
    /// What it is.
    pub kind: StepKind,
    /// How many have been counted with it.
    pub counted: u32,
}

/// When something is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The last moment that is in time, Beijing time.
    pub due_at: NaiveDateTime,
    /// From when on it is slow, where the rule tells slow from late.
    pub soft_due_at: Option<NaiveDateTime>,
    /// The way there.
    pub steps: Vec<Step>,
}

fn end_of(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default())
}

/// When something is due by a rule that counts from an event.
///
/// `from` is the moment of the event, Beijing time; spans of days look at its date only.
///
/// # Errors
///
/// Rules that count from no event, and years whose calendar is not known.
pub fn due(rule: &DeadlineRule, from: NaiveDateTime, calendar: &Workdays) -> Result<Due, DueError> {
    match rule {
        DeadlineRule::Within { n, unit, roll, .. } => {
            let (due_at, steps) = count(from, Span { n: *n, unit: *unit }, *roll, calendar)?;
            Ok(Due { due_at, soft_due_at: None, steps })
        }
        DeadlineRule::OnChange { n, unit } | DeadlineRule::Realtime { n, unit } => {
            let (due_at, steps) = count(from, Span { n: *n, unit: *unit }, Roll::None, calendar)?;
            Ok(Due { due_at, soft_due_at: None, steps })
        }
        DeadlineRule::Prompt { soft, hard, .. } => {
            let (soft, _) = count(from, *soft, Roll::None, calendar)?;
            let (due_at, steps) = count(from, *hard, Roll::None, calendar)?;
            Ok(Due { due_at, soft_due_at: Some(soft), steps })
        }
        // The first day counts: ten days from the 1st end with the 10th.
        DeadlineRule::MinDisplay { n, unit } => display(from, Span { n: *n, unit: *unit }, calendar),
        DeadlineRule::ByDate { .. } | DeadlineRule::Recurring { .. } => due_of_period(rule, from.date(), calendar),
        DeadlineRule::WithParent { .. } | DeadlineRule::LongTerm => Err(DueError::NoDate { kind: rule.kind() }),
    }
}

/// When something is due of which only the day is known: hours and minutes count from the end of that day.
///
/// # Errors
///
/// As [`due`].
pub fn due_from_day(rule: &DeadlineRule, from: NaiveDate, calendar: &Workdays) -> Result<Due, DueError> {
    let counts_time = match rule {
        DeadlineRule::Within { unit, .. }
        | DeadlineRule::Realtime { unit, .. }
        | DeadlineRule::OnChange { unit, .. } => {
            matches!(unit, SpanUnit::Hour | SpanUnit::Minute)
        }
        _ => false,
    };
    due(rule, if counts_time { end_of(from) } else { from.into() }, calendar)
}

/// When something is due by a rule that comes round, for the period that ends on a day.
///
/// A date of the year is that of the year after a period which ends on 31 December (每年3月31日前 is about the year before), but
/// 31 December itself is that of the period's own year: 年底公布 is about the year that ends.
///
/// # Errors
///
/// Rules that do not come round, and years whose calendar is not known.
pub fn due_of_period(rule: &DeadlineRule, period_end: NaiveDate, calendar: &Workdays) -> Result<Due, DueError> {
    match rule {
        DeadlineRule::Recurring { freq, offset, hour, roll } => {
            let offset = Span { n: within_month(*freq, *offset, period_end), unit: offset.unit };
            let (mut due_at, steps) = count(end_of(period_end), offset, *roll, calendar)?;
            if let Some(hour) = hour {
                let time = NaiveTime::from_hms_opt(*hour, 0, 0);
                due_at = time.map_or_else(|| end_of(due_at.date()), |time| due_at.date().and_time(time));
            }
            Ok(Due { due_at, soft_due_at: None, steps })
        }
        DeadlineRule::ByDate { month, day, year } => {
            let own = (*month, *day) == (12, 31);
            let year = year.unwrap_or(if own { period_end.year() } else { period_end.year() + 1 });
            // The 29th of February of a plain year is its 28th.
            let date = NaiveDate::from_ymd_opt(year, *month, *day)
                .or_else(|| NaiveDate::from_ymd_opt(year, 2, 28).filter(|_| (*month, *day) == (2, 29)))
                .ok_or(DueError::TooLong)?;
            let steps = vec![
                Step { date: period_end, kind: StepKind::Start, counted: 0 },
                Step { date, kind: StepKind::Span, counted: 1 },
            ];
            Ok(Due { due_at: end_of(date), soft_due_at: None, steps })
        }
        _ => Err(DueError::NoDate { kind: rule.kind() }),
    }
}

/// The 31st of a month that has only 28 days is its last day (每月31日前).
fn within_month(freq: super::Frequency, offset: Span, period_end: NaiveDate) -> u32 {
    use super::Frequency::{Halfyearly, Monthly, Quarterly};
    let is_day_of_month =
        offset.unit == SpanUnit::Day && offset.n <= 31 && matches!(freq, Monthly | Quarterly | Halfyearly);
    let last = period_end.succ_opt().and_then(|first| first.checked_add_months(Months::new(1))?.pred_opt());
    match last.filter(|_| is_day_of_month) {
        Some(last) => offset.n.min(last.day()),
        None => offset.n,
    }
}

/// How long something has to stay on display. The first day counts where it is one of those that are counted: of working
/// days, a day of rest is none; a month from the 1st ends with the last of it; hours and minutes run in full.
fn display(from: NaiveDateTime, span: Span, calendar: &Workdays) -> Result<Due, DueError> {
    let is_counted = match span.unit {
        SpanUnit::Day => true,
        SpanUnit::Workday => is_workday(from.date(), from.date(), calendar)?,
        SpanUnit::Month | SpanUnit::Hour | SpanUnit::Minute => false,
    };
    let rest = Span { n: span.n.saturating_sub(u32::from(is_counted)), unit: span.unit };
    let (mut due_at, mut steps) = count(from, rest, Roll::None, calendar)?;
    // Without such a day in the last month, its last day ends the span already.
    if span.unit == SpanUnit::Month && span.n > 0 && due_at.day() == from.day() {
        let day = due_at.date().pred_opt().ok_or(DueError::TooLong)?;
        due_at = end_of(day);
        if let Some(last) = steps.last_mut() {
            last.date = day;
        }
    }
    Ok(Due { due_at, soft_due_at: None, steps })
}

fn count(
    from: NaiveDateTime,
    span: Span,
    roll: Roll,
    calendar: &Workdays,
) -> Result<(NaiveDateTime, Vec<Step>), DueError> {
    let start = from.date();
    let mut steps = vec![Step { date: start, kind: StepKind::Start, counted: 0 }];
    let mut due_at = match span.unit {
        SpanUnit::Workday => end_of(count_workdays(start, span.n, calendar, &mut steps)?),
        SpanUnit::Day => {
            let day = start.checked_add_days(Days::new(span.n.into())).ok_or(DueError::TooLong)?;
            steps.push(Step { date: day, kind: StepKind::Span, counted: span.n });
            end_of(day)
        }
        SpanUnit::Month => {
            let day = start.checked_add_months(Months::new(span.n)).ok_or(DueError::TooLong)?;
            steps.push(Step { date: day, kind: StepKind::Span, counted: span.n });
            end_of(day)
        }
        SpanUnit::Hour | SpanUnit::Minute => {
            let minutes = if span.unit == SpanUnit::Hour { i64::from(span.n) * 60 } else { span.n.into() };
            let moment = from.checked_add_signed(Duration::minutes(minutes)).ok_or(DueError::TooLong)?;
            steps.push(Step { date: moment.date(), kind: StepKind::Span, counted: span.n });
            moment
        }
    };
    if roll == Roll::NextWorkday {
        let mut day = due_at.date();
        while !is_workday(day, due_at.date(), calendar)? {
            day = day.succ_opt().ok_or(DueError::TooLong)?;
        }
        if day != due_at.date() {
            due_at = end_of(day);
            steps.push(Step { date: day, kind: StepKind::Rolled, counted: span.n });
        }
    }
    Ok((due_at, steps))
}

fn is_workday(day: NaiveDate, known_on: NaiveDate, calendar: &Workdays) -> Result<bool, DueError> {
    calendar.is_workday(day, Some(known_on.max(day))).ok_or(DueError::Calendar { year: day.year() })
}

/// Counts working days as the calendar was known on the answer, and records every day on the way.
fn count_workdays(start: NaiveDate, n: u32, calendar: &Workdays, steps: &mut Vec<Step>) -> Result<NaiveDate, DueError> {
    let due = calendar.after(start, n.into(), None).ok_or_else(|| {
        let mut year = start.year();
        while calendar.covers(year) {
            year += 1;
        }
        DueError::Calendar { year }
    })?;
    let (mut day, mut counted) = (start, 0);
    while day < due {
        day = day.succ_opt().ok_or(DueError::TooLong)?;
        let works = calendar.is_workday(day, Some(due)).ok_or(DueError::Calendar { year: day.year() })?;
        let is_weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        counted += u32::from(works);
        let kind = match (works, is_weekend) {
            (true, false) => StepKind::Counted,
            (true, true) => StepKind::Makeup,
            (false, true) => StepKind::Weekend,
            (false, false) => StepKind::Holiday,
        };
        steps.push(Step { date: day, kind, counted });
    }
    Ok(due)
}

#[cfg(test)]
mod tests {
    use super::super::Anchor;
    use super::*;
    use crate::{Catalog, Declarations};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn catalog() -> Catalog {
        Catalog::load(Declarations::embedded()).expect("loads")
    }

    fn within(n: u32, unit: SpanUnit) -> DeadlineRule {
        DeadlineRule::Within { n, unit, anchor: Anchor::Decision, roll: Roll::None }
    }

    #[test]
    fn working_days_and_calendar_days_are_those_of_the_specification() {
        let catalog = catalog();
        for (from, n, unit, expected) in [
            ("2019-04-26", 7, SpanUnit::Workday, "2019-05-08"),
            ("2019-01-31", 7, SpanUnit::Workday, "2019-02-14"),
            ("2019-09-27", 7, SpanUnit::Workday, "2019-10-12"),
            ("2019-04-30", 7, SpanUnit::Workday, "2019-05-13"),
            ("2019-05-15", 20, SpanUnit::Workday, "2019-06-13"),
            ("2019-06-19", 20, SpanUnit::Workday, "2019-07-17"),
            ("2019-01-28", 20, SpanUnit::Workday, "2019-02-28"),
            ("2019-04-26", 1, SpanUnit::Workday, "2019-04-28"),
            ("2019-01-25", 20, SpanUnit::Day, "2019-02-14"),
            ("2019-02-28", 20, SpanUnit::Day, "2019-03-20"),
        ] {
            let found = due(&within(n, unit), day(from).into(), &catalog.workdays).expect("due");
            assert_eq!(found.due_at, end_of(day(expected)), "{from} + {n} {unit:?}");
        }
    }

    #[test]
    fn every_day_on_the_way_is_named() {
        let found = due(&within(7, SpanUnit::Workday), day("2019-04-26").into(), &catalog().workdays).expect("due");
        let of = |kind| found.steps.iter().filter(|step| step.kind == kind).count();
        // 27 April is a Saturday; 28 April and 5 May are worked; 1 to 4 May are off, the 4th being a Saturday.
        assert_eq!((of(StepKind::Start), of(StepKind::Counted), of(StepKind::Makeup)), (1, 5, 2));
        assert_eq!((of(StepKind::Weekend), of(StepKind::Holiday)), (2, 3));
        assert_eq!(found.steps.last().map(|step| (step.date, step.counted)), Some((day("2019-05-08"), 7)));
    }

    #[test]
    fn periods_end_displays_last_and_rolling_is_a_setting() {
        let catalog = catalog();
        let of = |json: &str, from: &str| {
            let rule: DeadlineRule = serde_json::from_str(json).expect("a rule");
            due(&rule, end_of(day(from)), &catalog.workdays).map(|due| due.due_at.to_string())
        };
        let monthly = r#"{"kind":"recurring","freq":"monthly","offset":{"n":15,"unit":"day"}}"#;
        assert_eq!(of(monthly, "2019-02-28").as_deref(), Ok("2019-03-15 23:59:59"));
        let last = r#"{"kind":"recurring","freq":"monthly","offset":{"n":31,"unit":"day"}}"#;
        assert_eq!(of(last, "2019-01-31").as_deref(), Ok("2019-02-28 23:59:59"));
        let fifth = r#"{"kind":"recurring","freq":"monthly","offset":{"n":5,"unit":"workday"}}"#;
        assert_eq!(of(fifth, "2019-09-30").as_deref(), Ok("2019-10-12 23:59:59"));
        let daily = r#"{"kind":"recurring","freq":"daily","offset":{"n":1,"unit":"day"},"hour":12}"#;
        assert_eq!(of(daily, "2019-03-01").as_deref(), Ok("2019-03-02 12:00:00"));
        let yearly = r#"{"kind":"by_date","month":3,"day":31}"#;
        assert_eq!(of(yearly, "2018-12-31").as_deref(), Ok("2019-03-31 23:59:59"));
        let year_end = r#"{"kind":"by_date","month":12,"day":31}"#;
        assert_eq!(of(year_end, "2019-12-31").as_deref(), Ok("2019-12-31 23:59:59"));
        let display = r#"{"kind":"min_display","n":10,"unit":"day"}"#;
        assert_eq!(of(display, "2019-03-01").as_deref(), Ok("2019-03-10 23:59:59"));
        // Seven working days: 4 to 8, 11 and 12 March 2019, from Monday the 4th as from Saturday the 2nd. 28 April 2019 is a
        // Sunday that is worked, and 1 to 4 May are off: 28, 29 and 30 April, and 5 to 7 May.
        let display = r#"{"kind":"min_display","n":7,"unit":"workday"}"#;
        assert_eq!(of(display, "2019-03-04").as_deref(), Ok("2019-03-12 23:59:59"));
        assert_eq!(of(display, "2019-03-02").as_deref(), Ok("2019-03-12 23:59:59"));
        let display = r#"{"kind":"min_display","n":3,"unit":"workday"}"#;
        assert_eq!(of(display, "2019-04-28").as_deref(), Ok("2019-04-30 23:59:59"));
        assert_eq!(of(display, "2019-05-01").as_deref(), Ok("2019-05-07 23:59:59"));
        let display = r#"{"kind":"min_display","n":1,"unit":"month"}"#;
        assert_eq!(of(display, "2019-03-01").as_deref(), Ok("2019-03-31 23:59:59"));
        assert_eq!(of(display, "2019-01-31").as_deref(), Ok("2019-02-28 23:59:59"));
        // 4 May 2019 is a Saturday off; 5 May is worked.
        let plain = r#"{"kind":"within","n":3,"unit":"day","anchor":"event"}"#;
        let rolled = r#"{"kind":"within","n":3,"unit":"day","anchor":"event","roll":"next_workday"}"#;
        assert_eq!(of(plain, "2019-05-01").as_deref(), Ok("2019-05-04 23:59:59"));
        assert_eq!(of(rolled, "2019-05-01").as_deref(), Ok("2019-05-05 23:59:59"));
        let far = r#"{"kind":"within","n":7,"unit":"workday","anchor":"event"}"#;
        assert!(matches!(of(far, "2060-05-01"), Err(DueError::Calendar { .. })));
    }
}
