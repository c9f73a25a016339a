//! What readers see: the releases that are current at one state of the pointer, or were at one time.
//!
//! A snapshot is plain data, so it can be handed to a worker process. It names files and never opens them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::check::Findings;
use crate::register::{Event, EventKind};
use crate::release::Kind;

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
    /// One of [`crate::release::Kind`].
    pub kind: String,
    /// When the public could first read it, where that is known.
    pub published_at: Option<DateTime<Utc>>,
    /// When this warehouse recorded it.
    pub recorded_at: DateTime<Utc>,
    /// Number of the release that this one replaces.
    pub supersedes: Option<u64>,
    /// Numbers of the releases that this one takes back: of a withdrawal only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdraws: Vec<u64>,
    /// Digests of sources whose rows this partition does not take any more: of a withdrawal only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn_sources: Vec<String>,
    /// Digests of sources that are given to nobody any more: of a withdrawal only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld_sources: Vec<String>,
    /// Salt of the leaf, in base64: of a release for a limited audience only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal_salt: Option<String>,
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
    /// SM3 digest (GB/T 32905) in hexadecimal.
    pub sm3: String,
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

    /// Whether it takes releases back and has no rows of its own.
    pub fn is_withdrawal(&self) -> bool {
        self.kind == Kind::Withdrawal.name()
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
    /// What happened, in the order of recording.
    pub events: Vec<Event>,
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
            events: Vec::new(),
        }
    }

    /// Explanations of findings by their publishers, under `{check}/{scope}`: the latest of each that was not taken back.
    pub fn explanations(&self) -> BTreeMap<&str, &Event> {
        let revoked: BTreeSet<&str> = self.events.iter().filter_map(|event| event.revokes.as_deref()).collect();
        let explained = self.events.iter().filter(|event| event.kind == EventKind::Explained);
        let open = explained.filter(|event| !revoked.contains(event.id.as_str()));
        open.map(|event| (event.subject.as_str(), event)).collect()
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

    /// The withdrawal that took a release back, where one did.
    pub fn withdrawal_of(&self, release: &ReleaseRecord) -> Option<&ReleaseRecord> {
        let takes_back =
            |other: &&ReleaseRecord| other.dataset == release.dataset && other.withdraws.contains(&release.number);
        self.releases.iter().find(takes_back)
    }

    /// The withdrawal after which a source is given to nobody.
    pub fn withdrawal_of_source(&self, sha256: &str) -> Option<&ReleaseRecord> {
        let names = |release: &&ReleaseRecord| {
            release.withdrawn_sources.iter().chain(&release.withheld_sources).any(|source| source == sha256)
        };
        self.releases.iter().find(names)
    }

    /// The snapshot as it was at a time: releases published by then, the latest of each partition. What was withdrawn
    /// since does not come back.
    pub fn as_of(&self, time: DateTime<Utc>) -> Self {
        let is_known = |release: &ReleaseRecord| release.effective_at() <= time || !release.withdraws.is_empty();
        let releases: Vec<ReleaseRecord> = self.releases.iter().filter(|release| is_known(release)).cloned().collect();
        let current = latest_of_each_partition(&releases);
        let ids: BTreeSet<String> = current.iter().map(|index: &usize| releases[*index].id()).collect();
        let mut findings = self.findings.clone();
        findings.findings.retain(|finding| ids.contains(&finding.release_id));
        findings.runs.retain(|run| ids.contains(&run.release_id));
        let events = self.events.iter().filter(|event| event.recorded_at <= time).cloned().collect();
        let sources = self.sources.clone();
        Self { counter: self.counter, as_of: Some(time), releases, current, sources, findings, events }
    }
}

/// Indexes of the newest release of each (dataset, partition). Where that one was withdrawn there is none: an older
/// one, which it had replaced, does not become current again.
pub fn latest_of_each_partition(releases: &[ReleaseRecord]) -> Vec<usize> {
    let mut latest: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut withdrawn: BTreeSet<(&str, u64)> = BTreeSet::new();
    for (index, release) in releases.iter().enumerate() {
        withdrawn.extend(release.withdraws.iter().map(|number| (release.dataset.as_str(), *number)));
        if release.is_withdrawal() {
            continue;
        }
        let slot = latest.entry((&release.dataset, &release.partition)).or_insert(index);
        if releases[*slot].number < release.number {
            *slot = index;
        }
    }
    let is_out = |index: &usize| !withdrawn.contains(&(releases[*index].dataset.as_str(), releases[*index].number));
    let mut current: Vec<usize> = latest.into_values().filter(is_out).collect();
    current.sort_unstable();
    current
}
