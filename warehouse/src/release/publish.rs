//! Publishing: every partition that changed becomes a release, and one switch of the pointer shows them all.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::lake::slice::NormalisedTable;
use crate::lake::{LakeError, SliceKey, Warehouse, ledger, pointer};
use crate::{ReleaseRecord, SourceRecord};

use super::prepare::{self, Circumstances};

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
}

/// What a run published.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Published {
    /// New releases, in the order of the log.
    pub releases: Vec<ReleaseRecord>,
    /// Counter of the pointer afterwards.
    pub counter: u64,
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
    let mut made: Vec<ReleaseRecord> = Vec::new();
    for table in warehouse.catalog().tables.values() {
        if !has_rows(warehouse, &table.name, &entries) {
            continue;
        }
        let normalised = NormalisedTable::open(store, table).await?;
        if before.current.tables.get(&table.name) == Some(&normalised.version()) {
            continue;
        }
        let mut skipped = false;
        for key in normalised.slices()? {
            if options.only.as_ref().is_some_and(|only| !only.contains(&key.dataset)) {
                skipped = true;
                continue;
            }
            let history: Vec<&ReleaseRecord> =
                index.releases.iter().chain(&made).filter(|release| release.dataset == key.dataset).collect();
            if let Some(release) = release_slice(warehouse, &normalised, &key, &history, &circumstances).await? {
                made.push(release);
            }
        }
        // With a part left out, the next run has to look at the table again.
        if !skipped {
            versions.insert(table.name.clone(), normalised.version());
        }
    }
    if made.is_empty() && versions == before.current.tables {
        return Ok(Published { releases: made, counter: before.current.counter });
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
    Ok(Published { releases: made, counter: current.counter })
}

fn has_rows(warehouse: &Warehouse, table: &str, entries: &[ledger::LedgerEntry]) -> bool {
    entries
        .iter()
        .flat_map(|entry| &entry.slices)
        .any(|(dataset, _)| warehouse.catalog().datasets.get(dataset).is_some_and(|dataset| dataset.table == table))
}

async fn release_slice(
    warehouse: &Warehouse,
    normalised: &NormalisedTable<'_>,
    key: &SliceKey,
    history: &[&ReleaseRecord],
    circumstances: &Circumstances<'_>,
) -> Result<Option<ReleaseRecord>, LakeError> {
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
    prepare::write(store, circumstances, key, &content, history).await.map(Some)
}

/// Sources that some release was made from, by the slices they gave rows to.
fn released_sources(releases: &[ReleaseRecord], entries: &[ledger::LedgerEntry]) -> Vec<SourceRecord> {
    let is_released = |slice: &(String, String)| {
        releases.iter().any(|release| release.dataset == slice.0 && release.partition == slice.1)
    };
    entries.iter().filter(|entry| entry.slices.iter().any(is_released)).map(|entry| entry.source.clone()).collect()
}
