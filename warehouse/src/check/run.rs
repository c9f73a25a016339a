//! Runs checks over a snapshot and judges what they answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::ScalarValue;
use futures::TryStreamExt;

use super::declaration::Check;
use super::finding::{CheckRun, Finding, Findings, grouped, shown};
use super::outcome::{Identity, Judged, Outcome, Relation, SCALE, judge};
use crate::Snapshot;
use crate::query::{QueryEngine, QueryError, QueryOptions, TextLimits, scan};

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
    for check in checks {
        let tested = run(engine, check, "", snapshot).await.map_err(|error| (check.id.clone(), error))?;
        let mut counts: BTreeMap<(String, String, Outcome), u64> = BTreeMap::new();
        for identity in tested {
            let finding = identity.finding;
            *counts.entry((finding.dataset.clone(), finding.release_id.clone(), finding.outcome)).or_default() += 1;
            if finding.outcome != Outcome::Pass {
                all.findings.push(finding);
            }
        }
        all.runs.extend(counts.into_iter().map(|((dataset, release_id, outcome), count)| CheckRun {
            check: check.id.clone(),
            dataset,
            release_id,
            outcome,
            count,
        }));
    }
    Ok(all)
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
    let with = if with.trim().is_empty() { String::new() } else { format!("WITH {with} ") };
    let statement = format!("{with}SELECT {ANSWER} FROM ({}) AS identity ORDER BY 1, 2, 3", check.sql);
    let scanned = scan(&statement, &TextLimits::default())?;
    let parameters = check
        .parameters
        .values()
        .map(|number| ScalarValue::Decimal128(Some(number.digits()), 38, number.scale() as i8))
        .collect();
    let options = QueryOptions { parameters, ..QueryOptions::default() };
    let planned = engine.plan(&scanned, Arc::clone(snapshot), options).await?;
    let batches: Vec<RecordBatch> = planned.execute()?.try_collect().await.map_err(QueryError::internal)?;
    let mut tested = Vec::new();
    for batch in &batches {
        read(check, batch, snapshot, &mut tested).map_err(QueryError::internal)?;
    }
    Ok(tested)
}

fn read(
    check: &Check,
    batch: &RecordBatch,
    snapshot: &Snapshot,
    tested: &mut Vec<Tested>,
) -> Result<(), arrow::error::ArrowError> {
    let texts = |index: usize| cast(batch.column(index), &DataType::Utf8);
    let columns = [texts(0)?, texts(1)?, texts(3)?, texts(4)?, texts(5)?];
    let text = |column: usize, row: usize| {
        let values = columns[column].as_string::<i32>();
        values.is_valid(row).then(|| values.value(row).to_owned())
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
        let release = snapshot.releases.iter().find(|release| release.id() == release_id);
        let subject = (text(3, row).unwrap_or_default(), text(4, row).unwrap_or_default());
        let (message_zh, message_en) = describe(check, &identity, &judged, &subject);
        let scope_key = text(0, row).unwrap_or_default();
        let finding = Finding {
            check: check.id.clone(),
            outcome: judged.outcome,
            scope_key: scope_key.clone(),
            dataset: release.map(|release| release.dataset.clone()).unwrap_or_default(),
            partition: release.map(|release| release.partition.clone()).unwrap_or_default(),
            release_id,
            row_no: integer(2, row).and_then(|number| u64::try_from(number).ok()),
            region_code: text(2, row),
            lhs: identity.lhs.map(shown),
            rhs: identity.rhs.map(shown),
            diff: judged.diff.map(shown),
            tolerance: judged.tolerance.map(shown),
            addends: u64::try_from(identity.addends).unwrap_or(0),
            message_zh,
            message_en,
        };
        tested.push(Tested { scope_key, finding });
    }
    Ok(())
}

/// The finding in both languages: what, the two sides with their names, and how far they are apart.
fn describe(check: &Check, identity: &Identity, judged: &Judged, subject: &(String, String)) -> (String, String) {
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
