//! More clients than places, more work than time, slow clients, and all kinds of clients mixed: for a short while, or for ten minutes
//! with `GONGKAI_DEEP`.
//!
//! `tests/clients/load.py` has the checks, `load_clients.py` the clients of the mix; `load_watch.py` looks at the server once a second.

use gongkai_tests::{EVERY_DOOR, Served, python, samples};
use serde_json::json;

use crate::hostile::hold;

/// Workers, and statements that may run or wait: 64 places.
const WORKERS: u64 = 2;
const PLACES: u64 = 64;
/// Time of one query in milliseconds.
const TIMEOUT_MS: u64 = 10_000;
/// Seconds of the mixed load.
const SHORT_S: u64 = 15;
const LONG_S: u64 = 600;

#[test]
fn many_slow_and_mixed_clients_are_answered_and_leave_nothing() {
    let Some(python) = python("load", "grpc, tomllib") else { return };
    let is_deep = std::env::var_os("GONGKAI_DEEP").is_some();
    let (folder, data) = samples();
    let log = folder.path().join("server.log");
    let queue = PLACES - WORKERS;
    let limits = format!("workers = {WORKERS}\nqueue = {queue}\nqueue_wait_ms = 2500\ntimeout_ms = {TIMEOUT_MS}\n");
    std::fs::write(folder.path().join("gongkai.toml"), format!("[query]\n{limits}")).expect("writes");
    let settings = [EVERY_DOOR[0], EVERY_DOOR[1], ("GONGKAI_QUERIES_PER_MINUTE", "0")];
    let served = Served::start_with_log(&data, &settings, &log).expect("the server comes up");
    let setting = json!({
        "http": served.base, "pg": served.pg_address(), "flight": served.flight_address(), "pid": served.pid(), "data": data,
        "log": log, "workers": WORKERS, "places": PLACES, "timeout_ms": TIMEOUT_MS,
        "seconds": if is_deep { LONG_S } else { SHORT_S }, "is_deep": is_deep,
    });
    hold(&python, "load.py", &setting, 5);
    assert_eq!(served.stop(), Some(0), "the server did not end well");
}
