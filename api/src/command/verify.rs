//! `gongkai verify`: is what was published still what was published? It needs no server and writes nothing.

use std::path::{Path, PathBuf};

use clap::Args;
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::lake::Warehouse;
use gongkai_warehouse::log::Checkpoint;
use gongkai_warehouse::signing::PublicKey;
use gongkai_warehouse::verify::{Trust, Verified, verify};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Outcome, ReportFormat, UsageError, open};
use crate::config::Config;
use crate::instance::Instance;
use crate::offline::{self, Offline};
use crate::standing::{Standing, standing};
use crate::text;

/// Arguments.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Files to look up in the releases, or warehouses to compare with their log; the warehouse of --data where none is named
    paths: Vec<PathBuf>,
    /// A key of the log that you know from elsewhere, as name+id+base64; may be given again for earlier keys
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// A checkpoint that you kept: the log must have grown from it
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Found {
    Warehouse(Verified),
    Release(Offline),
    File { path: String, sha256: String, standing: Standing },
}

/// Runs the command.
pub async fn run(config: Config, args: VerifyArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    let trust = trust(&args)?;
    let mut found = Vec::new();
    if args.paths.is_empty() {
        found.push(Found::Warehouse(verify(instance.warehouse.store().as_ref(), &trust).await?));
    }
    for path in &args.paths {
        found.push(look_at(&instance, path, &trust).await?);
    }
    let is_in_order = found.iter().all(|found| match found {
        Found::Warehouse(verified) => verified.harms.is_empty(),
        Found::Release(release) => release.harms.is_empty(),
        Found::File { standing, .. } => !matches!(standing, Standing::Unknown | Standing::Withdrawn { .. }),
    });
    match args.format {
        ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&found)?),
        ReportFormat::Text => found.iter().for_each(print),
    }
    Ok(if is_in_order { Outcome::Done } else { Outcome::DataAtFault })
}

fn trust(args: &VerifyArgs) -> anyhow::Result<Trust> {
    let keys: Result<Vec<_>, _> = args.key.iter().map(|key| PublicKey::from_verifier_key(key)).collect();
    let keys = keys.map_err(|error| UsageError(error.to_string()))?;
    let checkpoint = match &args.checkpoint {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
            let parsed = Checkpoint::parse(&text);
            Some(parsed.map_err(|error| UsageError(format!("{}: {error}", path.display())))?)
        }
        None => None,
    };
    Ok(Trust { keys, checkpoint })
}

async fn look_at(instance: &Instance, path: &Path, trust: &Trust) -> anyhow::Result<Found> {
    if path.is_dir() && offline::is_release(path) {
        let files = offline::read_folder(path);
        let files = files.map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
        return Ok(Found::Release(offline::verify(&files, trust)));
    }
    if path.is_dir() {
        let catalog = std::sync::Arc::clone(&instance.definitions.catalog);
        let warehouse = Warehouse::open(&path.display().to_string(), catalog)?;
        return Ok(Found::Warehouse(verify(warehouse.store().as_ref(), trust).await?));
    }
    let bytes = std::fs::read(path).map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
    if let Ok(files) = offline::read_bundle(&bytes)
        && files.contains_key("proof.json")
    {
        return Ok(Found::Release(offline::verify(&files, trust)));
    }
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let snapshot: Snapshot = instance.warehouse.snapshot().await?;
    let standing = standing(&instance.definitions.catalog, &snapshot, &sha256);
    Ok(Found::File { path: path.display().to_string(), sha256, standing })
}

fn print(found: &Found) {
    match found {
        Found::Warehouse(verified) => {
            say(&format!(
                "{} releases with {} files, {} department files, {} leaves of the log {}",
                verified.releases, verified.files, verified.sources, verified.leaves, verified.origin
            ));
            println!("root {}", verified.root);
            println!("key  {}", verified.key);
            if !verified.is_key_given {
                say("no --key was given: the log vouches for itself; compare the key with one from elsewhere");
            }
            verified.harms.iter().for_each(|harm| say(&format!("FAILED: {}: {}", harm.path, harm.message)));
            if verified.harms.is_empty() {
                println!("everything is what was published");
            }
        }
        Found::Release(release) => print_release(release),
        Found::File { path, sha256, standing } => say(&format!("{path}: {standing} (sha256 {sha256})")),
    }
}

/// A line of the report, wrapped for a terminal.
fn say(line: &str) {
    print!("{}", text::wrapped(line, "", "  "));
}

fn print_release(found: &Offline) {
    let in_log = if found.is_in_log { "in the log" } else { "without a proof that it is in the log" };
    println!("{} ({}), {} files, {in_log}", found.release, found.status, found.files);
    if let Some(key) = &found.key {
        println!("key  {key}");
    }
    if !found.is_key_given {
        say("no --key was given: the keys beside it vouch for it; compare them with those from elsewhere");
    }
    found.harms.iter().for_each(|harm| say(&format!("FAILED: {}: {}", harm.path, harm.message)));
    if found.harms.is_empty() {
        println!("it is what was published");
    }
}
