//! Names as departments write them, against the code that held at the figure's date.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use gongkai_catalog::{AliasKind, RegionList, Tier};
use gongkai_tests::real_data;

fn regions() -> RegionList {
    gongkai_catalog::Catalog::load(gongkai_ingest::embedded_declarations()).expect("loads").regions
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no date"))
}

fn county(regions: &RegionList, name: &str, date: &str, within: Option<&str>) -> Option<String> {
    regions.resolve(name, day(date), &[Tier::County], within).map(|region| region.region_code.clone())
}

#[test]
fn upgraded_and_renamed_counties_have_the_code_of_the_figures_date() {
    let regions = regions();
    // Name, province, code before and after; the dates of the changes stand in codes/regions.csv.
    for (name, province, before, after) in [
        ("赣县", "360000", "360721", "360704"),
        ("郧县", "420000", "420321", "420304"),
        ("大同县", "140000", "140227", "140215"),
        ("靖西县", "450000", "451025", "451081"),
        ("崇礼县", "130000", "130733", "130709"),
        ("那曲县", "540000", "542421", "540602"),
        ("兴仁县", "520000", "522322", "522302"),
    ] {
        assert_eq!(county(&regions, name, "2013-12-31", Some(province)).as_deref(), Some(before), "{name} in 2013");
        assert_eq!(county(&regions, name, "2019-12-31", Some(province)).as_deref(), Some(after), "{name} in 2019");
    }
    // A later name in a table about an earlier year means the unit that was there.
    assert_eq!(county(&regions, "郧阳区", "2013-12-31", None).as_deref(), Some("420321"));
    let city = |name: &str, date: &str| {
        let tiers = [Tier::City, Tier::County];
        regions.resolve(name, day(date), &tiers, None).map(|region| region.region_code.as_str())
    };
    assert_eq!(city("渡口市", "2008-12-31"), Some("510400"));
    // The usual short form of a prefecture, and that of 巴中's district 巴州区 as well.
    assert_eq!(city("巴州", "2019-12-31"), Some("652800"));
    assert_eq!(county(&regions, "巴州", "2019-12-31", None).as_deref(), Some("511902"));
    assert_eq!(city("吐鲁番地区", "2013-12-31"), Some("652100"));
    assert_eq!(city("吐鲁番市", "2018-12-31"), Some("650400"));
    assert_eq!(city("巢湖市", "2009-12-31"), Some("341400"));
    // 三沙市 was established in July 2012.
    assert_eq!((city("三沙市", "2011-12-31"), city("三沙市", "2012-12-31")), (None, Some("460300")));
}

#[test]
fn short_forms_slips_and_brackets_are_read() {
    let regions = regions();
    for (name, province, code) in [
        ("科右前旗", "150000", "152221"),
        ("察右中旗", "150000", "150927"),
        ("鄂伦春自治区旗", "150000", "150723"),
        ("镇宁布衣族苗族自治县", "520000", "520423"),
        ("积石山保安族东乡族撒拉族县", "620000", "622927"),
        ("三都县", "520000", "522732"),
        ("酉阳县", "500000", "500242"),
        ("海伦县", "230000", "231283"),
        ("东乡县", "620000", "622926"),
        ("云州区（大同县）", "140000", "140215"),
        ("那曲县(色尼区)", "540000", "540602"),
        ("修 水\u{3000}县", "360000", "360424"),
    ] {
        assert_eq!(county(&regions, name, "2019-12-31", Some(province)).as_deref(), Some(code), "{name}");
    }
}

#[test]
fn what_is_not_certain_stays_without_a_code() {
    let regions = regions();
    // Many cities have a 市中区; that one of them was renamed does not make the name certain.
    assert_eq!(county(&regions, "市中区", "2019-12-31", None), None);
    assert_eq!(county(&regions, "市中区", "2019-12-31", Some("510800")).as_deref(), Some("510802"));
    // 茫崖市 was made of two administrative committees: neither is the whole.
    assert_eq!(county(&regions, "冷湖行委", "2019-12-31", Some("630000")), None);
    // An own level in brackets is no second name.
    assert_eq!(county(&regions, "米易县（本级）", "2019-12-31", None), None);
}

#[test]
fn no_entry_of_the_list_hides_an_official_name() {
    let regions = regions();
    assert!(regions.aliases().count() >= 100);
    for alias in regions.aliases() {
        let official = regions.by_code(&alias.region_code).any(|region| region.name == alias.name);
        assert!(
            !official || alias.kind != AliasKind::Slip,
            "{} is an official name of {}",
            alias.name,
            alias.region_code
        );
        assert!(!alias.name.contains(char::is_whitespace) && !alias.source.is_empty(), "{}", alias.name);
    }
}

#[test]
fn every_code_has_one_name_on_a_day() {
    let regions = regions();
    for date in ["2008-06-30", "2012-12-31", "2014-12-31", "2015-12-31", "2016-12-31", "2017-12-31", "2019-12-31"] {
        let mut seen = BTreeSet::new();
        for region in regions.iter().filter(|region| region.holds_on(day(date)) && region.tier != Tier::Township) {
            assert!(seen.insert((region.tier, region.region_code.as_str())), "{} on {date}", region.region_code);
        }
        // The country had some 2,850 counties and districts throughout; the lists also hold statistical areas.
        let counties = seen.iter().filter(|(tier, _)| *tier == Tier::County).count();
        assert!((2_800..=3_200).contains(&counties), "{counties} on {date}");
    }
}

#[test]
fn the_list_of_poor_counties_resolves_but_for_three_committees() {
    let Some(data) = real_data("names of the poor counties") else { return };
    let regions = regions();
    let text = std::fs::read_to_string(data.join("poverty/poverty_county_list.csv")).expect("reads");
    let mut unresolved = Vec::new();
    let mut records = 0;
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (name, province, city, exit) = (fields[1], fields[3], fields[4], fields[5]);
        let date = day(&format!("{}-12-31", exit.trim_end_matches(".0")));
        let mut within = None;
        for above in [province, city] {
            let found = regions.resolve(above, date, &[Tier::Province, Tier::City], within.as_deref());
            within = found.map(|region| region.region_code.clone()).or(within);
        }
        records += 1;
        if regions.resolve(name, date, &[Tier::County], within.as_deref()).is_none() {
            unresolved.push(name.to_owned());
        }
    }
    assert_eq!(records, 832);
    assert_eq!(unresolved, ["冷湖行委", "茫崖行委"]);
}
