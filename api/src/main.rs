//! The `gongkai` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    gongkai_api::command::end_quietly_on_a_closed_pipe();
    gongkai_api::command::run()
}
