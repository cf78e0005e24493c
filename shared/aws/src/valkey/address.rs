//! `CACHE_URL`: `rediss://user:password@host:6379`, or `redis://` without TLS.

use std::{fmt, str::FromStr};

/// The port where none is said.
const PORT: u16 = 6379;

/// Where a cache is, and how one gets in. Prints without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct CacheAddress {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// What `AUTH` is given: a password, or a user and a password.
    pub(super) credentials: Vec<String>,
}

/// A text that is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "CACHE_URL must be rediss://[[user]:password@]host[:port], or redis:// for a server on this machine or in the same private \
     network; the password percent-encoded"
)]
pub struct WrongAddress;

impl FromStr for CacheAddress {
    type Err = WrongAddress;

    fn from_str(text: &str) -> Result<Self, WrongAddress> {
        let (scheme, rest) = text.split_once("://").ok_or(WrongAddress)?;
        let tls = match scheme {
            "rediss" | "valkeys" => true,
            "redis" | "valkey" => false,
            _ => return Err(WrongAddress),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (login(credentials)?, place),
            None => (Vec::new(), rest),
        };
        let (host, port) = match place.rsplit_once(':') {
            // The colons of an IPv6 address stand in brackets.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| WrongAddress)?),
            _ => (place, PORT),
        };
        let host = host.trim_matches(['[', ']']);
        if host.is_empty() || host.contains(['/', '?', '#', '@']) {
            return Err(WrongAddress);
        }
        Ok(Self { host: host.to_owned(), port, tls, credentials })
    }
}

fn login(text: &str) -> Result<Vec<String>, WrongAddress> {
    let (user, password) = text.split_once(':').ok_or(WrongAddress)?;
    let parts = [user, password].into_iter().filter(|part| !part.is_empty());
    parts.map(decoded).collect()
}

fn decoded(text: &str) -> Result<String, WrongAddress> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(byte.ok_or(WrongAddress)?);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| WrongAddress)
}

impl fmt::Display for CacheAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", if self.tls { "rediss" } else { "redis" }, self.host, self.port)
    }
}

impl fmt::Debug for CacheAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_read_and_print_without_their_password() {
        let address: CacheAddress = "rediss://bridge:p%40ss%3a@cache.example:6380/".parse().unwrap();
        assert_eq!((address.host.as_str(), address.port, address.tls), ("cache.example", 6380, true));
        assert_eq!(address.credentials, ["bridge", "p@ss:"]);
        assert_eq!(
            format!("{address:?} {address}"),
            "rediss://cache.example:6380 rediss://cache.example:6380"
        );
        let plain: CacheAddress = "redis://[::1]".parse().unwrap();
        assert_eq!((plain.host.as_str(), plain.port, plain.tls), ("::1", 6379, false));
        assert_eq!("redis://:secret@h".parse::<CacheAddress>().unwrap().credentials, ["secret"]);
        for wrong in [
            "",
            "h:6379",
            "http://h",
            "redis://",
            "redis://h:port",
            "redis://secret@h",
            "redis://h/0/1",
            "redis://u:%zz@h",
        ] {
            assert_eq!(wrong.parse::<CacheAddress>(), Err(WrongAddress), "{wrong}");
        }
    }
}
