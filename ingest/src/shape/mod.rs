//! Grids to typed rows of one table.
//!
//! [`recognise`] says which feed claims which grid; [`shape`] reads the claimed grids of one feed. Both are
//! pure: the same bytes, declarations and catalogue give the same batch.
//!
//! Invariants: missing, zero and set aside are three different things in every row; every row names the cell
//! that it came from; records in = kept + set aside; no two rows of a batch have the same business key.

mod attribute;
mod bind;
mod body;
mod bridge;
mod caption;
mod columns;
mod duplicate;
mod error;
mod figure;
mod fill;
mod header;
mod line;
mod moment;
mod moments;
mod number;
mod place;
mod recognise;
mod reshape;
mod table;
mod text;
mod text_grid;
mod told;

use arrow::array::RecordBatch;
use arrow::compute::{concat_batches, filter_record_batch};
use gongkai_catalog::Catalog;
use std::sync::Arc;

pub use columns::batch_schema;
pub use error::ShapeError;
pub(crate) use recognise::claims;
pub use recognise::{Claim, GridRecognition, NearMiss, Recognition, recognise};

pub(crate) use header::{HeaderColumn, read_header};
pub(crate) use text::{on_one_line, without_blanks};

use bind::{Binding, BoundTable, Sought};
use table::{ShapedGrid, shape_grid};

use crate::feed::Feed;
use crate::reader::{Document, Grid};
use crate::report::{Counts, GridReport, Reason, Report, SetAside, SetAsideKind};

/// Whether the text of a cell is a number.
pub(crate) fn is_number(text: &str) -> bool {
    number::parse_number(text).is_ok()
}

/// The rows of one file under one feed.
#[derive(Debug, Clone)]
pub struct Shaped {
    /// Table that the rows belong to.
    pub table: String,
    /// Dataset that the rows belong to; its `partition_by` columns are in the batch.
    pub dataset: String,
    /// The table's columns in order, without those that no feed fills; see [`batch_schema`].
    pub batch: RecordBatch,
    /// What became of the file.
    pub report: Report,
}

/// What the columns of one grid have in common.
struct GridContext<'a> {
    feed: &'a Feed,
    grid: &'a Grid,
    binding: &'a Binding,
}

/// Row and column of the cell of each row.
struct Addresses {
    rows: Vec<i32>,
    columns: Vec<i32>,
}

/// Reads every table of a feed in a document.
///
/// # Errors
///
/// The document holds no table of the feed, or one that lacks a text which a column needs. What is wrong with
/// single records and cells is in the report.
pub fn shape(feed: &Feed, document: &Document, catalog: &Catalog) -> Result<Shaped, ShapeError> {
    let table = catalog
        .tables
        .get(&feed.table)
        .ok_or_else(|| ShapeError::NoTable { feed: feed.id.clone(), table: feed.table.clone() })?;
    let mut bound: Vec<BoundTable<'_>> = Vec::new();
    let mut nearest: Option<bind::Miss> = None;
    for grid in &document.grids {
        match bind::bind(feed, &Sought::new(document, grid, catalog, true)) {
            Ok(tables) => bound.extend(tables),
            Err(miss) if nearest.as_ref().is_none_or(|nearest| miss.score > nearest.score) => nearest = Some(miss),
            Err(_) => {}
        }
    }
    if bound.is_empty() {
        let nearest = nearest.map_or_else(|| "the document has no tables".to_owned(), |miss| miss.reasons.join("; "));
        return Err(ShapeError::NotRecognised { feed: feed.id.clone(), nearest });
    }
    let mut grids = Vec::new();
    let mut refused = Vec::new();
    for BoundTable { grid, binding } in &bound {
        match shape_grid(&GridContext { feed, grid, binding }, table, catalog) {
            Ok(shaped) => grids.push(shaped),
            // A table that does not say what a column needs does not cost the others.
            Err(error @ ShapeError::NotPrinted { .. }) if bound.len() > 1 => refused.push((grid, binding, error)),
            Err(error) => return Err(error),
        }
    }
    if grids.is_empty()
        && let Some((.., error)) = refused.pop()
    {
        return Err(error);
    }
    let refuse = |error: arrow::error::ArrowError| ShapeError::Batch {
        feed: feed.id.clone(),
        table: table.name.clone(),
        reason: error.to_string(),
    };
    let schema = grids.first().map_or_else(|| Arc::new(batch_schema(table)), |grid| grid.batch.schema());
    let batch = concat_batches(&schema, grids.iter().map(|grid| &grid.batch)).map_err(refuse)?;
    let rows = if let [grid] = grids.as_slice() { Some(&grid.rows) } else { None };
    let repeats = duplicate::find_repeats(feed, &batch, &table.key, rows).map_err(refuse)?;
    let batch = match duplicate::set_aside_repeats(&mut grids, &repeats) {
        Some(kept) => filter_record_batch(&batch, &kept).map_err(refuse)?,
        None => batch,
    };
    let mut report = assemble_report(feed, document, grids);
    for (grid, binding, error) in refused {
        report.add_refused(refused_grid(grid, binding), refused_record(grid, binding, &error));
    }
    debug_assert!(report.is_balanced(), "records in = kept + set aside, cells in = values + missing + set aside");
    Ok(Shaped { table: table.name.clone(), dataset: feed.dataset.clone(), batch, report })
}

/// A table that is set aside as one record.
fn refused_grid(grid: &Grid, binding: &Binding) -> GridReport {
    GridReport {
        sheet: grid.sheet.clone(),
        title: binding.title.clone(),
        unit: binding.unit_printed.clone(),
        counts: Counts { records_in: 1, records_set_aside: 1, ..Counts::default() },
        ..GridReport::default()
    }
}

fn refused_record(grid: &Grid, binding: &Binding, error: &ShapeError) -> SetAside {
    let row = binding.header_rows.0;
    SetAside {
        kind: SetAsideKind::Record,
        sheet: grid.sheet.clone(),
        address: grid.address(row, 1),
        row,
        column: None,
        reason: Reason::NotPrinted,
        message: format!("the table is not read: {error}"),
        raw: binding.title.clone().unwrap_or_default(),
    }
}

fn assemble_report(feed: &Feed, document: &Document, grids: Vec<ShapedGrid<'_>>) -> Report {
    let mut report = Report {
        feed: feed.id.clone(),
        file: document.path.rsplit('/').next().unwrap_or_default().to_owned(),
        totals: Counts::default(),
        grids: Vec::new(),
        set_aside: Vec::new(),
        unresolved_places: Vec::new(),
    };
    for grid in grids {
        report.totals.add(&grid.report.counts);
        for name in grid.unresolved {
            if !report.unresolved_places.contains(&name) {
                report.unresolved_places.push(name);
            }
        }
        report.set_aside.extend(grid.set_aside);
        report.grids.push(grid.report);
    }
    report
}
