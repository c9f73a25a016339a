//! What a table says above its header: its captions and its unit line.

use std::collections::BTreeMap;
use std::ops::Range;

use super::bind::{Site, capture};
use super::text::{on_one_line, plain, without_blanks};
use crate::feed::CaptionScope;
use crate::reader::{Cell, Format, Grid, Row, Visibility};

/// Rows of another sheet among which a caption of the document may stand.
const CAPTION_ROWS: usize = 5;

/// Visible cells above the header, the texts before the table last: those above the table itself, then those above the
/// tables beside it.
fn cells_above<'a>(
    grid: &'a Grid,
    rows: Range<usize>,
    band: &Range<u32>,
    may_be_hidden: bool,
) -> impl Iterator<Item = &'a str> {
    let shown = || {
        let rows = grid.rows[rows.clone()].iter().filter(|row: &&Row| may_be_hidden || !row.is_hidden);
        let cells = rows.flat_map(|row| grid.cells_of(row));
        cells
            .filter(|cell| may_be_hidden || !grid.hidden_columns.contains(&cell.column))
            .collect::<Vec<_>>()
            .into_iter()
    };
    let (own, others) = (band.clone(), band.clone());
    let own = shown().filter(move |cell| own.contains(&cell.column));
    // Before a table the nearest text is its own; a text is read from its beginning.
    let mut preface: Vec<&Cell> = grid.preface.iter().collect();
    if !grid.is_text() {
        preface.reverse();
    }
    own.chain(shown().filter(move |cell| !others.contains(&cell.column))).chain(preface).map(|cell| &*cell.text)
}

/// What stands above a table.
#[derive(Default)]
pub(super) struct Above {
    pub captures: BTreeMap<String, String>,
    /// The last required caption that was found.
    pub title: Option<String>,
    /// How many captions were found.
    pub found: u32,
    /// What is missing of the required ones.
    pub absent: Vec<String>,
}

/// Seeks the feed's captions where each of them may stand.
pub(super) fn captions(site: &Site<'_>, band: &Range<u32>) -> Above {
    let Site { feed, document, grid, top, from, .. } = *site;
    let mut above = Above::default();
    let name = without_blanks(grid.sheet.as_deref().unwrap_or_default());
    for caption in &feed.captions {
        let has_it = |text: &&str| caption.pattern.is_match(&plain(text));
        let mut found = match caption.within {
            CaptionScope::Path => Some(document.path.as_str()).filter(has_it),
            CaptionScope::Sheet => Some(name.as_str()).filter(has_it),
            CaptionScope::Table | CaptionScope::Document => {
                cells_above(grid, from..top, band, caption.may_be_hidden).find(has_it)
            }
        };
        if found.is_none() && caption.within == CaptionScope::Document {
            let others = document.grids.iter().filter(|other| other.visibility == Visibility::Visible);
            let rows = |other: &Grid| {
                // A page says what it is about in its title and in its prose.
                let is_prose = other.is_text() && document.format != Format::Csv;
                let most = if is_prose { other.rows.len() } else { CAPTION_ROWS };
                0..most.min(other.rows.len())
            };
            found = others
                .flat_map(|other| cells_above(other, rows(other), &(0..u32::MAX), caption.may_be_hidden))
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

/// The unit of a table.
pub(super) struct TableUnit {
    pub id: String,
    pub printed: String,
}

/// The unit of the table; none for feeds whose columns have their own.
pub(super) fn read_unit(site: &Site<'_>, band: &Range<u32>) -> Result<Option<TableUnit>, String> {
    let Site { feed, grid, catalog, top, from, .. } = *site;
    let Some(line) = &feed.unit else { return Ok(None) };
    let printed = cells_above(grid, from..top, band, false)
        .find_map(|text| Some(line.pattern.captures(&plain(text))?.name("unit")?.as_str().to_owned()));
    let printed = printed.ok_or_else(|| "no unit line above the header that the feed can read".to_owned())?;
    let unit = catalog.unit_as_written(&printed).filter(|unit| unit.dimension == line.dimension);
    let unit = unit.ok_or_else(|| format!("the unit line names no unit of {} in units.toml", line.dimension))?;
    Ok(Some(TableUnit { id: unit.id.clone(), printed }))
}
