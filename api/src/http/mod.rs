//! HTTP: the API, its description, and the pages of the portal.
//!
//! Handlers hold no state beyond [`App`]. Every error is `application/problem+json` with a code of
//! [`error`]; content that is a function of releases carries an ETag made of the pointer's counter.

pub mod answers;
pub mod app;
mod body;
pub mod caching;
pub mod caller;
pub mod dataset;
pub mod difference;
pub mod disclosure;
pub mod download;
pub mod draft;
pub mod error;
pub mod event;
pub mod feed;
mod file_answer;
mod file_parts;
pub mod finding;
pub mod health;
pub mod key;
pub mod log;
pub mod obligation;
pub mod provenance;
pub mod publish;
pub mod query;
pub mod record;
pub mod release;
pub mod request_id;
pub mod serve;
pub mod source;
mod spooled;
pub mod sql;
pub mod table;
pub mod verify;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

pub use app::App;
pub use error::ApiError;
pub use serve::serve;

use crate::page;

/// Head of the API's description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Gongkai 公开",
        description = "Open-data catalogue and analytics warehouse: datasets, releases, SQL, downloads, and the way from any figure back to the cell it came from. Money and other decimals are JSON strings. Errors are application/problem+json with a stable `code`.",
        license(name = "Apache-2.0")
    ),
    components(schemas(error::Problem)),
    modifiers(&AccessKeyScheme)
)]
struct Description;

/// Declares the access key that operations name as `key`.
struct AccessKeyScheme;

impl Modify for AccessKeyScheme {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("gk_ID_SECRET").build();
        if let Some(components) = description.components.as_mut() {
            components.add_security_scheme("key", SecurityScheme::Http(scheme));
        }
    }
}

/// The API with its description.
pub fn api(app: App) -> (Router, utoipa::openapi::OpenApi) {
    let v1 = OpenApiRouter::new()
        .routes(routes!(dataset::list_datasets))
        .routes(routes!(dataset::get_dataset))
        .routes(routes!(release::list_releases))
        .routes(routes!(release::get_release))
        .routes(routes!(release::get_release_file))
        .routes(routes!(difference::get_dataset_diff))
        .routes(routes!(download::download_dataset))
        .routes(routes!(record::list_records))
        .routes(routes!(table::list_tables))
        .routes(routes!(table::get_table))
        .routes(routes!(disclosure::list_catalogs))
        .routes(routes!(disclosure::get_catalog))
        .routes(routes!(disclosure::list_items))
        .routes(routes!(disclosure::get_catalog_workbook))
        .routes(routes!(disclosure::get_coverage))
        .routes(routes!(disclosure::get_catalog_diff))
        .routes(routes!(obligation::list_obligations))
        .routes(routes!(obligation::reckon_deadline))
        .routes(routes!(finding::list_findings))
        .routes(routes!(provenance::get_provenance))
        .routes(routes!(source::get_source))
        .routes(routes!(source::get_source_cells))
        .routes(routes!(log::get_log_checkpoint))
        .routes(routes!(log::get_log_tile))
        .routes(routes!(log::get_log_proof))
        .routes(routes!(log::get_log_key))
        .routes(routes!(verify::post_verify))
        .routes(routes!(key::list_keys, key::create_key))
        .routes(routes!(key::revoke_key))
        .routes(routes!(event::list_events, event::create_event))
        .routes(routes!(draft::create_draft_file))
        .routes(routes!(draft::list_drafts, draft::create_draft))
        .routes(routes!(draft::get_draft))
        .routes(routes!(draft::get_draft_difference))
        .routes(routes!(draft::submit_draft))
        .routes(routes!(draft::approve_draft))
        .routes(routes!(draft::reject_draft))
        .routes(routes!(publish::create_release))
        .routes(routes!(publish::withdraw_release))
        .routes(routes!(query::create_query))
        .routes(routes!(query::get_query))
        .routes(routes!(query::get_query_comparison))
        .routes(routes!(sql::get_sql, sql::post_sql));
    let (router, mut description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(health::get_healthz))
        .routes(routes!(health::get_readyz))
        .routes(routes!(health::get_metrics))
        .routes(routes!(feed::get_feed))
        .routes(routes!(feed::get_dataset_feed))
        .nest("/api/v1", v1)
        .with_state(app)
        .split_for_parts();
    // The router's mark of a parameter with slashes is not one of OpenAPI.
    let items = std::mem::take(&mut description.paths.paths);
    description.paths.paths = items.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    (router, description)
}

/// The description alone, for the golden and for clients.
pub fn description(app: App) -> utoipa::openapi::OpenApi {
    api(app).1
}

/// Most bytes that any body may announce: an upload. The handlers have smaller bounds of their own.
const LARGEST_BODY: u64 = 1 << 30;
/// The same for questions, which are JSON.
const LARGEST_QUESTION: u64 = 2 << 20;

/// Refuses a body that announces more than is taken, before any of it comes.
async fn announced(request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()).and_then(|value| value.parse::<u64>().ok());
    let path = request.uri().path();
    let is_question = matches!(path, "/api/v1/sql" | "/api/v1/queries");
    let most = if is_question { LARGEST_QUESTION } else { LARGEST_BODY };
    match length {
        Some(length) if length > most => {
            ApiError::new("payload_too_large", format!("the body has {length} bytes; at most {most} are accepted"))
                .into_response()
        }
        _ => next.run(request).await,
    }
}

/// Everything that is served.
pub fn router(app: App) -> Router {
    let counted = app.clone();
    let (api, description) = api(app.clone());
    // No validator on another host is asked about a local document.
    let docs =
        SwaggerUi::new("/docs").url("/openapi.json", description).config(Config::default().validator_url("none"));
    let content_policy = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; \
                          base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    let [idempotency_key, if_match] = publish::allowed_headers();
    let pages = page::router(app).layer(SetResponseHeaderLayer::if_not_present(
        header::CONTENT_SECURITY_POLICY,
        axum::http::HeaderValue::from_static(content_policy),
    ));
    Router::new()
        .merge(api)
        .merge(docs)
        .merge(pages)
        .fallback(error::unknown_path)
        .method_not_allowed_fallback(error::unknown_method)
        .layer(from_fn(body::keep_pace))
        .layer(CompressionLayer::new())
        .layer(
            CorsLayer::new()
                .allow_origin(Any)
                .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::DELETE])
                .allow_headers([
                    header::AUTHORIZATION,
                    header::CONTENT_TYPE,
                    header::RANGE,
                    header::IF_NONE_MATCH,
                    idempotency_key,
                    if_match,
                ])
                .expose_headers([
                    header::ETAG,
                    header::CONTENT_RANGE,
                    HeaderName::from_static(sql::RELEASES_HEADER),
                    HeaderName::from_static(sql::DIGEST_HEADER),
                    HeaderName::from_static(sql::TRUNCATED_HEADER),
                    HeaderName::from_static(request_id::HEADER),
                ]),
        )
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            axum::http::HeaderValue::from_static("nosniff"),
        ))
        .layer(from_fn(announced))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn_with_state(counted, request_id::give_request_id))
}
