//! Valkey or Redis as the [`Cache`]: two commands of the protocol that both speak, over one connection, with TLS where the
//! address says so.
//!
//! A cache is there to save time. So it gets a quarter of a second for a command, and who did not answer is left alone for some
//! seconds: a server that is gone costs a read next to nothing.

mod address;
mod connection;
mod resp;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bridge_pipeline::ports::Cache;
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

pub use address::{CacheAddress, WrongAddress};
use connection::Connection;
use resp::{Fault, Reply};

use crate::settings::variable;

/// For a command, with whatever it takes to connect.
const PATIENCE: Duration = Duration::from_millis(250);
/// To connect, TLS and all: it is done once.
const TO_CONNECT: Duration = Duration::from_secs(1);
/// Who failed is not asked again for so long.
const PAUSE: Duration = Duration::from_secs(5);

/// A [`Cache`] at an address.
#[derive(Debug, Clone)]
pub struct Valkey(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: CacheAddress,
    connection: AsyncMutex<Option<Connection>>,
    not_before: Mutex<Option<Instant>>,
}

impl Valkey {
    /// The one that `CACHE_URL` names; `None` where it names none.
    ///
    /// # Errors
    /// [`WrongAddress`].
    pub fn from_env() -> Result<Option<Self>, WrongAddress> {
        let address = variable("CACHE_URL").filter(|text| !text.is_empty());
        address.map(|text| text.parse().map(Self::new)).transpose()
    }

    /// The one at an address. Calls nobody.
    pub fn new(address: CacheAddress) -> Self {
        Self(Arc::new(Inner { address, connection: AsyncMutex::default(), not_before: Mutex::default() }))
    }

    /// A reply; nothing while the server is left alone, or when it fails.
    async fn ask(&self, command: &[&[u8]]) -> Option<Reply> {
        let not_before = *self.0.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        if not_before.is_some_and(|moment| Instant::now() < moment) {
            return None;
        }
        match self.try_ask(command).await {
            Ok(reply) => Some(reply),
            Err(fault) => {
                tracing::warn!(cache = %self.0.address, %fault, "the cache is left alone for some seconds");
                let moment = Instant::now() + PAUSE;
                *self.0.not_before.lock().unwrap_or_else(PoisonError::into_inner) = Some(moment);
                None
            }
        }
    }

    async fn try_ask(&self, command: &[&[u8]]) -> Result<Reply, Fault> {
        let mut kept = tokio::time::timeout(PATIENCE, self.0.connection.lock()).await?;
        // Taken out: a connection whose reply was not read to its end is of no use to anybody.
        let mut asked_before = kept.is_some();
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        loop {
            match tokio::time::timeout(PATIENCE, connection.ask(command)).await? {
                Ok(reply) => {
                    *kept = Some(connection);
                    return Ok(reply);
                }
                // Servers close what nobody used for a while, and freeze with a function between two of its events.
                Err(Fault::Broken(_)) if asked_before => {
                    asked_before = false;
                    connection = self.connect().await?;
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        tokio::time::timeout(TO_CONNECT, Connection::open(&self.0.address)).await?
    }
}

impl Cache for Valkey {
    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        match self.ask(&[b"GET", key.as_bytes()]).await? {
            Reply::Bytes(value) => value,
            Reply::Done => None,
        }
    }

    async fn put(&self, key: &str, value: Vec<u8>, lifetime: Duration) {
        let millis = lifetime.as_millis().max(1).to_string();
        self.ask(&[b"SET", key.as_bytes(), &value, b"PX", millis.as_bytes()]).await;
    }
}
