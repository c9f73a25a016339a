//! Behaviour of places.

use gongkai_catalog::{Catalog, Declarations};

use super::*;
use crate::feed::{PlaceDate, PlaceSource};

fn rule() -> PlaceRule {
    PlaceRule {
        source: PlaceSource::Hierarchy("region".into()),
        root: Vec::new(),
        date: PlaceDate::Year(2021),
        within: None,
        within_labels: Vec::new(),
        within_printed: Vec::new(),
        tiers: vec![Tier::Province, Tier::City, Tier::County],
        own_suffix: Some("本级".into()),
        own_generic: vec![String::new(), "自治区".into(), "省".into()],
        lower_suffixes: vec!["区县合计".into()],
        aliases: Default::default(),
        evidence: None,
    }
}

fn read(labels: &[&str]) -> Vec<Place> {
    let catalog = Catalog::load(Declarations::embedded()).expect("the embedded catalogue");
    let date = NaiveDate::from_ymd_opt(2022, 12, 31).expect("a date");
    read_hierarchy(&catalog.regions, &rule(), None, labels, date).0
}

fn codes(places: &[Place]) -> Vec<(&str, bool, &str)> {
    places.iter().map(|place| (place.id.as_str(), place.scope == "own", place.parent_path.as_str())).collect()
}

const INDENTED: [&str; 7] =
    ["海南省", "  海南省本级", "  海口市", "    海口市本级", "    秀英区", "  县级", "    五指山市"];

#[test]
fn rows_stand_below_one_another_by_their_indentation() {
    let places = read(&INDENTED);
    assert_eq!(
        codes(&places),
        [
            ("460000", false, ""),
            ("460000", true, "海南省"),
            ("460100", false, "海南省"),
            ("460100", true, "海南省/海口市"),
            ("460105", false, "海南省/海口市"),
            ("460000/县级", false, "海南省"),
            ("469001", false, "海南省/县级"),
        ]
    );
    let kinds: Vec<_> = places.iter().map(|place| (place.line_kind, place.is_leaf)).collect();
    assert_eq!(kinds[0], ("total", false));
    assert_eq!(kinds[2], ("subtotal", false));
    assert_eq!(kinds[3], ("detail", true));
    assert_eq!(places[5].code, None);
}

#[test]
fn a_list_without_indentation_is_ordered_by_codes() {
    let flat: Vec<&str> = INDENTED.iter().take(5).map(|label| label.trim()).chain(["三亚市", "三亚市本级"]).collect();
    assert_eq!(
        codes(&read(&flat)),
        [
            ("460000", false, ""),
            ("460000", true, "海南省"),
            ("460100", false, "海南省"),
            ("460100", true, "海南省/海口市"),
            ("460105", false, "海南省/海口市"),
            ("460200", false, "海南省"),
            ("460200", true, "海南省/三亚市"),
        ]
    );
}

#[test]
fn a_deeper_first_row_is_the_base() {
    let places = read(&["  攀枝花市", "    攀枝花市本级", "    东区"]);
    assert_eq!(codes(&places), [("510400", false, ""), ("510400", true, "攀枝花市"), ("510402", false, "攀枝花市")]);
}

#[test]
fn the_own_level_of_an_unknown_region_keeps_its_id() {
    let places = read(&["海南省", "  某新区", "    某新区本级"]);
    assert_eq!(places[1].id, "460000/某新区");
    assert_eq!((places[2].id.as_str(), places[2].scope == "own"), ("460000/某新区", true));
}

#[test]
fn all_lower_levels_together_are_those_of_the_region_above() {
    let places = read(&["攀枝花市", "攀枝花市本级", "攀枝花市区县合计", "东区"]);
    let told: Vec<_> = places.iter().map(|place| (place.id.as_str(), place.scope)).collect();
    assert_eq!(told, [("510400", "area"), ("510400", "own"), ("510400", "lower"), ("510402", "area")]);
}

#[test]
fn machine_codes_are_padded() {
    assert_eq!(padded_code("4601").as_deref(), Some("460100"));
    assert_eq!(padded_code("46").as_deref(), Some("460000"));
    assert_eq!(padded_code("130631.0").as_deref(), Some("130631"));
    assert_eq!(padded_code("VALID#"), None);
}
