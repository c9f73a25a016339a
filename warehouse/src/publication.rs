//! One publication: whatever changes what the public sees, made visible in one step.
//!
//! Leaves are appended to the log, the new state is signed, the index is written and the pointer is switched. Until
//! the switch nobody is shown anything; after it everybody is shown all of it. The caller holds the writer lock and
//! has run recovery.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::lake::pointer::{self, Current, Index};
use crate::lake::{LakeError, pass};
use crate::log::{self, Checkpoint, Leaf, Log, LogError};
use crate::signing::{PublicKey, SigningKey};
use crate::store::Store;

/// Who signs.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The key.
    pub key: Arc<SigningKey>,
    /// Name of a log that begins with this key; a log that exists keeps its own.
    pub origin: String,
}

/// A key of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Thirty-two bytes in base64.
    pub public_key: String,
    /// Index of the leaf from which it signs.
    pub log_index: u64,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Since when it is not to be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_since: Option<DateTime<Utc>>,
}

/// What the log is called and who signed it from where on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogState {
    /// Its name; empty where there is none yet.
    pub origin: String,
    /// Its keys, the one that signs now last.
    pub keys: Vec<KeyRecord>,
}

/// A request that was answered with a publication, so that asking again gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// SHA-256 of who asked and the key that they gave.
    pub key_sha256: String,
    /// SHA-256 of what was asked.
    pub body_sha256: String,
    /// Releases that it was answered with.
    pub releases: Vec<String>,
}

impl LogState {
    /// The key that signs now.
    pub fn key(&self) -> Option<PublicKey> {
        self.keys.last().and_then(|key| PublicKey::from_base64(&key.public_key))
    }
}

/// A state that is being changed.
#[derive(Debug)]
pub struct Publication<'a> {
    store: &'a dyn Store,
    before: pointer::Read,
    signer: &'a Signer,
    now: DateTime<Utc>,
    log: Log,
    /// What the pointer will name. Counter and log in it are kept by this type.
    pub index: Index,
}

impl<'a> Publication<'a> {
    /// Opens the current state. The log is compared with its checkpoint before anything can be appended.
    ///
    /// # Errors
    ///
    /// [`LakeError::Signer`] where the log is signed by another key than the signer's.
    pub async fn open(store: &'a dyn Store, signer: &'a Signer, now: DateTime<Utc>) -> Result<Self, LakeError> {
        let before = pointer::read(store).await?;
        let index = pointer::read_index(store, &before.current).await?;
        let checkpoint = before.current.checkpoint()?;
        let log = Log::open(store, checkpoint.as_ref()).await?;
        if let Some((key, checkpoint)) = index.log.key().zip(checkpoint.as_ref()) {
            checkpoint.check_signature(key).map_err(LogError::from)?;
        }
        if let Some(expected) = index.log.key().filter(|key| *key != signer.key.public()) {
            let (expected, found) = (expected.short_id(), signer.key.public().short_id());
            return Err(LakeError::Signer { expected, found });
        }
        Ok(Self { store, before, signer, now, log, index })
    }

    /// The pointer as it was found.
    pub fn before(&self) -> &Current {
        &self.before.current
    }

    /// The signing key.
    pub fn key(&self) -> &SigningKey {
        &self.signer.key
    }

    /// Name of the log.
    pub fn origin(&self) -> &str {
        if self.index.log.origin.is_empty() { &self.signer.origin } else { &self.index.log.origin }
    }

    /// Appends a leaf; a log that is empty begins with its key.
    pub fn append(&mut self, leaf: &Leaf) -> Result<u64, LakeError> {
        self.begin_log()?;
        Ok(self.log.append(leaf)?)
    }

    fn begin_log(&mut self) -> Result<(), LakeError> {
        if !self.index.log.keys.is_empty() {
            return Ok(());
        }
        self.index.log.origin.clone_from(&self.signer.origin);
        let by = Arc::clone(&self.signer.key);
        self.append_key(by.public(), &by)
    }

    fn append_key(&mut self, key: PublicKey, by: &SigningKey) -> Result<(), LakeError> {
        let index = self.log.size();
        let leaf =
            Leaf::key(&self.index.log.origin, key, self.now, by).map_err(|source| LogError::Leaf { index, source })?;
        let log_index = self.log.append(&leaf)?;
        self.index.log.keys.push(KeyRecord {
            public_key: key.to_base64(),
            log_index,
            recorded_at: self.now,
            revoked_since: None,
        });
        Ok(())
    }

    /// Lets another key sign from here on, this state among it. The old key signs the change.
    pub async fn rotate(mut self, next: &SigningKey) -> Result<Current, LakeError> {
        let by = Arc::clone(&self.signer.key);
        self.begin_log()?;
        self.append_key(next.public(), &by)?;
        self.commit_with(next).await
    }

    /// Says that an earlier key is not to be believed since a time.
    pub fn revoke(&mut self, key: PublicKey, reason: &str, since: DateTime<Utc>) -> Result<(), LakeError> {
        let text = key.to_base64();
        let position = self.index.log.keys.iter().position(|known| known.public_key == text);
        let is_current = position.is_some_and(|position| position + 1 == self.index.log.keys.len());
        let Some(position) = position.filter(|_| !is_current) else {
            let known = self.index.log.keys.iter().rev().skip(1);
            let known: Vec<&str> = known.map(|key| key.public_key.as_str()).collect();
            return Err(LakeError::Unknown { kind: "earlier signing key", name: text, declared: known.join(", ") });
        };
        let index = self.log.size();
        let leaf = Leaf::key_revoked(key, reason, (since, self.now), &self.signer.key)
            .map_err(|source| LogError::Leaf { index, source })?;
        self.log.append(&leaf)?;
        self.index.log.keys[position].revoked_since = Some(since);
        Ok(())
    }

    /// Makes the new state visible.
    pub async fn commit(self) -> Result<Current, LakeError> {
        let key = Arc::clone(&self.signer.key);
        self.commit_with(&key).await
    }

    async fn commit_with(mut self, key: &SigningKey) -> Result<Current, LakeError> {
        self.index.counter = self.before.current.counter + 1;
        self.begin_log()?;
        let path = pointer::index_path(self.index.counter);
        let bytes = Bytes::from(pointer::to_json(&path, &self.index)?);
        let index_sha256 = hex::encode(Sha256::digest(&bytes));
        let leaf = Leaf::State { counter: self.index.counter, index_sha256: index_sha256.clone() };
        self.log.append(&leaf)?;
        let origin = self.index.log.origin.clone();
        let checkpoint = self.log.write(self.store, &origin, key).await?;
        self.store.put(&path, bytes).await?;
        let current = pointer::pointer_to(&self.index, index_sha256, &checkpoint);
        pointer::switch(self.store, &self.before, &current).await?;
        follow(self.store, &current).await?;
        pass("state.done")?;
        Ok(current)
    }
}

/// Brings `log/checkpoint` up to the pointer, for those who serve the folder as it is.
pub async fn follow(store: &dyn Store, current: &Current) -> Result<bool, LakeError> {
    if current.checkpoint.is_empty() {
        return Ok(false);
    }
    let wanted = current.checkpoint.as_bytes();
    if store.read_optional(log::CHECKPOINT).await?.as_deref() == Some(wanted) {
        return Ok(false);
    }
    store.put(log::CHECKPOINT, Bytes::copy_from_slice(wanted)).await?;
    Ok(true)
}

impl Current {
    /// The signed state of the log; none before the first publication.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>, LakeError> {
        if self.checkpoint.is_empty() {
            return Ok(None);
        }
        let checkpoint = Checkpoint::parse(&self.checkpoint).map_err(LogError::from)?;
        if checkpoint.size != self.log_size {
            return Err(LogError::Beyond { asked: self.log_size, size: checkpoint.size }.into());
        }
        Ok(Some(checkpoint))
    }
}
