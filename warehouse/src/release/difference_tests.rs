//! Two batches as what differs between them, as JSON and as CSV.

use arrow::array::{ArrayRef, Int64Array, StringArray};
use gongkai_catalog::table::SHARED;
use gongkai_catalog::{Column, ColumnType, Label};
use serde_json::json;

use super::*;
use crate::query::tests::warehouse::rows_in;
use crate::schema::{normalised_schema, released_schema};

/// Values by column; those left out get a plain one, nullable columns NULL.
type Cells<'a> = &'a [(&'a str, &'a str)];

const SICHUAN: Cells<'static> = &[("region_name", "四川省"), ("year", "2021"), ("amount_yuan", "100.10")];
const CHENGDU: Cells<'static> = &[("region_name", "成都市"), ("year", "2021"), ("amount_yuan", "50.05")];
const PANZHIHUA: Cells<'static> = &[("region_name", "攀枝花市"), ("year", "2021"), ("amount_yuan", "-5.00")];

fn label() -> Label {
    Label { zh: "标签".into(), en: "label".into() }
}

/// Amounts by region and year, with a note, the tier that a source is of, and a column that only publishers see.
fn table() -> Table {
    let own = [
        ("region_name", ColumnType::Text),
        ("year", ColumnType::Integer),
        ("amount_yuan", ColumnType::Decimal { precision: 20, scale: 2 }),
        ("note", ColumnType::Text),
        ("source_tier", ColumnType::Text),
        ("checked_by", ColumnType::Text),
    ];
    let shared = SHARED.iter().map(|name| match *name {
        "source_row" | "source_column" | "row_no" => (*name, ColumnType::Integer),
        _ => (*name, ColumnType::Text),
    });
    let columns = own.into_iter().chain(shared).map(|(name, column_type)| Column {
        name: name.into(),
        column_type,
        unit: None,
        label: label(),
        description: label(),
        visibility: if name == "checked_by" { Visibility::Internal } else { Visibility::Public },
        is_nullable: ["amount_yuan", "note", "source_tier", "checked_by"].contains(&name),
        is_key: false,
    });
    Table {
        name: "amounts".into(),
        domain: "debt".into(),
        label: label(),
        description: label(),
        grain: label(),
        columns: columns.collect(),
        key: vec!["region_name".into(), "year".into()],
        sort: vec!["year".into()],
        sums: Vec::new(),
        source_file: "tables/debt/amounts.toml".into(),
    }
}

fn batch(rows: &[Cells<'_>]) -> RecordBatch {
    rows_in(released_schema(&table()), rows)
}

fn between(from: &[Cells<'_>], to: &[Cells<'_>]) -> Difference {
    difference(&table(), &batch(from), &batch(to)).expect("comparable batches")
}

fn amounts(found: &Difference) -> Vec<[&Value; 2]> {
    let changes = found.changed.iter().map(|row| &row.columns["amount_yuan"]);
    changes.map(|change| [&change.from, &change.to]).collect()
}

#[test]
fn a_changed_figure_is_told_with_both_values_and_no_other_column() {
    let corrected: Cells<'_> = &[("region_name", "成都市"), ("year", "2021"), ("amount_yuan", "50.06")];
    let found = between(&[SICHUAN, CHENGDU], &[SICHUAN, corrected]);
    let expected = json!({
        "key": ["region_name", "year"],
        "added": [],
        "removed": [],
        "changed": [{
            "key": { "region_name": "成都市", "year": 2021 },
            "columns": { "amount_yuan": { "from": "50.05", "to": "50.06" } },
        }],
        "unchanged": 1,
    });
    assert_eq!(serde_json::to_value(&found).expect("json"), expected);
    assert!(!found.is_empty());
}

#[test]
fn a_row_of_one_side_is_told_whole() {
    let found = between(&[SICHUAN, CHENGDU], &[PANZHIHUA, SICHUAN]);
    let row = |region: &str, amount: &str| {
        json!([{
            "key": { "region_name": region, "year": 2021 },
            "values": { "amount_yuan": amount, "note": null, "source_tier": null },
        }])
    };
    assert_eq!(serde_json::to_value(&found.added).expect("json"), row("攀枝花市", "-5.00"));
    assert_eq!(serde_json::to_value(&found.removed).expect("json"), row("成都市", "50.05"));
    assert!(found.changed.is_empty());
    assert_eq!(found.unchanged, 1);
}

#[test]
fn missing_zero_and_empty_stay_apart() {
    let missing: Cells<'_> = &[("region_name", "四川省"), ("year", "2021")];
    let zero: Cells<'_> = &[("region_name", "四川省"), ("year", "2021"), ("amount_yuan", "0")];
    let empty: Cells<'_> = &[("region_name", "四川省"), ("year", "2021"), ("note", "")];
    let columns = |found: Difference| serde_json::to_value(&found.changed[0].columns).expect("json");
    let expected = json!({ "amount_yuan": { "from": null, "to": "0.00" } });
    assert_eq!(columns(between(&[missing], &[zero])), expected);
    assert_eq!(columns(between(&[missing], &[empty])), json!({ "note": { "from": null, "to": "" } }));
    let expected = json!({ "amount_yuan": { "from": "0.00", "to": null }, "note": { "from": null, "to": "" } });
    assert_eq!(columns(between(&[zero], &[empty])), expected);
    assert!(between(&[missing], &[missing]).is_empty());
}

#[test]
fn of_rows_with_one_key_the_nth_is_compared_with_the_nth() {
    let row = |amount| [("region_name", "四川省"), ("year", "2021"), ("amount_yuan", amount)];
    let [one, two, three, five] = ["1.00", "2.00", "3.00", "5.00"].map(row);

    let fewer = between(&[&one, &two, &three], &[&one, &five]);
    assert_eq!(amounts(&fewer), [[&json!("2.00"), &json!("5.00")]]);
    assert_eq!(fewer.removed[0].values["amount_yuan"], "3.00");
    assert_eq!((fewer.added.len(), fewer.removed.len(), fewer.unchanged), (0, 1, 1));

    let more = between(&[&one, &five], &[&one, &two, &three]);
    assert_eq!(amounts(&more), [[&json!("5.00"), &json!("2.00")]]);
    assert_eq!(more.added[0].values["amount_yuan"], "3.00");
    assert_eq!((more.added.len(), more.removed.len(), more.unchanged), (1, 0, 1));
}

#[test]
fn rows_that_only_moved_are_unchanged() {
    let moved = |row: Cells<'static>, at: &'static str| {
        let place =
            [("source_sha256", at), ("source_row", at), ("source_cell", at), ("row_no", at), ("release_id", at)];
        [row, place.as_slice()].concat()
    };
    let (sichuan, chengdu) = (moved(SICHUAN, "7"), moved(CHENGDU, "8"));
    let found = between(&[SICHUAN, CHENGDU], &[&chengdu, &sichuan]);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(found.unchanged, 2);
}

#[test]
fn the_order_is_that_of_the_side_that_has_the_rows() {
    let row = |region, amount| [("region_name", region), ("year", "2021"), ("amount_yuan", amount)];
    let before = [row("丁", "1"), row("丙", "1"), row("乙", "1"), row("甲", "1")];
    let after = [row("戊", "1"), row("甲", "2"), row("己", "1"), row("乙", "2")];
    let found = between(&before.each_ref().map(|row| row.as_slice()), &after.each_ref().map(|row| row.as_slice()));
    let regions = |keys: Vec<&BTreeMap<String, Value>>| -> Vec<String> {
        keys.into_iter().filter_map(|key| key["region_name"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(regions(found.added.iter().map(|row| &row.key).collect()), ["戊", "己"]);
    assert_eq!(regions(found.removed.iter().map(|row| &row.key).collect()), ["丁", "丙"]);
    assert_eq!(regions(found.changed.iter().map(|row| &row.key).collect()), ["甲", "乙"]);
}

#[test]
fn equal_and_empty_sides_differ_in_nothing() {
    let same = between(&[SICHUAN, CHENGDU], &[SICHUAN, CHENGDU]);
    assert!(same.is_empty());
    assert_eq!(same.counts(), ManifestDifference { added: 0, removed: 0, changed: 0, unchanged: 2 });
    assert!(between(&[], &[]).is_empty());
    let first = between(&[], &[SICHUAN, CHENGDU]);
    assert_eq!(first.counts(), ManifestDifference { added: 2, removed: 0, changed: 0, unchanged: 0 });
}

#[test]
fn counts_are_known_before_anything_is_printed() {
    let corrected: Cells<'_> = &[("region_name", "成都市"), ("year", "2021"), ("amount_yuan", "50.06")];
    let compared = compare(&table(), &batch(&[SICHUAN, CHENGDU]), &batch(&[corrected, PANZHIHUA])).expect("compares");
    assert_eq!(compared.counts(), ManifestDifference { added: 1, removed: 1, changed: 1, unchanged: 0 });
    assert_eq!(compared.difference().expect("prints").counts(), compared.counts());
}

#[test]
fn columns_that_the_public_does_not_see_are_not_compared_and_those_named_like_an_origin_are() {
    let schema = normalised_schema(&table());
    let row = |by: &'static str, tier: &'static str| [SICHUAN, &[("checked_by", by), ("source_tier", tier)]].concat();
    let before = rows_in(schema.clone(), &[&row("甲", "central")]);
    let other_person = rows_in(schema.clone(), &[&row("乙", "central")]);
    assert!(difference(&table(), &before, &other_person).expect("compares").is_empty());
    let other_tier = rows_in(schema, &[&row("甲", "province")]);
    let found = difference(&table(), &before, &other_tier).expect("compares");
    assert_eq!(found.changed[0].columns["source_tier"], Change { from: json!("central"), to: json!("province") });
}

#[test]
fn rows_whose_key_is_their_place_are_known_by_all_that_they_say() {
    let mut table = table();
    table.key = vec!["source_sha256".into(), "source_row".into()];
    let to = batch(&[&[CHENGDU, &[("source_sha256", "b"), ("source_row", "9")]].concat(), PANZHIHUA]);
    let found = difference(&table, &batch(&[SICHUAN, CHENGDU]), &to).expect("compares");
    assert_eq!(found.key, ["region_name", "year", "amount_yuan", "note", "source_tier"]);
    assert_eq!((found.changed.len(), found.unchanged), (0, 1));
    assert_eq!(found.removed[0].key["amount_yuan"], "100.10");
    assert_eq!(found.added[0].key["amount_yuan"], "-5.00");
    assert!(found.added[0].values.is_empty());
    let csv = String::from_utf8(found.to_csv(&table)).expect("text");
    let expected = "change,region_name,year,amount_yuan,note,source_tier,column,from,to\n\
        added,攀枝花市,2021,-5.00,,,,,\n\
        removed,四川省,2021,100.10,,,,,\n";
    assert_eq!(csv, expected);
}

#[test]
fn a_column_that_one_side_does_not_have_is_missing_there() {
    let to = batch(&[&[SICHUAN, &[("note", "更正")]].concat()]);
    let schema = to.schema();
    let without: Vec<usize> =
        (0..schema.fields().len()).filter(|index| schema.field(*index).name() != "note").collect();
    let from = batch(&[SICHUAN]).project(&without).expect("the other columns");
    let found = difference(&table(), &from, &to).expect("compares");
    assert_eq!(found.changed[0].columns["note"], Change { from: Value::Null, to: json!("更正") });
    assert_eq!(found.changed[0].columns.len(), 1);
}

#[test]
fn a_column_of_another_type_is_compared_as_it_prints() {
    let columns = |amount: &str| -> Vec<(&str, ArrayRef)> {
        vec![
            ("region_name", Arc::new(StringArray::from(vec!["四川省"]))),
            ("year", Arc::new(Int64Array::from(vec![2021]))),
            ("amount_yuan", Arc::new(StringArray::from(vec![amount]))),
        ]
    };
    let before = |amount| RecordBatch::try_from_iter(columns(amount)).expect("one row");
    assert!(difference(&table(), &before("100.10"), &batch(&[SICHUAN])).expect("compares").is_empty());
    let found = difference(&table(), &before("=1+1"), &batch(&[SICHUAN])).expect("compares");
    assert_eq!(found.changed[0].columns["amount_yuan"], Change { from: json!("=1+1"), to: json!("100.10") });
    let csv = String::from_utf8(found.to_csv(&table())).expect("text");
    assert_eq!(csv.lines().last(), Some("changed,四川省,2021,amount_yuan,\"'=1+1\",100.10"));
}

#[test]
fn a_whole_number_that_a_double_cannot_hold_keeps_its_digits() {
    // 2^53, and 2^53 + 1: the first whole number that no double holds.
    let numbers = Int64Array::from(vec![9_007_199_254_740_992, 9_007_199_254_740_993]);
    let columns: Vec<(&str, ArrayRef)> =
        vec![("region_name", Arc::new(StringArray::from(vec!["四川省", "成都市"]))), ("year", Arc::new(numbers))];
    let to = RecordBatch::try_from_iter(columns).expect("two rows");
    let found = difference(&table(), &to.slice(0, 0), &to).expect("compares");
    assert_eq!(found.added[0].key["year"], json!(9_007_199_254_740_992_i64));
    assert_eq!(found.added[1].key["year"], "9007199254740993");
}

#[test]
fn sides_without_a_column_of_the_table_are_refused() {
    let columns: Vec<(&str, ArrayRef)> = vec![("other", Arc::new(StringArray::from(vec!["1"])))];
    let other = RecordBatch::try_from_iter(columns).expect("one row");
    assert!(matches!(difference(&table(), &other, &other), Err(ArrowError::SchemaError(_))));
}

#[test]
fn the_published_form_is_canonical_and_reads_back() {
    let corrected: Cells<'_> = &[("region_name", "成都市"), ("year", "2021"), ("amount_yuan", "50.06")];
    let found = between(&[SICHUAN, CHENGDU], &[SICHUAN, corrected]);
    let bytes = found.to_bytes(Some("ds.1"), "ds.2").expect("bytes");
    let expected = concat!(
        r#"{"added":[],"changed":[{"columns":{"amount_yuan":{"from":"50.05","to":"50.06"}},"#,
        r#""key":{"region_name":"成都市","year":2021}}],"format_version":1,"from":"ds.1","#,
        r#""key":["region_name","year"],"removed":[],"to":"ds.2","unchanged":1}"#
    );
    assert_eq!(String::from_utf8_lossy(&bytes), expected);
    assert_eq!(serde_json::from_slice::<Difference>(&bytes).expect("reads back"), found);
    let first = found.to_bytes(None, "ds.1").expect("bytes");
    assert!(String::from_utf8_lossy(&first).contains(r#""from":null,"#));
}

#[test]
fn csv_has_a_line_for_each_value_that_differs() {
    let noted: Cells<'_> = &[("region_name", "四川省"), ("year", "2021"), ("amount_yuan", "-1.00"), ("note", "=1+1")];
    let emptied: Cells<'_> = &[("region_name", "攀枝花市"), ("year", "2021"), ("note", "")];
    let found = between(&[SICHUAN, CHENGDU, PANZHIHUA], &[noted, emptied, &[("region_name", "a,b"), ("year", "2022")]]);
    let expected = "change,region_name,year,column,from,to\n\
        added,\"a,b\",2022,,,\n\
        changed,四川省,2021,amount_yuan,100.10,-1.00\n\
        changed,四川省,2021,note,,\"'=1+1\"\n\
        changed,攀枝花市,2021,amount_yuan,-5.00,\n\
        changed,攀枝花市,2021,note,,\"\"\n\
        removed,成都市,2021,amount_yuan,50.05,\n";
    assert_eq!(String::from_utf8(found.to_csv(&table())).expect("text"), expected);
}
