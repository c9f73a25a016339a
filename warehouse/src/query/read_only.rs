//! The storage that a query reaches: row files of releases, and nothing can be written.
//!
//! The engine's default registry would offer the whole local file system under `file://`. This one knows a
//! single address and hands out a store that answers for `releases/{dataset}/{n}/data.parquet` only, so that
//! even a plan that names another file cannot read it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::common::{DataFusionError, Result as EngineResult};
use datafusion::execution::object_store::{ObjectStoreRegistry, ObjectStoreUrl};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use url::Url;

/// Address of the warehouse in plans; it says nothing of where the warehouse is.
const ADDRESS: &str = "lake://warehouse";

/// The address under which plans name files of the warehouse.
pub(super) fn address() -> ObjectStoreUrl {
    ObjectStoreUrl::parse(ADDRESS).expect("a constant address without a path")
}

/// A store that reads row files of releases.
#[derive(Debug)]
pub(super) struct ReadOnlyStore {
    inner: Arc<dyn ObjectStore>,
}

impl fmt::Display for ReadOnlyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("warehouse, read only")
    }
}

fn refused() -> Error {
    Error::NotSupported { source: "queries read row files of releases and nothing else".into() }
}

fn check(location: &Path) -> Result<()> {
    let mut parts = location.parts();
    let is_row_file = parts.next().is_some_and(|part| part.as_ref() == "releases")
        && parts.next().is_some()
        && parts.next().is_some()
        && parts.next().is_some_and(|part| part.as_ref() == "data.parquet")
        && parts.next().is_none();
    if is_row_file { Ok(()) } else { Err(refused()) }
}

#[async_trait]
impl ObjectStore for ReadOnlyStore {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(refused())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(refused())
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        check(location)?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        check(location)?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations.map(|_| Err(refused())).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::once(async { Err(refused()) }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(refused())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(refused())
    }
}

/// A registry with one entry that cannot be changed.
#[derive(Debug)]
pub(super) struct OneStore {
    store: Arc<dyn ObjectStore>,
}

impl OneStore {
    /// Wraps a store whose root is the warehouse.
    pub fn new(warehouse: Arc<dyn ObjectStore>) -> Self {
        Self { store: Arc::new(ReadOnlyStore { inner: warehouse }) }
    }
}

impl ObjectStoreRegistry for OneStore {
    fn register_store(&self, _: &Url, _: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> EngineResult<Arc<dyn ObjectStore>> {
        if url.scheme() == "lake" && url.host_str() == Some("warehouse") {
            Ok(Arc::clone(&self.store))
        } else {
            Err(DataFusionError::Configuration("no such store".into()))
        }
    }
}
