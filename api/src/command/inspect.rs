//! `gongkai inspect`: how a file is read, and which feed reads it.

use std::path::PathBuf;

use clap::Args;
use gongkai_ingest::inspect::{Reading, SheetInspection};
use gongkai_ingest::outline::{FoundTable, Holds};
use gongkai_ingest::reader::Visibility;
use gongkai_ingest::shape::{Claim, GridRecognition};
use gongkai_ingest::{Inspection, Limits, inspect};

use super::{Outcome, ReportFormat, UsageError};
use crate::config::Config;
use crate::instance::Definitions;
use crate::text::{COLUMNS, cut, wrapped};

/// Feeds that do not read a sheet and are named in text; JSON names all.
const NEAREST: usize = 4;
/// Numbers of hidden rows, and merged ranges, that are listed in text.
const LISTED: usize = 12;

/// Arguments.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The file
    file: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
}

/// Runs the command.
pub fn run(config: &Config, args: &InspectArgs) -> anyhow::Result<Outcome> {
    let definitions = Definitions::load(config.definitions.as_ref())?;
    let bytes = std::fs::read(&args.file)
        .map_err(|error| UsageError(format!("{}: {error}; expected a readable file", args.file.display())))?;
    // Feeds may read what the path says: as much of it as was typed.
    let name = args.file.to_string_lossy().into_owned();
    let inspection = inspect(&bytes, &name, &definitions.feeds, &definitions.catalog, &Limits::default());
    match args.format {
        ReportFormat::Text => print!("{}", describe(&inspection)),
        ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&inspection)?),
    }
    Ok(if inspection.damage.is_some() { Outcome::DataAtFault } else { Outcome::Done })
}

/// Lines of at most 80 columns, each level of what is told indented by two.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn say(&mut self, level: usize, text: &str) {
        self.0.push_str(&wrapped(text, &"  ".repeat(level), &"  ".repeat(level + 2)));
    }

    /// One line, whatever does not fit left out.
    fn show(&mut self, level: usize, text: &str) {
        let line = format!("{}{text}", "  ".repeat(level));
        self.0.push_str(&cut(&line, COLUMNS));
        self.0.push('\n');
    }
}

fn describe(inspection: &Inspection) -> String {
    let members = inspection.members.iter().map(describe);
    std::iter::once(describe_file(inspection)).chain(members).collect()
}

fn describe_file(inspection: &Inspection) -> String {
    let mut lines = Lines::default();
    let format = inspection.format.map_or("unreadable", |format| format.name());
    let encoding = inspection.encoding.as_ref().map(|encoding| format!(", {encoding}")).unwrap_or_default();
    lines.say(0, &format!("{} ({} bytes, {format}{encoding})", inspection.name, inspection.bytes_len));
    if let Some(damage) = &inspection.damage {
        lines.say(1, &format!("cannot be read: {damage}"));
    }
    for warning in &inspection.warnings {
        lines.say(1, &format!("note: {warning}"));
    }
    for sheet in &inspection.sheets {
        describe_sheet(&mut lines, sheet);
    }
    for reading in &inspection.readings {
        describe_reading(&mut lines, reading);
    }
    if !inspection.members.is_empty() {
        lines.say(1, &format!("an archive of {} files", inspection.members.len()));
    } else if inspection.damage.is_none() && inspection.readings.is_empty() {
        lines.say(0, "no feed reads it; `gongkai ingest --draft FILE --dataset ID` writes a first one");
    }
    lines.0
}

fn describe_sheet(lines: &mut Lines, sheet: &SheetInspection) {
    let visibility = match sheet.visibility {
        Visibility::Visible => "",
        Visibility::Hidden => ", hidden",
        Visibility::VeryHidden => ", very hidden",
    };
    let name = sheet.sheet.as_ref().map_or_else(|| "the file".to_owned(), |name| format!("sheet {name}"));
    let size = format!("{} rows, {} cells, last column {}", sheet.rows, sheet.cells, sheet.last_column);
    lines.say(1, &format!("{name}: {size}{visibility}"));
    if !sheet.hidden_rows.is_empty() || !sheet.hidden_columns.is_empty() {
        let rows: Vec<String> = sheet.hidden_rows.iter().take(LISTED).map(u32::to_string).collect();
        let more = if sheet.hidden_rows.len() > LISTED { " …" } else { "" };
        let columns = match sheet.hidden_columns.is_empty() {
            true => "no columns".to_owned(),
            false => format!("columns {}", sheet.hidden_columns.join(" ")),
        };
        lines.say(2, &format!("hidden: {} rows ({}{more}), {columns}", sheet.hidden_rows.len(), rows.join(" ")));
    }
    if !sheet.merges.is_empty() {
        let merges: Vec<&str> = sheet.merges.iter().take(LISTED).map(String::as_str).collect();
        let more = if sheet.merges.len() > LISTED { " …" } else { "" };
        lines.say(2, &format!("merged: {} ranges ({}{more})", sheet.merges.len(), merges.join(" ")));
    }
    let claim = sheet.recognition.as_ref().and_then(|recognition| recognition.claim.as_ref());
    for table in &sheet.tables {
        describe_table(lines, table, claim.is_none());
    }
    if let Some(recognition) = &sheet.recognition {
        describe_recognition(lines, recognition);
    }
}

fn describe_table(lines: &mut Lines, table: &FoundTable, with_columns: bool) {
    let header = match table.header_rows {
        Some((first, last)) if first == last => format!("header in row {first}"),
        Some((first, last)) => format!("header in rows {first} to {last}"),
        None => "no header".to_owned(),
    };
    let (first, last) = table.body_rows;
    lines.say(2, &format!("table: {header}, {} records in rows {first} to {last}", table.records));
    for (what, text) in [("title", &table.title), ("unit", &table.unit)] {
        if let Some(text) = text {
            lines.say(3, &format!("{what} {}: {}", text.address, text.text));
        }
    }
    if let Some(row) = table.column_numbers {
        lines.say(3, &format!("row {row} numbers the columns"));
    }
    if with_columns {
        for column in &table.columns {
            let holds = match column.holds {
                Holds::Labels => "labels",
                Holds::Figures => "figures",
                Holds::Nothing => "nothing",
            };
            let hidden = if column.is_hidden { ", hidden" } else { "" };
            lines.say(3, &format!("{} {} ({holds}{hidden})", column.address, column.header));
        }
    }
    for row in &table.first_rows {
        let cells: Vec<&str> = row.iter().map(|cell| cell.text.as_str()).collect();
        let address = row.first().map(|cell| cell.address.as_str()).unwrap_or_default();
        lines.show(3, &format!("{address}: {}", cells.join(" | ")));
    }
    for note in &table.notes {
        lines.show(3, &format!("note {}: {}", note.address, note.text));
    }
}

fn describe_recognition(lines: &mut Lines, recognition: &GridRecognition) {
    let claims: Vec<&Claim> = recognition.claim.iter().chain(&recognition.shared).collect();
    for claim in &claims {
        let (first, last) = claim.header_rows;
        lines.say(2, &format!("read by feed {}, header in rows {first} to {last}", claim.feed));
        if let Some(title) = &claim.title {
            lines.say(3, &format!("title: {title}"));
        }
        if let Some(unit) = &claim.unit {
            lines.say(3, &format!("unit: {unit}"));
        }
        for column in &claim.columns {
            let read_as = column.read_as.as_deref().unwrap_or("-");
            lines.say(3, &format!("{} {} -> {read_as}", column.address, column.text));
        }
        for column in &claim.columns_not_read {
            lines.say(3, &format!("{} {} is not read", column.address, column.text));
        }
    }
    if claims.is_empty() {
        lines.say(2, "no feed reads it");
        for miss in recognition.misses.iter().take(NEAREST) {
            lines.say(3, &format!("not {}: {}", miss.feed, miss.reasons.join("; ")));
        }
        if recognition.misses.len() > NEAREST {
            lines.say(
                3,
                &format!("… and {} feeds further away; `--format json` lists all", recognition.misses.len() - NEAREST),
            );
        }
    }
}

fn describe_reading(lines: &mut Lines, reading: &Reading) {
    lines.say(
        1,
        &format!(
            "feed {} gives {} rows of {} to dataset {}",
            reading.feed, reading.rows, reading.table, reading.dataset
        ),
    );
    if let Some(refusal) = &reading.refusal {
        lines.say(2, &format!("but refuses the file: {refusal}"));
        return;
    }
    let counts = &reading.counts;
    lines.say(
        2,
        &format!(
            "{} records in = {} kept + {} set aside",
            counts.records_in, counts.records_kept, counts.records_set_aside
        ),
    );
    lines.say(
        2,
        &format!(
            "{} cells = {} values + {} missing + {} set aside",
            counts.cells_in, counts.values, counts.missing, counts.cells_set_aside
        ),
    );
    for example in &reading.examples {
        let sheet = example.sheet.as_ref().map(|sheet| format!("{sheet}!")).unwrap_or_default();
        lines.say(2, &format!("would set aside {sheet}{}: {}", example.address, example.message));
    }
    let all: u64 = reading.set_aside.values().sum();
    if all > reading.examples.len() as u64 {
        lines.say(2, &format!("… and {} more", all - reading.examples.len() as u64));
    }
    if !reading.unresolved_places.is_empty() {
        lines.say(2, &format!("places without a code: {}", reading.unresolved_places.join("、")));
    }
}
