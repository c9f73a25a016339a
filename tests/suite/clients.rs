//! Real clients against a served instance: what psql, psycopg, asyncpg, SQLAlchemy, ADBC, pyarrow, polars, delta-rs and duckdb get.
//!
//! The checks are in `tests/clients`, one script for each group. A script prints one JSON line for each of its checks.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use gongkai_tests::{Served, access_key, root, skip, up_samples};
use serde_json::{Value, json};

/// The Python of the tests, where it has the modules.
pub(crate) fn python(modules: &str) -> Option<OsString> {
    let Some(python) = std::env::var_os("GONGKAI_PYTHON") else {
        skip("clients", "no Python environment (GONGKAI_PYTHON)");
        return None;
    };
    let imported = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    if !imported.is_ok_and(|output| output.status.success()) {
        skip("clients", "packages of tests/requirements.txt are not installed");
        return None;
    }
    Some(python)
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

/// The address of a door without its scheme; empty without that door.
pub(crate) fn address(door: &Option<String>) -> &str {
    door.as_deref().and_then(|door| door.split_once("://")).map_or("", |(_, address)| address)
}

/// Runs the checks of a script against a served instance of the samples, which ends as it should afterwards.
fn hold(script: &str, modules: &str, checks: usize) {
    hold_on(script, modules, checks, "127.0.0.1:0", "");
}

/// The same, with every door on one address, and a collector of traces.
fn hold_on(script: &str, modules: &str, checks: usize, door: &str, collector: &str) {
    let Some(python) = python(modules) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    if certify(folder.path()).is_none() {
        return;
    }
    let (data, scratch) = (folder.path().join("data"), folder.path().join("scratch"));
    std::fs::create_dir(&scratch).expect("creates");
    up_samples(&data);
    let token = access_key(&data, "reader", "tests");
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
    let arguments = json!({
        "http": served.base, "pg": address(&served.pg), "flight": address(&served.flight), "data": data, "certificate": certificate,
        "token": token, "scratch": scratch, "pid": served.pid(),
    });
    let output = Command::new(python)
        .arg(root().join("tests/clients").join(script))
        .arg(arguments.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("GONGKAI_OTLP", collector)
        // Settings of the machine's own clients.
        .env_remove("PGOPTIONS")
        .env_remove("PGSSLMODE")
        .env_remove("PGPASSWORD")
        .output()
        .expect("python starts");
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {printed}{said}");
    let mut failed = Vec::new();
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).expect("a check as JSON")).collect();
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
    assert!(lines.len() >= checks, "{script} has {} checks, expected {checks} at least", lines.len());
    assert_eq!(served.stop(), Some(0), "the server does not end as it should");
}

#[test]
fn one_statement_has_one_answer_behind_every_door() {
    hold("one_answer.py", "psycopg, asyncpg, adbc_driver_flightsql, pyarrow", 2);
}

#[test]
fn psql_lists_copies_and_cancels() {
    hold("terminal.py", "json", 14);
}

#[test]
fn drivers_of_postgresql_are_served() {
    hold("postgres_drivers.py", "psycopg, asyncpg, sqlalchemy", 20);
}

#[test]
fn drivers_of_arrow_flight_are_served() {
    hold("flight_drivers.py", "adbc_driver_flightsql, pyarrow", 13);
}

#[test]
fn readers_of_open_files_get_what_sql_answers() {
    hold("open_files.py", "polars, deltalake, duckdb, pyarrow, fsspec, aiohttp", 7);
}

#[test]
fn an_answer_that_breaks_off_is_not_taken_for_a_whole_one() {
    hold("broken.py", "psycopg, adbc_driver_flightsql, pyarrow", 9);
}

#[test]
fn every_door_opens_on_ipv6_alone() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        skip("every_door_opens_on_ipv6_alone", "this machine has no ::1");
        return;
    }
    hold_on("ipv6.py", "psycopg, adbc_driver_flightsql, pyarrow, duckdb", 5, "[::1]:0", "");
}

#[test]
fn a_collector_of_traces_gets_what_a_request_took() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let collector = format!("http://{port}");
    hold_on("traces.py", "grpc, opentelemetry.proto.collector.trace.v1, psycopg", 3, "127.0.0.1:0", &collector);
}
