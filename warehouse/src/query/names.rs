//! What names mean in SQL: one catalogue with the schemas `open`, `catalog`, `ref` and `information_schema`, for local
//! operators also `staging`. Derived tables are planned by the engine before the statement that names them, and kept here for it.
//!
//! This is the boundary of what a caller may see; the other stages are defence in depth. A name that is not
//! answered here does not exist, whether it is hidden or was never declared, and nothing lists it either.
//!
//! Invariant: every answer comes from the snapshot and the catalogue. Nothing can be registered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, MemTable, SchemaProvider, TableProvider};
use datafusion::common::Result;
use gongkai_catalog::{Audience, Catalog, Label};

use super::derive;
use super::dictionary::{Sources, lists, views};
use super::functions::Functions;
use super::kept_rows::KeptRows;
use super::released_table::{ReleasedTable, query_schema};
use super::search_path::SearchPath;
use super::session::QueryOptions;
use super::system::ShownTable;
use super::walk::Checked;
use crate::derived::Derived;
use crate::{ReleaseRecord, Snapshot, Staging};

/// Name of the one catalogue.
pub const CATALOG: &str = "gongkai";
/// Schema of names without one.
pub(super) const DEFAULT_SCHEMA: &str = "open";
/// Schema of names without one where a path was set: each stands for the table of the first schema of the path that has it. It
/// is no name that a statement may say.
pub(super) const ALONG_PATH: &str = "\0path";
/// Schema of names that no schema of the path has.
const NOWHERE: &str = "";

/// The meaning of names for one query.
#[derive(Debug, Clone)]
pub(super) struct Names {
    catalog: Arc<Catalog>,
    snapshot: Arc<Snapshot>,
    staging: Option<Arc<Staging>>,
    derived: Arc<BTreeMap<String, Derived>>,
    functions: Arc<Functions>,
    /// Derived tables that the statement needs, planned.
    planned: Arc<Mutex<BTreeMap<String, Arc<dyn TableProvider>>>>,
    /// Where names without a schema are looked for.
    path: SearchPath,
    /// What derived tables that were reckoned before the statement are made of.
    reckoned: Arc<Mutex<Vec<Checked>>>,
    /// The moment that the question is about.
    at: DateTime<Utc>,
    /// Rows that the process keeps.
    kept: Arc<KeptRows>,
}

impl Names {
    /// Names over one snapshot, as a caller with these options sees them.
    pub fn new(
        catalog: Arc<Catalog>,
        derived: Arc<BTreeMap<String, Derived>>,
        functions: Arc<Functions>,
        snapshot: Arc<Snapshot>,
        options: &QueryOptions,
    ) -> Self {
        let staging = options.staging.clone().filter(|_| options.role.sees_staging());
        let newest = || snapshot.releases.iter().map(|release| release.recorded_at).max().unwrap_or_default();
        let at = snapshot.as_of.or(options.now).unwrap_or_else(newest);
        Self {
            catalog,
            snapshot,
            staging,
            derived,
            functions,
            planned: Arc::default(),
            path: options.path.clone(),
            reckoned: Arc::default(),
            at,
            kept: Arc::default(),
        }
    }

    /// The same with rows that the process keeps from query to query.
    pub fn keeping(self, kept: Arc<KeptRows>) -> Self {
        Self { kept, ..self }
    }

    /// The path along which names without a schema are looked for.
    pub fn path(&self) -> &SearchPath {
        &self.path
    }

    /// The schemas of the path that exist, in order, each once.
    pub fn path_there(&self) -> Vec<String> {
        let there = self.schemas();
        let mut along: Vec<String> = Vec::new();
        for schema in self.path.schemas() {
            if (there.contains(schema) || schema == "pg_catalog") && !along.contains(schema) {
                along.push(schema.clone());
            }
        }
        along
    }

    /// The schema that a name in a statement means: its own, or for a name without one the first of the path that has it.
    pub fn schema_of<'a>(&'a self, schema: Option<&'a str>, name: &str) -> &'a str {
        match schema {
            Some(schema) => schema,
            None if self.path.is_default() => DEFAULT_SCHEMA,
            None => {
                let found = self.path.schemas().iter().find(|schema| self.has(schema, name));
                found.map_or(NOWHERE, String::as_str)
            }
        }
    }

    /// Whether a schema has a table of that name. No row is made for the answer.
    fn has(&self, schema: &str, name: &str) -> bool {
        if self.derived(schema, name).is_some() {
            return true;
        }
        if schema == DEFAULT_SCHEMA {
            return self.released(name).is_some();
        }
        self.sources().views().any(|view| view.schema == schema && view.name == name)
            || (schema == "ref" && self.catalog.lists.contains_key(name))
    }

    /// The derived table of that name.
    pub fn derived(&self, schema: &str, name: &str) -> Option<&Derived> {
        self.derived.get(name).filter(|derived| derived.schema == schema)
    }

    /// The plan of a derived table, where it was made.
    pub fn planned(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Keeps the plan of a derived table for this statement.
    pub fn keep_planned(&self, name: &str, plan: Arc<dyn TableProvider>) {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), plan);
    }

    /// Keeps what a derived table was reckoned from.
    pub fn keep_reckoned(&self, checked: Checked) {
        self.reckoned.lock().unwrap_or_else(PoisonError::into_inner).push(checked);
    }

    /// What derived tables were reckoned from before the statement.
    pub fn take_reckoned(&self) -> Vec<Checked> {
        std::mem::take(&mut *self.reckoned.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn sources(&self) -> Sources<'_> {
        let staging = self.staging.as_deref();
        Sources {
            catalog: &self.catalog,
            derived: &self.derived,
            functions: &self.functions,
            snapshot: &self.snapshot,
            staging,
            at: self.at,
        }
    }

    /// The provider of a table, by schema and name.
    pub fn table(&self, schema: &str, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let schema = if schema == ALONG_PATH { self.schema_of(None, name) } else { schema };
        if schema == DEFAULT_SCHEMA {
            let table = self.released(name).map(|table| Arc::new(table) as Arc<dyn TableProvider>);
            return Ok(table.or_else(|| self.derived(schema, name).and_then(|derived| self.planned(&derived.name))));
        }
        if self.derived(schema, name).is_some() {
            return Ok(self.planned(name));
        }
        let batch = match self.sources().views().find(|view| view.schema == schema && view.name == name) {
            Some(view) => view.batch(&self.sources())?,
            None => match self.catalog.lists.get(name).filter(|_| schema == "ref") {
                Some(list) => lists::batch(list)?,
                None => return Ok(None),
            },
        };
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        Ok(Some(Arc::new(table)))
    }

    /// `debt_stock`, `debt_stock@all`, `debt_stock@{dataset}`, `debt_stock@{dataset}.{n}`.
    fn released(&self, name: &str) -> Option<ReleasedTable> {
        let (table, selection) = match name.split_once('@') {
            Some((table, selection)) => (table, Some(selection)),
            None => (name, None),
        };
        let declared = self.catalog.tables.get(table)?;
        let releases: Vec<&ReleaseRecord> = match selection {
            None => self.snapshot.current_of_table(table).filter(|release| self.is_readable(release)).collect(),
            Some("all") => self
                .snapshot
                .releases
                .iter()
                .filter(|release| release.table == table && self.is_readable(release))
                .collect(),
            Some(id) if !id.contains('.') => {
                self.catalog.datasets.get(id).filter(|dataset| dataset.table == table)?;
                let current = self.snapshot.current_of_dataset(id).into_iter();
                current.filter(|release| self.is_readable(release)).collect()
            }
            Some(id) => {
                let (dataset, number) = id.rsplit_once('.')?;
                // One spelling per release: `.7`, not `.07` or `.+7`.
                let number = number.parse::<u64>().ok().filter(|parsed| parsed.to_string() == number)?;
                let release = self.snapshot.release(dataset, number)?;
                if release.table != table || !self.is_readable(release) {
                    return None;
                }
                vec![release]
            }
        };
        Some(ReleasedTable::new(declared, &releases, Arc::clone(&self.kept)))
    }

    /// Whether everybody may read the release. Of a dataset that is no longer declared nobody knows the audience; what
    /// was withdrawn is read by nobody.
    fn is_readable(&self, release: &ReleaseRecord) -> bool {
        if self.snapshot.withdrawal_of(release).is_some() || release.is_withdrawal() {
            return false;
        }
        self.catalog.datasets.get(&release.dataset).is_some_and(|dataset| dataset.audience == Audience::Public)
    }

    /// Every table as the system catalogue shows it; those of local operators are not in it.
    pub fn shown(&self) -> Result<Vec<ShownTable>> {
        let both = |label: &Label, words: &Label| format!("{}：{} / {}: {}", label.zh, words.zh, label.en, words.en);
        let shown = |schema: &str, name: &str, columns: SchemaRef, comment: String, is_stored: bool| ShownTable {
            schema: schema.to_owned(),
            name: name.to_owned(),
            columns,
            comment,
            is_stored,
            key: Vec::new(),
            rows: None,
        };
        let released = self.catalog.tables.values().map(|table| ShownTable {
            key: table.key.clone(),
            ..shown(DEFAULT_SCHEMA, &table.name, query_schema(table), both(&table.label, &table.description), true)
        });
        let derived = self.derived.values().map(|table| ShownTable {
            key: table.key.clone(),
            ..shown(&table.schema, &table.name, derive::schema(table), both(&table.label, &table.description), false)
        });
        let mut all: Vec<ShownTable> = released.chain(derived).collect();
        let sources = Sources { staging: None, ..self.sources() };
        for view in views() {
            // The standard's own tables speak of declarations, and of no release.
            let rows = (view.schema == "information_schema").then(|| view.batch(&sources)).transpose()?;
            all.push(ShownTable { rows, ..shown(view.schema, view.name, view.arrow_schema(), view.title(), false) });
        }
        for list in self.catalog.lists.values() {
            let (columns, comment) = (lists::batch(list)?.schema(), both(&list.label, &list.description));
            all.push(ShownTable { key: list.key.clone(), ..shown("ref", &list.name, columns, comment, true) });
        }
        // Numbers in the system catalogue follow this order, in every process.
        all.sort_by(|one, other| (&one.schema, &one.name).cmp(&(&other.schema, &other.name)));
        Ok(all)
    }

    fn schemas(&self) -> Vec<String> {
        let mut schemas = vec![DEFAULT_SCHEMA.to_owned()];
        for view in self.sources().views() {
            if !schemas.iter().any(|schema| schema == view.schema) {
                schemas.push(view.schema.to_owned());
            }
        }
        schemas
    }
}

impl CatalogProviderList for Names {
    fn register_catalog(&self, _: String, _: Arc<dyn CatalogProvider>) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![CATALOG.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == CATALOG).then(|| Arc::new(self.clone()) as Arc<dyn CatalogProvider>)
    }
}

impl CatalogProvider for Names {
    fn schema_names(&self) -> Vec<String> {
        self.schemas()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        (name == ALONG_PATH || self.schemas().contains(&name.to_owned()))
            .then(|| Arc::new(NamedSchema { names: self.clone(), schema: name.to_owned() }) as Arc<dyn SchemaProvider>)
    }
}

/// One schema of the catalogue.
#[derive(Debug)]
struct NamedSchema {
    names: Names,
    schema: String,
}

#[async_trait]
impl SchemaProvider for NamedSchema {
    fn table_names(&self) -> Vec<String> {
        let own = self.names.derived.values().filter(|derived| derived.schema == self.schema);
        let derived = own.map(|derived| derived.name.clone());
        if self.schema == DEFAULT_SCHEMA {
            return self.names.catalog.tables.keys().cloned().chain(derived).collect();
        }
        let sources = self.names.sources();
        let views = sources.views().filter(|view| view.schema == self.schema).map(|view| view.name.to_owned());
        let lists = self.names.catalog.lists.keys().filter(|_| self.schema == "ref").cloned();
        views.chain(lists).chain(derived).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.names.table(&self.schema, name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.names.table(&self.schema, name).is_ok_and(|table| table.is_some())
    }
}
