//! The network that an address belongs to: what one party usually holds, an IPv4 /24 or an IPv6 /64.

use std::net::IpAddr;

/// Where a caller sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// The first three bytes of an IPv4 address.
    V4([u8; 3]),
    /// The first eight bytes of an IPv6 address.
    V6([u8; 8]),
    /// The connection tells no address: all of these are one network.
    Unknown,
}

impl Network {
    /// That of an address.
    pub fn of(address: Option<IpAddr>) -> Self {
        // A socket that listens for both kinds shows IPv4 callers as ::ffff:a.b.c.d.
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
            None => Self::Unknown,
        }
    }
}
