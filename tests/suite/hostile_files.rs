//! Hostile files in an inbox: names made to confuse, the same content again, and bombs among good files.
//!
//! What single hostile files are answered is tested where they are read, in `ingest/tests/hostile_files.rs`.

use std::io::Write;
use std::path::Path;

use gongkai_tests::{outcomes, up_once, value};
use serde_json::Value;

const HEADER: &str = "date,hour,城市,AQI,PM2.5,CO\n";

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).expect("writes");
}

/// One hour of one day; the day tells the files apart.
fn good(day: usize) -> Vec<u8> {
    format!("{HEADER}201903{:02},1,攀枝花,50.0,{}.0,0.8\n", day + 1, 20 + day).into_bytes()
}

#[test]
fn names_made_to_confuse_are_names_like_others() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    let long = format!("{}.csv", "长".repeat(83));
    let names = [
        "..csv",
        long.as_str(),
        "two\nlines.csv",
        "\u{202E}vsc.csv",
        "😀.csv",
        "CON",
        "-n.csv",
        "a;rm -rf .csv",
        "<img src=x onerror=alert(1)>.csv",
        // One name in two spellings: é as one sign, and as e with an accent.
        "\u{E9}.csv",
        "e\u{301}.csv",
    ];
    for (day, name) in names.iter().enumerate() {
        write(&inbox, name, &good(day));
    }
    let output = up_once(&data, Some(&inbox));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    for name in names {
        assert!(outcomes(&report).contains(&(name.to_owned(), "read".into())), "{name:?}: {:?}", outcomes(&report));
    }
    assert_eq!(value(&data, "SELECT count(*) FROM air_hourly WHERE measure = 'PM25'"), names.len().to_string());
}

#[test]
fn the_same_rows_again_change_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    let rows = ["20190301,1,攀枝花,50.0,20.0,0.8\n", "20190301,2,攀枝花,60.0,30.0,0.9\n"];
    write(&inbox, "a.csv", format!("{HEADER}{}{}", rows[0], rows[1]).as_bytes());
    assert!(up_once(&data, Some(&inbox)).status.success());
    let releases = |output: &std::process::Output| {
        let report: Value = serde_json::from_slice(&output.stdout).expect("json");
        report["releases"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(releases(&up_once(&data, Some(&inbox))), 0, "the same bytes");
    write(&inbox, "b.csv", format!("{HEADER}{}{}", rows[1], rows[0]).as_bytes());
    let output = up_once(&data, Some(&inbox));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(value(&data, "SELECT count(*) FROM air_hourly WHERE measure = 'PM25'"), "2");
}

#[test]
fn bombs_among_good_files_cost_themselves_only() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    for day in 0..20 {
        write(&inbox, &format!("good_{day:02}.csv"), &good(day));
    }
    let span = "<td rowspan=65534 colspan=1000>1".repeat(1_000);
    let mut quote = b"a,b\n1,\"2\n".to_vec();
    quote.extend(b"3,4\n".repeat(1 << 20));
    let bombs: [(&str, Vec<u8>); 5] = [
        ("bomb_depth.json", "[".repeat(100_000).into_bytes()),
        ("bomb_spans.html", format!("<table><tr>{span}</table>").into_bytes()),
        ("bomb_quote.csv", quote),
        ("bomb_tables.html", "<table><tr><td>".repeat(5_000).into_bytes()),
        ("bomb_line.txt", vec![b'a'; 2 << 20]),
    ];
    for (name, bytes) in &bombs {
        std::fs::File::create(inbox.join(name)).and_then(|mut file| file.write_all(bytes)).expect("writes");
    }
    let output = up_once(&data, Some(&inbox));
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    let outcomes = outcomes(&report);
    assert_eq!(outcomes.iter().filter(|(_, outcome)| outcome == "read").count(), 20, "{outcomes:?}");
    for (name, _) in &bombs {
        assert!(outcomes.contains(&((*name).to_owned(), "damaged".into())), "{name}: {outcomes:?}");
    }
    assert_eq!(value(&data, "SELECT count(*) FROM air_hourly WHERE measure = 'PM25'"), "20");
}
