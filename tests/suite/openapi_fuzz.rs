//! Requests drawn from the API's description against a served instance: some, or many with `GONGKAI_DEEP`.
//!
//! `tests/clients/openapi.py` runs Schemathesis with its checks. Nothing may fail, every operation is asked, and every status that is
//! seen is one that the description declares for its operation.

use std::collections::BTreeSet;

use gongkai_tests::{Served, access_key, json_lines, python, samples, script};
use serde_json::{Value, json};

use crate::client::Client;

/// Operations whose core has to be reached: each has to answer one request at least as asked for.
const REACHED: [&str; 11] = [
    "create_event",
    "create_key",
    "download_dataset",
    "get_catalog",
    "get_dataset",
    "get_provenance",
    "get_release_file",
    "get_sql",
    "list_items",
    "list_records",
    "post_sql",
];

#[test]
fn what_the_description_says_holds_for_requests_that_are_drawn_from_it() {
    let Some(python) = python("openapi_fuzz", "schemathesis") else { return };
    let (folder, data) = samples();
    let token = access_key(&data, "admin", "tests");
    let settings = [("GONGKAI_QUERIES_PER_MINUTE", "0"), ("GONGKAI_QUERY_TIMEOUT_MS", "30000")];
    let log = folder.path().join("log");
    let served = Served::start_with_log(&data, &settings, &log).expect("it comes up");
    let setting = json!({
        "http": served.base, "token": token, "scratch": folder.path().join("scratch"),
        "is_deep": std::env::var_os("GONGKAI_DEEP").is_some(),
    });
    let document = Client::of(&served).get("/openapi.json").json();
    let paths = document["paths"].as_object().expect("paths");
    let described = paths.values().filter_map(Value::as_object).flat_map(|methods| methods.values());
    let mut unasked: BTreeSet<&str> = described.filter_map(|operation| operation["operationId"].as_str()).collect();
    assert!(unasked.len() >= 50, "the description has {} operations", unasked.len());
    let mut problems = Vec::new();
    for line in json_lines(script(&python, "openapi.py").arg(setting.to_string())) {
        let operation = line["operation"].as_str().expect("an operation");
        if line["problem"].is_string() {
            problems.push(line.to_string());
            continue;
        }
        unasked.remove(operation);
        if line["undeclared"] != json!([]) {
            problems.push(format!("not declared: {line}"));
        }
        let statuses = line["statuses"].as_object().expect("statuses");
        if REACHED.contains(&operation) && !statuses.keys().any(|status| status.starts_with('2')) {
            problems.push(format!("never answered as asked for: {line}"));
        }
    }
    problems.extend(unasked.iter().map(|operation| format!("never asked: {operation}")));
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
    let log = std::fs::read_to_string(&log).expect("reads");
    let wrong: Vec<&str> =
        log.lines().filter(|line| line.contains("panicked") || line.contains("internal error")).take(5).collect();
    assert!(wrong.is_empty(), "the log tells of faults\n{}", wrong.join("\n"));
    assert_eq!(served.stop(), Some(0), "the server does not end as it should");
}
