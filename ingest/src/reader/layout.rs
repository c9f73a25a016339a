//! Which rows and columns of a sheet are hidden, and which cells are shown in per cent: the second pass over a workbook.
//!
//! The cell reader does not say, and it matters: the central template of the debt forms keeps machine codes
//! in hidden rows and columns, and other books hide thousands of rows of working figures.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::archive::read_part;
use super::percent::{PercentFormats, Percents};
use crate::Limits;

/// Columns of a sheet.
pub(super) const COLUMNS: u32 = 16_384;

/// Rows of a sheet.
pub(super) const ROWS: u32 = 1_048_576;

/// Hidden rows and columns of one sheet and its cells in per cent, from 1.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub hidden_rows: BTreeSet<u32>,
    pub hidden_columns: BTreeSet<u32>,
    pub percents: Percents,
    /// Whether a cell names a shared string by what is no number; the cell reader takes the first string for it.
    pub has_wrong_string: bool,
}

/// The part of each relation of a workbook, by the file that lists them.
pub(super) fn relations(bytes: &[u8], part: &str, limits: &Limits) -> BTreeMap<String, String> {
    let mut targets = BTreeMap::new();
    each_element(bytes, part, limits, |element| {
        if let (Some(id), Some(target)) = (attribute(element, "Id"), attribute(element, "Target")) {
            let part = match target.strip_prefix('/') {
                Some(absolute) => absolute.to_owned(),
                None => format!("xl/{target}"),
            };
            targets.insert(id, part);
        }
        true
    });
    targets
}

/// The part of each sheet by the sheet's name.
pub(super) fn sheet_parts(bytes: &[u8], limits: &Limits) -> BTreeMap<String, String> {
    let targets = relations(bytes, "xl/_rels/workbook.xml.rels", limits);
    let mut parts = BTreeMap::new();
    each_element(bytes, "xl/workbook.xml", limits, |element| {
        if element.local_name().as_ref() == "sheet" {
            let id = element
                .attributes()
                .with_checks(false)
                .flatten()
                .find(|attribute| attribute.key.local_name().as_ref() == "id")
                .map(|attribute| attribute.value.into_owned());
            if let (Some(name), Some(part)) = (attribute(element, "name"), id.and_then(|id| targets.get(&id))) {
                parts.insert(name, part.clone());
            }
        }
        true
    });
    parts
}

/// Decimals of the styles of a workbook that show per cent, by the style's place in its list.
pub(super) fn percent_styles(bytes: &[u8], limits: &Limits) -> BTreeMap<u32, u8> {
    let mut formats = PercentFormats::default();
    let mut styles = BTreeMap::new();
    let (mut is_listed, mut index) = (false, 0_u32);
    each_event(bytes, "xl/styles.xml", limits, |event| {
        match event {
            Event::End(element) if element.local_name().as_ref() == "cellXfs" => is_listed = false,
            Event::Start(element) | Event::Empty(element) => match element.local_name().as_ref() {
                "numFmt" => {
                    if let (Some(number), Some(code)) = (number(element, "numFmtId"), attribute(element, "formatCode"))
                    {
                        formats.declare(number, &code);
                    }
                }
                "cellXfs" => is_listed = true,
                "xf" if is_listed => {
                    if let Some(decimals) = number(element, "numFmtId").and_then(|format| formats.decimals(format)) {
                        styles.insert(index, decimals);
                    }
                    index = index.saturating_add(1);
                }
                _ => {}
            },
            _ => {}
        }
        true
    });
    styles
}

/// Reads the layout of one sheet part; `None` where the part cannot be read.
pub(super) fn read_layout(bytes: &[u8], part: &str, percents: &BTreeMap<u32, u8>, limits: &Limits) -> Option<Layout> {
    let mut layout = Layout::default();
    let (mut row, mut column) = (0_u32, 0_u32);
    let (mut is_shared, mut is_index) = (false, false);
    let is_whole = each_event(bytes, part, limits, |event| {
        let element = match event {
            Event::Start(element) | Event::Empty(element) => element,
            Event::Text(text) => {
                layout.has_wrong_string |= is_index && text.trim().parse::<u32>().is_err();
                return true;
            }
            Event::End(_) => {
                is_index = false;
                return true;
            }
            _ => return true,
        };
        is_index = false;
        match element.local_name().as_ref() {
            "c" => {
                is_shared = attribute(element, "t").is_some_and(|kind| kind == "s");
                if !percents.is_empty() {
                    column = column_of(element).unwrap_or(column.saturating_add(1));
                    if let Some(decimals) = number(element, "s").and_then(|style| percents.get(&style)) {
                        layout.percents.insert((row, column), *decimals);
                    }
                }
            }
            "v" => is_index = is_shared,
            "row" => {
                row = number(element, "r").unwrap_or(row.saturating_add(1));
                column = 0;
                if is_hidden(element) && row <= ROWS {
                    layout.hidden_rows.insert(row);
                }
            }
            "col" if is_hidden(element) => {
                let first = number(element, "min").unwrap_or(1).max(1);
                let last = number(element, "max").unwrap_or(first).min(COLUMNS);
                layout.hidden_columns.extend(first..=last);
            }
            _ => {}
        }
        true
    });
    is_whole.then_some(layout)
}

/// Calls `visit` for every element until it says stop; whether the part was read to its end.
fn each_element(bytes: &[u8], part: &str, limits: &Limits, mut visit: impl FnMut(&BytesStart<'_>) -> bool) -> bool {
    each_event(bytes, part, limits, |event| match event {
        Event::Start(element) | Event::Empty(element) => visit(element),
        _ => true,
    })
}

fn each_event(bytes: &[u8], part: &str, limits: &Limits, mut visit: impl FnMut(&Event<'_>) -> bool) -> bool {
    let Some(content) = read_part(bytes, part, limits) else { return false };
    let Ok(text) = std::str::from_utf8(&content) else { return false };
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::DocType(_)) | Err(_) => return false,
            Ok(Event::Eof) => return true,
            Ok(event) => {
                if !visit(&event) {
                    return true;
                }
            }
        }
    }
}

pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let value = element.try_get_attribute(name).ok().flatten()?.value.into_owned();
    match quick_xml::escape::unescape(&value) {
        Ok(text) => Some(text.into_owned()),
        Err(_) => Some(value),
    }
}

/// The column in the address of a cell, from 1; some writers leave addresses out.
fn column_of(element: &BytesStart<'_>) -> Option<u32> {
    let address = attribute(element, "r")?;
    let letters = address.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let is_column = (1..=3).contains(&letters.len()) && letters.bytes().all(|letter| letter.is_ascii_uppercase());
    is_column.then(|| letters.bytes().fold(0, |column, letter| column * 26 + u32::from(letter - b'A') + 1))
}

fn number(element: &BytesStart<'_>, name: &str) -> Option<u32> {
    attribute(element, name)?.parse().ok()
}

fn is_hidden(element: &BytesStart<'_>) -> bool {
    attribute(element, "hidden").is_some_and(|value| matches!(value.as_str(), "1" | "true"))
}
