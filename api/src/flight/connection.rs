//! Connections: so many at once, and of one address; each has to begin within its time, and to take its answers within theirs.
//!
//! A client of HTTP/2 answers to the protocol and takes nothing of its answers for as long as it likes, and the library asks an answer
//! for nothing meanwhile: it cannot end itself. So the call gives its connection a time, and the connection ends with it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep};
use tonic::transport::server::Connected;

use crate::connection::{Addresses, Place};
use crate::http::serve::accept;
use crate::metrics::{Door, Metrics};

/// Connections at once.
const CONNECTIONS: usize = 128;
/// Time until a client has begun to speak.
const BEGIN: Duration = Duration::from_secs(10);
/// Bytes of the shortest beginning: the preface of HTTP/2.
const BEGIN_BYTES: usize = 24;

/// A connection with its place.
pub struct Placed {
    inner: TcpStream,
    /// Until the client has begun: when that has to be, and what has come.
    beginning: Option<(Pin<Box<Sleep>>, usize)>,
    client: Client,
    _places: (OwnedSemaphorePermit, Place),
}

/// The client of a connection, as its calls see it.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where it sits.
    pub address: SocketAddr,
    end: Arc<End>,
}

/// The end of a connection, told from outside of it.
#[derive(Debug, Default)]
struct End {
    is_told: AtomicBool,
    /// Who waits for what the client sends, and has to hear of it.
    reader: AtomicWaker,
}

impl Client {
    /// A client that is not told to go.
    fn new(address: SocketAddr) -> Self {
        Self { address, end: Arc::default() }
    }

    /// Gives the client so long to take an answer. Unless what is given back is dropped by then, its connection ends.
    pub fn give(&self, time: Duration) -> Given {
        let end = Arc::clone(&self.end);
        Given(tokio::spawn(async move {
            sleep(time).await;
            end.is_told.store(true, Ordering::SeqCst);
            end.reader.wake();
        }))
    }
}

/// The time of a client for an answer.
#[derive(Debug)]
#[must_use = "the time is over when it is dropped"]
pub struct Given(JoinHandle<()>);

impl Drop for Given {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Takes connections. Without a place for one more, they wait in the system's own queue; those of an address that has as many as it
/// may are closed.
pub fn connections(
    listener: TcpListener,
    addresses: Arc<Addresses>,
    metrics: Arc<Metrics>,
) -> impl Stream<Item = io::Result<Placed>> + Send {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    futures::stream::unfold(
        (listener, places, addresses, metrics),
        |(listener, places, addresses, metrics)| async move {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            let (inner, address, place_of_address) = loop {
                // An error would end the door: the library goes on after some of them only.
                let (inner, address) = accept(&listener).await;
                match addresses.place(address.ip()) {
                    Some(place) => break (inner, address, place),
                    None => metrics.refuse_connection(Door::Flight),
                }
            };
            let beginning = Some((Box::pin(sleep(BEGIN)), 0));
            let placed = Placed { inner, beginning, client: Client::new(address), _places: (place, place_of_address) };
            Some((io::Result::Ok(placed), (listener, places, addresses, metrics)))
        },
    )
}

impl Connected for Placed {
    type ConnectInfo = Client;

    fn connect_info(&self) -> Client {
        self.client.clone()
    }
}

impl AsyncRead for Placed {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // First the waker, then the look: what is told in between wakes.
        this.client.end.reader.register(cx.waker());
        if this.client.end.is_told.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not take its answer")));
        }
        let before = into.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(cx, into);
        if let Some((wait, come)) = &mut this.beginning {
            *come += into.filled().len() - before;
            if *come >= BEGIN_BYTES {
                this.beginning = None;
            } else if read.is_pending() && wait.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not begin")));
            }
        }
        read
    }
}

impl AsyncWrite for Placed {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
