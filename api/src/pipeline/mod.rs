//! The main job: land, read, normalise, release. Doing it twice does nothing the second time.

pub mod drift;
pub mod ingest;
pub mod signing;
pub mod summary;
pub mod watch;

use gongkai_warehouse::lake::recover::{Repair, recover};
use gongkai_warehouse::lake::{LakeError, WriterLock, pass};
use gongkai_warehouse::publication::Signer;
use gongkai_warehouse::release::mirror::mirror;
use gongkai_warehouse::release::{Approval, Published, ReleaseOptions, Scope, Withdrawal, publish};

use crate::instance::Instance;
use crate::worker::WorkerError;

pub use ingest::{Access, Inbox, Progress, ingest};
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
    /// The signing key.
    #[error(transparent)]
    Signing(#[from] signing::SigningError),
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
    pass("lock.acquired")?;
    let repairs = recover(store).await?;
    Ok(Writing { _lock: lock, repairs })
}

/// Why the local operator releases.
const LOCAL_REASON: &str = "released by the local operator";

/// How this instance releases a scope: what the settings, the declarations and the clock say.
pub fn release_options(instance: &Instance, signer: Signer, scope: Scope, reason: Option<String>) -> ReleaseOptions {
    let publishing = &instance.config.publishing;
    ReleaseOptions {
        now: instance.clock.now(),
        reason: reason.unwrap_or_else(|| LOCAL_REASON.to_owned()),
        approval: Approval::local_operator(&publishing.office),
        declarations_sha256: instance.definitions.sha256.clone(),
        scope,
        checks: std::sync::Arc::clone(&instance.definitions.checks),
        on_error: publishing.on_error,
        signer,
        expected: None,
        request: None,
    }
}

/// Releases what changed and brings the Delta mirror up to it.
pub async fn release(instance: &Instance, writing: &Writing) -> Result<Published, PipelineError> {
    let signer = signing::signer(instance).await?;
    release_with(instance, writing, &release_options(instance, signer, Scope::All, None)).await
}

/// Releases as told, and brings the Delta mirror up to it.
pub async fn release_with(
    instance: &Instance,
    _writing: &Writing,
    options: &ReleaseOptions,
) -> Result<Published, PipelineError> {
    let published = publish(&instance.warehouse, options).await?;
    follow(instance).await?;
    Ok(published)
}

/// Takes releases back, and the Delta mirror with them.
pub async fn withdraw(
    instance: &Instance,
    _writing: &Writing,
    withdrawal: &Withdrawal,
) -> Result<Published, PipelineError> {
    let published = gongkai_warehouse::release::withdraw(&instance.warehouse, withdrawal).await?;
    follow(instance).await?;
    Ok(published)
}

/// What the mirror was last brought up to.
const MIRRORED: &str = "state/mirrored";

/// Brings the Delta mirror up to the pointer. What is out is out: a mirror that cannot follow now follows later.
pub async fn follow(instance: &Instance) -> Result<(), PipelineError> {
    let snapshot = instance.warehouse.snapshot().await?;
    let store = instance.warehouse.store();
    let counter = snapshot.counter.to_string();
    if store.read_optional(MIRRORED).await.map_err(LakeError::from)?.as_deref() == Some(counter.as_bytes()) {
        return Ok(());
    }
    let mirrored = async {
        mirror(&instance.warehouse, &snapshot).await?;
        Ok::<_, LakeError>(store.put(MIRRORED, counter.into_bytes().into()).await?)
    };
    if let Err(error) = mirrored.await {
        tracing::error!(%error, "open/ does not follow; the next publication or start tries again");
    }
    Ok(())
}
