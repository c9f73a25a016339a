//! What a feed declaration may not say.

use crate::embedded_declarations;

use super::*;

const AIR: &str = "feeds/environment_monitoring/air_city_hourly.toml";

fn load(change: impl Fn(&str) -> String) -> Result<Feeds, FeedError> {
    let mut declarations = embedded_declarations();
    let catalog = Catalog::load(declarations.clone()).expect("the embedded catalogue");
    let text = change(declarations.text(AIR).expect("the feed"));
    declarations.insert(AIR, text.as_bytes());
    Feeds::load(&declarations, &catalog)
}

fn refusal(from: &str, to: &str) -> String {
    let changed = |text: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    load(changed).expect_err("a wrong declaration").to_string()
}

#[test]
fn the_embedded_feeds_load() {
    let feeds = load(str::to_owned).expect("the embedded feeds");
    let ids: Vec<_> = feeds.iter().map(|feed| feed.id.as_str()).collect();
    assert!(ids.is_sorted() && ids.contains(&"air_city_hourly") && ids.contains(&"budget_execution"), "{ids:?}");
    let air = feeds.get("air_city_hourly").expect("a feed");
    assert_eq!((air.table.as_str(), air.publisher.as_str()), ("air_hourly", "environment_monitoring"));
}

#[test]
fn references_are_checked_and_named() {
    for (from, to, expected) in [
        ("unit = \"index\"", "unit = \"furlong\"", "\"furlong\""),
        ("dataset = \"air_city_hourly\"", "dataset = \"nothing\"", "dataset \"nothing\""),
        ("formats = [\"csv\"]", "formats = [\"csw\"]", "\"csw\""),
        ("label = \"city\"", "label = \"town\"", "role \"town\""),
        ("\"city\", \"county\"", "\"city\", \"village\"", "\"village\""),
        ("header = \"^AQI$\"", "header = \"^AQI($\"", "value_column"),
        ("source_public", "source_publik", "source_publik"),
        ("[place.columns]", "[place.aliases]\n\"甲\" = \"某自治州\"\n\n[place.columns]", "region \"某自治州\""),
    ] {
        let message = refusal(from, to);
        assert!(message.contains(expected) && message.contains(AIR), "{from} -> {message}");
    }
}

#[test]
fn every_column_is_filled_once_by_a_part_of_its_type() {
    assert!(refusal("data_kind = \"realtime\"\n", "").contains("\"data_kind\""));
    assert!(refusal("hour_label = \"hour\"", "hour_label = \"month\"").contains("hour_label"));
    assert!(refusal("data_kind = \"realtime\"\n", "data_kind = \"realtime\"\nunit = \"x\"\n").contains("another part"));
    assert!(refusal("geo_id = \"id\"", "geo_id = \"code\"").contains("never null"));
    assert!(refusal("data_kind = \"realtime\"\n", "data_kind = \"realtime\"\ncolour = \"x\"\n").contains("\"colour\""));
}

#[test]
fn two_value_columns_with_one_setting_are_refused() {
    assert!(
        refusal("measure = \"PM10\", averaging = \"24h\"", "measure = \"PM10\", averaging = \"1h\"").contains("set")
    );
}

#[test]
fn spans_of_time_are_in_order_and_end_open() {
    assert!(
        refusal("{ value = \"ref298_actual\" }", "{ value = \"ref298_actual\", until = \"2020-01-01\" }")
            .contains("by_date")
    );
}
