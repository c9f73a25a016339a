//! The rows below a header: which are records, which are not, and which are set aside.
//!
//! Every row that holds something is a record, a row that the feed declares to be none (noted), or a row after
//! the table's end (noted; set aside when it holds numbers). A record without a readable key is set aside whole.

use chrono::NaiveDate;
use gongkai_catalog::Catalog;

use super::GridContext;
use super::bind::Binding;
use super::moment::{DateReader, Hour, read_hour};
use super::number::parse_number;
use super::place::{FlatPlaces, Place, padded_code, read_hierarchy};
use super::text::{on_one_line, without_blanks};
use crate::feed::{Feed, TimeRule};
use crate::reader::{Grid, Row, RowFault};
use crate::report::{Reason, SetAside, SetAsideKind};

/// A record with a readable key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    /// Index in the grid's rows.
    pub row: usize,
    /// Index in the body's places.
    pub place: u32,
    /// Its moment, for feeds with dates.
    pub hour: Option<Hour>,
}

/// The records of one table.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub records: Vec<Record>,
    pub places: Vec<Place>,
    pub records_in: u64,
    pub set_aside: Vec<SetAside>,
    pub notes: Vec<String>,
    /// Names without a code, each once.
    pub unresolved: Vec<String>,
    pub records_without_code: u64,
}

/// Reads the rows below the header. `year_end` is the date at which names are looked up, for feeds without dates.
pub(super) fn read_body(context: &GridContext<'_>, catalog: &Catalog, year_end: Option<NaiveDate>) -> Body {
    let GridContext { feed, grid, binding, .. } = *context;
    let mut walk = Walk { feed, grid, binding, body: Body::default(), kept: Vec::new(), has_ended: false };
    for index in binding.header_index..grid.rows.len() {
        if grid.rows[index].number > binding.header_rows.1 {
            walk.visit(index);
        }
    }
    let (kept, mut body) = (walk.kept, walk.body);
    let label_column = binding.labels.get(&feed.place.label).copied().unwrap_or_default();
    match (&feed.time, year_end) {
        (Some(time), _) => {
            let mut dates = DateReader::new(&time.date_formats);
            let mut places = FlatPlaces::new(&catalog.regions, &feed.place);
            for index in kept {
                let row = &grid.rows[index];
                match hour_of(context, row, time, &mut dates) {
                    Ok(hour) => {
                        let place = places.index(grid.text(row, label_column), hour.data_date);
                        body.records.push(Record { row: index, place, hour: Some(hour) });
                    }
                    Err(fault) => body.set_aside.push(record_fault(grid, row, fault)),
                }
            }
            body.places = places.places;
        }
        (None, date) => {
            let labels: Vec<&str> = kept.iter().map(|index| grid.text(&grid.rows[*index], label_column)).collect();
            let date = date.unwrap_or_default();
            let (places, notes) = read_hierarchy(&catalog.regions, &feed.place, &labels, date);
            body.notes.extend(notes);
            body.places = places;
            body.records = kept
                .iter()
                .enumerate()
                .map(|(place, row)| Record { row: *row, place: place as u32, hour: None })
                .collect();
            compare_evidence(feed, grid, binding, &mut body);
        }
    }
    body.set_aside.sort_by_key(|fault| fault.row);
    count_unresolved(&mut body);
    body
}

struct Walk<'a> {
    feed: &'a Feed,
    grid: &'a Grid,
    binding: &'a Binding,
    body: Body,
    /// Rows that may be records.
    kept: Vec<usize>,
    has_ended: bool,
}

impl Walk<'_> {
    fn visit(&mut self, index: usize) {
        let row = &self.grid.rows[index];
        let mut filled = self
            .grid
            .cells_of(row)
            .iter()
            .filter(|cell| !self.grid.hidden_columns.contains(&cell.column) && !without_blanks(&cell.text).is_empty())
            .peekable();
        if filled.peek().is_none() {
            return;
        }
        if !self.has_ended
            && !row.is_hidden
            && !self.feed.end.is_empty()
            && filled.any(|cell| self.feed.end.iter().any(|end| end.is_match(&without_blanks(&cell.text))))
        {
            self.has_ended = true;
        }
        let label_column = self.binding.labels.get(&self.feed.place.label).copied().unwrap_or_default();
        let label = without_blanks(self.grid.text(row, label_column));
        if self.has_ended {
            return self.visit_after_end(row);
        }
        if !row.is_hidden && self.is_declared_no_record(&label, row) {
            return;
        }
        if !self.binding.values.iter().any(|value| !self.is_blank(row, value.header.column))
            && label.is_empty()
            && !self.grid.is_text()
        {
            let number = row.number;
            self.body.notes.push(format!("row {number}: only in columns that are not read, no record"));
            return;
        }
        self.body.records_in += 1;
        match self.fault(row, &label) {
            Some((reason, message)) => {
                let fault = record_fault(self.grid, row, Fault { reason, message, part: None });
                self.body.set_aside.push(fault);
            }
            None => self.kept.push(index),
        }
    }

    fn is_blank(&self, row: &Row, column: u32) -> bool {
        without_blanks(self.grid.text(row, column)).is_empty()
    }

    fn visit_after_end(&mut self, row: &Row) {
        let has_number =
            self.binding.values.iter().any(|value| parse_number(self.grid.text(row, value.header.column)).is_ok());
        if has_number {
            self.body.records_in += 1;
            let message = "numbers below the end of the table, expected footnotes".to_owned();
            let fault = Fault { reason: Reason::AfterEnd, message, part: None };
            self.body.set_aside.push(record_fault(self.grid, row, fault));
            return;
        }
        let texts: Vec<String> = self
            .grid
            .cells_of(row)
            .iter()
            .filter(|cell| !self.grid.hidden_columns.contains(&cell.column))
            .map(|cell| on_one_line(&cell.text))
            .filter(|text| !text.is_empty())
            .collect();
        self.body.notes.push(format!("row {}: footnote: {}", row.number, texts.join(" ")));
    }

    /// Rows that are declared to be no records, and headers that a long table repeats.
    fn is_declared_no_record(&mut self, label: &str, row: &Row) -> bool {
        let number = row.number;
        if self.feed.skip.iter().any(|skip| skip.is_match(label)) {
            self.body.notes.push(format!("row {number}: skipped as the feed declares"));
            return true;
        }
        let is_header = !label.is_empty()
            && self.binding.label_headers.iter().all(|(_, header)| {
                // Machine columns repeat nothing; their marker is not in the header.
                self.grid.hidden_columns.contains(&header.column)
                    || without_blanks(self.grid.text(row, header.column)) == header.compared
            });
        if is_header {
            self.body.notes.push(format!("row {number}: the header repeated, no record"));
        }
        is_header
    }

    fn fault(&self, row: &Row, label: &str) -> Option<(Reason, String)> {
        if row.fault == Some(RowFault::NulByte) {
            return Some((Reason::NulByte, "a NUL byte in the line, expected text".into()));
        }
        if let (Some(found), Some(expected)) = (row.field_count, self.binding.field_count)
            && found != expected
        {
            let reason = if found < expected { Reason::TooFewFields } else { Reason::TooManyFields };
            return Some((reason, format!("{found} fields, expected {expected} as in the header")));
        }
        if row.is_hidden {
            return Some((Reason::HiddenRow, "a hidden row inside the table, expected visible rows".into()));
        }
        if label.is_empty() {
            return Some((Reason::NoLabel, "no name of a place, expected one".into()));
        }
        None
    }
}

fn hour_of<'a>(
    context: &GridContext<'_>,
    row: &Row,
    time: &'a TimeRule,
    dates: &mut DateReader<'_>,
) -> Result<Hour, Fault<'a>> {
    let GridContext { grid, binding, .. } = *context;
    let column = |role: &str| binding.labels.get(role).copied().unwrap_or_default();
    let date = dates.read(grid.text(row, column(&time.date))).ok_or_else(|| Fault {
        reason: Reason::BadDate,
        message: format!("no date in the form {}", time.date_formats.join(" or ")),
        part: Some((time.date.as_str(), column(&time.date))),
    })?;
    read_hour(date, grid.text(row, column(&time.hour_ending))).map_err(|reason| Fault {
        reason,
        message: "no hour, expected 0 to 24".to_owned(),
        part: Some((time.hour_ending.as_str(), column(&time.hour_ending))),
    })
}

/// Why a record is set aside.
pub(super) struct Fault<'a> {
    pub reason: Reason,
    pub message: String,
    /// Role and column of the key part at fault, where it is one.
    pub part: Option<(&'a str, u32)>,
}

/// A record set aside, with the address of the key part at fault or of its first cell.
pub(super) fn record_fault(grid: &Grid, row: &Row, fault: Fault<'_>) -> SetAside {
    let Fault { reason, message, part } = fault;
    let cells = grid.cells_of(row);
    let place = part.and_then(|(_, column)| grid.cell(row, column)).or_else(|| cells.first());
    let raw: Vec<&str> = cells.iter().map(|cell| &*cell.text).collect();
    SetAside {
        kind: SetAsideKind::Record,
        sheet: grid.sheet.clone(),
        address: grid.address(row.number, place.map_or(1, |cell| cell.start)),
        row: row.number,
        column: part.map(|(role, _)| role.to_owned()),
        reason,
        message,
        raw: raw.join(" | "),
    }
}

fn compare_evidence(feed: &Feed, grid: &Grid, binding: &Binding, body: &mut Body) {
    let Some(column) = feed.place.evidence.as_ref().and_then(|role| binding.labels.get(role)) else { return };
    for record in &body.records {
        let row = &grid.rows[record.row];
        let place = &body.places[record.place as usize];
        if let (Some(code), Some(machine)) = (&place.code, padded_code(grid.text(row, *column)))
            && *code != machine
        {
            body.notes.push(format!(
                "row {}: the machine code means {machine}, the name means {code}; the name is taken",
                row.number
            ));
        }
    }
}

fn count_unresolved(body: &mut Body) {
    for record in &body.records {
        let place = &body.places[record.place as usize];
        if place.code.is_none() {
            body.records_without_code += 1;
            if !body.unresolved.contains(&place.name) {
                body.unresolved.push(place.name.clone());
            }
        }
    }
}
