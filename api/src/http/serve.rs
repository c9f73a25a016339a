//! Listening, and ending without cutting anyone off.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;

use super::{App, router};

/// Longest time that requests under way may take once the process is told to end.
const GRACE: Duration = Duration::from_secs(20);

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
    TcpListener::bind(address).await.map_err(|source| ListenError { address: address.to_owned(), source })
}

/// Serves until the process is told to end; then finishes what is under way.
pub async fn serve(app: App, listener: TcpListener) -> io::Result<()> {
    let stopping = app.clone();
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let (told, mut heard) = tokio::sync::watch::channel(false);
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        wait_for_signal().await;
        stopping.stop();
        let _ = told.send(true);
    });
    tokio::select! {
        ended = async { server.await } => ended,
        () = async {
            let _ = heard.wait_for(|is_told| *is_told).await;
            tokio::time::sleep(GRACE).await;
        } => Ok(()),
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
