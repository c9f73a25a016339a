//! The real price files: national series, announcements, corporate goods prices and three cities' bulletins. Expected
//! figures were read in the files, or counted over them by other means.

use std::collections::BTreeSet;
use std::path::Path;

use gongkai_tests::{real_data, root, sql, up_once, value};
use serde_json::Value;

/// Files and the records in each, counted in the files. A table of a bulletin that is not about prices is no record.
const FILES: [(&str, u64); 8] = [
    ("china_cpi.csv", 208),
    ("macro_china_cpi_df.csv", 211),
    ("macro_china_cpi_monthly_df.csv", 354),
    ("macro_china_cpi_yearly_df.csv", 474),
    ("macro_china_qyspjg_df.csv", 243),
    ("xinxiang_2025_statistical_bulletin.html", 14),
    ("zhoukou_2025_statistical_bulletin.html", 15),
    ("zhumadian_2025_statistical_bulletin.html", 9),
];

#[test]
fn the_price_files_are_read_without_loss() {
    let Some(real) = real_data("the_price_files_are_read_without_loss") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let output = up_once(&data, Some(&real.join("cpi")));
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    for (name, records) in FILES {
        assert_eq!(counts(&report, name), (records, records, 0, 0), "{name}");
    }
    vintages(&data);
    announcements(&data);
    corporate_goods(&data);
    bulletins(&data);
    chains(&data);
}

/// Records read, kept and set aside, and cells set aside.
fn counts(report: &Value, name: &str) -> (u64, u64, u64, u64) {
    let files = report["ingest"]["files"].as_array().expect("files");
    let is_named = |file: &&Value| file["path"].as_str().is_some_and(|path| path.ends_with(name));
    let reports = files.iter().filter(is_named).flat_map(|file| file["reports"].as_array().into_iter().flatten());
    let mut sum = (0, 0, 0, 0);
    for report in reports {
        let number = |key: &str| report["totals"][key].as_u64().expect("a count");
        sum.0 += number("records_in");
        sum.1 += number("records_kept");
        sum.2 += number("records_set_aside");
        sum.3 += number("cells_set_aside");
    }
    sum
}

/// Two vintages of one table: the 208 common months are equal, three are new.
fn vintages(data: &Path) {
    let national = "FROM cpi_monthly WHERE region_code = '000000'";
    assert_eq!(value(data, &format!("SELECT count(*) {national}")), (211 * 9).to_string());
    assert_eq!(value(data, &format!("SELECT max(data_month) {national}")), "2025-07");
    let newest = format!(
        "SELECT index_value {national} AND data_month = '2025-07' AND population = 'rural' AND base_kind = 'yoy'"
    );
    assert_eq!(value(data, &newest), "99.7000");
}

fn announcements(data: &Path) {
    let lines = sql(
        data,
        "csv",
        "SELECT base_kind, measure, count(*), count(change_pct), sum(change_pct) FROM cpi_announcement GROUP BY 1, 2 ORDER BY 1, 2",
    );
    let lines = String::from_utf8(lines).expect("text");
    assert_eq!(
        lines.lines().skip(1).collect::<Vec<_>>(),
        [
            "mom,current,354,351,50.2000",
            "mom,forecast,354,150,26.4000",
            "mom,previous,354,353,51.5000",
            "yoy,current,474,472,2161.8000",
            "yoy,forecast,474,174,361.0000",
            "yoy,previous,474,473,2162.0000",
        ]
    );
    // Printed before the figure was there.
    assert_eq!(
        value(
            data,
            "SELECT concat_ws('|', value_state, raw_text) FROM cpi_announcement WHERE announced_date = DATE '2025-06-09' AND base_kind = 'mom' AND measure = 'current'"
        ),
        "missing|"
    );
    // Where the figure before is not what was announced: 0.0 five times, and a planned day that never was.
    let off = "SELECT count(*) FROM catalog.finding WHERE check_id = 'C10' AND outcome = 'WARN' AND scope_key LIKE '000000/mom/%'";
    assert_eq!(value(data, off), "6");
    let off = "SELECT concat_ws(' ', scope_key, lhs, rhs) FROM catalog.finding WHERE check_id = 'C10' AND scope_key LIKE '000000/yoy/%'";
    assert_eq!(value(data, off), "000000/yoy/2025-01-12 0.2 0.1");
}

fn corporate_goods(data: &Path) {
    assert_eq!(value(data, "SELECT count(value) FROM price_index_monthly"), (243 * 12).to_string());
    let first = "SELECT concat_ws('|', unit, value, published_value) FROM price_index_monthly \
                 WHERE data_month = '2005-01' AND item_code = 'farm_products' AND measure = 'change_mom'";
    assert_eq!(value(data, first), "percent|-0.0188|-0.018825300000");
    // Every change follows from the index: 231 months against the year before, 242 against the month before, four groups.
    assert_eq!(
        value(
            data,
            "SELECT sum(identities) FROM catalog.check_run WHERE check_id = 'C09' AND outcome IN ('PASS', 'WARN_ROUNDING')"
        ),
        (4 * (231 + 242)).to_string()
    );
    assert_eq!(value(data, "SELECT count(*) FROM catalog.finding WHERE check_id = 'C09' AND outcome = 'WARN'"), "0");
}

/// Three cities, three forms: changes, indices, both.
fn bulletins(data: &Path) {
    let index = |city: &str, item: &str| {
        let query = format!(
            "SELECT concat_ws('|', index_value, conversion, item_name) FROM cpi_annual \
             WHERE region_name = '{city}' AND data_year = 2025 AND item_code = '{item}'"
        );
        value(data, &query)
    };
    assert_eq!(index("周口市", "total"), "100.1000|100 + 0.1|居民消费价格指数");
    assert_eq!(index("周口市", "aquatic_products"), "99.9000|100 - 0.1|水产品");
    assert_eq!(index("周口市", "other_goods_services"), "111.4000|100 + 11.4|其他用品及服务");
    assert_eq!(index("新乡市", "livestock_meat"), "93.0000|93|畜肉");
    assert_eq!(index("新乡市", "other_goods_services"), "110.9000|110.9|其它用品和服务");
    assert_eq!(index("驻马店市", "transport_communication"), "98.1000|98.1|交通和通信");
    let codes = sql(data, "csv", "SELECT region_code, count(*) FROM cpi_annual GROUP BY 1 ORDER BY 1");
    let codes = String::from_utf8(codes).expect("text");
    assert_eq!(codes.lines().skip(1).collect::<Vec<_>>(), ["410700,14", "411600,15", "411700,9"]);
    // All eight categories are there in each, and the headline lies between them.
    assert_eq!(
        value(data, "SELECT sum(identities) FROM catalog.check_run WHERE check_id = 'C04Y' AND outcome = 'PASS'"),
        "6"
    );
}

/// The national series against itself, counted by a script over the file: 600 indices with twelve months before them, 597
/// with the year before.
fn chains(data: &Path) {
    let run = |check: &str, outcome: &str| {
        value(
            data,
            &format!(
                "SELECT sum(identities) FROM catalog.check_run WHERE check_id = '{check}' AND outcome = '{outcome}'"
            ),
        )
    };
    assert_eq!((run("C01", "PASS"), run("C01", "WARN_ROUNDING")), ("571".into(), "29".into()));
    assert_eq!((run("C02", "PASS"), run("C02", "WARN_ROUNDING")), ("537".into(), "60".into()));
    // 18 Januaries of three populations.
    assert_eq!(run("C03", "PASS"), "54");
    let errors = "SELECT count(*) FROM catalog.finding WHERE check_id IN ('C01', 'C02', 'C03', 'C07', 'C07Y') AND outcome = 'ERROR'";
    assert_eq!(value(data, errors), "0");
}

#[test]
fn every_item_of_a_price_feed_is_in_the_list_of_items() {
    let list = std::fs::read_to_string(root().join("catalog/codes/cpi_items.csv")).expect("the list");
    let known: BTreeSet<&str> = list.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    for feed in ["cpi_annual_by_population", "cpi_annual_index", "cpi_annual_change", "cpi_monthly_city"] {
        let path = root().join(format!("ingest/feeds/statistics_survey_offices/{feed}.toml"));
        let text = std::fs::read_to_string(&path).expect("the feed");
        let items: BTreeSet<&str> =
            text.split("item_code = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let unknown: Vec<_> = items.difference(&known).collect();
        assert!(!items.is_empty() && unknown.is_empty(), "{feed}: {unknown:?} are not in catalog/codes/cpi_items.csv");
    }
}
