//! Coverage of disclosure items by simple presence.
//!
//! An item of a region is covered when a dataset that fulfils it has a current release with a row for that region.
//! Releases of synthetic figures are shown and never count. A series about the whole country does not cover a city.

use chrono::{DateTime, NaiveDate, Utc};
use gongkai_catalog::disclosure::{DisclosureItem, DisclosureRegion, ItemAudience};
use gongkai_catalog::{Catalog, Exact};
use serde::Serialize;

use crate::{ReleaseRecord, Snapshot};

/// How an item of a region stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// A current release holds rows for the region.
    Covered,
    /// Only releases of synthetic figures do.
    Synthetic,
    /// A dataset is linked, and holds nothing for the region.
    Missing,
    /// No dataset is linked yet.
    Unlinked,
    /// The item is for the people concerned only.
    NotPublic,
}

impl ItemState {
    /// Its name in tables and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Synthetic => "synthetic",
            Self::Missing => "missing",
            Self::Unlinked => "unlinked",
            Self::NotPublic => "not_public",
        }
    }
}

/// An item's state and the releases that it rests on.
#[derive(Debug, Clone)]
pub struct ItemCoverage<'a> {
    /// The state.
    pub state: ItemState,
    /// Current releases with rows for the region, in order.
    pub releases: Vec<&'a ReleaseRecord>,
}

/// How an item of a region stands in a snapshot.
pub fn coverage<'a>(
    catalog: &Catalog,
    snapshot: &'a Snapshot,
    region: &DisclosureRegion,
    item: &DisclosureItem,
) -> ItemCoverage<'a> {
    if item.audience == ItemAudience::Specific {
        return ItemCoverage { state: ItemState::NotPublic, releases: Vec::new() };
    }
    if item.datasets.is_empty() {
        return ItemCoverage { state: ItemState::Unlinked, releases: Vec::new() };
    }
    let mut releases = Vec::new();
    for link in &item.datasets {
        let Some(dataset) = catalog.datasets.get(&link.dataset) else { continue };
        releases.extend(snapshot.current_of_dataset(&link.dataset).into_iter().filter(|release| {
            let mut values = dataset.partition_by.iter().zip(release.partition.split('/'));
            let is_wanted =
                values.all(|(column, value)| link.partition.get(column).is_none_or(|wanted| wanted == value));
            is_wanted && release.regions.contains(&region.region_code)
        }));
    }
    let state = match releases.iter().all(|release| release.is_synthetic) {
        _ if releases.is_empty() => ItemState::Missing,
        true => ItemState::Synthetic,
        false => ItemState::Covered,
    };
    ItemCoverage { state, releases }
}

/// How many items of a region are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CoverageCounts {
    /// Items that are for everybody.
    pub public: u64,
    /// Of these, covered.
    pub covered: u64,
    /// Covered by synthetic figures only.
    pub synthetic: u64,
    /// Linked and without rows.
    pub missing: u64,
    /// Not linked.
    pub unlinked: u64,
    /// Items for the people concerned only.
    pub not_public: u64,
}

impl CoverageCounts {
    /// Counts one item.
    pub fn add(&mut self, state: ItemState) {
        match state {
            ItemState::Covered => self.covered += 1,
            ItemState::Synthetic => self.synthetic += 1,
            ItemState::Missing => self.missing += 1,
            ItemState::Unlinked => self.unlinked += 1,
            ItemState::NotPublic => self.not_public += 1,
        }
        self.public += u64::from(state != ItemState::NotPublic);
    }

    /// Covered items among those for everybody, in per cent with one decimal; none where there are none.
    pub fn share_pct(&self) -> Option<String> {
        let tenths = i128::from(self.covered) * 1000;
        let public = i128::from(self.public);
        // Half a tenth up.
        (public > 0).then(|| Exact::new((tenths + public / 2) / public, 1).to_string())
    }
}

/// Counts over the items that a region has on a day.
pub fn count(catalog: &Catalog, snapshot: &Snapshot, region: &DisclosureRegion, day: NaiveDate) -> CoverageCounts {
    let mut counts = CoverageCounts::default();
    for own in region.items_on(day) {
        counts.add(coverage(catalog, snapshot, region, &own.item).state);
    }
    counts
}

/// When a partition first held rows of a region that everybody could read: the earliest publication among its releases, and
/// whether a source says so or it is only when this warehouse recorded them.
pub fn first_published(snapshot: &Snapshot, release: &ReleaseRecord, region_code: &str) -> (DateTime<Utc>, bool) {
    let of_partition = snapshot.releases.iter().filter(|other| {
        other.dataset == release.dataset
            && other.partition == release.partition
            && !other.is_withdrawal()
            && other.regions.iter().any(|region| region == region_code)
    });
    // Where no source says when, the release's own moment stands for it (0002).
    let times = of_partition.map(|other| match other.published_at.filter(|at| *at != other.recorded_at) {
        Some(at) => (at, true),
        None => (other.recorded_at, false),
    });
    times.min_by_key(|(at, _)| *at).unwrap_or((release.recorded_at, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_the_public_items_and_has_one_decimal() {
        let mut counts = CoverageCounts::default();
        for state in [ItemState::Covered, ItemState::Covered, ItemState::Synthetic, ItemState::NotPublic] {
            counts.add(state);
        }
        // 2 of 3 public items.
        assert_eq!(counts.share_pct().as_deref(), Some("66.7"));
        assert_eq!(CoverageCounts::default().share_pct(), None);
    }
}
