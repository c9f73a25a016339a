//! The folders of declarations and samples, walked: what is missing is said with what to do.

use std::collections::BTreeSet;

use gongkai_catalog::Catalog;
use gongkai_ingest::{Feeds, embedded_declarations};
use gongkai_tests::root;

#[test]
fn every_feed_has_a_sample_and_a_golden() {
    let declarations = embedded_declarations();
    let catalog = Catalog::load(declarations.clone()).expect("loads");
    let feeds = Feeds::load(&declarations, &catalog).expect("loads");
    let feeds: BTreeSet<String> = feeds.iter().map(|feed| feed.id.clone()).collect();
    let samples: BTreeSet<String> = super::feeds::samples().into_iter().map(|(_, feed)| feed).collect();
    let goldens = std::fs::read_dir(root().join("tests/goldens")).expect("goldens").flatten();
    let goldens = goldens.filter_map(|entry| golden_of(&entry.file_name().to_string_lossy()));
    let missing = missing(&feeds, &samples, &goldens.collect());
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// `feed_x.snap` is the golden of feed `x`.
fn golden_of(name: &str) -> Option<String> {
    Some(name.strip_prefix("feed_")?.strip_suffix(".snap")?.to_owned())
}

/// A feed is a declaration, a sample and a golden: what of the three is not there, and what to do.
fn missing(feeds: &BTreeSet<String>, samples: &BTreeSet<String>, goldens: &BTreeSet<String>) -> Vec<String> {
    let mut missing = Vec::new();
    for feed in feeds.difference(samples) {
        missing.push(format!(
            "feed {feed} has no sample: add a small file in its layout under ingest/samples/PUBLISHER, with FILE.source.toml beside it"
        ));
    }
    for feed in feeds.difference(goldens) {
        missing.push(format!(
            "feed {feed} has no golden: run `INSTA_UPDATE=always bash tests/run`, then read tests/goldens/feed_{feed}.snap before it is committed"
        ));
    }
    for feed in goldens.difference(feeds) {
        missing.push(format!(
            "golden feed_{feed}.snap has no declaration: add ingest/feeds/PUBLISHER/{feed}.toml, or remove the golden"
        ));
    }
    missing
}

/// A sample that no declaration reads.
pub fn unread(sample: &str, why: &str) -> String {
    format!(
        "no feed reads sample {sample}: add its declaration under ingest/feeds/PUBLISHER (ingest/feeds/README.md shows how), \
         or ask `gongkai inspect ingest/samples/{sample}` why none does ({why})"
    )
}

#[test]
fn each_of_the_three_parts_of_a_feed_is_missed_with_what_to_do() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let all = set(&["a"]);
    assert_eq!(missing(&all, &all, &all), Vec::<String>::new());
    let none = set(&[]);
    for (sentence, parts) in [
        (missing(&all, &none, &all), ["feed a has no sample", "ingest/samples/PUBLISHER", "FILE.source.toml"]),
        (missing(&all, &all, &none), ["feed a has no golden", "INSTA_UPDATE=always", "tests/goldens/feed_a.snap"]),
        (missing(&none, &none, &all), ["feed_a.snap has no declaration", "ingest/feeds/PUBLISHER/a.toml", "remove"]),
    ] {
        assert_eq!(sentence.len(), 1);
        assert!(parts.iter().all(|part| sentence[0].contains(part)), "{sentence:?}");
    }
    let unread = unread("offices/b.csv", "no header");
    assert!(
        unread.contains("ingest/feeds/README.md") && unread.contains("gongkai inspect ingest/samples/offices/b.csv")
    );
    assert_eq!(golden_of("feed_x.snap").as_deref(), Some("x"));
    assert_eq!(golden_of("openapi.snap"), None);
}

#[test]
fn every_sample_says_where_its_figures_come_from() {
    fn walk(folder: &std::path::Path) {
        for entry in std::fs::read_dir(folder).expect("folder").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                walk(&path);
            } else if !name.ends_with(".source.toml") && !name.ends_with(".md") {
                let side = path.with_file_name(format!("{name}.source.toml"));
                assert!(side.exists(), "{name} has no side file: say in {name}.source.toml where it comes from");
            }
        }
    }
    walk(&root().join("ingest/samples"));
}

#[test]
fn every_dataset_is_fed() {
    let declarations = embedded_declarations();
    let catalog = Catalog::load(declarations.clone()).expect("loads");
    let feeds = Feeds::load(&declarations, &catalog).expect("loads");
    for dataset in catalog.datasets.keys() {
        assert!(feeds.iter().any(|feed| &feed.dataset == dataset), "no feed gives rows to dataset {dataset}");
    }
}

#[test]
fn a_column_without_a_visibility_does_not_load() {
    let mut declarations = embedded_declarations();
    let path = "tables/debt/debt_stock.toml";
    let text = declarations.text(path).expect("there").replacen(", visibility = \"public\"", "", 1);
    declarations.insert(path, text.as_bytes());
    let error = Catalog::load(declarations).expect_err("refused").to_string();
    assert!(error.contains(path) && error.contains("visibility"), "{error}");
}

#[test]
fn a_reference_to_nothing_names_file_and_key() {
    let mut declarations = embedded_declarations();
    let path = "datasets/finance_departments/debt_limit_balance_final.toml";
    let text = declarations.text(path).expect("there").replace("table = \"debt_stock\"", "table = \"debts\"");
    declarations.insert(path, text.as_bytes());
    let error = Catalog::load(declarations).expect_err("refused").to_string();
    assert!(error.contains(path) && error.contains("debts") && error.contains("table"), "{error}");
}
