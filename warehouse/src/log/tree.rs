//! The Merkle tree in memory: 64 bytes a leaf, so that a log of a hundred thousand releases takes 6 MB.

use tlog_tiles::tlog::{
    HashReader, check_record, check_tree, prove_record, prove_tree, record_hash, stored_hash_index, stored_hashes,
    stored_hashes_for_record_hash, tree_hash,
};

use super::LogError;
use super::tile::{TileName, WIDTH};

pub use tlog_tiles::Hash;

/// All hashes of a log, in the order in which they became known.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    hashes: Vec<Hash>,
    size: u64,
}

/// That a leaf is in a log.
#[derive(Debug, Clone, PartialEq)]
pub struct InclusionProof {
    /// Index of the leaf.
    pub leaf_index: u64,
    /// Leaves of the log.
    pub log_size: u64,
    /// Root of the log in base64.
    pub root: Hash,
    /// Hashes from the leaf to the root, in base64.
    pub inclusion: Vec<Hash>,
}

/// That a log only grew.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsistencyProof {
    /// Leaves of the earlier state.
    pub from: u64,
    /// Leaves of the later state.
    pub log_size: u64,
    /// Root of the later state in base64.
    pub root: Hash,
    /// Hashes that lead from one root to the other, in base64.
    pub consistency: Vec<Hash>,
}

struct Stored<'a>(&'a [Hash]);

impl HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |index: &u64| self.0.get(*index as usize).copied().ok_or(tlog_tiles::Error::IndexesNotInTree);
        indexes.iter().map(read).collect()
    }
}

impl Tree {
    fn stored(&self) -> Stored<'_> {
        Stored(&self.hashes)
    }

    /// Leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: &[u8]) -> Result<(), LogError> {
        let hashes = stored_hashes(self.size, leaf, &self.stored())?;
        self.hashes.extend(hashes);
        self.size += 1;
        Ok(())
    }

    /// Appends a leaf of which only the hash is known.
    pub(super) fn push_hash(&mut self, leaf: Hash) -> Result<(), LogError> {
        let hashes = stored_hashes_for_record_hash(self.size, leaf, &self.stored())?;
        self.hashes.extend(hashes);
        self.size += 1;
        Ok(())
    }

    /// Hash of a leaf.
    pub fn leaf_hash(&self, index: u64) -> Result<Hash, LogError> {
        Ok(self.stored().read_hashes(&[stored_hash_index(0, index)])?[0])
    }

    /// The hash that a leaf's line has.
    pub fn hash_of(leaf: &[u8]) -> Hash {
        record_hash(leaf)
    }

    /// Root over the first leaves.
    pub fn root_at(&self, size: u64) -> Result<Hash, LogError> {
        if size > self.size {
            return Err(LogError::Beyond { asked: size, size: self.size });
        }
        Ok(tree_hash(size, &self.stored())?)
    }

    /// Root over all leaves.
    pub fn root(&self) -> Result<Hash, LogError> {
        self.root_at(self.size)
    }

    /// The bytes of a tile of hashes.
    pub fn tile(&self, name: &TileName) -> Result<Vec<u8>, LogError> {
        let level = name.level().unwrap_or(0);
        let mut bytes = Vec::with_capacity((WIDTH * 32) as usize);
        for index in name.start()..name.start() + name.width {
            let at = stored_hash_index(8 * level, index);
            bytes.extend(self.stored().read_hashes(&[at])?[0].0);
        }
        Ok(bytes)
    }

    /// Proves that a leaf is in the log. The proof is checked before it is given out.
    pub fn prove(&self, index: u64) -> Result<InclusionProof, LogError> {
        if index >= self.size {
            return Err(LogError::Beyond { asked: index, size: self.size });
        }
        let inclusion = prove_record(self.size, index, &self.stored())?;
        let root = self.root()?;
        let leaf = self.stored().read_hashes(&[stored_hash_index(0, index)])?[0];
        check_record(&inclusion, self.size, root, index, leaf)?;
        Ok(InclusionProof { leaf_index: index, log_size: self.size, root, inclusion })
    }

    /// Proves that the log grew from an earlier size. The proof is checked before it is given out.
    pub fn prove_growth(&self, from: u64) -> Result<ConsistencyProof, LogError> {
        if from == 0 || from > self.size {
            return Err(LogError::Beyond { asked: from, size: self.size });
        }
        let consistency = prove_tree(self.size, from, &self.stored())?;
        let root = self.root()?;
        check_tree(&consistency, self.size, root, from, self.root_at(from)?)?;
        Ok(ConsistencyProof { from, log_size: self.size, root, consistency })
    }
}

impl InclusionProof {
    /// Whether the leaf's line is in the log of that root.
    pub fn check(&self, leaf: &[u8]) -> Result<(), LogError> {
        Ok(check_record(&self.inclusion, self.log_size, self.root, self.leaf_index, record_hash(leaf))?)
    }
}

impl ConsistencyProof {
    /// Whether the log of the earlier root became the one of the later root by growing alone.
    pub fn check(&self, earlier_root: Hash) -> Result<(), LogError> {
        Ok(check_tree(&self.consistency, self.log_size, self.root, self.from, earlier_root)?)
    }
}
