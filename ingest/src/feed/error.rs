//! Why a feed declaration does not load.

use gongkai_catalog::CatalogError;

/// Every variant names the file and the key in it.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file is not TOML of the declared shape.
    #[error(transparent)]
    Declaration(#[from] CatalogError),
    /// A value is not one of those accepted.
    #[error("{file}: {key} is {found:?}, expected {expected}")]
    Value {
        /// Path inside the definitions.
        file: String,
        /// The key.
        key: String,
        /// What was written.
        found: String,
        /// What would have been accepted.
        expected: String,
    },
    /// A regular expression does not parse.
    #[error("{file}: {key}: {source}")]
    Pattern {
        /// Path inside the definitions.
        file: String,
        /// The key.
        key: String,
        /// The parser's message.
        source: Box<regex::Error>,
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
    /// A column of the table that no part of the feed fills.
    #[error(
        "{file}: no part fills column {column:?} of table {table:?}; expected a constant, a setting, or a part in one of the columns tables"
    )]
    ColumnNotFilled {
        /// Path inside the definitions.
        file: String,
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A column that two parts fill.
    #[error("{file}: {key} fills column {column:?}, which another part fills already")]
    ColumnFilledTwice {
        /// Path inside the definitions.
        file: String,
        /// The second part.
        key: String,
        /// The column.
        column: String,
    },
    /// A part that gives another type, or nothing, where the column wants a value.
    #[error("{file}: {key} cannot fill column {column:?}, which is {column_type}{}; expected {expected}", if *.is_nullable { "" } else { " and never null" })]
    ColumnMismatch {
        /// Path inside the definitions.
        file: String,
        /// The part.
        key: String,
        /// The column.
        column: String,
        /// Its type.
        column_type: String,
        /// Whether it may be null.
        is_nullable: bool,
        /// What the part gives.
        expected: &'static str,
    },
}
