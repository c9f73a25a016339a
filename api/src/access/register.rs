//! The keys of a warehouse: one file each, `state/key/{id}.json`.
//!
//! A file is written once when its key is made, and once more when it is revoked; it is never removed, so that a
//! list says who could do what, and when. Whatever becomes part of a path has the form of an id.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gongkai_warehouse::store::{Put, Store, StoreError};
use serde::de::Error as _;

use super::key::{Scram, Token, is_id};
use super::{AccessError, AccessKey, KeyState, NewKey, NewKeyRequest};

const FOLDER: &str = "state/key";

/// The keys of one warehouse.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    store: &'a dyn Store,
}

impl<'a> Keys<'a> {
    /// Those kept in a store.
    pub fn new(store: &'a dyn Store) -> Self {
        Self { store }
    }

    /// Makes a key. Its token is in the answer and nowhere else.
    pub async fn create(&self, request: NewKeyRequest, now: DateTime<Utc>) -> Result<NewKey, AccessError> {
        let request = request.checked(now)?;
        loop {
            let token = Token::random()?;
            let key = AccessKey {
                id: token.id.clone(),
                holder: request.holder.clone(),
                role: request.role,
                regions: request.regions.clone(),
                groups: request.groups.clone(),
                created_at: now,
                expires_at: request.expires_at,
                revoked_at: None,
                secret_sha256: token.digest(),
                scram: Some(token.scram()?),
            };
            let path = path(&key.id);
            // An id that is taken is rare, and leaves the key that has it alone: another one is drawn.
            if self.store.put_if_absent(&path, to_json(&path, &key)?).await? == Put::Created {
                return Ok(NewKey { token: token.to_text(), key });
            }
        }
    }

    /// Every key, in the order in which they were made.
    pub async fn list(&self) -> Result<Vec<AccessKey>, AccessError> {
        let mut keys = Vec::new();
        for file in self.store.list(FOLDER).await? {
            keys.push(parse(&file.path, &self.store.read(&file.path).await?)?);
        }
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(keys)
    }

    /// One key.
    pub async fn find(&self, id: &str) -> Result<AccessKey, AccessError> {
        Ok(self.existing(id).await?.0)
    }

    /// Takes a key back. One that is revoked already keeps its first time.
    pub async fn revoke(&self, id: &str, now: DateTime<Utc>) -> Result<AccessKey, AccessError> {
        loop {
            let (mut key, before) = self.existing(id).await?;
            if key.revoked_at.is_some() {
                return Ok(key);
            }
            key.revoked_at = Some(now);
            let path = path(id);
            match self.store.replace(&path, Some(&before[..]), to_json(&path, &key)?).await {
                Ok(()) => return Ok(key),
                // Somebody else revoked it in between; the next look finds their time.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The key of a token, if it is valid at the moment.
    pub async fn authenticate(&self, token: &str, now: DateTime<Utc>) -> Result<AccessKey, AccessError> {
        let token = Token::parse(token)?;
        let (key, _) = self.read(&token.id).await?.ok_or(AccessError::Unknown)?;
        if !key.is_opened_by(&token) {
            return Err(AccessError::WrongSecret);
        }
        match key.state(now) {
            KeyState::Active => Ok(key),
            KeyState::Expired { at } => Err(AccessError::Expired { at }),
            KeyState::Revoked { at } => Err(AccessError::Revoked { at }),
        }
    }

    /// Salt and salted password of a key that is valid at the moment, for SCRAM-SHA-256.
    pub async fn scram_of(&self, id: &str, now: DateTime<Utc>) -> Result<(Vec<u8>, Vec<u8>), AccessError> {
        let key = self.find(id).await?;
        match key.state(now) {
            KeyState::Active => key.scram.as_ref().and_then(Scram::parts).ok_or(AccessError::Unknown),
            KeyState::Expired { at } => Err(AccessError::Expired { at }),
            KeyState::Revoked { at } => Err(AccessError::Revoked { at }),
        }
    }

    async fn existing(&self, id: &str) -> Result<(AccessKey, Bytes), AccessError> {
        if !is_id(id) {
            return Err(AccessError::NotAnId);
        }
        self.read(id).await?.ok_or_else(|| AccessError::NoSuchKey { id: id.to_owned() })
    }

    async fn read(&self, id: &str) -> Result<Option<(AccessKey, Bytes)>, AccessError> {
        let path = path(id);
        match self.store.read_optional(&path).await? {
            Some(bytes) => Ok(Some((parse(&path, &bytes)?, bytes))),
            None => Ok(None),
        }
    }
}

fn path(id: &str) -> String {
    format!("{FOLDER}/{id}.json")
}

fn parse(path: &str, bytes: &[u8]) -> Result<AccessKey, AccessError> {
    let damaged = |source| AccessError::Damaged { path: path.to_owned(), source };
    let key: AccessKey = serde_json::from_slice(bytes).map_err(damaged)?;
    // A file copied under another name would be a second key with the same secret, which no list would show as one.
    if self::path(&key.id) != path {
        return Err(damaged(serde_json::Error::custom("its id is not the one of its name")));
    }
    Ok(key)
}

fn to_json(path: &str, key: &AccessKey) -> Result<Bytes, AccessError> {
    let json = serde_json::to_vec_pretty(key);
    json.map(Bytes::from).map_err(|source| AccessError::Damaged { path: path.to_owned(), source })
}

#[cfg(test)]
#[path = "register_tests.rs"]
mod tests;
