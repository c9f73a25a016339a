//! Publishing: every partition that changed becomes a release, and one switch of the pointer shows them all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::check::{self, Check, Findings};
use crate::lake::slice::NormalisedTable;
use crate::lake::{LakeError, SliceKey, Warehouse, ledger, pointer};
use crate::query::{EngineSettings, QueryEngine, QueryError};
use crate::snapshot::latest_of_each_partition;
use crate::{ReleaseRecord, Snapshot, SourceRecord};

use super::prepare::{self, Circumstances, Draft};

/// Memory that the operators of one check may reserve.
const CHECK_POOL_BYTES: usize = 1 << 30;

/// How to publish.
#[derive(Debug, Clone)]
pub struct ReleaseOptions {
    /// The clock's time.
    pub now: DateTime<Utc>,
    /// Why the releases are made.
    pub reason: String,
    /// Approving office.
    pub approved_by: String,
    /// Digest of the declarations.
    pub declarations_sha256: String,
    /// Datasets to publish; none means all.
    pub only: Option<Vec<String>>,
    /// What is tested before anything is published.
    pub checks: Arc<Vec<Check>>,
}

/// What a run published.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Published {
    /// New releases, in the order of the log.
    pub releases: Vec<ReleaseRecord>,
    /// Counter of the pointer afterwards.
    pub counter: u64,
    /// What the checks of the state came to.
    #[serde(skip)]
    pub findings: Findings,
}

/// Leaf of the publication log: what will be signed over.
#[derive(Debug, Serialize)]
struct Leaf<'a> {
    index: u64,
    release: String,
    manifest_sha256: &'a str,
}

/// Publishes what changed. The caller holds the writer lock and has run recovery.
///
/// A partition whose rows are those of its current release makes none.
pub async fn publish(warehouse: &Warehouse, options: &ReleaseOptions) -> Result<Published, LakeError> {
    let store = warehouse.store().as_ref();
    let before = pointer::read(store).await?;
    let mut index = pointer::read_index(store, &before.current).await?;
    let mut versions: BTreeMap<String, u64> = before.current.tables.clone();
    let entries = ledger::read_all(store).await?;
    let circumstances = Circumstances {
        catalog: warehouse.catalog(),
        ledger: &entries,
        now: options.now,
        reason: &options.reason,
        approved_by: &options.approved_by,
        declarations_sha256: &options.declarations_sha256,
    };
    let mut drafts: Vec<Draft> = Vec::new();
    for table in warehouse.catalog().tables.values() {
        if !has_rows(warehouse, &table.name, &entries) {
            continue;
        }
        let normalised = NormalisedTable::open(store, table).await?;
        if before.current.tables.get(&table.name) == Some(&normalised.version()) {
            continue;
        }
        let mut skipped = false;
        for key in normalised.slices() {
            if options.only.as_ref().is_some_and(|only| !only.contains(&key.dataset)) {
                skipped = true;
                continue;
            }
            let drafted = drafts.iter().map(|draft| &draft.record);
            let history: Vec<&ReleaseRecord> =
                index.releases.iter().chain(drafted).filter(|release| release.dataset == key.dataset).collect();
            if let Some(draft) = draft_slice(warehouse, &normalised, key, &history, &circumstances).await? {
                drafts.push(draft);
            }
        }
        // With a part left out, the next run has to look at the table again.
        if !skipped {
            versions.insert(table.name.clone(), normalised.version());
        }
    }
    if drafts.is_empty() && versions == before.current.tables {
        return Ok(Published { counter: before.current.counter, findings: index.findings, ..Published::default() });
    }
    index.findings = check_drafts(warehouse, &index, &drafts, &options.checks).await?;
    let mut made: Vec<ReleaseRecord> = Vec::new();
    for draft in drafts {
        let known = index.releases.iter().chain(&made).filter(|release| release.dataset == draft.record.dataset);
        let previous = known.max_by_key(|release| release.number).map(|release| release.manifest_sha256.clone());
        made.push(prepare::finish(store, draft, previous, &index.findings).await?);
    }
    let size = index.releases.len() as u64;
    for (position, release) in made.iter_mut().enumerate() {
        release.log_index = size + position as u64;
        let leaf = Leaf { index: release.log_index, release: release.id(), manifest_sha256: &release.manifest_sha256 };
        let path = format!("log/leaf/{:012}", release.log_index);
        let bytes = serde_json_canonicalizer::to_vec(&leaf);
        let bytes = bytes.map_err(|source| LakeError::Damaged { path: path.clone(), source })?;
        store.put(&path, Bytes::from(bytes)).await?;
    }
    index.releases.extend(made.iter().cloned());
    index.sources = released_sources(&index.releases, &entries);
    let current = pointer::switch(store, &before, versions, &index).await?;
    Ok(Published { releases: made, counter: current.counter, findings: index.findings })
}

fn has_rows(warehouse: &Warehouse, table: &str, entries: &[ledger::LedgerEntry]) -> bool {
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
    let (again, kept): (Vec<&Check>, Vec<&Check>) =
        checks.iter().partition(|check| check.tables.iter().any(|table| changed.contains(table.as_str())));
    let kept: BTreeSet<(&str, &str)> =
        kept.iter().flat_map(|check| check.tables.iter().map(|table| (check.id.as_str(), table.as_str()))).collect();
    let releases: Vec<ReleaseRecord> =
        index.releases.iter().cloned().chain(drafts.iter().map(|draft| draft.record.clone())).collect();
    let current = latest_of_each_partition(&releases);
    let snapshot = Snapshot { releases, current, ..Snapshot::empty() };
    let is_kept = |check: &str, release: &str| {
        snapshot.current_releases().any(|known| known.id() == release && kept.contains(&(check, known.table.as_str())))
    };
    let mut findings = index.findings.clone();
    findings.findings.retain(|finding| is_kept(&finding.check, &finding.release_id));
    findings.runs.retain(|run| is_kept(&run.check, &run.release_id));
    let settings = EngineSettings { pool_bytes: CHECK_POOL_BYTES, ..EngineSettings::default() };
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
    key: &SliceKey,
    history: &[&ReleaseRecord],
    circumstances: &Circumstances<'_>,
) -> Result<Option<Draft>, LakeError> {
    let store = warehouse.store().as_ref();
    let (_, table) = prepare::declared(warehouse.catalog(), &key.dataset)?;
    let rows = normalised.read(key).await?;
    let content = prepare::content(&rows, table, circumstances.ledger)
        .map_err(|source| LakeError::Arrow { table: table.name.clone(), source })?;
    let current =
        history.iter().filter(|release| release.partition == key.partition).max_by_key(|release| release.number);
    if let Some(current) = current
        && prepare::read_manifest(store, current).await?.content_sha256 == content.sha256
    {
        return Ok(None);
    }
    prepare::draft(store, circumstances, key, &content, history).await.map(Some)
}

/// Sources that some release was made from, by the slices they gave rows to.
fn released_sources(releases: &[ReleaseRecord], entries: &[ledger::LedgerEntry]) -> Vec<SourceRecord> {
    let is_released = |slice: &(String, String)| {
        releases.iter().any(|release| release.dataset == slice.0 && release.partition == slice.1)
    };
    entries.iter().filter(|entry| entry.slices.iter().any(is_released)).map(|entry| entry.source.clone()).collect()
}
