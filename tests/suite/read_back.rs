//! Random released values, read back at their recorded address by readers that are not ours.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use gongkai_tests::{real_data, root, skip, sql, up_once, up_samples};
use serde_json::Value;

/// The column that holds the figure of each table with a raw text, and what rows of it are drawn.
const FIGURES: [(&str, &str, &str); 17] = [
    ("air_hourly", "value", "true"),
    ("cpi_announcement", "change_pct", "true"),
    ("cpi_annual", "index_value", "true"),
    ("cpi_monthly", "index_value", "true"),
    ("debt_balance_by_use", "amount_yuan", "true"),
    // The size of a bond that several lines share stands in the first of them.
    ("debt_bond_project", "amount_yuan", "amount_yuan IS NOT NULL"),
    ("debt_flow", "amount_yuan", "true"),
    ("debt_stock", "amount_yuan", "true"),
    ("dept_budget_line", "amount_yuan", "true"),
    ("fiscal_indicator", "amount_yuan", "true"),
    ("gov_budget_line", "amount_yuan", "true"),
    ("poverty_allocation", "amount_yuan", "true"),
    ("price_index_monthly", "value", "true"),
    ("price_observation", "value", "true"),
    ("three_public", "amount_yuan", "true"),
    ("water_sample", "sample_value", "true"),
    // No figures: a row is a county, whose year may stand in the name of the sheet.
    ("poverty_county", "", "false"),
];

/// Rows that are compared.
const ROWS: usize = 500;

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

/// Tables with a raw text, each with the formats that its rows come from and how many rows each gives.
fn groups(data: &Path) -> Vec<(String, String, String, u64)> {
    let tables =
        "SELECT table_name FROM catalog.column WHERE schema_name = 'open' AND column_name = 'raw_text' ORDER BY 1";
    let mut groups = Vec::new();
    for table in objects(&sql(data, "ndjson", tables)) {
        let table = table["table_name"].as_str().expect("a name").to_owned();
        let Some((_, figure, wanted)) = FIGURES.iter().find(|(name, ..)| *name == table) else {
            panic!("table {table} has a raw text: say in FIGURES which column holds its figure");
        };
        let query = format!(
            "SELECT f.format AS format, count(*) AS n FROM open.{table} t JOIN catalog.source_file f \
             ON f.source_sha256 = t.source_sha256 WHERE {wanted} GROUP BY 1 ORDER BY 1"
        );
        for group in objects(&sql(data, "ndjson", &query)) {
            let format = group["format"].as_str().expect("a format").to_owned();
            groups.push((table.clone(), (*figure).to_owned(), format, group["n"].as_u64().expect("a count")));
        }
    }
    groups
}

/// Rows of one table from files of one format, chosen by chance, as the product answers them.
fn choose(data: &Path, group: &(String, String, String, u64), most: usize, chance: &mut Chance) -> Vec<Value> {
    let (table, figure, format, count) = group;
    let wanted = FIGURES.iter().find(|(name, ..)| name == table).map_or("true", |(.., wanted)| wanted);
    // A few times as many as are wanted, spread over all, of which chance takes its share.
    let step = (count / (most as u64 * 3)).max(1);
    let first = chance.below(step);
    let query = format!(
        "SELECT t.*, f.format AS source_format FROM open.{table} t JOIN catalog.source_file f \
         ON f.source_sha256 = t.source_sha256 WHERE {wanted} AND f.format = '{format}' AND t.row_no % {step} = {first} \
         LIMIT {}",
        most * 6
    );
    let mut found = objects(&sql(data, "ndjson", &query));
    let mut rows = Vec::new();
    while rows.len() < most && !found.is_empty() {
        let mut row = found.swap_remove(usize::try_from(chance.below(found.len() as u64)).expect("an index"));
        row["table"] = table.as_str().into();
        row["figure"] = figure.as_str().into();
        rows.push(row);
    }
    rows
}

fn read_back(data: &Path, formats: &[&str]) {
    let Some(python) = std::env::var_os("GONGKAI_PYTHON") else {
        skip("random values are read back", "no Python with openpyxl (GONGKAI_PYTHON)");
        return;
    };
    let mut chance = Chance::new();
    let groups = groups(data);
    let found: BTreeSet<&str> = groups.iter().map(|(.., format, _)| format.as_str()).collect();
    assert!(formats.iter().all(|format| found.contains(format)), "rows come from {found:?}, expected {formats:?}");
    // Small groups give all that they have; the others share what is left of the five hundred.
    let mut by_size: Vec<_> = groups.iter().collect();
    by_size.sort_by_key(|(.., count)| *count);
    let mut rows = Vec::new();
    for (at, group) in by_size.iter().enumerate() {
        let share = (ROWS - rows.len().min(ROWS)).div_ceil(by_size.len() - at);
        rows.extend(choose(data, group, share, &mut chance));
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
    // A step over the rows of a group can pass by some of those that it was to give.
    assert!(rows.len() > ROWS * 9 / 10, "{} rows were compared", rows.len());
}

#[test]
fn five_hundred_random_values_of_the_samples_stand_at_their_recorded_address() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    up_samples(&data);
    read_back(&data, &["csv", "html", "json", "text", "xls", "xlsx"]);
}

#[test]
fn five_hundred_random_values_of_the_departments_files_stand_at_their_recorded_address() {
    let Some(real) = real_data("random values of the departments' files are read back") else { return };
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    // 1: two rows of the budget workbook are set aside.
    assert_eq!(up_once(&data, Some(&real)).status.code(), Some(1));
    read_back(&data, &["csv", "html", "json", "text", "xls", "xlsx"]);
}
