//! The memory of all processes together, and what is done when it gets scarce.
//!
//! The engine's own pool counts what operators reserve, which is less than what a process takes. Here the processes
//! themselves are looked at: their resident pages, without those of the program and of files, which they share.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a running query looks.
pub const LOOK: Duration = Duration::from_millis(50);

/// Share of the budget, in per cent, beyond which no further query is taken.
const SCARCE: u64 = 90;

/// What all processes may take together, and which the workers are.
#[derive(Debug)]
pub struct Memory {
    budget: u64,
    workers: Mutex<BTreeSet<u32>>,
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
        self.lock().insert(process);
        Counted { memory: Arc::clone(self), process }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a process has of its own, in bytes; nothing where it has ended or the system does not tell.
    pub fn of(process: u32) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let own = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kibibytes = own.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kibibytes.unwrap_or_default() << 10
    }

    /// What all processes have, in bytes.
    pub fn total(&self) -> u64 {
        let workers = self.lock().clone();
        Self::of(std::process::id()) + workers.into_iter().map(Self::of).sum::<u64>()
    }

    /// Whether too little is left for another query, as it was within the last [`LOOK`].
    pub fn is_scarce(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, is_scarce)) = looked.filter(|(at, _)| at.elapsed() < LOOK) {
            return is_scarce;
        }
        let is_scarce = self.total() * 100 > self.budget * SCARCE;
        *looked = Some((Instant::now(), is_scarce));
        is_scarce
    }

    /// Whether all processes have more than they may, and no worker more than this one.
    pub fn is_spent_by(&self, process: u32) -> bool {
        let workers = self.lock().clone();
        let each: Vec<(u32, u64)> = workers.into_iter().map(|worker| (worker, Self::of(worker))).collect();
        let total = Self::of(std::process::id()) + each.iter().map(|(_, bytes)| bytes).sum::<u64>();
        total > self.budget && each.iter().max_by_key(|(_, bytes)| *bytes).is_some_and(|(worker, _)| *worker == process)
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
