//! Files of an inbox into normalised rows.
//!
//! A file that a feed reads, or that cannot be read, is stored as it came before its rows are committed, and
//! recorded after. Whatever is killed in between is done again and comes out the same. A file that no feed
//! reads stays where it is; the ledger remembers it, so that it is parsed again only when declarations change.
//!
//! Files are read by several processes at once and taken in the order of their paths: what comes out does not depend
//! on how many read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use gongkai_ingest::report::{Counts, Report};
use gongkai_ingest::source::{OpenError, SIDE_FILE_SUFFIX, find_files_with_skipped, read_regular, read_side_file};
use gongkai_ingest::{InboxFile, Limits, SideFile, is_archive};
use gongkai_warehouse::SourceRecord;
use gongkai_warehouse::lake::slice::{Changes, NormalisedTable};
use gongkai_warehouse::lake::{LakeError, LedgerEntry, Part, SliceKey, SourceStatus, ledger};
use gongkai_warehouse::store::Put;
use sha2::{Digest, Sha256};

use super::drift::{self, Past};
use super::summary::{FileSummary, IngestSummary, Outcome};
use super::{PipelineError, Writing};
use crate::instance::Instance;
use crate::worker::reader::{Finding, ReadFile, ReaderProcess, StreamHead};
use crate::worker::readers::{Answer, Readers};

/// Rows after which the parts that are written are committed.
const COMMIT_ROWS: u64 = 4_000_000;
/// Bytes of files that wait to be read or taken.
const WAITING_BYTES: usize = 512 << 20;
/// Files that wait for each reader.
const WAITING_FILES: usize = 3;

/// Where the files are.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// A folder, or one file.
    pub path: PathBuf,
    /// Feeds to read; none means all.
    pub feeds: Option<Vec<String>>,
    /// Paths below the inbox that are taken; none means all.
    pub ready: Option<BTreeSet<String>>,
}

/// Whether a run may write.
#[derive(Clone, Copy)]
pub enum Access<'a> {
    /// It holds the writer lock.
    Write(&'a Writing),
    /// It reads and reports only.
    DryRun,
}

/// Hears how far a run is.
pub trait Progress: Send {
    /// The number of files.
    fn start(&mut self, files: usize);
    /// A file is taken up.
    fn file(&mut self, path: &str);
    /// Everything is committed.
    fn finish(&mut self);
}

/// A file that was read and whose rows are not committed yet.
struct Pending {
    position: usize,
    entry: LedgerEntry,
}

/// A file whose turn comes.
struct Ticket {
    file: InboxFile,
    sha256: Option<String>,
    bytes: Bytes,
    before: Option<LedgerEntry>,
    step: Step,
}

/// What is still to be done for a file.
enum Step {
    /// Nothing.
    Settled(Outcome),
    /// The same bytes came earlier in this run.
    Repeat,
    /// A reader has it.
    Reading(Answer),
    /// It is read.
    Read(ReadFile),
}

struct Run<'a> {
    instance: &'a Instance,
    access: Access<'a>,
    inbox: &'a Inbox,
    readers: Arc<Readers>,
    unpacker: ReaderProcess,
    summary: IngestSummary,
    /// What the next commit of each table changes.
    changes: BTreeMap<String, Changes>,
    /// Rows in it.
    held: u64,
    pending: Vec<Pending>,
    /// Digests that were given to a reader in this run.
    asked: BTreeSet<String>,
    /// Headers of the files before; read when the first is needed.
    past: Option<Vec<Past>>,
}

/// Lands and reads every file of an inbox.
///
/// # Errors
///
/// The inbox, the warehouse or the reading processes are at fault; a file never is.
pub async fn ingest(
    instance: &Instance,
    access: Access<'_>,
    inbox: &Inbox,
    progress: &mut dyn Progress,
) -> Result<IngestSummary, PipelineError> {
    check_feeds(instance, inbox)?;
    let (mut files, skipped) = find_files_with_skipped(&inbox.path)?;
    if let Some(ready) = &inbox.ready {
        files.retain(|file| ready.contains(&file.relative));
    }
    let mut run = Run {
        instance,
        access,
        inbox,
        readers: instance.readers(),
        unpacker: ReaderProcess::with_limits(instance.config.definitions.clone(), &instance.config.ingest),
        summary: IngestSummary { is_dry_run: matches!(access, Access::DryRun), ..IngestSummary::default() },
        changes: BTreeMap::new(),
        held: 0,
        pending: Vec::new(),
        asked: BTreeSet::new(),
        past: None,
    };
    progress.start(files.len());
    let mut waiting: VecDeque<Ticket> = VecDeque::new();
    for file in files {
        waiting.extend(run.take_up(file).await?);
        while run.is_full(&waiting)
            && let Some(ticket) = waiting.pop_front()
        {
            run.settle(ticket, progress).await?;
        }
    }
    while let Some(ticket) = waiting.pop_front() {
        run.settle(ticket, progress).await?;
    }
    run.commit().await?;
    if inbox.ready.is_none() {
        run.summary.files.extend(skipped.into_iter().map(|file| FileSummary {
            path: file.relative,
            bytes: 0,
            sha256: None,
            outcome: Outcome::Skipped { reason: file.reason.to_owned() },
        }));
    }
    run.summary.finish();
    progress.finish();
    Ok(run.summary)
}

fn check_feeds(instance: &Instance, inbox: &Inbox) -> Result<(), PipelineError> {
    let feeds = &instance.definitions.feeds;
    match inbox.feeds.iter().flatten().find(|name| feeds.get(name).is_none()) {
        Some(name) => Err(PipelineError::UnknownFeed {
            name: name.clone(),
            declared: feeds.iter().map(|feed| feed.id.as_str()).collect::<Vec<_>>().join(", "),
        }),
        None => Ok(()),
    }
}

impl Run<'_> {
    fn is_full(&self, waiting: &VecDeque<Ticket>) -> bool {
        let bytes: usize = waiting.iter().map(|ticket| ticket.bytes.len()).sum();
        waiting.len() > self.readers.count() * WAITING_FILES || bytes > WAITING_BYTES
    }

    /// Reads a file's bytes and gives them to a reader, unless it is known. An archive is its files.
    async fn take_up(&mut self, file: InboxFile) -> Result<Vec<Ticket>, PipelineError> {
        let read = tokio::task::block_in_place(|| read_regular(&file.path, Limits::default().file_bytes));
        let bytes = match read {
            Ok(bytes) => Bytes::from(bytes),
            Err(error) => {
                let message = error.to_string();
                let outcome = match error {
                    OpenError::TooLarge { .. } | OpenError::Unreadable(_) => Outcome::Damaged { message },
                    _ => Outcome::Skipped { reason: message },
                };
                return Ok(vec![Ticket {
                    file,
                    sha256: None,
                    bytes: Bytes::new(),
                    before: None,
                    step: Step::Settled(outcome),
                }]);
            }
        };
        let sha256 = hex::encode(Sha256::digest(&bytes));
        if !is_archive(&bytes) || self.is_known(&file, &sha256).await? {
            return Ok(vec![self.hand_out(file, sha256, bytes).await?]);
        }
        let unpacked = tokio::task::block_in_place(|| self.unpacker.unpack(&file.relative, &bytes))?;
        let members = match unpacked {
            Ok(members) => members,
            Err(finding) => {
                let before = ledger::read(self.instance.warehouse.store().as_ref(), &sha256).await?;
                let step = Step::Read(ReadFile { finding, parts: Vec::new() });
                return Ok(vec![Ticket { file, sha256: Some(sha256), bytes, before, step }]);
            }
        };
        let members: Vec<_> = members.into_iter().filter(|member| !member.path.ends_with(SIDE_FILE_SUFFIX)).collect();
        let step = Step::Settled(Outcome::Unpacked { files: members.len() as u64 });
        let mut tickets =
            vec![Ticket { file: file.clone(), sha256: Some(sha256), bytes: Bytes::new(), before: None, step }];
        for member in members {
            // What stands beside the archive is said of each of its files.
            let inside = InboxFile {
                relative: format!("{}/{}", file.relative, member.path),
                bytes_len: member.bytes.len() as u64,
                ..file.clone()
            };
            let digest = hex::encode(Sha256::digest(&member.bytes));
            tickets.push(self.hand_out(inside, digest, Bytes::from(member.bytes)).await?);
        }
        Ok(tickets)
    }

    /// Whether a file was found to be something under these declarations.
    async fn is_known(&self, file: &InboxFile, sha256: &str) -> Result<bool, PipelineError> {
        let entry = ledger::read(self.instance.warehouse.store().as_ref(), sha256).await?;
        Ok(entry.is_some_and(|entry| entry.holds(&self.instance.definitions.sha256, &file.relative)))
    }

    /// Gives a file to a reader, unless it is known.
    async fn hand_out(&mut self, file: InboxFile, sha256: String, bytes: Bytes) -> Result<Ticket, PipelineError> {
        let before = ledger::read(self.instance.warehouse.store().as_ref(), &sha256).await?;
        let known = before.as_ref().filter(|entry| entry.holds(&self.instance.definitions.sha256, &file.relative));
        let step = match known {
            Some(entry) => Step::Settled(known_outcome(entry)),
            None if !self.asked.insert(sha256.clone()) => Step::Repeat,
            None => Step::Reading(self.readers.read(&file.relative, &sha256, bytes.clone())),
        };
        Ok(Ticket { file, sha256: Some(sha256), bytes, before, step })
    }

    /// Takes a file in its turn.
    async fn settle(&mut self, ticket: Ticket, progress: &mut dyn Progress) -> Result<(), PipelineError> {
        let Ticket { file, sha256, bytes, before, step } = ticket;
        progress.file(&file.relative);
        let outcome = match (step, &sha256) {
            (Step::Settled(outcome), _) => outcome,
            (Step::Reading(answer), Some(sha256)) => {
                let read = answer.await.map_err(|_| PipelineError::ReaderThread)??;
                self.take(&file, sha256, bytes, before, read).await?
            }
            (Step::Read(read), Some(sha256)) => self.take(&file, sha256, bytes, before, read).await?,
            (Step::Repeat, Some(sha256)) => self.repeat(&file, sha256, bytes).await?,
            (_, None) => Outcome::Skipped { reason: OpenError::Gone.to_string() },
        };
        self.summary.files.push(FileSummary { path: file.relative.clone(), bytes: file.bytes_len, sha256, outcome });
        if self.held > COMMIT_ROWS {
            self.commit().await?;
        }
        Ok(())
    }

    /// The same bytes as an earlier file of this run. What no feed reads is tried again under the other path.
    async fn repeat(&mut self, file: &InboxFile, sha256: &str, bytes: Bytes) -> Result<Outcome, PipelineError> {
        let held = self.pending.iter().position(|pending| pending.entry.source.sha256 == sha256);
        let entry = match held {
            Some(at) => Some(self.pending[at].entry.clone()),
            None => ledger::read(self.instance.warehouse.store().as_ref(), sha256).await?,
        };
        if let Some(entry) = entry.as_ref().filter(|entry| entry.status != SourceStatus::Unmatched) {
            if let Some(at) = held {
                self.pending[at].entry.paths.insert(file.relative.clone());
            }
            return Ok(known_outcome(entry));
        }
        let answer = self.readers.read(&file.relative, sha256, bytes.clone());
        let read = answer.await.map_err(|_| PipelineError::ReaderThread)??;
        if let Some(at) = held {
            self.pending.remove(at);
        }
        self.take(file, sha256, bytes, entry, read).await
    }

    /// What a file turned out to be, recorded with what it gives.
    async fn take(
        &mut self,
        file: &InboxFile,
        sha256: &str,
        bytes: Bytes,
        before: Option<LedgerEntry>,
        read: ReadFile,
    ) -> Result<Outcome, PipelineError> {
        let ReadFile { finding, parts } = read;
        let mut entry = self.blank_entry(file, sha256, bytes.len() as u64, before.as_ref());
        match finding {
            Finding::Unmatched { format, reasons } => {
                if let Some(before) = &before {
                    self.vacate(sha256, &before.slices, &[])?;
                }
                entry.source.format.clone_from(&format);
                entry.status = SourceStatus::Unmatched;
                entry.reasons.clone_from(&reasons);
                self.record(entry);
                Ok(Outcome::Unmatched { format, reasons })
            }
            Finding::Damaged { message } => {
                if let Some(before) = &before {
                    self.vacate(sha256, &before.slices, &[])?;
                }
                self.damaged(entry, bytes, message).await
            }
            // Memory and time differ from run to run: it is tried again, and what it gave before stays.
            Finding::Lost { message } if before.as_ref().is_some_and(|before| !before.slices.is_empty()) => {
                Ok(Outcome::Damaged { message })
            }
            Finding::Lost { message } => {
                entry.declarations_sha256 = String::new();
                self.damaged(entry, bytes, message).await
            }
            Finding::Matched { streams, .. }
                if !is_wanted(streams.iter().map(|s| s.report.feed.as_str()), self.inbox) =>
            {
                Ok(Outcome::NotAsked { feeds: streams.into_iter().map(|stream| stream.report.feed).collect() })
            }
            Finding::Held { feeds, .. } if !is_wanted(feeds.iter().map(String::as_str), self.inbox) => {
                Ok(Outcome::NotAsked { feeds })
            }
            Finding::Held { format, encoding, feeds, personal } => {
                self.land(sha256, bytes).await?;
                if let Some(before) = &before {
                    self.vacate(sha256, &before.slices, &[])?;
                }
                let feed = feeds.join(", ");
                entry.source = SourceRecord { feed: feed.clone(), format, encoding, ..entry.source };
                entry.status = SourceStatus::Held;
                entry.reasons = personal.iter().map(ToString::to_string).collect();
                entry.personal = serde_json::to_value(&personal).unwrap_or_default();
                self.record(entry);
                Ok(Outcome::Held { feed, personal })
            }
            Finding::Matched { format, encoding, is_public, mut warnings, personal, streams } => {
                self.land(sha256, bytes).await?;
                let side = read_side_file(&file.path)?.unwrap_or_default();
                let reports: Vec<Report> = streams.iter().map(|stream| stream.report.clone()).collect();
                let slices = self.hold(sha256, &streams, parts).await?;
                if let Some(before) = &before {
                    self.vacate(sha256, &before.slices, &slices)?;
                }
                let headers = drift::headers(&reports);
                let drift = drift::compare(sha256, &slices, &headers, self.past().await?);
                let mut counts = Counts::default();
                reports.iter().for_each(|report| counts.add(&report.totals));
                let feed = streams.iter().map(|stream| stream.report.feed.as_str()).collect::<Vec<_>>().join(", ");
                entry.source = SourceRecord {
                    feed: feed.clone(),
                    format,
                    encoding: encoding.clone(),
                    rows_in: counts.records_in,
                    rows_kept: counts.records_kept,
                    rows_set_aside: counts.records_set_aside,
                    is_public,
                    origin: side.origin.as_ref().map(|origin| origin.zh.clone()),
                    is_synthetic: side.is_synthetic,
                    ..entry.source
                };
                if !personal.is_empty() {
                    entry.personal = serde_json::to_value(&personal).unwrap_or_default();
                }
                warnings.extend(personal.iter().map(|finding| format!("may be personal data: {finding}")));
                entry.slices = slices;
                entry.published_at = published_at(&side);
                entry.report = serde_json::to_value(&reports).unwrap_or_default();
                entry.headers = headers;
                entry.notes = drift.iter().map(|drift| format!("{}: {drift}", entry.source.name)).collect();
                let past = Past::of(&entry);
                self.past.get_or_insert_default().push(past);
                self.record(entry);
                Ok(Outcome::Read { feed, encoding, warnings, reports, drift, changed: false })
            }
        }
    }

    async fn damaged(
        &mut self,
        mut entry: LedgerEntry,
        bytes: Bytes,
        message: String,
    ) -> Result<Outcome, PipelineError> {
        let sha256 = entry.source.sha256.clone();
        self.land(&sha256, bytes).await?;
        entry.status = SourceStatus::Damaged;
        entry.reasons = vec![message.clone()];
        self.record(entry);
        Ok(Outcome::Damaged { message })
    }

    /// An entry that says what is known before a file is read.
    fn blank_entry(&self, file: &InboxFile, sha256: &str, bytes: u64, before: Option<&LedgerEntry>) -> LedgerEntry {
        let name = file.relative.rsplit('/').next().unwrap_or(&file.relative).to_owned();
        let mut paths = before.map(|entry| entry.paths.clone()).unwrap_or_default();
        paths.insert(file.relative.clone());
        LedgerEntry {
            source: SourceRecord {
                sha256: sha256.to_owned(),
                name,
                bytes,
                landed_at: before.map_or_else(|| self.instance.clock.now(), |entry| entry.source.landed_at),
                feed: String::new(),
                format: String::new(),
                encoding: None,
                rows_in: 0,
                rows_kept: 0,
                rows_set_aside: 0,
                is_public: false,
                origin: None,
                is_synthetic: false,
            },
            status: SourceStatus::Matched,
            paths,
            declarations_sha256: self.instance.definitions.sha256.clone(),
            slices: Vec::new(),
            published_at: None,
            report: serde_json::Value::Array(Vec::new()),
            personal: serde_json::Value::Null,
            reasons: Vec::new(),
            headers: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn record(&mut self, entry: LedgerEntry) {
        self.pending.push(Pending { position: self.summary.files.len(), entry });
    }

    async fn past(&mut self) -> Result<&[Past], PipelineError> {
        if self.past.is_none() {
            let entries = ledger::read_all(self.instance.warehouse.store().as_ref()).await?;
            let mut past: Vec<Past> = entries.iter().map(Past::of).collect();
            past.extend(self.pending.iter().map(|pending| Past::of(&pending.entry)));
            self.past = Some(past);
        }
        Ok(self.past.as_deref().unwrap_or_default())
    }

    async fn land(&mut self, sha256: &str, bytes: Bytes) -> Result<(), PipelineError> {
        if let Access::Write(_) = self.access {
            let path = format!("sources/{}/{sha256}", &sha256[..2]);
            let put = self.instance.warehouse.store().put_if_absent(&path, bytes).await;
            if put.map_err(LakeError::from)? == Put::Created {
                self.summary.landed += 1;
            }
        }
        Ok(())
    }

    /// Writes the parts of a file for the next commit; gives the slices they belong to.
    async fn hold(
        &mut self,
        sha256: &str,
        streams: &[StreamHead],
        parts: Vec<Vec<Part>>,
    ) -> Result<Vec<(String, String)>, PipelineError> {
        let mut slices = BTreeSet::new();
        let mut changes: BTreeMap<String, Changes> = BTreeMap::new();
        let warehouse = &self.instance.warehouse;
        for (stream, parts) in streams.iter().zip(parts) {
            let table = &warehouse.dataset(&stream.dataset)?.table;
            for part in parts {
                let key = SliceKey { dataset: stream.dataset.clone(), partition: part.partition.clone() };
                slices.insert((key.dataset.clone(), key.partition.clone()));
                if let Access::Write(_) = self.access {
                    self.held += part.rows;
                    let part = part.store(warehouse.store().as_ref(), table, &key.dataset, sha256).await?;
                    let of_table = changes.entry(table.clone()).or_default();
                    let of_source = of_table.entry((key, sha256.to_owned())).or_default();
                    // Two feeds that read the very same rows give one part.
                    if !of_source.contains(&part) {
                        of_source.push(part);
                    }
                }
            }
        }
        for (table, changes) in changes {
            self.changes.entry(table).or_default().extend(changes);
        }
        Ok(slices.into_iter().collect())
    }

    /// Takes a source's rows out of slices that it gave rows to before and does not any more.
    fn vacate(
        &mut self,
        sha256: &str,
        before: &[(String, String)],
        now: &[(String, String)],
    ) -> Result<(), PipelineError> {
        for (id, partition) in before.iter().filter(|slice| !now.contains(slice)) {
            let table = self.instance.warehouse.dataset(id)?.table.clone();
            let key = SliceKey { dataset: id.clone(), partition: partition.clone() };
            self.changes.entry(table).or_default().insert((key, sha256.to_owned()), Vec::new());
        }
        Ok(())
    }

    /// Commits what is written, a version for each table, then records the files.
    async fn commit(&mut self) -> Result<(), PipelineError> {
        let (changes, pending) = (std::mem::take(&mut self.changes), std::mem::take(&mut self.pending));
        self.held = 0;
        let Access::Write(_) = self.access else { return Ok(()) };
        let warehouse = &self.instance.warehouse;
        let store = warehouse.store().as_ref();
        let mut changed: BTreeSet<String> = BTreeSet::new();
        for (table, changes) in changes {
            let mut normalised = NormalisedTable::open(store, warehouse.table(&table)?).await?;
            let sources = normalised.apply(&changes, self.instance.clock.now()).await?;
            self.summary.commits += u64::from(!sources.is_empty());
            changed.extend(sources);
        }
        for Pending { position, entry } in pending {
            ledger::write(store, &entry).await?;
            if let Some(Outcome::Read { changed: has_changed, .. }) =
                self.summary.files.get_mut(position).map(|file| &mut file.outcome)
            {
                *has_changed = changed.contains(&entry.source.sha256);
            }
        }
        Ok(())
    }
}

/// Whether one of the feeds that read a file was asked for.
fn is_wanted<'a>(mut feeds: impl Iterator<Item = &'a str>, inbox: &Inbox) -> bool {
    let only = inbox.feeds.as_ref();
    only.is_none_or(|only| feeds.any(|feed| only.iter().any(|wanted| wanted == feed)))
}

fn known_outcome(entry: &LedgerEntry) -> Outcome {
    match entry.status {
        SourceStatus::Unmatched => {
            Outcome::Unmatched { format: entry.source.format.clone(), reasons: entry.reasons.clone() }
        }
        SourceStatus::Damaged => Outcome::Damaged { message: entry.reasons.join("; ") },
        SourceStatus::Held => {
            let personal = serde_json::from_value(entry.personal.clone()).unwrap_or_default();
            Outcome::Held { feed: entry.source.feed.clone(), personal }
        }
        SourceStatus::Matched => {
            let reports: Vec<Report> = serde_json::from_value(entry.report.clone()).unwrap_or_default();
            let mut counts = Counts::default();
            reports.iter().for_each(|report| counts.add(&report.totals));
            Outcome::Known { feed: entry.source.feed.clone(), counts, reports }
        }
    }
}

/// The moment that a side file documents; a date stands for its beginning in Beijing.
fn published_at(side: &SideFile) -> Option<chrono::DateTime<chrono::Utc>> {
    let text = side.published_at.as_deref()?;
    if let Ok(moment) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    let date: chrono::NaiveDate = text.parse().ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc() - chrono::TimeDelta::hours(8))
}
