//! The set of declaration files, embedded or from a folder, and the digest that names it.
//!
//! Paths inside a set are relative and use `/`: `fields.toml`, `tables/debt/debt_stock.toml`,
//! `codes/regions.csv`, `feeds/…`. A folder given by a user has the same layout and replaces the
//! embedded set as a whole, so that a half-overridden set cannot arise.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::CatalogError;

static TABLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tables");
static DATASETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/datasets");
static CODES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/codes");
static LISTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/lists");
static DISCLOSURE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/disclosure");
static ROOT: [(&str, &str); 5] = [
    ("fields.toml", include_str!("../fields.toml")),
    ("licences.toml", include_str!("../licences.toml")),
    ("publishers.toml", include_str!("../publishers.toml")),
    ("themes.toml", include_str!("../themes.toml")),
    ("units.toml", include_str!("../units.toml")),
];

/// All declaration files of one instance, by path.
#[derive(Debug, Clone, Default)]
pub struct Declarations {
    files: BTreeMap<String, Vec<u8>>,
}

impl Declarations {
    /// The catalogue declarations built into the binary. Feeds are added by the crate that owns them.
    pub fn embedded() -> Self {
        let mut declarations = Self::default();
        for (path, text) in ROOT {
            declarations.insert(path, text.as_bytes());
        }
        declarations.insert_dir("tables", &TABLES);
        declarations.insert_dir("datasets", &DATASETS);
        declarations.insert_dir("codes", &CODES);
        declarations.insert_dir("lists", &LISTS);
        declarations.insert_dir("disclosure", &DISCLOSURE);
        declarations
    }

    /// Reads every `.toml`, `.csv` and `.sql` below `folder`.
    pub fn from_folder(folder: &Path) -> Result<Self, CatalogError> {
        let mut declarations = Self::default();
        declarations.read_folder(folder, "")?;
        Ok(declarations)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<(), CatalogError> {
        let unreadable = |source| CatalogError::Unreadable { path: folder.display().to_string(), source };
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if entry.file_type().map_err(unreadable)?.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            } else if is_declaration(&path) {
                self.insert(&path, &std::fs::read(entry.path()).map_err(unreadable)?);
            }
        }
        Ok(())
    }

    /// Adds the declarations of an embedded folder below `prefix`; guides for readers are none.
    pub fn insert_dir(&mut self, prefix: &str, dir: &Dir<'_>) {
        for file in dir.files().filter(|file| is_declaration(&file.path().to_string_lossy())) {
            self.insert(&format!("{prefix}/{}", file.path().display()), file.contents());
        }
        for sub in dir.dirs() {
            self.insert_dir(prefix, sub);
        }
    }

    /// Adds or replaces one file.
    pub fn insert(&mut self, path: &str, bytes: &[u8]) {
        self.files.insert(path.to_owned(), bytes.to_vec());
    }

    /// Paths below `prefix` that end in `suffix`, in order.
    pub fn paths<'a>(&'a self, prefix: &'a str, suffix: &'a str) -> impl Iterator<Item = &'a str> {
        self.files.keys().map(String::as_str).filter(move |path| path.starts_with(prefix) && path.ends_with(suffix))
    }

    /// A file as text.
    pub fn text(&self, file: &str) -> Result<&str, CatalogError> {
        let bytes = self.files.get(file).ok_or_else(|| CatalogError::FileMissing { file: file.to_owned() })?;
        std::str::from_utf8(bytes)
            .map_err(|error| CatalogError::NotUtf8 { file: file.to_owned(), offset: error.valid_up_to() })
    }

    /// A TOML file as the type that describes it.
    pub fn toml<T: DeserializeOwned>(&self, file: &str) -> Result<T, CatalogError> {
        toml::from_str(self.text(file)?)
            .map_err(|source| CatalogError::Toml { file: file.to_owned(), source: Box::new(source) })
    }

    /// SHA-256 over the paths and bytes of the named files, in hexadecimal.
    ///
    /// A release stores this digest of the declarations that made it.
    pub fn digest_of<'a>(&self, files: impl IntoIterator<Item = &'a str>) -> String {
        let mut hasher = Sha256::new();
        for file in files {
            let bytes = self.files.get(file).map(Vec::as_slice).unwrap_or_default();
            hasher.update((file.len() as u64).to_be_bytes());
            hasher.update(file.as_bytes());
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
        hex::encode(hasher.finalize())
    }

    /// Digest over every file of the set.
    pub fn digest(&self) -> String {
        self.digest_of(self.files.keys().map(String::as_str))
    }
}

fn is_declaration(path: &str) -> bool {
    [".toml", ".csv", ".sql"].iter().any(|ending| path.ends_with(ending))
}
