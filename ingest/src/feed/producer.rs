//! Which part of a feed fills which column of its table.
//!
//! Invariant: after [`assign`], every column of the table is filled by exactly one part of its type.

use std::collections::BTreeMap;

use gongkai_catalog::{Column, ColumnType, Table};

use super::part::{Gives, OriginPart};
use super::spec::FeedSpec;
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
    /// The first of these captures that is there.
    Printed(Vec<String>),
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

/// Shared columns that the ingest fills; the release fills the rest.
const ORIGIN: [(&str, OriginPart); 5] = [
    ("source_sha256", OriginPart::Sha256),
    ("source_sheet", OriginPart::Sheet),
    ("source_row", OriginPart::Row),
    ("source_column", OriginPart::Column),
    ("source_cell", OriginPart::Cell),
];

/// Shared columns that a release fills.
const RELEASE: [&str; 2] = ["release_id", "row_no"];

struct Claim {
    producer: Producer,
    key: String,
    gives: Gives,
    is_total: bool,
}

pub(super) fn assign(file: &str, spec: &FeedSpec, table: &Table) -> Result<Vec<(String, Producer)>, FeedError> {
    let mut claims: BTreeMap<String, Claim> = BTreeMap::new();
    for (column, claim) in claims_of(spec, table) {
        if table.column(&column).is_none() || RELEASE.contains(&column.as_str()) {
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
    for column in table.columns.iter().filter(|column| !RELEASE.contains(&column.name.as_str())) {
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

fn claims_of(spec: &FeedSpec, table: &Table) -> Vec<(String, Claim)> {
    let mut claims = Vec::new();
    let mut add = |column: &str, producer: Producer, key: String, gives: (Gives, bool)| {
        claims.push((column.to_owned(), Claim { producer, key, gives: gives.0, is_total: gives.1 }));
    };
    for (column, value) in &spec.constants {
        let is_integer = is_integer(table, column) && value.parse::<i32>().is_ok();
        let gives = if is_integer { Gives::Integer } else { Gives::Text };
        add(column, Producer::Constant(value.clone()), format!("constants.{column}"), (gives, true));
    }
    for column in &spec.empty {
        let gives = table.column(column).map_or(Gives::Text, |column| Gives::of(column.column_type));
        add(column, Producer::Empty, "empty".into(), (gives, false));
    }
    for column in spec.value_column.first().into_iter().flat_map(|first| first.set.keys()) {
        add(column, Producer::Setting, format!("value_column.set.{column}"), (Gives::Text, true));
    }
    for (column, captures) in &spec.printed {
        let gives = if is_integer(table, column) { Gives::Integer } else { Gives::Text };
        // A capture that is absent from a file is an error there when the column may not be null.
        add(column, Producer::Printed(captures.clone()), format!("printed.{column}"), (gives, true));
    }
    for (column, part) in &spec.place.columns {
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
            add(column, Producer::Label(label.role.clone()), key, (Gives::Text, label.must_be_filled));
        }
    }
    for rule in &spec.by_date {
        let spans = rule.spans.iter().map(|span| Span { value: span.value.clone(), until: span.until }).collect();
        add(&rule.column, Producer::ByDate(spans), format!("by_date {}", rule.column), (Gives::Text, true));
    }
    for rule in &spec.by_label {
        let cases = LabelCases { role: rule.role.clone(), cases: Vec::new(), otherwise: rule.otherwise.clone() };
        add(&rule.column, Producer::ByLabel(cases), format!("by_label {}", rule.column), (Gives::Text, true));
    }
    for rule in &spec.by_printed {
        let (captures, otherwise) = (rule.captures.clone(), rule.otherwise.clone());
        let cases = PrintedCases { captures, cases: Vec::new(), otherwise };
        add(&rule.column, Producer::ByPrinted(cases), format!("by_printed {}", rule.column), (Gives::Text, true));
    }
    for (column, part) in ORIGIN {
        let gives = match part {
            OriginPart::Sha256 | OriginPart::Cell => (Gives::Text, true),
            OriginPart::Sheet => (Gives::Text, false),
            OriginPart::Row | OriginPart::Column => (Gives::Integer, true),
        };
        add(column, Producer::Origin(part), format!("origin {column}"), gives);
    }
    claims
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
