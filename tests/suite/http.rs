//! The API over a real socket.

use gongkai_tests::{Served, samples, sha256};

use crate::client::Client;

pub(crate) fn with_samples(test: impl FnOnce(&Client)) {
    let (_folder, data) = samples();
    let served = Served::start(&data, &[]);
    test(&Client::of(&served));
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn a_journalist_finds_a_dataset_and_downloads_it() {
    with_samples(|client| {
        let list = client.get("/api/v1/datasets?q=%E5%80%BA%E5%8A%A1").json();
        // Six datasets of debt: forms 4-1, other tables of limits and balances, flows, projects, balances by use, a compilation.
        assert_eq!(list["total"], 6);
        let ids: Vec<&str> =
            list["datasets"].as_array().expect("datasets").iter().filter_map(|of| of["id"].as_str()).collect();
        assert!(ids.contains(&"debt_limit_balance_final"), "{ids:?}");
        let id = "debt_limit_balance_final";

        let record = client.get(&format!("/api/v1/datasets/{id}")).json();
        let amount =
            record["columns"].as_array().expect("columns").iter().find(|column| column["name"] == "amount_yuan");
        assert_eq!(amount.expect("the column")["unit"], "yuan");
        assert_eq!(record["is_synthetic"], true);
        // The machine code of the form is evidence for publishers, not a public column.
        assert!(!record.to_string().contains("source_region_code"));

        for format in ["csv", "json", "ndjson", "parquet", "arrow", "xlsx"] {
            let file = client.get(&format!("/api/v1/datasets/{id}/download?format={format}"));
            assert_eq!(file.status, 200, "{format}");
            assert!(
                !file.body.is_empty() && file.header("content-disposition").contains(&format!(".{format}")),
                "{format}"
            );
        }
        let with_mark = client.get(&format!("/api/v1/datasets/{id}/download?format=csv&bom=true"));
        assert_eq!(&with_mark.body[..3], [0xEF, 0xBB, 0xBF]);
        let text = String::from_utf8(with_mark.body[3..].to_vec()).expect("text");
        assert_eq!(text.lines().count() as u64 - 1, record["rows"].as_u64().expect("rows"));
        let refused = client.get(&format!("/api/v1/datasets/{id}/download?format=exe"));
        assert_eq!((refused.status, refused.json()["code"].as_str()), (406, Some("not_acceptable")));
    });
}

#[test]
fn files_of_a_release_are_immutable_ranged_and_known_by_their_digest() {
    with_samples(|client| {
        let releases = client.get("/api/v1/datasets/debt_limit_balance_final/releases").json();
        let release = &releases["releases"][0];
        let file =
            release["files"].as_array().expect("files").iter().find(|file| file["name"] == "data.csv").expect("csv");
        let path = file["href"].as_str().expect("an address");
        let whole = client.get(path);
        let digest = sha256(&whole.body);
        assert_eq!(file["sha256"], digest.as_str());
        assert_eq!(whole.header("etag"), format!("\"{digest}\""));
        // It never changes, but it may be withdrawn: who has it asks whether it still stands.
        assert!(whole.header("cache-control").contains("must-revalidate"));
        let manifest = path.replace("data.csv", "manifest.json");
        assert!(client.get(&manifest).header("cache-control").contains("immutable"));
        let again = client.send(reqwest::Method::GET, path, &[("if-none-match", whole.header("etag"))]);
        assert_eq!((again.status, again.body.len()), (304, 0));
        let part = client.send(reqwest::Method::GET, path, &[("range", "bytes=0-9")]);
        assert_eq!((part.status, part.body.as_slice()), (206, &whole.body[..10]));
        let head = client.send(reqwest::Method::HEAD, path, &[]);
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), whole.body.len().to_string());

        let manifest = client.get(&path.replace("data.csv", "manifest.json"));
        assert_eq!(release["manifest_sha256"], sha256(&manifest.body).as_str());
        // The client folds plain dots away, so these arrive as other paths; encoded ones arrive as they are.
        for wrong in ["../../../../../../current.json", "..%2f..%2fcurrent.json", "nothing.csv"] {
            assert_eq!(client.get(&path.replace("data.csv", wrong)).status, 404, "{wrong}");
        }
    });
}

#[test]
fn records_come_page_by_page() {
    with_samples(|client| {
        let base = "/api/v1/datasets/air_city_hourly/records?where=measure%3D%27PM25%27%20AND%20averaging%3D%271h%27&order_by=obs_time,geo_id&page_size=10";
        let first = client.get(base).json();
        assert_eq!(first["row_count"], 10);
        let token = first["next_page_token"].as_str().expect("more pages").to_owned();
        let second = client.get(&format!("{base}&page_token={token}")).json();
        assert_ne!(first["records"], second["records"]);
        let foreign = client.get(&format!("{base}&page_token=00"));
        assert_eq!((foreign.status, foreign.json()["code"].as_str()), (400, Some("invalid_page_token")));
        let grouped = client
            .get("/api/v1/datasets/air_city_hourly/records?select=measure,count(*)%20AS%20n&group_by=measure")
            .json();
        assert_eq!(grouped["records"].as_array().expect("rows").len(), 7, "{grouped}");
        for wrong in ["page_size=0", "page_size=1001", "where=1=1)%20OR%20(1=1", "nonsense=1"] {
            assert_eq!(client.get(&format!("/api/v1/datasets/air_city_hourly/records?{wrong}")).status, 400, "{wrong}");
        }
    });
}

#[test]
fn a_figure_leads_back_to_its_cell() {
    with_samples(|client| {
        let query = "SELECT release_id, row_no, amount_yuan, source_cell FROM debt_stock WHERE as_of_year = 2022 AND measure = 'limit' AND debt_kind = 'total'";
        let answer = client.sql(query, &[]).json();
        let row = &answer["rows"][0];
        let origin = client.get(&format!(
            "/api/v1/provenance?table=debt_stock&release={}&row={}",
            row[0].as_str().expect("text"),
            row[1]
        ));
        let origin = origin.json();
        assert_eq!(origin["cell"], row[3]);
        assert_eq!(origin["cell"], "D10");
        assert_eq!(origin["raw_text"], "255.4");
        assert_eq!(origin["value"], "25540000000.00");
        assert_eq!(origin["unit"], "yuan");
        assert_eq!(origin["source"]["is_synthetic"], false);
        assert_eq!(origin["source"]["sha256"].as_str().map(str::len), Some(64));
        let missing = client.get("/api/v1/provenance?table=debt_stock&release=debt_limit_balance_final.999&row=1");
        assert_eq!(missing.status, 404);
        let hidden = client.get(&format!(
            "/api/v1/provenance?table=debt_stock&release={}&row=1&column=source_region_code",
            row[0].as_str().expect("text")
        ));
        assert_eq!((hidden.status, hidden.json()["code"].as_str()), (400, Some("column_not_found")));
    });
}

#[test]
fn derived_tables_lists_and_sums_stand_in_the_dictionary() {
    with_samples(|client| {
        let kind = |path: &str| client.get(path).json()["kind"].clone();
        assert_eq!(kind("/api/v1/tables/air_daily"), "derived");
        assert_eq!(kind("/api/v1/tables/open.debt_stock"), "released");
        assert_eq!(kind("/api/v1/tables/ref.calendar"), "list");
        assert_eq!(client.get("/api/v1/tables/ref.air_daily").status, 404);
        let table = client.get("/api/v1/tables/debt_stock").json();
        let columns = table["columns"].as_array().expect("columns");
        let amount = columns.iter().find(|column| column["name"] == "amount_yuan").expect("the amount");
        assert_eq!(amount["sum"]["table"], "debt_stock_leaf");
        // A sum that counts money twice is answered with a warning, in the body and in a header; another has neither.
        let twice = client.get("/api/v1/sql?q=SELECT%20sum(amount_yuan)%20FROM%20debt_stock");
        assert_eq!(twice.status, 200);
        assert!(twice.header("x-gongkai-warnings").contains("debt_stock_leaf"));
        assert_eq!(twice.json()["warnings"].as_array().map(Vec::len), Some(1));
        let once = client.get("/api/v1/sql?q=SELECT%20count(*)%20FROM%20debt_stock");
        assert_eq!(once.header("x-gongkai-warnings"), "");
        assert_eq!(once.json()["warnings"].as_array().map(Vec::len), Some(0));
    });
}

#[test]
fn problems_have_one_form_and_name_the_request() {
    with_samples(|client| {
        for (path, status, code) in [
            ("/api/v1/datasets/nothing", 404, "not_found"),
            ("/api/v1/tables/nothing", 404, "table_not_found"),
            ("/api/v1/nothing", 404, "not_found"),
            ("/api/v1/sql", 400, "invalid_parameter"),
            ("/api/v1/sql?q=SELEC", 400, "sql_syntax"),
            ("/api/v1/sql?q=SELECT%20*%20FROM%20nothing", 404, "table_not_found"),
            ("/api/v1/sql?q=SELECT%201&as_of=yesterday", 400, "invalid_parameter"),
            ("/api/v1/datasets?sort=;drop", 400, "invalid_parameter"),
        ] {
            let answer = client.get(path);
            assert_eq!(answer.status, status, "{path}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
            let problem = answer.json();
            assert_eq!(problem["code"], code, "{path}: {problem}");
            assert_eq!(problem["status"], status, "{path}");
            assert_eq!(problem["request_id"], answer.header("x-request-id"), "{path}");
        }
        let method = client.send(reqwest::Method::DELETE, "/api/v1/datasets", &[]);
        assert_eq!((method.status, method.json()["code"].as_str()), (405, Some("method_not_allowed")));
    });
}

#[test]
fn hidden_and_missing_tables_answer_alike() {
    with_samples(|client| {
        let ask = |name: &str| {
            let url = format!("/api/v1/sql?q=SELECT%20*%20FROM%20{name}");
            let problem = client.get(&url).json();
            let detail = problem["detail"].as_str().expect("text").replace(name, "NAME");
            (problem["code"].as_str().expect("a code").to_owned(), detail)
        };
        let missing = ask("nothing.there");
        for hidden in ["staging.debt_stock", "restricted.beneficiary", "information_schema.df_settings"] {
            assert_eq!(ask(hidden), missing, "{hidden}");
        }
    });
}

#[test]
fn pages_and_documents_are_served_without_other_hosts() {
    with_samples(|client| {
        for path in [
            "/",
            "/datasets",
            "/datasets?lang=en",
            "/datasets/debt_limit_balance_final",
            "/datasets/air_city_hourly?lang=en",
            "/sql",
            "/sql?q=SELECT%201",
        ] {
            let page = client.get(path);
            assert_eq!(page.status, 200, "{path}");
            let text = String::from_utf8(page.body.clone()).expect("text");
            assert!(!text.contains("http://") && !text.contains("https://"), "{path} names another host");
            assert!(page.header("content-security-policy").contains("default-src 'none'"), "{path}");
        }
        let page = String::from_utf8(client.get("/datasets/debt_limit_balance_final").body).expect("text");
        assert!(page.contains("含合成示例数据"), "the page does not say that figures are synthetic");
        let statement = "/sql?q=SELECT%20amount_yuan%20FROM%20debt_stock%20WHERE%20as_of_year%20%3D%202022";
        let page = String::from_utf8(client.get(statement).body).expect("text");
        assert!(page.contains("25,540,000,000.00"), "the page shows no figure");
        assert_eq!(client.get("/datasets/nothing").status, 404);
        assert_eq!(client.get("/docs/").status, 200);
        assert_eq!(client.get("/openapi.json").json()["openapi"], "3.1.0");
        let ready = client.get("/readyz").json();
        assert_eq!(ready["status"], "ok");
        let tag = client.get("/api/v1/datasets").header("etag").to_owned();
        assert_eq!(client.send(reqwest::Method::GET, "/api/v1/datasets", &[("if-none-match", &tag)]).status, 304);
    });
}

#[test]
fn visitors_behind_a_trusted_proxy_are_counted_each_and_nobody_else_is_believed() {
    let (_folder, data) = samples();
    let statuses = |proxies: &str, visitors: [&str; 4]| {
        let served = Served::start(&data, &[("GONGKAI_QUERIES_PER_MINUTE", "2"), ("GONGKAI_TRUSTED_PROXIES", proxies)]);
        let client = Client::of(&served);
        let ask = |(number, visitor): (usize, &str)| {
            let path = format!("/api/v1/sql?format=csv&q=SELECT%20{number}");
            client.send(reqwest::Method::GET, &path, &[("x-forwarded-for", visitor)]).status
        };
        visitors.into_iter().enumerate().map(ask).collect::<Vec<_>>()
    };
    let one_of_them_often = ["192.0.2.9, 198.51.100.7", "198.51.100.7", "203.0.113.9, 198.51.100.7", "203.0.113.9"];
    assert_eq!(statuses("127.0.0.0/8", one_of_them_often), [200, 200, 429, 200]);
    assert_eq!(statuses("", ["192.0.2.9", "198.51.100.7", "203.0.113.9", "192.0.2.77"]), [200, 200, 429, 429]);
}
