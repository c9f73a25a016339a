//! A warehouse that lives as long as the process: for tests and for looking at files without keeping anything.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use url::Url;

use super::{Store, StoreError};

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

    fn replacing(&self) -> &tokio::sync::Mutex<()> {
        &self.replacing
    }

    fn local_root(&self) -> Option<PathBuf> {
        None
    }
}
