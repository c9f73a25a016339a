//! `gongkai definitions`: the built-in declarations as a folder.

use std::path::PathBuf;

use clap::Args;

use super::{Outcome, UsageError};
use crate::instance::embedded;

/// Arguments.
#[derive(Debug, Args)]
pub struct DefinitionsArgs {
    /// The folder, which is made; one that exists has to be empty
    folder: PathBuf,
}

/// Runs the command.
pub fn run(args: &DefinitionsArgs) -> anyhow::Result<Outcome> {
    let folder = &args.folder;
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(UsageError(format!("{} is not empty; expected a new folder", folder.display())).into());
    }
    let declarations = embedded();
    let mut count = 0;
    for path in declarations.paths("", "") {
        let at = folder.join(path);
        if let Some(parent) = at.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&at, declarations.text(path)?)?;
        count += 1;
    }
    println!("{count} declarations written to {}", folder.display());
    Ok(Outcome::Done)
}
