//! Containers and workbooks made by code, whole or broken on purpose.

#![allow(dead_code, reason = "each suite uses a part of this module")]

use std::io::{Cursor, Read, Write};

use rust_xlsxwriter::Workbook;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// A workbook of one sheet with a text in A1.
pub fn small_book() -> Vec<u8> {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write(0, 0, "a text").expect("written");
    workbook.save_to_buffer().expect("a workbook")
}

/// A zip container of these entries.
pub fn container(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).expect("an entry");
        writer.write_all(content).expect("written");
    }
    writer.finish().expect("a container").into_inner()
}

/// The workbook with one part changed.
pub fn with_part(book: &[u8], name: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(book)).expect("a workbook");
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).expect("an entry");
        let entry_name = entry.name().expect("a name").into_owned();
        let mut content = String::new();
        entry.read_to_string(&mut content).expect("XML");
        let content = if entry_name == name { change(&content) } else { content };
        entries.push((entry_name, content.into_bytes()));
    }
    let entries: Vec<(&str, &[u8])> =
        entries.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    container(&entries)
}

/// The workbook with XML put into the sheet's first cell.
pub fn with_cell(book: &[u8], cell: &str) -> Vec<u8> {
    with_part(book, "xl/worksheets/sheet1.xml", |xml| {
        let start = xml.find("<c ").expect("a cell");
        let end = start + xml[start..].find("</c>").expect("its end") + 4;
        format!("{}{cell}{}", &xml[..start], &xml[end..])
    })
}

/// An entry that inflates to so many MiB of blanks.
pub fn blanks(name: &str, mebibytes: usize) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(name, SimpleFileOptions::default()).expect("an entry");
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..mebibytes {
        writer.write_all(&blanks).expect("written");
    }
    writer.finish().expect("a container").into_inner()
}

/// Offset of the central directory's entries.
pub fn directory_entries(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(b"PK\x01\x02")).collect()
}

/// A binary workbook whose one sheet has numbers in these places, counted from 0.
pub fn binary_book(cells: &[(u16, u16)]) -> Vec<u8> {
    let record = |kind: u16, body: &[u8]| {
        let length = u16::try_from(body.len()).expect("a short record");
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), body].concat()
    };
    let bof = |kind: u16| record(0x0809, &[&[0, 6][..], &kind.to_le_bytes(), &[0; 12]].concat());
    let mut globals = bof(5);
    let offset = globals.len() + 4 + 10 + 4;
    let offset = u32::try_from(offset).expect("a short stream");
    globals.extend(record(0x0085, &[&offset.to_le_bytes()[..], &[0, 0, 2, 0], b"s1"].concat()));
    globals.extend(record(0x000A, &[]));
    let mut sheet = bof(0x10);
    for (row, column) in cells {
        let place = [row.to_le_bytes(), column.to_le_bytes(), [0, 0]].concat();
        sheet.extend(record(0x0203, &[place.as_slice(), &1.5_f64.to_le_bytes()].concat()));
    }
    sheet.extend(record(0x000A, &[]));
    compound(&[("/Workbook", &[globals, sheet].concat())])
}

/// A compound file of these streams.
pub fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create_with_version(cfb::Version::V3, Cursor::new(Vec::new())).expect("creates");
    for (name, content) in streams {
        file.create_stream(name).expect("a stream").write_all(content).expect("written");
    }
    file.flush().expect("written");
    file.into_inner().into_inner()
}

/// A spreadsheet of the OpenDocument format with these tables.
pub fn open_spreadsheet(tables: &str) -> Vec<u8> {
    let content = format!("<office:document-content><office:body>{tables}</office:body></office:document-content>");
    container(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", b"<manifest:manifest/>"),
        ("content.xml", content.as_bytes()),
    ])
}
