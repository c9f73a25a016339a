//! `gongkai up`: the main job.

use clap::Args;

use super::ingest::inbox;
use super::progress::Bar;
use super::{Outcome, ReportFormat, open, serve};
use crate::config::Config;
use crate::pipeline;

/// Arguments.
#[derive(Debug, Default, Args)]
pub struct UpArgs {
    /// Do everything but serve, and exit
    #[arg(long)]
    once: bool,
    /// Address for HTTP [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// What to print
    #[arg(long, value_enum)]
    format: Option<ReportFormat>,
}

/// Runs the command.
pub async fn run(mut config: Config, args: UpArgs) -> anyhow::Result<Outcome> {
    if args.http.is_some() {
        config.http = args.http;
    }
    let instance = open(config)?;
    // A port that is taken is said before a long ingest, not after it.
    let listener = if args.once { None } else { Some(serve::listen(&instance).await?) };
    let outcome = {
        let (inbox, _samples) = inbox(&instance, Vec::new())?;
        let writing = pipeline::begin(&instance).await?;
        let summary = pipeline::ingest(&instance, &writing, &inbox, &mut Bar::new()).await?;
        let published = pipeline::release(&instance, &writing).await?;
        if args.format == Some(ReportFormat::Json) {
            let report = serde_json::json!({
                "repairs": writing.repairs, "ingest": summary, "releases": published.releases, "counter": published.counter,
                "checks": published.findings,
            });
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            for repair in &writing.repairs {
                println!("put right: {} {}", repair.kind, repair.path);
            }
            print!("{summary}");
            println!("{} new releases", published.releases.len());
            for release in &published.releases {
                let kind = if release.is_synthetic { "synthetic, " } else { "" };
                println!("  {} {} ({kind}{}, {} rows)", release.id(), release.partition, release.kind, release.rows);
            }
            println!("checks: {}", super::check::summary(&published.findings, None));
        }
        if summary.is_at_fault() { Outcome::DataAtFault } else { Outcome::Done }
    };
    match listener {
        Some(listener) => serve::serve(instance, listener).await,
        None => Ok(outcome),
    }
}
