//! Random released values, read back at their recorded address by readers that are not ours.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use gongkai_tests::{real_data, root, skip, sql, up_once, up_samples};
use serde_json::Value;

/// A table of each of the five feeds, and the column that holds its figure.
const FIGURES: [(&str, &str); 5] = [
    ("gov_budget_line", "amount_yuan"),
    ("debt_stock", "amount_yuan"),
    ("poverty_allocation", "amount_yuan"),
    ("air_hourly", "value"),
    ("cpi_monthly", "index_value"),
];

/// Rows of each table: a hundred in all.
const ROWS: usize = 20;

/// A generator of the multiplicative kind (Lehmer, 2^64 and the multiplier of MMIX): enough to choose rows.
struct Chance(u64);

impl Chance {
    /// Seeded by `GONGKAI_SEED`, else by the clock, so that each run looks at other rows.
    fn new() -> Self {
        let clock = || std::time::UNIX_EPOCH.elapsed().map_or(1, |elapsed| elapsed.as_nanos() as u64);
        let seed = std::env::var("GONGKAI_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(clock);
        println!("GONGKAI_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn objects(bytes: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(bytes).lines().map(|line| serde_json::from_str(line).expect("json")).collect()
}

/// Rows of a table chosen by chance, as the product answers them.
fn choose(data: &Path, table: &str, chance: &mut Chance) -> Vec<Value> {
    let query = format!("SELECT release_id, count(*) AS n FROM open.{table} GROUP BY 1 ORDER BY 1");
    let releases = objects(&sql(data, "ndjson", &query));
    let total: u64 = releases.iter().filter_map(|release| release["n"].as_u64()).sum();
    assert!(total >= ROWS as u64, "{table} has {total} rows");
    let mut condition = String::from("false");
    for _ in 0..ROWS {
        let mut position = chance.below(total);
        for release in &releases {
            let rows = release["n"].as_u64().expect("a count");
            if position < rows {
                let id = release["release_id"].as_str().expect("an id");
                let _ = write!(condition, " OR (release_id = '{id}' AND row_no = {})", position + 1);
                break;
            }
            position -= rows;
        }
    }
    let mut rows = objects(&sql(data, "ndjson", &format!("SELECT * FROM open.{table} WHERE {condition}")));
    for row in &mut rows {
        row["table"] = table.into();
    }
    rows
}

fn read_back(data: &Path) {
    let Some(python) = std::env::var_os("GONGKAI_PYTHON") else {
        skip("random values are read back", "no Python with openpyxl (GONGKAI_PYTHON)");
        return;
    };
    let mut chance = Chance::new();
    let mut rows = Vec::new();
    for (table, column) in FIGURES {
        let chosen = choose(data, table, &mut chance);
        assert!(chosen.iter().all(|row| row.get(column).is_some()), "{table} has no column {column}");
        rows.extend(chosen);
    }
    let mut child = Command::new(python)
        .args(["-W", "ignore"])
        .arg(root().join("tests/read_back.py"))
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let mut input = child.stdin.take().expect("a pipe");
    for row in &rows {
        writeln!(input, "{row}").expect("writes");
    }
    drop(input);
    let output = child.wait_with_output().expect("ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.trim(), format!("{} agree", rows.len()));
    // A row can be drawn twice.
    assert!(rows.len() > FIGURES.len() * ROWS * 8 / 10, "{} rows were compared", rows.len());
}

#[test]
fn a_hundred_random_values_of_the_samples_stand_at_their_recorded_address() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    up_samples(&data);
    read_back(&data);
}

#[test]
fn a_hundred_random_values_of_the_departments_files_stand_at_their_recorded_address() {
    let Some(real) = real_data("random values of the departments' files are read back") else { return };
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    // 1: two rows of the budget workbook are set aside.
    assert_eq!(up_once(&data, Some(&real)).status.code(), Some(1));
    read_back(&data);
}
