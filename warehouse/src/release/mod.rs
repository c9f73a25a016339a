//! Releases: one partition of one dataset, numbered, with its manifest, never changed afterwards.
//!
//! [`mod@prepare`] merges the sources of a partition and writes its files; [`publish()`] puts a run's releases
//! into the log and switches the pointer; [`mod@mirror`] brings `open/{table}` up to it for outside readers.

pub mod manifest;
pub mod mirror;
pub mod prepare;
pub mod publish;

pub use manifest::Manifest;
pub use publish::{Published, ReleaseOptions, publish};
