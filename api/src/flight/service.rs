//! The calls.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
    CommandPreparedStatementQuery, CommandStatementQuery, DoPutPreparedStatementResult, ProstMessageExt, SqlInfo,
    TicketStatementQuery,
};
use arrow_flight::{
    Action, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse, IpcMessage, SchemaAsIpc,
    Ticket,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use gongkai_warehouse::query::{ShownTable, shown_tables};
use prost::Message;
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request, Response, Status, Streaming};

use super::connection::Client;
use super::ticket::Handle;
use super::{SENDING, VALUES_BYTES, failed, metadata, refused};
use crate::access::Keys;
use crate::http::caller::Asker;
use crate::http::{ApiError, App};
use crate::metrics::Door;
use crate::worker::{Bound, Description, Statement};

/// Header that names the time that statements are about.
const AS_OF: &str = "gongkai-as-of";

type DoGet = Response<<Flight as FlightService>::DoGetStream>;

/// The service.
#[derive(Clone)]
pub struct Flight {
    app: App,
    is_secure: bool,
    tables: Arc<OnceLock<Vec<ShownTable>>>,
}

/// The address of a connection.
fn address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Client>().map(|client| client.address.ip())
}

impl Flight {
    /// Over the application; whether connections are encrypted decides whether keys are taken.
    pub fn new(app: App, is_secure: bool) -> Self {
        Self { app, is_secure, tables: Arc::default() }
    }

    async fn asker(&self, metadata: &MetadataMap, extensions: &Extensions) -> Result<Asker, Status> {
        let headers = metadata.clone().into_headers();
        let address = address(extensions);
        if headers.contains_key("authorization") {
            self.takes_keys(address)?;
        }
        let caller = self.app.caller(&headers, address).await.map_err(|error| refused(&error))?;
        Ok(Asker { caller, address })
    }

    fn takes_keys(&self, address: Option<IpAddr>) -> Result<(), Status> {
        if self.is_secure || address.is_some_and(|address| address.is_loopback()) {
            return Ok(());
        }
        Err(refused(&ApiError::new("unauthorized", "keys are taken over TLS only; connect with grpc+tls")))
    }

    fn tables(&self) -> Result<&[ShownTable], Status> {
        if self.tables.get().is_none() {
            let definitions = &self.app.instance.definitions;
            let shown = shown_tables(&definitions.catalog, &definitions.derived);
            let shown = shown.map_err(|error| refused(&ApiError::internal(&error)))?;
            // Somebody else may have been faster; theirs are the same.
            let _ = self.tables.set(shown);
        }
        Ok(self.tables.get().map(Vec::as_slice).unwrap_or_default())
    }

    async fn describe(&self, handle: &Handle, asker: &Asker) -> Result<Description, Status> {
        let snapshot = self.app.snapshot_at(handle.as_of.as_deref()).await.map_err(|error| refused(&error))?;
        let role = asker.caller.role().into();
        let statement = Statement { sql: handle.sql.clone(), role, ..Statement::default() };
        let described = self.app.describe(asker, statement, snapshot, self.app.timeout(&asker.caller)).await;
        described.map_err(|error| refused(&error))
    }

    /// Runs the statement of a handle. Rows come as the client takes them, for which it has the time of the query and some more.
    async fn rows(&self, handle: Handle, asker: &Asker, extensions: &Extensions) -> Result<DoGet, Status> {
        let running = self.app.meter(&asker.caller, asker.address).map_err(|error| refused(&error))?;
        let snapshot = self.app.snapshot_at(handle.as_of.as_deref()).await.map_err(|error| refused(&error))?;
        let settings = &self.app.instance.config.query;
        let bound = Bound { rows: settings.stream_rows, bytes: settings.stream_bytes };
        let role = asker.caller.role().into();
        let statement = Statement { sql: handle.sql, values: handle.values, role, ..Statement::default() };
        let timeout = self.app.timeout(&asker.caller);
        let asked = self.app.ask(Door::Flight, statement, snapshot, bound.rows + 1, timeout).await;
        let answer = asked.map_err(failed)?;
        let schema = announced(&answer.schema);
        let given = extensions.get::<Client>().map(|client| client.give(timeout + SENDING));
        let state = (answer, (running, given), Arc::clone(&schema));
        let batches = futures::stream::unfold(state, move |(mut answer, held, schema)| async move {
            let batch = answer.next_within(bound).await?.map_err(|failure| FlightError::from(failed(failure)));
            let batch = batch.and_then(|batch| batch.with_schema(Arc::clone(&schema)).map_err(FlightError::from));
            Some((batch, (answer, held, schema)))
        });
        Ok(stream(schema, batches))
    }
}

/// The schema of an answer as it is announced and sent: every column may have missing values. Planning knows more of it before
/// a statement is optimised than after, and clients compare the two.
fn announced(schema: &Schema) -> SchemaRef {
    let fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// Batches as messages.
fn stream(schema: SchemaRef, batches: impl Stream<Item = Result<RecordBatch, FlightError>> + Send + 'static) -> DoGet {
    // A batch is a message as it is: workers send small ones. The encoder would part it by the memory behind its columns, which is
    // one buffer for all of them, and write the texts of all rows into every part.
    let encoder = FlightDataEncoderBuilder::new().with_schema(schema).with_max_flight_data_size(usize::MAX);
    let messages = encoder.build(batches).map_err(|error| match error {
        FlightError::Tonic(status) => *status,
        other => refused(&ApiError::internal(&other)),
    });
    Response::new(Box::pin(messages))
}

fn listing(batch: RecordBatch) -> DoGet {
    stream(batch.schema(), futures::stream::iter([Ok(batch)]))
}

/// What a flight is and where it is to be had.
fn info(schema: &Schema, ticket: Bytes, descriptor: FlightDescriptor) -> Result<Response<FlightInfo>, Status> {
    let endpoint = FlightEndpoint::new().with_ticket(Ticket { ticket });
    let info = FlightInfo::new().try_with_schema(schema).map_err(|error| refused(&ApiError::internal(&error)))?;
    Ok(Response::new(info.with_endpoint(endpoint).with_descriptor(descriptor)))
}

fn ipc(schema: &Schema) -> Result<Bytes, Status> {
    let options = IpcWriteOptions::default();
    let message = IpcMessage::try_from(SchemaAsIpc::new(schema, &options));
    message.map(|message| message.0).map_err(|error| refused(&ApiError::internal(&error)))
}

fn as_of(metadata: &MetadataMap) -> Option<String> {
    metadata.get(AS_OF).and_then(|value| value.to_str().ok()).filter(|time| !time.is_empty()).map(str::to_owned)
}

/// Messages as an Arrow stream in base64. They are not looked into: a worker reads them.
async fn collect(messages: &mut PeekableFlightDataStream) -> Result<String, Status> {
    let mut bytes = Vec::new();
    while let Some(message) = messages.next().await {
        let message = message?;
        let (header, body) = (message.data_header, message.data_body);
        if header.is_empty() {
            continue;
        }
        let padding = header.len().next_multiple_of(8) - header.len();
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(header.len() + padding).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&header);
        bytes.resize(bytes.len() + padding, 0);
        bytes.extend_from_slice(&body);
        if bytes.len() > VALUES_BYTES {
            let detail = "the values of parameters are larger than 512 KiB";
            return Err(refused(&ApiError::new("payload_too_large", detail)));
        }
    }
    Ok(STANDARD.encode(bytes))
}

#[tonic::async_trait]
impl FlightSqlService for Flight {
    type FlightService = Self;

    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>>, Status> {
        let wrong =
            || refused(&ApiError::new("unauthorized", "expected Basic authorization with a key as the password"));
        let address = address(request.extensions());
        self.takes_keys(address)?;
        let basic = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let basic = basic.and_then(|value| value.strip_prefix("Basic ")).ok_or_else(wrong)?;
        let decoded = STANDARD.decode(basic).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
        let (_, token) = decoded.split_once(':').ok_or_else(wrong)?;
        if let Err(error) = Keys::new(self.app.store()).authenticate(token, self.app.instance.clock.now()).await {
            // Only who guesses is held up, as with every other call.
            if let Some(address) = address.filter(|_| error.is_refusal()) {
                self.app.guessed(address).map_err(|error| refused(&error))?;
            }
            return Err(refused(&ApiError::from(error)));
        }
        let answer = HandshakeResponse { protocol_version: 0, payload: Bytes::copy_from_slice(token.as_bytes()) };
        let mut response: Response<Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>> =
            Response::new(Box::pin(futures::stream::iter([Ok(answer)])));
        if let Ok(value) = format!("Bearer {token}").parse() {
            response.metadata_mut().insert("authorization", value);
        }
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let asker = self.asker(request.metadata(), request.extensions()).await?;
        let handle = Handle { sql: query.query, as_of: as_of(request.metadata()), values: None };
        let described = self.describe(&handle, &asker).await?;
        let ticket = TicketStatementQuery { statement_handle: handle.to_bytes() };
        info(&announced(&described.schema), ticket.as_any().encode_to_vec().into(), request.into_inner())
    }

    async fn do_get_statement(&self, ticket: TicketStatementQuery, request: Request<Ticket>) -> Result<DoGet, Status> {
        let asker = self.asker(request.metadata(), request.extensions()).await?;
        self.rows(Handle::read(&ticket.statement_handle)?, &asker, request.extensions()).await
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let asker = self.asker(request.metadata(), request.extensions()).await?;
        let handle = Handle { sql: query.query, as_of: as_of(request.metadata()), values: None };
        let described = self.describe(&handle, &asker).await?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: handle.to_bytes(),
            dataset_schema: ipc(&announced(&described.schema))?,
            parameter_schema: ipc(&described.parameters)?,
        })
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        self.asker(request.metadata(), request.extensions()).await?;
        let mut handle = Handle::read(&query.prepared_statement_handle)?;
        handle.values = Some(collect(&mut request.into_inner()).await?);
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(handle.to_bytes()) })
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let asker = self.asker(request.metadata(), request.extensions()).await?;
        let handle = Handle::read(&query.prepared_statement_handle)?;
        let described = self.describe(&handle, &asker).await?;
        info(&announced(&described.schema), query.as_any().encode_to_vec().into(), request.into_inner())
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> Result<DoGet, Status> {
        let asker = self.asker(request.metadata(), request.extensions()).await?;
        self.rows(Handle::read(&query.prepared_statement_handle)?, &asker, request.extensions()).await
    }

    async fn do_action_close_prepared_statement(
        &self,
        _: ActionClosePreparedStatementRequest,
        _: Request<Action>,
    ) -> Result<(), Status> {
        Ok(())
    }

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let ticket = query.as_any().encode_to_vec().into();
        info(&query.into_builder().schema(), ticket, request.into_inner())
    }

    async fn do_get_catalogs(&self, query: CommandGetCatalogs, _: Request<Ticket>) -> Result<DoGet, Status> {
        metadata::catalogs(query).map(listing)
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let ticket = query.as_any().encode_to_vec().into();
        info(&query.into_builder().schema(), ticket, request.into_inner())
    }

    async fn do_get_schemas(&self, query: CommandGetDbSchemas, _: Request<Ticket>) -> Result<DoGet, Status> {
        metadata::schemas(query, self.tables()?).map(listing)
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let ticket = query.as_any().encode_to_vec().into();
        info(&query.into_builder().schema(), ticket, request.into_inner())
    }

    async fn do_get_tables(&self, query: CommandGetTables, _: Request<Ticket>) -> Result<DoGet, Status> {
        metadata::tables(query, self.tables()?).map(listing)
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let ticket = query.as_any().encode_to_vec().into();
        info(&query.into_builder().schema(), ticket, request.into_inner())
    }

    async fn do_get_table_types(&self, query: CommandGetTableTypes, _: Request<Ticket>) -> Result<DoGet, Status> {
        metadata::table_types(query).map(listing)
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let ticket = query.as_any().encode_to_vec().into();
        let data = metadata::server_info()?;
        info(&query.into_builder(&data).schema(), ticket, request.into_inner())
    }

    async fn do_get_sql_info(&self, query: CommandGetSqlInfo, _: Request<Ticket>) -> Result<DoGet, Status> {
        metadata::sql_info(query, &metadata::server_info()?).map(listing)
    }

    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}
