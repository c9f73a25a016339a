//! Killed at any moment and run again, the warehouse comes out the same.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use gongkai_tests::{gongkai, samples, some_samples, state, up_once, value};

/// Samples of several formats whose rows go to several tables, few enough to be killed over them many times.
const FEW: [&str; 8] = [
    "environment_monitoring/china_cities_20190301.csv",
    "environment_monitoring/china_cities_20190302.csv",
    "environment_monitoring/china_cities_20190303.csv",
    "finance_departments/panzhihua_2020_form_4_1.xlsx",
    "finance_departments/panzhihua_2022_form_4_1.xlsx",
    "finance_departments/panzhihua_2023_form_4_1.xlsx",
    "poverty_alleviation_offices/sichuan_2016_first_batch_totals.json",
    "statistics_survey_offices/national_cpi_2023_2025.csv",
];

#[test]
fn a_second_run_does_nothing() {
    let (_folder, data) = samples();
    let before = state(&data);
    let pointer = std::fs::read(data.join("current.json")).expect("pointer");
    let commits = |data: &std::path::Path| {
        ["tables/air_hourly", "tables/debt_stock", "open/air_hourly", "open/debt_stock"]
            .map(|table| std::fs::read_dir(data.join(table).join("_delta_log")).map_or(0, |entries| entries.count()))
    };
    let commits_before = commits(&data);
    let output = up_once(&data, None);
    assert!(output.status.success());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("json");
    assert_eq!(report["ingest"]["landed"], 0);
    assert_eq!(report["ingest"]["commits"], 0);
    assert_eq!(report["releases"], serde_json::json!([]));
    assert_eq!(state(&data), before);
    assert_eq!(commits(&data), commits_before);
    assert_eq!(std::fs::read(data.join("current.json")).expect("pointer"), pointer);
}

#[test]
fn killed_at_ten_moments_and_run_again_it_comes_out_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (whole, inbox) = (folder.path().join("whole"), folder.path().join("inbox"));
    some_samples(&inbox, &FEW);
    let started = Instant::now();
    assert!(up_once(&whole, Some(&inbox)).status.success());
    let duration = started.elapsed();
    let expected = state(&whole);
    let rows = "SELECT count(*) || '/' || count(DISTINCT release_id) FROM air_hourly";
    let expected_rows = value(&whole, rows);

    // Moments spread over the whole run, shifted by the clock so that runs of the suite differ; the seed is printed.
    let seed =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.subsec_micros());
    println!("seed {seed}");
    let data = folder.path().join("killed");
    let mut kills = 0;
    for round in 0..10_u32 {
        let share = f64::from(round) / 10.0 + f64::from((seed.wrapping_mul(round + 1)) % 100) / 1000.0;
        let mut command = gongkai(&data);
        command
            .args(["up", "--once", "--inbox"])
            .arg(&inbox)
            .arg("--data")
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("starts");
        std::thread::sleep(duration.mul_f64(share.min(0.99)).max(Duration::from_millis(5)));
        child.kill().expect("kill -9");
        let status = child.wait().expect("ends");
        kills += u32::from(!status.success());
        // From an empty warehouse each second round, so that early steps are met as often as late ones.
        if round % 2 == 1 {
            settle(&data, &inbox, &expected, rows, &expected_rows);
            std::fs::remove_dir_all(&data).expect("removes");
        }
    }
    assert!(kills >= 5, "only {kills} of ten runs were killed before they ended");
    settle(&data, &inbox, &expected, rows, &expected_rows);
}

fn settle(data: &Path, inbox: &Path, expected: &[String], query: &str, expected_rows: &str) {
    let output = up_once(data, Some(inbox));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(state(data), expected);
    assert_eq!(value(data, query), expected_rows);
    let doctor = gongkai(data).args(["doctor", "--data"]).arg(data).output().expect("starts");
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
}

#[test]
fn two_writers_do_not_meet() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    std::fs::create_dir_all(data.join("work")).expect("creates");
    let lock = std::fs::File::create(data.join("work/writer.lock")).expect("creates");
    lock.lock().expect("locks");
    let output = up_once(&data, None);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("being written by another process"));
}
