//! A file on its way in: digested and counted as it comes, on disk before anybody reads it, gone if it breaks off.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use gongkai_warehouse::fault;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::instance::Instance;
use crate::pipeline::Inbox;
use crate::space;

/// Longest path that a file may claim.
const PATH_BYTES: usize = 1000;
/// Longest part of it.
const NAME_BYTES: usize = 255;

/// Why a file did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The name is none.
    #[error(
        "name is {found:?}, expected a file name, with folders before it where a feed reads them: no empty part, . or .."
    )]
    Name {
        /// What was given.
        found: String,
    },
    /// It is too large.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// Most that is taken.
        limit: u64,
    },
    /// The connection broke off.
    #[error("the file broke off after {bytes} bytes")]
    BrokenOff {
        /// What had come.
        bytes: u64,
    },
    /// It is not the file that was announced.
    #[error("the file has digest {found}, but {expected} was announced")]
    Digest {
        /// SHA-256 of what came.
        found: String,
        /// What was announced.
        expected: String,
    },
    /// The disk.
    #[error("the file cannot be kept: {0}")]
    Io(#[from] io::Error),
}

/// What a sender says of a file before it comes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Announced<'a> {
    /// SHA-256 in hexadecimal.
    pub sha256: Option<&'a str>,
    /// Length.
    pub bytes: Option<u64>,
}

/// A file that arrived; it is removed with the value.
#[derive(Debug)]
pub struct Incoming {
    folder: PathBuf,
    path: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Their number.
    pub bytes: u64,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next recovery.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Incoming {
    /// Receives a file.
    pub async fn receive<S, E>(
        instance: &Instance,
        path: &str,
        mut body: S,
        limit: u64,
        announced: Announced<'_>,
    ) -> Result<Self, ReceiveError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        if !is_path(path) {
            return Err(ReceiveError::Name { found: path.chars().take(200).collect() });
        }
        let root = instance.warehouse.store().local_root();
        if root.as_ref().is_some_and(|root| !space::has_room(root, announced.bytes.unwrap_or(0))) {
            return Err(ReceiveError::Io(io::ErrorKind::StorageFull.into()));
        }
        let root = root.map_or_else(std::env::temp_dir, |root| root.join("work"));
        // Random: a process of the same number, after a restart in a container, must not find what this one left.
        let mut unique = [0_u8; 8];
        getrandom::getrandom(&mut unique).map_err(io::Error::from)?;
        let folder = root.join("incoming").join(format!("{}-{}", std::process::id(), hex::encode(unique)));
        // From here on the folder goes with the value, however this ends.
        let mut incoming = Self { folder, path: path.to_owned(), sha256: String::new(), bytes: 0 };
        let target = incoming.folder.join(path);
        let parent = target.parent().unwrap_or(Path::new("")).to_owned();
        tokio::fs::create_dir_all(&parent).await?;
        let staged = parent.join(".part");
        let mut file = tokio::fs::File::create(&staged).await?;
        let mut hasher = Sha256::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| ReceiveError::BrokenOff { bytes: incoming.bytes })?;
            incoming.bytes += chunk.len() as u64;
            if incoming.bytes > limit {
                return Err(ReceiveError::TooLarge { limit });
            }
            hasher.update(&chunk);
            fault::point(if incoming.bytes == chunk.len() as u64 { "recv.first_byte" } else { "recv.mid" })?;
            file.write_all(&chunk).await?;
        }
        fault::point("recv.before_fsync")?;
        file.sync_all().await?;
        drop(file);
        fault::point("recv.before_rename")?;
        incoming.sha256 = hex::encode(hasher.finalize());
        if let Some(expected) = announced.sha256.filter(|expected| !expected.eq_ignore_ascii_case(&incoming.sha256)) {
            let (found, expected) = (incoming.sha256.clone(), expected.chars().take(80).collect());
            return Err(ReceiveError::Digest { found, expected });
        }
        tokio::fs::rename(&staged, &target).await?;
        fault::point("recv.after_rename")?;
        Ok(incoming)
    }

    /// The inbox that holds this file alone.
    pub fn inbox(&self) -> Inbox {
        Inbox { path: self.folder.clone(), feeds: None, ready: None }
    }

    /// The path that it was given.
    pub fn path(&self) -> &str {
        &self.path
    }
}

fn is_path(path: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.len() <= NAME_BYTES
            && !part.starts_with('.')
            && !part.contains(|character: char| character.is_control() || character == '\\')
    };
    path.len() <= PATH_BYTES && path.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        assert!(is_path("四川/2022/form_4_1.xlsx") && is_path("a.csv"));
        for wrong in ["", "/etc/x", "../x", "a/../b", "a//b", ".hidden", "a\\b", "a\nb", &"x".repeat(256)] {
            assert!(!is_path(wrong), "{wrong:?}");
        }
    }
}
