//! Proxies in front of us, which say for whom they ask.
//!
//! Only what a proxy that the settings name has written is believed, and only the part that no visitor can write: the header
//! `X-Forwarded-For` is read from its end, where each proxy puts the address that it was asked from.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;
use serde::Deserialize;

/// Header that proxies write.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// A text names no proxy.
#[derive(Debug, thiserror::Error)]
#[error("{found:?} is no proxy; expected an address or a network, such as 127.0.0.1 or 10.0.0.0/8")]
pub struct UnknownProxy {
    /// What was found.
    pub found: String,
}

/// Addresses and networks of proxies that are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Proxies(Vec<IpNet>);

impl TryFrom<Vec<String>> for Proxies {
    type Error = UnknownProxy;

    fn try_from(texts: Vec<String>) -> Result<Self, UnknownProxy> {
        let network = |text: &String| {
            let text = text.trim();
            let address = text.parse::<IpAddr>().map(IpNet::from);
            address.or_else(|_| text.parse::<IpNet>()).map_err(|_| UnknownProxy { found: text.to_owned() })
        };
        texts.iter().map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl Proxies {
    /// Whether an address is that of a proxy that is believed.
    pub fn believes(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who asks over a connection: its other end, or the visitor for whom the proxies at that end ask.
    pub fn visitor(&self, connection: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut visitor = connection;
        let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
        let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim);
        while self.believes(visitor) {
            let Some(hop) = hops.next().and_then(address) else { break };
            visitor = hop;
        }
        visitor
    }
}

/// An address as proxies write it, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    let in_brackets = || text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    text.parse::<IpAddr>().or_else(|_| with_port()).or_else(|_| in_brackets()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(texts: &[&str]) -> Proxies {
        Proxies::try_from(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).expect("proxies")
    }

    fn visitor(proxies: &Proxies, connection: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().expect("a header"));
        }
        proxies.visitor(connection.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn nobody_is_believed_unless_the_settings_say_so() {
        assert_eq!(visitor(&Proxies::default(), "127.0.0.1", &["198.51.100.7"]), "127.0.0.1");
        assert_eq!(visitor(&proxies(&["10.0.0.0/8"]), "203.0.113.5", &["198.51.100.7"]), "203.0.113.5");
    }

    #[test]
    fn the_visitor_is_the_last_address_that_no_proxy_has() {
        let known = proxies(&["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"]);
        assert_eq!(visitor(&known, "127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        // What the visitor wrote in front of it is not looked at.
        assert_eq!(visitor(&known, "127.0.0.1", &["192.0.2.1, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(visitor(&known, "127.0.0.1", &["192.0.2.1", "198.51.100.7, 10.1.2.3"]), "198.51.100.7");
        assert_eq!(visitor(&known, "::1", &["[2001:db8::7]:4711, fd00::1"]), "2001:db8::7");
        assert_eq!(visitor(&known, "::ffff:127.0.0.1", &["198.51.100.7:80"]), "198.51.100.7");
    }

    #[test]
    fn without_an_address_the_proxy_itself_asks() {
        let known = proxies(&["127.0.0.1"]);
        assert_eq!(visitor(&known, "127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(visitor(&known, "127.0.0.1", &["unknown"]), "127.0.0.1");
        assert_eq!(visitor(&known, "127.0.0.1", &["198.51.100.7, _hidden"]), "127.0.0.1");
    }

    #[test]
    fn what_is_no_proxy_is_named() {
        let error = Proxies::try_from(vec!["10.0.0.0/33".to_owned()]).expect_err("a mask that is too long");
        let error = error.to_string();
        assert!(error.contains("10.0.0.0/33") && error.contains("10.0.0.0/8"), "{error}");
    }
}
