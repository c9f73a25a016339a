//! Which part of a feed fills which column of its table.
//!
//! Invariant: after [`assign`], every column of the table is filled by exactly one part of its type.

use std::collections::BTreeMap;

use gongkai_catalog::table::DERIVED;
use gongkai_catalog::{Column, ColumnType, Table};

use super::part::{Gives, OriginPart};
use super::reference::{Offered, Reference};
use super::spec::{CaseSpec, FeedSpec};
use super::{FeedError, LabelCases, LinePart, PlacePart, PrintedCases, Span, TimePart, ValuePart};

/// What fills a column.
#[derive(Debug, Clone)]
pub(crate) enum Producer {
    /// One value in every row.
    Constant(String),
    /// Nothing: the file does not say.
    Empty,
    /// The value that the value column sets.
    Setting,
    /// The value that the row's rule sets.
    RowSetting,
    /// The first of these that is there.
    Printed(Vec<Reference>),
    /// All of these, joined by `/`.
    Joined(Vec<Reference>),
    /// A part of the place.
    Place(PlacePart),
    /// A part of the classified line.
    Line(LinePart),
    /// Whether the row is hidden.
    IsHidden,
    /// The value that follows from a label.
    ByLabel(LabelCases),
    /// The value that follows from a caption or a header.
    ByPrinted(PrintedCases),
    /// A part of the moment.
    Time(TimePart),
    /// A part of the value cell.
    Value(ValuePart),
    /// The text of a label column.
    Label(String),
    /// The value that holds on the record's date.
    ByDate(Vec<Span>),
    /// A part of the origin.
    Origin(OriginPart),
}

/// Shared columns that the ingest fills; the warehouse fills the rest.
const ORIGIN: [(&str, OriginPart); 3] =
    [("source_sheet", OriginPart::Sheet), ("source_row", OriginPart::Row), ("source_column", OriginPart::Column)];

struct Claim {
    producer: Producer,
    key: String,
    gives: Gives,
    is_total: bool,
}

pub(super) fn assign(
    file: &str,
    spec: &FeedSpec,
    table: &Table,
    offered: &Offered,
) -> Result<Vec<(String, Producer)>, FeedError> {
    let mut claims: BTreeMap<String, Claim> = BTreeMap::new();
    for (column, claim) in claims_of(file, spec, table, offered)? {
        if table.column(&column).is_none() || DERIVED.contains(&column.as_str()) {
            return Err(FeedError::Unknown {
                file: file.to_owned(),
                key: claim.key,
                kind: "column",
                found: column,
                declared_in: table.source_file.clone(),
            });
        }
        if claims.contains_key(&column) {
            return Err(FeedError::ColumnFilledTwice { file: file.to_owned(), key: claim.key, column });
        }
        claims.insert(column, claim);
    }
    let mut producers = Vec::new();
    for column in table.columns.iter().filter(|column| !DERIVED.contains(&column.name.as_str())) {
        let claim = claims.remove(&column.name).ok_or_else(|| FeedError::ColumnNotFilled {
            file: file.to_owned(),
            table: table.name.clone(),
            column: column.name.clone(),
        })?;
        check(file, column, &claim)?;
        producers.push((column.name.clone(), claim.producer));
    }
    Ok(producers)
}

/// References of a feed as written, read.
///
/// # Errors
///
/// One that means nothing of the feed.
pub(super) fn read_references(
    file: &str,
    key: &str,
    written: &[String],
    offered: &Offered,
) -> Result<Vec<Reference>, FeedError> {
    let read = |text: &String| {
        offered.read(text).ok_or_else(|| FeedError::Unknown {
            file: file.to_owned(),
            key: key.to_owned(),
            kind: "reference",
            found: text.clone(),
            declared_in: "the roles of label_column and the named groups of caption, label_column, value_column, row \
                          and section"
                .to_owned(),
        })
    };
    written.iter().map(read).collect()
}

fn claims_of(file: &str, spec: &FeedSpec, table: &Table, offered: &Offered) -> Result<Vec<(String, Claim)>, FeedError> {
    let mut claims = Vec::new();
    let mut add = |column: &str, producer: Producer, key: String, gives: (Gives, bool)| {
        claims.push((column.to_owned(), Claim { producer, key, gives: gives.0, is_total: gives.1 }));
    };
    for (column, value) in &spec.constants {
        let gives = words_for(table, column, [value.as_str()]);
        add(column, Producer::Constant(value.clone()), format!("constants.{column}"), (gives, true));
    }
    for column in &spec.empty {
        let gives = table.column(column).map_or(Gives::Text, |column| Gives::of(column.column_type));
        add(column, Producer::Empty, "empty".into(), (gives, false));
    }
    for column in spec.value_column.first().into_iter().flat_map(|first| first.set.keys()) {
        let words = spec.value_column.iter().filter_map(|value| value.set.get(column)).map(String::as_str);
        let gives = words_for(table, column, words);
        add(column, Producer::Setting, format!("value_column.set.{column}"), (gives, true));
    }
    for column in spec.row.iter().find(|row| !row.leave).into_iter().flat_map(|first| first.set.keys()) {
        let words = spec.row.iter().filter_map(|row| row.set.get(column)).map(String::as_str);
        let gives = words_for(table, column, words);
        add(column, Producer::RowSetting, format!("row.set.{column}"), (gives, true));
    }
    for (column, captures) in &spec.printed {
        let key = format!("printed.{column}");
        let gives = if is_integer(table, column) { Gives::Integer } else { Gives::Text };
        // A capture that is absent from a file is an error there when the column may not be null.
        let references = read_references(file, &key, captures, offered)?;
        add(column, Producer::Printed(references), key, (gives, true));
    }
    for (column, written) in &spec.joined {
        let key = format!("joined.{column}");
        let references = read_references(file, &key, written, offered)?;
        add(column, Producer::Joined(references), key, (Gives::Text, false));
    }
    for (column, part) in spec.place.iter().flat_map(|place| &place.columns) {
        add(column, Producer::Place(*part), format!("place.columns.{column}"), part.gives());
    }
    for (column, part) in spec.time.iter().flat_map(|time| &time.columns) {
        add(column, Producer::Time(*part), format!("time.columns.{column}"), part.gives());
    }
    for (column, part) in &spec.value.columns {
        let gives = match part {
            ValuePart::Number if is_integer(table, column) => (Gives::Integer, false),
            _ => part.gives(),
        };
        add(column, Producer::Value(*part), format!("value.columns.{column}"), gives);
    }
    for (column, part) in spec.line.iter().flat_map(|line| &line.columns) {
        add(column, Producer::Line(*part), format!("line.columns.{column}"), part.gives());
    }
    if let Some(column) = &spec.body.hidden_column {
        add(column, Producer::IsHidden, "body.hidden_column".into(), (Gives::Boolean, true));
    }
    for label in &spec.label_column {
        if let Some(column) = &label.column {
            let key = format!("label_column {}.column", label.role);
            let gives = table.column(column).map_or(Gives::Text, |column| Gives::of(column.column_type));
            // What is no number or date where one is expected is set aside, and null.
            let is_total = label.must_be_filled && gives == Gives::Text;
            add(column, Producer::Label(label.role.clone()), key, (gives, is_total));
        }
    }
    for rule in &spec.by_date {
        let spans = rule.spans.iter().map(|span| Span { value: span.value.clone(), until: span.until }).collect();
        add(&rule.column, Producer::ByDate(spans), format!("by_date {}", rule.column), (Gives::Text, true));
    }
    for rule in &spec.by_label {
        let cases = LabelCases { role: rule.role.clone(), cases: Vec::new(), otherwise: rule.otherwise.clone() };
        let gives = words_for(table, &rule.column, words_of(&rule.cases, rule.otherwise.as_ref()));
        let is_total = rule.otherwise.is_some();
        add(&rule.column, Producer::ByLabel(cases), format!("by_label {}", rule.column), (gives, is_total));
    }
    for rule in &spec.by_printed {
        let key = format!("by_printed {}", rule.column);
        let captures = read_references(file, &key, &rule.captures, offered)?;
        let cases = PrintedCases { captures, cases: Vec::new(), otherwise: rule.otherwise.clone() };
        let gives = words_for(table, &rule.column, words_of(&rule.cases, rule.otherwise.as_ref()));
        add(&rule.column, Producer::ByPrinted(cases), key, (gives, rule.otherwise.is_some()));
    }
    for (column, part) in ORIGIN {
        let gives = match part {
            OriginPart::Sheet => (Gives::Text, false),
            OriginPart::Row | OriginPart::Column => (Gives::Integer, true),
        };
        add(column, Producer::Origin(part), format!("origin {column}"), gives);
    }
    Ok(claims)
}

/// The values of cases that are words of their own; others take a part of what they match.
fn words_of<'a>(cases: &'a [CaseSpec], otherwise: Option<&'a String>) -> Vec<&'a str> {
    let of_cases = cases.iter().map(|case| case.value.as_str()).filter(|value| !value.contains('$'));
    of_cases.chain(otherwise.map(String::as_str)).collect()
}

/// What declared words give in a column: its own type where each of them can be read as that.
fn words_for<'a>(table: &Table, column: &str, words: impl IntoIterator<Item = &'a str>) -> Gives {
    let gives = table.column(column).map_or(Gives::Text, |column| Gives::of(column.column_type));
    let fits = |word: &str| match gives {
        Gives::Integer => word.parse::<i32>().is_ok(),
        Gives::Boolean => word.parse::<bool>().is_ok(),
        _ => false,
    };
    if words.into_iter().all(fits) { gives } else { Gives::Text }
}

fn is_integer(table: &Table, column: &str) -> bool {
    table.column(column).is_some_and(|column| column.column_type == ColumnType::Integer)
}

fn check(file: &str, column: &Column, claim: &Claim) -> Result<(), FeedError> {
    if claim.gives.fits(claim.is_total, column) {
        return Ok(());
    }
    Err(FeedError::ColumnMismatch {
        file: file.to_owned(),
        key: claim.key.clone(),
        column: column.name.clone(),
        column_type: column.column_type.to_string(),
        is_nullable: column.is_nullable,
        expected: claim.gives.description(),
    })
}
