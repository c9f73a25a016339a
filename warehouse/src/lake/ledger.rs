//! What has been looked at and how it was read: one small file for each source, under `state/ingest/`.
//!
//! An entry is written after the rows of its source are committed. A source without an entry is read
//! again, which gives the same rows; a source with one, under the same declarations, is left alone. Files that
//! no feed reads have entries too, so that they are not parsed again until a declaration changes.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::SourceRecord;
use crate::lake::{LakeError, pointer};
use crate::store::Store;

/// What became of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceStatus {
    /// A feed reads it.
    #[default]
    Matched,
    /// No feed reads it.
    Unmatched,
    /// It cannot be read.
    Damaged,
    /// It is kept back, and gives no rows until somebody has looked at it.
    Held,
}

impl SourceStatus {
    /// Its name in SQL and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Unmatched => "unmatched",
            Self::Damaged => "damaged",
            Self::Held => "held",
        }
    }
}

/// The header of one table of a source: what the next file of the same feed is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableHeader {
    /// Feed that reads the table.
    pub feed: String,
    /// Title, or name of the sheet, without what differs between years and places.
    pub table: String,
    /// Columns in the order of the table.
    pub columns: Vec<ColumnHeader>,
}

/// One column of a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnHeader {
    /// Levels of the header joined by `/`, as printed.
    pub text: String,
    /// What it is read as; none for a column that the feed does not read.
    pub read_as: Option<String>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// What the public may know of it.
    pub source: SourceRecord,
    /// What became of it.
    #[serde(default)]
    pub status: SourceStatus,
    /// Paths below the inbox under which it was found.
    #[serde(default)]
    pub paths: BTreeSet<String>,
    /// Digest of the declarations it was read under; empty where it has to be read again in any case.
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
    /// Why it is unmatched, damaged or held: one line for each reason.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Headers of the tables that feeds read.
    #[serde(default)]
    pub headers: Vec<TableHeader>,
    /// What the manifest of its releases says of it: headers that differ from those of the file before.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl LedgerEntry {
    /// Whether it says, under these declarations, what the file would be found to be.
    ///
    /// What no feed reads under one path may be read under another: feeds can take what a path says.
    pub fn holds(&self, declarations_sha256: &str, path: &str) -> bool {
        let is_same = self.declarations_sha256 == declarations_sha256;
        is_same && (self.status != SourceStatus::Unmatched || self.paths.contains(path))
    }
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
