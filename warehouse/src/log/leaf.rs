//! One thing that was published, as a line of canonical JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::signing::{PublicKey, SigningKey};

/// What a leaf says. [`Leaf::to_line`] is the text that is hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Leaf {
    /// A key that signs from here on. The first leaf of a log is one.
    Key {
        /// Name of the log.
        origin: String,
        /// Thirty-two bytes in base64.
        public_key: String,
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
        /// [`PublicKey::short_id`] of the key before it; of itself in the first leaf.
        signed_by: String,
        /// That key's signature in base64 over this leaf without this member.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// A key that is not to be believed any more.
    KeyRevoked {
        /// The key.
        public_key: String,
        /// Why.
        reason: String,
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
        /// Since when its signatures are not to be believed.
        since: DateTime<Utc>,
        /// The key that signs now.
        signed_by: String,
        /// Its signature in base64 over this leaf without this member.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// A public release, or a withdrawal.
    Release {
        /// `{dataset}.{number}`.
        release: String,
        /// SHA-256 of its manifest, in hexadecimal.
        manifest_sha256: String,
    },
    /// A release for a limited audience.
    Sealed {
        /// SHA-256 of salt and manifest, in hexadecimal.
        sha256: String,
    },
    /// Digest of the index that says what was public with this state of the log.
    State {
        /// Counter of the pointer.
        counter: u64,
        /// SHA-256 of the index, in hexadecimal.
        index_sha256: String,
    },
    /// A recorded event.
    Event {
        /// Its id.
        event: String,
        /// SHA-256 of its record, in hexadecimal.
        sha256: String,
    },
}

/// Why a leaf cannot be written or believed.
#[derive(Debug, thiserror::Error)]
pub enum LeafError {
    /// It is no line of ours.
    #[error("no leaf that this version knows: {0}")]
    Json(#[from] serde_json::Error),
    /// Another text of the same leaf would have another hash.
    #[error("not in canonical form (RFC 8785)")]
    Canonical,
    /// An entry of a bundle holds at most 65,535 bytes.
    #[error("{bytes} bytes, expected at most 65535")]
    Length {
        /// Its length.
        bytes: usize,
    },
    /// The signature of a key leaf.
    #[error("signature by key {signed_by} does not verify")]
    Signature {
        /// The key that should have signed.
        signed_by: String,
    },
}

impl Leaf {
    /// The text that is hashed: canonical JSON (RFC 8785) without a line end.
    pub fn to_line(&self) -> Result<String, LeafError> {
        Ok(serde_json_canonicalizer::to_string(self)?)
    }

    /// Reads a leaf, which must stand in its canonical form.
    pub fn parse(line: &[u8]) -> Result<Self, LeafError> {
        let leaf: Self = serde_json::from_slice(line)?;
        if leaf.to_line()?.as_bytes() != line {
            return Err(LeafError::Canonical);
        }
        Ok(leaf)
    }

    /// A key leaf, signed by the key before it, or by itself where it is the first.
    pub fn key(origin: &str, key: PublicKey, now: DateTime<Utc>, by: &SigningKey) -> Result<Self, LeafError> {
        Self::Key {
            origin: origin.to_owned(),
            public_key: key.to_base64(),
            recorded_at: now,
            signed_by: by.public().short_id(),
            signature: None,
        }
        .signed(by)
    }

    /// The revocation of a key, signed by the one that signs now.
    pub fn key_revoked(
        key: PublicKey,
        reason: &str,
        (since, now): (DateTime<Utc>, DateTime<Utc>),
        by: &SigningKey,
    ) -> Result<Self, LeafError> {
        Self::KeyRevoked {
            public_key: key.to_base64(),
            reason: reason.to_owned(),
            recorded_at: now,
            since,
            signed_by: by.public().short_id(),
            signature: None,
        }
        .signed(by)
    }

    fn signed(mut self, by: &SigningKey) -> Result<Self, LeafError> {
        use base64::Engine;
        let text = self.to_line()?;
        let made = base64::engine::general_purpose::STANDARD.encode(by.sign(text.as_bytes()));
        if let Self::Key { signature, .. } | Self::KeyRevoked { signature, .. } = &mut self {
            *signature = Some(made);
        }
        Ok(self)
    }

    /// Whether a leaf about keys is signed by this key; other leaves need no signature of their own.
    pub fn check_signature(&self, by: PublicKey) -> Result<(), LeafError> {
        use base64::Engine;
        let mut unsigned = self.clone();
        let (Self::Key { signature, signed_by, .. } | Self::KeyRevoked { signature, signed_by, .. }) = &mut unsigned
        else {
            return Ok(());
        };
        let (signature, signed_by) = (signature.take().unwrap_or_default(), signed_by.clone());
        let bytes = base64::engine::general_purpose::STANDARD.decode(signature).unwrap_or_default();
        if signed_by == by.short_id() && by.verifies(unsigned.to_line()?.as_bytes(), &bytes) {
            return Ok(());
        }
        Err(LeafError::Signature { signed_by })
    }
}
