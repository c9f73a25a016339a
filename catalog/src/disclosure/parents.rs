//! Items that go with another one (`with_parent`), and whether that other one is there.
//!
//! A chain of them has to end, after [`LONGEST`] steps at most, with an item that has a deadline of its own: else nothing ever
//! falls due. Looked at are the items as each region has them, with what its tier and the region itself have otherwise.

use std::collections::BTreeSet;

use super::load::{key, wrong};
use super::versions::ByTier;
use super::{DisclosureField, DisclosureItem, DisclosureRegion, RegionItem};
use crate::CatalogError;
use crate::deadline::DeadlineRule;

/// How many items may hang on one another; `catalog.obligation` follows as many.
const LONGEST: usize = 3;

/// Refuses a parent that is no item, that the region does not have, or that leads back to its item.
pub(super) fn check(
    fields: &[DisclosureField],
    by_tier: &ByTier,
    regions: &[DisclosureRegion],
) -> Result<(), CatalogError> {
    let common = fields.iter().flat_map(|field| field.items.iter().map(move |item| (field, item)));
    let codes: BTreeSet<String> =
        common.clone().map(|(field, item)| format!("{}-{}", field.number, item.code)).collect();
    for item in common.map(|(_, item)| item).chain(by_tier.values()) {
        if let Some(found) = parent(item)
            && !codes.contains(found)
        {
            return Err(wrong("disclosure/items/", &key(&item.code), found, "the code of another item"));
        }
    }
    regions.iter().try_for_each(check_region)
}

fn parent(item: &DisclosureItem) -> Option<&str> {
    match &item.rule {
        Some(DeadlineRule::WithParent { parent }) => Some(parent),
        _ => None,
    }
}

fn check_region(region: &DisclosureRegion) -> Result<(), CatalogError> {
    for own in &region.items {
        if let Some((found, expected)) = fault(region, own) {
            let file = match &own.local_reason {
                Some(_) => format!("disclosure/local/{}.toml", region.region_code),
                None => "disclosure/items/".to_owned(),
            };
            let expected = format!("{expected} (region {})", region.region_code);
            return Err(wrong(&file, &key(&own.item.code), found, &expected));
        }
    }
    Ok(())
}

/// What is wrong with the chain of one version of an item: the parent that was found, and what would be accepted; none where the
/// chain ends. A loop comes about with the first day of one of its versions, so that first days are enough to look at.
fn fault<'a>(region: &'a DisclosureRegion, own: &'a RegionItem) -> Option<(&'a str, &'static str)> {
    let first = region.valid_from.map_or(own.item.valid_from, |from| from.max(own.item.valid_from));
    let mut at = own;
    for _ in 0..=LONGEST {
        let above = parent(&at.item)?;
        let versions: Vec<&RegionItem> = region.items.iter().filter(|other| other.short_code() == above).collect();
        if versions.is_empty() {
            return Some((above, "the code of an item that the region has"));
        }
        // A parent that is not there on that day yet, or any more, is one on other days.
        at = versions.into_iter().find(|other| other.item.holds_on(first))?;
    }
    Some((parent(&own.item).unwrap_or_default(), "an item whose parents end, after three at most, with a deadline"))
}
