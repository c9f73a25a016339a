//! The door as callers meet it: a tiny warehouse on disk, statements in, rows or codes out.

mod answers;
mod derived;
mod dictionary;
mod limits;
mod lists;
mod path;
mod refusals;
mod registry;
mod sums;
pub(crate) mod warehouse;
