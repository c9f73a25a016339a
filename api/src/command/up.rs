//! `gongkai up`: the main job.

use clap::Args;

use super::ingest::inbox;
use super::progress::Bar;
use super::watch::Watching;
use super::{Outcome, ReportFormat, open, serve};
use crate::config::Config;
use crate::instance::Instance;
use crate::pipeline::{self, Access, Inbox};

/// Arguments.
#[derive(Debug, Default, Args)]
pub struct UpArgs {
    /// Do everything but serve, and exit
    #[arg(long)]
    once: bool,
    /// Take and release new and changed files of the inbox while serving
    #[arg(long, conflicts_with = "once")]
    watch: bool,
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
    let (inbox, samples) = inbox(&instance, Vec::new())?;
    let format = args.format;
    let mut watching = args.watch.then(|| Watching::new(&instance, inbox.clone()));
    let outcome = match &mut watching {
        Some(watching) => watching.once(|ready| release(&instance, ready, format)).await?,
        None => release(&instance, inbox, format).await?,
    };
    let Some(listener) = listener else { return Ok(outcome) };
    let Some(watching) = watching else {
        drop(samples);
        return serve::serve(instance, listener).await;
    };
    let (told, mut hears) = tokio::sync::watch::channel(false);
    let watched = instance.clone();
    let watcher = tokio::spawn(async move {
        let stop = async move {
            // An error means that the server is gone, which is the end as well.
            let _ = hears.wait_for(|is_told| *is_told).await;
        };
        let watched = &watched;
        watching.until(stop, |ready| again(watched, ready, format)).await;
    });
    let served = serve::serve(instance, listener).await;
    let _ = told.send(true);
    // A run that has begun is finished: it holds the writer lock. Killed in it, the next run puts things right.
    let _ = watcher.await;
    served
}

async fn again(instance: &Instance, inbox: Inbox, format: Option<ReportFormat>) -> anyhow::Result<()> {
    release(instance, inbox, format).await.map(drop)
}

/// One run: land, read, normalise, check, release.
async fn release(instance: &Instance, inbox: Inbox, format: Option<ReportFormat>) -> anyhow::Result<Outcome> {
    let writing = pipeline::begin(instance).await?;
    let summary = pipeline::ingest(instance, Access::Write(&writing), &inbox, &mut Bar::new()).await?;
    let published = pipeline::release(instance, &writing).await?;
    if format == Some(ReportFormat::Json) {
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
    Ok(if summary.is_at_fault() { Outcome::DataAtFault } else { Outcome::Done })
}
