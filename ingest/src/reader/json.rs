//! JSON to grids: arrays of objects become tables whose values know their line and character.
//!
//! Departments' pages carry their figures as nested JSON: keys say what a list is about, its objects are the
//! rows. Every list of objects under keys of the same depth goes into one grid; the keys above it are its
//! columns `$1`, `$2`, …, the fields of its objects the others, nested ones joined by a point. A list of
//! plain values is one row with the columns `1`, `2`, …; an object of plain values is one row.
//!
//! Numbers are kept as they are written; nothing passes a float. Refused: text that is no JSON or goes on
//! after its end, a key that stands twice in one object (which of the two holds is not ours to choose), and
//! nesting beyond the limit. Empty lists and objects are named in the warnings.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::encoding::{Decoded, decode};
use super::{Cell, CellKind, Document, Format, Grid, ReadError, Row, Visibility};
use crate::Limits;

pub(super) fn read_json(bytes: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    let Decoded { text, encoding } = decode(bytes)?;
    let root: &RawValue = serde_json::from_str(&text).map_err(|error| damaged(&error))?;
    let mut reader = Reader {
        text: &text,
        places: Places::new(&text),
        limits,
        cells_left: limits.cells,
        tables: BTreeMap::new(),
        warnings: Vec::new(),
    };
    reader.visit(&mut Vec::new(), root)?;
    let Reader { tables, warnings, .. } = reader;
    let grids = tables.into_iter().map(|((depth, _), table)| table.into_grid(depth)).collect();
    Ok(Document { format: Format::Json, encoding: Some(encoding.to_owned()), grids, warnings, path: String::new() })
}

fn damaged(error: &serde_json::Error) -> ReadError {
    let reason = if error.is_eof() { "the text ends inside a value" } else { "the text is no JSON here" };
    ReadError::DamagedJson {
        line: u32::try_from(error.line()).unwrap_or(u32::MAX),
        column: u32::try_from(error.column()).unwrap_or(u32::MAX),
        reason,
    }
}

/// The entries of an object in their order, values as they are written.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Entries<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    entries.push((Cow::Owned(key), value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reading)
    }
}

/// What the lists of one grid have in common beside the depth of their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Objects of a list.
    Objects,
    /// Plain values of a list.
    List,
    /// Plain values of an object.
    Record,
}

/// Line and character.
type Place = (u32, u32);

/// A value of a row: its field, and where it stands.
struct Field {
    name: String,
    cell: (String, CellKind, Place),
}

/// The keys above a row, where it stands, and its values.
type TableRow = (Vec<String>, Place, Vec<Field>);

#[derive(Default)]
struct Table {
    names: Vec<String>,
    known: BTreeMap<String, usize>,
    rows: Vec<TableRow>,
}

impl Table {
    fn into_grid(self, depth: usize) -> Grid {
        let mut grid = Grid::new(None, Visibility::Visible);
        let text_cell = |row: u32, column: usize, start: u32, text: &str, kind| Cell {
            row,
            column: column as u32 + 1,
            start,
            text: text.into(),
            kind,
            is_formula: false,
        };
        // The header is made up of keys, which stand everywhere: it has no line of its own.
        let header = (1..=depth).map(|level| format!("${level}")).chain(self.names.iter().cloned());
        for (column, name) in header.enumerate() {
            grid.cells.push(text_cell(0, column, column as u32 + 1, &name, CellKind::Text));
        }
        push_row(&mut grid, 0, 0);
        for (path, (line, start), mut fields) in self.rows {
            let first = grid.cells.len();
            for (column, key) in path.iter().enumerate() {
                grid.cells.push(text_cell(line, column, start, key, CellKind::Text));
            }
            fields.sort_by_key(|field| self.known.get(&field.name).copied());
            for field in fields {
                let (text, kind, (row, start)) = &field.cell;
                let column = depth + self.known.get(&field.name).copied().unwrap_or_default();
                grid.cells.push(text_cell(*row, column, *start, text, *kind));
            }
            push_row(&mut grid, line, first);
        }
        grid
    }
}

fn push_row(grid: &mut Grid, number: u32, first: usize) {
    let cells = first..grid.cells.len();
    grid.rows.push(Row { number, cells, field_count: None, is_hidden: false, fault: None });
}

struct Reader<'a> {
    text: &'a str,
    places: Places,
    limits: &'a Limits,
    cells_left: usize,
    tables: BTreeMap<(usize, Kind), Table>,
    warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    fn visit(&mut self, path: &mut Vec<String>, value: &'a RawValue) -> Result<(), ReadError> {
        self.check("levels of nesting", path.len(), self.limits.json_depth)?;
        match value.get().as_bytes().first() {
            Some(b'{') => self.visit_object(path, value),
            Some(b'[') => self.visit_list(path, value),
            _ => {
                let field = self.field("1".into(), value)?;
                self.add(path, Kind::List, value, vec![field])
            }
        }
    }

    fn visit_object(&mut self, path: &mut Vec<String>, value: &'a RawValue) -> Result<(), ReadError> {
        let entries = self.entries(value)?;
        if entries.is_empty() {
            self.warn_empty(path, value);
        }
        let mut fields = Vec::new();
        for (name, value) in entries.iter().filter(|(_, value)| is_plain(value)) {
            fields.push(self.field(name.to_string(), value)?);
        }
        if !fields.is_empty() {
            self.add(path, Kind::Record, value, fields)?;
        }
        for (name, value) in entries.into_iter().filter(|(_, value)| !is_plain(value)) {
            path.push(name.into_owned());
            self.visit(path, value)?;
            path.pop();
        }
        Ok(())
    }

    fn visit_list(&mut self, path: &mut Vec<String>, value: &'a RawValue) -> Result<(), ReadError> {
        let items: Vec<&'a RawValue> = serde_json::from_str(value.get()).map_err(|error| damaged(&error))?;
        if items.is_empty() {
            self.warn_empty(path, value);
            return Ok(());
        }
        if items.iter().all(|item| is_plain(item)) {
            let fields = items.iter().enumerate().map(|(index, item)| self.field((index + 1).to_string(), item));
            let fields = fields.collect::<Result<Vec<_>, _>>()?;
            return self.add(path, Kind::List, value, fields);
        }
        for (index, item) in items.into_iter().enumerate() {
            if item.get().starts_with('{') {
                let (mut fields, mut lists) = (Vec::new(), Vec::new());
                self.flatten(String::new(), item, &mut fields, &mut lists, path.len())?;
                if !fields.is_empty() {
                    self.add(path, Kind::Objects, item, fields)?;
                }
                for (name, list) in lists {
                    path.push(name);
                    self.visit(path, list)?;
                    path.pop();
                }
            } else if item.get().starts_with('[') {
                self.visit_list(path, item)?;
            } else {
                path.push((index + 1).to_string());
                self.visit(path, item)?;
                path.pop();
            }
        }
        Ok(())
    }

    /// Fields of an object of a list, nested objects and lists of plain values included; other lists apart.
    fn flatten(
        &self,
        prefix: String,
        value: &'a RawValue,
        fields: &mut Vec<Field>,
        lists: &mut Vec<(String, &'a RawValue)>,
        depth: usize,
    ) -> Result<(), ReadError> {
        self.check("levels of nesting", depth, self.limits.json_depth)?;
        for (name, value) in self.entries(value)? {
            let name = if prefix.is_empty() { name.into_owned() } else { format!("{prefix}.{name}") };
            match value.get().as_bytes().first() {
                Some(b'{') => self.flatten(name, value, fields, lists, depth + 1)?,
                Some(b'[') => {
                    let items: Vec<&'a RawValue> =
                        serde_json::from_str(value.get()).map_err(|error| damaged(&error))?;
                    if items.iter().all(|item| is_plain(item)) {
                        for (index, item) in items.into_iter().enumerate() {
                            fields.push(self.field(format!("{name}.{}", index + 1), item)?);
                        }
                    } else {
                        lists.push((name, value));
                    }
                }
                _ => fields.push(self.field(name, value)?),
            }
        }
        Ok(())
    }

    fn entries(&self, value: &'a RawValue) -> Result<Vec<(Cow<'a, str>, &'a RawValue)>, ReadError> {
        let Entries(entries) = serde_json::from_str(value.get()).map_err(|error| damaged(&error))?;
        let mut names = BTreeSet::new();
        for (name, value) in &entries {
            if !names.insert(name) {
                let (line, column) = self.place_of(value);
                let reason = "its key stands before in the same object";
                return Err(ReadError::DamagedJson { line, column, reason });
            }
        }
        Ok(entries)
    }

    fn add(&mut self, path: &[String], kind: Kind, value: &RawValue, fields: Vec<Field>) -> Result<(), ReadError> {
        let cells = path.len() + fields.len();
        self.check("fields of one row", cells, self.limits.fields)?;
        self.cells_left = self.cells_left.checked_sub(cells).ok_or_else(|| ReadError::TooLarge {
            what: "fields".into(),
            found: self.limits.cells as u64 + 1,
            limit: self.limits.cells as u64,
        })?;
        let place = self.place_of(value);
        let table = self.tables.entry((path.len(), kind)).or_default();
        for field in &fields {
            if !table.known.contains_key(&field.name) {
                table.known.insert(field.name.clone(), table.names.len());
                table.names.push(field.name.clone());
            }
        }
        table.rows.push((path.to_vec(), place, fields));
        let width = table.names.len();
        self.check("fields of one table", width, self.limits.fields)
    }

    fn field(&self, name: String, value: &RawValue) -> Result<Field, ReadError> {
        let written = value.get();
        let (line, column) = self.place_of(value);
        let (text, kind, column) = match written.as_bytes().first() {
            Some(b'"') => {
                let text: String = serde_json::from_str(written).map_err(|error| damaged(&error))?;
                let kind = if text.is_empty() { CellKind::Empty } else { CellKind::Text };
                (text, kind, column + 1)
            }
            Some(b'n') => (String::new(), CellKind::Empty, column),
            Some(b't' | b'f') => (written.to_owned(), CellKind::Boolean, column),
            _ => (written.to_owned(), CellKind::Number, column),
        };
        self.check("characters of one value", text.chars().count(), self.limits.cell_chars)?;
        Ok(Field { name, cell: (text, kind, (line, column)) })
    }

    fn warn_empty(&mut self, path: &[String], value: &RawValue) {
        let (line, _) = self.place_of(value);
        let path = if path.is_empty() { "the file".to_owned() } else { path.join("/") };
        self.warnings.push(format!("line {line}: {path} is empty"));
    }

    /// Line and character of a value, which is a part of the text.
    fn place_of(&self, value: &RawValue) -> (u32, u32) {
        let offset = value.get().as_ptr() as usize - self.text.as_ptr() as usize;
        self.places.at(self.text, offset)
    }

    fn check(&self, what: &str, found: usize, limit: usize) -> Result<(), ReadError> {
        if found <= limit {
            return Ok(());
        }
        Err(ReadError::TooLarge { what: what.to_owned(), found: found as u64, limit: limit as u64 })
    }
}

fn is_plain(value: &RawValue) -> bool {
    !value.get().starts_with(['{', '['])
}

/// Line and character of every so many bytes, so that a place is found without reading the text from its beginning.
struct Places(Vec<(usize, u32, u32)>);

impl Places {
    const EVERY: usize = 4096;

    fn new(text: &str) -> Self {
        let (mut marks, mut line, mut column) = (vec![(0, 1, 1)], 1, 1);
        for (offset, character) in text.char_indices() {
            if offset >= marks.len() * Self::EVERY {
                marks.push((offset, line, column));
            }
            (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        Self(marks)
    }

    fn at(&self, text: &str, offset: usize) -> (u32, u32) {
        let mark = self.0.partition_point(|(start, ..)| *start <= offset).saturating_sub(1);
        let (start, mut line, mut column) = self.0[mark];
        for character in text[start..offset].chars() {
            (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        (line, column)
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
