//! `gongkai signing-key`: the key that signs manifests and the log.

use clap::{Args, Subcommand};
use gongkai_warehouse::lake::pointer;
use gongkai_warehouse::publication::Publication;
use gongkai_warehouse::signing::{PublicKey, SigningKey};

use super::{Outcome, UsageError, open};
use crate::config::Config;
use crate::instance::Instance;
use crate::pipeline::{self, signing};

/// Arguments.
#[derive(Debug, Args)]
pub struct SigningKeyArgs {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Print the public keys of the log in the forms that openssl, minisign and readers of signed notes take
    Show,
    /// Let a new key sign from now on; the old one signs the change and is kept in the folder
    Rotate,
    /// Say in the log that an earlier key is not to be believed
    Revoke {
        /// The public key in base64, as `show` prints it
        public_key: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Since when: an instant such as 2026-01-31T08:00:00Z [default: now]
        #[arg(long, value_name = "TIME")]
        since: Option<chrono::DateTime<chrono::Utc>>,
    },
}

/// Runs the command.
pub async fn run(config: Config, args: SigningKeyArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    match args.step {
        Step::Show => show(&instance).await,
        Step::Rotate => rotate(&instance).await,
        Step::Revoke { public_key, reason, since } => {
            let key = PublicKey::from_base64(&public_key)
                .ok_or_else(|| UsageError(format!("{public_key:?} is not 32 bytes in base64")))?;
            let since = since.unwrap_or_else(|| instance.clock.now());
            revoke(&instance, key, &reason, since).await
        }
    }
}

async fn show(instance: &Instance) -> anyhow::Result<Outcome> {
    let store = instance.warehouse.store().as_ref();
    let current = pointer::read(store).await?.current;
    let log = pointer::read_index(store, &current).await?.log;
    if log.keys.is_empty() {
        let signer = signing::signer(instance).await?;
        println!("nothing is published yet; the log will be {}", signer.origin);
        print_key(&signer.origin, signer.key.public());
        return Ok(Outcome::Done);
    }
    for (position, record) in log.keys.iter().enumerate() {
        let Some(key) = PublicKey::from_base64(&record.public_key) else { continue };
        let state = match record.revoked_since {
            Some(since) => format!("not to be believed since {since}"),
            None if position + 1 == log.keys.len() => "signs now".to_owned(),
            None => "signed before".to_owned(),
        };
        println!("key {} from leaf {}: {state}", key.short_id(), record.log_index);
        print_key(&log.origin, key);
    }
    Ok(Outcome::Done)
}

fn print_key(origin: &str, key: PublicKey) {
    println!("note:     {}", key.verifier_key(origin));
    println!("base64:   {}", key.to_base64());
    println!("minisign: {}", key.minisign().lines().nth(1).unwrap_or_default());
    print!("{}", key.pem());
}

async fn rotate(instance: &Instance) -> anyhow::Result<Outcome> {
    let _writing = pipeline::begin(instance).await?;
    let signer = signing::signer(instance).await?;
    let folder = signing::folder(instance);
    let next = SigningKey::generate();
    // On disk before the log names it: a key that signs and cannot be found again would end the log.
    folder.write_next(&next)?;
    let store = instance.warehouse.store().as_ref();
    Publication::open(store, &signer, instance.clock.now()).await?.rotate(&next).await?;
    folder.promote(&signer.key)?;
    println!("key {} signs from now on; {} signed before", next.public().short_id(), signer.key.public().short_id());
    Ok(Outcome::Done)
}

async fn revoke(
    instance: &Instance,
    key: PublicKey,
    reason: &str,
    since: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<Outcome> {
    let _writing = pipeline::begin(instance).await?;
    let signer = signing::signer(instance).await?;
    let store = instance.warehouse.store().as_ref();
    let mut publication = Publication::open(store, &signer, instance.clock.now()).await?;
    publication.revoke(key, reason, since).map_err(|error| UsageError(error.to_string()))?;
    publication.commit().await?;
    println!("key {} is not to be believed since {since}", key.short_id());
    Ok(Outcome::Done)
}
