//! Large answers wait for their clients on disk.
//!
//! A client may take an answer as slowly as the pace of connections lets it, and as many of them as it has queries. What is not
//! taken yet would stay in memory for as long. So an answer beyond [`IN_MEMORY`] is written to a file without a name, which ends
//! with the answer or with the process, and is read as it is taken.
//!
//! Invariant: the files of all answers together are at most [`BYTES`]. Beyond them, large answers are refused and small ones go on.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use http_body::Frame;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;

use super::{ApiError, App, file_parts};

/// Bytes of all files together. Chosen: 64 answers of 32 MiB (`query.max_bytes`), about the most that one of them puts into a
/// file. More is disk that slow clients may hold; with less they are sooner in the way of other large answers, which are
/// `overloaded`.
pub const BYTES: usize = 2 << 30;
/// Bytes of one answer that wait in memory. Chosen: one for each of 1,024 connections (`limits.http_connections`) would be 1 GiB,
/// more than `query.memory_bytes`; before that memory is scarce, and no visitor's query is taken. More lets slow clients bring
/// that about sooner; less sends small answers over the disk.
const IN_MEMORY: usize = 1 << 20;

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Parts of a body, in their order.
pub(super) type Frames = BoxStream<'static, io::Result<Frame<Bytes>>>;

/// Parts that are all there, of so many bytes together.
///
/// # Errors
///
/// `overloaded` when too many large answers wait already, `disk_full`.
pub(super) async fn frames(app: &App, parts: Vec<Bytes>, length: usize) -> Result<Frames, ApiError> {
    if length <= IN_MEMORY {
        return Ok(stream::iter(parts.into_iter().map(|bytes| Ok(Frame::data(bytes)))).boxed());
    }
    let place = app.spool_place(length)?;
    let folder = app.spill_root();
    let written = spawn_blocking(move || write(&folder, &parts)).await.map_err(|error| ApiError::internal(&error))?;
    let file = written.map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ApiError::new("disk_full", "there is no space for large answers; ask for less")
        }
        _ => ApiError::internal(&error),
    })?;
    Ok(read(file, length, place).boxed())
}

/// Writes parts to a file that has no name any more.
fn write(folder: &Path, parts: &[Bytes]) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("answer-{}-{number}", std::process::id()));
    let mut file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.rewind()?;
    Ok(file)
}

fn read(
    file: File,
    length: usize,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = io::Result<Frame<Bytes>>> + Send + 'static {
    file_parts::parts(file, length as u64).map(move |part| {
        let _kept = &place;
        part.map(Frame::data)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tempfile::TempDir;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_back_and_leaves_nothing() {
        let folder = TempDir::new().expect("a temporary folder");
        let parts = [Bytes::from(vec![1; file_parts::PART]), Bytes::new(), Bytes::from(vec![2; 10])];
        let file = write(folder.path(), &parts).expect("a file");
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).try_acquire_owned().expect("a place");
        let frames: Vec<io::Result<Frame<Bytes>>> = read(file, parts.concat().len(), place).collect().await;
        let bytes: Vec<u8> =
            frames.into_iter().flat_map(|frame| frame.expect("reads").into_data().expect("data")).collect();
        assert_eq!(bytes, parts.concat());
        assert_eq!(places.available_permits(), 1, "the place is given back with the answer");
    }
}
