//! The door for Arrow Flight SQL: the ADBC and JDBC drivers, pyarrow, and what speaks the same protocol.
//!
//! Statements, prepared statements with parameters, and metadata; everything else is unimplemented. Nothing is kept between
//! calls: a handle carries its statement, so it is as untrusted as a statement, and any server of the same warehouse answers
//! it. A key comes as `authorization: Bearer gk_…`, or as the password of a handshake; without TLS it is taken from this
//! machine only. The header `gongkai-as-of` asks for what was public at a time.
//!
//! `connection` bounds connections and how long an answer may be left lying, `service` answers the calls, `ticket` is what handles
//! carry, `metadata` lists what there is.

mod connection;
mod metadata;
mod service;
mod ticket;

use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use axum::http;
use tokio::net::TcpListener;
use tonic::Status;
use tonic::transport::{Identity, Server, ServerTlsConfig};

use crate::connection::Addresses;
use crate::http::{ApiError, App};
use crate::worker::Failure;
use service::Flight;

/// Longest message of a client.
const MESSAGE_BYTES: usize = 1 << 20;
/// Most bytes of the values of parameters: a handle carries them in base64, and comes back in a message.
const VALUES_BYTES: usize = MESSAGE_BYTES / 2;
/// Time beyond that of a query: for the words of a call to come, and for its answer to be taken.
const SENDING: Duration = Duration::from_secs(60);
/// Calls of one connection at once.
const CALLS: u32 = 32;

/// An error as the protocol has it: the status of its code, and the code in a header.
fn refused(error: &ApiError) -> Status {
    let entry = error.entry();
    let mut status = Status::new(entry.grpc, error.detail.clone());
    if let Ok(code) = entry.name.parse() {
        status.metadata_mut().insert("gongkai-code", code);
    }
    status
}

fn failed(failure: Failure) -> Status {
    refused(&ApiError::from(failure))
}

/// A command that cannot be decoded is the client's fault; the library says that it is ours.
fn unreadable<B>(mut response: http::Response<B>) -> http::Response<B> {
    let headers = response.headers_mut();
    let is_internal = headers.get("grpc-status").is_some_and(|status| status == "13");
    let message = headers.get("grpc-message").map(|message| message.as_bytes().to_vec()).unwrap_or_default();
    if is_internal && message.starts_with(b"ParseError") {
        headers.insert("grpc-status", http::HeaderValue::from_static("3"));
        headers.insert("grpc-message", http::HeaderValue::from_static("the%20command%20cannot%20be%20read"));
    }
    response
}

/// Serves until `stop` ends.
///
/// # Errors
///
/// A certificate that cannot be used.
pub async fn serve(
    app: App,
    listener: TcpListener,
    tls: Option<Identity>,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let settings = &app.instance.config.query;
    let longest = Duration::from_millis(settings.timeout_ms.max(settings.timeout_with_key_ms));
    let mut server = Server::builder()
        .timeout(longest + SENDING)
        .concurrency_limit_per_connection(CALLS as usize)
        .max_concurrent_streams(CALLS)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .http2_max_header_list_size(16 << 10)
        .layer(tower::util::MapResponseLayer::new(unreadable));
    let is_secure = tls.is_some();
    if let Some(identity) = tls {
        server = server.tls_config(ServerTlsConfig::new().identity(identity))?;
    }
    let limits = &app.instance.config.limits;
    let addresses = Addresses::new(limits.connections_per_address, limits.trusted_proxies.clone());
    let connections = connection::connections(listener, addresses, Arc::clone(&app.metrics));
    let service = FlightServiceServer::new(Flight::new(app, is_secure)).max_decoding_message_size(MESSAGE_BYTES);
    server.add_service(service).serve_with_incoming_shutdown(connections, stop).await
}
