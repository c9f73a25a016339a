//! Queries that are stored to be cited: they say what they were asked over, and whether they still give the same.

use std::path::Path;

use gongkai_tests::{Served, up_at};
use serde_json::{Value, json};

use crate::client::Client;

const PATH: &str = "/api/v1/queries";

/// Releases a file of hourly air quality with one value for each hour.
fn release(inbox: &Path, data: &Path, name: &str, values: &[&str], now: &str) {
    let lines = values.iter().enumerate().map(|(hour, value)| format!("20190301,{},攀枝花,{value}\n", hour + 1));
    let text = format!("date,hour,城市,PM2.5\n{}", lines.collect::<String>());
    std::fs::write(inbox.join(name), text).expect("writes");
    up_at(data, inbox, now);
}

fn store(client: &Client, sql: &str) -> (u16, Value) {
    let answer = client.post_json(PATH, "", &json!({ "sql": sql }));
    (answer.status, answer.json())
}

#[test]
fn a_stored_query_is_found_again_and_compared_with_what_is_public_by_then() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    release(&inbox, &data, "a.csv", &["20.0", "35.0", "35.0"], "2026-03-01T00:00:00Z");

    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let sql = "SELECT value, hour_of_day FROM (SELECT value, row_no AS hour_of_day FROM air_hourly) AS hours";
    let (status, stored) = store(&client, sql);
    assert_eq!((status, stored["row_count"].as_u64()), (201, Some(3)), "{stored}");
    let id = stored["id"].as_str().expect("an id").to_owned();
    assert_eq!((id.len(), stored["releases"][0]["number"].as_u64()), (24, Some(1)));
    let (status, again) = store(&client, sql);
    assert_eq!((status, &again), (200, &stored), "the same question over the same state is one record");
    assert_eq!(client.get(&format!("{PATH}/{id}")).json(), stored);

    // Rows in another order are the same rows, and not the same file.
    let (_, up) = store(&client, &format!("{sql} ORDER BY hour_of_day"));
    let (_, down) = store(&client, &format!("{sql} ORDER BY hour_of_day DESC"));
    assert_eq!(up["set_digest"], down["set_digest"]);
    assert_ne!(up["digest"], down["digest"]);
    // How often a row stands there counts.
    let (_, all) = store(&client, "SELECT value FROM air_hourly");
    let (_, distinct) = store(&client, "SELECT DISTINCT value FROM air_hourly");
    assert_ne!(all["set_digest"], distinct["set_digest"]);

    let (status, refused) = store(&client, "SELECT now(), value FROM air_hourly");
    assert_eq!((status, refused["code"].as_str()), (400, Some("invalid_parameter")), "{refused}");
    assert_eq!(client.get(&format!("{PATH}/0123456789abcdef01234567")).problem(), (404, "not_found".into()));

    let comparison = client.get(&format!("{PATH}/{id}/comparison")).json();
    assert_eq!((&comparison["is_reproduced"], &comparison["is_unchanged"]), (&json!(true), &json!(true)));
    assert_eq!(served.stop(), Some(0));

    // Other figures of the same hours come out: what was cited stays as it was, and is told apart from what holds now.
    release(&inbox, &data, "b.csv", &["21.0", "35.0", "35.0"], "2026-04-01T00:00:00Z");
    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let comparison = client.get(&format!("{PATH}/{id}/comparison")).json();
    assert_eq!((&comparison["is_reproduced"], &comparison["is_unchanged"]), (&json!(true), &json!(false)));
    assert_eq!(comparison["query"], stored);
    assert_eq!(comparison["releases_now"][0]["number"], 2, "{comparison}");
    assert_ne!(comparison["digest_now"], comparison["digest_again"]);
    assert_eq!(served.stop(), Some(0));
}
