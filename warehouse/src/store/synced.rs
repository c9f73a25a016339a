//! The local file system with every write on disk before it is acknowledged.
//!
//! object_store's own local store never syncs, so a commit would survive a killed process but not a
//! power cut. Here a file gets its name only after its bytes are synced, and the directory is synced
//! after the name: whoever sees a file sees all of it, whatever happens next.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};

const STORE: &str = "synced file system";
static UNIQUE: AtomicU64 = AtomicU64::new(0);

/// [`LocalFileSystem`] for reading, our own synced writes.
#[derive(Debug, Clone)]
pub struct SyncedFileSystem {
    inner: Arc<LocalFileSystem>,
}

impl SyncedFileSystem {
    /// Wraps a file system, rooted anywhere.
    pub fn new(inner: LocalFileSystem) -> Self {
        Self { inner: Arc::new(inner) }
    }

    fn file(&self, location: &Path) -> Result<PathBuf> {
        self.inner.path_to_filesystem(location)
    }
}

impl fmt::Display for SyncedFileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "synced {}", self.inner)
    }
}

fn failed(source: io::Error) -> Error {
    Error::Generic { store: STORE, source: Box::new(source) }
}

fn sync_folder_of(file: &FilePath) -> io::Result<()> {
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Creates the folders above a file and syncs the first one that was there already, so that their names last.
fn create_folders(file: &FilePath) -> io::Result<()> {
    let Some(folder) = file.parent() else { return Ok(()) };
    if folder.is_dir() {
        return Ok(());
    }
    let existing = folder.ancestors().find(|ancestor| ancestor.is_dir()).map(FilePath::to_path_buf);
    fs::create_dir_all(folder)?;
    for created in folder.ancestors().take_while(|ancestor| existing.as_deref() != Some(*ancestor)) {
        sync_folder_of(created)?;
    }
    Ok(())
}

/// Writes beside the target, syncs, then names: by hard link for a new file, by rename to replace one.
fn write_synced(target: &FilePath, payload: &PutPayload, mode: &PutMode) -> Result<()> {
    create_folders(target).map_err(failed)?;
    let unique = UNIQUE.fetch_add(1, Ordering::Relaxed);
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // The `#` keeps unfinished files out of every listing of object_store.
    let staged = target.with_file_name(format!("{name}#{}-{unique}", std::process::id()));
    let written = (|| {
        let mut file = File::create(&staged)?;
        for part in payload.iter() {
            file.write_all(part)?;
        }
        file.sync_all()
    })();
    if let Err(source) = written {
        let _ = fs::remove_file(&staged);
        return Err(failed(source));
    }
    let named = match mode {
        PutMode::Create => fs::hard_link(&staged, target).and_then(|()| fs::remove_file(&staged)),
        _ => fs::rename(&staged, target),
    };
    if let Err(source) = named {
        let _ = fs::remove_file(&staged);
        let path = target.display().to_string();
        return Err(match source.kind() {
            io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source: Box::new(source) },
            _ => failed(source),
        });
    }
    sync_folder_of(target).map_err(failed)
}

#[derive(Debug)]
struct SyncedUpload {
    inner: Box<dyn MultipartUpload>,
    target: PathBuf,
}

#[async_trait]
impl MultipartUpload for SyncedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let result = self.inner.complete().await?;
        File::open(&self.target).and_then(|file| file.sync_all()).map_err(failed)?;
        sync_folder_of(&self.target).map_err(failed)?;
        Ok(result)
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

#[async_trait]
impl ObjectStore for SyncedFileSystem {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if matches!(options.mode, PutMode::Update(_)) {
            return Err(Error::NotImplemented { operation: "conditional update".into(), implementer: STORE.into() });
        }
        let target = self.file(location)?;
        let write = move || write_synced(&target, &payload, &options.mode);
        tokio::task::spawn_blocking(write).await.map_err(|source| Error::JoinError { source })??;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let target = self.file(location)?;
        create_folders(&target).map_err(failed)?;
        let inner = self.inner.put_multipart_opts(location, options).await?;
        Ok(Box::new(SyncedUpload { inner, target }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<bytes::Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let bytes = self.inner.get_opts(from, GetOptions::default()).await?.bytes().await?;
        let mode = match options.mode {
            CopyMode::Create => PutMode::Create,
            CopyMode::Overwrite => PutMode::Overwrite,
        };
        self.put_opts(to, PutPayload::from(bytes), PutOptions::from(mode)).await.map(drop)
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await?;
        sync_folder_of(&self.file(to)?).map_err(failed)?;
        sync_folder_of(&self.file(from)?).map_err(failed)
    }
}
