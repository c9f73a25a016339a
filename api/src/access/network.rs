//! The network that an address belongs to: what one party usually holds, an IPv4 /24 or an IPv6 /64.

use std::net::{IpAddr, Ipv6Addr};

/// Bits of an IPv6 address that its owner gives out: the last half, below a /64.
const BELOW_NETWORK: u128 = u64::MAX as u128;

/// One place of a network: an IPv4 address, or the first of an IPv6 /64, which one party has as a whole.
pub fn place_of(address: IpAddr) -> IpAddr {
    // A socket that listens for both kinds shows IPv4 callers as ::ffff:a.b.c.d.
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !BELOW_NETWORK)),
        address => address,
    }
}

/// Where a caller sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// The first three bytes of an IPv4 address.
    V4([u8; 3]),
    /// The first address of an IPv6 /64.
    V6(Ipv6Addr),
    /// The connection tells no address: all of these are one network.
    Unknown,
}

impl Network {
    /// That of an address.
    pub fn of(address: Option<IpAddr>) -> Self {
        match address.map(place_of) {
            Some(IpAddr::V4(address)) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            Some(IpAddr::V6(address)) => Self::V6(address),
            None => Self::Unknown,
        }
    }
}
