//! `catalog.item`, `catalog.item_coverage`, `catalog.item_release`, `catalog.clock`, `ref.period`.

use chrono::{Datelike, Days, NaiveDate};
use gongkai_catalog::deadline::{DeadlineRule, Frequency};
use gongkai_catalog::disclosure::{DisclosureItem, DisclosureRegion, LegalBasis, RegionItem};

use super::Kind::{Bigint, Boolean, Date, Text, Timestamp};
use super::{ArrayRef, Sources, View, bigint, boolean, column, date, text, timestamp};
use crate::ReleaseRecord;
use crate::disclosure::{ItemCoverage, coverage, first_published};

pub(super) const VIEWS: &[View] = &[
    View {
        schema: "catalog",
        name: "item",
        zh: "公开事项",
        en: "Disclosure items of every region that follows the tiered catalogue, every version of them",
        columns: &[
            column("item_code", Text, "事项编码：地区-领域-一级二级", "Code: region, field, levels"),
            column("version_no", Bigint, "版本号，从 1 起", "Number of the version, from 1"),
            column("valid_from", Date, "本版本生效日期", "First day on which this version holds"),
            column(
                "valid_to",
                Date,
                "本版本终止日期（不含），空为现行",
                "First day on which it does not; empty while it holds",
            ),
            column("reason", Text, "变更原因", "Why it is another version than the one before"),
            column("short_code", Text, "不含地区的编码：领域-一级二级", "Code without the region: field, levels"),
            column("region_code", Text, "行政区划代码", "Region that has the duty"),
            column("region_name", Text, "地区", "Its name"),
            column("tier", Text, "层级", "city, county or township"),
            column("parent_code", Text, "上级地区代码", "Region above it"),
            column("field_no", Text, "领域编号", "Number of the field"),
            column("field_zh", Text, "领域", "Field in Chinese"),
            column("field_en", Text, "领域（英文）", "Field in English"),
            column("level1_zh", Text, "一级事项", "First level in Chinese"),
            column("level2_zh", Text, "二级事项", "Second level in Chinese"),
            column("level2_en", Text, "二级事项（英文）", "Second level in English"),
            column("content_elements", Text, "公开内容（要素），以顿号分隔", "What has to be in it"),
            column("legal_basis", Text, "公开依据", "What it follows from"),
            column("deadline_text", Text, "公开时限", "Deadline as written"),
            column(
                "deadline_rule",
                Text,
                "时限规则（JSON），读不出的为空",
                "Deadline as a rule, JSON; empty where the text gives none",
            ),
            column("rule_kind", Text, "规则类型", "Kind of the rule"),
            column("rule_anchor", Text, "起算事件", "Event that it counts from"),
            column("rule_freq", Text, "周期", "How often its periods come round"),
            column("rule_parent", Text, "随同公开的事项", "Item that it goes with"),
            column(
                "needs_review",
                Boolean,
                "时限文字是否待人工确认",
                "Whether a person has yet to say what the text means",
            ),
            column("publisher_zh", Text, "公开主体", "Office whose duty it is"),
            column("channels", Text, "公开渠道，以顿号分隔", "Where it is published"),
            column("audience", Text, "公开对象：public 全社会，specific 特定群体", "public, or specific people"),
            column("mode", Text, "公开方式：proactive 主动，on_request 依申请", "proactive or on_request"),
            column(
                "oga_class",
                Bigint,
                "条例第二十条的类别，1 至 15",
                "Class of article 20 of the regulation, 1 to 15",
            ),
            column(
                "obligations",
                Text,
                "所落实的任务，以逗号分隔",
                "Duties of the work plan that it fulfils, separated by commas",
            ),
            column("dataset", Text, "对应数据集，以逗号分隔", "Datasets that fulfil it, separated by commas"),
            column(
                "local_reason",
                Text,
                "与同级其他地区不同的原因",
                "Why the region has it otherwise than others of its tier",
            ),
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
    View {
        schema: "catalog",
        name: "item_release",
        zh: "落实公开事项的发布",
        en: "Current releases that fulfil an item of a region, and when their partition was first published with rows of it",
        columns: &[
            column("item_code", Text, "事项编码", "Code of the item"),
            column("version_no", Bigint, "事项版本号", "Version of the item"),
            column("region_code", Text, "行政区划代码", "Region"),
            column("release_id", Text, "发布编号", "Release"),
            column("first_published_at", Timestamp, "首次公开时间", "When first published"),
            column("published_at", Timestamp, "本发布的公开时间", "When this release was published"),
            column(
                "is_dated",
                Boolean,
                "首次公开时间是否有据；否则为本库记录时间",
                "Whether a source says so; else it is when this warehouse recorded it",
            ),
            column("is_synthetic", Boolean, "是否合成样例数据", "Whether its figures are synthetic samples"),
        ],
        fill: releases,
    },
    View {
        schema: "catalog",
        name: "clock",
        zh: "问题所问的时间",
        en: "The moment that the question is about: now, or the as_of asked for",
        columns: &[
            column("now_at", Timestamp, "时间", "The moment"),
            column("today", Date, "北京时间的日期", "Its day in China"),
        ],
        fill: clock,
    },
    View {
        schema: "ref",
        name: "period",
        zh: "期间",
        en: "Weeks, months, quarters, half-years and years since the catalogue holds, up to today",
        columns: &[
            column("freq", Text, "周期", "weekly, monthly, quarterly, halfyearly or yearly"),
            column(
                "period",
                Text,
                "期间：2019-W09、2019-03、2019-Q1、2019-H1、2019",
                "The period, such as 2019-W09, 2019-03, 2019-Q1, 2019-H1 or 2019",
            ),
            column("period_start", Date, "第一天", "Its first day"),
            column("period_end", Date, "最后一天", "Its last day"),
        ],
        fill: periods,
    },
];

struct Entry<'a> {
    region: &'a DisclosureRegion,
    own: &'a RegionItem,
}

impl<'a> Entry<'a> {
    fn item(&self) -> &'a DisclosureItem {
        &self.own.item
    }
}

/// Every version of every item of every region.
fn entries<'a>(from: &Sources<'a>) -> Vec<Entry<'a>> {
    let regions = from.catalog.disclosure.regions.iter();
    regions.flat_map(|region| region.items.iter().map(move |own| Entry { region, own })).collect()
}

fn items(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = entries(from);
    let disclosure = &from.catalog.disclosure;
    let field = |entry: &Entry<'_>| disclosure.field(&entry.own.field).map(|field| field.label.clone());
    let basis =
        |item: &DisclosureItem| item.legal_basis.iter().map(LegalBasis::citation).collect::<Vec<_>>().join("；");
    let parent = |entry: &Entry<'_>| {
        let region = from.catalog.regions.by_code(&entry.region.region_code).next();
        region.and_then(|region| region.parent_code.clone())
    };
    let rule = |entry: &Entry<'_>| entry.item().rule.clone();
    // A region that came or went during a version has it while it was there.
    let begins = |entry: &Entry<'_>| {
        entry.region.valid_from.map_or(entry.item().valid_from, |from| from.max(entry.item().valid_from))
    };
    let ends = |entry: &Entry<'_>| match (entry.item().valid_to, entry.region.valid_to) {
        (Some(item), Some(region)) => Some(item.min(region)),
        (one, other) => one.or(other),
    };
    vec![
        text(all.iter().map(|entry| Some(entry.own.code(entry.region)))),
        bigint(all.iter().map(|entry| Some(entry.item().version_no.into()))),
        date(all.iter().map(|entry| Some(begins(entry)))),
        date(all.iter().map(ends)),
        text(all.iter().map(|entry| entry.item().reason.as_ref().map(|reason| &reason.zh))),
        text(all.iter().map(|entry| Some(entry.own.short_code()))),
        text(all.iter().map(|entry| Some(&entry.region.region_code))),
        text(all.iter().map(|entry| Some(&entry.region.name))),
        text(all.iter().map(|entry| Some(entry.region.tier.name()))),
        text(all.iter().map(parent)),
        text(all.iter().map(|entry| Some(&entry.own.field))),
        text(all.iter().map(|entry| field(entry).map(|label| label.zh))),
        text(all.iter().map(|entry| field(entry).map(|label| label.en))),
        text(all.iter().map(|entry| Some(&entry.item().level1.zh))),
        text(all.iter().map(|entry| Some(&entry.item().label.zh))),
        text(all.iter().map(|entry| Some(&entry.item().label.en))),
        text(all.iter().map(|entry| Some(entry.item().content.join("、")))),
        text(all.iter().map(|entry| Some(basis(entry.item())))),
        text(all.iter().map(|entry| Some(&entry.item().deadline_text))),
        text(all.iter().map(|entry| rule(entry).and_then(|rule| serde_json::to_string(&rule).ok()))),
        text(all.iter().map(|entry| rule(entry).map(|rule| rule.kind()))),
        text(all.iter().map(|entry| rule(entry).and_then(|rule| rule.anchor()).map(|anchor| anchor.name()))),
        text(all.iter().map(|entry| rule(entry).and_then(|rule| rule.frequency()).map(Frequency::name))),
        text(all.iter().map(|entry| match rule(entry) {
            Some(DeadlineRule::WithParent { parent }) => Some(parent),
            _ => None,
        })),
        boolean(all.iter().map(|entry| entry.item().needs_review)),
        text(all.iter().map(|entry| Some(&entry.item().publisher.zh))),
        text(all.iter().map(|entry| Some(entry.item().channels.join("、")))),
        text(all.iter().map(|entry| Some(entry.item().audience.name()))),
        text(all.iter().map(|entry| Some(entry.item().mode.name()))),
        bigint(all.iter().map(|entry| entry.item().oga_class.map(u64::from))),
        text(
            all.iter().map(|entry| (!entry.item().obligations.is_empty()).then(|| entry.item().obligations.join(","))),
        ),
        text(all.iter().map(|entry| {
            let linked: Vec<&str> = entry.item().datasets.iter().map(|link| link.dataset.as_str()).collect();
            (!linked.is_empty()).then(|| linked.join(","))
        })),
        text(all.iter().map(|entry| entry.own.local_reason.as_ref().map(|reason| &reason.zh))),
        text(all.iter().map(|_| Some(&disclosure.version))),
    ]
}

fn states(from: &Sources<'_>) -> Vec<ArrayRef> {
    let today = from.today();
    let all: Vec<Entry<'_>> = entries(from)
        .into_iter()
        .filter(|entry| entry.region.holds_on(today) && entry.item().holds_on(today))
        .collect();
    let found: Vec<ItemCoverage<'_>> =
        all.iter().map(|entry| coverage(from.catalog, from.snapshot, entry.region, entry.item())).collect();
    vec![
        text(all.iter().map(|entry| Some(entry.own.code(entry.region)))),
        text(all.iter().map(|entry| Some(&entry.region.region_code))),
        text(all.iter().map(|entry| Some(entry.region.tier.name()))),
        text(all.iter().map(|entry| Some(&entry.own.field))),
        text(found.iter().map(|found| Some(found.state.name()))),
        bigint(found.iter().map(|found| Some(found.releases.len() as u64))),
        text(found.iter().map(|found| found.releases.last().map(|release| release.id()))),
    ]
}

fn releases(from: &Sources<'_>) -> Vec<ArrayRef> {
    let linked: Vec<(Entry<'_>, &ReleaseRecord)> = entries(from)
        .into_iter()
        .filter(|entry| !entry.item().datasets.is_empty())
        .flat_map(|entry| {
            let found = coverage(from.catalog, from.snapshot, entry.region, entry.item()).releases;
            let (region, own) = (entry.region, entry.own);
            found.into_iter().map(move |release| (Entry { region, own }, release)).collect::<Vec<_>>()
        })
        .filter(|(_, release)| from.shows(&release.dataset))
        .collect();
    let first: Vec<_> = linked
        .iter()
        .map(|(entry, release)| first_published(from.snapshot, release, &entry.region.region_code))
        .collect();
    vec![
        text(linked.iter().map(|(entry, _)| Some(entry.own.code(entry.region)))),
        bigint(linked.iter().map(|(entry, _)| Some(entry.item().version_no.into()))),
        text(linked.iter().map(|(entry, _)| Some(&entry.region.region_code))),
        text(linked.iter().map(|(_, release)| Some(release.id()))),
        timestamp(first.iter().map(|(at, _)| Some(*at))),
        timestamp(linked.iter().map(|(_, release)| Some(release.published_at.unwrap_or(release.recorded_at)))),
        boolean(first.iter().map(|(_, is_dated)| *is_dated)),
        boolean(linked.iter().map(|(_, release)| release.is_synthetic)),
    ]
}

fn clock(from: &Sources<'_>) -> Vec<ArrayRef> {
    vec![timestamp([Some(from.at)]), date([Some(from.today())])]
}

struct Period {
    freq: Frequency,
    name: String,
    start: NaiveDate,
    end: NaiveDate,
}

/// The period of a frequency that a day lies in.
fn period_of(freq: Frequency, day: NaiveDate) -> Option<Period> {
    let first = |month| NaiveDate::from_ymd_opt(day.year(), month, 1);
    let months = |start: NaiveDate, count| start.checked_add_months(chrono::Months::new(count))?.pred_opt();
    let (name, start, end) = match freq {
        Frequency::Daily | Frequency::Hourly => (day.to_string(), day, day),
        Frequency::Weekly => {
            let start = day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))?;
            let week = day.iso_week();
            (format!("{}-W{:02}", week.year(), week.week()), start, start.checked_add_days(Days::new(6))?)
        }
        Frequency::Monthly => {
            let start = first(day.month())?;
            (start.format("%Y-%m").to_string(), start, months(start, 1)?)
        }
        Frequency::Quarterly => {
            let quarter = day.month0() / 3;
            let start = first(quarter * 3 + 1)?;
            (format!("{}-Q{}", day.year(), quarter + 1), start, months(start, 3)?)
        }
        Frequency::Halfyearly => {
            let half = day.month0() / 6;
            let start = first(half * 6 + 1)?;
            (format!("{}-H{}", day.year(), half + 1), start, months(start, 6)?)
        }
        Frequency::Yearly => (day.year().to_string(), first(1)?, NaiveDate::from_ymd_opt(day.year(), 12, 31)?),
    };
    Some(Period { freq, name, start, end })
}

fn periods(from: &Sources<'_>) -> Vec<ArrayRef> {
    let today = from.today();
    // The year before is what the first yearly duties are about.
    let begin = from.catalog.disclosure.valid_from.and_then(|day| NaiveDate::from_ymd_opt(day.year() - 1, 1, 1));
    let mut all = Vec::new();
    for freq in [Frequency::Weekly, Frequency::Monthly, Frequency::Quarterly, Frequency::Halfyearly, Frequency::Yearly]
    {
        let mut day = begin.unwrap_or(today);
        while day <= today {
            let Some(period) = period_of(freq, day) else { break };
            let Some(next) = period.end.succ_opt() else { break };
            day = next;
            all.push(period);
        }
    }
    vec![
        text(all.iter().map(|period| Some(period.freq.name()))),
        text(all.iter().map(|period| Some(&period.name))),
        date(all.iter().map(|period| Some(period.start))),
        date(all.iter().map(|period| Some(period.end))),
    ]
}
