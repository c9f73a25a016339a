//! What looks after a worker while it has a question: its time, whether somebody still waits, and the memory of all.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at, sleep_until};

use super::memory::{LOOK, Memory};
use super::process::Killer;

/// Ends the worker at the deadline, when nobody waits for its answer any more, or when memory is spent and it has most.
pub(super) struct Watch {
    done: oneshot::Sender<()>,
    task: JoinHandle<bool>,
}

impl Watch {
    /// Begins to look after a worker.
    pub fn start(killer: Killer, deadline: Instant, waited_for: mpsc::Sender<()>, memory: Arc<Memory>) -> Self {
        memory.set_busy(killer.process, true);
        let (done, mut stopped) = oneshot::channel();
        let task = Handle::current().spawn(async move {
            let mut looks = interval_at(Instant::now() + LOOK, LOOK);
            let is_unharmed = loop {
                tokio::select! {
                    biased;
                    _ = &mut stopped => break true,
                    () = sleep_until(deadline) => killer.time_out(),
                    () = waited_for.closed() => killer.leave(),
                    _ = looks.tick() => {
                        if !memory.is_spent_by(killer.process) {
                            continue;
                        }
                        killer.run_out();
                    }
                }
                break false;
            };
            memory.set_busy(killer.process, false);
            is_unharmed
        });
        Self { done, task }
    }

    /// Ends the watch; false where it had to act. For blocking threads only.
    pub fn stop(self) -> bool {
        let _ = self.done.send(());
        Handle::current().block_on(self.task).unwrap_or(false)
    }
}
