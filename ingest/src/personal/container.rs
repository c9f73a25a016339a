//! Personal data in the parts of a workbook that are no cells: comments, text boxes, cached copies, properties.
//!
//! Only parts that [`crate::read_document`] has measured before are inflated. An author is told and blocks nothing: the
//! properties are not among what a release holds.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::role::looks_like_name;
use super::{Found, Kind, Part, Severity};
use crate::Limits;

/// Searches the container's other parts; nothing for files that are no container.
pub(super) fn scan_container(bytes: &[u8], limits: &Limits, found: &mut Found) {
    if !bytes.starts_with(b"PK\x03\x04") {
        return;
    }
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else { return };
    let names: Vec<String> = archive.file_names().flatten().map(Cow::into_owned).collect();
    for name in names {
        let Some(part) = part_of(&name) else { continue };
        if part == Part::Other(EMBEDDED.to_owned()) {
            found.add((Kind::NotSearched, Severity::Warn), &part, None, None);
            continue;
        }
        let mut content = Vec::new();
        let whole = archive
            .by_name(&name)
            .ok()
            .and_then(|entry| entry.take(limits.entry_bytes).read_to_end(&mut content).ok())
            .and_then(|_| std::str::from_utf8(&content).ok())
            .is_some_and(|text| scan_xml(text, &part, found));
        if !whole {
            found.add((Kind::NotSearched, Severity::Warn), &part, None, None);
        }
    }
}

const EMBEDDED: &str = "an embedded file";
const TEXT_BOX: &str = "a text box";

/// Which parts are searched, and what they are called.
fn part_of(name: &str) -> Option<Part> {
    let is_xml = name.ends_with(".xml");
    let other = |what: &str| Some(Part::Other(what.to_owned()));
    match name {
        _ if name.starts_with("docProps/") && is_xml => Some(Part::Property),
        "meta.xml" => Some(Part::Property),
        _ if name.starts_with("xl/comments") || name.starts_with("xl/threadedComments/") => Some(Part::Comment),
        _ if name.starts_with("xl/persons/") => Some(Part::Comment),
        _ if name.starts_with("xl/drawings/") && is_xml => other(TEXT_BOX),
        _ if name.starts_with("xl/pivotCache/") && is_xml => other("the cached copy of a pivot table"),
        _ if name.starts_with("xl/externalLinks/") && is_xml => other("the cached copy of another workbook"),
        _ if name.starts_with("xl/embeddings/") => other(EMBEDDED),
        _ => None,
    }
}

/// Searches the texts of a part, those of one paragraph, comment or entry joined; whether it was read to its end.
fn scan_xml(text: &str, part: &Part, found: &mut Found) -> bool {
    let mut reader = Reader::from_str(text);
    let mut gathered = String::new();
    let mut address: Option<String> = None;
    loop {
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => take_attributes(&start, part, &mut address, found),
            Ok(Event::Text(piece)) => gathered.push_str(&piece.xml10_content()),
            Ok(Event::CData(piece)) => gathered.push_str(&piece.xml10_content()),
            Ok(Event::GeneralRef(reference)) => {
                gathered.push(reference.resolve_char_ref().ok().flatten().unwrap_or(' '));
            }
            Ok(Event::End(end)) => {
                let name = end.local_name();
                let name: &str = name.as_ref();
                if !ends_text(part, name) {
                    continue;
                }
                let is_author = matches!(name, "creator" | "lastModifiedBy" | "author" | "Manager" | "initial-creator");
                if is_author && looks_like_name(gathered.trim()) {
                    found.add((Kind::Name, Severity::Warn), part, Some("author"), None);
                }
                found.text(gathered.trim(), part, address.as_deref());
                gathered.clear();
            }
            Ok(Event::Eof) => return true,
            Ok(Event::DocType(_)) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// Whether an element's end is that of a text. Runs of one text are joined: formatting cuts numbers into pieces.
fn ends_text(part: &Part, element: &str) -> bool {
    match part {
        Part::Comment => matches!(element, "comment" | "threadedComment" | "author"),
        Part::Other(what) if what == TEXT_BOX => element == "p",
        _ => true,
    }
}

/// Cached values and names of persons stand in attributes; a comment says there which cell it is for.
fn take_attributes(start: &BytesStart<'_>, part: &Part, address: &mut Option<String>, found: &mut Found) {
    let value = |name: &str| start.try_get_attribute(name).ok().flatten().map(|attribute| attribute.value.into_owned());
    match start.local_name().as_ref() {
        "comment" | "threadedComment" => *address = value("ref"),
        "s" => {
            if let Some(cached) = value("v") {
                found.text(&cached, part, None);
            }
        }
        "person" if value("displayName").is_some_and(|name| looks_like_name(&name)) => {
            found.add((Kind::Name, Severity::Warn), part, Some("author"), None);
        }
        _ => {}
    }
}
