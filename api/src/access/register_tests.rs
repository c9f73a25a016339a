//! Keys as they are made, used, revoked and damaged.

use chrono::TimeDelta;
use gongkai_warehouse::store::MemoryStore;

use super::*;
use crate::access::Role;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_770_000_000, 0).expect("an instant")
}

fn request(holder: &str) -> NewKeyRequest {
    NewKeyRequest {
        holder: holder.into(),
        role: Role::Publisher,
        regions: vec!["510400".into()],
        groups: Vec::new(),
        expires_at: None,
    }
}

#[tokio::test]
async fn a_key_is_known_by_its_whole_token_and_by_nothing_else() {
    let store = MemoryStore::new();
    let keys = Keys::new(&store);
    let one = keys.create(request("市财政局"), now()).await.expect("made");
    let other = keys.create(request("市生态环境局"), now()).await.expect("made");

    let found = keys.authenticate(&one.token, now()).await.expect("valid");
    assert_eq!((found.id, found.holder.as_str(), found.role), (one.key.id.clone(), "市财政局", Role::Publisher));

    let secret = other.token.rsplit_once(&other.key.id).expect("the id").1;
    let mixed = format!("gk_{}{secret}", one.key.id);
    let absent = format!("gk_00000000{secret}");
    assert!(matches!(keys.authenticate(&mixed, now()).await, Err(AccessError::WrongSecret)));
    assert!(matches!(keys.authenticate(&absent, now()).await, Err(AccessError::Unknown)));
    assert!(matches!(keys.authenticate(&one.key.id, now()).await, Err(AccessError::Malformed)));
}

#[tokio::test]
async fn a_key_ends_at_the_moment_that_was_set() {
    let store = MemoryStore::new();
    let keys = Keys::new(&store);
    let end = now() + TimeDelta::days(1);
    let made = keys.create(NewKeyRequest { expires_at: Some(end), ..request("a") }, now()).await.expect("made");
    assert!(keys.authenticate(&made.token, end - TimeDelta::seconds(1)).await.is_ok());
    let late = keys.authenticate(&made.token, end).await;
    assert!(matches!(late, Err(AccessError::Expired { at }) if at == end), "{late:?}");
    assert_eq!(made.key.state(end), KeyState::Expired { at: end });
}

#[tokio::test]
async fn a_revoked_key_keeps_the_time_at_which_it_was_revoked_first() {
    let store = MemoryStore::new();
    let keys = Keys::new(&store);
    let made = keys.create(request("a"), now()).await.expect("made");
    let later = now() + TimeDelta::hours(1);
    assert_eq!(keys.revoke(&made.key.id, now()).await.expect("revoked").revoked_at, Some(now()));
    assert_eq!(keys.revoke(&made.key.id, later).await.expect("again").revoked_at, Some(now()));
    assert_eq!(keys.find(&made.key.id).await.expect("kept").state(later), KeyState::Revoked { at: now() });
    let used = keys.authenticate(&made.token, later).await;
    assert!(matches!(used, Err(AccessError::Revoked { at }) if at == now()), "{used:?}");
}

#[tokio::test]
async fn neither_files_nor_debug_output_hold_a_secret() {
    let store = MemoryStore::new();
    let keys = Keys::new(&store);
    let made = keys.create(request("a"), now()).await.expect("made");
    let secret = made.token.rsplit_once(&made.key.id).expect("the id").1.trim_start_matches('_');
    let file = store.read(&format!("state/key/{}.json", made.key.id)).await.expect("the file");
    let file = String::from_utf8(file.to_vec()).expect("text");
    let digest = serde_json::from_str::<serde_json::Value>(&file).expect("json")["secret_sha256"].clone();
    let digest = digest.as_str().expect("a digest");
    assert_eq!(digest.len(), 64);
    assert!(!file.contains(secret));
    for shown in [format!("{made:?}"), format!("{:?}", made.key), format!("{:?}", keys.list().await)] {
        assert!(shown.contains(&made.key.id) && !shown.contains(secret) && !shown.contains(digest), "{shown}");
    }
}

#[tokio::test]
async fn keys_are_listed_in_the_order_in_which_they_were_made() {
    let store = MemoryStore::new();
    let keys = Keys::new(&store);
    assert!(keys.list().await.expect("empty").is_empty());
    for (hours, holder) in [(2, "third"), (0, "first"), (1, "second")] {
        keys.create(request(holder), now() + TimeDelta::hours(hours)).await.expect("made");
    }
    let holders: Vec<String> = keys.list().await.expect("three").into_iter().map(|key| key.holder).collect();
    assert_eq!(holders, ["first", "second", "third"]);
}

#[tokio::test]
async fn what_is_no_id_is_neither_looked_up_nor_repeated() {
    let store = MemoryStore::new();
    let keys = Keys::new(&store);
    let made = keys.create(request("a"), now()).await.expect("made");
    for text in [made.token.as_str(), "", "../../ab", "0A1B2C3D", "0a1b2c3"] {
        let error = keys.revoke(text, now()).await.expect_err("no id");
        assert!(matches!(error, AccessError::NotAnId), "{error}");
        assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
    }
    let error = keys.find("00000000").await.expect_err("no such key");
    assert!(matches!(&error, AccessError::NoSuchKey { id } if id == "00000000"), "{error}");
}

#[tokio::test]
async fn a_file_that_was_changed_or_copied_opens_nothing_and_is_named() {
    let store = MemoryStore::new();
    let keys = Keys::new(&store);
    let made = keys.create(request("a"), now()).await.expect("made");
    let path = format!("state/key/{}.json", made.key.id);
    let file = store.read(&path).await.expect("the file");

    let secret = made.token.rsplit_once(&made.key.id).expect("the id").1;
    store.put("state/key/00000000.json", file.clone()).await.expect("copied");
    let copied = keys.authenticate(&format!("gk_00000000{secret}"), now()).await;
    assert!(matches!(copied, Err(AccessError::Damaged { .. })), "{copied:?}");

    let text = String::from_utf8(file.to_vec()).expect("text");
    for changed in [text.replacen('{', "{\"only_from\": \"10.0.0.0/8\",", 1), text[..text.len() / 2].to_owned()] {
        store.put(&path, Bytes::from(changed)).await.expect("changed");
        let error = keys.authenticate(&made.token, now()).await.expect_err("damaged");
        assert!(matches!(&error, AccessError::Damaged { path: found, .. } if *found == path), "{error}");
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_a_key_leaves_nothing_behind() {
    let store = MemoryStore::new();
    let keys = Keys::new(&store);
    let refused = keys.create(NewKeyRequest { role: Role::Public, ..request("a") }, now()).await;
    assert!(matches!(refused, Err(AccessError::Request { what: "role", .. })), "{refused:?}");
    assert!(keys.list().await.expect("empty").is_empty());
}
