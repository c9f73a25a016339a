//! Why a query was refused or failed, in words that may leave the house.
//!
//! The text of every variant is public: it says what was found and what is accepted, and carries no path,
//! no row value and no name that the caller did not type or may not see. What the engine really said is in
//! [`QueryError::Internal`]'s source, for logs.

use std::error::Error;
use std::fmt;

/// A quantity that limits bound before a statement is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Length of the statement in bytes.
    Bytes,
    /// Tokens, white space and comments left out.
    Tokens,
    /// Depth of brackets, prefix operators and `CASE` together.
    Nesting,
    /// Depth of function calls, lists, structs and `CASE` inside each other.
    FunctionNesting,
    /// Depth of queries inside each other.
    QueryNesting,
    /// Prefix operators in a row.
    PrefixRun,
    /// Operators in the whole statement.
    Operators,
    /// Casts written with `::`.
    Casts,
    /// Length of one string in bytes.
    StringBytes,
    /// `UNION`, `INTERSECT` and `EXCEPT` in the whole statement.
    SetOperations,
    /// Relations, each common table expression counted at every reference.
    Relations,
    /// Grouping sets after `CUBE` and `ROLLUP` are written out.
    GroupingSets,
    /// Columns of the result.
    OutputColumns,
    /// What the parser or planner counts for itself.
    Recursion,
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::Tokens => "tokens",
            Self::Nesting => "levels of nesting",
            Self::FunctionNesting => "levels of function calls, lists or CASE",
            Self::QueryNesting => "levels of subqueries",
            Self::PrefixRun => "prefix operators in a row",
            Self::Operators => "operators",
            Self::Casts => "casts with ::",
            Self::StringBytes => "bytes in one string",
            Self::SetOperations => "set operations",
            Self::Relations => "relations",
            Self::GroupingSets => "grouping sets",
            Self::OutputColumns => "result columns",
            Self::Recursion => "levels of recursion",
        })
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The text is not SQL, or means nothing to the planner.
    #[error("{detail}")]
    Syntax {
        /// What is wrong.
        detail: String,
    },
    /// Brackets do not match, found before parsing.
    #[error("brackets do not match at line {line}, column {column}; every ( [ {{ needs its counterpart")]
    Unbalanced {
        /// Line, from 1.
        line: u64,
        /// Column, from 1.
        column: u64,
    },
    /// A limit on the statement itself.
    #[error("the statement has {found} {dimension}; at most {limit} are accepted")]
    TooComplex {
        /// What was counted.
        dimension: Dimension,
        /// How many were found, or the first number beyond the limit.
        found: usize,
        /// How many are accepted.
        limit: usize,
    },
    /// Not a query, or a form of query that is switched off.
    #[error("{found} is not accepted; expected one SELECT, optionally below EXPLAIN")]
    StatementNotAllowed {
        /// What was found.
        found: String,
    },
    /// A function that does not exist here.
    #[error("function {name} is not available; the documentation lists the functions that are")]
    FunctionNotAllowed {
        /// The name as typed.
        name: String,
    },
    /// A table that does not exist for this caller.
    #[error("table {name} does not exist; catalog.table lists those that do")]
    TableNotFound {
        /// The name as typed.
        name: String,
    },
    /// A column that none of the tables in the statement has.
    #[error("column {name} does not exist in the tables of the statement; catalog.column lists those that do")]
    ColumnNotFound {
        /// The name as typed.
        name: String,
    },
    /// The data and the statement do not go together: division by zero, overflow, a failed cast.
    #[error("the query failed: {reason}")]
    Failed {
        /// What happened, without values.
        reason: &'static str,
    },
    /// The deadline passed.
    #[error("the query was stopped after {limit_ms} ms; a filter or a smaller period makes it faster")]
    Timeout {
        /// The deadline in milliseconds.
        limit_ms: u64,
    },
    /// The memory allowed for one query is used up.
    #[error("the query needs more memory than one query may use; group or filter more")]
    Memory,
    /// The disk space allowed for one query is used up.
    #[error("the query needs more temporary disk space than one query may use; filter before sorting or joining")]
    Disk,
    /// More bytes would be read than one query may read.
    #[error("the query would read {bytes} bytes of data; at most {limit} are accepted: name a release or add a filter")]
    TooWide {
        /// Bytes of the files that the plan reads.
        bytes: u64,
        /// Bytes accepted.
        limit: u64,
    },
    /// More rows or bytes came out than were asked for or are allowed.
    #[error("the result has more than {limit} {unit}; add LIMIT, or download the release")]
    ResultTooLarge {
        /// How many are accepted.
        limit: u64,
        /// `rows` or `bytes`.
        unit: &'static str,
    },
    /// Our fault.
    #[error("the query could not be run because of an internal error")]
    Internal {
        /// What the engine said; for logs, never for callers.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl QueryError {
    /// The stable code of the error, the same on every protocol.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "sql_syntax",
            Self::Unbalanced { .. } | Self::TooComplex { .. } => "sql_too_complex",
            Self::StatementNotAllowed { .. } => "statement_not_allowed",
            Self::FunctionNotAllowed { .. } => "function_not_allowed",
            Self::TableNotFound { .. } => "table_not_found",
            Self::ColumnNotFound { .. } => "column_not_found",
            Self::Failed { .. } => "query_failed",
            Self::Timeout { .. } => "query_timeout",
            Self::Memory => "query_memory",
            Self::Disk => "query_disk",
            Self::TooWide { .. } => "query_too_wide",
            Self::ResultTooLarge { .. } => "result_too_large",
            Self::Internal { .. } => "internal",
        }
    }

    pub(super) fn syntax(detail: impl AsRef<str>) -> Self {
        Self::Syntax { detail: excerpt(detail.as_ref()) }
    }

    pub(super) fn not_allowed(found: impl AsRef<str>) -> Self {
        Self::StatementNotAllowed { found: excerpt(found.as_ref()) }
    }
}

/// The most of a statement or of a planner's text that an error repeats, in bytes.
pub(super) const EXCERPT_BYTES: usize = 200;

/// The start of a text, cut at a character, control characters made blanks.
pub(super) fn excerpt(text: &str) -> String {
    let mut end = text.len().min(EXCERPT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
