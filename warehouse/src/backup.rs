//! A second place for everything that was published, made while publishing goes on.
//!
//! The pointer is read first and written last: whatever it names was there before it was read and is never changed, so
//! the copy is a whole warehouse however much is published in between. A ledger entry is copied before the rows that it
//! speaks of, and a table's log before the parts that it names, so that nothing in the copy leads to nothing. The
//! signing key is not in a warehouse and so not in its copies.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Serialize;

use crate::ReleaseRecord;
use crate::lake::{LakeError, pass, pointer};
use crate::log::Log;
use crate::store::{Listed, Store};

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Files that were not there yet, or were others.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were there already.
    pub known: u64,
}

/// Folders in the order in which they are copied.
const FOLDERS: [&str; 6] = ["state", "sources", "tables", "open", "releases", "log"];

/// Files whose bytes are a function of their path, so that they are copied once: sources and parts by their names,
/// releases where the copy's own pointer names them. What an unfinished publication left in a copy is neither.
fn is_settled(path: &str, released: &BTreeSet<String>) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_part = !path.starts_with("releases/") && path.ends_with(".parquet");
    path.starts_with("sources/") || is_part || released.contains(folder)
}

/// Copies a warehouse, or what is new in it.
///
/// `point` is passed after every file, for tests of a copy that is cut off: it can be begun again.
pub async fn copy(from: &dyn Store, to: &dyn Store, point: &str) -> Result<Copied, LakeError> {
    let pointer = from.read_optional(pointer::PATH).await?;
    let known = pointer::read(to).await?.current;
    refuse_another_history(from, &known).await?;
    let released = pointer::read_index(to, &known).await?.releases;
    let released: BTreeSet<String> = released.iter().map(ReleaseRecord::folder).collect();
    let mut copied = Copied::default();
    for folder in FOLDERS {
        let mut files = from.list(folder).await?;
        // Logs of tables first.
        files.sort_by_key(|file| (!file.path.contains("/_delta_log/"), file.path.clone()));
        let there: BTreeMap<String, u64> =
            to.list(folder).await?.into_iter().map(|file| (file.path, file.bytes)).collect();
        for Listed { path, bytes } in files {
            if is_settled(&path, &released) && there.get(&path) == Some(&bytes) {
                copied.known += 1;
                continue;
            }
            // What is gone since it was listed was of no use to anybody.
            let Some(content) = from.read_optional(&path).await? else { continue };
            write(to, &path, content, &mut copied).await?;
            pass(point)?;
        }
    }
    if let Some(pointer) = pointer {
        write(to, pointer::PATH, pointer, &mut copied).await?;
    }
    Ok(copied)
}

/// A copy that holds more than the warehouse, or something else, is worth more than a new one.
async fn refuse_another_history(from: &dyn Store, kept: &pointer::Current) -> Result<(), LakeError> {
    let Some(kept) = kept.checkpoint()? else { return Ok(()) };
    let current = pointer::read(from).await?.current.checkpoint()?;
    let log = Log::open(from, current.as_ref()).await?;
    if current.is_some_and(|current| current.origin == kept.origin && kept.size <= current.size) {
        return Ok(kept.expect_root(log.tree())?);
    }
    Err(LakeError::OtherHistory { kept: kept.size, found: log.size() })
}

async fn write(to: &dyn Store, path: &str, content: Bytes, copied: &mut Copied) -> Result<(), LakeError> {
    copied.files += 1;
    copied.bytes += content.len() as u64;
    Ok(to.put(path, content).await?)
}
