//! The portal's pages: plain HTML that works without scripts, Chinese by default, English by `?lang=en`.
//!
//! A page shows what the API answers and nothing else. Everything that comes from a department's file is
//! escaped by the template engine; pages carry no inline style and no script.

mod catalog;
mod chart;
mod dataset;
mod guide;
mod history;
mod home;
mod obligation;
mod provenance;
mod query;
mod table;
mod template;
mod upload;
mod verify;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use minijinja::context;
use minijinja::value::{Serde, Value};

pub use template::Language;

use crate::http::{ApiError, App};
use template::{Visitor, render};

/// The pages.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/about", get(home::about))
        .route("/datasets", get(dataset::list))
        .route("/datasets/{id}", get(dataset::show))
        .route("/catalogs", get(catalog::list))
        .route("/catalogs/{region}", get(catalog::show))
        .route("/tables", get(guide::tables))
        .route("/tables/{name}", get(guide::table))
        .route("/clients", get(guide::clients))
        .route("/obligations", get(obligation::list))
        .route("/deadlines", get(obligation::deadline))
        .route("/provenance", get(provenance::show))
        .route("/sql", get(query::show))
        // The upload has a limit of its own, which is larger than the default.
        .route("/verify", get(verify::show).post(verify::check).layer(DefaultBodyLimit::disable()))
        .route("/verifier/gongkai_verify.py", get(verify::get_script))
        .route("/assets/{name}", get(asset))
        .with_state(app)
}

/// A page, or the page that says why there is none.
type Page = Result<Html<String>, PageError>;

/// A page that could not be made is a page too.
struct PageError(ApiError, Visitor);

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let problem = self.0.problem();
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let page = render("problem.html", &self.1, context! { problem => serde(&problem) });
        let mut response = (status, page.unwrap_or_else(|_| Html(String::new()))).into_response();
        if let Some(seconds) = problem.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A record as templates see it.
fn serde(record: &impl serde::Serialize) -> Value {
    Value::from(Serde(record))
}

async fn asset(Path(name): Path<String>) -> Response {
    match template::ASSETS.get_file(&name) {
        Some(file) if name.ends_with(".css") => (
            [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")],
            file.contents(),
        )
            .into_response(),
        _ => ApiError::not_found("asset", &name).into_response(),
    }
}
