//! Runs checks over a snapshot and judges what they answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;

use super::declaration::Check;
use super::finding::{CheckRun, Finding, Findings, grouped, shown};
use super::outcome::{Identity, Judged, Outcome, Relation, SCALE, judge};
use crate::query::{QueryEngine, QueryError, QueryOptions, TextLimits, scan};
use crate::{ReleaseRecord, Snapshot};

/// One tested identity with its outcome.
#[derive(Debug, Clone)]
pub struct Tested {
    /// What was tested.
    pub scope_key: String,
    /// The outcome, and for everything but `PASS` the finding that it makes.
    pub finding: Finding,
}

/// Columns that a check's query answers, each brought to one type.
const ANSWER: &str = "CAST(scope_key AS VARCHAR) AS scope_key, CAST(release_id AS VARCHAR) AS release_id, \
    CAST(row_no AS BIGINT) AS row_no, CAST(region_code AS VARCHAR) AS region_code, \
    CAST(subject_zh AS VARCHAR) AS subject_zh, CAST(subject_en AS VARCHAR) AS subject_en, \
    CAST(lhs AS DECIMAL(38,6)) AS lhs, CAST(rhs AS DECIMAL(38,6)) AS rhs, CAST(addends AS BIGINT) AS addends, \
    CAST(missing AS BIGINT) AS missing, CAST(step AS DECIMAL(38,6)) AS step";

/// Runs every check and gathers what it comes to.
///
/// # Errors
///
/// A check whose query does not run: an error of its file, which names it.
pub async fn run_all(
    engine: &QueryEngine,
    checks: &[&Check],
    snapshot: &Arc<Snapshot>,
) -> Result<Findings, (String, QueryError)> {
    let mut all = Findings::default();
    let releases = Releases::of(snapshot);
    for check in checks {
        let failed = |error| (check.id.clone(), error);
        let mut stream = answers(engine, check, "", "", snapshot).await.map_err(failed)?;
        let mut counts: HashMap<String, BTreeMap<Outcome, u64>> = HashMap::new();
        // Most identities hold, and there can be one for each hour of each place: they are counted and not kept.
        while let Some(batch) = stream.try_next().await.map_err(|error| failed(QueryError::internal(error)))? {
            let mut visit = |release_id: &str, outcome: Outcome, finding: &mut dyn FnMut() -> Finding| {
                match counts.get_mut(release_id) {
                    Some(of_release) => *of_release.entry(outcome).or_default() += 1,
                    None => {
                        counts.insert(release_id.to_owned(), BTreeMap::from([(outcome, 1)]));
                    }
                }
                if outcome != Outcome::Pass {
                    all.findings.push(finding());
                }
            };
            read(check, &batch, &releases, &mut visit).map_err(|error| failed(QueryError::internal(error)))?;
        }
        let runs = counts.into_iter().flat_map(|(release_id, outcomes)| {
            let dataset = releases.dataset(&release_id).to_owned();
            outcomes.into_iter().map(move |(outcome, count)| (dataset.clone(), release_id.clone(), outcome, count))
        });
        let mut runs: Vec<_> = runs.collect();
        runs.sort();
        all.runs.extend(runs.into_iter().map(|(dataset, release_id, outcome, count)| CheckRun {
            check: check.id.clone(),
            dataset,
            release_id,
            outcome,
            count,
        }));
    }
    all.findings.sort_by(|a, b| {
        (&a.check, &a.scope_key, &a.release_id, a.row_no).cmp(&(&b.check, &b.scope_key, &b.release_id, b.row_no))
    });
    Ok(all)
}

/// Releases of a snapshot by their ids.
struct Releases<'a>(HashMap<String, &'a ReleaseRecord>);

impl<'a> Releases<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        Self(snapshot.releases.iter().map(|release| (release.id(), release)).collect())
    }

    fn dataset(&self, id: &str) -> &str {
        self.0.get(id).map_or("", |release| release.dataset.as_str())
    }

    fn partition(&self, id: &str) -> &str {
        self.0.get(id).map_or("", |release| release.partition.as_str())
    }
}

/// Runs one check. `with` may define tables of made-up rows in front of the query, for tests: `name AS (SELECT …)`.
///
/// # Errors
///
/// What the query door says of the check's query.
pub async fn run(
    engine: &QueryEngine,
    check: &Check,
    with: &str,
    snapshot: &Arc<Snapshot>,
) -> Result<Vec<Tested>, QueryError> {
    let releases = Releases::of(snapshot);
    let mut stream = answers(engine, check, with, "ORDER BY 1, 2, 3", snapshot).await?;
    let mut tested = Vec::new();
    while let Some(batch) = stream.try_next().await.map_err(QueryError::internal)? {
        let mut visit = |_: &str, _: Outcome, finding: &mut dyn FnMut() -> Finding| {
            let finding = finding();
            tested.push(Tested { scope_key: finding.scope_key.clone(), finding });
        };
        read(check, &batch, &releases, &mut visit).map_err(QueryError::internal)?;
    }
    Ok(tested)
}

/// What a check's query answers, batch by batch.
async fn answers(
    engine: &QueryEngine,
    check: &Check,
    with: &str,
    order: &str,
    snapshot: &Arc<Snapshot>,
) -> Result<SendableRecordBatchStream, QueryError> {
    let with = if with.trim().is_empty() { String::new() } else { format!("WITH {with} ") };
    let statement = format!("{with}SELECT {ANSWER} FROM ({}) AS identity {order}", check.sql);
    let scanned = scan(&statement, &TextLimits::default())?;
    let parameters = check
        .parameters
        .values()
        .map(|number| ScalarValue::Decimal128(Some(number.digits()), 38, number.scale() as i8))
        .collect();
    let options = QueryOptions { parameters, ..QueryOptions::default() };
    engine.plan(&scanned, Arc::clone(snapshot), options).await?.execute()
}

/// Gets the release and the outcome of an identity, and makes its finding where it wants one.
type Visit<'a> = dyn FnMut(&str, Outcome, &mut dyn FnMut() -> Finding) + 'a;

/// Judges the identities of a batch.
fn read(
    check: &Check,
    batch: &RecordBatch,
    releases: &Releases<'_>,
    visit: &mut Visit<'_>,
) -> Result<(), arrow::error::ArrowError> {
    let texts = |index: usize| cast(batch.column(index), &DataType::Utf8);
    let columns = [texts(0)?, texts(1)?, texts(3)?, texts(4)?, texts(5)?];
    let text = |column: usize, row: usize| {
        let values = columns[column].as_string::<i32>();
        values.is_valid(row).then(|| values.value(row))
    };
    let integer = |index: usize, row: usize| {
        let values = batch.column(index).as_primitive::<Int64Type>();
        values.is_valid(row).then(|| values.value(row))
    };
    let decimal = |index: usize, row: usize| {
        let values = batch.column(index).as_primitive::<Decimal128Type>();
        values.is_valid(row).then(|| values.value(row))
    };
    debug_assert_eq!(SCALE, 6, "the cast of the answer has that scale");
    for row in 0..batch.num_rows() {
        let identity = Identity {
            lhs: decimal(6, row),
            rhs: decimal(7, row),
            addends: i128::from(integer(8, row).unwrap_or(0)),
            missing: i128::from(integer(9, row).unwrap_or(0)),
            step: decimal(10, row),
        };
        let judged = judge(&identity, check.relation, check.tolerance, check.severity);
        let release_id = text(1, row).unwrap_or_default();
        let mut finding = || {
            let subject = (text(3, row).unwrap_or_default(), text(4, row).unwrap_or_default());
            let (message_zh, message_en) = describe(check, &identity, &judged, subject);
            Finding {
                check: check.id.clone(),
                outcome: judged.outcome,
                scope_key: text(0, row).unwrap_or_default().to_owned(),
                dataset: releases.dataset(release_id).to_owned(),
                partition: releases.partition(release_id).to_owned(),
                release_id: release_id.to_owned(),
                row_no: integer(2, row).and_then(|number| u64::try_from(number).ok()),
                region_code: text(2, row).map(str::to_owned),
                lhs: identity.lhs.map(shown),
                rhs: identity.rhs.map(shown),
                diff: judged.diff.map(shown),
                tolerance: judged.tolerance.map(shown),
                addends: u64::try_from(identity.addends).unwrap_or(0),
                message_zh,
                message_en,
            }
        };
        visit(release_id, judged.outcome, &mut finding);
    }
    Ok(())
}

/// The finding in both languages: what, the two sides with their names, and how far they are apart.
fn describe(check: &Check, identity: &Identity, judged: &Judged, subject: (&str, &str)) -> (String, String) {
    let (zh, en) = subject;
    let (Some(lhs), Some(rhs), Some(diff)) = (identity.lhs, identity.rhs, judged.diff) else {
        return (format!("{zh}：缺少一项，无法核对"), format!("{en}: a part is not there, so it cannot be tested"));
    };
    let sign = match (check.relation, judged.outcome) {
        (_, Outcome::Pass) => ("符合", "as expected"),
        (Relation::Equal, Outcome::WarnRounding) => ("尾差", "a rounding difference"),
        (Relation::Equal, _) => ("不等", "not equal"),
        (Relation::AtMost, _) => ("超出", "above"),
    };
    let (lhs, rhs, diff) = (grouped(lhs), grouped(rhs), grouped(diff));
    (
        format!("{zh}：{} {lhs}，{} {rhs}，相差 {diff}（{}）", check.lhs.zh, check.rhs.zh, sign.0),
        format!("{en}: {} {lhs}, {} {rhs}, difference {diff} ({})", check.lhs.en, check.rhs.en, sign.1),
    )
}
