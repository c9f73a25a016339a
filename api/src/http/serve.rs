//! Listening, bounded connections, and ending without cutting anyone off.
//!
//! HTTP/1.1 without encryption: a proxy in front of it has the certificate. A client that does not finish its head, or does not
//! take what it asked for, is let go; the query behind its answer has ended before, by its own deadline. A connection whose
//! answer broke off is reset: clients that take the end of the connection for the end of the answer see a failure as well.
//!
//! Connections beyond those that all may have wait in the system's queue; those beyond what one address may have would keep all others
//! waiting there, so they are taken, answered `overloaded`, and closed.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::IntoResponse;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use super::{ApiError, App, router};
use crate::connection::{Addresses, FAREWELL, FAREWELLS, Pace};
use crate::metrics::Door;

/// Longest time that requests under way may take once the process is told to end.
const GRACE: Duration = Duration::from_secs(20);
/// Connections that may wait to be taken. The library's own 128 are too few for clients that come all at once: those beyond find
/// out by the system's retries, which take seconds.
const BACKLOG: u32 = 1024;
/// Rest of a listener that was given no connection, so that it does not ask without end.
const REST: Duration = Duration::from_millis(50);
/// Time for the head of a request, the wait for its first byte included.
const HEAD: Duration = Duration::from_secs(10);
/// Most headers, and bytes of them.
const HEADERS: usize = 64;
const HEAD_BYTES: usize = 64 << 10;
/// A client that is waited for takes so much in so long, or it is let go.
const PACE: Duration = Duration::from_secs(60);
const PACE_BYTES: usize = 60 << 10;

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ListenError {
    /// What was asked for.
    pub address: String,
    /// What the system said.
    pub source: io::Error,
}

/// Opens the listening socket.
pub async fn listen(address: &str) -> Result<TcpListener, ListenError> {
    let failed = |source| ListenError { address: address.to_owned(), source };
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for resolved in lookup_host(address).await.map_err(failed)? {
        match bind(resolved) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    // The port is free again as soon as a server before this one has ended.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The next connection, for every door. Where the system gives none, as when the process has too many files open, the listener
/// rests and asks again: a door does not close because of one connection.
pub async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(REST).await;
            }
        }
    }
}

/// Serves until the process is told to end; then finishes what is under way.
pub async fn serve(app: App, listener: TcpListener) -> io::Result<()> {
    let stopping = app.clone();
    let limits = &app.instance.config.limits;
    let places = Arc::new(Semaphore::new(limits.http_connections));
    let addresses = Addresses::new(limits.connections_per_address, limits.trusted_proxies.clone());
    let farewells = Arc::new(Semaphore::new(FAREWELLS));
    let metrics = Arc::clone(&app.metrics);
    let graceful = GracefulShutdown::new();
    let router = router(app);
    let mut told = std::pin::pin!(wait_for_signal());
    loop {
        // Without a place for one more, connections wait in the system's own queue.
        let place = tokio::select! {
            () = &mut told => break,
            place = Arc::clone(&places).acquire_owned() => place.map_err(io::Error::other)?,
        };
        let (stream, address) = tokio::select! {
            () = &mut told => break,
            accepted = accept(&listener) => accepted,
        };
        let Some(place_of_address) = addresses.place(address.ip()) else {
            metrics.refuse_connection(Door::Http);
            if let Ok(farewell) = Arc::clone(&farewells).try_acquire_owned() {
                tokio::spawn(async move {
                    refuse(stream).await;
                    drop(farewell);
                });
            }
            continue;
        };
        let watcher = graceful.watcher();
        let router = router.clone();
        tokio::spawn(async move {
            // Whoever says nothing at all has not even begun a head.
            if !timeout(HEAD, stream.readable()).await.is_ok_and(|ready| ready.is_ok()) {
                return;
            }
            let connection = connection(router, stream, address);
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "a connection ended");
            }
            drop((place, place_of_address));
        });
    }
    stopping.stop();
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = sleep(GRACE) => {}
    }
    Ok(())
}

/// Answers the first request of a connection that is one too many, and closes it.
async fn refuse(stream: TcpStream) {
    let answer = |_: Request<Incoming>| async {
        let detail = "too many connections from this address; close some, or try again in a few seconds";
        Ok::<_, Infallible>(ApiError::new("overloaded", detail).into_response())
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(FAREWELL)
        .keep_alive(false)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    let _ = timeout(FAREWELL, connection).await;
}

/// One connection with its limits.
fn connection(router: Router, stream: TcpStream, address: SocketAddr) -> impl GracefulConnection<Error = hyper::Error> {
    // What is written is sent: an answer is one write in most cases, and none should wait for another.
    let _ = stream.set_nodelay(true);
    let stream = Paced::new(stream);
    let is_broken = Arc::clone(&stream.is_broken);
    let answer = move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        let answered = router.clone().oneshot(request.map(axum::body::Body::new));
        let is_broken = Arc::clone(&is_broken);
        async move {
            let watched = |body: axum::body::Body| {
                body.map_err(move |error| {
                    is_broken.store(true, Ordering::Relaxed);
                    error
                })
            };
            answered.await.map(|response| response.map(watched))
        }
    };
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service_fn(answer))
}

/// A connection that is given up when its client does not take what it is sent.
struct Paced {
    inner: TcpStream,
    pace: Pace,
    /// Whether an answer broke off.
    is_broken: Arc<AtomicBool>,
}

impl Paced {
    fn new(inner: TcpStream) -> Self {
        Self { inner, pace: Pace::new(PACE, PACE_BYTES), is_broken: Arc::default() }
    }

    /// Counts what was taken; with too little taken for too long, the connection has failed.
    fn pace(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(taken)) => self.pace.moved(*taken),
            Poll::Pending if self.pace.is_too_slow(cx) => {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes too little")));
            }
            Poll::Ready(Err(_)) | Poll::Pending => {}
        }
        written
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        if self.is_broken.load(Ordering::Relaxed) {
            // Closed so, the connection is reset.
            let _ = self.inner.set_zero_linger();
        }
    }
}

impl AsyncRead for Paced {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(cx, into)
    }
}

impl AsyncWrite for Paced {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.pace(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(cx, parts);
        this.pace(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(cx);
        if flushed.is_ready() {
            this.pace.rest();
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

/// Waits until the process is told to end.
pub async fn wait_for_signal() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM is not handled");
            let _ = interrupt.await;
        }
    }
}
