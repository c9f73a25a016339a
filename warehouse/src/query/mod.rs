//! The one door for SQL: a statement and a [`Snapshot`](crate::Snapshot) go in, an Arrow stream comes out.
//!
//! Every protocol asks here, so a statement means the same behind each of them. The way through has five
//! stages, and nothing skips one:
//!
//! 1. [`scan`] counts bytes, tokens, brackets and operators without parsing, because the parser itself can be
//!    made to run for hours by 157 bytes. Only it makes a [`ScannedStatement`], and only that can be planned.
//! 2. The syntax tree must be one query, perhaps below `EXPLAIN`. Relations are counted with common table
//!    expressions multiplied out, grouping sets with `CUBE` multiplied out.
//! 3. Names resolve in a catalogue that holds what the caller may see and nothing else: a hidden table and one
//!    that was never there are the same case, not two cases with the same answer.
//! 4. The logical plan may contain listed node kinds and listed functions only. The registry holds the same
//!    list, but expression planners reach functions past the registry.
//! 5. Files are read through a store that knows `releases/…/data.parquet` and cannot write.
//!
//! What it refuses: everything that is not a query, every function outside [`functions`], recursion, table
//! functions, files by name. What it does not do: bound time and memory for certain. Planning and single
//! function calls never yield, and some operators reserve memory late, so the caller runs this in a process
//! that it can kill.
//!
//! Invariant: a result depends on the statement, the snapshot, the parameters and the clock (for `now()`).
//! No state passes from one query to the next except cached Parquet footers of immutable files.

mod air_functions;
mod capped;
pub mod command;
mod day_functions;
mod derive;
mod dictionary;
mod engine;
mod error;
mod explain;
mod function;
pub mod functions;
mod kept_rows;
mod list_text;
mod names;
mod parameter;
mod plan;
mod read_only;
mod region_functions;
mod released_table;
mod scan;
mod search_path;
mod session;
mod statement;
mod sums;
pub mod system;
mod tokens;
mod translate;
mod unit_functions;
mod walk;

#[cfg(test)]
pub(crate) mod tests;

pub use dictionary::{View, ViewColumn, described_views};
pub use engine::{QueryEngine, shown_tables};
pub use error::{Dimension, QueryError};
pub use list_text::write_list;
pub use names::CATALOG as CATALOG_NAME;
pub use plan::{DescribedQuery, PlannedQuery, ResultColumn};
pub use scan::{ScannedStatement, TextLimits, scan};
pub use search_path::SearchPath;
pub use session::{EngineSettings, QueryOptions, Role};
pub use system::ShownTable;
