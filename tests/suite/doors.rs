//! The same figures in every format and behind every door.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Decimal128Type;
use arrow::ipc::reader::StreamReader;
use gongkai_tests::{EVERY_DOOR, Served, gongkai, samples, sha256, sql, up_at, value};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

const QUERY: &str =
    "SELECT region_name, amount_yuan FROM debt_stock WHERE as_of_year = 2022 ORDER BY source_row, source_column";

/// 攀枝花市 2022: limit 255.4 = 157.1 + 98.3, balance 238.6 = 144.2 + 94.4 亿元, in the order of the form.
const AMOUNTS: [&str; 6] =
    ["25540000000.00", "15710000000.00", "9830000000.00", "23860000000.00", "14420000000.00", "9440000000.00"];

fn of_csv(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    text.lines().skip(1).map(|line| line.rsplit(',').next().expect("a field").to_owned()).collect()
}

fn of_json(rows: &Value) -> Vec<String> {
    rows.as_array().expect("rows").iter().map(|row| row["amount_yuan"].as_str().expect("a string").to_owned()).collect()
}

fn of_batches(batches: &[RecordBatch]) -> Vec<String> {
    let mut found = Vec::new();
    for batch in batches {
        let amounts = batch.column_by_name("amount_yuan").expect("the column").as_primitive::<Decimal128Type>().clone();
        assert_eq!(amounts.data_type(), &arrow::datatypes::DataType::Decimal128(20, 2));
        found.extend((0..amounts.len()).map(|row| amounts.value_as_string(row)));
    }
    found
}

fn of_parquet(bytes: Vec<u8>) -> Vec<String> {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).and_then(|builder| builder.build());
    of_batches(&reader.expect("parquet").collect::<Result<Vec<_>, _>>().expect("reads"))
}

fn of_arrow(bytes: &[u8]) -> Vec<String> {
    let reader = StreamReader::try_new(bytes, None).expect("arrow");
    of_batches(&reader.collect::<Result<Vec<_>, _>>().expect("reads"))
}

#[test]
fn the_command_and_http_give_the_same_figures_in_every_format() {
    let (_folder, data) = samples();

    assert_eq!(of_csv(&sql(&data, "csv", QUERY)), AMOUNTS);
    assert_eq!(of_json(&serde_json::from_slice(&sql(&data, "json", QUERY)).expect("json")), AMOUNTS);
    assert_eq!(of_parquet(sql(&data, "parquet", QUERY)), AMOUNTS);
    assert_eq!(of_arrow(&sql(&data, "arrow", QUERY)), AMOUNTS);
    let table = String::from_utf8(sql(&data, "table", QUERY)).expect("text");
    for amount in AMOUNTS {
        assert!(table.contains(amount), "{table}");
    }

    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let get = |format: &str| {
        let answer = client.sql(QUERY, &[("format", format)]);
        assert_eq!(answer.status, 200, "{format}");
        answer
    };
    let csv = get("csv");
    assert_eq!(of_csv(&csv.body), AMOUNTS);
    assert_eq!(of_parquet(get("parquet").body), AMOUNTS);
    assert_eq!(of_arrow(&get("arrow").body), AMOUNTS);
    let json = get("json").json();
    let amounts: Vec<&str> =
        json["rows"].as_array().expect("rows").iter().map(|row| row[1].as_str().expect("a string")).collect();
    assert_eq!(amounts, AMOUNTS);
    assert_eq!(json["columns"][1]["unit"], "yuan");
    assert_eq!(json["truncated"], false);

    // The digest is that of the rows in their ndjson form: anyone can make it again.
    let lines = get("ndjson").body;
    let expected = format!("sha256:{}", sha256(&lines));
    assert_eq!(csv.header("x-gongkai-digest"), expected);
    assert_eq!(json["digest"], expected.as_str());
    assert_eq!(lines, sql(&data, "ndjson", QUERY));
}

#[test]
fn the_open_folder_holds_the_released_rows() {
    let (_folder, data) = samples();
    let pointer: Value =
        serde_json::from_slice(&std::fs::read(data.join("current.json")).expect("pointer")).expect("json");
    let mut wanted = Vec::new();
    for (dataset, partitions) in pointer["datasets"].as_object().expect("datasets") {
        wanted.extend(
            partitions.as_object().expect("partitions").values().map(|number| format!("release_id={dataset}.{number}")),
        );
    }
    let mut found = Vec::new();
    for table in std::fs::read_dir(data.join("open")).expect("open").flatten() {
        for part in std::fs::read_dir(table.path()).expect("table").flatten() {
            found.push(part.file_name().to_string_lossy().into_owned());
        }
    }
    found.retain(|name| name.starts_with("release_id="));
    assert!(!wanted.is_empty(), "nothing is released: {pointer}");
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted);
}

#[test]
fn a_question_as_of_a_time_is_answered_as_it_was_then() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    for (name, value, now) in [("a.csv", "20.0", "2026-03-01T00:00:00Z"), ("b.csv", "21.0", "2026-04-01T00:00:00Z")] {
        let text = format!("date,hour,城市,PM2.5\n20190301,1,攀枝花,{value}\n");
        std::fs::write(inbox.join(name), text).expect("writes");
        up_at(&data, &inbox, now);
    }
    let as_of = |time: &str| {
        let mut command = gongkai(&data);
        command
            .args(["sql", "--format", "csv", "--as-of", time, "--data"])
            .arg(&data)
            .arg("SELECT value FROM air_hourly");
        String::from_utf8(command.output().expect("starts").stdout).expect("text")
    };
    assert_eq!(as_of("2026-02-01"), "value\n");
    assert_eq!(as_of("2026-03-15"), "value\n20.0000\n");
    assert_eq!(as_of("2026-04-01T00:00:00Z"), "value\n21.0000\n");

    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let text = |answer: Answer| {
        assert_eq!(answer.status, 200);
        String::from_utf8(answer.body).expect("text")
    };
    let asked = client.sql("SELECT value FROM air_hourly", &[("format", "csv"), ("as_of", "2026-03-15")]);
    assert_eq!(text(asked), "value\n20.0000\n");
    let file = text(client.get("/api/v1/datasets/air_city_hourly/download?format=csv&as_of=2026-03-15"));
    assert!(file.contains(",20.0000,") && !file.contains(",21.0000,"), "{file}");
}

/// Both were refused once: a batch that comes from a worker has all its columns in one buffer, which was counted for each column.
#[test]
fn every_column_of_a_wide_table_fits_into_an_answer() {
    let (_folder, data) = samples();
    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let lines = |query: &str| {
        let answer = client.sql(query, &[("format", "ndjson")]);
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, 200, "{query}: {text}");
        text.lines().count().to_string()
    };
    assert_eq!(lines("SELECT * FROM catalog.item LIMIT 2"), "2");
    assert_eq!(lines("SELECT * FROM debt_stock"), value(&data, "SELECT count(*) FROM debt_stock"));
}

#[test]
fn a_download_is_whole_when_it_is_compressed_on_the_way() {
    let (_folder, data) = samples();
    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    for format in ["csv", "json", "ndjson", "parquet", "arrow", "xlsx"] {
        let path = format!("/api/v1/datasets/cpi_monthly/download?format={format}");
        // A body that breaks off is an error of the client.
        let answer = client.send(reqwest::Method::GET, &path, &[("accept-encoding", "gzip")]);
        assert_eq!(answer.status, 200, "{format}");
        assert!(answer.body.len() > 1000, "{format}: {} bytes", answer.body.len());
    }
}

#[test]
fn a_dataset_as_csv_holds_its_rows_whatever_heading_its_files_have() {
    let (_folder, data) = samples();
    let written = gongkai(&data).args(["export", "cpi_monthly", "--format", "csv"]).output().expect("runs").stdout;
    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let path = "/api/v1/datasets/cpi_monthly/download?format=csv";
    let releases = client.get("/api/v1/datasets/cpi_monthly/releases").json();
    let current: Vec<&Value> =
        releases["releases"].as_array().expect("releases").iter().filter(|one| one["is_current"] == true).collect();
    assert!(current.len() > 1, "one release is sent as the file that it has");
    assert!(written.len() > 10_000 && client.get(path).body == written, "other rows than those of the Parquet files");
    let marked = client.get(&format!("{path}&bom=true")).body;
    assert!(marked.strip_prefix("\u{feff}".as_bytes()) == Some(written.as_slice()), "other rows behind a mark");

    // As a release would have it that is older than one of the columns.
    for release in &current[1..] {
        let file = data.join(format!("releases/cpi_monthly/{}/data.csv", release["number"]));
        let text = std::fs::read_to_string(&file).expect("a file");
        let (heading, rows) = text.split_once('\n').expect("a heading");
        let (_, shorter) = heading.split_once(',').expect("columns");
        std::fs::write(&file, format!("{shorter}\n{rows}")).expect("writes");
    }
    assert!(client.get(path).body == written, "rows that stand under another heading");
    let short = data.join(format!("releases/cpi_monthly/{}/data.csv", current[0]["number"]));
    std::fs::write(&short, "cut").expect("writes");
    assert!(client.get(path).body == written, "a file without a whole heading");
}

#[test]
fn a_limit_is_a_whole_number_however_it_is_written() {
    let (_folder, data) = samples();
    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let ask = |limit: &str| {
        let body = format!(r#"{{"sql": "SELECT region_name FROM debt_stock", "limit": {limit}}}"#);
        client.post("/api/v1/sql", "", &[("content-type", "application/json")], body.as_bytes())
    };
    for limit in ["2", "2.0", "0.2e1"] {
        let answer = ask(limit).json();
        assert_eq!((&answer["row_count"], &answer["truncated"]), (&json!(2), &json!(true)), "{limit}");
    }
    assert_eq!(ask("null").status, 200);
    for limit in ["2.5", "-1", "\"2\""] {
        let refused = ask(limit);
        assert_eq!(refused.problem(), (400, "invalid_parameter".into()), "{limit}");
        assert!(limit.starts_with('"') || String::from_utf8_lossy(&refused.body).contains("whole number"), "{limit}");
    }
}

#[test]
fn a_question_that_would_read_more_than_it_may_is_refused_by_its_size() {
    let (folder, data) = samples();
    std::fs::write(folder.path().join("gongkai.toml"), "[query]\nscan_bytes = 1000\n").expect("writes");
    let served = Served::start(&data, &[]);
    let client = Client::of(&served);
    let refused = client.sql("SELECT count(value) FROM air_hourly WHERE measure = 'PM25'", &[]);
    assert_eq!(refused.problem(), (422, "query_too_wide".into()));
    let refused = refused.json();
    assert_eq!(refused["status"], 422);
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("1000")), "{refused}");
    assert_eq!(client.sql("SELECT 1", &[]).json()["row_count"], 1);
}

/// A connection to the door for PostgreSQL on which a statement was sent. Nobody reads from it yet.
fn asked_over_postgres(address: &str, sql: &str) -> TcpStream {
    let length = |bytes: &[u8]| (bytes.len() as u32 + 4).to_be_bytes();
    let mut stream = TcpStream::connect(address).expect("the door for PostgreSQL");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
    let startup = [196_608_u32.to_be_bytes().as_slice(), b"user\0anybody\0database\0gongkai\0\0"].concat();
    let query = [sql.as_bytes(), b"\0"].concat();
    let messages = [&length(&startup), startup.as_slice(), b"Q", &length(&query), query.as_slice()].concat();
    stream.write_all(&messages).expect("sends");
    stream
}

#[test]
fn a_worker_whose_reader_gives_way_answers_the_next_question() {
    let (folder, data) = samples();
    std::fs::write(folder.path().join("gongkai.toml"), "[query]\nworkers = 1\nqueue_wait_ms = 20000\n")
        .expect("writes");
    let served = Served::start(&data, &EVERY_DOOR);
    let client = Client::of(&served);
    let metric = |name: &str| {
        let text = String::from_utf8(client.get("/metrics").body).expect("text");
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
        line.rsplit(' ').next().and_then(|value| value.parse::<u64>().ok()).expect("a number")
    };
    assert_eq!(client.sql("SELECT 1", &[]).status, 200);
    let started = metric("gongkai_workers_started");

    let large = "SELECT a.*, b.n FROM air_hourly a CROSS JOIN (SELECT row_no AS n FROM air_hourly LIMIT 200) b";
    let mut slow = asked_over_postgres(served.pg_address(), large);
    let begun = Instant::now();
    while metric("gongkai_queries_running") == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the large question does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    let answered = client.sql("SELECT 2", &[]);
    assert_eq!(answered.status, 200, "{}", answered.json());
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "it waited for a reader that takes nothing: {:?}",
        begun.elapsed()
    );
    assert_eq!(metric("gongkai_workers_started"), started, "the worker was ended");

    // Who was slow is told so where the rows break off.
    let (mut last, mut part) = (Vec::new(), vec![0; 1 << 16]);
    while !last.windows(5).any(|word| word == b"57014") {
        let read = slow.read(&mut part).expect("reads");
        assert_ne!(read, 0, "the connection ends without a word");
        last.drain(..last.len().saturating_sub(1_000));
        last.extend_from_slice(&part[..read]);
    }
    let end = String::from_utf8_lossy(&last).into_owned();
    assert!(end.contains("others wait"), "{end}");
}
