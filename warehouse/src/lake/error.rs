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
    /// The system refused something beside the store.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The lock file cannot be used.
    #[error("lock of warehouse {root}: {source}")]
    Lock {
        /// The warehouse folder.
        root: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A copy that is not of this warehouse's past.
    #[error(
        "the copy has a log of {kept} leaves that the log here, of {found}, did not grow from; name another folder"
    )]
    OtherHistory {
        /// Leaves of the copy's log.
        kept: u64,
        /// Leaves of the log here.
        found: u64,
    },
    /// Something was published here, and the pointer is gone.
    #[error(
        "{path} is missing, but something was published or is being restored here; restore the warehouse from a copy"
    )]
    PointerMissing {
        /// Path below the root.
        path: String,
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
    /// The warehouse was written by another version.
    #[error(
        "{path} has format version {found}, expected {expected}; make the warehouse again from the files under sources/"
    )]
    FormatVersion {
        /// Path below the root.
        path: String,
        /// What stands there.
        found: u32,
        /// What this version reads.
        expected: u32,
    },
    /// The publication log.
    #[error(transparent)]
    Log(#[from] crate::log::LogError),
    /// Another key signs the log.
    #[error("the log is signed by key {expected}, but the key folder holds {found}; name its folder with --keys")]
    Signer {
        /// Id of the key that signs.
        expected: String,
        /// Id of the key that is there.
        found: String,
    },
    /// There is no release of that name that is still out.
    #[error("no release {release} that is published and not withdrawn")]
    NoSuchRelease {
        /// `{dataset}.{number}`.
        release: String,
    },
    /// Rows or release are not those that were decided on.
    #[error("{dataset} {partition} changed since the draft was made; make the draft again and look at it")]
    Moved {
        /// Dataset.
        dataset: String,
        /// Partition.
        partition: String,
    },
    /// A signature could not be made.
    #[error("{path}: {source}")]
    Note {
        /// Path below the root.
        path: String,
        /// What the note library said.
        source: signed_note::NoteError,
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
