//! Slices of `tables/{table}`: the rows of one partition of one dataset, replaced as a whole.
//!
//! Each table is one Delta table partitioned by dataset and partition. A slice holds the rows of every
//! source that gave some; replacing a slice by the same rows writes nothing, so a second run of the same
//! files makes no commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use deltalake::DeltaTable;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::kernel::{StructField, StructType};
use deltalake::protocol::SaveMode;
use deltalake::table::builder::DeltaTableBuilder;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use gongkai_catalog::{Dataset, Table};

use crate::lake::{LakeError, rows};
use crate::schema::normalised_schema;
use crate::store::Store;

const DATASET: &str = "dataset_id";
const PARTITION: &str = "partition";

/// A slice's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SliceKey {
    /// Dataset id.
    pub dataset: String,
    /// Values of the dataset's partition columns, joined by `/`.
    pub partition: String,
}

/// Rows of one source for one slice.
#[derive(Debug, Clone)]
pub struct SliceRows {
    /// Where they belong.
    pub key: SliceKey,
    /// The source they were read from.
    pub source_sha256: String,
    /// The rows, in the normalised schema of their table.
    pub batch: RecordBatch,
}

/// Cuts a source's rows into slices.
pub fn cut(batch: &RecordBatch, dataset: &Dataset, source_sha256: &str) -> Result<Vec<SliceRows>, ArrowError> {
    let options = FormatOptions::default();
    let mut formatters = Vec::new();
    for name in &dataset.partition_by {
        let column = batch
            .column_by_name(name)
            .ok_or_else(|| ArrowError::SchemaError(format!("partition column {name} is missing")))?;
        formatters.push(ArrayFormatter::try_new(column, &options)?);
    }
    let mut of_row = Vec::with_capacity(batch.num_rows());
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let values: Vec<String> = formatters.iter().map(|formatter| formatter.value(row).to_string()).collect();
        let next = numbers.len();
        of_row.push(*numbers.entry(values.join("/")).or_insert(next));
    }
    numbers
        .into_iter()
        .map(|(partition, number)| {
            let mask: BooleanArray = of_row.iter().map(|of| Some(*of == number)).collect();
            Ok(SliceRows {
                key: SliceKey { dataset: dataset.id.clone(), partition },
                source_sha256: source_sha256.to_owned(),
                batch: filter_record_batch(batch, &mask)?,
            })
        })
        .collect()
}

/// The Delta table of one canonical table.
pub struct NormalisedTable<'a> {
    store: &'a dyn Store,
    table: &'a Table,
    folder: String,
    delta: DeltaTable,
}

impl<'a> NormalisedTable<'a> {
    /// Opens the table, creating it where it does not exist.
    pub async fn open(store: &'a dyn Store, table: &'a Table) -> Result<Self, LakeError> {
        let folder = format!("tables/{}", table.name);
        let delta =
            open_or_create(store, &folder, &table.description.en, &stored_schema(table), &[DATASET, PARTITION]).await?;
        Ok(Self { store, table, folder, delta })
    }

    /// Version of the table.
    pub fn version(&self) -> u64 {
        self.delta.version().unwrap_or_default()
    }

    /// Names of the slices that hold rows.
    pub fn slices(&self) -> Result<BTreeSet<SliceKey>, LakeError> {
        Ok(self.files()?.into_iter().map(|(key, _)| key).collect())
    }

    fn files(&self) -> Result<Vec<(SliceKey, Path)>, LakeError> {
        let failed = |source| delta_error(&self.folder, source);
        let snapshot = self.delta.snapshot().map_err(failed)?;
        let mut files = Vec::new();
        for file in snapshot.log_data().iter() {
            let values = file.partition_values_map();
            let value = |name: &str| values.get(name).cloned().flatten().unwrap_or_default();
            let key = SliceKey { dataset: value(DATASET), partition: value(PARTITION) };
            files.push((key, file.object_store_path()));
        }
        files.sort_by(|a, b| a.1.cmp(&b.1));
        Ok(files)
    }

    /// All rows of a slice, in the normalised schema.
    pub async fn read(&self, key: &SliceKey) -> Result<RecordBatch, LakeError> {
        let schema = normalised_schema(self.table);
        let objects = self.delta.object_store();
        let mut batches = Vec::new();
        for (_, path) in self.files()?.into_iter().filter(|(of, _)| of == key) {
            let shown = format!("{}/{path}", self.folder);
            let absent = |source| LakeError::Store(crate::StoreError::Storage { path: shown.clone(), source });
            let bytes = objects.get(&path).await.map_err(absent)?.bytes().await.map_err(absent)?;
            let failed = |source| LakeError::Parquet { path: shown.clone(), source };
            for batch in ParquetRecordBatchReaderBuilder::try_new(bytes).and_then(|b| b.build()).map_err(failed)? {
                let batch = batch.and_then(|batch| convert(&batch, &schema));
                batches.push(batch.map_err(|source| self.arrow(source))?);
            }
        }
        rows::concat(&schema, &batches).map_err(|source| self.arrow(source))
    }

    /// Puts the rows of some sources into a slice, in place of what these sources gave before.
    ///
    /// Returns whether anything changed; where nothing did, nothing is written.
    pub async fn put(&mut self, key: &SliceKey, incoming: &[SliceRows]) -> Result<bool, LakeError> {
        let schema = normalised_schema(self.table);
        let before = self.read(key).await?;
        let replaced: BTreeSet<&str> = incoming.iter().map(|rows| rows.source_sha256.as_str()).collect();
        let kept = without_sources(&before, &replaced).map_err(|source| self.arrow(source))?;
        let mut batches = vec![kept];
        batches.extend(incoming.iter().map(|rows| rows.batch.clone()));
        let after = rows::concat(&schema, &batches).map_err(|source| self.arrow(source))?;
        let order = ["source_sha256", "source_row", "source_column"].map(str::to_owned);
        let sorted = |batch: &RecordBatch| {
            let mut columns = order.to_vec();
            columns.extend(self.table.key.iter().cloned());
            rows::sort(batch, &columns)
        };
        let (before, after) = (sorted(&before), sorted(&after));
        let (before, after) = (before.map_err(|e| self.arrow(e))?, after.map_err(|e| self.arrow(e))?);
        let same =
            rows::digest(&before).map_err(|e| self.arrow(e))? == rows::digest(&after).map_err(|e| self.arrow(e))?;
        if same {
            return Ok(false);
        }
        let stored = with_slice(&after, key, &stored_schema(self.table)).map_err(|source| self.arrow(source))?;
        let predicate = format!("{DATASET} = {} AND {PARTITION} = {}", quoted(&key.dataset), quoted(&key.partition));
        self.delta = self
            .delta
            .clone()
            .write(vec![stored])
            .with_save_mode(SaveMode::Overwrite)
            .with_replace_where(predicate)
            .with_commit_properties(keep_history())
            .await
            .map_err(|source| delta_error(&self.folder, source))?;
        Ok(true)
    }

    /// The store that the table is in.
    pub fn store(&self) -> &dyn Store {
        self.store
    }

    fn arrow(&self, source: ArrowError) -> LakeError {
        LakeError::Arrow { table: self.folder.clone(), source }
    }
}

/// Commit settings of every table: old versions stay readable, so the log is never cleaned up.
pub(crate) fn keep_history() -> CommitProperties {
    CommitProperties::default().with_cleanup_expired_logs(Some(false))
}

pub(crate) fn delta_error(table: &str, source: deltalake::DeltaTableError) -> LakeError {
    LakeError::Delta { table: table.to_owned(), source: Box::new(source) }
}

/// A text as an SQL string literal.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Opens a Delta table through the store, creating it where it does not exist.
pub(crate) async fn open_or_create(
    store: &dyn Store,
    folder: &str,
    comment: &str,
    schema: &SchemaRef,
    partition_by: &[&str],
) -> Result<DeltaTable, LakeError> {
    let failed = |source| delta_error(folder, source);
    let (objects, url) = store.delta(folder)?;
    let builder =
        || DeltaTableBuilder::from_url(url.clone()).map(|b| b.with_storage_backend(Arc::clone(&objects), url.clone()));
    let table = builder().and_then(DeltaTableBuilder::build).map_err(failed)?;
    if table.verify_deltatable_existence().await.map_err(failed)? {
        return builder().map_err(failed)?.load().await.map_err(failed);
    }
    let kernel: StructType = schema
        .as_ref()
        .try_into_kernel()
        .map_err(|source: ArrowError| LakeError::Arrow { table: folder.to_owned(), source })?;
    let columns: Vec<StructField> = kernel.fields().cloned().collect();
    table
        .create()
        .with_table_name(folder.rsplit('/').next().unwrap_or(folder))
        .with_comment(comment)
        .with_columns(columns)
        .with_partition_columns(partition_by.iter().copied())
        .with_configuration([("delta.enableExpiredLogCleanup".to_owned(), Some("false".to_owned()))])
        .await
        .map_err(failed)
}

/// The schema a Delta table stores: the declared one with instants in UTC.
pub(crate) fn delta_schema(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Timestamp(*unit, Some("UTC".into()))))
        }
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn stored_schema(table: &Table) -> SchemaRef {
    let mut fields = vec![
        Arc::new(Field::new(DATASET, DataType::Utf8, false)),
        Arc::new(Field::new(PARTITION, DataType::Utf8, false)),
    ];
    fields.extend(delta_schema(&normalised_schema(table)).fields().iter().cloned());
    Arc::new(Schema::new(fields))
}

/// The columns of `schema`, cast where only the zone or the text layout differs.
pub(crate) fn convert(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let column = batch
                .column_by_name(field.name())
                .ok_or_else(|| ArrowError::SchemaError(format!("column {} is missing", field.name())))?;
            cast(column, field.data_type())
        })
        .collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
}

fn with_slice(batch: &RecordBatch, key: &SliceKey, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let constant = |text: &str| Arc::new(StringArray::from(vec![text; batch.num_rows()])) as ArrayRef;
    let mut columns = vec![constant(&key.dataset), constant(&key.partition)];
    for (column, field) in batch.columns().iter().zip(schema.fields().iter().skip(2)) {
        columns.push(cast(column, field.data_type())?);
    }
    RecordBatch::try_new(Arc::clone(schema), columns)
}

fn without_sources(batch: &RecordBatch, sources: &BTreeSet<&str>) -> Result<RecordBatch, ArrowError> {
    let of_row = batch
        .column_by_name("source_sha256")
        .and_then(|column| column.as_any().downcast_ref::<StringArray>())
        .ok_or_else(|| ArrowError::SchemaError("column source_sha256 is missing".into()))?;
    let mask: BooleanArray = (0..batch.num_rows()).map(|row| Some(!sources.contains(of_row.value(row)))).collect();
    filter_record_batch(batch, &mask)
}
