//! Answers and descriptions that may be given again: those that the statement and the releases alone decide.
//!
//! Keys hold the pointer's counter, so nothing has to be thrown away when something is released; what is old is pushed out.
//!
//! Invariant: at most [`BYTES`] of answers and [`DESCRIPTION_BYTES`] of descriptions are kept.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::worker::{Description, Statement};

/// Bytes of all answers together.
pub const BYTES: usize = 16 << 20;
/// Bytes of one answer that is kept.
pub const ANSWER_BYTES: usize = 256 << 10;
/// Bytes of all descriptions together, about.
pub const DESCRIPTION_BYTES: usize = 8 << 20;
/// What is reckoned for keeping one column or parameter of a description, beside its name: its field, and its headings, unit and
/// comment. Chosen, not measured.
pub const COLUMN_BYTES: usize = 512;

/// An answer as it was sent.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// What is described: the statement, the pointer's counter, and the time asked about.
pub type DescriptionKey = (Statement, u64, Option<DateTime<Utc>>);

/// Values by key, the oldest pushed out by weight.
#[derive(Debug)]
struct Shelf<K, V> {
    values: HashMap<K, V>,
    order: VecDeque<(K, usize)>,
    weight: usize,
    most: usize,
}

impl<K: Clone + Eq + Hash, V: Clone> Shelf<K, V> {
    fn new(most: usize) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), weight: 0, most }
    }

    fn keep(&mut self, key: K, value: V, weight: usize) {
        if weight > self.most || self.values.contains_key(&key) {
            return;
        }
        while self.weight + weight > self.most {
            let Some((oldest, freed)) = self.order.pop_front() else { break };
            self.values.remove(&oldest);
            self.weight -= freed;
        }
        self.weight += weight;
        self.order.push_back((key.clone(), weight));
        self.values.insert(key, value);
    }
}

/// What is kept.
#[derive(Debug)]
pub struct Answers {
    answers: Mutex<Shelf<String, Kept>>,
    descriptions: Mutex<Shelf<DescriptionKey, Description>>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { answers: Mutex::new(Shelf::new(BYTES)), descriptions: Mutex::new(Shelf::new(DESCRIPTION_BYTES)) }
    }
}

fn lock<T>(shelf: &Mutex<T>) -> MutexGuard<'_, T> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Answers {
    /// The answer under a tag.
    pub fn answer(&self, tag: &str) -> Option<Kept> {
        lock(&self.answers).values.get(tag).cloned()
    }

    /// Keeps an answer that is small enough.
    pub fn keep_answer(&self, tag: &str, kept: Kept) {
        if kept.body.len() <= ANSWER_BYTES {
            let headers = kept.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
            let weight = kept.body.len() + headers + 1024;
            lock(&self.answers).keep(tag.to_owned(), kept, weight);
        }
    }

    /// A description.
    pub fn description(&self, key: &DescriptionKey) -> Option<Description> {
        lock(&self.descriptions).values.get(key).cloned()
    }

    /// Keeps a description.
    pub fn keep_description(&self, key: DescriptionKey, description: &Description) {
        // The statement stands in the shelf twice, and names of columns are parts of it in most cases.
        let statement = &key.0;
        let values = statement.parameters.iter().flatten().chain(&statement.values).map(String::len).sum::<usize>();
        let columns = description.schema.fields().len() + description.parameters.fields().len();
        let weight = 1024 + 3 * statement.sql.len() + 2 * values + columns * COLUMN_BYTES;
        lock(&self.descriptions).keep(key, description.clone(), weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_goes_first() {
        let answers = Answers::default();
        let kept = |size: usize| Kept { headers: HeaderMap::new(), body: Bytes::from(vec![0; size]) };
        answers.keep_answer("large", kept(ANSWER_BYTES + 1));
        assert!(answers.answer("large").is_none());
        for number in 0..100 {
            answers.keep_answer(&number.to_string(), kept(ANSWER_BYTES));
        }
        assert!(answers.answer("0").is_none() && answers.answer("99").is_some());
        let shelf = lock(&answers.answers);
        assert!(shelf.weight <= BYTES && shelf.values.len() == shelf.order.len());
    }
}
