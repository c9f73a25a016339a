//! What references of a feed mean in one table: texts that a caption, a header, a label or a heading tells.
//!
//! A text that the table or its columns tell is the same for every record, one that a label tells the same for every
//! column. Texts are kept at that grain, with the index of each row in them.

use std::collections::BTreeMap;

use arrow::array::{StringArray, UInt32Array};
use regex::Regex;

use super::GridContext;
use super::body::{Body, Record};
use super::reshape::LongRows;
use super::text::{trimmed, without_blanks};
use crate::feed::{Grain, PrintedCases, Reference};

/// Texts, and which of them each row has.
pub(super) struct Told {
    pub texts: Vec<Option<String>>,
    pub of_row: UInt32Array,
}

impl Told {
    /// The same rows with other texts.
    pub fn map(self, text: impl Fn(Option<String>) -> Option<String>) -> Self {
        Self { texts: self.texts.into_iter().map(text).collect(), ..self }
    }

    /// The texts as an array, to be taken by [`Told::of_row`].
    pub fn array(&self) -> StringArray {
        self.texts.iter().map(Option::as_deref).collect()
    }
}

/// The table that references are read in.
pub(super) struct Teller<'a> {
    pub context: &'a GridContext<'a>,
    pub body: &'a Body,
    pub rows: &'a LongRows,
}

impl Teller<'_> {
    /// The first of the references that is there, for every row.
    pub fn first(&self, references: &[Reference]) -> Told {
        let records = &self.body.records;
        let columns = self.rows.columns.max(1);
        match Grain::of(references) {
            Grain::Table | Grain::Column => Told {
                texts: (0..columns).map(|column| self.first_of(references, None, column)).collect(),
                of_row: self.rows.ordinal.clone(),
            },
            Grain::Record => Told {
                texts: records.iter().map(|record| self.first_of(references, Some(record), 0)).collect(),
                of_row: self.rows.record.clone(),
            },
            Grain::Row => {
                let rows = self.rows.record.values().iter().zip(self.rows.ordinal.values());
                let text = |(record, column): (&u32, &u32)| {
                    self.first_of(references, Some(&records[*record as usize]), *column as usize)
                };
                Told {
                    texts: rows.map(text).collect(),
                    of_row: UInt32Array::from_iter_values(0..self.rows.len() as u32),
                }
            }
        }
    }

    /// All of the references, joined; none where one of them is absent.
    pub fn joined(&self, references: &[Reference], by: &str) -> Told {
        let mut parts = references.iter().map(|reference| self.first(std::slice::from_ref(reference)));
        let Some(first) = parts.next() else { return self.first(&[]) };
        parts.fold(first, |joined, part| join(joined, part, by))
    }

    /// The value of the first case that matches.
    pub fn case(&self, rule: &PrintedCases) -> Told {
        self.first(&rule.captures).map(|text| {
            case_of(&rule.cases, text.as_deref().map(without_blanks).as_deref()).or_else(|| rule.otherwise.clone())
        })
    }

    fn first_of(&self, references: &[Reference], record: Option<&Record>, column: usize) -> Option<String> {
        references.iter().find_map(|reference| tell(self.context, self.body, record, column, reference))
    }
}

/// The value of the first case that matches, with the groups that it names.
pub(super) fn case_of(cases: &[(Regex, String)], text: Option<&str>) -> Option<String> {
    let text = text?;
    let (captures, value) = cases.iter().find_map(|(pattern, value)| Some((pattern.captures(text)?, value)))?;
    let mut expanded = String::new();
    captures.expand(value, &mut expanded);
    Some(expanded)
}

fn join(a: Told, b: Told, by: &str) -> Told {
    let join = |a: &Option<String>, b: &Option<String>| Some(format!("{}{by}{}", a.as_ref()?, b.as_ref()?));
    if a.of_row == b.of_row {
        let texts = a.texts.iter().zip(&b.texts).map(|(a, b)| join(a, b)).collect();
        return Told { texts, of_row: a.of_row };
    }
    let rows = a.of_row.values().iter().zip(b.of_row.values());
    let texts = rows.map(|(x, y)| join(&a.texts[*x as usize], &b.texts[*y as usize])).collect();
    Told { texts, of_row: UInt32Array::from_iter_values(0..a.of_row.len() as u32) }
}

/// What a reference means for a record and a value column.
pub(super) fn tell(
    context: &GridContext<'_>,
    body: &Body,
    record: Option<&Record>,
    column: usize,
    reference: &Reference,
) -> Option<String> {
    let binding = context.binding;
    let group = |groups: &BTreeMap<String, String>, name: &str| groups.get(name).cloned();
    match reference {
        Reference::Header(name) => binding.values.get(column).and_then(|value| group(&value.captures, name)),
        Reference::Caption(name) => group(&binding.captures, name),
        Reference::Section(name) => group(&body.sections[record?.section? as usize], name),
        Reference::Row(name) => group(&body.rules[record?.rule? as usize].captures, name),
        Reference::Label { role, group: None } => {
            let text = trimmed(body.text(context, record?, role));
            (!text.is_empty()).then(|| text.to_owned())
        }
        Reference::Label { role, group: Some(name) } => {
            let pattern = context.feed.labels.iter().find(|label| label.role == *role)?.pattern.as_ref()?;
            let text = without_blanks(body.text(context, record?, role));
            pattern.captures(&text)?.name(name).map(|found| found.as_str().to_owned())
        }
    }
}
