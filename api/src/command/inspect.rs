//! `gongkai inspect`: how a file is read, and which feed reads it.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use gongkai_ingest::inspect::SheetInspection;
use gongkai_ingest::{Inspection, Limits, inspect};

use super::{Outcome, ReportFormat, UsageError};
use crate::config::Config;
use crate::instance::Definitions;

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
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let inspection = inspect(&bytes, &name, &definitions.feeds, &definitions.catalog, &Limits::default());
    match args.format {
        ReportFormat::Text => print!("{}", describe(&inspection)),
        ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&inspection)?),
    }
    Ok(if inspection.damage.is_some() { Outcome::DataAtFault } else { Outcome::Done })
}

fn describe(inspection: &Inspection) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_description(&mut text, inspection);
    text
}

fn write_description(text: &mut String, inspection: &Inspection) -> std::fmt::Result {
    let format = inspection.format.map_or("unreadable", |format| format.name());
    writeln!(text, "{} ({} bytes, {format})", inspection.name, inspection.bytes_len)?;
    if let Some(encoding) = &inspection.encoding {
        writeln!(text, "  encoding: {encoding}")?;
    }
    if let Some(damage) = &inspection.damage {
        writeln!(text, "  cannot be read: {damage}")?;
    }
    for warning in &inspection.warnings {
        writeln!(text, "  note: {warning}")?;
    }
    for sheet in &inspection.sheets {
        write_sheet(text, sheet)?;
    }
    Ok(())
}

fn write_sheet(text: &mut String, sheet: &SheetInspection) -> std::fmt::Result {
    if let Some(name) = &sheet.sheet {
        writeln!(text, "  sheet {name}")?;
    }
    writeln!(text, "    {} rows, {} cells, last column {}", sheet.rows, sheet.cells, sheet.last_column)?;
    if !sheet.hidden_rows.is_empty() || !sheet.hidden_columns.is_empty() {
        let rows: Vec<String> = sheet.hidden_rows.iter().take(20).map(u32::to_string).collect();
        writeln!(
            text,
            "    hidden: {} rows ({}), columns {}",
            sheet.hidden_rows.len(),
            rows.join(" "),
            sheet.hidden_columns.join(" ")
        )?;
    }
    let Some(recognition) = &sheet.recognition else { return Ok(()) };
    if let Some(claim) = &recognition.claim {
        writeln!(
            text,
            "    read by feed {}, header in rows {} to {}",
            claim.feed, claim.header_rows.0, claim.header_rows.1
        )?;
        if let Some(title) = &claim.title {
            writeln!(text, "    title: {title}")?;
        }
        if let Some(unit) = &claim.unit {
            writeln!(text, "    unit: {unit}")?;
        }
        for column in &claim.columns {
            writeln!(text, "    {} {} -> {}", column.address, column.text, column.read_as.as_deref().unwrap_or("-"))?;
        }
        for column in &claim.columns_not_read {
            writeln!(text, "    {} {} is not read", column.address, column.text)?;
        }
    } else {
        writeln!(text, "    no feed reads it")?;
    }
    for miss in &recognition.misses {
        writeln!(text, "    not {}: {}", miss.feed, miss.reasons.join("; "))?;
    }
    Ok(())
}
