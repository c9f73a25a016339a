//! Rows of a dataset without SQL: select, filter, order, group, page by page. All pages show the state of the first.
//!
//! The parameters are SQL expressions and go through the one query door like any statement. Each is
//! checked to be closed in itself, so that none reaches into the clause of another.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use gongkai_warehouse::export;
use gongkai_warehouse::query::{TextLimits, scan};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::app::parse_time;
use super::caller::{Asker, NoHead};
use super::error::Problems;
use super::sql::{AskerProblems, ResultColumn, run_over};
use super::{ApiError, App};
use crate::metrics::Door;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RecordQuery {
    /// Columns or expressions, separated by commas; all columns where absent.
    select: Option<String>,
    /// Condition.
    #[param(example = "region_code = '510400'")]
    r#where: Option<String>,
    /// Columns to group by; `select` then holds aggregates.
    group_by: Option<String>,
    /// Order; release and row number where absent.
    order_by: Option<String>,
    /// Rows a page, at most 1 000; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    page_size: Option<usize>,
    /// `next_page_token` of the page before.
    #[param(pattern = "^[0-9a-f]*$")]
    page_token: Option<String>,
    /// What was current at this time.
    #[param(
        pattern = r"^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?)?$"
    )]
    as_of: Option<String>,
}

/// A page of rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordPage {
    /// Columns.
    pub columns: Vec<ResultColumn>,
    /// Rows as objects; decimals are strings.
    #[schema(value_type = Vec<serde_json::Value>)]
    pub records: Box<RawValue>,
    /// Rows on this page.
    pub row_count: usize,
    /// Token of the next page; none on the last.
    pub next_page_token: Option<String>,
}

/// Where the next page begins, tied to the state of the releases it was made from.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PageToken {
    pub offset: usize,
    pub counter: u64,
}

impl PageToken {
    /// Where the page begins that a token names; the beginning without one.
    pub fn offset(token: Option<&str>, counter: u64) -> Result<usize, ApiError> {
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(0) };
        Self::decode(token).filter(|token| token.counter == counter).map(|token| token.offset).ok_or_else(|| {
            ApiError::new("invalid_page_token", "the token is not ours, or the data changed since; begin again")
        })
    }

    pub fn encode(&self) -> String {
        hex::encode(format!("{}.{}", self.counter, self.offset))
    }

    fn decode(text: &str) -> Option<Self> {
        let text = String::from_utf8(hex::decode(text).ok()?).ok()?;
        let (counter, offset) = text.split_once('.')?;
        // No listing is longer than SQL can count, and a page more still has a number.
        let offset: u32 = offset.parse().ok()?;
        Some(Self { offset: offset as usize, counter: counter.parse().ok()? })
    }
}

/// A clause that is closed in itself: balanced, without comments and semicolons.
fn clause<'a>(name: &str, text: &'a str) -> Result<&'a str, ApiError> {
    let refuse = || ApiError::parameter(name, text, "an SQL expression without comments and semicolons");
    if text.contains("--") || text.contains("/*") || text.contains(';') {
        return Err(refuse());
    }
    // Scanned as the only clause of a query: a bracket that closes what it did not open is found here.
    scan(&format!("SELECT {text}"), &TextLimits::default())
        .map_err(|error| ApiError::new("invalid_parameter", format!("{name}: {error}")))?;
    Ok(text)
}

fn statement(id: &str, table: &str, query: &RecordQuery, offset: usize, page_size: usize) -> Result<String, ApiError> {
    let given = |name: &str, text: &Option<String>| -> Result<Option<String>, ApiError> {
        text.as_deref()
            .filter(|text| !text.trim().is_empty())
            .map(|text| clause(name, text).map(str::to_owned))
            .transpose()
    };
    let select = given("select", &query.select)?.unwrap_or_else(|| "*".to_owned());
    let mut sql = format!("SELECT {select} FROM open.\"{table}\" WHERE split_part(release_id, '.', 1) = '{id}'");
    if let Some(condition) = given("where", &query.r#where)? {
        sql.push_str(&format!(" AND ({condition})"));
    }
    let group_by = given("group_by", &query.group_by)?;
    if let Some(columns) = &group_by {
        sql.push_str(&format!(" GROUP BY {columns}"));
    }
    match (given("order_by", &query.order_by)?, group_by) {
        (Some(order), _) => sql.push_str(&format!(" ORDER BY {order}")),
        (None, Some(columns)) => sql.push_str(&format!(" ORDER BY {columns}")),
        (None, None) if select == "*" => sql.push_str(" ORDER BY release_id, row_no"),
        (None, None) => {}
    }
    sql.push_str(&format!(" LIMIT {} OFFSET {offset}", page_size + 1));
    Ok(sql)
}

/// Rows of a dataset.
#[utoipa::path(get, path = "/datasets/{id}/records", operation_id = "list_records", tag = "records",
    params(("id" = String, Path, description = "Dataset id", example = "debt_limit_balance_final"), RecordQuery),
    security((), ("key" = [])),
    responses((status = 200, description = "A page of rows.", body = RecordPage), AskerProblems, Problems))]
pub async fn list_records(
    _: NoHead,
    State(app): State<App>,
    asker: Asker,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<RecordQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (Path(id), Query(query)) = (id?, query?);
    let (_, table) = app.dataset(&id)?;
    let page_size = query.page_size.unwrap_or(100);
    if !(1..=1000).contains(&page_size) {
        return Err(ApiError::parameter("page_size", &page_size.to_string(), "a number from 1 to 1000"));
    }
    // An earlier state is read from the store: that is work too.
    let running = app.meter(&asker.caller, asker.address)?;
    // Pages that follow show the state that the first one showed, whatever is released in between.
    let token = query.page_token.as_deref().filter(|token| !token.is_empty()).map(PageToken::decode);
    let invalid = || ApiError::new("invalid_page_token", "the token is not one of this service");
    let (snapshot, offset) = match token {
        Some(token) => {
            let token = token.ok_or_else(invalid)?;
            (app.snapshot_of(token.counter).await.map_err(|_| invalid())?, token.offset)
        }
        None => (app.snapshot().await?, 0),
    };
    let snapshot = match query.as_of.as_deref().filter(|time| !time.is_empty()) {
        Some(time) => Arc::new(snapshot.as_of(parse_time(time)?)),
        None => snapshot,
    };
    let counter = snapshot.counter;
    let sql = statement(&id, &table.name, &query, offset, page_size)?;
    let timeout = app.timeout(&asker.caller);
    let answered = run_over(&app, Door::Http, sql.as_str().into(), snapshot, None, timeout).await?;
    drop(running);
    let has_more = answered.collected.row_count > page_size;
    let mut room = page_size;
    let page: Vec<_> = answered
        .collected
        .batches
        .iter()
        .map(|batch| {
            let taken = batch.slice(0, batch.num_rows().min(room));
            room -= taken.num_rows();
            taken
        })
        .collect();
    let records = export::to_bytes(&export::JSON, &answered.schema, &page, Default::default())?;
    let records = String::from_utf8(records).unwrap_or_default();
    Ok(Json(RecordPage {
        columns: answered.columns.iter().map(ResultColumn::from).collect(),
        records: RawValue::from_string(records.trim().to_owned()).map_err(|error| ApiError::internal(&error))?,
        row_count: page_size - room,
        next_page_token: has_more.then(|| PageToken { offset: offset + page_size, counter }.encode()),
    })
    .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_that_reaches_out_of_its_brackets_is_refused() {
        for text in ["1=1) OR (1=1", "1=1 -- x", "1=1; SELECT 1", "1=1 /* x", "(1=1"] {
            assert!(clause("where", text).is_err(), "{text}");
        }
        assert!(clause("where", "region_code = '510400' AND amount_yuan > 0").is_ok());
    }

    #[test]
    fn page_tokens_round_trip_and_strangers_are_refused() {
        let token = PageToken { offset: 200, counter: 7 }.encode();
        let back = PageToken::decode(&token).expect("ours");
        assert_eq!((back.offset, back.counter), (200, 7));
        assert!(PageToken::decode("zz").is_none() && PageToken::decode("00").is_none());
        assert!(PageToken::decode(&PageToken { offset: usize::MAX, counter: 7 }.encode()).is_none());
    }
}
