//! `gongkai ingest`: land and normalise, and say what became of every file.

use std::path::{Path, PathBuf};

use clap::Args;
use gongkai_ingest::{Limits, draft};

use super::progress::Bar;
use super::watch::Watching;
use super::{DataError, Outcome, ReportFormat, UsageError, open};
use crate::config::Config;
use crate::http::serve::wait_for_signal;
use crate::instance::{DEFAULT_DATA, Definitions, Instance};
use crate::pipeline::{self, Access, Inbox, IngestSummary, PipelineError};

/// Arguments.
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Feeds to read; all where none is named
    feeds: Vec<String>,
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
    /// Show what would be read, set aside and changed, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Take new and changed files until told to end
    #[arg(long, conflicts_with = "dry_run")]
    watch: bool,
    /// Write a first feed declaration for a file, to standard output, and read nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "watch", "feeds"])]
    draft: Option<PathBuf>,
    /// Dataset that the drafted feed gives rows to; its table says which columns have to be filled
    #[arg(long, value_name = "ID", requires = "draft")]
    dataset: Option<String>,
}

/// The inbox of the settings, or the samples written to a temporary folder that ends with the run.
pub fn inbox(instance: &Instance, feeds: Vec<String>) -> anyhow::Result<(Inbox, Option<tempfile::TempDir>)> {
    let feeds = (!feeds.is_empty()).then_some(feeds);
    if let Some(path) = &instance.config.inbox {
        if !path.exists() {
            return Err(
                UsageError(format!("inbox {} does not exist; expected a folder or a file", path.display())).into()
            );
        }
        return Ok((Inbox { path: path.clone(), feeds, ready: None }, None));
    }
    let folder = tempfile::Builder::new().prefix("gongkai-samples-").tempdir()?;
    gongkai_ingest::write_samples(folder.path())?;
    Ok((Inbox { path: folder.path().to_owned(), feeds, ready: None }, Some(folder)))
}

/// Runs the command.
pub async fn run(mut config: Config, args: IngestArgs) -> anyhow::Result<Outcome> {
    if let Some(file) = &args.draft {
        return write_draft(&config, file, args.dataset.as_deref());
    }
    let address = config.data.as_deref().unwrap_or(DEFAULT_DATA);
    if args.dry_run && !address.contains("://") && !Path::new(address).exists() {
        // Opening a folder makes it.
        config.data = Some("memory://".into());
    }
    let instance = open(config)?;
    let (inbox, _samples) = inbox(&instance, args.feeds)?;
    if args.watch {
        let format = args.format;
        let watching = Watching::new(&instance, inbox);
        println!(
            "watching {} (stop with Ctrl-C)",
            instance.config.inbox.as_deref().unwrap_or(Path::new("the samples")).display()
        );
        watching.until(wait_for_signal(), |inbox| land(&instance, inbox, format)).await;
        return Ok(Outcome::Done);
    }
    let summary = if args.dry_run {
        pipeline::ingest(&instance, Access::DryRun, &inbox, &mut Bar::new()).await
    } else {
        let writing = pipeline::begin(&instance).await?;
        pipeline::ingest(&instance, Access::Write(&writing), &inbox, &mut Bar::new()).await
    };
    let summary = match summary {
        Err(error @ PipelineError::UnknownFeed { .. }) => return Err(UsageError(error.to_string()).into()),
        summary => summary?,
    };
    print(&summary, args.format)?;
    Ok(if summary.is_at_fault() { Outcome::DataAtFault } else { Outcome::Done })
}

/// One run over the files that are ready, under the lock for as long as it takes.
async fn land(instance: &Instance, inbox: Inbox, format: ReportFormat) -> anyhow::Result<()> {
    let writing = pipeline::begin(instance).await?;
    let summary = pipeline::ingest(instance, Access::Write(&writing), &inbox, &mut Bar::new()).await?;
    print(&summary, format)
}

fn print(summary: &IngestSummary, format: ReportFormat) -> anyhow::Result<()> {
    match format {
        ReportFormat::Text => print!("{summary}"),
        ReportFormat::Json => println!("{}", serde_json::to_string_pretty(summary)?),
    }
    Ok(())
}

fn write_draft(config: &Config, file: &Path, dataset: Option<&str>) -> anyhow::Result<Outcome> {
    let definitions = Definitions::load(config.definitions.as_ref())?;
    if let Some(id) = dataset.filter(|id| !definitions.catalog.datasets.contains_key(*id)) {
        let declared: Vec<&str> = definitions.catalog.datasets.keys().map(String::as_str).collect();
        return Err(UsageError(format!("no dataset {id:?}; declared are: {}", declared.join(", "))).into());
    }
    let bytes = std::fs::read(file)
        .map_err(|error| UsageError(format!("{}: {error}; expected a readable file", file.display())))?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let draft = draft::draft(&bytes, &name, dataset, &definitions.feeds, &definitions.catalog, &Limits::default())
        .map_err(|error| DataError(format!("{}: {error}", file.display())))?;
    print!("{draft}");
    Ok(Outcome::Done)
}
