//! What the inbox held and what was set aside, for the operator and for those who publish, and for nobody else.

use std::path::Path;

use gongkai_tests::{Served, access_key, gongkai, sql, up_once, value};
use serde_json::{Value, json};

use crate::client::{Answer, Client};

const HEADER: &str = "date,hour,城市,AQI,PM2.5,CO\n";

fn rows(data: &Path, query: &str) -> Vec<String> {
    let text = String::from_utf8(sql(data, "csv", query)).expect("text");
    text.lines().skip(1).map(str::to_owned).collect()
}

fn inbox(folder: &Path) -> std::path::PathBuf {
    let inbox = folder.join("inbox");
    std::fs::create_dir_all(&inbox).expect("creates");
    let write = |name: &str, text: &str| std::fs::write(inbox.join(name), text).expect("writes");
    write("good.csv", &format!("{HEADER}20190301,1,攀枝花,50.0,20.0,0.8\n20190301,2,攀枝花,50.0,21.0,0.8\n"));
    write("letter.csv", &format!("{HEADER}20190302,1,攀枝花,50.0,2O.0,0.8\n"));
    write("strange.csv", "a,b\n1,2\n");
    write("empty.csv", "");
    inbox
}

#[test]
fn every_file_and_everything_set_aside_can_be_asked_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (inbox(folder.path()), folder.path().join("data"));
    up_once(&data, Some(&inbox));
    let files = rows(
        &data,
        "SELECT path, format, encoding, feed, status, records_in, records_kept, records_set_aside, cells_set_aside \
         FROM staging.source_file ORDER BY path",
    );
    assert_eq!(
        files,
        [
            "empty.csv,,,,damaged,0,0,0,0",
            "good.csv,csv,utf-8,air_city_hourly,matched,2,2,0,0",
            "letter.csv,csv,utf-8,air_city_hourly,matched,1,1,0,1",
            "strange.csv,csv,,,unmatched,0,0,0,0",
        ]
    );
    // The field begins after `20190302,1,攀枝花,50.0,`, which is 20 characters long.
    let aside = "SELECT path, kind, source_cell, source_row, column_header, reason, raw_text FROM staging.set_aside";
    assert_eq!(rows(&data, aside), ["letter.csv,cell,2:21,2,PM2.5,not_a_number,2O.0"]);
    let listed = "SELECT count(*) FROM catalog.table WHERE schema_name = 'staging'";
    assert_eq!(value(&data, listed), "2");
}

#[test]
fn over_http_the_schema_exists_for_those_who_publish() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (inbox(folder.path()), folder.path().join("data"));
    up_once(&data, Some(&inbox));
    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let [publisher, approver, admin, reader] =
        ["publisher", "approver", "admin", "reader"].map(|role| access_key(&data, role, role));
    let ask = |key: &str, query: &str| client.post_json("/api/v1/sql", key, &json!({ "sql": query }));
    let without_name = |answer: &Answer, name: &str| {
        let mut text = answer.json().to_string().replace(name, "TABLE");
        // The number of the request differs between any two.
        if let Some(id) = answer.json()["request_id"].as_str() {
            text = text.replace(id, "REQUEST");
        }
        (answer.status, text)
    };
    let files = "SELECT path FROM staging.source_file ORDER BY path";
    let listed = "SELECT count(*) AS n FROM catalog.table WHERE schema_name = 'staging'";
    // Those who see it ask before those who do not, and between them.
    for key in [&publisher, &approver, &admin] {
        let answer = ask(key, files);
        let rows = json!([["empty.csv"], ["good.csv"], ["letter.csv"], ["strange.csv"]]);
        assert_eq!((answer.status, &answer.json()["rows"], answer.header("etag")), (200, &rows, ""));
        let aside = ask(key, "SELECT raw_text FROM staging.set_aside").json();
        assert_eq!(aside["rows"], json!([["2O.0"]]));
        assert_eq!(ask(key, listed).json()["rows"], json!([[2]]));
        for other in [reader.as_str(), ""] {
            let hidden = without_name(&ask(other, files), "staging.source_file");
            let absent =
                without_name(&ask(other, "SELECT path FROM nothing.at_all_of ORDER BY path"), "nothing.at_all_of");
            assert_eq!(hidden, absent);
            assert_eq!(hidden.0, 404);
            assert_eq!(ask(other, listed).json()["rows"], json!([[0]]));
        }
    }
    // What can be cited can be cited by everybody.
    let cited = client.post_json("/api/v1/queries", &publisher, &json!({ "sql": files }));
    assert_eq!(cited.problem(), (404, "table_not_found".to_owned()));
    // It is no state of the releases: the next answer tells of what came in between.
    std::fs::write(inbox.join("later.csv"), "a,b\n1,2\n3,4\n").expect("writes");
    let ingested =
        gongkai(&data).args(["ingest", "--inbox"]).arg(&inbox).arg("--data").arg(&data).output().expect("starts");
    assert!(!String::from_utf8_lossy(&ingested.stdout).is_empty());
    let later = "SELECT count(*) AS n FROM staging.source_file";
    assert_eq!(ask(&publisher, later).json()["rows"], json!([[5]]));
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn a_file_that_no_feed_reads_is_not_parsed_again_until_declarations_change() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (inbox(folder.path()), folder.path().join("data"));
    up_once(&data, Some(&inbox));
    // No worker lives in so little memory: whatever were parsed would be reported as damaged.
    let mut command = gongkai(&data);
    command.args(["ingest", "--format", "json", "--inbox"]).arg(&inbox).arg("--data").arg(&data);
    command.env("GONGKAI_INGEST_WORKER_BYTES", "1000000");
    let output = command.output().expect("starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    let outcomes: Vec<&str> = report["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file["outcome"].as_str().expect("an outcome"))
        .collect();
    assert_eq!(outcomes, ["damaged", "known", "known", "unmatched"]);

    // Under other declarations each file is read again.
    let definitions = folder.path().join("definitions");
    assert!(gongkai(&data).arg("definitions").arg(&definitions).output().expect("starts").status.success());
    let feed = definitions.join("feeds/environment_monitoring/air_city_hourly.toml");
    let text = std::fs::read_to_string(&feed).expect("reads");
    std::fs::write(&feed, format!("# Another comment.\n{text}")).expect("writes");
    let mut command = gongkai(&data);
    command.args(["ingest", "--format", "json", "--inbox"]).arg(&inbox).arg("--data").arg(&data);
    let output = command.arg("--definitions").arg(&definitions).output().expect("starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    assert_eq!(report["files"][1]["outcome"], "read", "{report}");
}
