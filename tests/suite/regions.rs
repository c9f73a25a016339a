//! Regions at their dates, against the statistical bureau's files where they are there.

use std::collections::BTreeMap;
use std::fs;

use chrono::NaiveDate;
use gongkai_catalog::{RegionList, Tier};
use gongkai_tests::real_data;

/// States of the list that are published; the city had 60 townships in the first two and 49 in the last two
/// (mergers of 2019 and 2020).
const STATES: [(&str, &str, usize); 4] = [
    ("20181031", "2018-10-31", 60),
    ("20191031", "2019-10-31", 60),
    ("20200630", "2020-06-30", 49),
    ("20230630", "2023-06-30", 49),
];

fn regions() -> RegionList {
    gongkai_catalog::Catalog::load(gongkai_ingest::embedded_declarations()).expect("loads").regions
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no date"))
}

#[test]
fn the_townships_of_the_city_are_60_before_the_mergers_and_49_after() {
    let regions = regions();
    for (_, state, expected) in STATES {
        let on = date(state);
        let townships = regions.iter().filter(|region| region.tier == Tier::Township && region.holds_on(on));
        assert_eq!(townships.filter(|region| region.region_code.starts_with("5104")).count(), expected, "{state}");
    }
}

#[test]
fn a_township_has_the_name_of_the_figures_date() {
    let regions = regions();
    // 510402001 lost 办事处 in 2019; 草场 changed its code with its kind, from 乡 to 镇, in the mergers.
    assert_eq!(regions.name_on("510402001", date("2018-12-31")), Some("大渡口街道办事处"));
    assert_eq!(regions.name_on("510402001", date("2019-12-31")), Some("大渡口街道"));
    let code = |name: &str, on: &str| {
        regions.resolve(name, date(on), &[Tier::Township], Some("510421")).map(|region| region.region_code.clone())
    };
    assert_eq!(code("草场乡", "2019-12-31").as_deref(), Some("510421200"));
    assert_eq!(code("草场镇", "2019-12-31"), None);
    assert_eq!(code("草场镇", "2021-12-31").as_deref(), Some("510421107"));
    assert_eq!(code("草场乡", "2021-12-31"), None);
}

#[test]
fn every_region_of_the_published_states_is_there_under_its_name() {
    let Some(data) = real_data("regions of the published states") else { return };
    let regions = regions();
    for (folder, state, _) in STATES {
        let on = date(state);
        let mut missing = Vec::new();
        for (file, digits) in [("provinces", 6), ("cities", 6), ("areas", 6), ("streets", 9)] {
            let path = data.join("regions").join(format!("asof_{folder}")).join(format!("{file}.csv"));
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let published: BTreeMap<String, String> = text
                .lines()
                .skip(1)
                .filter_map(|line| {
                    let mut fields = line.split(',').map(|field| field.trim_matches('"'));
                    Some((format!("{:0<digits$}", fields.next()?), fields.next()?.to_owned()))
                })
                .filter(|(code, _)| file != "streets" || code.starts_with("5104"))
                .collect();
            assert!(published.len() >= 31, "{} holds {} regions", path.display(), published.len());
            missing.extend(published.into_iter().filter(|(code, name)| {
                !regions.by_code(code).any(|region| region.holds_on(on) && region.name == *name)
            }));
        }
        assert!(missing.is_empty(), "{state}: {missing:?}");
    }
}
