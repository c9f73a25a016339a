//! What one region has otherwise than others of its tier: changes, omissions and items of its own, each with a reason.
//!
//! Refuses what is said of a region that does not follow, of an item that it does not have, or without a reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::load::{key, resolve, wrong};
use super::spec::LocalSpec;
use super::{DisclosureField, DisclosureRegion, RegionItem};
use crate::{CatalogError, Dataset};

/// What one region has otherwise.
pub(super) fn local(
    file: &str,
    spec: LocalSpec,
    followers: &mut [DisclosureRegion],
    fields: &[DisclosureField],
    datasets: &BTreeMap<String, Dataset>,
    valid_from: NaiveDate,
) -> Result<(), CatalogError> {
    let region = followers
        .iter_mut()
        .find(|region| region.region_code == spec.region)
        .ok_or_else(|| wrong(file, "region", &spec.region, "a region that follows the catalogue"))?;
    for change in spec.change {
        let code = change.item.as_deref().unwrap_or_default();
        if !region.items.iter().any(|own| own.short_code() == code) {
            return Err(wrong(file, "change.item", code, "an item of the region, such as 04-0303"));
        }
        let reason = change.reason.as_ref().ok_or_else(|| wrong(file, code, "no reason", "why the region differs"))?;
        if change.omit {
            region.items.retain(|own| own.short_code() != code);
            region.omitted.insert(code.to_owned(), reason.clone());
            continue;
        }
        for own in region.items.iter_mut().filter(|own| own.short_code() == code) {
            own.item = Arc::new(change.apply(file, &own.item)?);
            own.local_reason = Some(reason.clone());
        }
    }
    for mut item in spec.item {
        let field = item.field.take().unwrap_or_default();
        let local_reason = item
            .local_reason
            .take()
            .ok_or_else(|| wrong(file, &key(&item.code), "no local_reason", "why the region has it"))?;
        let known = fields.iter().find(|known| known.number == field);
        let known = known.ok_or_else(|| wrong(file, "field", &field, "the number of a field"))?;
        let level1 = known.items.iter().find(|other| item.code.len() == 4 && other.code.get(..2) == item.code.get(..2));
        let level1 = level1.ok_or_else(|| {
            wrong(file, &key(&item.code), &item.code, "four digits, the first two of them known in the field")
        })?;
        if known.items.iter().any(|other| other.code == item.code) {
            return Err(wrong(file, &key(&item.code), &item.code, "a code that no common item has"));
        }
        let item = resolve(file, item, &level1.level1, &known.publisher, datasets, valid_from)?;
        region.items.push(RegionItem { field, item: Arc::new(item), local_reason: Some(local_reason) });
    }
    region
        .items
        .sort_by(|a, b| (&a.field, &a.item.code, a.item.version_no).cmp(&(&b.field, &b.item.code, b.item.version_no)));
    Ok(())
}
