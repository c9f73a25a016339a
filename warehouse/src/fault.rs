//! Faults on demand, so that tests can see what a crash leaves behind. Only in builds with debug assertions.
//!
//! `GONGKAI_FAULT=point:action` or `point:action:n` makes the n-th passage of a point (the first where no n is given)
//! end as told. A point is a place where something was done and the next thing was not. Nothing but tests sets it;
//! in a release build the points are nothing.

use std::io;

/// Every point, in the order in which a publication passes them. Points of files are `{what}.{step}`.
pub const POINTS: &[&str] = &[
    "recover.start",
    "recover.mid",
    "recv.first_byte",
    "recv.mid",
    "recv.before_fsync",
    "recv.before_rename",
    "recv.after_rename",
    "lock.acquired",
    "parse.worker_spawn",
    "parse.worker_mid",
    "parse.worker_died",
    "source.write",
    "source.dir_fsync",
    "delta.data_put",
    "sync.data",
    "delta.tmp_commit",
    "sync.log",
    "delta.rename_before",
    "delta.rename_after",
    "ledger.rename_before",
    "stage.file_mid",
    "stage.file_fsync",
    "stage.all_done",
    "gate.report",
    "manifest.write",
    "manifest.fsync",
    "log.tile_write",
    "log.fsync",
    "log.checkpoint_write",
    "index.write",
    "current.tmp",
    "current.fsync",
    "current.rename_before",
    "current.rename_after",
    "current.dir_fsync",
    "state.done",
    "answer.before_send",
    "backup.mid",
    "restore.mid",
];

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Only the first half of what was to be written is.
    Short,
}

/// Passes a point.
///
/// # Errors
///
/// The fault that was asked for: an input/output error, or a full disk. [`Fault::Short`] is for the writer to do.
#[cfg(debug_assertions)]
pub fn point(name: &str) -> io::Result<Option<Fault>> {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ASKED: OnceLock<Option<(String, String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let asked = ASKED.get_or_init(|| {
        let text = std::env::var("GONGKAI_FAULT").ok()?;
        let mut parts = text.split(':');
        let (point, action) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some((point, action, parts.next().and_then(|number| number.parse().ok()).unwrap_or(1)))
    });
    let Some((point, action, number)) = asked else { return Ok(None) };
    if point != name || PASSED.fetch_add(1, Ordering::SeqCst) + 1 != *number {
        return Ok(None);
    }
    eprintln!("fault: {point}:{action}:{number}");
    match action.as_str() {
        "kill" => {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            Ok(None)
        }
        "eio" => Err(io::Error::from_raw_os_error(5)),
        "enospc" => Err(io::Error::from_raw_os_error(28)),
        "panic" => panic!("fault at {name}"),
        "short" => Ok(Some(Fault::Short)),
        _ => Ok(None),
    }
}

/// Passes a point.
#[cfg(not(debug_assertions))]
#[inline]
pub fn point(_: &str) -> io::Result<Option<Fault>> {
    Ok(None)
}
