//! Requests drawn from the API's description against a served instance: some, or many with `GONGKAI_DEEP`.
//!
//! `tests/clients/openapi.py` runs Schemathesis with all its checks. Nothing may fail, and every status that is seen is one that
//! the description declares for its operation.

use std::process::Command;

use gongkai_tests::{Served, access_key, root, skip, up_samples};
use serde_json::{Value, json};

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
    let Some(python) = std::env::var_os("GONGKAI_PYTHON") else {
        return skip("openapi_fuzz", "no Python environment (GONGKAI_PYTHON)");
    };
    let imported = Command::new(&python).args(["-c", "import schemathesis"]).output();
    if !imported.is_ok_and(|output| output.status.success()) {
        return skip("openapi_fuzz", "packages of tests/requirements.txt are not installed");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    up_samples(&data);
    let token = access_key(&data, "admin", "tests");
    let settings = [("GONGKAI_QUERIES_PER_MINUTE", "0"), ("GONGKAI_QUERY_TIMEOUT_MS", "30000")];
    let log = folder.path().join("log");
    let served = Served::start_with_log(&data, &settings, &log).expect("it comes up");
    let setting = json!({
        "http": served.base, "token": token, "scratch": folder.path().join("scratch"),
        "is_deep": std::env::var_os("GONGKAI_DEEP").is_some(),
    });
    let output = Command::new(&python)
        .arg(root().join("tests/clients/openapi.py"))
        .arg(setting.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python starts");
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the script broke off: {printed}{said}");
    let (mut problems, mut operations) = (Vec::new(), 0);
    for line in printed.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let operation = entry["operation"].as_str().unwrap_or_default();
        if entry["problem"].is_string() {
            problems.push(line.to_owned());
            continue;
        }
        operations += 1;
        if entry["undeclared"] != json!([]) {
            problems.push(format!("not declared: {line}"));
        }
        let statuses = entry["statuses"].as_object().expect("statuses");
        if REACHED.contains(&operation) && !statuses.keys().any(|status| status.starts_with('2')) {
            problems.push(format!("never answered as asked for: {line}"));
        }
    }
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
    assert!(operations >= 50, "{operations} operations were asked: {printed}");
    let log = std::fs::read_to_string(&log).expect("reads");
    let wrong: Vec<&str> =
        log.lines().filter(|line| line.contains("panicked") || line.contains("internal error")).take(5).collect();
    assert!(wrong.is_empty(), "the log tells of faults\n{}", wrong.join("\n"));
    assert_eq!(served.stop(), Some(0), "the server does not end as it should");
}
