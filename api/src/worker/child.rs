//! The worker's side: one request after another until the pipe closes.

use std::io::{BufRead, BufReader, BufWriter, Read, StdinLock, StdoutLock, Write};
use std::sync::Arc;

use arrow::ipc::writer::StreamWriter;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::lake::Warehouse;
use gongkai_warehouse::query::{
    EngineSettings, QueryEngine, QueryError, QueryOptions, ScannedStatement, TextLimits, scan,
};

use super::protocol::{Column, Failure, Header, QueryRequest, Request, Setup, Trailer};
use super::reader;
use crate::instance::Definitions;

/// Stack of the engine's threads: plans are walked recursively.
const STACK_BYTES: usize = 16 << 20;

type Input<'a> = BufReader<StdinLock<'a>>;
type Output<'a> = BufWriter<StdoutLock<'a>>;

/// Runs until the parent closes the pipe.
///
/// # Errors
///
/// A parent that breaks the protocol, or is gone; the exit code is nobody's to read then.
pub fn run() -> anyhow::Result<()> {
    let mut input: Input<'_> = BufReader::new(std::io::stdin().lock());
    let mut output: Output<'_> = BufWriter::new(std::io::stdout().lock());
    let mut line = String::new();
    input.read_line(&mut line)?;
    let setup: Setup = serde_json::from_str(&line)?;
    limit_address_space(setup.address_space_bytes);
    let definitions = Definitions::load(setup.definitions.as_ref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()?;
    let mut engine: Option<Queries> = None;
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match serde_json::from_str::<Request>(&line)? {
            Request::Query(request) => {
                let queries = match &mut engine {
                    Some(queries) => queries,
                    none => none.insert(Queries::open(&setup, &definitions)?),
                };
                queries.answer(&runtime, request, &mut output)?;
            }
            Request::Read(request) => {
                let mut bytes = vec![0; usize::try_from(request.bytes)?];
                input.read_exact(&mut bytes)?;
                reader::answer(&definitions, &request, &bytes, &mut output)?;
            }
            Request::Unpack(request) => {
                let mut bytes = vec![0; usize::try_from(request.bytes)?];
                input.read_exact(&mut bytes)?;
                reader::answer_archive(&bytes, &mut output)?;
            }
            Request::Window(request) => {
                let mut bytes = vec![0; usize::try_from(request.bytes)?];
                input.read_exact(&mut bytes)?;
                reader::answer_window(&request.query, &bytes, &mut output)?;
            }
        }
        output.flush()?;
    }
}

fn limit_address_space(bytes: u64) {
    let limit = rustix::process::Rlimit { current: Some(bytes), maximum: Some(bytes) };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::As, limit) {
        eprintln!("address space is not limited: {error}");
    }
}

struct Queries {
    engine: Arc<QueryEngine>,
    snapshot: Arc<Snapshot>,
    snapshot_key: String,
}

impl Queries {
    fn open(setup: &Setup, definitions: &Definitions) -> anyhow::Result<Self> {
        let address = setup.data.as_deref().unwrap_or_default();
        let warehouse = Warehouse::open(address, Arc::clone(&definitions.catalog))?;
        if let Some(folder) = &setup.spill_dir {
            std::fs::create_dir_all(folder)?;
        }
        let settings = EngineSettings {
            pool_bytes: setup.pool_bytes,
            spill_dir: setup.spill_dir.clone(),
            spill_bytes: setup.spill_bytes,
            ..EngineSettings::default()
        };
        let engine =
            QueryEngine::new(Arc::clone(&definitions.catalog), Arc::clone(warehouse.store().objects()), settings)?;
        Ok(Self { engine: Arc::new(engine), snapshot: Arc::new(Snapshot::empty()), snapshot_key: String::new() })
    }

    fn answer(
        &mut self,
        runtime: &tokio::runtime::Runtime,
        request: QueryRequest,
        output: &mut Output<'_>,
    ) -> anyhow::Result<()> {
        if let Some(snapshot) = request.snapshot {
            self.snapshot = snapshot;
            self.snapshot_key = request.snapshot_key;
        }
        let statement = match scan(&request.sql, &TextLimits::default()) {
            Ok(statement) => statement,
            Err(error) => return write_line(output, &Header::Failed(failure(&error))),
        };
        let (engine, snapshot, now) = (Arc::clone(&self.engine), Arc::clone(&self.snapshot), request.now);
        // Planning is deep recursion: it runs on a thread of the runtime, whose stacks are large.
        let planned = runtime.block_on(async move { tokio::spawn(plan(engine, statement, snapshot, now)).await })?;
        let planned = match planned {
            Ok(planned) => planned,
            Err(error) => return write_line(output, &Header::Failed(failure(&error))),
        };
        let columns = planned
            .columns()
            .into_iter()
            .map(|column| Column {
                name: column.name,
                column_type: column.type_name,
                unit: column.unit,
                label: column.label.map(|label| label.zh),
            })
            .collect();
        write_line(
            output,
            &Header::Ready { columns, releases: planned.releases(), warnings: planned.warnings().to_vec() },
        )?;
        let mut writer = StreamWriter::try_new(&mut *output, &planned.schema())?;
        let mut rows = 0;
        // Operators start tasks as soon as the plan is executed.
        let _entered = runtime.enter();
        let ended = match planned.execute() {
            Ok(mut stream) => loop {
                match runtime.block_on(stream.next()) {
                    Some(Ok(batch)) => {
                        let room = request.max_rows - rows;
                        let batch = batch.slice(0, batch.num_rows().min(usize::try_from(room)?));
                        rows += batch.num_rows() as u64;
                        writer.write(&batch)?;
                        writer.flush()?;
                        if rows == request.max_rows {
                            break Trailer::Done { rows };
                        }
                    }
                    Some(Err(error)) => break Trailer::Failed(failure(&QueryError::from(error))),
                    None => break Trailer::Done { rows },
                }
            },
            Err(error) => Trailer::Failed(failure(&error)),
        };
        writer.finish()?;
        drop(writer);
        write_line(output, &ended)
    }
}

async fn plan(
    engine: Arc<QueryEngine>,
    statement: ScannedStatement,
    snapshot: Arc<Snapshot>,
    now: DateTime<Utc>,
) -> Result<gongkai_warehouse::query::PlannedQuery, QueryError> {
    engine.plan(&statement, snapshot, QueryOptions { now: Some(now), ..QueryOptions::default() }).await
}

fn failure(error: &QueryError) -> Failure {
    Failure::new(error.code(), error.to_string())
}

/// Writes one line of the protocol.
pub(super) fn write_line(output: &mut impl Write, message: &impl serde::Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *output, message)?;
    output.write_all(b"\n")?;
    output.flush()?;
    Ok(())
}
