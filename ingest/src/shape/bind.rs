//! Where in a grid a feed's table is, or why it is not there.
//!
//! A table is recognised by its required captions, its unit line, the header of every required label column
//! and of at least one value column. Hidden sheets, and sheets that could not be read to their end, are never
//! taken. Columns that nothing reads are named, not dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use gongkai_catalog::Catalog;
use regex::Regex;

use super::header::{HeaderColumn, read_header, shown_depth};
use super::number::parse_number;
use super::text::{on_one_line, trimmed, without_blanks};
use crate::feed::{CaptionScope, Feed, LabelColumn};
use crate::reader::{Document, Grid, Row, Visibility};

/// Rows of another sheet among which a caption of the document may stand.
const CAPTION_ROWS: usize = 5;

/// A value column of a feed at its place in a grid.
#[derive(Debug, Clone)]
pub(crate) struct BoundColumn {
    /// Index in the feed's value columns.
    pub rule: usize,
    pub header: HeaderColumn,
    /// Captures of the header, as `header.name`.
    pub captures: BTreeMap<String, String>,
    /// Id of the unit.
    pub unit: String,
}

/// A feed's table at its place in a grid.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    /// Number of the header's first and last row.
    pub header_rows: (u32, u32),
    /// Index of the header's first row in the grid.
    pub header_index: usize,
    /// Columns of the grid that are the table's; others belong to the tables beside it.
    pub band: Range<u32>,
    /// Fields of the header line of a text file.
    pub field_count: Option<u32>,
    pub labels: BTreeMap<String, u32>,
    pub label_headers: Vec<(String, HeaderColumn)>,
    pub values: Vec<BoundColumn>,
    /// Columns that only confirm one of `values`.
    pub confirming: Vec<BoundColumn>,
    pub unread: Vec<HeaderColumn>,
    /// Captures of captions, as `caption.name`.
    pub captures: BTreeMap<String, String>,
    pub title: Option<String>,
    pub unit_printed: Option<String>,
}

/// Why a grid is not a feed's table.
#[derive(Debug, Clone)]
pub(crate) struct Miss {
    /// How near it came; larger is nearer.
    pub score: u32,
    pub reasons: Vec<String>,
}

impl Miss {
    fn far(reason: String) -> Self {
        Self { score: 0, reasons: vec![reason] }
    }
}

/// A feed's tables in one grid of a document: more than one where tables stand side by side.
pub(crate) fn bind(feed: &Feed, document: &Document, grid: &Grid, catalog: &Catalog) -> Result<Vec<Binding>, Miss> {
    if grid.visibility != Visibility::Visible {
        return Err(Miss::far("the sheet is hidden".into()));
    }
    if let Some(reason) = &grid.broken {
        return Err(Miss::far(format!("the sheet is not whole: {reason}")));
    }
    let visible: Vec<usize> =
        (0..grid.rows.len()).filter(|index| !grid.rows[*index].is_hidden).take(feed.header_search_rows).collect();
    let mut nearest: Option<Miss> = None;
    for top in visible {
        match bind_at(feed, document, grid, catalog, top) {
            Ok(bindings) => return Ok(bindings),
            Err(miss) if nearest.as_ref().is_none_or(|nearest| miss.score > nearest.score) => nearest = Some(miss),
            Err(_) => {}
        }
    }
    Err(nearest.unwrap_or_else(|| Miss::far("no visible cells".into())))
}

fn bind_at(feed: &Feed, document: &Document, grid: &Grid, catalog: &Catalog, top: usize) -> Result<Vec<Binding>, Miss> {
    let depth = shown_depth(grid, top, feed.header_depth);
    let mut bound = bind_depth(feed, document, grid, catalog, (top, depth));
    for depth in (1..depth).rev() {
        if bound.is_ok() {
            break;
        }
        // The first row of the body may hold no figure: it looks like a row of the header then.
        if let Ok(bindings) = bind_depth(feed, document, grid, catalog, (top, depth))
            && bindings.iter().all(|binding| holds_no_header(feed, grid, binding, top + depth as usize))
        {
            bound = Ok(bindings);
        }
    }
    bound
}

/// Whether a row has nothing in the value columns, or figures.
fn holds_no_header(feed: &Feed, grid: &Grid, binding: &Binding, row: usize) -> bool {
    let Some(row) = grid.rows.get(row) else { return true };
    binding.values.iter().all(|value| {
        let text = trimmed(grid.text(row, value.header.column));
        text.is_empty() || parse_number(text).is_ok() || feed.missing.iter().any(|marker| marker == text)
    })
}

/// The tables whose header has its first row and its depth there.
fn bind_depth(
    feed: &Feed,
    document: &Document,
    grid: &Grid,
    catalog: &Catalog,
    (top, depth): (usize, u32),
) -> Result<Vec<Binding>, Miss> {
    let (columns, last) = read_header(grid, top, depth);
    let site = Site { feed, document, grid, catalog, top, last };
    let mut bindings = Vec::new();
    let mut nearest: Option<Miss> = None;
    let mut foreign = Vec::new();
    for band in bands(feed, &columns) {
        let of_band: Vec<HeaderColumn> =
            columns.iter().filter(|column| band.contains(&column.column)).cloned().collect();
        match bind_band(&site, &of_band, band) {
            Ok(binding) => bindings.push(binding),
            Err(miss) => {
                foreign.extend(of_band.into_iter().filter(|column| !column.is_hidden));
                if nearest.as_ref().is_none_or(|nearest| miss.score > nearest.score) {
                    nearest = Some(miss);
                }
            }
        }
    }
    match bindings.first_mut() {
        Some(first) => {
            first.unread.extend(foreign);
            Ok(bindings)
        }
        None => Err(nearest.unwrap_or_else(|| Miss::far("no columns".into()))),
    }
}

/// The columns of each of the tables that stand side by side: a new one begins where the headers of the feed's labels do again.
fn bands(feed: &Feed, columns: &[HeaderColumn]) -> Vec<Range<u32>> {
    let shown = |label: &&LabelColumn, column: &&HeaderColumn| label.may_be_hidden || !column.is_hidden;
    let matches: Vec<Vec<u32>> = feed
        .labels
        .iter()
        .filter_map(|label| {
            let pattern = label.header.as_ref()?;
            let found = columns.iter().filter(|column| shown(&label, column) && pattern.is_match(&column.compared));
            Some(found.map(|column| column.column).collect())
        })
        .collect();
    let count = matches.first().map_or(0, Vec::len);
    if count < 2 || matches.iter().any(|found| found.len() != count) {
        return std::iter::once(0..u32::MAX).collect();
    }
    let start = |band: usize| matches.iter().map(|found| found[band]).min().unwrap_or_default();
    (0..count)
        .map(|band| {
            let first = if band == 0 { 0 } else { start(band) };
            let end = if band + 1 == count { u32::MAX } else { start(band + 1) };
            first..end
        })
        .collect()
}

/// Where a header was read.
struct Site<'a> {
    feed: &'a Feed,
    document: &'a Document,
    grid: &'a Grid,
    catalog: &'a Catalog,
    top: usize,
    /// Number of the header's last row.
    last: u32,
}

fn bind_band(site: &Site<'_>, columns: &[HeaderColumn], band: Range<u32>) -> Result<Binding, Miss> {
    let Site { feed, grid, top, last, .. } = *site;
    let mut reasons = Vec::new();
    let mut score = 0;
    let mut used = BTreeSet::new();
    let (mut labels, mut label_headers) = (BTreeMap::new(), Vec::new());
    for label in &feed.labels {
        let found = match (&label.header, &label.marker) {
            (Some(header), _) => {
                let shown = columns.iter().filter(|column| label.may_be_hidden || !column.is_hidden);
                only_match(header, shown).map(|column| column.cloned())
            }
            (None, Some(marker)) => Ok(find_marker(grid, top, marker)),
            (None, None) => Ok(None),
        };
        match found {
            Ok(Some(column)) => {
                score += u32::from(label.is_required()) * 4;
                used.insert(column.column);
                labels.insert(label.role.clone(), column.column);
                label_headers.push((label.role.clone(), column));
            }
            Ok(None) if !label.is_required() => {}
            Ok(None) => reasons.push(format!("no column for {}", label.role)),
            Err(two) => reasons.push(format!("two columns for {}: {two}", label.role)),
        }
    }
    for label in &feed.labels {
        let (Some(only), Some(column)) = (&label.only, labels.get(&label.role)) else { continue };
        if !grid.rows[top + 1..].iter().any(|row| only.is_match(&without_blanks(grid.text(row, *column)))) {
            reasons.push(format!("no row whose {} is the feed's", label.role));
        }
    }
    let (mut values, mut confirming) = (Vec::new(), Vec::new());
    for (rule, value) in feed.values.iter().enumerate() {
        match only_match(&value.header, columns.iter().filter(|column| !column.is_hidden)) {
            Ok(Some(column)) => {
                score += 1;
                used.insert(column.column);
                let captures = capture(&value.header, &column.compared, "header");
                let bound = if value.is_confirming { &mut confirming } else { &mut values };
                bound.push(BoundColumn {
                    rule,
                    header: column.clone(),
                    captures,
                    unit: value.unit.clone().unwrap_or_default(),
                });
            }
            Ok(None) if value.is_required => reasons.push(format!("no column for {}", value.description())),
            Ok(None) => {}
            Err(two) => reasons.push(format!("two columns for {}: {two}", value.description())),
        }
    }
    if values.is_empty() {
        reasons.push("no value column of the feed".into());
    }
    values.sort_by_key(|value| value.header.column);
    let above = captions(site, &band);
    score += above.found * 4;
    reasons.extend(above.absent);
    let mut unit_printed = None;
    match read_unit(site, &band) {
        Ok(Some(unit)) => {
            for value in &mut values {
                value.unit.clone_from(&unit.id);
            }
            unit_printed = Some(unit.printed);
        }
        Ok(None) => {}
        Err(reason) => reasons.push(reason),
    }
    if !reasons.is_empty() {
        return Err(Miss { score, reasons });
    }
    let is_unread = |column: &&HeaderColumn| !used.contains(&column.column) && !column.is_hidden;
    let unread = columns.iter().filter(is_unread).cloned().collect();
    Ok(Binding {
        header_rows: (grid.rows[top].number, last),
        header_index: top,
        band,
        field_count: grid.rows[top].field_count,
        labels,
        label_headers,
        values,
        confirming,
        unread,
        captures: above.captures,
        title: above.title,
        unit_printed,
    })
}

/// The one column whose header matches; the addresses where there are two.
fn only_match<'a>(
    pattern: &Regex,
    columns: impl Iterator<Item = &'a HeaderColumn>,
) -> Result<Option<&'a HeaderColumn>, String> {
    let mut matches = columns.filter(|column| pattern.is_match(&column.compared));
    match (matches.next(), matches.next()) {
        (Some(first), Some(second)) => Err(format!("{} and {}", first.address, second.address)),
        (first, _) => Ok(first),
    }
}

/// A machine column: the marker stands above the header, in a hidden row or column.
fn find_marker(grid: &Grid, top: usize, marker: &Regex) -> Option<HeaderColumn> {
    let cells = grid.rows[..top].iter().flat_map(|row| grid.cells_of(row).iter().map(move |cell| (row, cell)));
    let mut hidden = cells.filter(|(row, cell)| row.is_hidden || grid.hidden_columns.contains(&cell.column));
    let (_, cell) = hidden.find(|(_, cell)| marker.is_match(&without_blanks(&cell.text)))?;
    let text = on_one_line(&cell.text);
    Some(HeaderColumn {
        column: cell.column,
        compared: text.clone(),
        shown: text,
        address: grid.address(cell.row, cell.start),
        is_hidden: true,
    })
}

fn capture(pattern: &Regex, text: &str, id: &str) -> BTreeMap<String, String> {
    let Some(captures) = pattern.captures(text) else { return BTreeMap::new() };
    pattern
        .capture_names()
        .flatten()
        .filter_map(|name| Some((format!("{id}.{name}"), captures.name(name)?.as_str().to_owned())))
        .collect()
}

/// Visible cells above the header: those above the table itself, then those above the tables beside it.
fn cells_above<'a>(grid: &'a Grid, top: usize, band: &Range<u32>) -> impl Iterator<Item = &'a str> {
    let shown = || {
        grid.rows[..top]
            .iter()
            .filter(|row: &&Row| !row.is_hidden)
            .flat_map(|row| grid.cells_of(row))
            .filter(|cell| !grid.hidden_columns.contains(&cell.column))
    };
    let (own, others) = (band.clone(), band.clone());
    let own = shown().filter(move |cell| own.contains(&cell.column));
    own.chain(shown().filter(move |cell| !others.contains(&cell.column))).map(|cell| &*cell.text)
}

#[derive(Default)]
struct Above {
    captures: BTreeMap<String, String>,
    title: Option<String>,
    found: u32,
    absent: Vec<String>,
}

fn captions(site: &Site<'_>, band: &Range<u32>) -> Above {
    let Site { feed, document, grid, top, .. } = *site;
    let mut above = Above::default();
    for caption in &feed.captions {
        let has_it = |text: &&str| caption.pattern.is_match(&without_blanks(text));
        let mut found = match caption.within {
            CaptionScope::Path => Some(document.path.as_str()).filter(has_it),
            CaptionScope::Table | CaptionScope::Document => cells_above(grid, top, band).find(has_it),
        };
        if found.is_none() && caption.within == CaptionScope::Document {
            let others = document.grids.iter().filter(|other| other.visibility == Visibility::Visible);
            found = others
                .flat_map(|other| cells_above(other, CAPTION_ROWS.min(other.rows.len()), &(0..u32::MAX)))
                .find(has_it);
        }
        match found {
            Some(text) => {
                above.found += 1;
                above.captures.extend(capture(&caption.pattern, &without_blanks(text), &caption.id));
                if caption.is_required {
                    above.title = Some(on_one_line(text));
                }
            }
            None if caption.is_required => above.absent.push(format!("no {} as the feed expects it", caption.id)),
            None => {}
        }
    }
    above
}

struct TableUnit {
    id: String,
    printed: String,
}

/// The unit of the table; none for feeds whose columns have their own.
fn read_unit(site: &Site<'_>, band: &Range<u32>) -> Result<Option<TableUnit>, String> {
    let Site { feed, grid, catalog, top, .. } = *site;
    let Some(line) = &feed.unit else { return Ok(None) };
    let printed = cells_above(grid, top, band).find_map(|text| {
        let plain = without_blanks(text);
        Some(line.pattern.captures(&plain)?.name("unit")?.as_str().to_owned())
    });
    let printed = printed.ok_or_else(|| "no unit line above the header that the feed can read".to_owned())?;
    let unit = catalog.unit_as_written(&printed).filter(|unit| unit.dimension == line.dimension);
    let unit = unit.ok_or_else(|| format!("the unit line names no unit of {} in units.toml", line.dimension))?;
    Ok(Some(TableUnit { id: unit.id.clone(), printed }))
}
