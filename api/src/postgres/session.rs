//! What a connection has set. It ends with the connection, and no other sees it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gongkai_warehouse::query::{SearchPath, system};

use crate::access::Caller;
use crate::http::ApiError;
use crate::http::app::parse_time;

/// Name of the setting for time travel.
pub const AS_OF: &str = "gongkai.as_of";

/// Name of the setting for where names without a schema are looked for.
pub const SEARCH_PATH: &str = "search_path";

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
    SEARCH_PATH,
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
    /// What the client asked for at its beginning: what settings go back to.
    begun: Vec<(String, String)>,
    /// What holds until the transaction ends; none for what goes back to its default until then.
    local: Vec<(String, Option<String>)>,
    is_in_transaction: bool,
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
    /// It would hold until the end of a transaction, and there is none.
    Nowhere,
}

/// How long a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// As long as the connection, or until it is set again.
    Always,
    /// Until the transaction ends.
    InTransaction,
}

fn value_of(settings: &[(String, String)], name: &str) -> Option<String> {
    settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
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
        self.set_for(Holds::Always, name, value)
    }

    /// Sets something for as long as it is to hold.
    ///
    /// # Errors
    ///
    /// Those of [`Session::set`].
    pub fn set_for(&self, holds: Holds, name: &str, value: Option<&str>) -> Result<Kept, ApiError> {
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
                SEARCH_PATH if SearchPath::read(value).is_none() => {
                    return Err(ApiError::parameter(&name, value, "names of schemas with commas between them"));
                }
                _ => {}
            }
        }
        let mut state = self.state();
        if holds == Holds::InTransaction && !state.is_in_transaction {
            return Ok(Kept::Nowhere);
        }
        state.local.retain(|(known, _)| *known != name);
        if holds == Holds::InTransaction {
            state.local.push((name, value.map(str::to_owned)));
            return Ok(Kept::Yes);
        }
        state.settings.retain(|(known, _)| *known != name);
        if let Some(value) = value {
            state.settings.push((name, value.to_owned()));
        }
        Ok(Kept::Yes)
    }

    /// What is set by now is what settings go back to.
    pub fn begin(&self) {
        let mut state = self.state();
        state.begun = std::mem::take(&mut state.settings);
    }

    /// All settings go back to what they were at the beginning.
    pub fn reset(&self) {
        let mut state = self.state();
        state.settings.clear();
        state.local.clear();
    }

    /// A transaction begins.
    pub fn begin_transaction(&self) {
        self.state().is_in_transaction = true;
    }

    /// The transaction is over, and what was set for it.
    pub fn end_transaction(&self) {
        let mut state = self.state();
        state.is_in_transaction = false;
        state.local.clear();
    }

    /// What a setting is; none where there is no such.
    pub fn get(&self, name: &str) -> Option<String> {
        let set = {
            let state = self.state();
            let of_session = match state.local.iter().find(|(known, _)| known == name) {
                Some((_, Some(value))) => Some(value.clone()),
                Some((_, None)) => None,
                None => value_of(&state.settings, name),
            };
            of_session.or_else(|| value_of(&state.begun, name))
        };
        set.or_else(|| system::setting(name).map(str::to_owned)).or_else(|| KNOWN.contains(&name).then(String::new))
    }

    /// The time that statements are about; none for now.
    pub fn as_of(&self) -> Option<String> {
        self.get(AS_OF).filter(|time| !time.is_empty())
    }

    /// Where names without a schema are looked for.
    pub fn path(&self) -> SearchPath {
        self.get(SEARCH_PATH).and_then(|path| SearchPath::read(&path)).unwrap_or_default()
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
    fn names_are_looked_for_along_the_path_that_was_set() {
        let session = Session::default();
        let path = |text: &str| SearchPath::read(text).expect("a path");
        assert!(session.path().is_default());
        assert_eq!(session.get(SEARCH_PATH).as_deref(), Some("open"));
        session.set(SEARCH_PATH, Some("Catalog, nowhere")).expect("a path");
        assert_eq!(session.path(), path("catalog, nowhere"));
        assert_eq!(session.get(SEARCH_PATH).as_deref(), Some("Catalog, nowhere"), "as it was set");
        assert!(session.set(SEARCH_PATH, Some("a,,b")).is_err());
        assert_eq!(session.path(), path("catalog, nowhere"), "after a refusal");
        session.set(SEARCH_PATH, None).expect("the default");
        assert!(session.path().is_default());
        session.set(SEARCH_PATH, Some("")).expect("a path of nothing");
        assert_eq!(session.path().schemas(), [""; 0]);
    }

    #[test]
    fn settings_go_back_to_those_of_the_beginning() {
        let session = Session::default();
        session.set(SEARCH_PATH, Some("ref")).expect("a path");
        session.begin();
        session.set(SEARCH_PATH, Some("catalog")).expect("a path");
        assert_eq!(session.get(SEARCH_PATH).as_deref(), Some("catalog"));
        session.reset();
        assert_eq!(session.get(SEARCH_PATH).as_deref(), Some("ref"));
        session.set(SEARCH_PATH, Some("catalog")).expect("a path");
        session.set(SEARCH_PATH, None).expect("the default");
        assert_eq!(session.get(SEARCH_PATH).as_deref(), Some("ref"));
    }

    #[test]
    fn what_is_set_for_a_transaction_ends_with_it() {
        let session = Session::default();
        let local = |value| session.set_for(Holds::InTransaction, SEARCH_PATH, value).expect("a path");
        assert_eq!(local(Some("ref")), Kept::Nowhere);
        assert!(session.path().is_default());
        session.set(SEARCH_PATH, Some("catalog")).expect("a path");
        session.begin_transaction();
        assert_eq!(local(Some("ref")), Kept::Yes);
        assert_eq!(session.get(SEARCH_PATH).as_deref(), Some("ref"));
        assert_eq!(local(None), Kept::Yes);
        assert!(session.path().is_default());
        session.end_transaction();
        assert_eq!(session.get(SEARCH_PATH).as_deref(), Some("catalog"));
        session.begin_transaction();
        local(Some("ref"));
        session.set(SEARCH_PATH, Some("open, ref")).expect("a path");
        assert_eq!(session.get(SEARCH_PATH).as_deref(), Some("open, ref"), "what is said last holds");
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
