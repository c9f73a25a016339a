//! Rows of small tables, kept in memory: opening many small files costs more than what is in them.
//!
//! Files of releases never change, so what was read once holds for as long as the same releases are asked for.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::schema::with_columns;

/// Values of a table that counts as small. Chosen: a decimal, or the view of a text, takes 16 bytes, so that one such table is a
/// quarter of [`KEPT_BYTES`], long texts aside. More would push the other tables out, and read whole what a filter would have
/// skipped; less leaves tables of many small files slow.
pub(super) const SMALL_VALUES: usize = 500_000;
/// Bytes that are kept; the table that was asked for longest ago goes first. Chosen: three workers, as many as there are by
/// default, keep 96 MiB, an eighth of `query.memory_bytes`, and each of them a quarter of what it may hold while it is idle. With
/// more, workers are replaced more often and their rows read again; with less, tables push one another out.
const KEPT_BYTES: usize = 32 << 20;

/// A table in some releases, by name, dataset and number.
pub(super) type Key = (String, Vec<(String, u64)>);

/// The rows that one process keeps.
#[derive(Debug, Default)]
pub(super) struct KeptRows {
    tables: Mutex<VecDeque<(Key, RecordBatch)>>,
}

impl KeptRows {
    /// The rows of these files, all of one table, with the columns of `schema`.
    pub async fn rows(
        &self,
        key: Key,
        store: &dyn ObjectStore,
        files: impl Iterator<Item = &Path>,
        schema: &SchemaRef,
    ) -> Result<RecordBatch> {
        if let Some(rows) = self.known(&key) {
            return Ok(rows);
        }
        let mut batches = Vec::new();
        for file in files {
            let bytes = store.get(file).await?.bytes().await?;
            for batch in ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()? {
                batches.push(with_columns(&batch?, schema)?);
            }
        }
        let rows = concat_batches(schema, &batches)?;
        self.keep(key, &rows);
        Ok(rows)
    }

    fn known(&self, key: &Key) -> Option<RecordBatch> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let place = tables.iter().position(|(known, _)| known == key)?;
        let table = tables.remove(place)?;
        let rows = table.1.clone();
        tables.push_back(table);
        Some(rows)
    }

    fn keep(&self, key: Key, rows: &RecordBatch) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.push_back((key, rows.clone()));
        let mut bytes: usize = tables.iter().map(|(_, rows)| rows.get_array_memory_size()).sum();
        while bytes > KEPT_BYTES
            && let Some((_, oldest)) = tables.pop_front()
        {
            bytes -= oldest.get_array_memory_size();
        }
    }
}
