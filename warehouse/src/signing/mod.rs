//! Signatures that an outsider can check with tools they have: openssl, minisign, and any reader of signed notes.
//!
//! One Ed25519 seed makes all three forms, each a function of key and bytes alone, so that the same release has the
//! same signatures wherever it is made. The seed lives in a [`KeyFolder`] outside the warehouse; nothing here writes
//! it anywhere else, prints it or puts it into a message.

mod folder;
mod minisign;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use sha2::{Digest, Sha256};
use signed_note::{Note, NoteError, VerificationError, Verifier, Verifiers};

pub use folder::{KeyFolder, KeyFolderError};

/// First byte of an Ed25519 key in a signed note.
const NOTE_ED25519: u8 = 1;

/// A key that signs. Its seed never leaves this value but through [`KeyFolder`].
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.public())
    }
}

impl SigningKey {
    /// The key of a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// A new key of the system's randomness.
    pub fn generate() -> Self {
        Self(ed25519_dalek::SigningKey::generate(&mut rand_core::OsRng))
    }

    /// What others check its signatures with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// 64 bytes, as `openssl pkeyutl -verify -rawin` takes them.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }

    /// The content of a minisign file over the bytes, with a comment that is signed too.
    pub fn minisign(&self, bytes: &[u8], trusted_comment: &str) -> String {
        minisign::file(self, bytes, trusted_comment)
    }

    /// A signed note: the text, then this key's signature under a name.
    pub fn note(&self, name: &str, text: &str) -> Result<Vec<u8>, NoteError> {
        let mut note = Note::new(text.as_bytes(), &[])?;
        note.add_sigs(&[&NoteSigner { name, key: self }])?;
        Ok(note.to_bytes())
    }
}

/// A key that signatures are checked with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_base64())
    }
}

/// A text that is no public key.
#[derive(Debug, thiserror::Error)]
#[error("{found:?} is not a public key; expected name+id+base64, as gongkai verify and /api/v1/log/key print it")]
pub struct PublicKeyError {
    /// What was found.
    pub found: String,
}

impl PublicKey {
    /// The key of its 32 bytes in base64.
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = BASE64.decode(text).ok()?.try_into().ok()?;
        ed25519_dalek::VerifyingKey::from_bytes(&bytes).ok().map(Self)
    }

    /// Name and key of a text such as `origin+1a2b3c4d+AQ…`.
    pub fn from_verifier_key(text: &str) -> Result<(String, Self), PublicKeyError> {
        let wrong = || PublicKeyError { found: text.chars().take(200).collect() };
        let mut parts = text.trim().splitn(3, '+');
        let (name, id, key) =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let bytes = BASE64.decode(key).map_err(|_| wrong())?;
        let (NOTE_ED25519, key) = bytes.split_first().map(|(kind, key)| (*kind, key)).ok_or_else(wrong)? else {
            return Err(wrong());
        };
        let key: [u8; 32] = key.try_into().map_err(|_| wrong())?;
        let key = Self(ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| wrong())?);
        if name.is_empty() || id != format!("{:08x}", key.note_id(name)) {
            return Err(wrong());
        }
        Ok((name.to_owned(), key))
    }

    /// Its 32 bytes.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Its 32 bytes in base64.
    pub fn to_base64(self) -> String {
        BASE64.encode(self.to_bytes())
    }

    /// The form that signed notes use: `name+id+base64`.
    pub fn verifier_key(self, name: &str) -> String {
        let mut bytes = vec![NOTE_ED25519];
        bytes.extend(self.to_bytes());
        format!("{name}+{:08x}+{}", self.note_id(name), BASE64.encode(bytes))
    }

    /// The form that openssl reads.
    pub fn pem(self) -> String {
        // Thirty-two bytes always have an encoding; an empty text would be refused by every reader.
        self.0.to_public_key_pem(LineEnding::LF).unwrap_or_default()
    }

    /// The file that `minisign -p` reads; its second line is what `minisign -P` takes.
    pub fn minisign(self) -> String {
        minisign::public_file(self)
    }

    /// Eight hexadecimal digits that name the key, whatever log it signs.
    pub fn short_id(self) -> String {
        hex::encode(&Sha256::digest(self.to_bytes())[..4])
    }

    /// Id of the key within signed notes under a name.
    pub fn note_id(self, name: &str) -> u32 {
        let mut key = vec![NOTE_ED25519];
        key.extend(self.to_bytes());
        signed_note::key_id(name, &key)
    }

    /// Whether the 64 bytes are this key's signature over the bytes.
    pub fn verifies(self, bytes: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(bytes, &signature).is_ok())
    }

    /// Whether a minisign file is this key's over the bytes.
    pub fn verifies_minisign(self, bytes: &[u8], file: &str) -> bool {
        minisign::verifies(self, bytes, file)
    }

    /// The text of a signed note, where this key signed it under the name.
    pub fn open_note(self, name: &str, note: &[u8]) -> Result<String, NoteError> {
        let note = Note::from_bytes(note)?;
        note.verify(&OneVerifier { name: name.to_owned(), key: self })?;
        String::from_utf8(note.text().to_vec()).map_err(|_| NoteError::MalformedNote)
    }
}

struct NoteSigner<'a> {
    name: &'a str,
    key: &'a SigningKey,
}

impl signed_note::Signer for NoteSigner<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn key_id(&self) -> u32 {
        self.key.public().note_id(self.name)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        Ok(self.key.sign(message).to_vec())
    }
}

struct OneVerifier {
    name: String,
    key: PublicKey,
}

impl Verifier for OneVerifier {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.key.note_id(&self.name)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verifies(message, signature)
    }
}

impl Verifiers for OneVerifier {
    fn verifier(&self, name: &str, id: u32) -> Result<&dyn Verifier, VerificationError> {
        if name == self.name && id == self.key_id() {
            return Ok(self);
        }
        Err(VerificationError::UnknownKey { name: name.to_owned(), id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32])
    }

    #[test]
    fn a_changed_byte_is_refused_in_every_form() {
        let (key, public) = (key(), key().public());
        let (bytes, changed) = (b"figures", b"figurez");
        let raw = key.sign(bytes);
        assert!(public.verifies(bytes, &raw) && !public.verifies(changed, &raw));
        let file = key.minisign(bytes, "release debt.1");
        assert!(public.verifies_minisign(bytes, &file) && !public.verifies_minisign(changed, &file));
        assert!(!public.verifies_minisign(bytes, &file.replace("debt.1", "debt.2")), "the comment is signed too");
        let note = key.note("example.org/log", "one\ntwo\n").expect("signs");
        assert_eq!(public.open_note("example.org/log", &note).expect("verifies"), "one\ntwo\n");
        let text = String::from_utf8(note).expect("text").replace("two", "tw0");
        assert!(public.open_note("example.org/log", text.as_bytes()).is_err());
        let other = SigningKey::from_seed(&[8; 32]).public();
        assert!(!other.verifies(bytes, &raw) && !other.verifies_minisign(bytes, &file));
    }

    #[test]
    fn a_public_key_reads_back_and_a_wrong_id_is_refused() {
        let public = key().public();
        let text = public.verifier_key("example.org/log");
        assert_eq!(PublicKey::from_verifier_key(&text).expect("reads"), ("example.org/log".to_owned(), public));
        assert!(PublicKey::from_verifier_key(&text.replace("example.org", "example.com")).is_err());
        assert_eq!(PublicKey::from_base64(&public.to_base64()), Some(public));
    }

    #[test]
    fn nothing_shows_the_seed() {
        let shown = format!("{:?}", key());
        assert!(!shown.contains(&hex::encode([7; 4])) && !shown.contains(&BASE64.encode([7; 32])), "{shown}");
    }
}
