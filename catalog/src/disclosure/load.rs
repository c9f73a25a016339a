//! Resolves the declarations of the catalogue: every reference is checked, every deadline read.
//!
//! Refuses codes, tiers, channels, datasets and rules that mean nothing, each with its file and key. Without
//! `disclosure/regions.toml` there is no catalogue, which is no error.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::local::local;
use super::parents;
use super::regions::followers;
use super::spec::{FieldSpec, ItemSpec, RegionsSpec};
use super::versions::{ByTier, follow_on, items_of};
use super::{CHANNELS, Disclosure, DisclosureField, DisclosureItem, ItemAudience};
use crate::deadline::{DeadlineRule, read};
use crate::declaration::Declarations;
use crate::{CatalogError, Dataset, Label, RegionList, Tier};

pub(super) const REGIONS: &str = "disclosure/regions.toml";

pub(crate) fn load(
    declarations: &Declarations,
    datasets: &BTreeMap<String, Dataset>,
    regions: &RegionList,
) -> Result<Disclosure, CatalogError> {
    if !declarations.paths(REGIONS, "").any(|path| path == REGIONS) {
        return Ok(Disclosure::none());
    }
    let spec: RegionsSpec = declarations.toml(REGIONS)?;
    let mut fields = Vec::new();
    let mut by_tier = BTreeMap::new();
    for file in declarations.paths("disclosure/items/", ".toml") {
        fields.push(load_field(file, declarations.toml(file)?, datasets, spec.valid_from, &mut by_tier)?);
    }
    fields.sort_by(|a: &DisclosureField, b| a.number.cmp(&b.number));
    let mut followers = followers(&spec, regions)?;
    for region in &mut followers {
        region.items = items_of(region, &fields, &by_tier);
    }
    for file in declarations.paths("disclosure/local/", ".toml") {
        local(file, declarations.toml(file)?, &mut followers, &fields, datasets, spec.valid_from)?;
    }
    parents::check(&fields, &by_tier, &followers)?;
    Ok(Disclosure {
        label: spec.label,
        version: spec.version,
        basis: spec.basis,
        valid_from: Some(spec.valid_from),
        regions: followers,
        fields,
    })
}

fn load_field(
    file: &str,
    spec: FieldSpec,
    datasets: &BTreeMap<String, Dataset>,
    valid_from: NaiveDate,
    by_tier: &mut ByTier,
) -> Result<DisclosureField, CatalogError> {
    if spec.field.len() != 2 || !spec.field.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong(file, "field", &spec.field, "two digits"));
    }
    let mut field =
        DisclosureField { number: spec.field, label: spec.label, publisher: spec.publisher, items: Vec::new() };
    for item in spec.item {
        let level1 = item.code.get(..2).filter(|_| item.code.len() == 4).and_then(|level| spec.level1.get(level));
        let level1 = level1.ok_or_else(|| {
            wrong(file, &key(&item.code), &item.code, "four digits, the first two of them declared in [level1]")
        })?;
        let changes = item.by_tier.clone();
        let mut resolved = resolve(file, item, level1, &field.publisher, datasets, valid_from)?;
        follow_on(file, &mut field.items, &mut resolved)?;
        for change in changes {
            let tier = tier_named(file, &resolved.code, change.tier.as_deref().unwrap_or_default())?;
            let changed = change.apply(file, &resolved)?;
            let key = (field.number.clone(), resolved.code.clone(), resolved.version_no, tier);
            if !resolved.tiers.contains(&tier) || by_tier.insert(key, Arc::new(changed)).is_some() {
                return Err(wrong(file, &self::key(&resolved.code), tier.name(), "one of its tiers, once"));
            }
        }
        field.items.push(Arc::new(resolved));
    }
    field.items.sort_by(|a, b| (&a.code, a.version_no).cmp(&(&b.code, b.version_no)));
    Ok(field)
}

pub(super) fn key(code: &str) -> String {
    format!("item {code}")
}

fn tier_named(file: &str, code: &str, name: &str) -> Result<Tier, CatalogError> {
    let tier = Tier::from_name(name).filter(|tier| matches!(tier, Tier::City | Tier::County | Tier::Township));
    tier.ok_or_else(|| wrong(file, &key(code), name, "city, county or township"))
}

pub(super) fn resolve(
    file: &str,
    spec: ItemSpec,
    level1: &Label,
    publisher: &Label,
    datasets: &BTreeMap<String, Dataset>,
    valid_from: NaiveDate,
) -> Result<DisclosureItem, CatalogError> {
    let key = key(&spec.code);
    let tiers = spec.tiers.iter().map(|tier| tier_named(file, &spec.code, tier)).collect::<Result<_, _>>()?;
    for link in &spec.datasets {
        let dataset =
            datasets.get(&link.dataset).ok_or_else(|| wrong(file, &key, &link.dataset, "a dataset of datasets/"))?;
        if let Some(column) = link.partition.keys().find(|column| !dataset.partition_by.contains(column)) {
            let expected = format!("partition columns of {}: {}", dataset.id, dataset.partition_by.join(", "));
            return Err(wrong(file, &key, column, &expected));
        }
    }
    if spec.audience == ItemAudience::Specific && spec.audience_text.is_none() {
        return Err(wrong(file, &key, "no audience_text", "whom a specific item is for"));
    }
    if let Some(class) = spec.oga_class.filter(|class| !(1..=15).contains(class)) {
        return Err(wrong(file, &key, &class.to_string(), "a class of article 20, 1 to 15"));
    }
    check_channels(file, &key, &spec.channels)?;
    let (rule, needs_review) = deadline(file, &key, &spec.deadline_text, spec.rule, spec.reviewed)?;
    Ok(DisclosureItem {
        level1: level1.clone(),
        tiers,
        code: spec.code,
        label: spec.label,
        content: spec.content,
        deadline_text: spec.deadline_text,
        rule,
        needs_review,
        legal_basis: spec.legal_basis,
        publisher: spec.publisher.unwrap_or_else(|| publisher.clone()),
        channels: spec.channels,
        audience: spec.audience,
        audience_text: spec.audience_text,
        mode: spec.mode,
        oga_class: spec.oga_class,
        obligations: spec.obligations,
        datasets: spec.datasets,
        version_no: 1,
        valid_from: spec.valid_from.unwrap_or(valid_from),
        valid_to: spec.valid_to,
        reason: spec.reason,
    })
}

/// The rule of a deadline: as declared, else as the text is read. A declared rule that says otherwise than the text needs a person
/// who has looked at it.
pub(super) fn deadline(
    file: &str,
    key: &str,
    text: &str,
    declared: Option<DeadlineRule>,
    reviewed: bool,
) -> Result<(Option<DeadlineRule>, bool), CatalogError> {
    let reading = read(text, None);
    let Some(declared) = declared else {
        return Ok((reading.rule, reading.needs_review && !reviewed));
    };
    check_rule(file, key, &declared)?;
    let is_told = reading.rule.as_ref() == Some(&declared) && !reading.needs_review;
    // What depends on another item no text can say by itself.
    let is_linked = matches!(declared, DeadlineRule::WithParent { .. });
    Ok((Some(declared), !(is_told || is_linked || reviewed)))
}

pub(super) fn check_channels(file: &str, key: &str, channels: &[String]) -> Result<(), CatalogError> {
    match channels.iter().find(|channel| !CHANNELS.contains(&channel.as_str())) {
        Some(unknown) => Err(wrong(file, key, unknown, &format!("a channel: {}", CHANNELS.join(", ")))),
        None => Ok(()),
    }
}

fn check_rule(file: &str, key: &str, rule: &DeadlineRule) -> Result<(), CatalogError> {
    match rule.fault() {
        Some((found, expected)) => Err(wrong(file, key, &found, expected)),
        None => Ok(()),
    }
}

pub(super) fn wrong(file: &str, key: &str, found: &str, expected: &str) -> CatalogError {
    CatalogError::Value {
        file: file.to_owned(),
        key: key.to_owned(),
        found: found.to_owned(),
        expected: expected.to_owned(),
    }
}
