//! Delta tables, releases, exports and the one query door over them.
//!
//! Only this crate uses DataFusion, Delta and the Parquet writer. It knows nothing of department files
//! (record batches arrive typed) and nothing of HTTP.

pub mod check;
pub mod disclosure;
pub mod export;
pub mod lake;
pub mod query;
pub mod release;
pub mod schema;
pub mod snapshot;
pub mod staging;
pub mod store;

pub use snapshot::{ReleaseFile, ReleaseRecord, Snapshot, SourceRecord};
pub use staging::Staging;
pub use store::{Store, StoreError};
