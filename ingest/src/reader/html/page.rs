//! A page's tokens to its tables and its lines of text.
//!
//! The rules of the HTML standard that decide where a cell, a row or a paragraph ends when its end tag is
//! missing or stands in the wrong place are kept; what they say of anything else is not needed here.

use super::flow::Flow;
use super::table::{Span, Table};
use super::tokens::{Sink, StartTag};
use crate::Limits;
use crate::reader::places::Places;
use crate::reader::{Cell, CellKind, Grid, PREFACE_LINES, ReadError, Row, Visibility};

/// Elements without content.
const VOID: [&str; 18] = [
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link",
    "meta", "param", "source", "track", "wbr",
];

/// Elements that run within a line; all others begin and end one.
const INLINE: [&str; 42] = [
    "a",
    "abbr",
    "acronym",
    "b",
    "bdi",
    "bdo",
    "big",
    "cite",
    "code",
    "data",
    "del",
    "dfn",
    "em",
    "font",
    "i",
    "ins",
    "kbd",
    "label",
    "mark",
    "nobr",
    "o:p",
    "output",
    "q",
    "rb",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "script",
    "small",
    "span",
    "st1:chmetcnv",
    "strike",
    "strong",
    "style",
    "sub",
    "sup",
    "time",
    "tt",
    "u",
    "var",
];

/// What an open element means for tables and lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Table,
    Group,
    Row,
    Cell,
    Caption,
    Paragraph,
    Item,
    List,
    Preformatted,
    Inline,
    Block,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "table" => Self::Table,
            "tbody" | "thead" | "tfoot" => Self::Group,
            "tr" => Self::Row,
            "td" | "th" => Self::Cell,
            "caption" => Self::Caption,
            "p" => Self::Paragraph,
            "li" | "dd" | "dt" | "option" => Self::Item,
            "ul" | "ol" | "dl" | "menu" | "select" => Self::List,
            "pre" | "xmp" | "plaintext" => Self::Preformatted,
            name if INLINE.contains(&name) => Self::Inline,
            _ => Self::Block,
        }
    }

    fn is_table_part(self) -> bool {
        matches!(self, Self::Table | Self::Group | Self::Row | Self::Cell | Self::Caption)
    }

    /// Whether a search for an open element that is no part of a table ends here.
    fn is_scope(self) -> bool {
        matches!(self, Self::Table | Self::Cell | Self::Caption)
    }
}

/// Where a line of text belongs.
#[derive(Clone, Copy)]
enum LineOf {
    Page,
    /// To the page, and to the table that it names.
    Caption,
}

struct Open {
    name: String,
    kind: Kind,
}

/// What a page is while it is read.
pub(super) struct Page<'a> {
    text: &'a str,
    places: Places,
    limits: &'a Limits,
    open: Vec<Open>,
    /// Tables that are open, the innermost last, with their number.
    tables: Vec<(usize, Table)>,
    table_count: usize,
    done: Vec<(usize, Grid)>,
    /// Cells that spans cover, and cells and lines that are kept.
    area: usize,
    kept: usize,
    line: Flow,
    lines: Grid,
    /// First line since the last table began or ended.
    recent: usize,
}

impl<'a> Page<'a> {
    pub fn new(text: &'a str, limits: &'a Limits) -> Self {
        Self {
            text,
            places: Places::new(text),
            limits,
            open: Vec::new(),
            tables: Vec::new(),
            table_count: 0,
            done: Vec::new(),
            area: 0,
            kept: 0,
            line: Flow::default(),
            lines: Grid::new(None, Visibility::Visible),
            recent: 0,
        }
    }

    /// The tables in their order, those without text left out, then the lines.
    pub fn into_grids(mut self) -> Result<Vec<Grid>, ReadError> {
        self.pop_to(0)?;
        self.end_line()?;
        self.done.sort_by_key(|(number, _)| *number);
        let tables = self.done.into_iter().map(|(_, grid)| grid).filter(|grid| !grid.cells.is_empty());
        Ok(tables.chain([self.lines]).collect())
    }

    /// Index of the innermost open element for which `wanted` holds, up to and with one for which `ends` holds.
    fn innermost(&self, wanted: impl Fn(&Open) -> bool, ends: impl Fn(&Open) -> bool) -> Option<usize> {
        for (index, open) in self.open.iter().enumerate().rev() {
            if wanted(open) {
                return Some(index);
            }
            if ends(open) {
                return None;
            }
        }
        None
    }

    /// The innermost element of a table, but for cells of which nothing is open.
    fn table_context(&self) -> Option<usize> {
        self.innermost(|open| open.kind.is_table_part(), |_| false)
    }

    /// Closes all elements from an index on.
    fn pop_to(&mut self, index: usize) -> Result<(), ReadError> {
        while self.open.len() > index {
            let Some(open) = self.open.pop() else { break };
            match open.kind {
                Kind::Inline => {}
                Kind::Caption => self.keep_line(LineOf::Caption)?,
                _ => self.end_line()?,
            }
            match (open.kind, self.tables.last_mut()) {
                (Kind::Cell, Some((_, table))) => {
                    let before = table.len();
                    table.end_cell(self.limits)?;
                    self.kept += table.len() - before;
                }
                (Kind::Row, Some((_, table))) => table.end_row(),
                (Kind::Group, Some((_, table))) => table.end_group(),
                (Kind::Table, Some(_)) => {
                    self.end_table();
                    self.recent = self.lines.rows.len();
                    self.cell_blank();
                }
                (Kind::Paragraph | Kind::Item | Kind::Block | Kind::Preformatted, _) => self.cell_blank(),
                _ => {}
            }
        }
        Ok(())
    }

    fn end_table(&mut self) {
        let Some((number, table)) = self.tables.pop() else { return };
        let holder = self.tables.last_mut().and_then(|(_, holder)| holder.flow());
        match (table.only_text(), holder) {
            (Some(text), Some(flow)) => {
                flow.blank();
                flow.push_plain(text);
            }
            _ => self.done.push((number, table.into_grid())),
        }
    }

    /// Closes what stands open above the innermost element for which `stays` holds.
    fn pop_above(&mut self, stays: impl Fn(Kind) -> bool) -> Result<(), ReadError> {
        match self.innermost(|open| stays(open.kind), |_| false) {
            Some(index) => self.pop_to(index + 1),
            None => Ok(()),
        }
    }

    fn push(&mut self, name: &str, kind: Kind) -> Result<(), ReadError> {
        self.open.push(Open { name: name.to_owned(), kind });
        self.bound("levels of open elements", self.open.len(), self.limits.html_depth)
    }

    fn start_table(&mut self, tag: &StartTag) -> Result<(), ReadError> {
        if let Some(index) = self.table_context()
            && matches!(self.open[index].kind, Kind::Table | Kind::Group | Kind::Row)
        {
            // A table between rows ends the one it stands in.
            let table = self.innermost(|open| open.kind == Kind::Table, |_| false).unwrap_or(index);
            self.pop_to(table)?;
        }
        self.end_paragraph()?;
        self.end_line()?;
        self.table_count += 1;
        self.bound("tables", self.table_count, self.limits.html_tables)?;
        let lines = &self.lines.cells[self.recent..];
        let preface = lines[lines.len().saturating_sub(PREFACE_LINES)..].to_vec();
        self.recent = self.lines.rows.len();
        self.tables.push((self.table_count, Table::new(self.table_count, preface)));
        self.push(&tag.name, Kind::Table)
    }

    fn start_row(&mut self, name: &str) -> Result<(), ReadError> {
        if let Some((_, table)) = self.tables.last_mut() {
            table.start_row();
        }
        self.push(name, Kind::Row)
    }

    fn start_cell(&mut self, tag: &StartTag) -> Result<(), ReadError> {
        self.pop_above(|kind| matches!(kind, Kind::Row | Kind::Group | Kind::Table))?;
        if self.open.last().is_some_and(|open| open.kind != Kind::Row) {
            self.start_row("tr")?;
        }
        let span = Span::parse(tag.colspan.as_deref(), tag.rowspan.as_deref(), self.limits)?;
        self.area += span.area();
        self.bound("cells that the tables span", self.area, self.limits.cells)?;
        if let Some((_, table)) = self.tables.last_mut() {
            table.start_cell(span, self.limits)?;
        }
        self.push(&tag.name, Kind::Cell)
    }

    fn end_paragraph(&mut self) -> Result<(), ReadError> {
        match self.innermost(|open| open.kind == Kind::Paragraph, |open| open.kind.is_scope()) {
            Some(index) => self.pop_to(index),
            None => Ok(()),
        }
    }

    fn cell_blank(&mut self) {
        if let Some(flow) = self.tables.last_mut().and_then(|(_, table)| table.flow()) {
            flow.blank();
        }
    }

    /// Ends the line of text, where there is one.
    fn end_line(&mut self) -> Result<(), ReadError> {
        let is_caption = |open: &Open| open.kind == Kind::Caption;
        match self.innermost(is_caption, |open| open.kind.is_scope()) {
            Some(_) => self.keep_line(LineOf::Caption),
            None => self.keep_line(LineOf::Page),
        }
    }

    fn keep_line(&mut self, line_of: LineOf) -> Result<(), ReadError> {
        let Some(cell) = self.take_line() else { return Ok(()) };
        self.kept += 1;
        self.bound("cells and lines", self.kept, self.limits.cells)?;
        if let (LineOf::Caption, Some((_, table))) = (line_of, self.tables.last_mut()) {
            table.caption(cell.clone());
        }
        let first = self.lines.cells.len();
        let (number, cells) = (cell.row, first..first + 1);
        self.lines.rows.push(Row { number, cells, field_count: Some(1), is_hidden: false, fault: None });
        self.lines.cells.push(cell);
        Ok(())
    }

    fn take_line(&mut self) -> Option<Cell> {
        let (text, start) = self.line.take()?;
        let (row, start) = self.places.at(self.text, start);
        Some(Cell { row, column: 1, start, text: text.into(), kind: CellKind::Text, is_formula: false })
    }

    fn bound(&self, what: &str, found: usize, limit: usize) -> Result<(), ReadError> {
        if found > limit {
            return Err(ReadError::TooLarge { what: what.into(), found: found as u64, limit: limit as u64 });
        }
        Ok(())
    }

    fn is_preformatted(&self) -> bool {
        self.open.iter().any(|open| open.kind == Kind::Preformatted)
    }
}

impl Sink for Page<'_> {
    fn start(&mut self, _at: usize, tag: &StartTag) -> Result<(), ReadError> {
        let name = tag.name.as_str();
        if VOID.contains(&name) {
            if matches!(name, "br" | "hr") {
                self.end_line()?;
                self.cell_blank();
            }
            return Ok(());
        }
        let kind = Kind::of(name);
        let is_in_table = !self.tables.is_empty();
        match kind {
            Kind::Inline => return self.push(name, kind),
            Kind::Table => return self.start_table(tag),
            Kind::Group | Kind::Caption if is_in_table => {
                self.pop_above(|kind| kind == Kind::Table)?;
            }
            Kind::Row if is_in_table => {
                self.pop_above(|kind| matches!(kind, Kind::Group | Kind::Table))?;
                self.end_line()?;
                return self.start_row(name);
            }
            Kind::Cell if is_in_table => {
                self.end_line()?;
                return self.start_cell(tag);
            }
            Kind::Item => {
                let open = self
                    .innermost(|open| open.kind == Kind::Item, |open| open.kind.is_scope() || open.kind == Kind::List);
                if let Some(index) = open {
                    self.pop_to(index)?;
                }
            }
            _ => {}
        }
        self.end_paragraph()?;
        self.end_line()?;
        self.cell_blank();
        // A part of a table outside every table is a block like any other.
        self.push(name, if kind.is_table_part() && !is_in_table { Kind::Block } else { kind })
    }

    fn end(&mut self, _at: usize, name: &str) -> Result<(), ReadError> {
        let kind = Kind::of(name);
        let found = match kind {
            Kind::Table => self.innermost(|open| open.kind == Kind::Table, |_| false),
            kind if kind.is_table_part() => self.innermost(|open| open.name == name, |open| open.kind == Kind::Table),
            _ => self.innermost(|open| open.name == name, |open| open.kind.is_scope()),
        };
        if let Some(index) = found {
            return self.pop_to(index);
        }
        // `</p>` and `</br>` of nothing are a paragraph and a line break all the same.
        if matches!(name, "p" | "br") {
            self.end_line()?;
            self.cell_blank();
        }
        Ok(())
    }

    fn text(&mut self, at: usize, raw: &str) -> Result<(), ReadError> {
        if let Some((_, table)) = self.tables.last_mut()
            && let Some(flow) = table.flow()
        {
            flow.push(at, raw);
        }
        let mut at = at;
        let is_preformatted = self.is_preformatted();
        for piece in raw.split_inclusive(|sign| is_preformatted && sign == '\n') {
            self.line.push(at, piece);
            at += piece.len();
            if is_preformatted && piece.ends_with('\n') {
                self.end_line()?;
            }
        }
        self.bound("bytes of one line", self.line.len(), self.limits.line_bytes)
    }
}
