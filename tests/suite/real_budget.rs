//! Budget tables in the departments' own files, where they are there. Expected figures were read in the files themselves,
//! with another reader; sums are shown beside them.

use std::path::Path;

use gongkai_tests::{real_data, up_once, value};
use serde_json::Value;

/// Records in, kept and set aside of each file, counted in the files.
const FILES: [(&str, u64, u64); 12] = [
    // 47 table sheets but for debt (44 to 48): 7,539 and 7 + 63 + 7 + 28 + 20 + 12 + 11 of 05, 24 to 27, 32 and 37. Two rows hold
    // figures without a name.
    ("lijiang_2025_budget_attachment.xlsx", 7_687, 2),
    // Ten tables of 326 lines; 5 and 12 sentences.
    ("changde_2025_budget_report.html", 343, 0),
    // 14 totals of the execution, 7 of the draft, 5 clauses of debt.
    ("yaan_2025_budget_report.html", 26, 0),
    // 16 and 11 lists of 21 prefectures.
    ("ser_allCity.json", 567, 0),
    // Four of 29 lists say again what others of the file say.
    ("data_first.json", 609, 84),
    // 27 lists of 17 and of 5 counties.
    ("ser_凉山彝族自治州.json", 459, 0),
    ("ser_攀枝花市.json", 135, 0),
    ("jiangsu_2018_city_fund_excerpt.txt", 15, 0),
    ("jiangsu_2020_city_fund_excerpt.txt", 13, 0),
    ("jiangsu_2024_city_fund_excerpt.txt", 13, 0),
    ("macro_china_czsr_df.csv", 201, 0),
    ("macro_china_national_tax_receipts_df.csv", 79, 0),
];

#[test]
fn the_departments_budget_tables_are_read_as_printed() {
    let Some(real) = real_data("the_departments_budget_tables_are_read_as_printed") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    for inbox in ["budget", "cpi"] {
        let output = up_once(&data, Some(&real.join(inbox)));
        let report: Value = serde_json::from_slice(&output.stdout).expect("json");
        every_record_is_accounted_for(&report);
    }
    annex(&data);
    reports(&data);
    series(&data);
    national(&data);
    findings(&data);
}

fn every_record_is_accounted_for(report: &Value) {
    for file in report["ingest"]["files"].as_array().expect("files") {
        let name = file["path"].as_str().expect("a path").rsplit('/').next().expect("a name");
        let Some((_, records, set_aside)) = FILES.iter().find(|(of, ..)| *of == name) else { continue };
        let reports = file["reports"].as_array().unwrap_or_else(|| panic!("{name} is not read: {file}"));
        // Tables of debt have their own test.
        let is_budget = |report: &&Value| {
            let feed = report["feed"].as_str().expect("a feed");
            !feed.starts_with("debt_") || feed == "debt_prose_report"
        };
        let reports: Vec<&Value> = reports.iter().filter(is_budget).collect();
        let number =
            |key: &str| -> u64 { reports.iter().map(|report| report["totals"][key].as_u64().expect("a count")).sum() };
        assert_eq!(number("records_in"), number("records_kept") + number("records_set_aside"), "{name}");
        assert_eq!((number("records_in"), number("records_set_aside")), (*records, *set_aside), "{name}");
    }
}

/// Sheets 05, 24 to 27, 32 and 37 of Lijiang's annex.
fn annex(data: &Path) {
    let of = |region: &str, filter: &str, what: &str| {
        value(data, &format!("SELECT {what} FROM gov_budget_line WHERE region_code = '{region}' AND {filter}"))
    };
    let lijiang = |filter: &str, what: &str| of("530700", filter, what);
    // 2,086.74 + 1,184.15 + 849.86 + 120.53 + 63.47 + 1,495.25 = 5,800 万元.
    assert_eq!(lijiang("table_code = 'GE17' AND line_path = 'T/合计'", "amount_yuan"), "58000000.00");
    assert_eq!(lijiang("table_code = 'GE17' AND line_kind = 'detail'", "sum(amount_yuan)"), "58000000.00");
    // 62 projects, 54,428.114 万元.
    let projects = "table_code = 'GB15' AND project_name IS NOT NULL";
    assert_eq!(lijiang(projects, "concat_ws(' ', count(*), sum(amount_yuan))"), "62 544281140.00");
    assert_eq!(lijiang("table_code = 'GB15' AND line_path = 'T/合计'", "amount_yuan"), "544281140.00");
    // Five counties: 616,202 = 21,163 + 595,039 万元.
    let by_county = |kind: &str| {
        lijiang(
            &format!("table_code = 'GB15' AND counterpart_region IS NOT NULL AND transfer_kind = '{kind}'"),
            "concat_ws(' ', count(*), sum(amount_yuan))",
        )
    };
    assert_eq!(by_county("total"), "5 6162020000.00");
    assert_eq!(by_county("rebate"), "5 211630000.00");
    let transfers = "counterpart_region = '玉龙县' AND transfer_kind = 'transfer'";
    assert_eq!(lijiang(transfers, "amount_yuan"), "1209650000.00");
    assert_eq!(lijiang("line_path = 'T/预算数' AND transfer_kind = 'total'", "amount_yuan"), "12088660000.00");
    // 77,999 + 11,009 + 0 + 54,569 + 0 + 8,232 = 151,809 万元.
    let basic = "table_code = 'GB14' AND fiscal_year = 2026";
    assert_eq!(lijiang(&format!("{basic} AND line_kind = 'total'"), "amount_yuan"), "1518090000.00");
    assert_eq!(lijiang(&format!("{basic} AND class_level = 1"), "sum(amount_yuan)"), "1518090000.00");
    assert_eq!(lijiang(&format!("{basic} AND class_code = '50199'"), "amount_yuan"), "120970000.00");
    // 工资福利支出 of institutions is 50501, 设备购置 below 机关资本性支出 50306.
    assert_eq!(lijiang(&format!("{basic} AND class_code = '50501'"), "amount_yuan"), "522670000.00");
    assert_eq!(lijiang(&format!("{basic} AND line_name = '设备购置'"), "line_path"), "503/50306");
    assert_eq!(lijiang("table_code = 'GB14' AND class_level IS NULL AND line_kind <> 'total'", "count(*)"), "0");
    // 622.162803 万元 are 6,221,628.03 yuan.
    let video = "table_code = 'GB52' AND project_name LIKE '“平安丽江”%'";
    assert_eq!(lijiang(video, "concat_ws(' ', amount_yuan, published_scale)"), "6221628.03 6");
    assert_eq!(lijiang("table_code = 'GB52' AND line_kind = 'total'", "amount_yuan"), "1028461628.03");
    assert_eq!(lijiang("table_code = 'GB52' AND project_basis IS NOT NULL", "count(*)"), "19");
    let funds = "table_code = 'GB24' AND line_kind = 'detail' AND amount_yuan IS NOT NULL AND fiscal_year = 2026";
    assert_eq!(lijiang(funds, "concat_ws(' ', count(*), sum(amount_yuan))"), "2 62380000.00");
    // 45 + 200 + 203 + 47 + 27 + 2,583 = 3,105 万元; 调出资金 is no project.
    let capital = "table_code = 'GB33'";
    assert_eq!(lijiang(&format!("{capital} AND is_leaf AND line_kind = 'detail'"), "sum(amount_yuan)"), "31050000.00");
    assert_eq!(lijiang(&format!("{capital} AND line_path = 'T/各项支出合计'"), "amount_yuan"), "31050000.00");
    assert_eq!(lijiang(&format!("{capital} AND project_name IS NOT NULL"), "count(*)"), "5");
    assert_eq!(
        lijiang(&format!("{capital} AND project_name = '玉龙县原新华纸厂天保人员工资'"), "parent_path"),
        "T/转移支付支出"
    );
    // One code, two names in one workbook.
    let names = "SELECT string_agg(line_name, ' ' ORDER BY line_name) FROM \
                 (SELECT DISTINCT line_name FROM gov_budget_line WHERE region_code = '530700' AND class_code = '21019')";
    assert_eq!(value(data, names), "托育服务 育幼服务");
}

/// The reports of Changde, with ten tables, and of Ya'an, in prose.
fn reports(data: &Path) {
    let line = |region: &str, table: &str, scope: &str, path: &str, measure: &str| {
        let query = format!(
            "SELECT amount_yuan FROM gov_budget_line WHERE region_code = '{region}' AND table_code = '{table}' AND scope = '{scope}' \
             AND line_path = '{path}' AND measure = '{measure}' AND (fund_name IS NULL OR fund_name = '合计')"
        );
        value(data, &query)
    };
    let changde = |table: &str, scope: &str, path: &str, measure: &str| line("430700", table, scope, path, measure);
    assert_eq!(changde("GE01", "area", "T/收入合计", "final"), "80458000000.00");
    assert_eq!(changde("GE01", "area", "T/收入合计", "estimate"), "75454000000.00");
    assert_eq!(changde("GE01", "own", "T/支出合计", "estimate"), "25942000000.00");
    assert_eq!(changde("GB01", "area", "T/收入合计", "budget"), "66740000000.00");
    assert_eq!(changde("GE02", "area", "T/国有土地使用权出让收入", "estimate"), "3963000000.00");
    assert_eq!(changde("GE02", "own", "T/收入合计", "estimate"), "20275000000.00");
    // The tables of state capital are in 万元, the others in 亿元.
    assert_eq!(changde("GE03", "own", "T/利润收入/金融企业利润收入", "estimate"), "20040000.00");
    assert_eq!(changde("GB03", "own", "T/收入合计", "budget"), "298260000.00");
    assert_eq!(changde("GE04", "own", "T/年末滚存结余", "estimate"), "6472000000.00");
    let care = "SELECT amount_yuan FROM gov_budget_line WHERE table_code = 'GB04' AND fund_name = '长期护理保险基金' \
                AND line_path = 'T/本年收入'";
    assert_eq!(value(data, care), "86000000.00");
    // Revenue and expenditure come to the same total, and their leaves to it: 804.58, 754.54, 667.4, 444.92 亿元 …
    let off = "SELECT count(*) FROM (SELECT table_code, scope, measure, \
               sum(CASE WHEN class_scheme = 'revenue' AND is_leaf AND line_kind = 'detail' THEN amount_yuan END) AS revenue, \
               sum(CASE WHEN class_scheme = 'functional' AND is_leaf AND line_kind = 'detail' THEN amount_yuan END) AS expenditure, \
               max(CASE WHEN line_path = 'T/收入合计' THEN amount_yuan END) AS total \
               FROM gov_budget_line WHERE region_code = '430700' AND table_code IN ('GE01', 'GE02', 'GB01', 'GB02', 'GB03') \
               AND measure <> 'prev_estimate' GROUP BY 1, 2, 3) AS sums WHERE revenue <> total OR expenditure <> total";
    assert_eq!(value(data, off), "0");

    let yaan = |scope: &str, path: &str| line("511800", "GE61", scope, path, "estimate");
    assert_eq!(yaan("area", "T/一般公共预算收入"), "8786310000.00");
    assert_eq!(yaan("area", "T/一般公共预算支出"), "25134030000.00");
    assert_eq!(yaan("own", "T/政府性基金预算收入"), "1422750000.00");
    // What January spent already is no year's figure.
    assert_eq!(yaan("own", "T/一般公共预算支出"), "5758480000.00");
    assert_eq!(line("511800", "GB61", "area", "T/一般公共预算收入", "budget"), "9313480000.00");
    let counts = "SELECT concat_ws(' ', sum(CASE WHEN table_code = 'GE61' THEN 1 END), sum(CASE WHEN table_code = 'GB61' THEN 1 END)) \
                  FROM gov_budget_line WHERE region_code = '511800'";
    assert_eq!(value(data, counts), "14 7");
    let debt = |kind: &str, scope: &str, measure: &str| {
        let query = format!(
            "SELECT amount_yuan FROM debt_stock WHERE region_code = '511800' AND debt_kind = '{kind}' AND scope = '{scope}' \
             AND measure = '{measure}' AND table_code = 'GE61'"
        );
        value(data, &query)
    };
    assert_eq!(debt("general", "area", "limit"), "13007590000.00");
    assert_eq!(debt("special", "area", "balance"), "39310140000.00");
    // 1,245,053 + 3,931,014 = 5,176,067 万元, which stands in a sentence of its own.
    assert_eq!(debt("total", "area", "balance"), "51760670000.00");
    assert_eq!(debt("total", "area", "limit"), "");
    // 1,832,374 + 3,569,705 = 5,402,079 = 1,300,759 + 4,101,320 万元.
    assert_eq!(debt("total", "own", "limit"), "18323740000.00");
    assert_eq!(debt("total", "lower", "limit"), "35697050000.00");
}

/// Sichuan 2008 to 2014, and Jiangsu's funds by city.
fn series(data: &Path) {
    let figure = |region: &str, year: u32, path: &str| {
        let query = format!(
            "SELECT amount_yuan FROM gov_budget_line WHERE region_code = '{region}' AND fiscal_year = {year} AND quoted_in = 2014 \
             AND table_code LIKE 'GF1_' AND line_path = '{path}'"
        );
        value(data, &query)
    };
    assert_eq!(figure("510400", 2008, "201"), "940200000.00");
    assert_eq!(figure("510400", 2014, "201"), "1461850000.00");
    assert_eq!(figure("510400", 2008, "101/10101"), "715170000.00");
    assert_eq!(figure("510402", 2013, "205"), "20230000.00");
    // A total that is a copy of value-added tax stays as published.
    let total = "SELECT concat_ws(' ', line_name, line_kind, amount_yuan) FROM gov_budget_line WHERE region_code = '510400' \
                 AND fiscal_year = 2008 AND table_code = 'GF12' AND line_path = 'T/father'";
    assert_eq!(value(data, total), "地方财政一般预算支出 total 715170000.00");
    // Lists of six years have no seventh.
    let years = "SELECT max(fiscal_year) FROM gov_budget_line WHERE region_code = '510402' AND table_code = 'GF12'";
    assert_eq!(value(data, years), "2013");

    let fund = |region: &str, year: u32, stage: &str| {
        let query = format!(
            "SELECT amount_yuan FROM gov_budget_line WHERE table_code = 'GE25' AND region_name = '{region}' AND fiscal_year = {year} \
             AND stage = '{stage}'"
        );
        value(data, &query)
    };
    assert_eq!(fund("南京市", 2020, "FINAL"), "220839660000.00");
    assert_eq!(fund("苏州市", 2024, "ESTIMATE"), "104807950000.00");
    // 82,228,060 万元 of the province are its own level and 13 cities.
    let parts = "SELECT sum(CASE WHEN region_code = '320000' AND scope = 'area' THEN amount_yuan ELSE -amount_yuan END) \
                 FROM gov_budget_line WHERE table_code = 'GE25' AND fiscal_year = 2018";
    assert_eq!(value(data, parts), "0.00");
    let codes = "SELECT count(*) FROM gov_budget_line WHERE table_code = 'GE25' AND region_code IS NULL";
    assert_eq!(value(data, codes), "0");
}

fn national(data: &Path) {
    let figure = |indicator: &str, period: &str, kind: &str| {
        let query = format!(
            "SELECT amount_yuan FROM fiscal_indicator WHERE region_code = '000000' AND indicator_code = '{indicator}' \
             AND period = '{period}' AND period_kind = '{kind}'"
        );
        value(data, &query)
    };
    assert_eq!(figure("general_revenue", "2024-12", "month"), "2069200000000.00");
    assert_eq!(figure("general_revenue", "2024-12", "year_to_date"), "21970200000000.00");
    assert_eq!(figure("general_revenue", "2024-02", "month"), "");
    assert_eq!(figure("tax_revenue", "2024-12", "year_to_date"), "17497200000000.00");
    assert_eq!(figure("tax_revenue", "2024-09", "year_to_date"), "13171500000000.00");
}

/// What does not add up in the files is found; nothing else is.
fn findings(data: &Path) {
    let b02 = |filter: &str| {
        value(
            data,
            &format!(
                "SELECT count(*) FROM catalog.finding WHERE check_id = 'B02' AND outcome IN ('ERROR', 'WARN_ROUNDING') AND {filter}"
            ),
        )
    };
    // Sheet 04 prints 1,202 万元 for 21305 over 784.
    assert_eq!(b02("scope_key LIKE '530700/%'"), "1");
    assert_eq!(b02("scope_key LIKE '530700/own/2024/FINAL/%/213/21305' AND diff = '4180000'"), "1");
    // 21 prefectures × 7 years, and 17 + 5 counties × 6 years: no total of expenditure is the sum of its functions.
    assert_eq!(b02("scope_key LIKE '51%/area/20%/FINAL/2014/GF12/final/T/father'"), "279");
    // Panzhihua 2008: 71,517 over 595,366 万元.
    assert_eq!(b02("scope_key LIKE '510400/area/2008/%/T/father' AND diff = '-5238490000'"), "1");
    assert_eq!(b02("scope_key NOT LIKE '530700/%' AND scope_key NOT LIKE '51%/GF12/final/T/father'"), "0");
}
