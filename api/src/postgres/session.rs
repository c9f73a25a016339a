//! What a connection has set. It ends with the connection, and no other sees it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gongkai_warehouse::query::system;

use crate::access::Caller;
use crate::http::ApiError;
use crate::http::app::parse_time;

/// Name of the setting for time travel.
pub const AS_OF: &str = "gongkai.as_of";

/// Settings that clients may set; those without a meaning here are kept, so that `SHOW` gives back what was set.
const KNOWN: &[&str] = &[
    AS_OF,
    "application_name",
    "bytea_output",
    "client_encoding",
    "client_min_messages",
    "datestyle",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "extra_float_digits",
    "idle_in_transaction_session_timeout",
    "intervalstyle",
    "jit",
    "lock_timeout",
    "search_path",
    "standard_conforming_strings",
    "statement_timeout",
    "synchronize_seqscans",
    "timezone",
    "transaction",
];

/// Most prepared statements of one connection.
const MOST_PREPARED: usize = 1_000;
/// Longest value of a setting.
const VALUE_BYTES: usize = 1_000;

/// What one connection has set, and who is behind it.
#[derive(Debug, Default)]
pub struct Session {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    caller: Caller,
    settings: Vec<(String, String)>,
    prepared: BTreeSet<String>,
}

/// What became of a `SET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It holds from now on.
    Yes,
    /// The setting is not known, and ignored.
    Unknown,
}

impl Session {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says who is behind the connection.
    pub fn set_caller(&self, caller: Caller) {
        self.state().caller = caller;
    }

    /// Who is behind the connection.
    pub fn caller(&self) -> Caller {
        self.state().caller.clone()
    }

    /// Sets something, or back to its default.
    ///
    /// # Errors
    ///
    /// `invalid_parameter` for a value that the setting cannot have.
    pub fn set(&self, name: &str, value: Option<&str>) -> Result<Kept, ApiError> {
        let name = name.to_lowercase();
        if !KNOWN.contains(&name.as_str()) {
            return Ok(Kept::Unknown);
        }
        if let Some(value) = value {
            if value.len() > VALUE_BYTES {
                return Err(ApiError::parameter(&name, value, "at most 1000 bytes"));
            }
            match name.as_str() {
                AS_OF if !value.is_empty() => drop(parse_time(value)?),
                "statement_timeout" => drop(milliseconds(value)?),
                "client_encoding" if !matches!(value.to_lowercase().as_str(), "utf8" | "utf-8" | "unicode") => {
                    return Err(ApiError::parameter(&name, value, "UTF8"));
                }
                _ => {}
            }
        }
        let mut state = self.state();
        state.settings.retain(|(known, _)| *known != name);
        if let Some(value) = value {
            state.settings.push((name, value.to_owned()));
        }
        Ok(Kept::Yes)
    }

    /// Everything goes back to its default.
    pub fn discard(&self) {
        let mut state = self.state();
        state.settings.clear();
        state.prepared.clear();
    }

    /// What a setting is; none where there is no such.
    pub fn get(&self, name: &str) -> Option<String> {
        let set = self.state().settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        set.or_else(|| system::setting(name).map(str::to_owned)).or_else(|| KNOWN.contains(&name).then(String::new))
    }

    /// The time that statements are about; none for now.
    pub fn as_of(&self) -> Option<String> {
        self.get(AS_OF).filter(|time| !time.is_empty())
    }

    /// How long a statement may take: what the client set, and never more than `most`.
    pub fn timeout(&self, most: Duration) -> Duration {
        let set = self.get("statement_timeout").and_then(|value| milliseconds(&value).ok());
        set.filter(|time| !time.is_zero()).map_or(most, |time| time.min(most))
    }

    /// Notes a prepared statement.
    ///
    /// # Errors
    ///
    /// `sql_too_complex` when there are too many.
    pub fn prepare(&self, name: &str) -> Result<(), ApiError> {
        let mut state = self.state();
        if state.prepared.len() >= MOST_PREPARED && !state.prepared.contains(name) {
            return Err(ApiError::new(
                "sql_too_complex",
                format!("a connection keeps at most {MOST_PREPARED} prepared statements; DEALLOCATE some"),
            ));
        }
        state.prepared.insert(name.to_owned());
        Ok(())
    }

    /// Forgets a prepared statement.
    pub fn forget(&self, name: &str) {
        self.state().prepared.remove(name);
    }

    /// Forgets all prepared statements, and says which there were.
    pub fn forget_all(&self) -> Vec<String> {
        std::mem::take(&mut self.state().prepared).into_iter().collect()
    }
}

/// A time as PostgreSQL writes it: a number of milliseconds, or a number with its unit.
fn milliseconds(text: &str) -> Result<Duration, ApiError> {
    let wrong = || ApiError::parameter("statement_timeout", text, "milliseconds, or a number with ms, s or min");
    let digits = text.trim().trim_end_matches(|character: char| character.is_alphabetic() || character == ' ');
    let unit = text.trim()[digits.len()..].trim();
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let milliseconds = match unit {
        "" | "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "min" => number.checked_mul(60_000),
        _ => None,
    };
    milliseconds.map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_shortens_its_time_and_never_lengthens_it() {
        let session = Session::default();
        let most = Duration::from_secs(10);
        assert_eq!(session.timeout(most), most);
        for (value, expected) in [("0", 10_000), ("250", 250), ("2s", 2_000), ("1 min", 10_000), ("999999999", 10_000)]
        {
            session.set("statement_timeout", Some(value)).expect("a time");
            assert_eq!(session.timeout(most), Duration::from_millis(expected), "{value}");
        }
        for wrong in ["-1", "x", "", "1h", "18446744073709551615min"] {
            assert!(session.set("statement_timeout", Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn settings_are_known_checked_and_shown() {
        let session = Session::default();
        assert_eq!(session.set("gongkai.as_of", Some("2024-05-01")).expect("a day"), Kept::Yes);
        assert_eq!(session.as_of().as_deref(), Some("2024-05-01"));
        assert!(session.set("gongkai.as_of", Some("yesterday")).is_err());
        assert_eq!(session.set("datafusion.runtime.memory_limit", Some("900G")).expect("ignored"), Kept::Unknown);
        assert_eq!(session.get("datafusion.runtime.memory_limit"), None);
        assert_eq!(session.get("server_encoding").as_deref(), Some("UTF8"));
        session.discard();
        assert_eq!(session.as_of(), None);
    }
}
