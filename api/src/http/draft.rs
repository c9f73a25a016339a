//! Publishing through two hands: files in, drafts made, submitted and approved. Every step needs a key.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gongkai_warehouse::check::Finding;
use gongkai_warehouse::register::{Draft, Reviews, draft as drafts};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::private;
use super::dataset::Text;
use super::error::{BodyProblems, FileBytes, Problems, WriteProblems};
use super::key::KeyProblems;
use super::publish::{self, FileTaken};
use super::{ApiError, App, log};
use crate::access::{Caller, Role};
use crate::publishing::{self, actor, whole};

/// What a check found in a draft.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftFinding {
    /// Id of the check.
    pub check: String,
    /// `SKIP`, `INFO`, `WARN_ROUNDING`, `WARN` or `ERROR`.
    pub outcome: String,
    /// What was tested, unique within the check.
    pub scope_key: String,
    /// The finding in words.
    pub message: Text,
}

impl From<&Finding> for DraftFinding {
    fn from(finding: &Finding) -> Self {
        Self {
            check: finding.check.clone(),
            outcome: finding.outcome.name().to_owned(),
            scope_key: finding.scope_key.clone(),
            message: Text { zh: finding.message_zh.clone(), en: finding.message_en.clone() },
        }
    }
}

/// A draft, as those who publish see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftRecord {
    /// Id.
    pub id: String,
    /// Dataset.
    pub dataset: String,
    /// Partition.
    pub partition: String,
    /// Release that it would replace.
    pub base: Option<String>,
    /// Digest of its rows.
    pub content_sha256: String,
    /// Rows.
    pub rows: u64,
    /// What kind of release it would be.
    pub kind: String,
    /// Why it is made.
    pub reason: String,
    /// `drafted`, `submitted`, `released` or `rejected`.
    pub state: String,
    /// What the checks find in it.
    pub findings: Vec<DraftFinding>,
    /// Of these, the checks whose errors hold it back unless a public reason is given.
    pub blocking: Vec<String>,
    /// When it was made.
    pub made_at: String,
    /// By which holder.
    pub made_by: String,
    /// When it was submitted.
    pub submitted_at: Option<String>,
    /// By which holder.
    pub submitted_by: Option<String>,
    /// Statement of the review for state secrets.
    pub secrecy_review: Option<String>,
    /// Statement of the review for personal data.
    pub privacy_review: Option<String>,
    /// Why it shall go out although blocking checks found errors.
    pub open_findings_reason: Option<String>,
    /// When it was released or rejected.
    pub decided_at: Option<String>,
    /// Why it was rejected.
    pub rejection: Option<String>,
    /// The release that it became.
    pub release: Option<String>,
}

impl From<Draft> for DraftRecord {
    fn from(draft: Draft) -> Self {
        let mut blocking: Vec<String> = draft.blocking.iter().map(|finding| finding.check.clone()).collect();
        blocking.dedup();
        let (secrecy_review, privacy_review) =
            draft.reviews.map_or((None, None), |reviews| (Some(reviews.secrecy), Some(reviews.privacy)));
        Self {
            id: draft.id,
            dataset: draft.dataset,
            partition: draft.partition,
            base: draft.base,
            content_sha256: draft.content_sha256,
            rows: draft.rows,
            kind: draft.kind,
            reason: draft.reason,
            state: draft.state.name().to_owned(),
            findings: draft.findings.iter().map(DraftFinding::from).collect(),
            blocking,
            made_at: draft.made_at.to_rfc3339(),
            made_by: draft.made_by.holder,
            submitted_at: draft.submitted_at.map(|at| at.to_rfc3339()),
            submitted_by: draft.submitted_by.map(|by| by.holder),
            secrecy_review,
            privacy_review,
            open_findings_reason: draft.open_findings_reason,
            decided_at: draft.decided_at.map(|at| at.to_rfc3339()),
            rejection: draft.rejection,
            release: draft.release,
        }
    }
}

/// Drafts.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftList {
    /// The newest first.
    pub drafts: Vec<DraftRecord>,
}

/// A file to be read.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FileQuery {
    /// Its name, with folders before it where a feed reads them.
    pub name: String,
    /// Its SHA-256 in hexadecimal, if it shall be compared.
    #[param(pattern = "^[0-9a-fA-F]{64}$")]
    pub sha256: Option<String>,
}

/// What to make drafts of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDraft {
    /// Dataset.
    #[schema(example = "debt_limit_balance_final")]
    pub dataset: String,
    /// One partition of it, even where its rows did not change; else every one that changed.
    pub partition: Option<String>,
    /// Why; public with the release.
    pub reason: String,
}

/// What the submitter answers for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// Review for state secrets: by which office, under which rule, with which result. Public with the release.
    #[schema(pattern = r"\S")]
    pub secrecy_review: String,
    /// Review for personal data: the same.
    #[schema(pattern = r"\S")]
    pub privacy_review: String,
    /// Why it shall go out although blocking checks found errors. Public with the release.
    pub open_findings_reason: Option<String>,
}

/// Why a draft is sent back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// Why.
    #[schema(pattern = r"\S")]
    pub reason: String,
}

/// Reads a department file, and releases nothing. Drafts are made of what it changed.
#[utoipa::path(post, path = "/drafts/files", operation_id = "create_draft_file", tag = "publishing", params(FileQuery),
    request_body(content = FileBytes, content_type = "application/octet-stream", description = "The file, at most 200 MiB."),
    security(("key" = [])),
    responses((status = 201, description = "What was read.", body = FileTaken), Problems, KeyProblems, WriteProblems))]
pub async fn create_draft_file(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<FileQuery>, QueryRejection>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(Role::may_submit, "sending a file")?;
    let Query(query) = query?;
    let incoming = publish::receive(&app, &query.name, query.sha256.as_deref(), body).await?;
    let instance = app.instance.clone();
    let taken = whole(async move { publishing::read_file(&instance, &incoming).await }).await?;
    Ok(private(StatusCode::CREATED, FileTaken::from(taken)))
}

/// Makes drafts of what changed in a dataset.
#[utoipa::path(post, path = "/drafts", operation_id = "create_draft", tag = "publishing", request_body = NewDraft,
    security(("key" = [])),
    responses((status = 201, description = "The drafts. One that was made before is given as it is.", body = DraftList),
              Problems, KeyProblems, BodyProblems, WriteProblems))]
pub async fn create_draft(
    State(app): State<App>,
    caller: Caller,
    body: Result<Json<NewDraft>, JsonRejection>,
) -> Result<Response, ApiError> {
    caller.require(Role::may_submit, "making a draft")?;
    let Json(new) = body?;
    app.dataset(&new.dataset)?;
    let (instance, by) = (app.instance.clone(), actor(&caller));
    let step = async move { publishing::draft(&instance, (new.dataset, new.partition), &new.reason, by).await };
    let made = whole(step).await?;
    let drafts = made.into_iter().map(DraftRecord::from).collect();
    Ok(private(StatusCode::CREATED, DraftList { drafts }))
}

fn may_see(role: Role) -> bool {
    role.may_submit() || role.may_approve()
}

/// Every draft.
#[utoipa::path(get, path = "/drafts", operation_id = "list_drafts", tag = "publishing",
    security(("key" = [])),
    responses((status = 200, description = "The newest first.", body = DraftList), Problems, KeyProblems))]
pub async fn list_drafts(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    caller.require(may_see, "seeing drafts")?;
    let drafts = drafts::list(app.store()).await?;
    Ok(private(StatusCode::OK, DraftList { drafts: drafts.into_iter().map(DraftRecord::from).collect() }))
}

/// One draft.
#[utoipa::path(get, path = "/drafts/{id}", operation_id = "get_draft", tag = "publishing",
    params(("id" = String, Path, description = "Draft id")),
    security(("key" = [])),
    responses((status = 200, description = "The draft.", body = DraftRecord), Problems, KeyProblems))]
pub async fn get_draft(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    caller.require(may_see, "seeing a draft")?;
    let Path(id) = id?;
    let draft = drafts::find(app.store(), &id).await.map_err(publishing::PublishingError::from)?;
    Ok(private(StatusCode::OK, DraftRecord::from(draft)))
}

/// What a draft would change, row by row: the same form as the `difference.json` of its release.
#[utoipa::path(get, path = "/drafts/{id}/difference", operation_id = "get_draft_difference", tag = "publishing",
    params(("id" = String, Path, description = "Draft id")),
    security(("key" = [])),
    responses((status = 200, description = "The difference.", body = serde_json::Value, content_type = "application/json"), Problems, KeyProblems))]
pub async fn get_draft_difference(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    caller.require(may_see, "seeing a draft")?;
    let Path(id) = id?;
    let draft = drafts::find(app.store(), &id).await.map_err(publishing::PublishingError::from)?;
    let difference = draft.difference(app.store()).await?;
    let difference = difference.ok_or_else(|| ApiError::not_found("difference of draft", &draft.id))?;
    let mut response = ([(axum::http::header::CONTENT_TYPE, "application/json")], difference).into_response();
    log::private(response.headers_mut());
    Ok(response)
}

/// Puts a draft before an approver, with the statements of its reviews.
#[utoipa::path(post, path = "/drafts/{id}/submit", operation_id = "submit_draft", tag = "publishing",
    params(("id" = String, Path, description = "Draft id")), request_body = Submission,
    security(("key" = [])),
    responses((status = 200, description = "The draft, submitted.", body = DraftRecord),
              Problems, KeyProblems, BodyProblems, WriteProblems))]
pub async fn submit_draft(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Submission>, JsonRejection>,
) -> Result<Response, ApiError> {
    caller.require(Role::may_submit, "submitting a draft")?;
    let (Path(id), Json(submission)) = (id?, body?);
    let reviews = Reviews { secrecy: submission.secrecy_review, privacy: submission.privacy_review };
    let reason = submission.open_findings_reason;
    let (instance, by) = (app.instance.clone(), actor(&caller));
    let draft = whole(async move { publishing::submit(&instance, &id, reviews, reason, by).await }).await?;
    Ok(private(StatusCode::OK, DraftRecord::from(draft)))
}

/// Releases what a draft names. The key must be another holder's than the one that submitted it.
#[utoipa::path(post, path = "/drafts/{id}/approve", operation_id = "approve_draft", tag = "publishing",
    params(("id" = String, Path, description = "Draft id")),
    security(("key" = [])),
    responses((status = 200, description = "The draft, with its release.", body = DraftRecord),
              Problems, KeyProblems, WriteProblems))]
pub async fn approve_draft(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    // A publisher hears why: the person, not only the role, is what is asked for.
    caller.require(may_see, "approving a draft")?;
    let Path(id) = id?;
    if !caller.role().may_approve() {
        let draft = drafts::find(app.store(), &id).await.map_err(publishing::PublishingError::from)?;
        draft
            .check_approval(&actor(&caller), app.instance.config.publishing.on_error)
            .map_err(publishing::PublishingError::from)?;
        caller.require(Role::may_approve, "approving a draft")?;
    }
    let (instance, by) = (app.instance.clone(), actor(&caller));
    let (draft, _) = whole(async move { publishing::approve(&instance, &id, by).await }).await?;
    Ok(private(StatusCode::OK, DraftRecord::from(draft)))
}

/// Sends a draft back with a reason.
#[utoipa::path(post, path = "/drafts/{id}/reject", operation_id = "reject_draft", tag = "publishing",
    params(("id" = String, Path, description = "Draft id")), request_body = Rejection,
    security(("key" = [])),
    responses((status = 200, description = "The draft, rejected.", body = DraftRecord),
              Problems, KeyProblems, BodyProblems, WriteProblems))]
pub async fn reject_draft(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Rejection>, JsonRejection>,
) -> Result<Response, ApiError> {
    caller.require(Role::may_approve, "rejecting a draft")?;
    let (Path(id), Json(rejection)) = (id?, body?);
    let (instance, by) = (app.instance.clone(), actor(&caller));
    let draft = whole(async move { publishing::reject(&instance, &id, rejection.reason, by).await }).await?;
    Ok(private(StatusCode::OK, DraftRecord::from(draft)))
}
