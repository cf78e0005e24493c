//! Connections that are kept between deliveries, and between the invocations of a function.
//!
//! Who sends has a connection for itself, so there is never more than one message under way on it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tokio_rustls::rustls::ClientConfig;

use super::{
    super::tls::{Configs, Fingerprint, Material},
    address::MllpAddress,
    connection::{MllpConnection, MllpError},
};

/// A NAT gateway forgets a silent connection after 350 s without telling either end; receivers are less patient.
const IDLE: Duration = Duration::from_secs(60);
/// Kept for one receiver.
const MOST: usize = 16;

/// Two connections with the same key are as good as each other.
pub(super) type PoolKey = (MllpAddress, Fingerprint);

#[derive(Debug, Default)]
pub(in super::super) struct Pool(Mutex<HashMap<PoolKey, Vec<Idle>>>);

#[derive(Debug)]
struct Idle {
    connection: MllpConnection,
    since: Instant,
}

impl Pool {
    /// A connection that was kept, or a new one.
    pub(super) async fn take(
        &self,
        key: &PoolKey,
        tls: Arc<ClientConfig>,
    ) -> Result<MllpConnection, MllpError> {
        while let Some(mut idle) = self.pop(key) {
            if idle.since.elapsed() < IDLE && idle.connection.is_open() {
                return Ok(idle.connection);
            }
        }
        MllpConnection::open(&key.0, tls).await
    }

    /// Whether a connection can be made, which is kept for the next message.
    pub(in super::super) async fn reaches(
        &self,
        address: &MllpAddress,
        material: &Material<'_>,
        configs: &Configs,
    ) -> bool {
        let Ok(tls) = configs.get(material) else { return false };
        let key = (address.clone(), material.fingerprint());
        match self.take(&key, tls).await {
            Ok(connection) => {
                self.keep(&key, connection);
                true
            }
            Err(_) => false,
        }
    }

    fn pop(&self, key: &PoolKey) -> Option<Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(key)?.pop()
    }

    /// Keeps a connection whose last message was answered. One with an answer still to come is to be dropped instead.
    pub(super) fn keep(&self, key: &PoolKey, connection: MllpConnection) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, kept| {
            kept.retain(|idle| idle.since.elapsed() < IDLE);
            !kept.is_empty()
        });
        let kept = all.entry(key.clone()).or_default();
        if kept.len() < MOST {
            kept.push(Idle { connection, since: Instant::now() });
        }
    }
}
