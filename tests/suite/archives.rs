//! A zip of department files is the folder of its files.

use std::io::{Cursor, Write};
use std::path::Path;

use gongkai_tests::{gongkai, outcomes, up_once, value};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const HEADER: &str = "date,hour,城市,AQI,PM2.5,CO\n";

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default()).expect("an entry");
        writer.write_all(content).expect("written");
    }
    writer.finish().expect("a container").into_inner()
}

fn day(date: &str) -> Vec<u8> {
    format!("{HEADER}{date},1,攀枝花,50.0,20.0,0.8\n").into_bytes()
}

fn run(data: &Path, inbox: &Path) -> Vec<(String, String)> {
    outcomes(&serde_json::from_slice(&up_once(data, Some(inbox)).stdout).expect("json"))
}

#[test]
fn its_files_are_read_where_they_stand_in_it_and_the_others_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    let inner = archive(&[("c.csv", &day("20190303"))]);
    let bytes = archive(&[
        ("三月/a.csv", &day("20190301")),
        ("三月/b.csv", &day("20190302")),
        ("三月/cut.xlsx", b"PK\x03\x04 and no more"),
        ("__MACOSX/三月/._a.csv", b"x"),
        ("inner.zip", &inner),
    ]);
    std::fs::write(inbox.join("air.zip"), &bytes).expect("writes");
    std::fs::write(inbox.join("air.zip.source.toml"), "is_synthetic = true\n").expect("writes");
    let expected = |read: &str| {
        let lines = [
            ("air.zip", "unpacked"),
            ("air.zip/inner.zip", "unmatched"),
            ("air.zip/三月/a.csv", read),
            ("air.zip/三月/b.csv", read),
            ("air.zip/三月/cut.xlsx", "damaged"),
        ];
        lines.map(|(path, outcome)| (path.to_owned(), outcome.to_owned())).to_vec()
    };
    assert_eq!(run(&data, &inbox), expected("read"));
    assert_eq!(run(&data, &inbox), expected("known"));
    assert_eq!(value(&data, "SELECT count(*) FROM air_hourly WHERE measure = 'PM25'"), "2");
    // What stands beside the archive is said of its files.
    let synthetic = "SELECT count(*) FROM catalog.source_file WHERE is_synthetic AND name = 'a.csv'";
    assert_eq!(value(&data, synthetic), "1");

    let output = gongkai(&data).arg("inspect").arg(inbox.join("air.zip")).output().expect("starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("an archive of 4 files") && said.contains("feed air_city_hourly"), "{said}");
}

#[test]
fn one_that_would_leave_its_folder_is_refused_as_a_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    std::fs::write(inbox.join("slip.zip"), archive(&[("a.csv", &day("20190301")), ("../x.csv", b"x")]))
        .expect("writes");
    let expected = vec![("slip.zip".to_owned(), "damaged".to_owned())];
    assert_eq!(run(&data, &inbox), expected);
    assert_eq!(run(&data, &inbox), expected);
    assert!(!folder.path().join("x.csv").exists());
}
