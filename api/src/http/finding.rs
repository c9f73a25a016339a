//! Findings of the checks over the current releases.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use gongkai_warehouse::check::{Check, Finding, Outcome};
use gongkai_warehouse::register::Event;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caching::NotModified;
use super::dataset::Text;
use super::error::Problems;
use super::record::PageToken;
use super::{ApiError, App, caching};

/// Which findings.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FindingQuery {
    /// Id of a dataset.
    pub dataset: Option<String>,
    /// Id of a check, such as `B02`.
    pub check: Option<String>,
    /// `SKIP`, `INFO`, `WARN_ROUNDING`, `WARN` or `ERROR`.
    pub outcome: Option<String>,
    /// Code of a region.
    pub region: Option<String>,
    /// A release, such as `debt_limit_balance_final.1`.
    pub release: Option<String>,
    /// Findings on one page, from 1 to 1000; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    page_size: Option<usize>,
    /// `next_page_token` of the page before.
    #[param(pattern = "^[0-9a-f]*$")]
    page_token: Option<String>,
}

/// One finding.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingRecord {
    /// Id of the check.
    pub check: String,
    /// What the check tests.
    pub title: Text,
    /// `SKIP`, `INFO`, `WARN_ROUNDING`, `WARN` or `ERROR`.
    pub outcome: String,
    /// Dataset of the tested row.
    pub dataset: String,
    /// Release of the tested row.
    pub release: String,
    /// Partition of that release.
    pub partition: String,
    /// The tested row, where the finding is about one.
    pub row: Option<u64>,
    /// Table of the tested row.
    pub table: Option<String>,
    /// What was tested, unique within the check.
    pub scope_key: String,
    /// Region that the figures describe.
    pub region_code: Option<String>,
    /// Left side, an exact decimal.
    pub lhs: Option<String>,
    /// Right side.
    pub rhs: Option<String>,
    /// Left side less right side.
    pub diff: Option<String>,
    /// What the difference was held against.
    pub tolerance: Option<String>,
    /// Published addends.
    pub addends: u64,
    /// The finding in words.
    pub message: Text,
    /// Event by which the publisher explains it.
    pub explained_by: Option<String>,
    /// The publisher's explanation.
    pub explanation: Option<String>,
}

/// How often a check came to an outcome.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckCount {
    /// Id of the check.
    pub check: String,
    /// What the check tests.
    pub title: Text,
    /// Law, standard or section that it follows.
    pub basis: Text,
    /// Outcome, `PASS` included.
    pub outcome: String,
    /// Identities that came to it.
    pub count: u64,
}

/// A page of findings, and the counts of everything that was tested.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingList {
    /// Findings of this page, the worst first.
    pub findings: Vec<FindingRecord>,
    /// Findings that match the question.
    pub total: usize,
    /// Counts over all current releases that match `dataset` and `release`.
    pub counts: Vec<CheckCount>,
    /// Token of the next page, where there is one.
    pub next_page_token: Option<String>,
}

impl FindingQuery {
    /// All findings of a dataset.
    pub fn of_dataset(dataset: &str) -> Self {
        Self { dataset: Some(dataset.to_owned()), ..Self::default() }
    }
}

fn check<'a>(app: &'a App, id: &str) -> Option<&'a Check> {
    app.instance.definitions.checks.iter().find(|check| check.id == id)
}

fn title(app: &App, id: &str) -> Text {
    check(app, id).map_or_else(|| Text { zh: id.to_owned(), en: id.to_owned() }, |check| (&check.title).into())
}

/// Findings that match a question, the worst first.
pub fn find<'a>(snapshot: &'a gongkai_warehouse::Snapshot, query: &FindingQuery) -> Vec<&'a Finding> {
    let is = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted.is_empty() || wanted == found)
    };
    let mut found: Vec<&Finding> = snapshot
        .findings
        .findings
        .iter()
        .filter(|finding| is(&query.dataset, &finding.dataset))
        .filter(|finding| is(&query.check, &finding.check))
        .filter(|finding| is(&query.outcome, finding.outcome.name()))
        .filter(|finding| is(&query.region, finding.region_code.as_deref().unwrap_or_default()))
        .filter(|finding| is(&query.release, &finding.release_id))
        .collect();
    found.sort_by(|a, b| (b.outcome, &a.check, &a.scope_key).cmp(&(a.outcome, &b.check, &b.scope_key)));
    found
}

/// Counts of everything that was tested, by check and outcome.
pub fn counts(app: &App, snapshot: &gongkai_warehouse::Snapshot, query: &FindingQuery) -> Vec<CheckCount> {
    let mut counts: BTreeMap<(String, Outcome), u64> = BTreeMap::new();
    for run in &snapshot.findings.runs {
        let is_wanted = query.dataset.as_ref().is_none_or(|dataset| *dataset == run.dataset)
            && query.release.as_ref().is_none_or(|release| *release == run.release_id)
            && query.check.as_ref().is_none_or(|check| *check == run.check);
        if is_wanted {
            *counts.entry((run.check.clone(), run.outcome)).or_default() += run.count;
        }
    }
    let count = |((id, outcome), count): ((String, Outcome), u64)| CheckCount {
        title: title(app, &id),
        basis: check(app, &id).map_or_else(|| title(app, &id), |check| (&check.basis).into()),
        check: id,
        outcome: outcome.name().to_owned(),
        count,
    };
    counts.into_iter().map(count).collect()
}

/// A finding for readers. `explanations` are those of the snapshot.
pub fn record(
    app: &App,
    snapshot: &gongkai_warehouse::Snapshot,
    explanations: &BTreeMap<&str, &Event>,
    finding: &Finding,
) -> FindingRecord {
    let release = snapshot.releases.iter().find(|release| release.id() == finding.release_id);
    let explained = explanations.get(format!("{}/{}", finding.check, finding.scope_key).as_str());
    FindingRecord {
        title: title(app, &finding.check),
        check: finding.check.clone(),
        outcome: finding.outcome.name().to_owned(),
        dataset: finding.dataset.clone(),
        release: finding.release_id.clone(),
        partition: finding.partition.clone(),
        row: finding.row_no,
        table: release.map(|release| release.table.clone()),
        scope_key: finding.scope_key.clone(),
        region_code: finding.region_code.clone(),
        lhs: finding.lhs.clone(),
        rhs: finding.rhs.clone(),
        diff: finding.diff.clone(),
        tolerance: finding.tolerance.clone(),
        addends: finding.addends,
        message: Text { zh: finding.message_zh.clone(), en: finding.message_en.clone() },
        explained_by: explained.map(|event| event.id.clone()),
        explanation: explained.and_then(|event| event.evidence.document.clone()),
    }
}

/// What the checks of the current releases found, the worst first.
#[utoipa::path(get, path = "/findings", operation_id = "list_findings", tag = "findings", params(FindingQuery),
    responses((status = 200, description = "A page of findings.", body = FindingList), NotModified, Problems))]
pub async fn list_findings(
    State(app): State<App>,
    headers: HeaderMap,
    query: Result<Query<FindingQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    let page_size = query.page_size.unwrap_or(100);
    if !(1..=1000).contains(&page_size) {
        return Err(ApiError::parameter("page_size", &page_size.to_string(), "a number from 1 to 1000"));
    }
    let snapshot = app.snapshot().await?;
    let offset = PageToken::offset(query.page_token.as_deref(), snapshot.counter)?;
    let tag = caching::tag(&snapshot, &["findings", &format!("{query:?}")]);
    Ok(caching::respond(&headers, &tag, || {
        let found = find(&snapshot, &query);
        let explanations = snapshot.explanations();
        let has_more = found.len() > offset.saturating_add(page_size);
        let list = FindingList {
            findings: found
                .iter()
                .skip(offset)
                .take(page_size)
                .map(|finding| record(&app, &snapshot, &explanations, finding))
                .collect(),
            total: found.len(),
            counts: counts(&app, &snapshot, &query),
            next_page_token: has_more
                .then(|| PageToken { offset: offset + page_size, counter: snapshot.counter }.encode()),
        };
        Json(list).into_response()
    }))
}
