//! Connections: so many at once, and each has to begin within its time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::http::serve::accept;

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
    _place: OwnedSemaphorePermit,
}

/// Takes connections. Without a place for one more, they wait in the system's own queue.
pub fn connections(listener: TcpListener) -> impl Stream<Item = io::Result<Placed>> + Send {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    futures::stream::unfold((listener, places), |(listener, places)| async move {
        let place = Arc::clone(&places).acquire_owned().await.ok()?;
        // An error would end the door: the library goes on after some of them only.
        let (inner, _) = accept(&listener).await;
        let placed = Placed { inner, beginning: Some((Box::pin(sleep(BEGIN)), 0)), _place: place };
        Some((io::Result::Ok(placed), (listener, places)))
    })
}

impl Connected for Placed {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.inner.connect_info()
    }
}

impl AsyncRead for Placed {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
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
