//! `due_date(date, n, unit)`, `due_at(rule, date)`, `day_end(date)` and `workdays_between(a, b)`, over the working-day calendar of
//! the catalogue.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDateTime;
use datafusion::arrow::array::{Array, AsArray, Date32Array, Int64Array, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Date32Type, Int64Type, TimeUnit};
use datafusion::logical_expr::{ScalarUDF, Signature, TypeSignature, Volatility};
use gongkai_catalog::deadline::{self, DeadlineRule};
use gongkai_catalog::{Catalog, workday};

use super::function::{Described, Function, refuse};
use crate::schema::ZONE;

/// All of them.
pub(super) fn all(catalog: &Arc<Catalog>) -> Vec<Arc<ScalarUDF>> {
    vec![due_date(catalog), due_at(catalog), day_end(catalog), workdays_between(catalog)]
}

/// Seconds of a day less the last, and of Beijing's offset.
const LAST_SECOND: i64 = 24 * 3600 - 1;
const OFFSET_SECONDS: i64 = 8 * 3600;

fn moment_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(ZONE.into()))
}

/// A moment in Beijing as microseconds of the epoch.
fn micros(local: NaiveDateTime) -> i64 {
    (local.and_utc().timestamp() - OFFSET_SECONDS) * 1_000_000
}

fn due_at(catalog: &Arc<Catalog>) -> Arc<ScalarUDF> {
    let described = Described {
        name: "due_at",
        description: "Last moment that is in time by a deadline rule of the disclosure catalogue, counted from a day. Hours and minutes \
                      count from the end of that day. NULL where no notice covers the year, and for rules without a due date.",
        syntax: "due_at(rule, date)",
        arguments: &[
            ("rule", "The rule as JSON, as in catalog.item.deadline_rule"),
            ("date", "Day of the event, or last day of the period"),
        ],
    };
    let signature = Signature::any(2, Volatility::Immutable);
    Function::udf(catalog, &described, signature, moment_type(), |catalog, args| {
        let (rules, dates) = (args.array(0, &DataType::Utf8View)?, args.array(1, &DataType::Date32)?);
        let mut due = TimestampMicrosecondArray::builder(dates.len());
        // The same few rules come again and again.
        let mut known: HashMap<String, DeadlineRule> = HashMap::new();
        for row in 0..dates.len() {
            if rules.is_null(row) || dates.is_null(row) {
                due.append_null();
                continue;
            }
            let text = rules.as_string_view().value(row);
            let rule = match known.get(text) {
                Some(rule) => rule,
                None => {
                    let Ok(rule) = serde_json::from_str(text) else {
                        return refuse("the rule of due_at is JSON as in catalog.item.deadline_rule");
                    };
                    known.entry(text.to_owned()).or_insert(rule)
                }
            };
            let date = Date32Type::to_naive_date_opt(dates.as_primitive::<Date32Type>().value(row));
            let found = date.and_then(|date| deadline::due_from_day(rule, date, &catalog.workdays).ok());
            due.append_option(found.map(|found| micros(found.due_at)));
        }
        Ok(Arc::new(due.finish().with_timezone(ZONE)))
    })
}

fn day_end(catalog: &Arc<Catalog>) -> Arc<ScalarUDF> {
    let described = Described {
        name: "day_end",
        description: "Last second of a day in Beijing: what is known to have been published on a day was public by then.",
        syntax: "day_end(date)",
        arguments: &[("date", "The day")],
    };
    Function::udf(catalog, &described, Signature::any(1, Volatility::Immutable), moment_type(), |_, args| {
        let dates = args.array(0, &DataType::Date32)?;
        let ends = dates
            .as_primitive::<Date32Type>()
            .iter()
            .map(|day| day.map(|day| (i64::from(day) * 24 * 3600 + LAST_SECOND - OFFSET_SECONDS) * 1_000_000));
        Ok(Arc::new(ends.collect::<TimestampMicrosecondArray>().with_timezone(ZONE)))
    })
}

fn due_date(catalog: &Arc<Catalog>) -> Arc<ScalarUDF> {
    let described = Described {
        name: "due_date",
        description: "Day on which something is due n days after a date. That date is day 0 and need not be a working day. Working days \
                      are those of the notices announced by the due date, or by known_on. NULL where no notice covers the year.",
        syntax: "due_date(date, n, unit[, known_on])",
        arguments: &[
            ("date", "Day that the time begins with"),
            ("n", "Days, at least 0"),
            ("unit", "'workday' (工作日) or 'day' (calendar days, 日)"),
            ("known_on", "Day up to whose notices the calendar is known; left out, the due date itself"),
        ],
    };
    let signature = Signature::one_of(vec![TypeSignature::Any(3), TypeSignature::Any(4)], Volatility::Immutable);
    Function::udf(catalog, &described, signature, DataType::Date32, |catalog, args| {
        let dates = args.array(0, &DataType::Date32)?;
        let counts = args.array(1, &DataType::Int64)?;
        let units = args.array(2, &DataType::Utf8View)?;
        let known = (args.len() > 3).then(|| args.array(3, &DataType::Date32)).transpose()?;
        let mut due = Date32Array::builder(dates.len());
        for row in 0..dates.len() {
            let known_on = match &known {
                Some(days) if days.is_null(row) => {
                    due.append_null();
                    continue;
                }
                Some(days) => Date32Type::to_naive_date_opt(days.as_primitive::<Date32Type>().value(row)),
                None => None,
            };
            if dates.is_null(row) || counts.is_null(row) || units.is_null(row) {
                due.append_null();
                continue;
            }
            let date = Date32Type::to_naive_date_opt(dates.as_primitive::<Date32Type>().value(row));
            let Ok(n) = u64::try_from(counts.as_primitive::<Int64Type>().value(row)) else {
                return refuse("due_date counts from 0 days upwards");
            };
            let found = match units.as_string_view().value(row) {
                "workday" | "工作日" => date.and_then(|date| catalog.workdays.after(date, n, known_on)),
                "day" | "日" | "天" => date.and_then(|date| workday::calendar_days_after(date, n)),
                _ => return refuse("the unit of due_date is 'workday' or 'day'"),
            };
            due.append_option(found.map(Date32Type::from_naive_date));
        }
        Ok(Arc::new(due.finish()))
    })
}

fn workdays_between(catalog: &Arc<Catalog>) -> Arc<ScalarUDF> {
    let described = Described {
        name: "workdays_between",
        description: "Working days after the first date up to and with the second: how many working days late is what was due on the \
                      first and done on the second. Negative where the second is earlier. NULL where no notice covers a year between.",
        syntax: "workdays_between(a, b)",
        arguments: &[("a", "Day after which counting begins"), ("b", "Last day that is counted")],
    };
    let signature = Signature::any(2, Volatility::Immutable);
    Function::udf(catalog, &described, signature, DataType::Int64, |catalog, args| {
        let (from, to) = (args.array(0, &DataType::Date32)?, args.array(1, &DataType::Date32)?);
        let pairs = from.as_primitive::<Date32Type>().iter().zip(to.as_primitive::<Date32Type>().iter());
        let counts = pairs.map(|(from, to)| {
            let day = Date32Type::to_naive_date_opt;
            catalog.workdays.between(day(from?)?, day(to?)?)
        });
        Ok(Arc::new(counts.collect::<Int64Array>()))
    })
}
