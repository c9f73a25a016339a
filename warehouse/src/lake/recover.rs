//! What an interrupted run left behind, and its removal.
//!
//! Only what the pointer does not name is touched: release folders beyond the last number, tiles
//! beyond the log's size, index files of pointers that were never switched to, half-written files, and
//! everything under `work/`. Normalised rows need nothing: a commit is whole or absent. Running this
//! twice, or being killed in it, does no harm.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use crate::lake::{LakeError, pass, pointer};
use crate::log::{self, TileName};
use crate::publication;
use crate::store::Store;

/// Says that a restore has begun and not ended.
pub const RESTORING: &str = "state/restoring";

/// One thing that was put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repair {
    /// What it was.
    pub kind: &'static str,
    /// Where.
    pub path: String,
}

/// Removes the leftovers. The caller holds the writer lock.
pub async fn recover(store: &dyn Store) -> Result<Vec<Repair>, LakeError> {
    pass("recover.start")?;
    let read = pointer::read(store).await?;
    // The checkpoint follows the pointer: without one, somebody lost the pointer, and everything would look unfinished.
    let is_lost = read.bytes.is_none()
        && (store.read_optional(log::CHECKPOINT).await?.is_some() || store.read_optional(RESTORING).await?.is_some());
    if is_lost {
        return Err(LakeError::PointerMissing { path: pointer::PATH.to_owned() });
    }
    let current = read.current;
    let index = pointer::read_index(store, &current).await?;
    let known: BTreeSet<String> = index.releases.iter().map(|release| release.folder()).collect();
    let mut repairs = Vec::new();
    for file in store.list("releases").await? {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !known.contains(folder) {
            repairs.push(Repair { kind: "file of an unfinished release", path: file.path });
        }
    }
    for file in store.list("log/tile").await? {
        let name = file.path.strip_prefix("log/").and_then(TileName::parse);
        if name.is_none_or(|name| name.leaves() > current.log_size) {
            repairs.push(Repair { kind: "log tile of an unfinished publication", path: file.path });
        }
    }
    for file in store.list("state/index").await? {
        if file.path > current.index {
            repairs.push(Repair { kind: "index of an unfinished publication", path: file.path });
        }
    }
    for repair in &repairs {
        store.remove(&repair.path).await?;
        pass("recover.mid")?;
    }
    if publication::follow(store, &current).await? {
        repairs.push(Repair { kind: "checkpoint brought up to the pointer", path: log::CHECKPOINT.to_owned() });
    }
    if let Some(root) = store.local_root() {
        sweep(&root, &root, &mut repairs);
    }
    Ok(repairs)
}

/// Removes half-written files (`name#…`) everywhere and whatever is under `work/` but the lock.
fn sweep(root: &Path, folder: &Path, repairs: &mut Vec<Repair>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_folder {
            // Access keys are written without the writer lock.
            if !is_in_use(&shown, &name) && shown != "state/key" {
                sweep(root, &path, repairs);
                if OWNED.iter().any(|owned| shown.starts_with(owned)) {
                    // Only empty by now if nobody writes to it.
                    let _ = std::fs::remove_dir(&path);
                }
            }
            continue;
        }
        let is_half_written = name.rsplit_once('#').is_some_and(|(_, tail)| {
            !tail.is_empty() && tail.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
        });
        let is_work = shown.starts_with("work/") && name != "writer.lock";
        if (is_half_written || is_work) && std::fs::remove_file(&path).is_ok() {
            let kind = if is_half_written { "half-written file" } else { "left-over work file" };
            repairs.push(Repair { kind, path: shown });
        }
    }
}

/// Folders whose own folders (`{process}-{number}`) belong to a process.
const OWNED: [&str; 3] = ["work/spill/", "work/spill/pages/", "work/incoming/"];

/// Whether a folder belongs to a process that lives.
fn is_in_use(shown: &str, name: &str) -> bool {
    let owner = name.split('-').next().filter(|process| process.bytes().all(|byte| byte.is_ascii_digit()));
    let is_owned = OWNED.iter().any(|owned| shown.strip_prefix(owned) == Some(name));
    is_owned && owner.is_some_and(|process| Path::new("/proc").join(process).exists())
}

#[cfg(test)]
mod tests {
    use super::is_in_use;

    #[test]
    fn folders_of_a_process_that_lives_are_left_alone() {
        // No process has a number so large.
        let (own, ended) = (format!("{}-0", std::process::id()), format!("{}-0", u32::MAX));
        for folder in ["work/spill", "work/spill/pages", "work/incoming"] {
            assert!(is_in_use(&format!("{folder}/{own}"), &own), "{folder}");
            assert!(!is_in_use(&format!("{folder}/{ended}"), &ended), "{folder}");
        }
        assert!(!is_in_use("work/spill/pages", "pages") && !is_in_use(&format!("work/other/{own}"), &own));
    }
}
