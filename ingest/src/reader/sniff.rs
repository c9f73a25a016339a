//! What a file is, by its content.
//!
//! Byte 0 decides: a true BIFF workbook can carry a zip inside, and a tolerant zip reader would open that.

use serde::{Deserialize, Serialize};

/// Format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Delimited text; read.
    Csv,
    /// Text of lines without fields, such as the text layer of a PDF; read.
    Text,
    /// Office Open XML workbook; read.
    Xlsx,
    /// Binary workbook (BIFF in a compound file); read.
    Xls,
    /// JSON; read.
    Json,
    /// OpenDocument spreadsheet; read.
    Ods,
    /// Binary Office Open XML workbook; read.
    Xlsb,
    /// HTML; read.
    Html,
    /// XML other than HTML; recognised, not read.
    Xml,
    /// A workbook of Office 2003 as one XML file; recognised, not read.
    SpreadsheetMl,
    /// A page saved with its pictures as one mail; recognised, not read.
    Mhtml,
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
    pub const READ: [Self; 8] =
        [Self::Csv, Self::Html, Self::Json, Self::Ods, Self::Text, Self::Xls, Self::Xlsb, Self::Xlsx];

    /// Its name in declarations and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Text => "text",
            Self::Ods => "ods",
            Self::Xlsb => "xlsb",
            Self::Xlsx => "xlsx",
            Self::Xls => "xls",
            Self::Json => "json",
            Self::Html => "html",
            Self::Xml => "xml",
            Self::SpreadsheetMl => "spreadsheetml",
            Self::Mhtml => "mhtml",
            Self::Pdf => "pdf",
            Self::Parquet => "parquet",
            Self::Zip => "zip",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

impl Format {
    /// Whether the ending of a file's name, in lower case and without its point, belongs to other formats only.
    pub(super) fn ending_disagrees(self, ending: &str) -> bool {
        let formats: &[Self] = match ending {
            "xls" | "et" => &[Self::Xls],
            "xlsx" | "xlsm" => &[Self::Xlsx],
            "xlsb" => &[Self::Xlsb],
            "ods" => &[Self::Ods],
            "csv" | "tsv" | "txt" => &[Self::Csv, Self::Text],
            "json" | "geojson" | "ndjson" => &[Self::Json],
            "html" | "htm" | "xhtml" => &[Self::Html],
            "pdf" => &[Self::Pdf],
            "zip" => &[Self::Zip],
            _ => return false,
        };
        !formats.contains(&self)
    }
}

const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";

/// The format by the first bytes. `Zip` stands for every zip container until its entries are known, `Csv` for
/// every text until its lines are.
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
        // The signs of markup are ASCII, one byte of each unit.
        let narrow: Vec<u8> = bytes[2..].iter().copied().take(2 * HEAD).filter(|byte| *byte != 0).collect();
        return markup(narrow.trim_ascii_start()).unwrap_or(Format::Csv);
    }
    let text = &text[first..];
    if let b'{' | b'[' = text[0] {
        return Format::Json;
    }
    if let Some(format) = markup(text) {
        return format;
    }
    // Text has next to no NUL bytes; a few are reported line by line, many mean that it is no text.
    let nul_count = text.iter().take(65_536).filter(|byte| **byte == 0).count();
    if nul_count * 10 > text.len().min(65_536) { Format::Unknown } else { Format::Csv }
}

/// Bytes within which a page or an XML file says what it is.
const HEAD: usize = 4096;

fn markup(text: &[u8]) -> Option<Format> {
    let head = text[..text.len().min(HEAD)].to_ascii_lowercase();
    let head = String::from_utf8_lossy(&head);
    if head.starts_with("mime-version:") || head.contains("content-type: multipart/related") {
        return Some(Format::Mhtml);
    }
    if !head.starts_with('<') {
        return None;
    }
    let has = |sign: &str| head.contains(sign);
    // `<Table>` is an element of such workbooks too.
    if has("urn:schemas-microsoft-com:office:spreadsheet") && !has("<html") {
        return Some(Format::SpreadsheetMl);
    }
    let is_html = ["<!doctype html", "<html", "<table", "<head", "<body", "<div", "<meta"].into_iter().any(has);
    Some(if is_html { Format::Html } else { Format::Xml })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::reader::read_document;

    #[test]
    fn a_name_that_says_another_format_is_a_warning() {
        for (name, bytes, warnings) in [
            ("a/决算.xls", "<table><tr><td>1</td></tr></table>".as_bytes(), 1),
            ("决算.xls", b"a\tb\n1\t2\n", 1),
            ("决算.csv", b"a,b\n1,2\n", 0),
            ("决算.TXT", b"a,b\n1,2\n", 0),
            ("a.b/决算", b"a,b\n1,2\n", 0),
        ] {
            let document = read_document(bytes, &Limits::default()).expect("reads").named(name);
            assert_eq!((document.warnings.len(), document.path.as_str()), (warnings, name));
        }
    }

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
            (
                b"<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>\
                  <Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"><Table/></Workbook>",
                Format::SpreadsheetMl,
            ),
            (b"<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><table>", Format::Html),
            (b"MIME-Version: 1.0\r\nContent-Type: multipart/related;", Format::Mhtml),
            (b"\xFF\xFE<\0h\0t\0m\0l\0>\0", Format::Html),
            (b"\xFF\xFEa\0,\0b\0", Format::Csv),
            (b"%PDF-1.7", Format::Pdf),
            (b"PAR1", Format::Parquet),
            (b"a,b\n1,2\n", Format::Csv),
            (b"\x7fELF\0\0\0\0\0\0", Format::Unknown),
        ] {
            assert_eq!(sniff(bytes), format, "{bytes:?}");
        }
    }
}
