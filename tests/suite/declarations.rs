//! The folders of declarations and samples, walked: what is missing is said with what to do.

use gongkai_catalog::Catalog;
use gongkai_ingest::{Feeds, embedded_declarations};
use gongkai_tests::root;

#[test]
fn every_feed_has_a_sample_and_a_golden() {
    let declarations = embedded_declarations();
    let catalog = Catalog::load(declarations.clone()).expect("loads");
    let feeds = Feeds::load(&declarations, &catalog).expect("loads");
    let samples: Vec<String> = super::feeds::samples().into_iter().map(|(_, feed)| feed).collect();
    for feed in feeds.iter() {
        assert!(samples.contains(&feed.id), "feed {} has no sample: add a file under ingest/samples", feed.id);
        let golden = root().join("tests/goldens").join(format!("feed_{}.snap", feed.id));
        assert!(golden.exists(), "feed {} has no golden: accept tests/goldens/feed_{}.snap", feed.id, feed.id);
    }
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
