//! `gongkai backup` and `gongkai restore`: a second place for the warehouse, and back.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use clap::Args;
use gongkai_warehouse::backup::{Copied, copy};
use gongkai_warehouse::lake::recover::RESTORING;
use gongkai_warehouse::lake::{Warehouse, WriterLock, pointer, recover};
use gongkai_warehouse::store::Store;
use gongkai_warehouse::verify::{Trust, Verified, verify};
use serde::Serialize;

use super::{DataError, Outcome, ReportFormat, UsageError, open};
use crate::config::Config;

/// Arguments of both.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The second place: a folder
    folder: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
}

#[derive(Debug, Serialize)]
struct Report {
    copied: Copied,
    verified: Verified,
}

/// Runs `backup`. Publishing may go on meanwhile; what a copy has already is not copied again.
pub async fn backup(config: Config, args: BackupArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    let copy_of = Warehouse::open(&args.folder.display().to_string(), Arc::clone(&instance.definitions.catalog))?;
    let copied = copy(instance.warehouse.store().as_ref(), copy_of.store().as_ref(), "backup.mid").await?;
    finish(&copy_of, copied, args.format).await
}

/// Runs `restore`: into a warehouse that has published nothing.
pub async fn restore(config: Config, args: BackupArgs) -> anyhow::Result<Outcome> {
    if !args.folder.is_dir() {
        return Err(UsageError(format!("{} is no folder", args.folder.display())).into());
    }
    let instance = open(config)?;
    let store = instance.warehouse.store().as_ref();
    let lock = WriterLock::take(store)?;
    let mut is_empty = pointer::read(store).await?.bytes.is_none();
    for folder in ["sources", "tables", "releases", "log", "state"] {
        is_empty &= store.list(folder).await?.is_empty();
    }
    if !is_empty && !is_cut_off(store).await? {
        let message = "the warehouse of --data is not empty; restore into an empty folder";
        return Err(DataError(message.into()).into());
    }
    let copy_of = Warehouse::open(&args.folder.display().to_string(), Arc::clone(&instance.definitions.catalog))?;
    store.put(RESTORING, Bytes::from_static(b"restore under way\n")).await?;
    let copied = copy(copy_of.store().as_ref(), store, "restore.mid").await?;
    store.remove(RESTORING).await?;
    drop(lock);
    finish(&instance.warehouse, copied, args.format).await
}

async fn finish(warehouse: &Warehouse, copied: Copied, format: ReportFormat) -> anyhow::Result<Outcome> {
    let verified = verify_copy(warehouse).await?;
    let is_in_order = verified.harms.is_empty();
    match format {
        ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&Report { copied, verified })?),
        ReportFormat::Text => {
            let Copied { files, bytes, known } = copied;
            println!("{files} files copied, {bytes} bytes; {known} were there");
            verified.harms.iter().for_each(|harm| println!("FAILED: {}: {}", harm.path, harm.message));
            if is_in_order {
                let (releases, leaves) = (verified.releases, verified.leaves);
                println!("{releases} releases and {leaves} leaves of the log are what was published");
            }
        }
    }
    Ok(if is_in_order { Outcome::Done } else { Outcome::DataAtFault })
}

/// A restore that was cut off is begun again: until the pointer is there, nothing was published here.
async fn is_cut_off(store: &dyn Store) -> anyhow::Result<bool> {
    let is_without_pointer = pointer::read(store).await?.bytes.is_none();
    Ok(is_without_pointer && store.read_optional(RESTORING).await?.is_some())
}

/// What was being published while the copy was made is in it without being named: recovery takes it away.
async fn verify_copy(warehouse: &Warehouse) -> anyhow::Result<Verified> {
    let store = warehouse.store().as_ref();
    let _lock = WriterLock::take(store)?;
    recover::recover(store).await?;
    Ok(verify(store, &Trust::default()).await?)
}
