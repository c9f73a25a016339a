//! What a file is, by its content.
//!
//! Byte 0 decides: a true BIFF workbook can carry a zip inside, and a tolerant zip reader would open that.

use serde::{Deserialize, Serialize};

/// Format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Delimited or plain text; read.
    Csv,
    /// Office Open XML workbook; read.
    Xlsx,
    /// Binary workbook (BIFF in a compound file); read.
    Xls,
    /// JSON; read.
    Json,
    /// HTML; recognised, not read.
    Html,
    /// XML other than HTML; recognised, not read.
    Xml,
    /// PDF; recognised, not read.
    Pdf,
    /// Parquet; recognised, not read.
    Parquet,
    /// A zip container that is no workbook; recognised, not read.
    Zip,
    /// No bytes.
    Empty,
    /// None of these.
    Unknown,
}

impl Format {
    /// The formats that feeds may name.
    pub const READ: [Self; 4] = [Self::Csv, Self::Json, Self::Xls, Self::Xlsx];

    /// Its name in declarations and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Xls => "xls",
            Self::Json => "json",
            Self::Html => "html",
            Self::Xml => "xml",
            Self::Pdf => "pdf",
            Self::Parquet => "parquet",
            Self::Zip => "zip",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";

/// The format by the first bytes; `Zip` stands for every zip container until its entries are known.
pub(super) fn sniff(bytes: &[u8]) -> Format {
    let text = bytes.strip_prefix(UTF8_BOM).unwrap_or(bytes);
    let first = text.iter().position(|byte| !byte.is_ascii_whitespace());
    let Some(first) = first else { return Format::Empty };
    for (magic, format) in [
        (&b"PK\x03\x04"[..], Format::Zip),
        (&b"PK\x05\x06"[..], Format::Zip),
        (&b"\xD0\xCF\x11\xE0"[..], Format::Xls),
        (&b"%PDF"[..], Format::Pdf),
        (&b"PAR1"[..], Format::Parquet),
    ] {
        if bytes.starts_with(magic) {
            return format;
        }
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Format::Csv;
    }
    let text = &text[first..];
    match text[0] {
        b'{' | b'[' => return Format::Json,
        b'<' => return if is_html(text) { Format::Html } else { Format::Xml },
        _ => {}
    }
    // Text has next to no NUL bytes; a few are reported line by line, many mean that it is no text.
    let nul_count = text.iter().take(65_536).filter(|byte| **byte == 0).count();
    if nul_count * 10 > text.len().min(65_536) { Format::Unknown } else { Format::Csv }
}

fn is_html(text: &[u8]) -> bool {
    let head = text[..text.len().min(1024)].to_ascii_lowercase();
    let head = String::from_utf8_lossy(&head);
    ["<!doctype html", "<html", "<table", "<head", "<body", "<div"].iter().any(|tag| head.contains(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_decides() {
        for (bytes, format) in [
            (&b""[..], Format::Empty),
            (b"\xEF\xBB\xBF \n", Format::Empty),
            (b"PK\x03\x04rest", Format::Zip),
            (b"\xD0\xCF\x11\xE0 PK\x03\x04", Format::Xls),
            (b"\xEF\xBB\xBF{\"a\":1}", Format::Json),
            (b"<!DOCTYPE HTML><html>", Format::Html),
            (b"<?xml version=\"1.0\"?><a/>", Format::Xml),
            (b"%PDF-1.7", Format::Pdf),
            (b"PAR1", Format::Parquet),
            (b"a,b\n1,2\n", Format::Csv),
            (b"\x7fELF\0\0\0\0\0\0", Format::Unknown),
        ] {
            assert_eq!(sniff(bytes), format, "{bytes:?}");
        }
    }
}
