//! Statements that are prepared.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use arrow_pg::datatypes::into_pg_type;
use async_trait::async_trait;
use gongkai_warehouse::query::command::Command;
use gongkai_warehouse::query::system;
use pgwire::api::portal::Format;
use pgwire::api::results::FieldInfo;
use pgwire::api::stmt::QueryParser;
use pgwire::api::{ClientInfo, Type};
use pgwire::error::PgWireResult;

use super::query::{SET_CONFIG, setting_field, split, statement};
use super::refused;
use super::rows::{fields, is_plain};
use super::session::Session;
use crate::http::caller::Asker;
use crate::http::{ApiError, App, answers};

/// A statement as it was prepared.
#[derive(Debug)]
pub enum Prepared {
    /// A query, with its parameters and columns.
    Query {
        /// The text.
        sql: String,
        /// Parameters.
        parameters: SchemaRef,
        /// Columns.
        schema: SchemaRef,
    },
    /// Anything else that a session may say.
    Command(Command),
}

/// Prepares statements.
pub struct Parser {
    app: App,
    session: Arc<Session>,
}

impl Parser {
    /// For one connection.
    pub fn new(app: App, session: Arc<Session>) -> Self {
        Self { app, session }
    }
}

/// What is reckoned for keeping one column or parameter of a prepared statement: half of what the shelf of descriptions reckons
/// for it, which holds the same schema as long as it is there, and gives it to whoever prepares the statement.
pub(super) const COLUMN_BYTES: usize = answers::COLUMN_BYTES / 2;

/// Bytes that a prepared statement takes, about.
pub(super) fn weight(prepared: &Prepared) -> usize {
    match prepared {
        Prepared::Query { sql, parameters, schema } => {
            sql.len() + (parameters.fields().len() + schema.fields().len()) * COLUMN_BYTES
        }
        Prepared::Command(Command::Copy { query, .. }) => query.len(),
        Prepared::Command(_) => 0,
    }
}

#[async_trait]
impl QueryParser for Parser {
    type Statement = Arc<Prepared>;

    async fn parse_sql<C>(&self, client: &C, sql: &str, _: &[Option<Type>]) -> PgWireResult<Option<Self::Statement>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let mut all = split(sql)?;
        if all.len() > 1 {
            return Err(refused(&ApiError::new("statement_not_allowed", "a second statement is not accepted here")));
        }
        let Some(command) = all.pop() else { return Ok(None) };
        let Command::Query(sql) = command else { return Ok(Some(Arc::new(Prepared::Command(command)))) };
        let snapshot = self.app.snapshot_at(self.session.as_of().as_deref()).await.map_err(|error| refused(&error))?;
        let asker = Asker { caller: self.session.caller(), address: Some(client.socket_addr().ip()) };
        let timeout = self.session.timeout(self.app.timeout(&asker.caller));
        let described = self.app.describe(&asker, statement(&self.session, &sql, Vec::new()), snapshot, timeout).await;
        let described = described.map_err(|error| refused(&error))?;
        let (parameters, schema) = (described.parameters, described.schema);
        Ok(Some(Arc::new(Prepared::Query { sql, parameters, schema })))
    }

    fn get_parameter_types(&self, statement: &Self::Statement) -> PgWireResult<Vec<Type>> {
        let Prepared::Query { parameters, .. } = statement.as_ref() else { return Ok(Vec::new()) };
        parameters.fields().iter().map(|field| parameter_type(field)).collect()
    }

    fn get_result_schema(&self, statement: &Self::Statement, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        match statement.as_ref() {
            Prepared::Query { schema, .. } => fields(schema, format.unwrap_or(&Format::UnifiedText)),
            Prepared::Command(Command::Show(name)) => Ok(vec![setting_field(name)]),
            Prepared::Command(Command::SetConfig { .. }) => Ok(vec![setting_field(SET_CONFIG)]),
            Prepared::Command(_) => Ok(Vec::new()),
        }
    }
}

/// The type that a client is told for a parameter: text where nothing decides, and for lists of lists, which are none here.
pub(super) fn parameter_type(field: &Field) -> PgWireResult<Type> {
    match field.data_type() {
        DataType::Null => Ok(Type::TEXT),
        DataType::List(_) if field.metadata().contains_key(system::OID_ALIAS) => Ok(Type::OID_ARRAY),
        known if is_plain(known) => into_pg_type(known),
        _ => Ok(Type::TEXT),
    }
}
