//! One writer per warehouse.

use std::fs::{File, OpenOptions, TryLockError};

use crate::lake::LakeError;
use crate::store::Store;

/// Held while a process writes; the system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct WriterLock {
    _file: Option<File>,
}

impl WriterLock {
    /// Takes the lock, or says who cannot: a warehouse in memory has one process and needs none.
    pub fn take(store: &dyn Store) -> Result<Self, LakeError> {
        let Some(root) = store.local_root() else { return Ok(Self { _file: None }) };
        let shown = root.display().to_string();
        let failed = |source| LakeError::Lock { root: shown.clone(), source };
        let folder = root.join("work");
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let path = folder.join("writer.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(LakeError::Locked { root: shown }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
