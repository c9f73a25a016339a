//! A warehouse that lives as long as the process: for tests and for looking at files without keeping anything.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::memory::InMemory;
use object_store::{ObjectStore, PutPayload};
use url::Url;

use super::{Store, StoreError, parse, storage};

/// Files in memory.
#[derive(Debug)]
pub struct MemoryStore {
    objects: Arc<dyn ObjectStore>,
    replacing: tokio::sync::Mutex<()>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self { objects: Arc::new(InMemory::new()), replacing: tokio::sync::Mutex::new(()) }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    fn delta(&self, folder: &str) -> Result<(Arc<dyn ObjectStore>, Url), StoreError> {
        let url = Url::parse(&format!("memory:///{folder}/"));
        let url = url.map_err(|_| StoreError::Path { path: folder.to_owned() })?;
        Ok((Arc::clone(&self.objects), url))
    }

    async fn replace(&self, path: &str, expected: Option<&[u8]>, bytes: Bytes) -> Result<(), StoreError> {
        let _one_at_a_time = self.replacing.lock().await;
        if self.read_optional(path).await?.as_deref() != expected {
            return Err(StoreError::Conflict { path: path.to_owned() });
        }
        let put = self.objects.put_opts(&parse(path)?, PutPayload::from(bytes), Default::default()).await;
        put.map(drop).map_err(|source| storage(path, source))
    }

    fn local_root(&self) -> Option<PathBuf> {
        None
    }
}
