//! Queries, counted for each party: a key, or the network of who has none.
//!
//! A party has so many queries a minute, saved up to that number, and so many at once. It is refused beyond that, before a
//! worker is asked for, so that one of them cannot take all places of the others.
//!
//! Invariant: at most [`PARTIES`] parties are remembered; those that asked longest ago are forgotten, whose count is full again
//! by then in most cases.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Caller, Network};

/// Parties remembered at once.
pub const PARTIES: usize = 4096;

/// Who asks, as far as counting goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Party {
    Key(String),
    Network(Network),
}

impl Party {
    fn of(caller: &Caller, address: Option<IpAddr>) -> Self {
        match caller.key() {
            Some(key) => Self::Key(key.id.clone()),
            None => Self::Network(Network::of(address)),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Account {
    /// Queries that are left, in thousandths.
    left: u64,
    asked_at: Instant,
    running: u32,
}

/// Too many queries of one party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{found} queries {span} are all that one key or network may ask; try again in {retry_after_s} s")]
pub struct TooMany {
    found: u32,
    span: &'static str,
    /// Whole seconds until the next one is taken.
    pub retry_after_s: u64,
}

/// Counts queries. Time comes from the caller.
#[derive(Debug)]
pub struct Meter {
    per_minute: u32,
    at_once: u32,
    accounts: Arc<Mutex<HashMap<Party, Account>>>,
}

/// A query that runs or waits; its place is given back with it.
#[derive(Debug)]
pub struct Running {
    accounts: Arc<Mutex<HashMap<Party, Account>>>,
    party: Party,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(account) = lock(&self.accounts).get_mut(&self.party) {
            account.running = account.running.saturating_sub(1);
        }
    }
}

/// Whoever held the lock and panicked left counts behind, and those hold.
fn lock(accounts: &Mutex<HashMap<Party, Account>>) -> MutexGuard<'_, HashMap<Party, Account>> {
    accounts.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Meter {
    /// So many queries a minute and at once for each party; 0 for no limit.
    pub fn new(per_minute: u32, at_once: u32) -> Self {
        Self { per_minute, at_once, accounts: Arc::default() }
    }

    /// Takes one query of a party.
    ///
    /// # Errors
    ///
    /// When the party has none left.
    pub fn take(&self, caller: &Caller, address: Option<IpAddr>, at: Instant) -> Result<Running, TooMany> {
        let party = Party::of(caller, address);
        let full = u64::from(self.per_minute) * 1000;
        let mut accounts = lock(&self.accounts);
        if accounts.len() >= PARTIES && !accounts.contains_key(&party) {
            let idle = accounts.iter().filter(|(_, account)| account.running == 0);
            let oldest = idle.min_by_key(|(_, account)| account.asked_at).map(|(party, _)| party.clone());
            oldest.map(|oldest| accounts.remove(&oldest));
        }
        let account = accounts.entry(party.clone()).or_insert(Account { left: full, asked_at: at, running: 0 });
        if self.at_once > 0 && account.running >= self.at_once {
            return Err(TooMany { found: self.at_once, span: "at once", retry_after_s: 1 });
        }
        if self.per_minute > 0 {
            let passed = at.saturating_duration_since(account.asked_at).as_millis() as u64;
            account.left = full.min(account.left.saturating_add(passed.saturating_mul(full) / 60_000));
            if account.left < 1000 {
                let missing = 1000 - account.left;
                account.asked_at = at;
                let wait = (missing * 60).div_ceil(full).max(1);
                return Err(TooMany { found: self.per_minute, span: "a minute", retry_after_s: wait });
            }
            account.left -= 1000;
        }
        account.asked_at = at;
        account.running += 1;
        drop(accounts);
        Ok(Running { accounts: Arc::clone(&self.accounts), party })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn a_network_has_its_queries_and_gets_them_back_in_time() {
        let meter = Meter::new(60, 0);
        let (public, at) = (Caller::public(), Instant::now());
        for number in 0..60 {
            assert!(meter.take(&public, address(number), at).is_ok(), "{number}");
        }
        let refused = meter.take(&public, address(200), at).expect_err("all are asked");
        assert_eq!((refused.found, refused.retry_after_s), (60, 1));
        assert!(meter.take(&public, Some(IpAddr::from([192, 0, 3, 1])), at).is_ok(), "another network");
        assert!(meter.take(&public, address(1), at + Duration::from_secs(1)).is_ok(), "one a second");
        assert!(meter.take(&public, address(1), at + Duration::from_secs(1)).is_err());
        let later = at + Duration::from_secs(3600);
        let taken = (0..100).filter(|_| meter.take(&public, address(1), later).is_ok()).count();
        assert_eq!(taken, 60, "no more than a minute's are saved up");
    }

    #[test]
    fn places_at_once_come_back_when_a_query_ends() {
        let meter = Meter::new(0, 2);
        let (public, at) = (Caller::public(), Instant::now());
        let first = meter.take(&public, address(1), at).expect("a place");
        let _second = meter.take(&public, address(1), at).expect("another");
        assert_eq!(meter.take(&public, address(1), at).expect_err("no third").span, "at once");
        drop(first);
        assert!(meter.take(&public, address(1), at).is_ok());
    }

    #[test]
    fn parties_are_bounded() {
        let meter = Meter::new(10, 0);
        let at = Instant::now();
        for number in 0..10_000_u32 {
            let [_, a, b, c] = number.to_be_bytes();
            let address = Some(IpAddr::from([10 + a, b, c, 1]));
            drop(meter.take(&Caller::public(), address, at + Duration::from_millis(u64::from(number))));
        }
        assert!(lock(&meter.accounts).len() <= PARTIES);
    }
}
