//! How a file's header differs from that of the file before it: the department changed its form.
//!
//! Headers are compared with the digits of years and numbers masked, because `2022年债务限额` follows
//! `2021年债务限额` in the same form. What differs is shown before anything is written, and the release says it.

use std::collections::BTreeSet;
use std::fmt;

use gongkai_ingest::report::{GridReport, HeaderCell, Report};
use gongkai_ingest::window::parse_a1;
use gongkai_warehouse::lake::LedgerEntry;
use gongkai_warehouse::lake::ledger::{ColumnHeader, TableHeader};
use serde::{Deserialize, Serialize};

/// What changed between two headers of one feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The feed.
    pub feed: String,
    /// Title or sheet, without what differs between years and places; empty where there is neither.
    pub table: String,
    /// Path of the file that it is compared with.
    pub compared_with: String,
    /// Columns that are there no more.
    pub gone: Vec<String>,
    /// Columns that were not there before.
    pub new: Vec<String>,
    /// Columns that stand in the place of another one.
    pub renamed: Vec<(String, String)>,
    /// Columns that stand in another order.
    pub moved: Vec<String>,
}

impl Drift {
    fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.new.is_empty() && self.renamed.is_empty() && self.moved.is_empty()
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let renamed: Vec<String> = self.renamed.iter().map(|(old, new)| format!("{old} → {new}")).collect();
        write!(f, "header differs from that of {}", self.compared_with)?;
        for (what, columns) in
            [("gone", &self.gone), ("new", &self.new), ("renamed", &renamed), ("in another order", &self.moved)]
        {
            if !columns.is_empty() {
                write!(f, "; {what}: {}", columns.join(", "))?;
            }
        }
        Ok(())
    }
}

/// The headers of the tables that feeds read in a file, each once.
pub fn headers(reports: &[Report]) -> Vec<TableHeader> {
    let mut headers: Vec<TableHeader> = Vec::new();
    for report in reports {
        for grid in &report.grids {
            let header = TableHeader { feed: report.feed.clone(), table: table_of(grid), columns: columns_of(grid) };
            if !headers.contains(&header) {
                headers.push(header);
            }
        }
    }
    headers
}

/// What a file's headers are compared with.
#[derive(Debug, Clone)]
pub struct Past {
    sha256: String,
    path: String,
    partition: String,
    order: (chrono::DateTime<chrono::Utc>, String),
    headers: Vec<TableHeader>,
}

impl Past {
    /// What the ledger knows of a source.
    pub fn of(entry: &LedgerEntry) -> Self {
        let path = entry.paths.first().unwrap_or(&entry.source.name).clone();
        Self {
            sha256: entry.source.sha256.clone(),
            partition: last_partition(&entry.slices),
            order: (entry.source.landed_at, path.clone()),
            path,
            headers: entry.headers.clone(),
        }
    }
}

/// The file's differences from the file before it, for each of its tables: the nearest earlier partition of the
/// dataset, and among those of one partition, the last that came in.
pub fn compare(sha256: &str, slices: &[(String, String)], headers: &[TableHeader], past: &[Past]) -> Vec<Drift> {
    let partition = last_partition(slices);
    let mut drifts = Vec::new();
    for header in headers {
        let is_same = |other: &&TableHeader| other.feed == header.feed && other.table == header.table;
        let before = past
            .iter()
            .filter(|past| past.sha256 != sha256)
            .filter_map(|past| Some((past, past.headers.iter().find(is_same)?)))
            .max_by_key(|(past, _)| (past.partition <= partition, &past.partition, &past.order));
        if let Some((past, before)) = before {
            let drift = differences(before, header, &past.path);
            if !drift.is_empty() {
                drifts.push(drift);
            }
        }
    }
    drifts
}

fn last_partition(slices: &[(String, String)]) -> String {
    slices.iter().map(|(_, partition)| partition.as_str()).max().unwrap_or_default().to_owned()
}

fn differences(before: &TableHeader, now: &TableHeader, path: &str) -> Drift {
    let old: Vec<String> = before.columns.iter().map(|column| masked(&column.text)).collect();
    let new: Vec<String> = now.columns.iter().map(|column| masked(&column.text)).collect();
    let kept = common(&old, &new);
    let (old_kept, new_kept): (BTreeSet<usize>, BTreeSet<usize>) = kept.iter().copied().unzip();
    let mut drift = Drift {
        feed: now.feed.clone(),
        table: now.table.clone(),
        compared_with: path.to_owned(),
        gone: Vec::new(),
        new: Vec::new(),
        renamed: Vec::new(),
        moved: Vec::new(),
    };
    // Between two columns that stayed, what went and what came stand in each other's place.
    let ends = kept.iter().copied().chain([(old.len(), new.len())]);
    let mut begin = (0, 0);
    for (old_end, new_end) in ends {
        let is_moved = |text: &String, side: &[String], stays: &BTreeSet<usize>| {
            side.iter().enumerate().any(|(index, other)| other == text && !stays.contains(&index))
        };
        let gone = (begin.0..old_end).filter(|index| !is_moved(&old[*index], &new, &new_kept));
        let (moved, came): (Vec<usize>, Vec<usize>) =
            (begin.1..new_end).partition(|index| is_moved(&new[*index], &old, &old_kept));
        drift.moved.extend(moved.into_iter().map(|index| now.columns[index].text.clone()));
        let mut came = came.into_iter();
        for index in gone {
            let text = before.columns[index].text.clone();
            match came.next() {
                Some(new) => drift.renamed.push((text, now.columns[new].text.clone())),
                None => drift.gone.push(text),
            }
        }
        drift.new.extend(came.map(|index| now.columns[index].text.clone()));
        begin = (old_end + 1, new_end + 1);
    }
    drift
}

/// Positions of a longest common subsequence.
fn common(old: &[String], new: &[String]) -> Vec<(usize, usize)> {
    let mut lengths = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            lengths[i][j] =
                if old[i] == new[j] { lengths[i + 1][j + 1] + 1 } else { lengths[i + 1][j].max(lengths[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if lengths[i + 1][j] >= lengths[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

fn columns_of(grid: &GridReport) -> Vec<ColumnHeader> {
    let mut cells: Vec<&HeaderCell> = grid.header.iter().chain(&grid.columns_not_read).collect();
    cells.sort_by_key(|cell| place(&cell.address));
    cells.dedup();
    cells.into_iter().map(|cell| ColumnHeader { text: cell.text.clone(), read_as: cell.read_as.clone() }).collect()
}

/// Column of an address, `A1` or `line:character`.
fn place(address: &str) -> u32 {
    let of_text = || address.split_once(':').and_then(|(_, column)| column.parse().ok());
    parse_a1(address).map(|(_, column)| column).or_else(of_text).unwrap_or_default()
}

fn table_of(grid: &GridReport) -> String {
    grid.title.as_deref().or(grid.sheet.as_deref()).map(table_name).unwrap_or_default()
}

/// What names of regions end in, and how long they are at most: 积石山保安族东乡族撒拉族自治县 has 14 characters.
const PLACE_ENDS: &str = "省市州盟县区旗";
const PLACE_CHARS: usize = 15;

/// A title without what differs between years and places.
fn table_name(title: &str) -> String {
    let plain: String = masked(title).chars().filter(|character| !character.is_whitespace()).collect();
    let begin = plain.find(|character| !"#年度".contains(character)).unwrap_or_default();
    let (year, rest) = plain.split_at(begin);
    let place = rest.char_indices().take(PLACE_CHARS).skip(1).find(|(_, character)| PLACE_ENDS.contains(*character));
    let after = place.map_or(0, |(at, character)| at + character.len_utf8());
    format!("{year}{}", &rest[after..])
}

fn masked(text: &str) -> String {
    let is_digit = |character: char| character.is_ascii_digit() || ('０'..='９').contains(&character);
    text.chars().map(|character| if is_digit(character) { '#' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(columns: &[&str]) -> TableHeader {
        let columns = columns.iter().map(|text| ColumnHeader { text: (*text).to_owned(), read_as: None }).collect();
        TableHeader { feed: "f".into(), table: String::new(), columns }
    }

    fn drift(old: &[&str], new: &[&str]) -> Drift {
        differences(&header(old), &header(new), "old.csv")
    }

    #[test]
    fn a_later_year_is_no_other_header() {
        assert!(drift(&["地区", "2021年债务限额"], &["地区", "2022年债务限额"]).is_empty());
    }

    #[test]
    fn columns_that_went_came_moved_and_were_renamed_are_told_apart() {
        let found = drift(&["地区", "PM2.5", "CO", "O3", "备注"], &["地区", "CO", "PM2.5", "臭氧", "AQI", "备注"]);
        assert_eq!(found.renamed, [("O3".to_owned(), "臭氧".to_owned())]);
        assert_eq!(found.new, ["AQI"]);
        assert_eq!(found.moved.len(), 1, "{found:?}");
        assert!(found.gone.is_empty());
        assert_eq!(drift(&["a", "b", "c"], &["a", "c"]).gone, ["b"]);
        assert_eq!(drift(&["a", "b"], &["a", "b", "c"]).new, ["c"]);
    }

    #[test]
    fn titles_of_other_years_and_places_name_the_same_table() {
        let one = table_name("2022年攀枝花市地方政府债务限额及余额决算情况表");
        assert_eq!(one, table_name("2019年米易县地方政府债务限额及余额决算情况表"));
        assert_ne!(one, table_name("2022年攀枝花市地方政府专项债务表"));
    }
}
