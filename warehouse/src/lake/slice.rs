//! Slices of `tables/{table}`: the rows of one partition of one dataset, from every source that gave some.
//!
//! Each table is one Delta table partitioned by dataset and partition, and each of its files is a [`part`](super::part):
//! what one source gave one slice. Reading a source again replaces its parts and touches no others; where the parts
//! are the same, no version is made.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use chrono::{DateTime, Utc};
use deltalake::DeltaTable;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, Remove, StructField, StructType};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::table::builder::DeltaTableBuilder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use gongkai_catalog::Table;

use crate::lake::part::{Owner, StoredPart, source_of, with_origin};
use crate::lake::{LakeError, rows};
use crate::schema::{normalised_schema, part_schema};
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

/// What some sources give some slices, in place of what they gave before; no parts where a source gives none any more.
pub type Changes = BTreeMap<Owner, Vec<StoredPart>>;

/// A part that a version of the table names.
struct Known {
    source_sha256: String,
    path: String,
    bytes: i64,
}

/// Parts by their slice, in the order of their paths.
type Parts = BTreeMap<SliceKey, Vec<Known>>;

/// The Delta table of one canonical table.
pub struct NormalisedTable<'a> {
    store: &'a dyn Store,
    table: &'a Table,
    folder: String,
    delta: DeltaTable,
    /// The parts of this version.
    parts: Parts,
}

impl<'a> NormalisedTable<'a> {
    /// Opens the table, creating it where it does not exist.
    pub async fn open(store: &'a dyn Store, table: &'a Table) -> Result<Self, LakeError> {
        let folder = format!("tables/{}", table.name);
        let delta =
            open_or_create(store, &folder, &table.description.en, &stored_schema(table), &[DATASET, PARTITION]).await?;
        let parts = parts_of(&delta, &folder)?;
        Ok(Self { store, table, folder, delta, parts })
    }

    /// Version of the table.
    pub fn version(&self) -> u64 {
        self.delta.version().unwrap_or_default()
    }

    /// Names of the slices that hold rows.
    pub fn slices(&self) -> impl Iterator<Item = &SliceKey> {
        self.parts.keys()
    }

    /// All rows of a slice, in the normalised schema, ordered by source and within one by place.
    pub async fn read(&self, key: &SliceKey) -> Result<RecordBatch, LakeError> {
        let schema = normalised_schema(self.table);
        let mut batches = Vec::new();
        let mut sources = BTreeSet::new();
        let mut has_neighbours = false;
        for part in self.parts.get(key).into_iter().flatten() {
            let path = format!("{}/{}", self.folder, part.path);
            let bytes = self.store.read(&path).await?;
            let failed = |source| LakeError::Parquet { path: path.clone(), source };
            for batch in ParquetRecordBatchReaderBuilder::try_new(bytes).and_then(|b| b.build()).map_err(failed)? {
                let batch = batch.and_then(|batch| with_origin(&batch, self.table, &part.source_sha256));
                batches.push(batch.map_err(|source| self.arrow(source))?);
            }
            has_neighbours |= !sources.insert(&part.source_sha256);
        }
        let all = rows::concat(&schema, &batches).map_err(|source| self.arrow(source))?;
        if !has_neighbours {
            return Ok(all);
        }
        // Several feeds read one file into this slice: what stands first in the file comes first.
        let mut order = ["source_sha256", "source_row", "source_column"].map(str::to_owned).to_vec();
        order.extend(self.table.key.iter().cloned());
        rows::sort(&all, &order).map_err(|source| self.arrow(source))
    }

    /// Makes a version in which the named sources give what `changes` say; the sources that something changed for.
    ///
    /// Where nothing changes, no version is made.
    pub async fn apply(&mut self, changes: &Changes, now: DateTime<Utc>) -> Result<BTreeSet<String>, LakeError> {
        let millis = now.timestamp_millis();
        let mut actions = Vec::new();
        let mut changed = BTreeSet::new();
        for (owner, parts) in changes {
            let (key, source) = owner;
            let of_slice = self.parts.get(key).into_iter().flatten();
            let before: Vec<&Known> = of_slice.filter(|known| known.source_sha256 == *source).collect();
            let new = parts.iter().filter(|part| !before.iter().any(|known| known.path == part.path));
            let gone = before.iter().filter(|known| !parts.iter().any(|part| known.path == part.path));
            let count = actions.len();
            actions.extend(
                gone.map(|part| Action::Remove(removed(&part.path, part.bytes, partition_values(key), millis))),
            );
            actions.extend(new.map(|part| Action::Add(added(key, part, millis))));
            if actions.len() > count {
                changed.insert(source.clone());
            }
        }
        if actions.is_empty() {
            return Ok(changed);
        }
        let failed = |source| delta_error(&self.folder, source);
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(vec![DATASET.to_owned(), PARTITION.to_owned()]),
            predicate: None,
        };
        let snapshot = self.delta.snapshot().map_err(failed)?;
        let commit = CommitBuilder::from(keep_history())
            .with_actions(actions)
            .build(Some(snapshot), self.delta.log_store(), operation)
            .await
            .map_err(failed)?;
        self.delta.state = Some(commit.snapshot());
        self.parts = parts_of(&self.delta, &self.folder)?;
        Ok(changed)
    }

    fn arrow(&self, source: ArrowError) -> LakeError {
        LakeError::Arrow { table: self.folder.clone(), source }
    }
}

fn parts_of(delta: &DeltaTable, folder: &str) -> Result<Parts, LakeError> {
    let snapshot = delta.snapshot().map_err(|source| delta_error(folder, source))?;
    let mut parts = Parts::new();
    for file in snapshot.log_data().iter() {
        let values = file.partition_values_map();
        let value = |name: &str| values.get(name).cloned().flatten().unwrap_or_default();
        let key = SliceKey { dataset: value(DATASET), partition: value(PARTITION) };
        let path = file.path().into_owned();
        let source = source_of(&path).ok_or_else(|| LakeError::Layout { path: format!("{folder}/{path}") })?;
        parts.entry(key).or_default().push(Known { source_sha256: source.to_owned(), bytes: file.size(), path });
    }
    parts.values_mut().for_each(|of_slice| of_slice.sort_by(|a, b| a.path.cmp(&b.path)));
    Ok(parts)
}

fn added(key: &SliceKey, part: &StoredPart, millis: i64) -> Add {
    Add {
        path: part.path.clone(),
        partition_values: partition_values(key),
        size: i64::try_from(part.bytes).unwrap_or(i64::MAX),
        modification_time: millis,
        data_change: true,
        stats: Some(format!("{{\"numRecords\":{}}}", part.rows)),
        tags: None,
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
        clustering_provider: None,
    }
}

/// A file that leaves its table.
pub(crate) fn removed(path: &str, bytes: i64, values: HashMap<String, Option<String>>, millis: i64) -> Remove {
    Remove {
        path: path.to_owned(),
        data_change: true,
        deletion_timestamp: Some(millis),
        extended_file_metadata: Some(true),
        partition_values: Some(values),
        size: Some(bytes),
        ..Remove::default()
    }
}

fn partition_values(key: &SliceKey) -> HashMap<String, Option<String>> {
    [(DATASET, &key.dataset), (PARTITION, &key.partition)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Some(value.clone())))
        .collect()
}

/// Commit settings of every table: old versions stay readable, so the log is never cleaned up.
pub(crate) fn keep_history() -> CommitProperties {
    CommitProperties::default().with_cleanup_expired_logs(Some(false))
}

pub(crate) fn delta_error(table: &str, source: deltalake::DeltaTableError) -> LakeError {
    LakeError::Delta { table: table.to_owned(), source: Box::new(source) }
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
    fields.extend(delta_schema(&part_schema(table)).fields().iter().cloned());
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
#[path = "slice_tests.rs"]
mod tests;
