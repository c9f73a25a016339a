//! What a connection may ask, and the simple protocol.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{Sink, SinkExt, StreamExt, stream};
use gongkai_warehouse::query::TextLimits;
use gongkai_warehouse::query::command::{Command, CopyFormat, commands};
use gongkai_warehouse::query::system;
use pgwire::api::portal::Format;
use pgwire::api::query::SimpleQueryHandler;
use pgwire::api::results::{DataRowEncoder, FieldFormat, FieldInfo, QueryResponse, Response, Tag};
use pgwire::api::store::PortalStore;
use pgwire::api::{ClientInfo, ClientPortalStore, ConnectionHandle, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use pgwire::messages::data::DataRow;
use pgwire::messages::response::{NoticeResponse, TransactionStatus};
use pgwire::messages::simplequery::Query;

use super::prepared::Parser;
use super::rows::{Answer, copy_header, copy_lines, fields};
use super::session::{Holds, Kept, Session};
use super::{aborted, failed, refused};
use crate::http::{ApiError, App};
use crate::metrics::Door;
use crate::worker::{Bound, Statement};

/// Answers the statements of one connection.
pub struct Queries {
    pub(super) app: App,
    pub(super) session: Arc<Session>,
    pub(super) parser: Arc<Parser>,
}

/// Most of one answer that is gathered before it is sent: one message may ask for several. Chosen: the sixteen statements of a
/// message hold at most 32 MiB together, as much as one answer over HTTP (`query.max_bytes`). More multiplies by sixteen and by
/// the connections; less may refuse the lists of types that drivers ask for.
const GATHERED: Bound = Bound { rows: 20_000, bytes: 2 << 20 };
pub(super) fn split(text: &str) -> PgWireResult<Vec<Command>> {
    commands(text, &TextLimits::default()).map_err(|error| refused(&ApiError::new(error.code(), error.to_string())))
}

pub(super) fn statement(session: &Session, sql: &str, parameters: Vec<Option<String>>) -> Statement {
    let role = session.caller().role().into();
    Statement { sql: sql.to_owned(), parameters, role, with_system: true, path: session.path(), ..Statement::default() }
}

fn notice(severity: &str, code: &str, message: &str) -> PgWireBackendMessage {
    let fields = [(b'S', severity), (b'C', code), (b'M', message)];
    let fields = fields.map(|(kind, text)| (kind, text.to_owned())).to_vec();
    PgWireBackendMessage::NoticeResponse(NoticeResponse::new(fields))
}

pub(super) fn is_aborted<C: ClientInfo>(client: &C) -> bool {
    client.transaction_status() == TransactionStatus::Error
}

/// After an error in a transaction only its end, or the way back to a savepoint, is accepted.
pub(super) fn may_run<C: ClientInfo>(client: &C, command: &Command) -> PgWireResult<()> {
    match command {
        Command::Commit | Command::Rollback | Command::RollbackTo => Ok(()),
        _ if is_aborted(client) => Err(aborted()),
        _ => Ok(()),
    }
}

pub(super) fn setting_field(name: &str) -> FieldInfo {
    FieldInfo::new(name.to_owned(), None, None, Type::TEXT, FieldFormat::Text)
}

/// Name of the column that says what was set.
pub(super) const SET_CONFIG: &str = "set_config";

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
        let parser = Arc::new(Parser::new(app.clone(), Arc::clone(&session)));
        Self { app, session, parser }
    }

    /// What an answer may be that is sent as it comes.
    pub(super) fn bound(&self) -> Bound {
        let settings = &self.app.instance.config.query;
        Bound { rows: settings.stream_rows, bytes: settings.stream_bytes }
    }

    /// Runs a query, one of its party's. Rows come as the client takes them.
    pub(super) async fn answer<C: ClientInfo>(
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
    pub(super) async fn command<C>(&self, client: &mut C, command: &Command) -> PgWireResult<Response>
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
pub(super) fn connection<C: ClientInfo>(client: &C) -> Option<Arc<ConnectionHandle>> {
    let handle = client.session_extensions().get::<Arc<ConnectionHandle>>();
    handle.map(|handle| Arc::clone(handle.as_ref()))
}

/// Back from an error into the transaction, before the library looks at where it stands.
pub(super) fn go_back<C: ClientInfo>(client: &mut C) {
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
