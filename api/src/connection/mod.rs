//! What every door asks of connections: how many one address has, how slow the other end is, and whether it is still there.
//!
//! Nothing here knows a protocol. `address` counts, `pace` measures what the other end takes, `watched` sees its end while nobody
//! reads from it. The bound on all connections of a door is the door's own.

mod address;
mod pace;
mod watched;

use std::time::Duration;

pub use address::{Addresses, Place};
pub use pace::Pace;
pub use watched::Watched;

/// Time in which a client for which there is no place is told so.
pub const FAREWELL: Duration = Duration::from_secs(2);
/// How many are told so at once, at each door; others are closed without a word.
pub const FAREWELLS: usize = 64;
