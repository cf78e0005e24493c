//! Doors as they are configured: a port each, and whose frames come in there.
//!
//! ```yaml
//! - {port: 2575, connection: sunrise.lab}                 # a port of its own
//! - {port: 2576, tls: server, tenants: [sunrise]}         # shared: MSH-3 to MSH-6 tell whose a message is
//! - port: 2577                                            # the client's certificate tells
//!   tls: mutual
//!   certificates:
//!     - {sha256: 5f0c…, connection: sunrise.lab}
//!     - {dns: pms.sunrise.example, connection: sunrise.front-desk}
//! ```

use std::{collections::HashSet, sync::Arc};

use bridge_core::id::{ConnectionId, TenantId};
use bridge_seal::sha256;
use data_encoding::HEXLOWER;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;

use crate::sink::Route;

/// Whether a door speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// It does not: for a tunnel that ends beside the gateway, and for one machine.
    #[default]
    Off,
    /// TLS 1.3, the gateway shows its certificate.
    Server,
    /// TLS 1.3, both sides show theirs.
    Mutual,
}

/// A door.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Door {
    /// TCP port.
    pub port: u16,
    /// See [`Tls`].
    #[serde(default)]
    pub tls: Tls,
    /// The one connection whose port it is.
    #[serde(default)]
    pub connection: Option<ConnectionId>,
    /// The tenants whose connections MSH-3 to MSH-6 choose from.
    #[serde(default)]
    pub tenants: Vec<TenantId>,
    /// Which client may be whom. What is not listed is turned away.
    #[serde(default)]
    pub certificates: Vec<Client>,
}

/// A client, known by its certificate: by the whole of it, or by a name that its issuer vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Client {
    /// SHA-256 of the certificate (DER), as hex digits; colons are passed over.
    #[serde(default)]
    pub sha256: Option<String>,
    /// A DNS name among its subject alternative names.
    #[serde(default)]
    pub dns: Option<String>,
    /// Who it is.
    pub connection: ConnectionId,
}

/// What is wrong with a door.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the door at port {port}: {fault}")]
pub struct WrongDoor {
    /// Which.
    pub port: u16,
    /// What is wrong, and what to do.
    pub fault: &'static str,
}

/// Whom a door lets in.
#[derive(Debug, Clone)]
pub(crate) enum Guests {
    Everybody(Route),
    Known(Arc<[(Mark, ConnectionId)]>),
}

/// What a certificate is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    Sha256(String),
    Dns(String),
}

/// Checks that doors do not contradict themselves or each other.
///
/// # Errors
/// The first fault.
pub fn check(doors: &[Door]) -> Result<(), WrongDoor> {
    let mut ports = HashSet::new();
    for door in doors {
        // Port 0 is whichever is free.
        if door.port != 0 && !ports.insert(door.port) {
            return Err(door.wrong("another door has the same port"));
        }
        door.guests()?;
    }
    Ok(())
}

impl Door {
    const fn wrong(&self, fault: &'static str) -> WrongDoor {
        WrongDoor { port: self.port, fault }
    }

    pub(crate) fn guests(&self) -> Result<Guests, WrongDoor> {
        match (&self.connection, &*self.tenants, &*self.certificates) {
            (Some(connection), [], []) => Ok(Guests::Everybody(Route::Connection(connection.clone()))),
            (None, tenants @ [_, ..], []) => Ok(Guests::Everybody(Route::Header(tenants.into()))),
            (None, [], clients @ [_, ..]) if self.tls == Tls::Mutual => {
                let known: Result<Vec<_>, _> = clients.iter().map(|client| self.known(client)).collect();
                Ok(Guests::Known(known?.into()))
            }
            (None, [], [_, ..]) => Err(self.wrong("`certificates` need `tls: mutual`")),
            _ => Err(self.wrong("give one of `connection`, `tenants` and `certificates`")),
        }
    }

    fn known(&self, client: &Client) -> Result<(Mark, ConnectionId), WrongDoor> {
        let mark = match (&client.sha256, &client.dns) {
            (Some(digest), None) => {
                let digest = digest.replace(':', "").to_lowercase();
                let is_digest = HEXLOWER.decode(digest.as_bytes()).is_ok_and(|bytes| bytes.len() == 32);
                if !is_digest {
                    return Err(
                        self.wrong("`sha256` must be the 64 hex digits of a certificate's fingerprint")
                    );
                }
                Mark::Sha256(digest)
            }
            (None, Some(name)) => Mark::Dns(name.to_lowercase()),
            _ => return Err(self.wrong("a certificate is known by either `sha256` or `dns`")),
        };
        Ok((mark, client.connection.clone()))
    }
}

impl Guests {
    /// Whose frames come from a client with this certificate; `None` for strangers.
    pub(crate) fn route(&self, certificate: Option<&CertificateDer<'_>>) -> Option<Route> {
        match self {
            Self::Everybody(route) => Some(route.clone()),
            Self::Known(known) => {
                let certificate = certificate?;
                let digest = HEXLOWER.encode(&sha256(&[certificate]));
                let parsed = webpki::EndEntityCert::try_from(certificate).ok()?;
                let has = |mark: &Mark| match mark {
                    Mark::Sha256(known) => *known == digest,
                    Mark::Dns(known) => parsed.valid_dns_names().any(|name| name.eq_ignore_ascii_case(known)),
                };
                let (_, connection) = known.iter().find(|(mark, _)| has(mark))?;
                Some(Route::Connection(connection.clone()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fault(yaml: &str) -> String {
        let doors: Vec<Door> = serde_norway::from_str(yaml).unwrap();
        check(&doors).map_or_else(|error| error.to_string(), |()| "none".to_owned())
    }

    #[test]
    fn a_door_says_in_one_way_whose_frames_they_are() {
        let digest = "5F:".repeat(31) + "5F";
        let well = format!(
            "[{{port: 1, connection: a.b}}, {{port: 2, tls: server, tenants: [a]}}, {{port: 3, tls: mutual, \
             certificates: [{{sha256: '{digest}', connection: a.b}}, {{dns: A.example, connection: a.c}}]}}]"
        );
        assert_eq!(fault(&well), "none");
        for (yaml, expected) in [
            ("[{port: 1}]", "the door at port 1: give one of `connection`, `tenants` and `certificates`"),
            (
                "[{port: 1, connection: a.b, tenants: [a]}]",
                "the door at port 1: give one of `connection`, `tenants` and `certificates`",
            ),
            (
                "[{port: 1, connection: a.b}, {port: 1, connection: a.c}]",
                "the door at port 1: another door has the same port",
            ),
            (
                "[{port: 1, tls: server, certificates: [{dns: a, connection: a.b}]}]",
                "the door at port 1: `certificates` need `tls: mutual`",
            ),
            (
                "[{port: 1, tls: mutual, certificates: [{connection: a.b}]}]",
                "the door at port 1: a certificate is known by either `sha256` or `dns`",
            ),
            (
                "[{port: 1, tls: mutual, certificates: [{sha256: 5f, connection: a.b}]}]",
                "the door at port 1: `sha256` must be the 64 hex digits of a certificate's fingerprint",
            ),
        ] {
            assert_eq!(fault(yaml), expected, "{yaml}");
        }
    }
}
