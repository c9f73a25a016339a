//! A warehouse opened for reading: its store and the catalogue it is read with.

use std::sync::Arc;

use gongkai_catalog::{Catalog, Dataset, Table};

use crate::Snapshot;
use crate::lake::{LakeError, pointer};
use crate::store::{self, Store};

/// An open warehouse. Cheap to clone; readers share it.
#[derive(Debug, Clone)]
pub struct Warehouse {
    store: Arc<dyn Store>,
    catalog: Arc<Catalog>,
}

impl Warehouse {
    /// Opens the warehouse at an address: a folder, `file://…` or `memory://`.
    pub fn open(address: &str, catalog: Arc<Catalog>) -> Result<Self, LakeError> {
        Ok(Self { store: store::open(address)?, catalog })
    }

    /// Opens a warehouse in a store that is open already.
    pub fn with_store(store: Arc<dyn Store>, catalog: Arc<Catalog>) -> Self {
        Self { store, catalog }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The catalogue.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// What readers see now.
    pub async fn snapshot(&self) -> Result<Snapshot, LakeError> {
        pointer::snapshot(self.store.as_ref()).await
    }

    /// What readers saw at an earlier state, less what was withdrawn since; none where there was no such state.
    pub async fn snapshot_of(&self, counter: u64) -> Result<Option<Snapshot>, LakeError> {
        pointer::snapshot_of(self.store.as_ref(), counter).await
    }

    /// A declared table.
    pub fn table(&self, name: &str) -> Result<&Table, LakeError> {
        self.catalog.tables.get(name).ok_or_else(|| LakeError::Unknown {
            kind: "table",
            name: name.to_owned(),
            declared: self.catalog.tables.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    /// A declared dataset.
    pub fn dataset(&self, id: &str) -> Result<&Dataset, LakeError> {
        self.catalog.datasets.get(id).ok_or_else(|| LakeError::Unknown {
            kind: "dataset",
            name: id.to_owned(),
            declared: self.catalog.datasets.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }
}
