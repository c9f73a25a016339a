//! Working days: the plain week, and the notices of the State Council that depart from it.
//!
//! Monday to Friday are working days, except the holidays of a notice; its make-up days (调休上班) at week-ends are working
//! days too. Notices are themselves dated: that for 2019 of 2018-12-06 was amended on 2019-03-22, and the Spring Festival of
//! 2020 was made longer while it lasted. What is asked as of a day knows the notices announced by then and no later ones.
//!
//! Invariant: of a year whose notice is not known nothing is said. Counting by the plain week alone is wrong there by days.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, Weekday};

use crate::{CatalogError, List};

/// Longest span that is counted, in working days or calendar days: forty years.
const LONGEST: u64 = 15_000;

/// What one notice says of one day.
#[derive(Debug, Clone, Copy)]
struct Said {
    announced_on: NaiveDate,
    is_workday: bool,
}

/// The working-day calendar.
#[derive(Debug, Default)]
pub struct Workdays {
    /// What notices say of a day, the earliest announcement first.
    days: BTreeMap<NaiveDate, Vec<Said>>,
    /// Years that a notice covers, with the first announcement of one.
    years: BTreeMap<i32, NaiveDate>,
}

impl Workdays {
    /// Reads lists `calendar` and `holiday_notice`; without them no day is known.
    pub(crate) fn load(lists: &BTreeMap<String, List>) -> Result<Self, CatalogError> {
        let (Some(calendar), Some(notices)) = (lists.get("calendar"), lists.get("holiday_notice")) else {
            return Ok(Self::default());
        };
        let day = |text: Option<&str>| text.and_then(|text| text.parse::<NaiveDate>().ok());
        let announced: BTreeMap<&str, NaiveDate> = notices
            .values("notice_id")?
            .zip(notices.values("announced_on")?)
            .filter_map(|(id, on)| Some((id?, day(on)?)))
            .collect();
        let mut years: BTreeMap<i32, NaiveDate> = BTreeMap::new();
        for (year, on) in notices.values("calendar_year")?.zip(notices.values("announced_on")?) {
            let Some((year, on)) = year.and_then(|year| year.parse().ok()).zip(day(on)) else { continue };
            years.entry(year).and_modify(|first| *first = on.min(*first)).or_insert(on);
        }
        let mut days: BTreeMap<NaiveDate, Vec<Said>> = BTreeMap::new();
        let said = calendar.values("cal_date")?.zip(calendar.values("notice_id")?).zip(calendar.values("is_workday")?);
        for ((date, notice), is_workday) in said {
            let (Some(date), Some(notice)) = (day(date), notice) else { continue };
            let announced_on = *announced.get(notice).ok_or_else(|| CatalogError::Unknown {
                file: "lists/calendar.csv".into(),
                key: format!("{date} notice_id"),
                kind: "notice",
                found: notice.to_owned(),
                declared_in: "lists/holiday_notice.csv".into(),
            })?;
            days.entry(date).or_default().push(Said { announced_on, is_workday: is_workday == Some("true") });
        }
        for said in days.values_mut() {
            said.sort_by_key(|said| said.announced_on);
        }
        Ok(Self { days, years })
    }

    /// Whether a notice covers a year.
    pub fn covers(&self, year: i32) -> bool {
        self.years.contains_key(&year)
    }

    /// Whether a day is a working day, as known on another; none where no notice covers its year.
    ///
    /// `known_on` is the day up to which notices count; none for all that there are.
    pub fn is_workday(&self, date: NaiveDate, known_on: Option<NaiveDate>) -> Option<bool> {
        let first = self.years.get(&date.year())?;
        if known_on.is_some_and(|known| known < *first) {
            return None;
        }
        let said = self.days.get(&date).into_iter().flatten();
        let said = said.rev().find(|said| known_on.is_none_or(|known| said.announced_on <= known));
        Some(said.map_or(!matches!(date.weekday(), Weekday::Sat | Weekday::Sun), |said| said.is_workday))
    }

    /// The `n`-th working day after a date, which is day 0 whether or not it is one itself.
    ///
    /// Without `known_on` the calendar is that known on the answer: a notice that came later cannot change what was due.
    /// None where the calendar does not reach so far.
    pub fn after(&self, date: NaiveDate, n: u64, known_on: Option<NaiveDate>) -> Option<NaiveDate> {
        if known_on.is_some() {
            return self.step(date, n, known_on);
        }
        let mut due = self.step(date, n, None)?;
        // A notice that takes a day away moves the answer, and with it what is known; it settles at once or not at all.
        for _ in 0..4 {
            let again = self.step(date, n, Some(due))?;
            if again == due {
                return Some(due);
            }
            due = again;
        }
        Some(due)
    }

    fn step(&self, date: NaiveDate, n: u64, known_on: Option<NaiveDate>) -> Option<NaiveDate> {
        if n > LONGEST {
            return None;
        }
        let (mut day, mut counted) = (date, 0);
        while counted < n {
            day = day.succ_opt()?;
            counted += u64::from(self.is_workday(day, known_on)?);
        }
        Some(day)
    }

    /// Working days after `from` up to and with `to`: how many working days late something is that was due on `from` and done
    /// on `to`. Negative where `to` is before `from`. None where the calendar does not reach.
    pub fn between(&self, from: NaiveDate, to: NaiveDate) -> Option<i64> {
        if to < from {
            return self.between(to, from).map(|days| -days);
        }
        if (to - from).num_days() > LONGEST as i64 * 2 {
            return None;
        }
        let mut count = 0;
        let mut day = from;
        while day < to {
            day = day.succ_opt()?;
            count += i64::from(self.is_workday(day, None)?);
        }
        Some(count)
    }
}

/// The `n`-th calendar day after a date.
pub fn calendar_days_after(date: NaiveDate, n: u64) -> Option<NaiveDate> {
    (n <= LONGEST).then(|| date.checked_add_days(Days::new(n)))?
}
