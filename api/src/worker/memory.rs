//! The memory of the process that serves and its workers for queries together, and what is done when it gets scarce.
//!
//! The engine's own pool counts what operators reserve, which is less than what a process takes. Here the processes
//! themselves are looked at: their resident pages, without those of the program and of files, which they share. Processes
//! that read department files are not among them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a running query looks.
pub const LOOK: Duration = Duration::from_millis(50);

/// How the C library keeps memory in a process that serves: in two arenas, whatever is larger than 256 KiB by itself, so that it
/// goes back to the system when it is freed, and of the rest what is free at the end beyond 1 MiB.
pub const KEEPING_LITTLE: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "2"), ("MALLOC_MMAP_THRESHOLD_", "262144"), ("MALLOC_TRIM_THRESHOLD_", "1048576")];

/// Share of the budget, in per cent, beyond which no further query of visitors is taken.
const SCARCE: u64 = 90;

/// What these processes may take together, and which the workers are.
#[derive(Debug)]
pub struct Memory {
    budget: u64,
    /// The workers, and whether each has a question: only then is there something to end.
    workers: Mutex<BTreeMap<u32, bool>>,
    /// When it was last looked whether memory is scarce, and whether it was.
    looked: Mutex<Option<(Instant, bool)>>,
}

impl Memory {
    /// A budget for this process and those that it starts.
    pub fn new(budget: u64) -> Arc<Self> {
        Arc::new(Self { budget, workers: Mutex::default(), looked: Mutex::default() })
    }

    /// Counts one more worker for as long as what is given back is kept.
    pub fn count(self: &Arc<Self>, process: u32) -> Counted {
        self.lock().insert(process, false);
        Counted { memory: Arc::clone(self), process }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, bool>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a process has of its own, in bytes; nothing where it has ended or the system does not tell.
    pub fn of(process: u32) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let own = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kibibytes = own.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kibibytes.unwrap_or_default() << 10
    }

    /// Says whether a worker has a question.
    pub fn set_busy(&self, process: u32, is_busy: bool) {
        if let Some(known) = self.lock().get_mut(&process) {
            *known = is_busy;
        }
    }

    /// What all have together, in bytes, and of the workers with a question that which has most.
    fn look(&self) -> (u64, Option<u32>) {
        let workers = self.lock().clone();
        let (mut total, mut largest) = (Self::of(std::process::id()), None);
        for (worker, is_busy) in workers {
            let bytes = Self::of(worker);
            total += bytes;
            if is_busy {
                largest = largest.max(Some((bytes, worker)));
            }
        }
        (total, largest.map(|(_, worker)| worker))
    }

    /// Whether too little is left for another query, as it was within the last [`LOOK`].
    pub fn is_scarce(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, is_scarce)) = looked.filter(|(at, _)| at.elapsed() < LOOK) {
            return is_scarce;
        }
        let is_scarce = self.look().0 * 100 > self.budget * SCARCE;
        *looked = Some((Instant::now(), is_scarce));
        is_scarce
    }

    /// Whether all have more than they may, and no worker with a question more than this one.
    pub fn is_spent_by(&self, process: u32) -> bool {
        let (total, largest) = self.look();
        total > self.budget && largest == Some(process)
    }
}

/// A worker that is counted.
#[derive(Debug)]
pub struct Counted {
    memory: Arc<Memory>,
    process: u32,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.memory.lock().remove(&self.process);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busy_worker_is_ended_and_not_the_idle_one() {
        // This process stands for a worker that is there; the other has ended, and has nothing.
        let (here, gone) = (std::process::id(), u32::MAX);
        let memory = Memory::new(1);
        let _counted = (memory.count(here), memory.count(gone));
        assert!(!memory.is_spent_by(here) && !memory.is_spent_by(gone), "nobody has a question");
        memory.set_busy(gone, true);
        assert!(memory.is_spent_by(gone) && !memory.is_spent_by(here));
        memory.set_busy(here, true);
        assert!(memory.is_spent_by(here) && !memory.is_spent_by(gone));
        assert!(memory.is_scarce());
        let large = Memory::new(u64::MAX / 100);
        let _counted = large.count(here);
        large.set_busy(here, true);
        assert!(!large.is_spent_by(here) && !large.is_scarce());
    }
}
