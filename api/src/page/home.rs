//! The first page: what is here and how to get at it; and the page about the product.

use axum::extract::State;
use gongkai_warehouse::ReleaseRecord;
use gongkai_warehouse::check::Outcome;
use minijinja::context;

use super::template::{Visitor, render};
use super::{Page, PageError, serde};
use crate::http::dataset::{self, DatasetFilter, release_summary};
use crate::http::{App, disclosure};

/// Releases that the first page names.
const LATEST: usize = 6;

pub async fn show(State(app): State<App>, visitor: Visitor) -> Page {
    let page = async {
        let snapshot = app.snapshot().await?;
        let datasets = dataset::find(app.catalog(), &snapshot, &DatasetFilter::of_page(None, None, None, None))?;
        let themes: Vec<_> = app
            .catalog()
            .themes
            .iter()
            .map(|(id, theme)| {
                let count = datasets.iter().filter(|dataset| dataset.themes.iter().any(|of| of.id == *id)).count();
                context! { id, label => serde(&dataset::Text::from(&theme.label)), count }
            })
            .collect();
        let is_public = |release: &&ReleaseRecord| app.dataset(&release.dataset).is_ok();
        let mut latest: Vec<_> = snapshot.current_releases().filter(is_public).collect();
        latest.sort_by_key(|release| std::cmp::Reverse((release.recorded_at, release.log_index)));
        let latest: Vec<_> = latest.into_iter().take(LATEST).map(|release| release_summary(release, true)).collect();
        let findings = &snapshot.findings;
        let values = context! {
            datasets => serde(&datasets), themes, latest => serde(&latest),
            rows => datasets.iter().map(|dataset| dataset.rows).sum::<u64>(),
            releases => snapshot.releases.len(), sources => snapshot.sources.len(),
            errors => findings.count(Outcome::Error), warnings => findings.count(Outcome::Warn),
            catalogs => serde(&disclosure::catalogs(&app, &snapshot)),
        };
        render("home.html", &visitor, values)
    };
    page.await.map_err(|error| PageError(error, visitor.clone()))
}

pub async fn about(State(app): State<App>, visitor: Visitor) -> Page {
    let page = async {
        let snapshot = app.snapshot().await?;
        let counts = crate::http::finding::counts(&app, &snapshot, &Default::default());
        render("about.html", &visitor, context! { counts => serde(&counts), counter => snapshot.counter })
    };
    page.await.map_err(|error| PageError(error, visitor.clone()))
}
