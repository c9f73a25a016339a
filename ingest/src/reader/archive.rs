//! A zip container measured before any parser inflates it.
//!
//! Every entry is inflated into a sink under a bound, so that the sizes in the directory need not be
//! believed. Refused: entries beyond the bounds, bombs, entries that share bytes, encrypted entries, links, names
//! that leave the container or occur twice, document types and floods in XML parts, and string tables that claim
//! more than they hold.
//!
//! A container that is no workbook is an archive of files ([`read_archive`]).

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::ReadError;
use super::encoding::decode_gb18030;
use super::sniff::{Format, sniff};
use super::xml_guard::XmlGuard;
use crate::Limits;

/// Ratio tests start beyond this many inflated bytes: small entries compress well without malice.
const BOMB_FLOOR: u64 = 10 << 20;

/// The root of a string table, with what it claims, begins within these bytes.
const XML_HEAD: usize = 16 << 10;

/// Bytes of the shortest shared string, `<si/>`.
const SHORTEST_SHARED_STRING: u64 = 5;

/// Measures every entry and gives their names.
pub(super) fn scan(bytes: &[u8], limits: &Limits) -> Result<BTreeSet<String>, ReadError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(None, &error.to_string()))?;
    bound("zip entries", archive.len() as u64, limits.zip_entries as u64)?;
    if archive.has_duplicate_names() {
        return Err(damaged(None, "a name occurs twice"));
    }
    if archive.has_overlapping_entries().map_err(|error| damaged(None, &error.to_string()))? {
        return Err(damaged(None, "entries share bytes of the file"));
    }
    let mut names = BTreeSet::new();
    let mut left = limits.inflated_bytes;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| damaged(None, &error.to_string()))?;
        let name = entry.name().map_err(|error| damaged(None, &error.to_string()))?.into_owned();
        let refuse = |reason: &str| Err(damaged(Some(&name), reason));
        if entry.encrypted() {
            return refuse("encrypted, expected a container without a password");
        }
        if entry.is_symlink() || !stays_inside(&name) {
            return refuse("a link or a path that leaves the container");
        }
        if local_name(bytes, entry.header_start()) != Some(entry.name_raw()) {
            return refuse("the entry itself has another name than the list of entries");
        }
        let (compressed, is_dir) = (entry.compressed_size().max(1), entry.is_dir());
        if !names.insert(name.clone()) {
            return refuse("the name occurs twice");
        }
        if is_dir {
            continue;
        }
        let allowed = limits.entry_bytes.min(left);
        let guard = is_xml(&name).then(XmlGuard::new);
        let measured =
            measure(entry.take(allowed.saturating_add(1)), guard).map_err(|reason| damaged(Some(&name), &reason))?;
        bound(&format!("inflated bytes of entry {name}"), measured.inflated, allowed)?;
        left -= measured.inflated;
        if measured.inflated > BOMB_FLOOR && measured.inflated / compressed > limits.inflation_ratio {
            let what = format!("inflated bytes for one compressed byte of entry {name}");
            bound(&what, measured.inflated / compressed, limits.inflation_ratio)?;
        }
        check_xml(&name, &measured, limits)?;
    }
    Ok(names)
}

/// Inflates one entry that [`scan`] has passed.
pub(super) fn read_part(bytes: &[u8], name: &str, limits: &Limits) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let entry = archive.by_name(name).ok()?;
    let mut part = Vec::new();
    entry.take(limits.entry_bytes).read_to_end(&mut part).ok()?;
    Some(part)
}

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its path in the archive, with `/` between folders.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Whether a file is a zip container of files rather than one workbook or document in such a container.
pub fn is_archive(bytes: &[u8]) -> bool {
    if sniff(bytes) != Format::Zip {
        return false;
    }
    let Ok(archive) = ZipArchive::new(Cursor::new(bytes)) else { return false };
    // One of these is in every office container, and in none of files.
    ["[Content_Types].xml", "mimetype", "xl/workbook.xml", "xl/workbook.bin"]
        .iter()
        .all(|name| archive.index_for_name(name).is_none())
}

/// The files of an archive, in its order. Each is a file of its own, to be read by
/// [`read_document`](super::read_document) like one that came alone; an archive inside an archive is not opened.
///
/// Left out: folders, and what desktop systems put beside files (`__MACOSX/`, `._*`, `.DS_Store`, `Thumbs.db`).
/// Names that do not say that they are UTF-8 are read as UTF-8, else as GB18030, as Chinese desktops write them.
///
/// # Errors
///
/// The container is damaged, encrypted, beyond a limit of [`Limits`], or a name leaves it or occurs twice. Nothing
/// of such an archive is given.
pub fn read_archive(bytes: &[u8], limits: &Limits) -> Result<Vec<Member>, ReadError> {
    scan(bytes, limits)?;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(None, &error.to_string()))?;
    let mut members: Vec<Member> = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| damaged(None, &error.to_string()))?;
        if entry.is_dir() {
            continue;
        }
        let path = member_path(entry.name_raw());
        if !stays_inside(&path) {
            return Err(damaged(Some(&path), "a path that leaves the container"));
        }
        if is_litter(&path) {
            continue;
        }
        let mut content = Vec::new();
        entry
            .take(limits.entry_bytes)
            .read_to_end(&mut content)
            .map_err(|error| damaged(Some(&path), &error.to_string()))?;
        bound(&format!("bytes of {path}"), content.len() as u64, limits.file_bytes)?;
        if members.iter().any(|member| member.path == path) {
            return Err(damaged(Some(&path), "the name occurs twice"));
        }
        members.push(Member { path, bytes: content });
    }
    Ok(members)
}

fn member_path(raw: &[u8]) -> String {
    let path = match std::str::from_utf8(raw) {
        Ok(path) => path.to_owned(),
        Err(_) => decode_gb18030(raw).unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned()),
    };
    path.replace('\\', "/")
}

/// The name in the header before an entry's bytes. Readers that go by the list of entries would take a part for another.
fn local_name(bytes: &[u8], header_start: u64) -> Option<&[u8]> {
    const NAME: usize = 30;
    let header = bytes.get(usize::try_from(header_start).ok()?..)?;
    let length = u16::from_le_bytes(header.get(26..28)?.try_into().ok()?);
    header.get(NAME..NAME + usize::from(length))
}

/// Whether a name of an entry, extracted anywhere, would stay below that place on every system.
fn stays_inside(name: &str) -> bool {
    let has_drive = name.as_bytes().get(1) == Some(&b':');
    !name.contains('\0')
        && !name.starts_with(['/', '\\'])
        && !has_drive
        && name.split(['/', '\\']).all(|part| part != "..")
}

fn is_litter(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    path.starts_with("__MACOSX/") || file.starts_with("._") || matches!(file, ".DS_Store" | "Thumbs.db" | "desktop.ini")
}

fn is_xml(name: &str) -> bool {
    name.ends_with(".xml") || name.ends_with(".rels")
}

struct Measured {
    inflated: u64,
    head: Vec<u8>,
}

fn measure(mut entry: impl Read, mut guard: Option<XmlGuard>) -> Result<Measured, String> {
    let mut head = Vec::new();
    let mut inflated = 0_u64;
    let mut chunk = vec![0_u8; 64 << 10];
    loop {
        let read = entry.read(&mut chunk).map_err(|error| error.to_string())?;
        if read == 0 {
            return Ok(Measured { inflated, head });
        }
        inflated += read as u64;
        if let Some(guard) = &mut guard {
            guard.feed(&chunk[..read])?;
        }
        let wanted = XML_HEAD.saturating_sub(head.len()).min(read);
        head.extend_from_slice(&chunk[..wanted]);
    }
}

fn check_xml(name: &str, measured: &Measured, limits: &Limits) -> Result<(), ReadError> {
    if !name.to_ascii_lowercase().ends_with("sharedstrings.xml") {
        return Ok(());
    }
    let head = String::from_utf8_lossy(&measured.head);
    // The table is allocated from this attribute before one string is read.
    for attribute in ["uniqueCount=", "count="] {
        let Some(claimed) = attribute_value(&head, attribute) else { continue };
        let claimed: u64 = claimed.parse().unwrap_or(u64::MAX);
        if attribute == "uniqueCount=" {
            bound("shared strings", claimed, limits.shared_strings)?;
            if claimed > measured.inflated / SHORTEST_SHARED_STRING {
                let reason = format!("claims {claimed} strings in {} bytes", measured.inflated);
                return Err(damaged(Some(name), &reason));
            }
        } else {
            bound("shared string references", claimed, limits.cells as u64)?;
        }
    }
    Ok(())
}

fn attribute_value<'a>(head: &'a str, attribute: &str) -> Option<&'a str> {
    let root = &head[head.find("sst")?..];
    let root = &root[..root.find('>').unwrap_or(root.len())];
    let place = root.match_indices(attribute).find(|(at, _)| root[..*at].ends_with(char::is_whitespace))?.0;
    let rest = &root[place + attribute.len()..];
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    rest[1..].split(quote).next()
}

fn bound(what: &str, found: u64, limit: u64) -> Result<(), ReadError> {
    if found > limit {
        return Err(ReadError::TooLarge { what: what.to_owned(), found, limit });
    }
    Ok(())
}

fn damaged(entry: Option<&str>, reason: &str) -> ReadError {
    ReadError::DamagedZip { entry: entry.map(str::to_owned), reason: reason.to_owned() }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
