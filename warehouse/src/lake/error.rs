//! What can go wrong between the rows and the disk.

use crate::StoreError;

/// Why the warehouse could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process is writing.
    #[error("warehouse {root} is being written by another process; wait for it or stop it")]
    Locked {
        /// The warehouse folder.
        root: String,
    },
    /// The lock file cannot be used.
    #[error("lock of warehouse {root}: {source}")]
    Lock {
        /// The warehouse folder.
        root: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of ours does not read back.
    #[error("{path} is damaged: {source}; run `gongkai doctor`")]
    Damaged {
        /// Path below the root.
        path: String,
        /// The parser's message.
        source: serde_json::Error,
    },
    /// A file is not the one that was written.
    #[error("{path} has digest {found}, expected {expected}; run `gongkai doctor`")]
    Digest {
        /// Path below the root.
        path: String,
        /// Digest of the bytes that are there.
        found: String,
        /// Digest that was recorded.
        expected: String,
    },
    /// The Delta table could not be read or written. Its text may quote rows: never shown to a client.
    #[error("table {table}: {source}")]
    Delta {
        /// Folder of the table.
        table: String,
        /// What the Delta library said.
        source: Box<deltalake::DeltaTableError>,
    },
    /// A file of a table that no version of this program writes there.
    #[error("{path} is no part that this version writes; make the warehouse again from the files under sources/")]
    Layout {
        /// Path below the root.
        path: String,
    },
    /// Rows could not be handled.
    #[error("table {table}: {source}")]
    Arrow {
        /// Folder of the table.
        table: String,
        /// What the Arrow library said.
        source: arrow::error::ArrowError,
    },
    /// A check's query does not run.
    #[error("check {check}: {source}")]
    Check {
        /// Id of the check.
        check: String,
        /// What the query door said.
        source: Box<crate::query::QueryError>,
    },
    /// A Parquet file could not be read or written.
    #[error("{path}: {source}")]
    Parquet {
        /// Path below the root.
        path: String,
        /// What the Parquet library said.
        source: parquet::errors::ParquetError,
    },
    /// A name that no declaration knows.
    #[error("{kind} {name:?} is not declared; declared are: {declared}")]
    Unknown {
        /// `table` or `dataset`.
        kind: &'static str,
        /// The name.
        name: String,
        /// What would have been accepted.
        declared: String,
    },
    /// A file could not be exported.
    #[error("release {release}: {source}")]
    Export {
        /// The release.
        release: String,
        /// Why.
        source: crate::export::ExportError,
    },
}
