//! Which rows and columns of a sheet are hidden: the second pass over a workbook.
//!
//! The cell reader does not say, and it matters: the central template of the debt forms keeps machine codes
//! in hidden rows and columns, and other books hide thousands of rows of working figures.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::archive::read_part;
use crate::Limits;

/// Columns of a sheet.
pub(super) const COLUMNS: u32 = 16_384;

/// Rows of a sheet.
pub(super) const ROWS: u32 = 1_048_576;

/// Hidden rows and columns of one sheet, from 1.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub hidden_rows: BTreeSet<u32>,
    pub hidden_columns: BTreeSet<u32>,
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

/// Reads the layout of one sheet part; `None` where the part cannot be read.
pub(super) fn read_layout(bytes: &[u8], part: &str, limits: &Limits) -> Option<Layout> {
    let mut layout = Layout::default();
    let mut row = 0_u32;
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
            "c" => is_shared = attribute(element, "t").is_some_and(|kind| kind == "s"),
            "v" => is_index = is_shared,
            "row" => {
                row = number(element, "r").unwrap_or(row.saturating_add(1));
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

fn number(element: &BytesStart<'_>, name: &str) -> Option<u32> {
    attribute(element, name)?.parse().ok()
}

fn is_hidden(element: &BytesStart<'_>) -> bool {
    attribute(element, "hidden").is_some_and(|value| matches!(value.as_str(), "1" | "true"))
}
