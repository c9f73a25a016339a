//! What a run found, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;

use gongkai_ingest::personal::{Finding, Severity};
use gongkai_ingest::report::{Counts, Reason, Report};
use serde::Serialize;

use super::drift::Drift;
use crate::text::{self, Aligned};

/// Rows set aside that are listed for a file; the rest is counted, and all are in `staging.set_aside`.
const LISTED: usize = 5;

/// What became of one file.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// Read and normalised in this run.
    Read {
        /// The feed, or several joined by a comma.
        feed: String,
        /// Encoding of text.
        encoding: Option<String>,
        /// Things to know about the file.
        warnings: Vec<String>,
        /// What became of its records.
        reports: Vec<Report>,
        /// How its headers differ from those of the file before.
        drift: Vec<Drift>,
        /// Whether its rows changed a table.
        changed: bool,
    },
    /// Read in an earlier run under the same declarations, or the same bytes under another name.
    Known {
        /// The feed, or several joined by a comma.
        feed: String,
        /// What became of its records then.
        counts: Counts,
        /// The report of that run.
        #[serde(skip)]
        reports: Vec<Report>,
    },
    /// Personal data in it keeps its rows back until the file, or its audience, is another.
    Held {
        /// The feed.
        feed: String,
        /// What was found, without the values.
        personal: Vec<Finding>,
    },
    /// No feed reads it.
    Unmatched {
        /// Format, found by content.
        format: String,
        /// Why the nearest feeds do not read it.
        reasons: Vec<String>,
    },
    /// Feeds read it that were not asked for.
    NotAsked {
        /// These feeds.
        feeds: Vec<String>,
    },
    /// It cannot be read.
    Damaged {
        /// What was found, where, and what would have been accepted.
        message: String,
    },
    /// An archive, whose files are listed with it as their folder.
    Unpacked {
        /// How many they are.
        files: u64,
    },
    /// Not a regular file at rest.
    Skipped {
        /// Why it was not read.
        reason: String,
    },
}

/// One file of the inbox.
#[derive(Debug, Clone, Serialize)]
pub struct FileSummary {
    /// Path below the inbox.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Digest; none where it was not opened.
    pub sha256: Option<String>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What the files of one feed came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FeedSummary {
    /// The feed.
    pub feed: String,
    /// Files that it reads.
    pub files: u64,
    /// Of these read in an earlier run.
    pub files_known: u64,
    /// Records and cells.
    pub counts: Counts,
    /// Why records and cells were set aside, and how many for each reason.
    pub set_aside: BTreeMap<Reason, u64>,
}

/// What a run over an inbox found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IngestSummary {
    /// Whether the run only showed what it would do.
    pub is_dry_run: bool,
    /// Every feed that read a file, in the order of names.
    pub feeds: Vec<FeedSummary>,
    /// Every file, in the order of paths.
    pub files: Vec<FileSummary>,
    /// Files stored for the first time.
    pub landed: u64,
    /// Commits to normalised tables.
    pub commits: u64,
}

impl FileSummary {
    /// Whether the file, or part of it, could not be taken.
    pub fn is_at_fault(&self) -> bool {
        match &self.outcome {
            Outcome::Damaged { .. } | Outcome::Held { .. } => true,
            Outcome::Read { reports, .. } => !reports.iter().all(|report| report.set_aside.is_empty()),
            Outcome::Known { counts, .. } => counts.records_set_aside + counts.cells_set_aside > 0,
            Outcome::Unmatched { .. }
            | Outcome::NotAsked { .. }
            | Outcome::Unpacked { .. }
            | Outcome::Skipped { .. } => false,
        }
    }

    fn reports(&self) -> (&[Report], u64) {
        match &self.outcome {
            Outcome::Read { reports, .. } => (reports, 0),
            Outcome::Known { reports, .. } => (reports, 1),
            _ => (&[], 0),
        }
    }
}

impl IngestSummary {
    /// Whether any file, or part of one, could not be taken.
    pub fn is_at_fault(&self) -> bool {
        self.files.iter().any(FileSummary::is_at_fault)
    }

    /// Orders the files and sums them up by feed.
    pub(super) fn finish(&mut self) {
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut feeds: BTreeMap<String, FeedSummary> = BTreeMap::new();
        for file in &self.files {
            let (reports, known) = file.reports();
            for report in reports {
                let feed = feeds.entry(report.feed.clone()).or_default();
                feed.feed.clone_from(&report.feed);
                feed.files += 1;
                feed.files_known += known;
                feed.counts.add(&report.totals);
                for item in &report.set_aside {
                    *feed.set_aside.entry(item.reason).or_default() += 1;
                }
            }
        }
        self.feeds = feeds.into_values().collect();
    }

    fn write_feeds(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Aligned::new(&["feed", "files", "records in", "kept", "set aside"]);
        for feed in &self.feeds {
            let counts = &feed.counts;
            table.row(&[
                feed.feed.clone(),
                feed.files.to_string(),
                counts.records_in.to_string(),
                counts.records_kept.to_string(),
                counts.records_set_aside.to_string(),
            ]);
        }
        write!(f, "{table}")?;
        for feed in &self.feeds {
            let Counts { cells_in, values, missing, cells_set_aside, .. } = feed.counts;
            let line = format!(
                "{}: {cells_in} cells = {values} values + {missing} missing + {cells_set_aside} set aside",
                feed.feed
            );
            write!(f, "{}", text::wrapped(&line, "", "  "))?;
            if !feed.set_aside.is_empty() {
                let reasons: Vec<String> =
                    feed.set_aside.iter().map(|(reason, count)| format!("{count} {}", reason_name(*reason))).collect();
                write!(f, "{}", text::wrapped(&format!("set aside: {}", reasons.join(", ")), "  ", "    "))?;
            }
        }
        Ok(())
    }
}

/// The code of a reason, as in SQL and JSON.
fn reason_name(reason: Reason) -> String {
    serde_json::to_value(reason).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

impl fmt::Display for IngestSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.feeds.is_empty() {
            self.write_feeds(f)?;
        }
        for file in &self.files {
            write_file(f, file)?;
        }
        let mut unmatched = 0;
        let mut not_asked = 0;
        for file in &self.files {
            match &file.outcome {
                Outcome::Damaged { message } => {
                    write!(f, "{}", text::wrapped(&format!("not readable: {}: {message}", file.path), "", "  "))?;
                }
                Outcome::Held { personal, .. } => write_held(f, &file.path, personal)?,
                Outcome::Skipped { reason } => {
                    write!(f, "{}", text::wrapped(&format!("skipped: {}: {reason}", file.path), "", "  "))?;
                }
                Outcome::Unpacked { files } => {
                    write!(f, "{}", text::wrapped(&format!("unpacked: {}: {files} files", file.path), "", "  "))?;
                }
                Outcome::Unmatched { .. } => unmatched += 1,
                Outcome::NotAsked { .. } => not_asked += 1,
                Outcome::Read { .. } | Outcome::Known { .. } => {}
            }
        }
        if unmatched > 0 {
            writeln!(f, "no feed reads: {unmatched} files (`gongkai inspect FILE` says why)")?;
            for file in &self.files {
                if let Outcome::Unmatched { format, .. } = &file.outcome {
                    write!(f, "{}", text::wrapped(&format!("{} ({format})", file.path), "  ", "    "))?;
                }
            }
        }
        if not_asked > 0 {
            writeln!(f, "read by feeds that were not asked for: {not_asked} files")?;
        }
        if self.is_dry_run {
            return writeln!(f, "dry run: nothing was written");
        }
        writeln!(f, "{} files landed, {} commits to normalised tables", self.landed, self.commits)
    }
}

/// Counts by kind, then the places that hold the file back.
fn write_held(f: &mut fmt::Formatter<'_>, path: &str, personal: &[Finding]) -> fmt::Result {
    let blocking = || personal.iter().filter(|finding| finding.severity == Severity::Block);
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in blocking() {
        *kinds.entry(finding.kind.name()).or_default() += finding.count;
    }
    let counts: Vec<String> = kinds.into_iter().map(|(kind, count)| format!("{kind} ({count})")).collect();
    let line = format!("held for personal data, no rows taken: {path}: {}", counts.join(", "));
    write!(f, "{}", text::wrapped(&line, "", "  "))?;
    for finding in blocking().take(LISTED) {
        write!(f, "{}", text::wrapped(&finding.to_string(), "  ", "    "))?;
    }
    let rest = blocking().count().saturating_sub(LISTED);
    if rest > 0 {
        writeln!(f, "  … and {rest} more places; `--format json` lists all")?;
    }
    Ok(())
}

/// What is notable about a file; one in order says nothing.
fn write_file(f: &mut fmt::Formatter<'_>, file: &FileSummary) -> fmt::Result {
    let (reports, _) = file.reports();
    let mut notes: Vec<String> = Vec::new();
    if let Outcome::Read { encoding, warnings, drift, .. } = &file.outcome {
        notes.extend(drift.iter().map(|drift| format!("warning: {drift}")));
        let is_notable = |encoding: &&String| !encoding.starts_with("utf-8");
        notes.extend(encoding.iter().filter(is_notable).map(|encoding| format!("encoding {encoding}")));
        notes.extend(warnings.iter().map(|warning| format!("note: {warning}")));
    }
    let set_aside: Vec<_> = reports.iter().flat_map(|report| &report.set_aside).collect();
    for item in set_aside.iter().take(LISTED) {
        let sheet = item.sheet.as_deref().map(|sheet| format!("{sheet}!")).unwrap_or_default();
        notes.push(format!("set aside {sheet}{}: {}", item.address, item.message));
    }
    if set_aside.len() > LISTED {
        notes.push(format!("… and {} more in staging.set_aside", set_aside.len() - LISTED));
    }
    if notes.is_empty() {
        return Ok(());
    }
    writeln!(f, "{}", file.path)?;
    notes.iter().try_for_each(|note| write!(f, "{}", text::wrapped(note, "  ", "    ")))
}
