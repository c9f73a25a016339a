//! `gongkai export`: a dataset or one release as a file.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use gongkai_warehouse::ReleaseRecord;
use gongkai_warehouse::export::{self, ExportOptions};
use gongkai_warehouse::release::release_rows;
use gongkai_warehouse::schema::{released_schema, with_columns};

use super::{DataError, Outcome, UsageError, open};
use crate::bundle::bundle;
use crate::config::Config;
use crate::instance::Instance;

/// Arguments.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Dataset id, or dataset.number for one release
    dataset: String,
    /// csv, json, ndjson, parquet, arrow or xlsx
    #[arg(long, default_value = "csv")]
    format: String,
    /// Write to a file in place of the terminal
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Begin CSV with a byte order mark, for Excel
    #[arg(long)]
    bom: bool,
    /// Write one release for an archive: a zip file with signatures, proof and verifier
    #[arg(long, conflicts_with_all = ["format", "bom"])]
    bundle: bool,
}

/// Runs the command.
pub async fn run(config: Config, args: ExportArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    let format = export::format(&args.format)
        .ok_or_else(|| UsageError(format!("no format {:?}; there are {}", args.format, export::format_names())))?;
    let (id, number) = match args.dataset.rsplit_once('.') {
        Some((id, number)) => (id, Some(number)),
        None => (args.dataset.as_str(), None),
    };
    let dataset = instance.warehouse.dataset(id).map_err(|error| UsageError(error.to_string()))?;
    let table = instance.warehouse.table(&dataset.table)?;
    let snapshot = instance.warehouse.snapshot().await?;
    let releases: Vec<&ReleaseRecord> = match number {
        Some(number) => number.parse().ok().and_then(|number| snapshot.release(id, number)).into_iter().collect(),
        None => snapshot.current_of_dataset(id),
    };
    if releases.is_empty() {
        return Err(DataError(format!("{} has no release; `gongkai up` makes them", args.dataset)).into());
    }
    if let Some(withdrawal) = releases.iter().find_map(|release| snapshot.withdrawal_of(release)) {
        let (id, reason) = (withdrawal.id(), &withdrawal.reason);
        return Err(DataError(format!("{} was withdrawn by {id}: {reason}", args.dataset)).into());
    }
    if args.bundle {
        return write_bundle(&instance, &releases, &args).await;
    }
    let is_binary = matches!(format.name, "parquet" | "arrow" | "xlsx");
    let target: Box<dyn Write + Send> = match &args.output {
        Some(path) => {
            let file = File::create(path).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
            Box::new(BufWriter::new(file))
        }
        None if is_binary && std::io::stdout().is_terminal() => {
            return Err(UsageError("this format is not text; name a file with --output".into()).into());
        }
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    let schema = released_schema(table);
    let mut writer = (format.open)(Arc::clone(&schema), target, ExportOptions { with_bom: args.bom })?;
    for release in releases {
        for batch in release_rows(&instance.warehouse, release).await? {
            writer.write(&with_columns(&batch?, &schema)?)?;
        }
    }
    writer.finish()?;
    Ok(Outcome::Done)
}

async fn write_bundle(instance: &Instance, releases: &[&ReleaseRecord], args: &ExportArgs) -> anyhow::Result<Outcome> {
    let [release] = releases else {
        let ids: Vec<String> = releases.iter().map(|release| release.id()).collect();
        return Err(UsageError(format!("a bundle holds one release; name one of {}", ids.join(", "))).into());
    };
    let bytes = bundle(&instance.warehouse, release).await?;
    match &args.output {
        Some(path) => std::fs::write(path, bytes).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?,
        None if std::io::stdout().is_terminal() => {
            return Err(UsageError("a bundle is not text; name a file with --output".into()).into());
        }
        None => std::io::stdout().write_all(&bytes)?,
    }
    Ok(Outcome::Done)
}
