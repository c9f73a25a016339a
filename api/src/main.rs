//! The `gongkai` command.

use std::any::Any;
use std::panic::{catch_unwind, resume_unwind, set_hook, take_hook};
use std::process::ExitCode;

fn main() -> ExitCode {
    let report = take_hook();
    set_hook(Box::new(move |panic| {
        if !is_closed_pipe(panic.payload()) {
            report(panic);
        }
    }));
    // `gongkai … | head` closes the pipe after its lines. That is the reader's choice and no fault; unwinding releases
    // the writer lock and the workers on the way.
    match catch_unwind(gongkai_api::command::run) {
        Ok(code) => code,
        Err(panic) if is_closed_pipe(panic.as_ref()) => ExitCode::SUCCESS,
        Err(panic) => resume_unwind(panic),
    }
}

fn is_closed_pipe(panic: &(dyn Any + Send)) -> bool {
    let message = panic.downcast_ref::<String>().map(String::as_str).unwrap_or_default();
    message.starts_with("failed printing to stdout") && message.contains("Broken pipe")
}
