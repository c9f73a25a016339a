//! Why a document that a feed claims cannot be shaped.

/// The document is refused as a whole; what is wrong with single records or cells goes to the report instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// No grid of the document is a table of the feed.
    #[error("feed {feed}: no table of it in the document; nearest miss: {nearest}")]
    NotRecognised {
        /// The feed.
        feed: String,
        /// Why the nearest grid is none.
        nearest: String,
    },
    /// A text that the table needs is printed nowhere.
    #[error("feed {feed}{}: column {column:?} needs {captures}, which the table does not print as expected", .sheet.as_ref().map(|sheet| format!(", sheet {sheet}")).unwrap_or_default())]
    NotPrinted {
        /// The feed.
        feed: String,
        /// The sheet.
        sheet: Option<String>,
        /// The column that needs it.
        column: String,
        /// The captures that could fill it.
        captures: String,
    },
    /// The catalogue has no such table; the feed was resolved against another one.
    #[error("feed {feed}: table {table:?} is not in the catalogue it is shaped with")]
    NoTable {
        /// The feed.
        feed: String,
        /// The table.
        table: String,
    },
    /// polars refused to reshape the cells.
    #[error("feed {feed}: reshaping: {reason}")]
    Reshape {
        /// The feed.
        feed: String,
        /// polars' message.
        reason: String,
    },
    /// The columns do not make a batch.
    #[error("feed {feed}: batch of table {table}: {reason}")]
    Batch {
        /// The feed.
        feed: String,
        /// The table.
        table: String,
        /// Arrow's message.
        reason: String,
    },
}
