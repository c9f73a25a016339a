//! Administrative regions with the dates for which a code and a name hold.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::CatalogError;
use crate::declaration::Declarations;
use crate::region_alias::{self, RegionAlias, RegionAliases};
use crate::region_name::{short_forms, without_blanks};

const FILE: &str = "codes/regions.csv";
/// What the filler rows are called under which counties stand directly below a province.
const DIRECTLY_ADMINISTERED: &str = "直辖县级行政区划";

const HEADER: &str = "region_code,name,tier,parent_code,region_kind,valid_from,valid_to,source";

/// Level of administration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The whole country, `000000`.
    Nation,
    /// 省, 自治区, 直辖市.
    Province,
    /// 地级市, 地区, 自治州, 盟.
    City,
    /// 县, 区, 县级市, 旗.
    County,
    /// 镇, 乡, 街道.
    Township,
}

impl Tier {
    /// The tier of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "nation" => Self::Nation,
            "province" => Self::Province,
            "city" => Self::City,
            "county" => Self::County,
            "township" => Self::Township,
            _ => return None,
        })
    }

    /// Its name in data.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nation => "nation",
            Self::Province => "province",
            Self::City => "city",
            Self::County => "county",
            Self::Township => "township",
        }
    }
}

/// One code with one name for one span of dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Region {
    /// Six digits (GB/T 2260), nine for townships.
    pub region_code: String,
    /// Official name.
    pub name: String,
    /// Level.
    pub tier: Tier,
    /// Code of the region above; none for the nation.
    pub parent_code: Option<String>,
    /// `admin`, `functional_zone` for a zone that publishes tables of its own, or `filler` for statistical rows such as 市辖区.
    pub region_kind: String,
    /// First day on which the entry was seen to hold; none for "before our sources begin".
    pub valid_from: Option<NaiveDate>,
    /// First day on which it was seen not to hold any more; none while it does.
    pub valid_to: Option<NaiveDate>,
    /// Where it was read.
    pub source: String,
}

impl Region {
    /// Whether the entry holds on that day.
    pub fn holds_on(&self, date: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= date) && self.valid_to.is_none_or(|to| date < to)
    }
}

/// All regions, looked up by code or by the names that departments write.
#[derive(Debug)]
pub struct RegionList {
    regions: Vec<Region>,
    by_code: HashMap<String, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
    aliases: RegionAliases,
}

impl RegionList {
    fn new(regions: Vec<Region>) -> Self {
        let mut by_code: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, region) in regions.iter().enumerate() {
            by_code.entry(region.region_code.clone()).or_default().push(index);
            if region.region_kind == "filler" {
                continue;
            }
            for form in short_forms(&region.name) {
                let entries = by_name.entry(form).or_default();
                if entries.last() != Some(&index) {
                    entries.push(index);
                }
            }
        }
        Self { regions, by_code, by_name, aliases: RegionAliases::default() }
    }

    /// Names that are no official ones and no short forms of them.
    pub fn aliases(&self) -> impl Iterator<Item = &RegionAlias> {
        self.aliases.iter()
    }

    /// Every entry, in the order of codes.
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        self.regions.iter()
    }

    /// Entries of a code, one for each name it has had.
    pub fn by_code(&self, code: &str) -> impl Iterator<Item = &Region> {
        self.by_code.get(code).into_iter().flatten().map(|index| &self.regions[*index])
    }

    /// The entry of a code on a day; of a code that no longer holds the last one, of one that does not hold yet the first.
    pub fn nearest_by_code(&self, code: &str, date: NaiveDate) -> Option<&Region> {
        self.by_code(code).min_by_key(|region| match (region.valid_from, region.valid_to) {
            _ if region.holds_on(date) => (0, 0),
            (_, Some(to)) if to <= date => (1, (date - to).num_days()),
            (Some(from), _) => (2, (from - date).num_days()),
            (None, _) => (3, 0),
        })
    }

    /// The name a code had on a day.
    pub fn name_on(&self, code: &str, date: NaiveDate) -> Option<&str> {
        self.by_code(code).find(|region| region.holds_on(date)).map(|region| region.name.as_str())
    }

    /// The one region that a written name means on a day.
    ///
    /// `tiers` are tried in order; within the first tier that has a match, the match must be the only one,
    /// and below `within` (a code, or its ancestor's) where that is given. A name that could mean two
    /// regions resolves to none: nothing is guessed. Where official names and their short forms mean nothing in a
    /// tier, the list of former names, usual short forms and slips is asked; a name with another in brackets,
    /// 云州区（大同县）, is the region that both mean. Where cities are sought and counties are not, the full name of a county
    /// that stands directly below its province is one of them: 儋州市 before 2015, 仙桃市.
    pub fn resolve(&self, name: &str, date: NaiveDate, tiers: &[Tier], within: Option<&str>) -> Option<&Region> {
        let name = without_blanks(name);
        if let Some((outer, inner)) = bracketed(&name) {
            let outer = self.resolve_plain(outer, date, tiers, within)?;
            let inner = self.resolve_plain(inner, date, tiers, within)?;
            return (outer.region_code == inner.region_code).then_some(outer);
        }
        self.resolve_plain(&name, date, tiers, within)
    }

    fn resolve_plain(&self, name: &str, date: NaiveDate, tiers: &[Tier], within: Option<&str>) -> Option<&Region> {
        let is_meant =
            |region: &&Region| region.holds_on(date) && within.is_none_or(|ancestor| self.is_within(region, ancestor));
        let candidates: Vec<&Region> = short_forms(name)
            .iter()
            .filter_map(|form| self.by_name.get(form))
            .flatten()
            .map(|index| &self.regions[*index])
            .filter(is_meant)
            .collect();
        // The full official name beats any short form: 吉林市 is not 吉林省.
        let mut exact: Vec<&Region> = candidates.iter().copied().filter(|region| region.name == name).collect();
        if let Some(region) = only_in_first_tier(&exact, tiers) {
            return Some(region);
        }
        let codes = self.aliases.codes(name, date);
        let listed: Vec<&Region> = codes.flat_map(|code| self.by_code(code)).filter(is_meant).collect();
        // Tier by tier: 巴州 among cities is 巴音郭楞蒙古自治州, though a county's short form is the same.
        for tier in tiers {
            for names in [&candidates, &listed] {
                if names.iter().any(|region| region.tier == *tier) {
                    return only_in_first_tier(names, &[*tier]);
                }
            }
        }
        if tiers.contains(&Tier::City) && !tiers.contains(&Tier::County) {
            exact.retain(|region| self.is_directly_administered(region));
            return only_in_first_tier(&exact, &[Tier::County]);
        }
        None
    }

    /// Whether a county stands below its province, and not below a city.
    fn is_directly_administered(&self, region: &Region) -> bool {
        let mut above = region.parent_code.iter().flat_map(|code| self.by_code(code));
        region.tier == Tier::County && above.any(|above| above.name.ends_with(DIRECTLY_ADMINISTERED))
    }

    fn is_within(&self, region: &Region, ancestor: &str) -> bool {
        let mut code = Some(region.region_code.as_str());
        // Five tiers at most; the bound also ends a cycle in a faulty list.
        for _ in 0..6 {
            match code {
                Some(current) if current == ancestor => return true,
                Some(current) => code = self.by_code(current).next().and_then(|entry| entry.parent_code.as_deref()),
                None => return false,
            }
        }
        false
    }
}

fn only_in_first_tier<'a>(candidates: &[&'a Region], tiers: &[Tier]) -> Option<&'a Region> {
    let found = tiers.iter().find_map(|tier| {
        let mut of_tier: Vec<&Region> = candidates.iter().copied().filter(|region| region.tier == *tier).collect();
        of_tier.dedup_by(|a, b| a.region_code == b.region_code);
        of_tier.sort_by(|a, b| a.region_code.cmp(&b.region_code));
        of_tier.dedup_by(|a, b| a.region_code == b.region_code);
        (!of_tier.is_empty()).then_some(of_tier)
    })?;
    match found.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// A name and the one in brackets behind it.
fn bracketed(name: &str) -> Option<(&str, &str)> {
    let inner_and_outer = name.strip_suffix(['）', ')'])?.split_once(['（', '(']);
    inner_and_outer.filter(|(outer, inner)| !outer.is_empty() && !inner.is_empty())
}

pub(crate) fn load(declarations: &Declarations) -> Result<RegionList, CatalogError> {
    let text = declarations.text(FILE)?;
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    if header != HEADER {
        return Err(CatalogError::Value {
            file: FILE.into(),
            key: "line 1".into(),
            found: header.to_owned(),
            expected: HEADER.into(),
        });
    }
    let width = HEADER.split(',').count();
    let mut regions = Vec::new();
    for (index, line) in lines.enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        let number = index + 2;
        let [code, name, tier, parent, kind, from, to, source] = fields[..] else {
            return Err(CatalogError::CsvWidth {
                file: FILE.into(),
                line: number,
                found: fields.len(),
                expected: width,
            });
        };
        let tier = Tier::from_name(tier).ok_or_else(|| CatalogError::Value {
            file: FILE.into(),
            key: format!("line {number} tier"),
            found: tier.to_owned(),
            expected: "nation, province, city, county or township".into(),
        })?;
        regions.push(Region {
            region_code: code.to_owned(),
            name: name.to_owned(),
            tier,
            parent_code: (!parent.is_empty()).then(|| parent.to_owned()),
            region_kind: kind.to_owned(),
            valid_from: read_date(FILE, number, "valid_from", from)?,
            valid_to: read_date(FILE, number, "valid_to", to)?,
            source: source.to_owned(),
        });
    }
    let mut list = RegionList::new(regions);
    list.aliases = region_alias::load(declarations, |code| list.by_code.contains_key(code))?;
    Ok(list)
}

/// A date of a code list, or none where the field is empty.
pub(crate) fn read_date(file: &str, line: usize, key: &str, text: &str) -> Result<Option<NaiveDate>, CatalogError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| CatalogError::Value {
        file: file.into(),
        key: format!("line {line} {key}"),
        found: text.to_owned(),
        expected: "a date such as 2019-10-31, or nothing".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions() -> RegionList {
        load(&Declarations::embedded()).expect("the embedded list")
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    const CITY_FIRST: [Tier; 2] = [Tier::City, Tier::County];

    #[test]
    fn a_short_city_name_resolves() {
        let regions = regions();
        let code = |name: &str| {
            regions.resolve(name, day("2019-02-01"), &CITY_FIRST, None).map(|region| region.region_code.clone())
        };
        assert_eq!(code("攀枝花").as_deref(), Some("510400"));
        assert_eq!(code("攀枝花市").as_deref(), Some("510400"));
        assert_eq!(code("句容").as_deref(), Some("321183"));
        assert_eq!(code("甘南州").as_deref(), Some("623000"));
        assert_eq!(code("和田地区").as_deref(), Some("653200"));
        assert_eq!(code("吉林").as_deref(), Some("220200"));
    }

    #[test]
    fn a_name_that_means_two_regions_resolves_to_none_until_its_parent_is_known() {
        let regions = regions();
        let date = day("2022-12-31");
        assert_eq!(regions.resolve("鼓楼区", date, &[Tier::County], None), None);
        let nanjing = regions.resolve("鼓楼区", date, &[Tier::County], Some("320100"));
        assert_eq!(nanjing.map(|region| region.region_code.as_str()), Some("320106"));
    }

    #[test]
    fn a_name_resolves_at_the_date_of_the_figure() {
        let regions = regions();
        // 赣县 became 赣县区 at the end of 2016, and its code changed with it.
        let county = |date: &str| {
            let found = regions.resolve("赣县", day(date), &[Tier::County], Some("360700"));
            found.map(|region| region.region_code.as_str())
        };
        assert_eq!((county("2015-12-31"), county("2017-12-31")), (Some("360721"), Some("360704")));
        // 莱芜市 was merged into 济南市 in January 2019.
        assert!(regions.resolve("莱芜市", day("2018-12-01"), &CITY_FIRST, None).is_some());
        assert!(regions.resolve("莱芜市", day("2022-12-01"), &[Tier::City], None).is_none());
    }

    #[test]
    fn a_county_directly_below_its_province_is_found_among_cities_by_its_full_name() {
        let regions = regions();
        let city = |name: &str, date: &str| {
            let found = regions.resolve(name, day(date), &[Tier::City, Tier::Province], None);
            found.map(|region| region.region_code.as_str())
        };
        // 儋州市 became a city at prefecture level in February 2015.
        assert_eq!((city("儋州市", "2014-12-31"), city("儋州市", "2015-12-31")), (Some("469003"), Some("460400")));
        assert_eq!((city("仙桃市", "2018-12-31"), city("仙桃", "2018-12-31")), (Some("429004"), None));
        // A county of a city is none: 巢湖市 was a city until 2011, 莱芜区 is what became of 莱芜市.
        assert_eq!((city("巢湖市", "2013-12-31"), city("莱芜市", "2019-12-31")), (None, None));
        assert_eq!(city("毕节市", "2010-12-31"), Some("522400"));
    }

    #[test]
    fn a_lost_code_is_that_of_its_last_entry() {
        let regions = regions();
        let name = |code: &str, date: &str| {
            let found = regions.nearest_by_code(code, day(date));
            found.map(|region| region.name.as_str())
        };
        assert_eq!(name("542400", "2018-12-31"), Some("那曲地区"));
        assert_eq!(name("371200", "2019-12-31"), Some("莱芜市"));
        assert_eq!(name("460400", "2012-12-31"), Some("儋州市"));
        assert_eq!(name("133100", "2024-12-31"), Some("雄安新区"));
        assert_eq!(name("999999", "2019-12-31"), None);
    }
}
