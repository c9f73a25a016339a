//! A manifest with its signatures, written as the files of a release.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use gongkai_catalog::Audience;
use sha2::{Digest, Sha256};

use super::manifest::Manifest;
use crate::ReleaseRecord;
use crate::lake::LakeError;
use crate::log::Leaf;
use crate::publication::Publication;
use crate::store::{Put, Store, StoreError};

/// Files beside the manifest that are made of it.
pub const SIGNATURES: [&str; 4] = ["manifest.json.sig", "manifest.json.minisig", "manifest.json.note", "SHA256SUMS"];

/// Writes the manifest and its signatures into the release's folder; gives the digest of the manifest.
async fn seal(store: &dyn Store, publication: &Publication<'_>, manifest: &Manifest) -> Result<String, LakeError> {
    let folder = format!("releases/{}/{}", manifest.dataset, manifest.number);
    let path = format!("{folder}/manifest.json");
    let bytes = manifest.to_bytes().map_err(|source| LakeError::Damaged { path: path.clone(), source })?;
    let sha256 = Manifest::digest(&bytes);
    let key = publication.key();
    let comment = format!("release {} recorded {}", manifest.release, manifest.recorded_at.to_rfc3339());
    let text = format!("{}\n{sha256}\n", manifest.release);
    let note = key.note(publication.origin(), &text);
    let note = note.map_err(|source| LakeError::Note { path: format!("{path}.note"), source })?;
    let beside: [Vec<u8>; 4] = [
        key.sign(&bytes).to_vec(),
        key.minisign(&bytes, &comment).into_bytes(),
        note,
        manifest.sums(&sha256).into_bytes(),
    ];
    put_new(store, &path, bytes).await?;
    for (name, bytes) in SIGNATURES.into_iter().zip(beside) {
        put_new(store, &format!("{folder}/{name}"), bytes).await?;
    }
    Ok(sha256)
}

/// Seals a manifest and puts its leaf into the log; the record learns digest and place.
pub(super) async fn publish(
    store: &dyn Store,
    publication: &mut Publication<'_>,
    manifest: &Manifest,
    record: &mut ReleaseRecord,
) -> Result<(), LakeError> {
    let sha256 = seal(store, publication, manifest).await?;
    if manifest.audience != Audience::Public.name() {
        // A function of the key, so that it repeats, and of nothing that others know, so that it hides.
        let salt = publication.key().sign(format!("seal\n{}\n{sha256}", manifest.release).as_bytes());
        record.seal_salt = Some(BASE64.encode(salt));
    }
    let leaf = leaf(&manifest.release, &sha256, record.seal_salt.as_deref());
    record.manifest_sha256 = sha256;
    record.log_index = publication.append(&leaf)?;
    Ok(())
}

/// The leaf of a release: in clear where everybody may see it, else salted.
pub fn leaf(release: &str, manifest_sha256: &str, salt: Option<&str>) -> Leaf {
    match salt {
        None => Leaf::Release { release: release.to_owned(), manifest_sha256: manifest_sha256.to_owned() },
        Some(salt) => {
            let sealed = Sha256::digest(format!("{salt}\n{release}\n{manifest_sha256}"));
            Leaf::Sealed { sha256: hex::encode(sealed) }
        }
    }
}

/// Release files are new by construction: recovery has removed what an interrupted run left under the number.
pub(super) async fn put_new(store: &dyn Store, path: &str, bytes: Vec<u8>) -> Result<(), LakeError> {
    match store.put_if_absent(path, Bytes::from(bytes)).await? {
        Put::Created => Ok(()),
        Put::Existed => Err(StoreError::Conflict { path: path.to_owned() }.into()),
    }
}
