//! A key as kept and a key as shown: `gk_{id}_{secret}`.
//!
//! The id is public and names the key's file. The secret is known to its holder alone; what is kept of it is a
//! digest, which is compared in constant time and shown to nobody.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use pgwire::api::auth::sasl::scram::{SCRAM_ITERATIONS, gen_salted_password};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{AccessError, Role};

const PREFIX: &str = "gk_";
const ID_BYTES: usize = 4;
const SALT_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
/// 32 bytes are 256 bits, and a character of base64 holds 6.
const SECRET_CHARS: usize = 43;

/// A key as the warehouse keeps it.
// A member that this version does not know may limit what the key opens: such a file is damaged, never half read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    /// 8 lower-case hexadecimal characters.
    pub id: String,
    /// The office or person it was made for.
    pub holder: String,
    /// What it may do.
    pub role: Role,
    /// Codes of the regions whose restricted datasets it reads.
    pub regions: Vec<String>,
    /// Groups whose restricted datasets it reads.
    pub groups: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// First moment at which it is not valid any more; none where it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked; none while it is not.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Digest of the secret.
    pub(super) secret_sha256: SecretDigest,
    /// What the door for PostgreSQL needs; none in keys that are older than it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scram: Option<Scram>,
}

/// The token as a password of SCRAM-SHA-256 (RFC 5802): enough to check it there, and to be taken for its holder there. It opens
/// nothing over HTTP.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scram {
    /// Salt, in hexadecimal digits.
    salt: String,
    /// The salted password, in hexadecimal digits.
    salted: String,
}

impl fmt::Debug for Scram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scram(..)")
    }
}

impl Scram {
    fn of(token: &str) -> Result<Self, AccessError> {
        let mut salt = [0_u8; SALT_BYTES];
        getrandom::getrandom(&mut salt)?;
        let salted = gen_salted_password(token, &salt, SCRAM_ITERATIONS);
        Ok(Self { salt: hex::encode(salt), salted: hex::encode(salted) })
    }

    /// Salt and salted password.
    pub(super) fn parts(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        Some((hex::decode(&self.salt).ok()?, hex::decode(&self.salted).ok()?))
    }
}

/// Whether a key opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It does.
    Active,
    /// Its time is over.
    Expired {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// Somebody took it back.
    Revoked {
        /// Since when.
        at: DateTime<Utc>,
    },
}

impl KeyState {
    /// Its name in lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired { .. } => "expired",
            Self::Revoked { .. } => "revoked",
        }
    }
}

impl AccessKey {
    /// How it stands at a moment. A key that was revoked stays so, whatever its time.
    pub fn state(&self, now: DateTime<Utc>) -> KeyState {
        match (self.revoked_at, self.expires_at) {
            (Some(at), _) => KeyState::Revoked { at },
            (None, Some(at)) if at <= now => KeyState::Expired { at },
            (None, _) => KeyState::Active,
        }
    }

    /// Whether the secret is the key's own.
    pub(super) fn is_opened_by(&self, token: &Token) -> bool {
        self.secret_sha256.is(&token.digest())
    }
}

/// A key that was just made: the only value that ever holds the text of its secret.
pub struct NewKey {
    /// What is kept.
    pub key: AccessKey,
    /// `gk_{id}_{secret}`, to be shown once.
    pub token: String,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A token, taken apart. Without `Debug`, so that nothing prints it.
pub(super) struct Token {
    pub(super) id: String,
    secret: [u8; SECRET_BYTES],
}

impl Token {
    /// A token that nobody has yet, short of one chance in 2³² for its id.
    pub(super) fn random() -> Result<Self, AccessError> {
        let mut id = [0_u8; ID_BYTES];
        let mut secret = [0_u8; SECRET_BYTES];
        getrandom::getrandom(&mut id)?;
        getrandom::getrandom(&mut secret)?;
        Ok(Self { id: hex::encode(id), secret })
    }

    /// Reads what a caller sent. There is one text for each token: bits that stand for nothing have to be zero.
    pub(super) fn parse(text: &str) -> Result<Self, AccessError> {
        // The alphabet of the secret has underscores too; that of the id has none, so the first one ends it.
        let parts = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
        let (id, secret) = parts.ok_or(AccessError::Malformed)?;
        if !is_id(id) || secret.len() != SECRET_CHARS {
            return Err(AccessError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD.decode(secret).map_err(|_| AccessError::Malformed)?;
        let secret = <[u8; SECRET_BYTES]>::try_from(bytes).map_err(|_| AccessError::Malformed)?;
        Ok(Self { id: id.to_owned(), secret })
    }

    /// Its text.
    pub(super) fn to_text(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, URL_SAFE_NO_PAD.encode(self.secret))
    }

    /// What is kept of it for the door of PostgreSQL.
    pub(super) fn scram(&self) -> Result<Scram, AccessError> {
        Scram::of(&self.to_text())
    }

    /// What is kept of its secret.
    pub(super) fn digest(&self) -> SecretDigest {
        SecretDigest(Sha256::digest(self.secret).into())
    }
}

/// Whether a text can be the id of a key. Nothing else ever becomes part of a path.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_BYTES && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// SHA-256 of a secret; 64 hexadecimal digits in files.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct SecretDigest([u8; 32]);

/// A text is no digest. The text stays out of the message.
#[derive(Debug, thiserror::Error)]
#[error("the digest of the secret is not 64 hexadecimal digits")]
pub(super) struct NoDigest;

impl SecretDigest {
    /// Compares in a time that does not depend on where the two differ.
    fn is(&self, other: &Self) -> bool {
        bool::from(self.0.as_slice().ct_eq(other.0.as_slice()))
    }
}

impl TryFrom<String> for SecretDigest {
    type Error = NoDigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NoDigest)?;
        Ok(Self(bytes))
    }
}

impl From<SecretDigest> for String {
    fn from(digest: SecretDigest) -> Self {
        hex::encode(digest.0)
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back() {
        let token = Token::random().expect("random bytes");
        let text = token.to_text();
        // gk_ + 8 + _ + 43
        assert_eq!(text.len(), 55);
        let back = Token::parse(&text).expect("ours");
        assert_eq!((back.id, back.secret), (token.id, token.secret));
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_repeated() {
        let text = Token { id: "0a1b2c3d".into(), secret: [0; SECRET_BYTES] }.to_text();
        assert_eq!(text, format!("gk_0a1b2c3d_{}", "A".repeat(43)));
        let other_bits = format!("{}B", &text[..54]);
        let padded = format!("{text}=");
        let path = format!("gk_../../ab_{}", "A".repeat(43));
        for wrong in
            ["", "gk_", "gk_0a1b2c3d", &text[1..], &text[..54], &other_bits, &padded, &path, &text.to_uppercase()]
        {
            let error = Token::parse(wrong).err().expect("no token");
            assert!(matches!(error, AccessError::Malformed), "{wrong}");
            assert!(!error.to_string().contains("0a1b2c3d"), "{error}");
        }
    }

    #[test]
    fn a_digest_is_that_of_the_secret_and_reads_back() {
        // head -c 32 /dev/zero | sha256sum
        let expected = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925";
        let digest = Token { id: "00000000".into(), secret: [0; SECRET_BYTES] }.digest();
        let json = serde_json::to_string(&digest).expect("json");
        assert_eq!(json, format!("\"{expected}\""));
        assert!(serde_json::from_str::<SecretDigest>(&json).expect("reads").is(&digest));
        assert!(!format!("{digest:?}").contains(expected));
        for wrong in ["\"\"", "\"66687a\"", "\"no hexadecimal\"", "1"] {
            assert!(serde_json::from_str::<SecretDigest>(wrong).is_err(), "{wrong}");
        }
    }
}
