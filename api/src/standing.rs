//! What a file is to the releases: current, superseded, withdrawn, or not one of them.

use std::fmt;

use gongkai_catalog::{Audience, Catalog};
use gongkai_warehouse::{ReleaseRecord, Snapshot};
use serde::Serialize;
use utoipa::ToSchema;

/// What a file with a given digest is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "standing")]
pub enum Standing {
    /// A file of a release that holds now.
    Current {
        /// `{dataset}.{number}`.
        release: String,
        /// Its name in the release.
        file: String,
    },
    /// A file of a release that another one replaced.
    Superseded {
        /// `{dataset}.{number}`.
        release: String,
        /// Its name in the release.
        file: String,
        /// The release that holds now, where there is one.
        by: Option<String>,
        /// Why the one after it was made.
        reason: Option<String>,
    },
    /// A file of a release that was taken back.
    Withdrawn {
        /// `{dataset}.{number}`.
        release: String,
        /// The withdrawal.
        by: String,
        /// Why.
        reason: String,
    },
    /// A department file that releases were made from.
    Source {
        /// Name under which it came.
        name: String,
    },
    /// No file of any release.
    Unknown,
}

/// Looks a digest up in all releases of datasets that everybody may see.
pub fn standing(catalog: &Catalog, snapshot: &Snapshot, sha256: &str) -> Standing {
    let is_public =
        |dataset: &str| catalog.datasets.get(dataset).is_some_and(|dataset| dataset.audience == Audience::Public);
    let file_of = |release: &ReleaseRecord| {
        if release.manifest_sha256 == sha256 {
            return Some("manifest.json".to_owned());
        }
        release.files.iter().find(|file| file.sha256 == sha256).map(|file| file.name.clone())
    };
    // The newest first: the same bytes may stand in several.
    for release in snapshot.releases.iter().rev().filter(|release| is_public(&release.dataset)) {
        let Some(file) = file_of(release) else { continue };
        if let Some(withdrawal) = snapshot.withdrawal_of(release) {
            return Standing::Withdrawn {
                release: release.id(),
                by: withdrawal.id(),
                reason: withdrawal.reason.clone(),
            };
        }
        if release.is_withdrawal() || snapshot.current_releases().any(|current| current.id() == release.id()) {
            return Standing::Current { release: release.id(), file };
        }
        let same = |other: &&ReleaseRecord| other.dataset == release.dataset && other.partition == release.partition;
        let next = snapshot.releases.iter().filter(same).find(|other| other.number > release.number);
        let by = snapshot.current_releases().find(same).map(ReleaseRecord::id);
        return Standing::Superseded { release: release.id(), file, by, reason: next.map(|next| next.reason.clone()) };
    }
    match snapshot.sources.iter().find(|source| source.sha256 == sha256) {
        Some(source) => Standing::Source { name: source.name.clone() },
        None => Standing::Unknown,
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current { release, file } => write!(f, "{file} of {release}, which holds now"),
            Self::Superseded { release, file, by, reason } => {
                write!(f, "{file} of {release}, superseded")?;
                if let Some(by) = by {
                    write!(f, " by {by}")?;
                }
                reason.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
            }
            Self::Withdrawn { release, by, reason } => write!(f, "of {release}, withdrawn by {by}: {reason}"),
            Self::Source { name } => write!(f, "the department file {name}, which releases were made from"),
            Self::Unknown => write!(f, "no file of any release"),
        }
    }
}
