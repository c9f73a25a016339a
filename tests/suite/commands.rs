//! The commands that the other suites do not run, as a new user would run them.

use std::io::Write;
use std::process::Stdio;

use gongkai_tests::{gongkai, root, up_samples};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_export_of_a_release_is_the_released_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    up_samples(&data);
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
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    up_samples(&data);
    let mut command = gongkai(&data);
    command.args(["sql", "--data"]).arg(&data).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let script = ".tables\nSELECT nothing\n  FROM debt_stock;\nSELECT count(*)\n  FROM poverty_county WHERE list_name = 'national_832';\n.quit\n";
    child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("writes");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success());
    let said = text(&output.stdout);
    // The sample lists the 66 poor counties of Sichuan and four made-up ones.
    for part in ["air_hourly", "column_not_found", "| 70 "] {
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
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    up_samples(&data);
    let file = data.join("releases/debt_limit_balance_final/1/data.csv");
    let changed = std::fs::read_to_string(&file).expect("reads").replace("237", "238");
    std::fs::write(&file, changed).expect("writes");
    let output = gongkai(&data).args(["doctor", "--data"]).arg(&data).output().expect("starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("releases/debt_limit_balance_final/1/data.csv"), "{}", text(&output.stdout));
}
