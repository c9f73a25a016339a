//! What can go wrong with a key, and what a caller hears of it.

use chrono::{DateTime, Utc};
use gongkai_warehouse::store::StoreError;

use crate::http::ApiError;

/// Why a key was not accepted, made, found or revoked. No message repeats what a caller sent as a key.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The text is no token.
    #[error("the key is not of the form gk_ID_SECRET")]
    Malformed,
    /// The id of the token is not one of ours.
    #[error("no key has the id of the token")]
    Unknown,
    /// The id is ours, the secret is not that of the key.
    #[error("the secret is not that of the key")]
    WrongSecret,
    /// The key's time is over.
    #[error("the key expired at {at}")]
    Expired {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// The key was taken back.
    #[error("the key was revoked at {at}")]
    Revoked {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file of a key does not read back.
    #[error("{path} is damaged: {source}")]
    Damaged {
        /// Path below the warehouse root.
        path: String,
        /// The parser's message.
        source: serde_json::Error,
    },
    /// An administrator named a key that does not exist.
    #[error("no key {id:?}; `gongkai key list` shows the keys there are")]
    NoSuchKey {
        /// The id.
        id: String,
    },
    /// An administrator named a key by something that is no id: a whole token perhaps, so it is not repeated.
    #[error("that is not the id of a key; an id has 8 characters of 0 to 9 and a to f, as in gk_ID_SECRET")]
    NotAnId,
    /// A key cannot be made as asked.
    #[error("{what} is {found}, expected {expected}")]
    Request {
        /// The part of the request.
        what: &'static str,
        /// What it is.
        found: String,
        /// What would have been accepted.
        expected: &'static str,
    },
    /// There is no secret without chance.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

impl AccessError {
    /// Whether the caller's key is at fault. Over HTTP these all read the same: whoever tries keys must not learn
    /// which ids exist, nor that a secret was right once.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Malformed | Self::Unknown | Self::WrongSecret | Self::Expired { .. } | Self::Revoked { .. }
        )
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        match error {
            refusal if refusal.is_refusal() => Self::new("unauthorized", "the key is not valid"),
            AccessError::Store(source) => source.into(),
            AccessError::NoSuchKey { id } => Self::not_found("key", &id),
            AccessError::NotAnId => Self::new("not_found", AccessError::NotAnId.to_string()),
            request @ AccessError::Request { .. } => Self::new("invalid_parameter", request.to_string()),
            fault => Self::internal(&fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_reads_the_same() {
        let at = DateTime::from_timestamp(0, 0).expect("an instant");
        let refusals = [
            AccessError::Malformed,
            AccessError::Unknown,
            AccessError::WrongSecret,
            AccessError::Expired { at },
            AccessError::Revoked { at },
        ];
        for refusal in refusals {
            let heard = ApiError::from(refusal);
            assert_eq!((heard.code.as_str(), heard.detail.as_str()), ("unauthorized", "the key is not valid"));
        }
    }

    #[test]
    fn a_fault_of_ours_is_no_refusal_and_shows_no_path() {
        let source = serde_json::from_str::<u8>("x").expect_err("no number");
        let error = AccessError::Damaged { path: "state/key/0a1b2c3d.json".into(), source };
        assert!(!error.is_refusal());
        let heard = ApiError::from(error);
        assert_eq!(heard.code, "internal");
        assert!(!heard.detail.contains("state/key"), "{}", heard.detail);
    }
}
