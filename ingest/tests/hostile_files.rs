//! Files made to harm, one by one: each is read in a process of its own with little memory, and answered as stated.

mod common;

#[path = "common/containers.rs"]
mod containers;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use containers::{
    binary_book, blanks, compound, container, directory_entries, open_spreadsheet, small_book, with_cell, with_part,
};
use gongkai_ingest::{Limits, read_document};

/// Address space of the process that reads one file: what a parsing worker is meant to do with.
const ADDRESS_SPACE_KIB: u64 = 1 << 20;

/// Longest time for one file, in an unoptimised build on a shared machine.
const LONGEST: Duration = Duration::from_secs(20);

/// What is said of a file.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// Refused with a message that holds these words.
    Refused(&'static str),
    /// Read, with so many cells.
    Cells(usize),
    /// Recognised as this, not read.
    Only(&'static str),
}

use Answer::{Cells, Only, Refused};

const FILE: &str = "GONGKAI_HOSTILE_FILE";

/// The other side of [`answered`]: reads the file that the environment names, or is no test at all.
#[test]
fn one_file_is_read() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let bytes = std::fs::read(path).expect("reads");
    match read_document(&bytes, &Limits::default()) {
        Ok(document) if document.grids.is_empty() => println!("answer: only {}", document.format.name()),
        Ok(document) => {
            let cells: usize = document.grids.iter().map(|grid| grid.cells.len()).sum();
            println!("answer: cells {cells}");
        }
        Err(error) => println!("answer: refused {error}"),
    }
}

/// What a process with little memory answers; none where it died.
fn answered(path: &Path) -> Option<String> {
    let program = std::env::current_exe().expect("this test");
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v {ADDRESS_SPACE_KIB}; exec \"$0\" --exact one_file_is_read --nocapture")])
        .arg(program)
        .env(FILE, path)
        .env("RUST_TEST_THREADS", "1")
        .output()
        .expect("starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.split_once("answer: ").map(|(_, answer)| answer.to_owned()))
}

fn check(files: &[(&str, Vec<u8>, Answer)]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut wrong = Vec::new();
    for (name, bytes, answer) in files {
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).expect("writes");
        let started = Instant::now();
        let found = answered(&path);
        let took = started.elapsed();
        let is_right = match (found.as_deref(), answer) {
            (None, _) => false,
            (Some(found), Refused(words)) => found.starts_with("refused ") && found.contains(words),
            (Some(found), Cells(cells)) => found == format!("cells {cells}"),
            (Some(found), Only(format)) => found == format!("only {format}"),
        };
        if !is_right || took > LONGEST {
            wrong.push(format!("{name}: expected {answer:?}, found {found:?} in {took:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn containers_that_explode_are_refused() {
    let bomb = blanks("xl/workbook.xml", 600);
    let mut lying = bomb.clone();
    // Inflated sizes: in the directory 24 bytes after the entry's mark, in the entry 22.
    let directory = directory_entries(&lying)[0];
    lying[directory + 24..directory + 28].copy_from_slice(&1_000_u32.to_le_bytes());
    lying[22..26].copy_from_slice(&1_000_u32.to_le_bytes());
    let names: Vec<String> = (0..20_000).map(|index| index.to_string()).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let mut overlapping = container(&[("xl/workbook.xml", b"<a/>"), ("xl/workbook.bin", b"<a/>")]);
    let second = directory_entries(&overlapping)[1];
    overlapping[second + 42..second + 46].copy_from_slice(&0_u32.to_le_bytes());
    let mut twice = container(&[("xl/workbook.xml", b"<a/>"), ("xl/workbook.xmm", b"<a/>")]);
    for at in 0..twice.len() - 3 {
        if twice[at..].starts_with(b"xmm") {
            twice[at..at + 3].copy_from_slice(b"xml");
        }
    }
    check(&[
        ("F01 blanks", bomb, Refused("inflated bytes")),
        ("F01 ratio", blanks("xl/workbook.xml", 40), Refused("for one compressed byte")),
        ("F02 many entries", container(&many), Refused("zip entries")),
        ("F03 entries that share bytes", overlapping, Refused("share bytes")),
        ("F03 one name twice", twice, Refused("twice")),
        ("F04 sizes that lie", lying, Refused("")),
    ]);
}

#[test]
fn corners_far_apart_cost_what_they_hold() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, "a").expect("written");
    sheet.write(1_048_575, 16_383, 1.0).expect("written");
    let repeated = |cells: &str| {
        open_spreadsheet(&format!(
            "<table:table table:name=\"a\"><table:table-row table:number-rows-repeated=\"1048576\">{cells}\
             </table:table-row></table:table>"
        ))
    };
    let full =
        "<table:table-cell table:number-columns-repeated=\"1000\" office:value-type=\"float\" office:value=\"1\"/>";
    check(&[
        ("F05 two corners", workbook.save_to_buffer().expect("a workbook"), Cells(2)),
        ("F05 beyond the sheet", with_cell(&small_book(), "<c r=\"ZZZZZZ1\"><v>1</v></c>"), Refused("outside")),
        ("F06 binary", binary_book(&[(0, 0), (65_535, 255)]), Refused("between the corners")),
        ("F06 binary, near", binary_book(&[(0, 0), (1_000, 100)]), Cells(2)),
        ("F06 repeated rows", repeated(full), Refused("cells that it spans")),
        ("F06 repeated empty rows", repeated("<table:table-cell/>"), Cells(0)),
    ]);
}

#[test]
fn parts_that_lie_are_refused() {
    let book = small_book();
    let strings = |count: &str| {
        with_part(&book, "xl/sharedStrings.xml", |xml| {
            xml.replace("uniqueCount=\"1\"", &format!("uniqueCount=\"{count}\""))
        })
    };
    let index = |index: &str| with_cell(&book, &format!("<c r=\"A1\" t=\"s\"><v>{index}</v></c>"));
    let entities: String =
        (1..10).map(|level| format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10))).collect();
    let doctype = |inner: &str| {
        with_part(&book, "xl/worksheets/sheet1.xml", |xml| {
            xml.replacen("<worksheet", &format!("<!DOCTYPE x [<!ENTITY l0 \"ha\">{inner}]><worksheet"), 1)
        })
    };
    let attributes = |name: &str| {
        let attributes: String = (0..200_000).map(|at| format!(" {name}{at}=\"1\"")).collect();
        with_cell(&book, &format!("<c r=\"A1\"{attributes}><v>1</v></c>"))
    };
    let deep = format!("<c r=\"A1\">{}</c>", "<a>".repeat(1_000_000));
    check(&[
        ("F07 too many strings", strings("4294967295"), Refused("shared strings")),
        ("F08 index beyond", index("99999999"), Refused("")),
        ("F08 negative index", index("-1"), Refused("shared string")),
        ("F08 huge index", index("99999999999999999999999"), Refused("")),
        ("F09 entities", doctype(&entities), Refused("document type")),
        ("F10 a file", doctype("<!ENTITY f SYSTEM \"file:///etc/passwd\">"), Refused("document type")),
        ("F10 an address", doctype("<!ENTITY f SYSTEM \"http://127.0.0.1:9/\">"), Refused("document type")),
        ("F11 attributes", attributes("a"), Refused("1000 attributes")),
        ("F11 namespaces", attributes("xmlns:a"), Refused("1000 attributes")),
        ("F12 depth", with_cell(&book, &deep), Refused("256 elements")),
        ("F13 a name that leaves", container(&[("../../x", b"1"), ("a", b"1")]), Refused("leaves the container")),
    ]);
}

#[test]
fn active_and_protected_workbooks_are_read_without_it_or_refused() {
    let book = small_book();
    let formula = |text: &str| {
        let bytes = with_cell(&book, &format!("<c r=\"A1\"><f>{text}</f><v>1</v></c>"));
        let document = read_document(&bytes, &Limits::default()).expect("reads");
        assert!(document.grids[0].cells[0].is_formula, "{text}");
        bytes
    };
    let sealed = "<manifest:manifest><manifest:encryption-data/></manifest:manifest>";
    let ods = container(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", sealed.as_bytes()),
        ("content.xml", b"x"),
    ]);
    check(&[
        (
            "F14 protected",
            compound(&[("/EncryptedPackage", &[1; 64]), ("/EncryptionInfo", &[1; 64])]),
            Refused("password"),
        ),
        ("F14 protected ods", ods, Refused("password")),
        ("F14 other book", formula("[1]Sheet1!A1"), Cells(1)),
        ("F14 a command", formula("cmd|&apos; /C calc&apos;!A0"), Cells(1)),
    ]);
}

#[test]
fn compound_files_that_run_in_circles_are_refused() {
    let book = binary_book(&[(0, 0), (9, 9)]);
    let mut endless_index = book.clone();
    // Sectors of the index of the index: first at byte 68 of the header, count at 72.
    endless_index[68..72].copy_from_slice(&0_u32.to_le_bytes());
    endless_index[72..76].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut circle = book.clone();
    // The first sector of the index, named at byte 76 of the header; every sector in it follows itself.
    let index = (u32::from_le_bytes([book[76], book[77], book[78], book[79]]) as usize + 1) * 512;
    for sector in 0..128_u32 {
        let at = index + sector as usize * 4;
        circle[at..at + 4].copy_from_slice(&sector.to_le_bytes());
    }
    check(&[
        ("F17 endless index", endless_index, Refused("")),
        ("F17 chain to itself", circle, Refused("")),
        ("F17 unharmed", book, Cells(2)),
    ]);
}

#[test]
fn text_that_does_not_end_is_refused() {
    let mut quote = b"a,b\n1,\"2\n".to_vec();
    quote.extend(b"3,4\n".repeat(8 << 20));
    let wide: String = (0..1_000_000).map(|column| format!("c{column},")).collect();
    check(&[
        ("F19 open quote", quote, Refused("line 2")),
        ("F20 columns", wide.into_bytes(), Refused("")),
        ("F20 one line", vec![b'a'; 64 << 20], Refused("bytes of one line")),
        ("F20 one line of fields", b"a,".repeat(32 << 20), Refused("line 1")),
        ("F22 NUL", b"a,b\n1,\0\n2,3\n".to_vec(), Cells(6)),
        ("F22 lone CR and U+2028", "a,b\r1,\u{2028}2\r".into(), Cells(4)),
    ]);
}

#[test]
fn json_that_floods_is_refused() {
    let keys: String = (0..1_000_000).map(|key| format!("\"{key}\":1,")).collect();
    check(&[
        ("F31 depth", format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)).into(), Refused("")),
        ("F31 a number beyond", b"[{\"a\":1e999}]".to_vec(), Refused("at 1:7")),
        ("F31 digits", format!("[{{\"a\":{}}}]", "7".repeat(1_000_000)).into(), Refused("characters of one number")),
        ("F31 keys twice", b"{\"a\":1,\n\"a\":2}".to_vec(), Refused("at 2:5")),
        ("F31 half a sign", b"[\n{\"a\":\"\\ud800\"}]".to_vec(), Refused("at 2:")),
        ("F31 NaN", b"[{\"a\":NaN}]".to_vec(), Refused("at 1:7")),
        ("F31 mark", "\u{FEFF}[{\"a\":1}]".into(), Cells(2)),
        ("F31 lines", b"{\"a\":1}\n{\"a\":}\n".to_vec(), Refused("at 2:6")),
        ("F31 garbage", b"{\"a\":1} x".to_vec(), Refused("at 1:9")),
        ("F32 empty objects", format!("[{}{{}}]", "{},".repeat(10_000_000)).into(), Refused("values of one list")),
        ("F32 keys", format!("{{{}\"z\":1}}", keys).into(), Refused("fields")),
    ]);
}

#[test]
fn pages_that_flood_are_refused() {
    let span = "<td rowspan=65534 colspan=1000>1".repeat(1_000);
    let allowed =
        format!("<table>{}</table>", format!("<tr>{}", "<td rowspan=1000 colspan=2>1".repeat(1_000)).repeat(20));
    check(&[
        ("F33 spans", format!("<table><tr>{span}</table>").into(), Refused("one cell spans")),
        ("F33 product of spans", allowed.into(), Refused("")),
        ("F33 nested tables", "<table><tr><td>".repeat(5_000).into(), Refused("levels")),
        ("F33 open cells", format!("<table><tr>{}", "<td>".repeat(4 << 20)).into(), Refused("")),
        ("F33 open elements", format!("<html>{}", "<i>".repeat(4 << 20)).into(), Refused("levels")),
        ("F33 too long", [b"<html>".to_vec(), vec![b'a'; 33 << 20]].concat(), Refused("bytes of the page")),
        ("F33 stray end tags", format!("<table><tr><td>1{}", "</b></td>".repeat(1 << 20)).into(), Cells(2)),
    ]);
}

#[test]
fn files_that_are_two_things_are_read_as_one() {
    let book = small_book();
    check(&[
        ("F35 page before a workbook", [b"<html>\n".to_vec(), book.clone()].concat(), Refused("")),
        ("F35 workbook before a page", [book, b"<html></html>".to_vec()].concat(), Cells(1)),
        ("F35 PDF", b"%PDF-1.7\n1,2\n".to_vec(), Only("pdf")),
        ("F35 program", b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(), Only("unknown")),
        ("F35 empty", Vec::new(), Refused("empty")),
        ("F35 one byte", b"1".to_vec(), Cells(1)),
        ("F35 only a header", b"a,b\n".to_vec(), Cells(2)),
        ("F18 page", "<table><tr><td>1</td></tr></table>".into(), Cells(2)),
        ("F18 tabs", b"a\tb\n1\t2\n".to_vec(), Cells(4)),
        ("F18 mail", b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n".to_vec(), Only("mhtml")),
        (
            "F18 workbook of 2003",
            b"<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"/>".to_vec(),
            Only("spreadsheetml"),
        ),
    ]);
}

/// No feed reads Parquet: whatever such a file claims, nothing of it is followed.
#[test]
fn parquet_is_named_and_nothing_in_it_is_believed() {
    let file = |footer: &[u8], length: u32| [b"PAR1", footer, &length.to_le_bytes()[..], b"PAR1"].concat();
    check(&[
        ("F34 footer of 2 GiB", file(b"\x15\x02", 1 << 31), Only("parquet")),
        ("F34 footer before the file", file(b"\x15\x02", u32::MAX), Only("parquet")),
        ("F34 no footer", b"PAR1".to_vec(), Only("parquet")),
        ("F34 footer of noise", file(&[0xFF; 4096], 4096), Only("parquet")),
    ]);
}

/// F16. A container has a sum of its bytes: one bit more or less is refused, or was nothing that a cell is made of.
#[test]
fn one_bit_never_changes_a_cell_of_a_workbook() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for row in 0..40_u32 {
        sheet.write(row, 0, format!("第 {row} 行")).expect("written");
        sheet.write(row, 1, f64::from(row) * 1.25).expect("written");
    }
    let book = workbook.save_to_buffer().expect("a workbook");
    let cells = |bytes: &[u8]| {
        let document = read_document(bytes, &Limits::default()).ok()?;
        Some(document.grids.into_iter().map(|grid| grid.cells).collect::<Vec<_>>())
    };
    let whole = cells(&book);
    assert!(whole.as_ref().is_some_and(|grids| grids[0].len() == 80));
    let bits = book.len() * 8;
    for number in 0..1_000 {
        // Spread over the file; the step has no factor in common with its length.
        let bit = number * 7_919 % bits;
        let mut flipped = book.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let found = cells(&flipped);
        assert!(found.is_none() || found == whole, "bit {bit} of {bits} changes what is read");
    }
}

/// F16. Older workbooks have no sums: a changed bit may change a figure, and never ends the reader.
#[test]
fn one_bit_never_ends_the_reader_of_a_binary_workbook() {
    let book = include_bytes!("fixtures/hidden.xls");
    for number in 0..1_000 {
        let bit = number * 7_919 % (book.len() * 8);
        let mut flipped = book.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let read = std::panic::catch_unwind(|| read_document(&flipped, &Limits::default()).map(|_| ()));
        assert!(read.is_ok(), "bit {bit} ends the reader");
    }
}
