//! The manifest: everything that a release claims, as canonical JSON (RFC 8785).
//!
//! Its SHA-256 is the release's leaf in the publication log. The schema is final: fields are added under a
//! new `format_version`, never changed. It names the approving office and no person.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ReleaseFile;

/// Version of the manifest's schema.
pub(super) const FORMAT_VERSION: u32 = 2;

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
    /// One of [`super::Kind`].
    pub kind: String,
    /// Release that this one replaces.
    pub supersedes: Option<String>,
    /// Releases that this one takes back.
    pub withdraws: Vec<String>,
    /// Manifest digest of the dataset's previous release: a chain for each dataset.
    pub previous_manifest_sha256: Option<String>,
    /// Why it was made.
    pub reason: String,
    /// Approving office.
    pub approved_by: String,
    /// How it was approved.
    pub approval: ManifestApproval,
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
    /// SHA-256 of the rows as `ndjson`, whatever format they are kept in: that of `SELECT * … ORDER BY row_no`, and
    /// of the release downloaded in that format.
    pub table_sha256: String,
    /// What changed against the release that this one replaces; the rows stand in `difference.json`.
    pub difference: Option<ManifestDifference>,
    /// Files beside the manifest.
    pub files: Vec<ReleaseFile>,
    /// Department files that the rows came from.
    pub sources: Vec<ManifestSource>,
    /// What merging several sources found.
    pub merged: ManifestMerge,
    /// Results of the checks at the time of release, by status.
    pub checks: BTreeMap<String, u64>,
}

/// How a release was approved. It names no person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestApproval {
    /// `local_operator`: one person did all of it. `two_persons`: one submitted, another approved. `approver`: an
    /// approver took a release back.
    pub mode: String,
    /// When it was submitted.
    pub submitted_at: DateTime<Utc>,
    /// When it was approved.
    pub approved_at: DateTime<Utc>,
    /// The submitter's statement of the review for state secrets.
    pub secrecy_review: Option<String>,
    /// The submitter's statement of the review for personal data.
    pub privacy_review: Option<String>,
    /// Why it is out although a blocking check found an error.
    pub open_findings_reason: Option<String>,
}

/// Counts of rows against the release before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestDifference {
    /// Rows of keys that were not there.
    pub added: u64,
    /// Rows of keys that are no longer there.
    pub removed: u64,
    /// Rows of which some column differs.
    pub changed: u64,
    /// Rows that are the same.
    pub unchanged: u64,
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

    /// The lines of `SHA256SUMS`, as `sha256sum -c` takes them.
    pub fn sums(&self, manifest_sha256: &str) -> String {
        let files = self.files.iter().map(|file| format!("{}  {}\n", file.sha256, file.name));
        files.chain([format!("{manifest_sha256}  manifest.json\n")]).collect()
    }
}
