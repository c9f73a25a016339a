//! Where tables seem to stand in a grid, without any feed.
//!
//! A guess for people and for drafts, never for reading: a feed says for itself where its table is. The body begins at
//! the first row with a figure; the rows of text right above it are the header; texts above that are title and unit.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::reader::{Cell, CellKind, Grid, Row};
use crate::shape::{HeaderColumn, is_number, on_one_line, read_header, without_blanks};

/// Rows of a body that are looked at to tell figures from labels.
const LOOKED_AT: usize = 200;
/// Rows of a body that are shown.
const SHOWN: usize = 3;
/// Most rows of a header.
const DEEPEST: usize = 5;
/// Rows without cells after which a table has ended.
const GAP: u32 = 3;
/// Texts that stand for no value.
pub(crate) const MISSING: [&str; 8] = ["-", "--", "—", "－", "/", "*", "NA", "N/A"];

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextAt {
    /// Address of its cell.
    pub address: String,
    /// The text on one line.
    pub text: String,
}

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// Texts, codes, dates, years: what a record is about.
    Labels,
    /// Figures.
    Figures,
    /// Nothing in the rows that were looked at.
    Nothing,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundColumn {
    /// Column of the sheet, or number of the field.
    pub column: u32,
    /// Address of the header's lowest cell.
    pub address: String,
    /// Levels of the header joined by `/`, as printed.
    pub header: String,
    /// The same without blanks: what a feed's patterns are matched against.
    pub compared: String,
    /// What it holds.
    pub holds: Holds,
    /// Whether the sheet hides it.
    pub is_hidden: bool,
}

/// A table as it seems to stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundTable {
    /// First and last row of the header; none where figures begin without one.
    pub header_rows: Option<(u32, u32)>,
    /// Title as printed.
    pub title: Option<TextAt>,
    /// Unit line as printed.
    pub unit: Option<TextAt>,
    /// Columns of the header.
    pub columns: Vec<FoundColumn>,
    /// Row that numbers the columns, where there is one.
    pub column_numbers: Option<u32>,
    /// First and last row of the body.
    pub body_rows: (u32, u32),
    /// Rows of the body that hold something.
    pub records: usize,
    /// The first rows of the body, cell by cell.
    pub first_rows: Vec<Vec<TextAt>>,
    /// Notes below the body.
    pub notes: Vec<TextAt>,
    /// Visible rows above the header.
    #[serde(skip)]
    pub(crate) rows_above: usize,
    /// Where the body is in the grid's rows.
    #[serde(skip)]
    pub(crate) body: (usize, usize),
}

struct Facts {
    filled: usize,
    numbers: usize,
    years: usize,
    is_note: bool,
    is_caption: bool,
    is_column_numbers: bool,
}

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static NOTE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"^(注\d*[：:.、．]|说明[：:]|备注[：:]|资料来源|数据来源|填报|制表|审核|Notes?[：:]|Source[：:])")
});
static UNIT: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(计量)?单位[：:]"));

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

pub(crate) fn is_figure(grid: &Grid, cell: &Cell) -> bool {
    match cell.kind {
        CellKind::Number => true,
        CellKind::Text => (grid.is_text() || cell.text.len() < 24) && is_number(&cell.text),
        _ => false,
    }
}

fn is_year(text: &str) -> bool {
    text.trim().parse::<u16>().is_ok_and(|year| (1949..=2100).contains(&year))
}

fn shown<'a>(grid: &'a Grid, row: &'a Row) -> impl Iterator<Item = &'a Cell> {
    grid.cells_of(row)
        .iter()
        .filter(|cell| !grid.hidden_columns.contains(&cell.column) && !without_blanks(&cell.text).is_empty())
}

fn facts(grid: &Grid, row: &Row) -> Facts {
    let cells: Vec<&Cell> = shown(grid, row).collect();
    let figures: Vec<&&Cell> = cells.iter().filter(|cell| is_figure(grid, cell)).collect();
    let first = cells.first().map(|cell| without_blanks(&cell.text)).unwrap_or_default();
    let counted = figures.iter().enumerate().all(|(index, cell)| cell.text.trim() == (index + 1).to_string());
    Facts {
        filled: cells.len(),
        numbers: figures.len(),
        years: figures.iter().filter(|cell| is_year(&cell.text)).count(),
        is_note: matches(&NOTE, &first),
        is_caption: cells.len() <= 3 && cells.iter().any(|cell| matches(&UNIT, &without_blanks(&cell.text))),
        is_column_numbers: first == "栏次" || (figures.len() >= 3 && counted && cells.len() <= figures.len() + 1),
    }
}

/// The tables of a grid, from the top.
pub fn outline(grid: &Grid) -> Vec<FoundTable> {
    let rows: Vec<usize> = (0..grid.rows.len()).filter(|index| !grid.rows[*index].is_hidden).collect();
    let facts: Vec<Facts> = rows.iter().map(|index| facts(grid, &grid.rows[*index])).collect();
    let mut tables = Vec::new();
    let mut start = 0;
    while let Some((table, next)) = next_table(grid, &rows, &facts, start) {
        tables.push(table);
        start = next;
    }
    tables
}

/// The first table at or below a row, and the row after it.
fn next_table(grid: &Grid, rows: &[usize], facts: &[Facts], start: usize) -> Option<(FoundTable, usize)> {
    let is_header = |at: usize| {
        let row = &facts[at];
        row.filled >= 2 && row.numbers == row.years && !row.is_caption && !row.is_note
            || is_group(grid, rows, facts, at)
    };
    let is_body = |at: usize| {
        let row = &facts[at];
        let follows_header = at > start && facts[at - 1].numbers == 0 && facts[at - 1].filled * 5 >= row.filled * 3;
        !row.is_note
            && !row.is_caption
            && !row.is_column_numbers
            && row.filled >= 2
            && (row.numbers > row.years || (row.numbers > 0 && follows_header))
    };
    let figures = (start..rows.len()).find(|at| is_body(*at));
    // A list without figures: the first full row heads it.
    let first = figures.or_else(|| {
        let widest = facts[start..].iter().map(|row| row.filled).max().unwrap_or_default();
        let head = (start..rows.len()).find(|at| facts[*at].filled >= 2 && facts[*at].filled * 5 >= widest * 3)?;
        (head + 1 < rows.len()).then_some(head + 1)
    })?;
    let mut end_of_header = first;
    while end_of_header > start && facts[end_of_header - 1].is_column_numbers {
        end_of_header -= 1;
    }
    let column_numbers = (end_of_header < first).then(|| grid.rows[rows[end_of_header]].number);
    let mut top = end_of_header;
    while top > start && end_of_header - top < DEEPEST && is_header(top - 1) && adjoins(grid, rows, top - 1, top) {
        top -= 1;
    }
    let end = end_of_body(grid, rows, facts, (top, end_of_header), first);
    let headed = top < end_of_header;
    let (columns, last) = if headed {
        let (first_row, last_row) = (grid.rows[rows[top]].number, grid.rows[rows[end_of_header - 1]].number);
        let depth = if grid.is_text() { end_of_header - top } else { (last_row - first_row + 1) as usize };
        read_header(grid, rows[top], u32::try_from(depth).unwrap_or(1))
    } else {
        (Vec::new(), 0)
    };
    let body = (first, end);
    let captions: Vec<&Cell> = (start..top).flat_map(|at| shown(grid, &grid.rows[rows[at]])).collect();
    let unit = captions.iter().find(|cell| matches(&UNIT, &without_blanks(&cell.text)));
    let is_title =
        |cell: &&&Cell| without_blanks(&cell.text).chars().count() >= 4 && !matches(&UNIT, &without_blanks(&cell.text));
    let title = captions.iter().filter(is_title).max_by_key(|cell| {
        let text = without_blanks(&cell.text);
        (["表", "情况", "名单", "统计", "指数"].iter().any(|word| text.contains(word)), std::cmp::Reverse(cell.row))
    });
    let note_end = (end..rows.len()).find(|at| !facts[*at].is_note && facts[*at].filled != 1).unwrap_or(rows.len());
    let notes: Vec<TextAt> = (end..note_end)
        .filter(|at| facts[end].is_note || facts[*at].is_note)
        .flat_map(|at| shown(grid, &grid.rows[rows[at]]))
        .map(|cell| text_at(grid, cell))
        .collect();
    let next = if notes.is_empty() { end } else { note_end };
    let table = FoundTable {
        header_rows: headed.then(|| (grid.rows[rows[top]].number, last)),
        title: title.map(|cell| text_at(grid, cell)),
        unit: unit.map(|cell| text_at(grid, cell)),
        columns: columns.into_iter().map(|column| found_column(grid, rows, body, column)).collect(),
        column_numbers,
        body_rows: (grid.rows[rows[first]].number, grid.rows[rows[end - 1]].number),
        records: (first..end).filter(|at| facts[*at].filled > 0).count(),
        first_rows: (first..end)
            .take(SHOWN)
            .map(|at| shown(grid, &grid.rows[rows[at]]).map(|cell| text_at(grid, cell)).collect())
            .collect(),
        notes,
        rows_above: top,
        body: (rows[first], rows[end - 1]),
    };
    Some((table, next.max(first + 1)))
}

/// A cell alone in its row that is merged over several columns and not over all: a group of the header.
fn is_group(grid: &Grid, rows: &[usize], facts: &[Facts], at: usize) -> bool {
    if facts[at].filled != 1 || facts[at].is_caption {
        return false;
    }
    let row = &grid.rows[rows[at]];
    let Some(cell) = shown(grid, row).next() else { return false };
    let next = rows.get(at + 1).map(|index| shown(grid, &grid.rows[*index]).count()).unwrap_or_default();
    let merge = grid.merges.iter().find(|merge| merge.top == row.number && merge.left == cell.column);
    merge.is_some_and(|merge| merge.left > 1 && ((merge.right - merge.left + 1) as usize) < next)
}

fn adjoins(grid: &Grid, rows: &[usize], upper: usize, lower: usize) -> bool {
    grid.is_text() || grid.rows[rows[lower]].number - grid.rows[rows[upper]].number == 1
}

/// The row after the last of the body: notes, a gap, or the header printed again end it.
fn end_of_body(grid: &Grid, rows: &[usize], facts: &[Facts], header: (usize, usize), first: usize) -> usize {
    let texts = |at: usize| -> Vec<String> {
        shown(grid, &grid.rows[rows[at]]).map(|cell| without_blanks(&cell.text)).collect()
    };
    let head = (header.0 < header.1).then(|| texts(header.0));
    for at in first + 1..rows.len() {
        let gap = grid.rows[rows[at]].number.saturating_sub(grid.rows[rows[at - 1]].number);
        let is_gap = !grid.is_text() && gap > GAP && facts[at].numbers == 0;
        let is_header = facts[at].filled >= 2 && head.as_ref().is_some_and(|head| *head == texts(at));
        // A title and a unit line between two tables.
        let begins_next = facts[at].is_caption && facts[at].numbers == 0;
        if facts[at].is_note || is_gap || is_header || begins_next {
            return at;
        }
    }
    rows.len()
}

fn found_column(grid: &Grid, rows: &[usize], body: (usize, usize), column: HeaderColumn) -> FoundColumn {
    let (mut figures, mut texts, mut years) = (0, 0, 0);
    for at in (body.0..body.1).take(LOOKED_AT) {
        let Some(cell) = grid.cell(&grid.rows[rows[at]], column.column) else { continue };
        let text = cell.text.trim();
        if text.is_empty() || MISSING.contains(&text) {
            continue;
        }
        if is_figure(grid, cell) {
            figures += 1;
            years += u32::from(is_year(text));
        } else {
            texts += 1;
        }
    }
    let is_named_label = ["编码", "代码", "序号", "编号", "日期", "时间", "date", "code", "id"]
        .iter()
        .any(|word| column.compared.to_lowercase().ends_with(word));
    let is_year_column =
        years == figures && ["年", "年份", "年度", "year"].iter().any(|word| column.compared.ends_with(word));
    let is_hour = ["hour", "小时", "时次", "月"].iter().any(|word| column.compared.to_lowercase() == *word);
    let holds = if figures + texts == 0 {
        Holds::Nothing
    } else if figures <= texts || is_named_label || is_year_column || is_hour {
        Holds::Labels
    } else {
        Holds::Figures
    };
    FoundColumn {
        column: column.column,
        address: column.address,
        header: column.shown,
        compared: column.compared,
        holds,
        is_hidden: column.is_hidden,
    }
}

fn text_at(grid: &Grid, cell: &Cell) -> TextAt {
    TextAt { address: grid.address(cell.row, cell.start), text: on_one_line(&cell.text) }
}
