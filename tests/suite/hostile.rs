//! Hostile statements and requests at every door of a served instance: a selection, or everything with `GONGKAI_DEEP`.
//!
//! The statements are in `tests/hostile/statements.toml`; `tests/clients/hostile.py` sends them and looks at the server
//! from outside: its process, health, memory, descriptors, spill, and the log.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use gongkai_tests::{gongkai, root, skip, up_samples};
use serde_json::{Value, json};

/// Time of one query in milliseconds: short, because some statements take all of it, and long enough to start a worker.
const TIMEOUT_MS: u64 = 2_500;

/// A served instance with all its doors; it ends with the value.
struct Doors {
    child: Child,
    http: String,
    pg: String,
    flight: String,
    log: PathBuf,
}

impl Doors {
    fn open(data: &Path) -> Self {
        let log = data.with_extension("log");
        let mut command = gongkai(data);
        command
            .args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0", "--flight", "127.0.0.1:0", "--data"])
            .arg(data);
        command.env("GONGKAI_QUERY_TIMEOUT_MS", TIMEOUT_MS.to_string()).env("GONGKAI_QUERIES_PER_MINUTE", "0");
        // What a backtrace costs is not what is measured.
        command.env_remove("RUST_BACKTRACE");
        command.stdout(Stdio::piped()).stderr(std::fs::File::create(&log).expect("a log"));
        let child = command.spawn().unwrap_or_else(|error| panic!("gongkai does not start: {error}"));
        let mut doors = Self { http: String::new(), pg: String::new(), flight: String::new(), log, child };
        let output = BufReader::new(doors.child.stdout.take().expect("its output"));
        for line in output.lines().map_while(Result::ok) {
            let address = line.split_whitespace().nth(1).unwrap_or_default().trim_end_matches('/');
            match address.split_once("://") {
                Some(("postgresql", address)) => doors.pg = address.to_owned(),
                Some(("grpc", address)) => doors.flight = address.to_owned(),
                Some(("http", _)) => {
                    // The last of the doors.
                    doors.http = address.to_owned();
                    break;
                }
                _ => {}
            }
        }
        let said = std::fs::read_to_string(&doors.log).unwrap_or_default();
        assert!(
            !doors.http.is_empty() && !doors.pg.is_empty() && !doors.flight.is_empty(),
            "not all doors open: {said}"
        );
        doors
    }

    /// Tells the server to end; gives its exit code.
    fn close(mut self) -> Option<i32> {
        let told = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(told.is_ok_and(|status| status.success()), "kill failed");
        self.child.wait().ok().and_then(|status| status.code())
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn hostile_statements_and_requests_are_borne_at_every_door() {
    let Some(python) = std::env::var_os("GONGKAI_PYTHON") else {
        return skip("hostile", "no Python environment (GONGKAI_PYTHON)");
    };
    let modules = Command::new(&python).args(["-c", "import grpc, tomllib"]).output();
    if !modules.is_ok_and(|output| output.status.success()) {
        return skip("hostile", "packages of tests/requirements.txt are not installed, or Python is older than 3.11");
    }
    let is_deep = std::env::var_os("GONGKAI_DEEP").is_some();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    up_samples(&data);
    let doors = Doors::open(&data);
    let setting = json!({
        "http": doors.http, "pg": doors.pg, "flight": doors.flight, "pid": doors.child.id(), "data": data,
        "log": doors.log, "timeout_ms": TIMEOUT_MS, "is_deep": is_deep,
    });
    hold(&python, "hostile.py", &setting, folder.path(), 9);
    assert_eq!(doors.close(), Some(0), "the server did not end well");
}

/// Runs a script of checks in a folder; none of them, and there are so many at least, has a problem.
pub(crate) fn hold(python: &OsStr, script: &str, setting: &Value, folder: &Path, checks: usize) {
    let output = Command::new(python)
        .arg(root().join("tests/clients").join(script))
        .arg(setting.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("python does not start: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} broke off: {said}");
    let mut problems = Vec::new();
    let mut found = 0;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        println!("{line}");
        let check: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let name = check["check"].as_str().unwrap_or_default();
        for problem in check["problems"].as_array().expect("problems") {
            problems.push(format!("{name}: {}", problem.as_str().unwrap_or_default()));
        }
        found += 1;
    }
    assert!(found >= checks, "{script} ran {found} checks, expected {checks} at least: {said}");
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
