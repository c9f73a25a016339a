//! Every sample is read by a feed, every feed has a sample, and the samples say what they are.

mod common;

use std::collections::BTreeSet;

use common::{decimal, exact, row_where, rows_where, suite, text};
use gongkai_catalog::Exact;
use gongkai_ingest::{SAMPLES, Shaped, find_files, read_side_file, write_samples};

fn sample(path: &str) -> Shaped {
    let file = SAMPLES.get_file(path).unwrap_or_else(|| panic!("sample {path}"));
    suite().shaped(file.contents())
}

/// What is meant to be so in the samples: the line of a total names no region.
const EXPECTED: [&str; 3] = [
    // A township that the list does not have, planted for check P11; two feeds read the file.
    "poverty_alleviation_offices/miyi_2019_poverty_project_plan.xlsx: no code for 龙肘山镇",
    "poverty_alleviation_offices/miyi_2019_poverty_project_plan.xlsx: no code for 龙肘山镇",
    "poverty_alleviation_offices/panzhihua_2019_first_batch_counties.xlsx: no code for 合计",
];

#[test]
fn every_sample_has_a_side_file_and_a_feed_and_every_feed_a_sample() {
    let folder = tempfile::tempdir().expect("a folder");
    write_samples(folder.path()).expect("written samples");
    let suite = suite();
    let mut used = BTreeSet::new();
    let mut wrong: Vec<String> = Vec::new();
    let files = find_files(folder.path()).expect("samples");
    assert!(!files.is_empty());
    for file in files {
        let side = read_side_file(&file.path).expect("a readable side file").expect("a side file");
        assert!(side.origin.is_some(), "{}: say where the figures come from", file.relative);
        for shaped in suite.shaped_at(&file.relative, &std::fs::read(&file.path).expect("a sample")) {
            assert!(shaped.report.is_balanced(), "{}", file.relative);
            wrong.extend(
                shaped.report.unresolved_places.iter().map(|name| format!("{}: no code for {name}", file.relative)),
            );
            let aside = shaped.report.set_aside.iter();
            wrong.extend(aside.map(|item| format!("{}: {} {:?}", file.relative, item.address, item.reason)));
            used.insert(shaped.report.feed);
        }
    }
    assert_eq!(wrong, EXPECTED, "what the samples say of places and what they set aside");
    let declared: BTreeSet<String> = suite.feeds.iter().map(|feed| feed.id.clone()).collect();
    assert_eq!(used, declared, "a feed without a sample: add one under ingest/samples");
}

#[test]
fn panzhihua_reads_as_the_provincial_final_accounts_print_it() {
    // 亿元: limit = general + special, balance = general + special.
    for (year, limit, balance) in [("2020", "237", "221"), ("2022", "255.4", "238.6"), ("2023", "270.5", "260.2")] {
        let batch = sample(&format!("finance_departments/panzhihua_{year}_form_4_1.xlsx")).batch;
        assert_eq!(batch.num_rows(), 6);
        for (measure, expected) in [("limit", limit), ("balance", balance)] {
            let of = |kind: &str| {
                let row = row_where(&batch, &[("region_id", "510400"), ("measure", measure), ("debt_kind", kind)]);
                decimal(&batch, "amount_yuan", row).expect("an amount")
            };
            let yuan = exact(expected).checked_mul(Exact::new(100_000_000, 0)).expect("an amount");
            assert_eq!(of("total"), yuan, "{year} {measure}");
            assert_eq!(of("general").checked_add(of("special")), Some(yuan), "{year} {measure}");
        }
    }
}

#[test]
fn the_parts_of_the_synthetic_year_add_up_exactly() {
    let batch = sample("finance_departments/panzhihua_2024_form_4_1.xlsx").batch;
    assert_eq!(batch.num_rows(), 7 * 6);
    for measure in ["limit", "balance"] {
        for kind in ["total", "general", "special"] {
            let wanted = [("measure", measure), ("debt_kind", kind)];
            let amount = |row: usize| decimal(&batch, "amount_yuan", row).expect("an amount");
            let whole = row_where(&batch, &[&wanted[..], &[("line_kind", "total")]].concat());
            let parts = rows_where(&batch, &[&wanted[..], &[("line_kind", "detail")]].concat());
            assert_eq!(parts.len(), 6);
            let sum = parts.into_iter().map(amount).reduce(|a, b| a.checked_add(b).expect("a sum"));
            assert_eq!(sum, Some(amount(whole)), "{measure} {kind}");
        }
    }
}

#[test]
fn fine_particles_never_exceed_particles_in_the_air_samples() {
    for (date, encoding_rows) in [("20190301", 96), ("20190302", 96), ("20190303", 96)] {
        let shaped = sample(&format!("environment_monitoring/china_cities_{date}.csv"));
        assert_eq!(shaped.report.totals.records_kept, encoding_rows, "{date}");
        let batch = &shaped.batch;
        let series = |measure: &str| rows_where(batch, &[("measure", measure), ("averaging", "1h")]);
        for (fine, all) in series("PM25").into_iter().zip(series("PM10")) {
            assert_eq!(text(batch, "geo_id", fine), text(batch, "geo_id", all));
            if let (Some(fine), Some(all)) = (decimal(batch, "value", fine), decimal(batch, "value", all)) {
                assert!(fine <= all);
            }
        }
        assert!(shaped.report.totals.missing > 0, "{date}: a sample shows missing values");
    }
}
