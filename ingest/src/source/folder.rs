//! The files of an inbox, in one order on every machine.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use walkdir::WalkDir;

use super::{SIDE_FILE_SUFFIX, SourceError};

/// A regular file of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxFile {
    /// Where it is.
    pub path: PathBuf,
    /// Path below the inbox with `/` between its parts; the file's name where the inbox is that file.
    pub relative: String,
    /// Its size when it was found.
    pub bytes_len: u64,
    /// When it was last written, where the file system tells.
    pub modified: Option<SystemTime>,
}

/// An entry of an inbox that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedFile {
    /// Path below the inbox.
    pub relative: String,
    /// Why it is not read.
    pub reason: &'static str,
}

/// The regular files below `inbox`, sorted by path, without side files.
///
/// # Errors
///
/// A folder that cannot be read, or an inbox that is neither a folder nor a regular file.
pub fn find_files(inbox: &Path) -> Result<Vec<InboxFile>, SourceError> {
    Ok(find_files_with_skipped(inbox)?.0)
}

/// As [`find_files`], with the entries that were skipped and why.
///
/// # Errors
///
/// As [`find_files`].
pub fn find_files_with_skipped(inbox: &Path) -> Result<(Vec<InboxFile>, Vec<SkippedFile>), SourceError> {
    let unreadable = |source| SourceError::Unreadable { path: inbox.to_owned(), source };
    let kind = std::fs::symlink_metadata(inbox).map_err(unreadable)?;
    if kind.is_file() {
        let name = inbox.file_name().unwrap_or(inbox.as_os_str());
        let relative = portable(Path::new(name));
        let file =
            InboxFile { path: inbox.to_owned(), relative, bytes_len: kind.len(), modified: kind.modified().ok() };
        return Ok((vec![file], Vec::new()));
    }
    // The inbox itself may be a link to a folder: the operator named it. Nothing inside it is followed.
    if !inbox.is_dir() {
        return Err(SourceError::NotRegular { path: inbox.to_owned() });
    }
    let (mut files, mut skipped) = (Vec::new(), Vec::new());
    for entry in WalkDir::new(inbox).min_depth(1).follow_links(false) {
        let entry = entry.map_err(|error| SourceError::Unreadable {
            path: error.path().unwrap_or(inbox).to_owned(),
            source: error.into(),
        })?;
        let relative = portable(entry.path().strip_prefix(inbox).unwrap_or(entry.path()));
        let kind = entry.file_type();
        if kind.is_dir() || relative.ends_with(SIDE_FILE_SUFFIX) {
            continue;
        }
        if !kind.is_file() {
            let reason = if kind.is_symlink() { "a link; links are not followed" } else { "not a regular file" };
            skipped.push(SkippedFile { relative, reason });
            continue;
        }
        let unreadable =
            |error: walkdir::Error| SourceError::Unreadable { path: entry.path().to_owned(), source: error.into() };
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // Gone since it was listed: it is no file of the inbox any more.
            Err(error) if error.io_error().is_some_and(|error| error.kind() == ErrorKind::NotFound) => continue,
            Err(error) => return Err(unreadable(error)),
        };
        files.push(InboxFile {
            path: entry.path().to_owned(),
            relative,
            bytes_len: metadata.len(),
            modified: metadata.modified().ok(),
        });
    }
    files.sort_by(|a, b| a.relative.cmp(&b.relative));
    skipped.sort_by(|a, b| a.relative.cmp(&b.relative));
    Ok((files, skipped))
}

/// Parts that are no Unicode are shown with a replacement for each byte that is none; the file is opened by its own path.
fn portable(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_sorted_and_without_side_files() {
        let inbox = tempfile::tempdir().expect("a folder");
        for name in ["b.csv", "a.csv", "a.csv.source.toml", "sub/c.xlsx"] {
            let path = inbox.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, b"x").expect("a file");
        }
        let names: Vec<_> = find_files(inbox.path()).expect("an inbox").into_iter().map(|file| file.relative).collect();
        assert_eq!(names, ["a.csv", "b.csv", "sub/c.xlsx"]);
        let one = find_files(&inbox.path().join("b.csv")).expect("one file");
        assert_eq!((one.len(), one[0].relative.as_str(), one[0].bytes_len), (1, "b.csv", 1));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_listed_and_not_followed() {
        let inbox = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink("/etc/hostname", inbox.path().join("link.csv")).expect("a link");
        let (files, skipped) = find_files_with_skipped(inbox.path()).expect("an inbox");
        assert!(files.is_empty());
        assert_eq!(skipped[0].relative, "link.csv");
    }

    #[test]
    fn an_absent_inbox_is_named() {
        let error = find_files(Path::new("no/such/inbox")).expect_err("absent");
        assert!(error.to_string().contains("no/such/inbox"));
    }
}
