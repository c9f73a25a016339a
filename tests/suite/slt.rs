//! `.slt` files, run over the samples through the one query door.

use std::path::Path;
use std::sync::Arc;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use gongkai_api::command::sql::Session;
use gongkai_api::config::Config;
use gongkai_api::instance::Instance;
use gongkai_tests::{root, up_once};
use gongkai_warehouse::query::QueryError;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType};

/// The one query door, as the runner of `.slt` files wants it.
pub(crate) struct Door(pub(crate) Arc<Session>);

/// Why a statement was not answered.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", .0.code(), .0)]
pub(crate) struct Refused(QueryError);

#[async_trait::async_trait]
impl AsyncDB for Door {
    type Error = Refused;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Refused> {
        let (schema, batches) = self.0.query(sql).await.map_err(Refused)?;
        let options = FormatOptions::default().with_null("NULL");
        let mut rows = Vec::new();
        for batch in &batches {
            let columns: Vec<ArrayFormatter<'_>> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).expect("every type is shown"))
                .collect();
            for row in 0..batch.num_rows() {
                let cell = |column: &ArrayFormatter<'_>| match column.value(row).to_string() {
                    text if text.is_empty() => "(empty)".to_owned(),
                    text => text,
                };
                rows.push(columns.iter().map(cell).collect());
            }
        }
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; schema.fields().len()], rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "gongkai"
    }
}

#[test]
fn every_slt_file_holds_over_the_samples() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let output = up_once(&data, None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    hold(&data, &root().join("tests/slt"));
    compare_findings(&data);
}

/// `tests/expected_findings.csv` lists every finding of the samples with its cause, and nothing else is found. What cannot be
/// tested (`SKIP`) is not listed.
fn compare_findings(data: &Path) {
    let sql = "SELECT check_id, outcome, scope_key FROM catalog.finding WHERE outcome <> 'SKIP' ORDER BY 1, 2, 3";
    let output = gongkai_tests::gongkai(data).args(["sql", "--format", "csv", "--data"]).arg(data).arg(sql).output();
    let output = output.expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = String::from_utf8(output.stdout).expect("text");
    let mut found: Vec<&str> = found.lines().skip(1).collect();
    found.sort_unstable();
    let listed = std::fs::read_to_string(root().join("tests/expected_findings.csv")).expect("the list");
    let mut expected = Vec::new();
    for line in listed.lines().skip(1) {
        let (finding, cause) = line.match_indices(',').nth(2).map(|(at, _)| line.split_at(at)).expect("four fields");
        assert!(cause.len() > 1, "{line}: without a cause");
        expected.push(finding);
    }
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// Runs every `.slt` file of a folder over a warehouse, and looks at the keys of its derived tables.
pub(crate) fn hold(data: &Path, folder: &Path) {
    let config = Config { data: Some(data.display().to_string()), ..Config::default() };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(16 << 20).build().expect("runtime");
    let (session, derived) = runtime.block_on(async {
        let instance = Instance::open(config).expect("opens");
        let derived = gongkai_warehouse::derived::load(&instance.definitions.catalog).expect("loads");
        (Arc::new(Session::open(&instance, None).await.expect("opens")), derived)
    });
    assert!(!derived.is_empty());
    for table in derived.values() {
        let keys: Vec<String> = table.key.iter().map(|key| format!("coalesce(CAST({key} AS VARCHAR), '')")).collect();
        let (name, keys) = (format!("{}.{}", table.schema, table.name), keys.join(", "));
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {name} GROUP BY {keys} HAVING count(*) > 1) AS twice");
        let (_, batches) = runtime.block_on(session.query(&sql)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let twice = arrow::util::display::array_value_to_string(batches[0].column(0), 0).expect("a number");
        assert_eq!(twice, "0", "{name}: keys that several rows have");
    }
    let mut count = 0;
    let mut failures = Vec::new();
    for path in files(folder) {
        count += 1;
        let door = Arc::clone(&session);
        let mut runner = sqllogictest::Runner::new(move || {
            let door = Arc::clone(&door);
            async move { Ok(Door(door)) }
        });
        if let Err(error) = runtime.block_on(runner.run_file_async(&path)) {
            failures.push(error.to_string());
        }
    }
    assert!(count > 0, "there are no .slt files");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("tests/slt")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    found.sort();
    found
}
