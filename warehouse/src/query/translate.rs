//! What the engine's errors mean to a caller.
//!
//! The engine writes for its developers: row values in cast errors, lists of consumers in memory errors,
//! suggestions of names, addresses of files. Each kind of error is answered here with words of our own; of
//! the planner's texts the first line is kept, cut before any suggestion, because it quotes the statement and
//! not the data.

use std::error::Error;
use std::io;

use datafusion::arrow::error::ArrowError;
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;

use super::error::{Dimension, QueryError, excerpt};

impl QueryError {
    /// A failure of the engine or the storage: nothing that the statement could have avoided.
    pub fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Internal { source: Box::new(source) }
    }
}

/// An error that came out of a result stream.
impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        execution(error)
    }
}

/// An error found while reading the statement: its text is about the statement.
pub(super) fn planning(error: DataFusionError) -> QueryError {
    match error {
        DataFusionError::External(source) => own(source),
        DataFusionError::Context(_, source) | DataFusionError::Diagnostic(_, source) => planning(*source),
        DataFusionError::Collection(errors) => first(errors, planning),
        DataFusionError::SQL(source, _) => parser(&source),
        DataFusionError::SchemaError(source, _) => schema(&source),
        DataFusionError::Plan(text) => planner_text(&text),
        DataFusionError::NotImplemented(text) => {
            QueryError::syntax(format!("not supported: {}", without_suggestions(&text)))
        }
        other => execution(other),
    }
}

/// An error found while running: its text may hold values, so none of it is kept.
pub(super) fn execution(error: DataFusionError) -> QueryError {
    match error {
        DataFusionError::External(source) => own(source),
        DataFusionError::Context(_, source) | DataFusionError::Diagnostic(_, source) => execution(*source),
        DataFusionError::Collection(errors) => first(errors, execution),
        DataFusionError::Shared(source) => shared(&source),
        DataFusionError::ResourcesExhausted(text) => resources(&text),
        DataFusionError::ArrowError(source, _) => arrow(*source),
        DataFusionError::IoError(source) => input(source),
        DataFusionError::Execution(text) => QueryError::Failed { reason: execution_reason(&text) },
        DataFusionError::SQL(..) | DataFusionError::SchemaError(..) => planning(error),
        // Functions raise it for values too.
        DataFusionError::Plan(_) => QueryError::Failed { reason: "a function does not accept a value" },
        DataFusionError::NotImplemented(_) => QueryError::Failed { reason: "an operation is not supported" },
        other => QueryError::internal(other),
    }
}

fn first(errors: Vec<DataFusionError>, translate: fn(DataFusionError) -> QueryError) -> QueryError {
    let none = || DataFusionError::Internal("an empty collection of errors".into());
    translate(errors.into_iter().next().unwrap_or_else(none))
}

/// One of our own errors that travelled through the engine, or a foreign one.
fn own(source: Box<dyn Error + Send + Sync>) -> QueryError {
    match source.downcast::<QueryError>() {
        Ok(error) => *error,
        Err(source) if is_unreadable_expression(&source.to_string()) => QueryError::Failed { reason: UNREADABLE },
        Err(source) => QueryError::Internal { source },
    }
}

/// What is said of a regular expression that is refused, wherever that is noticed.
const UNREADABLE: &str = "a regular expression cannot be read";

/// The sentences of the crate for regular expressions: not well-formed, nested too deeply, or too large. Its errors travel as
/// foreign ones.
fn is_unreadable_expression(text: &str) -> bool {
    text.contains("regex parse error") || text.contains("egex exceeds size limit")
}

/// An error that several partitions hold, so that it cannot be taken apart.
fn shared(error: &DataFusionError) -> QueryError {
    let root = error.find_root();
    if let DataFusionError::External(source) = root {
        match source.downcast_ref::<QueryError>() {
            Some(QueryError::Memory) => return QueryError::Memory,
            Some(QueryError::Failed { reason }) => return QueryError::Failed { reason },
            _ => {}
        }
    }
    match root {
        DataFusionError::ResourcesExhausted(text) => resources(text),
        DataFusionError::ArrowError(source, _) if is_full_disk(&source.to_string()) => QueryError::Disk,
        DataFusionError::ArrowError(source, _) => QueryError::Failed { reason: arrow_reason(source) },
        DataFusionError::Execution(text) => QueryError::Failed { reason: execution_reason(text) },
        other if is_full_disk(&other.to_string()) => QueryError::Disk,
        other if is_unreadable_expression(&other.to_string()) => QueryError::Failed { reason: UNREADABLE },
        other => QueryError::Internal { source: other.to_string().into() },
    }
}

fn parser(error: &ParserError) -> QueryError {
    match error {
        ParserError::RecursionLimitExceeded => {
            QueryError::TooComplex { dimension: Dimension::Recursion, found: 51, limit: 50 }
        }
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => QueryError::syntax(text),
    }
}

fn schema(error: &SchemaError) -> QueryError {
    match error {
        SchemaError::FieldNotFound { field, .. } => QueryError::ColumnNotFound { name: excerpt(&field.flat_name()) },
        SchemaError::AmbiguousReference { field } => {
            let name = field.flat_name();
            QueryError::syntax(format!("column {name} is in more than one table; write table.column"))
        }
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
            QueryError::syntax(format!("the name {name} stands for more than one column; give one of them an alias"))
        }
    }
}

fn planner_text(text: &str) -> QueryError {
    if let Some(rest) = text.strip_prefix("Invalid function '") {
        let name = rest.split('\'').next().unwrap_or_default();
        return QueryError::FunctionNotAllowed { name: excerpt(name) };
    }
    QueryError::syntax(without_suggestions(text))
}

/// The first line, up to where the engine starts to guess.
fn without_suggestions(text: &str) -> &str {
    let mut line = text.lines().next().unwrap_or_default();
    for guess in ["Did you mean", "Valid fields are", "No function matches", "Candidate functions", "You might need"] {
        line = line.split(guess).next().unwrap_or_default();
    }
    line.trim_end_matches([' ', '.', ','])
}

/// Without a spill folder the engine reports a full pool as a missing disk.
fn resources(text: &str) -> QueryError {
    if is_full_disk(text) { QueryError::Disk } else { QueryError::Memory }
}

/// The engine's sentence when spilled rows exceed their cap; it travels as an input error without a kind.
fn is_full_disk(text: &str) -> bool {
    text.contains("used disk space")
}

fn input(error: io::Error) -> QueryError {
    let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    if is_full || is_full_disk(&error.to_string()) { QueryError::Disk } else { QueryError::internal(error) }
}

fn arrow(error: ArrowError) -> QueryError {
    match error {
        ArrowError::ExternalError(source) => match source.downcast::<DataFusionError>() {
            Ok(error) => execution(*error),
            Err(source) => own(source),
        },
        ArrowError::MemoryError(_) => QueryError::Memory,
        ArrowError::IoError(_, source) => input(source),
        ArrowError::SchemaError(_)
        | ArrowError::IpcError(_)
        | ArrowError::ParquetError(_)
        | ArrowError::CDataInterface(_) => QueryError::internal(error),
        other => QueryError::Failed { reason: arrow_reason(&other) },
    }
}

fn arrow_reason(error: &ArrowError) -> &'static str {
    match error {
        ArrowError::DivideByZero => "division by zero",
        ArrowError::ArithmeticOverflow(_) => "a number is too large for its type",
        ArrowError::CastError(_) | ArrowError::ParseError(_) => {
            "a value cannot be converted to the type asked for; TRY_CAST gives NULL instead"
        }
        ArrowError::InvalidArgumentError(_) | ArrowError::ComputeError(_) => {
            "a value is outside what an operation accepts"
        }
        ArrowError::OffsetOverflowError(_) => "a column of texts grew beyond 2 GiB",
        _ => "an operation does not accept its input",
    }
}

fn execution_reason(text: &str) -> &'static str {
    if text.contains("more than one row") {
        "a subquery used as a value gave more than one row"
    } else if text.contains("ivide by zero") {
        "division by zero"
    } else if text.contains("verflow") {
        "a number is too large for its type"
    } else if text.contains("regular expression") || text.contains("regex") {
        UNREADABLE
    } else {
        "a function does not accept a value"
    }
}
