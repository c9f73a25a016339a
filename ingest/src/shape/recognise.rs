//! Which feed reads which grid, or for every feed why it does not.

use gongkai_catalog::Catalog;
use serde::{Deserialize, Serialize};

use super::bind::{Binding, BoundTable, Miss, Sought, bind};
use crate::feed::{Feed, Feeds};
use crate::reader::Document;
use crate::report::HeaderCell;

/// The judgement on every grid of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognition {
    /// One entry for each grid, in their order. A document without grids has one entry without a sheet.
    pub grids: Vec<GridRecognition>,
}

impl Recognition {
    /// Ids of the feeds that claim a grid, each once, in the order of grids.
    pub fn feeds(&self) -> Vec<&str> {
        let mut feeds: Vec<&str> = Vec::new();
        for claim in self.grids.iter().flat_map(|grid| grid.claim.iter().chain(&grid.shared)) {
            if !feeds.contains(&claim.feed.as_str()) {
                feeds.push(&claim.feed);
            }
        }
        feeds
    }
}

/// The judgement on one grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridRecognition {
    /// Name of the sheet.
    pub sheet: Option<String>,
    /// The feed that reads it.
    pub claim: Option<Claim>,
    /// Feeds that read other rows of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<Claim>,
    /// Why the others do not, the nearest first.
    pub misses: Vec<NearMiss>,
}

/// A feed's table found in a grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The feed.
    pub feed: String,
    /// First and last row of the header.
    pub header_rows: (u32, u32),
    /// Title as printed.
    pub title: Option<String>,
    /// Unit as printed.
    pub unit: Option<String>,
    /// Columns that are read.
    pub columns: Vec<HeaderCell>,
    /// Columns that are not.
    pub columns_not_read: Vec<HeaderCell>,
    /// Addresses of the headers of its figures: feeds that read other figures of a table share it.
    #[serde(skip)]
    figures: Vec<String>,
}

/// Why a feed does not read a grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearMiss {
    /// The feed.
    pub feed: String,
    /// What is missing or in the way.
    pub reasons: Vec<String>,
}

/// Says for every grid which feed reads it.
///
/// Of two feeds that could read the same figures the one that reads more columns gets them; where they are equal, none. Feeds that
/// declare which rows are theirs, feeds that read other figures, and feeds that read other sentences share a grid.
pub fn recognise(document: &Document, feeds: &Feeds, catalog: &Catalog) -> Recognition {
    recognise_with(document, feeds, catalog, true)
}

/// The same claims, in a fraction of the time: a miss names one thing that is missing, not all.
pub(crate) fn claims(document: &Document, feeds: &Feeds, catalog: &Catalog) -> Recognition {
    recognise_with(document, feeds, catalog, false)
}

fn recognise_with(document: &Document, feeds: &Feeds, catalog: &Catalog, explains: bool) -> Recognition {
    let grids = if document.grids.is_empty() {
        let reason = format!("{} is recognised, no feed reads it", document.format.name());
        let misses =
            feeds.iter().map(|feed| NearMiss { feed: feed.id.clone(), reasons: vec![reason.clone()] }).collect();
        vec![GridRecognition { sheet: None, claim: None, shared: Vec::new(), misses }]
    } else {
        document.grids.iter().map(|grid| judge(&Sought::new(document, grid, catalog, explains), feeds)).collect()
    };
    Recognition { grids }
}

fn judge(sought: &Sought<'_>, feeds: &Feeds) -> GridRecognition {
    let Sought { document, grid, .. } = *sought;
    let mut claims: Vec<Claim> = Vec::new();
    let mut misses: Vec<(u32, NearMiss)> = Vec::new();
    for feed in feeds.iter() {
        let found = if feed.formats.contains(&document.format) {
            bind_claim(feed, sought)
        } else {
            let reason = format!("the feed does not read {}", document.format.name());
            Err(Miss { score: 0, reasons: vec![reason] })
        };
        match found {
            Ok(claim) => claims.push(claim),
            Err(miss) => misses.push((miss.score, NearMiss { feed: feed.id.clone(), reasons: miss.reasons })),
        }
    }
    claims.sort_by_key(|claim| std::cmp::Reverse(claim.columns.len()));
    let shares = |claim: &Claim| {
        feeds.get(&claim.feed).is_some_and(|feed| feed.is_partial() || feed.text.is_some() || claim.figures.is_empty())
    };
    let mut taken: Vec<Claim> = Vec::new();
    let mut left: Vec<Claim> = Vec::new();
    for claim in claims {
        let is_free = |other: &Claim| claim.figures.iter().all(|figure| !other.figures.contains(figure));
        let fits = taken.iter().all(|other| (shares(&claim) && shares(other)) || is_free(other));
        if fits { taken.push(claim) } else { left.push(claim) }
    }
    // Two feeds that read as much of the same figures: neither is surely right.
    let is_tie = |claim: &Claim| {
        left.iter().any(|other| {
            other.columns.len() == claim.columns.len()
                && !shares(claim)
                && other.figures.iter().any(|figure| claim.figures.contains(figure))
        })
    };
    let (tied, mut taken): (Vec<Claim>, Vec<Claim>) = taken.into_iter().partition(is_tie);
    for other in &left {
        let reason = match taken.first() {
            Some(claim) => format!("the table is that of {} as well, which reads more columns", claim.feed),
            None => "another feed reads as many columns of the same table".to_owned(),
        };
        misses.push((u32::MAX, NearMiss { feed: other.feed.clone(), reasons: vec![reason] }));
    }
    for other in tied {
        let reason = "another feed reads as many columns of the same table".to_owned();
        misses.push((u32::MAX, NearMiss { feed: other.feed, reasons: vec![reason] }));
    }
    let claim = if taken.is_empty() { None } else { Some(taken.remove(0)) };
    let shared = taken;
    misses.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    GridRecognition {
        sheet: grid.sheet.clone(),
        claim,
        shared,
        misses: misses.into_iter().map(|(_, miss)| miss).collect(),
    }
}

fn bind_claim(feed: &Feed, sought: &Sought<'_>) -> Result<Claim, Miss> {
    let tables = bind(feed, sought)?;
    let bindings: Vec<&Binding> = tables.iter().map(|BoundTable { binding, .. }| binding).collect();
    let Some(first) = bindings.first() else { return Err(Miss { score: 0, reasons: vec!["no table".into()] }) };
    let cell = |column: &super::header::HeaderColumn, read_as| HeaderCell {
        address: column.address.clone(),
        text: column.shown.clone(),
        read_as,
    };
    let read = |binding: &&Binding| -> Vec<HeaderCell> {
        let labels = binding.label_headers.iter().map(|(role, column)| cell(column, Some(role.clone())));
        let values =
            binding.values.iter().map(|value| cell(&value.header, Some(feed.values[value.rule].description())));
        let confirming = binding
            .confirming
            .iter()
            .map(|value| cell(&value.header, Some(format!("confirms {}", feed.values[value.rule].description()))));
        labels.chain(values).chain(confirming).collect()
    };
    Ok(Claim {
        feed: feed.id.clone(),
        header_rows: first.header_rows,
        title: first.title.clone(),
        unit: first.unit_printed.clone(),
        figures: bindings
            .iter()
            .flat_map(|binding| binding.values.iter().chain(&binding.confirming))
            .map(|value| value.header.address.clone())
            .collect(),
        columns: bindings.iter().flat_map(read).collect(),
        columns_not_read: bindings
            .iter()
            .flat_map(|binding| &binding.unread)
            .map(|column| cell(column, None))
            .collect(),
    })
}
