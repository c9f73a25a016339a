//! The worker's side: one request after another until the pipe closes.

use std::io::{BufRead, BufReader, BufWriter, Read, StdinLock, StdoutLock, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use gongkai_warehouse::lake::Warehouse;
use gongkai_warehouse::query::{
    EngineSettings, QueryEngine, QueryError, QueryOptions, ScannedStatement, TextLimits, scan, write_list,
};
use gongkai_warehouse::schema::of_answers;
use gongkai_warehouse::{Snapshot, Staging};

use super::pool::held_bytes;
use super::protocol::{Column, Failure, Header, Kept, QueryRequest, Request, Setup, Started, Statement, Trailer};
use super::reader;
use crate::instance::Definitions;

/// Stack of the engine's threads: plans are walked recursively.
const STACK_BYTES: usize = 16 << 20;
/// Most bytes of one message to the parent, as far as rows can be parted: it holds a few of each answer that is not taken.
const MESSAGE_BYTES: usize = 1 << 20;
/// Time in which the tasks of a statement end that was told to stop; the parent waits a little longer.
const QUIET_WAIT: Duration = Duration::from_millis(400);

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
    let mut work = Work::open(&setup)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()?;
    if matches!(work, Work::Queries(_)) {
        write_line(&mut output, &Started {})?;
    }
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match (&mut work, serde_json::from_str::<Request>(&line)?) {
            (Work::Queries(queries), Request::Query(request)) => {
                queries.answer(&runtime, request, &mut input, &mut output)?;
            }
            (Work::Queries(queries), Request::Describe(request)) => queries.describe(&runtime, request, &mut output)?,
            (Work::Files(definitions), Request::Read(request)) => {
                let bytes = announced(&mut input, request.bytes)?;
                reader::answer(definitions, &request, &bytes, &mut output)?;
            }
            (Work::Files(_), Request::Unpack(request)) => {
                let bytes = announced(&mut input, request.bytes)?;
                reader::answer_archive(&bytes, &mut output)?;
            }
            (Work::Files(_), Request::Window(request)) => {
                let bytes = announced(&mut input, request.bytes)?;
                reader::answer_window(&request.query, &bytes, &mut output)?;
            }
            // The answer had ended before the word came.
            (Work::Queries(_), Request::Stop) => continue,
            _ => anyhow::bail!("a request for a worker of the other kind"),
        }
        output.flush()?;
    }
}

/// What a worker is for: each kind loads what it needs and nothing else.
enum Work {
    /// Questions to a warehouse.
    Queries(Queries),
    /// Files of departments.
    Files(Box<Definitions>),
}

impl Work {
    fn open(setup: &Setup) -> anyhow::Result<Self> {
        Ok(match &setup.data {
            Some(data) => Self::Queries(Queries::open(data, setup)?),
            None => Self::Files(Box::new(Definitions::load(setup.definitions.as_ref())?)),
        })
    }
}

/// The bytes that a line has announced.
fn announced(input: &mut Input<'_>, length: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length)?];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn limit_address_space(bytes: u64) {
    let limit = rustix::process::Rlimit { current: Some(bytes), maximum: Some(bytes) };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::As, limit) {
        eprintln!("address space is not limited: {error}");
    }
}

/// What a question asks, of which state, and what it may do.
struct Prepared {
    statement: ScannedStatement,
    snapshot: Arc<Snapshot>,
    options: QueryOptions,
}

struct Queries {
    engine: Arc<QueryEngine>,
    warehouse: Warehouse,
    snapshots: Kept<Arc<Snapshot>>,
    scan_bytes: u64,
}

impl Queries {
    fn open(data: &str, setup: &Setup) -> anyhow::Result<Self> {
        let catalog = Arc::new(Definitions::load_catalog(setup.definitions.as_ref())?);
        let warehouse = Warehouse::open(data, Arc::clone(&catalog))?;
        if let Some(folder) = &setup.spill_dir {
            std::fs::create_dir_all(folder)?;
        }
        let settings = EngineSettings {
            pool_bytes: setup.pool_bytes,
            spill_dir: setup.spill_dir.clone(),
            spill_bytes: setup.spill_bytes,
            ..EngineSettings::default()
        };
        let engine = QueryEngine::new(catalog, Arc::clone(warehouse.store().objects()), settings)?;
        let engine = Arc::new(engine);
        Ok(Self { engine, warehouse, snapshots: Kept::default(), scan_bytes: setup.scan_bytes })
    }

    /// The snapshot of a request, and its statement with what belongs to it.
    fn prepare(
        &mut self,
        runtime: &tokio::runtime::Runtime,
        request: &mut QueryRequest,
    ) -> Result<Prepared, QueryError> {
        if let Some(snapshot) = request.snapshot.take() {
            self.snapshots.keep(request.snapshot_key.clone(), snapshot);
        }
        let snapshot = self.snapshots.get(&request.snapshot_key).cloned();
        let snapshot = snapshot.ok_or_else(|| QueryError::internal(std::io::Error::other("a snapshot is missing")))?;
        let statement = scan(&request.statement.sql, &TextLimits::default())?;
        let texts = match &request.statement.values {
            Some(values) => texts_of(values)?,
            None => std::mem::take(&mut request.statement.parameters),
        };
        let options = QueryOptions {
            role: request.statement.role,
            staging: self.staging(runtime, &request.statement)?,
            now: Some(request.now),
            texts,
            with_system: request.statement.with_system,
            path: std::mem::take(&mut request.statement.path),
            scan_bytes: Some(self.scan_bytes),
            ..QueryOptions::default()
        };
        Ok(Prepared { statement, snapshot, options })
    }

    /// What schema `staging` shows, where it exists for whoever asks. The ledger is read for statements that may name it.
    fn staging(
        &self,
        runtime: &tokio::runtime::Runtime,
        statement: &Statement,
    ) -> Result<Option<Arc<Staging>>, QueryError> {
        if !statement.role.sees_staging() || !Staging::may_be_named_in(&statement.sql, &statement.path) {
            return Ok(statement.role.sees_staging().then(Arc::default));
        }
        let read = runtime.block_on(Staging::read(self.warehouse.store().as_ref()));
        Ok(Some(Arc::new(read.map_err(QueryError::internal)?)))
    }

    fn describe(
        &mut self,
        runtime: &tokio::runtime::Runtime,
        mut request: QueryRequest,
        output: &mut Output<'_>,
    ) -> anyhow::Result<()> {
        let Prepared { statement, snapshot, options } = match self.prepare(runtime, &mut request) {
            Ok(prepared) => prepared,
            Err(error) => return write_line(output, &Header::Failed(failure(&error))),
        };
        let engine = Arc::clone(&self.engine);
        let described = runtime.block_on(async move {
            tokio::spawn(async move { engine.describe(&statement, snapshot, options).await }).await
        })?;
        let header = match described {
            Ok(described) => Header::Described {
                parameters: schema_text(&described.parameters)?,
                schema: schema_text(&of_answers(&described.schema))?,
            },
            Err(error) => Header::Failed(failure(&error)),
        };
        write_line(output, &header)
    }

    fn answer(
        &mut self,
        runtime: &tokio::runtime::Runtime,
        mut request: QueryRequest,
        input: &mut Input<'_>,
        output: &mut Output<'_>,
    ) -> anyhow::Result<()> {
        let Prepared { statement, snapshot, options } = match self.prepare(runtime, &mut request) {
            Ok(prepared) => prepared,
            Err(error) => return write_line(output, &Header::Failed(failure(&error))),
        };
        let engine = Arc::clone(&self.engine);
        // Planning is deep recursion: it runs on a thread of the runtime, whose stacks are large.
        let planned = runtime.block_on(async move {
            tokio::spawn(async move { engine.plan(&statement, snapshot, options).await }).await
        })?;
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
            &Header::Ready {
                columns,
                releases: planned.releases(),
                warnings: planned.warnings().to_vec(),
                is_repeatable: planned.is_repeatable(),
            },
        )?;
        let schema = of_answers(&planned.schema());
        let mut writer = StreamWriter::try_new(&mut *output, &schema)?;
        let mut rows = 0;
        // Operators start tasks as soon as the plan is executed.
        let _entered = runtime.enter();
        let ended = match planned.execute() {
            Ok(mut stream) => 'rows: loop {
                match runtime.block_on(stream.next()) {
                    Some(Ok(batch)) => {
                        let room = request.max_rows - rows;
                        let batch = batch.slice(0, batch.num_rows().min(usize::try_from(room)?));
                        rows += batch.num_rows() as u64;
                        for part in parts_of(&batch, &schema)? {
                            writer.write(&part)?;
                            writer.flush()?;
                            if is_told_to_stop(input)? {
                                break 'rows Trailer::Stopped;
                            }
                        }
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
        if matches!(ended, Trailer::Stopped) && !is_quiet(runtime) {
            anyhow::bail!("a statement goes on that was told to stop");
        }
        write_line(output, &ended)
    }
}

/// Whether the parent has said that nobody wants the rest.
///
/// # Errors
///
/// It said something else: it waits for the end of this answer.
fn is_told_to_stop(input: &mut Input<'_>) -> anyhow::Result<bool> {
    if input.buffer().is_empty() && rustix::io::ioctl_fionread(input.get_ref())? == 0 {
        return Ok(false);
    }
    let mut line = String::new();
    input.read_line(&mut line)?;
    match serde_json::from_str(&line)? {
        Request::Stop => Ok(true),
        _ => anyhow::bail!("a request before the end of an answer"),
    }
}

/// Whether nothing of a statement runs any more, or does not shortly after its end: its tasks end where they wait next.
fn is_quiet(runtime: &tokio::runtime::Runtime) -> bool {
    let is_idle = || runtime.metrics().num_alive_tasks() == 0;
    let until = Instant::now() + QUIET_WAIT;
    while !is_idle() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    is_idle()
}

/// A batch in parts of bearable size, as answers have it. A part of a column of texts does not keep the texts of the others.
fn parts_of(batch: &RecordBatch, schema: &SchemaRef) -> Result<Vec<RecordBatch>, ArrowError> {
    let rows = batch.num_rows();
    let count = held_bytes(batch).div_ceil(MESSAGE_BYTES).clamp(1, rows.max(1));
    let size = rows.div_ceil(count).max(1);
    let part = |from: usize| {
        let slice = batch.slice(from, size.min(rows - from));
        let columns = slice.columns().iter().zip(schema.fields()).map(|(column, field)| match column.data_type() {
            DataType::BinaryView => Ok(Arc::new(column.as_binary_view().gc()) as ArrayRef),
            _ => cast(column, field.data_type()),
        });
        // Without columns nothing else tells how many rows there are.
        let count = RecordBatchOptions::new().with_row_count(Some(slice.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect::<Result<_, _>>()?, &count)
    };
    (0..rows.max(1)).step_by(size).map(part).collect()
}

fn failure(error: &QueryError) -> Failure {
    let cause = match error {
        QueryError::Internal { source } => Some(source.to_string()),
        _ => None,
    };
    Failure { cause, ..Failure::new(error.code(), error.to_string()) }
}

/// The values of an Arrow stream of one row as texts.
fn texts_of(values: &str) -> Result<Vec<Option<String>>, QueryError> {
    let unreadable = || QueryError::Failed { reason: "the values of the parameters cannot be read" };
    let bytes = STANDARD.decode(values).map_err(|_| unreadable())?;
    let mut stream = StreamReader::try_new(bytes.as_slice(), None).map_err(|_| unreadable())?;
    let mut row = None;
    for batch in &mut stream {
        let batch = batch.map_err(|_| unreadable())?;
        if batch.num_rows() > 1 || (batch.num_rows() == 1 && row.is_some()) {
            return Err(QueryError::Failed { reason: "the parameters have more than one row of values" });
        }
        if batch.num_rows() == 1 {
            row = Some(batch);
        }
    }
    let Some(row) = row else { return Ok(Vec::new()) };
    let text = |column: &ArrayRef, row: usize| {
        if column.is_null(row) || column.data_type() == &DataType::Null {
            return Ok(None);
        }
        let formatter = ArrayFormatter::try_new(column, &FormatOptions::default()).map_err(|_| unreadable())?;
        formatter.value(row).try_to_string().map(Some).map_err(|_| unreadable())
    };
    let columns = row.columns().iter().map(|column| match column.as_list_opt::<i32>() {
        Some(list) if list.is_valid(0) => {
            let values = list.value(0);
            let values: Vec<Option<String>> =
                (0..values.len()).map(|row| text(&values, row)).collect::<Result<_, QueryError>>()?;
            Ok(Some(write_list(values)))
        }
        _ => text(column, 0),
    });
    columns.collect()
}

/// A schema as an Arrow stream without rows, in base64.
fn schema_text(schema: &Schema) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    StreamWriter::try_new(&mut bytes, schema)?.finish()?;
    Ok(STANDARD.encode(bytes))
}

/// Writes one line of the protocol.
pub(super) fn write_line(output: &mut impl Write, message: &impl serde::Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *output, message)?;
    output.write_all(b"\n")?;
    output.flush()?;
    Ok(())
}
