//! One partition's rows, merged, ordered, numbered and written as files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use chrono::{DateTime, Utc};
use gongkai_catalog::{Catalog, Dataset, Table, Visibility};
use sha2::{Digest, Sha256};
use sm3::{Digest as _, Sm3};

use crate::check::{Findings, Outcome};
use crate::export::{self, ExportOptions};
use crate::lake::merge::{Merged, merge_by_key};
use crate::lake::{LakeError, LedgerEntry, SliceKey, Warehouse, rows};
use crate::schema::released_schema;
use crate::store::Store;
use crate::{ReleaseFile, ReleaseRecord};

use super::Kind;
use super::difference::difference;
use super::manifest::{self, Manifest, ManifestColumn, ManifestMerge, ManifestSource};
use super::publish::Approval;
use super::rows::read_release;
use super::seal::put_new;

/// Formats written once for every release; others are made when asked for.
const STORED: [&str; 2] = ["parquet", "csv"];

/// Name and version of the program, as manifests have them.
pub(super) const SOFTWARE: &str = concat!("gongkai ", env!("CARGO_PKG_VERSION"));

/// SHA-256 of nothing: the digest of a table without rows.
pub(super) const NO_ROWS: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What changed against the release before, row by row.
pub const DIFFERENCE: &str = "difference.json";

/// A partition's public rows before they have a number.
#[derive(Debug)]
pub struct Content {
    /// Public columns without `release_id` and `row_no`, in the order of the files.
    pub batch: RecordBatch,
    /// Digest of these rows.
    pub sha256: String,
    /// What merging found.
    pub merged: Merged,
    /// Digests of the sources that gave rows.
    pub sources: BTreeSet<String>,
}

/// What a release is made under.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    /// Meaning of everything.
    pub catalog: &'a Catalog,
    /// Ledger entries in the order of landing.
    pub ledger: &'a [LedgerEntry],
    /// The clock's time.
    pub now: DateTime<Utc>,
    /// Why.
    pub reason: &'a str,
    /// Who approved it, and how.
    pub approval: &'a Approval,
    /// Digest of the declarations.
    pub declarations_sha256: &'a str,
}

/// Releases of a dataset, as the next one sees them.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// In the order of numbers.
    pub releases: &'a [&'a ReleaseRecord],
}

impl<'a> History<'a> {
    /// The newest of all, withdrawals among them: the next number follows it.
    pub fn newest(&self) -> Option<&'a ReleaseRecord> {
        self.releases.iter().copied().max_by_key(|release| release.number)
    }

    /// The newest release with rows of a partition, whether or not it was withdrawn since.
    pub fn latest(&self, partition: &str) -> Option<&'a ReleaseRecord> {
        let of_partition = |release: &&&ReleaseRecord| release.partition == partition && !release.is_withdrawal();
        self.releases.iter().filter(of_partition).copied().max_by_key(|release| release.number)
    }

    /// Whether a release was taken back.
    pub fn is_withdrawn(&self, release: &ReleaseRecord) -> bool {
        self.releases.iter().any(|other| other.withdraws.contains(&release.number))
    }

    /// Sources whose rows a partition does not take any more.
    pub fn withdrawn_sources(&self, partition: &str) -> BTreeSet<&'a str> {
        let of_partition = self.releases.iter().filter(|release| release.partition == partition);
        of_partition.flat_map(|release| &release.withdrawn_sources).map(String::as_str).collect()
    }
}

/// Merges the normalised rows of a slice and keeps what the public may see. Rows of withdrawn sources are left out.
pub fn content(
    batch: &RecordBatch,
    table: &Table,
    ledger: &[LedgerEntry],
    withdrawn: &BTreeSet<&str>,
) -> Result<Content, ArrowError> {
    let batch = &without_sources(batch, withdrawn)?;
    let rank: HashMap<&str, usize> =
        ledger.iter().enumerate().map(|(rank, entry)| (entry.source.sha256.as_str(), rank)).collect();
    let (merged_batch, merged) = merge_by_key(batch, table, &rank)?;
    let mut order = table.sort.clone();
    order.extend(table.key.iter().cloned());
    let ordered = rows::sort(&merged_batch, &order)?;
    let public: Vec<usize> = ordered
        .schema()
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| table.column(field.name()).is_some_and(|column| column.visibility == Visibility::Public))
        .map(|(index, _)| index)
        .collect();
    let batch = ordered.project(&public)?;
    let sources = batch
        .column_by_name("source_sha256")
        .and_then(|column| column.as_any().downcast_ref::<StringArray>())
        .map(|column| column.iter().flatten().map(str::to_owned).collect())
        .unwrap_or_default();
    Ok(Content { sha256: rows::digest(&batch)?, batch, merged, sources })
}

fn without_sources(batch: &RecordBatch, withdrawn: &BTreeSet<&str>) -> Result<RecordBatch, ArrowError> {
    let sources =
        batch.column_by_name("source_sha256").and_then(|column| column.as_any().downcast_ref::<StringArray>());
    let Some(sources) = sources.filter(|_| !withdrawn.is_empty()) else { return Ok(batch.clone()) };
    let keep: BooleanArray =
        sources.iter().map(|source| Some(source.is_none_or(|source| !withdrawn.contains(source)))).collect();
    arrow::compute::filter_record_batch(batch, &keep)
}

/// Gives the rows their release and number.
fn number(batch: &RecordBatch, release: &str, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let count = batch.num_rows();
    let columns = schema
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "release_id" => Ok(Arc::new(StringArray::from(vec![release; count])) as ArrayRef),
            "row_no" => Ok(Arc::new(Int32Array::from_iter_values(1..=count as i32)) as ArrayRef),
            name => batch
                .column_by_name(name)
                .cloned()
                .ok_or_else(|| ArrowError::SchemaError(format!("column {name} is missing"))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
}

/// A release whose files are written and whose manifest is not: what the checks look at.
#[derive(Debug)]
pub struct Draft {
    /// The manifest without the results of checks and its predecessor's digest.
    pub manifest: Manifest,
    /// The record without the manifest's digest.
    pub record: ReleaseRecord,
}

/// Writes the row files of a release. Nothing of it is visible before the pointer names it.
pub async fn draft(
    warehouse: &Warehouse,
    circumstances: &Circumstances<'_>,
    key: &SliceKey,
    content: &Content,
    history: History<'_>,
) -> Result<Draft, LakeError> {
    let store = warehouse.store().as_ref();
    let catalog = circumstances.catalog;
    let (dataset, table) = declared(catalog, &key.dataset)?;
    let previous = history.newest();
    let superseded = history.latest(&key.partition);
    let number_of_release = previous.map_or(1, |release| release.number + 1);
    let id = format!("{}.{number_of_release}", key.dataset);
    let folder = format!("releases/{}/{number_of_release}", key.dataset);

    let schema = released_schema(table);
    let arrow = |source| LakeError::Arrow { table: table.name.clone(), source };
    let numbered = number(&content.batch, &id, &schema).map_err(arrow)?;
    let mut files = Vec::new();
    for format in STORED.iter().filter_map(|name| export::format(name)) {
        let bytes = export::to_bytes(format, &schema, std::slice::from_ref(&numbered), ExportOptions::default())
            .map_err(|source| LakeError::Export { release: id.clone(), source })?;
        files.push(write_file(store, &folder, &format!("data.{}", format.name), format.media_type, bytes).await?);
    }
    // What was withdrawn is not shown again as the other side of a difference.
    let compared = superseded.filter(|old| !history.is_withdrawn(old));
    let mut counts = None;
    if let Some(old) = compared {
        let batches = read_release(warehouse, old).await?;
        // Of its own columns, which may be others than those of today.
        let own = batches.first().map_or_else(|| Arc::clone(&schema), RecordBatch::schema);
        let before = rows::concat(&own, &batches).map_err(arrow)?;
        let difference = difference(table, &before, &numbered).map_err(arrow)?;
        let path = format!("{folder}/{DIFFERENCE}");
        let bytes = difference.to_bytes(Some(&old.id()), &id);
        let bytes = bytes.map_err(|source| LakeError::Damaged { path, source })?;
        files.push(write_file(store, &folder, DIFFERENCE, "application/json", bytes).await?);
        counts = Some(difference.counts());
    }
    let table_sha256 = table_digest(&id, &schema, &numbered)?;

    let contributed: Vec<&LedgerEntry> =
        circumstances.ledger.iter().filter(|entry| content.sources.contains(&entry.source.sha256)).collect();
    // A date is the sources' own only where every one of them documents it.
    let documented: Option<Vec<DateTime<Utc>>> = contributed.iter().map(|entry| entry.published_at).collect();
    let documented = documented.and_then(|dates| dates.into_iter().max());
    let kind = match (superseded, previous) {
        (Some(old), _) if adds_sources(old, store, content).await? => Kind::Supplement,
        (Some(old), _) if !history.is_withdrawn(old) && is_same(old, store, content).await? => Kind::Clarification,
        (Some(_), _) => Kind::Correction,
        (None, Some(_)) => Kind::Update,
        (None, None) => Kind::Initial,
    };
    let manifest = Manifest {
        format_version: manifest::FORMAT_VERSION,
        release: id.clone(),
        dataset: key.dataset.clone(),
        number: number_of_release,
        table: table.name.clone(),
        partition: partition_values(dataset, &key.partition),
        status: "released".into(),
        kind: kind.name().into(),
        supersedes: superseded.map(|release| release.id()),
        withdraws: Vec::new(),
        previous_manifest_sha256: None,
        reason: reason(circumstances.reason, &contributed),
        approved_by: circumstances.approval.office.clone(),
        approval: circumstances.approval.manifest(circumstances.now),
        published_at: documented.unwrap_or(circumstances.now),
        published_at_source: if documented.is_some() { "source" } else { "release" }.into(),
        recorded_at: circumstances.now,
        publisher: catalog
            .publishers
            .get(&dataset.publisher)
            .map_or_else(String::new, |office| office.label.zh.clone()),
        licence: dataset.licence.clone(),
        audience: dataset.audience.name().into(),
        is_synthetic: contributed.iter().any(|entry| entry.source.is_synthetic),
        declarations_sha256: circumstances.declarations_sha256.to_owned(),
        software: SOFTWARE.into(),
        schema: manifest_schema(table, &schema),
        rows: numbered.num_rows() as u64,
        content_sha256: content.sha256.clone(),
        table_sha256,
        difference: counts,
        files,
        sources: contributed.iter().map(|entry| manifest_source(entry)).collect(),
        merged: ManifestMerge { equal: content.merged.equal as u64, conflicting: content.merged.conflicting as u64 },
        checks: BTreeMap::new(),
    };
    let record = ReleaseRecord {
        dataset: key.dataset.clone(),
        number: number_of_release,
        partition: key.partition.clone(),
        table: table.name.clone(),
        kind: manifest.kind.clone(),
        published_at: Some(manifest.published_at),
        recorded_at: manifest.recorded_at,
        supersedes: superseded.map(|release| release.number),
        withdraws: Vec::new(),
        withdrawn_sources: Vec::new(),
        withheld_sources: Vec::new(),
        seal_salt: None,
        reason: manifest.reason.clone(),
        is_synthetic: manifest.is_synthetic,
        manifest_sha256: String::new(),
        log_index: 0,
        rows: manifest.rows,
        regions: distinct(&numbered, "region_code"),
        files: manifest.files.clone(),
    };
    Ok(Draft { manifest, record })
}

/// Completes the manifest of a draft with what the checks came to and the digest of the release before it.
pub fn finish(draft: Draft, previous: Option<String>, findings: &Findings) -> Draft {
    let Draft { mut manifest, mut record } = draft;
    manifest.previous_manifest_sha256 = previous;
    for run in findings.runs.iter().filter(|run| run.release_id == manifest.release) {
        *manifest.checks.entry(run.outcome.name().to_owned()).or_default() += run.count;
    }
    if manifest.checks.contains_key(Outcome::Error.name()) {
        manifest.reason = format!("{} with open findings", manifest.reason);
        record.reason.clone_from(&manifest.reason);
    }
    Draft { manifest, record }
}

/// SHA-256 of rows in their `ndjson` form.
fn table_digest(release: &str, schema: &SchemaRef, batch: &RecordBatch) -> Result<String, LakeError> {
    let mut hasher = Hashing(Sha256::new());
    let failed = |source| LakeError::Export { release: release.to_owned(), source };
    let target: export::Target<'_> = Box::new(&mut hasher);
    let mut writer = (export::LINES.open)(Arc::clone(schema), target, ExportOptions::default()).map_err(failed)?;
    writer.write(batch).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(hex::encode(hasher.0.finalize()))
}

struct Hashing(Sha256);

impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The different values of a text column, in order.
fn distinct(batch: &RecordBatch, column: &str) -> Vec<String> {
    let values = batch.column_by_name(column).and_then(|column| column.as_any().downcast_ref::<StringArray>());
    let values: BTreeSet<&str> = values.into_iter().flatten().flatten().collect();
    values.into_iter().map(str::to_owned).collect()
}

/// A dataset with its table.
pub(super) fn declared<'a>(catalog: &'a Catalog, id: &str) -> Result<(&'a Dataset, &'a Table), LakeError> {
    catalog.datasets.get(id).and_then(|dataset| Some((dataset, catalog.tables.get(&dataset.table)?))).ok_or_else(|| {
        LakeError::Unknown {
            kind: "dataset",
            name: id.to_owned(),
            declared: catalog.datasets.keys().cloned().collect::<Vec<_>>().join(", "),
        }
    })
}

/// The manifest of a release, as written.
pub async fn read_manifest(store: &dyn Store, release: &ReleaseRecord) -> Result<Manifest, LakeError> {
    let path = format!("{}/manifest.json", release.folder());
    let bytes = store.read(&path).await?;
    let found = Manifest::digest(&bytes);
    if found != release.manifest_sha256 {
        return Err(LakeError::Digest { path, found, expected: release.manifest_sha256.clone() });
    }
    crate::lake::pointer::parse(&path, &bytes)
}

/// Whether the new rows are those of the old release.
async fn is_same(old: &ReleaseRecord, store: &dyn Store, content: &Content) -> Result<bool, LakeError> {
    Ok(read_manifest(store, old).await?.content_sha256 == content.sha256)
}

/// Whether the new rows have every source of the old release and more: then nothing was corrected, only added.
async fn adds_sources(old: &ReleaseRecord, store: &dyn Store, content: &Content) -> Result<bool, LakeError> {
    let manifest = read_manifest(store, old).await?;
    let before: BTreeSet<String> = manifest.sources.into_iter().map(|source| source.sha256).collect();
    Ok(before.is_subset(&content.sources) && before.len() < content.sources.len() && content.merged.conflicting == 0)
}

async fn write_file(
    store: &dyn Store,
    folder: &str,
    name: &str,
    media_type: &str,
    bytes: Vec<u8>,
) -> Result<ReleaseFile, LakeError> {
    let file = ReleaseFile {
        name: name.to_owned(),
        bytes: bytes.len() as u64,
        sha256: hex::encode(Sha256::digest(&bytes)),
        sm3: hex::encode(Sm3::digest(&bytes)),
        media_type: media_type.to_owned(),
    };
    put_new(store, &format!("{folder}/{name}"), bytes).await?;
    Ok(file)
}

fn partition_values(dataset: &Dataset, partition: &str) -> BTreeMap<String, String> {
    dataset.partition_by.iter().cloned().zip(partition.split('/').map(str::to_owned)).collect()
}

fn manifest_schema(table: &Table, schema: &Schema) -> Vec<ManifestColumn> {
    schema
        .fields()
        .iter()
        .filter_map(|field| table.column(field.name()))
        .map(|column| ManifestColumn {
            name: column.name.clone(),
            column_type: column.column_type.to_string(),
            unit: column.unit.clone(),
            is_nullable: column.is_nullable,
        })
        .collect()
}

/// Why the release was made, with what is notable about its sources.
fn reason(given: &str, contributed: &[&LedgerEntry]) -> String {
    let notes: BTreeSet<&str> = contributed.iter().flat_map(|entry| &entry.notes).map(String::as_str).collect();
    std::iter::once(given).chain(notes).collect::<Vec<_>>().join("; ")
}

fn manifest_source(entry: &LedgerEntry) -> ManifestSource {
    let source = &entry.source;
    ManifestSource {
        sha256: source.sha256.clone(),
        name: source.name.clone(),
        bytes: source.bytes,
        format: source.format.clone(),
        encoding: source.encoding.clone(),
        feed: source.feed.clone(),
        rows_in: source.rows_in,
        rows_kept: source.rows_kept,
        rows_set_aside: source.rows_set_aside,
    }
}
