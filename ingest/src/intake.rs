//! One file from its bytes to its outcome.

use gongkai_catalog::{Audience, Catalog};

use crate::feed::Feeds;
use crate::limits::Limits;
use crate::personal::{self, Declared, Finding};
use crate::reader::{Document, DocumentFacts, ReadError, read_document};
use crate::shape::{Recognition, ShapeError, Shaped, claims, recognise, shape};

/// What a file turned out to be.
#[derive(Debug)]
pub enum Outcome {
    /// At least one feed reads it.
    Matched {
        /// What is known of the document.
        facts: DocumentFacts,
        /// Which feed reads which grid.
        recognition: Recognition,
        /// The rows, one entry for each feed.
        shaped: Vec<Shaped>,
        /// Personal data that keeps nothing back.
        personal: Vec<Finding>,
    },
    /// At least one feed reads it, and it holds personal data that its public would see: nothing of it is taken.
    Held {
        /// What is known of the document.
        facts: DocumentFacts,
        /// Which feed reads which grid.
        recognition: Recognition,
        /// What was found, without the values.
        personal: Vec<Finding>,
    },
    /// It can be read, but no feed knows its tables; or its format is recognised only.
    Unmatched {
        /// What is known of the document.
        facts: DocumentFacts,
        /// Why, for every grid and feed.
        recognition: Recognition,
    },
    /// A feed knows its table but cannot shape it; nothing of the file is taken.
    Refused {
        /// What is known of the document.
        facts: DocumentFacts,
        /// Which feed reads which grid.
        recognition: Recognition,
        /// What is wrong.
        error: ShapeError,
    },
    /// It cannot be read.
    Damaged(ReadError),
}

/// Reads, recognises and shapes one file. `name` is its path below the inbox: it is for the report, and decides only where
/// a feed says that a department tells something with it.
pub fn ingest_bytes(bytes: &[u8], name: &str, feeds: &Feeds, catalog: &Catalog, limits: &Limits) -> Outcome {
    let document = match read_document(bytes, limits) {
        Ok(document) => Document { path: name.to_owned(), ..document },
        Err(error) => return Outcome::Damaged(error),
    };
    let facts = document.facts();
    let recognition = claims(&document, feeds, catalog);
    if recognition.feeds().is_empty() {
        return Outcome::Unmatched { facts, recognition: recognise(&document, feeds, catalog) };
    }
    let declared = Declared::of(&document, &recognition, feeds);
    let personal = personal::scan(&document, bytes, &declared, limits);
    if personal::is_blocking(&personal) && is_for_everybody(&recognition, feeds, catalog) {
        return Outcome::Held { facts, recognition, personal };
    }
    let mut shaped = Vec::new();
    for feed in recognition.feeds().into_iter().filter_map(|id| feeds.get(id)) {
        match shape(feed, &document, catalog) {
            Ok(rows) => shaped.push(rows),
            Err(error) => return Outcome::Refused { facts, recognition, error },
        }
    }
    Outcome::Matched { facts, recognition, shaped, personal }
}

/// Whether any of the rows would go to a dataset that everybody reads.
fn is_for_everybody(recognition: &Recognition, feeds: &Feeds, catalog: &Catalog) -> bool {
    let datasets = recognition.feeds().into_iter().filter_map(|id| catalog.datasets.get(&feeds.get(id)?.dataset));
    let mut audiences = datasets.map(|dataset| dataset.audience);
    audiences.any(|audience| audience == Audience::Public)
}
