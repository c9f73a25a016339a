//! Files under an inbox, and what stands beside them.
//!
//! Only regular files are taken: links and pipes are listed as skipped and never opened. A side file
//! `<file>.source.toml` says where a file came from; without one nothing is assumed.

mod folder;
mod open;
mod side_file;

use std::path::PathBuf;

pub use folder::{InboxFile, SkippedFile, find_files, find_files_with_skipped};
pub use open::{OpenError, read_regular};
pub use side_file::{SIDE_FILE_SUFFIX, SideFile, read_side_file, side_file_path};

/// Why an inbox or a side file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The inbox or a folder in it cannot be read.
    #[error("inbox {}: {source}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The inbox is neither a folder nor a regular file.
    #[error("inbox {}: expected a folder or a regular file", path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
    },
    /// A side file does not have the declared shape.
    #[error("side file {}: {source}", path.display())]
    SideFile {
        /// The path.
        path: PathBuf,
        /// The parser's message, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A side file's value is not one of those accepted.
    #[error("side file {}: {key} is {found:?}, expected {expected}", path.display())]
    SideFileValue {
        /// The path.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What was written.
        found: String,
        /// What would have been accepted.
        expected: &'static str,
    },
}
