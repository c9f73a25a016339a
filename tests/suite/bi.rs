//! What BI tools, editors and drivers ask over the protocol of PostgreSQL before they show anything, and whether they can go on
//! with the answers.
//!
//! The statements are in `tests/clients/startup`, one file a tool, with what an answer must contain; a Python script sends them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use gongkai_tests::{gongkai, root, skip, up_samples};
use serde_json::Value;

/// A server with the door for clients of PostgreSQL; it ends with the value.
struct Door {
    child: Child,
    host: String,
    port: String,
}

impl Door {
    fn open(data: &Path) -> Self {
        let mut command = gongkai(data);
        command.args(["serve", "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0", "--data"]).arg(data);
        command.env("GONGKAI_QUERIES_PER_MINUTE", "0");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
        let output = BufReader::new(child.stdout.take().expect("output"));
        let mut address = None;
        for line in output.lines() {
            let line = line.expect("text");
            if let Some(found) = line.strip_prefix("serving postgresql://") {
                address = found
                    .split_whitespace()
                    .next()
                    .and_then(|word| word.rsplit_once(':'))
                    .map(|(host, port)| (host.to_owned(), port.to_owned()));
            }
            if line.starts_with("serving http://") {
                break;
            }
        }
        let (host, port) = address.expect("an address");
        Self { child, host, port }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn tools_get_what_they_ask_for_at_their_start() {
    let Some(python) = std::env::var_os("GONGKAI_PYTHON") else {
        return skip("bi", "no Python environment (GONGKAI_PYTHON)");
    };
    let module = Command::new(&python).args(["-c", "import psycopg"]).output();
    if !module.is_ok_and(|output| output.status.success()) {
        return skip("bi", "packages of tests/requirements.txt are not installed");
    }
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    up_samples(&data);
    let door = Door::open(&data);
    let output = Command::new(&python)
        .arg(root().join("tests/clients/startup.py"))
        .args([&door.host, &door.port])
        .output()
        .expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("an answer as JSON"))
        .collect();
    for tool in std::fs::read_dir(root().join("tests/clients/startup")).expect("folder").flatten() {
        let name = tool.path().file_stem().expect("a name").to_string_lossy().into_owned();
        let asked = |protocol: &str| {
            answers.iter().filter(|answer| answer["tool"] == name.as_str() && answer["protocol"] == protocol).count()
        };
        assert!(asked("simple") > 0 && asked("extended") > 0, "{name} was not asked in both protocols");
    }
    let wrong: Vec<String> = answers
        .iter()
        .filter(|answer| !answer["problem"].is_null())
        .map(|answer| {
            let (tool, number, protocol) = (&answer["tool"], &answer["number"], &answer["protocol"]);
            format!("{tool} {number} {protocol}: {}\n    {}", answer["problem"], answer["sql"])
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} answers are wrong:\n{}", wrong.len(), answers.len(), wrong.join("\n"));
}
