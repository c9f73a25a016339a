//! The tiered catalogue of disclosure duties: items, each declared once, the regions that follow them, and what they do otherwise.
//!
//! The item of a region is the two together, under the code `{region}-{field}-{first level}{second level}`, stable for
//! life. An item is declared once for all regions of its tiers; what one tier has otherwise stands with it, what one region has
//! otherwise in a file of the region's own, with a reason. A duty that changes is a new version of its item, declared under the
//! same code with its first day and a reason; versions before it stay readable.
//!
//! A deadline is kept as its text. The rule is read from it ([`crate::deadline::read`]), or declared beside it where the
//! text leaves something open.

mod load;
mod local;
mod parents;
mod regions;
mod spec;
mod versions;

pub(crate) use load::load;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::deadline::DeadlineRule;
use crate::{Label, Tier};

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

#[cfg(test)]
mod tests {
    use super::load::REGIONS;
    use super::*;
    use crate::{Catalog, CatalogError, Declarations};

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
            ("disclosure/items/28_debt.toml", "parent = \"28-0102\"", "parent = \"28-0106\"", "three at most"),
            ("disclosure/items/28_debt.toml", "partition = { stage", "partition = { phase", "phase"),
            ("disclosure/items/28_debt.toml", "anchor = \"event\"", "anchor = \"whenever\"", "28_debt.toml"),
        ] {
            let error = load_with(path, from, to).expect_err("refused").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn parents_of_a_tier_and_of_a_region_are_items_that_are_there() {
        let with = |path: &str, text: &str| {
            let mut declarations = Declarations::embedded();
            let before = declarations.text(path).unwrap_or_default().to_owned();
            declarations.insert(path, format!("{before}{text}").as_bytes());
            Catalog::load(declarations)
        };
        let local = "disclosure/local/510421.toml";
        let reason = "reason = { zh = \"合并公开\", en = \"published together\" }";
        let change = |item: &str, what: &str| format!("[[change]]\nitem = \"{item}\"\n{reason}\n{what}\n");
        let region = "region = \"510421\"\n";
        // 28-0106 goes with 28-0102, which may go with 28-0101, but not with 28-0106.
        let chain = change("28-0102", "rule = { kind = \"with_parent\", parent = \"28-0101\" }");
        assert!(with(local, &format!("{region}{chain}")).is_ok());
        for (text, expected) in [
            (change("28-0102", "rule = { kind = \"with_parent\", parent = \"28-0199\" }"), "28-0199"),
            (change("28-0102", "rule = { kind = \"with_parent\", parent = \"28-0106\" }"), "three at most"),
            // What the region leaves out, nothing of it goes with.
            (change("28-0102", "omit = true"), "28-0102"),
        ] {
            let error = with(local, &format!("{region}{text}")).expect_err("refused").to_string();
            assert!(error.contains(expected) && error.contains("510421"), "{error}");
        }
        // The last item of field 29 has it otherwise in counties.
        let tier = "by_tier = [{ tier = \"county\", rule = { kind = \"with_parent\", parent = \"29-9999\" } }]\n";
        let error = with("disclosure/items/29_policy_documents.toml", tier).expect_err("refused").to_string();
        assert!(error.contains("29-9999"), "{error}");
    }
}
