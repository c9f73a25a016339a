//! What is published can be checked by others with their own tools, and no byte of it can be changed quietly.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gongkai_tests::{gongkai, root, skip, up_once};
use gongkai_warehouse::store::LocalStore;
use gongkai_warehouse::verify::Trust;
use serde_json::Value;

const HEADER: &str = "date,hour,城市,AQI,PM2.5,CO\n";

/// A warehouse with three publications; gives the checkpoint that a client kept after the second.
fn published(folder: &Path) -> (PathBuf, String) {
    let (inbox, data) = (folder.join("inbox"), folder.join("data"));
    fs::create_dir_all(&inbox).expect("creates");
    let mut kept = String::new();
    for (day, value) in [("20190301", "20.0"), ("20190401", "30.0"), ("20190302", "40.0")] {
        let text = format!("{HEADER}{day},1,攀枝花,50.0,{value},0.8\n");
        fs::write(inbox.join(format!("{day}.csv")), text).expect("writes");
        let output = up_once(&data, Some(&inbox));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        if day == "20190401" {
            kept = fs::read_to_string(data.join("log/checkpoint")).expect("a checkpoint");
        }
    }
    (data, kept)
}

fn verify(data: &Path, more: &[&str]) -> Value {
    let output = gongkai(data).args(["verify", "--format", "json", "--data"]).arg(data).args(more).output();
    let output = output.expect("starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let found: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    let is_whole = found[0]["harms"] == serde_json::json!([]);
    assert_eq!(output.status.code(), Some(i32::from(!is_whole)), "{found}");
    found[0].clone()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn one_changed_byte_anywhere_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, _) = published(folder.path());
    assert_eq!(verify(&data, &[])["harms"], serde_json::json!([]));
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let harms = || -> Vec<String> {
        let store = LocalStore::open(&data).expect("opens");
        let found = runtime.block_on(gongkai_warehouse::verify::verify(&store, &Trust::default())).expect("verifies");
        found.harms.into_iter().map(|harm| harm.path).collect()
    };
    let mut paths = vec![data.join("current.json")];
    for part in ["log", "releases", "sources", "state/index"] {
        paths.extend(files(&data.join(part)));
    }
    assert!(paths.len() > 30, "{paths:?}");
    let checkpoint = fs::read_to_string(data.join("log/checkpoint")).expect("a checkpoint");
    let size = checkpoint.lines().nth(1).expect("a size").to_owned();
    for path in paths {
        let bytes = fs::read(&path).expect("reads");
        let shown = path.strip_prefix(&data).expect("below").display().to_string();
        // The first, the last and some between, each by one bit.
        let last = bytes.len() - 1;
        for at in [0, last / 7, last / 3, last / 2, last * 5 / 6, last] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(&path, &changed).expect("writes");
            let named = harms();
            assert!(named.contains(&shown), "{shown} at {at}: {named:?}");
        }
        fs::remove_file(&path).expect("removes");
        // Unfinished tiles of earlier sizes may go; what they held stands in the later ones.
        let is_needed = (!shown.contains(".p/") || shown.ends_with(&format!(".p/{size}")))
            && (!shown.starts_with("state/index/") || shown.ends_with("3.json"));
        assert!(!is_needed || !harms().is_empty(), "{shown} is missing");
        fs::write(&path, &bytes).expect("writes");
    }
    assert_eq!(verify(&data, &[])["harms"], serde_json::json!([]));
}

#[test]
fn who_kept_a_checkpoint_sees_a_log_that_was_rolled_back_or_written_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, kept) = published(folder.path());
    let file = folder.path().join("kept");
    fs::write(&file, &kept).expect("writes");
    let kept_path = file.display().to_string();
    assert_eq!(verify(&data, &["--checkpoint", &kept_path])["harms"], serde_json::json!([]));

    // The same key, other history: a warehouse of the same releases in another order, and one of fewer.
    let other = folder.path().join("other");
    let (inbox, rolled, anew) = (other.join("inbox"), other.join("rolled"), other.join("anew"));
    fs::create_dir_all(&inbox).expect("creates");
    fs::write(inbox.join("20190301.csv"), format!("{HEADER}20190301,1,攀枝花,50.0,20.0,0.8\n")).expect("writes");
    assert!(up_once(&rolled, Some(&inbox)).status.success());
    let found = verify(&rolled, &["--checkpoint", &kept_path]);
    assert!(found["harms"].to_string().contains("rolled back"), "{found}");
    for (day, value) in [("20190401", "30.0"), ("20190301", "21.0"), ("20190302", "40.0")] {
        fs::write(inbox.join("20190301.csv"), format!("{HEADER}{day},1,攀枝花,50.0,{value},0.8\n")).expect("writes");
        assert!(up_once(&anew, Some(&inbox)).status.success());
    }
    assert_eq!(verify(&anew, &[])["harms"], serde_json::json!([]), "by itself it is in order");
    let found = verify(&anew, &["--checkpoint", &kept_path]);
    assert!(found["harms"].to_string().contains("history was changed"), "{found}");
}

#[test]
fn the_key_that_a_client_knows_must_be_one_of_the_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, _) = published(folder.path());
    let found = verify(&data, &[]);
    let key = found["key"].as_str().expect("a key").to_owned();
    let trusted = verify(&data, &["--key", &key]);
    assert_eq!((trusted["harms"].clone(), trusted["is_key_given"].clone()), (serde_json::json!([]), true.into()));

    let run = |data: &Path, args: &[&str]| {
        let mut command = gongkai(data);
        command.env("GONGKAI_KEYS", folder.path().join("keys")).args(args).arg("--data").arg(data);
        let output = command.output().expect("starts");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    // Another log of the same figures, with a key of its own.
    let other = folder.path().join("other");
    let inbox = folder.path().join("inbox");
    run(&other, &["up", "--once", "--inbox", &inbox.display().to_string()]);
    let found = verify(&other, &["--key", &key]);
    assert!(found["harms"].to_string().contains("never signed this log"), "{found}");

    // The key changes hands: the old one is still a key of the log, and its signatures still hold.
    let first = verify(&other, &[])["key"].as_str().expect("a key").to_owned();
    run(&other, &["signing-key", "rotate"]);
    let after = verify(&other, &["--key", &first]);
    assert_eq!(after["harms"], serde_json::json!([]), "{after}");
    assert_ne!(after["key"], first.as_str());
    let base64 = run(&other, &["signing-key", "show"]);
    let base64 = base64.lines().find_map(|line| line.strip_prefix("base64:")).expect("a key").trim().to_owned();
    run(
        &other,
        &["signing-key", "revoke", &base64, "--reason", "the disk was stolen", "--since", "2026-06-01T00:00:01Z"],
    );
    assert!(run(&other, &["signing-key", "show"]).contains("not to be believed since"));
    assert_eq!(verify(&other, &["--key", &first])["harms"], serde_json::json!([]));
    // Signed since then, its releases are believed by nobody.
    run(&other, &["signing-key", "revoke", &base64, "--reason", "it was before", "--since", "2026-06-01T00:00:00Z"]);
    let found = verify(&other, &["--key", &first]);
    assert!(found["harms"].to_string().contains("not to be believed"), "{found}");
    // Somebody without the key cannot go on.
    fs::write(inbox.join("20190303.csv"), format!("{HEADER}20190303,1,攀枝花,50.0,1.0,0.8\n")).expect("writes");
    let refused = up_once(&other, Some(&inbox));
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--keys"));
}

fn has(tool: &str, argument: &str) -> bool {
    Command::new(tool).arg(argument).output().is_ok()
}

/// Runs a tool in a folder; whether it accepts, and what it says.
fn accepts(folder: &Path, tool: &str, args: &[&str]) -> (bool, String) {
    let output = Command::new(tool).current_dir(folder).args(args).output().expect("starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

#[test]
fn openssl_minisign_sha256sum_and_plain_python_accept_a_release_and_refuse_a_changed_one() {
    for (tool, argument) in [("openssl", "version"), ("minisign", "-v"), ("sha256sum", "--version"), ("python3", "-V")]
    {
        if !has(tool, argument) {
            return skip("signatures by other tools", &format!("{tool} is not installed"));
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, _) = published(folder.path());
    let shown = gongkai(&data).args(["signing-key", "show", "--data"]).arg(&data).output().expect("starts");
    let shown = String::from_utf8(shown.stdout).expect("text");
    let line = |name: &str| shown.lines().find_map(|line| line.strip_prefix(name)).expect("a line").trim().to_owned();
    let (note, minisign) = (line("note:"), line("minisign:"));
    let pem = &shown[shown.find("-----BEGIN").expect("a key")..];
    let release = data.join("releases/air_city_hourly/1");
    fs::write(folder.path().join("publisher.pem"), pem).expect("writes");
    let verifier = root().join("verifier/gongkai_verify.py").display().to_string();
    let log = data.join("log").display().to_string();
    let release_path = release.display().to_string();
    let tools: [(&str, Vec<&str>); 4] = [
        (
            "openssl",
            vec![
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                "../../../../publisher.pem",
                "-rawin",
                "-in",
                "manifest.json",
                "-sigfile",
                "manifest.json.sig",
            ],
        ),
        ("minisign", vec!["-V", "-m", "manifest.json", "-P", &minisign]),
        ("sha256sum", vec!["-c", "SHA256SUMS"]),
        ("python3", vec![&verifier, "release", &release_path, "--log", &log, "--key", &note]),
    ];
    for (tool, args) in &tools {
        let (is_accepted, said) = accepts(&release, tool, args);
        assert!(is_accepted, "{tool}: {said}");
    }
    let (is_accepted, said) = accepts(&release, "python3", &[&verifier, "log", &log, "--key", &note]);
    assert!(is_accepted, "{said}");
    let manifest = release.join("manifest.json");
    let bytes = fs::read_to_string(&manifest).expect("reads");
    fs::write(&manifest, bytes.replacen("released", "releasee", 1)).expect("writes");
    for (tool, args) in &tools {
        let (is_accepted, said) = accepts(&release, tool, args);
        assert!(!is_accepted, "{tool}: {said}");
    }
    fs::write(&manifest, bytes).expect("writes");
}

#[test]
fn a_bundle_is_checked_without_the_warehouse() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, _) = published(folder.path());
    let file = folder.path().join("release.zip");
    let bundle = || {
        let made = gongkai(&data).args(["export", "air_city_hourly.1", "--bundle", "--data"]).arg(&data).output();
        let made = made.expect("starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        made.stdout
    };
    let bytes = bundle();
    assert!(bytes == bundle(), "the same release gives the same bundle");
    let check = |bytes: &[u8], more: &[&str]| {
        fs::write(&file, bytes).expect("writes");
        let elsewhere = folder.path().join("nothing");
        let output = gongkai(&elsewhere).arg("verify").arg(&file).args(more).arg("--data").arg(&elsewhere).output();
        let output = output.expect("starts");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let key = verify(&data, &[])["key"].as_str().expect("a key").to_owned();
    for more in [&[][..], &["--key", &key]] {
        let (is_whole, said) = check(&bytes, more);
        assert!(is_whole && said.contains("in the log"), "{said}");
    }
    let other = "gongkai.invalid/00000000+";
    assert!(!check(&bytes, &["--key", other]).0);
    // A figure changed, with its digests left as they are: stored files are found in the archive as they stand.
    let at = bytes.windows(7).position(|window| window == b"20.0000").expect("the figure");
    let mut changed = bytes.clone();
    changed[at] = b'3';
    let (is_whole, said) = check(&changed, &[]);
    assert!(!is_whole, "{said}");
}

#[test]
fn the_same_inputs_give_the_same_bytes_in_another_place_time_zone_and_language() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, _) = published(folder.path());
    let expected = gongkai_tests::state(&data);
    let other = folder.path().join("elsewhere/data");
    fs::create_dir_all(other.parent().expect("a folder")).expect("creates");
    for (day, _) in [("20190301", ""), ("20190401", ""), ("20190302", "")] {
        let inbox = folder.path().join(format!("elsewhere/{day}"));
        fs::create_dir_all(&inbox).expect("creates");
        for known in ["20190301", "20190401", "20190302"] {
            fs::copy(folder.path().join(format!("inbox/{known}.csv")), inbox.join(format!("{known}.csv")))
                .expect("copies");
            if known == day {
                break;
            }
        }
        let output = gongkai(&other)
            .env("TZ", "America/St_Johns")
            .env("LANG", "tr_TR.UTF-8")
            .env("LC_ALL", "tr_TR.UTF-8")
            .args(["up", "--once", "--inbox"])
            .arg(&inbox)
            .arg("--data")
            .arg(&other)
            .output()
            .expect("starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(gongkai_tests::state(&other), expected);
}
