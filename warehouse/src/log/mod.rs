//! The publication log: everything that was ever published, in order, so that nobody can change it quietly.
//!
//! A Merkle tree of RFC 6962 in the layout of C2SP tlog-tiles, with a checkpoint that is a signed note. The log only
//! grows. It refuses to grow from a state that does not give the root which its last checkpoint signed.
//! It knows nothing of pointers: who calls it decides when a checkpoint becomes visible.

mod checkpoint;
mod leaf;
mod tile;
mod tree;

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::signing::SigningKey;
use crate::store::{Put, Store, StoreError};

pub use checkpoint::{Checkpoint, CheckpointError};
pub use leaf::{Leaf, LeafError};
pub use tile::{TileName, entries_of, push_entry};
pub use tree::{ConsistencyProof, Hash, InclusionProof, Tree};

/// Folder of the log below the warehouse root.
pub const FOLDER: &str = "log";

/// Where the newest checkpoint lies for those who serve the folder as it is. It follows the pointer.
pub const CHECKPOINT: &str = "log/checkpoint";

/// Why the log cannot be read or continued.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A checkpoint.
    #[error("log checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A leaf.
    #[error("log leaf {index}: {source}")]
    Leaf {
        /// Its index.
        index: u64,
        /// What is wrong.
        source: LeafError,
    },
    /// A tile holds other bytes than it must.
    #[error("{path} has {found} bytes, expected {expected}")]
    TileLength {
        /// Path below the warehouse root.
        path: String,
        /// Its length.
        found: usize,
        /// What its name says.
        expected: usize,
    },
    /// A bundle of entries does not divide into entries.
    #[error("{path} does not hold the {expected} entries that its name says")]
    Entries {
        /// Path below the warehouse root.
        path: String,
        /// What its name says.
        expected: u64,
    },
    /// The tiles give another root than the one that was signed: somebody changed them.
    #[error("the tiles of the log give root {found} at size {size}, but {expected} was signed; run `gongkai verify`")]
    Root {
        /// Leaves.
        size: u64,
        /// Root of the tiles.
        found: String,
        /// Root of the checkpoint.
        expected: String,
    },
    /// A position or size beyond the log.
    #[error("{asked} is beyond the log, which has {size} leaves")]
    Beyond {
        /// What was asked for.
        asked: u64,
        /// Leaves.
        size: u64,
    },
    /// The proof library.
    #[error("proof: {0}")]
    Proof(#[from] tlog_tiles::Error),
}

/// The log at one state, open for appending.
#[derive(Debug)]
pub struct Log {
    tree: Tree,
    written: u64,
    /// Entries of the last, unfinished bundle.
    tail: Vec<u8>,
    /// Entries that are not written yet, by bundle.
    pending: BTreeMap<u64, Vec<u8>>,
}

impl Log {
    /// Opens the log at a checkpoint; none is the empty log.
    pub async fn open(store: &dyn Store, checkpoint: Option<&Checkpoint>) -> Result<Self, LogError> {
        let size = checkpoint.map_or(0, |checkpoint| checkpoint.size);
        let tree = Self::read_tree(store, size).await?;
        if let Some(checkpoint) = checkpoint {
            checkpoint.expect_root(&tree)?;
        }
        let tail = match TileName::last_entries(size) {
            Some(name) => {
                let path = format!("{FOLDER}/{}", name.path());
                let bytes = store.read(&path).await?;
                for (index, entry) in (name.first() as u64..).zip(entries_of(&name, &path, &bytes)?) {
                    if tree.leaf_hash(index)? != Tree::hash_of(entry) {
                        return Err(LogError::Entries { path, expected: name.count() as u64 });
                    }
                }
                bytes.to_vec()
            }
            None => Vec::new(),
        };
        Ok(Self { tree, written: size, tail, pending: BTreeMap::new() })
    }

    /// The tree that the lowest tiles give.
    pub async fn read_tree(store: &dyn Store, size: u64) -> Result<Tree, LogError> {
        let mut tree = Tree::default();
        for name in TileName::all_of_level(0, size) {
            let path = format!("{FOLDER}/{}", name.path());
            let bytes = store.read(&path).await?;
            for hash in name.hashes(&path, &bytes)? {
                tree.push_hash(hash)?;
            }
        }
        Ok(tree)
    }

    /// Leaves, with those that are not written yet.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Appends a leaf in memory; gives its index.
    pub fn append(&mut self, leaf: &Leaf) -> Result<u64, LogError> {
        let index = self.tree.size();
        let line = leaf.to_line().map_err(|source| LogError::Leaf { index, source })?;
        let bundle = index / tile::WIDTH;
        let entries = self.pending.entry(bundle).or_insert_with(|| std::mem::take(&mut self.tail));
        push_entry(entries, line.as_bytes()).map_err(|source| LogError::Leaf { index, source })?;
        self.tree.push(line.as_bytes())?;
        Ok(index)
    }

    /// Writes new tiles and signs the new state. Nothing of it is visible before somebody names the checkpoint.
    pub async fn write(&mut self, store: &dyn Store, origin: &str, key: &SigningKey) -> Result<Checkpoint, LogError> {
        let size = self.tree.size();
        for (bundle, entries) in std::mem::take(&mut self.pending) {
            let name = TileName::entries(bundle, size);
            put(store, &name, entries.clone()).await?;
            if name.width < tile::WIDTH {
                self.tail = entries;
            }
        }
        for name in TileName::changed(self.written, size) {
            let bytes = self.tree.tile(&name)?;
            put(store, &name, bytes).await?;
        }
        self.written = size;
        Ok(Checkpoint::sign(origin, &self.tree, key)?)
    }
}

/// A tile is a function of the leaves below it: one that is there already must hold these bytes.
async fn put(store: &dyn Store, name: &TileName, bytes: Vec<u8>) -> Result<(), LogError> {
    let path = format!("{FOLDER}/{}", name.path());
    let bytes = Bytes::from(bytes);
    if store.put_if_absent(&path, bytes.clone()).await? == Put::Existed && store.read(&path).await? != bytes {
        return Err(StoreError::Conflict { path }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
