//! What a run found, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;

use gongkai_ingest::personal::{Finding, Severity};
use gongkai_ingest::report::{Counts, Report};
use serde::Serialize;

/// Rows set aside that are listed for a file; the rest is counted, and all are in the ledger.
const LISTED: usize = 5;

/// What became of one file.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// Read and normalised in this run.
    Read {
        /// The feed.
        feed: String,
        /// Encoding of text.
        encoding: Option<String>,
        /// Things to know about the file.
        warnings: Vec<String>,
        /// What became of its records.
        reports: Vec<Report>,
        /// Whether its rows changed a table.
        changed: bool,
    },
    /// Read in an earlier run under the same declarations, or the same bytes under another name.
    Known {
        /// The feed.
        feed: String,
        /// What became of its records then.
        counts: Counts,
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
        /// Why each feed does not read it.
        reasons: Vec<String>,
    },
    /// It cannot be read.
    Damaged {
        /// What was found, where, and what would have been accepted.
        message: String,
    },
    /// Not a regular file.
    Skipped {
        /// Why it was not opened.
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

/// What a run over an inbox found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IngestSummary {
    /// Every file, in the order of paths.
    pub files: Vec<FileSummary>,
    /// Files stored for the first time.
    pub landed: u64,
    /// Commits to normalised tables.
    pub commits: u64,
}

fn counts_of(reports: &[Report]) -> Counts {
    let mut counts = Counts::default();
    for report in reports {
        counts.add(&report.totals);
    }
    counts
}

impl FileSummary {
    /// Whether the file, or part of it, could not be taken.
    pub fn is_at_fault(&self) -> bool {
        match &self.outcome {
            Outcome::Damaged { .. } | Outcome::Held { .. } => true,
            Outcome::Read { reports, .. } => !reports.iter().all(|report| report.set_aside.is_empty()),
            Outcome::Known { counts, .. } => counts.records_set_aside + counts.cells_set_aside > 0,
            Outcome::Unmatched { .. } | Outcome::Skipped { .. } => false,
        }
    }

    fn feed_counts(&self) -> Option<(&str, Counts)> {
        match &self.outcome {
            Outcome::Read { feed, reports, .. } => Some((feed, counts_of(reports))),
            Outcome::Known { feed, counts } => Some((feed, *counts)),
            _ => None,
        }
    }
}

impl IngestSummary {
    /// Whether any file, or part of one, could not be taken.
    pub fn is_at_fault(&self) -> bool {
        self.files.iter().any(FileSummary::is_at_fault)
    }

    fn of_kind(&self, wanted: impl Fn(&Outcome) -> bool) -> impl Iterator<Item = &FileSummary> {
        self.files.iter().filter(move |file| wanted(&file.outcome))
    }
}

/// Two lines that each fit a terminal of 80 columns.
fn write_counts(f: &mut fmt::Formatter<'_>, indent: &str, counts: &Counts) -> fmt::Result {
    let Counts { records_in, records_kept, records_set_aside, cells_in, values, missing, cells_set_aside } = counts;
    writeln!(f, "{indent}{records_in} records in = {records_kept} kept + {records_set_aside} set aside")?;
    writeln!(f, "{indent}{cells_in} cells = {values} values + {missing} missing + {cells_set_aside} set aside")
}

impl fmt::Display for IngestSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut feeds: Vec<&str> = self.files.iter().filter_map(|file| Some(file.feed_counts()?.0)).collect();
        feeds.sort_unstable();
        feeds.dedup();
        for feed in feeds {
            let of_feed: Vec<(&FileSummary, Counts)> = self
                .files
                .iter()
                .filter_map(|file| file.feed_counts().filter(|(id, _)| *id == feed).map(|(_, counts)| (file, counts)))
                .collect();
            let mut totals = Counts::default();
            of_feed.iter().for_each(|(_, counts)| totals.add(counts));
            writeln!(f, "feed {feed}: {} files", of_feed.len())?;
            write_counts(f, "  ", &totals)?;
            for (file, counts) in of_feed {
                write_file(f, file, counts)?;
            }
        }
        let damaged: Vec<&FileSummary> = self.of_kind(|outcome| matches!(outcome, Outcome::Damaged { .. })).collect();
        if !damaged.is_empty() {
            writeln!(f, "not readable: {} files", damaged.len())?;
            for file in damaged {
                if let Outcome::Damaged { message } = &file.outcome {
                    writeln!(f, "  {}: {message}", file.path)?;
                }
            }
        }
        let held: Vec<&FileSummary> = self.of_kind(|outcome| matches!(outcome, Outcome::Held { .. })).collect();
        if !held.is_empty() {
            writeln!(f, "held for personal data, no rows taken: {} files", held.len())?;
            for file in held {
                if let Outcome::Held { personal, .. } = &file.outcome {
                    write_held(f, &file.path, personal)?;
                }
            }
        }
        let unmatched: Vec<&FileSummary> =
            self.of_kind(|outcome| matches!(outcome, Outcome::Unmatched { .. })).collect();
        if !unmatched.is_empty() {
            writeln!(f, "no feed reads: {} files (`gongkai inspect FILE` says why)", unmatched.len())?;
            for file in unmatched {
                if let Outcome::Unmatched { format, .. } = &file.outcome {
                    writeln!(f, "  {} ({format})", file.path)?;
                }
            }
        }
        for file in self.of_kind(|outcome| matches!(outcome, Outcome::Skipped { .. })) {
            if let Outcome::Skipped { reason } = &file.outcome {
                writeln!(f, "skipped {}: {reason}", file.path)?;
            }
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
    writeln!(f, "  {path}: {}", counts.join(", "))?;
    for finding in blocking().take(LISTED) {
        writeln!(f, "      {finding}")?;
    }
    let rest = blocking().count().saturating_sub(LISTED);
    if rest > 0 {
        writeln!(f, "      … and {rest} more places; `--format json` lists all")?;
    }
    Ok(())
}

fn write_file(f: &mut fmt::Formatter<'_>, file: &FileSummary, counts: Counts) -> fmt::Result {
    let known = if matches!(file.outcome, Outcome::Known { .. }) { " (read before)" } else { "" };
    writeln!(f, "    {}{known}", file.path)?;
    write_counts(f, "      ", &counts)?;
    let Outcome::Read { encoding, warnings, reports, .. } = &file.outcome else { return Ok(()) };
    if let Some(encoding) = encoding.as_deref().filter(|encoding| !encoding.starts_with("utf-8")) {
        writeln!(f, "      encoding {encoding}")?;
    }
    for warning in warnings {
        writeln!(f, "      note: {warning}")?;
    }
    let set_aside: Vec<_> = reports.iter().flat_map(|report| &report.set_aside).collect();
    for item in set_aside.iter().take(LISTED) {
        let sheet = item.sheet.as_deref().map(|sheet| format!("{sheet}!")).unwrap_or_default();
        writeln!(f, "      set aside {sheet}{}: {}", item.address, item.message)?;
    }
    if set_aside.len() > LISTED {
        writeln!(f, "      … and {} more; `--format json` lists all", set_aside.len() - LISTED)?;
    }
    Ok(())
}
