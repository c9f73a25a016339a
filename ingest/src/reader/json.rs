//! JSON to grids: arrays of objects become tables whose values know their line and character.
//!
//! Departments' pages carry their figures as nested JSON: keys say what a list is about, its objects are the
//! rows. Every list of objects under keys of the same depth goes into one grid; the keys above it are its
//! columns `$1`, `$2`, …, the fields of its objects the others, nested ones joined by a point. A list of
//! plain values is one row with the columns `1`, `2`, …; an object of plain values is one row. Rows of a list inside
//! an object of a list carry the plain fields of that object as `^name`, those of the next one out as `^^name`.
//!
//! Lines of JSON, one value each, are the list of these values. A GeoJSON collection is such a list too: the grid
//! of its `features` has columns like `properties.pm25` and `geometry.coordinates.1`.
//!
//! Numbers are kept as they are written; nothing passes a float. Refused: text that is no JSON or goes on
//! after its end, a key that stands twice in one object (which of the two holds is not ours to choose), numbers
//! that no decimal holds, and nesting beyond the limit. Empty lists and objects are named in the warnings.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::encoding::{Decoded, decode};
use super::places::Places;
use super::{Cell, CellKind, Document, Format, Grid, ReadError, Row, Visibility};
use crate::Limits;

/// Characters of one number: a decimal of the warehouse has at most 38 digits.
const NUMBER_CHARS: usize = 64;

pub(super) fn read_json(bytes: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    let Decoded { text, encoding } = decode(bytes)?;
    let mut reader = Reader {
        text: &text,
        places: Places::new(&text),
        limits,
        cells_left: limits.cells,
        lists: 0,
        tables: BTreeMap::new(),
        warnings: Vec::new(),
        above: Vec::new(),
    };
    match serde_json::from_str::<&RawValue>(&text) {
        Ok(root) => reader.visit(&mut Vec::new(), root)?,
        Err(error) => match reader.lines()? {
            Some(values) => reader.visit_items(&mut Vec::new(), values)?,
            None => return Err(reader.damaged(&text, &error)),
        },
    }
    let Reader { tables, warnings, .. } = reader;
    let grids = tables.into_iter().map(|((depth, _), table)| table.into_grid(depth)).collect();
    Ok(Document { format: Format::Json, encoding: Some(encoding.to_owned()), grids, warnings, path: String::new() })
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

/// The values of a list, as long as there are not too many.
struct Items<'a> {
    most: usize,
    items: Vec<&'a RawValue>,
    is_beyond: bool,
}

impl<'a> Items<'a> {
    fn read(&mut self, list: &'a str) -> Result<(), serde_json::Error> {
        let mut parser = serde_json::Deserializer::from_str(list);
        parser.deserialize_seq(&mut *self)?;
        parser.end()
    }
}

impl<'de> Visitor<'de> for &mut Items<'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        while let Some(item) = list.next_element()? {
            if self.items.len() >= self.most {
                self.is_beyond = true;
                return Err(S::Error::custom("too many values"));
            }
            self.items.push(item);
        }
        Ok(())
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

/// A value of a row: its field, and where it stands.
#[derive(Clone)]
struct Field {
    name: String,
    cell: (String, CellKind, (u32, u32)),
}

/// The keys above a row, where it stands, and its values.
type TableRow = (Vec<String>, (u32, u32), Vec<Field>);

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
    /// Lists that are open, those without a key above them too.
    lists: usize,
    tables: BTreeMap<(usize, Kind), Table>,
    warnings: Vec<String>,
    /// Fields of the objects in whose lists the reader is, the outermost first.
    above: Vec<Vec<Field>>,
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
        let plain = entries.iter().filter(|(_, value)| is_plain(value)).count();
        self.check("fields of one row", plain, self.limits.fields)?;
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
        let items = self.items(value)?;
        if items.is_empty() {
            self.warn_empty(path, value);
            return Ok(());
        }
        if items.iter().all(|item| is_plain(item)) {
            self.check("fields of one row", items.len(), self.limits.fields)?;
            let fields = items.iter().enumerate().map(|(index, item)| self.field((index + 1).to_string(), item));
            let fields = fields.collect::<Result<Vec<_>, _>>()?;
            return self.add(path, Kind::List, value, fields);
        }
        self.lists += 1;
        self.check("levels of nesting", self.lists, self.limits.json_depth)?;
        self.visit_items(path, items)?;
        self.lists -= 1;
        Ok(())
    }

    fn visit_items(&mut self, path: &mut Vec<String>, items: Vec<&'a RawValue>) -> Result<(), ReadError> {
        for (index, item) in items.into_iter().enumerate() {
            if item.get().starts_with('{') {
                let (mut fields, mut lists) = (Vec::new(), Vec::new());
                self.flatten(String::new(), item, &mut fields, &mut lists, path.len())?;
                let above = if lists.is_empty() { Vec::new() } else { fields.clone() };
                if !fields.is_empty() {
                    self.add(path, Kind::Objects, item, fields)?;
                }
                self.above.push(above);
                for (name, list) in lists {
                    path.push(name);
                    self.visit(path, list)?;
                    path.pop();
                }
                self.above.pop();
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
                    let items = self.items(value)?;
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

    /// The values of a file with one on each line; none where it is no such file.
    fn lines(&self) -> Result<Option<Vec<&'a RawValue>>, ReadError> {
        let mut lines = self.text.lines().map(str::trim).filter(|line| !line.is_empty());
        let Some(first) = lines.next() else { return Ok(None) };
        let is_list_of_values = first.starts_with(['{', '[']) && serde_json::from_str::<&RawValue>(first).is_ok();
        if !is_list_of_values || lines.next().is_none() {
            return Ok(None);
        }
        let mut values = Vec::new();
        for line in self.text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            values.push(serde_json::from_str(line).map_err(|error| self.damaged(line, &error))?);
            self.check("lines", values.len(), self.limits.json_items)?;
        }
        Ok(Some(values))
    }

    fn items(&self, value: &'a RawValue) -> Result<Vec<&'a RawValue>, ReadError> {
        let mut items = Items { most: self.limits.json_items, items: Vec::new(), is_beyond: false };
        let read = items.read(value.get());
        if items.is_beyond {
            self.check("values of one list", self.limits.json_items + 1, self.limits.json_items)?;
        }
        read.map_err(|error| self.damaged(value.get(), &error))?;
        Ok(items.items)
    }

    /// An error of the parser in a part of the text, with its place in the whole.
    fn damaged(&self, part: &str, error: &serde_json::Error) -> ReadError {
        let reason = if error.is_eof() { "the text ends inside a value" } else { "the text is no JSON here" };
        // The parser counts lines from 1 and bytes of a line up to and with the one at fault.
        let line = part.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
        let offset = (start + line + error.column().saturating_sub(1)).min(self.text.len());
        let (line, column) = self.places.at(self.text, self.text.floor_char_boundary(offset));
        ReadError::DamagedJson { line, column, reason }
    }

    fn entries(&self, value: &'a RawValue) -> Result<Vec<(Cow<'a, str>, &'a RawValue)>, ReadError> {
        let Entries(entries) = serde_json::from_str(value.get()).map_err(|error| self.damaged(value.get(), &error))?;
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

    fn add(&mut self, path: &[String], kind: Kind, value: &RawValue, mut fields: Vec<Field>) -> Result<(), ReadError> {
        for (up, above) in self.above.iter().rev().enumerate() {
            let marks = "^".repeat(up + 1);
            fields.extend(above.iter().map(|field| Field { name: format!("{marks}{}", field.name), ..field.clone() }));
        }
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
                let text: String = serde_json::from_str(written).map_err(|error| self.damaged(written, &error))?;
                let kind = if text.is_empty() { CellKind::Empty } else { CellKind::Text };
                (text, kind, column + 1)
            }
            Some(b'n') => (String::new(), CellKind::Empty, column),
            Some(b't' | b'f') => (written.to_owned(), CellKind::Boolean, column),
            _ => {
                self.check("characters of one number", written.len(), NUMBER_CHARS)?;
                if written.parse::<f64>().is_ok_and(f64::is_infinite) {
                    let reason = "a number beyond what a figure can be";
                    return Err(ReadError::DamagedJson { line, column, reason });
                }
                (written.to_owned(), CellKind::Number, column)
            }
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

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
