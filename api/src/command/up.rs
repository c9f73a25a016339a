//! `gongkai up`: the main job.

use clap::Args;
use gongkai_warehouse::release::{Published, Scope};

use super::ingest::inbox;
use super::progress::Bar;
use super::watch::Watching;
use super::{Outcome, ReportFormat, open, serve};
use crate::access::Caller;
use crate::config::Config;
use crate::instance::Instance;
use crate::pipeline::{self, Access, Inbox};
use crate::publishing;

/// Arguments.
#[derive(Debug, Default, Args)]
pub struct UpArgs {
    /// Do everything but serve, and exit
    #[arg(long)]
    once: bool,
    /// Take and release new and changed files of the inbox while serving
    #[arg(long, conflicts_with = "once")]
    watch: bool,
    #[command(flatten)]
    serving: serve::ServeArgs,
    /// What to print
    #[arg(long, value_enum)]
    format: Option<ReportFormat>,
}

impl UpArgs {
    /// Overrides settings.
    pub fn apply(&self, config: &mut Config) {
        self.serving.apply(config);
    }
}

/// Runs the command.
pub async fn run(config: Config, args: UpArgs) -> anyhow::Result<Outcome> {
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
    // Where two persons publish, what changed waits for them as drafts.
    let (published, drafts) = if instance.config.publishing.local_operator {
        (pipeline::release(instance, &writing).await?, Vec::new())
    } else {
        let by = publishing::actor(&Caller::local_operator());
        let drafts = publishing::draft_scope(instance, &writing, Scope::All, "read from the inbox", by).await?;
        (Published { findings: instance.warehouse.snapshot().await?.findings, ..Published::default() }, drafts)
    };
    if format == Some(ReportFormat::Json) {
        let report = serde_json::json!({
            "repairs": writing.repairs, "ingest": summary, "releases": published.releases, "counter": published.counter,
            "checks": published.findings, "held": published.held, "drafts": drafts,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for repair in &writing.repairs {
            println!("put right: {} {}", repair.kind, repair.path);
        }
        print!("{summary}");
        println!("{} new releases", published.releases.len());
        print!("{}", super::release::releases(&published));
        for draft in &drafts {
            println!(
                "  draft {} {} ({}, {} rows) waits for two persons",
                draft.id, draft.partition, draft.kind, draft.rows
            );
        }
        println!("checks: {}", super::check::summary(&published.findings, None));
    }
    Ok(if summary.is_at_fault() || !published.held.is_empty() { Outcome::DataAtFault } else { Outcome::Done })
}
