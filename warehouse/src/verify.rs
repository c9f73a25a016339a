//! Is everything that was published still what was published?
//!
//! Every byte that a signature reaches is compared with it: tiles, leaves, index, pointer, manifests, files, sources.
//! Nothing is repaired, nothing is believed because it stands in the warehouse: trust begins with a key that the caller
//! brings, or, where they bring none, with the first leaf, and the report says which.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};
use sm3::{Digest as _, Sm3};

use crate::lake::{LakeError, pointer};
use crate::log::{self, Checkpoint, Leaf, TileName, Tree, entries_of};
use crate::publication::LogState;
use crate::release::Manifest;
use crate::release::seal::{self, SIGNATURES};
use crate::signing::PublicKey;
use crate::store::Store;
use crate::{ReleaseRecord, Snapshot};

/// One thing that is not what was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Harm {
    /// Path below the warehouse root.
    pub path: String,
    /// What was found, and what was expected.
    pub message: String,
}

/// What was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Leaves of the log.
    pub leaves: u64,
    /// Root of the log in base64.
    pub root: String,
    /// Name of the log.
    pub origin: String,
    /// The key that signs now, as `name+id+base64`.
    pub key: String,
    /// Whether the caller brought a key of the log. Without one, the log vouches for itself.
    pub is_key_given: bool,
    /// Releases, withdrawn ones among them.
    pub releases: u64,
    /// Files of releases.
    pub files: u64,
    /// Department files.
    pub sources: u64,
    /// Everything that is not what was published.
    pub harms: Vec<Harm>,
}

impl Verified {
    fn harm(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.harms.push(Harm { path: path.into(), message: message.into() });
    }
}

/// What the caller brings.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Keys of the log, with the log's name. One that ever signed it is enough.
    pub keys: Vec<(String, PublicKey)>,
    /// A checkpoint that was kept: the log must have grown from it.
    pub checkpoint: Option<Checkpoint>,
}

/// Compares a whole warehouse with its log.
///
/// # Errors
///
/// The storage cannot be read. Whatever is wrong with the bytes is a [`Harm`].
pub async fn verify(store: &dyn Store, trust: &Trust) -> Result<Verified, LakeError> {
    let mut found = Verified { is_key_given: !trust.keys.is_empty(), ..Verified::default() };
    let current = match pointer::read(store).await {
        Ok(read) if read.bytes.is_some() => read,
        Ok(_) => {
            if trust.checkpoint.is_some() || !store.list(log::FOLDER).await?.is_empty() {
                found.harm(pointer::PATH, "is missing, but something was published");
            }
            return Ok(found);
        }
        Err(error @ (LakeError::Store(_) | LakeError::FormatVersion { .. })) => return Err(error),
        Err(error) => {
            found.harm(pointer::PATH, error.to_string());
            return Ok(found);
        }
    };
    let checkpoint = match current.current.checkpoint() {
        Ok(Some(checkpoint)) => checkpoint,
        Ok(None) => {
            found.harm(pointer::PATH, "has no checkpoint");
            return Ok(found);
        }
        Err(error) => {
            found.harm(pointer::PATH, error.to_string());
            return Ok(found);
        }
    };
    let Some(leaves) = read_log(store, &checkpoint, trust, &mut found).await? else { return Ok(found) };
    let is_named = matches!(leaves.last(), Some(Leaf::State { counter, index_sha256 })
        if current.current.index == pointer::index_path(*counter) && current.current.index_sha256 == *index_sha256);
    if !is_named {
        found.harm(pointer::PATH, "names another index than the last leaf of the log");
        return Ok(found);
    }
    let index = match pointer::read_index(store, &current.current).await {
        Ok(index) => index,
        Err(error) => {
            found.harm(&current.current.index, error.to_string());
            return Ok(found);
        }
    };
    let expected = pointer::pointer_to(&index, current.current.index_sha256.clone(), &checkpoint);
    if Some(pointer::to_json(pointer::PATH, &expected)?.as_slice()) != current.bytes.as_deref() {
        found.harm(pointer::PATH, "is not the pointer that index and checkpoint make");
    }
    let is_known =
        |log: &LogState| log.origin == checkpoint.origin && log.key().map(PublicKey::to_base64) == last_key(&leaves);
    if !is_known(&index.log) {
        found.harm(&current.current.index, "names other keys than the log");
    }
    verify_indexes(store, &leaves, &mut found).await?;
    verify_releases(store, &leaves, &index, &mut found).await?;
    for source in &index.sources {
        found.sources += 1;
        let path = format!("sources/{}/{}", source.sha256.get(..2).unwrap_or_default(), source.sha256);
        compare(store, &path, &source.sha256, &mut found).await?;
    }
    Ok(found)
}

fn last_key(leaves: &[Leaf]) -> Option<String> {
    leaves.iter().rev().find_map(|leaf| match leaf {
        Leaf::Key { public_key, .. } => Some(public_key.clone()),
        _ => None,
    })
}

/// The leaves, where tiles, root, signatures and keys are in order; what is not is noted.
async fn read_log(
    store: &dyn Store,
    checkpoint: &Checkpoint,
    trust: &Trust,
    found: &mut Verified,
) -> Result<Option<Vec<Leaf>>, LakeError> {
    let before = found.harms.len();
    let (mut tree, mut lines) = (Tree::default(), Vec::new());
    for name in TileName::all_entries(checkpoint.size) {
        let path = format!("{}/{}", log::FOLDER, name.path());
        let Some(bytes) = store.read_optional(&path).await? else {
            found.harm(path, "is missing");
            return Ok(None);
        };
        match entries_of(&name, &path, &bytes) {
            Ok(entries) => lines.extend(entries.into_iter().map(<[u8]>::to_vec)),
            Err(error) => {
                found.harm(path, error.to_string());
                return Ok(None);
            }
        }
    }
    for line in &lines {
        tree.push(line)?;
    }
    if checkpoint.expect_root(&tree).is_err() && name_wrong_entries(store, checkpoint, &lines, found).await? {
        return Ok(None);
    }
    verify_tiles(store, checkpoint, &tree, &lines, found).await?;
    found.leaves = checkpoint.size;
    found.root = checkpoint.root.to_string();
    found.origin.clone_from(&checkpoint.origin);
    if let Err(error) = checkpoint.expect_root(&tree) {
        found.harm(pointer::PATH, error.to_string());
    }
    if let Some(kept) = &trust.checkpoint {
        verify_growth(kept, checkpoint, &tree, found);
    }
    let mut leaves = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        match Leaf::parse(line) {
            Ok(leaf) => leaves.push(leaf),
            Err(error) => {
                found.harm(format!("{} leaf {index}", log::FOLDER), error.to_string());
                return Ok(None);
            }
        }
    }
    verify_keys(&leaves, checkpoint, trust, found);
    Ok((found.harms.len() == before).then_some(leaves))
}

/// Where the hashes give the signed root and the entries do not, the entries were changed: names their bundles.
async fn name_wrong_entries(
    store: &dyn Store,
    checkpoint: &Checkpoint,
    lines: &[Vec<u8>],
    found: &mut Verified,
) -> Result<bool, LakeError> {
    let Ok(tree) = log::Log::read_tree(store, checkpoint.size).await else { return Ok(false) };
    if checkpoint.expect_root(&tree).is_err() {
        return Ok(false);
    }
    for name in TileName::all_entries(checkpoint.size) {
        let leaves = name.first()..name.first() + name.count();
        for index in leaves {
            if tree.leaf_hash(index as u64)? != Tree::hash_of(&lines[index]) {
                let path = format!("{}/{}", log::FOLDER, name.path());
                found.harm(path, format!("leaf {index} is not the one that was signed"));
                break;
            }
        }
    }
    Ok(true)
}

/// Every file of the log must be what the entries make of it, those of earlier sizes among them.
async fn verify_tiles(
    store: &dyn Store,
    checkpoint: &Checkpoint,
    tree: &Tree,
    lines: &[Vec<u8>],
    found: &mut Verified,
) -> Result<(), LakeError> {
    let mut missing: BTreeSet<String> = TileName::all_hashes(checkpoint.size).map(|name| name.path()).collect();
    missing.insert("checkpoint".into());
    for file in store.list(log::FOLDER).await? {
        let short = file.path.trim_start_matches("log/").to_owned();
        missing.remove(&short);
        let bytes = store.read(&file.path).await?;
        if file.path == log::CHECKPOINT {
            if bytes != checkpoint.note.as_bytes() {
                found.harm(file.path, "is not the checkpoint that the pointer holds");
            }
            continue;
        }
        let Some(name) = TileName::parse(&short).filter(|name| name.leaves() <= checkpoint.size) else {
            found.harm(file.path, format!("is no tile of a log of {} leaves", checkpoint.size));
            continue;
        };
        let expected = if short.starts_with("tile/entries/") {
            let mut bundle = Vec::new();
            for line in &lines[name.first()..name.first() + name.count()] {
                let pushed = log::push_entry(&mut bundle, line);
                pushed.map_err(|source| log::LogError::Leaf { index: 0, source })?;
            }
            bundle
        } else {
            tree.tile(&name)?
        };
        if bytes != expected {
            found.harm(file.path, "holds other bytes than the leaves below it make");
        }
    }
    for path in missing {
        found.harm(format!("{}/{path}", log::FOLDER), "is missing");
    }
    Ok(())
}

fn verify_growth(kept: &Checkpoint, checkpoint: &Checkpoint, tree: &Tree, found: &mut Verified) {
    if kept.origin != checkpoint.origin {
        let message = format!("is of log {}, but the kept checkpoint of {}", checkpoint.origin, kept.origin);
        return found.harm(pointer::PATH, message);
    }
    if kept.size > checkpoint.size {
        let message = format!(
            "the log was rolled back: it has {} leaves, but the kept checkpoint has {}",
            checkpoint.size, kept.size
        );
        return found.harm(pointer::PATH, message);
    }
    if let Err(error) = kept.expect_root(tree) {
        let message = format!(
            "history was changed: the first {} leaves are not those of the kept checkpoint: {error}",
            kept.size
        );
        found.harm(log::FOLDER, message);
    }
}

/// The chain of keys from the first leaf on, and the checkpoint's signature by the last.
fn verify_keys(leaves: &[Leaf], checkpoint: &Checkpoint, trust: &Trust, found: &mut Verified) {
    let at = |index: usize| format!("{} leaf {index}", log::FOLDER);
    let mut current: Option<PublicKey> = None;
    let mut is_trusted = false;
    for (index, leaf) in leaves.iter().enumerate() {
        match leaf {
            Leaf::Key { origin, public_key, .. } => {
                let Some(key) = PublicKey::from_base64(public_key) else {
                    return found.harm(at(index), "names no public key");
                };
                if *origin != checkpoint.origin {
                    found.harm(at(index), format!("is of log {origin}, expected {}", checkpoint.origin));
                }
                if let Err(error) = leaf.check_signature(current.unwrap_or(key)) {
                    found.harm(at(index), error.to_string());
                }
                is_trusted |= trust.keys.iter().any(|(name, given)| *given == key && name == origin);
                current = Some(key);
            }
            Leaf::KeyRevoked { .. } => {
                if let Some(Err(error)) = current.map(|key| leaf.check_signature(key)) {
                    found.harm(at(index), error.to_string());
                }
            }
            _ if current.is_none() => return found.harm(at(index), "stands before the first key"),
            _ => {}
        }
    }
    let Some(key) = current else { return found.harm(log::FOLDER, "has no key") };
    found.key = key.verifier_key(&checkpoint.origin);
    if !trust.keys.is_empty() && !is_trusted {
        found.harm(log::FOLDER, "the given key never signed this log");
    }
    if let Err(error) = checkpoint.check_signature(key) {
        found.harm(pointer::PATH, format!("checkpoint: {error}"));
    }
}

/// Indexes of earlier states, where they are still there.
async fn verify_indexes(store: &dyn Store, leaves: &[Leaf], found: &mut Verified) -> Result<(), LakeError> {
    let digests: BTreeMap<String, &str> = leaves
        .iter()
        .filter_map(|leaf| match leaf {
            Leaf::State { counter, index_sha256 } => Some((pointer::index_path(*counter), index_sha256.as_str())),
            _ => None,
        })
        .collect();
    for file in store.list(pointer::INDEX_FOLDER).await? {
        match digests.get(&file.path) {
            Some(digest) => compare(store, &file.path, digest, found).await?,
            None => found.harm(file.path, "is an index that no leaf of the log names"),
        }
    }
    Ok(())
}

async fn verify_releases(
    store: &dyn Store,
    leaves: &[Leaf],
    index: &pointer::Index,
    found: &mut Verified,
) -> Result<(), LakeError> {
    let snapshot = Snapshot { releases: index.releases.clone(), ..Snapshot::empty() };
    let mut at: BTreeMap<u64, &ReleaseRecord> =
        index.releases.iter().map(|release| (release.log_index, release)).collect();
    let (mut key, mut events) = (None, 0);
    for (position, leaf) in leaves.iter().enumerate() {
        match leaf {
            Leaf::Key { public_key, .. } => key = PublicKey::from_base64(public_key),
            Leaf::Release { .. } | Leaf::Sealed { .. } => {
                found.releases += 1;
                let release = at.remove(&(position as u64)).filter(|release| {
                    seal::leaf(&release.id(), &release.manifest_sha256, release.seal_salt.as_deref()) == *leaf
                });
                let Some(release) = release else {
                    found.harm(format!("{} leaf {position}", log::FOLDER), "names a release that the index has not");
                    continue;
                };
                let is_withdrawn = snapshot.withdrawal_of(release).is_some();
                verify_release(store, release, Expected { key, log: &index.log, is_withdrawn }, found).await?;
            }
            Leaf::Event { event: id, sha256 } => {
                let event = index.events.iter().find(|event| event.id == *id);
                if event.and_then(|event| event.digest().ok()).as_ref() != Some(sha256) {
                    found.harm(format!("{} leaf {position}", log::FOLDER), format!("{id} is another in the index"));
                }
                events += 1;
            }
            Leaf::KeyRevoked { .. } | Leaf::State { .. } => {}
        }
    }
    if events != index.events.len() {
        found.harm(log::FOLDER, format!("has {events} events, the index {}", index.events.len()));
    }
    for release in at.into_values() {
        found.harm(release.folder(), format!("{} is in no leaf of the log", release.id()));
    }
    Ok(())
}

/// What a release is held against.
#[derive(Clone, Copy)]
struct Expected<'a> {
    key: Option<PublicKey>,
    log: &'a LogState,
    is_withdrawn: bool,
}

async fn verify_release(
    store: &dyn Store,
    release: &ReleaseRecord,
    Expected { key, log, is_withdrawn }: Expected<'_>,
    found: &mut Verified,
) -> Result<(), LakeError> {
    let folder = release.folder();
    let path = format!("{folder}/manifest.json");
    let Some(bytes) = store.read_optional(&path).await? else {
        found.harm(path, "is missing");
        return Ok(());
    };
    let digest = Manifest::digest(&bytes);
    if digest != release.manifest_sha256 {
        found.harm(path, format!("has digest {digest}, but the log has {}", release.manifest_sha256));
        return Ok(());
    }
    let manifest: Manifest = pointer::parse(&path, &bytes)?;
    let base64 = key.map(PublicKey::to_base64);
    let record = log.keys.iter().find(|known| Some(&known.public_key) == base64.as_ref());
    if record.and_then(|known| known.revoked_since).is_some_and(|since| manifest.recorded_at >= since) {
        found.harm(path.as_str(), "is signed by a key that was not to be believed any more");
    }
    let [raw, minisig, note, sums] = SIGNATURES.map(|name| format!("{folder}/{name}"));
    let read = async |path: &str| Ok::<_, LakeError>(store.read_optional(path).await?.unwrap_or_default());
    let text = |bytes: bytes::Bytes| String::from_utf8(bytes.to_vec()).unwrap_or_default();
    let note_text = format!("{}\n{digest}\n", manifest.release);
    let checks = [
        (&raw, key_verifies(key, &bytes, &read(&raw).await?)),
        (&minisig, minisign_verifies(key, &bytes, &text(read(&minisig).await?))),
        (&note, note_verifies(key, &log.origin, &read(&note).await?, &note_text)),
        (&sums, text(read(&sums).await?) == manifest.sums(&digest)),
    ];
    for (path, is_right) in checks {
        if !is_right {
            found.harm(path.as_str(), "does not belong to the manifest, or another key made it");
        }
    }
    for file in &manifest.files {
        found.files += 1;
        let path = format!("{folder}/{}", file.name);
        match store.read_optional(&path).await? {
            // Erased for a legal reason: manifest and leaf remain.
            None if is_withdrawn => {}
            None => found.harm(path, "is missing"),
            Some(bytes) => {
                let (sha256, sm3) = (hex::encode(Sha256::digest(&bytes)), hex::encode(Sm3::digest(&bytes)));
                if sha256 != file.sha256 {
                    found.harm(path, format!("has digest {sha256}, expected {}", file.sha256));
                } else if sm3 != file.sm3 || bytes.len() as u64 != file.bytes {
                    found.harm(path, "has another SM3 digest or length than the manifest says");
                }
            }
        }
    }
    if manifest.files != release.files || manifest.rows != release.rows || manifest.kind != release.kind {
        found.harm(folder, "the index describes it otherwise than its manifest");
    }
    Ok(())
}

fn key_verifies(key: Option<PublicKey>, bytes: &[u8], signature: &[u8]) -> bool {
    key.is_some_and(|key| key.verifies(bytes, signature))
}

fn minisign_verifies(key: Option<PublicKey>, bytes: &[u8], file: &str) -> bool {
    key.is_some_and(|key| key.verifies_minisign(bytes, file))
}

fn note_verifies(key: Option<PublicKey>, origin: &str, note: &[u8], expected: &str) -> bool {
    key.and_then(|key| key.open_note(origin, note).ok()).is_some_and(|text| text == expected)
}

async fn compare(store: &dyn Store, path: &str, expected: &str, found: &mut Verified) -> Result<(), LakeError> {
    match store.read_optional(path).await? {
        None => found.harm(path, "is missing"),
        Some(bytes) => {
            let digest = hex::encode(Sha256::digest(&bytes));
            if digest != expected {
                found.harm(path, format!("has digest {digest}, expected {expected}"));
            }
        }
    }
    Ok(())
}
