//! Which regions follow the catalogue, and while they are there.
//!
//! Refuses a region that the region list does not know on the first day of the catalogue, or that is named twice.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::DisclosureRegion;
use super::load::{REGIONS, wrong};
use super::spec::RegionsSpec;
use crate::{CatalogError, RegionList, Tier};

/// Regions that follow, those of `within` with everything below them that was there since the catalogue holds.
pub(super) fn followers(spec: &RegionsSpec, regions: &RegionList) -> Result<Vec<DisclosureRegion>, CatalogError> {
    let mut codes: Vec<&str> = Vec::new();
    for code in spec.region.iter().chain(&spec.within) {
        if !regions.by_code(code).any(|region| region.holds_on(spec.valid_from)) {
            let expected = format!("a code of codes/regions.csv that holds on {}", spec.valid_from);
            return Err(wrong(REGIONS, "region", code, &expected));
        }
        if codes.contains(&code.as_str()) {
            return Err(wrong(REGIONS, "region", code, "each region once"));
        }
        codes.push(code);
    }
    for above in &spec.within {
        let tiers = [Tier::County, Tier::Township];
        let below = regions.iter().filter(|region| {
            region.region_kind == "admin"
                && tiers.contains(&region.tier)
                && region.valid_to.is_none_or(|to| spec.valid_from < to)
                && is_below(region.parent_code.as_deref(), above, regions)
        });
        for region in below {
            if !codes.contains(&region.region_code.as_str()) {
                codes.push(&region.region_code);
            }
        }
    }
    codes.sort_unstable();
    let followers = codes.into_iter().map(|code| {
        let entries: Vec<_> = regions.by_code(code).filter(|region| region.region_kind == "admin").collect();
        // A name that changed is one region: it is there from the first entry to the last.
        let latest = entries.iter().max_by_key(|region| region.valid_from);
        let first = entries.iter().map(|region| region.valid_from).min().flatten();
        let last = entries.iter().map(|region| region.valid_to.unwrap_or(NaiveDate::MAX)).max();
        DisclosureRegion {
            region_code: code.to_owned(),
            name: latest.map_or_else(|| code.to_owned(), |region| region.name.clone()),
            tier: latest.map_or(Tier::County, |region| region.tier),
            valid_from: first.filter(|first| *first > spec.valid_from),
            valid_to: last.filter(|last| *last < NaiveDate::MAX),
            items: Vec::new(),
            omitted: BTreeMap::new(),
        }
    });
    Ok(followers.collect())
}

fn is_below(parent: Option<&str>, above: &str, regions: &RegionList) -> bool {
    let mut at = parent;
    // City, county, township: three steps lead out of any city.
    for _ in 0..3 {
        match at {
            Some(code) if code == above => return true,
            Some(code) => at = regions.by_code(code).next().and_then(|region| region.parent_code.as_deref()),
            None => return false,
        }
    }
    false
}
