//! Hostile statements and requests at every door of a served instance: a selection, or everything with `GONGKAI_DEEP`.
//!
//! The statements are in `tests/hostile/statements.toml`; `tests/clients/hostile.py` sends them and looks at the server
//! from outside: its process, health, memory, descriptors, spill, and the log.

use std::ffi::OsStr;
use std::path::Path;

use gongkai_tests::{EVERY_DOOR, Served, json_lines, python, root, samples, script};
use serde_json::{Value, json};

/// Time of one query in milliseconds: short, because some statements take all of it, and long enough to start a worker.
const TIMEOUT_MS: u64 = 2_500;

#[test]
fn hostile_statements_and_requests_are_borne_at_every_door() {
    let Some(python) = python("hostile", "grpc, tomllib") else { return };
    let is_deep = std::env::var_os("GONGKAI_DEEP").is_some();
    let (folder, data) = samples();
    let (log, timeout_ms) = (folder.path().join("server.log"), TIMEOUT_MS.to_string());
    let settings = [
        EVERY_DOOR[0],
        EVERY_DOOR[1],
        ("GONGKAI_QUERY_TIMEOUT_MS", timeout_ms.as_str()),
        ("GONGKAI_QUERIES_PER_MINUTE", "0"),
        // What a backtrace costs is not what is measured.
        ("RUST_BACKTRACE", "0"),
    ];
    let served = Served::start_with_log(&data, &settings, &log).expect("the server comes up");
    let setting = json!({
        "http": served.base, "pg": served.pg_address(), "flight": served.flight_address(), "pid": served.pid(), "data": data,
        "log": log, "timeout_ms": TIMEOUT_MS, "is_deep": is_deep,
    });
    hold(&python, "hostile.py", &setting, 13);
    assert_eq!(served.stop(), Some(0), "the server did not end well");
}

/// Runs a script of checks in the folder of its warehouse; there are so many at least, and none of them has a problem.
pub(crate) fn hold(python: &OsStr, name: &str, setting: &Value, checks: usize) {
    let folder = setting["data"].as_str().and_then(|data| Path::new(data).parent()).expect("a warehouse");
    let lines = json_lines(script(python, name).arg(setting.to_string()).current_dir(folder));
    let mut problems = Vec::new();
    for line in &lines {
        println!("{line}");
        let check = line["check"].as_str().expect("a name");
        for problem in line["problems"].as_array().expect("problems") {
            problems.push(format!("{check}: {}", problem.as_str().expect("text")));
        }
    }
    assert!(lines.len() >= checks, "{name} ran {} checks, expected {checks} at least", lines.len());
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn there_are_enough_statements_of_every_kind() {
    let text = std::fs::read_to_string(root().join("tests/hostile/statements.toml")).expect("statements");
    let groups = text.matches("[[group]]").count();
    let classes = text.lines().filter(|line| line.starts_with("class = ")).count();
    let outcomes = text.lines().filter(|line| line.starts_with("expect = ")).count();
    assert_eq!((classes, outcomes), (groups, groups), "every group has a class and its outcomes");
    let (hostile, harmless) = text.split_once("class = \"harmless\"").expect("harmless statements");
    let count =
        |text: &str| text.lines().filter(|line| line.starts_with("    \"") || line.starts_with("    {")).count();
    assert!(count(hostile) >= 220 && count(harmless) >= 40, "{} and {}", count(hostile), count(harmless));
}
