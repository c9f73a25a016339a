//! From a feed as written to one whose every reference has been checked.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use gongkai_catalog::{Catalog, Exact, Tier};
use regex::Regex;

use super::check::{check_roles, check_time, check_unit_line, check_value_parts};
use super::producer::{self, read_references};
use super::reference::{Offered, Reference};
use super::spec::{
    BlankSpec, CaseSpec, FeedSpec, HiddenRowsSpec, OthersSpec, PeriodDaySpec, PeriodSpec, PlaceSpec, TextScope,
    UnnumberedSpec,
};
use super::{
    Caption, ColumnUnit, Feed, FeedError, HourEdge, LabelColumn, LineRule, PlaceDate, PlaceRule, PlaceSource,
    PrintedCases, Producer, RowRule, SectionRule, TextRule, TimePart, TimeRule, UnitLine, ValueColumn,
};
use crate::reader::Format;

/// The file that is read, and what it may name.
pub(super) struct Context<'a> {
    pub file: &'a str,
    pub catalog: &'a Catalog,
    known: &'a Patterns,
}

/// Patterns that were compiled already: feeds share many of them.
pub(super) type Patterns = RefCell<HashMap<String, Regex>>;

impl Context<'_> {
    pub fn wrong(&self, key: &str, found: &str, expected: &str) -> FeedError {
        FeedError::Value {
            file: self.file.to_owned(),
            key: key.to_owned(),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    }

    pub fn unknown(&self, key: &str, kind: &'static str, found: &str, declared_in: &str) -> FeedError {
        FeedError::Unknown {
            file: self.file.to_owned(),
            key: key.to_owned(),
            kind,
            found: found.to_owned(),
            declared_in: declared_in.to_owned(),
        }
    }

    pub fn pattern(&self, key: &str, text: &str) -> Result<Regex, FeedError> {
        if let Some(known) = self.known.borrow().get(text) {
            return Ok(known.clone());
        }
        let pattern = Regex::new(text).map_err(|source| FeedError::Pattern {
            file: self.file.to_owned(),
            key: key.to_owned(),
            source: Box::new(source),
        })?;
        self.known.borrow_mut().insert(text.to_owned(), pattern.clone());
        Ok(pattern)
    }

    fn patterns(&self, key: &str, texts: &[String]) -> Result<Vec<Regex>, FeedError> {
        texts.iter().map(|text| self.pattern(key, text)).collect()
    }

    fn optional_pattern(&self, key: &str, text: Option<&String>) -> Result<Option<Regex>, FeedError> {
        text.map(|text| self.pattern(key, text)).transpose()
    }

    fn cases(&self, key: &str, cases: &[CaseSpec]) -> Result<Vec<(Regex, String)>, FeedError> {
        cases.iter().map(|case| Ok((self.pattern(key, &case.pattern)?, case.value.clone()))).collect()
    }

    fn reference(&self, key: &str, text: &str, offered: &Offered) -> Result<Reference, FeedError> {
        let mut read = read_references(self.file, key, &[text.to_owned()], offered)?;
        Ok(read.remove(0))
    }
}

pub(super) fn resolve(file: &str, spec: FeedSpec, catalog: &Catalog, known: &Patterns) -> Result<Feed, FeedError> {
    let context = Context { file, catalog, known };
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
    check_roles(&context, &spec)?;
    let offered = offered_by(&context, &spec)?;
    let mut producers = producer::assign(file, &spec, table, &offered)?;
    fill_cases(&context, &spec, &mut producers)?;
    check_value_parts(&context, &spec, table)?;
    check_unit_line(&context, &spec)?;
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
            Ok(Caption {
                id: id.clone(),
                pattern,
                is_required: caption.required,
                within: caption.within,
                may_be_hidden: caption.hidden,
            })
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
    let place = resolve_place(&context, &spec, &offered)?;
    let line = resolve_line(&context, &spec)?;
    let time = resolve_time(&context, &spec, &offered)?;
    let of_time = time.iter().flat_map(|time| &time.parts).find_map(|part| match part {
        Reference::Label { role, .. } => Some(role),
        _ => None,
    });
    let subject = match (&spec.subject, &place.source, &line, of_time) {
        (Some(role), ..) => role.clone(),
        (None, PlaceSource::Hierarchy(role) | PlaceSource::Label(role), ..) => role.clone(),
        (None, _, Some(line), _) => line.name.clone(),
        (None, _, None, Some(role)) => role.clone(),
        (None, _, None, None) => {
            return Err(context.wrong("subject", "none", "the role of the column without which a row is no record"));
        }
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
        header_names: spec.header.names.clone(),
        header_repeats: spec.header.repeats,
        header_is_exact: spec.header.exact,
        text: resolve_text(&context, &spec)?,
        captions,
        unit,
        unit_by: resolve_unit_by(&context, &spec, &offered)?,
        section: spec
            .section
            .as_ref()
            .map(|section| {
                let pattern = context.pattern("section.pattern", &section.pattern)?;
                Ok::<_, FeedError>(SectionRule { role: section.label.clone(), pattern })
            })
            .transpose()?,
        rows: resolve_rows(&context, &spec)?,
        leaves_other_rows: spec.rows.others == OthersSpec::Leave,
        labels: resolve_labels(&context, &spec)?,
        values: resolve_values(&context, &spec, &offered)?,
        skip: context.patterns("body.skip", &spec.body.skip)?,
        end: context.patterns("body.end", &spec.body.end)?,
        missing: spec.value.missing.clone(),
        blank_is_no_row: spec.value.blank == BlankSpec::NoRow,
        time,
        place,
        line,
        keeps_hidden_rows: spec.body.hidden_rows == HiddenRowsSpec::Keep,
        subject,
        producers,
        label: spec.label,
    })
}

fn read_format(context: &Context<'_>, text: &str) -> Result<Format, FeedError> {
    Format::READ
        .into_iter()
        .find(|format| format.name() == text)
        .ok_or_else(|| context.wrong("formats", text, &Format::READ.map(Format::name).join(", ")))
}

fn resolve_labels(context: &Context<'_>, spec: &FeedSpec) -> Result<Vec<LabelColumn>, FeedError> {
    spec.label_column
        .iter()
        .map(|label| {
            let key = format!("label_column {}", label.role);
            if label.header.is_some() == label.marker.is_some() {
                return Err(context.wrong(&key, "header and marker", "exactly one of the two"));
            }
            if label.must_match.is_some() && spec.header.names.is_empty() {
                return Err(context.wrong(
                    &format!("{key}.must_match"),
                    "a table with a header",
                    "header.names beside it",
                ));
            }
            if label.split.as_deref() == Some("") {
                return Err(context.wrong(&format!("{key}.split"), "nothing", "what parts the records of a cell"));
            }
            Ok(LabelColumn {
                role: label.role.clone(),
                header: context.optional_pattern(&key, label.header.as_ref())?,
                marker: context.optional_pattern(&key, label.marker.as_ref())?,
                may_be_hidden: label.may_be_hidden,
                must_be_filled: label.must_be_filled,
                only: context.optional_pattern(&key, label.only.as_ref())?,
                pattern: context.optional_pattern(&key, label.pattern.as_ref())?,
                must_match: context.optional_pattern(&key, label.must_match.as_ref())?,
                fill_down: label.fill_down,
                fill_right: label.fill_right,
                split: label.split.clone(),
                is_optional: label.optional,
                has_missing: label.missing,
                date_formats: label.date_formats.clone(),
            })
        })
        .collect()
}

fn resolve_values(context: &Context<'_>, spec: &FeedSpec, offered: &Offered) -> Result<Vec<ValueColumn>, FeedError> {
    let Some(first) = spec.value_column.first() else {
        if !spec.value.columns.is_empty() {
            return Err(context.wrong("value.columns", "columns", "a value_column to fill them from"));
        }
        return Ok(Vec::new());
    };
    let mut seen = BTreeSet::new();
    spec.value_column
        .iter()
        .map(|value| {
            let key = format!("value_column {}", value.header);
            if !value.set.keys().eq(first.set.keys()) {
                return Err(context.wrong(&key, "set", "the same columns in every value_column"));
            }
            // Columns with the same settings are told apart by what their headers say.
            let captures = context.pattern(&key, &value.header)?.capture_names().flatten().count();
            if value.confirms {
                let is_there = spec.value_column.iter().any(|other| !other.confirms && other.set == value.set);
                if !is_there {
                    return Err(context.wrong(&key, "confirms", "a value_column of the same settings to confirm"));
                }
            } else if !seen.insert(value.set.clone()) && captures == 0 {
                return Err(context.wrong(&key, "set", "settings that no other value_column has, or a named group"));
            }
            let add = value
                .add
                .as_ref()
                .map(|text| text.parse::<Exact>().map_err(|_| context.wrong(&key, text, "a decimal number to add")));
            let has_other = spec.unit.is_some() || spec.unit_by.is_some();
            if value.unit.is_some() == has_other {
                let expected = "a unit here, a [unit] line for the table or [unit_by], exactly one of the three";
                return Err(context.wrong(&key, "unit", expected));
            }
            let unit = value.unit.as_ref().map(|unit| match offered.read(unit) {
                Some(reference) => Ok(ColumnUnit::Printed(reference)),
                None if context.catalog.units.contains_key(unit) => Ok(ColumnUnit::Known(unit.clone())),
                None => Err(context.unknown(&format!("{key}.unit"), "unit", unit, "units.toml")),
            });
            Ok(ValueColumn {
                header: context.pattern(&key, &value.header)?,
                set: value.set.clone(),
                unit: unit.transpose()?,
                is_many: value.many,
                fill_down: value.fill_down,
                add: add.transpose()?,
                is_confirming: value.confirms,
                is_required: value.required,
            })
        })
        .collect()
}

fn resolve_unit_by(
    context: &Context<'_>,
    spec: &FeedSpec,
    offered: &Offered,
) -> Result<Option<PrintedCases>, FeedError> {
    let Some(rule) = &spec.unit_by else { return Ok(None) };
    if spec.unit.is_some() {
        return Err(context.wrong("unit_by", "a [unit] line beside it", "one of the two"));
    }
    let units = rule.cases.iter().map(|case| &case.value).chain([&rule.otherwise]);
    for unit in units {
        if !context.catalog.units.contains_key(unit) {
            return Err(context.unknown("unit_by", "unit", unit, "units.toml"));
        }
    }
    Ok(Some(PrintedCases {
        captures: read_references(context.file, "unit_by.captures", &rule.captures, offered)?,
        cases: context.cases("unit_by.cases", &rule.cases)?,
        otherwise: Some(rule.otherwise.clone()),
    }))
}

fn resolve_text(context: &Context<'_>, spec: &FeedSpec) -> Result<Option<TextRule>, FeedError> {
    let Some(text) = &spec.text else { return Ok(None) };
    let records = text.record.iter().map(|record| context.pattern("text.record.pattern", &record.pattern));
    let records: Vec<Regex> = records.collect::<Result<_, _>>()?;
    if records.is_empty() || records.iter().any(|record| record.capture_names().flatten().next().is_none()) {
        return Err(context.wrong("text.record", "no named group", "patterns whose named groups are the columns"));
    }
    if text.from.is_some() != (text.scope == TextScope::Block) {
        return Err(context.wrong("text.from", "from", "from where the scope is block, and only there"));
    }
    Ok(Some(TextRule {
        scope: text.scope,
        title: context.optional_pattern("text.title", text.title.as_ref())?,
        from: context.optional_pattern("text.from", text.from.as_ref())?,
        to: context.optional_pattern("text.to", text.to.as_ref())?,
        must: context.optional_pattern("text.must", text.must.as_ref())?,
        records,
    }))
}

fn resolve_rows(context: &Context<'_>, spec: &FeedSpec) -> Result<Vec<RowRule>, FeedError> {
    let first = spec.row.iter().find(|row| !row.leave);
    spec.row
        .iter()
        .map(|row| {
            let is_alike = match first {
                Some(first) if !row.leave => row.set.keys().eq(first.set.keys()),
                _ => row.set.is_empty(),
            };
            if !is_alike {
                let expected = "the same columns in every row, and none where the row is left";
                return Err(context.wrong(&format!("row {}", row.label), "set", expected));
            }
            let label = context.pattern("row.label", &row.label)?;
            Ok(RowRule { label, leaves: row.leave, set: row.set.clone() })
        })
        .collect()
}

fn resolve_time(context: &Context<'_>, spec: &FeedSpec, offered: &Offered) -> Result<Option<TimeRule>, FeedError> {
    let Some(time) = &spec.time else { return Ok(None) };
    let parts = match (&time.date, time.parts.is_empty()) {
        (Some(role), true) => vec![context.reference("time.date", role, offered)?],
        (None, false) => read_references(context.file, "time.parts", &time.parts, offered)?,
        _ => return Err(context.wrong("time", "date and parts", "exactly one of the two")),
    };
    let hour = match (&time.hour_ending, &time.hour_beginning) {
        (Some(hour), None) => Some((context.reference("time.hour_ending", hour, offered)?, HourEdge::Ending)),
        (None, Some(hour)) => Some((context.reference("time.hour_beginning", hour, offered)?, HourEdge::Beginning)),
        (None, None) => None,
        _ => return Err(context.wrong("time", "hour_ending and hour_beginning", "at most one of the two")),
    };
    let is_hour_label =
        hour.is_none() && time.columns.values().any(|part| matches!(part, TimePart::Hour | TimePart::EndInstant));
    let is_of_period = hour.is_none() && !is_hour_label && time.period != PeriodSpec::Day;
    if time.period_day == PeriodDaySpec::Last && !is_of_period {
        return Err(context.wrong("time.period_day", "last", "a period of a month or a year, without hours"));
    }
    let rule = TimeRule {
        parts,
        date_formats: time.date_formats.clone(),
        hour,
        period: time.period,
        period_day: time.period_day,
        is_hour_label,
    };
    Ok(Some(rule))
}

/// Everything that references of the feed may mean.
fn offered_by(context: &Context<'_>, spec: &FeedSpec) -> Result<Offered, FeedError> {
    let groups = |key: &str, pattern: &str| -> Result<BTreeSet<String>, FeedError> {
        Ok(context.pattern(key, pattern)?.capture_names().flatten().map(str::to_owned).collect())
    };
    let mut offered = Offered::default();
    for (id, caption) in &spec.caption {
        offered.captions.insert(id.clone(), groups(&format!("caption.{id}.pattern"), &caption.pattern)?);
    }
    for label in &spec.label_column {
        offered.roles.insert(label.role.clone());
        if let Some(pattern) = &label.pattern {
            let key = format!("label_column {}.pattern", label.role);
            offered.labels.insert(label.role.clone(), groups(&key, pattern)?);
        }
    }
    for value in &spec.value_column {
        offered.header.extend(groups("value_column.header", &value.header)?);
    }
    for row in &spec.row {
        offered.row.extend(groups("row.label", &row.label)?);
    }
    if let Some(section) = &spec.section {
        offered.section = groups("section.pattern", &section.pattern)?;
    }
    Ok(offered)
}

fn resolve_place(context: &Context<'_>, spec: &FeedSpec, offered: &Offered) -> Result<PlaceRule, FeedError> {
    match &spec.place {
        Some(place) => read_place(context, spec, place, offered),
        None => Ok(PlaceRule::nowhere()),
    }
}

fn read_place(
    context: &Context<'_>,
    spec: &FeedSpec,
    place: &PlaceSpec,
    offered: &Offered,
) -> Result<PlaceRule, FeedError> {
    let references = |key: &str, written: &[String]| read_references(context.file, key, written, offered);
    let source = match (&place.label, place.printed.is_empty(), &place.fixed, place.code.is_empty()) {
        (Some(role), true, None, true) if place.hierarchy.is_some() => PlaceSource::Hierarchy(role.clone()),
        (Some(role), true, None, true) => PlaceSource::Label(role.clone()),
        (None, false, None, true) => PlaceSource::Printed(references("place.printed", &place.printed)?),
        (None, true, Some(name), true) => PlaceSource::Fixed(name.clone()),
        (None, true, None, false) => PlaceSource::Code(references("place.code", &place.code)?),
        _ => return Err(context.wrong("place", "label, printed, fixed and code", "exactly one of the four")),
    };
    if !place.root.is_empty() && place.hierarchy.is_none() {
        return Err(context.wrong("place.root", "root", "a [place] with a hierarchy"));
    }
    let date = match (&spec.time, place.year.0.is_empty(), &place.year_label, place.year_is) {
        (Some(_), true, None, None) => PlaceDate::Moment,
        (None, false, None, None) => {
            PlaceDate::Printed(read_references(context.file, "place.year", &place.year.0, offered)?)
        }
        (None, true, Some(role), None) => PlaceDate::Label(role.clone()),
        (None, true, None, Some(year)) => PlaceDate::Year(year),
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
        root: references("place.root", &place.root)?,
        date,
        tiers,
        within: place.within.clone(),
        within_labels: place.within_labels.clone(),
        within_printed: read_references(context.file, "place.within_printed", &place.within_printed, offered)?,
        own_suffix: place.own_suffix.clone(),
        own_generic: place.own_generic.clone(),
        lower_suffixes: place.lower_suffixes.clone(),
        aliases: place.aliases.clone(),
        evidence: place.evidence.clone(),
    })
}

fn resolve_line(context: &Context<'_>, spec: &FeedSpec) -> Result<Option<LineRule>, FeedError> {
    let Some(line) = &spec.line else { return Ok(None) };
    let codes: Vec<String> = line.code.iter().chain(&line.codes).cloned().collect();
    if line.code.is_some() && !line.codes.is_empty() || !codes.is_empty() && !line.code_of.is_empty() {
        return Err(context.wrong("line", "code, codes and code_of", "at most one of the three"));
    }
    let has_codes = !codes.is_empty() || !line.code_of.is_empty();
    if has_codes == line.digits.is_empty() || !line.digits.is_sorted_by(|a, b| a < b) {
        return Err(context.wrong(
            "line.digits",
            &format!("{:?}", line.digits),
            "lengths of codes, rising, where there are codes",
        ));
    }
    Ok(Some(LineRule {
        codes,
        code_of: line.code_of.clone(),
        number: line.number.clone(),
        stands_below: line.unnumbered == UnnumberedSpec::Below,
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
        let key = format!("the cases of {column}");
        match producer {
            Producer::ByLabel(rule) => {
                for written in spec.by_label.iter().filter(|rule| rule.column == *column) {
                    rule.cases.extend(context.cases(&key, &written.cases)?);
                }
            }
            Producer::ByPrinted(rule) => {
                for written in spec.by_printed.iter().filter(|rule| rule.column == *column) {
                    rule.cases.extend(context.cases(&key, &written.cases)?);
                }
            }
            _ => {}
        }
    }
    Ok(())
}
