//! Real clients against a served instance: what psql, psycopg, asyncpg, SQLAlchemy, ADBC, pyarrow, polars, delta-rs and duckdb get.
//!
//! The checks are in `tests/clients`, one script for each group. A script prints one JSON line for each of its checks.

use std::path::Path;
use std::process::Command;

use gongkai_tests::{Served, access_key, json_lines, python, samples, script, skip};
use serde_json::json;

/// A script of checks: the modules that it needs, and how many checks it has at least.
struct Script<'a> {
    name: &'a str,
    modules: &'a str,
    checks: usize,
}

/// A certificate for this machine and its key, in a folder; nothing without openssl.
fn certify(folder: &Path) -> Option<()> {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost"])
        .current_dir(folder)
        .output();
    match made {
        Ok(output) if output.status.success() => Some(()),
        Ok(output) => panic!("openssl makes no certificate: {}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => {
            skip("clients", "openssl is not installed");
            None
        }
    }
}

/// Runs the checks of a script against a served instance of the samples, which ends as it should afterwards.
fn hold(name: &str, modules: &str, checks: usize) {
    hold_on(&Script { name, modules, checks }, "127.0.0.1:0", "");
}

/// The same, with every door on one address, and a collector of traces.
fn hold_on(checks: &Script, door: &str, collector: &str) {
    let Some(python) = python("clients", checks.modules) else { return };
    let (folder, data) = samples();
    if certify(folder.path()).is_none() {
        return;
    }
    let scratch = folder.path().join("scratch");
    std::fs::create_dir(&scratch).expect("creates");
    let token = access_key(&data, "reader", "tests");
    let publisher = access_key(&data, "publisher", "tests");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (certificate, key) = (path("certificate.pem"), path("key.pem"));
    let settings = [
        ("GONGKAI_HTTP", door),
        ("GONGKAI_PG", door),
        ("GONGKAI_FLIGHT", door),
        ("GONGKAI_OTLP", collector),
        ("GONGKAI_TLS_CERTIFICATE", certificate.as_str()),
        ("GONGKAI_TLS_KEY", key.as_str()),
        ("GONGKAI_QUERIES_PER_MINUTE", "0"),
        ("GONGKAI_QUERY_TIMEOUT_MS", "30000"),
    ];
    let served = Served::start(&data, &settings);
    let setting = json!({
        "http": served.base, "pg": served.pg_address(), "flight": served.flight_address(), "data": data,
        "certificate": certificate, "token": token, "publisher": publisher, "scratch": scratch, "pid": served.pid(),
    });
    let lines = json_lines(
        script(&python, checks.name)
            .arg(setting.to_string())
            .env("GONGKAI_OTLP", collector)
            // Settings of the machine's own clients.
            .env_remove("PGOPTIONS")
            .env_remove("PGSSLMODE")
            .env_remove("PGPASSWORD"),
    );
    let mut failed = Vec::new();
    for line in &lines {
        let name = line["check"].as_str().expect("a name");
        if let Some(reason) = line["skipped"].as_str() {
            skip(&format!("clients::{name}"), reason);
        }
        if let Some(reason) = line["failed"].as_str() {
            failed.push(format!("{name}: {reason}"));
        }
    }
    assert!(failed.is_empty(), "{} of {} checks failed\n{}", failed.len(), lines.len(), failed.join("\n"));
    let (found, wanted) = (lines.len(), checks.checks);
    assert!(found >= wanted, "{} has {found} checks, expected {wanted} at least", checks.name);
    assert_eq!(served.stop(), Some(0), "the server does not end as it should");
}

#[test]
fn one_statement_has_one_answer_behind_every_door() {
    hold("one_answer.py", "psycopg, asyncpg, adbc_driver_flightsql, pyarrow", 2);
}

#[test]
fn psql_lists_copies_and_cancels() {
    hold("terminal.py", "json", 15);
}

#[test]
fn drivers_of_postgresql_are_served() {
    hold("postgres_drivers.py", "psycopg, asyncpg, sqlalchemy", 20);
}

#[test]
fn drivers_of_arrow_flight_are_served() {
    hold("flight_drivers.py", "adbc_driver_flightsql, pyarrow", 14);
}

#[test]
fn readers_of_open_files_get_what_sql_answers() {
    hold("open_files.py", "polars, deltalake, duckdb, pyarrow, fsspec, aiohttp", 7);
}

#[test]
fn an_answer_that_breaks_off_is_not_taken_for_a_whole_one() {
    hold("broken.py", "psycopg, adbc_driver_flightsql, pyarrow", 10);
}

#[test]
fn every_door_opens_on_ipv6_alone() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        skip("every_door_opens_on_ipv6_alone", "this machine has no ::1");
        return;
    }
    let script = Script { name: "ipv6.py", modules: "psycopg, adbc_driver_flightsql, pyarrow, duckdb", checks: 5 };
    hold_on(&script, "[::1]:0", "");
}

#[test]
fn a_collector_of_traces_gets_what_a_request_took() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let collector = format!("http://{port}");
    let modules = "grpc, opentelemetry.proto.collector.trace.v1, psycopg";
    hold_on(&Script { name: "traces.py", modules, checks: 3 }, "127.0.0.1:0", &collector);
}
