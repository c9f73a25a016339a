//! Events that duties are counted from: public to read, recorded with a key.

use axum::Json;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use gongkai_warehouse::register::{Event, EventKind, Evidence};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caching::NotModified;
use super::caller::private;
use super::error::{BodyProblems, Problems, WriteProblems};
use super::key::KeyProblems;
use super::{ApiError, App, caching};
use crate::access::{Caller, Role};
use crate::publishing;

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventRecord {
    /// `event.{number}`.
    pub id: String,
    /// `approved`, `replied`, `allocated`, `decided`, `formed_or_changed`, `received`, `accepted`, `occurred`, `period_end`,
    /// `published`, `empty`, `waived`, `explained` or `revoked`.
    pub kind: String,
    /// Region that it concerns.
    pub region_code: String,
    /// What it concerns: a dataset, an item, a document.
    pub subject: String,
    /// Period that it concerns.
    pub period: Option<String>,
    /// Day on which it happened.
    pub occurred_on: NaiveDate,
    /// Address of the document that shows it.
    pub evidence_url: Option<String>,
    /// SHA-256 of that document.
    pub evidence_sha256: Option<String>,
    /// Its number or title.
    pub evidence_document: Option<String>,
    /// The event that this one takes back.
    pub revokes: Option<String>,
    /// Office that recorded it.
    pub recorded_by: String,
    /// When it was recorded.
    pub recorded_at: String,
}

impl From<&Event> for EventRecord {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id.clone(),
            kind: event.kind.name().to_owned(),
            region_code: event.region_code.clone(),
            subject: event.subject.clone(),
            period: event.period.clone(),
            occurred_on: event.occurred_on,
            evidence_url: event.evidence.url.clone(),
            evidence_sha256: event.evidence.sha256.clone(),
            evidence_document: event.evidence.document.clone(),
            revokes: event.revokes.clone(),
            recorded_by: event.recorded_by.clone(),
            recorded_at: event.recorded_at.to_rfc3339(),
        }
    }
}

/// Events.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventList {
    /// In the order of recording.
    pub events: Vec<EventRecord>,
}

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// Code of a region.
    pub region: Option<String>,
    /// What they concern.
    pub subject: Option<String>,
}

/// What shows that something happened: at least one of the three.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvidence {
    /// Address of the document.
    pub url: Option<String>,
    /// SHA-256 of the document, in hexadecimal.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    pub sha256: Option<String>,
    /// Number or title of the document, such as a 文号.
    #[schema(example = "攀财〔2024〕1号")]
    pub document: Option<String>,
}

/// An event to be recorded. Names of persons do not belong into it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// `approved`, `replied`, `allocated`, `decided`, `formed_or_changed`, `received`, `accepted`, `occurred`, `period_end`,
    /// `published`, `empty`, `waived`, `explained` or `revoked`.
    #[schema(
        value_type = String,
        pattern = "^(approved|replied|allocated|decided|formed_or_changed|received|accepted|occurred|period_end|published|empty|waived|explained|revoked)$",
        example = "approved"
    )]
    pub kind: EventKind,
    /// Region that it concerns: the code of a declared one.
    #[schema(pattern = "^([0-9]{6}|[0-9]{9})$", example = "510400")]
    pub region_code: String,
    /// What it concerns: a dataset, an item, a document.
    #[schema(pattern = r"\S", example = "debt_limit_balance_final")]
    pub subject: String,
    /// Period that it concerns, such as 2022.
    pub period: Option<String>,
    /// Day on which it happened, not one to come.
    #[schema(example = "2024-02-01")]
    pub occurred_on: NaiveDate,
    /// What shows it: `url`, `sha256`, `document`, at least one.
    #[schema(value_type = NewEvidence)]
    pub evidence: Evidence,
    /// The event that this one takes back, of kind `revoked` only.
    pub revokes: Option<String>,
}

/// Events in the order of recording.
#[utoipa::path(get, path = "/events", operation_id = "list_events", tag = "events", params(EventQuery),
    responses((status = 200, description = "The events.", body = EventList), NotModified, Problems))]
pub async fn list_events(
    State(app): State<App>,
    headers: HeaderMap,
    query: Result<Query<EventQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    let snapshot = app.snapshot().await?;
    let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
    let wanted = |event: &&Event| is(&query.region, &event.region_code) && is(&query.subject, &event.subject);
    let events = snapshot.events.iter().filter(wanted).map(EventRecord::from).collect();
    let parts = ["events", query.region.as_deref().unwrap_or("*"), query.subject.as_deref().unwrap_or("*")];
    let tag = caching::tag(&snapshot, &parts);
    Ok(caching::respond(&headers, &tag, || Json(EventList { events }).into_response()))
}

/// Records an event with its evidence. It is public from then on and stands in the log.
#[utoipa::path(post, path = "/events", operation_id = "create_event", tag = "events", request_body = NewEvent,
    security(("key" = [])),
    responses((status = 201, description = "The event.", body = EventRecord),
              Problems, KeyProblems, BodyProblems, WriteProblems))]
pub async fn create_event(
    State(app): State<App>,
    caller: Caller,
    body: Result<Json<NewEvent>, JsonRejection>,
) -> Result<Response, ApiError> {
    caller.require(Role::may_submit, "recording an event")?;
    let Json(new) = body?;
    if app.catalog().regions.by_code(&new.region_code).next().is_none() {
        return Err(ApiError::parameter("region_code", &new.region_code, "the code of a declared region"));
    }
    let event = Event {
        id: String::new(),
        kind: new.kind,
        region_code: new.region_code,
        subject: new.subject,
        period: new.period,
        occurred_on: new.occurred_on,
        evidence: new.evidence,
        revokes: new.revokes,
        recorded_by: app.instance.config.publishing.office.clone(),
        recorded_at: app.instance.clock.now(),
    };
    let instance = app.instance.clone();
    let event = publishing::whole(async move { publishing::record_event(&instance, event).await }).await?;
    Ok(private(StatusCode::CREATED, EventRecord::from(&event)))
}
