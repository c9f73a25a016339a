//! Personal data in a department's file, found before a row of it is kept.
//!
//! Everything that the file holds is searched: every cell of every sheet, shown or hidden, headers, names of sheets and of
//! the file, comments, text boxes, cached copies of tables and document properties. Numbers count by their own check
//! characters first and by the words above and before them second; names count by their column's role.
//!
//! A finding says kind, place and count, and never holds or shows the value, not even masked: the address leads to it.
//!
//! Two severities. [`Severity::Block`] keeps the file's rows out of every public release, and nobody can wave it through:
//! the file is mended, or the dataset gets another audience. [`Severity::Warn`] is for what may be public, or may be something
//! else.
//!
//! Source of the rules: `domain/04-poverty.md` 4.6 and decisions 26, 27 and 29. Typed numeric cells and columns that a feed
//! reads as figures are not searched for patterns, unless their header names an identity, account or mobile number.

mod container;
mod detect;
mod number;
mod role;
mod run;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Limits;
use crate::feed::Feeds;
use crate::reader::{Document, Format, Grid};
use crate::shape::Recognition;

/// Addresses that one finding names; the rest is counted.
const ADDRESSES: usize = 20;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Identity number (居民身份证号).
    Identity,
    /// Bank account or card number (银行账号).
    Account,
    /// Mobile number (手机号).
    Mobile,
    /// One of these that lost digits when a spreadsheet took it for a figure: `1.10105E+17`.
    DamagedNumber,
    /// Landline (固定电话).
    Landline,
    /// Name of a person (姓名).
    Name,
    /// Day of birth beside names (出生日期).
    Birth,
    /// Where a household lives (住址).
    Address,
    /// Illness, disability or cause of poverty of a person (健康状况).
    Health,
    /// E-mail address.
    Mail,
    /// Passport, permit, vehicle plate or messenger account (其他证件).
    Other,
    /// A part of the file that could not be searched.
    NotSearched,
}

impl Kind {
    /// What it is called in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity number",
            Self::Account => "bank account",
            Self::Mobile => "mobile number",
            Self::DamagedNumber => "damaged personal number",
            Self::Landline => "landline",
            Self::Name => "name of a person",
            Self::Birth => "day of birth",
            Self::Address => "home address",
            Self::Health => "health of a person",
            Self::Mail => "e-mail address",
            Self::Other => "personal document or account",
            Self::NotSearched => "part that cannot be searched",
        }
    }
}

/// What follows from a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file gives no rows to a public release.
    Block,
    /// It is told, and stops nothing.
    Warn,
}

/// Where in a file something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum Part {
    /// In cells of the table; the sheet's name, none for text files.
    Cells(Option<String>),
    /// In the name of a sheet, counted from 1.
    SheetName(usize),
    /// In the name of the file.
    FileName,
    /// In a comment of a cell.
    Comment,
    /// In the document's properties.
    Property,
    /// In another part of the container, such as a text box or a cached copy of a table.
    Other(String),
}

/// Personal data of one kind in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was found.
    pub kind: Kind,
    /// What follows.
    pub severity: Severity,
    /// Where.
    pub part: Part,
    /// Header of the column, where a header told what stands below it.
    pub column: Option<String>,
    /// Addresses of the first ones: `D10` in a sheet, `line:column` in a text file.
    pub addresses: Vec<String>,
    /// How many there are.
    pub count: u64,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind.name())?;
        match &self.part {
            Part::Cells(Some(sheet)) => write!(f, " in sheet {sheet}")?,
            Part::Cells(None) => {}
            Part::SheetName(number) => write!(f, " in the name of sheet {number}")?,
            Part::FileName => write!(f, " in the name of the file")?,
            Part::Comment => write!(f, " in a comment")?,
            Part::Property => write!(f, " in the document's properties")?,
            Part::Other(part) => write!(f, " in {part}")?,
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        if let Some(first) = self.addresses.first() {
            write!(f, ", at {first}")?;
        }
        if self.count > 1 { write!(f, " and {} more", self.count - 1) } else { Ok(()) }
    }
}

/// Columns, by index of the grid and ordinal, that are searched less because a declaration says what they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Columns that a feed reads as figures.
    pub figures: BTreeSet<(usize, u32)>,
    /// Columns whose names of persons are public: officials by their post.
    pub names: BTreeSet<(usize, u32)>,
}

impl Declared {
    /// What the feeds that claim a document's grids say of its columns.
    pub fn of(document: &Document, recognition: &Recognition, feeds: &Feeds) -> Self {
        let mut declared = Self::default();
        for (index, (grid, judged)) in document.grids.iter().zip(&recognition.grids).enumerate() {
            // Lines of prose hold figures and everything else.
            if grid.is_text() && !matches!(document.format, Format::Csv | Format::Json) {
                continue;
            }
            for claim in judged.claim.iter().chain(&judged.shared) {
                let Some(feed) = feeds.get(&claim.feed) else { continue };
                let is_label = |read_as: &str| feed.labels.iter().any(|label| label.role == read_as);
                let is_figure = |read_as: Option<&str>| read_as.is_some_and(|read_as| !is_label(read_as));
                let figures = claim.columns.iter().filter(|column| is_figure(column.read_as.as_deref()));
                declared.figures.extend(figures.filter_map(|header| Some((index, column_at(grid, &header.address)?))));
            }
        }
        declared
    }
}

/// The ordinal of the column that a header's address names.
fn column_at(grid: &Grid, address: &str) -> Option<u32> {
    if let Some((line, start)) = address.split_once(':') {
        let (line, start): (u32, u32) = (line.parse().ok()?, start.parse().ok()?);
        let row =
            grid.rows.iter().find(|row| row.number <= line && grid.cells_of(row).iter().any(|c| c.row == line))?;
        return grid.cells_of(row).iter().find(|cell| (cell.row, cell.start) == (line, start)).map(|cell| cell.column);
    }
    let letters = address.bytes().take_while(u8::is_ascii_uppercase);
    Some(letters.fold(0, |column, letter| column * 26 + u32::from(letter - b'A') + 1)).filter(|column| *column > 0)
}

/// Searches a file. `bytes` are those that `document` was read from.
pub fn scan(document: &Document, bytes: &[u8], declared: &Declared, limits: &Limits) -> Vec<Finding> {
    let mut found = Found::default();
    let name = document.path.rsplit('/').next().unwrap_or_default();
    // A dot and what follows are the format's; they would make a number part of a longer one.
    found.text(name.rsplit_once('.').map_or(name, |(stem, _)| stem), &Part::FileName, None);
    for (index, grid) in document.grids.iter().enumerate() {
        let is_hit = grid.sheet.as_deref().is_some_and(|sheet| found.text(sheet, &Part::SheetName(index + 1), None));
        // A sheet whose name is the finding is told by its number.
        let sheet = if is_hit { Some(format!("number {}", index + 1)) } else { grid.sheet.clone() };
        table::scan_grid(grid, index, &Part::Cells(sheet), declared, &mut found);
    }
    container::scan_container(bytes, limits, &mut found);
    found.findings()
}

/// Whether findings keep a file out of public releases.
pub fn is_blocking(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Block)
}

/// What makes two hits one finding.
type Group = (Severity, Kind, Part, Option<String>);

/// Findings while they are gathered: addresses and count of each group.
#[derive(Debug, Default)]
struct Found {
    entries: BTreeMap<Group, (Vec<String>, u64)>,
}

impl Found {
    fn add(&mut self, (kind, severity): detect::Hit, part: &Part, column: Option<&str>, address: Option<String>) {
        let key = (severity, kind, part.clone(), column.map(str::to_owned));
        let (addresses, count) = self.entries.entry(key).or_default();
        *count += 1;
        if addresses.len() < ADDRESSES {
            addresses.extend(address);
        }
    }

    /// Searches a text that stands outside of tables; whether it holds anything.
    fn text(&mut self, text: &str, part: &Part, address: Option<&str>) -> bool {
        let hits = detect::detect(text, detect::Written::Text, role::Hints::default());
        for hit in &hits {
            self.add(*hit, part, None, address.map(str::to_owned));
        }
        !hits.is_empty()
    }

    fn findings(self) -> Vec<Finding> {
        let finding = |((severity, kind, part, column), (addresses, count))| Finding {
            kind,
            severity,
            part,
            column,
            addresses,
            count,
        };
        self.entries.into_iter().map(finding).collect()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
