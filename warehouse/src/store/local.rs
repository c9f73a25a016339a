//! A warehouse in a folder. Every write is synced, file and directory, before it is reported.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use url::Url;

use super::synced::SyncedFileSystem;
use super::{Store, StoreError};

/// Files below a folder.
#[derive(Debug)]
pub struct LocalStore {
    root: PathBuf,
    objects: Arc<dyn ObjectStore>,
    /// Delta tables address files from the root of the file system.
    whole: Arc<dyn ObjectStore>,
    replacing: tokio::sync::Mutex<()>,
    is_broken: Arc<AtomicBool>,
}

impl LocalStore {
    /// Opens the folder, creating it where it does not exist.
    pub fn open(folder: &FilePath) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Root { root: folder.display().to_string(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let root = folder.canonicalize().map_err(failed)?;
        let below = LocalFileSystem::new_with_prefix(&root)
            .map_err(|source| StoreError::Storage { path: root.display().to_string(), source })?;
        let is_broken = Arc::new(AtomicBool::new(false));
        Ok(Self {
            objects: Arc::new(SyncedFileSystem::new(below, Arc::clone(&is_broken))),
            whole: Arc::new(SyncedFileSystem::new(LocalFileSystem::new(), Arc::clone(&is_broken))),
            is_broken,
            root,
            replacing: tokio::sync::Mutex::new(()),
        })
    }
}

#[async_trait]
impl Store for LocalStore {
    fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    fn delta(&self, folder: &str) -> Result<(Arc<dyn ObjectStore>, Url), StoreError> {
        let url = Url::from_directory_path(self.root.join(folder));
        let url = url.map_err(|()| StoreError::Path { path: folder.to_owned() })?;
        Ok((Arc::clone(&self.whole), url))
    }

    fn replacing(&self) -> &tokio::sync::Mutex<()> {
        &self.replacing
    }

    fn is_read_only(&self) -> bool {
        self.is_broken.load(Ordering::SeqCst)
    }

    fn local_root(&self) -> Option<PathBuf> {
        Some(self.root.clone())
    }
}
