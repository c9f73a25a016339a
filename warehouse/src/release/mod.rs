//! Releases: one partition of one dataset, numbered, with its signed manifest, never changed afterwards.
//!
//! [`mod@prepare`] merges the sources of a partition and writes its files; [`publish()`] puts a run's releases
//! into the log and switches the pointer; [`withdraw()`] takes releases back; [`mod@mirror`] brings `open/{table}` up
//! to the pointer for outside readers.

pub mod difference;
mod kind;
pub mod manifest;
pub mod mirror;
pub mod prepare;
pub mod publish;
mod rows;
pub mod seal;
pub mod withdraw;

pub use kind::Kind;
pub use manifest::Manifest;
pub use publish::{
    Approval, Expected, Held, Mode, OnError, Preview, Published, ReleaseOptions, Request, Scope, preview, publish,
};
pub use rows::{ReleaseRows, read_release, release_rows};
pub use withdraw::{Reach, Withdrawal, withdraw};
