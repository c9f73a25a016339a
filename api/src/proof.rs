//! The proof that a release is in the log, in the form that clients, bundles and the plain-Python verifier read.

use gongkai_warehouse::ReleaseRecord;
use gongkai_warehouse::lake::{Current, LakeError};
use gongkai_warehouse::log::{self, Log, LogError, TileName, entries_of};
use gongkai_warehouse::store::Store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// That a release is in the log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReleaseProof {
    /// `{dataset}.{number}`.
    pub release: String,
    /// The leaf's line, whose SHA-256 after a byte 0 is the lowest hash.
    pub leaf: String,
    /// Index of the leaf.
    pub leaf_index: u64,
    /// Leaves of the log.
    pub log_size: u64,
    /// Root of the log in base64.
    pub root: String,
    /// Hashes from the leaf to the root in base64 (RFC 6962, 2.1.1).
    pub inclusion: Vec<String>,
    /// The signed state that has this root.
    pub checkpoint: String,
}

impl ReleaseProof {
    /// Proves a release at the state that the pointer names.
    ///
    /// # Errors
    ///
    /// The log cannot be read, or the release is beyond it.
    pub async fn make(
        store: &dyn Store,
        current: &Current,
        log: &Log,
        release: &ReleaseRecord,
    ) -> Result<Self, LakeError> {
        let leaf = read_leaf(store, current.log_size, release.log_index).await?;
        let proof = log.tree().prove(release.log_index)?;
        proof.check(leaf.as_bytes())?;
        Ok(Self {
            release: release.id(),
            leaf,
            leaf_index: proof.leaf_index,
            log_size: proof.log_size,
            root: proof.root.to_string(),
            inclusion: proof.inclusion.iter().map(ToString::to_string).collect(),
            checkpoint: current.checkpoint.clone(),
        })
    }
}

/// The line of a leaf.
async fn read_leaf(store: &dyn Store, size: u64, index: u64) -> Result<String, LakeError> {
    let name = TileName::all_entries(size).find(|name| (name.first() + name.count()) as u64 > index);
    let name = name.ok_or(LogError::Beyond { asked: index, size })?;
    let path = format!("{}/{}", log::FOLDER, name.path());
    let bytes = store.read(&path).await?;
    let entries = entries_of(&name, &path, &bytes)?;
    Ok(String::from_utf8_lossy(entries[index as usize - name.first()]).into_owned())
}
