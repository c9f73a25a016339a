//! What is due, late and missing, and how a due date is reckoned.

use axum::extract::{Query, State};
use minijinja::context;

use super::template::{Visitor, render};
use super::{Page, PageError, serde};
use crate::http::obligation::{DeadlineQuery, ObligationQuery, find, reckon};
use crate::http::{ApiError, App, disclosure};

/// What the form sends: an empty field is no condition.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Form {
    region: String,
    state: String,
    field: String,
    page_token: String,
}

/// What the form of a deadline sends.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct DeadlineForm {
    text: String,
    rule: String,
    from: String,
}

fn given(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

pub async fn list(State(app): State<App>, visitor: Visitor, Query(form): Query<Form>) -> Page {
    let page = async {
        let snapshot = app.snapshot().await?;
        let query = ObligationQuery {
            region: given(&form.region),
            state: given(&form.state),
            field: given(&form.field),
            page_size: Some(50),
            page_token: given(&form.page_token),
            ..ObligationQuery::default()
        };
        let found = find(&app, &query).await?;
        let fields: Vec<_> = app
            .catalog()
            .disclosure
            .fields
            .iter()
            .map(|field| context! { number => field.number.clone(), zh => field.label.zh.clone(), en => field.label.en.clone() })
            .collect();
        let values = context! {
            found => serde(&found), catalogs => serde(&disclosure::catalogs(&app, &snapshot)), fields,
            region => form.region.clone(), state => form.state.clone(), field => form.field.clone(),
        };
        render("obligations.html", &visitor, values)
    };
    page.await.map_err(|error: ApiError| PageError(error, visitor.clone()))
}

pub async fn deadline(State(app): State<App>, visitor: Visitor, Query(form): Query<DeadlineForm>) -> Page {
    let page = async {
        let mut values = context! { text => form.text.clone(), rule => form.rule.clone(), from => form.from.clone() };
        if given(&form.text).is_some() || given(&form.rule).is_some() {
            let from = match given(&form.from) {
                Some(day) => {
                    Some(day.parse().map_err(|_| ApiError::parameter("from", &day, "a day such as 2019-04-26"))?)
                }
                None => None,
            };
            let query = DeadlineQuery { text: given(&form.text), rule: given(&form.rule), from };
            let answer = reckon(&app, &query)?;
            let rule_json = answer.rule.as_ref().and_then(|rule| serde_json::to_string(rule).ok());
            values = context! { answer => serde(&answer), rule_json, ..values };
        }
        render("deadline.html", &visitor, values)
    };
    page.await.map_err(|error: ApiError| PageError(error, visitor.clone()))
}
