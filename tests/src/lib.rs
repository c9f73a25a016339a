//! What the suites share: where things are, a warehouse of the samples, a served instance, scripts in Python.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Instant at which tests stop the clock.
pub const NOW: &str = "2026-06-01T00:00:00Z";

/// Root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The `gongkai` binary of this build: it lies two folders above the test binary.
pub fn binary() -> PathBuf {
    let path = std::env::current_exe()
        .ok()
        .and_then(|test| Some(test.parent()?.parent()?.join("gongkai")))
        .unwrap_or_default();
    assert!(path.exists(), "{} is missing; build it with `cargo build --workspace`", path.display());
    path
}

/// Files of the departments, where they are there; says so where they are not.
pub fn real_data(test: &str) -> Option<PathBuf> {
    let path = std::env::var_os("GONGKAI_REAL_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    skip(test, "the departments' files are not there (GONGKAI_REAL_DATA)");
    None
}

/// Records that a test could not run here; the test command prints these.
pub fn skip(test: &str, reason: &str) {
    println!("skipped: {test}: {reason}");
    if let Some(path) = std::env::var_os("GONGKAI_SKIPPED") {
        use std::io::Write;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| writeln!(file, "skipped: {test}: {reason}"));
        if let Err(error) = written {
            println!("the list of skipped tests cannot be written: {error}");
        }
    }
}

/// The Python of the tests, into which `tests/run` puts every package of `tests/requirements.txt`; says so where there is none.
///
/// A module that it lacks is a failure, and no reason to leave the test out.
pub fn python(test: &str, modules: &str) -> Option<OsString> {
    let Some(python) = std::env::var_os("GONGKAI_PYTHON") else {
        skip(test, "no Python environment (GONGKAI_PYTHON)");
        return None;
    };
    let imported = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    let imported = imported.unwrap_or_else(|error| panic!("GONGKAI_PYTHON does not start: {error}"));
    let said = String::from_utf8_lossy(&imported.stderr);
    if said.contains("No module named 'tomllib'") {
        skip(test, "Python is older than 3.11");
        return None;
    }
    assert!(imported.status.success(), "GONGKAI_PYTHON lacks packages of tests/requirements.txt: {said}");
    Some(python)
}

/// A script of `tests/clients`, to be given its arguments.
pub fn script(python: &OsStr, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(root().join("tests/clients").join(name)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Runs a script to its end; gives the lines of JSON that it prints, one at least.
pub fn json_lines(script: &mut Command) -> Vec<serde_json::Value> {
    let output = script.output().unwrap_or_else(|error| panic!("python does not start: {error}"));
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script:?} broke off: {printed}{said}");
    let read = |line: &str| -> serde_json::Value {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let lines: Vec<serde_json::Value> = printed.lines().map(read).collect();
    assert!(!lines.is_empty(), "{script:?} says nothing: {said}");
    lines
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(bytes))
}

/// The command with a stopped clock and no settings of the machine.
pub fn gongkai(data: &Path) -> Command {
    let mut command = Command::new(binary());
    command.current_dir(data.parent().unwrap_or(data)).env("GONGKAI_NOW", NOW).env_remove("GONGKAI_INBOX");
    command.env_remove("GONGKAI_DATA").env_remove("GONGKAI_DEFINITIONS").env_remove("GONGKAI_HTTP");
    command
        .env_remove("GONGKAI_PG")
        .env_remove("GONGKAI_FLIGHT")
        .env_remove("GONGKAI_OTLP")
        .env_remove("GONGKAI_TRUSTED_PROXIES");
    command.env_remove("GONGKAI_KEY_PASSWORD").env("GONGKAI_KEYS", keys());
    command.stdin(Stdio::null());
    command
}

/// The signing key of all tests: made by the first that needs it, so that the same inputs give the same bytes.
pub fn keys() -> PathBuf {
    binary().with_file_name("keys-of-tests")
}

/// An access key for a holder in a role.
pub fn access_key(data: &Path, role: &str, holder: &str) -> String {
    let made = gongkai(data)
        .args(["key", "create", "--role", role, "--holder", holder, "--format", "json", "--data"])
        .arg(data)
        .output()
        .unwrap_or_else(|error| panic!("gongkai does not start: {error}"));
    let made: serde_json::Value = serde_json::from_slice(&made.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&made.stderr)));
    made["token"].as_str().unwrap_or_default().to_owned()
}

/// Runs `gongkai up --once` over an inbox, or over the samples.
pub fn up_once(data: &Path, inbox: Option<&Path>) -> Output {
    let mut command = gongkai(data);
    command.args(["up", "--once", "--format", "json", "--data"]).arg(data);
    if let Some(inbox) = inbox {
        command.arg("--inbox").arg(inbox);
    }
    command.output().unwrap_or_else(|error| panic!("gongkai does not start: {error}"))
}

/// Releases what an inbox holds by now, at a time.
pub fn up_at(data: &Path, inbox: &Path, now: &str) {
    let mut command = gongkai(data);
    command.env("GONGKAI_NOW", now).args(["up", "--once", "--inbox"]).arg(inbox).arg("--data").arg(data);
    let output = command.output().unwrap_or_else(|error| panic!("gongkai does not start: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A temporary folder and in it the warehouse of the samples, as `data`.
pub fn samples() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    up_samples(&data);
    (folder, data)
}

/// Puts the warehouse that `gongkai up --once` makes of the samples at `data`. The first test that asks for it makes
/// it; the others get a copy, as long as the binary is the same.
pub fn up_samples(data: &Path) {
    let built = std::fs::metadata(binary()).and_then(|binary| binary.modified()).expect("the binary's time");
    let stamp = built.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos();
    let folder = binary().with_file_name("samples-of-tests");
    std::fs::create_dir_all(&folder).expect("creates");
    let lock = std::fs::File::create(folder.join("lock")).expect("creates");
    lock.lock().expect("locks");
    let made = folder.join(stamp.to_string());
    if !made.join("data").exists() {
        for entry in std::fs::read_dir(&folder).expect("reads").flatten().filter(|entry| entry.path().is_dir()) {
            std::fs::remove_dir_all(entry.path()).expect("removes");
        }
        // Under its name only when it is whole.
        let making = folder.join("making");
        std::fs::create_dir_all(&making).expect("creates");
        let output = up_once(&making.join("data"), None);
        assert!(
            output.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::rename(&making, &made).expect("renames");
    }
    copy(&made.join("data"), data);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("creates");
    for entry in std::fs::read_dir(from).expect("reads").flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copies");
        }
    }
}

/// Writes the samples of these paths, with what stands beside them, as an inbox.
pub fn some_samples(inbox: &Path, paths: &[&str]) {
    let whole = inbox.with_extension("whole");
    gongkai_ingest::write_samples(&whole).expect("writes");
    for path in paths {
        let (from, to) = (whole.join(path), inbox.join(path));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("creates");
        std::fs::copy(&from, &to).unwrap_or_else(|error| panic!("{path}: {error}"));
        let side = |path: &Path| gongkai_ingest::source::side_file_path(path);
        std::fs::copy(side(&from), side(&to)).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    std::fs::remove_dir_all(&whole).expect("removes");
}

/// Path and outcome of each file in the report of `gongkai up --format json`.
pub fn outcomes(report: &serde_json::Value) -> Vec<(String, String)> {
    let files = report["ingest"]["files"].as_array().expect("files");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    files.iter().map(|file| (text(&file["path"]), text(&file["outcome"]))).collect()
}

/// Runs a query with the command and gives what it prints.
pub fn sql(data: &Path, format: &str, query: &str) -> Vec<u8> {
    let output = gongkai(data).args(["sql", "--format", format, "--data"]).arg(data).arg(query).output();
    let output = output.unwrap_or_else(|error| panic!("gongkai does not start: {error}"));
    assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The one value that a query answers, as CSV prints it.
pub fn value(data: &Path, query: &str) -> String {
    let text = String::from_utf8(sql(data, "csv", query)).unwrap_or_default();
    let mut lines = text.lines().skip(1);
    let value = lines.next().unwrap_or_default().to_owned();
    assert_eq!(lines.next(), None, "{query} answered more than one row:\n{text}");
    value
}

/// Digests of everything that must come out the same: sources, releases, log, and the rows of the tables.
pub fn state(data: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for folder in ["sources", "releases", "log", "state/ingest"] {
        collect_digests(data, &data.join(folder), &mut lines);
    }
    lines.sort();
    lines
}

fn collect_digests(root: &Path, folder: &Path, lines: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect_digests(root, &path, lines);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            lines.push(format!("{shown} {}", sha256(&bytes)));
        }
    }
}

/// A served instance; it ends with the value.
pub struct Served {
    child: Child,
    /// `http://127.0.0.1:port`
    pub base: String,
    /// `postgresql://127.0.0.1:port`, where that door was asked for.
    pub pg: Option<String>,
    /// `grpc://127.0.0.1:port`, where that door was asked for.
    pub flight: Option<String>,
}

/// Settings of a served instance with every door, each on a free port.
pub const EVERY_DOOR: [(&str, &str); 2] = [("GONGKAI_PG", "127.0.0.1:0"), ("GONGKAI_FLIGHT", "127.0.0.1:0")];

impl Served {
    /// Serves a warehouse on a free port and waits until it is ready.
    pub fn start(data: &Path, settings: &[(&str, &str)]) -> Self {
        Self::start_with(data, settings, Stdio::null()).unwrap_or_else(|line| panic!("no address in {line:?}"))
    }

    /// The same, with what the server says of itself in a file; none where it does not come up.
    pub fn start_with_log(data: &Path, settings: &[(&str, &str)], log: &Path) -> Option<Self> {
        let log = std::fs::File::create(log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        Self::start_with(data, settings, Stdio::from(log)).ok()
    }

    fn start_with(data: &Path, settings: &[(&str, &str)], errors: Stdio) -> Result<Self, String> {
        use std::io::{BufRead, BufReader};
        let mut command = gongkai(data);
        command.args(["serve", "--data"]).arg(data).env("GONGKAI_HTTP", "127.0.0.1:0");
        command.envs(settings.iter().copied()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("gongkai does not start: {error}"));
        let output = child.stdout.take().map(BufReader::new);
        let (mut pg, mut flight, mut said) = (None, None, String::new());
        // The line of HTTP comes last.
        for line in output.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            let address = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
            if address.starts_with("http://") {
                return Ok(Self { child, base: address, pg, flight });
            }
            if address.starts_with("postgresql://") {
                pg = Some(address);
            } else if address.starts_with("grpc://") {
                flight = Some(address);
            } else {
                said = line;
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(said)
    }

    /// Address of the door for PostgreSQL without its scheme; empty without that door.
    pub fn pg_address(&self) -> &str {
        without_scheme(self.pg.as_deref())
    }

    /// Address of the door for Arrow Flight SQL without its scheme; empty without that door.
    pub fn flight_address(&self) -> &str {
        without_scheme(self.flight.as_deref())
    }

    /// Ends the server as a power cut would.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells the server to end and waits; gives its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let told = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(told.is_ok_and(|status| status.success()), "kill failed");
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

fn without_scheme(door: Option<&str>) -> &str {
    door.and_then(|door| door.split_once("://")).map_or("", |(_, address)| address)
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
