//! The log against the definition of RFC 6962 and the layout of C2SP tlog-tiles, not against itself.

use proptest::prelude::*;

use super::*;
use crate::store::MemoryStore;

const ORIGIN: &str = "example.org/log";

fn key() -> SigningKey {
    SigningKey::from_seed(&[3; 32])
}

fn leaf(number: u64) -> Leaf {
    Leaf::Release { release: format!("dataset.{number}"), manifest_sha256: format!("{number:064x}") }
}

/// A log that grew in steps, with the checkpoint of each.
async fn grown(store: &MemoryStore, steps: &[u64]) -> Vec<Checkpoint> {
    let mut checkpoints: Vec<Checkpoint> = Vec::new();
    for step in steps {
        let mut log = Log::open(store, checkpoints.last()).await.expect("opens");
        for _ in 0..*step {
            let next = leaf(log.size());
            log.append(&next).expect("appends");
        }
        checkpoints.push(log.write(store, ORIGIN, &key()).await.expect("writes"));
    }
    checkpoints
}

/// The root of RFC 6962 section 2.1 by its definition.
fn root_by_definition(leaves: &[Vec<u8>]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => Sha256::new().chain_update([0]).chain_update(leaf).finalize().into(),
        leaves => {
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            let hashes = [root_by_definition(left), root_by_definition(right)].concat();
            Sha256::new().chain_update([1]).chain_update(hashes).finalize().into()
        }
    }
}

#[tokio::test]
async fn the_root_is_that_of_the_definition_and_the_layout_that_of_the_specification() {
    let store = MemoryStore::new();
    let checkpoints = grown(&store, &[1, 254, 2, 300]).await;
    let last = checkpoints.last().expect("some");
    let leaves: Vec<Vec<u8>> = (0..557).map(|number| leaf(number).to_line().expect("a line").into_bytes()).collect();
    assert_eq!((last.size, last.root.0), (557, root_by_definition(&leaves)));
    last.check_signature(key().public()).expect("signed");
    assert!(last.check_signature(SigningKey::from_seed(&[4; 32]).public()).is_err());
    let paths: Vec<String> = store.list("log").await.expect("lists").into_iter().map(|file| file.path).collect();
    for path in
        ["log/tile/0/000", "log/tile/0/001", "log/tile/0/002.p/45", "log/tile/1/000.p/2", "log/tile/entries/002.p/45"]
    {
        assert!(paths.iter().any(|known| known == path), "{path} in {paths:?}");
    }
    let mut read = Vec::new();
    for name in TileName::all_entries(557) {
        let bytes = store.read(&format!("log/{}", name.path())).await.expect("reads");
        read.extend(entries_of(&name, "bundle", &bytes).expect("divides").into_iter().map(<[u8]>::to_vec));
    }
    assert_eq!(read, leaves);
}

#[tokio::test]
async fn a_log_that_was_changed_is_not_continued() {
    let store = MemoryStore::new();
    let checkpoints = grown(&store, &[300]).await;
    let mut bytes = store.read("log/tile/0/000").await.expect("reads").to_vec();
    bytes[40] ^= 1;
    store.put("log/tile/0/000", Bytes::from(bytes)).await.expect("puts");
    assert!(matches!(Log::open(&store, checkpoints.last()).await, Err(LogError::Root { size: 300, .. })));
}

#[test]
fn paths_of_tiles_read_back_and_others_are_refused() {
    for path in ["tile/0/000", "tile/7/x001/x234/067", "tile/entries/255.p/3", "tile/1/000.p/255"] {
        assert_eq!(TileName::parse(path).map(|name| name.path()).as_deref(), Some(path));
    }
    let wrong = [
        "tile/8/000",
        "tile/0/0",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/../000",
        "tile/0/x000/000",
        "tile/-1/000",
    ];
    for path in wrong {
        assert_eq!(TileName::parse(path), None, "{path}");
    }
}

#[test]
fn leaves_about_keys_are_signed_and_every_leaf_has_one_text() {
    let now = chrono::DateTime::UNIX_EPOCH;
    let (first, next) = (key(), SigningKey::from_seed(&[5; 32]));
    let leaf = Leaf::key(ORIGIN, next.public(), now, &first).expect("signs");
    leaf.check_signature(first.public()).expect("verifies");
    assert!(leaf.check_signature(next.public()).is_err());
    let line = leaf.to_line().expect("a line");
    assert_eq!(Leaf::parse(line.as_bytes()).expect("reads"), leaf);
    let spaced = line.replace("\":", "\": ");
    assert!(matches!(Leaf::parse(spaced.as_bytes()), Err(LeafError::Canonical)));
    let forged = line.replace(ORIGIN, "example.com/log");
    assert!(Leaf::parse(forged.as_bytes()).expect("reads").check_signature(first.public()).is_err());
}

proptest! {
    #[test]
    fn proofs_hold_for_what_they_say_and_for_nothing_else(size in 1_u64..700, index in 0_u64..700, from in 1_u64..700) {
        let (index, from) = (index % size, from % size + 1);
        let mut tree = Tree::default();
        let line = |number: u64| leaf(number).to_line().expect("a line").into_bytes();
        let mut earlier = None;
        for number in 0..size {
            tree.push(&line(number)).expect("pushes");
            if number + 1 == from {
                earlier = Some(tree.root().expect("a root"));
            }
        }
        let proof = tree.prove(index).expect("proves");
        proof.check(&line(index)).expect("holds");
        prop_assert!(proof.check(&line(index + 1)).is_err());
        let growth = tree.prove_growth(from).expect("proves");
        let mut other = earlier.expect("a root");
        growth.check(other).expect("holds");
        other.0[0] ^= 1;
        prop_assert!(growth.check(other).is_err());
    }
}
