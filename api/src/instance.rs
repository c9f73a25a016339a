//! One running instance: settings, declarations and the warehouse they describe.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use gongkai_catalog::{Catalog, CatalogError, Declarations};
use gongkai_ingest::{FeedError, Feeds};
use gongkai_warehouse::check::{Check, CheckError};
use gongkai_warehouse::derived::{Derived, DerivedError};
use gongkai_warehouse::lake::{LakeError, Warehouse};

use crate::clock::{Clock, ClockError};
use crate::config::{Config, ConfigError};
use crate::worker::readers::Readers;

/// Default warehouse.
pub const DEFAULT_DATA: &str = "./data";

/// Why an instance does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The clock.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The declarations of meaning.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The declarations of feeds.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The declarations of checks.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The derived tables.
    #[error(transparent)]
    Derived(#[from] DerivedError),
    /// The warehouse.
    #[error(transparent)]
    Lake(#[from] LakeError),
}

/// Meaning: what declarations say, without any warehouse.
#[derive(Clone)]
pub struct Definitions {
    /// Tables, datasets, units, regions.
    pub catalog: Arc<Catalog>,
    /// Feeds.
    pub feeds: Arc<Feeds>,
    /// Reconciliation checks.
    pub checks: Arc<Vec<Check>>,
    /// Derived tables, by name.
    pub derived: Arc<BTreeMap<String, Derived>>,
    /// Digest over every declaration.
    pub sha256: String,
}

impl Definitions {
    /// Loads what questions need, which is a small part of all: no feeds and no checks.
    pub fn load_catalog(folder: Option<&PathBuf>) -> Result<Catalog, CatalogError> {
        Catalog::load(declarations(folder)?)
    }

    /// Loads the declarations of a folder, or those built in.
    pub fn load(folder: Option<&PathBuf>) -> Result<Self, StartError> {
        let declarations = declarations(folder)?;
        let sha256 = declarations.digest();
        let catalog = Catalog::load(declarations.clone())?;
        let feeds = Feeds::load(&declarations, &catalog)?;
        let checks = Arc::new(gongkai_warehouse::check::load(&declarations, &catalog.tables)?);
        let derived = Arc::new(gongkai_warehouse::derived::load(&catalog)?);
        Ok(Self { catalog: Arc::new(catalog), feeds: Arc::new(feeds), checks, derived, sha256 })
    }
}

/// The declarations of a folder, or those built in.
fn declarations(folder: Option<&PathBuf>) -> Result<Declarations, CatalogError> {
    folder.map_or_else(|| Ok(embedded()), |folder| Declarations::from_folder(folder))
}

/// Everything that is built in: the catalogue, the feeds, the checks and the derived tables.
pub fn embedded() -> Declarations {
    let mut declarations = gongkai_ingest::embedded_declarations();
    gongkai_warehouse::check::add_embedded(&mut declarations);
    gongkai_warehouse::derived::add_embedded(&mut declarations);
    declarations
}

/// Everything that commands and doors share.
#[derive(Clone)]
pub struct Instance {
    /// Settings in force.
    pub config: Config,
    /// The clock.
    pub clock: Clock,
    /// Meaning.
    pub definitions: Definitions,
    /// The warehouse.
    pub warehouse: Warehouse,
    readers: Arc<OnceLock<Arc<Readers>>>,
}

impl Instance {
    /// Opens an instance under these settings.
    pub fn open(config: Config) -> Result<Self, StartError> {
        let definitions = Definitions::load(config.definitions.as_ref())?;
        let address = config.data.clone().unwrap_or_else(|| DEFAULT_DATA.to_owned());
        let warehouse = Warehouse::open(&address, Arc::clone(&definitions.catalog))?;
        Ok(Self { config, clock: Clock::from_environment()?, definitions, warehouse, readers: Arc::default() })
    }

    /// The processes that read files, shared by all runs: starting one costs more than reading a small file.
    pub fn readers(&self) -> Arc<Readers> {
        let make = || Arc::new(Readers::new(self.config.definitions.as_ref(), &self.config.ingest));
        Arc::clone(self.readers.get_or_init(make))
    }
}
