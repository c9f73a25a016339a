//! Records cut out of plain text: prose, printed tables, and the text layer of a PDF.
//!
//! Patterns run over a line, a page, a block or the whole text. Each match is one row of a grid whose header is the names of the
//! patterns' groups; every cell keeps the line and the position of its text. Lines that have to be part of a record
//! and are not are rows with a fault, so that nothing is lost.

use std::collections::BTreeMap;
use std::ops::Range;

use regex::Regex;

use crate::feed::{TextRule, TextScope};
use crate::reader::{Cell, CellKind, Grid, Row, RowFault};

/// A stretch of the text: one string, and where each of its lines comes from.
struct Stretch {
    text: String,
    /// Byte at which a line begins in `text`, and the cell that it is.
    lines: Vec<(usize, Cell)>,
}

impl Stretch {
    fn of(grid: &Grid, rows: &[Row]) -> Self {
        let (mut text, mut lines) = (String::new(), Vec::new());
        for row in rows {
            for cell in grid.cells_of(row) {
                lines.push((text.len(), cell.clone()));
                text.push_str(&cell.text);
            }
            text.push('\n');
        }
        Self { text, lines }
    }

    /// Line and position of a byte.
    fn place(&self, at: usize) -> (u32, u32) {
        let index = self.lines.partition_point(|(begin, _)| *begin <= at).saturating_sub(1);
        let Some((begin, cell)) = self.lines.get(index) else { return (1, 1) };
        let before = self.text.get(*begin..at).map_or(0, |text| text.chars().count());
        (cell.row, cell.start + before as u32)
    }
}

/// The grids that a rule cuts out of a text, one for each of its pages, blocks, or the text as a whole.
pub(super) fn derive(rule: &TextRule, grid: &Grid) -> Vec<Grid> {
    pieces(rule, grid)
        .into_iter()
        .map(|rows| Stretch::of(grid, &grid.rows[rows]))
        .filter(|stretch| rule.title.as_ref().is_none_or(|title| title.is_match(&stretch.text)))
        .map(|stretch| cut(rule, grid, &stretch))
        .filter(|grid| grid.rows.len() > 1)
        .collect()
}

/// The rows of each piece of the text.
fn pieces(rule: &TextRule, grid: &Grid) -> Vec<Range<usize>> {
    let end = grid.rows.len();
    match (rule.scope, &rule.from) {
        (TextScope::Page, _) => {
            let bounds: Vec<usize> = [0].into_iter().chain(grid.pages.iter().copied()).chain([end]).collect();
            bounds.windows(2).map(|pair| pair[0]..pair[1]).filter(|rows| !rows.is_empty()).collect()
        }
        (TextScope::Block, Some(from)) => {
            let is_match = |pattern: &Regex, row: usize| {
                grid.cells_of(&grid.rows[row]).iter().any(|cell| pattern.is_match(cell.text.trim()))
            };
            let mut blocks = Vec::new();
            let mut at = 0;
            while let Some(first) = (at..end).find(|row| is_match(from, *row)) {
                let to = rule.to.as_ref();
                let last = to.and_then(|to| (first + 1..end).find(|row| is_match(to, *row))).unwrap_or(end);
                blocks.push(first..last);
                at = last.max(first + 1);
            }
            blocks
        }
        (TextScope::Line | TextScope::File | TextScope::Block, _) => std::iter::once(0..end).collect(),
    }
}

/// A match and the pattern that it is of.
struct Match<'a> {
    span: Range<usize>,
    cells: Vec<(&'a str, Range<usize>)>,
}

fn cut(rule: &TextRule, source: &Grid, stretch: &Stretch) -> Grid {
    let names: Vec<&str> = {
        let mut names: Vec<&str> = Vec::new();
        for name in rule.records.iter().flat_map(|record| record.capture_names().flatten()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    };
    let column = |name: &str| names.iter().position(|known| *known == name).map_or(0, |index| index as u32 + 1);
    let mut rows: BTreeMap<usize, (Vec<Cell>, Option<RowFault>)> = BTreeMap::new();
    let matches = match rule.scope {
        TextScope::Line => by_line(rule, stretch),
        TextScope::Page | TextScope::Block | TextScope::File => over(rule, &stretch.text, 0),
    };
    for found in &matches {
        let cells = found.cells.iter().map(|(name, span)| {
            let (row, start) = stretch.place(span.start);
            let text = &stretch.text[span.clone()];
            Cell { row, column: column(name), start, text: text.into(), kind: CellKind::Text, is_formula: false }
        });
        let mut cells: Vec<Cell> = cells.collect();
        cells.sort_by_key(|cell| cell.column);
        rows.insert(found.span.start, (cells, None));
    }
    if let Some(must) = &rule.must {
        for (begin, cell) in &stretch.lines {
            let line = *begin..*begin + cell.text.len();
            let is_read = matches.iter().any(|found| found.span.start < line.end && line.start < found.span.end);
            if !is_read && must.is_match(&cell.text) {
                rows.insert(*begin, (vec![Cell { column: 1, ..cell.clone() }], Some(RowFault::NoPattern)));
            }
        }
    }
    let mut grid = Grid { sheet: None, ..source.emptied() };
    let header = names.iter().enumerate().map(|(index, name)| Cell {
        row: 0,
        column: index as u32 + 1,
        start: index as u32 + 1,
        text: (*name).into(),
        kind: CellKind::Text,
        is_formula: false,
    });
    grid.cells.extend(header);
    grid.rows.push(Row { number: 0, cells: 0..names.len(), field_count: None, is_hidden: false, fault: None });
    for (begin, (cells, fault)) in rows {
        let first = grid.cells.len();
        grid.cells.extend(cells);
        let number = stretch.place(begin).0;
        let cells = first..grid.cells.len();
        grid.rows.push(Row { number, cells, field_count: None, is_hidden: false, fault });
    }
    grid.preface = stretch.lines.iter().map(|(_, cell)| cell.clone()).collect();
    grid
}

fn by_line<'a>(rule: &'a TextRule, stretch: &Stretch) -> Vec<Match<'a>> {
    let lines = stretch.lines.iter();
    lines.flat_map(|(begin, cell)| over(rule, &stretch.text[*begin..*begin + cell.text.len()], *begin)).collect()
}

/// The records of a text that do not overlap: the pattern declared first holds.
fn over<'a>(rule: &'a TextRule, text: &str, offset: usize) -> Vec<Match<'a>> {
    let mut found: Vec<Match<'a>> = Vec::new();
    for record in &rule.records {
        let names: Vec<&str> = record.capture_names().flatten().collect();
        for captures in record.captures_iter(text) {
            let Some(whole) = captures.get(0).filter(|whole| !whole.is_empty()) else { continue };
            let span = offset + whole.start()..offset + whole.end();
            if found.iter().any(|other| other.span.start < span.end && span.start < other.span.end) {
                continue;
            }
            let cell = |name: &&'a str| Some((*name, captures.name(name)?.range()));
            let cells = names.iter().filter_map(cell);
            let cells = cells.map(|(name, range)| (name, offset + range.start..offset + range.end)).collect();
            found.push(Match { span, cells });
        }
    }
    found.sort_by_key(|found| found.span.start);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[&str]) -> Grid {
        let mut grid = Grid::of_lines(lines.iter().copied());
        grid.pages =
            lines.iter().enumerate().filter(|(_, line)| line.starts_with("page")).map(|(row, _)| row).collect();
        grid
    }

    fn rule(scope: TextScope, patterns: &[&str]) -> TextRule {
        let pattern = |text: &str| Regex::new(text).expect("a pattern");
        TextRule {
            scope,
            title: None,
            from: None,
            to: None,
            must: Some(pattern(r"\d")),
            records: patterns.iter().map(|text| pattern(text)).collect(),
        }
    }

    fn cells(grid: &Grid) -> Vec<Vec<(u32, u32, String)>> {
        let of =
            |row: &Row| grid.cells_of(row).iter().map(|cell| (cell.row, cell.start, cell.text.to_string())).collect();
        grid.rows.iter().skip(1).map(of).collect()
    }

    #[test]
    fn lines_become_rows_whose_cells_keep_their_place_and_none_gets_lost() {
        let grid = text(&["全省债务", "攀枝花市 203 190", "合计 x 1"]);
        let rule = rule(TextScope::Line, &[r"^(?P<region>\S+市)\s+(?P<limit>\d+)\s+(?P<balance>\d+)$"]);
        let derived = derive(&rule, &grid).remove(0);
        let told = cells(&derived);
        let place = |row, start, text: &str| (row, start, text.to_owned());
        assert_eq!(told[0], [place(2, 1, "攀枝花市"), place(2, 6, "203"), place(2, 10, "190")]);
        assert_eq!(derived.rows[2].fault, Some(RowFault::NoPattern));
        assert_eq!(told[1], [place(3, 1, "合计 x 1")]);
    }

    #[test]
    fn a_record_may_run_over_lines_and_the_pattern_declared_first_holds() {
        let grid = text(&["2010101", "行政", "运行", "1.50", "page 2", "2010102", "2.00"]);
        let long = r"(?P<code>\d{7})\n(?P<name>[^\d\n]+(?:\n[^\d\n]+)*)\n(?P<total>\d+\.\d\d)";
        let derived =
            derive(&rule(TextScope::File, &[long, r"(?P<code>\d{7})\n(?P<total>\d+\.\d\d)"]), &grid).remove(0);
        let told = cells(&derived);
        assert_eq!(told[0][1], (2, 1, "行政\n运行".to_owned()));
        assert_eq!(told[0][2], (4, 1, "1.50".to_owned()));
        assert_eq!(told[1].len(), 1, "the line of the page itself is no record: {told:?}");
        assert_eq!(told[2][0], (6, 1, "2010102".to_owned()));
    }
}
