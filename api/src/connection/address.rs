//! How many connections one address has open at a door.
//!
//! An IPv6 address counts with its /64, which one party has as a whole. This machine and the proxies that the settings name are
//! not counted: many clients come through them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::access::{Proxies, place_of};

/// The open connections of a door by address.
#[derive(Debug)]
pub struct Addresses {
    /// Most of one address; 0 for no limit.
    most: usize,
    proxies: Proxies,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

impl Addresses {
    /// None are open.
    pub fn new(most: usize, proxies: Proxies) -> Arc<Self> {
        Arc::new(Self { most, proxies, counts: Mutex::default() })
    }

    /// A place for one more connection of an address; none where it has as many as it may.
    pub fn place(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        if self.most == 0 || address.to_canonical().is_loopback() || self.proxies.believes(address) {
            return Some(Place { counted: None });
        }
        let address = place_of(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place { counted: Some((Arc::clone(self), address)) })
    }
}

/// One of the places of an address, given back when the connection ends.
#[derive(Debug)]
#[must_use = "a place is given back when it is dropped"]
pub struct Place {
    counted: Option<(Arc<Addresses>, IpAddr)>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((addresses, address)) = &self.counted else { return };
        let mut counts = addresses.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(most: usize, proxies: &[&str]) -> Arc<Addresses> {
        let proxies = proxies.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Addresses::new(most, Proxies::try_from(proxies).expect("proxies"))
    }

    fn place(addresses: &Arc<Addresses>, address: &str) -> Option<Place> {
        addresses.place(address.parse().expect("an address"))
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let addresses = addresses(2, &[]);
        let first = place(&addresses, "192.0.2.1").expect("the first");
        // A socket for both kinds shows an IPv4 caller so.
        let _second = place(&addresses, "::ffff:192.0.2.1").expect("the second");
        assert!(place(&addresses, "192.0.2.1").is_none());
        let _another = place(&addresses, "192.0.2.2").expect("another address");
        drop(first);
        let _again = place(&addresses, "192.0.2.1").expect("a place again");
        assert!(place(&addresses, "192.0.2.1").is_none());
    }

    #[test]
    fn an_address_without_connections_is_forgotten() {
        let addresses = addresses(2, &[]);
        let places = ["192.0.2.1", "192.0.2.1", "2001:db8::1"].map(|address| place(&addresses, address));
        assert!(places.iter().all(Option::is_some));
        assert_eq!(addresses.counts.lock().expect("a lock").len(), 2);
        drop(places);
        assert!(addresses.counts.lock().expect("a lock").is_empty());
    }

    #[test]
    fn a_network_of_ipv6_is_one_party() {
        let addresses = addresses(1, &[]);
        let _one = place(&addresses, "2001:db8:0:1::1").expect("the first of its network");
        assert!(place(&addresses, "2001:db8:0:1:ffff::2").is_none());
        let _other = place(&addresses, "2001:db8:0:2::1").expect("another network");
    }

    #[test]
    fn this_machine_and_named_proxies_are_not_counted() {
        let addresses = addresses(1, &["198.51.100.0/24", "2001:db8:0:9::1"]);
        for many in ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "198.51.100.7", "2001:db8:0:9::1"] {
            let places: Vec<_> = (0..100).filter_map(|_| place(&addresses, many)).collect();
            assert_eq!(places.len(), 100, "{many}");
        }
        assert!(addresses.counts.lock().expect("a lock").is_empty());
    }

    #[test]
    fn without_a_limit_nobody_is_counted() {
        let addresses = addresses(0, &[]);
        let places: Vec<_> = (0..100).filter_map(|_| place(&addresses, "192.0.2.1")).collect();
        assert_eq!(places.len(), 100);
    }
}
