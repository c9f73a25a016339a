//! Delta tables, releases, exports and the one query door over them.
//!
//! Only this crate uses DataFusion, Delta and the Parquet writer. It knows nothing of department files
//! (record batches arrive typed) and nothing of HTTP.

pub mod backup;
pub mod catalogue_sheet;
pub mod check;
pub mod derived;
pub mod disclosure;
pub mod export;
pub mod fault;
pub mod lake;
pub mod log;
pub mod publication;
pub mod query;
pub mod register;
pub mod release;
pub mod schema;
pub mod signing;
pub mod snapshot;
pub mod staging;
pub mod store;
pub mod verify;

pub use snapshot::{ReleaseFile, ReleaseRecord, Snapshot, SourceRecord};
pub use staging::Staging;
pub use store::{Store, StoreError};
