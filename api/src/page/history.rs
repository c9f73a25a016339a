//! Every release of a dataset: what it was made for, what it changed, and what became of it.
//!
//! Nothing is left out: what was superseded keeps its files, what was taken back keeps its place and says why.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use gongkai_warehouse::release::manifest::ManifestDifference;
use gongkai_warehouse::release::prepare;
use gongkai_warehouse::{ReleaseRecord, Snapshot};
use serde::Serialize;

use super::template::Language;
use crate::http::App;
use crate::http::dataset::{ReleaseSummary, release_summary};
use crate::http::feed::{difference_href, kind_name};

/// Differences that are counted: a manifest is read for each. The others are linked without their counts.
const MOST_COUNTED: usize = 100;

/// A release in the history.
#[derive(Debug, Serialize)]
pub struct Past {
    #[serde(flatten)]
    release: ReleaseSummary,
    /// Its kind in words.
    kind_name: String,
    /// Number of the release that replaced it.
    superseded_by: Option<u64>,
    withdrawn: Option<Withdrawn>,
    /// Ids of the releases that it takes back.
    withdraws: Vec<String>,
    difference_href: Option<String>,
    counts: Option<ManifestDifference>,
}

/// That a release was taken back.
#[derive(Debug, Serialize)]
struct Withdrawn {
    /// Id and number of the withdrawal.
    by: String,
    number: u64,
    at: String,
    reason: String,
}

impl Past {
    /// Whether it was taken back.
    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn.is_some()
    }
}

/// What became of the releases of one dataset, by number.
struct Fates<'a> {
    current: BTreeSet<u64>,
    successors: BTreeMap<u64, u64>,
    withdrawals: BTreeMap<u64, &'a ReleaseRecord>,
}

impl<'a> Fates<'a> {
    fn of(snapshot: &Snapshot, dataset: &str, releases: &[&'a ReleaseRecord]) -> Self {
        let current = snapshot.current_of_dataset(dataset).into_iter().map(|release| release.number).collect();
        let (mut successors, mut withdrawals) = (BTreeMap::new(), BTreeMap::new());
        for &release in releases {
            if let Some(replaced) = release.supersedes.filter(|_| !release.is_withdrawal()) {
                successors.insert(replaced, release.number);
            }
            withdrawals.extend(release.withdraws.iter().map(|number| (*number, release)));
        }
        Self { current, successors, withdrawals }
    }

    fn tell(&self, release: &ReleaseRecord, language: Language) -> Past {
        let withdrawn = self.withdrawals.get(&release.number).map(|by| Withdrawn {
            by: by.id(),
            number: by.number,
            at: by.recorded_at.to_rfc3339(),
            reason: by.reason.clone(),
        });
        Past {
            release: release_summary(release, self.current.contains(&release.number)),
            kind_name: kind_name(&release.kind, language).to_owned(),
            superseded_by: self.successors.get(&release.number).copied(),
            withdrawn,
            withdraws: release.withdraws.iter().map(|number| format!("{}.{number}", release.dataset)).collect(),
            difference_href: difference_href(release, |number| self.withdrawals.contains_key(&number)),
            counts: None,
        }
    }
}

/// Every release of a dataset, the newest first.
pub async fn history(app: &App, snapshot: &Snapshot, dataset: &str, language: Language) -> Vec<Past> {
    let is_of_dataset = |release: &&ReleaseRecord| release.dataset == dataset;
    let mut releases: Vec<&ReleaseRecord> = snapshot.releases.iter().filter(is_of_dataset).collect();
    releases.sort_by_key(|release| Reverse(release.number));
    let fates = Fates::of(snapshot, dataset, &releases);
    let mut history = Vec::with_capacity(releases.len());
    let mut uncounted = MOST_COUNTED;
    for release in releases {
        let mut past = fates.tell(release, language);
        if past.difference_href.is_some() && uncounted > 0 {
            uncounted -= 1;
            past.counts = counts(app, release).await;
        }
        history.push(past);
    }
    history
}

/// The counts that a manifest has. A damaged one is told by `gongkai verify`; the other releases are still shown.
async fn counts(app: &App, release: &ReleaseRecord) -> Option<ManifestDifference> {
    match prepare::read_manifest(app.store(), release).await {
        Ok(manifest) => manifest.difference,
        Err(error) => {
            tracing::warn!(%error, release = %release.id(), "a manifest cannot be read");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Release 2 corrects release 1, release 3 corrects release 2, release 4 takes 3 back; release 5 is of another
    /// partition.
    fn releases() -> Vec<ReleaseRecord> {
        let release = |number: u64, kind: &str, supersedes: Option<u64>, withdraws: &[u64]| -> ReleaseRecord {
            let record = json!({
                "dataset": "ds", "number": number, "partition": if number == 5 { "2022" } else { "2021" },
                "table": "debt_stock", "kind": kind, "published_at": "2022-08-01T00:00:00Z",
                "recorded_at": "2022-08-01T00:00:00Z", "supersedes": supersedes, "withdraws": withdraws,
                "reason": format!("reason {number}"), "is_synthetic": false, "manifest_sha256": "0",
                "log_index": number, "rows": 1, "files": [],
            });
            serde_json::from_value(record).expect("a release")
        };
        vec![
            release(1, "initial", None, &[]),
            release(2, "correction", Some(1), &[]),
            release(3, "correction", Some(2), &[]),
            release(4, "withdrawal", Some(3), &[3]),
            release(5, "update", None, &[]),
        ]
    }

    fn told() -> Vec<Past> {
        let releases = releases();
        let snapshot = Snapshot { releases: releases.clone(), current: vec![4], ..Snapshot::empty() };
        let releases: Vec<&ReleaseRecord> = releases.iter().collect();
        let fates = Fates::of(&snapshot, "ds", &releases);
        releases.iter().map(|release| fates.tell(release, Language::En)).collect()
    }

    #[test]
    fn what_was_replaced_names_its_successor_and_a_withdrawal_is_none() {
        let successors: Vec<Option<u64>> = told().iter().map(|past| past.superseded_by).collect();
        assert_eq!(successors, [Some(2), Some(3), None, None, None]);
        let current: Vec<bool> = told().iter().map(|past| past.release.is_current).collect();
        assert_eq!(current, [false, false, false, false, true]);
    }

    #[test]
    fn what_was_taken_back_says_by_which_release_and_why() {
        let told = told();
        let withdrawn = told[2].withdrawn.as_ref().expect("withdrawn");
        assert_eq!((withdrawn.by.as_str(), withdrawn.reason.as_str()), ("ds.4", "reason 4"));
        assert_eq!(told[3].withdraws, ["ds.3"]);
        assert_eq!(told.iter().filter(|past| past.is_withdrawn()).count(), 1);
    }

    #[test]
    fn a_difference_is_linked_where_both_sides_can_be_read() {
        let links: Vec<Option<String>> = told().into_iter().map(|past| past.difference_href).collect();
        assert_eq!(links, [None, Some("/api/v1/datasets/ds/diff?from=1&to=2".to_owned()), None, None, None]);
    }
}
