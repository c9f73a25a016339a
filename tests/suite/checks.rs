//! Every check over made-up rows: each outcome that its header declares is shown.
//!
//! `tests/slt/checks/{id}.slt` holds the cases of a check: `case` and a sentence, tables of made-up rows as SQL would define
//! them in front of the query, a line `----`, and the outcome and scope of each identity that is then tested.

use std::collections::BTreeSet;
use std::sync::Arc;

use gongkai_catalog::Catalog;
use gongkai_tests::root;
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::check::{self, Check};
use gongkai_warehouse::query::{EngineSettings, QueryEngine};
use gongkai_warehouse::store::{MemoryStore, Store};

struct Case {
    name: String,
    tables: String,
    expected: Vec<String>,
}

fn read_cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut is_expected = false;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        match (line.strip_prefix("case "), cases.last_mut()) {
            (Some(name), _) => {
                is_expected = false;
                cases.push(Case { name: name.to_owned(), tables: String::new(), expected: Vec::new() });
            }
            (None, Some(_)) if line == "----" => is_expected = true,
            (None, Some(case)) if is_expected => case.expected.push(line.to_owned()),
            (None, Some(case)) => case.tables.extend([line, "\n"]),
            (None, None) => panic!("{line:?} stands before the first case"),
        }
    }
    cases
}

/// The check of a file; of a check of every table, the one whose table the cases make up.
fn check_of<'a>(checks: &'a [Check], id: &str, cases: &[Case]) -> &'a Check {
    let first = cases.first().map(|case| case.tables.as_str()).unwrap_or_default();
    let of_id: Vec<&Check> = checks.iter().filter(|check| check.id == id).collect();
    if let [check] = of_id[..] {
        return check;
    }
    let mut of_id = of_id.into_iter();
    of_id
        .find(|check| check.tables.iter().any(|table| first.starts_with(&format!("{table} AS"))))
        .unwrap_or_else(|| panic!("no check {id} of the tables in its cases"))
}

#[test]
fn every_check_shows_every_outcome_that_it_declares() {
    let mut declarations = gongkai_ingest::embedded_declarations();
    check::add_embedded(&mut declarations);
    let catalog = Arc::new(Catalog::load(declarations.clone()).expect("loads"));
    let checks = check::load(&declarations, &catalog.tables).expect("loads");
    let store = MemoryStore::default();
    let engine = QueryEngine::new(catalog, Arc::clone(store.objects()), EngineSettings::default()).expect("starts");
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let snapshot = Arc::new(Snapshot::empty());
    let ids: BTreeSet<&str> = checks.iter().map(|check| check.id.as_str()).collect();
    for id in ids {
        let path = root().join(format!("tests/slt/checks/{id}.slt"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|_| panic!("check {id} has no cases: show its outcomes in tests/slt/checks/{id}.slt"));
        let cases = read_cases(&text);
        let check = check_of(&checks, id, &cases);
        let mut shown = BTreeSet::new();
        for case in &cases {
            let tested = runtime
                .block_on(check::run(&engine, check, &case.tables, &snapshot))
                .unwrap_or_else(|error| panic!("{id}, case {}: {error}", case.name));
            let found: Vec<String> =
                tested.iter().map(|tested| format!("{} {}", tested.finding.outcome.name(), tested.scope_key)).collect();
            assert_eq!(found, case.expected, "{id}, case {}", case.name);
            shown.extend(tested.iter().map(|tested| tested.finding.outcome));
        }
        let declared: BTreeSet<_> = check.outcomes.iter().copied().collect();
        assert_eq!(
            shown, declared,
            "{id}: the cases do not show the outcomes that its header declares, or show others"
        );
    }
}
