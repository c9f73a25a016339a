//! `gongkai doctor`: is everything that was published there and unharmed, is the mirror level with it, is there room.

use clap::Args;
use gongkai_warehouse::release::mirror::mirror;
use gongkai_warehouse::verify::{Trust, Verified, verify};
use serde::Serialize;

use super::{Outcome, ReportFormat, open};
use crate::config::Config;
use crate::instance::Instance;
use crate::pipeline::{self, signing};
use crate::space;

/// Arguments.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
}

/// What the doctor found.
#[derive(Debug, Default, Serialize)]
struct Diagnosis {
    repaired: Vec<String>,
    warnings: Vec<String>,
    verified: Verified,
}

/// Runs the command.
pub async fn run(config: Config, args: DoctorArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    let store = instance.warehouse.store().as_ref();
    let writing = pipeline::begin(&instance).await?;
    let mut found = Diagnosis {
        repaired: writing.repairs.iter().map(|repair| format!("{}: {}", repair.kind, repair.path)).collect(),
        warnings: warnings(&instance),
        verified: verify(store, &Trust::default()).await?,
    };
    if found.verified.harms.is_empty() {
        let snapshot = instance.warehouse.snapshot().await?;
        let mirrored = mirror(&instance.warehouse, &snapshot).await?;
        found.repaired.extend(mirrored.into_iter().map(|id| format!("release written to the Delta mirror: {id}")));
    }
    match args.format {
        ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&found)?),
        ReportFormat::Text => print(&found),
    }
    Ok(if found.verified.harms.is_empty() { Outcome::Done } else { Outcome::DataAtFault })
}

fn print(found: &Diagnosis) {
    let Verified { releases, files, sources, leaves, .. } = &found.verified;
    println!("{releases} releases with {files} files and {sources} department files checked, {leaves} log leaves");
    found.repaired.iter().for_each(|line| println!("put right: {line}"));
    found.warnings.iter().for_each(|line| println!("warning: {line}"));
    found.verified.harms.iter().for_each(|harm| println!("harmed: {}: {}", harm.path, harm.message));
    if found.verified.harms.is_empty() {
        println!("everything is in order");
    }
}

/// What will be in the way before long.
fn warnings(instance: &Instance) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(space) = instance.warehouse.store().local_root().and_then(|root| space::free(&root))
        && space.free_bytes < space.total_bytes / 10
    {
        let (free, total) = (space.free_bytes >> 20, space.total_bytes >> 20);
        warnings.push(format!("{free} MiB of {total} MiB are free, less than a tenth"));
    }
    if let Err(error) = signing::folder(instance).read() {
        warnings.push(format!("signing key: {error}"));
    }
    warnings
}
