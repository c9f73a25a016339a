//! `docs/clients.md`: its commands and scripts run against a served instance, and their answers are compared.
//!
//! The page names the usual addresses; here they are those of the instance. A block that uses `GONGKAI_KEY` meets an
//! instance with a certificate. A script is followed by a block of `text` that holds what it prints. What needs a tool that
//! is not installed is reported as skipped.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use gongkai_tests::{EVERY_DOOR, Served, access_key, python, root, samples, skip};

use crate::guide::{Block, agrees, blocks, commands};

/// What the blocks of the page meet.
struct Place<'a> {
    folder: &'a Path,
    open: &'a Served,
    /// The instance with a certificate, and a key for it.
    keyed: Option<(&'a Served, &'a str)>,
}

impl Place<'_> {
    fn served(&self, text: &str) -> Option<&Served> {
        if text.contains("GONGKAI_KEY") { self.keyed.map(|(served, _)| served) } else { Some(self.open) }
    }

    /// The text with the addresses of the instance; nothing where that instance is not there.
    fn local(&self, text: &str) -> Option<String> {
        let served = self.served(text)?;
        let address = |url: &str| url.split_once("://").map(|(_, address)| address.to_owned()).expect("an address");
        let pg = address(served.pg.as_deref()?);
        let port = pg.rsplit(':').next().expect("a port").to_owned();
        let text = text.replace("127.0.0.1:8080", &address(&served.base)).replace("127.0.0.1:5432", &pg);
        let text = text.replace("127.0.0.1:32010", &address(served.flight.as_deref()?));
        Some(text.replace("-p 5432", &format!("-p {port}")).replace("port=5432", &format!("port={port}")))
    }

    fn run(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Output {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder).env("LC_ALL", "C.UTF-8").env_remove("PGUSER");
        if let Some((_, key)) = self.keyed {
            command.env("GONGKAI_KEY", key);
        }
        command.output().unwrap_or_else(|error| panic!("{}: {error}", program.display()))
    }
}

fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn compare(block: &Block, what: &str, output: &Output, expected: &[String]) {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let said: Vec<&str> = said.lines().map(str::trim_end).collect();
    assert!(
        output.status.success() && agrees(expected, &said),
        "line {} of the guide: `{what}` says\n{}\n{}\nand the guide\n{}",
        block.line,
        said.join("\n"),
        String::from_utf8_lossy(&output.stderr),
        expected.join("\n")
    );
}

fn run_commands(place: &Place, block: &Block) {
    if block.body.contains("psql") && !works("psql", &["--version"]) {
        return skip("client guide", "psql is not installed (Debian: postgresql-client)");
    }
    for (command, expected) in commands(&block.body) {
        let Some(local) = place.local(&command) else {
            return skip("client guide", "openssl is not installed: no certificate, so no keys");
        };
        compare(block, &command, &place.run("sh", &["-c", &local]), &expected);
    }
}

fn run_script(place: &Place, block: &Block, printed: &Block) {
    let needed = "requests, polars, duckdb, deltalake, pyarrow, psycopg, adbc_driver_flightsql";
    let program = match block.head.as_str() {
        "python" => match python("client guide", needed) {
            Some(python) => python,
            None => return,
        },
        _ if works("Rscript", &["--version"]) => "Rscript".into(),
        _ => return skip("client guide", "R is not installed (Debian: r-base-core)"),
    };
    let Some(local) = place.local(&block.body) else {
        return skip("client guide", "openssl is not installed: no certificate, so no keys");
    };
    let script = format!("script-{}", block.line);
    std::fs::write(place.folder.join(&script), local).expect("writes");
    let expected: Vec<String> = printed.body.lines().map(str::to_owned).collect();
    compare(block, &block.head, &place.run(&program, &[&script]), &expected);
}

/// Power Query runs on Windows only: its paths are asked for here as it would ask for them.
fn ask_as_power_query(place: &Place, block: &Block) {
    let quoted =
        |before: &str| block.body.split(before).nth(1).and_then(|rest| rest.split('"').nth(1)).map(str::to_owned);
    let path = quoted("RelativePath = ").expect("a path");
    let mut url = reqwest::Url::parse(&format!("{}/{path}", place.open.base)).expect("a url");
    if let Some(question) = quoted("Question = ") {
        url.query_pairs_mut().append_pair("q", &question).append_pair("format", "csv");
    }
    let columns: Vec<&str> = block.body.split("{\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(columns.contains(&"amount_yuan"), "line {}: {columns:?}", block.line);
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let answer = runtime.block_on(async { reqwest::get(url).await?.error_for_status()?.text().await });
    let answer = answer.unwrap_or_else(|error| panic!("line {}: {error}", block.line));
    for column in columns {
        assert!(answer.contains(column), "line {}: no {column} in {answer}", block.line);
    }
    let pages = ["records", "next_page_token"].iter().filter(|name| block.body.contains(*name));
    for name in pages {
        assert!(answer.contains(&format!("\"{name}\"")), "line {}: no {name}", block.line);
    }
}

/// A certificate for this machine as `server.pem`, its key as `server.key`.
fn make_certificate(folder: &Path) -> bool {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "server.key", "-out", "server.pem"])
        .current_dir(folder)
        .output();
    made.is_ok_and(|output| output.status.success())
}

#[test]
fn the_client_guide_works_as_it_says() {
    let guide = std::fs::read_to_string(root().join("docs/clients.md")).expect("the guide");
    let (folder, data) = samples();
    let open = Served::start(&data, &EVERY_DOOR);
    let keyed = make_certificate(folder.path()).then(|| {
        let key = access_key(&data, "reader", "guide");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (certificate, secret) = (path("server.pem"), path("server.key"));
        let tls = [("GONGKAI_TLS_CERTIFICATE", certificate.as_str()), ("GONGKAI_TLS_KEY", secret.as_str())];
        (Served::start(&data, &[EVERY_DOOR, tls].concat()), key)
    });
    let keyed = keyed.as_ref().map(|(served, key)| (served, key.as_str()));
    let place = Place { folder: folder.path(), open: &open, keyed };
    let blocks = blocks(&guide);
    for (at, block) in blocks.iter().enumerate() {
        match block.head.as_str() {
            "console" => run_commands(&place, block),
            "python" | "r" => {
                let printed = blocks.get(at + 1).filter(|next| next.head == "text");
                run_script(
                    &place,
                    block,
                    printed.unwrap_or_else(|| panic!("line {}: what does it print?", block.line)),
                );
            }
            "powerquery" => ask_as_power_query(&place, block),
            "text" | "sh" => {}
            head => panic!("line {}: nobody runs a block of {head:?}", block.line),
        }
    }
    for (head, least) in [("console", 4), ("python", 7), ("r", 1), ("powerquery", 2)] {
        let count = blocks.iter().filter(|block| block.head == head).count();
        assert!(count >= least, "{count} blocks of {head}");
    }
}

#[test]
fn both_languages_of_the_client_guide_have_the_same_snippets() {
    let of = |name: &str| {
        let text = std::fs::read_to_string(root().join("docs").join(name)).expect("the guide");
        blocks(&text).into_iter().map(|block| (block.head, block.body)).collect::<Vec<_>>()
    };
    let (english, chinese) = (of("clients.md"), of("clients.zh-CN.md"));
    assert_eq!(english.len(), chinese.len());
    for (one, other) in english.iter().zip(&chinese) {
        assert_eq!(one, other);
    }
}
