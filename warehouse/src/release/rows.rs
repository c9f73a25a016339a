//! The rows of a release, read from its Parquet file.

use std::fs::File;

use arrow::array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;

use crate::ReleaseRecord;
use crate::lake::{LakeError, Warehouse};

/// Rows of a batch, as many as the engine's have.
const BATCH_ROWS: usize = 8192;

/// Rows of one release, batch after batch; memory holds one of them at a time.
pub struct ReleaseRows {
    reader: ParquetRecordBatchReader,
    table: String,
}

impl Iterator for ReleaseRows {
    type Item = Result<RecordBatch, LakeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|source| LakeError::Arrow { table: self.table.clone(), source }))
    }
}

/// Opens the rows of a release.
///
/// # Errors
///
/// The file is not there, or it is not Parquet.
pub async fn release_rows(warehouse: &Warehouse, release: &ReleaseRecord) -> Result<ReleaseRows, LakeError> {
    let path = format!("{}/data.parquet", release.folder());
    let store = warehouse.store();
    let reader = match store.local_root() {
        Some(root) => {
            let file = File::open(root.join(&path));
            reader(file.map_err(|source| LakeError::Io { what: format!("reading {path}"), source })?)
        }
        None => reader::<Bytes>(store.read(&path).await?),
    };
    let reader = reader.map_err(|source| LakeError::Parquet { path, source })?;
    Ok(ReleaseRows { reader, table: release.table.clone() })
}

fn reader<F: ChunkReader + 'static>(file: F) -> Result<ParquetRecordBatchReader, ParquetError> {
    ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(BATCH_ROWS).build()
}

/// All rows of a release at once, for what compares them.
///
/// # Errors
///
/// The file is not there, or cannot be read.
pub async fn read_release(warehouse: &Warehouse, release: &ReleaseRecord) -> Result<Vec<RecordBatch>, LakeError> {
    release_rows(warehouse, release).await?.collect()
}
