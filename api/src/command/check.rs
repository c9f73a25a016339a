//! `gongkai check`: run the checks over the current releases and say what they found.

use std::sync::Arc;

use clap::Args;
use gongkai_warehouse::check::{self, Check, Findings, Outcome as Tested};
use gongkai_warehouse::query::{EngineSettings, QueryEngine};

use super::{Outcome, ReportFormat, UsageError, open};
use crate::config::Config;

/// Arguments.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Only findings about this dataset
    #[arg(long)]
    dataset: Option<String>,
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
}

/// Findings of one check that are printed in full; the others are counted.
const SHOWN: usize = 10;

/// Runs the command.
pub async fn run(config: Config, args: CheckArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    if let Some(dataset) = &args.dataset {
        instance.warehouse.dataset(dataset).map_err(|error| UsageError(error.to_string()))?;
    }
    let snapshot = Arc::new(instance.warehouse.snapshot().await?);
    let settings = EngineSettings {
        pool_bytes: instance.config.query.pool_bytes * 2,
        spill_dir: Some(std::env::temp_dir()),
        spill_bytes: 16 << 30,
        ..EngineSettings::default()
    };
    let store = Arc::clone(instance.warehouse.store().objects());
    let engine = QueryEngine::new(Arc::clone(&instance.definitions.catalog), store, settings)?;
    let checks: Vec<&Check> = instance.definitions.checks.iter().collect();
    let mut found = check::run_all(&engine, &checks, &snapshot)
        .await
        .map_err(|(check, error)| anyhow::anyhow!("check {check}: {error}"))?;
    if let Some(dataset) = &args.dataset {
        found.findings.retain(|finding| finding.dataset == *dataset);
        found.runs.retain(|run| run.dataset == *dataset);
    }
    match args.format {
        ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&found)?),
        ReportFormat::Text => print(&checks, &found),
    }
    Ok(if found.count(Tested::Error) > 0 { Outcome::DataAtFault } else { Outcome::Done })
}

fn print(checks: &[&Check], found: &Findings) {
    let mut last = "";
    for check in checks.iter().filter(|check| found.runs.iter().any(|run| run.check == check.id)) {
        // A check of every table is one entry for each.
        if std::mem::replace(&mut last, &check.id) == check.id {
            continue;
        }
        println!("{} {} ({})", check.id, check.title.zh, check.title.en);
        println!("  {}", summary(found, Some(&check.id)));
        let worth =
            found.findings.iter().filter(|finding| finding.check == check.id && finding.outcome != Tested::Skip);
        let worth: Vec<_> = worth.collect();
        for finding in worth.iter().take(SHOWN) {
            println!("  {} {}", finding.outcome.name(), finding.message_zh);
            let row = finding.row_no.map(|row| format!(", row {row}")).unwrap_or_default();
            println!("    {}{row}", finding.release_id);
        }
        if worth.len() > SHOWN {
            println!("  and {} more: catalog.finding, or --format json", worth.len() - SHOWN);
        }
    }
    println!("{}", summary(found, None));
}

/// `123 PASS, 2 WARN, 1 ERROR`, of one check or of all.
pub fn summary(found: &Findings, check: Option<&str>) -> String {
    let outcomes = [Tested::Pass, Tested::Skip, Tested::Info, Tested::WarnRounding, Tested::Warn, Tested::Error];
    let counted: Vec<String> = outcomes
        .into_iter()
        .map(|outcome| {
            let runs = found.runs.iter().filter(|run| run.outcome == outcome);
            let count: u64 = runs.filter(|run| check.is_none_or(|check| run.check == check)).map(|run| run.count).sum();
            (outcome, count)
        })
        .filter(|(_, count)| *count > 0)
        .map(|(outcome, count)| format!("{count} {}", outcome.name()))
        .collect();
    if counted.is_empty() { "nothing was tested".to_owned() } else { counted.join(", ") }
}
