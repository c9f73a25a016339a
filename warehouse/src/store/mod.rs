//! Where bytes live: a small contract between the warehouse and any object store.
//!
//! Everything outside this module names files by their path below the warehouse root. The contract
//! promises what publication rests on: a file put here is on disk before the call returns, a file that
//! exists is never changed by [`Store::put_if_absent`], and [`Store::replace`] is atomic.
//! Delta tables write through the same store, so no byte of a commit escapes the promise.

mod local;
mod memory;
mod synced;

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use url::Url;

pub use local::LocalStore;
pub use memory::MemoryStore;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No file of that path.
    #[error("{path} does not exist")]
    NotFound {
        /// Path below the root.
        path: String,
    },
    /// The file changed since it was read.
    #[error("{path} was changed by another writer")]
    Conflict {
        /// Path below the root.
        path: String,
    },
    /// The storage cannot take more bytes.
    #[error("no space left for {path}")]
    Full {
        /// Path below the root.
        path: String,
    },
    /// A sync failed before.
    #[error("{path} is not written: a sync failed before; start the process again, which looks at what is on disk")]
    ReadOnly {
        /// Path below the root.
        path: String,
    },
    /// The path is not one that a store accepts.
    #[error("{path:?} is not a path below the warehouse root")]
    Path {
        /// What was asked for.
        path: String,
    },
    /// The root cannot be used.
    #[error("data folder {root}: {source}")]
    Root {
        /// The folder or URL.
        root: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address is of a kind that this build does not read.
    #[error("data address {address} is not supported; expected a folder, file:// or memory://")]
    Address {
        /// What was given.
        address: String,
    },
    /// Anything else that the storage reported.
    #[error("{path}: {source}")]
    Storage {
        /// Path below the root.
        path: String,
        /// What the storage said.
        source: object_store::Error,
    },
}

/// Whether a file was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It did not exist and does now.
    Created,
    /// It existed already; its bytes were left alone.
    Existed,
}

/// A file as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Path below the root.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
}

/// A warehouse root.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// The object store rooted at the warehouse.
    fn objects(&self) -> &Arc<dyn ObjectStore>;

    /// An object store and the address of the folder below it, as Delta tables want them.
    fn delta(&self, folder: &str) -> Result<(Arc<dyn ObjectStore>, Url), StoreError>;

    /// Held while a file is compared and replaced, so that one caller of this process does so at a time.
    /// Between processes the writer lock of the warehouse holds.
    fn replacing(&self) -> &tokio::sync::Mutex<()>;

    /// Replaces a file atomically if its bytes are still `expected`; `None` expects that there is none.
    async fn replace(&self, path: &str, expected: Option<&[u8]>, bytes: Bytes) -> Result<(), StoreError> {
        let _one_at_a_time = self.replacing().lock().await;
        if self.read_optional(path).await?.as_deref() != expected {
            return Err(StoreError::Conflict { path: path.to_owned() });
        }
        self.put(path, bytes).await
    }

    /// Whether a sync failed, after which nothing is written until the process is started again.
    fn is_read_only(&self) -> bool {
        false
    }

    /// The folder on local disk, where there is one.
    fn local_root(&self) -> Option<PathBuf>;

    /// All bytes of a file.
    async fn read(&self, path: &str) -> Result<Bytes, StoreError> {
        let at = parse(path)?;
        let result = self.objects().get(&at).await.map_err(|source| storage(path, source))?;
        result.bytes().await.map_err(|source| storage(path, source))
    }

    /// All bytes of a file, or nothing where there is none.
    async fn read_optional(&self, path: &str) -> Result<Option<Bytes>, StoreError> {
        match self.read(path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a file that must not exist yet; one that does is left as it is.
    async fn put_if_absent(&self, path: &str, bytes: Bytes) -> Result<Put, StoreError> {
        let options = PutOptions::from(PutMode::Create);
        match self.objects().put_opts(&parse(path)?, PutPayload::from(bytes), options).await {
            Ok(_) => Ok(Put::Created),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Put::Existed),
            Err(source) => Err(storage(path, source)),
        }
    }

    /// Writes a file, whatever was there: for state that is rebuilt, never for anything published.
    async fn put(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        let put = self.objects().put(&parse(path)?, PutPayload::from(bytes)).await;
        put.map(drop).map_err(|source| storage(path, source))
    }

    /// Files below a folder, in the order of their paths.
    async fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        let prefix = parse(folder)?;
        let mut files: Vec<Listed> = self
            .objects()
            .list(Some(&prefix))
            .map_ok(|meta| Listed { path: meta.location.to_string(), bytes: meta.size })
            .try_collect()
            .await
            .map_err(|source| storage(folder, source))?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Removes a file; one that is gone already is no error.
    async fn remove(&self, path: &str) -> Result<(), StoreError> {
        match self.objects().delete(&parse(path)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(storage(path, source)),
        }
    }
}

/// Opens the store that `--data` names: a folder, `file://…` or `memory://`.
pub fn open(address: &str) -> Result<Arc<dyn Store>, StoreError> {
    if address.starts_with("memory://") {
        return Ok(Arc::new(MemoryStore::new()));
    }
    if address.starts_with("file://") {
        let folder = Url::parse(address).ok().and_then(|url| url.to_file_path().ok());
        let folder = folder.ok_or_else(|| StoreError::Address { address: address.to_owned() })?;
        return Ok(Arc::new(LocalStore::open(&folder)?));
    }
    if address.contains("://") {
        return Err(StoreError::Address { address: address.to_owned() });
    }
    Ok(Arc::new(LocalStore::open(std::path::Path::new(address))?))
}

fn parse(path: &str) -> Result<Path, StoreError> {
    Path::parse(path).map_err(|_| StoreError::Path { path: path.to_owned() })
}

fn storage(path: &str, source: object_store::Error) -> StoreError {
    let path = path.to_owned();
    match source {
        object_store::Error::NotFound { .. } => StoreError::NotFound { path },
        object_store::Error::Precondition { .. } => StoreError::Conflict { path },
        source if is_kind(&source, &[ErrorKind::StorageFull, ErrorKind::QuotaExceeded]) => StoreError::Full { path },
        source if is_kind(&source, &[ErrorKind::ReadOnlyFilesystem]) => StoreError::ReadOnly { path },
        source => StoreError::Storage { path, source },
    }
}

/// Whether the system said one of these, somewhere below.
fn is_kind(error: &(dyn std::error::Error + 'static), kinds: &[ErrorKind]) -> bool {
    let mut current = Some(error);
    while let Some(error) = current {
        if error.downcast_ref::<std::io::Error>().is_some_and(|io| kinds.contains(&io.kind())) {
            return true;
        }
        current = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn keeps_the_contract(store: &dyn Store) {
        let first = store.put_if_absent("a/b", Bytes::from_static(b"one")).await.expect("put");
        let second = store.put_if_absent("a/b", Bytes::from_static(b"two")).await.expect("put");
        assert_eq!((first, second), (Put::Created, Put::Existed));
        assert_eq!(store.read("a/b").await.expect("read"), Bytes::from_static(b"one"));
        assert!(matches!(store.read("a/c").await, Err(StoreError::NotFound { .. })));

        store.replace("pointer", None, Bytes::from_static(b"1")).await.expect("first");
        store.replace("pointer", Some(b"1"), Bytes::from_static(b"2")).await.expect("second");
        let stale = store.replace("pointer", Some(b"1"), Bytes::from_static(b"3")).await;
        assert!(matches!(stale, Err(StoreError::Conflict { .. })));
        let absent = store.replace("pointer", None, Bytes::from_static(b"3")).await;
        assert!(matches!(absent, Err(StoreError::Conflict { .. })));
        assert_eq!(store.read("pointer").await.expect("read"), Bytes::from_static(b"2"));

        assert_eq!(store.list("a").await.expect("list"), [Listed { path: "a/b".into(), bytes: 3 }]);
        store.remove("a/b").await.expect("remove");
        store.remove("a/b").await.expect("removing twice is no error");
        assert!(store.list("a").await.expect("list").is_empty());
    }

    #[tokio::test]
    async fn a_folder_keeps_the_contract() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        keeps_the_contract(&LocalStore::open(folder.path()).expect("opens")).await;
    }

    #[tokio::test]
    async fn memory_keeps_the_contract() {
        keeps_the_contract(&MemoryStore::new()).await;
    }

    #[test]
    fn an_address_of_another_kind_is_refused_by_name() {
        let error = open("gopher://example").expect_err("not supported").to_string();
        assert!(error.contains("gopher://example"), "{error}");
    }
}
