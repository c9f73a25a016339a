//! What a file is, told to people, and how to check it without us.
//!
//! The page is for those who have a file and no program. It believes nothing about the file but its digest, and it
//! says how to do without the page: whoever doubts the figures has no reason to trust the site that shows them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use gongkai_warehouse::Snapshot;
use gongkai_warehouse::lake::pointer;
use minijinja::context;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::template::{Visitor, render};
use super::upload::{LARGEST_BYTES, UploadedFile, read_file};
use super::{Page, PageError, serde};
use crate::http::dataset::Reference;
use crate::http::{ApiError, App, caching, log};
use crate::standing::{Standing, standing};

/// The verifier that needs nothing of ours.
const SCRIPT: &str = include_str!("../../../verifier/gongkai_verify.py");

/// What the page says about a file.
#[derive(Debug, Serialize)]
struct Checked {
    file_name: String,
    sha256: String,
    bytes: u64,
    #[serde(flatten)]
    standing: Standing,
    dataset: Option<Reference>,
    /// Number of the release within its dataset.
    number: Option<u64>,
    is_synthetic: bool,
    withdrawn_at: Option<String>,
}

impl Checked {
    fn of(app: &App, snapshot: &Snapshot, file: UploadedFile) -> Self {
        let standing = standing(app.catalog(), snapshot, &file.sha256);
        let release = match &standing {
            Standing::Current { release, .. }
            | Standing::Superseded { release, .. }
            | Standing::Withdrawn { release, .. } => snapshot.releases.iter().find(|known| known.id() == *release),
            Standing::Source { .. } | Standing::Unknown => None,
        };
        let dataset = release.and_then(|release| app.dataset(&release.dataset).ok()).map(|(dataset, _)| dataset);
        let withdrawal = release.and_then(|release| snapshot.withdrawal_of(release));
        Self {
            file_name: file.name,
            sha256: file.sha256,
            bytes: file.bytes,
            standing,
            dataset: dataset.map(|dataset| Reference { id: dataset.id.clone(), label: (&dataset.label).into() }),
            number: release.map(|release| release.number),
            is_synthetic: release.is_some_and(|release| release.is_synthetic),
            withdrawn_at: withdrawal.map(|withdrawal| withdrawal.recorded_at.to_rfc3339()),
        }
    }
}

/// The key that signs now, in the forms that the commands of the page take.
#[derive(Debug, Serialize)]
struct Signing {
    id: String,
    pem: String,
    minisign: String,
    note: String,
}

impl Signing {
    /// None before the first publication.
    async fn read(app: &App) -> Result<Option<Self>, ApiError> {
        let current = pointer::read(app.store()).await?.current;
        let log = pointer::read_index(app.store(), &current).await?.log;
        Ok(log.key().map(|key| Self {
            id: key.short_id(),
            pem: key.pem(),
            minisign: key.minisign().lines().nth(1).unwrap_or_default().to_owned(),
            note: key.verifier_key(&log.origin),
        }))
    }
}

fn script_sha256() -> String {
    hex::encode(Sha256::digest(SCRIPT))
}

async fn form(app: &App, visitor: &Visitor, checked: Option<Checked>) -> Result<Html<String>, ApiError> {
    let signing = Signing::read(app).await?;
    let values = context! {
        checked => serde(&checked), signing => serde(&signing), script_sha256 => script_sha256(),
        largest_mib => LARGEST_BYTES >> 20,
    };
    render("verify.html", visitor, values)
}

pub async fn show(State(app): State<App>, visitor: Visitor) -> Page {
    form(&app, &visitor, None).await.map_err(|error| PageError(error, visitor.clone()))
}

pub async fn check(State(app): State<App>, visitor: Visitor, request: Request) -> Result<Response, PageError> {
    let page = async {
        let file = read_file(request, LARGEST_BYTES).await?;
        let file = file.ok_or_else(|| ApiError::new("invalid_parameter", "no file was chosen, expected one"))?;
        let snapshot = app.snapshot().await?;
        let checked = Checked::of(&app, &snapshot, file);
        form(&app, &visitor, Some(checked)).await
    };
    let mut response = page.await.map_err(|error| PageError(error, visitor.clone()))?.into_response();
    log::private(response.headers_mut());
    Ok(response)
}

/// The verifier, as it was built in.
pub async fn get_script(headers: HeaderMap) -> Response {
    let tag = format!("W/\"{}\"", script_sha256());
    caching::respond(&headers, &tag, || {
        let headers = [
            (header::CONTENT_TYPE, "text/x-python; charset=utf-8"),
            (header::CONTENT_DISPOSITION, "attachment; filename=\"gongkai_verify.py\""),
        ];
        (headers, SCRIPT).into_response()
    })
}
