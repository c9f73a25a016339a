//! Events with evidence: those that duties are counted from (approved, replied, allocated, decided, …), those that fulfil or
//! excuse one (published, empty, waived), and explanations of findings.
//!
//! An event is public from the moment it is recorded, stands in the log, and is never changed: a wrong one is
//! followed by another that names it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::lake::LakeError;
use crate::log::Leaf;
use crate::publication::Publication;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A budget or account was approved by a people's congress.
    Approved,
    /// A finance office replied to a department's budget or account (批复).
    Replied,
    /// Funds were allocated (下达).
    Allocated,
    /// An administrative decision was made.
    Decided,
    /// A document was made, obtained or changed (形成, 变更).
    FormedOrChanged,
    /// A paper came in.
    Received,
    /// A matter was accepted.
    Accepted,
    /// Something happened (发生).
    Occurred,
    /// A period ended.
    PeriodEnd,
    /// What an obligation asks for was published elsewhere; the subject is the obligation.
    Published,
    /// What an obligation asks for is an explained empty table (空表并说明).
    Empty,
    /// An obligation is waived, or nothing is disclosed, with the reason as the document.
    Waived,
    /// The publisher explains a finding; the subject is `{check}/{scope}`, the document says why.
    Explained,
    /// An earlier event was recorded wrongly.
    Revoked,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Approved,
        Self::Replied,
        Self::Allocated,
        Self::Decided,
        Self::FormedOrChanged,
        Self::Received,
        Self::Accepted,
        Self::Occurred,
        Self::PeriodEnd,
        Self::Published,
        Self::Empty,
        Self::Waived,
        Self::Explained,
        Self::Revoked,
    ];

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name in SQL and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Replied => "replied",
            Self::Allocated => "allocated",
            Self::Decided => "decided",
            Self::FormedOrChanged => "formed_or_changed",
            Self::Received => "received",
            Self::Accepted => "accepted",
            Self::Occurred => "occurred",
            Self::PeriodEnd => "period_end",
            Self::Published => "published",
            Self::Empty => "empty",
            Self::Waived => "waived",
            Self::Explained => "explained",
            Self::Revoked => "revoked",
        }
    }
}

/// What shows that it happened. At least one of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Address of the document.
    pub url: Option<String>,
    /// SHA-256 of the document, in hexadecimal.
    pub sha256: Option<String>,
    /// Number or title of the document, such as a 文号.
    pub document: Option<String>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `event.{number}`.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// Region that it concerns.
    pub region_code: String,
    /// What it concerns: a dataset, an item, a document.
    pub subject: String,
    /// Period that it concerns, such as 2022.
    pub period: Option<String>,
    /// Day on which it happened.
    pub occurred_on: NaiveDate,
    /// What shows it.
    pub evidence: Evidence,
    /// The event that this one takes back.
    pub revokes: Option<String>,
    /// Office that recorded it.
    pub recorded_by: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// Why an event is not recorded.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Nothing shows it.
    #[error("evidence is empty; expected a url, the sha256 of a document, or its number")]
    Evidence,
    /// The digest is none.
    #[error("evidence.sha256 is {found:?}, expected 64 hexadecimal digits")]
    Digest {
        /// What was given.
        found: String,
    },
    /// It has not happened yet.
    #[error("occurred_on is {found}, expected a day that is not after {today}")]
    Future {
        /// What was given.
        found: NaiveDate,
        /// Today in Beijing.
        today: NaiveDate,
    },
    /// Nothing to take back.
    #[error(
        "revokes is {found:?}, expected the id of an event that is recorded and not revoked, with kind revoked only"
    )]
    Revokes {
        /// What was given.
        found: Option<String>,
    },
    /// It names nothing.
    #[error("subject is empty; expected a dataset, an item or a document")]
    Subject,
    /// The warehouse.
    #[error(transparent)]
    Lake(#[from] LakeError),
}

impl Event {
    /// SHA-256 of its canonical JSON (RFC 8785), which its leaf holds.
    pub fn digest(&self) -> Result<String, serde_json::Error> {
        Ok(hex::encode(Sha256::digest(serde_json_canonicalizer::to_vec(self)?)))
    }

    /// Checks an event and puts it into a publication; gives it its id.
    pub fn record(mut self, publication: &mut Publication<'_>) -> Result<Self, EventError> {
        let known = &publication.index.events;
        if self.subject.trim().is_empty() {
            return Err(EventError::Subject);
        }
        let Evidence { url, sha256, document } = &self.evidence;
        if [url, sha256, document].iter().all(|text| text.as_ref().is_none_or(|text| text.trim().is_empty())) {
            return Err(EventError::Evidence);
        }
        let is_digest = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if let Some(found) = sha256.as_ref().filter(|text| !is_digest(text)) {
            return Err(EventError::Digest { found: found.chars().take(80).collect() });
        }
        let today = (self.recorded_at + chrono::TimeDelta::hours(8)).date_naive();
        if self.occurred_on > today {
            return Err(EventError::Future { found: self.occurred_on, today });
        }
        let is_open = |id: &String| {
            known.iter().any(|event| event.id == *id) && known.iter().all(|event| event.revokes.as_ref() != Some(id))
        };
        let is_right = match &self.revokes {
            Some(id) => self.kind == EventKind::Revoked && is_open(id),
            None => self.kind != EventKind::Revoked,
        };
        if !is_right {
            return Err(EventError::Revokes { found: self.revokes.clone() });
        }
        self.id = format!("event.{}", known.len() + 1);
        let sha256 = self.digest().map_err(|source| LakeError::Damaged { path: self.id.clone(), source })?;
        publication.append(&Leaf::Event { event: self.id.clone(), sha256 })?;
        publication.index.events.push(self.clone());
        Ok(self)
    }
}
