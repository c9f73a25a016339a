//! The manifest: everything that a release claims, as canonical JSON (RFC 8785).
//!
//! Its SHA-256 is the release's leaf in the publication log. The schema is final: fields are added under a
//! new `format_version`, never changed. It names the approving office and no person.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ReleaseFile;

/// What a release claims.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this schema.
    pub format_version: u32,
    /// `{dataset}.{number}`.
    pub release: String,
    /// Dataset id.
    pub dataset: String,
    /// Number within the dataset.
    pub number: u64,
    /// Table that the rows are in.
    pub table: String,
    /// Partition columns with their values.
    pub partition: BTreeMap<String, String>,
    /// `released` or `withdrawn`.
    pub status: String,
    /// `initial`, `update`, `correction`, `supplement` or `withdrawal`.
    pub kind: String,
    /// Release that this one replaces.
    pub supersedes: Option<String>,
    /// Manifest digest of the dataset's previous release: a chain for each dataset.
    pub previous_manifest_sha256: Option<String>,
    /// Why it was made.
    pub reason: String,
    /// Approving office.
    pub approved_by: String,
    /// When the public could first read the figures.
    pub published_at: DateTime<Utc>,
    /// `release`: the moment of this release; `source`: the publisher's date, with evidence.
    pub published_at_source: String,
    /// When this warehouse recorded the release.
    pub recorded_at: DateTime<Utc>,
    /// Publishing office.
    pub publisher: String,
    /// Licence id.
    pub licence: String,
    /// Who may read it.
    pub audience: String,
    /// Whether figures are synthetic samples.
    pub is_synthetic: bool,
    /// Digest of the declarations that made it.
    pub declarations_sha256: String,
    /// Name and version of the program.
    pub software: String,
    /// Columns of the rows.
    pub schema: Vec<ManifestColumn>,
    /// Rows.
    pub rows: u64,
    /// Digest of the rows without release id and row number: equal figures have equal digests.
    pub content_sha256: String,
    /// Files beside the manifest.
    pub files: Vec<ReleaseFile>,
    /// Department files that the rows came from.
    pub sources: Vec<ManifestSource>,
    /// What merging several sources found.
    pub merged: ManifestMerge,
    /// Results of the checks at the time of release, by status.
    pub checks: BTreeMap<String, u64>,
}

/// A column as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestColumn {
    /// Name.
    pub name: String,
    /// Declared type.
    #[serde(rename = "type")]
    pub column_type: String,
    /// Unit id.
    pub unit: Option<String>,
    /// Whether it may be missing.
    pub is_nullable: bool,
}

/// A department file as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestSource {
    /// Digest.
    pub sha256: String,
    /// Name under which it was found.
    pub name: String,
    /// Length.
    pub bytes: u64,
    /// Format, found by content.
    pub format: String,
    /// Encoding of text.
    pub encoding: Option<String>,
    /// Feed that reads it.
    pub feed: String,
    /// Source records in the whole file.
    pub rows_in: u64,
    /// Of these kept.
    pub rows_kept: u64,
    /// Of these set aside.
    pub rows_set_aside: u64,
}

/// What merging found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestMerge {
    /// Rows that another source gives with the same figure.
    pub equal: u64,
    /// Rows that another source gives with a different figure.
    pub conflicting: u64,
}

impl Manifest {
    /// Canonical bytes: one line of RFC 8785 JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json_canonicalizer::to_vec(self)
    }

    /// Digest of the canonical bytes, in hexadecimal.
    pub fn digest(bytes: &[u8]) -> String {
        hex::encode(Sha256::digest(bytes))
    }
}
