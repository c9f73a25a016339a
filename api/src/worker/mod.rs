//! Worker processes: where work that strangers can shape runs, because a process can be killed.
//!
//! A worker is this same binary with a hidden argument. It gets one request a line on its standard input
//! and answers on its standard output: a line of JSON, then Arrow IPC, then a line that says how it
//! ended. The parent holds the deadline; a worker that passes it, dies, or fills its address space costs
//! its own query and nothing else.
//!
//! [`child`] is the worker's side, [`process`] one worker seen from the parent, [`pool`] the workers for
//! queries with their bounded queue, `conversation` a question to one of them, [`reader`] the worker that parses department files,
//! [`readers`] several of them at once; [`memory`] looks at what all of them take together.

pub mod child;
mod conversation;
pub mod memory;
pub mod pool;
pub mod process;
pub mod protocol;
pub mod reader;
pub mod readers;
mod watch;

pub use memory::Memory;
pub use pool::{Description, QueryAnswer, QueryPool};
pub use process::WorkerError;
pub use protocol::{Bound, Failure, QueryLimits, Statement};
