//! What changed between two releases of a partition, made when it is asked for.
//!
//! Releases never change, so neither does what differs between two of them. A comparison holds both in memory: sides
//! and answers have limits, and few comparisons run at once. Nothing is cut: what is larger is refused, with the files
//! that can be compared instead. What was withdrawn is no side of a difference.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::RecordBatch;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use gongkai_warehouse::export::{self, Format};
use gongkai_warehouse::lake::{LakeError, rows};
use gongkai_warehouse::release::difference::{Change, ChangedRow, Difference, Row, compare};
use gongkai_warehouse::release::read_release;
use gongkai_warehouse::schema::released_schema;
use gongkai_warehouse::{ReleaseRecord, Snapshot};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::{IntoParams, ToSchema};

use super::caching::NotModified;
use super::error::{FormatProblems, Problems, WithdrawnProblems};
use super::release::{find, require_readable};
use super::{ApiError, App, caching};

/// Rows of one side that are compared at most.
const MOST_ROWS: u64 = 2_000_000;

/// Comparisons that run at once.
const AT_ONCE: usize = 2;

/// Formats that a difference is written in.
const FORMATS: [&str; 2] = ["json", "csv"];

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);

/// Which releases to compare.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DiffQuery {
    /// Number of the earlier release; the one that `to` replaces where absent.
    from: Option<u64>,
    /// Number of the later release, of the same partition; the newest of the dataset where absent.
    to: Option<u64>,
    /// `json` or `csv`; JSON where absent.
    #[param(pattern = "^(|json|csv)$")]
    format: Option<String>,
}

/// A row that only one release has.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiffRow {
    /// Key columns.
    pub key: BTreeMap<String, Value>,
    /// The other public columns; null where the value is missing.
    pub values: BTreeMap<String, Value>,
}

/// A row of both releases that differs.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiffChangedRow {
    /// Key columns.
    pub key: BTreeMap<String, Value>,
    /// The columns that differ, and no others.
    pub columns: BTreeMap<String, DiffChange>,
}

/// A value before and after; null where it is missing.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiffChange {
    /// In the earlier release.
    pub from: Value,
    /// In the later release.
    pub to: Value,
}

/// What changed from one release to another. Values are those of the files in JSON: decimals are strings.
#[derive(Debug, Serialize, ToSchema)]
pub struct DatasetDiff {
    /// Earlier release, `{dataset}.{number}`; none where `to` is the first of its partition: then all rows are added.
    pub from: Option<String>,
    /// Later release.
    pub to: String,
    /// Partition of both: the values of its columns, joined by `/`.
    pub partition: String,
    /// Kind of the later release: `update`, `correction`, `supplement`, ….
    pub kind: String,
    /// Why the later release was made.
    pub reason: String,
    /// When the public could first read the later release.
    pub published_at: Option<String>,
    /// Whether figures of either release are synthetic samples.
    pub is_synthetic: bool,
    /// Columns by which rows are known. Where the table has no key but the place of a row in its file, all columns
    /// that are compared: then no row changes, it is removed and added.
    pub key: Vec<String>,
    /// Rows that only the later release has, in its order.
    pub added: Vec<DiffRow>,
    /// Rows that only the earlier release has, in its order.
    pub removed: Vec<DiffRow>,
    /// Rows of both that differ, in the order of the later release.
    pub changed: Vec<DiffChangedRow>,
    /// Rows of both that are the same.
    pub unchanged: u64,
}

impl From<Row> for DiffRow {
    fn from(row: Row) -> Self {
        Self { key: row.key, values: row.values }
    }
}

impl From<ChangedRow> for DiffChangedRow {
    fn from(row: ChangedRow) -> Self {
        let columns = row.columns.into_iter().map(|(name, change)| (name, change.into())).collect();
        Self { key: row.key, columns }
    }
}

impl From<Change> for DiffChange {
    fn from(change: Change) -> Self {
        Self { from: change.from, to: change.to }
    }
}

/// The releases to compare; there is no earlier one where the later one replaces none.
#[derive(Debug)]
struct Sides {
    from: Option<ReleaseRecord>,
    to: ReleaseRecord,
}

impl Sides {
    /// The releases that a query names or leaves to be found.
    ///
    /// # Errors
    ///
    /// `not_found` for a number that the dataset does not have, `invalid_parameter` for a withdrawal and for releases of
    /// two partitions.
    fn find(snapshot: &Snapshot, id: &str, query: &DiffQuery) -> Result<Self, ApiError> {
        let to = match query.to {
            Some(number) => find(snapshot, id, number)?,
            None => snapshot
                .releases
                .iter()
                .filter(|release| release.dataset == id && !release.is_withdrawal())
                .max_by_key(|release| release.number)
                .ok_or_else(|| ApiError::new("not_found", format!("dataset {id:?} has no release")))?,
        };
        let from = query.from.or(to.supersedes).map(|number| find(snapshot, id, number)).transpose()?;
        if let Some(release) = from.into_iter().chain([to]).find(|release| release.is_withdrawal()) {
            let found = format!("release {} takes others back and has no rows", release.id());
            return Err(ApiError::new("invalid_parameter", format!("{found}, expected a release with rows")));
        }
        if let Some(from) = from
            && from.partition != to.partition
        {
            let found = format!("from is of partition {:?} and to of {:?}", from.partition, to.partition);
            return Err(ApiError::new("invalid_parameter", format!("{found}, expected two releases of one partition")));
        }
        Ok(Self { from: from.cloned(), to: to.clone() })
    }

    fn each(&self) -> impl Iterator<Item = &ReleaseRecord> {
        self.from.iter().chain([&self.to])
    }

    fn earlier_id(&self) -> Option<String> {
        self.from.as_ref().map(ReleaseRecord::id)
    }

    fn too_large(&self, found: &str) -> ApiError {
        let file = |release: &ReleaseRecord| {
            format!("/api/v1/datasets/{}/releases/{}/files/data.parquet", release.dataset, release.number)
        };
        let files: Vec<String> = self.each().map(file).collect();
        ApiError::new("result_too_large", format!("{found}; compare the files: {}", files.join(", ")))
    }

    fn describe(&self, difference: Difference) -> DatasetDiff {
        DatasetDiff {
            from: self.earlier_id(),
            to: self.to.id(),
            is_synthetic: self.each().any(|release| release.is_synthetic),
            published_at: self.to.published_at.map(|time| time.to_rfc3339()),
            partition: self.to.partition.clone(),
            kind: self.to.kind.clone(),
            reason: self.to.reason.clone(),
            key: difference.key,
            added: difference.added.into_iter().map(DiffRow::from).collect(),
            removed: difference.removed.into_iter().map(DiffRow::from).collect(),
            changed: difference.changed.into_iter().map(DiffChangedRow::from).collect(),
            unchanged: difference.unchanged,
        }
    }
}

fn wanted_format(name: Option<&str>) -> Result<&'static Format, ApiError> {
    let name = name.filter(|name| !name.is_empty()).unwrap_or("json");
    export::format(name).filter(|format| FORMATS.contains(&format.name)).ok_or_else(|| {
        let found: String = name.chars().take(40).collect();
        ApiError::new(
            "not_acceptable",
            format!("no format {found:?} of a difference; there are {}", FORMATS.join(", ")),
        )
    })
}

/// Waits for a place as long as a query would.
async fn place(app: &App) -> Result<SemaphorePermit<'static>, ApiError> {
    let wait = Duration::from_millis(app.instance.config.query.queue_wait_ms);
    let place = tokio::time::timeout(wait, PLACES.acquire()).await;
    place
        .ok()
        .and_then(Result::ok)
        .ok_or_else(|| ApiError::new("overloaded", "too many comparisons at once; try again in a few seconds"))
}

/// Reads, compares and writes: all of it work for a thread of its own.
fn write(app: &App, sides: Sides, format: &Format) -> Result<Vec<u8>, ApiError> {
    let warehouse = &app.instance.warehouse;
    let table = warehouse.table(&sides.to.table)?;
    let failed = |source| LakeError::Arrow { table: table.name.clone(), source };
    let runtime = Handle::current();
    let read = |release: &ReleaseRecord| -> Result<RecordBatch, LakeError> {
        let batches = runtime.block_on(read_release(warehouse, release))?;
        // The columns are those of the time of the release; without rows the file gives no batch that tells them.
        let schema = batches.first().map_or_else(|| released_schema(table), RecordBatch::schema);
        rows::concat(&schema, &batches).map_err(failed)
    };
    let to = read(&sides.to)?;
    let from = match &sides.from {
        Some(release) => read(release)?,
        None => to.slice(0, 0),
    };
    let comparison = compare(table, &from, &to).map_err(failed)?;
    let counts = comparison.counts();
    let (differing, most) = (counts.added + counts.removed + counts.changed, app.instance.config.query.max_rows);
    if differing > most as u64 {
        return Err(sides.too_large(&format!("{differing} rows differ, more than {most}")));
    }
    let difference = comparison.difference().map_err(failed)?;
    match format.name {
        "csv" => Ok(difference.to_csv(table)),
        _ => serde_json::to_vec(&sides.describe(difference)).map_err(|error| ApiError::internal(&error)),
    }
}

/// What changed between two releases of one partition: rows added, removed and changed.
///
/// Rows are matched by the business key of their table, and values are compared column by column, in the units of the
/// dictionary. Release, row number and place of origin are not compared: a row that only moved in its file is
/// unchanged. Of several rows with one key the n-th is compared with the n-th. A missing value is null, never zero and
/// never an empty text.
///
/// CSV has one line for each value that differs: `change`, the key columns, `column`, `from`, `to`; a row that was added
/// or removed has one for each value that it has.
///
/// A release of more than 2 000 000 rows is not compared, nor are more rows told than a query may give:
/// `result_too_large` names the files of both releases. A withdrawn release answers `withdrawn`.
#[utoipa::path(get, path = "/datasets/{id}/diff", operation_id = "get_dataset_diff", tag = "releases",
    params(("id" = String, Path, description = "Dataset id", example = "debt_limit_balance_final"), DiffQuery),
    responses((status = 200, description = "What differs; CSV by `format`.",
               content((DatasetDiff = "application/json"), (String = "text/csv"))),
              NotModified, FormatProblems, WithdrawnProblems, Problems))]
pub async fn get_dataset_diff(
    State(app): State<App>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<DiffQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (Path(id), Query(query)) = (id?, query?);
    app.dataset(&id)?;
    let format = wanted_format(query.format.as_deref())?;
    let snapshot = app.snapshot().await?;
    let sides = Sides::find(&snapshot, &id, &query)?;
    for release in sides.each() {
        require_readable(&snapshot, release)?;
    }
    if let Some(release) = sides.each().find(|release| release.rows > MOST_ROWS) {
        let found = format!("release {} has {} rows, more than {MOST_ROWS}", release.id(), release.rows);
        return Err(sides.too_large(&found));
    }
    let (from, to) = (sides.earlier_id(), sides.to.id());
    let tag = caching::tag(&snapshot, &["diff", from.as_deref().unwrap_or(""), &to, format.name]);
    let body = if caching::is_known(&headers, &tag) {
        Vec::new()
    } else {
        let place = place(&app).await?;
        // The place is given up when the work ends, even where nobody waits for the answer any more.
        let work = tokio::task::spawn_blocking(move || {
            let _place = place;
            write(&app, sides, format)
        });
        work.await.map_err(|error| ApiError::internal(&error))??
    };
    Ok(caching::respond(&headers, &tag, || {
        let name = from.map_or_else(|| to.clone(), |from| format!("{from}-{to}"));
        let disposition = match format.name {
            "csv" => format!("attachment; filename=\"{name}.csv\""),
            _ => "inline".to_owned(),
        };
        ([(header::CONTENT_TYPE, format.media_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)], body)
            .into_response()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Release 1 and its correction 3 are of 2021, release 2 is of 2022, release 4 takes 2 back.
    fn snapshot() -> Snapshot {
        let release = |number: u64, partition: &str, supersedes: Option<u64>| -> ReleaseRecord {
            let record = json!({
                "dataset": "ds", "number": number, "partition": partition, "table": "debt_stock",
                "kind": if number == 4 { "withdrawal" } else { "update" }, "published_at": "2022-08-01T00:00:00Z",
                "recorded_at": "2022-08-01T00:00:00Z", "supersedes": supersedes, "reason": "test",
                "is_synthetic": number == 1, "manifest_sha256": "0", "log_index": number, "rows": 1, "files": [],
            });
            serde_json::from_value(record).expect("a release")
        };
        let releases = vec![
            release(1, "2021/FINAL", None),
            release(2, "2022/FINAL", None),
            release(3, "2021/FINAL", Some(1)),
            release(4, "2022/FINAL", Some(2)),
        ];
        Snapshot { releases, ..Snapshot::empty() }
    }

    fn asked(from: Option<u64>, to: Option<u64>) -> Result<(Option<String>, String), ApiError> {
        let query = DiffQuery { from, to, format: None };
        Sides::find(&snapshot(), "ds", &query).map(|sides| (sides.earlier_id(), sides.to.id()))
    }

    #[test]
    fn the_newest_release_is_compared_with_the_one_that_it_replaces() {
        assert_eq!(asked(None, None).expect("two releases"), (Some("ds.1".into()), "ds.3".into()));
        assert_eq!(asked(Some(3), Some(1)).expect("two releases"), (Some("ds.3".into()), "ds.1".into()));
        assert_eq!(asked(None, Some(2)).expect("one release"), (None, "ds.2".into()));
    }

    #[test]
    fn releases_of_two_partitions_are_refused_and_both_are_named() {
        let error = asked(Some(2), Some(3)).expect_err("two partitions");
        assert_eq!(error.code, "invalid_parameter");
        assert!(error.detail.contains("2022/FINAL") && error.detail.contains("2021/FINAL"), "{error}");
    }

    #[test]
    fn a_withdrawal_has_no_rows_to_compare() {
        for (from, to) in [(None, Some(4)), (Some(4), Some(2))] {
            let error = asked(from, to).expect_err("no rows");
            assert_eq!(error.code, "invalid_parameter");
            assert!(error.detail.contains("ds.4"), "{error}");
        }
    }

    #[test]
    fn a_number_that_the_dataset_does_not_have_is_not_found() {
        for (from, to) in [(None, Some(9)), (Some(9), None), (Some(0), Some(3))] {
            assert_eq!(asked(from, to).expect_err("no such release").code, "not_found");
        }
        let query = DiffQuery { from: None, to: None, format: None };
        assert_eq!(Sides::find(&snapshot(), "other", &query).expect_err("no release").code, "not_found");
    }

    #[test]
    fn what_is_too_large_names_the_files_of_both_sides() {
        let query = DiffQuery { from: None, to: None, format: None };
        let sides = Sides::find(&snapshot(), "ds", &query).expect("two releases");
        let error = sides.too_large("3 rows differ, more than 2");
        assert_eq!(error.code, "result_too_large");
        let expected = "3 rows differ, more than 2; compare the files: /api/v1/datasets/ds/releases/1/files/data.parquet, \
                        /api/v1/datasets/ds/releases/3/files/data.parquet";
        assert_eq!(error.detail, expected);
    }

    #[test]
    fn the_answer_says_why_the_later_release_was_made_and_warns_of_samples_on_either_side() {
        let query = DiffQuery { from: None, to: None, format: None };
        let sides = Sides::find(&snapshot(), "ds", &query).expect("two releases");
        let change = Change { from: json!("100.10"), to: Value::Null };
        let row = ChangedRow {
            key: BTreeMap::from([("year".to_owned(), json!(2021))]),
            columns: BTreeMap::from([("amount_yuan".to_owned(), change)]),
        };
        let difference = Difference {
            key: vec!["year".into()],
            added: Vec::new(),
            removed: Vec::new(),
            changed: vec![row],
            unchanged: 7,
        };
        let expected = json!({
            "from": "ds.1", "to": "ds.3", "partition": "2021/FINAL", "kind": "update", "reason": "test",
            "published_at": "2022-08-01T00:00:00+00:00", "is_synthetic": true, "key": ["year"],
            "added": [], "removed": [], "unchanged": 7,
            "changed": [{ "key": { "year": 2021 }, "columns": { "amount_yuan": { "from": "100.10", "to": null } } }],
        });
        assert_eq!(serde_json::to_value(sides.describe(difference)).expect("json"), expected);
    }

    #[test]
    fn a_difference_is_json_or_csv() {
        assert_eq!(wanted_format(None).map(|format| format.name).ok(), Some("json"));
        assert_eq!(wanted_format(Some("csv")).map(|format| format.name).ok(), Some("csv"));
        for name in ["parquet", "exe"] {
            assert_eq!(wanted_format(Some(name)).map(|format| format.name).expect_err(name).code, "not_acceptable");
        }
    }
}
