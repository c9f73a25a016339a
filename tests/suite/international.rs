//! A second set of declarations, for publishers outside China: other currencies, other languages, other shapes, and no Rust.
//!
//! Expected figures of the authored files are arithmetic shown beside them; those of the publishers' files were summed with
//! Python's `decimal` over the files themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use gongkai_tests::{gongkai, real_data, root};
use serde_json::Value;

fn definitions() -> PathBuf {
    root().join("tests/definitions/international")
}

fn with_definitions(data: &Path, arguments: &[&str]) -> Command {
    let mut command = gongkai(data);
    command.args(arguments).arg("--definitions").arg(definitions()).arg("--data").arg(data);
    command
}

/// Ingests and releases an inbox; gives the exit code and the report.
fn up(data: &Path, inbox: &Path) -> (Option<i32>, Value) {
    let output = with_definitions(data, &["up", "--once", "--format", "json"])
        .arg("--inbox")
        .arg(inbox)
        .output()
        .expect("starts");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), report)
}

/// The rows that a query answers, each as the line that CSV prints.
fn rows(data: &Path, query: &str) -> Vec<String> {
    let output = with_definitions(data, &["sql", "--format", "csv"]).arg(query).output().expect("starts");
    assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().skip(1).map(str::to_owned).collect()
}

fn value(data: &Path, query: &str) -> String {
    let rows = rows(data, query);
    assert_eq!(rows.len(), 1, "{query}: {rows:?}");
    rows.into_iter().next().unwrap_or_default()
}

/// Records in, kept and set aside of the feed that read a file.
fn totals(report: &Value, name: &str) -> (u64, u64, u64) {
    let files = report["ingest"]["files"].as_array().expect("files");
    let file = files.iter().find(|file| file["path"].as_str().is_some_and(|path| path.ends_with(name)));
    let file = file.unwrap_or_else(|| panic!("{name} is not in the report"));
    assert_eq!(file["outcome"], "read", "{name}: {file}");
    let number = |key: &str| -> u64 {
        let reports = file["reports"].as_array().expect("reports");
        reports.iter().map(|report| report["totals"][key].as_u64().expect("a count")).sum()
    };
    assert_eq!(
        number("cells_in"),
        number("values") + number("missing") + number("cells_set_aside"),
        "{name} is not balanced"
    );
    (number("records_in"), number("records_kept"), number("records_set_aside"))
}

/// Files in the publishers' layouts, with figures made up for the test.
const AUTHORED: [(&str, &str); 5] = [
    (
        "budget.csv",
        "Portfolio,Department/Agency,Outcome,Program,Expense type,Appropriation type,Description,2030-31,2031-32,Source document,Source table,URL\r\n\
         Arts Portfolio,Museum,\"Outcome 1: Access, research\",Programme 1.1: Museum,Departmental expenses,Departmental appropriation,,\"1,200\",1300.5,Museum PBS,Table 2.1,https://example.org/1\r\n\
         Arts Portfolio,Museum,\"Outcome 1: Access, research\",Programme 1.2: Archive,Administered expenses,Special appropriations,Grants,nfp,-20,Museum PBS,Table 2.1,\r\n",
    ),
    (
        "gastos.csv",
        "AÑO,CENTRO,DESCRIPCION CENTRO,SECCION,DESCRIPCION SECCION,PROGRAMA,DESCRIPCION PROGRAMA,CAPITULO,DESCRIPCION CAPITULO,ECONOMICO,DESCRIPCION ECONOMICO,IMPORTE\n\
         2031,001,AYUNTAMIENTO,002,PRESIDENCIA,91100,SECRETARÍA,1,GASTOS DE PERSONAL,12000,SUELDOS,1000\n\
         2031,001,AYUNTAMIENTO,002,PRESIDENCIA,91100,SECRETARÍA,1,GASTOS DE PERSONAL,12001,TRIENIOS,250\n",
    ),
    (
        "allocations.csv",
        "Country ID,Fund,Amount\nPoland,Cohesion Fund (€),300\nPoland,Total (€),300\nAtlantis,Total (€),5\n",
    ),
    (
        "adopted.csv",
        "budget_year,department,account_type,fund_code,account_category,amount\r\n\
         FY30-31,Mayor,Expense,1010,Civilian Salaries,700\r\n\
         FY30-31,Mayor,Expense,1010,Civilian Salaries,700\r\n\
         FY30-31,Mayor,Expense,1010,Civilian Salaries,-50\r\n",
    ),
    ("cpi.csv", "Country,Country Code,Year,CPI\r\nPoland,POL,2031,2.50000000000000001\r\nWorld,WLD,2031,-0.5\r\n"),
];

#[test]
fn other_publishers_are_read_by_declarations_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, inbox) = (folder.path().join("data"), folder.path().join("inbox"));
    std::fs::create_dir(&inbox).expect("a folder");
    for (name, text) in AUTHORED {
        std::fs::write(inbox.join(name), text).expect("writes");
    }
    let (code, report) = up(&data, &inbox);
    assert_eq!(code, Some(0), "{report}");
    for (name, records) in
        [("budget.csv", 2), ("gastos.csv", 2), ("allocations.csv", 3), ("adopted.csv", 3), ("cpi.csv", 2)]
    {
        assert_eq!(totals(&report, name), (records, records, 0), "{name}");
    }

    // Years are columns: two lines of two years. Thousands of dollars; nfp is missing, not zero.
    let of_year = "SELECT concat_ws('|', fiscal_year, count(*), count(amount_aud), sum(amount_aud)) FROM appropriation \
                   GROUP BY fiscal_year ORDER BY fiscal_year";
    // 1,300.5 − 20 thousand = 1,280,500.
    assert_eq!(rows(&data, of_year), ["2030-31|2|1|1200000.00", "2031-32|2|2|1280500.00"]);
    let state = "SELECT concat_ws('|', value_state, raw_text) FROM appropriation WHERE amount_aud IS NULL";
    assert_eq!(value(&data, state), "missing|nfp");

    // 1,000 + 250; codes keep their zeros.
    let madrid =
        "SELECT concat_ws('|', min(centre_code), min(section_code), sum(amount_eur)) FROM municipal_expenditure";
    assert_eq!(value(&data, madrid), "001|002|1250.00");

    let eu = "SELECT concat_ws('|', region_code, fund_name, is_total, amount_eur, published_unit) FROM fund_allocation \
              WHERE region_code IS NOT NULL ORDER BY is_total";
    assert_eq!(rows(&data, eu), ["PL|Cohesion Fund (€)|detail|300.00|eur", "PL|Total (€)|total|300.00|eur"]);
    // A name that the list of regions does not have keeps its row.
    let unknown = "SELECT concat_ws('|', region_id, region_name) FROM fund_allocation WHERE region_code IS NULL";
    assert_eq!(value(&data, unknown), "Atlantis|Atlantis");

    // 700 + 700 − 50: equal lines are three figures, not copies of one.
    assert_eq!(value(&data, "SELECT concat_ws('|', count(*), sum(amount_usd)) FROM adopted_budget"), "3|1350.00");

    let cpi = "SELECT concat_ws('|', region_code, geo_kind, data_year, inflation_pct) FROM consumer_inflation \
               ORDER BY region_code";
    assert_eq!(rows(&data, cpi), ["POL|country|2031|2.500000000000000010", "WLD|aggregate|2031|-0.500000000000000000"]);
}

#[test]
fn other_publishers_own_files_come_out_with_their_totals() {
    let Some(real) = real_data("other_publishers_own_files_come_out_with_their_totals") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let (code, report) = up(&data, &real.join("international"));
    // 1: one figure of the World Bank is written with an exponent, which is no number here.
    assert_eq!(code, Some(1), "{report}");
    for (name, records) in [
        ("201505181230budget1516.csv", 1_608),
        ("gastos_v40_2012-2015.csv", 20_217),
        ("Total_EU_Allocations_per_MS_for_2014-2020.csv", 252),
        ("FY19-20__adopted.csv", 19_456),
        ("cpi.csv", 11_182),
    ] {
        assert_eq!(totals(&report, name), (records, records, 0), "{name}");
    }
    australia(&data);
    europe(&data);
    america(&data);
    world(&data);
}

fn australia(data: &Path) {
    let of_year = "SELECT concat_ws('|', fiscal_year, count(*), count(published_value), CAST(sum(published_value) AS DECIMAL(38,6))) \
                   FROM appropriation GROUP BY fiscal_year ORDER BY fiscal_year";
    assert_eq!(
        rows(data, of_year),
        [
            "2014-15|1608|1604|450521878.687746",
            "2015-16|1608|1604|451289929.780131",
            "2016-17|1608|1588|472043966.481955",
            "2017-18|1608|1588|488282845.959493",
            "2018-19|1608|1588|511524122.373805",
        ]
    );
    // Line 3 of the file, 395,356 thousand.
    let bureau = "SELECT amount_aud FROM appropriation WHERE agency = 'Australian Bureau of Statistics' AND fiscal_year = '2014-15' \
                  AND source_row = 3";
    assert_eq!(value(data, bureau), "395356000.00");
}

fn europe(data: &Path) {
    let of_year = "SELECT concat_ws('|', fiscal_year, sum(amount_eur)) FROM municipal_expenditure GROUP BY fiscal_year ORDER BY fiscal_year";
    assert_eq!(
        rows(data, of_year),
        ["2012|4942020428.00", "2013|4564125024.00", "2014|4699310629.00", "2015|4650554218.00"]
    );
    // 28 member states, each with a code; the funds add up to 349,692,900,000 and the printed totals to 349,693,200,000.
    let states = "SELECT concat_ws('|', count(DISTINCT region_code), count(*)) FROM fund_allocation WHERE region_code IS NOT NULL";
    assert_eq!(value(data, states), "28|252");
    let kinds =
        "SELECT concat_ws('|', is_total, sum(amount_eur)) FROM fund_allocation GROUP BY is_total ORDER BY is_total";
    assert_eq!(rows(data, kinds), ["detail|349692900000.00", "total|349693200000.00"]);
}

fn america(data: &Path) {
    let sums = "SELECT concat_ws('|', account_type, sum(amount_usd)) FROM adopted_budget GROUP BY account_type ORDER BY account_type";
    assert_eq!(rows(data, sums), ["Expense|1656222651.00", "Revenue|1656222651.00"]);
    let counts = "SELECT concat_ws('|', count(*), sum(CASE WHEN amount_usd < 0 THEN 1 ELSE 0 END)) FROM adopted_budget";
    assert_eq!(value(data, counts), "19456|1002");
}

fn world(data: &Path) {
    let counts =
        "SELECT concat_ws('|', count(*), count(DISTINCT region_code), count(inflation_pct)) FROM consumer_inflation";
    assert_eq!(value(data, counts), "11182|240|11181");
    let china = "SELECT raw_text FROM consumer_inflation WHERE region_code = 'CHN' AND data_year = 2022";
    assert_eq!(value(data, china), "1.97357555739051");
    let aside = "SELECT concat_ws('|', region_code, data_year, raw_text) FROM consumer_inflation WHERE value_state = 'set_aside'";
    assert_eq!(value(data, aside), "FIN|2009|-9.17360384430342E-07");
}
