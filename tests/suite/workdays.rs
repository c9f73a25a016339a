//! The working-day calendar against a second, independent one: the Python package chinesecalendar.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use gongkai_catalog::Catalog;
use gongkai_tests::{root, skip};
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::query::{EngineSettings, QueryEngine, QueryOptions, TextLimits, scan};
use gongkai_warehouse::store::{MemoryStore, Store};

/// Every day from 2018-01-01 to 2026-12-31, as `day`.
const DAYS: &str = "WITH digit (d) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)),
  number AS (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM digit AS a CROSS JOIN digit AS b CROSS JOIN digit AS c
    CROSS JOIN digit AS e WHERE e.d < 4),
  day AS (SELECT n, CAST(CAST(DATE '2018-01-01' AS INT) + n AS DATE) AS day, CAST(CAST(DATE '2018-01-01' AS INT) + n - 1 AS DATE) AS before
    FROM number WHERE CAST(DATE '2018-01-01' AS INT) + n <= CAST(DATE '2026-12-31' AS INT))";

/// First column of an answer of the query door.
fn answered(sql: &str) -> Vec<String> {
    let catalog = Arc::new(Catalog::load(gongkai_ingest::embedded_declarations()).expect("loads"));
    let store = MemoryStore::default();
    let engine = QueryEngine::new(catalog, Arc::clone(store.objects()), EngineSettings::default()).expect("starts");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(16 << 20).build();
    let runtime = runtime.expect("runtime");
    let statement = scan(sql, &TextLimits::default()).expect("a small statement");
    let batches: Vec<_> = runtime.block_on(async {
        let snapshot = Arc::new(Snapshot::empty());
        let planned = engine.plan(&statement, snapshot, QueryOptions::default()).await.expect("a plan");
        planned.execute().expect("a stream").try_collect().await.expect("rows")
    });
    let rows = batches.iter().flat_map(|batch: &arrow::array::RecordBatch| {
        (0..batch.num_rows()).map(|row| array_value_to_string(batch.column(0), row).expect("a text"))
    });
    rows.collect()
}

/// What the other calendar answers.
fn peer(argument: Option<&str>, input: &str) -> Option<Vec<String>> {
    let python = std::env::var_os("GONGKAI_PYTHON")?;
    let mut command = Command::new(python);
    command.arg(root().join("tests/workdays_peer.py")).args(argument);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("ends");
    writer.join().expect("a thread").expect("reads its input");
    assert!(output.status.success(), "the peer fails");
    Some(String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect())
}

#[test]
fn every_day_of_nine_years_is_a_working_day_where_the_other_calendar_says_so() {
    let Some(expected) = peer(None, "") else {
        skip("working days against chinesecalendar", "no Python with chinesecalendar (GONGKAI_PYTHON)");
        return;
    };
    let sql = format!(
        "{DAYS} SELECT concat(CAST(day AS VARCHAR), ',', CAST(workdays_between(before, day) AS VARCHAR)) FROM day ORDER BY n"
    );
    // The first day follows one whose year has no notice here.
    let found = answered(&sql);
    assert_eq!(found.len(), 3_287);
    assert_eq!(found, expected);
}

#[test]
fn due_dates_agree_with_the_other_calendar() {
    let pairs =
        "SELECT day, 1 + (n * 7919) % 30 AS k, n FROM day WHERE CAST(day AS VARCHAR) < '2026-11-01' AND n % 3 <> 1";
    let input = answered(&format!(
        "{DAYS} SELECT concat(CAST(day AS VARCHAR), ',', CAST(k AS VARCHAR)) FROM ({pairs}) AS p ORDER BY n"
    ));
    assert!(input.len() > 2_000, "{}", input.len());
    let Some(expected) = peer(Some("due"), &(input.join("\n") + "\n")) else {
        skip("due dates against chinesecalendar", "no Python with chinesecalendar (GONGKAI_PYTHON)");
        return;
    };
    let found =
        answered(&format!("{DAYS} SELECT CAST(due_date(day, k, 'workday') AS VARCHAR) FROM ({pairs}) AS p ORDER BY n"));
    assert_eq!(found, expected);
}
