//! Personal data in a department's file keeps its rows back, and is never shown. The numbers are the standards' examples.

use std::path::Path;

use gongkai_tests::{gongkai, up_once, value};
use serde_json::Value;

const HEADER: &str = "行政区划代码,县域名称,所属地域,所属省份,所属城市,摘帽时间";
const IDENTITY: &str = "440524188001010014";
const CARD: &str = "6217003610000000007";
const MOBILE: &str = "13800138000";

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("writes");
}

/// Every file below a folder whose bytes hold one of the values, without the sources as they came.
fn files_that_hold(folder: &Path, values: &[&str]) -> Vec<String> {
    let mut holding = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "sources") {
                holding.extend(files_that_hold(&path, values));
            }
            continue;
        }
        let bytes = std::fs::read(&path).expect("reads");
        if values.iter().any(|value| bytes.windows(value.len()).any(|window| window == value.as_bytes())) {
            holding.push(path.display().to_string());
        }
    }
    holding
}

#[test]
fn a_file_with_personal_data_is_held_until_it_is_mended() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    let clean = "513431.0,昭觉县,西部,四川省,凉山彝族自治州,2020.0";
    write(&inbox, "clean.csv", &format!("{HEADER}\n{clean}\n"));
    let remark = format!("户主 张三丰 {IDENTITY} {CARD} {MOBILE} 举报电话12317");
    let county = "513432.0,喜德县,西部,四川省,凉山彝族自治州,2020.0";
    write(&inbox, "county.csv", &format!("{HEADER},备注\n{county},{remark}\n"));

    let output = up_once(&data, Some(&inbox));
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    let held = report["ingest"]["files"].as_array().expect("files").iter().find(|file| file["path"] == "county.csv");
    let held = held.expect("the file is reported");
    assert_eq!(held["outcome"], "held", "{held}");
    let kinds: Vec<&str> =
        held["personal"].as_array().expect("findings").iter().flat_map(|f| f["kind"].as_str()).collect();
    assert_eq!(kinds, ["identity", "account", "mobile"]);
    assert_eq!(value(&data, "SELECT count(*) FROM poverty_county"), "1");

    // Kept as it came, and nowhere else: not in tables, releases, state, or what was printed.
    let sha256 = held["sha256"].as_str().expect("a digest");
    assert!(data.join("sources").join(&sha256[..2]).join(sha256).exists());
    let secrets = [IDENTITY, CARD, MOBILE, "张三丰"];
    assert_eq!(files_that_hold(&data, &secrets), Vec::<String>::new());
    for printed in [&output.stdout, &output.stderr] {
        let printed = String::from_utf8_lossy(printed);
        assert!(secrets.iter().all(|secret| !printed.contains(secret)), "{printed}");
    }

    // The next run says the same in words, with counts by kind.
    let again = gongkai(&data).args(["ingest", "--data"]).arg(&data).arg("--inbox").arg(&inbox).output().expect("runs");
    assert_eq!(again.status.code(), Some(1));
    let printed = String::from_utf8_lossy(&again.stdout).into_owned();
    // Lines are broken for a terminal.
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(printed.contains("county.csv: bank account (1), identity number (1), mobile number (1)"), "{printed}");
    assert!(secrets.iter().all(|secret| !printed.contains(secret)), "{printed}");

    write(&inbox, "county.csv", &format!("{HEADER},备注\n{county},举报电话12317\n"));
    let mended = up_once(&data, Some(&inbox));
    assert!(mended.status.success(), "{}", String::from_utf8_lossy(&mended.stdout));
    assert_eq!(value(&data, "SELECT count(*) FROM poverty_county"), "2");
}
