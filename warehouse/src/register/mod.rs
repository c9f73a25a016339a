//! What is recorded beside releases: drafts on their way to one, and events that duties are counted from.

pub mod draft;
pub mod event;

pub use draft::{Actor, Draft, DraftError, DraftState, Reviews};
pub use event::{Event, EventError, EventKind, Evidence};
