//! Versions of an item in the course of time, and what one tier has otherwise.
//!
//! Invariant: the versions of a code are numbered from 1 in the order of their first days, and no two of them hold on one day.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::load::{check_channels, deadline, key, wrong};
use super::spec::Change;
use super::{DisclosureField, DisclosureItem, DisclosureRegion, RegionItem};
use crate::{CatalogError, Tier};

/// What tiers have otherwise: by field, code, version and tier.
pub(super) type ByTier = BTreeMap<(String, String, u32, Tier), Arc<DisclosureItem>>;

pub(super) fn items_of(region: &DisclosureRegion, fields: &[DisclosureField], by_tier: &ByTier) -> Vec<RegionItem> {
    let all = fields.iter().flat_map(|field| field.items.iter().map(move |item| (field, item)));
    let own = all.filter(|(_, item)| item.tiers.contains(&region.tier));
    own.map(|(field, item)| {
        let key = (field.number.clone(), item.code.clone(), item.version_no, region.tier);
        let item = Arc::clone(by_tier.get(&key).unwrap_or(item));
        RegionItem { field: field.number.clone(), item, local_reason: None }
    })
    .collect()
}

/// Makes an item the next version of the one with its code, where there is one.
pub(super) fn follow_on(
    file: &str,
    items: &mut [Arc<DisclosureItem>],
    item: &mut DisclosureItem,
) -> Result<(), CatalogError> {
    let before = items.iter_mut().filter(|known| known.code == item.code).max_by_key(|known| known.version_no);
    let Some(before) = before else { return Ok(()) };
    if item.valid_from <= before.valid_from || item.reason.is_none() {
        let found = format!("a second version from {}", item.valid_from);
        return Err(wrong(
            file,
            &key(&item.code),
            &found,
            "a code that is used once, or a later valid_from and a reason",
        ));
    }
    item.version_no = before.version_no + 1;
    let end = before.valid_to.map_or(item.valid_from, |to| to.min(item.valid_from));
    Arc::make_mut(before).valid_to = Some(end);
    Ok(())
}

impl Change {
    /// The item with what is otherwise.
    pub(super) fn apply(&self, file: &str, to: &DisclosureItem) -> Result<DisclosureItem, CatalogError> {
        let key = key(&to.code);
        let mut item = to.clone();
        if let Some(channels) = &self.channels {
            check_channels(file, &key, channels)?;
            item.channels.clone_from(channels);
        }
        if let Some(content) = &self.content {
            item.content.clone_from(content);
        }
        if let Some(publisher) = &self.publisher {
            item.publisher.clone_from(publisher);
        }
        if self.deadline_text.is_some() || self.rule.is_some() {
            item.deadline_text = self.deadline_text.clone().unwrap_or(item.deadline_text);
            (item.rule, item.needs_review) =
                deadline(file, &key, &item.deadline_text, self.rule.clone(), self.reviewed)?;
        }
        Ok(item)
    }
}
