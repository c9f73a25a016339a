//! Files as minisign 0.11 writes and reads them, prehashed with BLAKE2b.
//!
//! Written here and not by the crate of that name because its signatures are randomised: two runs over the same
//! release would differ.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use blake2::{Blake2b512, Digest};
use sha2::Sha256;

use super::{PublicKey, SigningKey};

const PREHASHED: &[u8; 2] = b"ED";
const KEY: &[u8; 2] = b"Ed";

/// Minisign names a key by eight bytes of the maker's choice: the head of the public key's SHA-256.
fn number(key: PublicKey) -> [u8; 8] {
    let digest = Sha256::digest(key.to_bytes());
    std::array::from_fn(|index| digest[index])
}

pub(super) fn public_file(key: PublicKey) -> String {
    let mut bytes = KEY.to_vec();
    bytes.extend(number(key));
    bytes.extend(key.to_bytes());
    format!("untrusted comment: minisign public key {}\n{}\n", key.short_id(), BASE64.encode(bytes))
}

pub(super) fn file(key: &SigningKey, bytes: &[u8], trusted_comment: &str) -> String {
    let signature = key.sign(&Blake2b512::digest(bytes));
    let mut signed = signature.to_vec();
    signed.extend(trusted_comment.as_bytes());
    render(key.public(), &signature, trusted_comment, &key.sign(&signed))
}

fn render(key: PublicKey, signature: &[u8], trusted_comment: &str, global: &[u8]) -> String {
    let mut line = PREHASHED.to_vec();
    line.extend(number(key));
    line.extend(signature);
    format!(
        "untrusted comment: signature of gongkai key {}\n{}\ntrusted comment: {trusted_comment}\n{}\n",
        key.short_id(),
        BASE64.encode(line),
        BASE64.encode(global)
    )
}

/// Stricter than minisign: what it does not sign (the first line) must be as we write it.
pub(super) fn verifies(key: PublicKey, bytes: &[u8], file: &str) -> bool {
    let mut lines = file.lines().skip(1);
    let mut next = || lines.next().unwrap_or_default();
    let (line, comment, global) = (next(), next(), next());
    let (Ok(line), Some(comment), Ok(global)) =
        (BASE64.decode(line), comment.strip_prefix("trusted comment: "), BASE64.decode(global))
    else {
        return false;
    };
    let Some(signature) = line.strip_prefix(PREHASHED).and_then(|rest| rest.strip_prefix(&number(key))) else {
        return false;
    };
    let mut signed = signature.to_vec();
    signed.extend(comment.as_bytes());
    key.verifies(&Blake2b512::digest(bytes), signature)
        && key.verifies(&signed, &global)
        && render(key, signature, comment, &global) == file
}
