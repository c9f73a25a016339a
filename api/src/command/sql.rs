//! `gongkai sql`: one query, or a shell.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use futures::TryStreamExt;
use gongkai_catalog::Label;
use gongkai_warehouse::export::{self, ExportOptions};
use gongkai_warehouse::lake::Warehouse;
use gongkai_warehouse::query::{
    EngineSettings, QueryEngine, QueryError, QueryOptions, Role, SearchPath, TextLimits, scan,
};
use gongkai_warehouse::{Snapshot, Staging};
use tokio::sync::OnceCell;

use super::{DataError, Outcome, UsageError, open, shell};
use crate::config::Config;
use crate::http::app::parse_time;
use crate::instance::Instance;

/// Arguments.
#[derive(Debug, Args)]
pub struct SqlArgs {
    /// The statement; a shell opens where it is absent
    query: Option<String>,
    /// How to write the rows
    #[arg(long, value_enum, default_value = "table")]
    format: OutputFormat,
    /// What was current at this time: 2026-01-31 or 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Write to a file in place of the terminal
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Formats of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Aligned columns for people.
    Table,
    /// Comma-separated values.
    Csv,
    /// An array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// Parquet.
    Parquet,
    /// Arrow IPC stream.
    Arrow,
    /// Excel workbook.
    Xlsx,
}

impl OutputFormat {
    fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Table => return None,
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Xlsx => "xlsx",
        })
    }

    fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow | Self::Xlsx)
    }
}

/// The query door on the command line: in this process, which is the user's own. Whoever can read the folder is its
/// admin, and sees schema `staging` as well.
pub struct Session {
    engine: QueryEngine,
    snapshot: Arc<Snapshot>,
    warehouse: Warehouse,
    staging: OnceCell<Arc<Staging>>,
    now: DateTime<Utc>,
    // Removed with what was spilled when the session ends.
    _spill: tempfile::TempDir,
}

impl Session {
    /// Opens the warehouse as it is now, or was at a time.
    pub async fn open(instance: &Instance, as_of: Option<&str>) -> anyhow::Result<Self> {
        let spill = tempfile::Builder::new().prefix("gongkai-spill-").tempdir()?;
        let settings = EngineSettings {
            pool_bytes: instance.config.query.pool_bytes * 4,
            spill_dir: Some(spill.path().to_owned()),
            spill_bytes: instance.config.query.spill_bytes,
            ..EngineSettings::default()
        };
        let store = Arc::clone(instance.warehouse.store().objects());
        let engine = QueryEngine::new(Arc::clone(&instance.definitions.catalog), store, settings)?;
        let mut snapshot = instance.warehouse.snapshot().await?;
        if let Some(text) = as_of {
            snapshot = snapshot.as_of(parse_time(text).map_err(|error| UsageError(error.detail))?);
        }
        let warehouse = instance.warehouse.clone();
        let now = instance.clock.now();
        Ok(Self { engine, snapshot: Arc::new(snapshot), warehouse, staging: OnceCell::new(), now, _spill: spill })
    }

    /// Runs a statement.
    pub async fn query(&self, sql: &str) -> Result<(SchemaRef, Vec<RecordBatch>), QueryError> {
        let (schema, batches, _) = self.query_with_warnings(sql).await?;
        Ok((schema, batches))
    }

    /// Runs a statement, and says what the reader should know of its sums.
    pub async fn query_with_warnings(
        &self,
        sql: &str,
    ) -> Result<(SchemaRef, Vec<RecordBatch>, Vec<Label>), QueryError> {
        let statement = scan(sql, &TextLimits::default())?;
        let mut options = QueryOptions { role: Role::Admin, now: Some(self.now), ..QueryOptions::default() };
        options.staging = Some(self.staging(sql, &options.path).await?);
        let planned = self.engine.plan(&statement, Arc::clone(&self.snapshot), options).await?;
        let (schema, warnings) = (planned.schema(), planned.warnings().to_vec());
        let batches = planned.execute()?.try_collect().await.map_err(QueryError::from)?;
        Ok((schema, batches, warnings))
    }
}

impl Session {
    /// The ledger, read once and only for a statement that names the schema.
    async fn staging(&self, sql: &str, path: &SearchPath) -> Result<Arc<Staging>, QueryError> {
        if !Staging::may_be_named_in(sql, path) {
            return Ok(Arc::default());
        }
        let read = || async { Staging::read(self.warehouse.store().as_ref()).await.map(Arc::new) };
        self.staging.get_or_try_init(read).await.map(Arc::clone).map_err(QueryError::internal)
    }
}

/// Rows as aligned columns.
pub fn to_table(schema: &SchemaRef, batches: &[RecordBatch]) -> anyhow::Result<String> {
    let options = arrow::util::display::FormatOptions::default().with_null("NULL");
    let empty = [RecordBatch::new_empty(Arc::clone(schema))];
    let batches = if batches.is_empty() { &empty } else { batches };
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let table = arrow::util::pretty::pretty_format_batches_with_options(batches, &options)?;
    Ok(format!("{table}\n{rows} {}\n", if rows == 1 { "row" } else { "rows" }))
}

/// Runs the command.
pub async fn run(config: Config, args: SqlArgs) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    let session = Session::open(&instance, args.as_of.as_deref()).await?;
    let Some(query) = args.query else {
        return shell::run(&session).await;
    };
    let (schema, batches, warnings) = session.query_with_warnings(&query).await.map_err(|error| {
        // What is our fault says more to who has the folder.
        tracing::debug!(?error, "the query failed");
        DataError(format!("{}: {error}", error.code()))
    })?;
    for warning in warnings {
        eprintln!("warning: {}", warning.en);
    }
    let bytes = match args.format.name().and_then(export::format) {
        None => to_table(&schema, &batches)?.into_bytes(),
        Some(format) => export::to_bytes(format, &schema, &batches, ExportOptions::default())?,
    };
    write_output(args.output.as_deref(), args.format.is_binary(), &bytes)?;
    Ok(Outcome::Done)
}

/// Writes to a file, or to standard output unless binary bytes would fill a terminal.
pub fn write_output(path: Option<&std::path::Path>, is_binary: bool, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::IsTerminal;
    match path {
        Some(path) => std::fs::write(path, bytes).map_err(|error| anyhow::anyhow!("{}: {error}", path.display())),
        None if is_binary && std::io::stdout().is_terminal() => {
            Err(UsageError("this format is not text; name a file with --output".into()).into())
        }
        None => match std::io::stdout().write_all(bytes).and_then(|()| std::io::stdout().flush()) {
            // The reader of a pipe may stop when it has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        },
    }
}
