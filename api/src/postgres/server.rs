//! Connections: how many, how long they may take, and that they are let go when their client is gone.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use pgwire::api::cancel::DefaultCancelHandler;
use pgwire::api::{ClientInfo, ConnectionManager, NoopHandler, PgWireConnectionState, RandomPidSecretKeyGenerator};
use pgwire::error::PgWireError;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use pgwire::tokio::TlsAcceptor;
use pgwire::tokio::server::{MaybeTls, PgWireMessageServerCodec, negotiate_tls, process_error, process_message};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::codec::{Framed, FramedParts};

use super::fatal;
use super::message::{Bounded, Refused};
use super::prepared::Prepared;
use super::query::Queries;
use super::session::Session;
use super::startup::Startup;
use crate::connection::{Addresses, FAREWELL, FAREWELLS, Watched};
use crate::http::App;
use crate::http::serve::accept;
use crate::metrics;

/// Time until a client has said who it is.
const STARTUP: Duration = Duration::from_secs(10);
/// Time that a connection may be quiet.
const IDLE: Duration = Duration::from_secs(300);
/// Time for sending an answer beyond that of the query.
const SENDING: Duration = Duration::from_secs(60);

/// One address has at most this part of the connections here: each of them may keep more than a connection of HTTP does.
const OF_ONE_ADDRESS: usize = 4;

type Socket = Framed<Bounded<MaybeTls>, PgWireMessageServerCodec<Arc<Prepared>>>;

/// What connections share.
pub struct Door {
    app: App,
    tls: Option<TlsAcceptor>,
    manager: Arc<ConnectionManager>,
    /// One for all connections: a number means one of them.
    numbers: Arc<RandomPidSecretKeyGenerator>,
    places: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    farewells: Semaphore,
}

impl Door {
    /// A door for so many connections at once.
    pub fn new(app: App, tls: Option<TlsAcceptor>, connections: usize) -> Arc<Self> {
        let limits = &app.instance.config.limits;
        let of_one_address = limits.connections_per_address.min(connections.div_ceil(OF_ONE_ADDRESS));
        let addresses = Addresses::new(of_one_address, limits.trusted_proxies.clone());
        Arc::new(Self {
            app,
            tls,
            manager: Arc::new(ConnectionManager::new()),
            numbers: Arc::default(),
            places: Arc::new(Semaphore::new(connections)),
            addresses,
            farewells: Semaphore::new(FAREWELLS),
        })
    }
}

/// Serves until `stop` ends.
pub async fn serve(door: Arc<Door>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, address) = tokio::select! {
            () = &mut stop => return,
            accepted = accept(&listener) => accepted,
        };
        let places = Arc::clone(&door.places).try_acquire_owned().ok().zip(door.addresses.place(address.ip()));
        let door = Arc::clone(&door);
        tokio::spawn(async move {
            let Some(places) = places else {
                door.app.metrics.refuse_connection(metrics::Door::Postgres);
                if let Ok(_farewell) = door.farewells.try_acquire() {
                    refuse(stream).await;
                }
                return;
            };
            if let Err(error) = converse(&door, stream).await {
                tracing::debug!(%error, "a connection ended");
            }
            drop(places);
        });
    }
}

/// Says that there is no place, to whoever is listening for it.
async fn refuse(stream: TcpStream) {
    let said = async {
        if let Some(mut socket) = negotiate_tls::<Arc<Prepared>>(stream, None).await? {
            let error = fatal("53300", "too many connections; try again in a few seconds");
            process_error(&mut socket, error, false).await?;
        }
        io::Result::Ok(())
    };
    let _ = timeout(FAREWELL, said).await;
}

async fn converse(door: &Arc<Door>, stream: TcpStream) -> io::Result<()> {
    let watched = Watched::new(&stream)?;
    let started = timeout(STARTUP, negotiate_tls::<Arc<Prepared>>(stream, door.tls.clone()));
    let Some(socket) = started.await.map_err(|_| io::ErrorKind::TimedOut)?? else { return Ok(()) };
    let parts = socket.into_parts();
    if parts.codec.client_info.is_secure && !parts.read_buf.is_empty() {
        // It came before the handshake, from whoever was in between.
        return Ok(());
    }
    let io = Bounded::new(parts.io, &parts.read_buf).map_err(io::Error::other)?;
    let mut bounded = FramedParts::new(io, parts.codec);
    bounded.read_buf = parts.read_buf;
    bounded.write_buf = parts.write_buf;
    let mut socket: Socket = Framed::from_parts(bounded);

    let session = Arc::new(Session::default());
    let (manager, numbers) = (Arc::clone(&door.manager), Arc::clone(&door.numbers));
    let startup = Arc::new(Startup::new(door.app.clone(), Arc::clone(&session), manager, numbers));
    let queries = Arc::new(Queries::new(door.app.clone(), Arc::clone(&session)));
    let cancel = Arc::new(DefaultCancelHandler::new(Arc::clone(&door.manager)));
    let begun = tokio::time::Instant::now();
    loop {
        let is_starting = matches!(
            socket.state(),
            PgWireConnectionState::AwaitingStartup | PgWireConnectionState::AuthenticationInProgress
        );
        let patience = if is_starting { STARTUP.saturating_sub(begun.elapsed()) } else { IDLE };
        let message = match timeout(patience, socket.next()).await {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(error))) => return end(&mut socket, &error).await,
            Ok(None) => return Ok(()),
            Err(_) if is_starting => return Ok(()),
            Err(_) => {
                return process_error(&mut socket, fatal("57P05", "the connection was quiet for too long"), false)
                    .await;
            }
        };
        if matches!(message, PgWireFrontendMessage::Terminate(_)) {
            return Ok(());
        }
        let is_extended = match socket.state() {
            PgWireConnectionState::CopyInProgress(is_extended) => is_extended,
            _ => message.is_extended_query(),
        };
        let most = door.app.timeout(&session.caller()) + SENDING;
        let processed = tokio::select! {
            // What needs no waiting is done, even if whoever asked for it has gone.
            biased;
            processed = process_message(
                message,
                &mut socket,
                Arc::clone(&startup),
                Arc::clone(&queries),
                Arc::clone(&queries),
                Arc::new(NoopHandler),
                Arc::clone(&cancel),
            ) => processed,
            // The conversation notices only when it writes: nothing is read before the answer has ended.
            // Whoever only cancels the query of another connection may be gone at once.
            () = watched.gone(), if !is_starting => return Ok(()),
            // A client that does not take its answer: the query has long ended, the connection ends with it.
            () = sleep(most) => return Ok(()),
        };
        match processed {
            Ok(()) => {}
            // Nothing follows it: clients that are told to go on take it for a broken protocol.
            Err(PgWireError::UserError(info)) if info.is_fatal() => {
                let _ = socket.send(PgWireBackendMessage::ErrorResponse((*info).into())).await;
                return socket.close().await;
            }
            Err(error) => process_error(&mut socket, error, is_extended).await?,
        }
    }
}

/// Says why messages cannot be read on, and ends.
async fn end(socket: &mut Socket, error: &PgWireError) -> io::Result<()> {
    let message = match error {
        PgWireError::IoError(error) if error.kind() == io::ErrorKind::InvalidData => {
            let refused = error.get_ref().and_then(|error| error.downcast_ref::<Refused>());
            fatal(refused.map_or("08P01", |refused| refused.sqlstate()), error.to_string())
        }
        PgWireError::IoError(_) => return Ok(()),
        _ => fatal("08P01", "a message cannot be read"),
    };
    if let PgWireError::UserError(info) = message {
        let _ = socket.send(PgWireBackendMessage::ErrorResponse((*info).into())).await;
    }
    socket.close().await
}
