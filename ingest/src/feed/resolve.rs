//! From a feed as written to one whose every reference has been checked.

use std::collections::BTreeSet;

use gongkai_catalog::{Catalog, Exact, Table, Tier};
use regex::Regex;

use super::spec::{FeedSpec, HiddenRowsSpec};
use super::{
    Caption, Feed, FeedError, LINE_PATH, LabelColumn, LineRule, PlaceDate, PlaceRule, PlaceSource, Producer, TimePart,
    TimeRule, UnitLine, ValueColumn, ValuePart, producer,
};
use crate::reader::Format;

struct Context<'a> {
    file: &'a str,
    catalog: &'a Catalog,
}

impl Context<'_> {
    fn wrong(&self, key: &str, found: &str, expected: &str) -> FeedError {
        FeedError::Value {
            file: self.file.to_owned(),
            key: key.to_owned(),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    }

    fn unknown(&self, key: &str, kind: &'static str, found: &str, declared_in: &str) -> FeedError {
        FeedError::Unknown {
            file: self.file.to_owned(),
            key: key.to_owned(),
            kind,
            found: found.to_owned(),
            declared_in: declared_in.to_owned(),
        }
    }

    fn pattern(&self, key: &str, text: &str) -> Result<Regex, FeedError> {
        Regex::new(text).map_err(|source| FeedError::Pattern {
            file: self.file.to_owned(),
            key: key.to_owned(),
            source: Box::new(source),
        })
    }

    fn patterns(&self, key: &str, texts: &[String]) -> Result<Vec<Regex>, FeedError> {
        texts.iter().map(|text| self.pattern(key, text)).collect()
    }
}

pub(super) fn resolve(file: &str, spec: FeedSpec, catalog: &Catalog) -> Result<Feed, FeedError> {
    let context = Context { file, catalog };
    let (publisher, id) = file
        .strip_prefix("feeds/")
        .and_then(|rest| rest.strip_suffix(".toml"))
        .and_then(|rest| rest.split_once('/'))
        .filter(|(_, id)| gongkai_catalog::dataset::is_identifier(id))
        .ok_or_else(|| context.wrong("path", file, "feeds/{publisher}/{feed}.toml, the feed of a-z, 0-9 and _"))?;
    let dataset = catalog
        .datasets
        .get(&spec.dataset)
        .ok_or_else(|| context.unknown("dataset", "dataset", &spec.dataset, "datasets/"))?;
    if dataset.publisher != publisher {
        return Err(context.wrong("path", publisher, &format!("the dataset's publisher, {}", dataset.publisher)));
    }
    let table = catalog
        .tables
        .get(&dataset.table)
        .ok_or_else(|| context.unknown("dataset", "table", &dataset.table, "tables/"))?;
    let mut producers = producer::assign(file, &spec, table)?;
    fill_cases(&context, &spec, &mut producers)?;
    check_value_parts(&context, &spec, table)?;
    check_captures(&context, &spec)?;
    check_roles(&context, &spec)?;
    check_time(&context, &spec)?;
    if !(1..=8).contains(&spec.header.depth) || spec.header.search_rows == 0 {
        return Err(context.wrong("header", "depth or search_rows", "a depth of 1 to 8 and at least one row"));
    }
    if spec.time.is_none() && !spec.by_date.is_empty() {
        return Err(context.wrong("by_date", "no [time]", "a feed whose records have dates"));
    }
    for rule in &spec.by_date {
        let dates: Vec<_> = rule.spans.iter().map(|span| span.until).collect();
        let is_ordered = dates
            .split_last()
            .is_some_and(|(last, rest)| last.is_none() && rest.iter().all(Option::is_some) && rest.is_sorted());
        if !is_ordered {
            let key = format!("by_date {}", rule.column);
            return Err(context.wrong(&key, "spans", "spans in order of time, only the last without an end"));
        }
    }
    let formats = spec.formats.iter().map(|format| read_format(&context, format)).collect::<Result<_, _>>()?;
    let captions = spec
        .caption
        .iter()
        .map(|(id, caption)| {
            let pattern = context.pattern(&format!("caption.{id}.pattern"), &caption.pattern)?;
            Ok(Caption { id: id.clone(), pattern, is_required: caption.required, within: caption.within })
        })
        .collect::<Result<_, FeedError>>()?;
    let unit = spec
        .unit
        .as_ref()
        .map(|unit| {
            let pattern = context.pattern("unit.pattern", &unit.pattern)?;
            Ok::<_, FeedError>(UnitLine { pattern, dimension: unit.dimension.clone() })
        })
        .transpose()?;
    let place = resolve_place(&context, &spec)?;
    let line = resolve_line(&context, &spec)?;
    let subject = match (&place.source, &line, &spec.time) {
        (PlaceSource::Hierarchy(role) | PlaceSource::Label(role), ..) => role.clone(),
        (_, Some(line), _) => line.name.clone(),
        (_, None, Some(time)) => time.date.clone(),
        (_, None, None) => return Err(context.wrong("place", "no column", "a label, a [line] or a [time]")),
    };
    Ok(Feed {
        id: id.to_owned(),
        publisher: publisher.to_owned(),
        table: dataset.table.clone(),
        dataset: spec.dataset.clone(),
        formats,
        is_source_public: spec.source_public,
        source_file: file.to_owned(),
        header_depth: spec.header.depth,
        header_search_rows: spec.header.search_rows,
        captions,
        unit,
        labels: resolve_labels(&context, &spec)?,
        values: resolve_values(&context, &spec)?,
        skip: context.patterns("body.skip", &spec.body.skip)?,
        end: context.patterns("body.end", &spec.body.end)?,
        missing: spec.value.missing.clone(),
        time: spec.time.as_ref().map(|time| TimeRule {
            date: time.date.clone(),
            date_formats: time.date_formats.clone(),
            hour_ending: time.hour_ending.clone(),
        }),
        place,
        line,
        keeps_hidden_rows: spec.body.hidden_rows == HiddenRowsSpec::Keep,
        subject,
        producers,
        label: spec.label,
    })
}

fn read_format(context: &Context<'_>, text: &str) -> Result<Format, FeedError> {
    [Format::Csv, Format::Json, Format::Xls, Format::Xlsx]
        .into_iter()
        .find(|format| format.name() == text)
        .ok_or_else(|| context.wrong("formats", text, "csv, json, xls or xlsx"))
}

fn resolve_labels(context: &Context<'_>, spec: &FeedSpec) -> Result<Vec<LabelColumn>, FeedError> {
    spec.label_column
        .iter()
        .map(|label| {
            let key = format!("label_column {}", label.role);
            if label.header.is_some() == label.marker.is_some() {
                return Err(context.wrong(&key, "header and marker", "exactly one of the two"));
            }
            let header = label.header.as_ref().map(|text| context.pattern(&key, text)).transpose()?;
            let marker = label.marker.as_ref().map(|text| context.pattern(&key, text)).transpose()?;
            let only = label.only.as_ref().map(|text| context.pattern(&key, text)).transpose()?;
            Ok(LabelColumn {
                role: label.role.clone(),
                header,
                marker,
                may_be_hidden: label.may_be_hidden,
                must_be_filled: label.must_be_filled,
                only,
            })
        })
        .collect()
}

fn resolve_values(context: &Context<'_>, spec: &FeedSpec) -> Result<Vec<ValueColumn>, FeedError> {
    let Some(first) = spec.value_column.first() else {
        return Err(context.wrong("value_column", "none", "at least one"));
    };
    let mut seen = BTreeSet::new();
    spec.value_column
        .iter()
        .map(|value| {
            let key = format!("value_column {}", value.header);
            if !value.set.keys().eq(first.set.keys()) {
                return Err(context.wrong(&key, "set", "the same columns in every value_column"));
            }
            if value.confirms {
                let is_there = spec.value_column.iter().any(|other| !other.confirms && other.set == value.set);
                if !is_there {
                    return Err(context.wrong(&key, "confirms", "a value_column of the same settings to confirm"));
                }
            } else if !seen.insert(value.set.clone()) {
                return Err(context.wrong(&key, "set", "settings that no other value_column has"));
            }
            let add = value
                .add
                .as_ref()
                .map(|text| text.parse::<Exact>().map_err(|_| context.wrong(&key, text, "a decimal number to add")));
            match (&value.unit, &spec.unit) {
                (Some(unit), None) if !context.catalog.units.contains_key(unit) => {
                    return Err(context.unknown(&format!("{key}.unit"), "unit", unit, "units.toml"));
                }
                (Some(_), None) | (None, Some(_)) => {}
                (_, _) => {
                    return Err(context.wrong(&key, "unit", "a unit here or a [unit] line for the table, not both"));
                }
            }
            let header = context.pattern(&key, &value.header)?;
            Ok(ValueColumn {
                header,
                set: value.set.clone(),
                unit: value.unit.clone(),
                add: add.transpose()?,
                is_confirming: value.confirms,
                is_required: value.required,
            })
        })
        .collect()
}

fn resolve_place(context: &Context<'_>, spec: &FeedSpec) -> Result<PlaceRule, FeedError> {
    let place = &spec.place;
    let source = match (&place.label, place.printed.is_empty(), &place.fixed) {
        (Some(role), true, None) if place.hierarchy.is_some() => PlaceSource::Hierarchy(role.clone()),
        (Some(role), true, None) => PlaceSource::Label(role.clone()),
        (None, false, None) => PlaceSource::Printed(place.printed.clone()),
        (None, true, Some(name)) => PlaceSource::Fixed(name.clone()),
        _ => return Err(context.wrong("place", "label, printed and fixed", "exactly one of the three")),
    };
    let date = match (&spec.time, &place.year, &place.year_label, place.year_is) {
        (Some(_), None, None, None) => PlaceDate::Moment,
        (None, Some(capture), None, None) => PlaceDate::Printed(capture.clone()),
        (None, None, Some(role), None) => PlaceDate::Label(role.clone()),
        (None, None, None, Some(year)) => PlaceDate::Year(year),
        _ => {
            let expected = "exactly one of [time], year, year_label and year_is: names need a date";
            return Err(context.wrong("place", "year", expected));
        }
    };
    if place.hierarchy.is_some() && !matches!(date, PlaceDate::Printed(_) | PlaceDate::Year(_)) {
        return Err(context.wrong("place.hierarchy", "hierarchy", "one year for the table: year or year_is"));
    }
    if let Some(code) = place.within.as_ref().filter(|code| context.catalog.regions.by_code(code).next().is_none()) {
        return Err(context.unknown("place.within", "region", code, "codes/regions.csv"));
    }
    for (printed, official) in &place.aliases {
        if !context.catalog.regions.iter().any(|region| region.name == *official) {
            let key = format!("place.aliases.{printed}");
            return Err(context.unknown(&key, "region", official, "codes/regions.csv"));
        }
    }
    let tiers = place
        .tiers
        .iter()
        .map(|tier| {
            Tier::from_name(tier)
                .ok_or_else(|| context.wrong("place.tiers", tier, "nation, province, city, county or township"))
        })
        .collect::<Result<_, _>>()?;
    Ok(PlaceRule {
        source,
        date,
        tiers,
        within: place.within.clone(),
        within_labels: place.within_labels.clone(),
        own_suffix: place.own_suffix.clone(),
        own_generic: place.own_generic.clone(),
        lower_suffixes: place.lower_suffixes.clone(),
        aliases: place.aliases.clone(),
        evidence: place.evidence.clone(),
    })
}

fn resolve_line(context: &Context<'_>, spec: &FeedSpec) -> Result<Option<LineRule>, FeedError> {
    let Some(line) = &spec.line else { return Ok(None) };
    if line.code.is_some() == line.digits.is_empty() || !line.digits.is_sorted_by(|a, b| a < b) {
        return Err(context.wrong(
            "line.digits",
            &format!("{:?}", line.digits),
            "lengths of codes, rising, where there are codes",
        ));
    }
    Ok(Some(LineRule {
        code: line.code.clone(),
        name: line.name.clone(),
        digits: line.digits.clone(),
        below: line.below.clone(),
        total: context.pattern("line.total", &line.total)?,
        numbering: context.pattern("line.numbering", &line.numbering)?,
        only: line.only.as_ref().map(|only| context.pattern("line.only", only)).transpose()?,
    }))
}

/// Compiles the patterns of `by_label` and `by_printed`, which the assignment of columns leaves open.
fn fill_cases(context: &Context<'_>, spec: &FeedSpec, producers: &mut [(String, Producer)]) -> Result<(), FeedError> {
    for (column, producer) in producers {
        let (compiled, written): (&mut Vec<_>, Vec<_>) = match producer {
            Producer::ByLabel(rule) => {
                let rules = spec.by_label.iter().filter(|rule| rule.column == *column);
                (&mut rule.cases, rules.flat_map(|rule| &rule.cases).collect())
            }
            Producer::ByPrinted(rule) => {
                let rules = spec.by_printed.iter().filter(|rule| rule.column == *column);
                (&mut rule.cases, rules.flat_map(|rule| &rule.cases).collect())
            }
            _ => continue,
        };
        for case in written {
            let pattern = context.pattern(&format!("the cases of {column}"), &case.pattern)?;
            compiled.push((pattern, case.value.clone()));
        }
    }
    Ok(())
}

/// Parts of an hour need one.
fn check_time(context: &Context<'_>, spec: &FeedSpec) -> Result<(), FeedError> {
    let Some(time) = spec.time.as_ref().filter(|time| time.hour_ending.is_none()) else { return Ok(()) };
    match time.columns.iter().find(|(_, part)| matches!(part, TimePart::Hour | TimePart::EndInstant)) {
        Some((column, _)) => {
            Err(context.wrong(&format!("time.columns.{column}"), "a part of an hour", "hour_ending, or another part"))
        }
        None => Ok(()),
    }
}

fn check_roles(context: &Context<'_>, spec: &FeedSpec) -> Result<(), FeedError> {
    let mut roles = BTreeSet::new();
    for label in &spec.label_column {
        if !roles.insert(label.role.as_str()) {
            return Err(context.wrong("label_column.role", &label.role, "a role that is used once"));
        }
    }
    let place = &spec.place;
    let mut references: Vec<(&str, &String)> = Vec::new();
    references.extend(place.label.iter().map(|role| ("place.label", role)));
    references.extend(place.year_label.iter().map(|role| ("place.year_label", role)));
    references.extend(place.evidence.iter().map(|role| ("place.evidence", role)));
    references.extend(place.within_labels.iter().map(|role| ("place.within_labels", role)));
    let of_labels = spec.by_label.iter().filter(|rule| spec.line.is_none() || rule.role != LINE_PATH);
    references.extend(of_labels.map(|rule| ("by_label.role", &rule.role)));
    if let Some(time) = &spec.time {
        references.push(("time.date", &time.date));
        references.extend(time.hour_ending.iter().map(|role| ("time.hour_ending", role)));
    }
    if let Some(line) = &spec.line {
        references.extend(line.code.iter().map(|role| ("line.code", role)));
        references.push(("line.name", &line.name));
    }
    for (key, role) in references {
        if !roles.contains(role.as_str()) {
            return Err(context.unknown(key, "role", role, "label_column"));
        }
    }
    Ok(())
}

fn check_captures(context: &Context<'_>, spec: &FeedSpec) -> Result<(), FeedError> {
    let mut captures = BTreeSet::new();
    let mut add = |id: &str, key: &str, pattern: &str| {
        let pattern = context.pattern(key, pattern)?;
        captures.extend(pattern.capture_names().flatten().map(|name| format!("{id}.{name}")));
        Ok::<_, FeedError>(())
    };
    for (id, caption) in &spec.caption {
        add(id, &format!("caption.{id}.pattern"), &caption.pattern)?;
    }
    for value in &spec.value_column {
        add("header", "value_column.header", &value.header)?;
    }
    let mentioned = spec
        .printed
        .iter()
        .flat_map(|(column, captures)| captures.iter().map(move |capture| (format!("printed.{column}"), capture)))
        .chain(spec.place.year.iter().map(|capture| ("place.year".to_owned(), capture)))
        .chain(
            spec.by_printed
                .iter()
                .flat_map(|rule| rule.captures.iter().map(|capture| (format!("by_printed {}", rule.column), capture))),
        )
        .chain(spec.place.printed.iter().map(|capture| ("place.printed".to_owned(), capture)));
    for (key, capture) in mentioned {
        if !captures.contains(capture) {
            return Err(context.unknown(&key, "capture", capture, "the named groups of caption and value_column"));
        }
    }
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

/// There is one number, and where its column has a unit the figures can be brought to it.
fn check_value_parts(context: &Context<'_>, spec: &FeedSpec, table: &Table) -> Result<(), FeedError> {
    let numbers: Vec<&String> =
        spec.value.columns.iter().filter(|(_, part)| **part == ValuePart::Number).map(|(column, _)| column).collect();
    let [number] = numbers[..] else {
        return Err(context.wrong("value.columns", &format!("{} number columns", numbers.len()), "exactly one"));
    };
    let Some(target) = table.column(number).and_then(|column| column.unit.as_ref()) else { return Ok(()) };
    let Some(target) = context.catalog.units.get(target) else { return Ok(()) };
    let key = format!("value.columns.{number}");
    if target.factor != Exact::new(1, 0) {
        return Err(context.wrong(&key, &target.id, "a column in the base unit of its dimension"));
    }
    let dimensions: BTreeSet<&str> = match &spec.unit {
        Some(unit) => BTreeSet::from([unit.dimension.as_str()]),
        None => spec
            .value_column
            .iter()
            // A change that is added to 100 has its own dimension; the sum has the column's.
            .filter(|value| value.add.is_none())
            .filter_map(|value| context.catalog.units.get(value.unit.as_deref()?))
            .map(|unit| unit.dimension.as_str())
            .collect(),
    };
    if dimensions.iter().any(|dimension| *dimension != target.dimension) {
        return Err(context.wrong(&key, &target.dimension, "figures of the column's dimension"));
    }
    Ok(())
}
