//! The extended protocol: statements are prepared, bound and executed.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{Sink, SinkExt};
use gongkai_warehouse::query::command::Command;
use pgwire::api::portal::{Portal, PortalExecutionState};
use pgwire::api::query::ExtendedQueryHandler;
use pgwire::api::results::{QueryResponse, Response};
use pgwire::api::stmt::StoredStatement;
use pgwire::api::store::{Entry, PortalStore};
use pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, PgWireConnectionState, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Execute, Parse, ParseComplete, Sync as SyncMessage,
    TARGET_TYPE_BYTE_STATEMENT,
};
use pgwire::messages::response::{ReadyForQuery, TransactionStatus};

use super::prepared::{COLUMN_BYTES, Parser, Prepared, parameter_type, weight};
use super::query::{Queries, connection, go_back, is_aborted, may_run};
use super::rows::fields;
use super::value::text_of;
use super::{aborted, malformed, portal, refused, stale};
use crate::http::ApiError;

#[async_trait]
impl ExtendedQueryHandler for Queries {
    type Statement = Arc<Prepared>;
    type QueryParser = Parser;

    fn query_parser(&self) -> Arc<Self::QueryParser> {
        Arc::clone(&self.parser)
    }

    async fn on_parse<C>(&self, client: &mut C, message: Parse) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.clone().unwrap_or_else(|| DEFAULT_NAME.to_owned());
        let parsed = StoredStatement::parse(client, &message, self.query_parser()).await?;
        let known = parsed.as_ref().map_or(0, |parsed| weight(&parsed.statement));
        let bytes = message.query.len() + message.type_oids.len() * COLUMN_BYTES + known;
        self.session.prepare(&name, bytes).map_err(|error| refused(&error))?;
        match parsed {
            Some(parsed) => client.portal_store().put_statement(Arc::new(parsed)),
            None => client.portal_store().put_empty_statement(&name),
        }
        client.send(PgWireBackendMessage::ParseComplete(ParseComplete::new())).await?;
        Ok(())
    }

    async fn on_bind<C>(&self, client: &mut C, message: Bind) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        // The library looks a format up by the number of its parameter, whether the client sent one for it or not.
        let (formats, values) = (message.parameter_format_codes.len(), message.parameters.len());
        if formats > 1 && formats != values {
            let found = formats.to_string();
            return Err(refused(&ApiError::parameter("parameter formats", &found, "none, one, or one for each value")));
        }
        let name = message.statement_name.as_deref().unwrap_or(DEFAULT_NAME);
        let portal_name = message.portal_name.as_deref().unwrap_or(DEFAULT_NAME);
        match client.portal_store().get_statement(name) {
            Some(Entry::Value(statement)) => {
                let expected = match statement.statement.as_ref() {
                    Prepared::Query { parameters, .. } => parameters.fields().len(),
                    Prepared::Command(_) => 0,
                };
                if values != expected {
                    let detail = format!("{values} values were given, and the statement has {expected} parameters");
                    return Err(malformed(detail));
                }
                let given: usize = message.parameters.iter().flatten().map(Bytes::len).sum();
                let formats = (formats + message.result_column_format_codes.len()) * size_of::<i16>();
                let bytes = given + formats + weight(&statement.statement);
                self.session.bind(portal_name, bytes).map_err(|error| refused(&error))?;
                let mut portal = Portal::try_new(&message, statement)?;
                // A part of a message keeps all that was read with it.
                for value in portal.parameters.iter_mut().flatten() {
                    *value = Bytes::copy_from_slice(value);
                }
                client.portal_store().put_portal(Arc::new(portal));
            }
            Some(Entry::Empty) => {
                self.session.bind(portal_name, 0).map_err(|error| refused(&error))?;
                client.portal_store().put_empty_portal(portal_name);
            }
            None => return Err(PgWireError::StatementNotFound(name.to_owned())),
        }
        client.send(PgWireBackendMessage::BindComplete(BindComplete::new())).await?;
        Ok(())
    }

    async fn on_close<C>(&self, client: &mut C, message: Close) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        if message.target_type == TARGET_TYPE_BYTE_STATEMENT {
            client.portal_store().rm_statement(name);
            self.session.forget(name);
        } else {
            client.portal_store().rm_portal(name);
            self.session.forget_portal(name);
        }
        client.send(PgWireBackendMessage::CloseComplete(CloseComplete::new())).await?;
        Ok(())
    }

    async fn on_sync<C>(&self, client: &mut C, _: SyncMessage) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let status = client.transaction_status();
        if status == TransactionStatus::Idle {
            // Portals live as long as their transaction.
            client.portal_store().clear_portals();
            self.session.forget_portals();
        } else {
            client.portal_store().rm_portal(DEFAULT_NAME);
            self.session.forget_portal(DEFAULT_NAME);
        }
        client.send(PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(status))).await?;
        Ok(())
    }

    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let Some(Entry::Value(portal)) = client.portal_store().get_portal(name) else {
            return self._on_execute(client, message).await;
        };
        match portal.statement.statement.as_ref() {
            Prepared::Query { .. } => {}
            Prepared::Command(command) => {
                if *command == Command::RollbackTo {
                    go_back(client);
                }
                return self._on_execute(client, message).await;
            }
        }
        // The library gathers all rows before it sends the first, and sets memory aside for as many as the client asks for.
        if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            return Err(PgWireError::NotReadyForQuery);
        }
        client.set_state(PgWireConnectionState::QueryInProgress);
        let state = portal.state();
        let mut state = state.lock().await;
        if matches!(*state, PortalExecutionState::Initial) {
            let handle = connection(client);
            let told = async move {
                match handle {
                    Some(handle) => handle.start_query().await.await.is_ok(),
                    None => false,
                }
            };
            let asked = tokio::select! {
                biased;
                true = told => return Err(PgWireError::QueryCanceled),
                asked = ExtendedQueryHandler::do_query(self, client, &portal, 0) => asked?,
            };
            let Response::Query(rows) = asked else {
                return Err(refused(&ApiError::new("internal", "a query has no rows")));
            };
            *state = PortalExecutionState::Suspended(rows);
        }
        portal::send(client, &mut state, message.max_rows).await?;
        client.set_state(PgWireConnectionState::ReadyForQuery);
        Ok(())
    }

    async fn do_query<C>(&self, client: &mut C, portal: &Portal<Self::Statement>, _: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let (sql, parameters, schema) = match portal.statement.statement.as_ref() {
            Prepared::Query { .. } if is_aborted(client) => return Err(aborted()),
            Prepared::Query { sql, parameters, schema } => (sql, parameters, schema),
            Prepared::Command(command) => {
                may_run(client, command)?;
                return self.command(client, command).await;
            }
        };
        let mut texts = Vec::with_capacity(portal.parameters.len());
        for index in 0..portal.parameters.len() {
            let named = portal.statement.parameter_types.get(index).cloned().flatten();
            let of_type = match (named, parameters.fields().get(index)) {
                (Some(named), _) => named,
                (None, Some(field)) => parameter_type(field)?,
                (None, None) => Type::TEXT,
            };
            texts.push(text_of(portal, index, &of_type)?);
        }
        let answer = self.answer(client, sql, texts, self.bound()).await?;
        let types = |schema: &SchemaRef| -> Vec<DataType> {
            schema.fields().iter().map(|field| field.data_type().clone()).collect()
        };
        if types(&answer.schema()) != types(schema) {
            // The releases changed in between, and with them what a column is.
            return Err(stale());
        }
        let fields = Arc::new(fields(schema, &portal.result_column_format)?);
        Ok(Response::Query(QueryResponse::new(Arc::clone(&fields), answer.into_rows(fields))))
    }
}
