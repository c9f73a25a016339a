//! Who connects: the public, or the holder of a key.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{Sink, SinkExt};
use pgwire::api::auth::sasl::SASLAuthStartupHandler;
use pgwire::api::auth::sasl::scram::{SCRAM_ITERATIONS, ScramAuth};
use pgwire::api::auth::{
    AuthSource, DefaultServerParameterProvider, LoginInfo, Password, ServerParameterProvider, StartupHandler,
    finish_authentication, protocol_negotiation, save_startup_parameters_to_metadata,
};
use pgwire::api::{
    ClientInfo, ConnectionGuard, ConnectionHandle, ConnectionManager, METADATA_USER, PgWireConnectionState,
    PidSecretKeyGenerator, RandomPidSecretKeyGenerator,
};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};

use super::fatal;
use super::session::{SEARCH_PATH, Session};
use crate::access::{Caller, Keys};
use crate::http::App;

/// The server's parameters, told at the beginning, with what the client has asked for by then.
#[derive(Debug)]
struct Told(Arc<Session>);

impl ServerParameterProvider for Told {
    fn server_parameters<C: ClientInfo>(&self, client: &C) -> Option<HashMap<String, String>> {
        let mut parameters = DefaultServerParameterProvider::default();
        parameters.server_version = "16.6".into();
        parameters.search_path = self.0.get(SEARCH_PATH).unwrap_or_default();
        parameters.is_superuser = false;
        parameters.default_transaction_read_only = true;
        parameters.server_parameters(client)
    }
}

/// The id of the key that a user name stands for; none for the public.
fn key_id(user: &str) -> Option<&str> {
    let id = user.strip_prefix("gk_")?;
    // The whole token may stand there too: its secret is not looked at.
    Some(id.split('_').next().unwrap_or(id))
}

/// The settings in `options`: `-c name=value` and `--name=value`; a backslash keeps a space in its word.
fn settings(options: &str) -> Vec<(String, String)> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut characters = options.chars();
    loop {
        match characters.next() {
            Some('\\') => word.extend(characters.next()),
            Some(character) if !character.is_whitespace() => word.push(character),
            space => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                if space.is_none() {
                    break;
                }
            }
        }
    }
    let mut found = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let setting = match word.as_str() {
            "-c" => words.next(),
            _ => word.strip_prefix("--").or_else(|| word.strip_prefix("-c")).map(str::to_owned),
        };
        if let Some((name, value)) = setting.as_deref().and_then(|setting| setting.split_once('=')) {
            found.push((name.replace('-', "_"), value.to_owned()));
        }
    }
    found
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
    numbers: Arc<RandomPidSecretKeyGenerator>,
    sasl: SASLAuthStartupHandler<Told>,
}

impl Startup {
    /// For one connection, which gets a number among all of them.
    pub fn new(
        app: App,
        session: Arc<Session>,
        manager: Arc<ConnectionManager>,
        numbers: Arc<RandomPidSecretKeyGenerator>,
    ) -> Self {
        let mut scram = ScramAuth::new(Arc::new(KeyPasswords(app.clone())));
        scram.set_iterations(SCRAM_ITERATIONS);
        let sasl = SASLAuthStartupHandler::new(Arc::new(Told(Arc::clone(&session))))
            .with_connection_manager(Arc::clone(&manager))
            .with_pid_secret_key_generator(Arc::clone(&numbers) as Arc<dyn PidSecretKeyGenerator>)
            .with_scram(scram);
        Self { app, session, manager, numbers, sasl }
    }

    /// Settings that the client names at the beginning: those of the protocol, and those in `options`.
    fn begin(&self, parameters: &BTreeMap<String, String>) -> PgWireResult<()> {
        for name in ["application_name", "TimeZone", "DateStyle", "extra_float_digits", "statement_timeout"] {
            if let Some(value) = parameters.get(name) {
                // What the client says of itself is not worth refusing it.
                let _ = self.session.set(name, Some(value));
            }
        }
        // JDBC's `currentSchema` comes under this name.
        let path = parameters.get(SEARCH_PATH).map(|path| (SEARCH_PATH.to_owned(), path.clone()));
        let options = settings(parameters.get("options").map(String::as_str).unwrap_or_default());
        for (name, value) in options.into_iter().chain(path) {
            // A time or a path that cannot be read would give other answers than those that were asked for.
            self.session.set(&name, Some(&value)).map_err(|error| fatal("22023", error.detail))?;
        }
        self.session.begin();
        Ok(())
    }

    /// The key behind the connection, whose password was right.
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
            self.begin(&startup.parameters)?;
            if let Some(id) = key_id(user) {
                if !client.is_secure() {
                    return Err(fatal("28000", "keys are taken over TLS only; connect with sslmode=require"));
                }
                tracing::debug!(id, "a key is asked for its password");
                return self.sasl.on_startup(client, message).await;
            }
            protocol_negotiation(client, startup).await?;
            save_startup_parameters_to_metadata(client, startup);
            let (pid, secret) = self.numbers.generate(client);
            client.set_pid_and_secret_key(pid, secret.clone());
            let (handle, guard) = self.manager.register(pid, secret);
            client.session_extensions().insert::<Arc<ConnectionHandle>>(handle);
            client.session_extensions().insert::<ConnectionGuard>(guard);
            return finish_authentication(client, &Told(Arc::clone(&self.session))).await;
        }
        let ended = self.sasl.on_startup(client, message).await;
        match &ended {
            Ok(()) if matches!(client.state(), PgWireConnectionState::ReadyForQuery) => self.admit(client).await?,
            Ok(()) => {}
            Err(_) => {
                let _ = client.flush().await;
                // Only who guesses is held up, as over HTTP: others of the same network go on with their keys.
                let address = client.socket_addr().ip();
                self.app.guessed(address).map_err(|error| fatal("53300", error.detail))?;
                return Err(fatal("28P01", "the key is not valid"));
            }
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_are_written() {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            settings("-c gongkai.as_of=2024-05-01  -cstatement_timeout=500 --application-name=a\\ b"),
            [set("gongkai.as_of", "2024-05-01"), set("statement_timeout", "500"), set("application_name", "a b")]
        );
        for nothing in ["", " ", "-c", "-c x", "x=1", "-d 5"] {
            assert_eq!(settings(nothing), [], "{nothing:?}");
        }
    }
}
