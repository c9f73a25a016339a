//! Random released values, read back at their recorded address by readers that are not ours.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use gongkai_tests::{python, real_data, root, samples, sql, up_once, value};
use serde_json::Value;

/// The column that holds the figure of each table with a raw text, and the rows of the table for which it does.
const FIGURES: [(&str, &str, &str); 26] = [
    ("air_hourly", "value", "true"),
    ("air_period_published", "value", "true"),
    ("cpi_announcement", "change_pct", "true"),
    ("cpi_annual", "index_value", "true"),
    ("cpi_contribution", "contribution_pp", "true"),
    ("cpi_monthly", "index_value", "true"),
    ("debt_balance_by_use", "amount_yuan", "true"),
    ("debt_bond_project", "amount_yuan", "bond_size_yuan IS NULL"),
    ("debt_bond_project", "bond_size_yuan", "bond_size_yuan IS NOT NULL"),
    ("debt_flow", "amount_yuan", "true"),
    ("debt_stock", "amount_yuan", "true"),
    ("dept_budget_line", "amount_yuan", "true"),
    ("fiscal_indicator", "amount_yuan", "true"),
    ("gov_budget_line", "amount_yuan", "true"),
    ("performance_target", "amount_yuan", "true"),
    ("poverty_allocation", "amount_yuan", "true"),
    ("poverty_beneficiary_count", "amount_yuan", "true"),
    ("poverty_county", "exit_year", "true"),
    ("poverty_loan", "amount_yuan", "true"),
    ("poverty_loan_firm", "amount_yuan", "true"),
    ("poverty_project_funding", "amount_yuan", "true"),
    ("poverty_receipt", "amount_yuan", "true"),
    ("price_index_monthly", "value", "true"),
    ("price_observation", "value", "true"),
    ("three_public", "amount_yuan", "true"),
    ("water_sample", "sample_value", "true"),
    // Some editions of form 4-2 print the size of a bond, the others the amount for a project.
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

/// Rows of one table with one figure column that come from files of one format.
struct Group {
    table: String,
    figure: &'static str,
    wanted: &'static str,
    format: String,
    count: usize,
}

/// Tables with a raw text, each with its figure columns and the formats that its rows come from.
fn groups(data: &Path) -> Vec<Group> {
    let tables =
        "SELECT table_name FROM catalog.column WHERE schema_name = 'open' AND column_name = 'raw_text' ORDER BY 1";
    let mut groups = Vec::new();
    for table in objects(&sql(data, "ndjson", tables)) {
        let table = table["table_name"].as_str().expect("a name").to_owned();
        let figures: Vec<_> = FIGURES.into_iter().filter(|(name, ..)| *name == table).collect();
        assert!(!figures.is_empty(), "table {table} has a raw text: say in FIGURES which column holds its figure");
        let before = groups.len();
        for (_, figure, wanted) in figures {
            let query = format!(
                "SELECT f.format AS format, count(*) AS n FROM open.{table} t JOIN catalog.source_file f \
                 ON f.source_sha256 = t.source_sha256 WHERE {wanted} GROUP BY 1 ORDER BY 1"
            );
            for group in objects(&sql(data, "ndjson", &query)) {
                let format = group["format"].as_str().expect("a format").to_owned();
                let count = group["n"].as_u64().and_then(|n| usize::try_from(n).ok()).expect("a count");
                groups.push(Group { table: table.clone(), figure, wanted, format, count });
            }
        }
        // No row may be out of reach, by its figure column or by its file.
        let all = value(data, &format!("SELECT count(*) FROM open.{table}"));
        let reached: usize = groups[before..].iter().map(|group| group.count).sum();
        assert_eq!(all, reached.to_string(), "rows of {table} that can be drawn");
    }
    groups
}

/// Rows of one group, chosen by chance, as the product answers them: all of them where there are no more than `most`.
fn choose(data: &Path, group: &Group, most: usize, chance: &mut Chance) -> Vec<Value> {
    let Group { table, figure, wanted, format, count } = group;
    // Ordered by what chance makes of the place of each row.
    let [of_number, of_line, of_column] = [(); 3].map(|()| 1 + chance.below(2_147_483_646));
    let query = format!(
        "SELECT t.*, f.format AS source_format, f.name AS source_name FROM open.{table} t JOIN catalog.source_file f \
         ON f.source_sha256 = t.source_sha256 WHERE {wanted} AND f.format = '{format}' \
         ORDER BY (t.row_no * {of_number} + t.source_row * {of_line} + t.source_column * {of_column}) % 2147483647 \
         LIMIT {most}"
    );
    let mut rows = objects(&sql(data, "ndjson", &query));
    assert_eq!(rows.len(), most.min(*count), "rows of {table} from files of {format}");
    for row in &mut rows {
        row["table"] = table.as_str().into();
        row["figure"] = (*figure).into();
    }
    rows
}

fn read_back(data: &Path, formats: &[&str]) {
    let Some(python) = python("random values are read back", "openpyxl") else { return };
    let mut chance = Chance::new();
    let mut groups = groups(data);
    let found: BTreeSet<&str> = groups.iter().map(|group| group.format.as_str()).collect();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), formats, "formats that rows come from");
    // Small groups give all that they have; the others share what is left of the five hundred.
    groups.sort_by_key(|group| group.count);
    let mut rows = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let share = (ROWS - rows.len()).div_ceil(groups.len() - at);
        rows.extend(choose(data, group, share, &mut chance));
    }
    let all: usize = groups.iter().map(|group| group.count).sum();
    assert_eq!(rows.len(), ROWS.min(all), "rows that are compared");
    let drawn: BTreeSet<&str> = rows.iter().filter_map(|row| row["source_format"].as_str()).collect();
    assert_eq!(drawn.into_iter().collect::<Vec<_>>(), formats, "formats that are compared");
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
}

#[test]
fn five_hundred_random_values_of_the_samples_stand_at_their_recorded_address() {
    let (_folder, data) = samples();
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
