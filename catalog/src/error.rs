//! One error for everything that can be wrong with a declaration.

/// Why a set of declarations does not load.
///
/// Every variant names the file and, where there is one, the key in it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The folder of definitions could not be read.
    #[error("definitions {path}: {source}")]
    Unreadable {
        /// The path that was asked for.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that every set of declarations needs is absent.
    #[error("definitions: file {file} is missing")]
    FileMissing {
        /// Path inside the definitions.
        file: String,
    },
    /// A file is not UTF-8.
    #[error("{file}: not UTF-8 at byte {offset}")]
    NotUtf8 {
        /// Path inside the definitions.
        file: String,
        /// Offset of the first wrong byte.
        offset: usize,
    },
    /// A TOML file does not have the declared shape.
    #[error("{file}: {source}")]
    Toml {
        /// Path inside the definitions.
        file: String,
        /// The parser's message, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A CSV line does not have the declared columns.
    #[error("{file} line {line}: found {found} fields, expected {expected}")]
    CsvWidth {
        /// Path inside the definitions.
        file: String,
        /// One-based line.
        line: usize,
        /// Fields found.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// A value is not one of those accepted.
    #[error("{file}: {key} is {found:?}, expected {expected}")]
    Value {
        /// Path inside the definitions.
        file: String,
        /// The key, with the name of the entry before it.
        key: String,
        /// What was written.
        found: String,
        /// What would have been accepted.
        expected: String,
    },
    /// An entry names another that is not declared.
    #[error("{file}: {key} names {kind} {found:?}, which is not declared in {declared_in}")]
    Unknown {
        /// Path inside the definitions.
        file: String,
        /// The key that holds the reference.
        key: String,
        /// What kind of thing is referred to.
        kind: &'static str,
        /// The name that is not declared.
        found: String,
        /// Where such things are declared.
        declared_in: String,
    },
    /// Two declarations have the same name.
    #[error("{file}: {kind} {name:?} is already declared in {first}")]
    Duplicate {
        /// Path of the second declaration.
        file: String,
        /// What kind of thing it is.
        kind: &'static str,
        /// The name both use.
        name: String,
        /// Path of the first declaration.
        first: String,
    },
}
