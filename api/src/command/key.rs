//! `gongkai key`: make, list and revoke access keys.
//!
//! Whoever can write the warehouse's folder is its admin, so no key is asked for. Each key is a file of its own: the
//! writer lock is not taken, and keys are made and revoked while a release runs.

use chrono::{DateTime, Days, SecondsFormat, Utc};
use clap::{Args, Subcommand};

use super::{Outcome, ReportFormat, UsageError, open};
use crate::access::{AccessError, Keys, NewKeyRequest, Role};
use crate::config::Config;
use crate::http::app::parse_time;
use crate::http::key::{CreatedKey, KeyRecord};
use crate::text::{COLUMNS, cut, width, wrapped};

/// Arguments.
#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    what: What,
    /// What to print
    #[arg(long, value_enum, default_value = "text", global = true)]
    format: ReportFormat,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a key; its text is shown once
    Create(CreateArgs),
    /// Show every key, without anything that would open it
    List,
    /// Take a key back, from now on
    Revoke {
        /// Id of the key: the part between gk_ and the next _
        id: String,
    },
}

/// A key to be made.
#[derive(Debug, Args)]
struct CreateArgs {
    /// What the key may do
    #[arg(long, value_enum)]
    role: Role,
    /// The office or person it is for; who submits a release cannot approve it
    #[arg(long, value_name = "TEXT")]
    holder: String,
    /// Code of a region whose restricted datasets it reads; may be repeated
    #[arg(long = "region", value_name = "CODE")]
    regions: Vec<String>,
    /// Group whose restricted datasets it reads; may be repeated
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// Until when it is valid: 2026-12-31 (to the end of that day) or 2026-12-31T08:00:00Z [default: no end]
    #[arg(long, value_name = "TIME", conflicts_with = "days")]
    expires: Option<String>,
    /// For how many days it is valid
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
}

impl CreateArgs {
    fn expires_at(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, UsageError> {
        if let Some(days) = self.days {
            let end = now.checked_add_days(Days::new(u64::from(days)));
            return end.map(Some).ok_or_else(|| UsageError(format!("--days {days} ends after the last date there is")));
        }
        let Some(text) = &self.expires else { return Ok(None) };
        parse_time(text).map(Some).map_err(|_| {
            UsageError(format!("--expires is {text:?}, expected an instant such as 2026-12-31T08:00:00Z, or a date"))
        })
    }
}

/// Runs the command.
pub async fn run(config: Config, args: KeyArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    let now = instance.clock.now();
    let keys = Keys::new(instance.warehouse.store().as_ref());
    if !matches!(args.what, What::List) {
        // On standard error, so that what programs read stays clean.
        eprintln!("acting as the local operator, admin of this warehouse");
    }
    match args.what {
        What::Create(asked) => {
            let expires_at = asked.expires_at(now)?;
            let CreateArgs { role, holder, regions, groups, .. } = asked;
            let request = NewKeyRequest { holder, role, regions, groups, expires_at };
            request.check_regions(&instance.definitions.catalog.regions).map_err(explain)?;
            let made = CreatedKey::of(keys.create(request, now).await.map_err(explain)?, now);
            match args.format {
                ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&made)?),
                ReportFormat::Text => {
                    println!("{}", made.token);
                    println!("Keep it now: it is not shown again, and the warehouse holds only a digest of it.");
                    print_keys(&[made.key]);
                }
            }
        }
        What::List => {
            let listed = keys.list().await.map_err(explain)?;
            let listed: Vec<KeyRecord> = listed.into_iter().map(|key| KeyRecord::of(key, now)).collect();
            match args.format {
                ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&listed)?),
                ReportFormat::Text if listed.is_empty() => println!("no keys; `gongkai key create` makes one"),
                ReportFormat::Text => print_keys(&listed),
            }
        }
        What::Revoke { id } => {
            let revoked = KeyRecord::of(keys.revoke(&id, now).await.map_err(explain)?, now);
            match args.format {
                ReportFormat::Json => println!("{}", serde_json::to_string_pretty(&revoked)?),
                ReportFormat::Text => print_keys(&[revoked]),
            }
        }
    }
    Ok(Outcome::Done)
}

/// What was asked for is the user's fault; a storage that fails and a damaged file are not.
fn explain(error: AccessError) -> anyhow::Error {
    match error {
        AccessError::Request { .. } | AccessError::NotAnId | AccessError::NoSuchKey { .. } => {
            UsageError(error.to_string()).into()
        }
        fault => fault.into(),
    }
}

fn print_keys(keys: &[KeyRecord]) {
    println!("id        role       state    since or until        holder");
    for key in keys {
        let moment = key.revoked_at.or(key.expires_at);
        let moment = moment.map_or_else(|| "-".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
        let line = format!("{}  {:<9}  {:<7}  {moment:<20}  ", key.id, key.role, key.state);
        println!("{line}{}", cut(&key.holder, COLUMNS.saturating_sub(width(&line))));
        let scope = scope(key);
        if !scope.is_empty() {
            print!("{}", wrapped(&scope, "          ", "          "));
        }
    }
}

/// Regions and groups, where the key has any.
fn scope(key: &KeyRecord) -> String {
    let regions = key.regions.iter().map(|code| format!("region {code}"));
    let groups = key.groups.iter().map(|name| format!("group {name}"));
    regions.chain(groups).collect::<Vec<_>>().join(", ")
}
