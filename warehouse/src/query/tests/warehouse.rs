//! Five releases of two tables, written the way the publisher writes them.
//!
//! | release | partition | public | rows | amounts in yuan |
//! |---|---|---|---|---|
//! | debt_limit_balance_final.1 | 2021/FINAL | 2022-08-01 | 3 | 100.10, 50.05, none |
//! | debt_limit_balance_final.2 | 2022/FINAL | 2023-08-01 | 2 | 120.00, 60.30 |
//! | debt_limit_balance_final.3 | 2021/FINAL | 2023-09-01 | 3 | 100.20, 50.05, none: corrects 1 |
//! | air_city_hourly.1 | 2024-01 | 2024-02-01 | 3 | |
//! | undeclared.1 | | 2022-01-01 | 1 | 7.00, of a dataset that the catalogue does not have |

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::array_value_to_string;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use gongkai_catalog::{Catalog, Declarations, Table};
use object_store::local::LocalFileSystem;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use crate::check::{CheckRun, Finding, Findings, Outcome};
use crate::query::{EngineSettings, QueryEngine, QueryError, QueryOptions, TextLimits, scan};
use crate::register::{Event, EventKind, Evidence};
use crate::schema::released_schema;
use crate::snapshot::latest_of_each_partition;
use crate::{ReleaseFile, ReleaseRecord, Snapshot};

pub const DEBT: &str = "debt_limit_balance_final";
pub const AIR: &str = "air_city_hourly";

pub struct Warehouse {
    pub folder: TempDir,
    pub catalog: Arc<Catalog>,
    pub snapshot: Snapshot,
    pub engine: QueryEngine,
}

/// Values by column; those left out get a plain one, nullable columns NULL.
pub type Row<'a> = &'a [(&'a str, &'a str)];

fn batch(table: &Table, rows: &[Row<'_>]) -> RecordBatch {
    rows_in(released_schema(table), rows)
}

pub fn rows_in(schema: SchemaRef, rows: &[Row<'_>]) -> RecordBatch {
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| {
            let plain = match field.data_type() {
                _ if field.is_nullable() => None,
                DataType::Int32 | DataType::Int64 => Some("1"),
                DataType::Boolean => Some("true"),
                DataType::Date32 => Some("2024-01-01"),
                DataType::Timestamp(..) => Some("2024-01-01T00:00:00+08:00"),
                _ => Some("-"),
            };
            let values: StringArray = rows
                .iter()
                .map(|row| row.iter().find(|(name, _)| name == field.name()).map(|(_, value)| *value).or(plain))
                .collect();
            cast(&values, field.data_type()).expect("a value of the declared type")
        })
        .collect();
    RecordBatch::try_new(schema, columns).expect("columns of the declared schema")
}

fn time(text: &str) -> DateTime<Utc> {
    format!("{text}T00:00:00Z").parse().expect("a date")
}

fn release(folder: &TempDir, record: ReleaseRecord, batch: &RecordBatch) -> ReleaseRecord {
    let path = folder.path().join(record.folder());
    std::fs::create_dir_all(&path).expect("a folder");
    let path = path.join("data.parquet");
    let mut writer =
        ArrowWriter::try_new(File::create(&path).expect("a file"), batch.schema(), None).expect("a writer");
    writer.write(batch).expect("rows");
    writer.close().expect("a footer");
    let bytes = std::fs::metadata(&path).expect("the file").len();
    let file = ReleaseFile {
        name: "data.parquet".into(),
        bytes,
        sha256: "0".into(),
        sm3: "0".into(),
        media_type: "application/parquet".into(),
    };
    ReleaseRecord { rows: batch.num_rows() as u64, files: vec![file], ..record }
}

fn event() -> Event {
    Event {
        id: "event.1".into(),
        kind: EventKind::Approved,
        region_code: "510400".into(),
        subject: "2022年决算".into(),
        period: Some("2022".into()),
        occurred_on: "2023-08-01".parse().expect("a date"),
        evidence: Evidence { document: Some("攀人发〔2023〕5号".into()), ..Evidence::default() },
        revokes: None,
        recorded_by: "test".into(),
        recorded_at: time("2023-08-02"),
    }
}

fn record(dataset: &str, number: u64, table: &str, partition: &str, public: &str) -> ReleaseRecord {
    ReleaseRecord {
        dataset: dataset.into(),
        number,
        partition: partition.into(),
        table: table.into(),
        kind: if number == 3 { "correction".into() } else { "initial".into() },
        published_at: Some(time(public)),
        recorded_at: time("2024-03-01"),
        supersedes: (number == 3).then_some(1),
        withdraws: Vec::new(),
        withdrawn_sources: Vec::new(),
        withheld_sources: Vec::new(),
        seal_salt: None,
        reason: "test".into(),
        is_synthetic: true,
        manifest_sha256: "0".into(),
        log_index: number,
        rows: 0,
        regions: vec!["510400".into()],
        files: Vec::new(),
    }
}

impl Warehouse {
    pub fn new() -> Self {
        Self::with(EngineSettings::default())
    }

    pub fn with(settings: EngineSettings) -> Self {
        let mut declarations = Declarations::embedded();
        crate::derived::add_embedded(&mut declarations);
        let catalog = Arc::new(Catalog::load(declarations).expect("the embedded declarations"));
        let folder = TempDir::new().expect("a temporary folder");
        let debt = &catalog.tables["debt_stock"];
        let air = &catalog.tables["air_hourly"];
        let debt_row = |code: &'static str, name: &'static str, year: &'static str, amount: Option<&'static str>| {
            let mut row = vec![("region_code", code), ("region_name", name), ("as_of_year", year), ("stage", "FINAL")];
            row.extend(amount.map(|amount| ("amount_yuan", amount)));
            row
        };
        let year_2021 = |first| {
            vec![
                debt_row("510000", "四川省", "2021", Some(first)),
                debt_row("510100", "成都市", "2021", Some("50.05")),
                debt_row("510400", "攀枝花市", "2021", None),
            ]
        };
        let year_2022 = vec![
            debt_row("510000", "四川省", "2022", Some("120.00")),
            debt_row("510100", "成都市", "2022", Some("60.30")),
        ];
        let hours = vec![
            vec![("geo_id", "510400"), ("measure", "PM25"), ("value", "35.5000"), ("hour_label", "1")],
            vec![("geo_id", "510400"), ("measure", "PM25"), ("hour_label", "2")],
            vec![
                ("geo_id", "510100"),
                ("measure", "PM25"),
                ("value", "70.2500"),
                ("hour_label", "1"),
                ("obs_time", "2024-01-02T00:00:00+08:00"),
            ],
        ];
        let rows = |rows: &[Vec<(&'static str, &'static str)>], table: &Table| {
            batch(table, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        let hidden = vec![debt_row("510000", "四川省", "2021", Some("7.00"))];
        let written = [
            (record(DEBT, 1, "debt_stock", "2021/FINAL", "2022-08-01"), rows(&year_2021("100.10"), debt)),
            (record(DEBT, 2, "debt_stock", "2022/FINAL", "2023-08-01"), rows(&year_2022, debt)),
            (record(DEBT, 3, "debt_stock", "2021/FINAL", "2023-09-01"), rows(&year_2021("100.20"), debt)),
            (record(AIR, 1, "air_hourly", "2024-01", "2024-02-01"), rows(&hours, air)),
            (record("undeclared", 1, "debt_stock", "", "2022-01-01"), rows(&hidden, debt)),
        ];
        let releases: Vec<ReleaseRecord> =
            written.into_iter().map(|(record, batch)| release(&folder, record, &batch)).collect();
        let current = latest_of_each_partition(&releases);
        let snapshot = Snapshot {
            counter: 1,
            releases,
            current,
            findings: findings(),
            events: vec![event()],
            ..Snapshot::empty()
        };
        let store = LocalFileSystem::new_with_prefix(folder.path()).expect("a store");
        let engine = QueryEngine::new(Arc::clone(&catalog), Arc::new(store), settings).expect("an engine");
        Self { folder, catalog, snapshot, engine }
    }

    pub async fn at(&self, snapshot: &Snapshot, sql: &str) -> Result<Vec<Vec<String>>, QueryError> {
        let statement = scan(sql, &TextLimits::default())?;
        let planned = self.engine.plan(&statement, Arc::new(snapshot.clone()), QueryOptions::default()).await?;
        let batches: Vec<RecordBatch> = planned.execute()?.try_collect().await?;
        let mut rows = Vec::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let show = |column: &ArrayRef| array_value_to_string(column, row).expect("a printable value");
                rows.push(batch.columns().iter().map(show).collect());
            }
        }
        Ok(rows)
    }

    /// All rows as text, NULL empty.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.at(&self.snapshot, sql).await.unwrap_or_else(|error| panic!("{sql}: {} {error}", error.code()))
    }

    /// The only value.
    pub async fn value(&self, sql: &str) -> String {
        let rows = self.rows(sql).await;
        assert_eq!((rows.len(), rows[0].len()), (1, 1), "{sql}: {rows:?}");
        rows[0][0].clone()
    }

    pub async fn error(&self, sql: &str) -> QueryError {
        match self.at(&self.snapshot, sql).await {
            Err(error) => error,
            Ok(rows) => panic!("{} was answered: {rows:?}", &sql[..sql.len().min(200)]),
        }
    }

    /// Rows by their first column.
    pub async fn map(&self, sql: &str) -> HashMap<String, String> {
        self.rows(sql).await.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
    }
}

/// One finding about the first current release, and its count.
fn findings() -> Findings {
    let finding = Finding {
        check: "D04".into(),
        outcome: Outcome::Error,
        scope_key: "510400".into(),
        dataset: DEBT.into(),
        release_id: format!("{DEBT}.2"),
        partition: "2022/FINAL".into(),
        row_no: Some(1),
        region_code: Some("510400".into()),
        lhs: Some("2".into()),
        rhs: Some("1".into()),
        diff: Some("1".into()),
        tolerance: Some("0".into()),
        addends: 1,
        message_zh: "余额 2，限额 1".into(),
        message_en: "balance 2, limit 1".into(),
    };
    let run = CheckRun {
        check: "D04".into(),
        dataset: DEBT.into(),
        release_id: format!("{DEBT}.2"),
        outcome: Outcome::Error,
        count: 1,
    };
    Findings { findings: vec![finding], runs: vec![run] }
}
