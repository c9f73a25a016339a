//! What a feed as written has to be besides each key by itself: keys that go together, roles that are there, units that lead
//! to their column's.

use std::collections::BTreeSet;

use gongkai_catalog::{Exact, Table};

use super::resolve::Context;
use super::spec::FeedSpec;
use super::{FeedError, LINE_PATH, TimePart, ValuePart};

/// Parts of an hour need an hour or a time of day, and an instant needs a time of day.
pub(super) fn check_time(context: &Context<'_>, spec: &FeedSpec) -> Result<(), FeedError> {
    let Some(time) = &spec.time else { return Ok(()) };
    let has_clock = !time.date_formats.is_empty() && time.date_formats.iter().all(|format| has_time_of_day(format));
    let has_hour = time.hour_ending.is_some() || time.hour_beginning.is_some();
    if has_clock && has_hour {
        return Err(context.wrong("time", "an hour beside dates with a time of day", "one of the two"));
    }
    for (column, part) in &time.columns {
        let (needs, is_there) = match part {
            TimePart::Instant => ("date_formats with a time of day, or another part", has_clock),
            TimePart::Hour | TimePart::EndInstant => ("hour_ending, or another part", has_hour || has_clock),
            TimePart::Date | TimePart::Month | TimePart::Year => continue,
        };
        if !is_there {
            return Err(context.wrong(&format!("time.columns.{column}"), "a part of an hour", needs));
        }
    }
    Ok(())
}

/// Whether a form of dates has a time of day.
pub(crate) fn has_time_of_day(format: &str) -> bool {
    ["%H", "%T", "%R"].iter().any(|part| format.contains(part))
}

pub(super) fn check_roles(context: &Context<'_>, spec: &FeedSpec) -> Result<(), FeedError> {
    let mut roles = BTreeSet::new();
    for label in &spec.label_column {
        if !roles.insert(label.role.as_str()) {
            return Err(context.wrong("label_column.role", &label.role, "a role that is used once"));
        }
    }
    let mut references: Vec<(&str, &String)> = Vec::new();
    if let Some(place) = &spec.place {
        references.extend(place.label.iter().map(|role| ("place.label", role)));
        references.extend(place.year_label.iter().map(|role| ("place.year_label", role)));
        references.extend(place.evidence.iter().map(|role| ("place.evidence", role)));
        references.extend(place.within_labels.iter().map(|role| ("place.within_labels", role)));
    }
    let of_labels = spec.by_label.iter().filter(|rule| spec.line.is_none() || rule.role != LINE_PATH);
    references.extend(of_labels.map(|rule| ("by_label.role", &rule.role)));
    references.extend(spec.subject.iter().map(|role| ("subject", role)));
    references.extend(spec.section.iter().map(|section| ("section.label", &section.label)));
    references.extend(spec.time.iter().flat_map(|time| &time.date).map(|role| ("time.date", role)));
    if let Some(line) = &spec.line {
        references.extend(line.code.iter().map(|role| ("line.code", role)));
        references.extend(line.codes.iter().map(|role| ("line.codes", role)));
        references.extend(line.number.iter().map(|role| ("line.number", role)));
        references.push(("line.name", &line.name));
    }
    for (key, role) in references {
        if !roles.contains(role.as_str()) {
            return Err(context.unknown(key, "role", role, "label_column"));
        }
    }
    Ok(())
}

/// The unit line gives a unit of a dimension that is there.
pub(super) fn check_unit_line(context: &Context<'_>, spec: &FeedSpec) -> Result<(), FeedError> {
    if let Some(unit) = &spec.unit {
        let pattern = context.pattern("unit.pattern", &unit.pattern)?;
        if !pattern.capture_names().flatten().any(|name| name == "unit") {
            return Err(context.wrong("unit.pattern", &unit.pattern, "a named group unit"));
        }
        if !context.catalog.units.values().any(|known| known.dimension == unit.dimension) {
            return Err(context.unknown("unit.dimension", "dimension", &unit.dimension, "units.toml"));
        }
    }
    Ok(())
}

/// There is one number, a detection limit stands in its unit, and where its column has a unit the figures can be brought to it.
pub(super) fn check_value_parts(context: &Context<'_>, spec: &FeedSpec, table: &Table) -> Result<(), FeedError> {
    let numbers: Vec<&String> =
        spec.value.columns.iter().filter(|(_, part)| **part == ValuePart::Number).map(|(column, _)| column).collect();
    if spec.value_column.is_empty() {
        return Ok(());
    }
    let [number] = numbers[..] else {
        return Err(context.wrong("value.columns", &format!("{} number columns", numbers.len()), "exactly one"));
    };
    let has_limit = spec.value.columns.values().any(|part| *part == ValuePart::Limit);
    if has_limit && table.column(number).is_some_and(|column| column.unit.is_some()) {
        let found = format!("a detection limit beside the column {number}, which has a unit of its own");
        return Err(context.wrong("value.columns", &found, "a number in the published unit"));
    }
    let Some(target) = table.column(number).and_then(|column| column.unit.as_ref()) else { return Ok(()) };
    let Some(target) = context.catalog.units.get(target) else { return Ok(()) };
    let key = format!("value.columns.{number}");
    if target.factor != Exact::new(1, 0) {
        return Err(context.wrong(&key, &target.id, "a column in the base unit of its dimension"));
    }
    let dimensions: BTreeSet<&str> = match &spec.unit {
        Some(unit) => BTreeSet::from([unit.dimension.as_str()]),
        None => {
            spec.value_column
                .iter()
                // A change that is added to 100 has its own dimension; the sum has the column's.
                .filter(|value| value.add.is_none())
                .filter_map(|value| value.unit.as_deref())
                .chain(spec.unit_by.iter().flat_map(|rule| {
                    rule.cases.iter().map(|case| case.value.as_str()).chain([rule.otherwise.as_str()])
                }))
                .filter_map(|unit| context.catalog.units.get(unit))
                .map(|unit| unit.dimension.as_str())
                .collect()
        }
    };
    if dimensions.iter().any(|dimension| *dimension != target.dimension) {
        return Err(context.wrong(&key, &target.dimension, "figures of the column's dimension"));
    }
    Ok(())
}
