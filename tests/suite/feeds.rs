//! What each feed makes of its samples, held as goldens.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use gongkai_catalog::Catalog;
use gongkai_ingest::{Feeds, Limits, Outcome, embedded_declarations, find_files, ingest_bytes};
use gongkai_tests::root;
use gongkai_warehouse::export::{self, ExportOptions};

/// Rows of a sample that stand in the golden.
const ROWS: usize = 40;

/// Texts as texts, where a batch gives them as dictionaries.
fn plain(batch: &RecordBatch) -> RecordBatch {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| match column.data_type() {
        DataType::Dictionary(_, text) => (field.name(), cast(column, text).expect("texts")),
        _ => (field.name(), ArrayRef::clone(column)),
    });
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

/// Every sample with the feed that reads it, once for each of its feeds.
pub fn samples() -> Vec<(gongkai_ingest::InboxFile, String)> {
    let declarations = embedded_declarations();
    let catalog = Catalog::load(declarations.clone()).expect("loads");
    let feeds = Feeds::load(&declarations, &catalog).expect("loads");
    let files = find_files(&root().join("ingest/samples")).expect("samples");
    let mut found = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file.path).expect("reads");
        match ingest_bytes(&bytes, &file.relative, &feeds, &catalog, &Limits::default()) {
            Outcome::Matched { shaped, .. } => {
                found.extend(shaped.into_iter().map(|rows| (file.clone(), rows.report.feed)));
            }
            Outcome::Unmatched { recognition, .. } => {
                let nearest = recognition.grids.first().and_then(|grid| grid.misses.first());
                panic!("{}", super::declarations::unread(&file.relative, &format!("nearest: {nearest:?}")))
            }
            Outcome::Damaged(error) => panic!("{}", super::declarations::unread(&file.relative, &error.to_string())),
            other => panic!("{}", super::declarations::unread(&file.relative, &format!("{other:?}"))),
        }
    }
    found
}

#[test]
fn each_feed_reads_its_samples_as_its_golden_says() {
    let declarations = embedded_declarations();
    let catalog = Catalog::load(declarations.clone()).expect("loads");
    let feeds = Feeds::load(&declarations, &catalog).expect("loads");
    let samples = samples();
    for feed in feeds.iter() {
        let mut text = String::new();
        for (file, _) in samples.iter().filter(|(_, of)| *of == feed.id) {
            let bytes = std::fs::read(&file.path).expect("reads");
            let name = file.path.file_name().expect("a file").to_string_lossy();
            // A feed may read what the folders say.
            let outcome = ingest_bytes(&bytes, &file.relative, &feeds, &catalog, &Limits::default());
            let Outcome::Matched { shaped, facts, .. } = outcome else { panic!("{name} is not matched") };
            for rows in shaped.iter().filter(|rows| rows.report.feed == feed.id) {
                assert!(rows.report.is_balanced(), "{name} is not balanced");
                let totals = serde_json::to_string(&rows.report.totals).expect("json");
                writeln!(text, "== {name} ({:?}, {:?})\n{totals}", facts.format, facts.encoding).expect("writes");
                let head = plain(&rows.batch.slice(0, rows.batch.num_rows().min(ROWS)));
                let csv = export::format("csv").expect("csv");
                let lines = export::to_bytes(csv, &head.schema(), &[head], ExportOptions::default()).expect("writes");
                text.push_str(&String::from_utf8(lines).expect("text"));
            }
        }
        insta::with_settings!({ snapshot_path => "../goldens", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("feed_{}", feed.id), text);
        });
    }
}
