//! The one clock. `GONGKAI_NOW` sets it, so that a run can be repeated to the byte.

use chrono::{DateTime, Utc};

/// Variable that stops the clock at an instant, in RFC 3339.
pub const VARIABLE: &str = "GONGKAI_NOW";

/// The clock's text is not an instant.
#[derive(Debug, thiserror::Error)]
#[error("{VARIABLE} is {found:?}, expected an instant such as 2026-01-31T08:00:00Z")]
pub struct ClockError {
    found: String,
}

/// Tells the time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    stopped_at: Option<DateTime<Utc>>,
}

impl Clock {
    /// The system's clock, or the instant that [`VARIABLE`] names.
    pub fn from_environment() -> Result<Self, ClockError> {
        match std::env::var(VARIABLE) {
            Ok(found) => {
                let at = DateTime::parse_from_rfc3339(&found).map_err(|_| ClockError { found })?;
                Ok(Self { stopped_at: Some(at.to_utc()) })
            }
            Err(_) => Ok(Self { stopped_at: None }),
        }
    }

    /// Now, to the second: what is recorded is never finer.
    pub fn now(self) -> DateTime<Utc> {
        let now = self.stopped_at.unwrap_or_else(Utc::now);
        DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now)
    }
}
