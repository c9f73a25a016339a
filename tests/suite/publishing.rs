//! Publishing with keys: two hands, corrections, withdrawals, and many at once.

use std::fs;
use std::path::{Path, PathBuf};

use gongkai_tests::{Served, access_key, gongkai, up_once, value};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

const HEADER: &str = "date,hour,城市,AQI,PM2.5,CO\n";
const REVIEWED: &str = "保密审查：办公室，依据《保密法》第二十九条，无涉密内容";

fn air(day: &str, value: &str) -> String {
    format!("{HEADER}{day},1,攀枝花,50.0,{value},0.8\n")
}

/// A warehouse with one release of hourly figures, and its folder.
fn warehouse(folder: &Path) -> PathBuf {
    let (inbox, data) = (folder.join("inbox"), folder.join("data"));
    fs::create_dir_all(&inbox).expect("creates");
    fs::write(inbox.join("a.csv"), air("20190301", "20.0")).expect("writes");
    let output = up_once(&data, Some(&inbox));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    data
}

fn settings(folder: &Path, text: &str) {
    fs::write(folder.join("gongkai.toml"), text).expect("writes");
}

fn delete(client: &Client, path: &str, key: &str) -> Answer {
    client.send(Method::DELETE, path, &[("authorization", &format!("Bearer {key}"))])
}

fn ids(answer: &Value) -> Vec<String> {
    let releases = answer["releases"].as_array().expect("releases");
    releases.iter().map(|release| release["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_release_goes_through_two_hands_and_the_manifest_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = warehouse(folder.path());
    settings(folder.path(), "[publishing]\nlocal_operator = false\noffice = \"攀枝花市生态环境局\"\n");
    let publisher = access_key(&data, "publisher", "监测科");
    let other_of_same = access_key(&data, "admin", "监测科");
    let approver = access_key(&data, "approver", "办公室");
    let served = Served::start(&data, &[]);
    let client = Client::of(&served);

    let body = air("20190302", "30.0");
    let one_act = client.post("/api/v1/releases?name=b.csv", &publisher, &[], body.as_bytes());
    assert_eq!(one_act.problem(), (409, "conflict".into()), "one person may not do it here");
    let nobody = client.post_json("/api/v1/drafts", "gk_00000000_x", &json!({}));
    assert_eq!(nobody.problem(), (401, "unauthorized".into()));
    let sent = client.post("/api/v1/drafts/files?name=b.csv", &publisher, &[], body.as_bytes());
    assert_eq!(sent.status, 201, "{}", sent.json());
    assert_eq!(value(&data, "SELECT count(*) FROM air_hourly WHERE measure = 'PM25'"), "1", "nothing is out yet");

    let new = json!({"dataset": "air_city_hourly", "reason": "二日的小时值"});
    let refused = client.post_json("/api/v1/drafts", &approver, &new);
    assert_eq!(refused.problem(), (403, "forbidden".into()));
    let made = client.post_json("/api/v1/drafts", &publisher, &new);
    assert_eq!(made.status, 201, "{}", made.json());
    let draft = made.json()["drafts"][0].clone();
    let id = draft["id"].as_str().expect("an id").to_owned();
    assert_eq!((&draft["state"], &draft["base"]), (&json!("drafted"), &json!("air_city_hourly.1")));
    let difference = client.send(
        Method::GET,
        &format!("/api/v1/drafts/{id}/difference"),
        &[("authorization", &format!("Bearer {approver}"))],
    );
    // Three measures of one hour are new, and nothing else.
    assert_eq!(difference.json()["added"].as_array().expect("rows").len(), 3, "{}", difference.json());

    let early = client.post_json(&format!("/api/v1/drafts/{id}/approve"), &approver, &json!({}));
    assert_eq!(early.problem(), (409, "conflict".into()));
    let empty = json!({"secrecy_review": " ", "privacy_review": "无"});
    let refused = client.post_json(&format!("/api/v1/drafts/{id}/submit"), &publisher, &empty);
    assert_eq!(refused.problem(), (400, "invalid_parameter".into()));
    let reviews = json!({"secrecy_review": REVIEWED, "privacy_review": "无个人信息"});
    let submitted = client.post_json(&format!("/api/v1/drafts/{id}/submit"), &publisher, &reviews);
    assert_eq!(submitted.json()["state"], "submitted");
    for key in [&publisher, &other_of_same] {
        let same = client.post_json(&format!("/api/v1/drafts/{id}/approve"), key, &json!({}));
        assert_eq!(same.problem(), (403, "same_person".into()));
    }
    let approved = client.post_json(&format!("/api/v1/drafts/{id}/approve"), &approver, &json!({}));
    assert_eq!((approved.status, &approved.json()["release"]), (200, &json!("air_city_hourly.2")));
    let again = client.post_json(&format!("/api/v1/drafts/{id}/approve"), &approver, &json!({}));
    assert_eq!(again.problem(), (409, "conflict".into()));

    let manifest = client.get("/api/v1/datasets/air_city_hourly/releases/2/files/manifest.json").json();
    assert_eq!(manifest["approval"]["mode"], "two_persons");
    assert_eq!(manifest["approval"]["secrecy_review"], REVIEWED);
    assert_eq!(manifest["approved_by"], "攀枝花市生态环境局");
    assert!(!manifest.to_string().contains("监测科"), "no person or section in a manifest: {manifest}");
    assert_eq!(client.get("/api/v1/drafts").problem(), (401, "unauthorized".into()));

    // What moved since a draft was made is not released by it.
    let third = client.post("/api/v1/drafts/files?name=c.csv", &publisher, &[], air("20190303", "1.0").as_bytes());
    assert_eq!(third.status, 201);
    let made = client.post_json("/api/v1/drafts", &publisher, &new).json();
    let stale = made["drafts"][0]["id"].as_str().expect("an id").to_owned();
    client.post_json(&format!("/api/v1/drafts/{stale}/submit"), &publisher, &reviews);
    let fourth = client.post("/api/v1/drafts/files?name=d.csv", &publisher, &[], air("20190304", "2.0").as_bytes());
    assert_eq!(fourth.status, 201);
    let moved = client.post_json(&format!("/api/v1/drafts/{stale}/approve"), &approver, &json!({}));
    assert_eq!(moved.problem(), (409, "conflict".into()), "{}", moved.json());
    let rejected = client.post_json(&format!("/api/v1/drafts/{stale}/reject"), &approver, &json!({"reason": "旧"}));
    assert_eq!(rejected.json()["state"], "rejected");
}

#[test]
fn keys_are_made_listed_and_revoked_and_guesses_are_limited() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = warehouse(folder.path());
    let admin = access_key(&data, "admin", "信息科");
    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let made = client.post_json("/api/v1/keys", &admin, &json!({"holder": "预算科", "role": "publisher"}));
    assert_eq!(made.status, 201, "{}", made.json());
    let (id, token) = (made.json()["id"].clone(), made.json()["token"].as_str().expect("a token").to_owned());
    let id = id.as_str().expect("an id").to_owned();
    let list = client.send(Method::GET, "/api/v1/keys", &[("authorization", &format!("Bearer {admin}"))]);
    assert!(list.json().to_string().contains("预算科"));
    // Neither lists nor the disk hold what would open anything.
    let secret = token.rsplit('_').next().expect("a secret");
    assert!(!list.json().to_string().contains(secret));
    for entry in fs::read_dir(data.join("state/key")).expect("reads").flatten() {
        assert!(!fs::read_to_string(entry.path()).expect("reads").contains(secret));
    }
    let event = json!({"kind": "replied", "region_code": "510400", "subject": "2022年部门预算批复",
        "occurred_on": "2026-03-01", "evidence": {"document": "攀财预〔2026〕1号"}});
    assert_eq!(client.post_json("/api/v1/events", &token, &event).status, 201);
    assert_eq!(delete(&client, &format!("/api/v1/keys/{id}"), &token).problem(), (403, "forbidden".into()));
    assert!(delete(&client, &format!("/api/v1/keys/{id}"), &admin).status < 300);
    assert_eq!(client.post_json("/api/v1/events", &token, &event).problem(), (401, "unauthorized".into()));

    let mut codes = Vec::new();
    for guess in 0..15 {
        let wrong = format!("gk_{id}_{guess:043}");
        codes.push(client.post_json("/api/v1/events", &wrong, &event).status);
    }
    assert_eq!((codes[0], codes[14]), (401, 429), "{codes:?}");
    assert_eq!(client.get("/api/v1/datasets").status, 200, "who guesses may still read what is public");
}

#[test]
fn events_have_evidence_and_are_public_and_logged() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = warehouse(folder.path());
    let record = |args: &[&str]| {
        let output = gongkai(&data).args(["event", "record"]).args(args).arg("--data").arg(&data).output();
        output.expect("starts")
    };
    let basic = ["--region", "510400", "--subject", "2022年决算", "--on", "2026-05-01"];
    let bare = record(&[&["--kind", "approved"], &basic[..]].concat());
    assert_eq!(bare.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&bare.stderr).contains("evidence"));
    let future = ["--region", "510400", "--subject", "2022年决算", "--on", "2027-05-01", "--evidence-document", "x"];
    assert_eq!(record(&[&["--kind", "approved"], &future[..]].concat()).status.code(), Some(2));
    let shown = [&["--kind", "approved", "--evidence-document", "攀人发〔2026〕5号"], &basic[..]].concat();
    assert!(record(&shown).status.success());
    let taken_back =
        [&["--kind", "revoked", "--revokes", "event.1", "--evidence-document", "更正"], &basic[..]].concat();
    assert!(record(&taken_back).status.success());
    assert_eq!(record(&taken_back).status.code(), Some(2), "it is taken back already");
    assert_eq!(value(&data, "SELECT count(*) || '/' || max(revokes) FROM catalog.event"), "2/event.1");
    let verified = gongkai(&data).args(["verify", "--data"]).arg(&data).output().expect("starts");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_correction_shows_exactly_what_changed_and_the_old_figure_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = warehouse(folder.path());
    let old = fs::read(data.join("releases/air_city_hourly/1/data.csv")).expect("reads");
    let file = folder.path().join("right.csv");
    fs::write(&file, air("20190301", "21.0")).expect("writes");
    let corrected = gongkai(&data)
        .env("GONGKAI_NOW", "2026-06-02T00:00:00Z")
        .args(["correct", "air_city_hourly", "--reason", "二十误为二十一", "--format", "json", "--data"])
        .arg(&data)
        .arg(&file)
        .output()
        .expect("starts");
    assert!(corrected.status.success(), "{}", String::from_utf8_lossy(&corrected.stderr));
    let report: Value = serde_json::from_slice(&corrected.stdout).expect("json");
    assert_eq!(report["releases"][0]["kind"], "correction");

    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let difference = client.get("/api/v1/datasets/air_city_hourly/diff?from=1&to=2").json();
    let changed = difference["changed"].as_array().expect("changed");
    assert_eq!(changed.len(), 1, "{difference}");
    assert_eq!(changed[0]["columns"]["value"], json!({"from": "20.0000", "to": "21.0000"}));
    assert_eq!((&difference["added"], &difference["removed"]), (&json!([]), &json!([])));
    assert_eq!(difference["unchanged"], 2);
    let stored = client.get("/api/v1/datasets/air_city_hourly/releases/2/files/difference.json").json();
    assert_eq!(stored["changed"], difference["changed"]);

    let old_file = client.get("/api/v1/datasets/air_city_hourly/releases/1/files/data.csv");
    assert_eq!((old_file.status, old_file.body == old), (200, true));
    let standing = client.post("/api/v1/verify", "", &[], &old);
    assert_eq!(standing.json()["standing"], "superseded");
    assert_eq!(standing.json()["by"], "air_city_hourly.2");
    assert!(standing.json()["reason"].as_str().expect("a reason").contains("二十误为二十一"));
    let ask = |time: &str| {
        let query = "SELECT value FROM air_hourly WHERE measure = 'PM25'";
        let answer = client.post(
            "/api/v1/sql",
            "",
            &[("content-type", "application/json")],
            json!({"sql": query, "as_of": time}).to_string().as_bytes(),
        );
        answer.json()["rows"][0][0].clone()
    };
    assert_eq!((ask("2026-06-01T12:00:00Z"), ask("2026-06-03T00:00:00Z")), (json!("20.0000"), json!("21.0000")));
    let feed = client.get("/feed.atom");
    assert!(String::from_utf8_lossy(&feed.body).contains("二十误为二十一"));
    let page = client.get("/datasets/air_city_hourly");
    assert!(String::from_utf8_lossy(&page.body).contains("二十误为二十一"));
}

#[test]
fn what_is_withdrawn_leaves_a_tombstone_and_does_not_come_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = warehouse(folder.path());
    let withdrawn = gongkai(&data)
        .env("GONGKAI_NOW", "2026-06-02T00:00:00Z")
        .args(["withdraw", "air_city_hourly.1", "--reason", "仪器故障", "--data"])
        .arg(&data)
        .output()
        .expect("starts");
    assert!(withdrawn.status.success(), "{}", String::from_utf8_lossy(&withdrawn.stderr));
    // The file is still in the inbox.
    let report: Value =
        serde_json::from_slice(&up_once(&data, Some(&folder.path().join("inbox"))).stdout).expect("json");
    assert_eq!(report["releases"], json!([]));
    assert_eq!(value(&data, "SELECT count(*) FROM air_hourly"), "0");
    assert_eq!(value(&data, "SELECT count(*) FROM open.\"air_hourly@all\""), "0");
    assert_eq!(value(&data, "SELECT withdrawn_by FROM catalog.release WHERE number = 1"), "air_city_hourly.2");
    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let gone = client.get("/api/v1/datasets/air_city_hourly/releases/1/files/data.csv");
    assert_eq!(gone.problem(), (410, "withdrawn".into()));
    assert!(gone.json()["detail"].as_str().expect("a detail").contains("仪器故障"));
    let manifest = client.get("/api/v1/datasets/air_city_hourly/releases/1/files/manifest.json");
    assert_eq!(manifest.status, 200, "what was claimed stays");
    let tombstone = client.get("/api/v1/datasets/air_city_hourly/releases/2/files/manifest.json").json();
    assert_eq!((&tombstone["status"], &tombstone["withdraws"]), (&json!("withdrawn"), &json!(["air_city_hourly.1"])));
    assert_eq!(client.get("/api/v1/datasets/air_city_hourly/diff?from=1&to=1").status, 410);
    let old = client.post(
        "/api/v1/sql",
        "",
        &[("content-type", "application/json")],
        json!({"sql": "SELECT count(*) FROM air_hourly", "as_of": "2026-06-01T12:00:00Z"}).to_string().as_bytes(),
    );
    assert_eq!(old.json()["rows"][0][0], 0, "at no time: {}", old.json());
    let verified = gongkai(&data).args(["verify", "--data"]).arg(&data).output().expect("starts");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    // New figures of the partition make a release of their own rows.
    fs::write(folder.path().join("inbox/b.csv"), air("20190302", "9.0")).expect("writes");
    assert!(up_once(&data, Some(&folder.path().join("inbox"))).status.success());
    assert_eq!(value(&data, "SELECT string_agg(value, ',') FROM air_hourly WHERE measure = 'PM25'"), "9.0000");
}

#[test]
fn open_errors_of_blocking_checks_hold_back_until_a_public_reason_is_given() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    gongkai_tests::some_samples(&inbox, &["finance_departments/panzhihua_2020_form_4_1.xlsx", FAULTY]);
    settings(folder.path(), "[publishing]\non_error = \"hold\"\n");
    let output = up_once(&data, Some(&inbox));
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    let held = report["held"].as_array().expect("held");
    assert_eq!(held.len(), 1, "{held:?}");
    let dataset = held[0]["dataset"].as_str().expect("a dataset");
    let check = held[0]["findings"][0]["check"].as_str().expect("a check").to_owned();
    assert_eq!(held[0]["findings"][0]["outcome"], "ERROR");
    let others = report["releases"].as_array().expect("releases").len();
    assert!(others > 0, "what is in order goes out");
    let reason = "总计以原文为准";
    let released = gongkai(&data)
        .args(["release", dataset, "--open-findings-reason", reason, "--format", "json", "--data"])
        .arg(&data)
        .output()
        .expect("starts");
    assert!(released.status.success(), "{}", String::from_utf8_lossy(&released.stderr));
    let report: Value = serde_json::from_slice(&released.stdout).expect("json");
    let release = &report["releases"][0];
    let path = format!("releases/{dataset}/{}/manifest.json", release["number"]);
    let manifest: Value = serde_json::from_slice(&fs::read(data.join(path)).expect("reads")).expect("json");
    assert_eq!(manifest["approval"]["open_findings_reason"], reason);
    let query = format!("SELECT count(*) > 0 FROM catalog.finding WHERE check_id = '{check}' AND outcome = 'ERROR'");
    assert_eq!(value(&data, &query), "true");
}

/// A sample in which a fault is planted: a total that is not the sum of its parts.
const FAULTY: &str = "finance_departments/miyi_2019_budget_execution.csv";

/// Posts files at the same moment, one thread each.
fn at_once(served: &Served, key: &str, bodies: &[(String, String)], headers: &[(&str, &str)]) -> Vec<(u16, Value)> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = bodies
            .iter()
            .map(|(path, body)| {
                scope.spawn(move || {
                    let answer = Client::of(served).post(path, key, headers, body.as_bytes());
                    (answer.status, answer.json())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
    })
}

#[test]
fn eight_publishers_at_once_lose_nothing_and_who_knew_another_state_hears_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = warehouse(folder.path());
    let key = access_key(&data, "publisher", "监测科");
    let served = Served::start(&data, &[]);
    let file = |day: u32| (format!("/api/v1/releases?name=d{day}.csv"), air(&format!("201903{day:02}"), "5.0"));
    let without: Vec<(String, String)> = (2..10).map(file).collect();
    let answers = at_once(&served, &key, &without, &[]);
    let mut released: Vec<String> = answers
        .iter()
        .flat_map(|(status, answer)| {
            assert_eq!(*status, 201, "{answer}");
            ids(answer)
        })
        .collect();
    released.sort();
    released.dedup();
    assert_eq!(released.len(), 8, "{released:?}");
    assert_eq!(value(&data, "SELECT count(DISTINCT obs_time) FROM air_hourly"), "9");

    let with: Vec<(String, String)> = (12..20).map(file).collect();
    let answers = at_once(&served, &key, &with, &[("if-match", "\"air_city_hourly.9\"")]);
    let won = answers.iter().filter(|(status, _)| *status == 201).count();
    let conflicts = answers.iter().filter(|(status, answer)| *status == 409 && answer["code"] == "conflict").count();
    assert_eq!((won, conflicts), (1, 7), "{answers:?}");
    assert_eq!(value(&data, "SELECT max(number) FROM catalog.release"), "10");
    let any = Client::of(&served).post("/api/v1/releases?name=x.csv", &key, &[("if-match", "*")], b"x");
    assert_eq!(any.problem(), (400, "invalid_parameter".into()));
}

#[test]
fn a_request_asked_twice_is_done_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = warehouse(folder.path());
    let key = access_key(&data, "publisher", "监测科");
    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let once = [("idempotency-key", "2026-06-01/1")];
    let body = air("20190302", "5.0");
    let first = client.post("/api/v1/releases?name=b.csv", &key, &once, body.as_bytes()).json();
    assert_eq!(ids(&first), ["air_city_hourly.2"]);
    let again = client.post("/api/v1/releases?name=b.csv", &key, &once, body.as_bytes());
    assert_eq!((again.status, ids(&again.json())), (201, ids(&first)));
    let other = client.post("/api/v1/releases?name=b.csv", &key, &once, air("20190303", "5.0").as_bytes());
    assert_eq!(other.problem(), (409, "idempotency_mismatch".into()));
    assert_eq!(value(&data, "SELECT max(number) FROM catalog.release"), "2");
    let long = "x".repeat(10_000);
    let refused = client.post("/api/v1/releases?name=b.csv", &key, &[("idempotency-key", &long)], body.as_bytes());
    assert_eq!(refused.problem(), (400, "invalid_parameter".into()));

    // A file that broke a rule gives nothing, and says why.
    let wrong = client.post("/api/v1/releases?name=../b.csv", &key, &[], body.as_bytes());
    assert_eq!(wrong.problem(), (400, "invalid_parameter".into()));
    let unknown = client.post("/api/v1/releases?name=b.csv", &key, &[], b"nothing that a feed reads");
    assert_eq!(unknown.problem(), (422, "bad_file".into()));
    let announced = format!("/api/v1/releases?name=b.csv&sha256={}", "0".repeat(64));
    assert_eq!(client.post(&announced, &key, &[], body.as_bytes()).problem(), (422, "bad_file".into()));
    assert_eq!(fs::read_dir(data.join("work/incoming")).expect("reads").count(), 0, "nothing is left behind");
}
