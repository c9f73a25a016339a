//! A release for an archive: one zip file that can be checked in twenty years, without us and without a network.
//!
//! It holds the release with its signatures, the proof that it is in the log, the keys, the verifier in plain Python and
//! how to use all of it. The same release at the same state of the log gives the same bytes.

use std::io::{Cursor, Write};

use gongkai_warehouse::ReleaseRecord;
use gongkai_warehouse::lake::{LakeError, Warehouse, pointer};
use gongkai_warehouse::log::Log;
use gongkai_warehouse::release::seal::SIGNATURES;
use gongkai_warehouse::signing::PublicKey;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::proof::ReleaseProof;

/// The verifier for outsiders.
pub const VERIFIER: &str = include_str!("../../verifier/gongkai_verify.py");

/// Why no bundle is made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The warehouse.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The archive.
    #[error("bundle: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// The archive's bytes.
    #[error("bundle: {0}")]
    Io(#[from] std::io::Error),
    /// The proof.
    #[error("bundle: {0}")]
    Json(#[from] serde_json::Error),
}

/// Bundles a release.
pub async fn bundle(warehouse: &Warehouse, release: &ReleaseRecord) -> Result<Vec<u8>, BundleError> {
    let store = warehouse.store().as_ref();
    let current = pointer::read(store).await?.current;
    let log_state = pointer::read_index(store, &current).await?.log;
    let log = Log::open(store, current.checkpoint()?.as_ref()).await.map_err(LakeError::from)?;
    let proof = ReleaseProof::make(store, &current, &log, release).await?;
    let keys: Vec<PublicKey> =
        log_state.keys.iter().filter_map(|record| PublicKey::from_base64(&record.public_key)).collect();
    let notes: Vec<String> = keys.iter().map(|key| key.verifier_key(&log_state.origin)).collect();

    let folder = release.id();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let names = ["manifest.json"].into_iter().chain(SIGNATURES).map(str::to_owned);
    for name in names.chain(release.files.iter().map(|file| file.name.clone())) {
        let bytes = store.read(&format!("{}/{name}", release.folder())).await.map_err(LakeError::from)?;
        files.push((format!("{folder}/{name}"), bytes.to_vec()));
    }
    files.push(("proof.json".into(), serde_json::to_vec_pretty(&proof)?));
    files.push(("checkpoint".into(), current.checkpoint.clone().into_bytes()));
    files.push(("keys.txt".into(), (notes.join("\n") + "\n").into_bytes()));
    for key in &keys {
        files.push((format!("key-{}.pem", key.short_id()), key.pem().into_bytes()));
        files.push((format!("key-{}.minisign.pub", key.short_id()), key.minisign().into_bytes()));
    }
    files.push(("gongkai_verify.py".into(), VERIFIER.as_bytes().to_vec()));
    files.push(("README.txt".into(), readme(&folder, &keys, &notes).into_bytes()));

    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // Stored, without times: bytes that do not depend on a compressor's version or a clock.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    for (name, bytes) in files {
        archive.start_file(name, options)?;
        archive.write_all(&bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

fn readme(release: &str, keys: &[PublicKey], notes: &[String]) -> String {
    let key = keys.last().map(|key| key.short_id()).unwrap_or_default();
    let given: String = notes.iter().map(|note| format!(" --key '{note}'")).collect();
    format!(
        "Release {release}\n\n\
         Compare the keys in keys.txt with what the publishing office has made known elsewhere. Then, in this folder:\n\n\
         cd {release} && sha256sum -c SHA256SUMS\n\
         openssl pkeyutl -verify -pubin -inkey ../key-{key}.pem -rawin -in manifest.json -sigfile manifest.json.sig\n\
         minisign -V -p ../key-{key}.minisign.pub -m manifest.json\n\
         cd .. && python3 gongkai_verify.py release {release} --proof proof.json{given}\n\n\
         A release that was signed before a key changed is checked with the earlier key.\n"
    )
}
