//! `gongkai event`: what duties are counted from, with evidence.

use chrono::NaiveDate;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use gongkai_warehouse::register::{Event, EventKind, Evidence};

use super::{Outcome, ReportFormat, UsageError, open};
use crate::config::Config;
use crate::publishing::{self, PublishingError};

/// Arguments.
#[derive(Debug, Args)]
pub struct EventArgs {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Record an event; it is public from then on and stands in the log
    Record(RecordArgs),
    /// List the events that are recorded
    List {
        /// What to print
        #[arg(long, value_enum, default_value = "text")]
        format: ReportFormat,
    },
}

/// The kinds by their names.
fn kinds() -> impl TypedValueParser<Value = EventKind> {
    PossibleValuesParser::new(EventKind::ALL.map(EventKind::name))
        .map(|name| EventKind::from_name(&name).unwrap_or(EventKind::Occurred))
}

#[derive(Debug, Args)]
struct RecordArgs {
    /// What happened
    #[arg(long, value_parser = kinds())]
    kind: EventKind,
    /// Code of the region that it concerns
    #[arg(long, value_name = "CODE")]
    region: String,
    /// What it concerns: an item such as 14-0301, a dataset, a document, an obligation, a finding as CHECK/SCOPE
    #[arg(long, value_name = "TEXT")]
    subject: String,
    /// Period that it concerns, such as 2022
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// Day on which it happened
    #[arg(long, value_name = "DATE")]
    on: NaiveDate,
    /// Address of the document that shows it
    #[arg(long, value_name = "URL")]
    evidence_url: Option<String>,
    /// SHA-256 of that document
    #[arg(long, value_name = "HEX")]
    evidence_sha256: Option<String>,
    /// Number or title of that document
    #[arg(long, value_name = "TEXT")]
    evidence_document: Option<String>,
    /// The event that this one takes back
    #[arg(long, value_name = "EVENT")]
    revokes: Option<String>,
}

/// Runs the command.
pub async fn run(config: Config, args: EventArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    match args.step {
        Step::Record(args) => {
            if instance.definitions.catalog.regions.by_code(&args.region).next().is_none() {
                return Err(UsageError(format!("{:?} is not the code of a declared region", args.region)).into());
            }
            let event = Event {
                id: String::new(),
                kind: args.kind,
                region_code: args.region,
                subject: args.subject,
                period: args.period,
                occurred_on: args.on,
                evidence: Evidence {
                    url: args.evidence_url,
                    sha256: args.evidence_sha256,
                    document: args.evidence_document,
                },
                revokes: args.revokes,
                recorded_by: instance.config.publishing.office.clone(),
                recorded_at: instance.clock.now(),
            };
            match publishing::record_event(&instance, event).await {
                Ok(event) => println!("{} recorded", event.id),
                Err(PublishingError::Event(error)) => return Err(UsageError(error.to_string()).into()),
                Err(error) => return Err(error.into()),
            }
        }
        Step::List { format } => {
            let events = instance.warehouse.snapshot().await?.events;
            match format {
                ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&events)?),
                ReportFormat::Text => events.iter().for_each(|event| {
                    let kind = event.kind.name();
                    println!("{} {} {kind} {} {}", event.id, event.occurred_on, event.region_code, event.subject);
                }),
            }
        }
    }
    Ok(Outcome::Done)
}
