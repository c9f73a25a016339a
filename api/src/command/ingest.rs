//! `gongkai ingest`: land and normalise, and say what became of every file.

use clap::Args;

use super::progress::Bar;
use super::{Outcome, ReportFormat, UsageError, open};
use crate::config::Config;
use crate::instance::Instance;
use crate::pipeline::{self, Inbox, PipelineError};

/// Arguments.
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Feeds to read; all where none is named
    feeds: Vec<String>,
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
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
        return Ok((Inbox { path: path.clone(), feeds }, None));
    }
    let folder = tempfile::Builder::new().prefix("gongkai-samples-").tempdir()?;
    gongkai_ingest::write_samples(folder.path())?;
    Ok((Inbox { path: folder.path().to_owned(), feeds }, Some(folder)))
}

/// Runs the command.
pub async fn run(config: Config, args: IngestArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    let (inbox, _samples) = inbox(&instance, args.feeds)?;
    let writing = pipeline::begin(&instance).await?;
    let summary = match pipeline::ingest(&instance, &writing, &inbox, &mut Bar::new()).await {
        Err(error @ PipelineError::UnknownFeed { .. }) => return Err(UsageError(error.to_string()).into()),
        summary => summary?,
    };
    match args.format {
        ReportFormat::Text => print!("{summary}"),
        ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&summary)?),
    }
    Ok(if summary.is_at_fault() { Outcome::DataAtFault } else { Outcome::Done })
}
