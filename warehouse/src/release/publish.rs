//! Publishing: every partition that changed becomes a release, and one switch of the pointer shows them all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::check::{self, Check, Finding, Findings, Outcome};
use crate::lake::slice::NormalisedTable;
use crate::lake::{LakeError, LedgerEntry, SliceKey, Warehouse, ledger, pass, pointer};
use crate::publication::{Publication, RequestRecord, Signer};
use crate::query::{EngineSettings, QueryEngine, QueryError};
use crate::snapshot::latest_of_each_partition;
use crate::{ReleaseRecord, Snapshot, SourceRecord};

use super::manifest::ManifestApproval;
use super::prepare::{self, Circumstances, Draft, History};
use super::seal;

/// Memory that the operators of one check may reserve.
const CHECK_POOL_BYTES: usize = 512 << 20;

/// What to do where a blocking check finds an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// Publish; the manifest names the open findings.
    #[default]
    Publish,
    /// Hold the partition back, unless a public reason is given.
    Hold,
}

/// In how many hands a release was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One person did all of it.
    LocalOperator,
    /// One submitted, another approved.
    TwoPersons,
    /// An approver took a release back, which has to be quick.
    Approver,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::LocalOperator => "local_operator",
            Self::TwoPersons => "two_persons",
            Self::Approver => "approver",
        }
    }
}

/// Who approves, and how.
#[derive(Debug, Clone)]
pub struct Approval {
    /// The approving office, which manifests name.
    pub office: String,
    /// In how many hands it was.
    pub mode: Mode,
    /// When the release was submitted, where that was another moment.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Statement of the review for state secrets.
    pub secrecy_review: Option<String>,
    /// Statement of the review for personal data.
    pub privacy_review: Option<String>,
    /// Why what a blocking check found shall not hold the release back. It is public.
    pub open_findings_reason: Option<String>,
}

impl Approval {
    /// One person does all of it.
    pub fn local_operator(office: &str) -> Self {
        Self {
            office: office.to_owned(),
            mode: Mode::LocalOperator,
            submitted_at: None,
            secrecy_review: None,
            privacy_review: None,
            open_findings_reason: None,
        }
    }

    pub(super) fn manifest(&self, now: DateTime<Utc>) -> ManifestApproval {
        ManifestApproval {
            mode: self.mode.name().into(),
            submitted_at: self.submitted_at.unwrap_or(now),
            approved_at: now,
            secrecy_review: self.secrecy_review.clone(),
            privacy_review: self.privacy_review.clone(),
            open_findings_reason: self.open_findings_reason.clone(),
        }
    }
}

/// What to publish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// Everything that changed.
    #[default]
    All,
    /// What changed of these datasets.
    Datasets(Vec<String>),
    /// One partition, even where its rows did not change: what is said about it does.
    Slice(SliceKey),
}

impl Scope {
    fn takes(&self, key: &SliceKey) -> bool {
        match self {
            Self::All => true,
            Self::Datasets(datasets) => datasets.contains(&key.dataset),
            Self::Slice(slice) => slice == key,
        }
    }
}

/// How to publish.
#[derive(Debug, Clone)]
pub struct ReleaseOptions {
    /// The clock's time.
    pub now: DateTime<Utc>,
    /// Why the releases are made.
    pub reason: String,
    /// Who approves, and how.
    pub approval: Approval,
    /// Digest of the declarations.
    pub declarations_sha256: String,
    /// What to publish.
    pub scope: Scope,
    /// What is tested before anything is published.
    pub checks: Arc<Vec<Check>>,
    /// What to do where a blocking check finds an error.
    pub on_error: OnError,
    /// Who signs.
    pub signer: Signer,
    /// What the one partition must be: its rows' digest, and the release that it replaces.
    pub expected: Option<Expected>,
    /// The request that this answers, so that asking again gives the same answer.
    pub request: Option<Request>,
}

/// What was seen before it was decided to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Digest of the rows.
    pub content_sha256: String,
    /// Release that they replace.
    pub base: Option<String>,
}

/// A request with a key of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// SHA-256 of who asked and the key that they gave.
    pub key_sha256: String,
    /// SHA-256 of what was asked.
    pub body_sha256: String,
}

/// A partition that a blocking check holds back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Dataset.
    pub dataset: String,
    /// Partition.
    pub partition: String,
    /// The errors.
    pub findings: Vec<Finding>,
}

/// What a run published.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Published {
    /// New releases, in the order of the log.
    pub releases: Vec<ReleaseRecord>,
    /// What was held back.
    pub held: Vec<Held>,
    /// Counter of the pointer afterwards.
    pub counter: u64,
    /// What the checks of the state came to.
    #[serde(skip)]
    pub findings: Findings,
}

/// What a state would become, with its files written and nothing of it visible.
struct Plan {
    drafts: Vec<Draft>,
    /// Versions of the tables that are wholly in it.
    tables: BTreeMap<String, u64>,
    findings: Findings,
}

/// Publishes what changed. The caller holds the writer lock and has run recovery.
///
/// A partition whose rows are those of its current release makes none.
pub async fn publish(warehouse: &Warehouse, options: &ReleaseOptions) -> Result<Published, LakeError> {
    let store = warehouse.store().as_ref();
    let mut publication = Publication::open(store, &options.signer, options.now).await?;
    let entries = ledger::read_all(store).await?;
    let mut held: Vec<Held> = Vec::new();
    let plan = loop {
        let plan = plan(warehouse, &publication, options, &entries, &held).await?;
        let blocked = match (options.on_error, &options.approval.open_findings_reason) {
            (OnError::Hold, None) => blocked(&plan, &options.checks),
            _ => Vec::new(),
        };
        if blocked.is_empty() {
            break plan;
        }
        // Numbers and findings of the others depend on what is left out: it is planned again without it.
        discard(warehouse, &plan).await?;
        held.extend(blocked);
    };
    pass("stage.all_done")?;
    let Plan { drafts, tables, findings } = plan;
    pass("gate.report")?;
    if drafts.is_empty() && tables == publication.index.tables && (options.request.is_none() || !held.is_empty()) {
        let (counter, findings) = (publication.before().counter, publication.index.findings.clone());
        return Ok(Published { counter, findings, held, ..Published::default() });
    }
    let mut made: Vec<ReleaseRecord> = Vec::new();
    for draft in drafts {
        let known = publication.index.releases.iter().chain(&made);
        let previous = known.filter(|release| release.dataset == draft.record.dataset).max_by_key(|known| known.number);
        let previous = previous.map(|release| release.manifest_sha256.clone());
        let Draft { manifest, mut record } = prepare::finish(draft, previous, &findings);
        seal::publish(store, &mut publication, &manifest, &mut record).await?;
        made.push(record);
    }
    let index = &mut publication.index;
    index.tables = tables;
    index.findings = findings.clone();
    index.releases.extend(made.iter().cloned());
    index.sources = released_sources(&index.releases, &entries);
    // What was refused is asked anew when it is asked again.
    let is_answered = held.is_empty() || !made.is_empty();
    if let Some(Request { key_sha256, body_sha256 }) = options.request.clone().filter(|_| is_answered) {
        let releases = made.iter().map(ReleaseRecord::id).collect();
        index.requests.push(RequestRecord { key_sha256, body_sha256, releases });
    }
    let current = publication.commit().await?;
    Ok(Published { releases: made, held, counter: current.counter, findings })
}

/// What a partition would become, for a person who has to decide: nothing is published, and nothing is left behind.
#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    /// The record that the release would have, without number in the log and digest of its manifest.
    pub release: ReleaseRecord,
    /// Digest of its rows.
    pub content_sha256: String,
    /// The difference to the current release, as canonical JSON; none where there is none to compare with.
    #[serde(skip)]
    pub difference: Option<bytes::Bytes>,
    /// What the checks would find in it that is not `PASS`.
    pub findings: Vec<Finding>,
    /// Of these, errors that hold it back unless a public reason is given.
    pub blocking: Vec<Finding>,
}

/// Shows what publishing would release.
pub async fn preview(warehouse: &Warehouse, options: &ReleaseOptions) -> Result<Vec<Preview>, LakeError> {
    let store = warehouse.store().as_ref();
    let publication = Publication::open(store, &options.signer, options.now).await?;
    let entries = ledger::read_all(store).await?;
    let plan = plan(warehouse, &publication, options, &entries, &[]).await?;
    let blocked = blocked(&plan, &options.checks);
    let mut previews = Vec::new();
    for draft in &plan.drafts {
        let (record, id) = (&draft.record, draft.record.id());
        let is_of = |finding: &&Finding| finding.release_id == id;
        let path = format!("{}/{}", record.folder(), prepare::DIFFERENCE);
        previews.push(Preview {
            release: record.clone(),
            content_sha256: draft.manifest.content_sha256.clone(),
            difference: store.read_optional(&path).await?,
            findings: plan.findings.findings.iter().filter(is_of).cloned().collect(),
            blocking: blocked
                .iter()
                .filter(|held| held.dataset == record.dataset && held.partition == record.partition)
                .flat_map(|held| held.findings.clone())
                .collect(),
        });
    }
    discard(warehouse, &plan).await?;
    Ok(previews)
}

async fn plan(
    warehouse: &Warehouse,
    publication: &Publication<'_>,
    options: &ReleaseOptions,
    entries: &[LedgerEntry],
    held: &[Held],
) -> Result<Plan, LakeError> {
    let index = &publication.index;
    let circumstances = Circumstances {
        catalog: warehouse.catalog(),
        ledger: entries,
        now: options.now,
        reason: &options.reason,
        approval: &options.approval,
        declarations_sha256: &options.declarations_sha256,
    };
    let known = &publication.before().tables;
    let mut tables = known.clone();
    let mut drafts: Vec<Draft> = Vec::new();
    for table in warehouse.catalog().tables.values() {
        if !has_rows(warehouse, &table.name, entries) {
            continue;
        }
        let normalised = NormalisedTable::open(warehouse.store().as_ref(), table).await?;
        let is_known = known.get(&table.name) == Some(&normalised.version());
        if is_known && !matches!(options.scope, Scope::Slice(_)) {
            continue;
        }
        let mut skipped = false;
        for key in normalised.slices() {
            let is_held = held.iter().any(|held| held.dataset == key.dataset && held.partition == key.partition);
            if !options.scope.takes(key) || is_held {
                skipped = true;
                continue;
            }
            let drafted = drafts.iter().map(|draft| &draft.record);
            let releases: Vec<&ReleaseRecord> =
                index.releases.iter().chain(drafted).filter(|release| release.dataset == key.dataset).collect();
            let history = History { releases: &releases };
            let even_same = matches!(options.scope, Scope::Slice(_));
            let base = history.latest(&key.partition).map(ReleaseRecord::id);
            if let Some(draft) = draft_slice(warehouse, &normalised, (key, even_same), history, &circumstances).await? {
                if let Some(expected) = &options.expected
                    && (expected.content_sha256 != draft.manifest.content_sha256 || expected.base != base)
                {
                    return Err(LakeError::Moved { dataset: key.dataset.clone(), partition: key.partition.clone() });
                }
                drafts.push(draft);
            }
        }
        // With a part left out, the next run has to look at the table again.
        if !skipped {
            tables.insert(table.name.clone(), normalised.version());
        }
    }
    let findings = if drafts.is_empty() {
        index.findings.clone()
    } else {
        check_drafts(warehouse, index, &drafts, &options.checks).await?
    };
    Ok(Plan { drafts, tables, findings })
}

/// Takes the files of a plan away again.
async fn discard(warehouse: &Warehouse, plan: &Plan) -> Result<(), LakeError> {
    let store = warehouse.store();
    for draft in &plan.drafts {
        for file in &draft.record.files {
            store.remove(&format!("{}/{}", draft.record.folder(), file.name)).await?;
        }
    }
    Ok(())
}

/// Drafts in which a blocking check finds an error.
fn blocked(plan: &Plan, checks: &[Check]) -> Vec<Held> {
    let blocking: BTreeSet<&str> =
        checks.iter().filter(|check| check.is_blocking).map(|check| check.id.as_str()).collect();
    let errors = |release: &str| -> Vec<Finding> {
        let holds = |finding: &&Finding| {
            finding.release_id == release
                && finding.outcome == Outcome::Error
                && blocking.contains(finding.check.as_str())
        };
        plan.findings.findings.iter().filter(holds).cloned().collect()
    };
    let of_drafts = plan.drafts.iter().map(|draft| Held {
        dataset: draft.record.dataset.clone(),
        partition: draft.record.partition.clone(),
        findings: errors(&draft.record.id()),
    });
    of_drafts.filter(|held| !held.findings.is_empty()).collect()
}

fn has_rows(warehouse: &Warehouse, table: &str, entries: &[LedgerEntry]) -> bool {
    entries
        .iter()
        .flat_map(|entry| &entry.slices)
        .any(|(dataset, _)| warehouse.catalog().datasets.get(dataset).is_some_and(|dataset| dataset.table == table))
}

/// Tests the state that the drafts would make. Checks whose tables nothing changes keep their results.
async fn check_drafts(
    warehouse: &Warehouse,
    index: &pointer::Index,
    drafts: &[Draft],
    checks: &[Check],
) -> Result<Findings, LakeError> {
    let changed: BTreeSet<&str> = drafts.iter().map(|draft| draft.record.table.as_str()).collect();
    let releases = index.releases.iter().cloned().chain(drafts.iter().map(|draft| draft.record.clone()));
    recheck(warehouse, index, releases.collect(), &changed, checks).await
}

/// Tests a state again in which some tables changed.
pub(super) async fn recheck(
    warehouse: &Warehouse,
    index: &pointer::Index,
    releases: Vec<ReleaseRecord>,
    changed: &BTreeSet<&str>,
    checks: &[Check],
) -> Result<Findings, LakeError> {
    let (again, kept): (Vec<&Check>, Vec<&Check>) =
        checks.iter().partition(|check| check.tables.iter().any(|table| changed.contains(table.as_str())));
    let kept: BTreeSet<(&str, &str)> =
        kept.iter().flat_map(|check| check.tables.iter().map(|table| (check.id.as_str(), table.as_str()))).collect();
    let current = latest_of_each_partition(&releases);
    let snapshot = Snapshot { releases, current, ..Snapshot::empty() };
    let is_kept = |check: &str, release: &str| {
        snapshot.current_releases().any(|known| known.id() == release && kept.contains(&(check, known.table.as_str())))
    };
    let mut findings = index.findings.clone();
    findings.findings.retain(|finding| is_kept(&finding.check, &finding.release_id));
    findings.runs.retain(|run| is_kept(&run.check, &run.release_id));
    // Checks that look at one hour after the other sort all hours: beyond the pool they spill, into a folder of the engine's own.
    let spill_dir = Some(std::env::temp_dir());
    let settings =
        EngineSettings { pool_bytes: CHECK_POOL_BYTES, spill_dir, spill_bytes: 16 << 30, ..EngineSettings::default() };
    let objects = Arc::clone(warehouse.store().objects());
    let failed = |(check, source): (String, QueryError)| LakeError::Check { check, source: Box::new(source) };
    let engine = QueryEngine::new(Arc::clone(warehouse.catalog()), objects, settings)
        .map_err(|source| failed(("all".into(), source)))?;
    let run = check::run_all(&engine, &again, &Arc::new(snapshot)).await.map_err(failed)?;
    findings.findings.extend(run.findings);
    findings.runs.extend(run.runs);
    findings
        .findings
        .sort_by(|a, b| (&a.check, &a.scope_key, &a.release_id).cmp(&(&b.check, &b.scope_key, &b.release_id)));
    findings.runs.sort_by(|a, b| {
        (&a.check, &a.dataset, &a.release_id, a.outcome).cmp(&(&b.check, &b.dataset, &b.release_id, b.outcome))
    });
    Ok(findings)
}

async fn draft_slice(
    warehouse: &Warehouse,
    normalised: &NormalisedTable<'_>,
    (key, even_same): (&SliceKey, bool),
    history: History<'_>,
    circumstances: &Circumstances<'_>,
) -> Result<Option<Draft>, LakeError> {
    let store = warehouse.store().as_ref();
    let (_, table) = prepare::declared(warehouse.catalog(), &key.dataset)?;
    let rows = normalised.read(key).await?;
    let withdrawn = history.withdrawn_sources(&key.partition);
    let content = prepare::content(&rows, table, circumstances.ledger, &withdrawn)
        .map_err(|source| LakeError::Arrow { table: table.name.clone(), source })?;
    if content.batch.num_rows() == 0 {
        return Ok(None);
    }
    if let Some(latest) = history.latest(&key.partition)
        && prepare::read_manifest(store, latest).await?.content_sha256 == content.sha256
        && (!even_same || history.is_withdrawn(latest))
    {
        return Ok(None);
    }
    prepare::draft(warehouse, circumstances, key, &content, history).await.map(Some)
}

/// Sources that some release was made from, by the slices they gave rows to.
fn released_sources(releases: &[ReleaseRecord], entries: &[LedgerEntry]) -> Vec<SourceRecord> {
    let is_released = |slice: &(String, String)| {
        releases.iter().any(|release| release.dataset == slice.0 && release.partition == slice.1)
    };
    entries.iter().filter(|entry| entry.slices.iter().any(is_released)).map(|entry| entry.source.clone()).collect()
}
