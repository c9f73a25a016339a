//! `ingest/feeds/README.md`, followed to the letter: its files are written, its commands run, its answers compared.
//!
//! A fenced block whose language is followed by a path is a file; with `>>` before the path it is added to a file that
//! exists. A block of `console` holds commands after `$ ` and what they print; a line `…` stands for any number of lines.

use std::path::Path;
use std::process::Command;

use gongkai_tests::{NOW, binary, root};

/// A fenced block: what stands behind the fence, its lines, and the line of the fence.
pub(super) struct Block {
    pub(super) head: String,
    pub(super) body: String,
    pub(super) line: usize,
}

/// The fenced blocks of a page.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(head)) => {
                open = Some(Block { head: head.trim().to_owned(), body: String::new(), line: number + 1 })
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.body.push_str(line);
                block.body.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

fn write(folder: &Path, head: &str, body: &str) {
    let (is_added, path) = match head.split_once(' ').map(|(_, path)| path.trim()) {
        Some(path) => path.strip_prefix(">>").map_or((false, path), |path| (true, path.trim())),
        None => return,
    };
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("creates");
    let before = if is_added { std::fs::read_to_string(&path).expect("the file to add to") } else { String::new() };
    std::fs::write(&path, before + body).expect("writes");
}

/// A command with what the guide says that it prints.
pub(super) fn commands(body: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    let mut is_continued = false;
    for line in body.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
            (None, Some((command, _))) if is_continued => {
                command.push('\n');
                command.push_str(line);
            }
            (None, Some((_, said))) => said.push(line.to_owned()),
            (None, None) => panic!("a block of commands begins with {line:?}"),
        }
        let is_command = line.starts_with("$ ") || is_continued;
        is_continued = is_command && line.ends_with('\\');
    }
    commands
}

/// Whether what was said is what is expected; a line `…` stands for any number of lines.
pub(super) fn agrees(expected: &[String], said: &[&str]) -> bool {
    match expected {
        [] => said.is_empty(),
        [any, rest @ ..] if any.trim() == "…" => (0..=said.len()).any(|skipped| agrees(rest, &said[skipped..])),
        [line, rest @ ..] => said.first().is_some_and(|first| first == line) && agrees(rest, &said[1..]),
    }
}

#[test]
fn the_guide_adds_a_feed_from_nothing_as_it_says() {
    let guide = std::fs::read_to_string(root().join("ingest/feeds/README.md")).expect("the guide");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bin = binary();
    let path = format!("{}:{}", bin.parent().expect("a folder").display(), std::env::var("PATH").unwrap_or_default());
    let (mut files, mut runs) = (0, 0);
    for block in blocks(&guide) {
        if block.head != "console" {
            write(folder.path(), &block.head, &block.body);
            files += usize::from(block.head.contains(' '));
            continue;
        }
        for (command, expected) in commands(&block.body) {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(&command).current_dir(folder.path()).env("PATH", &path).env("GONGKAI_NOW", NOW);
            for variable in ["GONGKAI_INBOX", "GONGKAI_DATA", "GONGKAI_DEFINITIONS", "GONGKAI_HTTP"] {
                shell.env_remove(variable);
            }
            let output = shell.output().expect("a shell");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let errors = String::from_utf8_lossy(&output.stderr);
            let said: Vec<&str> = said.lines().map(str::trim_end).collect();
            assert!(
                agrees(&expected, &said),
                "line {} of the guide: `{command}` says\n{}\n{errors}\nand the guide\n{}",
                block.line,
                said.join("\n"),
                expected.join("\n")
            );
            runs += 1;
        }
    }
    assert!(files >= 5 && runs >= 5, "{files} files and {runs} commands were found");
}
