//! What readers see: the releases that are current at one state of the pointer, or were at one time.
//!
//! A snapshot is plain data, so it can be handed to a worker process. It names files and never opens them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::check::Findings;

/// One release of one partition of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRecord {
    /// Dataset id.
    pub dataset: String,
    /// Number within the dataset, from 1.
    pub number: u64,
    /// Partition: the values of the dataset's partition columns, joined by `/`: `2022/FINAL`.
    pub partition: String,
    /// Table that the rows are in.
    pub table: String,
    /// `initial`, `update`, `correction`, `supplement` or `withdrawal`.
    pub kind: String,
    /// When the public could first read it, where that is known.
    pub published_at: Option<DateTime<Utc>>,
    /// When this warehouse recorded it.
    pub recorded_at: DateTime<Utc>,
    /// Number of the release that this one replaces.
    pub supersedes: Option<u64>,
    /// Why it was made.
    pub reason: String,
    /// Whether its figures are synthetic samples.
    pub is_synthetic: bool,
    /// SHA-256 of the manifest, in hexadecimal: the leaf of the publication log.
    pub manifest_sha256: String,
    /// Index of that leaf.
    pub log_index: u64,
    /// Rows of the data files.
    pub rows: u64,
    /// Codes of the regions that the rows describe, in order.
    #[serde(default)]
    pub regions: Vec<String>,
    /// Files of the release, `data.parquet` among them.
    pub files: Vec<ReleaseFile>,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseFile {
    /// Name within the release's folder.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Digest in hexadecimal.
    pub sha256: String,
    /// Media type.
    pub media_type: String,
}

impl ReleaseRecord {
    /// `{dataset}.{number}`.
    pub fn id(&self) -> String {
        format!("{}.{}", self.dataset, self.number)
    }

    /// Folder of the release's files below the warehouse root.
    pub fn folder(&self) -> String {
        format!("releases/{}/{}", self.dataset, self.number)
    }

    /// The time that `as_of` compares: publication where known, else recording.
    pub fn effective_at(&self) -> DateTime<Utc> {
        self.published_at.unwrap_or(self.recorded_at)
    }

    /// The Parquet file of the rows.
    pub fn data_file(&self) -> Option<&ReleaseFile> {
        self.files.iter().find(|file| file.name == "data.parquet")
    }
}

/// A department file as the public sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Digest in hexadecimal; the file's address.
    pub sha256: String,
    /// Name under which it was found, without folders.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// When it was first landed.
    pub landed_at: DateTime<Utc>,
    /// Feed that reads it.
    pub feed: String,
    /// Format as found by content.
    pub format: String,
    /// Encoding of text files.
    pub encoding: Option<String>,
    /// Source records in the file.
    pub rows_in: u64,
    /// Source records kept.
    pub rows_kept: u64,
    /// Source records set aside.
    pub rows_set_aside: u64,
    /// Whether the whole file may be handed out.
    pub is_public: bool,
    /// Where the figures come from, as the side file says.
    pub origin: Option<String>,
    /// Whether its figures are synthetic samples.
    pub is_synthetic: bool,
}

/// All that a query may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Counter of the pointer that this was made from; it only grows.
    pub counter: u64,
    /// The time asked for, where one was.
    pub as_of: Option<DateTime<Utc>>,
    /// Every release up to then, by dataset and number.
    pub releases: Vec<ReleaseRecord>,
    /// Indexes into `releases` of the current ones.
    pub current: Vec<usize>,
    /// Department files that current releases were made from.
    pub sources: Vec<SourceRecord>,
    /// What the checks of the current releases came to.
    pub findings: Findings,
}

impl Snapshot {
    /// Nothing released yet.
    pub fn empty() -> Self {
        Self {
            counter: 0,
            as_of: None,
            releases: Vec::new(),
            current: Vec::new(),
            sources: Vec::new(),
            findings: Findings::default(),
        }
    }

    /// The releases that hold now, or held at `as_of`.
    pub fn current_releases(&self) -> impl Iterator<Item = &ReleaseRecord> {
        self.current.iter().map(|index| &self.releases[*index])
    }

    /// Current releases of one table.
    pub fn current_of_table<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a ReleaseRecord> {
        self.current_releases().filter(move |release| release.table == table)
    }

    /// Current releases of one dataset, in the order of partitions.
    pub fn current_of_dataset(&self, dataset: &str) -> Vec<&ReleaseRecord> {
        let mut releases: Vec<&ReleaseRecord> =
            self.current_releases().filter(|release| release.dataset == dataset).collect();
        releases.sort_by(|a, b| a.partition.cmp(&b.partition));
        releases
    }

    /// One release of a dataset, current or not.
    pub fn release(&self, dataset: &str, number: u64) -> Option<&ReleaseRecord> {
        self.releases.iter().find(|release| release.dataset == dataset && release.number == number)
    }

    /// The snapshot as it was at a time: releases published by then, the latest of each partition.
    pub fn as_of(&self, time: DateTime<Utc>) -> Self {
        let releases: Vec<ReleaseRecord> =
            self.releases.iter().filter(|release| release.effective_at() <= time).cloned().collect();
        let current = latest_of_each_partition(&releases);
        let ids: BTreeSet<String> = current.iter().map(|index: &usize| releases[*index].id()).collect();
        let mut findings = self.findings.clone();
        findings.findings.retain(|finding| ids.contains(&finding.release_id));
        findings.runs.retain(|run| ids.contains(&run.release_id));
        Self { counter: self.counter, as_of: Some(time), releases, current, sources: self.sources.clone(), findings }
    }
}

/// Indexes of the newest release of each (dataset, partition), withdrawn ones left out.
pub fn latest_of_each_partition(releases: &[ReleaseRecord]) -> Vec<usize> {
    let mut latest: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (index, release) in releases.iter().enumerate() {
        let slot = latest.entry((&release.dataset, &release.partition)).or_insert(index);
        if releases[*slot].number < release.number {
            *slot = index;
        }
    }
    let mut current: Vec<usize> = latest.into_values().filter(|index| releases[*index].kind != "withdrawal").collect();
    current.sort_unstable();
    current
}
