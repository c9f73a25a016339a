//! `gongkai doctor`: is everything that the pointer names there and unharmed, and is the mirror level with it.

use clap::Args;
use gongkai_warehouse::lake::pointer;
use gongkai_warehouse::release::{mirror::mirror, prepare};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Outcome, ReportFormat, open};
use crate::config::Config;
use crate::pipeline;

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
    harmed: Vec<String>,
    releases: usize,
    files: usize,
    sources: usize,
}

/// Runs the command.
pub async fn run(config: Config, args: DoctorArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    let store = instance.warehouse.store().as_ref();
    let writing = pipeline::begin(&instance).await?;
    let mut found = Diagnosis {
        repaired: writing.repairs.iter().map(|repair| format!("{}: {}", repair.kind, repair.path)).collect(),
        ..Diagnosis::default()
    };
    let current = pointer::read(store).await?.current;
    let snapshot = instance.warehouse.snapshot().await?;
    for release in &snapshot.releases {
        found.releases += 1;
        if let Err(error) = prepare::read_manifest(store, release).await {
            found.harmed.push(error.to_string());
        }
        for file in &release.files {
            found.files += 1;
            let path = format!("{}/{}", release.folder(), file.name);
            check_digest(store.read(&path).await, &path, &file.sha256, &mut found.harmed);
        }
    }
    for source in &snapshot.sources {
        found.sources += 1;
        let path = format!("sources/{}/{}", &source.sha256[..2], source.sha256);
        check_digest(store.read(&path).await, &path, &source.sha256, &mut found.harmed);
    }
    for index in 0..current.log_size {
        let path = format!("log/leaf/{index:012}");
        if let Err(error) = store.read(&path).await {
            found.harmed.push(error.to_string());
        }
    }
    if found.harmed.is_empty() {
        let mirrored = mirror(&instance.warehouse, &snapshot).await?;
        found.repaired.extend(mirrored.into_iter().map(|id| format!("release written to the Delta mirror: {id}")));
    }
    match args.format {
        ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&found)?),
        ReportFormat::Text => {
            println!(
                "{} releases with {} files and {} department files checked, {} log leaves",
                found.releases, found.files, found.sources, current.log_size
            );
            found.repaired.iter().for_each(|line| println!("put right: {line}"));
            found.harmed.iter().for_each(|line| println!("harmed: {line}"));
            if found.harmed.is_empty() {
                println!("everything is in order");
            }
        }
    }
    Ok(if found.harmed.is_empty() { Outcome::Done } else { Outcome::DataAtFault })
}

fn check_digest(
    read: Result<bytes::Bytes, gongkai_warehouse::StoreError>,
    path: &str,
    expected: &str,
    harmed: &mut Vec<String>,
) {
    match read {
        Err(error) => harmed.push(error.to_string()),
        Ok(bytes) => {
            let digest = hex::encode(Sha256::digest(&bytes));
            if digest != expected {
                harmed.push(format!("{path} has digest {digest}, expected {expected}"));
            }
        }
    }
}
