//! The list of datasets and the page of one.

use axum::extract::{Path, Query, State};
use gongkai_catalog::Dataset;
use gongkai_warehouse::check::Outcome;
use minijinja::context;
use minijinja::value::Value;
use serde::Deserialize;

use super::chart::{Frame, Point, draw};
use super::history::history;
use super::table::{Table, values};
use super::template::{Language, Visitor, render};
use super::{Page, PageError, serde};
use crate::http::dataset::{self, DatasetFilter, DatasetSummary};
use crate::http::finding::{self, FindingQuery};
use crate::http::{ApiError, App, sql};

/// Rows that a dataset page shows.
const PREVIEW_ROWS: usize = 20;
/// Rows that a chart draws.
const CHART_ROWS: usize = 600;
/// Findings that a dataset page shows.
const FINDINGS: usize = 20;

/// What the list asks for.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    q: Option<String>,
    theme: Option<String>,
    publisher: Option<String>,
    sort: Option<String>,
}

pub async fn list(State(app): State<App>, visitor: Visitor, Query(query): Query<ListQuery>) -> Page {
    let page = async {
        let snapshot = app.snapshot().await?;
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (q, theme, publisher, sort) =
            (filled(&query.q), filled(&query.theme), filled(&query.publisher), filled(&query.sort));
        let find = |theme: &Option<String>, publisher: &Option<String>| {
            let filter = DatasetFilter::of_page(q.clone(), theme.clone(), publisher.clone(), sort.clone());
            dataset::find(app.catalog(), &snapshot, &filter)
        };
        let datasets = find(&theme, &publisher)?;
        // A facet counts what choosing another of its values would give.
        let themes = count(&find(&None, &publisher)?, |dataset| dataset.themes.to_vec());
        let publishers = count(&find(&theme, &None)?, |dataset| vec![dataset.publisher.clone()]);
        let values = context! { datasets => serde(&datasets), q, theme, publisher, sort, themes, publishers };
        render("datasets.html", &visitor, values)
    };
    page.await.map_err(|error| PageError(error, visitor.clone()))
}

/// Values of a facet with their counts, in the order of their ids.
fn count(datasets: &[DatasetSummary], values: impl Fn(&DatasetSummary) -> Vec<dataset::Reference>) -> Vec<Value> {
    let mut counted: std::collections::BTreeMap<String, (dataset::Reference, usize)> = Default::default();
    for reference in datasets.iter().flat_map(values) {
        counted.entry(reference.id.clone()).or_insert((reference, 0)).1 += 1;
    }
    counted.into_values().map(|(reference, count)| context! { value => serde(&reference), count }).collect()
}

pub async fn show(State(app): State<App>, visitor: Visitor, Path(id): Path<String>) -> Page {
    let page = async {
        let snapshot = app.snapshot().await?;
        let record = dataset::record(&app, &snapshot, &id)?;
        let (dataset, _) = app.dataset(&id)?;
        let mut preview = Table::default();
        let mut charts = Vec::new();
        if !record.releases.is_empty() {
            let statement = format!(
                "SELECT * FROM open.\"{}\" WHERE split_part(release_id, '.', 1) = '{id}' ORDER BY release_id DESC, row_no LIMIT {PREVIEW_ROWS}",
                record.summary.table
            );
            let answered = sql::run(&app, &statement, None, None).await?;
            preview = Table::preview(&answered, &record, &snapshot, visitor.language.code())?;
            charts = draw_charts(&app, dataset, visitor.language).await?;
        }
        let feeds = &app.instance.definitions.feeds;
        let sources: Vec<_> = snapshot
            .sources
            .iter()
            .filter(|source| source.feed.split(", ").any(|feed| feeds.get(feed).is_some_and(|feed| feed.dataset == id)))
            .collect();
        let wanted = FindingQuery::of_dataset(&id);
        let mut found = finding::find(&snapshot, &wanted);
        // What could not be tested is counted and not told one by one.
        found.retain(|finding| finding.outcome != Outcome::Skip);
        let explanations = snapshot.explanations();
        let findings: Vec<_> = found
            .iter()
            .take(FINDINGS)
            .map(|finding| finding::record(&app, &snapshot, &explanations, finding))
            .collect();
        let history = history(&app, &snapshot, &id, visitor.language).await;
        let values = context! {
            dataset => serde(&record), preview => serde(&preview), charts, sources => serde(&sources),
            history => serde(&history), withdrawn => history.iter().filter(|of| of.is_withdrawn()).count(),
            findings => serde(&findings), findings_total => found.len(),
            counts => serde(&finding::counts(&app, &snapshot, &wanted)),
        };
        render("dataset.html", &visitor, values)
    };
    page.await.map_err(|error| PageError(error, visitor.clone()))
}

/// The declared charts that have something to draw.
async fn draw_charts(app: &App, dataset: &Dataset, language: Language) -> Result<Vec<Value>, ApiError> {
    let mut charts = Vec::new();
    for chart in &dataset.charts {
        let answered = sql::run(app, &chart.sql, None, Some(CHART_ROWS)).await?;
        let position = |name: &str| answered.columns.iter().position(|column| column.name == name);
        let (Some(x), Some(y), Some(series)) = (position("x"), position("y"), position("series")) else {
            let detail = format!("{}: a chart's query answers the columns x, y and series", dataset.source_file);
            return Err(ApiError::new("internal", detail));
        };
        let points: Vec<Point> = values(&answered)?
            .into_iter()
            .map(|row| Point {
                x: row[x].clone().unwrap_or_default(),
                y: row[y].clone(),
                series: row[series].clone().unwrap_or_default(),
            })
            .collect();
        let choose = |label: &gongkai_catalog::Label| language.pick(&label.zh, &label.en).clone();
        let (title, unit) = (choose(&chart.label), choose(&chart.unit));
        if let Some(svg) = draw(chart.kind, &Frame { title: &title, unit: &unit }, &points) {
            let is_synthetic = answered.releases.iter().any(|release| release.is_synthetic);
            charts.push(context! { title, svg => Value::from_safe_string(svg), sql => chart.sql.trim(), is_synthetic });
        }
    }
    Ok(charts)
}
