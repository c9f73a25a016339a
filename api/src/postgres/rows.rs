//! Rows of an answer as messages, and as the lines of `COPY`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use arrow_pg::datatypes::{arrow_schema_to_pg_fields, encode_recordbatch, into_pg_type};
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
    let told: Vec<Field> = schema.fields().iter().map(|field| told(field)).collect();
    arrow_schema_to_pg_fields(&Schema::new(told), format, None)
}

/// A column as clients are told of it. What nothing gives a type is text, and so is what has none of the numbers that every
/// client knows: clients know no "unknown" in results, and would have to ask about others.
fn told(field: &Field) -> Field {
    let data_type = field.data_type();
    if data_type != &DataType::Null && is_plain(data_type) {
        return field.clone();
    }
    Field::new(field.name(), DataType::Utf8, true)
}

/// Whether values have a type of PostgreSQL's own: no structs, no maps, and no lists of lists.
pub fn is_plain(data_type: &DataType) -> bool {
    let is_struct = match data_type {
        DataType::List(inner) | DataType::LargeList(inner) | DataType::FixedSizeList(inner, _) => {
            matches!(inner.data_type(), DataType::Struct(_) | DataType::Dictionary(..))
        }
        other => matches!(other, DataType::Struct(_)),
    };
    !is_struct && into_pg_type(data_type).is_ok()
}

fn is_number(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal128(..) | DataType::Decimal256(..))
}

fn is_list_of_numbers(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(inner) if is_number(inner.data_type()))
}

/// Decimals in a form in which every digit arrives, however many there are: as texts, or as the bytes of the protocol, which
/// [`number`] writes. Lists of them likewise; what clients are told is text becomes text.
fn exact(batch: &RecordBatch, fields: &[FieldInfo]) -> PgWireResult<RecordBatch> {
    let is_changed = |data_type: &DataType| {
        is_number(data_type) || is_list_of_numbers(data_type) || data_type == &DataType::Null || !is_plain(data_type)
    };
    let schema = batch.schema();
    if !schema.fields().iter().any(|field| is_changed(field.data_type())) {
        return Ok(batch.clone());
    }
    let internal = |error: ArrowError| refused(&ApiError::internal(&error));
    let mut columns: Vec<(Field, ArrayRef)> = Vec::with_capacity(batch.num_columns());
    for ((field, column), told) in schema.fields().iter().zip(batch.columns()).zip(fields) {
        let is_binary = told.format() == FieldFormat::Binary;
        let array = match field.data_type() {
            kept if !is_changed(kept) => Arc::clone(column),
            decimal if is_number(decimal) && is_binary => numbers(column).map_err(internal)?,
            list if is_list_of_numbers(list) => lists_of_numbers(column, is_binary).map_err(internal)?,
            decimal if is_number(decimal) => cast(column, &DataType::Utf8).map_err(internal)?,
            DataType::Null => cast(column, &DataType::Utf8).map_err(internal)?,
            _ => texts(column).map_err(internal)?,
        };
        columns.push((field.as_ref().clone().with_data_type(array.data_type().clone()), array));
    }
    let (columns, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(columns)), arrays).map_err(internal)
}

/// Decimals as the bytes of the protocol.
fn numbers(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let texts = cast(column, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    Ok(Arc::new(texts.iter().map(|text| text.map(number::write)).collect::<BinaryArray>()))
}

/// Lists of decimals as lists of texts, which have the same form, or as the bytes of the protocol.
fn lists_of_numbers(column: &ArrayRef, is_binary: bool) -> Result<ArrayRef, ArrowError> {
    let lists = column.as_list::<i32>();
    if !is_binary {
        let inner = Arc::new(Field::new_list_field(DataType::Utf8, true));
        return cast(column, &DataType::List(inner));
    }
    let lists = lists.iter().map(|list| list.map(|list| numbers(&list).map(|list| list_bytes(&list))).transpose());
    Ok(Arc::new(lists.collect::<Result<BinaryArray, ArrowError>>()?))
}

/// One list of decimals: its dimensions, whether a value is missing, the number of the type, its length and first place, and
/// the values.
fn list_bytes(values: &ArrayRef) -> Vec<u8> {
    let values = values.as_binary::<i32>();
    let (count, missing) = (values.len() as i32, i32::from(values.null_count() > 0));
    let head = [i32::from(count > 0), missing, Type::NUMERIC.oid().cast_signed()];
    let mut bytes: Vec<u8> = head.iter().flat_map(|word| word.to_be_bytes()).collect();
    if count > 0 {
        bytes.extend([count, 1].iter().flat_map(|word: &i32| word.to_be_bytes()));
    }
    for value in values {
        match value {
            Some(value) => {
                bytes.extend((value.len() as i32).to_be_bytes());
                bytes.extend(value);
            }
            None => bytes.extend((-1_i32).to_be_bytes()),
        }
    }
    bytes
}

/// Values as they are written everywhere else, as texts.
fn texts(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let text = |row: usize| match column.is_null(row) {
        true => Ok(None),
        false => array_value_to_string(column, row).map(Some),
    };
    Ok(Arc::new((0..column.len()).map(text).collect::<Result<StringArray, ArrowError>>()?))
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
            .row(row, &mut scratch, |index, _, text| {
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

#[cfg(test)]
mod tests {
    use arrow::array::{Decimal128Array, Decimal128Builder, ListBuilder};

    use super::*;

    fn list(inner: DataType) -> DataType {
        DataType::List(Arc::new(Field::new_list_field(inner, true)))
    }

    #[test]
    fn lists_have_the_numbers_that_every_client_knows() {
        for (inner, number) in [
            (DataType::Boolean, 1000),
            (DataType::Int16, 1005),
            (DataType::Int32, 1007),
            (DataType::Int64, 1016),
            (DataType::Float32, 1021),
            (DataType::Float64, 1022),
            (DataType::Utf8View, 1009),
            (DataType::Decimal128(20, 2), 1231),
            (DataType::Date32, 1182),
            (DataType::Null, 1009),
        ] {
            let schema = Schema::new(vec![Field::new("x", list(inner.clone()), true)]);
            let found = fields(&schema, &Format::UnifiedText).expect("a type");
            assert_eq!(found[0].datatype().oid(), number, "{inner}");
        }
        let pair = DataType::Struct(vec![Field::new("a", DataType::Int32, true)].into());
        for nested in [pair.clone(), list(pair), list(list(DataType::Int32))] {
            let schema = Schema::new(vec![Field::new("x", nested.clone(), true)]);
            assert_eq!(fields(&schema, &Format::UnifiedText).expect("text")[0].datatype(), &Type::TEXT, "{nested}");
        }
    }

    fn encoded(column: ArrayRef, format: i16) -> Vec<u8> {
        let schema = Arc::new(Schema::new(vec![Field::new("x", column.data_type().clone(), true)]));
        let told = Arc::new(fields(&schema, &Format::Individual(vec![format])).expect("a type"));
        let batch = RecordBatch::try_new(schema, vec![column]).expect("a column");
        let rows = encode(&batch, &told).expect("rows");
        // After the length of the value.
        rows[0].data[4..].to_vec()
    }

    #[test]
    fn lists_of_decimals_keep_every_digit() {
        let mut lists = ListBuilder::new(Decimal128Builder::new().with_data_type(DataType::Decimal128(38, 2)));
        // More digits than the types of libraries have.
        lists.values().append_value(12_345_678_901_234_567_890_123_456_789_012_345_678);
        lists.values().append_null();
        lists.append(true);
        let column: ArrayRef = Arc::new(lists.finish());
        let number = "123456789012345678901234567890123456.78";
        assert_eq!(encoded(Arc::clone(&column), 0), format!("{{{number},NULL}}").as_bytes());
        let value = number::write(number);
        let words: [i32; 5] = [1, 1, 1700, 2, 1];
        let mut expected: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        expected.extend(i32::try_from(value.len()).expect("short").to_be_bytes());
        expected.extend(value);
        expected.extend((-1_i32).to_be_bytes());
        assert_eq!(encoded(column, 1), expected);
    }

    #[test]
    fn what_has_no_type_of_its_own_is_written_as_text() {
        let mut lists = ListBuilder::new(ListBuilder::new(arrow::array::Int32Builder::new()));
        lists.values().values().append_slice(&[1, 2]);
        lists.values().append(true);
        lists.append(true);
        assert_eq!(encoded(Arc::new(lists.finish()), 1), b"[[1, 2]]");
        let one = Decimal128Array::from(vec![100]).with_precision_and_scale(20, 2).expect("a decimal");
        assert_eq!(encoded(Arc::new(one), 0), b"1.00");
    }
}
