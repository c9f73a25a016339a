//! What the suites share: the embedded feeds, and the folder of real files.

#![allow(dead_code, reason = "each suite uses a part of this module")]

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, Int32Type, UInt32Type};
use gongkai_catalog::{Catalog, Exact};
use gongkai_ingest::{Feeds, Limits, Outcome, Shaped, embedded_declarations, ingest_bytes};

pub struct Suite {
    pub catalog: Catalog,
    pub feeds: Feeds,
}

pub fn suite() -> Suite {
    let declarations = embedded_declarations();
    let catalog = Catalog::load(declarations.clone()).expect("the embedded catalogue");
    let feeds = Feeds::load(&declarations, &catalog).expect("the embedded feeds");
    Suite { catalog, feeds }
}

impl Suite {
    pub fn ingest(&self, bytes: &[u8]) -> Outcome {
        self.ingest_at("test", bytes)
    }

    /// A file with the path that it has below its inbox: feeds may read what the folders say.
    pub fn ingest_at(&self, path: &str, bytes: &[u8]) -> Outcome {
        ingest_bytes(bytes, path, &self.feeds, &self.catalog, &Limits::default())
    }

    /// The rows of every feed that reads the file.
    pub fn shaped_at(&self, path: &str, bytes: &[u8]) -> Vec<Shaped> {
        match self.ingest_at(path, bytes) {
            Outcome::Matched { shaped, .. } => shaped,
            other => panic!("{path} is not matched: {other:?}"),
        }
    }

    pub fn shaped(&self, bytes: &[u8]) -> Shaped {
        match self.ingest(bytes) {
            Outcome::Matched { mut shaped, .. } => shaped.remove(0),
            other => panic!("not matched: {other:?}"),
        }
    }
}

/// The folder of real files, or `None` where it is absent.
pub fn real_data(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GONGKAI_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let folder = root.join(part);
    if !folder.exists() {
        println!("skipped: real data absent");
        return None;
    }
    Some(folder)
}

pub fn text(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let array = batch.column_by_name(column).expect("a column");
    let (texts, row) = match array.as_dictionary_opt::<UInt32Type>() {
        Some(dictionary) => (dictionary.values().as_string::<i32>(), dictionary.key(row)?),
        None => (array.as_string::<i32>(), row),
    };
    texts.is_valid(row).then(|| texts.value(row).to_owned())
}

pub fn integer(batch: &RecordBatch, column: &str, row: usize) -> i32 {
    batch.column_by_name(column).expect("a column").as_primitive::<Int32Type>().value(row)
}

pub fn decimal(batch: &RecordBatch, column: &str, row: usize) -> Option<Exact> {
    let array = batch.column_by_name(column).expect("a column").as_primitive::<Decimal128Type>();
    array.is_valid(row).then(|| Exact::new(array.value(row), array.scale().unsigned_abs()))
}

/// The rows for which every named column has the text.
pub fn rows_where(batch: &RecordBatch, wanted: &[(&str, &str)]) -> Vec<usize> {
    (0..batch.num_rows())
        .filter(|row| wanted.iter().all(|(column, value)| text(batch, column, *row).as_deref() == Some(*value)))
        .collect()
}

/// The one row for which every named column has the text.
pub fn row_where(batch: &RecordBatch, wanted: &[(&str, &str)]) -> usize {
    let rows = rows_where(batch, wanted);
    assert_eq!(rows.len(), 1, "{wanted:?}");
    rows[0]
}

pub fn exact(text: &str) -> Exact {
    text.parse().expect("a number")
}
