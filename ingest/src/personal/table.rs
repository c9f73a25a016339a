//! Personal data in the cells of one grid: numbers by themselves and by their header, names by their column.

use std::collections::BTreeMap;

use super::detect::{Hit, Written, detect, may_hold};
use super::role::{Hints, Role, looks_like_name, role_of};
use super::{Declared, Found, Kind, Part, Severity};
use crate::reader::{Cell, CellKind, Grid, Row};

/// Lines of a text file in which a header is sought: it holds one table, with the header at its top.
const TEXT_HEADER_LINES: usize = 30;

/// Columns that a merged header may give its role to; a title merged over a sheet is none.
const MERGED_HEADER_COLUMNS: u32 = 8;

/// Rows that one header has at most.
const HEADER_ROWS: u32 = 4;

/// What a column holds below a header that names persons.
#[derive(Debug)]
struct PersonColumn {
    role: Role,
    header: Option<String>,
    /// Address of each name or text, and whether a number of a person stands in its row.
    entries: Vec<(String, bool)>,
}

/// What the last header of a column says.
struct Header {
    role: Role,
    row: u32,
    /// As it is shown; none where it holds what must not be.
    shown: Option<String>,
}

struct Scan<'a> {
    grid: &'a Grid,
    part: &'a Part,
    /// Role and header of each column, as far as the rows read so far tell.
    roles: BTreeMap<u32, Header>,
    /// Merged ranges by the cell that holds their text.
    merges: BTreeMap<(u32, u32), u32>,
    persons: BTreeMap<(u32, Option<String>), PersonColumn>,
    has_birth_or_number: bool,
}

/// Searches every cell of a grid, hidden or not.
pub(super) fn scan_grid(grid: &Grid, index: usize, part: &Part, declared: &Declared, found: &mut Found) {
    let merges = grid.merges.iter().map(|merge| ((merge.top, merge.left), merge.right)).collect();
    let mut scan =
        Scan { grid, part, roles: BTreeMap::new(), merges, persons: BTreeMap::new(), has_birth_or_number: false };
    for cell in &grid.preface {
        found.text(&cell.text, part, Some(&Grid::preface_address(cell)));
    }
    for (ordinal, row) in grid.rows.iter().enumerate() {
        let may_be_header = !grid.is_text() || ordinal < TEXT_HEADER_LINES;
        scan.row(row, may_be_header, |column| declared.figures.contains(&(index, column)), found);
    }
    scan.persons(|column| declared.names.contains(&(index, column)), found);
}

impl Scan<'_> {
    fn row(&mut self, row: &Row, may_be_header: bool, is_figure: impl Fn(u32) -> bool, found: &mut Found) {
        let grid = self.grid;
        let cells = grid.cells_of(row);
        let mut has_number = false;
        for (at, cell) in cells.iter().enumerate() {
            // Most cells are figures of a few digits: nothing of them is looked at.
            if cell.text.len() < 2 || cell.kind == CellKind::Empty {
                continue;
            }
            let role = if may_be_header && cell.kind == CellKind::Text { role_of(&cell.text) } else { None };
            if let Some(role) = role {
                self.take_header(cell, role);
            }
            if !may_hold(&cell.text) {
                continue;
            }
            let written = match cell.kind {
                CellKind::Number => Written::Number,
                CellKind::Text if is_figure(cell.column) => Written::Figure,
                CellKind::Text => Written::Text,
                CellKind::Boolean | CellKind::Date | CellKind::Error | CellKind::Empty => continue,
            };
            if written == Written::Number && cell.text.len() < 11 {
                continue;
            }
            for hit in detect(&cell.text, written, self.hints(cells, at)) {
                has_number |= is_number(hit);
                let column = self.roles.get(&cell.column).and_then(|header| header.shown.as_deref());
                found.add(hit, self.part, column, Some(grid.address(cell.row, cell.start)));
            }
        }
        self.has_birth_or_number |= has_number;
        self.take_persons(row, has_number);
    }

    fn take_header(&mut self, cell: &Cell, role: Role) {
        // Digits have no place in a header that is shown to anybody.
        let is_plain = cell.text.bytes().filter(u8::is_ascii_digit).count() < 7;
        let shown = is_plain.then(|| cell.text.split_whitespace().collect::<Vec<_>>().join(" "));
        let right = self.merges.get(&(cell.row, cell.column)).copied().unwrap_or(cell.column);
        for column in cell.column..=right.min(cell.column + MERGED_HEADER_COLUMNS) {
            // 责任人 above 姓名: the group says whose names they are.
            let is_part_of_group = role == Role::Name
                && self.roles.get(&column).is_some_and(|above| {
                    matches!(above.role, Role::Official | Role::Beneficiary) && above.row + HEADER_ROWS > cell.row
                });
            if !is_part_of_group {
                self.roles.insert(column, Header { role, row: cell.row, shown: shown.clone() });
            }
        }
    }

    /// What the header above and the label before a cell say.
    fn hints(&self, cells: &[Cell], at: usize) -> Hints {
        let header = self.roles.get(&cells[at].column);
        let role = header.map(|header| header.role);
        let mut hints = Hints::default().with_role(role);
        // 统一社会信用代码 is a thing's number by its words.
        if let Some(shown) = header.and_then(|header| header.shown.as_deref()) {
            hints.credit_code = shown.contains("信用代码");
        }
        if role.is_none() && at > 0 && cells[at - 1].kind == CellKind::Text {
            hints = hints.with_role(role_of(&cells[at - 1].text));
        }
        hints
    }

    /// Names and the like in the columns whose header asks for them.
    fn take_persons(&mut self, row: &Row, has_number: bool) {
        for (column, Header { role, shown, .. }) in &self.roles {
            if !role.is_of_persons() {
                continue;
            }
            let Some(cell) = self.grid.cell(row, *column) else { continue };
            let is_entry = match role {
                Role::Beneficiary | Role::Name => cell.kind == CellKind::Text && looks_like_name(&cell.text),
                Role::Birth => cell.text.bytes().any(|byte| byte.is_ascii_digit()),
                Role::Address | Role::Health | Role::Other => cell.kind == CellKind::Text && cell.text.len() > 2,
                _ => false,
            };
            if !is_entry || role_of(&cell.text).is_some() {
                continue;
            }
            self.has_birth_or_number |= *role == Role::Birth;
            let column = self.persons.entry((cell.column, shown.clone())).or_insert_with(|| PersonColumn {
                role: *role,
                header: shown.clone(),
                entries: Vec::new(),
            });
            column.entries.push((self.grid.address(cell.row, cell.start), has_number));
        }
    }

    /// Judges the columns of persons, which takes the whole grid: an address beside names is a household's.
    fn persons(self, is_public: impl Fn(u32) -> bool, found: &mut Found) {
        let Self { part, persons, has_birth_or_number, .. } = self;
        let are_named = persons
            .iter()
            .any(|((column, _), entry)| matches!(entry.role, Role::Beneficiary | Role::Name) && !is_public(*column));
        for ((column, _), PersonColumn { role, header, entries }) in persons {
            let (kind, blocks) = match role {
                Role::Beneficiary | Role::Name if is_public(column) => continue,
                Role::Beneficiary => (Kind::Name, true),
                Role::Name => (Kind::Name, entries.iter().any(|(_, has_number)| *has_number) || has_birth_or_number),
                Role::Birth => (Kind::Birth, are_named),
                Role::Address => (Kind::Address, are_named || has_birth_or_number),
                Role::Health => (Kind::Health, are_named || has_birth_or_number),
                _ => (Kind::Other, false),
            };
            let severity = if blocks { Severity::Block } else { Severity::Warn };
            for (address, _) in entries {
                found.add((kind, severity), part, header.as_deref(), Some(address));
            }
        }
    }
}

/// Whether a hit makes the name beside it a person's: a landline may be the office's.
fn is_number((kind, _): Hit) -> bool {
    matches!(kind, Kind::Identity | Kind::Account | Kind::Mobile | Kind::DamagedNumber)
}
