//! The rows below a header: which are records, which are not, and which are set aside.
//!
//! Every row that holds something is a record, a row that the feed declares to be none (noted), or a row after
//! the table's end (noted; set aside when it holds numbers). A record without a readable key is set aside whole.

use chrono::NaiveDate;
use gongkai_catalog::Catalog;

use super::GridContext;
use super::bind::Binding;
use super::line::{Line, PrintedLine, read_lines};
use super::moment::{DateReader, Moment, read_hour, read_month};
use super::number::parse_number;
use super::place::{FlatPlaces, Place, padded_code, read_hierarchy};
use super::text::{on_one_line, without_blanks};
use crate::feed::{Feed, LineRule, PlaceDate, PlaceSource, TimeRule};
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
    pub moment: Option<Moment>,
}

/// The records of one table.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub records: Vec<Record>,
    pub places: Vec<Place>,
    /// One for each record, in tables with class codes.
    pub lines: Vec<Line>,
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
    match (&feed.place.source, year_end) {
        (PlaceSource::Hierarchy(role), Some(date)) => {
            let column = binding.labels.get(role).copied().unwrap_or_default();
            let labels: Vec<&str> = kept.iter().map(|index| grid.text(&grid.rows[*index], column)).collect();
            let (places, notes) = read_hierarchy(&catalog.regions, &feed.place, &labels, date);
            body.notes.extend(notes);
            body.places = places;
            let records = kept.iter().enumerate();
            body.records =
                records.map(|(place, row)| Record { row: *row, place: place as u32, moment: None }).collect();
        }
        _ => read_flat(context, catalog, year_end, kept, &mut body),
    }
    compare_evidence(feed, grid, binding, &mut body);
    if let Some(rule) = &feed.line {
        let text = |record: &Record, role: &str| {
            binding.labels.get(role).map(|column| grid.text(&grid.rows[record.row], *column)).unwrap_or_default()
        };
        let printed: Vec<PrintedLine<'_>> =
            body.records
                .iter()
                .map(|record| PrintedLine {
                    code: rule.code.as_ref().map(|role| text(record, role)).unwrap_or_default(),
                    name: text(record, &rule.name),
                    has_value: binding.values.iter().any(|value| {
                        !without_blanks(grid.text(&grid.rows[record.row], value.header.column)).is_empty()
                    }),
                })
                .collect();
        body.lines = read_lines(rule, &printed);
        leave_others(rule, &mut body);
    }
    body.set_aside.sort_by_key(|fault| fault.row);
    count_unresolved(&mut body);
    body
}

/// Takes away the lines that the feed leaves to others.
fn leave_others(rule: &LineRule, body: &mut Body) {
    let Some(only) = &rule.only else { return };
    let before = body.records.len();
    let own: Vec<bool> = body.lines.iter().map(|line| only.is_match(&line.path)).collect();
    let mut keep = own.iter();
    body.records.retain(|_| keep.next().copied().unwrap_or_default());
    let mut keep = own.iter();
    body.lines.retain(|_| keep.next().copied().unwrap_or_default());
    let left = before - body.records.len();
    body.records_in -= left as u64;
    if left > 0 {
        body.notes.push(format!("{left} rows are not of this feed, as it declares"));
    }
}

/// Records each of which has its place and date for itself.
fn read_flat(
    context: &GridContext<'_>,
    catalog: &Catalog,
    year_end: Option<NaiveDate>,
    kept: Vec<usize>,
    body: &mut Body,
) {
    let GridContext { feed, grid, binding, .. } = *context;
    let mut dates = feed.time.as_ref().map(|time| DateReader::new(&time.date_formats, time.hour_ending.is_none()));
    let mut places = FlatPlaces::new(&catalog.regions, &feed.place);
    let column = |role: &String| binding.labels.get(role).copied().unwrap_or_default();
    let one_place = match &feed.place.source {
        PlaceSource::Printed(captures) => printed_place(feed, binding, captures),
        PlaceSource::Fixed(name) => name.clone(),
        PlaceSource::Label(_) | PlaceSource::Hierarchy(_) => String::new(),
    };
    for index in kept {
        let row = &grid.rows[index];
        let moment = match (&feed.time, &mut dates) {
            (Some(time), Some(dates)) => match read_moment(context, row, time, dates) {
                Ok(moment) => Some(moment),
                Err(fault) => {
                    body.set_aside.push(record_fault(grid, row, fault));
                    continue;
                }
            },
            _ => None,
        };
        let date = match (&feed.place.date, moment) {
            (_, Some(moment)) => Some(moment.data_date),
            (PlaceDate::Label(role), None) => year_end_of(grid.text(row, column(role))),
            (_, None) => year_end,
        };
        let Some(date) = date else {
            let part = match &feed.place.date {
                PlaceDate::Label(role) => Some((role.as_str(), column(role))),
                _ => None,
            };
            let fault = Fault { reason: Reason::BadDate, message: "no year, expected four digits".to_owned(), part };
            body.set_aside.push(record_fault(grid, row, fault));
            continue;
        };
        let name = match &feed.place.source {
            PlaceSource::Label(role) => grid.text(row, column(role)),
            _ => one_place.as_str(),
        };
        let above: Vec<&str> = feed.place.within_labels.iter().map(|role| grid.text(row, column(role))).collect();
        let place = places.index(name, &above, date);
        body.records.push(Record { row: index, place, moment });
    }
    body.places = places.places;
}

/// The one place of a table. An own level that is not named (市本级) is that of the region in the next capture.
fn printed_place(feed: &Feed, binding: &Binding, captures: &[String]) -> String {
    let mut names = captures.iter().filter_map(|capture| binding.captures.get(capture)).filter(|name| !name.is_empty());
    let Some(first) = names.next() else { return String::new() };
    let suffix = feed.place.own_suffix.as_deref();
    let stem = suffix.and_then(|suffix| first.strip_suffix(suffix));
    match (stem, suffix, names.next()) {
        (Some(stem), Some(suffix), Some(region)) if feed.place.own_generic.iter().any(|generic| generic == stem) => {
            format!("{region}{suffix}")
        }
        _ => first.clone(),
    }
}

/// The last day of a year that a cell holds: `2016`, or `2016.0` as exports write it.
fn year_end_of(text: &str) -> Option<NaiveDate> {
    let year = parse_number(text).ok()?.trimmed();
    let year = i32::try_from(year.digits()).ok().filter(|value| year.scale() == 0 && (1900..=2199).contains(value))?;
    NaiveDate::from_ymd_opt(year, 12, 31)
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
            .filter(|cell| self.binding.band.contains(&cell.column))
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
        let label_column = self.binding.labels.get(&self.feed.subject).copied().unwrap_or_default();
        let label = without_blanks(self.grid.text(row, label_column));
        if self.has_ended {
            return self.visit_after_end(row);
        }
        let is_read = !row.is_hidden || self.feed.keeps_hidden_rows;
        if is_read && (self.is_declared_no_record(&label, row) || self.is_of_another_feed(row)) {
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
            .filter(|cell| self.binding.band.contains(&cell.column))
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

    /// Rows whose label says that they are another feed's.
    fn is_of_another_feed(&mut self, row: &Row) -> bool {
        let is_other = self.feed.labels.iter().any(|label| {
            let (Some(only), Some(column)) = (&label.only, self.binding.labels.get(&label.role)) else { return false };
            !only.is_match(&without_blanks(self.grid.text(row, *column)))
        });
        if is_other {
            self.body.notes.push(format!("row {}: not of this feed, as it declares", row.number));
        }
        is_other
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
        if row.is_hidden && !self.feed.keeps_hidden_rows {
            return Some((Reason::HiddenRow, "a hidden row inside the table, expected visible rows".into()));
        }
        if label.is_empty() {
            return Some((Reason::NoLabel, format!("no {}, expected one", self.feed.subject)));
        }
        let empty = self
            .feed
            .labels
            .iter()
            .filter(|label| label.must_be_filled)
            .find(|label| self.binding.labels.get(&label.role).is_none_or(|column| self.is_blank(row, *column)));
        if let Some(label) = empty {
            return Some((Reason::NoLabel, format!("no {}, expected one", label.role)));
        }
        None
    }
}

fn read_moment<'a>(
    context: &GridContext<'_>,
    row: &Row,
    time: &'a TimeRule,
    dates: &mut DateReader<'_>,
) -> Result<Moment, Fault<'a>> {
    let GridContext { grid, binding, .. } = *context;
    let column = |role: &str| binding.labels.get(role).copied().unwrap_or_default();
    let date = dates.read(grid.text(row, column(&time.date))).ok_or_else(|| Fault {
        reason: Reason::BadDate,
        message: format!("no date in the form {}", time.date_formats.join(" or ")),
        part: Some((time.date.as_str(), column(&time.date))),
    })?;
    let Some(role) = &time.hour_ending else { return Ok(read_month(date)) };
    read_hour(date, grid.text(row, column(role))).map_err(|reason| Fault {
        reason,
        message: "no hour, expected 0 to 24".to_owned(),
        part: Some((role.as_str(), column(role))),
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
