//! Drafts: a partition on its way from rows to a release, through two hands.
//!
//! A draft says what would be released: the digest of the rows, the release they replace, what differs, what the checks
//! find. It holds no rows. Who submits it cannot release it, whatever keys they hold. It is kept after its end.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::check::Finding;
use crate::lake::{LakeError, pointer};
use crate::release::Preview;
use crate::store::Store;

/// Folder of drafts below the warehouse root.
const FOLDER: &str = "state/draft";

/// How far a draft is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftState {
    /// Made; nobody has answered for it.
    Drafted,
    /// Reviewed and put before an approver.
    Submitted,
    /// Approved: the release is out.
    Released,
    /// Sent back.
    Rejected,
}

impl DraftState {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
            Self::Submitted => "submitted",
            Self::Released => "released",
            Self::Rejected => "rejected",
        }
    }
}

/// Who did a step. Never shown outside publishing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Id of the access key; none at the command line.
    pub key: Option<String>,
    /// The office or person that the key was made for.
    pub holder: String,
}

impl Actor {
    /// Whether the two are one person: the same key, or keys of the same holder.
    fn is(&self, other: &Self) -> bool {
        (self.key.is_some() && self.key == other.key) || self.holder.trim() == other.holder.trim()
    }
}

/// What the submitter states of the reviews that the law asks for before publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviews {
    /// Review for state secrets: by which office, under which rule, with which result.
    pub secrecy: String,
    /// Review for personal data: the same.
    pub privacy: String,
}

/// A partition on its way to a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Made of dataset, partition, base and rows: the same draft made twice is one.
    pub id: String,
    /// Dataset.
    pub dataset: String,
    /// Partition.
    pub partition: String,
    /// Release that it would replace.
    pub base: Option<String>,
    /// Digest of its rows.
    pub content_sha256: String,
    /// Its rows.
    pub rows: u64,
    /// What kind of release it would be.
    pub kind: String,
    /// Why it is made.
    pub reason: String,
    /// How far it is.
    pub state: DraftState,
    /// What the checks find in it that is not `PASS`.
    pub findings: Vec<Finding>,
    /// Of these, errors that hold it back.
    pub blocking: Vec<Finding>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// By whom.
    pub made_by: Actor,
    /// When it was submitted.
    pub submitted_at: Option<DateTime<Utc>>,
    /// By whom.
    pub submitted_by: Option<Actor>,
    /// What they stated.
    pub reviews: Option<Reviews>,
    /// Why it shall go out although blocking checks found errors. Public with the release.
    pub open_findings_reason: Option<String>,
    /// When it was released or rejected.
    pub decided_at: Option<DateTime<Utc>>,
    /// By whom.
    pub decided_by: Option<Actor>,
    /// Why it was rejected.
    pub rejection: Option<String>,
    /// The release that it became.
    pub release: Option<String>,
}

/// Why a step is refused.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// No draft of that id.
    #[error("no draft {id:?}")]
    NotFound {
        /// What was asked for.
        id: String,
    },
    /// The step does not follow on its state.
    #[error("draft {id} is {found}, expected {expected}")]
    State {
        /// The draft.
        id: String,
        /// Its state.
        found: &'static str,
        /// What the step needs.
        expected: &'static str,
    },
    /// The same person on both sides.
    #[error("draft {id} was submitted with a key of the same holder; another person has to approve it")]
    SamePerson {
        /// The draft.
        id: String,
    },
    /// Blocking checks found errors, and nobody gave a public reason.
    #[error("draft {id} has {} errors of blocking checks: {}; mend the figures, or give open_findings_reason", findings.len(), named(findings))]
    Blocked {
        /// The draft.
        id: String,
        /// The errors.
        findings: Vec<Finding>,
    },
    /// A statement is empty.
    #[error("{field} is empty; expected a statement: which office reviewed, under which rule, with which result")]
    Empty {
        /// The field.
        field: &'static str,
    },
    /// The warehouse.
    #[error(transparent)]
    Lake(#[from] LakeError),
}

/// The checks of some findings, each once.
fn named(findings: &[Finding]) -> String {
    let mut checks: Vec<&str> = findings.iter().map(|finding| finding.check.as_str()).collect();
    checks.dedup();
    checks.join(", ")
}

fn path(id: &str) -> String {
    format!("{FOLDER}/{id}.json")
}

fn difference_path(id: &str) -> String {
    format!("{FOLDER}/{id}.difference.json")
}

impl Draft {
    /// Records what publishing would release. One that is there already under the same id is given back as it is.
    pub async fn make(
        store: &dyn Store,
        preview: &Preview,
        reason: &str,
        by: Actor,
        now: DateTime<Utc>,
    ) -> Result<Self, LakeError> {
        let release = &preview.release;
        let base = release.supersedes.map(|number| format!("{}.{number}", release.dataset));
        let parts =
            [&release.dataset, &release.partition, base.as_deref().unwrap_or_default(), &preview.content_sha256];
        let digest = hex::encode(Sha256::digest(parts.join("\n")));
        let id = format!("{}-{}", release.dataset, &digest[..12]);
        let draft = Self {
            dataset: release.dataset.clone(),
            partition: release.partition.clone(),
            base,
            content_sha256: preview.content_sha256.clone(),
            rows: release.rows,
            kind: release.kind.clone(),
            reason: reason.to_owned(),
            state: DraftState::Drafted,
            findings: preview.findings.clone(),
            blocking: preview.blocking.clone(),
            made_at: now,
            made_by: by,
            submitted_at: None,
            submitted_by: None,
            reviews: None,
            open_findings_reason: None,
            decided_at: None,
            decided_by: None,
            rejection: None,
            release: None,
            id,
        };
        if let Some(known) = read(store, &draft.id).await? {
            return Ok(known);
        }
        if let Some(difference) = &preview.difference {
            store.put(&difference_path(&draft.id), difference.clone()).await?;
        }
        draft.write(store).await?;
        Ok(draft)
    }

    async fn write(&self, store: &dyn Store) -> Result<(), LakeError> {
        let path = path(&self.id);
        let bytes = pointer::to_json(&path, self)?;
        Ok(store.put(&path, Bytes::from(bytes)).await?)
    }

    fn expect(&self, state: DraftState) -> Result<(), DraftError> {
        if self.state == state {
            return Ok(());
        }
        Err(DraftError::State { id: self.id.clone(), found: self.state.name(), expected: state.name() })
    }

    /// Puts it before an approver.
    pub async fn submit(
        mut self,
        store: &dyn Store,
        reviews: Reviews,
        open_findings_reason: Option<String>,
        (by, now): (Actor, DateTime<Utc>),
    ) -> Result<Self, DraftError> {
        // One that was sent back may be put forward again: the same rows, better reasons.
        if self.state != DraftState::Rejected {
            self.expect(DraftState::Drafted)?;
        }
        for (field, text) in [("secrecy", &reviews.secrecy), ("privacy", &reviews.privacy)] {
            if text.trim().is_empty() {
                return Err(DraftError::Empty { field });
            }
        }
        self.open_findings_reason = open_findings_reason.filter(|reason| !reason.trim().is_empty());
        self.state = DraftState::Submitted;
        self.submitted_at = Some(now);
        self.submitted_by = Some(by);
        self.reviews = Some(reviews);
        self.write(store).await?;
        Ok(self)
    }

    /// Whether somebody may approve it; `hold` says that blocking errors hold it back.
    pub fn check_approval(&self, by: &Actor, hold: crate::release::OnError) -> Result<(), DraftError> {
        self.expect(DraftState::Submitted)?;
        if self.submitted_by.as_ref().is_none_or(|submitter| submitter.is(by)) {
            return Err(DraftError::SamePerson { id: self.id.clone() });
        }
        let is_held = hold == crate::release::OnError::Hold && self.open_findings_reason.is_none();
        if is_held && !self.blocking.is_empty() {
            return Err(DraftError::Blocked { id: self.id.clone(), findings: self.blocking.clone() });
        }
        Ok(())
    }

    /// Records that it was released.
    pub async fn released(
        mut self,
        store: &dyn Store,
        release: String,
        (by, now): (Actor, DateTime<Utc>),
    ) -> Result<Self, LakeError> {
        self.state = DraftState::Released;
        self.decided_at = Some(now);
        self.decided_by = Some(by);
        self.release = Some(release);
        self.write(store).await?;
        Ok(self)
    }

    /// Sends it back with a reason.
    pub async fn reject(
        mut self,
        store: &dyn Store,
        reason: String,
        (by, now): (Actor, DateTime<Utc>),
    ) -> Result<Self, DraftError> {
        self.expect(DraftState::Submitted)?;
        if reason.trim().is_empty() {
            return Err(DraftError::Empty { field: "reason" });
        }
        self.state = DraftState::Rejected;
        self.decided_at = Some(now);
        self.decided_by = Some(by);
        self.rejection = Some(reason);
        self.write(store).await?;
        Ok(self)
    }

    /// What differs from the release that it would replace, as canonical JSON.
    pub async fn difference(&self, store: &dyn Store) -> Result<Option<Bytes>, LakeError> {
        Ok(store.read_optional(&difference_path(&self.id)).await?)
    }
}

async fn read(store: &dyn Store, id: &str) -> Result<Option<Draft>, LakeError> {
    let path = path(id);
    match store.read_optional(&path).await? {
        Some(bytes) => pointer::parse(&path, &bytes).map(Some),
        None => Ok(None),
    }
}

/// A draft by its id, which is looked up among those that are there and never joined to a path.
pub async fn find(store: &dyn Store, id: &str) -> Result<Draft, DraftError> {
    let known = list(store).await?;
    known
        .into_iter()
        .find(|draft| draft.id == id)
        .ok_or_else(|| DraftError::NotFound { id: id.chars().take(100).collect() })
}

/// Every draft, the newest first.
pub async fn list(store: &dyn Store) -> Result<Vec<Draft>, LakeError> {
    let mut drafts: Vec<Draft> = Vec::new();
    for file in store.list(FOLDER).await? {
        if !file.path.ends_with(".difference.json") {
            drafts.push(pointer::parse(&file.path, &store.read(&file.path).await?)?);
        }
    }
    drafts.sort_by(|a, b| (b.made_at, &a.id).cmp(&(a.made_at, &b.id)));
    Ok(drafts)
}
