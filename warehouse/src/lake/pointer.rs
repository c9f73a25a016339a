//! `current.json`: the one file that decides what readers see.
//!
//! It is small, replaced atomically, and carries a counter so that its bytes never repeat. The records
//! of the releases it names stand in an index file of their own, immutable and written before it, so
//! that starting takes two reads however many releases there are.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::check::Findings;
use crate::lake::LakeError;
use crate::log::Checkpoint;
use crate::publication::{LogState, RequestRecord};
use crate::register::Event;
use crate::snapshot::latest_of_each_partition;
use crate::store::Store;
use crate::{ReleaseRecord, Snapshot, SourceRecord};

/// Path of the pointer.
pub const PATH: &str = "current.json";

/// Folder of the indexes.
pub const INDEX_FOLDER: &str = "state/index";

/// The pointer's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// Version of this layout.
    pub format_version: u32,
    /// Grows by one with every switch.
    pub counter: u64,
    /// Delta version of each `tables/{table}` that the releases were made from.
    pub tables: BTreeMap<String, u64>,
    /// Current release number by dataset and partition.
    pub datasets: BTreeMap<String, BTreeMap<String, u64>>,
    /// Leaves of the publication log.
    pub log_size: u64,
    /// The signed state of the log: a note of origin, size and root. Empty before the first publication.
    pub checkpoint: String,
    /// Path of the index of releases and sources.
    pub index: String,
    /// Digest of that file.
    pub index_sha256: String,
}

/// Every release and source up to one state of the pointer. Its digest is the last leaf of that state's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Counter of the pointer that names it.
    pub counter: u64,
    /// Delta version of each `tables/{table}` that the releases were made from.
    pub tables: BTreeMap<String, u64>,
    /// All releases, in the order of the log.
    pub releases: Vec<ReleaseRecord>,
    /// Department files that releases were made from, by digest.
    pub sources: Vec<SourceRecord>,
    /// What the checks of the current releases came to.
    pub findings: Findings,
    /// The publication log's name and keys.
    pub log: LogState,
    /// What happened, in the order of recording.
    pub events: Vec<Event>,
    /// Requests that were answered with a publication.
    pub requests: Vec<RequestRecord>,
}

/// Version of the pointer's layout.
const FORMAT_VERSION: u32 = 2;

#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

/// The pointer as read: its exact bytes are what a replacement must still find.
#[derive(Debug, Clone)]
pub struct Read {
    /// The parsed content.
    pub current: Current,
    /// The bytes it was parsed from; none where there is no pointer yet.
    pub bytes: Option<Bytes>,
}

/// Reads the pointer; a warehouse without one has released nothing.
pub async fn read(store: &dyn Store) -> Result<Read, LakeError> {
    match store.read_optional(PATH).await? {
        Some(bytes) => {
            let version = parse::<Version>(PATH, &bytes)?.format_version;
            if version != FORMAT_VERSION {
                return Err(LakeError::FormatVersion {
                    path: PATH.to_owned(),
                    found: version,
                    expected: FORMAT_VERSION,
                });
            }
            Ok(Read { current: parse(PATH, &bytes)?, bytes: Some(bytes) })
        }
        None => Ok(Read {
            current: Current {
                format_version: FORMAT_VERSION,
                counter: 0,
                tables: BTreeMap::new(),
                datasets: BTreeMap::new(),
                log_size: 0,
                checkpoint: String::new(),
                index: String::new(),
                index_sha256: String::new(),
            },
            bytes: None,
        }),
    }
}

/// Reads the index that the pointer names, and checks that it is the one that was written.
pub async fn read_index(store: &dyn Store, current: &Current) -> Result<Index, LakeError> {
    if current.index.is_empty() {
        return Ok(Index::default());
    }
    let bytes = store.read(&current.index).await?;
    let found = hex::encode(Sha256::digest(&bytes));
    if found != current.index_sha256 {
        return Err(LakeError::Digest { path: current.index.clone(), found, expected: current.index_sha256.clone() });
    }
    parse(&current.index, &bytes)
}

/// What a reader sees now.
pub async fn snapshot(store: &dyn Store) -> Result<Snapshot, LakeError> {
    let current = read(store).await?.current;
    let index = read_index(store, &current).await?;
    Ok(of_index(current.counter, index))
}

/// What a reader saw at an earlier state, less what was withdrawn since; none where there was no such state.
pub async fn snapshot_of(store: &dyn Store, counter: u64) -> Result<Option<Snapshot>, LakeError> {
    let now = snapshot(store).await?;
    if counter == now.counter {
        return Ok(Some(now));
    }
    let path = index_path(counter);
    let Some(bytes) = store.read_optional(&path).await?.filter(|_| counter < now.counter) else { return Ok(None) };
    let mut then = of_index(counter, parse(&path, &bytes)?);
    // Beyond those that are current: they say only what is given out no more.
    let known = then.releases.len();
    then.releases.extend(now.releases.iter().skip(known).filter(|release| release.is_withdrawal()).cloned());
    Ok(Some(then))
}

fn of_index(counter: u64, index: Index) -> Snapshot {
    let newest = latest_of_each_partition(&index.releases);
    Snapshot {
        counter,
        as_of: None,
        releases: index.releases,
        current: newest,
        sources: index.sources,
        findings: index.findings,
        events: index.events,
    }
}

/// Path of the index of one state.
pub fn index_path(counter: u64) -> String {
    format!("{INDEX_FOLDER}/{counter:012}.json")
}

/// The pointer that an index and a checkpoint make: nothing else decides a byte of it.
pub fn pointer_to(index: &Index, index_sha256: String, checkpoint: &Checkpoint) -> Current {
    let mut datasets: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for position in latest_of_each_partition(&index.releases) {
        let release = &index.releases[position];
        datasets.entry(release.dataset.clone()).or_default().insert(release.partition.clone(), release.number);
    }
    Current {
        format_version: FORMAT_VERSION,
        counter: index.counter,
        tables: index.tables.clone(),
        datasets,
        log_size: checkpoint.size,
        checkpoint: checkpoint.note.clone(),
        index: index_path(index.counter),
        index_sha256,
    }
}

/// Switches the pointer, whose index is written: the moment of visibility.
pub async fn switch(store: &dyn Store, before: &Read, current: &Current) -> Result<(), LakeError> {
    let bytes = to_json(PATH, current)?;
    Ok(store.replace(PATH, before.bytes.as_deref(), Bytes::from(bytes)).await?)
}

/// Parses one of our own files.
pub fn parse<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, LakeError> {
    serde_json::from_slice(bytes).map_err(|source| LakeError::Damaged { path: path.to_owned(), source })
}

/// Writes one of our own files.
pub fn to_json<T: Serialize>(path: &str, value: &T) -> Result<Vec<u8>, LakeError> {
    serde_json::to_vec_pretty(value).map_err(|source| LakeError::Damaged { path: path.to_owned(), source })
}
