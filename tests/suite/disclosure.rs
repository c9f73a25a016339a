//! What is due, late and missing: over HTTP, on the command line, and as publishers' statements change it.

use std::path::Path;
use std::process::Command;

use gongkai_tests::{gongkai, root, some_samples, up_once, value};

use crate::http::with_samples;

#[test]
fn what_is_due_is_shown_with_its_reckoning() {
    with_samples(|client| {
        let found = client.get("/api/v1/obligations?item=14-0301&region=510422").json();
        assert_eq!(found["total"], 1);
        let one = &found["obligations"][0];
        assert_eq!(one["obligation_state"], "late");
        assert_eq!(one["late_workdays"], 5);
        assert_eq!(one["due_at"], "2019-10-14T23:59:59+08:00");
        // The way there: the National Day's days off are named, and its make-up days counted.
        let reckoned = client.get(one["reckoning"].as_str().expect("an address")).json();
        assert_eq!(reckoned["due_at"], one["due_at"]);
        let steps = reckoned["steps"].as_array().expect("steps");
        let of = |kind: &str| steps.iter().filter(|step| step["kind"] == kind).count();
        assert_eq!((of("counted") + of("makeup"), of("makeup"), of("holiday")), (15, 2, 5));
        // The page says the same.
        let page = client.get("/obligations?region=510422&field=14&state=late");
        let page = String::from_utf8_lossy(&page.body).into_owned();
        assert!(page.contains("盐财农〔2019〕27号") && page.contains("2019-10-14"), "{page}");
        let page = client.get("/deadlines?text=%E6%89%B9%E5%87%86%E5%90%8E20%E6%97%A5%E5%86%85&from=2019-01-25");
        assert!(String::from_utf8_lossy(&page.body).contains("2019-02-14 23:59:59"));
        // What cannot be read says so, and what is no rule is refused.
        let unread = client.get("/api/v1/deadlines?text=%E8%AF%A6%E8%A7%81%E6%96%87%E4%BB%B6").json();
        assert_eq!((&unread["rule"], &unread["needs_review"]), (&serde_json::Value::Null, &serde_json::json!(true)));
        let no_day = "/api/v1/deadlines?rule=%7B%22kind%22:%22by_date%22,%22month%22:13,%22day%22:1%7D";
        for path in ["/api/v1/deadlines?rule=%7B%7D", "/api/v1/deadlines", "/api/v1/obligations?state=lost", no_day] {
            assert_eq!(client.get(path).problem(), (400, "invalid_parameter".into()), "{path}");
        }
        // Counts of a page are those that SQL gives.
        let all = client.get("/api/v1/obligations?field=04&page_size=1").json();
        let counted = client
            .get("/api/v1/sql?q=SELECT%20count(*)%20FROM%20catalog.obligation%20WHERE%20field_no%20%3D%20%2704%27")
            .json();
        assert_eq!(all["total"].to_string(), counted["rows"][0][0].to_string().replace('"', ""));
    });
}

#[test]
fn a_statement_of_the_publisher_fulfils_a_duty_and_explains_a_finding() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, inbox) = (folder.path().join("data"), folder.path().join("inbox"));
    some_samples(
        &inbox,
        &[
            "government_offices/panzhihua_2019_2024_disclosure_events.csv",
            "finance_departments/panzhihua_2021_debt_limits.xls",
        ],
    );
    let output = up_once(&data, Some(&inbox));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let record = |args: &[&str]| {
        let output = gongkai(&data).args(["event", "record"]).args(args).arg("--data").arg(&data).output();
        let output = output.expect("starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let state = || value(&data, "SELECT obligation_state FROM catalog.obligation WHERE item_code = '510411-14-0301'");
    assert_eq!(state(), "missing");
    let id = value(&data, "SELECT obligation_id FROM catalog.obligation WHERE item_code = '510411-14-0301'");
    let basic = ["--region", "510411", "--subject", &id, "--on"];
    let published =
        [&["--kind", "published", "--evidence-url", "https://example.gov.cn/1"], &basic[..], &["2019-12-26"]];
    record(&published.concat());
    assert_eq!(state(), "late");
    let days = "SELECT late_workdays FROM catalog.obligation WHERE item_code = '510411-14-0301'";
    // Due on Monday 2019-12-23.
    assert_eq!(value(&data, days), "3");
    record(
        &[&["--kind", "revoked", "--revokes", "event.1", "--evidence-document", "误记"], &basic[..], &["2019-12-27"]]
            .concat(),
    );
    assert_eq!(state(), "missing");
    let waived = [&["--kind", "waived", "--evidence-document", "涉及商业秘密"], &basic[..], &["2019-12-26"]];
    record(&waived.concat());
    assert_eq!(state(), "waived");
    // A finding is explained by whoever publishes the figures, and stays a finding.
    let finding = value(
        &data,
        "SELECT check_id || '/' || scope_key FROM catalog.finding WHERE outcome <> 'SKIP' ORDER BY check_id LIMIT 1",
    );
    record(&[
        "--kind",
        "explained",
        "--evidence-document",
        "口径不同",
        "--region",
        "510400",
        "--subject",
        &finding,
        "--on",
        "2024-01-02",
    ]);
    let explained =
        value(&data, "SELECT explained_by || ' ' || explanation FROM catalog.finding WHERE explained_by IS NOT NULL");
    assert_eq!(explained, "event.4 口径不同");
    // A period that is no year breaks nothing: the budget is due, and the two items that go with it (04-0301, 04-0302).
    record(&[
        "--kind",
        "approved",
        "--evidence-document",
        "x",
        "--region",
        "510400",
        "--subject",
        "04-0101",
        "--period",
        "上半年度",
        "--on",
        "2024-01-02",
    ]);
    assert_eq!(value(&data, "SELECT count(*) FROM catalog.obligation WHERE anchor_source = 'event.5'"), "3");
    // The command shows the same, and writes it as a table.
    let output =
        gongkai(&data).args(["catalog", "due", "--region", "510422", "--state", "late", "--data"]).arg(&data).output();
    let output = String::from_utf8_lossy(&output.expect("starts").stdout).into_owned();
    assert!(output.contains("2019-10-14 23:59  late") && output.contains("+5 workdays"), "{output}");
    // Everything fits the terminal.
    for what in [&["coverage"][..], &["due"], &["items", "510421"], &["diff", "510400", "510421100"]] {
        let output = gongkai(&data).arg("catalog").args(what).arg("--data").arg(&data).output().expect("starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.lines().count() > 10, "{text}");
        for line in text.lines() {
            assert!(gongkai_api::text::width(line) <= 80, "{what:?}: {line}");
        }
    }
    let output = gongkai(&data)
        .args(["catalog", "due", "--region", "510422", "--state", "late", "--format", "csv", "--data"])
        .arg(&data)
        .output();
    let output = String::from_utf8_lossy(&output.expect("starts").stdout).into_owned();
    assert_eq!(output.lines().count(), 2, "{output}");
    let output = gongkai(&data).args(["catalog", "deadline", "同上", "--data"]).arg(&data).output();
    assert!(String::from_utf8_lossy(&output.expect("starts").stdout).contains("review"));
}

/// Months of the city's consumer prices come one after another and share a partition, which is a year.
#[test]
fn a_month_is_public_since_the_first_release_that_held_it_and_parents_may_have_parents() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, inbox, definitions) =
        (folder.path().join("data"), folder.path().join("inbox"), folder.path().join("definitions"));
    let written = gongkai(&data).arg("definitions").arg(&definitions).output().expect("starts");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let items = definitions.join("disclosure/items/27_prices.toml");
    let text = std::fs::read_to_string(&items).expect("reads");
    let linked = text.replacen("dataset = \"cpi_monthly\"", "dataset = \"cpi_monthly_city\"", 1);
    assert_ne!(text, linked);
    std::fs::write(&items, linked).expect("writes");
    std::fs::create_dir_all(definitions.join("disclosure/local")).expect("creates");
    // 04-0302 goes with 04-0301, which goes with 04-0101.
    let local = r#"region = "510400"
[[change]]
item = "04-0302"
reason = { zh = "随三公经费公开", en = "published with the three public expenses" }
rule = { kind = "with_parent", parent = "04-0301" }
"#;
    std::fs::write(definitions.join("disclosure/local/510400.toml"), local).expect("writes");
    let run = |now: &str, args: &[&str]| {
        let mut command: Command = gongkai(&data);
        command.env("GONGKAI_NOW", now).args(args).arg("--definitions").arg(&definitions).arg("--data").arg(&data);
        let output = command.output().expect("starts");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let from = root().join("ingest/samples/statistics_survey_offices/panzhihua_2019_05_cpi.csv");
    let sample = std::fs::read_to_string(from).expect("reads");
    let below = inbox.join("statistics_survey_offices");
    std::fs::create_dir_all(&below).expect("creates");
    for (month, day) in [(5, "2019-06-18"), (6, "2019-07-25"), (7, "2019-08-19")] {
        let file = below.join(format!("cpi_{month}.csv"));
        std::fs::write(&file, sample.replace("2019年5月", &format!("2019年{month}月"))).expect("writes");
        let side = format!(
            "is_synthetic = true\npublished_at = \"{day}T10:00:00+08:00\"\nevidence = \"https://example.gov.cn/{month}\"\n\
             origin = {{ zh = \"样例\", en = \"sample\" }}\nnote = {{ zh = \"编造\", en = \"made up\" }}\n"
        );
        std::fs::write(gongkai_ingest::source::side_file_path(Path::new(&file)), side).expect("writes");
        run(&format!("{day}T03:00:00Z"), &["up", "--once", "--inbox", &inbox.display().to_string()]);
    }
    let now = "2019-10-01T00:00:00Z";
    let sql = "SELECT period, obligation_state, made_public_at, late_workdays FROM catalog.obligation \
               WHERE item_code = '510400-27-0101' AND period IN ('2019-06', '2019-07') ORDER BY period";
    let found = run(now, &["sql", "--format", "csv", sql]);
    // June was due on Saturday 20 July and came on Thursday the 25th: 22 to 25 July are four working days.
    let expected = ["2019-06,late,2019-07-25T10:00:00+08:00,4", "2019-07,done,2019-08-19T10:00:00+08:00,0"];
    assert_eq!(found.lines().skip(1).collect::<Vec<_>>(), expected);
    let approved = ["event", "record", "--kind", "approved", "--evidence-document", "x", "--region", "510400"];
    run(now, &[&approved[..], &["--subject", "04-0101", "--period", "2019", "--on", "2019-09-02"][..]].concat());
    let sql = "SELECT short_code, count(*) AS n FROM catalog.obligation WHERE anchor_source = 'event.1' GROUP BY short_code ORDER BY short_code";
    let found = run(now, &["sql", "--format", "csv", sql]);
    assert_eq!(found.lines().skip(1).collect::<Vec<_>>(), ["04-0101,1", "04-0301,1", "04-0302,1"]);
}
