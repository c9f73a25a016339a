//! Guesses of keys, counted for each network they come from.
//!
//! Nobody finds a secret of 256 bits by guessing; what is limited is the work and the noise that trying makes. A
//! network is what one party usually holds: an IPv4 /24, an IPv6 /64. Keys that are valid never count, and are heard
//! however many others of their network were not: who guesses behind one proxy holds up nobody else.
//!
//! Invariant: at most [`NETWORKS`] networks are remembered. When another one comes, the one counted longest is
//! forgotten, so memory is bounded whatever the number of addresses.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::network::Network;

/// Failures that a network has within one window.
pub const FAILURES: u32 = 10;
/// Time from the first failure to the moment at which all are forgotten.
pub const WINDOW: Duration = Duration::from_secs(60);
/// Networks remembered at once.
pub const NETWORKS: usize = 4096;

/// Too many keys of one network were not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many keys from this network were not valid; try again in {retry_after_s} s")]
pub struct TooManyGuesses {
    /// Whole seconds until the network is heard again, at least one.
    pub retry_after_s: u64,
}

/// Counts failures. Time comes from the caller; one that runs backwards only makes a window longer.
#[derive(Debug, Default)]
pub struct Guesses {
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    windows: HashMap<Network, Window>,
    /// Every network of `windows` once, the one that began first in front.
    order: VecDeque<Network>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    failures: u32,
}

impl Guesses {
    /// Without any failure.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a key from this address that was not valid.
    ///
    /// # Errors
    ///
    /// After too many of them, which is said in the place of what is wrong with the key.
    pub fn guessed(&self, address: Option<IpAddr>, at: Instant) -> Result<(), TooManyGuesses> {
        self.check(address, at)?;
        self.count(address, at);
        Ok(())
    }

    /// Whether one more from this address is heard.
    fn check(&self, address: Option<IpAddr>, at: Instant) -> Result<(), TooManyGuesses> {
        let network = Network::of(address);
        let mut counted = self.lock();
        counted.forget(at);
        match counted.windows.get(&network) {
            Some(window) if window.failures >= FAILURES => {
                let left = WINDOW.saturating_sub(at.saturating_duration_since(window.began));
                Err(TooManyGuesses { retry_after_s: (left.as_millis().div_ceil(1000) as u64).max(1) })
            }
            _ => Ok(()),
        }
    }

    /// Notes one more.
    fn count(&self, address: Option<IpAddr>, at: Instant) {
        let network = Network::of(address);
        let mut counted = self.lock();
        counted.forget(at);
        if let Some(window) = counted.windows.get_mut(&network) {
            window.failures = window.failures.saturating_add(1);
            return;
        }
        if counted.windows.len() >= NETWORKS {
            counted.forget_oldest();
        }
        counted.windows.insert(network, Window { began: at, failures: 1 });
        counted.order.push_back(network);
    }

    /// Whoever held the lock and panicked left counts behind, and those hold.
    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// Drops the windows that are over.
    fn forget(&mut self, at: Instant) {
        while self.oldest().is_some_and(|window| at.saturating_duration_since(window.began) >= WINDOW) {
            self.forget_oldest();
        }
    }

    fn oldest(&self) -> Option<&Window> {
        self.windows.get(self.order.front()?)
    }

    fn forget_oldest(&mut self) {
        if let Some(network) = self.order.pop_front() {
            self.windows.remove(&network);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    fn fail(guesses: &Guesses, address: Option<IpAddr>, times: u32, at: Instant) {
        for _ in 0..times {
            guesses.count(address, at);
        }
    }

    #[test]
    fn ten_failures_close_the_network_until_its_window_ends() {
        let (guesses, start) = (Guesses::new(), Instant::now());
        let caller = address("192.0.2.7");
        fail(&guesses, caller, 9, start);
        assert_eq!(guesses.check(caller, start), Ok(()));
        fail(&guesses, caller, 1, start + Duration::from_secs(20));
        // 60 s from the first failure, 20 of them gone.
        let refused = guesses.check(caller, start + Duration::from_secs(20));
        assert_eq!(refused, Err(TooManyGuesses { retry_after_s: 40 }));
        // 0.5 s are left, and no caller is told to come back too early.
        let refused = guesses.check(caller, start + Duration::from_millis(59_500));
        assert_eq!(refused, Err(TooManyGuesses { retry_after_s: 1 }));
        assert_eq!(guesses.check(caller, start + WINDOW), Ok(()));
    }

    #[test]
    fn a_window_that_is_over_leaves_nothing_to_the_next() {
        let (guesses, start) = (Guesses::new(), Instant::now());
        let caller = address("192.0.2.7");
        fail(&guesses, caller, 9, start);
        fail(&guesses, caller, 9, start + WINDOW);
        assert_eq!(guesses.check(caller, start + WINDOW), Ok(()));
    }

    #[test]
    fn neighbours_share_a_count_and_other_networks_do_not() {
        let closes = [
            ("192.0.2.7", "192.0.2.250", true),
            ("192.0.2.7", "192.0.3.7", false),
            ("192.0.2.7", "::ffff:192.0.2.8", true),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ];
        for (one, other, is_closed) in closes {
            let (guesses, start) = (Guesses::new(), Instant::now());
            fail(&guesses, address(one), FAILURES, start);
            assert_eq!(guesses.check(address(other), start).is_err(), is_closed, "{one} {other}");
            assert_eq!(guesses.check(None, start), Ok(()));
        }
        let (guesses, start) = (Guesses::new(), Instant::now());
        fail(&guesses, None, FAILURES, start);
        assert!(guesses.check(None, start).is_err());
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_network_is_forgotten_first() {
        let (guesses, start) = (Guesses::new(), Instant::now());
        let first = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
        fail(&guesses, first, FAILURES, start);
        assert!(guesses.check(first, start).is_err());
        for number in 0..NETWORKS as u16 {
            guesses.count(Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, number, 0, 0, 0, 1))), start);
        }
        let counted = guesses.lock();
        assert_eq!((counted.windows.len(), counted.order.len()), (NETWORKS, NETWORKS));
        drop(counted);
        assert_eq!(guesses.check(first, start), Ok(()));
    }
}
