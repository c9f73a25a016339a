//! A file as a body, read part by part as it is taken.
//!
//! The library's own body reads into a buffer of its own and copies from there. Nothing is copied here.

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use tokio::task::spawn_blocking;

/// Bytes that are read at once: the most that is held for the client of a file. Chosen: a little less than the 256 KiB from which
/// the C library takes memory from the system for each piece, and gives it back (`worker::memory`), which costs a fault a page. More
/// multiplies by the connections; less asks for a thread more often.
pub(super) const PART: usize = 240 << 10;

/// The next part of a file of which so many bytes are left.
///
/// # Errors
///
/// The file ends before that, or cannot be read.
pub(super) fn next_part(mut file: &File, left: u64) -> io::Result<Bytes> {
    let wanted = left.min(PART as u64);
    let mut part = Vec::with_capacity(PART.min(usize::try_from(wanted).unwrap_or(PART)));
    file.by_ref().take(wanted).read_to_end(&mut part)?;
    match part.len() as u64 == wanted {
        true => Ok(part.into()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// So many bytes of a file, from where it stands.
pub(super) fn parts(file: File, length: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let parts = stream::try_unfold((file, length), |(file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let read = spawn_blocking(move || next_part(&file, left).map(|part| (file, part)));
        let (file, part) = read.await.map_err(io::Error::other)??;
        let left = left - part.len() as u64;
        Ok(Some((part, (file, left))))
    });
    // Compression asks again after the end.
    parts.fuse()
}
