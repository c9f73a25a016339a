//! Who asks, as handlers take it, and answers for that caller alone.

use std::net::{IpAddr, SocketAddr};

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{ApiError, App, log};
use crate::access::Caller;

/// From where a request comes: the address of its connection, or that of the visitor for whom a proxy asks.
fn address(parts: &Parts, app: &App) -> Option<IpAddr> {
    let ConnectInfo(connection) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(app.instance.config.limits.trusted_proxies.visitor(connection.ip(), &parts.headers))
}

/// The caller by the key of the request and the address of its connection, where there is one.
impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        app.caller(&parts.headers, address(parts, app)).await
    }
}

/// An answer for the caller alone.
pub fn private(status: StatusCode, body: impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    log::private(response.headers_mut());
    response
}

/// The caller together with where the request comes from, for what is counted by both.
#[derive(Debug)]
pub struct Asker {
    /// Who asks.
    pub caller: Caller,
    /// From where.
    pub address: Option<IpAddr>,
}

impl FromRequestParts<App> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let address = address(parts, app);
        let caller = app.caller(&parts.headers, address).await?;
        Ok(Self { caller, address })
    }
}

/// Refuses HEAD where only running something would tell what GET answers.
#[derive(Debug)]
pub struct NoHead;

impl<S: Send + Sync> FromRequestParts<S> for NoHead {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match parts.method {
            Method::HEAD => Err(ApiError::new("method_not_allowed", "nothing is run for HEAD; ask with GET or POST")),
            _ => Ok(Self),
        }
    }
}
