//! `gongkai ingest --draft` writes declarations that load and read where nothing is left to decide.

use gongkai_catalog::{Catalog, Declarations};
use gongkai_ingest::draft::{DraftError, draft};
use gongkai_ingest::{Feeds, Limits, Outcome, embedded_declarations, ingest_bytes};
use gongkai_tests::{gongkai, root};

fn load(declarations: &Declarations) -> (Catalog, Feeds) {
    let catalog = Catalog::load(declarations.clone()).expect("loads");
    let feeds = Feeds::load(declarations, &catalog).unwrap_or_else(|error| panic!("{error}"));
    (catalog, feeds)
}

#[test]
fn a_draft_of_a_form_like_those_of_the_dataset_loads_and_reads_it() {
    let mut declarations = embedded_declarations();
    let (catalog, feeds) = load(&declarations);
    let text = "2019年米易县地方政府债务限额及余额决算情况表\n单位：亿元\n\
                地区,2019年债务限额,2019年债务余额（决算数）\n米易县,12.50,11.25\n仁和区,3.10,-\n注：不含隐性债务。\n";
    let limits = Limits::default();
    let made = draft(text.as_bytes(), "own_form.csv", Some("debt_limit_balance_final"), &feeds, &catalog, &limits);
    let made = made.expect("a draft");
    // Which of the statutory tables it is, only a person can say.
    assert!(made.to_decide.iter().any(|point| point.starts_with("table_code (text)")), "{:?}", made.to_decide);
    let finished = made.toml.replace("[constants]\n", "[constants]\ntable_code = \"T31\"\n");
    // It takes the place of the feed that would read the form as well.
    declarations.insert("feeds/finance_departments/debt_form_4_1.toml", finished.as_bytes());
    let (catalog, feeds) = load(&declarations);
    let Outcome::Matched { shaped, .. } = ingest_bytes(text.as_bytes(), "own_form.csv", &feeds, &catalog, &limits)
    else {
        panic!("the draft does not read its file:\n{}", made.toml)
    };
    let totals = shaped[0].report.totals;
    // Two regions with two figures each, one of them a dash.
    assert_eq!((totals.records_in, totals.records_kept), (2, 2), "{}", made.toml);
    assert_eq!((totals.cells_in, totals.values, totals.missing), (4, 3, 1), "{}", made.toml);
}

#[test]
fn a_draft_says_at_its_top_what_is_left_to_decide_and_fills_nothing_with_a_guess() {
    let declarations = embedded_declarations();
    let (catalog, feeds) = load(&declarations);
    let text = "date,hour,城市,PM2.5,温度\n20190301,0,攀枝花,37.0,21.5\n";
    let made = draft(text.as_bytes(), "hours.csv", Some("air_city_hourly"), &feeds, &catalog, &Limits::default());
    let made = made.expect("a draft");
    assert!(made.to_decide.iter().any(|point| point.starts_with("reference_state (text)")), "{:?}", made.to_decide);
    let head: Vec<&str> = made.toml.lines().take_while(|line| line.starts_with('#')).collect();
    assert_eq!(head.len(), made.to_decide.len() + 2, "{}", made.toml);
    assert!(!made.toml.contains("TODO") && !made.toml.contains("温度 ="));
    toml_is_valid(&made.toml);
}

#[test]
fn every_sample_has_a_draft_that_is_toml() {
    let declarations = embedded_declarations();
    let (catalog, feeds) = load(&declarations);
    let (mut all, mut without) = (0, 0);
    for (file, feed) in super::feeds::samples() {
        let bytes = std::fs::read(&file.path).expect("reads");
        let name = &file.relative;
        let dataset = feeds.get(&feed).map(|feed| feed.dataset.clone());
        for dataset in [dataset.as_deref(), None] {
            let made = draft(&bytes, name, dataset, &feeds, &catalog, &Limits::default());
            match made {
                Ok(made) => toml_is_valid(&made.toml),
                // Prose, and tables whose header is a list of numbers, show no header above rows.
                Err(DraftError::NoTable { .. }) => without += 1,
                Err(error) => panic!("{name}: {error}"),
            }
            all += 1;
        }
    }
    assert!(without * 4 < all, "{without} of {all} have no draft");
}

fn toml_is_valid(text: &str) {
    let mut declarations = Declarations::default();
    declarations.insert("a.toml", text.as_bytes());
    let parsed: Result<serde_json::Value, _> = declarations.toml("a.toml");
    parsed.unwrap_or_else(|error| panic!("{error}\n{text}"));
}

#[test]
fn a_dataset_that_is_not_declared_is_wrong_usage() {
    let sample = root().join("ingest/samples/statistics_survey_offices/national_cpi_2023_2025.csv");
    let output = gongkai(&root().join("data"))
        .args(["ingest", "--dataset", "nothing", "--draft"])
        .arg(sample)
        .output()
        .expect("starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cpi_monthly"));
}
