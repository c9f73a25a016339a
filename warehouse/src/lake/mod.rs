//! The warehouse's state: normalised rows, the pointer that readers follow, what has been landed.
//!
//! Writers hold the one lock of the warehouse ([`lock`]); readers take none. Nothing is visible to a
//! reader before [`mod@pointer`] is replaced, and everything that the pointer names is on disk by then.

pub mod error;
pub mod ledger;
pub mod lock;
pub mod merge;
pub mod part;
pub mod pointer;
pub mod recover;
pub mod rows;
pub mod slice;
pub mod warehouse;

/// Passes a fault point; see [`crate::fault`].
pub fn pass(point: &str) -> Result<(), LakeError> {
    crate::fault::point(point).map(drop).map_err(|source| LakeError::Io { what: point.to_owned(), source })
}

pub use error::LakeError;
pub use ledger::{LedgerEntry, SourceStatus};
pub use lock::WriterLock;
pub use part::{Part, StoredPart};
pub use pointer::Current;
pub use slice::SliceKey;
pub use warehouse::Warehouse;
