//! The portal as a visitor goes through it: every link answers, nothing needs a script, figures lead to their cell.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::process::Command;

use gongkai_tests::{Served, python, samples, up_once, value};
use serde_json::Value;

/// Pages that a walk looks at; a list that grows without end is a fault of its own.
const MOST_PAGES: usize = 400;

struct Site {
    served: Served,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    data: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Site {
    fn open() -> Self {
        let (folder, data) = samples();
        let runtime = tokio::runtime::Runtime::new().expect("runtime");
        Self { served: Served::start(&data, &[]), runtime, client: reqwest::Client::new(), data, _folder: folder }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.served.base);
        let answer = self.runtime.block_on(async {
            let response = self.client.get(url).send().await?;
            let status = response.status().as_u16();
            Ok::<_, reqwest::Error>((status, response.bytes().await?))
        });
        let (status, body) = answer.unwrap_or_else(|error| panic!("{path}: {error}"));
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// Addresses within the site that a page links to.
fn links(page: &str) -> Vec<String> {
    let after = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    after
        .filter(|href| href.starts_with('/'))
        .map(|href| href.split('#').next().unwrap_or_default().replace("&amp;", "&"))
        .collect()
}

#[test]
fn a_chart_shows_its_own_dataset_and_no_other() {
    let site = Site::open();
    let catalog = gongkai_catalog::Catalog::load(gongkai_ingest::embedded_declarations()).expect("loads");
    let mut charts = 0;
    for (id, dataset) in &catalog.datasets {
        for chart in &dataset.charts {
            let url =
                reqwest::Url::parse_with_params("http://localhost/api/v1/sql", [("q", &chart.sql)]).expect("a url");
            let answer = site.json(&format!("/api/v1/sql?{}", url.query().expect("a query")));
            let releases = answer["releases"].as_array().expect("releases");
            assert!(!releases.is_empty(), "{id}: its chart has no data in the samples");
            assert!(releases.iter().all(|release| release["dataset"] == id.as_str()), "{id}: {releases:?}");
            charts += 1;
        }
    }
    assert!(charts > 5, "{charts} charts");
}

#[test]
fn every_link_of_every_page_answers_and_no_page_has_a_script() {
    let site = Site::open();
    let mut waiting: VecDeque<String> = VecDeque::from(["/?lang=zh".to_owned(), "/?lang=en".to_owned()]);
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let mut pages = 0;
    while let Some(path) = waiting.pop_front() {
        let (status, body) = site.get(&path);
        assert_eq!(status, 200, "{path}");
        let is_page = body.starts_with("<!doctype html>") && !path.starts_with("/docs");
        if !is_page {
            continue;
        }
        pages += 1;
        assert!(
            !body.contains("<script") && !body.contains("style=\"") && !body.contains("onclick"),
            "{path} has a script"
        );
        assert!(body.contains("<main id=\"main\">") && body.contains("<h1"), "{path} has no main heading");
        // Each figure has its page: a sample of them is enough.
        let mut figures = 0;
        for link in links(&body) {
            figures += usize::from(link.starts_with("/provenance"));
            let is_sampled = !link.starts_with("/provenance") || figures <= 2;
            if is_sampled && seen.len() < MOST_PAGES && seen.insert(link.clone()) {
                waiting.push_back(link);
            }
        }
    }
    assert!(pages > 60, "only {pages} pages were found");
}

#[test]
fn a_figure_leads_to_its_cell_in_its_surroundings() {
    let site = Site::open();
    // Row and release of a public figure in a hidden row of the workbook: education in 2019.
    let place = "SELECT concat(release_id, ' ', row_no) FROM gov_budget_line WHERE region_code = '510400' AND class_code = '205' \
                 AND fiscal_year = 2019 AND stage = 'FINAL' AND scope = 'area'";
    let place = value(&site.data, place);
    let (release, row) = place.split_once(' ').expect("release and row");
    let (status, page) =
        site.get(&format!("/provenance?table=gov_budget_line&release={release}&row={row}&column=amount_yuan"));
    assert_eq!(status, 200);
    for part in ["2,716,860,000.00", "271686 万元 × 10000", "2020年攀枝花市一般公共预算支出执行情况表", "2019年决算数"]
    {
        assert!(page.contains(part), "{part} is not on the page");
    }
    let target = page.split("class=\"target\"").nth(1).and_then(|rest| rest.split(['>', '<']).nth(1));
    assert_eq!(target, Some("271686"));
    assert!(page.contains("class=\"hidden-row\""), "hidden rows are not marked");
    assert_eq!(site.get("/provenance?table=gov_budget_line&release=nothing.1&row=1").0, 404);
}

#[test]
fn a_window_holds_the_cells_that_another_reader_finds() {
    let site = Site::open();
    let Some(python) = python("a window against openpyxl", "openpyxl") else { return };
    let sha256 = value(
        &site.data,
        "SELECT source_sha256 FROM catalog.source_file WHERE name = 'panzhihua_2020_budget_execution.xlsx'",
    );
    let window = site.json(&format!("/api/v1/sources/{sha256}/cells?sheet=02&range=A1:G12"));
    assert_eq!(window["hidden_columns"], serde_json::json!([1]));
    let mut found = BTreeSet::new();
    for row in window["rows"].as_array().expect("rows") {
        for cell in row["cells"].as_array().expect("cells") {
            let text = cell["text"].as_str().expect("text");
            // Ratios are doubles that each reader prints its own way; texts and whole numbers are compared.
            if !text.starts_with("0.") && !text.contains('.') {
                found.insert(format!("{} {text}", cell["address"].as_str().expect("address")));
            }
        }
    }
    let script = "import sys, openpyxl\nfor row in openpyxl.load_workbook(sys.argv[1], data_only=True)['02']['A1:G12']:\n\
                  \x20   for cell in row:\n\
                  \x20       if cell.value is not None and not isinstance(cell.value, float): print(cell.coordinate, cell.value)";
    let source = site.data.join("sources").join(&sha256[..2]).join(&sha256);
    let copy = site.data.join("book.xlsx");
    std::fs::copy(source, &copy).expect("copies");
    let output = Command::new(python).args(["-W", "ignore", "-c", script]).arg(&copy).output().expect("python runs");
    let expected: BTreeSet<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    assert!(expected.len() > 30, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(found, expected);

    // The file itself, byte for byte; anything else is not found.
    assert_eq!(file(&site, &sha256), std::fs::read(&copy).expect("reads"));
    assert_eq!(site.get(&format!("/api/v1/sources/{}", "0".repeat(64))).0, 404);
    assert_eq!(site.get(&format!("/api/v1/sources/{sha256}/cells?sheet=nothing&range=A1:B2")).0, 400);
    assert_eq!(site.get(&format!("/api/v1/sources/{sha256}/cells?sheet=02&range=A1:B5000")).0, 400);
}

fn file(site: &Site, sha256: &str) -> Vec<u8> {
    let url = format!("{}/api/v1/sources/{sha256}", site.served.base);
    let bytes = site.runtime.block_on(async { site.client.get(url).send().await?.bytes().await }).expect("answers");
    bytes.to_vec()
}

#[test]
fn the_pages_say_what_the_api_says() {
    let site = Site::open();
    let catalog = site.json("/api/v1/catalogs/510400");
    // The list of items: 95 for a city, one of them to those who ask. Allocation of funds and final-accounts debt are public figures; budgets and air
    // are synthetic samples, the price index is that of the nation; of the city's adjustments nothing is there.
    let counts = &catalog["coverage"];
    assert_eq!((counts["public"].as_u64(), counts["covered"].as_u64()), (Some(94), Some(2)));
    assert_eq!((counts["synthetic"].as_u64(), counts["missing"].as_u64()), (Some(10), Some(4)));
    let (_, page) = site.get("/catalogs/510400");
    assert!(page.contains("510400-28-0102") && page.contains("2.1%"));
    let diff = site.json("/api/v1/catalogs/510400/diff?with=510421100");
    let codes: Vec<_> = diff["differences"].as_array().expect("a list").iter().map(|item| &item["code"]).collect();
    assert!(codes.contains(&&Value::from("28-0101")), "townships have no debt items: {codes:?}");
    assert_eq!(site.get("/api/v1/catalogs/519999").0, 404);
    let items = site.json("/api/v1/catalogs/510421100/items?state=not_public");
    assert_eq!(items["total"], 10);

    let findings = site.json("/api/v1/findings?check=P01&outcome=ERROR");
    assert_eq!(findings["total"], 2);
    let liangshan = &findings["findings"].as_array().expect("a list")[1];
    // 150,018.5 万元 stated against 133,221.5 万元 in the funds.
    assert_eq!((liangshan["diff"].as_str(), liangshan["lhs"].as_str()), (Some("167970000"), Some("1500185000")));
    let (_, page) = site.get("/datasets/poverty_fund_allocation");
    assert!(page.contains("凉山彝族自治州") && page.contains("167,970,000"));
    let first = site.json("/api/v1/findings?page_size=1");
    let token = first["next_page_token"].as_str().expect("more");
    assert_ne!(site.json(&format!("/api/v1/findings?page_size=1&page_token={token}"))["findings"], first["findings"]);
}

#[test]
fn hostile_text_is_escaped() {
    let folder = tempfile::tempdir().expect("folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    let header = "date,hour,城市,PM2.5,备注\n";
    let rows = "20190301,1,<script>alert(1)</script>,37.0,\"<img src=x onerror=alert(1)>\"\n";
    write(&inbox, "hostile.csv", &format!("{header}{rows}"));
    assert!(up_once(&data, Some(&inbox)).status.success());
    let served = Served::start(&data, &[]);
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    for path in [
        "/datasets/air_city_hourly",
        "/provenance?table=air_hourly&release=air_city_hourly.1&row=1",
        "/sql?q=%3Cscript%3E",
    ] {
        let url = format!("{}{path}", served.base);
        let body = runtime.block_on(async { reqwest::get(url).await?.text().await }).expect("answers");
        assert!(!body.contains("<script") && !body.contains("<img"), "{path}");
        assert!(body.contains("&lt;script"), "{path} does not show the text");
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("writes");
}
