//! Rows of an answer as messages, and as the lines of `COPY`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_pg::datatypes::{arrow_schema_to_pg_fields, encode_recordbatch};
use bytes::Bytes;
use futures::Stream;
use futures::channel::oneshot;
use gongkai_warehouse::export::{Columns, csv_text};
use gongkai_warehouse::query::command::CopyFormat;
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldFormat, FieldInfo};
use pgwire::api::{ConnectionHandle, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::data::DataRow;

use super::{failed, number, refused};
use crate::access::Running;
use crate::http::ApiError;
use crate::worker::{Bound, QueryAnswer};

/// The columns of an answer.
pub fn fields(schema: &Schema, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
    if let Format::Individual(codes) = format
        && codes.len() != schema.fields().len()
    {
        let found = codes.len().to_string();
        return Err(refused(&ApiError::parameter("result formats", &found, "none, one, or one for each column")));
    }
    let mut fields = arrow_schema_to_pg_fields(schema, format, None)?;
    for (field, column) in fields.iter_mut().zip(schema.fields()) {
        // What nothing gives a type is text: clients know no "unknown" in results.
        if column.data_type() == &DataType::Null {
            *field = FieldInfo::new(column.name().clone(), None, None, Type::TEXT, field.format());
        }
    }
    Ok(fields)
}

/// Decimals in a form in which every digit arrives, however many there are: as texts, or as the bytes of the protocol, which
/// [`number`] writes.
fn exact(batch: &RecordBatch, fields: &[FieldInfo]) -> PgWireResult<RecordBatch> {
    let is_number = |data_type: &DataType| matches!(data_type, DataType::Decimal128(..) | DataType::Decimal256(..));
    let is_cast = |data_type: &DataType| is_number(data_type) || data_type == &DataType::Null;
    let schema = batch.schema();
    if !schema.fields().iter().any(|field| is_cast(field.data_type())) {
        return Ok(batch.clone());
    }
    let internal = |error: ArrowError| refused(&ApiError::internal(&error));
    let mut columns: Vec<(Field, ArrayRef)> = Vec::with_capacity(batch.num_columns());
    for ((field, column), told) in schema.fields().iter().zip(batch.columns()).zip(fields) {
        if !is_cast(field.data_type()) {
            columns.push((field.as_ref().clone(), Arc::clone(column)));
            continue;
        }
        let texts = cast(column, &DataType::Utf8).map_err(internal)?;
        let array: ArrayRef = if is_number(field.data_type()) && told.format() == FieldFormat::Binary {
            let texts = texts.as_string::<i32>();
            Arc::new(texts.iter().map(|text| text.map(number::write)).collect::<BinaryArray>())
        } else {
            texts
        };
        columns.push((field.as_ref().clone().with_data_type(array.data_type().clone()), array));
    }
    let (columns, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(columns)), arrays).map_err(internal)
}

/// An answer with the count of what was sent of it, which can be cancelled.
pub struct Answer {
    answer: QueryAnswer,
    bound: Bound,
    /// Its place among those of its party.
    _running: Running,
    /// How the client cancels; asked for with the first batch, because asking ends an earlier question's wait.
    handle: Option<Arc<ConnectionHandle>>,
    cancelled: Option<oneshot::Receiver<()>>,
}

impl Answer {
    /// Begins to count.
    pub fn new(answer: QueryAnswer, bound: Bound, running: Running, handle: Option<Arc<ConnectionHandle>>) -> Self {
        Self { answer, bound, _running: running, handle, cancelled: None }
    }

    /// The same for a statement that is answered while the library watches: it stops the work when the client cancels, and takes
    /// a second watch for a cancel.
    pub fn unwatched(mut self) -> Self {
        self.handle = None;
        self
    }

    /// Types of the rows.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.answer.schema)
    }

    /// The next batch; none after the last.
    pub async fn next(&mut self) -> Option<PgWireResult<RecordBatch>> {
        if self.cancelled.is_none()
            && let Some(handle) = &self.handle
        {
            self.cancelled = Some(handle.start_query().await);
        }
        let batch = match &mut self.cancelled {
            Some(cancelled) => tokio::select! {
                biased;
                told = cancelled => match told {
                    Ok(()) => return Some(Err(PgWireError::QueryCanceled)),
                    // Another question has begun to wait; nobody can cancel this one any more.
                    Err(_) => self.answer.next_within(self.bound).await,
                },
                batch = self.answer.next_within(self.bound) => batch,
            },
            None => self.answer.next_within(self.bound).await,
        };
        Some(batch?.map_err(failed))
    }

    /// All rows as messages.
    pub fn into_rows(self, fields: Arc<Vec<FieldInfo>>) -> impl Stream<Item = PgWireResult<DataRow>> + Send + 'static {
        let begun = Sending { answer: self, batch: None, waiting: Vec::new().into_iter(), fields };
        futures::stream::unfold(Some(begun), |sending| async move {
            let mut sending = sending?;
            match sending.next().await? {
                Ok(row) => Some((Ok(row), Some(sending))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

/// Rows that are encoded at once: messages of a whole batch would be many times as large as the batch.
const AT_ONCE: usize = 256;

/// An answer on its way to messages.
struct Sending {
    answer: Answer,
    /// What of the last batch is not encoded yet.
    batch: Option<RecordBatch>,
    waiting: std::vec::IntoIter<DataRow>,
    fields: Arc<Vec<FieldInfo>>,
}

impl Sending {
    async fn next(&mut self) -> Option<PgWireResult<DataRow>> {
        loop {
            if let Some(row) = self.waiting.next() {
                return Some(Ok(row));
            }
            let batch = match self.batch.take() {
                Some(batch) => batch,
                None => match self.answer.next().await? {
                    Ok(batch) => batch,
                    Err(error) => return Some(Err(error)),
                },
            };
            let taken = batch.num_rows().min(AT_ONCE);
            match encode(&batch.slice(0, taken), &self.fields) {
                Ok(rows) => self.waiting = rows.into_iter(),
                Err(error) => return Some(Err(error)),
            }
            if batch.num_rows() > taken {
                self.batch = Some(batch.slice(taken, batch.num_rows() - taken));
            }
        }
    }
}

fn encode(batch: &RecordBatch, fields: &Arc<Vec<FieldInfo>>) -> PgWireResult<Vec<DataRow>> {
    encode_recordbatch(Arc::clone(fields), exact(batch, fields)?).collect()
}

/// The line of `COPY` that names the columns.
pub fn copy_header(schema: &Schema, format: CopyFormat) -> Bytes {
    let mut line = Vec::new();
    for (index, field) in schema.fields().iter().enumerate() {
        push_cell(&mut line, index, Some(field.name()), format);
    }
    line.push(b'\n');
    line.into()
}

/// The lines of `COPY` for a batch.
pub fn copy_lines(batch: &RecordBatch, format: CopyFormat) -> PgWireResult<Vec<Bytes>> {
    let internal = |error: ArrowError| refused(&ApiError::internal(&error));
    let columns = Columns::new(batch).map_err(internal)?;
    let mut scratch = String::new();
    let mut lines = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let mut line = Vec::new();
        columns
            .row(row, &mut scratch, |index, _, text, _| {
                push_cell(&mut line, index, text, format);
                Ok::<(), ArrowError>(())
            })
            .map_err(internal)?;
        line.push(b'\n');
        lines.push(line.into());
    }
    Ok(lines)
}

fn push_cell(line: &mut Vec<u8>, index: usize, text: Option<&str>, format: CopyFormat) {
    if index > 0 {
        line.push(if format.is_csv { b',' } else { b'\t' });
    }
    match (text, format.is_csv) {
        (None, true) => {}
        (None, false) => line.extend_from_slice(b"\\N"),
        (Some(text), true) => csv_text(line, text),
        (Some(text), false) => {
            for byte in text.bytes() {
                match byte {
                    b'\\' => line.extend_from_slice(b"\\\\"),
                    b'\t' => line.extend_from_slice(b"\\t"),
                    b'\n' => line.extend_from_slice(b"\\n"),
                    b'\r' => line.extend_from_slice(b"\\r"),
                    byte => line.push(byte),
                }
            }
        }
    }
}
