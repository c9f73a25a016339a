//! The finance departments' own debt files, where they are there. Expected figures were read in the files with openpyxl and csv.

use std::path::Path;

use gongkai_tests::{real_data, sql, up_once, value};
use serde_json::Value;

/// File, feed, and the records that the feed finds in it, counted in the files.
const READ: &[(&str, &str, u64)] = &[
    ("changdu_2024.xls", "debt_bond_project_list", 40),
    ("changdu_2024.xls", "debt_new_limits_balance_flows", 14),
    ("changdu_2024.xls", "debt_new_limits_balance_stocks", 14),
    ("changdu_2024.xlsx", "debt_bond_project_list", 40),
    ("changdu_2024.xlsx", "debt_new_limits_balance_flows", 14),
    ("changdu_2024.xlsx", "debt_new_limits_balance_stocks", 14),
    ("hengyang_general_2025.xlsx", "debt_limits_of_kind", 1),
    ("inner_mongolia_bayannur_2018.xlsx", "debt_form_4_1", 9),
    ("inner_mongolia_xilingol_2024_debt_limit.XLS", "debt_flows_own_layout", 15),
    ("inner_mongolia_xilingol_2024_debt_limit.XLS", "debt_limits_own_layout", 15),
    ("inner_mongolia_xingan_2018.xlsx", "debt_form_4_1", 8),
    ("inner_mongolia_xingan_2018.xlsx", "debt_form_4_2", 155),
    ("inner_mongolia_xingan_2018.xlsx", "debt_form_4_3_flows", 14),
    ("inner_mongolia_xingan_2018.xlsx", "debt_form_4_3_stocks", 12),
    ("lijiang_2025_budget_attachment.xlsx", "debt_balance_by_use", 120),
    ("lijiang_2025_budget_attachment.xlsx", "debt_limit_plan_roll_forward_flows", 40),
    ("lijiang_2025_budget_attachment.xlsx", "debt_limit_plan_roll_forward_stocks", 18),
    ("lijiang_2025_budget_attachment.xlsx", "debt_limit_roll_forward_flows", 40),
    ("lijiang_2025_budget_attachment.xlsx", "debt_limit_roll_forward_stocks", 18),
    ("lijiang_2025_budget_attachment.xlsx", "debt_limits_by_region_flows", 7),
    ("lijiang_2025_budget_attachment.xlsx", "debt_limits_by_region_stocks", 7),
    ("xinjiang_2018.xlsx", "debt_form_4_1", 17),
    ("xinjiang_2020.xlsx", "debt_limits_by_kind_flows", 3),
    ("xinjiang_2020.xlsx", "debt_limits_by_kind_stocks", 3),
    ("xinjiang_2021.xlsx", "debt_limits_new_balance_flows", 16),
    ("xinjiang_2021.xlsx", "debt_limits_new_balance_stocks", 16),
    ("xinjiang_2022.xlsx", "debt_limits_new_balance_final_stocks", 17),
    ("xinjiang_2022.xlsx", "debt_limits_new_balance_flows", 17),
    ("广东_2021_57700.xlsx", "debt_form_4_1", 155),
    ("广东_2021_57700.xlsx", "debt_form_4_2", 4_305),
    ("广东_2021_57700.xlsx", "debt_form_4_3_flows", 14),
    ("广东_2021_57700.xlsx", "debt_form_4_3_stocks", 12),
    ("广东_2023_61450.xls", "debt_roll_forward_flows", 8),
    ("广东_2023_61450.xls", "debt_roll_forward_limits", 4),
    ("广东_2023_61450.xls", "debt_roll_forward_stocks", 8),
    ("河北_2021_57813.xlsx", "debt_roll_forward_flows", 8),
    ("河北_2021_57813.xlsx", "debt_roll_forward_limits", 4),
    ("河北_2021_57813.xlsx", "debt_roll_forward_stocks", 8),
    ("河北_2023_58062.xlsx", "debt_limit_adjustment_flows", 6),
    ("河北_2023_58062.xlsx", "debt_limit_adjustment_stocks", 6),
    ("河北_2023_58062.xlsx", "debt_new_limit_allocation", 35),
    ("海南_2022_60810.xlsx", "debt_form_4_1", 31),
    ("海南_2022_60810.xlsx", "debt_form_4_2", 1_408),
    ("海南_2022_60810.xlsx", "debt_form_4_3_flows", 14),
    ("海南_2022_60810.xlsx", "debt_form_4_3_stocks", 12),
    ("重庆_2021_57772.xlsx", "debt_roll_forward_flows", 8),
    ("重庆_2021_57772.xlsx", "debt_roll_forward_limits", 4),
    ("重庆_2021_57772.xlsx", "debt_roll_forward_stocks", 8),
    ("ceic_city_debt_2018_2025.csv", "debt_panel_ceic", 529),
    ("city_gov_debt.csv", "debt_panel_by_code", 3_074),
    ("city_macro_fiscal.csv", "debt_panel_with_economy", 3_074),
    ("rating_chart_city_debt_2018_2025.csv", "debt_panel_charts", 403),
    // 32 regions, three kinds, up to 11 years.
    ("celma-annual-balance.json", "debt_celma_balances", 1_038),
    ("celma-annual-issuance.json", "debt_celma_issuance", 1_038),
    // 19 prefectures of Sichuan, 5 of Yunnan and 5 of Tibet; that of 文山 is of another year.
    ("ebs_sichuan_yunnan_tibet_2018_city_debt_chart.txt", "debt_chart_prose", 29),
    ("panzhihua_2025_rating.txt", "debt_rating_line", 1),
    ("sichuan_2019_city_debt.txt", "debt_text_totals", 22),
    // The province, its own level, 21 prefectures, and what is not yet allotted.
    ("sichuan_2020_city_debt.txt", "debt_text_limits_balances", 24),
    ("sichuan_2021.txt", "debt_text_limits_balances", 21),
    ("sichuan_2022_city_debt.txt", "debt_text_limits_balances", 23),
    ("sichuan_2024.txt", "debt_text_limits_balances", 21),
    ("sichuan_panzhihua_2018_ebs_chart.txt", "debt_chart_line", 1),
];

/// Rows of the chart readings that lack a field.
const RAGGED: u64 = 12;

#[test]
fn the_finance_departments_debt_files_are_read() {
    let Some(real) = real_data("the_finance_departments_debt_files_are_read") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let mut found = Vec::new();
    // 1: rows without all of their fields are set aside.
    for (inbox, status) in [("debt", 1), ("budget/lijiang_2025", 1)] {
        let output = up_once(&data, Some(&real.join(inbox)));
        assert_eq!(output.status.code(), Some(status), "{inbox}: {}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).expect("json");
        found.extend(reports(&report));
    }
    for &(file, feed, records) in READ {
        let of = found.iter().find(|(name, by, ..)| name.as_str() == file && by.as_str() == feed);
        let (.., kept, aside) = of.unwrap_or_else(|| panic!("{file} is not read by {feed}"));
        assert_eq!(kept + aside, records, "{file} by {feed}");
        let expected_aside = if feed == "debt_panel_charts" { RAGGED } else { 0 };
        assert_eq!(*aside, expected_aside, "{file} by {feed}");
    }
    bonds(&data);
    flows(&data);
    limits(&data);
    roll_forwards(&data);
    panels(&data);
}

/// File, feed, records kept and records set aside.
fn reports(report: &Value) -> Vec<(String, String, u64, u64)> {
    let mut found = Vec::new();
    for file in report["ingest"]["files"].as_array().expect("files") {
        let name = file["path"].as_str().expect("a path").rsplit('/').next().expect("a name");
        for report in file["reports"].as_array().into_iter().flatten() {
            let number = |key: &str| report["totals"][key].as_u64().expect("a count");
            assert_eq!(number("records_in"), number("records_kept") + number("records_set_aside"), "{name}");
            let feed = report["feed"].as_str().expect("a feed").to_owned();
            found.push((name.to_owned(), feed, number("records_kept"), number("records_set_aside")));
        }
    }
    found
}

fn bonds(data: &Path) {
    // Rows add up to what no sum may say; once for each size, month and type, merged types filled down, they are far less.
    let sizes = |region: &str| {
        let query = format!(
            "SELECT concat_ws('|', (SELECT sum(bond_size_yuan) FROM debt_bond_project WHERE table_code = 'T32' AND region_name = '{region}'), \
             sum(bond_size_yuan)) FROM (SELECT DISTINCT bond_size_yuan, issue_month, bond_type FROM debt_bond_project \
             WHERE table_code = 'T32' AND region_name = '{region}') AS bonds"
        );
        value(data, &query)
    };
    assert_eq!(sizes("广东省"), "43569690740000.00|462612670000.00");
    assert_eq!(sizes("海南省"), "3690959600000.00|134858460000.00");
    assert_eq!(sizes("兴安盟"), "105370755000.00|4482605000.00");
    // 广东: 107 groups of size, month and type over 4,305 rows.
    let groups =
        "SELECT count(DISTINCT bond_group) FROM debt_bond_project WHERE table_code = 'T32' AND region_name = '广东省'";
    assert_eq!(value(data, groups), "107");
    let amounts = "SELECT count(amount_yuan) FROM debt_bond_project WHERE table_code = 'T32'";
    assert_eq!(value(data, amounts), "0");
    // One size of 海南 is merged over two months: it is printed once.
    let blank = "SELECT count(*) FROM debt_bond_project WHERE table_code = 'T32' AND bond_size_yuan IS NULL";
    assert_eq!(value(data, blank), "1");
    let blank = "SELECT concat_ws('|', count(project_name), count(bond_type), count(competent_org)) FROM debt_bond_project \
                 WHERE table_code = 'T32' AND region_name = '海南省'";
    assert_eq!(value(data, blank), "1408|1408|1393");
    // The projects of 昌都 got what its new quotas are, in both files: 182,506.59 万元.
    let projects =
        "SELECT sum(amount_yuan) FROM debt_bond_project WHERE table_code = 'OWN4' GROUP BY source_sha256 ORDER BY 1";
    let text = String::from_utf8(sql(data, "csv", projects)).expect("text");
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["1825065900.00", "1825065900.00"]);
    let hebei = "SELECT sum(amount_yuan) FROM debt_bond_project WHERE table_code = 'T22' AND region_code = '130000'";
    assert_eq!(value(data, hebei), "149282000000.00");
}

fn flows(data: &Path) {
    let flow = |region: &str, scope: &str, flows: &str| {
        let query = format!(
            "SELECT sum(amount_yuan) FROM debt_flow WHERE table_code = 'T33' AND region_name = '{region}' AND scope = '{scope}' AND flow LIKE '{flows}'"
        );
        value(data, &query)
    };
    assert_eq!(flow("广东省", "area", "issue_%"), "617376140000.00");
    assert_eq!(flow("广东省", "area", "raised_total"), "617711795734.42");
    assert_eq!(flow("海南省", "area", "issue_%"), "77127830000.00");
    assert_eq!(flow("兴安盟", "area", "issue_%"), "4559980000.00");
    let stock = "SELECT concat_ws('|', measure, debt_kind, as_of_year, amount_yuan) FROM debt_stock WHERE table_code = 'T33' \
                 AND region_name = '海南省' AND scope = 'own' AND debt_kind <> 'total' ORDER BY source_row";
    let text = String::from_utf8(sql(data, "csv", stock)).expect("text");
    assert_eq!(
        text.lines().skip(1).collect::<Vec<_>>(),
        [
            "balance|general|2021|66852591018.97",
            "balance|special|2021|29216650000.00",
            "limit|general|2021|58733890000.00",
            "limit|special|2021|42253640000.00",
            "balance|general|2022|74048207223.47",
            "balance|special|2022|41065650000.00",
            "limit|general|2022|87076980000.00",
            "limit|special|2022|49713380000.00",
        ]
    );
    // Form 4-3 prints the limits and balances of form 4-1 again.
    let same = "SELECT count(*) FROM debt_stock AS a JOIN debt_stock AS b ON a.region_id = b.region_id AND a.scope = b.scope \
                AND a.as_of_year = b.as_of_year AND a.measure = b.measure AND a.debt_kind = b.debt_kind \
                WHERE a.table_code = 'T31' AND b.table_code = 'T33' AND a.amount_yuan = b.amount_yuan";
    assert_eq!(value(data, same), "36");
}

fn limits(data: &Path) {
    // 1,583,594 and 1,615,791 万元; 158.3594 and 161.5791 亿元.
    let query = "SELECT as_of_year, amount_yuan, count(DISTINCT table_code) FROM debt_stock WHERE region_code = '530700' AND scope = 'area' \
                 AND measure = 'limit' AND debt_kind = 'general' AND table_code IN ('OWN7', 'OWN10') GROUP BY 1, 2 ORDER BY 1";
    let text = String::from_utf8(sql(data, "csv", query)).expect("text");
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["2024,15835940000.00,2", "2025,16157910000.00,2"]);
    let new_limits = |table: &str, region: &str| {
        let query = format!(
            "SELECT DISTINCT amount_yuan FROM debt_flow WHERE table_code = '{table}' AND region_code = '{region}' AND scope = 'area' \
             AND flow = 'new_limit' AND debt_kind = 'special' AND year <> 2021"
        );
        value(data, &query)
    };
    assert_eq!(new_limits("OWN4", "540300"), "851615900.00");
    assert_eq!(new_limits("OWN2", "650000"), "98400000000.00");
    assert_eq!(new_limits("OWN3", "650000"), "77400000000.00");
    assert_eq!(new_limits("T21", "130000"), "193200000000.00");
    assert_eq!(value(data, "SELECT count(*) FROM debt_stock WHERE table_code = 'OWN4' AND measure = 'limit'"), "0");
    // Names decide: the machine codes of 新疆 2021 stand one row too low.
    let named = "SELECT amount_yuan FROM debt_stock WHERE table_code = 'OWN2' AND region_code = '652700' AND as_of_year = 2021 \
                 AND measure = 'balance' AND debt_kind = 'total'";
    assert_eq!(value(data, named), "20960114774.74");
}

fn roll_forwards(data: &Path) {
    // 调减 is printed above zero and added: 1,525,133.21 + 180,780 − 175,205.55 + 8,508.68 = 1,539,216.34 万元.
    let change = "SELECT sum(CASE balance_effect WHEN 'add' THEN amount_yuan WHEN 'subtract' THEN -amount_yuan ELSE 0 END) FROM debt_flow \
                  WHERE table_code = 'OWN7' AND region_code = '530700' AND scope = 'area' AND debt_kind = 'general' AND stage = 'FINAL'";
    assert_eq!(value(data, change), "140831300.00");
    let stock = |table: &str, region: &str, year: u32, stage: &str, measure: &str| {
        let query = format!(
            "SELECT amount_yuan FROM debt_stock WHERE table_code = '{table}' AND region_code = '{region}' AND scope = 'area' AND as_of_year = {year} \
             AND stage = '{stage}' AND measure = '{measure}' AND amount_yuan IS NOT NULL AND debt_kind <> 'total' ORDER BY debt_kind LIMIT 1"
        );
        value(data, &query)
    };
    assert_eq!(stock("OWN7", "530700", 2024, "FINAL", "balance_prev"), "15251332100.00");
    assert_eq!(stock("OWN7", "530700", 2024, "FINAL", "balance"), "15392163400.00");
    assert_eq!(stock("T12", "130000", 2020, "FINAL", "balance"), "559512015391.89");
    assert_eq!(stock("T12", "130000", 2021, "ESTIMATE", "balance"), "599839878499.87");
    assert_eq!(stock("T12", "130000", 2022, "BUDGET", "limit"), "745384000000.00");
    assert_eq!(stock("T13", "500000", 2021, "ESTIMATE", "balance"), "554477770000.00");
    assert_eq!(stock("T13", "440000", 2023, "BUDGET", "limit"), "1981897550700.00");
    // What 锡林郭勒 resolved otherwise is printed below zero: 5,522,060 + 777,251 − 663,560 − (−136,970) = 5,772,721 万元.
    let change = "SELECT sum(CASE balance_effect WHEN 'add' THEN amount_yuan ELSE -amount_yuan END) FROM debt_flow \
                  WHERE table_code = 'OWN1' AND region_code = '152500' AND scope = 'area'";
    assert_eq!(value(data, change), "2506610000.00");
}

fn panels(data: &Path) {
    // Blanks of the panels are missing, never zero: 9,988 of 18,444 figures are there.
    let panel = "SELECT concat_ws('|', count(*), count(amount_yuan)) FROM debt_stock WHERE table_code = 'PANEL'";
    assert_eq!(value(data, panel), "18444|9988");
    let total = "SELECT sum(amount_yuan) FROM debt_stock WHERE table_code = 'PANEL' AND measure = 'balance' AND debt_kind = 'total'";
    assert_eq!(value(data, total), "243057753000000.00");
    // Both panels name the same 344 codes; 542400 in 2018 is 540600, 那曲市, by the end of that year.
    let places = "SELECT count(DISTINCT region_id) FROM debt_stock WHERE table_code = 'PANEL'";
    assert_eq!(value(data, places), "343");
    let place = |region: &str, year: u32| {
        let query = format!(
            "SELECT concat_ws('|', max(region_code), max(region_name), count(*)) FROM debt_stock \
             WHERE table_code = 'PANEL' AND region_id = '{region}' AND as_of_year = {year}"
        );
        value(data, &query)
    };
    assert_eq!(place("540600", 2018), "540600|那曲市|6");
    // 莱芜市 was no more at the end of 2019.
    assert_eq!(place("371200", 2018), "371200|莱芜市|6");
    assert_eq!(place("371200", 2019), "莱芜市|6");
    assert_eq!(place("133100", 2024), "133100|雄安新区|6");
    let total = "SELECT sum(amount_yuan) FROM debt_stock WHERE table_code = 'PANEL_CEIC'";
    assert_eq!(value(data, total), "54465545545000.00");
    // 攀枝花: 203 in 2019, whose limit was lost, and 237 = 152 + 85, 221 = 143 + 78 in 2020.
    let city = |year: u32| {
        let query = format!(
            "SELECT measure, debt_kind, amount_yuan FROM debt_stock WHERE table_code = 'OWN6' AND region_code = '510400' AND as_of_year = {year} \
             AND amount_yuan IS NOT NULL ORDER BY measure, debt_kind"
        );
        let text = String::from_utf8(sql(data, "csv", &query)).expect("text");
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(city(2019), ["balance,total,20300000000.00"]);
    assert_eq!(
        city(2020),
        [
            "balance,general,14300000000.00",
            "balance,special,7800000000.00",
            "balance,total,22100000000.00",
            "limit,general,15200000000.00",
            "limit,special,8500000000.00",
            "limit,total,23700000000.00",
        ]
    );
    // Sichuan 2019: the lines add up to the printed total, 10,577.
    let total = "SELECT sum(amount_yuan) FROM debt_stock WHERE table_code = 'OWN6' AND as_of_year = 2019 AND measure = 'balance'";
    assert_eq!(value(data, total), "1057700000000.00");
}
