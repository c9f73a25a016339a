//! `catalog.item`, `catalog.item_coverage`.

use gongkai_catalog::disclosure::{DisclosureField, DisclosureItem, DisclosureRegion, LegalBasis, item_code};

use super::Kind::{Bigint, Date, Text};
use super::{ArrayRef, Sources, View, bigint, column, date, text};
use crate::disclosure::{ItemCoverage, coverage};

pub(super) const VIEWS: &[View] = &[
    View {
        schema: "catalog",
        name: "item",
        zh: "公开事项",
        en: "Disclosure items of every region that follows the tiered catalogue",
        columns: &[
            column("item_code", Text, "事项编码：地区-领域-一级二级", "Code: region, field, levels"),
            column("region_code", Text, "行政区划代码", "Region that has the duty"),
            column("region_name", Text, "地区", "Its name"),
            column("tier", Text, "层级", "city, county or township"),
            column("field_no", Text, "领域编号", "Number of the field"),
            column("field_zh", Text, "领域", "Field in Chinese"),
            column("field_en", Text, "领域（英文）", "Field in English"),
            column("level1_zh", Text, "一级事项", "First level in Chinese"),
            column("level2_zh", Text, "二级事项", "Second level in Chinese"),
            column("level2_en", Text, "二级事项（英文）", "Second level in English"),
            column("content_elements", Text, "公开内容（要素），以顿号分隔", "What has to be in it"),
            column("legal_basis", Text, "公开依据", "What it follows from"),
            column("deadline_text", Text, "公开时限", "Deadline as written"),
            column("deadline_rule", Text, "时限规则（JSON）", "Deadline as a rule, JSON"),
            column("publisher_zh", Text, "公开主体", "Office whose duty it is"),
            column("channels", Text, "公开渠道", "Where it is published"),
            column("audience", Text, "公开对象：public 全社会，specific 特定群体", "public, or specific people"),
            column("dataset", Text, "对应数据集，以逗号分隔", "Datasets that fulfil it, separated by commas"),
            column("valid_from", Date, "生效日期", "First day on which it holds"),
            column("version", Text, "目录版本", "Version of the catalogue"),
        ],
        fill: items,
    },
    View {
        schema: "catalog",
        name: "item_coverage",
        zh: "公开事项覆盖情况",
        en: "How every item of every region stands now: covered, synthetic, missing, unlinked or not_public",
        columns: &[
            column("item_code", Text, "事项编码", "Code of the item"),
            column("region_code", Text, "行政区划代码", "Region"),
            column("tier", Text, "层级", "city, county or township"),
            column("field_no", Text, "领域编号", "Number of the field"),
            column("state", Text, "状态", "covered, synthetic (made-up figures only), missing, unlinked or not_public"),
            column("releases", Bigint, "含该地区数据的现行发布数", "Current releases with rows for the region"),
            column("latest_release_id", Text, "最近发布", "The latest of them"),
        ],
        fill: states,
    },
];

struct Entry<'a> {
    region: &'a DisclosureRegion,
    field: &'a DisclosureField,
    item: &'a DisclosureItem,
}

fn entries<'a>(from: &Sources<'a>) -> Vec<Entry<'a>> {
    let disclosure = &from.catalog.disclosure;
    let of_region = |region: &'a DisclosureRegion| {
        disclosure.items_of(region).map(move |(field, item)| Entry { region, field, item })
    };
    disclosure.regions.iter().flat_map(of_region).collect()
}

fn items(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = entries(from);
    let disclosure = &from.catalog.disclosure;
    let basis =
        |item: &DisclosureItem| item.legal_basis.iter().map(LegalBasis::citation).collect::<Vec<_>>().join("；");
    vec![
        text(all.iter().map(|entry| Some(item_code(entry.region, entry.field, entry.item)))),
        text(all.iter().map(|entry| Some(&entry.region.region_code))),
        text(all.iter().map(|entry| Some(&entry.region.name))),
        text(all.iter().map(|entry| Some(entry.region.tier.name()))),
        text(all.iter().map(|entry| Some(&entry.field.number))),
        text(all.iter().map(|entry| Some(&entry.field.label.zh))),
        text(all.iter().map(|entry| Some(&entry.field.label.en))),
        text(all.iter().map(|entry| Some(&entry.item.level1.zh))),
        text(all.iter().map(|entry| Some(&entry.item.label.zh))),
        text(all.iter().map(|entry| Some(&entry.item.label.en))),
        text(all.iter().map(|entry| Some(entry.item.content.join("、")))),
        text(all.iter().map(|entry| Some(basis(entry.item)))),
        text(all.iter().map(|entry| Some(&entry.item.deadline_text))),
        text(all.iter().map(|entry| serde_json::to_string(&entry.item.rule).ok())),
        text(all.iter().map(|entry| Some(&entry.field.publisher.zh))),
        text(all.iter().map(|entry| Some(entry.item.channels.join("、")))),
        text(all.iter().map(|entry| match entry.item.audience {
            gongkai_catalog::disclosure::ItemAudience::Public => Some("public"),
            gongkai_catalog::disclosure::ItemAudience::Specific => Some("specific"),
        })),
        text(all.iter().map(|entry| {
            let linked: Vec<&str> = entry.item.datasets.iter().map(|link| link.dataset.as_str()).collect();
            (!linked.is_empty()).then(|| linked.join(","))
        })),
        date(all.iter().map(|_| disclosure.valid_from)),
        text(all.iter().map(|_| Some(&disclosure.version))),
    ]
}

fn states(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = entries(from);
    let found: Vec<ItemCoverage<'_>> =
        all.iter().map(|entry| coverage(from.catalog, from.snapshot, entry.region, entry.item)).collect();
    vec![
        text(all.iter().map(|entry| Some(item_code(entry.region, entry.field, entry.item)))),
        text(all.iter().map(|entry| Some(&entry.region.region_code))),
        text(all.iter().map(|entry| Some(entry.region.tier.name()))),
        text(all.iter().map(|entry| Some(&entry.field.number))),
        text(found.iter().map(|found| Some(found.state.name()))),
        bigint(found.iter().map(|found| Some(found.releases.len() as u64))),
        text(found.iter().map(|found| found.releases.last().map(|release| release.id()))),
    ]
}
