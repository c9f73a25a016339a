//! Behaviour of value cells.

use gongkai_catalog::{Catalog, Declarations};

use super::*;

fn catalog() -> Catalog {
    Catalog::load(Declarations::embedded()).expect("the embedded catalogue")
}

fn money(catalog: &Catalog) -> Measure<'_> {
    let table = &catalog.tables["debt_stock"];
    let column = |name: &str| table.column(name).expect("a column");
    let columns = MeasureColumns {
        number: column("amount_yuan"),
        published: Some(column("published_value")),
        limit: None,
        says_conversion: true,
    };
    Measure::new(columns, catalog.units.get("yi_yuan"), &[])
}

fn value(figure: Figure) -> Value {
    match figure {
        Figure::Value(value) => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn hundred_millions_become_yuan_exactly() {
    let catalog = catalog();
    let hainan = value(money(&catalog).read("3703.4", CellKind::Number));
    assert_eq!(hainan.number, 37_034_000_000_000);
    assert_eq!(hainan.published, Some(3_703_400_000_000_000));
    assert_eq!((hainan.scale, hainan.conversion.as_deref()), (1, Some("3703.4 亿元 × 100000000")));
    assert_eq!(value(money(&catalog).read("3486.6305023447", CellKind::Number)).number, 34_866_305_023_447);
}

#[test]
fn a_rounded_amount_says_so() {
    let catalog = catalog();
    let amount = value(money(&catalog).read("0.12345678915", CellKind::Number));
    assert_eq!(amount.number, 1_234_567_892);
    assert!(amount.conversion.expect("a conversion").ends_with("，舍入到分"));
}

#[test]
fn zeros_that_pad_a_text_do_not_make_it_too_long() {
    let catalog = catalog();
    let amount = value(money(&catalog).read("9587.2600000000000000000000", CellKind::Text));
    assert_eq!((amount.number, amount.scale), (95_872_600_000_000, 10));
}

#[test]
fn what_a_measurement_cannot_hold_is_set_aside() {
    let catalog = catalog();
    let column = catalog.tables["air_hourly"].column("value").expect("a column");
    let markers = ["—".to_owned()];
    let measure = Measure::new(
        MeasureColumns { number: column, published: None, limit: None, says_conversion: false },
        catalog.units.get("ug_m3"),
        &markers,
    );
    assert_eq!(value(measure.read("37.0", CellKind::Text)).number, 370_000);
    assert_eq!(measure.read(" — ", CellKind::Text), Figure::Missing);
    assert_eq!(measure.read("", CellKind::Empty), Figure::Missing);
    for (text, kind, reason) in [
        ("3O", CellKind::Text, Reason::NotANumber),
        ("1.23456", CellKind::Text, Reason::TooPrecise),
        ("123456789.0", CellKind::Text, Reason::TooLong),
        ("#N/A", CellKind::Error, Reason::NotANumber),
    ] {
        assert!(matches!(measure.read(text, kind), Figure::SetAside(found, _) if found == reason), "{text}");
    }
}

#[test]
fn less_than_can_be_measured_is_a_limit_and_no_figure() {
    let catalog = catalog();
    let table = &catalog.tables["water_sample"];
    let column = |name: &str| table.column(name).expect("a column");
    let columns =
        |limit| MeasureColumns { number: column("sample_value"), published: None, limit, says_conversion: false };
    let measure = Measure::new(columns(Some(column("detection_limit"))), None, &[]);
    for text in ["<0.025", "＜ 0.025", "0.025L", "0.0250L"] {
        assert_eq!(measure.read(text, CellKind::Text), Figure::Below(2_500_000), "{text}");
    }
    for text in ["<", "L", "<a", "0.025LL", "0.000000001L"] {
        assert!(matches!(measure.read(text, CellKind::Text), Figure::SetAside(..)), "{text}");
    }
    // A table that has no place for the limit keeps the cell apart.
    let without = Measure::new(columns(None), None, &[]);
    assert!(matches!(without.read("0.025L", CellKind::Text), Figure::SetAside(Reason::NotANumber, _)));
}
