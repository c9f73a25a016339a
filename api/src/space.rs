//! Room on the disk, asked for before something is begun that would fill it.

use std::path::Path;

/// Room of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What we may still write.
    pub free_bytes: u64,
    /// All of it.
    pub total_bytes: u64,
}

/// Always left: reading, recovery and logs need some.
const RESERVE_BYTES: u64 = 512 << 20;

/// Room of the file system that a folder is on; none where the system does not say.
pub fn free(folder: &Path) -> Option<Space> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(Space { free_bytes: found.f_bavail * found.f_frsize, total_bytes: found.f_blocks * found.f_frsize })
}

/// Whether a file of that size can be taken with its rows, which may need as much again.
pub fn has_room(folder: &Path, file_bytes: u64) -> bool {
    free(folder).is_none_or(|space| space.free_bytes >= file_bytes.saturating_mul(2).saturating_add(RESERVE_BYTES))
}
