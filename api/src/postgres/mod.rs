//! The door for clients of PostgreSQL: psql, DBeaver, psycopg, SQLAlchemy, and what speaks the same protocol.
//!
//! Everything is read-only, and every query goes through the same workers and limits as over HTTP. A user name of the form
//! `gk_{id}` is that of a key, whose token is the password (SCRAM-SHA-256, over TLS only); any other user is the public and
//! needs none. A session keeps settings and prepared statements and nothing else: each statement sees the releases that are
//! current when it runs, or those of `SET gongkai.as_of`.
//!
//! `server` accepts and bounds connections, `message` bounds messages, `startup` says who asks, `session` what was set,
//! `query` answers, `prepared` and `extended` are the extended protocol, `portal` sends what a portal has, `value` reads
//! parameters, `rows` writes rows, and `number` is the form of decimals in both.

mod extended;
mod message;
mod number;
mod portal;
mod prepared;
mod query;
mod rows;
mod server;
mod session;
mod startup;
mod value;

use pgwire::error::{ErrorInfo, PgWireError};

pub use server::{Door, serve};

use crate::http::ApiError;
use crate::worker::Failure;

/// An error as the protocol has it.
fn refused(error: &ApiError) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".into(), sqlstate(error).into(), error.detail.clone())))
}

/// The state of an error: the kinds of failed queries that have one of their own, else that of the code.
fn sqlstate(error: &ApiError) -> &'static str {
    match error.detail.as_str() {
        "the query failed: division by zero" => "22012",
        "the query failed: a number is too large for its type" => "22003",
        _ => error.entry().sqlstate,
    }
}

fn failed(failure: Failure) -> PgWireError {
    refused(&ApiError::from(failure))
}

/// Ends the connection with a message.
fn fatal(sqlstate: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("FATAL".into(), sqlstate.into(), message.into())))
}

/// A statement in a transaction that has failed.
fn aborted() -> PgWireError {
    let message = "the transaction has failed; nothing but its end is accepted";
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".into(), "25P02".into(), message.into())))
}

/// A prepared statement means something else by now.
fn stale() -> PgWireError {
    let message = "the columns of the prepared statement have changed; prepare it again";
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".into(), "0A000".into(), message.into())))
}

/// A message that does not go with what was said before.
fn malformed(detail: String) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".into(), "08P01".into(), detail)))
}
