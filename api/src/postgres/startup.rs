//! Who connects: the public, or the holder of a key.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{Sink, SinkExt};
use pgwire::api::auth::sasl::SASLAuthStartupHandler;
use pgwire::api::auth::sasl::scram::{SCRAM_ITERATIONS, ScramAuth};
use pgwire::api::auth::{
    AuthSource, DefaultServerParameterProvider, LoginInfo, Password, StartupHandler, finish_authentication,
    protocol_negotiation, save_startup_parameters_to_metadata,
};
use pgwire::api::{
    ClientInfo, ConnectionGuard, ConnectionHandle, ConnectionManager, METADATA_USER, PgWireConnectionState,
    PidSecretKeyGenerator, RandomPidSecretKeyGenerator,
};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};

use super::fatal;
use super::session::Session;
use crate::access::{Caller, Keys};
use crate::http::App;

/// The server's parameters, told at the beginning.
fn parameters() -> DefaultServerParameterProvider {
    let mut parameters = DefaultServerParameterProvider::default();
    parameters.server_version = "16.6".into();
    parameters.search_path = "open".into();
    parameters.is_superuser = false;
    parameters.default_transaction_read_only = true;
    parameters
}

/// The id of the key that a user name stands for; none for the public.
fn key_id(user: &str) -> Option<&str> {
    let id = user.strip_prefix("gk_")?;
    // The whole token may stand there too: its secret is not looked at.
    Some(id.split('_').next().unwrap_or(id))
}

/// The passwords of keys.
struct KeyPasswords(App);

impl Debug for KeyPasswords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyPasswords")
    }
}

#[async_trait]
impl AuthSource for KeyPasswords {
    async fn get_password(&self, login: &LoginInfo) -> PgWireResult<Password> {
        let user = login.user().unwrap_or_default();
        let now = self.0.instance.clock.now();
        let scram = match key_id(user) {
            Some(id) => Keys::new(self.0.store()).scram_of(id, now).await.ok(),
            None => None,
        };
        // The same for a key that is unknown, over, revoked, or older than this door.
        let (salt, salted) = scram.ok_or_else(|| PgWireError::InvalidPassword("gk_…".into()))?;
        Ok(Password::new(Some(salt), salted))
    }
}

/// The first messages of a connection.
pub struct Startup {
    app: App,
    session: Arc<Session>,
    manager: Arc<ConnectionManager>,
    numbers: RandomPidSecretKeyGenerator,
    sasl: SASLAuthStartupHandler<DefaultServerParameterProvider>,
}

impl Startup {
    /// For one connection.
    pub fn new(app: App, session: Arc<Session>, manager: Arc<ConnectionManager>) -> Self {
        let mut scram = ScramAuth::new(Arc::new(KeyPasswords(app.clone())));
        scram.set_iterations(SCRAM_ITERATIONS);
        let sasl = SASLAuthStartupHandler::new(Arc::new(parameters()))
            .with_connection_manager(Arc::clone(&manager))
            .with_scram(scram);
        Self { app, session, manager, numbers: RandomPidSecretKeyGenerator::default(), sasl }
    }

    /// The guard against guessing, and the key behind the connection.
    async fn admit<C: ClientInfo>(&self, client: &C) -> PgWireResult<()> {
        let user = client.metadata().get(METADATA_USER).cloned().unwrap_or_default();
        let id = key_id(&user).unwrap_or_default();
        let key = Keys::new(self.app.store()).find(id).await;
        let key = key.map_err(|_| fatal("28P01", "the key is not valid"))?;
        self.session.set_caller(Caller::of_key(key));
        Ok(())
    }
}

#[async_trait]
impl StartupHandler for Startup {
    async fn on_startup<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if let PgWireFrontendMessage::Startup(startup) = &message {
            let user = startup.parameters.get(METADATA_USER).map(String::as_str).unwrap_or_default();
            if let Some(id) = key_id(user) {
                if !client.is_secure() {
                    return Err(fatal("28000", "keys are taken over TLS only; connect with sslmode=require"));
                }
                self.app.may_guess(client.socket_addr().ip()).map_err(|error| fatal("53300", error.detail))?;
                tracing::debug!(id, "a key is asked for its password");
                return self.sasl.on_startup(client, message).await;
            }
            protocol_negotiation(client, startup).await?;
            save_startup_parameters_to_metadata(client, startup);
            for name in ["application_name", "TimeZone", "DateStyle", "extra_float_digits", "statement_timeout"] {
                if let Some(value) = startup.parameters.get(name) {
                    // What the client asks for at the beginning is not worth refusing it.
                    let _ = self.session.set(name, Some(value));
                }
            }
            let (pid, secret) = self.numbers.generate(client);
            client.set_pid_and_secret_key(pid, secret.clone());
            let (handle, guard) = self.manager.register(pid, secret);
            client.session_extensions().insert::<Arc<ConnectionHandle>>(handle);
            client.session_extensions().insert::<ConnectionGuard>(guard);
            return finish_authentication(client, &parameters()).await;
        }
        let ended = self.sasl.on_startup(client, message).await;
        match &ended {
            Ok(()) if matches!(client.state(), PgWireConnectionState::ReadyForQuery) => self.admit(client).await?,
            Ok(()) => {}
            Err(_) => {
                self.app.count_guess(client.socket_addr().ip());
                let _ = client.flush().await;
                return Err(fatal("28P01", "the key is not valid"));
            }
        }
        ended
    }
}
