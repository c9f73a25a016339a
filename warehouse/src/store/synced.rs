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
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};

use crate::fault;

const STORE: &str = "synced file system";
/// What every write says after a sync that failed.
pub(super) const READ_ONLY: &str = "a sync failed before: nothing is written until the process is started again";
static UNIQUE: AtomicU64 = AtomicU64::new(0);

/// [`LocalFileSystem`] for reading, our own synced writes.
#[derive(Debug, Clone)]
pub struct SyncedFileSystem {
    inner: Arc<LocalFileSystem>,
    /// Set by the first sync that fails; shared by every store of a root.
    is_broken: Arc<AtomicBool>,
}

impl SyncedFileSystem {
    /// Wraps a file system, rooted anywhere.
    pub fn new(inner: LocalFileSystem, is_broken: Arc<AtomicBool>) -> Self {
        Self { inner: Arc::new(inner), is_broken }
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

/// After a failed sync nobody knows what is on disk, and the next sync would say that all is well.
fn remember_failure(is_broken: &AtomicBool, synced: io::Result<()>) -> io::Result<()> {
    synced.inspect_err(|error| {
        is_broken.store(true, Ordering::SeqCst);
        tracing::error!(%error, "a sync failed: no further write until the process is started again");
    })
}

fn refuse_if_broken(is_broken: &AtomicBool) -> Result<()> {
    if is_broken.load(Ordering::SeqCst) {
        return Err(failed(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, READ_ONLY)));
    }
    Ok(())
}

/// Creates the folders above a file and syncs the first one that was there already, so that their names last.
fn create_folders(file: &FilePath, is_broken: &AtomicBool) -> io::Result<()> {
    let Some(folder) = file.parent() else { return Ok(()) };
    if folder.is_dir() {
        return Ok(());
    }
    let existing = folder.ancestors().find(|ancestor| ancestor.is_dir()).map(FilePath::to_path_buf);
    fs::create_dir_all(folder)?;
    for created in folder.ancestors().take_while(|ancestor| existing.as_deref() != Some(*ancestor)) {
        remember_failure(is_broken, sync_folder_of(created))?;
    }
    Ok(())
}

/// Names of the points that a write passes, by what is written; see [`fault::POINTS`].
struct Points {
    write: &'static str,
    fsync: &'static str,
    rename_before: &'static str,
    rename_after: &'static str,
    dir_fsync: &'static str,
}

const NO_POINTS: Points = Points { write: "", fsync: "", rename_before: "", rename_after: "", dir_fsync: "" };

fn points_of(target: &FilePath) -> Points {
    let path = target.to_string_lossy();
    let has = |part: &str| path.contains(part);
    if path.ends_with("/current.json") {
        Points {
            write: "current.tmp",
            fsync: "current.fsync",
            rename_before: "current.rename_before",
            rename_after: "current.rename_after",
            dir_fsync: "current.dir_fsync",
        }
    } else if has("/_delta_log/") {
        Points {
            write: "delta.tmp_commit",
            fsync: "sync.log",
            rename_before: "delta.rename_before",
            rename_after: "delta.rename_after",
            ..NO_POINTS
        }
    } else if has("/tables/") || has("/open/") {
        Points { write: "delta.data_put", fsync: "sync.data", ..NO_POINTS }
    } else if has("/manifest.json") {
        Points { write: "manifest.write", fsync: "manifest.fsync", ..NO_POINTS }
    } else if has("/releases/") {
        Points { write: "stage.file_mid", fsync: "stage.file_fsync", ..NO_POINTS }
    } else if path.ends_with("/log/checkpoint") {
        Points { write: "log.checkpoint_write", ..NO_POINTS }
    } else if has("/log/tile/") {
        Points { write: "log.tile_write", fsync: "log.fsync", ..NO_POINTS }
    } else if has("/state/index/") {
        Points { write: "index.write", ..NO_POINTS }
    } else if has("/state/ingest/") {
        Points { rename_before: "ledger.rename_before", ..NO_POINTS }
    } else if has("/sources/") {
        Points { write: "source.write", dir_fsync: "source.dir_fsync", ..NO_POINTS }
    } else {
        NO_POINTS
    }
}

/// Writes the parts; where a test asks for a short write, only half of them.
fn write_parts(file: &mut File, payload: &PutPayload, point: &str) -> io::Result<()> {
    let is_short = fault::point(point)?.is_some();
    for part in payload.iter() {
        if is_short {
            file.write_all(&part[..part.len() / 2])?;
            return Err(io::Error::from(io::ErrorKind::WriteZero));
        }
        file.write_all(part)?;
    }
    Ok(())
}

/// Writes beside the target, syncs, then names: by hard link for a new file, by rename to replace one.
fn write_synced(target: &FilePath, payload: &PutPayload, mode: &PutMode, is_broken: &AtomicBool) -> Result<()> {
    refuse_if_broken(is_broken)?;
    let points = points_of(target);
    let synced = |result: io::Result<()>| remember_failure(is_broken, result);
    create_folders(target, is_broken).map_err(failed)?;
    let unique = UNIQUE.fetch_add(1, Ordering::Relaxed);
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // The `#` keeps unfinished files out of every listing of object_store.
    let staged = target.with_file_name(format!("{name}#{}-{unique}", std::process::id()));
    let written = (|| {
        let mut file = File::create(&staged)?;
        write_parts(&mut file, payload, points.write)?;
        synced(fault::point(points.fsync).map(drop).and_then(|()| file.sync_all()))?;
        fault::point(points.rename_before).map(drop)
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
    fault::point(points.rename_after).map_err(failed)?;
    synced(fault::point(points.dir_fsync).map(drop).and_then(|()| sync_folder_of(target))).map_err(failed)
}

#[derive(Debug)]
struct SyncedUpload {
    inner: Box<dyn MultipartUpload>,
    target: PathBuf,
    is_broken: Arc<AtomicBool>,
}

#[async_trait]
impl MultipartUpload for SyncedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let result = self.inner.complete().await?;
        let synced = File::open(&self.target).and_then(|file| file.sync_all());
        let synced = synced.and_then(|()| sync_folder_of(&self.target));
        remember_failure(&self.is_broken, synced).map_err(failed)?;
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
        let is_broken = Arc::clone(&self.is_broken);
        let write = move || write_synced(&target, &payload, &options.mode, &is_broken);
        tokio::task::spawn_blocking(write).await.map_err(|source| Error::JoinError { source })??;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let target = self.file(location)?;
        refuse_if_broken(&self.is_broken)?;
        create_folders(&target, &self.is_broken).map_err(failed)?;
        let inner = self.inner.put_multipart_opts(location, options).await?;
        Ok(Box::new(SyncedUpload { inner, target, is_broken: Arc::clone(&self.is_broken) }))
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
        refuse_if_broken(&self.is_broken)?;
        self.inner.rename_opts(from, to, options).await?;
        let (to, from) = (self.file(to)?, self.file(from)?);
        let synced = sync_folder_of(&to).and_then(|()| sync_folder_of(&from));
        remember_failure(&self.is_broken, synced).map_err(failed)
    }
}
