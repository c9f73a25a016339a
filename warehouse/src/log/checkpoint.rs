//! The signed state of the log, as C2SP tlog-checkpoint writes it.

use signed_note::{Note, NoteError};
use tlog_tiles::Hash;

use super::{LogError, Tree};
use crate::signing::{PublicKey, SigningKey};

/// A state of the log and the signatures over it.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Name of the log, and of the key that signs it.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
    /// The whole signed note.
    pub note: String,
}

/// Why a checkpoint cannot be read or believed.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It is no checkpoint.
    #[error("malformed; expected origin, size and root in three lines, an empty line, and signatures")]
    Malformed,
    /// Nobody who is trusted signed it.
    #[error("signature does not verify: {0}")]
    Note(#[from] NoteError),
    /// The tree cannot be reckoned.
    #[error("{0}")]
    Tree(String),
}

impl Checkpoint {
    /// Signs the state of a tree.
    pub(super) fn sign(origin: &str, tree: &Tree, key: &SigningKey) -> Result<Self, CheckpointError> {
        let root = tree.root().map_err(|error| CheckpointError::Tree(error.to_string()))?;
        let text =
            tlog_tiles::Checkpoint::new(origin, tree.size(), root, "").map_err(|_| CheckpointError::Malformed)?;
        let text = String::from_utf8(text.to_bytes()).map_err(|_| CheckpointError::Malformed)?;
        let note = String::from_utf8(key.note(origin, &text)?).map_err(|_| CheckpointError::Malformed)?;
        Ok(Self { origin: origin.to_owned(), size: tree.size(), root, note })
    }

    /// Reads a checkpoint without believing it.
    pub fn parse(note: &str) -> Result<Self, CheckpointError> {
        let parsed = Note::from_bytes(note.as_bytes())?;
        let text = tlog_tiles::Checkpoint::from_bytes(parsed.text()).map_err(|_| CheckpointError::Malformed)?;
        Ok(Self { origin: text.origin().to_owned(), size: text.size(), root: *text.hash(), note: note.to_owned() })
    }

    /// Checks that a key signed it under the log's name.
    pub fn check_signature(&self, key: PublicKey) -> Result<(), CheckpointError> {
        key.open_note(&self.origin, self.note.as_bytes())?;
        Ok(())
    }

    /// Checks that a tree, cut to the checkpoint's size, gives its root.
    pub fn expect_root(&self, tree: &Tree) -> Result<(), LogError> {
        let found = tree.root_at(self.size)?;
        if found == self.root {
            return Ok(());
        }
        Err(LogError::Root { size: self.size, found: found.to_string(), expected: self.root.to_string() })
    }
}
