//! One figure: its value, and the cell it came from in its surroundings.

use axum::extract::{Query, State};
use gongkai_ingest::window::{CellWindow, WindowQuery, heading};
use minijinja::context;
use serde::Serialize;

use super::template::{Visitor, render};
use super::{Page, PageError, serde};
use crate::http::provenance::{Provenance, ProvenanceQuery, trace};
use crate::http::{ApiError, App, source};

/// Rows and columns around the cell.
const AROUND_ROWS: u32 = 6;
const AROUND_COLUMNS: u32 = 4;
/// Rows from the top in which titles, units and headers stand.
const HEAD_ROWS: u32 = 5;
/// Columns from the left in which labels stand.
const HEAD_COLUMNS: u32 = 3;

/// The cells around a figure, as the page shows them.
#[derive(Debug, Serialize)]
struct Surroundings {
    headings: Vec<String>,
    rows: Vec<SurroundingRow>,
}

#[derive(Debug, Serialize)]
struct SurroundingRow {
    number: u32,
    is_hidden: bool,
    /// Whether rows are left out above this one.
    is_after_gap: bool,
    cells: Vec<SurroundingCell>,
}

#[derive(Debug, Default, Serialize)]
struct SurroundingCell {
    text: String,
    is_number: bool,
    is_target: bool,
}

pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    query: Result<Query<PageQuery>, axum::extract::rejection::QueryRejection>,
) -> Page {
    let page = async {
        let Query(query) = query?;
        let found = trace(&app, query.into()).await?;
        let around = surroundings(&app, &found).await;
        let (around, no_cells) = match around {
            Ok(around) => (Some(around), None),
            Err(error) => (None, Some(error.problem().detail)),
        };
        let dataset = found.release.rsplit_once('.').map(|(dataset, _)| dataset.to_owned());
        let record = dataset.and_then(|id| app.dataset(&id).ok()).map(|(dataset, table)| {
            let column = table.column(&found.column);
            context! {
                id => dataset.id.clone(),
                title => serde(&crate::http::dataset::Text::from(&dataset.label)),
                column => column.map(|column| serde(&crate::http::dataset::Text::from(&column.label))),
            }
        });
        let unit = found.unit.as_ref().and_then(|unit| app.catalog().units.get(unit)).filter(|unit| unit.symbol != "1");
        let unit = unit.map(|unit| serde(&crate::http::dataset::Text::from(&unit.label)));
        let values = context! { unit, found => serde(&found), around => around.map(|around| serde(&around)), no_cells, dataset => record };
        render("provenance.html", &visitor, values)
    };
    page.await.map_err(|error: ApiError| PageError(error, visitor.clone()))
}

/// Parameters of the page; the language is the visitor's.
#[derive(Debug, serde::Deserialize)]
pub struct PageQuery {
    table: String,
    release: String,
    row: u32,
    column: Option<String>,
}

impl From<PageQuery> for ProvenanceQuery {
    fn from(query: PageQuery) -> Self {
        Self { table: query.table, release: query.release, row: query.row, column: query.column }
    }
}

async fn surroundings(app: &App, found: &Provenance) -> Result<Surroundings, ApiError> {
    let snapshot = app.snapshot().await?;
    let number = |name: &str| found.record.get(name).and_then(serde_json::Value::as_u64).map(|number| number as u32);
    let (row, column) =
        number("source_row").zip(number("source_column")).ok_or_else(|| ApiError::new("internal", "no place"))?;
    // The column of a text file is a character; its fields are few enough to be read all.
    let (left, right) = match found.sheet {
        Some(_) => (column.saturating_sub(AROUND_COLUMNS).max(1), column + AROUND_COLUMNS),
        None => (1, 50),
    };
    let ask = |top: u32, bottom: u32, left: u32, right: u32| WindowQuery {
        sheet: found.sheet.clone(),
        top: top.max(1),
        bottom,
        left,
        right,
    };
    let sha256 = &found.source.sha256;
    let left = if left <= HEAD_COLUMNS + 1 { 1 } else { left };
    let near =
        source::window(app, &snapshot, sha256, ask(row.saturating_sub(AROUND_ROWS), row + AROUND_ROWS, 1, right))
            .await?;
    let head = source::window(app, &snapshot, sha256, ask(1, HEAD_ROWS, 1, right)).await?;
    Ok(arrange(head, near, left, found.cell.as_deref().unwrap_or_default()))
}

/// Header rows, then the rows around the cell; of the columns those of labels and those around the cell.
fn arrange(head: CellWindow, near: CellWindow, left: u32, target: &str) -> Surroundings {
    let is_text = near.sheet.is_none();
    let mut rows = head.rows;
    let known: Vec<u32> = rows.iter().map(|row| row.number).collect();
    rows.extend(near.rows.into_iter().filter(|row| !known.contains(&row.number)));
    let target_column =
        rows.iter().flat_map(|row| &row.cells).find(|cell| cell.address == target).map_or(left, |cell| cell.column);
    let around = target_column.saturating_sub(AROUND_COLUMNS)..=target_column + AROUND_COLUMNS;
    let mut columns: Vec<u32> = rows.iter().flat_map(|row| row.cells.iter().map(|cell| cell.column)).collect();
    columns.sort_unstable();
    columns.dedup();
    columns.retain(|column| *column <= HEAD_COLUMNS || around.contains(column));
    let mut last = 0;
    let rows = rows
        .into_iter()
        .map(|row| {
            let is_after_gap = row.number > last + 1 && last > 0;
            last = row.number;
            let cell = |column: &u32| {
                let found = row.cells.iter().find(|cell| cell.column == *column);
                found.map_or_else(SurroundingCell::default, |cell| SurroundingCell {
                    text: cell.text.clone(),
                    is_number: cell.kind == "number",
                    is_target: cell.address == target,
                })
            };
            SurroundingRow {
                number: row.number,
                is_hidden: row.is_hidden,
                is_after_gap,
                cells: columns.iter().map(cell).collect(),
            }
        })
        .collect();
    let heading = |column: &u32| if is_text { column.to_string() } else { heading(*column) };
    Surroundings { headings: columns.iter().map(heading).collect(), rows }
}
