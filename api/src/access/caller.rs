//! Who asks: the key of a request, or none, or the person at the machine.
//!
//! A key comes in one `Authorization: Bearer gk_…` header. A request without one is the public's; a request with a key
//! that is not valid is refused and never answered as the public's, because its sender means to be somebody. The
//! address is that of the connection: headers that claim another (`X-Forwarded-For`) are not read.

use std::net::IpAddr;
use std::time::Instant;

use axum::http::{HeaderMap, header};
use chrono::{DateTime, Utc};
use gongkai_warehouse::store::Store;

use super::{AccessKey, Guesses, Keys, Role};
use crate::http::ApiError;

/// Longest header that is looked at. One with a token of ours has 62 bytes.
const HEADER_BYTES: usize = 512;
/// How the person at the machine is named where holders are.
const LOCAL_OPERATOR: &str = "local operator";

/// Who asks.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    key: Option<AccessKey>,
    is_local_operator: bool,
}

impl Caller {
    /// Somebody without a key.
    pub fn public() -> Self {
        Self::default()
    }

    /// The holder of a key that was found valid.
    pub fn of_key(key: AccessKey) -> Self {
        Self { key: Some(key), is_local_operator: false }
    }

    /// The person at the command line: whoever can write the folder is its admin.
    pub fn local_operator() -> Self {
        Self { key: None, is_local_operator: true }
    }

    /// What the caller may do.
    pub fn role(&self) -> Role {
        match &self.key {
            Some(key) => key.role,
            None if self.is_local_operator => Role::Admin,
            None => Role::Public,
        }
    }

    /// The office or person; none for the public. Two steps of one release are compared by it.
    pub fn holder(&self) -> Option<&str> {
        match &self.key {
            Some(key) => Some(key.holder.as_str()),
            None => self.is_local_operator.then_some(LOCAL_OPERATOR),
        }
    }

    /// The key, where there is one.
    pub fn key(&self) -> Option<&AccessKey> {
        self.key.as_ref()
    }

    /// Whether it is the person at the command line.
    pub fn is_local_operator(&self) -> bool {
        self.is_local_operator
    }

    /// Refuses a caller whose role is not one of those allowed. `what` names what was asked for, such as
    /// `"making a key"`.
    pub fn require(&self, allowed: impl Fn(Role) -> bool, what: &str) -> Result<(), ApiError> {
        let role = self.role();
        if allowed(role) {
            return Ok(());
        }
        let accepted: Vec<&str> = Role::ALL.into_iter().filter(|role| allowed(*role)).map(Role::name).collect();
        let accepted = accepted.join(" or ");
        Err(match role {
            Role::Public => ApiError::new(
                "unauthorized",
                format!("{what} needs a key with the role {accepted}, sent as Authorization: Bearer gk_…"),
            ),
            _ => ApiError::new("forbidden", format!("{what} needs the role {accepted}; the key has the role {role}")),
        })
    }
}

/// The caller of a request. A key that is not valid counts against the network it came from.
pub async fn caller_of(
    headers: &HeaderMap,
    address: Option<IpAddr>,
    store: &dyn Store,
    guesses: &Guesses,
    now: DateTime<Utc>,
    at: Instant,
) -> Result<Caller, ApiError> {
    let Some(token) = bearer(headers)? else { return Ok(Caller::public()) };
    match Keys::new(store).authenticate(token, now).await {
        Ok(key) => Ok(Caller::of_key(key)),
        Err(error) => {
            // Only who guesses is held up: others of the same network, behind one proxy, go on with their keys.
            if error.is_refusal() {
                guesses.guessed(address, at)?;
                // The reason is for the operator; the caller hears the same for all of them.
                tracing::info!(reason = %error, "key refused");
            }
            Err(error.into())
        }
    }
}

/// The token of the one header that may carry it.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let refuse = |found: &str| {
        Err(ApiError::new("unauthorized", format!("{found}; expected one header, Authorization: Bearer gk_ID_SECRET")))
    };
    if values.next().is_some() {
        return refuse("there is more than one Authorization header");
    }
    if value.len() > HEADER_BYTES {
        return refuse("the Authorization header is longer than 512 bytes");
    }
    let Ok(text) = value.to_str() else {
        return refuse("the Authorization header is not ASCII");
    };
    // RFC 9110 11.1: the name of a scheme is read without regard to case.
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => refuse("the Authorization header is not of the scheme Bearer"),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use gongkai_warehouse::store::MemoryStore;

    use super::*;
    use crate::access::NewKeyRequest;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_770_000_000, 0).expect("an instant")
    }

    fn sent(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).expect("a header"));
        }
        headers
    }

    /// All at one moment: a window of 60 s has all of its time left.
    struct Door {
        store: MemoryStore,
        guesses: Guesses,
        at: Instant,
    }

    impl Door {
        fn new() -> Self {
            Self { store: MemoryStore::new(), guesses: Guesses::new(), at: Instant::now() }
        }

        async fn token(&self, role: Role) -> String {
            let request = NewKeyRequest {
                holder: "市财政局".into(),
                role,
                regions: Vec::new(),
                groups: Vec::new(),
                expires_at: None,
            };
            Keys::new(&self.store).create(request, now()).await.expect("made").token
        }

        async fn ask(&self, headers: &[&str]) -> Result<Caller, ApiError> {
            let address = Some(IpAddr::from([192, 0, 2, 7]));
            caller_of(&sent(headers), address, &self.store, &self.guesses, now(), self.at).await
        }
    }

    #[tokio::test]
    async fn a_request_is_the_publics_or_that_of_its_keys_holder() {
        let door = Door::new();
        let caller = door.ask(&[]).await.expect("the public");
        assert_eq!((caller.role(), caller.holder()), (Role::Public, None));

        let token = door.token(Role::Publisher).await;
        for header in [format!("Bearer {token}"), format!("bearer  {token} ")] {
            let caller = door.ask(&[header.as_str()]).await.expect("valid");
            assert_eq!((caller.role(), caller.holder()), (Role::Publisher, Some("市财政局")));
        }
    }

    #[tokio::test]
    async fn whoever_sends_something_else_is_never_the_public() {
        let door = Door::new();
        let valid = format!("Bearer {}", door.token(Role::Reader).await);
        let long = format!("Bearer {}", "x".repeat(HEADER_BYTES));
        let (valid, long) = (valid.as_str(), long.as_str());
        let wrong: [&[&str]; 7] =
            [&[valid, valid], &["Basic YTpi"], &[long], &[""], &["Bearer"], &["Bearer "], &["Bearer gk_00000000_x"]];
        for headers in wrong {
            let error = door.ask(headers).await.expect_err("refused");
            assert_eq!(error.code, "unauthorized", "{headers:?}");
            assert!(!error.detail.contains("YTpi") && !error.detail.contains("gk_0"), "{error}");
        }
    }

    #[tokio::test]
    async fn wrong_keys_close_the_network_and_valid_ones_do_not() {
        let door = Door::new();
        let valid = format!("Bearer {}", door.token(Role::Reader).await);
        for _ in 0..20 {
            assert!(door.ask(&[valid.as_str()]).await.is_ok());
        }
        for _ in 0..10 {
            let error = door.ask(&["Bearer gk_00000000_x"]).await.expect_err("refused");
            assert_eq!((error.code.as_str(), error.detail.as_str()), ("unauthorized", "the key is not valid"));
        }
        let error = door.ask(&["Bearer gk_00000000_x"]).await.expect_err("closed");
        assert_eq!(error.code, "rate_limited");
        assert!(error.detail.contains("60 s"), "{error}");
        assert!(door.ask(&[valid.as_str()]).await.is_ok(), "who holds a key is not held up by who guesses");
        assert!(door.ask(&[]).await.is_ok(), "the public is heard");
    }

    #[tokio::test]
    async fn a_role_that_is_not_enough_is_told_what_would_be() {
        let door = Door::new();
        let refused = Caller::public().require(Role::may_submit, "making a draft").expect_err("no key");
        assert_eq!(refused.code, "unauthorized");

        let header = format!("Bearer {}", door.token(Role::Approver).await);
        let approver = door.ask(&[header.as_str()]).await.expect("valid");
        let refused = approver.require(Role::may_submit, "making a draft").expect_err("another role");
        assert_eq!(refused.code, "forbidden");
        for told in ["making a draft", "publisher or admin", "approver"] {
            assert!(refused.detail.contains(told), "{refused}");
        }
        assert!(approver.require(Role::may_approve, "approving a draft").is_ok());
    }

    #[test]
    fn the_person_at_the_machine_is_admin() {
        let caller = Caller::local_operator();
        assert_eq!((caller.role(), caller.holder()), (Role::Admin, Some("local operator")));
        assert!(caller.is_local_operator() && caller.key().is_none());
    }
}
