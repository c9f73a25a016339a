//! The `gongkai` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    gongkai_api::command::run()
}
