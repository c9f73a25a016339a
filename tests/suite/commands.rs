//! The commands that the other suites do not run, as a new user would run them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use gongkai_tests::{gongkai, root, samples, some_samples, up_once};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_export_of_a_release_is_the_released_file() {
    let (_folder, data) = samples();
    for format in ["csv", "parquet"] {
        let output = gongkai(&data)
            .args(["export", "debt_limit_balance_final.2", "--format", format, "--data"])
            .arg(&data)
            .output();
        let stored = data.join(format!("releases/debt_limit_balance_final/2/data.{format}"));
        assert_eq!(output.expect("starts").stdout, std::fs::read(stored).expect("stored"), "{format}");
    }
    let unknown = gongkai(&data).args(["export", "nothing", "--data"]).arg(&data).output().expect("starts");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("debt_limit_balance_final"), "{}", text(&unknown.stderr));
    let absent =
        gongkai(&data).args(["export", "debt_limit_balance_final.99", "--data"]).arg(&data).output().expect("starts");
    assert_eq!(absent.status.code(), Some(1));
}

#[test]
fn inspect_says_how_a_file_is_read_and_why_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let sample = root().join("ingest/samples/finance_departments/panzhihua_2022_form_4_1.xlsx");
    let output = gongkai(&data).arg("inspect").arg(&sample).output().expect("starts");
    let said = text(&output.stdout);
    for part in ["read by feed debt_form_4_1", "hidden: 3 rows (1 2 3)", "unit: 亿元", "D7 2022年债务限额"] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    let strange = folder.path().join("strange.csv");
    std::fs::write(&strange, "a,b\n1,2\n").expect("writes");
    let output = gongkai(&data).arg("inspect").arg(&strange).output().expect("starts");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("no feed reads it"), "{}", text(&output.stdout));
    let missing = gongkai(&data).args(["inspect", "nothing.csv"]).output().expect("starts");
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn the_shell_takes_statements_and_survives_a_wrong_one() {
    let (_folder, data) = samples();
    let mut command = gongkai(&data);
    command.args(["sql", "--data"]).arg(&data).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let script = ".tables\nSELECT nothing\n  FROM debt_stock;\nSELECT count(*)\n  FROM poverty_county WHERE list_name = 'national_832';\n.quit\n";
    child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("writes");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success());
    let said = text(&output.stdout);
    // The sample lists the 66 poor counties of Sichuan and five others.
    for part in ["air_hourly", "column_not_found", "| 71 "] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
}

#[test]
fn wrong_usage_and_wrong_settings_have_their_exit_codes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let code = |arguments: &[&str]| gongkai(&data).args(arguments).output().expect("starts").status.code();
    assert_eq!(code(&["nonsense"]), Some(2));
    assert_eq!(code(&["up", "--once", "--inbox", "nowhere"]), Some(2));
    assert_eq!(code(&["sql", "--data", "s3://bucket", "SELECT 1"]), Some(3));
    std::fs::write(folder.path().join("gongkai.toml"), "[query]\nspeed = 3\n").expect("writes");
    assert_eq!(code(&["sql", "SELECT 1"]), Some(3));
}

#[test]
fn the_doctor_names_a_file_that_was_changed() {
    let (_folder, data) = samples();
    let file = data.join("releases/debt_limit_balance_final/1/data.csv");
    let changed = std::fs::read_to_string(&file).expect("reads").replace("237", "238");
    std::fs::write(&file, changed).expect("writes");
    let output = gongkai(&data).args(["doctor", "--data"]).arg(&data).output().expect("starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("releases/debt_limit_balance_final/1/data.csv"), "{}", text(&output.stdout));
}

/// Samples of several formats and tables.
const FEW: [&str; 6] = [
    "environment_monitoring/china_cities_20190301.csv",
    "environment_monitoring/china_cities_20190302.csv",
    "finance_departments/panzhihua_2020_form_4_1.xlsx",
    "finance_departments/panzhihua_2022_form_4_1.xlsx",
    "poverty_alleviation_offices/sichuan_2016_first_batch_totals.json",
    "statistics_survey_offices/national_cpi_2023_2025.csv",
];

const AIR: &str = "date,hour,城市,AQI,PM2.5,CO\n";

/// An inbox with files of several kinds, some of them not as they should be.
fn mixed_inbox(folder: &Path) -> PathBuf {
    let inbox = folder.join("inbox");
    some_samples(&inbox, &FEW);
    let write = |name: &str, bytes: &[u8]| std::fs::write(inbox.join(name), bytes).expect("writes");
    write("letter.csv", format!("{AIR}20190401,1,攀枝花,50.0,2O.0,0.8\n").as_bytes());
    write("strange.csv", b"a,b\n1,2\n");
    write("same_again.csv", format!("{AIR}20190401,1,攀枝花,50.0,2O.0,0.8\n").as_bytes());
    write("empty.csv", b"");
    let workbook = std::fs::read(inbox.join("finance_departments/panzhihua_2022_form_4_1.xlsx")).expect("reads");
    write("cut.xlsx", &workbook[..workbook.len() / 2]);
    inbox
}

#[test]
fn what_comes_out_does_not_depend_on_how_many_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let inbox = mixed_inbox(folder.path());
    let run = |workers: &str| {
        let data = folder.path().join(format!("data_{workers}"));
        let mut command = gongkai(&data);
        command.args(["up", "--once", "--format", "json", "--inbox"]).arg(&inbox).arg("--data").arg(&data);
        let output = command.env("GONGKAI_INGEST_WORKERS", workers).output().expect("starts");
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        (text(&output.stdout), gongkai_tests::state(&data))
    };
    let (one, three) = (run("1"), run("3"));
    assert_eq!(one.1, three.1);
    assert_eq!(one.0, three.0);
}

#[test]
fn a_worker_that_dies_or_takes_too_long_costs_its_file_and_the_file_is_tried_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    std::fs::write(inbox.join("a.csv"), format!("{AIR}20190401,1,攀枝花,50.0,20.0,0.8\n")).expect("writes");
    let run = |setting: &str, value: &str| {
        let mut command = gongkai(&data);
        command.args(["ingest", "--format", "json", "--inbox"]).arg(&inbox).arg("--data").arg(&data);
        let output = command.env(setting, value).output().expect("starts");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("json")["files"][0].clone()
    };
    let dead = run("GONGKAI_INGEST_WORKER_BYTES", "1000000");
    assert_eq!(dead["outcome"], "damaged", "{dead}");
    let late = run("GONGKAI_INGEST_TIMEOUT_MS", "1");
    assert_eq!((&late["outcome"], &late["message"]), (&"damaged".into(), &"reading took longer than 0.001 s".into()));
    assert_eq!(run("GONGKAI_INGEST_WORKERS", "1")["outcome"], "read");
}

#[test]
fn the_summary_counts_by_feed_within_80_columns() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (mixed_inbox(folder.path()), folder.path().join("data"));
    let ingest = |format: &str, flags: &[&str]| {
        let mut command = gongkai(&data);
        command.args(["ingest", "--format", format]).args(flags).arg("--inbox").arg(&inbox).arg("--data").arg(&data);
        text(&command.output().expect("starts").stdout)
    };
    // A dry run says what a run would, and the folder is not even made.
    let dry: serde_json::Value = serde_json::from_str(&ingest("json", &["--dry-run"])).expect("json");
    assert!(!data.exists());
    let said = ingest("text", &[]);
    assert!(said.lines().all(|line| gongkai_api::text::width(line) <= 80), "{said}");
    for part in [
        "records in",
        "set aside: 2 not_a_number",
        "no feed reads: 1 files",
        "  strange.csv (csv)",
        "not readable: cut.xlsx",
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    let known: serde_json::Value = serde_json::from_str(&ingest("json", &[])).expect("json");
    let counts = |report: &serde_json::Value| -> Vec<(String, serde_json::Value)> {
        let feeds = report["feeds"].as_array().expect("feeds").iter();
        feeds.map(|feed| (feed["feed"].to_string(), feed["counts"].clone())).collect()
    };
    assert_eq!(counts(&dry), counts(&known));
    assert_eq!((&dry["is_dry_run"], &known["is_dry_run"]), (&true.into(), &false.into()));
    let air = known["feeds"].as_array().expect("feeds").iter().find(|feed| feed["feed"] == "air_city_hourly");
    assert_eq!(air.expect("air")["set_aside"], serde_json::json!({ "not_a_number": 2 }));
}

#[test]
fn a_header_that_differs_from_the_file_before_is_said_before_and_after_and_in_the_release() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    std::fs::write(inbox.join("1.csv"), "date,hour,城市,AQI,PM2.5,CO\n20190301,1,攀枝花,50,20.0,0.8\n")
        .expect("writes");
    assert!(up_once(&data, Some(&inbox)).status.success());
    // AQI went, PM10 stands in the place of PM2.5, SO2 came.
    std::fs::write(inbox.join("2.csv"), "date,hour,城市,PM10,CO,SO2\n20190401,1,攀枝花,30.0,0.8,9.0\n")
        .expect("writes");
    let run = |arguments: &[&str]| {
        let mut command = gongkai(&data);
        command.args(arguments).arg("--inbox").arg(&inbox).arg("--data").arg(&data);
        text(&command.output().expect("starts").stdout)
    };
    let before = gongkai_tests::state(&data);
    let dry = run(&["ingest", "--dry-run"]);
    assert!(dry.contains("warning: header differs from that of 1.csv") && dry.contains("dry run"), "{dry}");
    assert_eq!(gongkai_tests::state(&data), before);
    let report: serde_json::Value = serde_json::from_str(&run(&["up", "--once", "--format", "json"])).expect("json");
    let drift = &report["ingest"]["files"][1]["drift"][0];
    assert_eq!((&drift["feed"], &drift["compared_with"]), (&"air_city_hourly".into(), &"1.csv".into()));
    assert_eq!(drift["renamed"], serde_json::json!([["AQI", "PM10"]]), "{drift}");
    assert_eq!((&drift["gone"], &drift["new"]), (&serde_json::json!(["PM2.5"]), &serde_json::json!(["SO2"])));
    let manifest = std::fs::read_to_string(data.join("releases/air_city_hourly/2/manifest.json")).expect("reads");
    assert!(manifest.contains("2.csv: header differs from that of 1.csv; gone: PM2.5"), "{manifest}");
}

#[test]
fn the_built_in_declarations_are_written_out_and_read_back_alike() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, definitions) = (folder.path().join("data"), folder.path().join("definitions"));
    let written = gongkai(&data).arg("definitions").arg(&definitions).output().expect("starts");
    assert!(written.status.success(), "{}", text(&written.stderr));
    let declarations = gongkai_catalog::Declarations::from_folder(&definitions).expect("reads");
    assert_eq!(declarations.digest(), gongkai_api::instance::embedded().digest());
    let again = gongkai(&data).arg("definitions").arg(&definitions).output().expect("starts");
    assert_eq!(again.status.code(), Some(2));
}
