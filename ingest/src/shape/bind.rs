//! Where in a grid a feed's table is, or why it is not there.
//!
//! A table is recognised by its required captions, its unit line, the header of every required label column
//! and of at least one value column. Hidden sheets, and sheets that could not be read to their end, are never
//! taken. Columns that nothing reads are named, not dropped.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use gongkai_catalog::Catalog;
use regex::Regex;

use super::caption::{captions, read_unit};
use super::header::{HeaderCache, HeaderColumn, named_columns, shown_depth};
use super::number::holds_number;
use super::text::{on_one_line, trimmed, without_blanks};
use super::text_grid;
use crate::feed::{ColumnUnit, Feed, LabelColumn, Reference};
use crate::reader::{Document, Grid, Visibility};

/// A value column of a feed at its place in a grid.
#[derive(Debug, Clone)]
pub(crate) struct BoundColumn {
    /// Index in the feed's value columns.
    pub rule: usize,
    pub header: HeaderColumn,
    /// Captures of the header, as `header.name`.
    pub captures: BTreeMap<String, String>,
    /// Id of the unit; empty where it differs from row to row.
    pub unit: String,
}

/// A feed's table with the grid that it stands in: a sheet, or a grid cut out of a text.
#[derive(Debug)]
pub(crate) struct BoundTable<'a> {
    pub grid: Cow<'a, Grid>,
    pub binding: Binding,
}

/// A feed's table at its place in a grid.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    /// Number of the header's first and last row.
    pub header_rows: (u32, u32),
    /// Index of the header's first row in the grid.
    pub header_index: usize,
    /// Number of the first row that is not the table's, where another stands below.
    pub end_row: Option<u32>,
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

/// A grid in which feeds seek their tables, with what all of them need of it.
pub(crate) struct Sought<'a> {
    pub document: &'a Document,
    pub grid: &'a Grid,
    pub catalog: &'a Catalog,
    /// Whether a miss names everything that is missing, and how near it came; else it may name the first.
    pub explains: bool,
    headers: HeaderCache,
}

impl<'a> Sought<'a> {
    pub fn new(document: &'a Document, grid: &'a Grid, catalog: &'a Catalog, explains: bool) -> Self {
        Self { document, grid, catalog, explains, headers: HeaderCache::default() }
    }
}

/// A feed's tables in one grid of a document: more than one where tables stand side by side or below one another.
pub(crate) fn bind<'a>(feed: &Feed, sought: &Sought<'a>) -> Result<Vec<BoundTable<'a>>, Miss> {
    let Sought { document, grid, catalog, explains, .. } = *sought;
    if grid.visibility != Visibility::Visible {
        return Err(Miss::far("the sheet is hidden".into()));
    }
    if let Some(reason) = &grid.broken {
        return Err(Miss::far(format!("the sheet is not whole: {reason}")));
    }
    let Some(rule) = &feed.text else {
        let bindings = bind_grid(feed, sought)?;
        return Ok(bindings.into_iter().map(|binding| BoundTable { grid: Cow::Borrowed(grid), binding }).collect());
    };
    if !grid.is_text() {
        return Err(Miss::far("the feed reads text, not tables".into()));
    }
    let mut tables = Vec::new();
    let mut nearest: Option<Miss> = None;
    for derived in text_grid::derive(rule, grid) {
        match bind_grid(feed, &Sought::new(document, &derived, catalog, explains)) {
            Ok(bindings) => {
                let own = |binding| BoundTable { grid: Cow::Owned(derived.clone()), binding };
                tables.extend(bindings.into_iter().map(own));
            }
            Err(miss) => keep_nearest(&mut nearest, miss),
        }
    }
    if tables.is_empty() {
        return Err(nearest.unwrap_or_else(|| Miss::far("no record in the text as the feed expects it".into())));
    }
    Ok(tables)
}

fn keep_nearest(nearest: &mut Option<Miss>, miss: Miss) {
    if nearest.as_ref().is_none_or(|nearest| miss.score > nearest.score) {
        *nearest = Some(miss);
    }
}

fn bind_grid(feed: &Feed, sought: &Sought<'_>) -> Result<Vec<Binding>, Miss> {
    let grid = sought.grid;
    let visible = (0..grid.rows.len()).filter(|index| !grid.rows[*index].is_hidden);
    let mut nearest: Option<Miss> = None;
    let mut bindings: Vec<Binding> = Vec::new();
    // Captions of a table stand below the header of the one above.
    let mut from = 0;
    for (position, top) in visible.enumerate() {
        if bindings.is_empty() && position >= feed.header_search_rows {
            break;
        }
        if top < from {
            continue;
        }
        match bind_at(&Top { feed, sought, top, from }) {
            Ok(found) => {
                end_above(grid, &mut bindings, from, top);
                from = found.iter().map(|binding| binding.body_index(grid)).max().unwrap_or(top + 1).max(top + 1);
                bindings.extend(found);
                if !feed.header_repeats {
                    break;
                }
            }
            Err(miss) => keep_nearest(&mut nearest, miss),
        }
    }
    if bindings.is_empty() {
        return Err(nearest.unwrap_or_else(|| Miss::far("no visible cells".into())));
    }
    Ok(bindings)
}

/// Ends the tables above one whose header is at `top`: what stands between their last figures and it is its own.
fn end_above(grid: &Grid, bindings: &mut [Binding], from: usize, top: usize) {
    let open: Vec<&mut Binding> = bindings.iter_mut().filter(|binding| binding.end_row.is_none()).collect();
    let has_figure = |row: usize, open: &[&mut Binding]| {
        let of = |binding: &&mut Binding| binding.values.iter().map(|value| value.header.column).collect::<Vec<_>>();
        let columns: Vec<u32> = open.iter().flat_map(of).collect();
        columns.iter().any(|column| holds_number(grid, &grid.rows[row], *column))
    };
    let mut end = top;
    while end > from && !has_figure(end - 1, &open) {
        end -= 1;
    }
    let number = grid.rows[end].number;
    for binding in open {
        binding.end_row = Some(number);
    }
}

impl Binding {
    /// Index of the first row below the header.
    fn body_index(&self, grid: &Grid) -> usize {
        grid.rows.partition_point(|row| row.number <= self.header_rows.1)
    }
}

/// A row at which a header may begin.
struct Top<'a> {
    feed: &'a Feed,
    sought: &'a Sought<'a>,
    top: usize,
    /// Index of the first row whose texts may be captions.
    from: usize,
}

impl<'a> Top<'a> {
    fn site(&self, last: u32) -> Site<'a> {
        let Sought { document, grid, catalog, explains, .. } = *self.sought;
        Site { feed: self.feed, document, grid, catalog, explains, top: self.top, last, from: self.from }
    }
}

fn bind_at(at: &Top<'_>) -> Result<Vec<Binding>, Miss> {
    let Top { feed, top, .. } = *at;
    let grid = at.sought.grid;
    if !feed.header_names.is_empty() {
        return bind_names(at);
    }
    let depth = if feed.header_is_exact { feed.header_depth } else { shown_depth(grid, top, feed.header_depth) };
    let mut bound = bind_depth(at, depth);
    if feed.header_is_exact {
        return bound;
    }
    for depth in (1..depth).rev() {
        if bound.is_ok() {
            break;
        }
        // The first row of the body may hold no figure: it looks like a row of the header then.
        if let Ok(bindings) = bind_depth(at, depth)
            && bindings.iter().all(|binding| holds_no_header(feed, grid, binding, top + depth as usize))
        {
            bound = Ok(bindings);
        }
    }
    bound
}

/// The table without a header that begins at a row: its columns have the names that the feed gives them.
fn bind_names(at: &Top<'_>) -> Result<Vec<Binding>, Miss> {
    let Top { feed, top, .. } = *at;
    let grid = at.sought.grid;
    let columns = named_columns(grid, &feed.header_names);
    let before = grid.rows[top].number.saturating_sub(1);
    let site = at.site(before);
    let width = feed.header_names.len() as u32;
    if grid.rows[top].field_count.is_some_and(|found| found != width) {
        return Err(Miss::far(format!("{:?} fields in the first line, expected {width}", grid.rows[top].field_count)));
    }
    let mut binding = bind_band(&site, &columns, 0..u32::MAX)?;
    let wrong = feed.labels.iter().find(|label| {
        let (Some(pattern), Some(column)) = (&label.must_match, binding.labels.get(&label.role)) else { return false };
        !pattern.is_match(&without_blanks(grid.text(&grid.rows[top], *column)))
    });
    if let Some(label) = wrong {
        return Err(Miss {
            score: 1,
            reasons: vec![format!("the first row has no {} as the feed expects it", label.role)],
        });
    }
    binding.header_rows = (before, before);
    binding.field_count = grid.rows[top].field_count.map(|_| width);
    Ok(vec![binding])
}

/// Whether a row has nothing in the value columns, or figures.
fn holds_no_header(feed: &Feed, grid: &Grid, binding: &Binding, row: usize) -> bool {
    let Some(row) = grid.rows.get(row) else { return true };
    binding.values.iter().all(|value| {
        let text = trimmed(grid.text(row, value.header.column));
        text.is_empty()
            || holds_number(grid, row, value.header.column)
            || feed.missing.iter().any(|marker| marker == text)
    })
}

/// The tables whose header has its first row and its depth there.
fn bind_depth(at: &Top<'_>, depth: u32) -> Result<Vec<Binding>, Miss> {
    let Top { feed, top, .. } = *at;
    let header = at.sought.headers.read(at.sought.grid, top, depth);
    let columns = header.columns.as_slice();
    let site = at.site(header.last);
    if !site.explains && feed.labels.iter().any(|label| is_absent(label, columns)) {
        return Err(Miss::far("a column that the feed needs is not there".into()));
    }
    let mut bindings = Vec::new();
    let mut nearest: Option<Miss> = None;
    let mut foreign = Vec::new();
    for band in bands(feed, columns) {
        let of_band: Cow<'_, [HeaderColumn]> = match columns.iter().all(|column| band.contains(&column.column)) {
            true => Cow::Borrowed(columns),
            false => columns.iter().filter(|column| band.contains(&column.column)).cloned().collect(),
        };
        match bind_band(&site, &of_band, band) {
            Ok(binding) => bindings.push(binding),
            Err(miss) => {
                foreign.extend(of_band.iter().filter(|column| !column.is_hidden).cloned());
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

/// Whether no header can be that of a label which the table has to have.
fn is_absent(label: &LabelColumn, columns: &[HeaderColumn]) -> bool {
    let Some(header) = label.header.as_ref().filter(|_| label.is_required()) else { return false };
    !columns.iter().any(|column| (label.may_be_hidden || !column.is_hidden) && header.is_match(&column.compared))
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
            let found: Vec<u32> = found.map(|column| column.column).collect();
            // A column that the table may do without says nothing of what stands beside it when it is absent.
            (label.is_required() || !found.is_empty()).then_some(found)
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
pub(super) struct Site<'a> {
    pub feed: &'a Feed,
    pub document: &'a Document,
    pub grid: &'a Grid,
    pub catalog: &'a Catalog,
    explains: bool,
    /// Index of the header's first row.
    pub top: usize,
    /// Number of the header's last row.
    last: u32,
    /// Index of the first row whose texts may be captions.
    pub from: usize,
}

fn bind_band(site: &Site<'_>, columns: &[HeaderColumn], band: Range<u32>) -> Result<Binding, Miss> {
    let Site { feed, grid, top, last, explains, .. } = *site;
    let mut reasons = Vec::new();
    let mut score = 0;
    let is_missed = |reasons: &[String]| !explains && !reasons.is_empty();
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
        if is_missed(&reasons) {
            return Err(Miss { score, reasons });
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
        let shown = columns.iter().filter(|column| !column.is_hidden);
        let found = if value.is_many {
            Ok(shown.filter(|column| value.header.is_match(&column.compared)).collect::<Vec<_>>())
        } else {
            only_match(&value.header, shown).map(|column| column.into_iter().collect())
        };
        match found {
            Ok(found) if found.is_empty() && value.is_required => {
                reasons.push(format!("no column for {}", value.description()));
            }
            Ok(found) => {
                score += u32::from(!found.is_empty());
                for column in found {
                    used.insert(column.column);
                    let captures = capture(&value.header, &column.compared, "header");
                    let unit = match value.unit.as_ref().map(|unit| column_unit(site, unit, &captures)) {
                        Some(Ok(unit)) => unit,
                        Some(Err(reason)) => {
                            reasons.push(reason);
                            continue;
                        }
                        None => String::new(),
                    };
                    let bound = if value.is_confirming { &mut confirming } else { &mut values };
                    bound.push(BoundColumn { rule, header: column.clone(), captures, unit });
                }
            }
            Err(two) => reasons.push(format!("two columns for {}: {two}", value.description())),
        }
    }
    if values.is_empty() && !feed.values.is_empty() {
        reasons.push("no value column of the feed".into());
    }
    if is_missed(&reasons) {
        return Err(Miss { score, reasons });
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
        end_row: None,
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

/// The unit of a column: none yet where it differs from record to record.
fn column_unit(site: &Site<'_>, unit: &ColumnUnit, captures: &BTreeMap<String, String>) -> Result<String, String> {
    match unit {
        ColumnUnit::Known(unit) => Ok(unit.clone()),
        ColumnUnit::Printed(Reference::Header(name)) => {
            let printed = captures.get(name).map(String::as_str).unwrap_or_default();
            let unit = site.catalog.unit_as_written(printed);
            unit.map(|unit| unit.id.clone()).ok_or_else(|| format!("the header names no unit in units.toml: {printed}"))
        }
        ColumnUnit::Printed(_) => Ok(String::new()),
    }
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

pub(super) fn capture(pattern: &Regex, text: &str, id: &str) -> BTreeMap<String, String> {
    let Some(captures) = pattern.captures(text) else { return BTreeMap::new() };
    pattern
        .capture_names()
        .flatten()
        .filter_map(|name| Some((format!("{id}.{name}"), captures.name(name)?.as_str().to_owned())))
        .collect()
}
