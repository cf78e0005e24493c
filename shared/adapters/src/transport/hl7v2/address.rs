//! Where HL7 v2 messages go: `mllp://host:port`, `mllps://host:port`, `https://host/path`.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use reqwest::Url;

use super::super::endpoint;

/// An address, and by its scheme the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// MLLP over TCP.
    Mllp(MllpAddress),
    /// A POST for each message.
    Http(Url),
}

/// Where a receiver listens for MLLP.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MllpAddress {
    /// A name or an IP address; IPv6 without brackets.
    pub host: String,
    /// For example 2575, which is registered for HL7.
    pub port: u16,
    /// TLS.
    pub tls: bool,
}

impl Address {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once("://")?.0 {
            "mllp" | "mllps" => MllpAddress::parse(text).map(Self::Mllp),
            _ => endpoint(text).map(Self::Http),
        }
    }
}

impl MllpAddress {
    /// Reads `mllp://host:port` or `mllps://host:port`. `None` when it is something else, or names a public IP address
    /// without TLS.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let tls = match url.scheme() {
            "mllp" => false,
            "mllps" => true,
            _ => return None,
        };
        let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        let bare = bare && url.fragment().is_none() && matches!(url.path(), "" | "/");
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let address = Self { host, port: url.port()?, tls };
        let public = address.host.parse::<IpAddr>().is_ok_and(|ip| !is_private(ip));
        (bare && !address.host.is_empty() && (tls || !public)).then_some(address)
    }
}

impl fmt::Display for MllpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mllps" } else { "mllp" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

/// Whether messages may go there without TLS: this machine, or a network that the internet does not route to (RFC 1918,
/// RFC 4193, RFC 6598), as at the other end of a practice's VPN.
pub(super) fn is_private(ip: IpAddr) -> bool {
    let v4 = |ip: Ipv4Addr| {
        let [a, b, ..] = ip.octets();
        ip.is_loopback() || ip.is_private() || a == 100 && (64..128).contains(&b)
    };
    let v6 = |ip: Ipv6Addr| ip.is_loopback() || ip.is_unique_local();
    match ip.to_canonical() {
        IpAddr::V4(ip) => v4(ip),
        IpAddr::V6(ip) => v6(ip),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_how_it_is_reached() {
        for good in [
            "mllp://127.0.0.1:2575",
            "mllp://pms.practice.internal:2575",
            "mllp://10.1.2.3:6661",
            "mllp://[fd00::7]:2575",
            "mllps://198.51.100.7:2576",
            "mllps://hl7.example.org:2576",
        ] {
            let address = MllpAddress::parse(good);
            assert_eq!(address.map(|address| address.to_string()).as_deref(), Some(good));
        }
        assert!(matches!(Address::parse("https://example.org/hl7"), Some(Address::Http(_))));
        for bad in [
            "",
            "127.0.0.1:2575",
            "mllp://127.0.0.1",
            "mllp://198.51.100.7:2575",
            "mllp://[2001:db8::7]:2575",
            "mllp://host:2575/path",
            "mllps://user@host:2575",
            "mllp://host:99999",
            "http://example.org/hl7",
            "ftp://example.org/",
        ] {
            assert!(Address::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_private_networks_go_without_tls() {
        let private = |text: &str| text.parse().is_ok_and(is_private);
        for ip in ["127.0.0.1", "10.0.0.1", "172.16.4.4", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"] {
            assert!(private(ip), "{ip}");
        }
        for ip in ["198.51.100.1", "172.32.0.1", "100.128.0.1", "169.254.169.254", "2001:db8::1", "fe80::1"] {
            assert!(!private(ip), "{ip}");
        }
        assert!(private("::ffff:10.0.0.1") && !private("::ffff:198.51.100.1"));
    }
}
