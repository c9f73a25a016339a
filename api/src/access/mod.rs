//! Access keys: who a caller is, and what it may do.
//!
//! A key is made once and shown once. The warehouse keeps the SHA-256 of its secret in a file of its own,
//! `state/key/{id}.json`, so keys are made and revoked without the writer lock. The secret is 32 random bytes, which
//! nobody can search through; a slow hash, which passwords need, would only slow every request down.
//!
//! What this module refuses: to say over HTTP why a key is not valid; to take a key from anywhere but one
//! `Authorization` header (an address is logged, a header is not); to change what a key may do, because whoever
//! needs another role needs another key.
//!
//! For the door of PostgreSQL a key's file also holds its token as SCRAM salts it. Whoever reads that can connect there as the
//! key, read-only as everybody is there; it cannot be turned back into the token, which the other doors need.
//!
//! Invariant: the secret of a key stands in no file, log, error or `Debug` output. [`NewKey::token`] is the only place
//! that ever holds its text.

mod caller;
mod error;
mod guess;
mod key;
mod meter;
mod network;
mod proxy;
mod register;
mod request;
mod role;

pub use caller::{Caller, caller_of};
pub use error::AccessError;
pub use guess::{Guesses, TooManyGuesses};
pub use key::{AccessKey, KeyState, NewKey};
pub use meter::{Meter, Running, TooMany};
pub use network::{Network, place_of};
pub use proxy::{Proxies, UnknownProxy};
pub use register::Keys;
pub use request::NewKeyRequest;
pub use role::{Role, UnknownRole};
