//! A bound on what a client may send at once.
//!
//! The library accepts messages of a gigabyte and keeps what it has read of one. Here the lengths that messages announce are
//! followed as the bytes come in, and a message that is too long ends the connection before its body is read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest message: a statement has at most 64 KiB, its parameters may be more.
const MESSAGE_BYTES: usize = 1 << 20;
/// Longest first message.
const STARTUP_BYTES: usize = 10_000;

/// The announced length is more than is accepted, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message of {found} bytes is not accepted; at most {accepted} are")]
pub struct TooLong {
    found: usize,
    accepted: usize,
}

/// Follows the lengths of messages.
#[derive(Debug)]
pub struct Follower {
    header: [u8; 5],
    filled: usize,
    left: usize,
    /// The first message has no byte for its kind.
    is_first: bool,
}

impl Default for Follower {
    fn default() -> Self {
        Self { header: [0; 5], filled: 0, left: 0, is_first: true }
    }
}

impl Follower {
    /// Takes bytes as they come.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), TooLong> {
        while !bytes.is_empty() {
            if self.left > 0 {
                let taken = self.left.min(bytes.len());
                self.left -= taken;
                bytes = &bytes[taken..];
                continue;
            }
            let (kind, accepted) = if self.is_first { (0, STARTUP_BYTES) } else { (1, MESSAGE_BYTES) };
            self.header[self.filled] = bytes[0];
            self.filled += 1;
            bytes = &bytes[1..];
            if self.filled == kind + 4 {
                let length = [self.header[kind], self.header[kind + 1], self.header[kind + 2], self.header[kind + 3]];
                let found = u32::from_be_bytes(length) as usize;
                if !(4..=accepted).contains(&found) {
                    return Err(TooLong { found, accepted });
                }
                self.left = found - 4;
                self.filled = 0;
                self.is_first = false;
            }
        }
        Ok(())
    }
}

/// A connection whose messages are followed.
#[derive(Debug)]
pub struct Bounded<S> {
    inner: S,
    follower: Follower,
}

impl<S> Bounded<S> {
    /// Wraps a connection of which some bytes were read already.
    pub fn new(inner: S, read: &[u8]) -> Result<Self, TooLong> {
        let mut follower = Follower::default();
        follower.feed(read)?;
        Ok(Self { inner, follower })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(cx, into);
        if let Poll::Ready(Ok(())) = &read
            && let Err(error) = this.follower.feed(&into.filled()[before..])
        {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&u32::try_from(body.len() + 4).expect("short").to_be_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn messages_pass_however_they_are_cut() {
        let mut bytes = message(0, &[0, 3, 0, 0, 1, 2, 3])[1..].to_vec();
        bytes.extend(message(b'Q', b"SELECT 1\0"));
        bytes.extend(message(b'S', b""));
        bytes.extend(message(b'Q', &vec![b'x'; MESSAGE_BYTES - 4]));
        for size in [1, 2, 3, 7, bytes.len()] {
            let mut follower = Follower::default();
            for part in bytes.chunks(size) {
                follower.feed(part).expect("short enough");
            }
            assert_eq!((follower.left, follower.filled), (0, 0), "parts of {size}");
        }
    }

    #[test]
    fn lengths_that_cannot_be_are_refused_before_the_body() {
        for first in [0_u32, 3, 10_001, u32::MAX] {
            assert!(Follower::default().feed(&first.to_be_bytes()).is_err(), "{first}");
        }
        let started = || {
            let mut follower = Follower::default();
            follower.feed(&8_u32.to_be_bytes()).expect("a first message");
            follower.feed(&[0, 3, 0, 0]).expect("its body");
            follower
        };
        for length in [0_u32, 3, 1 << 20 | 1, 1 << 30] {
            let mut follower = started();
            follower.feed(b"P").expect("a kind");
            assert!(follower.feed(&length.to_be_bytes()).is_err(), "{length}");
        }
    }
}
