//! Archives of files: what is in them, and which are refused.

use std::io::Write;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).expect("an entry");
        writer.write_all(content).expect("written");
    }
    writer.finish().expect("a container").into_inner()
}

fn paths(bytes: &[u8]) -> Vec<String> {
    read_archive(bytes, &Limits::default()).expect("reads").into_iter().map(|member| member.path).collect()
}

#[test]
fn every_file_comes_with_its_path() {
    let inner = archive(&[("a.csv", b"a,b\n")]);
    let bytes = archive(&[
        ("2024/预算.csv", b"a,b\n1,2\n"),
        ("__MACOSX/2024/._预算.csv", b"x"),
        ("2024/.DS_Store", b"x"),
        ("inner.zip", &inner),
    ]);
    assert!(is_archive(&bytes));
    assert_eq!(paths(&bytes), ["2024/预算.csv", "inner.zip"]);
    let members = read_archive(&bytes, &Limits::default()).expect("reads");
    assert_eq!(members[0].bytes, b"a,b\n1,2\n");
    assert!(!is_archive(b"a,b\n"));
}

#[test]
fn names_of_chinese_desktops_are_read() {
    let name = encoding_rs::GB18030.encode("财政局\\决算.csv").0.into_owned();
    let placeholder = "x".repeat(name.len());
    let mut bytes = archive(&[(placeholder.as_str(), b"a,b\n")]);
    while let Some(at) = bytes.windows(name.len()).position(|window| window == placeholder.as_bytes()) {
        bytes[at..at + name.len()].copy_from_slice(&name);
    }
    assert_eq!(paths(&bytes), ["财政局/决算.csv"]);
}

#[test]
fn names_that_leave_the_archive_are_refused() {
    for name in ["../../x", "a/../../x", "/etc/x", "C:\\x", "..\\x", "\\x"] {
        let placeholder = "y".repeat(name.len());
        let mut bytes = archive(&[(placeholder.as_str(), b"1")]);
        while let Some(at) = bytes.windows(name.len()).position(|window| window == placeholder.as_bytes()) {
            bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
        }
        let read = read_archive(&bytes, &Limits::default());
        assert!(matches!(read, Err(ReadError::DamagedZip { .. })), "{name}: {read:?}");
    }
}
