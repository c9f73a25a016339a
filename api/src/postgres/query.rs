//! Statements of both protocols, simple and extended.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use arrow_pg::datatypes::into_pg_type;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{Sink, SinkExt, StreamExt, stream};
use gongkai_warehouse::query::TextLimits;
use gongkai_warehouse::query::command::{Command, CopyFormat, commands};
use gongkai_warehouse::query::system;
use pgwire::api::portal::{Format, Portal, PortalExecutionState};
use pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use pgwire::api::results::{DataRowEncoder, FieldFormat, FieldInfo, QueryResponse, Response, Tag};
use pgwire::api::stmt::QueryParser;
use pgwire::api::store::PortalStore;
use pgwire::api::{ClientInfo, ClientPortalStore, ConnectionHandle, DEFAULT_NAME, PgWireConnectionState, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use pgwire::messages::data::DataRow;
use pgwire::messages::extendedquery::{Bind, BindComplete, Close, CloseComplete, Execute, TARGET_TYPE_BYTE_STATEMENT};
use pgwire::messages::response::{NoticeResponse, ReadyForQuery, TransactionStatus};
use pgwire::messages::simplequery::Query;

use super::portal;
use super::rows::{Answer, copy_header, copy_lines, fields, is_plain};
use super::session::{Holds, Kept, Session};
use super::value::text_of;
use super::{aborted, failed, refused};
use crate::http::caller::Asker;
use crate::http::{ApiError, App, answers};
use crate::metrics::Door;
use crate::worker::{Bound, Statement};

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

/// Answers the statements of one connection.
pub struct Queries {
    app: App,
    session: Arc<Session>,
    parser: Arc<Parser>,
}

/// Prepares statements.
pub struct Parser {
    app: App,
    session: Arc<Session>,
}

/// Most of one answer that is gathered before it is sent: one message may ask for several. Chosen: the sixteen statements of a
/// message hold at most 32 MiB together, as much as one answer over HTTP (`query.max_bytes`). More multiplies by sixteen and by
/// the connections; less may refuse the lists of types that drivers ask for.
const GATHERED: Bound = Bound { rows: 20_000, bytes: 2 << 20 };
/// What is reckoned for keeping one column or parameter of a prepared statement: half of what the shelf of descriptions reckons
/// for it, which holds the same schema as long as it is there, and gives it to whoever prepares the statement.
const COLUMN_BYTES: usize = answers::COLUMN_BYTES / 2;

/// Bytes that a prepared statement takes, about.
fn weight(prepared: &Prepared) -> usize {
    match prepared {
        Prepared::Query { sql, parameters, schema } => {
            sql.len() + (parameters.fields().len() + schema.fields().len()) * COLUMN_BYTES
        }
        Prepared::Command(Command::Copy { query, .. }) => query.len(),
        Prepared::Command(_) => 0,
    }
}

fn split(text: &str) -> PgWireResult<Vec<Command>> {
    commands(text, &TextLimits::default()).map_err(|error| refused(&ApiError::new(error.code(), error.to_string())))
}

fn statement(session: &Session, sql: &str, parameters: Vec<Option<String>>) -> Statement {
    Statement { sql: sql.to_owned(), parameters, with_system: true, path: session.path(), ..Statement::default() }
}

fn notice(severity: &str, code: &str, message: &str) -> PgWireBackendMessage {
    let fields = [(b'S', severity), (b'C', code), (b'M', message)];
    let fields = fields.map(|(kind, text)| (kind, text.to_owned())).to_vec();
    PgWireBackendMessage::NoticeResponse(NoticeResponse::new(fields))
}

fn is_aborted<C: ClientInfo>(client: &C) -> bool {
    client.transaction_status() == TransactionStatus::Error
}

/// After an error in a transaction only its end, or the way back to a savepoint, is accepted.
fn may_run<C: ClientInfo>(client: &C, command: &Command) -> PgWireResult<()> {
    match command {
        Command::Commit | Command::Rollback | Command::RollbackTo => Ok(()),
        _ if is_aborted(client) => Err(aborted()),
        _ => Ok(()),
    }
}

fn setting_field(name: &str) -> FieldInfo {
    FieldInfo::new(name.to_owned(), None, None, Type::TEXT, FieldFormat::Text)
}

/// Name of the column that says what was set.
const SET_CONFIG: &str = "set_config";

/// A text as an answer.
fn one_row(name: &str, value: &str) -> PgWireResult<Response> {
    let fields = Arc::new(vec![setting_field(name)]);
    let mut encoder = DataRowEncoder::new(Arc::clone(&fields));
    encoder.encode_field(&value.to_owned())?;
    let row = encoder.take_row();
    Ok(Response::Query(QueryResponse::new(fields, stream::iter([Ok(row)]))))
}

impl Queries {
    /// For one connection.
    pub fn new(app: App, session: Arc<Session>) -> Self {
        let parser = Arc::new(Parser { app: app.clone(), session: Arc::clone(&session) });
        Self { app, session, parser }
    }

    /// What an answer may be that is sent as it comes.
    fn bound(&self) -> Bound {
        let settings = &self.app.instance.config.query;
        Bound { rows: settings.stream_rows, bytes: settings.stream_bytes }
    }

    /// Runs a query, one of its party's. Rows come as the client takes them.
    async fn answer<C: ClientInfo>(
        &self,
        client: &C,
        sql: &str,
        parameters: Vec<Option<String>>,
        bound: Bound,
    ) -> PgWireResult<Answer> {
        let caller = self.session.caller();
        let running = self.app.meter(&caller, Some(client.socket_addr().ip()));
        let running = running.map_err(|error| refused(&error))?;
        let snapshot = self.app.snapshot_at(self.session.as_of().as_deref()).await.map_err(|error| refused(&error))?;
        let timeout = self.session.timeout(self.app.timeout(&caller));
        // One row more tells that there are too many.
        let statement = statement(&self.session, sql, parameters);
        let asked = self.app.ask(Door::Postgres, statement, snapshot, bound.rows + 1, timeout).await;
        Ok(Answer::new(asked.map_err(failed)?, bound, running, connection(client)))
    }

    async fn rows<C: ClientInfo>(&self, client: &C, sql: &str) -> PgWireResult<Response> {
        let answer = self.answer(client, sql, Vec::new(), self.bound()).await?;
        let fields = Arc::new(fields(&answer.schema(), &Format::UnifiedText)?);
        Ok(Response::Query(QueryResponse::new(Arc::clone(&fields), answer.into_rows(fields))))
    }

    /// An answer with its rows at hand, and not many of them. One that is still open keeps a worker, and several would leave
    /// none for the last. The library waits for a cancel of the whole message meanwhile.
    async fn gathered<C: ClientInfo>(&self, client: &C, sql: &str) -> PgWireResult<Response> {
        let answer = self.answer(client, sql, Vec::new(), GATHERED).await?.unwatched();
        let fields = Arc::new(fields(&answer.schema(), &Format::UnifiedText)?);
        let rows: Vec<PgWireResult<DataRow>> = answer.into_rows(Arc::clone(&fields)).collect().await;
        let rows: Vec<DataRow> = rows.into_iter().collect::<PgWireResult<_>>()?;
        Ok(Response::Query(QueryResponse::new(fields, stream::iter(rows.into_iter().map(Ok)))))
    }

    /// Sets something, and says where that has no effect.
    async fn set<C>(&self, client: &mut C, holds: Holds, name: &str, value: Option<&str>) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let kept = self.session.set_for(holds, name, value).map_err(|error| refused(&error))?;
        let message = match kept {
            Kept::Yes => return Ok(()),
            Kept::Unknown => notice("NOTICE", "00000", "this setting is not known here and is ignored"),
            Kept::Nowhere => notice("WARNING", "25P01", "a setting for a transaction is ignored outside of one"),
        };
        client.feed(message).await?;
        Ok(())
    }

    /// Everything but queries.
    async fn command<C>(&self, client: &mut C, command: &Command) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        Ok(match command {
            Command::Query(sql) => self.rows(client, sql).await?,
            Command::Copy { query, format } => self.copy(client, query, *format).await?,
            Command::Set { name, value } => {
                self.set(client, Holds::Always, name, value.as_deref()).await?;
                Response::Execution(Tag::new("SET"))
            }
            Command::SetLocal { name, value } => {
                self.set(client, Holds::InTransaction, name, value.as_deref()).await?;
                Response::Execution(Tag::new("SET"))
            }
            Command::SetConfig { name, value, is_local } => {
                let holds = if *is_local { Holds::InTransaction } else { Holds::Always };
                self.set(client, holds, name, Some(value)).await?;
                one_row(SET_CONFIG, value)?
            }
            Command::Show(name) => {
                let value = self.session.get(name);
                one_row(name, &value.ok_or_else(|| refused(&ApiError::not_found("setting", name)))?)?
            }
            Command::Begin => {
                self.session.begin_transaction();
                Response::TransactionStart(Tag::new("BEGIN"))
            }
            Command::Commit | Command::Rollback => {
                self.session.end_transaction();
                let is_kept = *command == Command::Commit && !is_aborted(client);
                Response::TransactionEnd(Tag::new(if is_kept { "COMMIT" } else { "ROLLBACK" }))
            }
            Command::Savepoint => Response::Execution(Tag::new("SAVEPOINT")),
            Command::Release => Response::Execution(Tag::new("RELEASE")),
            Command::RollbackTo => Response::Execution(Tag::new("ROLLBACK")),
            Command::Close => Response::Execution(Tag::new("CLOSE CURSOR")),
            Command::Unlisten => Response::Execution(Tag::new("UNLISTEN")),
            Command::Discard => {
                for name in self.session.forget_all() {
                    client.portal_store().rm_statement(&name);
                }
                client.portal_store().clear_portals();
                self.session.forget_portals();
                self.session.reset();
                Response::Execution(Tag::new("DISCARD ALL"))
            }
            Command::ResetAll => {
                self.session.reset();
                Response::Execution(Tag::new("RESET"))
            }
            Command::Deallocate(Some(name)) => {
                client.portal_store().rm_statement(name);
                self.session.forget(name);
                Response::Execution(Tag::new("DEALLOCATE"))
            }
            Command::Deallocate(None) => {
                for name in self.session.forget_all() {
                    client.portal_store().rm_statement(&name);
                }
                Response::Execution(Tag::new("DEALLOCATE ALL"))
            }
        })
    }

    /// Sends the rows of a query as lines. What fails half-way ends with an error instead of the end of the copy.
    async fn copy<C>(&self, client: &mut C, query: &str, format: CopyFormat) -> PgWireResult<Response>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let mut answer = self.answer(client, query, Vec::new(), self.bound()).await?.unwatched();
        let columns = answer.schema().fields().len();
        let head = CopyOutResponse::new(0, columns as i16, vec![0; columns]);
        client.send(PgWireBackendMessage::CopyOutResponse(head)).await?;
        if format.has_header {
            let line = copy_header(&answer.schema(), format);
            client.feed(PgWireBackendMessage::CopyData(CopyData::new(line))).await?;
        }
        let mut rows = 0;
        while let Some(batch) = answer.next().await {
            for line in copy_lines(&batch?, format)? {
                rows += 1;
                client.feed(PgWireBackendMessage::CopyData(CopyData::new(line))).await?;
            }
        }
        client.send(PgWireBackendMessage::CopyDone(CopyDone::new())).await?;
        Ok(Response::Execution(Tag::new("COPY").with_rows(rows)))
    }
}

/// How the client cancels what runs on its connection.
fn connection<C: ClientInfo>(client: &C) -> Option<Arc<ConnectionHandle>> {
    let handle = client.session_extensions().get::<Arc<ConnectionHandle>>();
    handle.map(|handle| Arc::clone(handle.as_ref()))
}

/// Back from an error into the transaction, before the library looks at where it stands.
fn go_back<C: ClientInfo>(client: &mut C) {
    if is_aborted(client) {
        client.set_transaction_status(TransactionStatus::Transaction);
    }
}

#[async_trait]
impl SimpleQueryHandler for Queries {
    async fn on_query<C>(&self, client: &mut C, query: Query) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if split(&query.query).is_ok_and(|all| all == [Command::RollbackTo]) {
            go_back(client);
        }
        self._on_query(client, query).await
    }

    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let all = split(query)?;
        let works = |command: &&Command| matches!(command, Command::Query(_) | Command::Copy { .. });
        let reads = |command: &&Command| match command {
            Command::Query(sql) => !system::speaks_of(sql),
            other => works(other),
        };
        let asked = all.iter().filter(works).count();
        // Npgsql sends its questions about types in one message. They are small; other queries come one by one.
        if (asked > 1 && all.iter().any(|command| reads(&command))) || all.len() > 16 {
            return Err(refused(&ApiError::new(
                "statement_not_allowed",
                "a second query in one message is not accepted; send them one by one",
            )));
        }
        if all.is_empty() {
            return Ok(vec![Response::EmptyQuery]);
        }
        let mut responses = Vec::with_capacity(all.len());
        for command in &all {
            may_run(client, command)?;
            responses.push(match command {
                Command::Query(sql) if asked > 1 => self.gathered(client, sql).await?,
                command => self.command(client, command).await?,
            });
        }
        Ok(responses)
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
fn parameter_type(field: &Field) -> PgWireResult<Type> {
    match field.data_type() {
        DataType::Null => Ok(Type::TEXT),
        DataType::List(_) if field.metadata().contains_key(system::OID_ALIAS) => Ok(Type::OID_ARRAY),
        known if is_plain(known) => into_pg_type(known),
        _ => Ok(Type::TEXT),
    }
}

#[async_trait]
impl ExtendedQueryHandler for Queries {
    type Statement = Arc<Prepared>;
    type QueryParser = Parser;

    fn query_parser(&self) -> Arc<Self::QueryParser> {
        Arc::clone(&self.parser)
    }

    async fn on_parse<C>(&self, client: &mut C, message: pgwire::messages::extendedquery::Parse) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        use pgwire::api::stmt::StoredStatement;
        use pgwire::messages::extendedquery::ParseComplete;

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
        use pgwire::api::store::Entry;

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
                    return Err(super::malformed(detail));
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

    async fn on_sync<C>(&self, client: &mut C, _: pgwire::messages::extendedquery::Sync) -> PgWireResult<()>
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
        use pgwire::api::store::Entry;

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
            return Err(super::stale());
        }
        let fields = Arc::new(fields(schema, &portal.result_column_format)?);
        Ok(Response::Query(QueryResponse::new(Arc::clone(&fields), answer.into_rows(fields))))
    }
}
