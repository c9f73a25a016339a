//! What a connection has set. It ends with the connection, and no other sees it.

use std::collections::BTreeMap;
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

/// Most prepared statements of one connection, and bytes of them: their texts, and what is known of their columns. Chosen: some
/// twenty of the largest, with 64 KiB of text and 1,000 columns, or a thousand small ones, as drivers that prepare all they ask
/// may leave them. The 32 connections of one address hold 256 MiB, a third of `query.memory_bytes`; all 128 would hold 1 GiB, and
/// before that memory is scarce and no visitor's query is taken until connections end. More makes that easier; less refuses
/// drivers that never deallocate.
const MOST_PREPARED: Most = Most { count: 1_000, bytes: 8 << 20 };
/// Most portals of one connection, and bytes of them: the values of their parameters, and their statements. Chosen: three of the
/// largest, whose values fill a message of 1 MiB. Clients use few at a time, and outside of a transaction all end at the next
/// `Sync`. The 32 connections of one address hold 128 MiB, all 128 half a GiB. More lets clients hold more that they do not need;
/// less refuses large values.
const MOST_PORTALS: Most = Most { count: 64, bytes: 4 << 20 };
/// Longest value of a setting. Chosen: the 19 settings of a connection take 19 kB, those of 128 connections 2.4 MB; times, names
/// and lists of schemas are far shorter. The refusal names the number.
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
    /// Bytes of prepared statements by name.
    prepared: BTreeMap<String, usize>,
    /// Bytes of portals by name.
    portals: BTreeMap<String, usize>,
}

/// How much a connection keeps by name.
#[derive(Debug, Clone, Copy)]
struct Most {
    count: usize,
    bytes: usize,
}

impl Most {
    /// Notes one more, or another in the place of its name; false where it would be too many or too much.
    fn keep(self, kept: &mut BTreeMap<String, usize>, name: &str, bytes: usize) -> bool {
        let bytes = bytes.saturating_add(name.len());
        let others = kept.iter().filter(|(known, _)| known.as_str() != name);
        let (count, sum) = others.fold((1, bytes), |(count, sum), (_, bytes)| (count + 1, sum.saturating_add(*bytes)));
        let is_kept = count <= self.count && sum <= self.bytes;
        if is_kept {
            kept.insert(name.to_owned(), bytes);
        }
        is_kept
    }
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

    /// All settings go back to their defaults.
    pub fn reset(&self) {
        self.state().settings.clear();
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

    /// Notes a prepared statement of so many bytes.
    ///
    /// # Errors
    ///
    /// `sql_too_complex` when there are too many, or they are too large.
    pub fn prepare(&self, name: &str, bytes: usize) -> Result<(), ApiError> {
        if MOST_PREPARED.keep(&mut self.state().prepared, name, bytes) {
            return Ok(());
        }
        let Most { count, bytes } = MOST_PREPARED;
        let detail = format!(
            "a connection keeps at most {count} prepared statements of {} MiB together; DEALLOCATE some",
            bytes >> 20
        );
        Err(ApiError::new("sql_too_complex", detail))
    }

    /// Notes a portal of so many bytes.
    ///
    /// # Errors
    ///
    /// `sql_too_complex` when there are too many, or they are too large.
    pub fn bind(&self, name: &str, bytes: usize) -> Result<(), ApiError> {
        if MOST_PORTALS.keep(&mut self.state().portals, name, bytes) {
            return Ok(());
        }
        let Most { count, bytes } = MOST_PORTALS;
        let detail = format!("a connection keeps at most {count} portals of {} MiB together; close some", bytes >> 20);
        Err(ApiError::new("sql_too_complex", detail))
    }

    /// Forgets a portal.
    pub fn forget_portal(&self, name: &str) {
        self.state().portals.remove(name);
    }

    /// Forgets all portals.
    pub fn forget_portals(&self) {
        self.state().portals.clear();
    }

    /// Forgets a prepared statement.
    pub fn forget(&self, name: &str) {
        self.state().prepared.remove(name);
    }

    /// Forgets all prepared statements, and says which there were.
    pub fn forget_all(&self) -> Vec<String> {
        std::mem::take(&mut self.state().prepared).into_keys().collect()
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
        session.reset();
        assert_eq!(session.as_of(), None);
    }

    #[test]
    fn what_is_kept_by_name_is_bounded_in_number_and_bytes() {
        let session = Session::default();
        for number in 0..MOST_PORTALS.count {
            session.bind(&number.to_string(), 0).expect("a place");
        }
        assert!(session.bind("more", 0).is_err());
        session.bind("7", 1_000).expect("in the place of another");
        session.forget_portal("8");
        session.bind("more", 0).expect("a place again");
        session.forget_portals();
        session.bind("large", MOST_PORTALS.bytes - 5).expect("as large as may be");
        assert!(session.bind("one byte more", 0).is_err());

        session.prepare("a", MOST_PREPARED.bytes / 2).expect("half of what is kept");
        assert!(session.prepare("b", MOST_PREPARED.bytes / 2).is_err(), "names count too");
        assert_eq!(session.forget_all(), ["a"]);
        session.prepare("b", MOST_PREPARED.bytes / 2).expect("a place again");
    }
}
