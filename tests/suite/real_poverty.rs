//! The real lists of poor counties: one by county, and workbooks by province. Expected figures were counted in the
//! files.

use gongkai_tests::{real_data, sql, up_once, value};
use serde_json::Value;

#[test]
fn the_lists_of_poor_counties_are_read_whole() {
    let Some(real) = real_data("the_lists_of_poor_counties_are_read_whole") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let output = up_once(&data, Some(&real.join("poverty")));
    let report: Value = serde_json::from_slice(&output.stdout).expect("json");
    let records = |name: &str| -> (u64, u64) {
        let files = report["ingest"]["files"].as_array().expect("files");
        let of_name = files.iter().filter(|file| file["path"].as_str().is_some_and(|path| path.ends_with(name)));
        let reports = of_name.flat_map(|file| file["reports"].as_array().into_iter().flatten());
        reports.fold((0, 0), |(read, kept), report| {
            let number = |key: &str| report["totals"][key].as_u64().expect("a count");
            (read + number("records_in"), kept + number("records_kept"))
        })
    };
    // 80 cells hold 832 counties; the workbook of 2016 has 28, and a second sheet with one of them.
    assert_eq!(records("2020摘帽.xlsx"), (832, 832));
    assert_eq!(records("2016摘帽.xlsx"), (29, 29));
    assert_eq!(records("poverty_county_list.csv"), (832, 832));

    let by_year = |list: &str| {
        let query =
            format!("SELECT exit_year, count(*) FROM poverty_county WHERE list_name = '{list}' GROUP BY 1 ORDER BY 1");
        let lines = String::from_utf8(sql(&data, "csv", &query)).expect("text");
        lines.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    // The figures that were published by year.
    assert_eq!(by_year("announced_by_province"), ["2016,28", "2017,125", "2018,283", "2019,344", "2020,52"]);
    assert_eq!(by_year("national_832"), ["2016,28", "2017,125", "2018,282", "2019,345", "2020,52"]);
    let sichuan =
        "SELECT count(*) FROM poverty_county WHERE list_name = 'announced_by_province' AND province_name = '四川'";
    assert_eq!(value(&data, sichuan), "66");

    // The one county of which the lists differ stays in both, and is a finding.
    let conflict =
        "SELECT concat_ws(' ', region_code, lhs, rhs) FROM catalog.finding WHERE check_id = 'P13' AND outcome = 'WARN'";
    assert_eq!(value(&data, conflict), "532322 2018 2019");
    let both = "SELECT count(*) FROM poverty_county WHERE region_name = '双柏县'";
    assert_eq!(value(&data, both), "2");

    // A slip keeps its row as printed. Of the three administrative committees of Qinghai 大柴旦 has a code
    // in the statistics bureau's list, 冷湖 and 茫崖 have none, in both lists.
    let slip = "SELECT count(*) FROM poverty_county WHERE region_name = '鄂伦春自治区旗' AND exit_year = 2019";
    assert_eq!(value(&data, slip), "1");
    let without =
        "SELECT concat(count(*), ' ', count(DISTINCT region_name)) FROM poverty_county WHERE region_code IS NULL";
    assert_eq!(value(&data, without), "4 2");
    let brackets =
        sql(&data, "csv", "SELECT region_name, other_name FROM poverty_county WHERE other_name IS NOT NULL ORDER BY 1");
    let brackets = String::from_utf8(brackets).expect("text");
    assert_eq!(brackets.lines().skip(1).collect::<Vec<_>>(), ["云州区,大同县", "那曲县,色尼区"]);
}
