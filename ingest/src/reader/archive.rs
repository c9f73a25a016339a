//! A zip container measured before any parser inflates it.
//!
//! Every entry is inflated into a sink under a bound, so that the sizes in the directory need not be
//! believed. Refused: entries beyond the bounds, bombs, encrypted entries, links, names that leave the
//! container or occur twice, document types in XML parts, and string tables that claim more than they hold.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::ReadError;
use crate::Limits;

/// Ratio tests start beyond this many inflated bytes: small entries compress well without malice.
const BOMB_FLOOR: u64 = 10 << 20;

/// The document type of an XML part stands before its root, which begins within these bytes.
const XML_HEAD: usize = 16 << 10;

/// Bytes of the shortest shared string, `<si/>`.
const SHORTEST_SHARED_STRING: u64 = 5;

/// Measures every entry and gives their names.
pub(super) fn scan(bytes: &[u8], limits: &Limits) -> Result<BTreeSet<String>, ReadError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(None, &error.to_string()))?;
    bound("zip entries", archive.len() as u64, limits.zip_entries as u64)?;
    let mut names = BTreeSet::new();
    let mut left = limits.inflated_bytes;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| damaged(None, &error.to_string()))?;
        let name = entry.name().map_err(|error| damaged(None, &error.to_string()))?.into_owned();
        let refuse = |reason: &str| Err(damaged(Some(&name), reason));
        if entry.encrypted() {
            return refuse("encrypted, expected a container without a password");
        }
        if entry.is_symlink() || entry.enclosed_name().is_none() {
            return refuse("a link or a path that leaves the container");
        }
        let (compressed, is_dir) = (entry.compressed_size().max(1), entry.is_dir());
        if !names.insert(name.clone()) {
            return refuse("the name occurs twice");
        }
        if is_dir {
            continue;
        }
        let allowed = limits.entry_bytes.min(left);
        let measured =
            measure(entry.take(allowed.saturating_add(1))).map_err(|reason| damaged(Some(&name), &reason))?;
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

struct Measured {
    inflated: u64,
    head: Vec<u8>,
}

fn measure(mut entry: impl Read) -> Result<Measured, String> {
    let mut head = Vec::new();
    let mut inflated = 0_u64;
    let mut chunk = vec![0_u8; 64 << 10];
    loop {
        let read = entry.read(&mut chunk).map_err(|error| error.to_string())?;
        if read == 0 {
            return Ok(Measured { inflated, head });
        }
        inflated += read as u64;
        let wanted = XML_HEAD.saturating_sub(head.len()).min(read);
        head.extend_from_slice(&chunk[..wanted]);
    }
}

fn check_xml(name: &str, measured: &Measured, limits: &Limits) -> Result<(), ReadError> {
    if !(name.ends_with(".xml") || name.ends_with(".rels")) {
        return Ok(());
    }
    let head = String::from_utf8_lossy(&measured.head);
    if head.to_ascii_uppercase().contains("<!DOCTYPE") {
        return Err(damaged(Some(name), "a document type, expected plain workbook XML"));
    }
    if !name.to_ascii_lowercase().ends_with("sharedstrings.xml") {
        return Ok(());
    }
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
