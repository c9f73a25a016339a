//! New and changed files of an inbox, by looking again and again.
//!
//! A file is ready when its size and time of writing were the same at two looks: one that still grows waits. What was
//! taken is remembered by size and time, so that a look costs no reading. Links and pipes are never opened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gongkai_ingest::source::find_files;

use super::PipelineError;

/// How a file looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    bytes: u64,
    modified: Option<SystemTime>,
}

/// An inbox under watch.
#[derive(Debug)]
pub struct Watch {
    inbox: PathBuf,
    /// How each file looked the last time.
    last: BTreeMap<String, Look>,
    /// How each file looked when it was taken.
    taken: BTreeMap<String, Look>,
}

impl Watch {
    /// Nothing was looked at yet.
    pub fn new(inbox: &Path) -> Self {
        Self { inbox: inbox.to_owned(), last: BTreeMap::new(), taken: BTreeMap::new() }
    }

    /// Looks, and gives the paths of files that are new or changed and at rest.
    ///
    /// # Errors
    ///
    /// The inbox cannot be read.
    pub fn look(&mut self) -> Result<BTreeSet<String>, PipelineError> {
        let mut now = BTreeMap::new();
        for file in find_files(&self.inbox)? {
            now.insert(file.relative, Look { bytes: file.bytes_len, modified: file.modified });
        }
        let is_ready =
            |path: &String, look: &Look| self.last.get(path) == Some(look) && self.taken.get(path) != Some(look);
        let ready = now.iter().filter(|(path, look)| is_ready(path, look)).map(|(path, _)| path.clone()).collect();
        self.taken.retain(|path, _| now.contains_key(path));
        self.last = now;
        Ok(ready)
    }

    /// Remembers that files were taken as they looked last. One that changed since is ready again at a later look.
    pub fn took(&mut self, paths: &BTreeSet<String>) {
        for path in paths {
            if let Some(look) = self.last.get(path) {
                self.taken.insert(path.clone(), *look);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_ready_once_when_it_rests_and_again_when_it_changed() {
        let inbox = tempfile::tempdir().expect("a folder");
        let mut watch = Watch::new(inbox.path());
        let paths = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        std::fs::write(inbox.path().join("a.csv"), "1").expect("writes");
        assert_eq!(watch.look().expect("looks"), paths(&[]));
        std::fs::write(inbox.path().join("a.csv"), "12").expect("writes");
        assert_eq!(watch.look().expect("looks"), paths(&[]), "it has grown");
        let ready = watch.look().expect("looks");
        assert_eq!(ready, paths(&["a.csv"]));
        watch.took(&ready);
        assert_eq!(watch.look().expect("looks"), paths(&[]));
        std::fs::write(inbox.path().join("a.csv"), "123").expect("writes");
        assert_eq!(watch.look().expect("looks"), paths(&[]));
        assert_eq!(watch.look().expect("looks"), paths(&["a.csv"]));
    }
}
