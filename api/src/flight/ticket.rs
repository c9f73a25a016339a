//! What handles of statements carry: the statement itself.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tonic::Status;

/// A statement with what belongs to it, as its handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handle {
    /// The text.
    pub sql: String,
    /// The time that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Values of its parameters: an Arrow stream of one row, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<String>,
}

impl Handle {
    /// Its bytes.
    pub fn to_bytes(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Reads what a client sent back. It may be anything.
    pub fn read(bytes: &[u8]) -> Result<Self, Status> {
        serde_json::from_slice(bytes).map_err(|_| Status::invalid_argument("the handle is not one of this server"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_reads_back_and_nothing_else_does() {
        let handle = Handle { sql: "SELECT '中'".into(), as_of: None, values: Some("AA==".into()) };
        assert_eq!(Handle::read(&handle.to_bytes()).expect("ours"), handle);
        for wrong in [b"".as_slice(), b"\xff\xfe", b"{}", b"{\"sql\":1}", b"{\"sql\":\"\",\"role\":\"admin\"}"] {
            assert!(Handle::read(wrong).is_err());
        }
    }
}
