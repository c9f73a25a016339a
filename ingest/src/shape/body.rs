//! The rows below a header: which are records, which are not, and which are set aside.
//!
//! Every row that holds something is a record, a row that the feed declares to be none (noted), or a row after
//! the table's end (noted; set aside when it holds numbers). A record without a readable key is set aside whole.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gongkai_catalog::Catalog;

use super::GridContext;
use super::bind::{Binding, capture};
use super::fill::Fills;
use super::line::{Line, PrintedLine, read_lines};
use super::moment::{BadMoment, Moment, MomentReader};
use super::number::{holds_number, parse_number};
use super::place::{FlatPlaces, Place, padded_code, read_hierarchy};
use super::text::{is_filled, on_one_line, plain, trimmed, without_blanks};
use super::told::tell;
use crate::feed::{Feed, LineRule, PlaceDate, PlaceSource, Reference, TimeRule};
use crate::reader::{Grid, Row, RowFault};
use crate::report::{Reason, SetAside, SetAsideKind};

/// A record with a readable key.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Record {
    /// Index in the grid's rows.
    pub row: usize,
    /// Index in the body's places.
    pub place: u32,
    /// Its moment, for feeds whose records have one each.
    pub moment: Option<Moment>,
    /// Index in the body's sections: the heading above it.
    pub section: Option<u32>,
    /// Index in the body's rules: what its label says of its figures.
    pub rule: Option<u32>,
    /// Index in the body's pieces, where its cell lists several records.
    pub piece: Option<u32>,
}

/// What a row's rule says of one record.
#[derive(Debug)]
pub(crate) struct MatchedRow {
    /// Index in the feed's rules.
    pub rule: usize,
    pub captures: BTreeMap<String, String>,
}

/// The records of one table.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub records: Vec<Record>,
    pub places: Vec<Place>,
    /// Index in `places` for each value column, where headers tell the place.
    pub column_places: Option<Vec<u32>>,
    /// One for each record, in tables with class codes.
    pub lines: Vec<Line>,
    /// What the headings say, one for each.
    pub sections: Vec<BTreeMap<String, String>>,
    pub rules: Vec<MatchedRow>,
    /// Pieces of cells that list records.
    pub pieces: Vec<String>,
    pub fills: Fills,
    pub records_in: u64,
    pub set_aside: Vec<SetAside>,
    pub notes: Vec<String>,
    /// Names without a code, each once.
    pub unresolved: Vec<String>,
    pub records_without_code: u64,
}

impl Body {
    /// A label of a record: its piece of a list, the text above it where the feed fills it down, else its own cell's.
    pub fn text<'a>(&'a self, context: &'a GridContext<'_>, record: &Record, role: &str) -> &'a str {
        let GridContext { feed, grid, binding, .. } = *context;
        if let Some(piece) = record.piece
            && feed.labels.iter().any(|label| label.role == role && label.split.is_some())
        {
            return &self.pieces[piece as usize];
        }
        let Some(column) = binding.labels.get(role) else { return "" };
        self.fills.text(grid, record.row, *column)
    }

    /// Keeps the records for which `keep` says so.
    fn retain(&mut self, keep: &[bool]) {
        let mut kept = keep.iter();
        self.records.retain(|_| kept.next().copied().unwrap_or_default());
        let mut kept = keep.iter();
        self.lines.retain(|_| kept.next().copied().unwrap_or_default());
    }
}

/// Reads the rows below the header. `year_end` is the date at which names are looked up, for feeds without dates.
pub(super) fn read_body(context: &GridContext<'_>, catalog: &Catalog, year_end: Option<NaiveDate>) -> Body {
    let GridContext { feed, grid, binding, .. } = *context;
    let body = Body { fills: Fills::of(feed, grid, binding), ..Body::default() };
    let mut walk = Walk { feed, grid, binding, body, kept: Vec::new(), section: None, has_ended: false };
    for index in binding.header_index..grid.rows.len() {
        let number = grid.rows[index].number;
        if binding.end_row.is_some_and(|end| number >= end) {
            break;
        }
        if number > binding.header_rows.1 {
            walk.visit(index);
        }
    }
    let (kept, mut body) = (walk.kept, walk.body);
    match (&feed.place.source, year_end) {
        (PlaceSource::Hierarchy(role), Some(date)) => {
            let labels: Vec<&str> = kept.iter().map(|record| body.text(context, record, role)).collect();
            let root = feed.place.root.iter().find_map(|root| tell(context, &body, None, 0, root));
            let (places, notes) = read_hierarchy(&catalog.regions, &feed.place, root.as_deref(), &labels, date);
            body.notes.extend(notes);
            body.places = places;
            let records = kept.into_iter().enumerate();
            body.records = records.map(|(place, record)| Record { place: place as u32, ..record }).collect();
        }
        _ => read_flat(context, catalog, year_end, kept, &mut body),
    }
    compare_evidence(context, &mut body);
    if let Some(rule) = &feed.line {
        let printed: Vec<PrintedLine<'_>> = body
            .records
            .iter()
            .map(|record| PrintedLine {
                code: rule.codes.iter().map(|role| without_blanks(body.text(context, record, role))).collect(),
                number: rule.number.as_ref().map(|role| body.text(context, record, role)).unwrap_or_default(),
                place: record.place,
                name: body.text(context, record, &rule.name),
                has_value: binding
                    .values
                    .iter()
                    .any(|value| is_filled(grid.text(&grid.rows[record.row], value.header.column))),
            })
            .collect();
        body.lines = read_lines(rule, &printed);
        leave_others(rule, &mut body);
    }
    read_row_rules(context, &mut body);
    body.set_aside.sort_by_key(|fault| fault.row);
    count_unresolved(feed, &mut body);
    body
}

/// Finds the rule of each record's label; the others are set aside, or left to other feeds.
fn read_row_rules(context: &GridContext<'_>, body: &mut Body) {
    let GridContext { feed, grid, .. } = *context;
    if feed.rows.is_empty() {
        return;
    }
    let mut keep = Vec::with_capacity(body.records.len());
    let mut left = 0;
    for index in 0..body.records.len() {
        let record = body.records[index];
        let label = match body.lines.get(index) {
            Some(line) => line.names_path(),
            None => without_blanks(body.text(context, &record, &feed.subject)),
        };
        let found = feed.rows.iter().position(|rule| rule.label.is_match(&label));
        let is_left = found.map_or(feed.leaves_other_rows, |rule| feed.rows[rule].leaves);
        keep.push(found.is_some() && !is_left);
        left += usize::from(is_left);
        match found {
            _ if is_left => body.records_in -= 1,
            Some(rule) => {
                let groups = capture(&feed.rows[rule].label, &label, "row");
                let named = |(name, text): (String, String)| (name.trim_start_matches("row.").to_owned(), text);
                body.records[index].rule = Some(body.rules.len() as u32);
                body.rules.push(MatchedRow { rule, captures: groups.into_iter().map(named).collect() });
            }
            None => {
                let message = "a row that the feed does not know, expected one of its rows".to_owned();
                let fault = Fault { reason: Reason::UnknownRow, message, part: None };
                body.set_aside.push(record_fault(grid, &grid.rows[record.row], fault));
            }
        }
    }
    if left > 0 {
        body.notes.push(format!("{left} rows are not of this feed, as it declares"));
    }
    body.retain(&keep);
}

/// Takes away the lines that the feed leaves to others.
fn leave_others(rule: &LineRule, body: &mut Body) {
    let Some(only) = &rule.only else { return };
    let own: Vec<bool> = body.lines.iter().map(|line| only.is_match(&line.path)).collect();
    body.retain(&own);
    let left = own.iter().filter(|own| !**own).count();
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
    kept: Vec<Record>,
    body: &mut Body,
) {
    let GridContext { feed, grid, binding, .. } = *context;
    let time = feed.time.as_ref().filter(|time| !time.is_of_columns());
    let mut moments = time.map(|time| (time, MomentReader::new(time)));
    let mut places = FlatPlaces::new(&catalog.regions, &feed.place);
    let above_all: Vec<String> =
        feed.place.within_printed.iter().filter_map(|above| tell(context, body, None, 0, above)).collect();
    for mut record in kept {
        let row = &grid.rows[record.row];
        if let Some((time, reader)) = &mut moments {
            match read_moment(context, body, &record, time, reader) {
                Ok(moment) => record.moment = Some(moment),
                Err(fault) => {
                    body.set_aside.push(record_fault(grid, row, fault));
                    continue;
                }
            }
        }
        if matches!(feed.place.source, PlaceSource::Nowhere) {
            body.records.push(record);
            continue;
        }
        let date = match (&feed.place.date, record.moment) {
            (_, Some(moment)) => Some(moment.data_date),
            (PlaceDate::Label(role), None) => year_end_of(body.text(context, &record, role)),
            (PlaceDate::Printed(years), None) if year_end.is_none() => {
                let year = years.iter().find_map(|year| tell(context, body, Some(&record), 0, year));
                year.as_deref().and_then(year_end_of)
            }
            (_, None) => year_end,
        };
        let Some(date) = date else {
            let part = match &feed.place.date {
                PlaceDate::Label(role) => binding.labels.get(role).map(|column| (role.as_str(), *column)),
                _ => None,
            };
            let fault = Fault { reason: Reason::BadDate, message: "no year, expected four digits".to_owned(), part };
            body.set_aside.push(record_fault(grid, row, fault));
            continue;
        };
        let of_columns = |names: &[Reference]| names.iter().any(Reference::is_of_column);
        match &feed.place.source {
            PlaceSource::Printed(names) if of_columns(names) => {
                let column_places = body.column_places.take().unwrap_or_else(|| {
                    let names =
                        (0..binding.values.len()).map(|column| printed_place(context, body, None, column, names));
                    let above: Vec<&str> = above_all.iter().map(String::as_str).collect();
                    names.map(|name| places.index(&name, &above, date)).collect()
                });
                body.column_places = Some(column_places);
            }
            source => {
                if let PlaceSource::Code(codes) = source {
                    let code = codes.iter().find_map(|code| tell(context, body, Some(&record), 0, code));
                    record.place = places.index_of_code(&code.unwrap_or_default(), date);
                    body.records.push(record);
                    continue;
                }
                let name = match source {
                    PlaceSource::Printed(names) => printed_place(context, body, Some(&record), 0, names),
                    PlaceSource::Fixed(name) => name.clone(),
                    PlaceSource::Label(role) | PlaceSource::Hierarchy(role) => {
                        body.text(context, &record, role).to_owned()
                    }
                    PlaceSource::Nowhere | PlaceSource::Code(_) => String::new(),
                };
                let of_row = feed.place.within_labels.iter().map(|role| body.text(context, &record, role));
                let above: Vec<&str> = above_all.iter().map(String::as_str).chain(of_row).collect();
                record.place = places.index(&name, &above, date);
            }
        }
        body.records.push(record);
    }
    body.places = places.places;
}

/// A place that captions, headers or labels tell. An own level that is not named (市本级) is that of the region in the next
/// of them.
fn printed_place(
    context: &GridContext<'_>,
    body: &Body,
    record: Option<&Record>,
    column: usize,
    names: &[Reference],
) -> String {
    let feed = context.feed;
    let mut names =
        names.iter().filter_map(|name| tell(context, body, record, column, name)).filter(|name| !name.is_empty());
    let Some(first) = names.next() else { return String::new() };
    let suffix = feed.place.own_suffix.as_deref();
    let stem = suffix.and_then(|suffix| first.strip_suffix(suffix));
    match (stem, suffix, names.next()) {
        (Some(stem), Some(suffix), Some(region)) if feed.place.own_generic.iter().any(|generic| generic == stem) => {
            format!("{region}{suffix}")
        }
        _ => first,
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
    kept: Vec<Record>,
    /// The heading above the row.
    section: Option<u32>,
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
            .filter(|cell| !self.grid.hidden_columns.contains(&cell.column) && is_filled(&cell.text))
            .peekable();
        if filled.peek().is_none() {
            return;
        }
        if !self.has_ended
            && !row.is_hidden
            && !self.feed.end.is_empty()
            && filled.any(|cell| self.feed.end.iter().any(|end| end.is_match(&plain(&cell.text))))
        {
            self.has_ended = true;
        }
        let label = without_blanks(self.label(index, &self.feed.subject));
        if self.has_ended {
            return self.visit_after_end(row);
        }
        if self.is_heading(index) {
            return;
        }
        let is_read = !row.is_hidden || self.feed.keeps_hidden_rows;
        if is_read && (self.is_declared_no_record(&label, row) || self.is_of_another_feed(index)) {
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
        if let Some((reason, message)) = self.fault(index, &label) {
            self.body.records_in += 1;
            let fault = record_fault(self.grid, row, Fault { reason, message, part: None });
            self.body.set_aside.push(fault);
            return;
        }
        let record = Record { row: index, section: self.section, ..Record::default() };
        let listed = self.feed.labels.iter().find_map(|label| Some((label, label.split.as_deref()?)));
        let Some((label, separator)) = listed else {
            self.body.records_in += 1;
            return self.kept.push(record);
        };
        let pieces: Vec<String> = self
            .label(index, &label.role)
            .split(separator)
            .map(|piece| trimmed(piece).to_owned())
            .filter(|piece| !piece.is_empty())
            .collect();
        for piece in pieces {
            self.body.records_in += 1;
            self.kept.push(Record { piece: Some(self.body.pieces.len() as u32), ..record });
            self.body.pieces.push(piece);
        }
    }

    /// Text of a row's label, filled down where the feed says so.
    fn label(&self, index: usize, role: &str) -> &str {
        let Some(column) = self.binding.labels.get(role) else { return "" };
        self.body.fills.text(self.grid, index, *column)
    }

    /// Rows that head those below them.
    fn is_heading(&mut self, index: usize) -> bool {
        let Some(section) = &self.feed.section else { return false };
        let text = without_blanks(self.label(index, &section.role));
        if !section.pattern.is_match(&text) {
            return false;
        }
        let groups = capture(&section.pattern, &text, "section").into_iter();
        let groups = groups.map(|(name, text)| (name.trim_start_matches("section.").to_owned(), text)).collect();
        self.section = Some(self.body.sections.len() as u32);
        self.body.sections.push(groups);
        let number = self.grid.rows[index].number;
        self.body.notes.push(format!("row {number}: heads the rows below it, no record"));
        true
    }

    fn is_blank(&self, row: &Row, column: u32) -> bool {
        !is_filled(self.grid.text(row, column))
    }

    fn visit_after_end(&mut self, row: &Row) {
        let has_number = self.binding.values.iter().any(|value| holds_number(self.grid, row, value.header.column));
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
                    || plain(self.grid.text(row, header.column)) == header.compared
            });
        if is_header {
            self.body.notes.push(format!("row {number}: the header repeated, no record"));
        }
        is_header
    }

    /// Rows whose label says that they are another feed's.
    fn is_of_another_feed(&mut self, index: usize) -> bool {
        let is_other = self.feed.labels.iter().any(|label| {
            label.only.as_ref().is_some_and(|only| !only.is_match(&plain(self.label(index, &label.role))))
        });
        if is_other {
            let number = self.grid.rows[index].number;
            self.body.notes.push(format!("row {number}: not of this feed, as it declares"));
        }
        is_other
    }

    fn fault(&self, index: usize, label: &str) -> Option<(Reason, String)> {
        let row = &self.grid.rows[index];
        if row.fault == Some(RowFault::NoPattern) {
            return Some((Reason::NoPattern, "a line in none of the forms that the feed declares".into()));
        }
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
            .find(|label| !is_filled(self.label(index, &label.role)));
        if let Some(label) = empty {
            return Some((Reason::NoLabel, format!("no {}, expected one", label.role)));
        }
        None
    }
}

fn read_moment<'a>(
    context: &GridContext<'_>,
    body: &Body,
    record: &Record,
    time: &'a TimeRule,
    reader: &mut MomentReader<'_>,
) -> Result<Moment, Fault<'a>> {
    let binding = context.binding;
    let told = |reference: &Reference| tell(context, body, Some(record), 0, reference).unwrap_or_default();
    let hour = time.hour.as_ref().map(|(reference, _)| told(reference));
    let date: Vec<String> = time.parts.iter().map(told).collect();
    reader.read(&date.join(" "), hour.as_deref()).map_err(|bad: BadMoment| {
        let at_fault = match bad {
            BadMoment::Date => time.parts.iter().find(|part| matches!(part, Reference::Label { .. })),
            BadMoment::Hour => time.hour.as_ref().map(|(reference, _)| reference),
        };
        let part = match at_fault {
            Some(Reference::Label { role, .. }) => binding.labels.get(role).map(|column| (role.as_str(), *column)),
            _ => None,
        };
        Fault { reason: bad.reason(), message: bad.message(time), part }
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

fn compare_evidence(context: &GridContext<'_>, body: &mut Body) {
    let GridContext { feed, grid, binding, .. } = *context;
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

fn count_unresolved(feed: &Feed, body: &mut Body) {
    // Where no tier is sought the names are none of regions.
    if feed.place.tiers.is_empty() && !matches!(feed.place.source, PlaceSource::Code(_)) {
        return;
    }
    let of_columns = body.column_places.clone().unwrap_or_default();
    let of_records = body.records.iter().map(|record| record.place).filter(|_| of_columns.is_empty());
    for place in of_records.chain(of_columns.iter().copied()).collect::<Vec<u32>>() {
        let place = &body.places[place as usize];
        if place.code.is_none() {
            body.records_without_code += 1;
            if !body.unresolved.contains(&place.name) {
                body.unresolved.push(place.name.clone());
            }
        }
    }
}
