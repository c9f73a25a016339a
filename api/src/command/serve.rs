//! `gongkai serve`: the portal and the API.

use clap::Args;
use gongkai_warehouse::lake::LakeError;
use tokio::net::TcpListener;

use super::{Outcome, UsageError, open};
use crate::config::Config;
use crate::http::{self, App};
use crate::instance::Instance;
use crate::pipeline;

/// Where HTTP is served unless told otherwise: this machine only.
const DEFAULT_HTTP: &str = "127.0.0.1:8080";

/// Arguments.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address for HTTP [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
}

/// Opens the socket that the settings name.
///
/// A warehouse in memory is refused: queries run in processes of their own, which cannot see it.
pub async fn listen(instance: &Instance) -> anyhow::Result<TcpListener> {
    if instance.warehouse.store().local_root().is_none() {
        return Err(
            UsageError("memory:// cannot be served: queries run in other processes; name a folder".into()).into()
        );
    }
    Ok(http::serve::listen(instance.config.http.as_deref().unwrap_or(DEFAULT_HTTP)).await?)
}

/// Serves until told to end.
pub async fn serve(instance: Instance, listener: TcpListener) -> anyhow::Result<Outcome> {
    println!("serving http://{} (stop with Ctrl-C)", listener.local_addr()?);
    let app = App::new(instance);
    // The first visitor should not wait for a process to start.
    let pool = std::sync::Arc::clone(&app.pool);
    tokio::task::spawn_blocking(move || pool.warm());
    http::serve(app, listener).await?;
    Ok(Outcome::Done)
}

/// Runs the command.
pub async fn run(mut config: Config, args: ServeArgs) -> anyhow::Result<Outcome> {
    if args.http.is_some() {
        config.http = args.http;
    }
    let instance = open(config)?;
    let listener = listen(&instance).await?;
    recover(&instance).await?;
    serve(instance, listener).await
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
