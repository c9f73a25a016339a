//! Obligations: what is due, late and missing, and how a due date is reckoned.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use chrono::{DateTime, FixedOffset, NaiveDate};
use gongkai_catalog::deadline::{self, DeadlineRule, Step, StepKind};
use gongkai_warehouse::export::{self, ExportOptions};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::error::Problems;
use super::record::PageToken;
use super::sql::run;
use super::{ApiError, App};

/// Which obligations.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ObligationQuery {
    /// Code of a region; its own obligations only.
    pub region: Option<String>,
    /// `city`, `county` or `township`.
    pub tier: Option<String>,
    /// Number of a field, such as `04`.
    pub field: Option<String>,
    /// Code of an item without the region, such as `04-0101`.
    pub item: Option<String>,
    /// `upcoming`, `done`, `late`, `missing`, `empty`, `waived`, `undated`, `unlinked` or `uncounted`.
    #[param(pattern = "^(|upcoming|done|late|missing|empty|waived|undated|unlinked|uncounted)$")]
    pub state: Option<String>,
    /// First due day, as YYYY-MM-DD.
    pub due_from: Option<NaiveDate>,
    /// Last due day.
    pub due_to: Option<NaiveDate>,
    /// What was known at this time.
    #[param(
        pattern = r"^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?)?$"
    )]
    pub as_of: Option<String>,
    /// Obligations on one page, from 1 to 1000; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    pub page_size: Option<usize>,
    /// `next_page_token` of the page before.
    #[param(pattern = "^[0-9a-f]*$")]
    pub page_token: Option<String>,
}

/// One obligation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ObligationRecord {
    /// Made of item, version, period and what it is about.
    pub obligation_id: String,
    /// Code of the item: region, field, levels.
    pub item_code: String,
    /// Version of the item.
    pub version_no: i64,
    /// Region that has the duty.
    pub region_code: String,
    /// Its name.
    pub region_name: String,
    /// `city`, `county` or `township`.
    pub tier: String,
    /// Number of the field.
    pub field_no: String,
    /// Name of the item.
    pub disclosure_item_name: String,
    /// Office whose duty it is.
    pub obliged_org: String,
    /// The document, decision or organisation that it is about.
    pub obligation_subject: String,
    /// The period that it is about.
    pub period: String,
    /// Event that the time is counted from.
    pub anchor_kind: String,
    /// Its day, day 0.
    pub anchor_on: NaiveDate,
    /// Where that day was read: release and row, an event, or the calendar.
    pub anchor_source: String,
    /// Deadline as written.
    pub deadline_text: String,
    /// Deadline as a rule, JSON.
    pub deadline_rule: String,
    /// Last moment that is in time.
    #[schema(value_type = Option<String>)]
    pub due_at: Option<DateTime<FixedOffset>>,
    /// When it was first published.
    #[schema(value_type = Option<String>)]
    pub made_public_at: Option<DateTime<FixedOffset>>,
    /// Whether a register or a source says when.
    pub is_dated: Option<bool>,
    /// Release that fulfils it.
    pub release_id: Option<String>,
    /// `upcoming`, `done`, `late`, `missing`, `empty`, `waived`, `undated`, `unlinked` or `uncounted`.
    pub obligation_state: String,
    /// Working days late.
    pub late_workdays: Option<i64>,
    /// Why a table is empty, or why nothing is disclosed.
    pub explanation: Option<String>,
    /// Whether it rests on synthetic samples.
    pub is_synthetic: bool,
    /// Where the reckoning of the due date is shown step by step.
    #[serde(default)]
    pub reckoning: String,
}

/// A page of obligations.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObligationList {
    /// What has fallen due, the latest first; then what has not, the nearest first.
    pub obligations: Vec<ObligationRecord>,
    /// Obligations that match, by state.
    pub counts: Vec<StateCount>,
    /// Obligations that match.
    pub total: u64,
    /// The same question in SQL.
    pub sql: String,
    /// Token of the next page, where there is one.
    pub next_page_token: Option<String>,
}

/// How many obligations are in a state.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct StateCount {
    /// The state.
    pub obligation_state: String,
    /// How many.
    pub n: u64,
}

const STATES: [&str; 9] =
    ["upcoming", "done", "late", "missing", "empty", "waived", "undated", "unlinked", "uncounted"];

/// What has fallen due before what has not: the former with the latest first, the latter with the nearest.
const ORDER: &str = "obligation_state IN ('upcoming', 'uncounted'), CASE WHEN obligation_state = 'upcoming' THEN due_at END, \
                     due_at DESC NULLS LAST, obligation_id";

/// The day, or the nearest that SQL has an instant for (1677 to 2262): no due date lies beyond.
fn with_instant(day: NaiveDate) -> NaiveDate {
    let new_year = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or(day);
    day.clamp(new_year(1700), new_year(2261))
}

/// A text as a literal of SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl ObligationQuery {
    /// The condition of the question.
    fn condition(&self) -> Result<String, ApiError> {
        if let Some(state) = self.state.as_deref().filter(|state| !state.is_empty() && !STATES.contains(state)) {
            return Err(ApiError::parameter("state", state, &STATES.join(", ")));
        }
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let texts = [
            ("region_code", given(&self.region)),
            ("tier", given(&self.tier)),
            ("field_no", given(&self.field)),
            ("short_code", given(&self.item)),
            ("obligation_state", given(&self.state)),
        ];
        let texts = texts.into_iter().filter_map(|(column, text)| Some(format!("{column} = {}", literal(&text?))));
        let after = self.due_to.map(|day| day.succ_opt().unwrap_or(day));
        let days = [("due_at >=", self.due_from), ("due_at <", after)];
        let days = days
            .into_iter()
            .filter_map(|(column, day)| Some(format!("{column} TIMESTAMP '{} 00:00:00+08:00'", with_instant(day?))));
        let conditions: Vec<String> = texts.chain(days).collect();
        Ok(if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) })
    }

    /// The question in SQL, all pages.
    ///
    /// # Errors
    ///
    /// `invalid_parameter` for a state that there is not.
    pub fn sql(&self) -> Result<String, ApiError> {
        self.selected("*")
    }

    /// The same with other columns.
    fn selected(&self, columns: &str) -> Result<String, ApiError> {
        Ok(format!("SELECT {columns} FROM catalog.obligation{} ORDER BY {ORDER}", self.condition()?))
    }
}

/// The rows of a statement as objects.
async fn rows(app: &App, sql: &str, as_of: Option<&str>) -> Result<Vec<Map<String, Value>>, ApiError> {
    let answered = run(app, sql, as_of, None).await?;
    let bytes =
        export::to_bytes(&export::LINES, &answered.schema, &answered.collected.batches, ExportOptions::default())?;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map_err(|error| ApiError::internal(&error))).collect()
}

/// The columns that count the obligations in every state, in this order: one statement reckons them all but once.
fn counters() -> String {
    let counters =
        STATES.map(|state| format!("count(*) FILTER (WHERE obligation_state = '{state}') OVER () AS n_{state}"));
    counters.join(", ")
}

/// What the counters of a row say, without states that have none.
fn counts_of(row: &Map<String, Value>) -> Vec<StateCount> {
    let mut counts: Vec<StateCount> = STATES
        .iter()
        .filter_map(|state| {
            let n = row.get(&format!("n_{state}"))?.as_u64().filter(|n| *n > 0)?;
            Some(StateCount { obligation_state: (*state).to_owned(), n })
        })
        .collect();
    counts.sort_by(|one, other| one.obligation_state.cmp(&other.obligation_state));
    counts
}

/// The obligations that match a question.
///
/// # Errors
///
/// `invalid_parameter`, and what a query can come to.
pub async fn find(app: &App, query: &ObligationQuery) -> Result<ObligationList, ApiError> {
    let page_size = query.page_size.unwrap_or(100);
    if !(1..=1000).contains(&page_size) {
        return Err(ApiError::parameter("page_size", &page_size.to_string(), "a number from 1 to 1000"));
    }
    let snapshot = app.snapshot_at(query.as_of.as_deref()).await?;
    let offset = PageToken::offset(query.page_token.as_deref(), snapshot.counter)?;
    let sql = query.sql()?;
    let as_of = query.as_of.as_deref();
    let page = |offset: usize| {
        let counted = query.selected(&format!("*, {}", counters()))?;
        Ok::<_, ApiError>(format!("{counted} LIMIT {page_size} OFFSET {offset}"))
    };
    let found = rows(app, &page(offset)?, as_of).await?;
    let counts = match found.first() {
        Some(row) => counts_of(row),
        None if offset == 0 => Vec::new(),
        // A page beyond the last has no row that counts the others.
        None => rows(app, &page(0)?, as_of).await?.first().map(counts_of).unwrap_or_default(),
    };
    let read = |row| serde_json::from_value(Value::Object(row)).map_err(|error| ApiError::internal(&error));
    let mut obligations: Vec<ObligationRecord> = found.into_iter().map(read).collect::<Result<_, _>>()?;
    for obligation in &mut obligations {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        obligation.reckoning = format!(
            "/api/v1/deadlines?rule={}&from={}",
            encoded(&obligation.deadline_rule),
            encoded(&obligation.anchor_on.to_string())
        );
    }
    let total: u64 = counts.iter().map(|count| count.n).sum();
    let next_page_token = (total > offset.saturating_add(page_size) as u64)
        .then(|| PageToken { offset: offset + page_size, counter: snapshot.counter }.encode());
    Ok(ObligationList { obligations, counts, total, sql, next_page_token })
}

/// What is due, late and missing in the tiered disclosure catalogues.
///
/// The state of an obligation depends on the time: answers are not cached.
#[utoipa::path(get, path = "/obligations", operation_id = "list_obligations", tag = "catalogs", params(ObligationQuery),
    responses((status = 200, description = "A page of obligations.", body = ObligationList), Problems))]
pub async fn list_obligations(
    State(app): State<App>,
    query: Result<Query<ObligationQuery>, QueryRejection>,
) -> Result<Json<ObligationList>, ApiError> {
    let Query(query) = query?;
    Ok(Json(find(&app, &query).await?))
}

/// Which deadline.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeadlineQuery {
    /// 公开时限 as a catalogue prints it, such as `批准后20日内`.
    #[param(example = "批准后20日内")]
    pub text: Option<String>,
    /// A rule as JSON, in place of a text.
    pub rule: Option<String>,
    /// Day of the event, or last day of the period, as YYYY-MM-DD.
    pub from: Option<NaiveDate>,
}

/// How a text of 公开时限 is read, and what follows from a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadlineAnswer {
    /// The text.
    pub text: Option<String>,
    /// The rule that it is read as; none where it says nothing that can be reckoned with.
    #[schema(value_type = Option<Object>)]
    pub rule: Option<DeadlineRule>,
    /// Whether a person has to look at the text.
    pub needs_review: bool,
    /// The day that the time begins with.
    pub from: Option<NaiveDate>,
    /// Last moment that is in time, Beijing time.
    pub due_at: Option<String>,
    /// From when on it is slow, where the rule tells slow from late.
    pub soft_due_at: Option<String>,
    /// Every day on the way.
    pub steps: Vec<DeadlineStep>,
    /// Why there is no due date, where there is none.
    pub problem: Option<String>,
}

/// One day on the way to a due date.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadlineStep {
    /// The day.
    pub date: NaiveDate,
    /// `start`, `counted`, `weekend`, `holiday`, `makeup`, `span` or `rolled`.
    pub kind: String,
    /// How many have been counted with it.
    pub counted: u32,
}

impl From<&Step> for DeadlineStep {
    fn from(step: &Step) -> Self {
        let kind = match step.kind {
            StepKind::Start => "start",
            StepKind::Counted => "counted",
            StepKind::Weekend => "weekend",
            StepKind::Holiday => "holiday",
            StepKind::Makeup => "makeup",
            StepKind::Span => "span",
            StepKind::Rolled => "rolled",
        };
        Self { date: step.date, kind: kind.to_owned(), counted: step.counted }
    }
}

/// Reads a text or takes a rule, and reckons from a day.
///
/// # Errors
///
/// `invalid_parameter` where neither or both are given, and for a rule that is none.
pub fn reckon(app: &App, query: &DeadlineQuery) -> Result<DeadlineAnswer, ApiError> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (rule, needs_review, text) = match (given(&query.text), given(&query.rule)) {
        (Some(text), None) => {
            let reading = deadline::read(&text, None);
            (reading.rule, reading.needs_review, Some(text))
        }
        (None, Some(json)) => {
            let rule: DeadlineRule = serde_json::from_str(&json)
                .map_err(|error| ApiError::parameter("rule", &json, &format!("a deadline rule as JSON ({error})")))?;
            if let Some((found, expected)) = rule.fault() {
                return Err(ApiError::parameter("rule", &found, expected));
            }
            (Some(rule), false, None)
        }
        _ => return Err(ApiError::parameter("text", "", "either `text` or `rule`")),
    };
    let mut answer = DeadlineAnswer {
        text,
        rule,
        needs_review,
        from: query.from,
        due_at: None,
        soft_due_at: None,
        steps: Vec::new(),
        problem: None,
    };
    if let (Some(rule), Some(from)) = (&answer.rule, query.from) {
        match deadline::due_from_day(rule, from, &app.catalog().workdays) {
            Ok(due) => {
                let printed = |at: chrono::NaiveDateTime| format!("{}+08:00", at.format("%Y-%m-%dT%H:%M:%S"));
                answer.due_at = Some(printed(due.due_at));
                answer.soft_due_at = due.soft_due_at.map(printed);
                answer.steps = due.steps.iter().map(DeadlineStep::from).collect();
            }
            Err(error) => answer.problem = Some(error.to_string()),
        }
    }
    Ok(answer)
}

/// Reads a text of 公开时限 as a rule, and reckons a due date step by step.
#[utoipa::path(get, path = "/deadlines", operation_id = "get_deadline", tag = "catalogs", params(DeadlineQuery),
    responses((status = 200, description = "The rule, and the due date with every day on the way.", body = DeadlineAnswer), Problems))]
pub async fn reckon_deadline(
    State(app): State<App>,
    query: Result<Query<DeadlineQuery>, QueryRejection>,
) -> Result<Json<DeadlineAnswer>, ApiError> {
    let Query(query) = query?;
    Ok(Json(reckon(&app, &query)?))
}
