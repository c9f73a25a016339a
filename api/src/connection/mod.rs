//! What every door asks of connections: how many one address has, how slow the other end is, and whether it is still there.
//!
//! Nothing here knows a protocol. `address` counts, `pace` measures what the other end takes, `watched` sees its end while nobody
//! reads from it. The bound on all connections of a door is the door's own.

mod address;
mod pace;
mod watched;

pub use address::{Addresses, Place};
pub use pace::Pace;
pub use watched::Watched;
