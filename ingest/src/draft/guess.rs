//! What a table's cells say about labels, places, moments and units.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use gongkai_catalog::{Dataset, Region, Tier};
use regex::Regex;

use super::Site;
use super::columns::{Filled, fill};
use crate::outline::{FoundColumn, Holds, MISSING};
use crate::shape::without_blanks;

/// A label column of the draft.
pub(super) struct Label {
    pub role: String,
    pub pattern: String,
    pub found: FoundColumn,
    pub column: Option<String>,
    pub must_be_filled: bool,
}

/// A value column of the draft.
pub(super) struct Value {
    pub pattern: String,
    pub found: FoundColumn,
    pub set: BTreeMap<String, String>,
    pub unit: Option<String>,
}

/// Where the place stands.
pub(super) enum Place {
    Label { role: String, tiers: Vec<Tier> },
    Printed { tiers: Vec<Tier> },
    Unknown,
}

/// When the record is.
pub(super) struct Moment {
    pub role: String,
    pub formats: Vec<&'static str>,
    pub is_month: bool,
    pub hour: Option<String>,
}

/// The title with what it captures.
pub(super) struct Title {
    pub pattern: String,
    pub has_year: bool,
}

/// Lines of a classified table.
pub(super) struct Lines {
    pub code: Option<String>,
    pub name: String,
    pub digits: Vec<usize>,
}

/// Everything that is proposed.
pub(super) struct Guess<'a> {
    pub dataset: Option<&'a Dataset>,
    /// Datasets whose feeds know most of the headers, where none was named.
    pub near: Vec<String>,
    pub labels: Vec<Label>,
    pub values: Vec<Value>,
    pub title: Option<Title>,
    pub unit_dimension: Option<String>,
    pub place: Place,
    pub moment: Option<Moment>,
    pub year_role: Option<String>,
    pub lines: Option<Lines>,
    pub missing: Vec<&'static str>,
    pub filled: Filled,
    pub to_decide: Vec<String>,
}

/// Forms of a date, day first; the engine tries them in order.
const DAYS: [&str; 5] = ["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y%m%d", "%Y.%m.%d"];
const MONTHS: [&str; 6] = ["%Y年%m月", "%Y年%m月份", "%Y-%m", "%Y/%m", "%Y%m", "%Y.%m"];
const TIERS: [Tier; 5] = [Tier::Nation, Tier::Province, Tier::City, Tier::County, Tier::Township];

/// Roles of headers that are met often.
const ROLES: [(&str, &str); 16] = [
    ("地区", "region"),
    ("区划", "region"),
    ("城市", "city"),
    ("区县", "county"),
    ("省份", "province"),
    ("日期", "date"),
    ("月份", "month"),
    ("时间", "time"),
    ("小时", "hour"),
    ("年份", "year"),
    ("年度", "year"),
    ("编码", "code"),
    ("代码", "code"),
    ("序号", "ordinal"),
    ("科目", "name"),
    ("名称", "name"),
];

pub(super) fn guess<'a>(site: &Site<'a>, dataset: Option<&str>) -> Guess<'a> {
    let dataset = dataset.and_then(|id| site.catalog.datasets.get(id));
    let mut labels = labels(site);
    let mut values: Vec<Value> = site
        .table
        .columns
        .iter()
        .filter(|column| column.holds == Holds::Figures && !column.is_hidden)
        .map(|found| Value {
            pattern: header_pattern(&found.compared),
            found: found.clone(),
            set: BTreeMap::new(),
            unit: unit_in_header(site, &found.compared),
        })
        .collect();
    let year = year_of_title(site);
    let day = year.and_then(|year| NaiveDate::from_ymd_opt(year, 12, 31)).or(NaiveDate::from_ymd_opt(2020, 12, 31));
    let day = day.unwrap_or_default();
    let region = region_of_title(site);
    let place = place(site, &labels, day, region.as_ref().map(|(_, tier)| *tier));
    let title = title(site, region.map(|(name, _)| name));
    let moment = moment(site, &labels);
    let year_role = labels
        .iter()
        .find(|label| {
            let texts = site.texts(label.found.column);
            let is_year = |text: &&str| text.parse::<u16>().is_ok_and(|year| (1949..=2100).contains(&year));
            !texts.is_empty() && texts.iter().all(is_year)
        })
        .map(|label| label.role.clone());
    let unit_dimension = unit_of_table(site);
    let mut to_decide = vec![
        "label: a title in both languages".to_owned(),
        "source_public: whether the file itself may be given to everybody".to_owned(),
    ];
    if unit_dimension.is_some() {
        values.iter_mut().for_each(|value| value.unit = None);
    }
    let lines = lines(site, &labels);
    let near = if dataset.is_none() { near(site) } else { Vec::new() };
    let filled = match dataset {
        None => {
            to_decide.push("dataset: the dataset of the rows; its table says which columns have to be filled".into());
            Filled::default()
        }
        Some(dataset) => {
            let has = super::columns::Has {
                place: !matches!(place, Place::Unknown),
                moment: moment.as_ref().map(|moment| moment.hour.is_some()),
                title_year: title.as_ref().is_some_and(|title| title.has_year),
                lines: lines.is_some(),
            };
            fill(site, dataset, &has, &mut labels, &mut values, &mut to_decide)
        }
    };
    if matches!(place, Place::Unknown) {
        to_decide.push("[place]: no column and no title names a region that the code list knows".into());
    }
    let has_year = moment.is_some() || year_role.is_some() || title.as_ref().is_some_and(|title| title.has_year);
    if !has_year {
        to_decide.push("[place] year: neither a column nor the title says the year".into());
    }
    if unit_dimension.is_none() {
        for value in values.iter().filter(|value| value.unit.is_none()) {
            to_decide.push(format!("unit of the column {}: the file prints none", value.found.header));
        }
    }
    let missing = MISSING
        .into_iter()
        .filter(|marker| {
            let (first, last) = site.table.body;
            let mut rows = site.grid.rows[first..=last].iter();
            rows.any(|row| values.iter().any(|value| site.grid.text(row, value.found.column).trim() == *marker))
        })
        .collect();
    Guess {
        dataset,
        near,
        labels,
        values,
        title,
        unit_dimension,
        place,
        moment,
        year_role,
        lines,
        missing,
        filled,
        to_decide,
    }
}

fn labels(site: &Site<'_>) -> Vec<Label> {
    let mut roles: BTreeSet<String> = BTreeSet::new();
    let columns = site.table.columns.iter().filter(|column| column.holds == Holds::Labels && !column.is_hidden);
    columns
        .map(|found| {
            let ascii: String = found
                .compared
                .to_lowercase()
                .chars()
                .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
                .collect();
            let known =
                ROLES.iter().find(|(word, _)| found.compared.contains(word)).map(|(_, role)| (*role).to_owned());
            let plain = Some(ascii.trim_matches('_').to_owned())
                .filter(|role| role.starts_with(|first: char| first.is_ascii_lowercase()) && !role.contains("__"));
            let base = known.or(plain).unwrap_or_else(|| "label".to_owned());
            let mut role = base.clone();
            let mut number = 2;
            while !roles.insert(role.clone()) {
                role = format!("{base}_{number}");
                number += 1;
            }
            let pattern = header_pattern(&found.compared);
            Label { role, pattern, found: found.clone(), column: None, must_be_filled: false }
        })
        .collect()
}

/// A header as a pattern: escaped, the digits of years left open.
pub(super) fn header_pattern(text: &str) -> String {
    format!("^{}$", open_years(&regex::escape(text), r"20\d{2}"))
}

fn open_years(escaped: &str, with: &str) -> String {
    match Regex::new(r"20[0-9]{2}") {
        Ok(year) => year.replace_all(escaped, regex::NoExpand(with)).into_owned(),
        Err(_) => escaped.to_owned(),
    }
}

fn year_of_title(site: &Site<'_>) -> Option<i32> {
    let title = without_blanks(&site.table.title.as_ref()?.text);
    Regex::new(r"20[0-9]{2}").ok()?.find(&title)?.as_str().parse().ok()
}

fn region_of_title(site: &Site<'_>) -> Option<(String, Tier)> {
    let title = without_blanks(&site.table.title.as_ref()?.text);
    let names = site.catalog.regions.iter().filter(|region| region.name.chars().count() >= 2);
    let found = names.filter(|region| title.contains(&region.name));
    let longest: Option<&Region> = found.max_by_key(|region| region.name.len());
    longest.map(|region| (region.name.clone(), region.tier))
}

fn title(site: &Site<'_>, region: Option<String>) -> Option<Title> {
    let text = without_blanks(&site.table.title.as_ref()?.text);
    let mut pattern = regex::escape(&text);
    let has_year = year_of_title(site).is_some();
    if let Some(region) = region {
        pattern = pattern.replacen(&regex::escape(&region), r"(?P<region>\D*?)", 1);
    }
    if has_year && let Ok(year) = Regex::new(r"20[0-9]{2}") {
        // The first year is captured, further ones are left open.
        pattern = year.replace(&pattern, regex::NoExpand("(?P<year>#)")).into_owned();
        pattern = open_years(&pattern, r"20\d{2}").replacen('#', r"20\d{2}", 1);
    }
    if let Ok(month) = Regex::new(r"([0-9]{1,2}[-—至]?)?[0-9]{1,2}月") {
        pattern = month.replace_all(&pattern, regex::NoExpand(r"(\d{1,2}[-—至])?\d{1,2}月")).into_owned();
    }
    Some(Title { pattern: format!("^{pattern}$"), has_year })
}

fn place(site: &Site<'_>, labels: &[Label], day: NaiveDate, of_title: Option<Tier>) -> Place {
    let mut best: Option<(usize, &Label, Vec<Tier>)> = None;
    for label in labels {
        let texts: BTreeSet<&str> = site.texts(label.found.column).into_iter().collect();
        let found: Vec<Tier> = texts
            .iter()
            .filter_map(|text| {
                TIERS.into_iter().find(|tier| site.catalog.regions.resolve(text, day, &[*tier], None).is_some())
            })
            .collect();
        let is_better = best.as_ref().is_none_or(|(count, ..)| found.len() > *count);
        if found.len() * 2 >= texts.len() && !found.is_empty() && is_better {
            let tiers = TIERS.into_iter().filter(|tier| found.contains(tier)).collect();
            best = Some((found.len(), label, tiers));
        }
    }
    match (best, of_title) {
        (Some((_, label, tiers)), _) => Place::Label { role: label.role.clone(), tiers },
        (None, Some(tier)) => Place::Printed { tiers: vec![tier] },
        (None, None) => Place::Unknown,
    }
}

fn moment(site: &Site<'_>, labels: &[Label]) -> Option<Moment> {
    let reads = |text: &str, format: &str, is_month: bool| match is_month {
        true => NaiveDate::parse_from_str(&format!("{text} 1"), &format!("{format} %d")).is_ok(),
        false => NaiveDate::parse_from_str(text, format).is_ok(),
    };
    let hour = labels.iter().find(|label| {
        let texts = site.texts(label.found.column);
        let is_hour = |text: &&str| text.parse::<u8>().is_ok_and(|hour| hour <= 24);
        label.role == "hour" && !texts.is_empty() && texts.iter().all(is_hour)
    });
    for label in labels {
        let texts = site.texts(label.found.column);
        let first = texts.first()?;
        for (formats, is_month) in [(&DAYS[..], false), (&MONTHS[..], true)] {
            let fitting: Vec<&'static str> = formats
                .iter()
                .copied()
                .filter(|format| {
                    reads(first, format, is_month) && texts.iter().all(|text| reads(text, format, is_month))
                })
                .collect();
            if !fitting.is_empty() {
                let hour = hour.filter(|_| !is_month).map(|label| label.role.clone());
                return Some(Moment { role: label.role.clone(), formats: fitting, is_month, hour });
            }
        }
    }
    None
}

/// The dimension of the unit line, where its unit is known.
fn unit_of_table(site: &Site<'_>) -> Option<String> {
    let text = without_blanks(&site.table.unit.as_ref()?.text);
    let printed = Regex::new(r"单位[：:]([^（）()]+)").ok()?.captures(&text)?.get(1)?.as_str().to_owned();
    site.catalog.unit_as_written(&printed).map(|unit| unit.dimension.clone())
}

fn unit_in_header(site: &Site<'_>, header: &str) -> Option<String> {
    let printed = Regex::new(r"[（(]([^（）()]+)[）)]").ok()?;
    let mut found = printed.captures_iter(header).filter_map(|captures| captures.get(1));
    found.find_map(|text| site.catalog.unit_as_written(text.as_str())).map(|unit| unit.id.clone())
}

/// Codes of a classification have lengths that name their level.
fn lines(site: &Site<'_>, labels: &[Label]) -> Option<Lines> {
    let name = labels.iter().find(|label| {
        ["科目", "项目"].iter().any(|word| label.found.compared.contains(word)) && !label.role.starts_with("code")
    })?;
    let code = labels.iter().find(|label| label.role.starts_with("code"));
    let digits: BTreeSet<usize> = code
        .map(|code| site.texts(code.found.column))
        .unwrap_or_default()
        .iter()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|text| text.len())
        .collect();
    let code = code.filter(|_| !digits.is_empty()).map(|label| label.role.clone());
    let digits = if code.is_some() { digits.into_iter().collect() } else { Vec::new() };
    Some(Lines { code, name: name.role.clone(), digits })
}

/// Datasets whose feeds know headers of this table, most first.
fn near(site: &Site<'_>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for feed in site.feeds.iter() {
        let known = site.table.columns.iter().filter(|column| {
            let is_value = feed.values.iter().any(|value| value.header.is_match(&column.compared));
            let is_label = feed
                .labels
                .iter()
                .any(|label| label.header.as_ref().is_some_and(|header| header.is_match(&column.compared)));
            is_value || is_label
        });
        let known = known.count();
        let best = counts.entry(&feed.dataset).or_default();
        *best = (*best).max(known);
    }
    let mut near: Vec<(&str, usize)> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    near.sort_by_key(|(id, count)| (std::cmp::Reverse(*count), *id));
    near.into_iter().take(5).map(|(id, count)| format!("{id} ({count} headers known)")).collect()
}
