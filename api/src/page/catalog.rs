//! The tiered disclosure catalogues.

use axum::extract::{Path, State};
use minijinja::context;

use super::template::{Visitor, render};
use super::{Page, PageError, serde};
use crate::http::{App, dataset, disclosure};

pub async fn list(State(app): State<App>, visitor: Visitor) -> Page {
    let page = async {
        let snapshot = app.snapshot().await?;
        let of = &app.catalog().disclosure;
        let values = context! {
            label => serde(&dataset::Text::from(&of.label)), version => of.version.clone(), basis => of.basis.clone(),
            catalogs => serde(&disclosure::catalogs(&app, &snapshot)),
        };
        render("catalogs.html", &visitor, values)
    };
    page.await.map_err(|error| PageError(error, visitor.clone()))
}

pub async fn show(State(app): State<App>, visitor: Visitor, Path(region): Path<String>) -> Page {
    let page = async {
        let snapshot = app.snapshot().await?;
        let record = disclosure::catalog(&app, &snapshot, &region)?;
        render("catalog.html", &visitor, context! { catalog => serde(&record) })
    };
    page.await.map_err(|error| PageError(error, visitor.clone()))
}
