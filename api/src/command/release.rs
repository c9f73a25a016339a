//! `gongkai release`, `correct` and `withdraw`: the publishing steps of the local operator.

use clap::Args;
use gongkai_warehouse::lake::SliceKey;
use gongkai_warehouse::register::{Actor, DraftState, Reviews};
use gongkai_warehouse::release::{Approval, Held, Published, Reach, Scope, Withdrawal};
use std::path::PathBuf;

use super::progress::Bar;
use super::{DataError, Outcome, ReportFormat, UsageError, open};
use crate::access::{Caller, Keys, Role};
use crate::config::Config;
use crate::instance::Instance;
use crate::pipeline::{self, Access as Writes, Inbox, PipelineError};
use crate::publishing::{self, PublishingError, actor};

/// Arguments of `release`.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// Datasets whose changed partitions are released; all where none is named
    datasets: Vec<String>,
    /// Why, as manifest and pages say it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Release in spite of what blocking checks found, with this public reason
    #[arg(long, value_name = "TEXT")]
    open_findings_reason: Option<String>,
    /// Where two persons publish: submit the drafts, with this statement of the review for state secrets
    #[arg(long, value_name = "TEXT", requires = "privacy_review")]
    secrecy_review: Option<String>,
    /// The statement of the review for personal data
    #[arg(long, value_name = "TEXT", requires = "secrecy_review")]
    privacy_review: Option<String>,
    #[command(flatten)]
    access: Access,
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
}

/// Arguments of `approve`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The draft
    draft: String,
    /// Send it back in place of releasing it, with this reason
    #[arg(long, value_name = "TEXT")]
    reject: Option<String>,
    #[command(flatten)]
    access: Access,
}

/// Who does a step at the command line.
#[derive(Debug, Args)]
struct Access {
    /// Access key of who does this; without one it is the local operator
    #[arg(long, value_name = "KEY", env = "GONGKAI_ACCESS_KEY", hide_env_values = true)]
    access_key: Option<String>,
}

impl Access {
    async fn actor(&self, instance: &Instance, allowed: fn(Role) -> bool) -> anyhow::Result<Actor> {
        let caller = match &self.access_key {
            Some(token) => {
                let keys = Keys::new(instance.warehouse.store().as_ref());
                let key = keys.authenticate(token, instance.clock.now()).await;
                Caller::of_key(key.map_err(|error| UsageError(error.to_string()))?)
            }
            None => Caller::local_operator(),
        };
        caller.require(allowed, "this step").map_err(|error| UsageError(error.to_string()))?;
        Ok(actor(&caller))
    }
}

/// Arguments of `correct`.
#[derive(Debug, Args)]
pub struct CorrectArgs {
    /// The dataset
    dataset: String,
    /// Department files with the right figures; none where only what is said about the figures changes
    files: Vec<PathBuf>,
    /// The partition, such as 2022/FINAL: releases it again with its rows as they are
    #[arg(long, value_name = "PARTITION", required_unless_present = "files")]
    partition: Option<String>,
    /// Why, as manifest, feed and pages say it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Release in spite of what blocking checks found, with this public reason
    #[arg(long, value_name = "TEXT")]
    open_findings_reason: Option<String>,
    #[command(flatten)]
    access: Access,
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
}

/// Arguments of `withdraw`.
#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// The release: dataset.number
    release: String,
    /// Why, as the tombstone says it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Take back every earlier release of the same partition too
    #[arg(long)]
    with_earlier: bool,
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
}

/// Runs `release`.
pub async fn release(config: Config, args: ReleaseArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    for dataset in &args.datasets {
        declared(&instance, dataset)?;
    }
    let scope = if args.datasets.is_empty() { Scope::All } else { Scope::Datasets(args.datasets) };
    if !instance.config.publishing.local_operator {
        let reviews = args.secrecy_review.zip(args.privacy_review);
        let reviews = reviews.map(|(secrecy, privacy)| Reviews { secrecy, privacy });
        let by = args.access.actor(&instance, Role::may_submit).await?;
        let reason = args.note.unwrap_or_else(|| "released by two persons".to_owned());
        return draft(&instance, scope, &reason, by, reviews.zip(Some(args.open_findings_reason))).await;
    }
    let writing = pipeline::begin(&instance).await?;
    let signer = pipeline::signing::signer(&instance).await?;
    let mut options = pipeline::release_options(&instance, signer, scope, args.note);
    options.approval.open_findings_reason = args.open_findings_reason;
    let published = pipeline::release_with(&instance, &writing, &options).await?;
    print(&published, args.format)
}

/// Makes drafts of a scope, and submits them where the reviews are stated.
async fn draft(
    instance: &Instance,
    scope: Scope,
    reason: &str,
    by: Actor,
    submission: Option<(Reviews, Option<String>)>,
) -> anyhow::Result<Outcome> {
    let writing = pipeline::begin(instance).await?;
    let drafts = publishing::draft_scope(instance, &writing, scope, reason, by.clone()).await?;
    drop(writing);
    println!("{} drafts", drafts.len());
    for draft in drafts {
        let draft = match &submission {
            Some((reviews, findings)) if matches!(draft.state, DraftState::Drafted | DraftState::Rejected) => {
                publishing::submit(instance, &draft.id, reviews.clone(), findings.clone(), by.clone()).await?
            }
            _ => draft,
        };
        println!("  {} {} {} ({}, {} rows)", draft.id, draft.partition, draft.state.name(), draft.kind, draft.rows);
    }
    Ok(Outcome::Done)
}

/// Runs `approve`.
pub async fn approve(config: Config, args: ApproveArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    let by = args.access.actor(&instance, Role::may_approve).await?;
    let decided = match args.reject {
        Some(reason) => publishing::reject(&instance, &args.draft, reason, by).await,
        None => publishing::approve(&instance, &args.draft, by).await.map(|(draft, _)| draft),
    };
    let draft = decided.map_err(|error| match error {
        PublishingError::Draft(error) => DataError(error.to_string()).into(),
        error => anyhow::Error::from(error),
    })?;
    println!("{} {}", draft.id, draft.release.unwrap_or_else(|| draft.state.name().to_owned()));
    Ok(Outcome::Done)
}

/// Runs `correct`.
pub async fn correct(config: Config, args: CorrectArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    declared(&instance, &args.dataset)?;
    let writing = pipeline::begin(&instance).await?;
    for file in &args.files {
        let inbox = Inbox { path: file.clone(), feeds: None, ready: None };
        let summary = pipeline::ingest(&instance, Writes::Write(&writing), &inbox, &mut Bar::new()).await?;
        eprint!("{summary}");
        if summary.is_at_fault() {
            return Err(DataError(format!("{} is not taken whole; nothing was released", file.display())).into());
        }
    }
    let scope = match args.partition {
        Some(partition) => Scope::Slice(SliceKey { dataset: args.dataset, partition }),
        None => Scope::Datasets(vec![args.dataset]),
    };
    if !instance.config.publishing.local_operator {
        drop(writing);
        return draft(&instance, scope, &args.reason, args.access.actor(&instance, Role::may_submit).await?, None)
            .await;
    }
    let signer = pipeline::signing::signer(&instance).await?;
    let mut options = pipeline::release_options(&instance, signer, scope, Some(args.reason));
    options.approval.open_findings_reason = args.open_findings_reason;
    let published = pipeline::release_with(&instance, &writing, &options).await?;
    print(&published, args.format)
}

/// Runs `withdraw`.
pub async fn withdraw(config: Config, args: WithdrawArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    let wrong = || UsageError(format!("{:?} is no release; expected dataset.number", args.release));
    let (dataset, number) = args.release.rsplit_once('.').ok_or_else(wrong)?;
    let number = number.parse().map_err(|_| wrong())?;
    let writing = pipeline::begin(&instance).await?;
    let signer = pipeline::signing::signer(&instance).await?;
    let withdrawal = Withdrawal {
        dataset: dataset.to_owned(),
        number,
        reason: args.reason,
        reach: if args.with_earlier { Reach::Partition } else { Reach::One },
        now: instance.clock.now(),
        approval: Approval::local_operator(&instance.config.publishing.office),
        declarations_sha256: instance.definitions.sha256.clone(),
        checks: std::sync::Arc::clone(&instance.definitions.checks),
        signer,
    };
    let published = match pipeline::withdraw(&instance, &writing, &withdrawal).await {
        Err(PipelineError::Lake(error @ gongkai_warehouse::lake::LakeError::NoSuchRelease { .. })) => {
            return Err(DataError(error.to_string()).into());
        }
        result => result?,
    };
    print(&published, args.format)
}

fn declared(instance: &Instance, dataset: &str) -> anyhow::Result<()> {
    instance.warehouse.dataset(dataset).map_err(|error| UsageError(error.to_string()))?;
    Ok(())
}

fn print(published: &Published, format: ReportFormat) -> anyhow::Result<Outcome> {
    if format == ReportFormat::Json {
        println!("{}", serde_json::to_string_pretty(published)?);
    } else {
        println!("{} new releases", published.releases.len());
        print!("{}", releases(published));
    }
    Ok(if published.held.is_empty() { Outcome::Done } else { Outcome::DataAtFault })
}

/// A line for each new release, then what was held back and why.
pub fn releases(published: &Published) -> String {
    let mut text = String::new();
    for release in &published.releases {
        let kind = if release.is_synthetic { "synthetic, " } else { "" };
        text += &format!("  {} {} ({kind}{}, {} rows)\n", release.id(), release.partition, release.kind, release.rows);
    }
    for Held { dataset, partition, findings } in &published.held {
        text += &format!("held back: {dataset} {partition}: {} errors of blocking checks\n", findings.len());
        for finding in findings.iter().take(5) {
            text += &format!("  {} {}\n", finding.check, finding.message_zh);
        }
        if findings.len() > 5 {
            text += &format!("  and {} more\n", findings.len() - 5);
        }
    }
    if !published.held.is_empty() {
        text += "mend the figures, or name a public reason with `gongkai release --open-findings-reason`\n";
    }
    text
}
