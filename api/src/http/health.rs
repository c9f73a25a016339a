//! Whether the process lives, and whether it can serve.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;

/// State of the instance.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, `read_only` after a sync that failed, `stopping` or `unavailable`.
    pub status: &'static str,
    /// Counter of the pointer that is served.
    pub counter: Option<u64>,
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", operation_id = "get_healthz", tag = "operations",
    responses((status = 200, description = "The process lives.", body = Health)))]
pub async fn get_healthz() -> Json<Health> {
    Json(Health { status: "ok", counter: None })
}

/// The instance can serve: its warehouse is readable and it is not about to end.
#[utoipa::path(get, path = "/readyz", operation_id = "get_readyz", tag = "operations",
    responses((status = 200, description = "The instance can serve.", body = Health),
              (status = 503, description = "It cannot.", body = Health)))]
pub async fn get_readyz(State(app): State<App>) -> Response {
    if app.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "stopping", counter: None })).into_response();
    }
    match app.snapshot().await {
        Ok(snapshot) => {
            // Reading goes on; an operator has to look at the disk.
            let status = if app.store().is_read_only() { "read_only" } else { "ok" };
            Json(Health { status, counter: Some(snapshot.counter) }).into_response()
        }
        Err(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "unavailable", counter: None })).into_response()
        }
    }
}

/// What the process counts of itself, for Prometheus.
#[utoipa::path(get, path = "/metrics", operation_id = "get_metrics", tag = "operations",
    responses((status = 200, description = "Counters in the text format of OpenMetrics.",
               content_type = "application/openmetrics-text", body = String)))]
pub async fn get_metrics(State(app): State<App>) -> Response {
    let text = app.metrics.render(app.sight().await);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
