//! What has been landed and how it was read: one small file for each source, under `state/ingest/`.
//!
//! An entry is written after the rows of its source are committed. A source without an entry is read
//! again, which gives the same rows; a source with one, under the same declarations, is left alone.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::SourceRecord;
use crate::lake::{LakeError, pointer};
use crate::store::Store;

/// One landed source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// What the public may know of it.
    pub source: SourceRecord,
    /// Digest of the declarations it was read under.
    pub declarations_sha256: String,
    /// Dataset and partition of the rows it gave.
    pub slices: Vec<(String, String)>,
    /// When the figures were first published, where a side file says so.
    pub published_at: Option<chrono::DateTime<chrono::Utc>>,
    /// The reader's full report, rows set aside among it.
    pub report: serde_json::Value,
    /// Personal data that was found in it, as kinds and places without the values.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub personal: serde_json::Value,
    /// Whether that keeps its rows back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_held: bool,
}

fn path(sha256: &str) -> String {
    format!("state/ingest/{sha256}.json")
}

/// The entry of a source.
pub async fn read(store: &dyn Store, sha256: &str) -> Result<Option<LedgerEntry>, LakeError> {
    let path = path(sha256);
    match store.read_optional(&path).await? {
        Some(bytes) => pointer::parse(&path, &bytes).map(Some),
        None => Ok(None),
    }
}

/// Every entry, in the order in which sources were landed; names, then digests, break ties.
pub async fn read_all(store: &dyn Store) -> Result<Vec<LedgerEntry>, LakeError> {
    let mut entries = Vec::new();
    for file in store.list("state/ingest").await? {
        let bytes = store.read(&file.path).await?;
        entries.push(pointer::parse::<LedgerEntry>(&file.path, &bytes)?);
    }
    entries.sort_by(|a, b| {
        let key =
            |entry: &LedgerEntry| (entry.source.landed_at, entry.source.name.clone(), entry.source.sha256.clone());
        key(a).cmp(&key(b))
    });
    Ok(entries)
}

/// Records a source.
pub async fn write(store: &dyn Store, entry: &LedgerEntry) -> Result<(), LakeError> {
    let path = path(&entry.source.sha256);
    let bytes = pointer::to_json(&path, entry)?;
    Ok(store.put(&path, Bytes::from(bytes)).await?)
}
