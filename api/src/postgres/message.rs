//! Bounds on what a client may send, and a look at its form.
//!
//! The library accepts messages of a gigabyte, keeps what it has read of one, and panics on some whose lengths do not agree. Here
//! the lengths that messages announce are followed as the bytes come in: a message that is too long ends the connection before its
//! body is read, one that is not well-formed before the library sees its end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest message: a statement has at most 64 KiB, its parameters may be more.
const MESSAGE_BYTES: usize = 1 << 20;
/// Longest first message.
const STARTUP_BYTES: usize = 10_000;

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The announced length is more than is accepted, or none.
    #[error("a message of {found} bytes is not accepted; at most {accepted} are")]
    Long {
        /// The length.
        found: usize,
        /// The most that is accepted.
        accepted: usize,
    },
    /// The parts of a message do not agree with its length.
    #[error("a message of kind {kind:?} is not well-formed")]
    Form {
        /// Its kind.
        kind: char,
    },
}

impl Refused {
    /// The state that the client is told.
    pub fn sqlstate(self) -> &'static str {
        match self {
            Self::Long { .. } => "54000",
            Self::Form { .. } => "08P01",
        }
    }
}

/// The bytes of a message that are not read yet.
struct Body<'a>(&'a [u8]);

impl Body<'_> {
    fn skip(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }

    /// A text up to its zero byte.
    fn text(&mut self) -> Option<()> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(&self.0[..end]).ok()?;
        self.skip(end + 1)
    }

    fn short(&mut self) -> Option<usize> {
        let value = u16::from_be_bytes([*self.0.first()?, *self.0.get(1)?]);
        self.skip(2)?;
        Some(value.into())
    }

    fn long(&mut self) -> Option<i32> {
        let value = i32::from_be_bytes([*self.0.first()?, *self.0.get(1)?, *self.0.get(2)?, *self.0.get(3)?]);
        self.skip(4)?;
        Some(value)
    }

    /// A count of parts of so many bytes each, and the parts.
    fn parts(&mut self, size: usize) -> Option<()> {
        let count = self.short()?;
        self.skip(count * size)
    }

    /// A count of values, each with its length or -1 for NULL.
    fn values(&mut self) -> Option<()> {
        for _ in 0..self.short()? {
            match self.long()? {
                -1 => {}
                length => self.skip(usize::try_from(length).ok()?)?,
            }
        }
        Some(())
    }
}

/// Whether the parts of a message end where it ends.
fn is_well_formed(kind: u8, body: &[u8]) -> bool {
    let mut body = Body(body);
    let read = match kind {
        b'Q' | b'f' => body.text(),
        b'P' => body.text().and_then(|()| body.text()).and_then(|()| body.parts(4)),
        b'B' => body
            .text()
            .and_then(|()| body.text())
            .and_then(|()| body.parts(2))
            .and_then(|()| body.values())
            .and_then(|()| body.parts(2)),
        b'D' | b'C' => body.skip(1).and_then(|()| body.text()),
        b'E' => body.text().and_then(|()| body.skip(4)),
        b'S' | b'H' | b'X' | b'c' => Some(()),
        // Later answers of who says who it is, and rows that are copied in.
        b'p' | b'd' => return true,
        _ => None,
    };
    read.is_some() && body.0.is_empty()
}

/// Whether the first answer of who says who it is has the form of SASL, the only one that is asked for: a method, and what it
/// begins with, if anything.
fn is_first_answer(body: &[u8]) -> bool {
    let mut body = Body(body);
    let read = body.text().and_then(|()| match body.long()? {
        -1 => Some(()),
        length => body.skip(usize::try_from(length).ok()?),
    });
    read.is_some() && body.0.is_empty()
}

/// Follows the lengths of messages.
#[derive(Debug)]
pub struct Follower {
    header: [u8; 5],
    filled: usize,
    left: usize,
    /// What has come of the message's body.
    body: Vec<u8>,
    /// The first message has no byte for its kind.
    is_first: bool,
    /// Whether the client has answered who it is.
    has_answered: bool,
}

impl Default for Follower {
    fn default() -> Self {
        Self { header: [0; 5], filled: 0, left: 0, body: Vec::new(), is_first: true, has_answered: false }
    }
}

impl Follower {
    /// Takes bytes as they come.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Refused> {
        loop {
            if self.left > 0 {
                let taken = self.left.min(bytes.len());
                if !self.is_first {
                    self.body.extend_from_slice(&bytes[..taken]);
                }
                self.left -= taken;
                bytes = &bytes[taken..];
                if self.left > 0 {
                    return Ok(());
                }
                self.end()?;
                continue;
            }
            let Some(byte) = bytes.first() else { return Ok(()) };
            let (kind, accepted) = if self.is_first { (0, STARTUP_BYTES) } else { (1, MESSAGE_BYTES) };
            self.header[self.filled] = *byte;
            self.filled += 1;
            bytes = &bytes[1..];
            if self.filled == kind + 4 {
                let length = [self.header[kind], self.header[kind + 1], self.header[kind + 2], self.header[kind + 3]];
                let found = u32::from_be_bytes(length) as usize;
                if !(4..=accepted).contains(&found) {
                    return Err(Refused::Long { found, accepted });
                }
                self.left = found - 4;
                self.filled = 0;
                if self.left == 0 {
                    self.end()?;
                }
            }
        }
    }

    /// A message is there as a whole.
    fn end(&mut self) -> Result<(), Refused> {
        let body = std::mem::take(&mut self.body);
        if std::mem::take(&mut self.is_first) {
            return Ok(());
        }
        let kind = self.header[0];
        let is_accepted = match kind {
            b'p' if !std::mem::replace(&mut self.has_answered, true) => is_first_answer(&body),
            _ => is_well_formed(kind, &body),
        };
        if is_accepted { Ok(()) } else { Err(Refused::Form { kind: kind.into() }) }
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
    pub fn new(inner: S, read: &[u8]) -> Result<Self, Refused> {
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
        bytes.extend(message(b'd', &vec![b'x'; MESSAGE_BYTES - 4]));
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
        for length in [0_u32, 3, 1 << 20 | 1, 1 << 30] {
            let mut follower = started();
            follower.feed(b"P").expect("a kind");
            let refused = follower.feed(&length.to_be_bytes()).expect_err("no length");
            assert_eq!(refused.sqlstate(), "54000", "{length}");
        }
    }

    fn started() -> Follower {
        let mut follower = Follower::default();
        follower.feed(&8_u32.to_be_bytes()).expect("a first message");
        follower.feed(&[0, 3, 0, 0]).expect("its body");
        follower
    }

    #[test]
    fn messages_whose_parts_do_not_agree_are_refused() {
        let bind = |values: &[u8]| [b"\0\0\0\0".as_slice(), values, b"\0\0"].concat();
        let good: [(u8, Vec<u8>); 8] = [
            (b'Q', "SELECT '中'\0".into()),
            (b'P', b"s\0SELECT $1\0\0\x01\0\0\0\x17".to_vec()),
            (b'B', bind(b"\0\x02\0\0\0\x01x\xff\xff\xff\xff")),
            (b'D', b"S\0".to_vec()),
            (b'C', b"Pportal\0".to_vec()),
            (b'E', b"\0\0\0\0\0".to_vec()),
            (b'S', Vec::new()),
            (b'p', b"SCRAM-SHA-256\0\0\0\0\x01x".to_vec()),
        ];
        for (kind, body) in good {
            started().feed(&message(kind, &body)).unwrap_or_else(|error| panic!("{error}: {body:?}"));
        }
        let wrong: [(u8, Vec<u8>); 14] = [
            (b'Q', b"SELECT 1".to_vec()),
            (b'Q', b"SELECT '\xff'\0".to_vec()),
            (b'Q', b"SELECT 1\0more\0".to_vec()),
            (b'P', b"s\0SELECT 1\0\0\x09".to_vec()),
            (b'B', bind(b"\0\x01\x7f\xff\xff\xff")),
            (b'B', bind(b"\0\x01\xff\xff\xff\xfe")),
            (b'B', b"\0\0\0".to_vec()),
            (b'S', b"x".to_vec()),
            (b'D', Vec::new()),
            (b'?', Vec::new()),
            (b'p', Vec::new()),
            (b'p', b"SCRAM-SHA-256\0\0\0".to_vec()),
            (b'p', b"SCRAM-SHA-256\0\0\0\0\x02x".to_vec()),
            (b'p', b"SCRAM-SHA-256\0\xff\xff\xff\xfe".to_vec()),
        ];
        for (kind, body) in wrong {
            let refused = started().feed(&message(kind, &body)).expect_err("not well-formed");
            assert_eq!(refused.sqlstate(), "08P01", "{body:?}");
        }
        let mut follower = started();
        follower.feed(&message(b'p', b"SCRAM-SHA-256\0\xff\xff\xff\xff")).expect("a method alone");
        follower.feed(&message(b'p', b"c=biws,r=x,p=y")).expect("later answers have no form of their own");
    }
}
