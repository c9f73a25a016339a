//! Killed among many publishers and readers; copied while publishing; synced in the right order.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use gongkai_tests::{Served, access_key, binary, gongkai, keys, skip, up_once, value};
use serde_json::Value;

use crate::client::Client;
use crate::faults::{next, seed};

const HEADER: &str = "date,hour,城市,AQI,PM2.5,CO\n";

/// The hour of a number: every publisher has its own.
fn air(number: u32) -> String {
    let (month, day, hour) = (number / 600 % 12 + 1, number / 24 % 25 + 1, number % 24);
    format!("{HEADER}2019{month:02}{day:02},{hour},攀枝花,50.0,{}.5,0.8\n", number % 90 + 1)
}

fn verified(data: &Path, more: &[&str]) -> (bool, String) {
    let output = gongkai(data).args(["verify", "--data"]).arg(data).args(more).output().expect("starts");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What clients saw: each release with the digest of its manifest.
#[derive(Default)]
struct History {
    acknowledged: BTreeMap<String, String>,
    seen: BTreeMap<String, String>,
}

fn remember(known: &mut BTreeMap<String, String>, release: &Value) {
    let text = |name: &str| release[name].as_str().unwrap_or_default().to_owned();
    if let Some(before) = known.insert(text("id"), text("manifest_sha256")) {
        assert_eq!(before, text("manifest_sha256"), "one number, two releases: {release}");
    }
}

/// Rounds of four publishers and eight readers, each ended by a kill at a random moment.
fn rounds(count: u32) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    fs::create_dir_all(&inbox).expect("creates");
    fs::write(inbox.join("first.csv"), air(0)).expect("writes");
    assert!(up_once(&data, Some(&inbox)).status.success());
    let key = access_key(&data, "publisher", "监测科");
    let given = seed();
    println!("seed {given} (GONGKAI_SEED repeats it)");
    let mut seed = given;
    let history = Mutex::new(History::default());
    let number = AtomicU32::new(1);
    let checkpoint = folder.path().join("kept");
    for round in 0..count {
        fs::copy(data.join("log/checkpoint"), &checkpoint).expect("copies");
        let served = Served::start(&data, &[]);
        let is_over = AtomicBool::new(false);
        let moment = Duration::from_millis(next(&mut seed) % 1500);
        let before = history.lock().expect("a history").acknowledged.len();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| publish(&served, &key, &number, &history, &is_over));
            }
            for _ in 0..8 {
                scope.spawn(|| read(&served, &history, &is_over));
            }
            // Every other round something was acknowledged before, whatever the machine's speed.
            for _ in 0..400 {
                if round % 2 == 0 || history.lock().expect("a history").acknowledged.len() > before {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            std::thread::sleep(moment);
            let killed = Command::new("kill").args(["-9", &served.pid().to_string()]).status();
            assert!(killed.is_ok_and(|status| status.success()));
            is_over.store(true, Ordering::SeqCst);
        });
        drop(served);
        let kept = checkpoint.display().to_string();
        // Doctor puts right what the kill left; then every byte must be what was published.
        let doctor = gongkai(&data).args(["doctor", "--data"]).arg(&data).output().expect("starts");
        assert!(doctor.status.success(), "round {round}: {}", String::from_utf8_lossy(&doctor.stdout));
        if round % 5 == 4 {
            let (is_whole, said) = verified(&data, &["--checkpoint", &kept]);
            assert!(is_whole, "round {round}: {said}");
        }
        let there = released(&data);
        let history = history.lock().expect("a history");
        for (id, digest) in history.acknowledged.iter().chain(&history.seen) {
            assert_eq!(there.get(id), Some(digest), "round {round}: {id} was told to somebody");
        }
    }
    let history = history.lock().expect("a history");
    println!("{count} rounds: {} releases acknowledged, {} seen", history.acknowledged.len(), history.seen.len());
    assert!(history.acknowledged.len() as u32 >= count / 2, "too few publications to tell anything");
    assert_eq!(value(&data, "SELECT count(DISTINCT obs_time) > 1 FROM air_hourly"), "true");
}

/// Releases that the pointer names, with the digests of their manifests.
fn released(data: &Path) -> BTreeMap<String, String> {
    let read =
        |path: &str| -> Value { serde_json::from_slice(&fs::read(data.join(path)).expect("reads")).expect("json") };
    let index = read(read("current.json")["index"].as_str().expect("a path"));
    let mut there = BTreeMap::new();
    for release in index["releases"].as_array().expect("releases") {
        let id = format!("{}.{}", release["dataset"].as_str().unwrap_or_default(), release["number"]);
        there.insert(id, release["manifest_sha256"].as_str().unwrap_or_default().to_owned());
    }
    there
}

fn publish(served: &Served, key: &str, number: &AtomicU32, history: &Mutex<History>, is_over: &AtomicBool) {
    let client = Client::of(served);
    let bearer = format!("Bearer {key}");
    while !is_over.load(Ordering::SeqCst) {
        let mine = number.fetch_add(1, Ordering::SeqCst);
        let path = format!("/api/v1/releases?name=n{mine}.csv");
        let answer = client.try_send(
            reqwest::Method::POST,
            &path,
            &[("authorization", bearer.as_str())],
            air(mine).into_bytes(),
        );
        let Ok(answer) = answer else { return };
        if answer.status == 201 {
            let answer = answer.json();
            let mut history = history.lock().expect("a history");
            for release in answer["releases"].as_array().expect("releases") {
                remember(&mut history.acknowledged, release);
            }
        }
    }
}

fn read(served: &Served, history: &Mutex<History>, is_over: &AtomicBool) {
    let client = Client::of(served);
    while !is_over.load(Ordering::SeqCst) {
        let answer =
            client.try_send(reqwest::Method::GET, "/api/v1/datasets/air_city_hourly/releases", &[], Vec::new());
        let Ok(answer) = answer else { return };
        assert_eq!(answer.status, 200);
        let answer = answer.json();
        let mut history = history.lock().expect("a history");
        for release in answer["releases"].as_array().expect("releases") {
            remember(&mut history.seen, release);
        }
        drop(history);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn killed_among_publishers_and_readers_nothing_that_was_told_is_lost() {
    rounds(20);
}

/// `cargo nextest run --workspace --run-ignored only -E 'test(killed_two_hundred_times)'`.
#[test]
#[ignore = "deep: a quarter of an hour"]
fn killed_two_hundred_times_nothing_that_was_told_is_lost() {
    rounds(200);
}

#[test]
fn a_copy_made_while_publishing_is_a_whole_warehouse_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data, copy) =
        (folder.path().join("inbox"), folder.path().join("data"), folder.path().join("second place"));
    fs::create_dir_all(&inbox).expect("creates");
    fs::write(inbox.join("first.csv"), air(0)).expect("writes");
    assert!(up_once(&data, Some(&inbox)).status.success());
    let key = access_key(&data, "publisher", "监测科");
    let run = |args: &[&str], data: &Path, more: &Path| {
        gongkai(data).args(args).arg(more).arg("--data").arg(data).output().expect("starts")
    };
    let served = Served::start(&data, &[]);
    let (number, history, is_over) = (AtomicU32::new(1), Mutex::new(History::default()), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| publish(&served, &key, &number, &history, &is_over));
        }
        std::thread::sleep(Duration::from_millis(500));
        // Twice: the second takes only what is new.
        for _ in 0..2 {
            let backup = run(&["backup"], &data, &copy);
            assert!(backup.status.success(), "{}", String::from_utf8_lossy(&backup.stdout));
        }
        is_over.store(true, Ordering::SeqCst);
    });
    assert_eq!(served.stop(), Some(0));
    assert!(!copy.join("keys").exists(), "the signing key is in no copy");
    // Killed in it and begun again, it comes out whole.
    let third = folder.path().join("third");
    let mut command = gongkai(&data);
    command.env("GONGKAI_FAULT", "backup.mid:kill:7").arg("backup").arg(&third).arg("--data").arg(&data);
    assert!(!command.status().expect("starts").success());
    assert!(run(&["backup"], &data, &third).status.success());
    let told = value(&copy, "SELECT count(*) FROM catalog.release").parse::<u64>().expect("a number");
    assert!(told >= 1);

    // Everything is gone, and comes back.
    let onto = run(&["restore"], &data, &copy);
    assert_eq!(onto.status.code(), Some(1), "never over a warehouse that is there");
    fs::remove_dir_all(&data).expect("removes");
    let mut command = gongkai(&data);
    command.env("GONGKAI_FAULT", "restore.mid:kill:9").arg("restore").arg(&copy).arg("--data").arg(&data);
    assert!(!command.status().expect("starts").success());
    let restored = run(&["restore"], &data, &copy);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stdout));
    assert_eq!(value(&data, "SELECT count(*) FROM catalog.release"), told.to_string());
    let (is_whole, said) = verified(&data, &[]);
    assert!(is_whole, "{said}");
    fs::write(inbox.join("more.csv"), air(400)).expect("writes");
    assert!(up_once(&data, Some(&inbox)).status.success(), "and publishing goes on");

    // Who kept a checkpoint from after the copy sees that the log is an old one.
    let kept = folder.path().join("kept");
    fs::copy(data.join("log/checkpoint"), &kept).expect("copies");
    fs::remove_dir_all(&data).expect("removes");
    assert!(run(&["restore"], &data, &copy).status.success());
    let (is_whole, said) = verified(&data, &["--checkpoint", &kept.display().to_string()]);
    assert!(!is_whole && said.contains("rolled back"), "{said}");
}

/// Names and syncs in the order of the system's calls.
#[test]
fn everything_is_on_disk_before_the_pointer_moves_and_the_pointer_before_the_answer() {
    if Command::new("strace").arg("-V").output().is_err() {
        return skip("the order of syncs", "strace is not installed");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data, trace) = (folder.path().join("inbox"), folder.path().join("data"), folder.path().join("trace"));
    fs::create_dir_all(&inbox).expect("creates");
    fs::write(inbox.join("first.csv"), air(0)).expect("writes");
    let status = Command::new("strace")
        .args(["-f", "-y", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat,write", "-o"])
        .arg(&trace)
        .arg(binary())
        .args(["up", "--once", "--inbox"])
        .arg(&inbox)
        .arg("--data")
        .arg(&data)
        .current_dir(folder.path())
        .env("GONGKAI_NOW", gongkai_tests::NOW)
        .env("GONGKAI_KEYS", keys())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .output()
        .expect("starts");
    if !status.status.success() {
        let said = fs::read_to_string(&trace).unwrap_or_default();
        if said.is_empty() {
            return skip("the order of syncs", "strace may not trace here");
        }
        panic!("{}", String::from_utf8_lossy(&status.stdout));
    }
    let lines: Vec<String> = fs::read_to_string(&trace).expect("a trace").lines().map(str::to_owned).collect();
    let place = |what: &str, is: &dyn Fn(&str) -> bool| {
        lines.iter().rposition(|line| is(line)).unwrap_or_else(|| panic!("no {what} in the trace"))
    };
    let pointer = place("rename of the pointer", &|line| line.contains("rename") && line.contains("/current.json\""));
    let synced = |part: &'static str| {
        move |line: &str| (line.contains("fsync(") || line.contains("fdatasync(")) && line.contains(part)
    };
    // Where a file gets its name, its bytes are synced; every folder of what the pointer names before the pointer.
    for part in ["/tables/air_hourly/", "/_delta_log/", "/releases/air_city_hourly/1", "/log/tile/", "/state/index/"] {
        let at = lines.iter().position(|line| synced(part)(line)).unwrap_or_else(|| panic!("{part} is never synced"));
        assert!(at < pointer, "{part} is synced after the pointer moved");
    }
    let staged = place("sync of the pointer", &|line| synced("/current.json#")(line));
    assert!(staged < pointer);
    let root = data.display().to_string();
    let folder_of_pointer =
        lines[pointer..].iter().any(|line| line.contains("fsync(") && line.contains(&format!("<{root}>")));
    assert!(folder_of_pointer, "the folder of the pointer is synced after the rename");
    for (at, line) in lines.iter().enumerate() {
        // A part of a release that is named after the pointer would be one that the pointer names too early.
        let is_named = line.contains("link") && line.contains("/releases/");
        assert!(!is_named || at < pointer, "{line}");
    }
    let answer = lines.iter().position(|line| line.contains("write(1<") && line.contains("new releases"));
    assert!(answer.is_some_and(|answer| answer > pointer), "the answer comes after the pointer");
}
