//! A name for every request, in its answer and in our log, and the count of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use tracing::field::Empty;

use super::App;
use super::error::{Problem, render};

/// Header of the name.
pub const HEADER: &str = "x-request-id";

static COUNT: AtomicU64 = AtomicU64::new(0);

/// The name under which a method is counted: clients may make up others, and each would be kept for ever.
fn counted(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::OPTIONS => {
            method.as_str()
        }
        _ => "other",
    }
}

/// Names the request, logs its answer, and writes the name into problems.
pub async fn give_request_id(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = format!("{:x}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    // Paths of one route are counted together; what no route takes is one.
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let started = Instant::now();
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
        request_id = id,
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", i64::from(response.status().as_u16()));
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.request_id = Some(id.clone());
        let named = render(&problem);
        let headers = response.headers().clone();
        response = named;
        for (name, value) in &headers {
            if !response.headers().contains_key(name) && name != axum::http::header::CONTENT_ENCODING {
                response.headers_mut().insert(name, value.clone());
            }
        }
    }
    app.metrics.request(&route, counted(&method), response.status().as_u16(), started.elapsed());
    tracing::info!(
        request_id = id,
        %method,
        path = path.chars().take(200).collect::<String>().escape_debug().to_string(),
        status = response.status().as_u16(),
        elapsed_ms = started.elapsed().as_millis() as u64,
        "request"
    );
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
