//! Statements that are refused at once, while the service goes on answering.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gongkai_tests::{Served, samples};
use serde_json::Value;

fn statements() -> Vec<(&'static str, String, &'static [&'static str])> {
    const NOT_A_QUERY: &[&str] = &["statement_not_allowed", "sql_syntax"];
    const TOO_COMPLEX: &[&str] = &["sql_too_complex", "sql_syntax"];
    const NO_TABLE: &[&str] = &["table_not_found", "function_not_allowed", "sql_syntax", "statement_not_allowed"];
    let casts = |count: usize| format!("SELECT {}1", "CAST(".repeat(count));
    vec![
        ("drop", "DROP TABLE open.debt_stock".into(), NOT_A_QUERY),
        ("create", "CREATE TABLE t (a INT)".into(), NOT_A_QUERY),
        ("external table", "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'".into(), NOT_A_QUERY),
        ("view", "CREATE VIEW v AS SELECT 1".into(), NOT_A_QUERY),
        ("insert", "INSERT INTO debt_stock SELECT * FROM debt_stock".into(), NOT_A_QUERY),
        ("delete", "DELETE FROM debt_stock".into(), NOT_A_QUERY),
        ("update", "UPDATE debt_stock SET amount_yuan = 0".into(), NOT_A_QUERY),
        ("copy", "COPY (SELECT 1) TO '/tmp/x.csv'".into(), NOT_A_QUERY),
        ("copy below explain", "EXPLAIN COPY (SELECT 1) TO '/tmp/x.csv'".into(), NOT_A_QUERY),
        ("set", "SET datafusion.execution.batch_size = 1".into(), NOT_A_QUERY),
        ("two statements", "SELECT 1; SELECT 2".into(), NOT_A_QUERY),
        ("explain analyze", "EXPLAIN ANALYZE SELECT 1".into(), NOT_A_QUERY),
        ("file as table", "SELECT * FROM '/etc/passwd'".into(), NO_TABLE),
        ("file function", "SELECT * FROM read_csv('/etc/passwd')".into(), NO_TABLE),
        ("path of the files", "SELECT input_file_name() FROM debt_stock".into(), &["function_not_allowed"]),
        ("157 bytes of casts", casts(30), TOO_COMPLEX),
        ("48 valid casts", format!("SELECT {}1{}", "CAST(".repeat(48), " AS INT)".repeat(48)), TOO_COMPLEX),
        ("3,000 plus", format!("SELECT 1{}", "+1".repeat(3000)), TOO_COMPLEX),
        ("8,000 or", format!("SELECT 1 WHERE 1=1{}", " OR 1=1".repeat(8000)), TOO_COMPLEX),
        (
            "cube of 24",
            format!(
                "SELECT count(*) FROM debt_stock GROUP BY CUBE ({})",
                (1..=24).map(|n| n.to_string()).collect::<Vec<_>>().join(",")
            ),
            TOO_COMPLEX,
        ),
        ("deep brackets", format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000)), TOO_COMPLEX),
        ("10,000 casts in a row", format!("SELECT 1{}", "::BIGINT".repeat(10_000)), TOO_COMPLEX),
        ("functions in functions", format!("SELECT {}1{}", "abs(".repeat(20), ")".repeat(20)), TOO_COMPLEX),
        ("more than 64 KiB", format!("SELECT '{}'", "x".repeat(70_000)), TOO_COMPLEX),
    ]
}

#[test]
fn forbidden_statements_are_refused_at_once_and_health_answers_throughout() {
    let (_folder, data) = samples();
    let served = Served::start(&data, &[]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("runtime");
    let done = Arc::new(AtomicBool::new(false));
    let (healthy, unhealthy) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let watch = {
        let (done, healthy, unhealthy) = (Arc::clone(&done), Arc::clone(&healthy), Arc::clone(&unhealthy));
        let url = format!("{}/healthz", served.base);
        runtime.spawn(async move {
            while !done.load(Ordering::SeqCst) {
                let answer = tokio::time::timeout(Duration::from_secs(2), reqwest::get(&url)).await;
                let is_well = matches!(answer, Ok(Ok(response)) if response.status().is_success());
                if is_well { &healthy } else { &unhealthy }.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    };
    let client = reqwest::Client::new();
    let ask = |sql: &str| {
        let body = serde_json::json!({ "sql": sql }).to_string();
        let request =
            client.post(format!("{}/api/v1/sql", served.base)).header("content-type", "application/json").body(body);
        runtime.block_on(async {
            let response = request.send().await?;
            let (status, media) = (
                response.status().as_u16(),
                response.headers()["content-type"].to_str().unwrap_or_default().to_owned(),
            );
            Ok::<_, reqwest::Error>((status, media, response.bytes().await?.to_vec()))
        })
    };
    // The first query starts a worker; what is measured below is refusal.
    assert_eq!(ask("SELECT 1").expect("answers").0, 200);
    let statements = statements();
    assert!(statements.len() >= 20);
    for (name, sql, codes) in &statements {
        let started = Instant::now();
        let (status, media, body) = ask(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
        let elapsed = started.elapsed();
        let problem: Value = serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(media, "application/problem+json", "{name}");
        assert!(codes.contains(&problem["code"].as_str().unwrap_or_default()), "{name}: {problem}");
        assert!(status == 400 || status == 404, "{name}: {status}");
        assert!(body.len() < 4096, "{name}: {} bytes", body.len());
        let text = String::from_utf8_lossy(&body);
        assert!(!text.contains(&data.display().to_string()) && !text.contains("src/"), "{name}: {text}");
        // Seconds of slack over "at once": what must not happen is a hang.
        assert!(elapsed < Duration::from_secs(5), "{name} took {elapsed:?}");
    }
    assert_eq!(ask("SELECT 1").expect("answers").0, 200);
    done.store(true, Ordering::SeqCst);
    runtime.block_on(watch).expect("ends");
    assert_eq!(unhealthy.load(Ordering::SeqCst), 0);
    assert!(healthy.load(Ordering::SeqCst) > 3);
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn a_query_that_takes_too_long_is_ended_and_the_next_one_answers() {
    let (_folder, data) = samples();
    // Long enough to start a new worker after the one that is killed, on a machine that is busy.
    let served = Served::start(&data, &[("GONGKAI_QUERY_TIMEOUT_MS", "6000")]);
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let ask = |sql: &str| {
        let url = reqwest::Url::parse_with_params(&format!("{}/api/v1/sql", served.base), [("q", sql)]).expect("a url");
        runtime.block_on(async {
            let response = reqwest::get(url).await?;
            Ok::<_, reqwest::Error>((response.status().as_u16(), response.bytes().await?.to_vec()))
        })
    };
    let cross = "SELECT count(*) FROM air_hourly a, air_hourly b, air_hourly c WHERE a.value + b.value + c.value < 0";
    let (status, body) = ask(cross).expect("answers");
    let problem: Value = serde_json::from_slice(&body).expect("json");
    assert_eq!((status, problem["code"].as_str()), (422, Some("query_timeout")), "{problem}");
    assert_eq!(ask("SELECT 1").expect("answers").0, 200);
}
