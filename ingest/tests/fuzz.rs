//! Good files changed at random: a reader may refuse what comes out, it may not stop, and it loses no cell's place.
//!
//! One target for each reader. `GONGKAI_FUZZ_SECONDS` is the time for each, a fraction of a second by default so
//! that every run of the tests does a little; a seed that fails is printed and can be set again with
//! `GONGKAI_FUZZ_SEED`.

mod common;

#[path = "common/containers.rs"]
mod containers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use containers::{binary_book, container, open_spreadsheet, small_book, with_part};
use gongkai_ingest::{Limits, SAMPLES, read_archive, read_document};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// What harms readers more than chance finds.
const TOKENS: [&[u8]; 24] = [
    b"\0",
    b"\xFF\xFE",
    b"\xEF\xBB\xBF",
    b"\"",
    b"\n",
    b"\r",
    b",",
    b"\t",
    b"{",
    b"[",
    b"\\ud800",
    b"1e999",
    b"<",
    b"</",
    b"<td rowspan=0 colspan=1000>",
    b"<table>",
    b"</table>",
    b"<!--",
    b"&nbsp",
    b"&#x110000;",
    b"\x0C",
    b"PK\x03\x04",
    b"4294967295",
    b"-1",
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Reads changed seeds until the time is over.
fn fuzz(seeds: &[Vec<u8>], read: impl Fn(&[u8])) {
    let time = number("GONGKAI_FUZZ_SECONDS").map_or(Duration::from_millis(300), Duration::from_secs);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64;
    let first = number("GONGKAI_FUZZ_SEED").unwrap_or(now);
    let started = Instant::now();
    let current = Arc::new(AtomicU64::new(first));
    let _watch = watch(Arc::clone(&current));
    let mut round = 0;
    while started.elapsed() < time {
        let seed = first.wrapping_add(round);
        round += 1;
        current.store(seed, Ordering::Relaxed);
        let bytes = changed(&seeds[(seed % seeds.len() as u64) as usize], seed);
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| read(&bytes)));
        assert!(outcome.is_ok(), "GONGKAI_FUZZ_SEED={seed} stops the reader");
        assert!(began.elapsed() < Duration::from_secs(20), "GONGKAI_FUZZ_SEED={seed} takes {:?}", began.elapsed());
    }
    println!("{round} files in {:?}, first seed {first}", started.elapsed());
}

/// Ends the run when a reader is at the same file for a minute, which no assertion after it would tell. Dropping what
/// it gives ends the watching.
#[expect(clippy::disallowed_methods, reason = "a thread that does not end cannot be told to; nothing is held here")]
fn watch(current: Arc<AtomicU64>) -> mpsc::Sender<()> {
    let (stop, stopped) = mpsc::channel();
    std::thread::spawn(move || {
        let mut last = current.load(Ordering::Relaxed);
        while stopped.recv_timeout(Duration::from_secs(60)) == Err(mpsc::RecvTimeoutError::Timeout) {
            let now = current.load(Ordering::Relaxed);
            if now == last {
                eprintln!("GONGKAI_FUZZ_SEED={now} does not end");
                std::process::abort();
            }
            last = now;
        }
    });
    stop
}

/// The seed after a few changes: bytes, stretches cut, doubled or moved, and tokens put in.
fn changed(seed: &[u8], number: u64) -> Vec<u8> {
    let mut state = [0; 32];
    state[..8].copy_from_slice(&number.to_le_bytes());
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &state);
    let mut bytes = seed.to_vec();
    for _ in 0..1 + rng.next_u32() % 6 {
        let length = bytes.len().max(1);
        let at = rng.next_u64() as usize % length;
        let stretch = at..(at + 1 + rng.next_u64() as usize % 64).min(bytes.len());
        match rng.next_u32() % 6 {
            0 if at < bytes.len() => bytes[at] = rng.next_u32() as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << (rng.next_u32() % 8),
            2 if !stretch.is_empty() => drop(bytes.drain(stretch)),
            3 if !stretch.is_empty() => {
                let copy = bytes[stretch.clone()].repeat(1 + rng.next_u32() as usize % 40);
                bytes.splice(stretch.start..stretch.start, copy);
            }
            4 => bytes.truncate(at),
            _ => {
                let token = TOKENS[rng.next_u32() as usize % TOKENS.len()];
                let at = at.min(bytes.len());
                bytes.splice(at..at, token.iter().copied());
            }
        }
    }
    bytes
}

/// Reads a file; every cell of what comes out has a place, and every row its cells.
fn document(bytes: &[u8]) {
    let Ok(document) = read_document(bytes, &Limits::default()) else { return };
    for grid in &document.grids {
        for row in &grid.rows {
            assert!(row.cells.end <= grid.cells.len());
            assert!(grid.cells_of(row).windows(2).all(|pair| pair[0].column < pair[1].column));
        }
        assert!(grid.pages.iter().all(|page| *page <= grid.rows.len()));
        assert!(grid.cells.iter().all(|cell| cell.start > 0 && cell.column > 0));
    }
}

fn samples(ending: &str) -> Vec<Vec<u8>> {
    let folders = SAMPLES.dirs().flat_map(include_files);
    let found: Vec<Vec<u8>> = folders.filter(|(name, _)| name.ends_with(ending)).map(|(_, bytes)| bytes).collect();
    assert!(!found.is_empty(), "no sample {ending}");
    found
}

fn include_files(folder: &'static include_dir::Dir<'static>) -> Vec<(String, Vec<u8>)> {
    folder.files().map(|file| (file.path().display().to_string(), file.contents().to_vec())).collect()
}

#[test]
fn delimited_text() {
    let mut seeds = samples(".csv");
    seeds.push("sep=;\r\n城市;值\r\n\"攀枝花;\n市\";\"1\"\"2\"\r\n".into());
    seeds.push(encoding_rs::GB18030.encode("城市,值\n攀枝花,1\n").0.into_owned());
    fuzz(&seeds, document);
}

#[test]
fn lines_of_text() {
    let text = "2024年度部门决算\n\x0C一、收入支出决算总表\n单位：万元\n2010101 行政运行 1,234.56\n\x0C\r\n末页\r";
    fuzz(&[text.into(), encoding_rs::GB18030.encode(text).0.into_owned()], document);
}

#[test]
fn json() {
    let mut seeds = samples(".json");
    seeds.push(b"{\"a\":1}\n{\"a\":[1,2,{\"b\":\"\\u4e00\"}]}\n".to_vec());
    fuzz(&seeds, document);
}

#[test]
fn pages() {
    let page = "<!DOCTYPE html><html><head><meta charset='gbk'><title>公报</title><script>if (a < b) {}</script></head><body>\
                <p>附件1</p><p>单位：亿元<table border=1><caption>表</caption><thead><tr><th rowspan=2>地区<th colspan=2>限额\
                </thead><tr><td>&nbsp;&nbsp;东区</td><td>1<br>2</td><td><table><tr><td>3</table></td></tr></table><pre>甲\n乙</pre>";
    fuzz(&[page.into(), encoding_rs::GB18030.encode(page).0.into_owned()], document);
}

#[test]
fn workbooks() {
    fuzz(&[samples(".xlsx"), vec![small_book()]].concat(), document);
}

/// Changes inside a compressed part are mostly found by its checksum; these are made before it is compressed.
#[test]
fn parts_of_workbooks() {
    let book = small_book();
    let sheet = "xl/worksheets/sheet1.xml";
    let seed = std::cell::RefCell::new(Vec::new());
    with_part(&book, sheet, |xml| {
        *seed.borrow_mut() = xml.as_bytes().to_vec();
        xml.to_owned()
    });
    let seed = seed.into_inner();
    fuzz(&[seed], |bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        document(&with_part(&book, sheet, |_| text.clone()));
    });
}

#[test]
fn binary_workbooks() {
    let seeds = [binary_book(&[(0, 0), (3, 2)]), include_bytes!("fixtures/hidden.xls").to_vec()];
    fuzz(&seeds, document);
}

#[test]
fn open_spreadsheets() {
    let tables = "<table:table table:name=\"a\"><table:table-column table:visibility=\"collapse\"/><table:table-row \
                  table:number-rows-repeated=\"2\"><table:table-cell table:number-columns-spanned=\"2\" \
                  office:value-type=\"string\"><text:p>a<text:s text:c=\"3\"/>b</text:p></table:table-cell>\
                  <table:covered-table-cell/><table:table-cell office:value-type=\"float\" office:value=\"1.5\" \
                  table:number-columns-repeated=\"3\"/></table:table-row></table:table>";
    fuzz(&[tables.into()], |bytes| document(&open_spreadsheet(&String::from_utf8_lossy(bytes))));
}

#[test]
fn archives() {
    let seed = container(&[("a/b.csv", b"a,b\n1,2\n"), ("c.txt", "行\n".as_bytes())]);
    fuzz(&[seed], |bytes| {
        let _ = read_archive(bytes, &Limits::default());
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_cell_of_text_is_where_it_says(lines in proptest::collection::vec("[ 0-9a-z城市：.，-]{1,20}", 1..20)) {
        let text = lines.join("\n");
        if let Ok(read) = read_document(text.as_bytes(), &Limits::default()) {
            for cell in &read.grids[0].cells {
                let line = lines[cell.row as usize - 1].chars().skip(cell.start as usize - 1).collect::<String>();
                prop_assert!(line.starts_with(&*cell.text), "{}:{}", cell.row, cell.start);
            }
        }
    }

    #[test]
    fn a_table_of_a_page_reads_like_its_twin_in_delimited_text(
        rows in proptest::collection::vec(proptest::collection::vec("[0-9a-z城市]{1,8}", 3), 2..8)
    ) {
        let csv: String = rows.iter().map(|row| format!("{}\n", row.join(","))).collect();
        let cells = |row: &Vec<String>| row.iter().map(|cell| format!("<td>{cell}")).collect::<String>();
        let page: String = rows.iter().map(|row| format!("<tr>{}", cells(row))).collect();
        let csv = read_document(csv.as_bytes(), &Limits::default()).expect("reads");
        let page = read_document(format!("<table>{page}</table>").as_bytes(), &Limits::default()).expect("reads");
        let texts = |document: &gongkai_ingest::Document| {
            document.grids[0].cells.iter().map(|cell| (cell.row, cell.column, cell.text.clone())).collect::<Vec<_>>()
        };
        prop_assert_eq!(texts(&csv), texts(&page));
    }
}
