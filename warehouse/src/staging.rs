//! What the inbox held and what was set aside, for those who work on it: never for the public.
//!
//! Made from the ledger on demand, for the local command and for keys of those who publish or approve. Raw text of what was set
//! aside may hold anything that a department typed.

use serde::Deserialize;

use crate::lake::LakeError;
use crate::lake::ledger::{self, LedgerEntry};
use crate::query::SearchPath;
use crate::store::Store;

/// Name of the schema in SQL.
pub(crate) const SCHEMA: &str = "staging";

/// Sources and what was set aside of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Staging {
    /// Every source of the ledger, in the order of paths.
    pub files: Vec<StagedFile>,
    /// Everything that was set aside, in the order of files and places.
    pub set_aside: Vec<StagedItem>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// Digest.
    pub sha256: String,
    /// Path below the inbox; the first, where the same bytes were found under several.
    pub path: String,
    /// Paths beyond the first.
    pub other_paths: u64,
    /// Format, found by content; none where it was not.
    pub format: Option<String>,
    /// Encoding of text.
    pub encoding: Option<String>,
    /// Feeds that read it.
    pub feed: Option<String>,
    /// `matched`, `unmatched`, `damaged` or `held`.
    pub status: &'static str,
    /// Why it is not matched, or what is notable about it.
    pub message: Option<String>,
    /// Counts of records and cells.
    pub counts: StagedCounts,
}

/// Counts of a source's report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StagedCounts {
    /// Source records.
    pub records_in: u64,
    /// Of these kept.
    pub records_kept: u64,
    /// Of these set aside.
    pub records_set_aside: u64,
    /// Value cells of the kept records.
    pub cells_in: u64,
    /// Of these with a figure.
    pub values: u64,
    /// Of these empty.
    pub missing: u64,
    /// Of these set aside.
    pub cells_set_aside: u64,
}

impl StagedCounts {
    fn add(&mut self, other: &Self) {
        self.records_in += other.records_in;
        self.records_kept += other.records_kept;
        self.records_set_aside += other.records_set_aside;
        self.cells_in += other.cells_in;
        self.values += other.values;
        self.missing += other.missing;
        self.cells_set_aside += other.cells_set_aside;
    }
}

/// One record or cell that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedItem {
    /// Digest of the source.
    pub sha256: String,
    /// Path below the inbox.
    pub path: String,
    /// Feed that set it aside.
    pub feed: String,
    /// What and where.
    pub item: SetAsideItem,
}

/// As the reader reported it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SetAsideItem {
    /// `record` or `cell`.
    pub kind: String,
    /// Sheet; none for text files.
    pub sheet: Option<String>,
    /// Address in the file.
    pub address: String,
    /// Row or line.
    pub row: u64,
    /// Header of the column.
    pub column: Option<String>,
    /// Reason.
    pub reason: String,
    /// What was found and what would have been accepted.
    pub message: String,
    /// Content.
    pub raw: String,
}

/// What staging needs of a reader's report; everything else in it is passed over.
#[derive(Debug, Deserialize)]
struct ReadReport {
    feed: String,
    #[serde(default)]
    totals: StagedCounts,
    #[serde(default)]
    set_aside: Vec<SetAsideItem>,
}

impl Staging {
    /// Whether a statement may name the schema; most do not, and need no ledger.
    pub fn may_be_named_in(sql: &str, path: &SearchPath) -> bool {
        sql.to_ascii_lowercase().contains(SCHEMA) || path.schemas().iter().any(|schema| schema == SCHEMA)
    }

    /// Reads the ledger of a warehouse.
    ///
    /// # Errors
    ///
    /// An entry of the ledger cannot be read.
    pub async fn read(store: &dyn Store) -> Result<Self, LakeError> {
        Ok(Self::of(ledger::read_all(store).await?))
    }

    fn of(mut entries: Vec<LedgerEntry>) -> Self {
        entries.sort_by(|a, b| (first_path(a), &a.source.sha256).cmp(&(first_path(b), &b.source.sha256)));
        let mut staging = Self::default();
        for entry in entries {
            let path = first_path(&entry).to_owned();
            let reports: Vec<ReadReport> = serde_json::from_value(entry.report).unwrap_or_default();
            let mut counts = StagedCounts::default();
            for report in reports {
                counts.add(&report.totals);
                staging.set_aside.extend(report.set_aside.into_iter().map(|item| StagedItem {
                    sha256: entry.source.sha256.clone(),
                    path: path.clone(),
                    feed: report.feed.clone(),
                    item,
                }));
            }
            let message: Vec<String> = entry.reasons.into_iter().chain(entry.notes).collect();
            staging.files.push(StagedFile {
                sha256: entry.source.sha256,
                path,
                other_paths: (entry.paths.len() as u64).saturating_sub(1),
                format: Some(entry.source.format).filter(|format| !format.is_empty()),
                encoding: entry.source.encoding,
                feed: Some(entry.source.feed).filter(|feed| !feed.is_empty()),
                status: entry.status.name(),
                message: (!message.is_empty()).then(|| message.join("\n")),
                counts,
            });
        }
        staging
    }
}

/// Entries of earlier versions name no path.
fn first_path(entry: &LedgerEntry) -> &str {
    entry.paths.first().map_or(entry.source.name.as_str(), String::as_str)
}
