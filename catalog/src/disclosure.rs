//! The tiered catalogue of disclosure duties: items, each declared once, the regions that follow them, and what they do otherwise.
//!
//! The item of a region is the two together, under the code `{region}-{field}-{first level}{second level}`, stable for
//! life. An item is declared once for all regions of its tiers; what one tier has otherwise stands with it, what one region has
//! otherwise in a file of the region's own, with a reason. A duty that changes is a new version of its item, declared under the
//! same code with its first day and a reason; versions before it stay readable.
//!
//! A deadline is kept as its text. The rule is read from it ([`crate::deadline::read`]), or declared beside it where the
//! text leaves something open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::deadline::{DeadlineRule, read};
use crate::declaration::Declarations;
use crate::{CatalogError, Dataset, Label, RegionList, Tier};

/// Everything that must be public, by whom and until when.
#[derive(Debug, Clone)]
pub struct Disclosure {
    /// Title of the catalogue.
    pub label: Label,
    /// Version of the list.
    pub version: String,
    /// The document that it follows.
    pub basis: String,
    /// First day on which it holds.
    pub valid_from: Option<NaiveDate>,
    /// Regions that follow it, in order.
    pub regions: Vec<DisclosureRegion>,
    /// Fields in the order of their numbers, each with its items.
    pub fields: Vec<DisclosureField>,
}

/// A region that follows the catalogue.
#[derive(Debug, Clone)]
pub struct DisclosureRegion {
    /// Code.
    pub region_code: String,
    /// Its latest name.
    pub name: String,
    /// Its tier: which items are its own.
    pub tier: Tier,
    /// First day on which the region is there, where it came later than the catalogue.
    pub valid_from: Option<NaiveDate>,
    /// First day on which it is not there any more.
    pub valid_to: Option<NaiveDate>,
    /// Every version of every item that it has or had, in the order of fields, codes and versions.
    pub items: Vec<RegionItem>,
    /// Items of its tier that it does not have, by their short codes, with the reason.
    pub omitted: BTreeMap<String, Label>,
}

/// An item as one region has it.
#[derive(Debug, Clone)]
pub struct RegionItem {
    /// Number of the field.
    pub field: String,
    /// The item, with what tier and region have otherwise.
    pub item: Arc<DisclosureItem>,
    /// Why the region has it otherwise than others of its tier, or alone.
    pub local_reason: Option<Label>,
}

/// A field of duties.
#[derive(Debug, Clone)]
pub struct DisclosureField {
    /// Number of two digits.
    pub number: String,
    /// Title.
    pub label: Label,
    /// Office whose duty it is.
    pub publisher: Label,
    /// Items in the order of their codes, and of their versions.
    pub items: Vec<Arc<DisclosureItem>>,
}

/// One version of one duty.
#[derive(Debug, Clone)]
pub struct DisclosureItem {
    /// Code within the field: two digits of each level.
    pub code: String,
    /// First level.
    pub level1: Label,
    /// Second level.
    pub label: Label,
    /// Tiers that have the duty.
    pub tiers: Vec<Tier>,
    /// What has to be in it.
    pub content: Vec<String>,
    /// Deadline as written.
    pub deadline_text: String,
    /// Deadline as a rule; none where the text gives none.
    pub rule: Option<DeadlineRule>,
    /// Whether a person has yet to say what the text means.
    pub needs_review: bool,
    /// What it follows from.
    pub legal_basis: Vec<LegalBasis>,
    /// Office whose duty it is.
    pub publisher: Label,
    /// Where it is published.
    pub channels: Vec<String>,
    /// For whom.
    pub audience: ItemAudience,
    /// The audience in words, where it is not everybody.
    pub audience_text: Option<String>,
    /// Whether it is published unasked.
    pub mode: ItemMode,
    /// Class of article 20 of the regulation on open government information, 1 to 15, where it has one.
    pub oga_class: Option<u8>,
    /// Duties of the work plan that it fulfils: `O-015`.
    pub obligations: Vec<String>,
    /// Datasets that fulfil it.
    pub datasets: Vec<ItemDataset>,
    /// Number of the version, from 1.
    pub version_no: u32,
    /// First day on which this version holds.
    pub valid_from: NaiveDate,
    /// First day on which it holds no more.
    pub valid_to: Option<NaiveDate>,
    /// Why it is another version than the one before.
    pub reason: Option<Label>,
}

impl DisclosureItem {
    /// Whether this version holds on a day.
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|to| day < to)
    }
}

/// For whom an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemAudience {
    /// Everybody (全社会).
    Public,
    /// The people concerned (特定群体).
    Specific,
}

impl ItemAudience {
    /// Its name in tables and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Specific => "specific",
        }
    }
}

/// Whether an item is published unasked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemMode {
    /// Unasked (主动公开).
    #[default]
    Proactive,
    /// To those who ask (依申请公开).
    OnRequest,
}

impl ItemMode {
    /// Its name in tables and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proactive => "proactive",
            Self::OnRequest => "on_request",
        }
    }
}

/// A law or document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalBasis {
    /// Title.
    pub title: String,
    /// Number of the document.
    pub doc_no: Option<String>,
    /// Article.
    pub article: Option<String>,
}

impl LegalBasis {
    /// Title, number and article, as a citation.
    pub fn citation(&self) -> String {
        let parts = [Some(&self.title), self.doc_no.as_ref(), self.article.as_ref()];
        parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
    }
}

/// A dataset that fulfils an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemDataset {
    /// Id of the dataset.
    pub dataset: String,
    /// Values that a partition must have to count: `stage = "FINAL"`.
    #[serde(default)]
    pub partition: BTreeMap<String, String>,
}

/// Where an item may be published (公开渠道和载体), as the standard catalogues list them.
pub const CHANNELS: [&str; 14] = [
    "政府网站",
    "政府公报",
    "两微一端",
    "发布会/听证会",
    "广播电视",
    "纸质媒体",
    "公开查阅点",
    "政务服务中心",
    "便民服务站",
    "入户/现场",
    "社区/企事业单位/村公示栏(电子屏)",
    "精准推送",
    "12345热线",
    "其他",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionsSpec {
    version: String,
    label: Label,
    basis: String,
    valid_from: NaiveDate,
    /// Regions by their codes.
    #[serde(default)]
    region: Vec<String>,
    /// Regions with every county and township below them.
    #[serde(default)]
    within: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldSpec {
    field: String,
    label: Label,
    publisher: Label,
    level1: BTreeMap<String, Label>,
    item: Vec<ItemSpec>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemSpec {
    code: String,
    label: Label,
    tiers: Vec<String>,
    content: Vec<String>,
    deadline_text: String,
    rule: Option<DeadlineRule>,
    #[serde(default)]
    reviewed: bool,
    legal_basis: Vec<LegalBasis>,
    publisher: Option<Label>,
    channels: Vec<String>,
    audience: ItemAudience,
    audience_text: Option<String>,
    #[serde(default)]
    mode: ItemMode,
    oga_class: Option<u8>,
    #[serde(default)]
    obligations: Vec<String>,
    #[serde(default)]
    datasets: Vec<ItemDataset>,
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
    reason: Option<Label>,
    /// What one tier has otherwise.
    #[serde(default)]
    by_tier: Vec<Change>,
    /// Number of the field, of an item that one region has alone.
    field: Option<String>,
    /// Why it has it.
    local_reason: Option<Label>,
}

/// What a tier (`tier`) or a region (`item`, `reason`) has otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    tier: Option<String>,
    item: Option<String>,
    reason: Option<Label>,
    #[serde(default)]
    omit: bool,
    deadline_text: Option<String>,
    rule: Option<DeadlineRule>,
    #[serde(default)]
    reviewed: bool,
    channels: Option<Vec<String>>,
    content: Option<Vec<String>>,
    publisher: Option<Label>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalSpec {
    region: String,
    #[serde(default)]
    change: Vec<Change>,
    #[serde(default)]
    item: Vec<ItemSpec>,
}

impl Disclosure {
    /// No duties: an instance without a catalogue.
    fn none() -> Self {
        Self {
            label: Label { zh: "无目录".into(), en: "no catalogue".into() },
            version: String::new(),
            basis: String::new(),
            valid_from: None,
            regions: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// The region of that code.
    pub fn region(&self, code: &str) -> Option<&DisclosureRegion> {
        self.regions.iter().find(|region| region.region_code == code)
    }

    /// The field of that number.
    pub fn field(&self, number: &str) -> Option<&DisclosureField> {
        self.fields.iter().find(|field| field.number == number)
    }

    /// Regions that are there on a day.
    pub fn regions_on(&self, day: NaiveDate) -> impl Iterator<Item = &DisclosureRegion> {
        self.regions.iter().filter(move |region| region.holds_on(day))
    }
}

impl DisclosureRegion {
    /// Whether the region is there on a day.
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day < to)
    }

    /// Items that hold on a day, in the order of fields and codes; none where the region is not there.
    pub fn items_on(&self, day: NaiveDate) -> impl Iterator<Item = &RegionItem> {
        self.items.iter().filter(move |own| self.holds_on(day) && own.item.holds_on(day))
    }
}

impl RegionItem {
    /// Code without the region: `04-0101`.
    pub fn short_code(&self) -> String {
        format!("{}-{}", self.field, self.item.code)
    }

    /// The full code of the item of a region: `510400-04-0101`.
    pub fn code(&self, region: &DisclosureRegion) -> String {
        format!("{}-{}-{}", region.region_code, self.field, self.item.code)
    }
}

const REGIONS: &str = "disclosure/regions.toml";

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
    check_parents(&fields)?;
    let mut followers = followers(&spec, regions)?;
    for region in &mut followers {
        region.items = items_of(region, &fields, &by_tier);
    }
    for file in declarations.paths("disclosure/local/", ".toml") {
        local(file, declarations.toml(file)?, &mut followers, &fields, datasets, spec.valid_from)?;
    }
    Ok(Disclosure {
        label: spec.label,
        version: spec.version,
        basis: spec.basis,
        valid_from: Some(spec.valid_from),
        regions: followers,
        fields,
    })
}

/// Regions that follow, those of `within` with everything below them that was there since the catalogue holds.
fn followers(spec: &RegionsSpec, regions: &RegionList) -> Result<Vec<DisclosureRegion>, CatalogError> {
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

/// What tiers have otherwise: by field, code, version and tier.
type ByTier = BTreeMap<(String, String, u32, Tier), Arc<DisclosureItem>>;

fn items_of(region: &DisclosureRegion, fields: &[DisclosureField], by_tier: &ByTier) -> Vec<RegionItem> {
    let all = fields.iter().flat_map(|field| field.items.iter().map(move |item| (field, item)));
    let own = all.filter(|(_, item)| item.tiers.contains(&region.tier));
    own.map(|(field, item)| {
        let key = (field.number.clone(), item.code.clone(), item.version_no, region.tier);
        let item = Arc::clone(by_tier.get(&key).unwrap_or(item));
        RegionItem { field: field.number.clone(), item, local_reason: None }
    })
    .collect()
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

fn key(code: &str) -> String {
    format!("item {code}")
}

/// Makes an item the next version of the one with its code, where there is one.
fn follow_on(file: &str, items: &mut [Arc<DisclosureItem>], item: &mut DisclosureItem) -> Result<(), CatalogError> {
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

fn tier_named(file: &str, code: &str, name: &str) -> Result<Tier, CatalogError> {
    let tier = Tier::from_name(name).filter(|tier| matches!(tier, Tier::City | Tier::County | Tier::Township));
    tier.ok_or_else(|| wrong(file, &key(code), name, "city, county or township"))
}

fn resolve(
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
fn deadline(
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

fn check_channels(file: &str, key: &str, channels: &[String]) -> Result<(), CatalogError> {
    match channels.iter().find(|channel| !CHANNELS.contains(&channel.as_str())) {
        Some(unknown) => Err(wrong(file, key, unknown, &format!("a channel: {}", CHANNELS.join(", ")))),
        None => Ok(()),
    }
}

impl Change {
    fn apply(&self, file: &str, to: &DisclosureItem) -> Result<DisclosureItem, CatalogError> {
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

/// What one region has otherwise.
fn local(
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

fn check_rule(file: &str, key: &str, rule: &DeadlineRule) -> Result<(), CatalogError> {
    match rule.fault() {
        Some((found, expected)) => Err(wrong(file, key, &found, expected)),
        None => Ok(()),
    }
}

fn check_parents(fields: &[DisclosureField]) -> Result<(), CatalogError> {
    let codes: BTreeSet<String> = fields
        .iter()
        .flat_map(|field| field.items.iter().map(move |item| format!("{}-{}", field.number, item.code)))
        .collect();
    for item in fields.iter().flat_map(|field| &field.items) {
        if let Some(DeadlineRule::WithParent { parent }) = &item.rule
            && !codes.contains(parent)
        {
            return Err(wrong("disclosure/items/", &key(&item.code), parent, "the code of another item"));
        }
    }
    Ok(())
}

fn wrong(file: &str, key: &str, found: &str, expected: &str) -> CatalogError {
    CatalogError::Value {
        file: file.to_owned(),
        key: key.to_owned(),
        found: found.to_owned(),
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;

    fn load_with(path: &str, from: &str, to: &str) -> Result<Catalog, CatalogError> {
        let mut declarations = Declarations::embedded();
        let text = declarations.text(path).expect("there").to_owned();
        assert!(text.contains(from), "{from}");
        declarations.insert(path, text.replacen(from, to, 1).as_bytes());
        Catalog::load(declarations)
    }

    #[test]
    fn each_tier_has_its_items() {
        let catalog = Catalog::load(Declarations::embedded()).expect("loads");
        let day = NaiveDate::from_ymd_opt(2024, 1, 1).expect("a day");
        let count = |code: &str| catalog.disclosure.region(code).expect("follows").items_on(day).count();
        // The initial list of 45 items, and 70 for the other duties of the work plan.
        assert_eq!(catalog.disclosure.fields.iter().map(|field| field.items.len()).sum::<usize>(), 115);
        assert_eq!((count("510400"), count("510421"), count("510421100")), (95, 102, 50));
    }

    #[test]
    fn references_are_checked_and_named() {
        for (path, from, to, expected) in [
            (REGIONS, "\"510400\"", "\"519999\"", "519999"),
            ("disclosure/items/27_prices.toml", "dataset = \"cpi_monthly\"", "dataset = \"cpi\"", "\"cpi\""),
            ("disclosure/items/28_debt.toml", "parent = \"28-0102\"", "parent = \"28-0199\"", "28-0199"),
            ("disclosure/items/28_debt.toml", "partition = { stage", "partition = { phase", "phase"),
            ("disclosure/items/28_debt.toml", "anchor = \"event\"", "anchor = \"whenever\"", "28_debt.toml"),
        ] {
            let error = load_with(path, from, to).expect_err("refused").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
