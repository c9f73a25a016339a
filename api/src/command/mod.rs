//! The command line: what can be asked, and the exit codes.
//!
//! 0: done. 1: the data is at fault. 2: wrong usage. 3: the environment is at fault.

mod backup;
mod catalog;
mod check;
mod definitions;
mod doctor;
mod event;
mod export;
mod ingest;
mod inspect;
mod key;
mod progress;
mod release;
mod serve;
mod shell;
mod signing_key;
pub mod sql;
mod up;
mod verify;
mod watch;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Config;
use crate::instance::Instance;
use crate::telemetry::{CollectorError, Telemetry};
use crate::worker;
use crate::worker::memory::KEEPING_LITTLE;

/// How a command ended when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is in order.
    Done,
    /// Files or rows could not be taken, or findings are open.
    DataAtFault,
}

/// 公开 Gongkai: an open-data catalogue and analytics warehouse.
#[derive(Debug, Parser)]
#[command(name = "gongkai", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Settings that every command takes; each overrides gongkai.toml and the environment.
#[derive(Debug, Args)]
pub struct Common {
    /// Folder of department files; the shipped samples where absent
    #[arg(long, global = true, value_name = "DIR")]
    inbox: Option<PathBuf>,
    /// The warehouse: a folder or file://… [default: ./data]
    #[arg(long, global = true, value_name = "DIR|URL")]
    data: Option<String>,
    /// Feeds, tables, datasets and code lists in place of those built in
    #[arg(long, global = true, value_name = "DIR")]
    definitions: Option<PathBuf>,
    /// Folder of the signing key, never in the warehouse [default: ./keys]
    #[arg(long, global = true, value_name = "DIR")]
    keys: Option<PathBuf>,
}

/// What to print for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The main job: land, normalise and release every file of the inbox, then serve (the default)
    Up(up::UpArgs),
    /// Land and normalise files
    Ingest(ingest::IngestArgs),
    /// Show how a file is read, and which feed reads it
    Inspect(inspect::InspectArgs),
    /// Write the built-in declarations to a folder, to change them and name it with --definitions
    Definitions(definitions::DefinitionsArgs),
    /// The tiered disclosure catalogues
    Catalog(catalog::CatalogArgs),
    /// Run the checks over the current releases
    Check(check::CheckArgs),
    /// Release the changed partitions of datasets
    Release(release::ReleaseArgs),
    /// Release a draft that another person submitted, or send it back
    Approve(release::ApproveArgs),
    /// Correct figures with new files, or clarify what is said about them, with a public reason
    Correct(release::CorrectArgs),
    /// Take a release back, with a public reason
    Withdraw(release::WithdrawArgs),
    /// Compare files, releases and the log with their signatures
    Verify(verify::VerifyArgs),
    /// What duties are counted from, with evidence: record, list
    Event(event::EventArgs),
    /// Access keys and their roles: create, list, revoke
    Key(key::KeyArgs),
    /// The key that signs releases: show, rotate, revoke
    SigningKey(signing_key::SigningKeyArgs),
    /// Run one query, or open a shell
    Sql(sql::SqlArgs),
    /// Write a dataset's current releases, or one release, as a file
    Export(export::ExportArgs),
    /// Serve the portal and the API
    Serve(serve::ServeArgs),
    /// Copy the warehouse, or what is new in it, to a second place, and verify the copy
    Backup(backup::BackupArgs),
    /// Bring a copy back into an empty warehouse, and verify it
    Restore(backup::BackupArgs),
    /// Check the installation and the warehouse, and put right what an interrupted run left
    Doctor(doctor::DoctorArgs),
}

/// Reads the command line and runs it.
pub fn run() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(worker::protocol::ARGUMENT) {
        return match worker::child::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("worker: {error:#}");
                ExitCode::from(3)
            }
        };
    }
    let Cli { common, command } = Cli::parse();
    let command = command.unwrap_or(Command::Up(up::UpArgs::default()));
    if matches!(command, Command::Up(_) | Command::Serve(_)) {
        begin_with_little_kept_memory();
    }
    let config = match settings(&common, &command) {
        Ok(config) => config,
        Err(error) => return fail(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(16 << 20).build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let telemetry = {
        let _within = runtime.enter();
        match start_telemetry(&command, &config) {
            Ok(telemetry) => telemetry,
            Err(error) => return fail(&UsageError(error.to_string()).into()),
        }
    };
    let outcome = runtime.block_on(async move {
        match command {
            Command::Up(args) => up::run(config, args).await,
            Command::Ingest(args) => ingest::run(config, args).await,
            Command::Inspect(args) => inspect::run(&config, &args),
            Command::Definitions(args) => definitions::run(&args),
            Command::Catalog(args) => catalog::run(config, args).await,
            Command::Check(args) => check::run(config, args).await,
            Command::Release(args) => release::release(config, args).await,
            Command::Approve(args) => release::approve(config, args).await,
            Command::Correct(args) => release::correct(config, args).await,
            Command::Withdraw(args) => release::withdraw(config, args).await,
            Command::Verify(args) => verify::run(config, args).await,
            Command::Event(args) => event::run(config, args).await,
            Command::Key(args) => key::run(config, args).await,
            Command::SigningKey(args) => signing_key::run(config, args).await,
            Command::Sql(args) => sql::run(config, args).await,
            Command::Export(args) => export::run(config, args).await,
            Command::Serve(_) => serve::run(config).await,
            Command::Backup(args) => backup::backup(config, args).await,
            Command::Restore(args) => backup::restore(config, args).await,
            Command::Doctor(args) => doctor::run(config, args).await,
        }
    });
    telemetry.end();
    // Blocking reads of a terminal or a pipe must not hold up the end.
    runtime.shutdown_background();
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::DataAtFault) => ExitCode::from(1),
        Err(error) => fail(&error),
    }
}

/// Failures of usage that only a running command can see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// The data a command was given is at fault.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DataError(pub String);

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("gongkai: {error:#}");
    if error.is::<UsageError>() {
        return ExitCode::from(2);
    }
    ExitCode::from(if error.is::<DataError>() || error.is::<worker::Failure>() { 1 } else { 3 })
}

fn settings(common: &Common, command: &Command) -> anyhow::Result<Config> {
    let mut config = Config::load(&std::env::current_dir()?)?;
    if common.inbox.is_some() {
        config.inbox.clone_from(&common.inbox);
    }
    if common.data.is_some() {
        config.data.clone_from(&common.data);
    }
    if common.definitions.is_some() {
        config.definitions.clone_from(&common.definitions);
    }
    if common.keys.is_some() {
        config.keys.clone_from(&common.keys);
    }
    match command {
        Command::Up(args) => args.apply(&mut config),
        Command::Serve(args) => args.apply(&mut config),
        _ => {}
    }
    Ok(config)
}

/// The C library keeps freed memory in an arena for each of many threads, and does not give it back: a hundred MiB and more in a
/// process that serves for long. What it is told is read when a process begins, so this one begins again.
fn begin_with_little_kept_memory() {
    if KEEPING_LITTLE.iter().any(|(name, _)| std::env::var_os(name).is_some()) {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        // It comes back only where it failed; then all goes on as it is.
        let _ = std::process::Command::new(program).args(std::env::args_os().skip(1)).envs(KEEPING_LITTLE).exec();
    }
}

/// Only what serves goes on long enough to be traced.
fn start_telemetry(command: &Command, config: &Config) -> Result<Telemetry, CollectorError> {
    match command {
        Command::Up(_) | Command::Serve(_) => Telemetry::start("warn,gongkai=info", config.otlp.as_deref()),
        _ => Telemetry::start("warn", None),
    }
}

/// Opens the instance that the settings describe.
fn open(config: Config) -> anyhow::Result<Instance> {
    Ok(Instance::open(config)?)
}
