//! The bytes of one file of an inbox.
//!
//! A link is not followed even where it took the place of a file after the folder was listed, a pipe does not
//! block, and a file that changes while it is read is not taken: half a file is no file.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is a link, a pipe, a device or a folder.
    #[error("not a regular file; links are not followed")]
    NotRegular,
    /// It is not there any more.
    #[error("it disappeared before it was read")]
    Gone,
    /// It is being written.
    #[error("it changed while it was read; it is taken when it rests")]
    Changing,
    /// It is larger than what is read.
    #[error("file has {found} bytes; at most {limit} are read, and it was left where it is")]
    TooLarge {
        /// Its size.
        found: u64,
        /// The largest that is read.
        limit: u64,
    },
    /// The system does not let us read it.
    #[error("it cannot be read: {0}")]
    Unreadable(std::io::Error),
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
///
/// Each variant of [`OpenError`].
pub fn read_regular(path: &Path, limit: u64) -> Result<Vec<u8>, OpenError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path).map_err(refused)?;
    let before = file.metadata().map_err(OpenError::Unreadable)?;
    if !before.is_file() {
        return Err(OpenError::NotRegular);
    }
    if before.len() > limit {
        return Err(OpenError::TooLarge { found: before.len(), limit });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or_default());
    // One byte more than it had: a file that grew is seen without reading all of what came.
    (&file).take(before.len() + 1).read_to_end(&mut bytes).map_err(OpenError::Unreadable)?;
    if is_other(&file, &before)? || bytes.len() as u64 != before.len() {
        return Err(OpenError::Changing);
    }
    Ok(bytes)
}

fn is_other(file: &File, before: &std::fs::Metadata) -> Result<bool, OpenError> {
    let after = file.metadata().map_err(OpenError::Unreadable)?;
    Ok(after.len() != before.len() || after.modified().ok() != before.modified().ok())
}

fn refused(error: std::io::Error) -> OpenError {
    let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    match error.kind() {
        ErrorKind::NotFound => OpenError::Gone,
        _ if is_link => OpenError::NotRegular,
        _ => OpenError::Unreadable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_a_folder_and_a_pipe_are_not_opened() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "12345").expect("writes");
        std::os::unix::fs::symlink(at("file"), at("link")).expect("links");
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo");
        assert_eq!(read_regular(&at("file"), 5).expect("reads"), b"12345");
        for name in ["link", "pipe", "."] {
            assert!(matches!(read_regular(&at(name), 5), Err(OpenError::NotRegular)), "{name}");
        }
        assert!(matches!(read_regular(&at("absent"), 5), Err(OpenError::Gone)));
        assert!(matches!(read_regular(&at("file"), 4), Err(OpenError::TooLarge { found: 5, limit: 4 })));
    }
}
