//! The end of a connection, seen while nobody reads from it.
//!
//! A client that leaves while its query runs has often sent something before: a farewell, or the next question. Whoever wants to see
//! its end by reading would have to read all of that. The system tells the end apart from what came before it.

use std::io;
use std::os::fd::AsFd;

use tokio::io::Interest;
use tokio::net::TcpStream;

/// A second handle of a connection. Nothing is read from it or written to it.
#[derive(Debug)]
pub struct Watched(TcpStream);

impl Watched {
    /// Watches a connection.
    ///
    /// # Errors
    ///
    /// The system gives no second handle.
    pub fn new(connection: &TcpStream) -> io::Result<Self> {
        // The second handle of a socket that does not block does not block either.
        let handle = std::net::TcpStream::from(connection.as_fd().try_clone_to_owned()?);
        TcpStream::from_std(handle).map(Self)
    }

    /// Ends when the other end has closed its side, or the connection is broken, whatever of it is not read yet.
    ///
    /// Whoever closes only the sending side counts as gone: the protocols here know no such clients.
    pub async fn gone(&self) {
        while let Ok(ready) = self.0.ready(Interest::READABLE).await {
            if ready.is_read_closed() {
                return;
            }
            // Something came. Who says that it was read is told when more comes; an end is never taken back.
            let _ = self.0.try_io(Interest::READABLE, || io::Result::<()>::Err(io::ErrorKind::WouldBlock.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    /// Long enough for anything on this machine.
    const PATIENCE: Duration = Duration::from_secs(10);
    const MOMENT: Duration = Duration::from_millis(100);

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("an address");
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        (client.expect("connects"), accepted.expect("accepts").0)
    }

    #[tokio::test]
    async fn a_client_that_is_there_is_not_gone_whatever_it_sends() {
        let (mut client, mut server) = pair().await;
        let watched = Watched::new(&server).expect("a second handle");
        assert!(timeout(MOMENT, watched.gone()).await.is_err());
        for _ in 0..3 {
            client.write_all(b"more").await.expect("sends");
            assert!(timeout(MOMENT, watched.gone()).await.is_err());
        }
        let mut read = [0; 12];
        server.read_exact(&mut read).await.expect("nothing was taken away");
        assert_eq!(&read, b"moremoremore");
    }

    #[tokio::test]
    async fn the_end_is_seen_behind_what_is_not_read() {
        for farewell in [b"".as_slice(), b"X\0\0\0\x04"] {
            let (mut client, server) = pair().await;
            let watched = Watched::new(&server).expect("a second handle");
            client.write_all(farewell).await.expect("sends");
            assert!(timeout(MOMENT, watched.gone()).await.is_err());
            drop(client);
            timeout(PATIENCE, watched.gone()).await.expect("the end is seen");
            timeout(PATIENCE, watched.gone()).await.expect("and seen again");
        }
    }

    #[tokio::test]
    async fn a_reset_is_an_end() {
        let (client, server) = pair().await;
        let watched = Watched::new(&server).expect("a second handle");
        client.set_zero_linger().expect("a reset instead of a farewell");
        drop(client);
        timeout(PATIENCE, watched.gone()).await.expect("the end is seen");
    }

    #[tokio::test]
    async fn the_watch_ends_without_the_connection() {
        let (mut client, mut server) = pair().await;
        drop(Watched::new(&server).expect("a second handle"));
        client.write_all(b"x").await.expect("sends");
        assert_eq!(server.read_u8().await.expect("reads on"), b'x');
    }
}
