//! Certificates that change while the gateway serves: new connections get the new ones, open ones keep what they have.
//!
//! The identity lies in a folder of three PEM files, as certificate managers and mounted secrets write them. What can't be
//! used is said and left alone: the old certificate serves on, and the next look finds the mended one.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use bridge_seal::sha256;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use crate::{
    door::Tls,
    tls::{Identity, TlsError},
};

/// What a door shows by now.
#[derive(Clone)]
pub(crate) struct Shown(Arc<RwLock<TlsAcceptor>>);

impl Shown {
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The doors with TLS of a gateway.
#[derive(Clone, Default)]
pub struct Renewal(Vec<(Tls, Shown)>);

impl std::fmt::Debug for Renewal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Renewal of {} doors", self.0.len())
    }
}

impl Renewal {
    /// Adds a door that shows this.
    pub(crate) fn of(&mut self, tls: Tls, acceptor: TlsAcceptor) -> Shown {
        let shown = Shown(Arc::new(RwLock::new(acceptor)));
        self.0.push((tls, shown.clone()));
        shown
    }

    /// Has all doors show this identity from now on: all of them, or none.
    ///
    /// # Errors
    /// When a door can't use it.
    pub fn renew(&self, identity: &Identity) -> Result<(), TlsError> {
        let acceptors = self.0.iter().map(|(tls, shown)| Ok((shown, identity.acceptor(*tls)?)));
        for (shown, acceptor) in acceptors.collect::<Result<Vec<_>, TlsError>>()? {
            if let Some(acceptor) = acceptor {
                *shown.0.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
            }
        }
        Ok(())
    }

    /// Looks into the folder again and again, and renews when something else is there. `known` is what the doors show.
    pub async fn follow(self, folder: PathBuf, known: Identity, every: Duration) {
        let mut known = print(&known);
        let mut every = interval(every);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let identity = match read(&folder) {
                Ok(identity) if print(&identity) == known => continue,
                Ok(identity) => identity,
                Err(error) => {
                    tracing::warn!(%error, "the certificates can't be read: the known ones are shown on");
                    continue;
                }
            };
            match self.renew(&identity) {
                Ok(()) => {
                    known = print(&identity);
                    tracing::info!("the certificates were renewed");
                }
                Err(error) => {
                    tracing::warn!(%error, "the new certificates can't be used: the known ones are shown on");
                }
            }
        }
    }
}

/// The identity in a folder: `certificate.pem`, `key.pem` and, where a door asks for clients' certificates,
/// `clients.pem`.
///
/// # Errors
/// When one of the first two can't be read.
pub fn read(folder: &Path) -> io::Result<Identity> {
    let file = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    };
    let clients = match file("clients.pem") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        clients => clients?,
    };
    Ok(Identity { certificates: file("certificate.pem")?, key: file("key.pem")?, clients })
}

fn print(identity: &Identity) -> [u8; 32] {
    let parts = [&identity.certificates, &identity.key, &identity.clients];
    let lengths = parts.map(|part| part.len().to_be_bytes());
    sha256(&[
        &lengths[0],
        parts[0].as_bytes(),
        &lengths[1],
        parts[1].as_bytes(),
        &lengths[2],
        parts[2].as_bytes(),
    ])
}
