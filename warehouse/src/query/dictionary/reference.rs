//! Schema `ref`: the code lists that figures refer to.

use super::Kind::{Date, Text};
use super::{ArrayRef, Sources, View, column, date, text};

pub(super) const VIEWS: &[View] = &[
    View {
        schema: "ref",
        name: "region",
        zh: "行政区划",
        en: "Regions, one row for each name and parent that a code has had",
        columns: &[
            column("region_code", Text, "行政区划代码", "GB/T 2260 code"),
            column("name", Text, "名称", "Official name"),
            column("tier", Text, "层级", "nation, province, city, county or township"),
            column("parent_code", Text, "上级代码", "Code of the region above"),
            column("region_kind", Text, "类型", "admin, functional_zone, or filler for statistical rows"),
            column("valid_from", Date, "始见日期，空为早于资料", "First day seen to hold; empty before our sources"),
            column("valid_to", Date, "终止日期（不含），空为现行", "First day seen not to hold; empty while it does"),
            column("source", Text, "出处", "Where it was read"),
        ],
        fill: regions,
    },
    View {
        schema: "ref",
        name: "unit",
        zh: "计量单位",
        en: "Units",
        columns: &[
            column("unit", Text, "单位标识", "Unit id"),
            column("symbol", Text, "符号", "Symbol"),
            column("label_zh", Text, "中文名称", "Name in Chinese"),
            column("label_en", Text, "英文名称", "Name in English"),
            column("dimension", Text, "量纲", "Dimension; units of one convert into each other"),
            column("factor", Text, "折合基本单位的倍数", "How many base units one is, exact"),
            column("aliases", Text, "文件中的写法，以逗号分隔", "Spellings in files, separated by commas"),
        ],
        fill: units,
    },
    View {
        schema: "ref",
        name: "publisher",
        zh: "发布机构",
        en: "Publishing offices",
        columns: &[
            column("publisher", Text, "机构标识", "Office id"),
            column("label_zh", Text, "中文名称", "Name in Chinese"),
            column("label_en", Text, "英文名称", "Name in English"),
            column("region_code", Text, "所在地区", "Region that it belongs to"),
            column("homepage", Text, "网址", "Public address"),
        ],
        fill: publishers,
    },
    View {
        schema: "ref",
        name: "licence",
        zh: "许可",
        en: "Licences",
        columns: &[
            column("licence", Text, "许可标识", "Licence id"),
            column("label_zh", Text, "中文名称", "Title in Chinese"),
            column("label_en", Text, "英文名称", "Title in English"),
            column("url", Text, "全文网址", "Where the full text is"),
        ],
        fill: licences,
    },
    View {
        schema: "ref",
        name: "theme",
        zh: "主题",
        en: "Themes",
        columns: &[
            column("theme", Text, "主题标识", "Theme id"),
            column("label_zh", Text, "中文名称", "Title in Chinese"),
            column("label_en", Text, "英文名称", "Title in English"),
        ],
        fill: themes,
    },
];

fn regions(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = || from.catalog.regions.iter();
    vec![
        text(all().map(|region| Some(&region.region_code))),
        text(all().map(|region| Some(&region.name))),
        text(all().map(|region| Some(region.tier.name()))),
        text(all().map(|region| region.parent_code.as_ref())),
        text(all().map(|region| Some(&region.region_kind))),
        date(all().map(|region| region.valid_from)),
        date(all().map(|region| region.valid_to)),
        text(all().map(|region| Some(&region.source))),
    ]
}

fn units(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = || from.catalog.units.values();
    vec![
        text(all().map(|unit| Some(&unit.id))),
        text(all().map(|unit| Some(&unit.symbol))),
        text(all().map(|unit| Some(&unit.label.zh))),
        text(all().map(|unit| Some(&unit.label.en))),
        text(all().map(|unit| Some(&unit.dimension))),
        text(all().map(|unit| Some(unit.factor.to_string()))),
        text(all().map(|unit| Some(unit.aliases.join(",")))),
    ]
}

fn publishers(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = || from.catalog.publishers.iter();
    vec![
        text(all().map(|(id, _)| Some(id))),
        text(all().map(|(_, office)| Some(&office.label.zh))),
        text(all().map(|(_, office)| Some(&office.label.en))),
        text(all().map(|(_, office)| Some(&office.region_code))),
        text(all().map(|(_, office)| office.homepage.as_ref())),
    ]
}

fn licences(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = || from.catalog.licences.iter();
    vec![
        text(all().map(|(id, _)| Some(id))),
        text(all().map(|(_, licence)| Some(&licence.label.zh))),
        text(all().map(|(_, licence)| Some(&licence.label.en))),
        text(all().map(|(_, licence)| licence.url.as_ref())),
    ]
}

fn themes(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = || from.catalog.themes.iter();
    vec![
        text(all().map(|(id, _)| Some(id))),
        text(all().map(|(_, theme)| Some(&theme.label.zh))),
        text(all().map(|(_, theme)| Some(&theme.label.en))),
    ]
}
