//! What the readers make of real files: formats, tables and places.

mod common;

use common::real_data;
use gongkai_ingest::{Document, Format, Limits, read_document};

fn read(path: &std::path::Path) -> Document {
    read_document(&std::fs::read(path).expect("reads"), &Limits::default()).expect("a readable file")
}

fn files(folder: &std::path::Path, extensions: &[&str]) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, extensions));
        } else if path.extension().is_some_and(|end| extensions.iter().any(|wanted| end.eq_ignore_ascii_case(wanted))) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn delimited_files_are_told_from_lines() {
    let Some(folder) = real_data("") else { return };
    for path in files(&folder, &["csv"]) {
        assert_eq!(read(&path).format, Format::Csv, "{}", path.display());
    }
    for path in files(&folder, &["txt", "yaml"]) {
        assert_eq!(read(&path).format, Format::Text, "{}", path.display());
    }
}

#[test]
fn tables_of_a_budget_report_have_their_titles_and_figures() {
    let Some(folder) = real_data("budget/html_reports") else { return };
    let document = read(&folder.join("changde_2025_budget_report.html"));
    assert_eq!(document.grids.len(), 11);
    let table = &document.grids[0];
    // As the page shows it: `一、税收收入 96.74 93 -3.87%` beside `一、一般公共服务支出 54.53 50.11 -8.11%`.
    let texts: Vec<&str> = table.rows[1].cells.clone().map(|cell| &*table.cells[cell].text).collect();
    assert_eq!(texts, ["一、税收收入", "96.74", "93", "-3.87%", "一、一般公共服务支出", "54.53", "50.11", "-8.11%"]);
    assert_eq!(table.text(&table.rows[0], 2), "2024年 决算数");
    let preface: Vec<&str> = table.preface.iter().rev().take(3).map(|line| &*line.text).collect();
    assert_eq!(preface, ["单位：亿元", "2025年全市一般公共预算收支总表", "附件1"]);
    let units: Vec<&str> =
        document.grids[..10].iter().map(|grid| &*grid.preface.last().expect("a unit line").text).collect();
    assert_eq!(units.iter().filter(|unit| **unit == "单位：万元").count(), 2, "{units:?}");
}

#[test]
fn a_report_without_tables_is_its_lines() {
    let Some(folder) = real_data("budget/html_reports") else { return };
    let path = folder.join("yaan_2025_budget_report.html");
    let document = read(&path);
    assert_eq!(document.grids.len(), 1);
    let page = std::fs::read_to_string(path).expect("text");
    let lines: Vec<&str> = page.split('\n').collect();
    for cell in &document.grids[0].cells {
        let place: String = lines[cell.row as usize - 1].chars().skip(cell.start as usize - 1).take(1).collect();
        let first = cell.text.chars().next().expect("a sign");
        assert!(place.starts_with(first) || place == "&", "{}:{} {}", cell.row, cell.start, cell.text);
    }
    assert!(document.grids[0].cells.iter().any(|cell| cell.text.contains("一般公共预算收入")));
}

#[test]
fn pages_of_final_accounts_are_kept() {
    let Some(folder) = real_data("budget/department_final_accounts_text") else { return };
    let document = read(&folder.join("putuo_finance_bureau_2024_final_accounts.txt"));
    assert_eq!(document.grids[0].page_rows().count(), 25);
}
