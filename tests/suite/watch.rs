//! An inbox under watch: what comes to rest in it is released while the portal is served.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gongkai_tests::{gongkai, value};

const HEADER: &str = "date,hour,城市,AQI,PM2.5,CO\n";
const COUNT: &str = "SELECT count(*) FROM air_hourly WHERE measure = 'PM25'";

fn wait_for(data: &Path, expected: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    let mut last = String::new();
    while Instant::now() < until {
        last = value(data, COUNT);
        if last == expected {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{last} rows, expected {expected}");
}

fn interrupt(child: &mut Child) -> Option<i32> {
    let told = Command::new("kill").arg("-INT").arg(child.id().to_string()).status();
    assert!(told.is_ok_and(|status| status.success()), "kill failed");
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        if let Ok(Some(status)) = child.try_wait() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    None
}

#[test]
fn a_file_dropped_while_serving_is_released_once_it_rests() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    std::fs::write(inbox.join("a.csv"), format!("{HEADER}20190301,1,攀枝花,50.0,20.0,0.8\n")).expect("writes");
    let mut command = gongkai(&data);
    command.args(["up", "--watch", "--http", "127.0.0.1:0", "--inbox"]).arg(&inbox).arg("--data").arg(&data);
    command.env("GONGKAI_INGEST_WATCH_MS", "300").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("serving http://")), "it does not serve");
    // What is said after that would fill the pipe.
    let said = std::thread::spawn(move || lines.collect::<Vec<_>>().join("\n"));
    wait_for(&data, "1");

    // A link to a file outside is never opened.
    std::fs::write(folder.path().join("outside.csv"), format!("{HEADER}20190302,1,攀枝花,50.0,22.0,0.8\n"))
        .expect("writes");
    std::os::unix::fs::symlink(folder.path().join("outside.csv"), inbox.join("link.csv")).expect("links");
    // A file that grows waits: half of it would be a line without its figures.
    let mut growing = std::fs::File::create(inbox.join("b.csv")).expect("creates");
    growing.write_all(HEADER.as_bytes()).expect("writes");
    for hour in 1..=8 {
        growing.write_all(format!("20190303,{hour},攀枝花,50.0,2{hour}.0,0.8\n").as_bytes()).expect("writes");
        growing.flush().expect("writes");
        std::thread::sleep(Duration::from_millis(120));
    }
    drop(growing);
    wait_for(&data, "9");
    let releases = "SELECT count(*) FROM catalog.release WHERE dataset = 'air_city_hourly'";
    // One with each file: the one that grew was not taken in parts.
    assert_eq!(value(&data, releases), "2");
    // A file that changes is taken again.
    std::fs::write(inbox.join("a.csv"), format!("{HEADER}20190301,1,攀枝花,50.0,25.0,0.8\n")).expect("writes");
    let corrected = "SELECT value FROM air_hourly WHERE measure = 'PM25' AND data_date = '2019-03-01'";
    let until = Instant::now() + Duration::from_secs(60);
    while value(&data, corrected) != "25.0000" && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(value(&data, corrected), "25.0000");
    assert_eq!(interrupt(&mut child), Some(0));
    let said = said.join().expect("ends");
    assert!(said.contains("1 new releases") && !said.contains("link.csv"), "{said}");
}

#[test]
fn ingest_watches_until_it_is_told_to_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (inbox, data) = (folder.path().join("inbox"), folder.path().join("data"));
    std::fs::create_dir_all(&inbox).expect("creates");
    let mut command = gongkai(&data);
    command.args(["ingest", "--watch", "--inbox"]).arg(&inbox).arg("--data").arg(&data);
    command.env("GONGKAI_INGEST_WATCH_MS", "200").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(lines.next().is_some_and(|line| line.starts_with("watching ")));
    std::fs::write(inbox.join("a.csv"), format!("{HEADER}20190301,1,攀枝花,50.0,20.0,0.8\n")).expect("writes");
    assert!(lines.any(|line| line.starts_with("1 files landed")));
    assert_eq!(interrupt(&mut child), Some(0));
}
