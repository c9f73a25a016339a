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
use crate::snapshot::latest_of_each_partition;
use crate::store::Store;
use crate::{ReleaseRecord, Snapshot, SourceRecord};

/// Path of the pointer.
pub const PATH: &str = "current.json";

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
    /// Path of the index of releases and sources.
    pub index: String,
    /// Digest of that file.
    pub index_sha256: String,
}

/// Every release and source up to one state of the pointer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// All releases, in the order of the log.
    pub releases: Vec<ReleaseRecord>,
    /// Department files that releases were made from, by digest.
    pub sources: Vec<SourceRecord>,
    /// What the checks of the current releases came to.
    #[serde(default)]
    pub findings: Findings,
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
        Some(bytes) => Ok(Read { current: parse(PATH, &bytes)?, bytes: Some(bytes) }),
        None => Ok(Read {
            current: Current {
                format_version: 1,
                counter: 0,
                tables: BTreeMap::new(),
                datasets: BTreeMap::new(),
                log_size: 0,
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
    let newest = latest_of_each_partition(&index.releases);
    Ok(Snapshot {
        counter: current.counter,
        as_of: None,
        releases: index.releases,
        current: newest,
        sources: index.sources,
        findings: index.findings,
    })
}

/// Writes the index, then switches the pointer: the moment of visibility.
pub async fn switch(
    store: &dyn Store,
    before: &Read,
    tables: BTreeMap<String, u64>,
    index: &Index,
) -> Result<Current, LakeError> {
    let counter = before.current.counter + 1;
    let path = format!("state/index/{counter:012}.json");
    let bytes = Bytes::from(to_json(&path, index)?);
    let index_sha256 = hex::encode(Sha256::digest(&bytes));
    store.put(&path, bytes).await?;
    let mut datasets: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for position in latest_of_each_partition(&index.releases) {
        let release = &index.releases[position];
        datasets.entry(release.dataset.clone()).or_default().insert(release.partition.clone(), release.number);
    }
    let current = Current {
        format_version: 1,
        counter,
        tables,
        datasets,
        log_size: index.releases.len() as u64,
        index: path,
        index_sha256,
    };
    let bytes = to_json(PATH, &current)?;
    store.replace(PATH, before.bytes.as_deref(), Bytes::from(bytes)).await?;
    Ok(current)
}

/// Parses one of our own files.
pub fn parse<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, LakeError> {
    serde_json::from_slice(bytes).map_err(|source| LakeError::Damaged { path: path.to_owned(), source })
}

/// Writes one of our own files.
pub fn to_json<T: Serialize>(path: &str, value: &T) -> Result<Vec<u8>, LakeError> {
    serde_json::to_vec_pretty(value).map_err(|source| LakeError::Damaged { path: path.to_owned(), source })
}
