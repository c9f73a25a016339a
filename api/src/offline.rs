//! A release that somebody was given, as a folder or a bundle, checked without the warehouse and without a network.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use gongkai_warehouse::log::{Checkpoint, Hash, InclusionProof};
use gongkai_warehouse::release::Manifest;
use gongkai_warehouse::release::seal::{self, SIGNATURES};
use gongkai_warehouse::signing::PublicKey;
use gongkai_warehouse::verify::{Harm, Trust};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sm3::{Digest as _, Sm3};

use crate::proof::ReleaseProof;

/// Most bytes that a bundle may unfold to.
const MOST_BYTES: u64 = 4 << 30;

/// Files by their names, with `/` between folders.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What was compared.
#[derive(Debug, Default, Serialize)]
pub struct Offline {
    /// `{dataset}.{number}`.
    pub release: String,
    /// `released` or `withdrawn`.
    pub status: String,
    /// Files of the release that are what the manifest says.
    pub files: u64,
    /// Whether a proof was there and holds: the release is in the log.
    pub is_in_log: bool,
    /// The key that the signatures were checked with, as `name+id+base64`.
    pub key: Option<String>,
    /// Whether the caller brought it.
    pub is_key_given: bool,
    /// Everything that is not what was published.
    pub harms: Vec<Harm>,
}

impl Offline {
    fn harm(&mut self, path: &str, message: impl Into<String>) {
        self.harms.push(Harm { path: path.to_owned(), message: message.into() });
    }
}

/// Whether a folder is a release or an unfolded bundle, and not a warehouse.
pub fn is_release(folder: &Path) -> bool {
    folder.join("manifest.json").is_file() || folder.join("proof.json").is_file()
}

/// The files of a folder, two levels deep.
pub fn read_folder(folder: &Path) -> std::io::Result<Files> {
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() {
            files.insert(name, std::fs::read(entry.path())?);
        } else if entry.path().join("manifest.json").is_file() {
            for inner in std::fs::read_dir(entry.path())? {
                let inner = inner?;
                if inner.file_type()?.is_file() {
                    files.insert(
                        format!("{name}/{}", inner.file_name().to_string_lossy()),
                        std::fs::read(inner.path())?,
                    );
                }
            }
        }
    }
    Ok(files)
}

/// The files of a bundle.
pub fn read_bundle(bytes: &[u8]) -> Result<Files, zip::result::ZipError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    // Workbooks are archives too: nothing of another kind is unfolded.
    if archive.index_for_name("proof.json").is_none() {
        return Err(zip::result::ZipError::FileNotFound);
    }
    let (mut files, mut left) = (Files::new(), MOST_BYTES);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        let mut content = Vec::new();
        entry.by_ref().take(left + 1).read_to_end(&mut content)?;
        left = left.checked_sub(content.len() as u64).ok_or(zip::result::ZipError::FileNotFound)?;
        files.insert(name, content);
    }
    Ok(files)
}

/// Checks a release with what lies beside it.
pub fn verify(files: &Files, trust: &Trust) -> Offline {
    let mut found = Offline { is_key_given: !trust.keys.is_empty(), ..Offline::default() };
    let mut manifests = files.iter().filter(|(name, _)| name.rsplit('/').next() == Some("manifest.json"));
    let Some((path, bytes)) = manifests.next() else {
        found.harm("manifest.json", "is missing");
        return found;
    };
    for (other, _) in manifests {
        found.harm(other, "is a second manifest, expected one release");
    }
    let folder = path.strip_suffix("manifest.json").unwrap_or_default();
    let manifest: Manifest = match serde_json::from_slice(bytes) {
        Ok(manifest) => manifest,
        Err(error) => {
            found.harm(path, format!("is no manifest that this version reads: {error}"));
            return found;
        }
    };
    if manifest.to_bytes().ok().as_deref() != Some(bytes) {
        found.harm(path, "is not in canonical form (RFC 8785)");
    }
    found.release.clone_from(&manifest.release);
    found.status.clone_from(&manifest.status);
    let digest = Manifest::digest(bytes);
    verify_signatures(files, (path, bytes), trust, &mut found);
    if files.get(&format!("{folder}SHA256SUMS")).is_some_and(|sums| *sums != manifest.sums(&digest).into_bytes()) {
        found.harm(&format!("{folder}SHA256SUMS"), "does not belong to the manifest");
    }
    for file in &manifest.files {
        let path = format!("{folder}{}", file.name);
        match files.get(&path) {
            None => found.harm(&path, "is missing"),
            Some(content) => {
                let (sha256, sm3) = (hex::encode(Sha256::digest(content)), hex::encode(Sm3::digest(content)));
                if sha256 != file.sha256 || sm3 != file.sm3 {
                    found.harm(&path, format!("has digest {sha256}, expected {}", file.sha256));
                } else {
                    found.files += 1;
                }
            }
        }
    }
    for name in files.keys().filter_map(|name| name.strip_prefix(folder)).filter(|name| !name.contains('/')) {
        let is_listed = manifest.files.iter().any(|file| file.name == *name) || name == "manifest.json";
        if !folder.is_empty() && !is_listed && !SIGNATURES.contains(&name) {
            found.harm(&format!("{folder}{name}"), "is no file of the release");
        }
    }
    if let Some(bytes) = files.get("proof.json") {
        match verify_proof(bytes, (&manifest.release, &digest), trust, files) {
            Ok(()) => found.is_in_log = true,
            Err(message) => found.harm("proof.json", message),
        }
    }
    found
}

/// Keys that are believed: those that the caller brings, and only where they bring none those that lie beside.
fn keys(files: &Files, trust: &Trust) -> Vec<(String, PublicKey)> {
    if !trust.keys.is_empty() {
        return trust.keys.clone();
    }
    let text = files.get("keys.txt").map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
    text.lines().filter_map(|line| PublicKey::from_verifier_key(line).ok()).collect()
}

fn verify_signatures(files: &Files, (path, bytes): (&str, &[u8]), trust: &Trust, found: &mut Offline) {
    let folder = path.strip_suffix("manifest.json").unwrap_or_default();
    let [raw, minisig, note, _] = SIGNATURES.map(|name| files.get(&format!("{folder}{name}")));
    let Some(raw) = raw else { return found.harm(path, "has no signature beside it") };
    let keys = keys(files, trust);
    if keys.is_empty() {
        return found.harm(path, "cannot be checked without a key: there is no keys.txt and no --key");
    }
    let Some((name, key)) = keys.iter().find(|(_, key)| key.verifies(bytes, raw)) else {
        return found.harm(&format!("{path}.sig"), "is not by any of the keys over this manifest");
    };
    found.key = Some(key.verifier_key(name));
    let is_minisig = minisig.is_none_or(|file| key.verifies_minisign(bytes, &String::from_utf8_lossy(file)));
    if !is_minisig {
        found.harm(&format!("{path}.minisig"), "is not by this key over this manifest");
    }
    let text = format!("{}\n{}\n", found.release, Manifest::digest(bytes));
    if note.is_some_and(|note| key.open_note(name, note).ok().as_ref() != Some(&text)) {
        found.harm(&format!("{path}.note"), "is not this key's over this manifest");
    }
}

/// Whether the proof leads from the manifest to a state of the log that a key signed.
fn verify_proof(
    bytes: &[u8],
    (release, manifest_sha256): (&str, &str),
    trust: &Trust,
    files: &Files,
) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let proof: ReleaseProof = serde_json::from_slice(bytes).map_err(|error| said(&error))?;
    let leaf = seal::leaf(release, manifest_sha256, None).to_line().map_err(|error| said(&error))?;
    if proof.leaf != leaf {
        return Err("is about another manifest".into());
    }
    let hash = |text: &String| Hash::parse_hash(text).map_err(|error| said(&error));
    let inclusion = InclusionProof {
        leaf_index: proof.leaf_index,
        log_size: proof.log_size,
        root: hash(&proof.root)?,
        inclusion: proof.inclusion.iter().map(hash).collect::<Result<_, _>>()?,
    };
    inclusion.check(leaf.as_bytes()).map_err(|error| said(&error))?;
    let checkpoint = Checkpoint::parse(&proof.checkpoint).map_err(|error| said(&error))?;
    if (checkpoint.size, checkpoint.root) != (proof.log_size, inclusion.root) {
        return Err("leads to another root than its checkpoint's".into());
    }
    let is_signed =
        |(name, key): &(String, PublicKey)| *name == checkpoint.origin && checkpoint.check_signature(*key).is_ok();
    if keys(files, trust).iter().any(is_signed) {
        return Ok(());
    }
    Err("has a checkpoint that none of the keys signed".into())
}
