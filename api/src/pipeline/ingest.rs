//! Files of an inbox into normalised rows.
//!
//! A file that a feed reads, or that cannot be read, is stored as it came before its rows are committed, and
//! recorded after. Whatever is killed in between is done again and comes out the same. A file that no feed
//! reads stays where it is and is listed by name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use gongkai_ingest::report::{Counts, Report};
use gongkai_ingest::source::{find_files_with_skipped, read_side_file};
use gongkai_ingest::{InboxFile, Limits, SideFile};
use gongkai_warehouse::SourceRecord;
use gongkai_warehouse::lake::slice::{NormalisedTable, cut};
use gongkai_warehouse::lake::{LakeError, LedgerEntry, SliceKey, SliceRows, ledger};
use gongkai_warehouse::schema::normalised_schema;
use gongkai_warehouse::store::Put;
use sha2::{Digest, Sha256};

use super::summary::{FileSummary, IngestSummary, Outcome};
use super::{PipelineError, Writing};
use crate::instance::Instance;
use crate::worker::reader::{Finding, ReadFile, ReaderProcess, StreamHead};

/// Rows held in memory before they are committed.
const FLUSH_ROWS: usize = 4_000_000;

/// Where the files are.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// A folder, or one file.
    pub path: PathBuf,
    /// Feeds to read; none means all.
    pub feeds: Option<Vec<String>>,
}

/// Hears how far a run is.
pub trait Progress {
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

struct Run<'a> {
    instance: &'a Instance,
    reader: ReaderProcess,
    summary: IngestSummary,
    rows: BTreeMap<String, BTreeMap<SliceKey, Vec<SliceRows>>>,
    held: usize,
    pending: Vec<Pending>,
}

/// Lands and reads every file of an inbox. The caller holds the writer lock.
pub async fn ingest(
    instance: &Instance,
    _writing: &Writing,
    inbox: &Inbox,
    progress: &mut dyn Progress,
) -> Result<IngestSummary, PipelineError> {
    check_feeds(instance, inbox)?;
    let (files, skipped) = find_files_with_skipped(&inbox.path)?;
    let mut run = Run {
        instance,
        reader: ReaderProcess::new(instance.config.definitions.clone()),
        summary: IngestSummary::default(),
        rows: BTreeMap::new(),
        held: 0,
        pending: Vec::new(),
    };
    progress.start(files.len());
    for file in &files {
        progress.file(&file.relative);
        run.take(file, inbox).await?;
        if run.held > FLUSH_ROWS {
            run.commit().await?;
        }
    }
    run.commit().await?;
    for file in skipped {
        run.summary.files.push(FileSummary {
            path: file.relative,
            bytes: 0,
            sha256: None,
            outcome: Outcome::Skipped { reason: file.reason.to_owned() },
        });
    }
    run.summary.files.sort_by(|a, b| a.path.cmp(&b.path));
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
    async fn take(&mut self, file: &InboxFile, inbox: &Inbox) -> Result<(), PipelineError> {
        let limit = Limits::default().file_bytes;
        if file.bytes_len > limit {
            let message =
                format!("file has {} bytes; at most {limit} are read, and it was left where it is", file.bytes_len);
            self.summary.files.push(FileSummary {
                path: file.relative.clone(),
                bytes: file.bytes_len,
                sha256: None,
                outcome: Outcome::Damaged { message },
            });
            return Ok(());
        }
        let bytes =
            std::fs::read(&file.path).map_err(|source| PipelineError::File { path: file.relative.clone(), source })?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let outcome = self.read(file, inbox, &sha256, bytes).await?;
        self.summary.files.push(FileSummary {
            path: file.relative.clone(),
            bytes: file.bytes_len,
            sha256: Some(sha256),
            outcome,
        });
        Ok(())
    }

    async fn read(
        &mut self,
        file: &InboxFile,
        inbox: &Inbox,
        sha256: &str,
        bytes: Vec<u8>,
    ) -> Result<Outcome, PipelineError> {
        let store = self.instance.warehouse.store().as_ref();
        let before = ledger::read(store, sha256).await?;
        if let Some(entry) = &before
            && entry.declarations_sha256 == self.instance.definitions.sha256
        {
            return Ok(known(entry));
        }
        if let Some(pending) = self.pending.iter().find(|pending| pending.entry.source.sha256 == sha256) {
            return Ok(known(&pending.entry));
        }
        let name = file.relative.rsplit('/').next().unwrap_or(&file.relative).to_owned();
        let ReadFile { finding, batches } =
            tokio::task::block_in_place(|| self.reader.read(&file.relative, sha256, &bytes))?;
        let length = bytes.len() as u64;
        match finding {
            Finding::Unmatched { format, reasons } => Ok(Outcome::Unmatched { format, reasons }),
            Finding::Damaged { message } => {
                self.land(sha256, bytes).await?;
                Ok(Outcome::Damaged { message })
            }
            Finding::Matched { streams, .. } if !is_wanted(streams.iter().map(|s| s.report.feed.as_str()), inbox) => {
                let feeds: Vec<String> = streams.into_iter().map(|stream| stream.report.feed).collect();
                Ok(not_asked_for(&feeds))
            }
            Finding::Held { feeds, .. } if !is_wanted(feeds.iter().map(String::as_str), inbox) => {
                Ok(not_asked_for(&feeds))
            }
            Finding::Held { format, encoding, feeds, personal } => {
                self.land(sha256, bytes).await?;
                if let Some(entry) = &before {
                    self.vacate(sha256, &entry.slices, &[])?;
                }
                let feed = feeds.join(", ");
                let landed_at = before.map_or_else(|| self.instance.clock.now(), |entry| entry.source.landed_at);
                let entry = LedgerEntry {
                    source: SourceRecord {
                        sha256: sha256.to_owned(),
                        name,
                        bytes: length,
                        landed_at,
                        feed: feed.clone(),
                        format,
                        encoding,
                        rows_in: 0,
                        rows_kept: 0,
                        rows_set_aside: 0,
                        is_public: false,
                        origin: None,
                        is_synthetic: false,
                    },
                    declarations_sha256: self.instance.definitions.sha256.clone(),
                    slices: Vec::new(),
                    published_at: None,
                    report: serde_json::Value::Array(Vec::new()),
                    personal: serde_json::to_value(&personal).unwrap_or_default(),
                    is_held: true,
                };
                self.pending.push(Pending { position: self.summary.files.len(), entry });
                Ok(Outcome::Held { feed, personal })
            }
            Finding::Matched { format, encoding, is_public, mut warnings, personal, streams } => {
                let feed = streams.iter().map(|stream| stream.report.feed.as_str()).collect::<Vec<_>>().join(", ");
                self.land(sha256, bytes).await?;
                let side = read_side_file(&file.path)?.unwrap_or_default();
                let reports: Vec<Report> = streams.iter().map(|stream| stream.report.clone()).collect();
                let slices = self.hold(sha256, &streams, &batches)?;
                if let Some(entry) = &before {
                    self.vacate(sha256, &entry.slices, &slices)?;
                }
                let mut counts = Counts::default();
                reports.iter().for_each(|report| counts.add(&report.totals));
                let landed_at = before.map_or_else(|| self.instance.clock.now(), |entry| entry.source.landed_at);
                let source = SourceRecord {
                    sha256: sha256.to_owned(),
                    name,
                    bytes: length,
                    landed_at,
                    feed: feed.clone(),
                    format,
                    encoding: encoding.clone(),
                    rows_in: counts.records_in,
                    rows_kept: counts.records_kept,
                    rows_set_aside: counts.records_set_aside,
                    is_public,
                    origin: side.origin.as_ref().map(|origin| origin.zh.clone()),
                    is_synthetic: side.is_synthetic,
                };
                let entry = LedgerEntry {
                    source,
                    declarations_sha256: self.instance.definitions.sha256.clone(),
                    slices,
                    published_at: published_at(&side),
                    report: serde_json::to_value(&reports).unwrap_or_default(),
                    personal: if personal.is_empty() {
                        serde_json::Value::Null
                    } else {
                        serde_json::to_value(&personal).unwrap_or_default()
                    },
                    is_held: false,
                };
                warnings.extend(personal.iter().map(|finding| format!("may be personal data: {finding}")));
                self.pending.push(Pending { position: self.summary.files.len(), entry });
                Ok(Outcome::Read { feed, encoding, warnings, reports, changed: false })
            }
        }
    }

    async fn land(&mut self, sha256: &str, bytes: Vec<u8>) -> Result<(), PipelineError> {
        let path = format!("sources/{}/{sha256}", &sha256[..2]);
        let put = self.instance.warehouse.store().put_if_absent(&path, Bytes::from(bytes)).await;
        if put.map_err(LakeError::from)? == Put::Created {
            self.summary.landed += 1;
        }
        Ok(())
    }

    /// Keeps the rows of a file until the next commit; gives the slices they belong to.
    fn hold(
        &mut self,
        sha256: &str,
        streams: &[StreamHead],
        batches: &[arrow::array::RecordBatch],
    ) -> Result<Vec<(String, String)>, PipelineError> {
        let mut slices = BTreeSet::new();
        for (stream, batch) in streams.iter().zip(batches) {
            let dataset = self.instance.warehouse.dataset(&stream.dataset)?;
            let parts = cut(batch, dataset, sha256)
                .map_err(|source| LakeError::Arrow { table: dataset.table.clone(), source })?;
            self.held += batch.num_rows();
            for part in parts {
                slices.insert((part.key.dataset.clone(), part.key.partition.clone()));
                let of_table = self.rows.entry(dataset.table.clone()).or_default();
                of_table.entry(part.key.clone()).or_default().push(part);
            }
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
            let dataset = self.instance.warehouse.dataset(id)?;
            let table = self.instance.warehouse.table(&dataset.table)?;
            let key = SliceKey { dataset: id.clone(), partition: partition.clone() };
            let batch = arrow::array::RecordBatch::new_empty(normalised_schema(table));
            let rows = SliceRows { key: key.clone(), source_sha256: sha256.to_owned(), batch };
            self.rows.entry(dataset.table.clone()).or_default().entry(key).or_default().push(rows);
        }
        Ok(())
    }

    /// Commits what is held, slice by slice, then records the files.
    async fn commit(&mut self) -> Result<(), PipelineError> {
        let warehouse = &self.instance.warehouse;
        let store = warehouse.store().as_ref();
        let mut changed: BTreeSet<String> = BTreeSet::new();
        for (table, slices) in std::mem::take(&mut self.rows) {
            let mut normalised = NormalisedTable::open(store, warehouse.table(&table)?).await?;
            for (key, parts) in slices {
                if normalised.put(&key, &parts).await? {
                    self.summary.commits += 1;
                    changed.extend(parts.into_iter().map(|part| part.source_sha256));
                }
            }
        }
        for Pending { position, entry } in std::mem::take(&mut self.pending) {
            ledger::write(store, &entry).await?;
            if let Some(Outcome::Read { changed: has_changed, .. }) =
                self.summary.files.get_mut(position).map(|file| &mut file.outcome)
            {
                *has_changed = changed.contains(&entry.source.sha256);
            }
        }
        self.held = 0;
        Ok(())
    }
}

/// Whether one of the feeds that read a file was asked for.
fn is_wanted<'a>(mut feeds: impl Iterator<Item = &'a str>, inbox: &Inbox) -> bool {
    let only = inbox.feeds.as_ref();
    only.is_none_or(|only| feeds.any(|feed| only.iter().any(|wanted| wanted == feed)))
}

fn not_asked_for(feeds: &[String]) -> Outcome {
    Outcome::Unmatched { format: "not asked for".into(), reasons: vec![format!("read by {}", feeds.join(", "))] }
}

fn known(entry: &LedgerEntry) -> Outcome {
    if entry.is_held {
        let personal = serde_json::from_value(entry.personal.clone()).unwrap_or_default();
        return Outcome::Held { feed: entry.source.feed.clone(), personal };
    }
    let reports: Vec<Report> = serde_json::from_value(entry.report.clone()).unwrap_or_default();
    let mut counts = Counts::default();
    reports.iter().for_each(|report| counts.add(&report.totals));
    Outcome::Known { feed: entry.source.feed.clone(), counts }
}

/// The moment that a side file documents; a date stands for its beginning in Beijing.
fn published_at(side: &SideFile) -> Option<DateTime<Utc>> {
    let text = side.published_at.as_deref()?;
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    let date: NaiveDate = text.parse().ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc() - chrono::TimeDelta::hours(8))
}
