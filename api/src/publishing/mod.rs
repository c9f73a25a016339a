//! Publishing by people with keys: files in, drafts through two hands, releases and withdrawals out.
//!
//! Every step takes the writer lock for as long as it writes, and waits a while for it. What a step answers was on
//! disk before it was answered. Doors (HTTP, the command) only translate.

mod receive;
mod steps;

use std::time::Duration;

use gongkai_warehouse::lake::LakeError;
use gongkai_warehouse::register::{Actor, DraftError, EventError};

use crate::access::Caller;
use crate::instance::Instance;
use crate::pipeline::{self, PipelineError, Writing};

pub use receive::{Announced, Incoming, ReceiveError};
pub use steps::{
    Release, Taken, approve, draft, draft_scope, read_file, record_event, reject, release_file, submit, withdraw,
};

/// Longest wait for the writer lock.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// Time between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Why a step is not done.
#[derive(Debug, thiserror::Error)]
pub enum PublishingError {
    /// Another process writes, and goes on doing so.
    #[error("another process is writing to the warehouse; try again")]
    Busy,
    /// The file did not arrive.
    #[error(transparent)]
    Receive(#[from] ReceiveError),
    /// The file cannot be taken.
    #[error("{message}")]
    BadFile {
        /// What was found, and what would have been accepted.
        message: String,
    },
    /// The file holds personal data.
    #[error("personal data was found, and the file gives no rows: {places}")]
    Personal {
        /// Kinds and places, without the values.
        places: String,
    },
    /// The dataset has another newest release than the caller named.
    #[error("the newest release of {dataset} is {found}, not {expected}")]
    NotCurrent {
        /// Dataset.
        dataset: String,
        /// What is there.
        found: String,
        /// What the caller named.
        expected: String,
    },
    /// A key for the request was used for another one.
    #[error("this idempotency key was used for another request; take a new one")]
    OtherRequest,
    /// Blocking checks found errors.
    #[error(
        "{count} errors of blocking checks ({checks}) hold {partitions} back; mend the figures, or give open_findings_reason"
    )]
    Held {
        /// How many.
        count: usize,
        /// Which checks.
        checks: String,
        /// Which partitions.
        partitions: String,
    },
    /// Nothing to do.
    #[error("nothing of {dataset} changed since its last release")]
    Unchanged {
        /// Dataset.
        dataset: String,
    },
    /// One person may not do all of it here.
    #[error("this instance releases through two persons: make a draft, submit it, and let another person approve it")]
    TwoPersons,
    /// A draft.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// An event.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The pipeline.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

impl From<LakeError> for PublishingError {
    fn from(error: LakeError) -> Self {
        Self::Pipeline(error.into())
    }
}

/// Takes the writer lock, waiting for whoever holds it.
pub(crate) async fn begin(instance: &Instance) -> Result<Writing, PublishingError> {
    let until = tokio::time::Instant::now() + LOCK_WAIT;
    loop {
        match pipeline::begin(instance).await {
            Err(LakeError::Locked { .. }) if tokio::time::Instant::now() < until => {
                tokio::time::sleep(LOCK_PAUSE).await;
            }
            Err(LakeError::Locked { .. }) => return Err(PublishingError::Busy),
            Err(error) => return Err(error.into()),
            Ok(writing) => return Ok(writing),
        }
    }
}

/// Runs a step to its end, whether or not who asked for it still waits, and off the threads that answer others.
///
/// A step that was dropped in the middle would let go of the writer lock while one of its writes is still under way.
pub async fn whole<T: Send + 'static>(step: impl Future<Output = T> + Send + 'static) -> T {
    let handle = tokio::runtime::Handle::current();
    match tokio::task::spawn_blocking(move || handle.block_on(step)).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Who does a step, as drafts keep it.
pub fn actor(caller: &Caller) -> Actor {
    Actor { key: caller.key().map(|key| key.id.clone()), holder: caller.holder().unwrap_or_default().to_owned() }
}
