//! Columns of the dataset's table, filled as other feeds fill columns of the same name.

use std::collections::BTreeMap;

use gongkai_catalog::{Column, ColumnType, Dataset};

use super::Site;
use super::guess::{Label, Value};
use crate::feed::{ColumnUnit, Feed, LinePart, PlacePart, Producer, TimePart, ValuePart};

/// What the draft can fill columns from.
pub(super) struct Has {
    pub place: bool,
    /// Whether there is a date, and with it an hour.
    pub moment: Option<bool>,
    pub title_year: bool,
    pub lines: bool,
}

/// Columns by what fills them.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub place: BTreeMap<String, PlacePart>,
    pub time: BTreeMap<String, TimePart>,
    pub value: BTreeMap<String, ValuePart>,
    pub line: BTreeMap<String, LinePart>,
    pub printed: Vec<String>,
    pub constants: BTreeMap<String, String>,
    pub hidden: Option<String>,
    pub empty: Vec<String>,
}

/// Assigns every column that can be told; the others are empty or have to be decided.
pub(super) fn fill(
    site: &Site<'_>,
    dataset: &Dataset,
    has: &Has,
    labels: &mut [Label],
    values: &mut [Value],
    to_decide: &mut Vec<String>,
) -> Filled {
    let mut filled = Filled::default();
    let Some(table) = site.catalog.tables.get(&dataset.table) else { return filled };
    let peers: Vec<&Feed> = site.feeds.iter().filter(|feed| feed.table == table.name).collect();
    let settings = known_settings(&peers, values);
    let mut open: Vec<&Column> = Vec::new();
    for column in table.own_columns() {
        if settings.contains(&column.name) {
            continue;
        }
        if !fill_column(site, &peers, has, column, &mut filled, labels) {
            open.push(column);
        }
    }
    if !filled.value.values().any(|part| *part == ValuePart::Number) {
        // The one decimal column that nothing fills is the number.
        let decimals: Vec<&&Column> =
            open.iter().filter(|column| matches!(column.column_type, ColumnType::Decimal { .. })).collect();
        if let [number] = decimals[..] {
            let name = number.name.clone();
            open.retain(|column| column.name != name);
            filled.value.insert(name, ValuePart::Number);
        }
    }
    let constants = common_constants(&peers, dataset);
    open.retain(|column| match constants.get(&column.name) {
        Some(value) => {
            filled.constants.insert(column.name.clone(), value.clone());
            false
        }
        None => true,
    });
    if !filled.constants.is_empty() {
        to_decide.push("[constants]: these are what every other feed of the dataset says; check that they hold".into());
    }
    // Several columns of figures are told apart by one column of the table.
    let texts: Vec<String> = open
        .iter()
        .filter(|column| !column.is_nullable && column.column_type == ColumnType::Text)
        .map(|column| column.name.clone())
        .collect();
    let told_apart = texts.iter().find(|name| *name == "measure").or(match &texts[..] {
        [only] => Some(only),
        _ => None,
    });
    if let Some(name) = told_apart.filter(|_| settings.is_empty() && !values.is_empty()) {
        for value in values.iter_mut() {
            value.set.insert(name.clone(), value.found.header.clone());
        }
        to_decide.push(format!("{name}: its values are the printed headers until codes are chosen"));
        open.retain(|column| column.name != *name);
    }
    for column in open {
        if column.is_nullable {
            filled.empty.push(column.name.clone());
        } else {
            to_decide.push(format!("{} ({}): {}", column.name, column.column_type, column.label.en));
        }
    }
    filled
}

/// Takes settings and units from value columns of other feeds that know the same headers; gives the columns that are set.
fn known_settings(peers: &[&Feed], values: &mut [Value]) -> Vec<String> {
    type Setting = (BTreeMap<String, String>, Option<String>);
    let known: Vec<Option<Setting>> = values
        .iter()
        .map(|value| {
            let mut rules = peers.iter().flat_map(|feed| &feed.values).filter(|rule| !rule.is_confirming);
            let rule = rules.find(|rule| !rule.set.is_empty() && rule.header.is_match(&value.found.compared))?;
            let unit = match &rule.unit {
                Some(ColumnUnit::Known(unit)) => Some(unit.clone()),
                Some(ColumnUnit::Printed(_)) | None => None,
            };
            Some((rule.set.clone(), unit))
        })
        .collect();
    let Some(Some((first, _))) = known.first() else { return Vec::new() };
    let keys: Vec<String> = first.keys().cloned().collect();
    let are_alike = known.iter().all(|rule| rule.as_ref().is_some_and(|(set, _)| set.keys().eq(first.keys())));
    if !are_alike {
        return Vec::new();
    }
    for (value, rule) in values.iter_mut().zip(&known) {
        if let Some((set, unit)) = rule {
            value.set.clone_from(set);
            value.unit = value.unit.take().or_else(|| unit.clone());
        }
    }
    keys
}

fn fill_column(
    site: &Site<'_>,
    peers: &[&Feed],
    has: &Has,
    column: &Column,
    filled: &mut Filled,
    labels: &mut [Label],
) -> bool {
    let name = column.name.clone();
    // The table's own feeds say best what fills its columns; those of other tables know the shared ones.
    let of = |feed: &Feed| feed.producers.iter().find(|(of, _)| *of == name).map(|(_, producer)| producer.clone());
    let producers = peers.iter().filter_map(|feed| of(feed)).chain(site.feeds.iter().filter_map(of));
    for producer in producers {
        match producer {
            Producer::Place(part) if has.place => {
                filled.place.insert(name, part);
                return true;
            }
            Producer::Time(part) if has.moment.is_some_and(|has_hour| has_hour || !needs_hour(part)) => {
                filled.time.insert(name, part);
                return true;
            }
            Producer::Value(part) => {
                filled.value.insert(name, part);
                return true;
            }
            Producer::Line(part) if has.lines => {
                filled.line.insert(name, part);
                return true;
            }
            Producer::IsHidden => {
                filled.hidden = Some(name);
                return true;
            }
            Producer::Printed(_) if has.title_year && column.column_type == ColumnType::Integer => {
                filled.printed.push(name);
                return true;
            }
            Producer::Label(role) if takes_label(peers, &role, column, labels) => return true,
            _ => {}
        }
    }
    let header = [column.name.as_str(), &column.label.zh, &column.label.en];
    let same = labels.iter_mut().find(|label| {
        label.column.is_none() && header.iter().any(|header| header.eq_ignore_ascii_case(&label.found.compared))
    });
    same.filter(|_| column.column_type == ColumnType::Text).map(|label| take(label, column)).is_some()
}

fn needs_hour(part: TimePart) -> bool {
    matches!(part, TimePart::Hour | TimePart::EndInstant)
}

/// Gives a column the label that a feed of the same table takes it from, where the headers agree.
fn takes_label(peers: &[&Feed], role: &str, column: &Column, labels: &mut [Label]) -> bool {
    let known = peers.iter().flat_map(|feed| &feed.labels).filter(|label| label.role == role);
    let headers: Vec<_> = known.filter_map(|label| label.header.clone()).collect();
    let found = labels
        .iter_mut()
        .find(|label| label.column.is_none() && headers.iter().any(|header| header.is_match(&label.found.compared)));
    found.map(|label| take(label, column)).is_some()
}

fn take(label: &mut Label, column: &Column) {
    label.column = Some(column.name.clone());
    label.must_be_filled = !column.is_nullable;
}

/// Constants that every other feed of the dataset has.
fn common_constants(peers: &[&Feed], dataset: &Dataset) -> BTreeMap<String, String> {
    let mut of_dataset = peers.iter().filter(|feed| feed.dataset == dataset.id);
    let constants = |feed: &Feed| -> BTreeMap<String, String> {
        let producers = feed.producers.iter();
        producers
            .filter_map(|(column, producer)| match producer {
                Producer::Constant(value) => Some((column.clone(), value.clone())),
                _ => None,
            })
            .collect()
    };
    let Some(first) = of_dataset.next() else { return BTreeMap::new() };
    let mut common = constants(first);
    for feed in of_dataset {
        let other = constants(feed);
        common.retain(|column, value| other.get(column) == Some(value));
    }
    common
}
