//! The steps from a file to a release.

use std::collections::BTreeSet;

use gongkai_warehouse::lake::{LakeError, SliceKey, ledger, pointer};
use gongkai_warehouse::publication::{Publication, RequestRecord};
use gongkai_warehouse::register::{Actor, Draft, DraftError, Event, Reviews, draft as drafts};
use gongkai_warehouse::release::prepare::read_manifest;
use gongkai_warehouse::release::{
    Approval, Expected, Held, Mode, Published, Reach, ReleaseOptions, Request, Scope, Withdrawal, preview,
};
use gongkai_warehouse::{ReleaseRecord, Snapshot};
use sha2::{Digest, Sha256};

use super::{Incoming, PublishingError, begin};
use crate::instance::Instance;
use crate::pipeline::{self, Access, Outcome, Progress, Writing, signing};

/// Nobody watches.
struct Unseen;

impl Progress for Unseen {
    fn start(&mut self, _: usize) {}
    fn file(&mut self, _: &str) {}
    fn finish(&mut self) {}
}

/// A file that was read, and the partitions that have rows of it.
#[derive(Debug)]
pub struct Taken {
    /// SHA-256 of the file.
    pub sha256: String,
    /// Feeds that read it, joined by a comma.
    pub feed: String,
    /// Dataset and partition of its rows.
    pub slices: Vec<(String, String)>,
    /// Records and cells that were set aside.
    pub set_aside: u64,
}

/// Lands and reads a file, and releases nothing.
pub async fn read_file(instance: &Instance, incoming: &Incoming) -> Result<Taken, PublishingError> {
    let writing = begin(instance).await?;
    take(instance, &writing, incoming).await
}

async fn take(instance: &Instance, writing: &Writing, incoming: &Incoming) -> Result<Taken, PublishingError> {
    let summary = pipeline::ingest(instance, Access::Write(writing), &incoming.inbox(), &mut Unseen).await?;
    let bad = |message: String| PublishingError::BadFile { message };
    let file = summary.files.iter().find(|file| file.path == incoming.path());
    let file = file.ok_or_else(|| bad("the file is an archive or has no content; send its files".into()))?;
    let (feed, set_aside) = match &file.outcome {
        Outcome::Read { feed, reports, .. } => {
            (feed.clone(), reports.iter().map(|report| report.set_aside.len() as u64).sum())
        }
        Outcome::Known { feed, counts, .. } => (feed.clone(), counts.records_set_aside + counts.cells_set_aside),
        Outcome::Held { personal, .. } => {
            let places: Vec<String> = personal.iter().take(5).map(ToString::to_string).collect();
            return Err(PublishingError::Personal { places: places.join("; ") });
        }
        Outcome::Unmatched { format, reasons } => {
            return Err(bad(format!("no feed reads this {format} file: {}", reasons.join("; "))));
        }
        Outcome::Damaged { message } => return Err(bad(message.clone())),
        Outcome::Unpacked { .. } => return Err(bad("the file is an archive; send its files one by one".into())),
        Outcome::NotAsked { .. } | Outcome::Skipped { .. } => return Err(bad("the file was not read".into())),
    };
    let entry = ledger::read(instance.warehouse.store().as_ref(), &incoming.sha256).await?;
    let slices = entry.map(|entry| entry.slices).unwrap_or_default();
    Ok(Taken { sha256: incoming.sha256.clone(), feed, slices, set_aside })
}

/// What one act from file to release is asked to do.
#[derive(Debug, Default)]
pub struct Release {
    /// Why; public.
    pub reason: Option<String>,
    /// Why it shall go out although blocking checks find errors; public.
    pub open_findings_reason: Option<String>,
    /// The newest release of its dataset that the caller knows.
    pub expected: Option<String>,
    /// SHA-256 of who asks and the key that they gave the request.
    pub request_sha256: Option<String>,
}

/// Reads a file and releases what it changes, by one person.
///
/// Asked again with the same key and file, it answers with the same releases. A file whose rows change nothing answers
/// with the releases that hold them.
pub async fn release_file(
    instance: &Instance,
    incoming: &Incoming,
    asked: Release,
) -> Result<(Taken, Published), PublishingError> {
    if !instance.config.publishing.local_operator {
        return Err(PublishingError::TwoPersons);
    }
    let writing = begin(instance).await?;
    let store = instance.warehouse.store().as_ref();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let parts = [text(&asked.reason), text(&asked.open_findings_reason), text(&asked.expected)];
    let body = format!("{}\n{}\n{}", incoming.path(), incoming.sha256, parts.join("\n"));
    let body_sha256 = hex::encode(Sha256::digest(body));
    let before = pointer::read(store).await?.current;
    let index = pointer::read_index(store, &before).await?;
    if let Some(key) = &asked.request_sha256
        && let Some(known) = index.requests.iter().find(|known| known.key_sha256 == *key)
    {
        return replay(instance, known, &body_sha256, incoming).await;
    }
    if let Some(expected) = &asked.expected {
        require_newest(&index.releases, expected)?;
    }
    let taken = take(instance, &writing, incoming).await?;
    let datasets: BTreeSet<String> = taken.slices.iter().map(|(dataset, _)| dataset.clone()).collect();
    let named = asked.expected.as_deref().and_then(|expected| expected.rsplit_once('.')).map(|(dataset, _)| dataset);
    if let Some(named) = named.filter(|named| !datasets.contains(*named)) {
        let found = datasets.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let (dataset, expected) = (named.to_owned(), asked.expected.clone().unwrap_or_default());
        return Err(PublishingError::NotCurrent {
            dataset,
            found: format!("untouched: the file is of {found}"),
            expected,
        });
    }
    let signer = signing::signer(instance).await.map_err(pipeline::PipelineError::from)?;
    let scope = Scope::Datasets(datasets.into_iter().collect());
    let mut options = pipeline::release_options(instance, signer, scope, asked.reason);
    options.approval.open_findings_reason = asked.open_findings_reason;
    options.request = asked.request_sha256.map(|key_sha256| Request { key_sha256, body_sha256 });
    let mut published = pipeline::release_with(instance, &writing, &options).await?;
    refuse_held(&published.held, published.releases.is_empty())?;
    if published.releases.is_empty() {
        let snapshot = instance.warehouse.snapshot().await?;
        published.releases = holding(&snapshot, &taken.slices);
    }
    Ok((taken, published))
}

async fn replay(
    instance: &Instance,
    known: &RequestRecord,
    body_sha256: &str,
    incoming: &Incoming,
) -> Result<(Taken, Published), PublishingError> {
    if known.body_sha256 != body_sha256 {
        return Err(PublishingError::OtherRequest);
    }
    let snapshot = instance.warehouse.snapshot().await?;
    let entry = ledger::read(instance.warehouse.store().as_ref(), &incoming.sha256).await?;
    let slices = entry.as_ref().map(|entry| entry.slices.clone()).unwrap_or_default();
    let mut releases: Vec<ReleaseRecord> =
        snapshot.releases.iter().filter(|release| known.releases.contains(&release.id())).cloned().collect();
    if releases.is_empty() {
        releases = holding(&snapshot, &slices);
    }
    let feed = entry.map(|entry| entry.source.feed).unwrap_or_default();
    let taken = Taken { sha256: incoming.sha256.clone(), feed, slices, set_aside: 0 };
    Ok((taken, Published { releases, counter: snapshot.counter, ..Published::default() }))
}

/// The current releases of some partitions.
fn holding(snapshot: &Snapshot, slices: &[(String, String)]) -> Vec<ReleaseRecord> {
    let holds = |release: &&ReleaseRecord| {
        slices.iter().any(|(dataset, partition)| release.dataset == *dataset && release.partition == *partition)
    };
    snapshot.current_releases().filter(holds).cloned().collect()
}

#[allow(clippy::result_large_err, reason = "made at most once a request")]
fn require_newest(releases: &[ReleaseRecord], expected: &str) -> Result<(), PublishingError> {
    let dataset = expected.rsplit_once('.').map_or(expected, |(dataset, _)| dataset);
    let newest = releases.iter().filter(|release| release.dataset == dataset).max_by_key(|release| release.number);
    let found = newest.map_or_else(|| format!("{dataset}.0"), ReleaseRecord::id);
    if found == expected {
        return Ok(());
    }
    Err(PublishingError::NotCurrent { dataset: dataset.to_owned(), found, expected: expected.to_owned() })
}

#[allow(clippy::result_large_err, reason = "made at most once a request")]
fn refuse_held(held: &[Held], is_nothing_out: bool) -> Result<(), PublishingError> {
    if held.is_empty() || !is_nothing_out {
        return Ok(());
    }
    let findings = held.iter().flat_map(|held| &held.findings);
    let checks: BTreeSet<&str> = findings.map(|finding| finding.check.as_str()).collect();
    let partitions: Vec<String> = held.iter().map(|held| format!("{} {}", held.dataset, held.partition)).collect();
    Err(PublishingError::Held {
        count: held.iter().map(|held| held.findings.len()).sum(),
        checks: checks.into_iter().collect::<Vec<_>>().join(", "),
        partitions: partitions.join(", "),
    })
}

/// Makes drafts of what changed in a dataset, or of one partition of it.
pub async fn draft(
    instance: &Instance,
    (dataset, partition): (String, Option<String>),
    reason: &str,
    by: Actor,
) -> Result<Vec<Draft>, PublishingError> {
    let writing = begin(instance).await?;
    let scope = match partition {
        Some(partition) => Scope::Slice(SliceKey { dataset: dataset.clone(), partition }),
        None => Scope::Datasets(vec![dataset.clone()]),
    };
    let made = draft_scope(instance, &writing, scope, reason, by).await?;
    if made.is_empty() {
        return Err(PublishingError::Unchanged { dataset });
    }
    Ok(made)
}

/// Makes drafts of what changed, by somebody who holds the writer lock already.
pub async fn draft_scope(
    instance: &Instance,
    _writing: &Writing,
    scope: Scope,
    reason: &str,
    by: Actor,
) -> Result<Vec<Draft>, PublishingError> {
    let store = instance.warehouse.store().as_ref();
    let signer = signing::signer(instance).await.map_err(pipeline::PipelineError::from)?;
    let options = pipeline::release_options(instance, signer, scope, Some(reason.to_owned()));
    let mut made = Vec::new();
    for preview in &preview(&instance.warehouse, &options).await? {
        made.push(Draft::make(store, preview, reason, by.clone(), options.now).await?);
    }
    Ok(made)
}

/// Puts a draft before an approver.
pub async fn submit(
    instance: &Instance,
    id: &str,
    reviews: Reviews,
    open_findings_reason: Option<String>,
    by: Actor,
) -> Result<Draft, PublishingError> {
    let _writing = begin(instance).await?;
    let store = instance.warehouse.store().as_ref();
    let draft = drafts::find(store, id).await?;
    Ok(draft.submit(store, reviews, open_findings_reason, (by, instance.clock.now())).await?)
}

/// Sends a draft back.
pub async fn reject(instance: &Instance, id: &str, reason: String, by: Actor) -> Result<Draft, PublishingError> {
    let _writing = begin(instance).await?;
    let store = instance.warehouse.store().as_ref();
    let draft = drafts::find(store, id).await?;
    if released_already(instance, &draft).await?.is_some() {
        let (id, found, expected) = (draft.id, "released", "submitted");
        return Err(DraftError::State { id, found, expected }.into());
    }
    Ok(draft.reject(store, reason, (by, instance.clock.now())).await?)
}

/// Releases what a draft names, by another person than the one who submitted it.
pub async fn approve(instance: &Instance, id: &str, by: Actor) -> Result<(Draft, Published), PublishingError> {
    let writing = begin(instance).await?;
    let store = instance.warehouse.store().as_ref();
    let draft = drafts::find(store, id).await?;
    draft.check_approval(&by, instance.config.publishing.on_error)?;
    if let Some(release) = released_already(instance, &draft).await? {
        // Cut off between the publication and the draft's own record of it.
        let draft = draft.released(store, release.id(), (by, instance.clock.now())).await?;
        return Ok((draft, Published { releases: vec![release], ..Published::default() }));
    }
    let signer = signing::signer(instance).await.map_err(pipeline::PipelineError::from)?;
    let key = SliceKey { dataset: draft.dataset.clone(), partition: draft.partition.clone() };
    let base = pipeline::release_options(instance, signer, Scope::Slice(key.clone()), Some(draft.reason.clone()));
    let reviews = draft.reviews.clone();
    let options = ReleaseOptions {
        approval: Approval {
            mode: Mode::TwoPersons,
            submitted_at: draft.submitted_at,
            secrecy_review: reviews.as_ref().map(|reviews| reviews.secrecy.clone()),
            privacy_review: reviews.map(|reviews| reviews.privacy),
            open_findings_reason: draft.open_findings_reason.clone(),
            ..base.approval.clone()
        },
        expected: Some(Expected { content_sha256: draft.content_sha256.clone(), base: draft.base.clone() }),
        ..base
    };
    let published = pipeline::release_with(instance, &writing, &options).await?;
    refuse_held(&published.held, published.releases.is_empty())?;
    let Some(release) = published.releases.first() else {
        return Err(LakeError::Moved { dataset: key.dataset, partition: key.partition }.into());
    };
    let draft = draft.released(store, release.id(), (by, instance.clock.now())).await?;
    Ok((draft, published))
}

/// The release that a draft became, where it did.
async fn released_already(instance: &Instance, draft: &Draft) -> Result<Option<ReleaseRecord>, PublishingError> {
    let snapshot = instance.warehouse.snapshot().await?;
    let current = snapshot.current_of_dataset(&draft.dataset);
    let Some(release) = current.into_iter().find(|release| release.partition == draft.partition) else {
        return Ok(None);
    };
    let base = release.supersedes.map(|number| format!("{}.{number}", release.dataset));
    let manifest = read_manifest(instance.warehouse.store().as_ref(), release).await?;
    let is_it = base == draft.base && manifest.content_sha256 == draft.content_sha256;
    Ok(is_it.then(|| release.clone()))
}

/// Takes a release back.
pub async fn withdraw(
    instance: &Instance,
    release: &str,
    reason: String,
    reach: Reach,
    mode: Mode,
) -> Result<Published, PublishingError> {
    let missing = || LakeError::NoSuchRelease { release: release.chars().take(200).collect() };
    let (dataset, number) = release.rsplit_once('.').ok_or_else(missing)?;
    let number = number.parse().map_err(|_| missing())?;
    if reason.trim().is_empty() {
        return Err(DraftError::Empty { field: "reason" }.into());
    }
    let writing = begin(instance).await?;
    let signer = signing::signer(instance).await.map_err(pipeline::PipelineError::from)?;
    let withdrawal = Withdrawal {
        dataset: dataset.to_owned(),
        number,
        reason,
        reach,
        now: instance.clock.now(),
        approval: Approval { mode, ..Approval::local_operator(&instance.config.publishing.office) },
        declarations_sha256: instance.definitions.sha256.clone(),
        checks: std::sync::Arc::clone(&instance.definitions.checks),
        signer,
    };
    Ok(pipeline::withdraw(instance, &writing, &withdrawal).await?)
}

/// Records an event, which is public from then on.
pub async fn record_event(instance: &Instance, event: Event) -> Result<Event, PublishingError> {
    let _writing = begin(instance).await?;
    let signer = signing::signer(instance).await.map_err(pipeline::PipelineError::from)?;
    let store = instance.warehouse.store().as_ref();
    let mut publication = Publication::open(store, &signer, instance.clock.now()).await?;
    let event = event.record(&mut publication)?;
    publication.commit().await?;
    Ok(event)
}
