//! `gongkai serve`: the portal, the API, and the doors of other protocols.

use clap::Args;
use gongkai_warehouse::lake::LakeError;
use tokio::net::TcpListener;

use super::{Outcome, UsageError, open};
use crate::certificate::Certificate;
use crate::config::Config;
use crate::http::{self, App};
use crate::instance::Instance;
use crate::{flight, pipeline, postgres};

/// Where HTTP is served unless told otherwise: this machine only.
const DEFAULT_HTTP: &str = "127.0.0.1:8080";

/// Arguments.
#[derive(Debug, Default, Args)]
pub struct ServeArgs {
    /// Address for HTTP [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// Address for clients of PostgreSQL, such as 127.0.0.1:5432 [default: none]
    #[arg(long, value_name = "ADDR")]
    pg: Option<String>,
    /// Address for clients of Arrow Flight SQL, such as 127.0.0.1:32010 [default: none]
    #[arg(long, value_name = "ADDR")]
    flight: Option<String>,
    /// Collector of OpenTelemetry to send traces to, such as http://127.0.0.1:4317 [default: none]
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
}

impl ServeArgs {
    /// Overrides settings.
    pub fn apply(&self, config: &mut Config) {
        let settings = [
            (&self.http, &mut config.http),
            (&self.pg, &mut config.pg),
            (&self.flight, &mut config.flight),
            (&self.otlp, &mut config.otlp),
        ];
        for (given, setting) in settings {
            if given.is_some() {
                setting.clone_from(given);
            }
        }
    }
}

/// The sockets of one instance, open and not yet served.
pub struct Listeners {
    http: TcpListener,
    pg: Option<TcpListener>,
    flight: Option<TcpListener>,
    certificate: Option<Certificate>,
}

/// Opens the socket that the settings name.
///
/// A warehouse in memory is refused: queries run in processes of their own, which cannot see it.
pub async fn listen(instance: &Instance) -> anyhow::Result<Listeners> {
    if instance.warehouse.store().local_root().is_none() {
        return Err(
            UsageError("memory:// cannot be served: queries run in other processes; name a folder".into()).into()
        );
    }
    let config = &instance.config;
    let certificate = Certificate::load(&config.tls)?;
    let optional = async |address: Option<&str>| match address {
        Some(address) => http::serve::listen(address).await.map(Some),
        None => Ok(None),
    };
    Ok(Listeners {
        http: http::serve::listen(config.http.as_deref().unwrap_or(DEFAULT_HTTP)).await?,
        pg: optional(config.pg.as_deref()).await?,
        flight: optional(config.flight.as_deref()).await?,
        certificate,
    })
}

/// Serves until told to end.
pub async fn serve(instance: Instance, listeners: Listeners) -> anyhow::Result<Outcome> {
    let Listeners { http, pg, flight, certificate } = listeners;
    for (scheme, listener) in [("postgresql", &pg), ("grpc", &flight)] {
        if let Some(listener) = listener {
            println!("serving {scheme}://{}", listener.local_addr()?);
        }
    }
    println!("serving http://{} (stop with Ctrl-C)", http.local_addr()?);
    let app = App::new(instance);
    // The first visitor should not wait for a process to start.
    for pool in [std::sync::Arc::clone(&app.pool), std::sync::Arc::clone(&app.page_pool)] {
        tokio::task::spawn_blocking(move || pool.warm());
    }
    let (told, heard) = tokio::sync::watch::channel(false);
    let stop = || {
        let mut heard = heard.clone();
        async move {
            // An error means that HTTP is gone, which is the end as well.
            let _ = heard.wait_for(|is_told| *is_told).await;
        }
    };
    if let Some(listener) = pg {
        let tls = certificate.as_ref().map(Certificate::acceptor).transpose()?;
        let door = postgres::Door::new(app.clone(), tls, app.instance.config.limits.pg_connections);
        tokio::spawn(postgres::serve(door, listener, stop()));
    }
    if let Some(listener) = flight {
        let (app, identity, stop) = (app.clone(), certificate.as_ref().map(Certificate::identity), stop());
        tokio::spawn(async move {
            if let Err(error) = flight::serve(app, listener, identity, stop).await {
                tracing::error!(%error, "Arrow Flight is not served");
            }
        });
    }
    let served = http::serve(app, http).await;
    let _ = told.send(true);
    served?;
    Ok(Outcome::Done)
}

/// Runs the command.
pub async fn run(config: Config) -> anyhow::Result<Outcome> {
    let instance = open(config)?;
    let listeners = listen(&instance).await?;
    recover(&instance).await?;
    serve(instance, listeners).await
}

/// Puts right what an interrupted run left, unless somebody else is writing, or only reading is allowed here.
async fn recover(instance: &Instance) -> anyhow::Result<()> {
    match pipeline::begin(instance).await {
        Ok(writing) => {
            for repair in &writing.repairs {
                tracing::info!(kind = repair.kind, path = repair.path, "put right");
            }
            Ok(pipeline::follow(instance).await?)
        }
        Err(LakeError::Locked { .. }) => Ok(()),
        Err(error @ LakeError::Lock { .. }) => {
            tracing::warn!(%error, "nothing was put right");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
