//! A warehouse in a folder. Every write is synced, file and directory, before it is reported.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, PutPayload};
use url::Url;

use super::synced::SyncedFileSystem;
use super::{Store, StoreError, parse, storage};

/// Files below a folder.
#[derive(Debug)]
pub struct LocalStore {
    root: PathBuf,
    objects: Arc<dyn ObjectStore>,
    /// Delta tables address files from the root of the file system.
    whole: Arc<dyn ObjectStore>,
    replacing: tokio::sync::Mutex<()>,
}

impl LocalStore {
    /// Opens the folder, creating it where it does not exist.
    pub fn open(folder: &FilePath) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Root { root: folder.display().to_string(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let root = folder.canonicalize().map_err(failed)?;
        let below = LocalFileSystem::new_with_prefix(&root)
            .map_err(|source| StoreError::Storage { path: root.display().to_string(), source })?;
        Ok(Self {
            objects: Arc::new(SyncedFileSystem::new(below)),
            whole: Arc::new(SyncedFileSystem::new(LocalFileSystem::new())),
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

    /// Compares and renames under a lock of this process; between processes the writer lock holds.
    async fn replace(&self, path: &str, expected: Option<&[u8]>, bytes: Bytes) -> Result<(), StoreError> {
        let _one_at_a_time = self.replacing.lock().await;
        if self.read_optional(path).await?.as_deref() != expected {
            return Err(StoreError::Conflict { path: path.to_owned() });
        }
        let put = self.objects.put_opts(&parse(path)?, PutPayload::from(bytes), Default::default()).await;
        put.map(drop).map_err(|source| storage(path, source))
    }

    fn local_root(&self) -> Option<PathBuf> {
        Some(self.root.clone())
    }
}
