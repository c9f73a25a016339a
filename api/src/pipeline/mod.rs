//! The main job: land, read, normalise, release. Doing it twice does nothing the second time.

pub mod drift;
pub mod ingest;
pub mod summary;
pub mod watch;

use gongkai_warehouse::lake::recover::{Repair, recover};
use gongkai_warehouse::lake::{LakeError, WriterLock};
use gongkai_warehouse::release::mirror::mirror;
use gongkai_warehouse::release::{Published, ReleaseOptions, publish};

use crate::instance::Instance;
use crate::worker::WorkerError;

pub use ingest::{Access, Inbox, ingest};
pub use summary::{FileSummary, IngestSummary, Outcome};

/// Why a run stopped: never a file's fault.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The inbox.
    #[error(transparent)]
    Source(#[from] gongkai_ingest::SourceError),
    /// The warehouse.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The workers.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The thread that talks to a reading process is gone.
    #[error("a thread that reads files ended abnormally")]
    ReaderThread,
    /// A feed that is not declared was named.
    #[error("no feed {name:?}; declared are: {declared}")]
    UnknownFeed {
        /// What was named.
        name: String,
        /// What would have been accepted.
        declared: String,
    },
}

/// The warehouse, locked for writing and free of what an interrupted run left.
pub struct Writing {
    _lock: WriterLock,
    /// What was put right on the way.
    pub repairs: Vec<Repair>,
}

/// Takes the writer lock and recovers.
pub async fn begin(instance: &Instance) -> Result<Writing, LakeError> {
    let store = instance.warehouse.store().as_ref();
    let lock = WriterLock::take(store)?;
    let repairs = recover(store).await?;
    Ok(Writing { _lock: lock, repairs })
}

/// Releases what changed and brings the Delta mirror up to it.
pub async fn release(instance: &Instance, _writing: &Writing) -> Result<Published, LakeError> {
    let options = ReleaseOptions {
        now: instance.clock.now(),
        reason: "released by the local operator".into(),
        approved_by: instance.config.publishing.office.clone(),
        declarations_sha256: instance.definitions.sha256.clone(),
        only: None,
        checks: std::sync::Arc::clone(&instance.definitions.checks),
    };
    let published = publish(&instance.warehouse, &options).await?;
    let snapshot = instance.warehouse.snapshot().await?;
    mirror(&instance.warehouse, &snapshot).await?;
    Ok(published)
}
