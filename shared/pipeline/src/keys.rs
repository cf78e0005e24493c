//! The tenants' keys: wrapped by the key service, kept in the ledger, unwrapped in memory for minutes.
//!
//! A tenant has one index key for ever, and a new data key a day for what is received and delivered. That key's
//! record expires with the payloads' retention, and with it every payload of that day, wherever a copy of it may
//! lie: retention by erasing the key. What must stay readable (resources, secrets, parked work) is sealed under a
//! key of the year, which does not expire.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bridge_core::{Phi, Timestamp, config::Retention, id::TenantId};
use bridge_seal::{Binding, IndexKey, SealError, SealKey, key_id_of};

use crate::{
    bridge::Bridge,
    ports::{Clock, Expect, Key, Keys, PortError, Ports, Record, Store, Table, Write, WriteError},
};

/// How long an unwrapped key stays in memory.
const CACHED_FOR: Duration = Duration::from_mins(10);
const DAY: Duration = Duration::from_hours(24);
/// A payload may wait on a queue for as long (SQS's longest retention), before its retention begins to matter.
const ON_A_QUEUE: u32 = 14;
/// Ids of keys that do not expire have this bit.
const LASTING: u32 = 1 << 31;

/// How long sealed bytes must stay readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// For the tenant's payload retention.
    Payload(Retention),
    /// Until they are deleted.
    Lasting,
}

/// Why bytes can't be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key service or the ledger failed: worth another try.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The bytes will never open here.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The key has been erased.
    #[error("the retention of this payload is over: its key has been erased")]
    Expired,
    /// A tenant that has not been set up.
    #[error("tenant {0} has no keys: apply its configuration first")]
    NoTenant(TenantId),
}

type Cache<K, V> = Mutex<HashMap<K, (Arc<V>, Timestamp)>>;

/// Unwrapped keys.
#[derive(Debug, Default)]
pub(crate) struct KeyRing {
    index: Cache<TenantId, IndexKey>,
    seal: Cache<(TenantId, u32), SealKey>,
}

fn cached<K: std::hash::Hash + Eq, V>(cache: &Cache<K, V>, key: &K, now: Timestamp) -> Option<Arc<V>> {
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    match cache.get(key) {
        Some((value, at)) if now.since(*at) < CACHED_FOR => Some(value.clone()),
        Some(_) => {
            cache.remove(key);
            None
        }
        None => None,
    }
}

fn keep<K: std::hash::Hash + Eq, V>(cache: &Cache<K, V>, key: K, value: V, now: Timestamp) -> Arc<V> {
    let value = Arc::new(value);
    cache.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (value.clone(), now));
    value
}

impl<P: Ports> Bridge<P> {
    /// The tenant's hashing key.
    ///
    /// # Errors
    /// [`KeyError::NoTenant`] before [`Bridge::create_index_key`]; when a port fails.
    pub async fn index_key(&self, tenant: &TenantId) -> Result<Arc<IndexKey>, KeyError> {
        let now = self.ports.clock().now();
        if let Some(key) = cached(&self.keys.index, tenant, now) {
            return Ok(key);
        }
        let record = self.ports.store().get(&key_record(tenant, "index")).await?;
        let wrapped = record.and_then(|record| record.blob);
        let wrapped = wrapped.ok_or_else(|| KeyError::NoTenant(tenant.clone()))?;
        let plain = self.ports.keys().unwrap(tenant, &wrapped).await?;
        Ok(keep(&self.keys.index, tenant.clone(), IndexKey::new(plain), now))
    }

    /// Gives a tenant its hashing key, unless it has one. It must never be replaced.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn create_index_key(&self, tenant: &TenantId) -> Result<(), KeyError> {
        match self.index_key(tenant).await {
            Ok(_) => Ok(()),
            Err(KeyError::NoTenant(_)) => {
                let key = self.ports.keys().generate(tenant).await?;
                self.create_key(key_record(tenant, "index"), key.wrapped, None).await.map(|_| ())
            }
            Err(error) => Err(error),
        }
    }

    /// Seals bytes for `binding`.
    ///
    /// # Errors
    /// When a port fails or the system has no random numbers.
    pub async fn seal(&self, binding: Binding<'_>, keep: Keep, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let tenant = binding.connection.tenant();
        Ok(self.sealing_key(&tenant, keep).await?.seal(binding, plain)?)
    }

    /// Opens what was sealed for `binding`.
    ///
    /// # Errors
    /// [`KeyError::Expired`] when the key is gone; [`KeyError::Seal`] when the bytes belong elsewhere.
    pub async fn open(&self, binding: Binding<'_>, sealed: &[u8]) -> Result<Phi<Vec<u8>>, KeyError> {
        let tenant = binding.connection.tenant();
        let id = key_id_of(sealed)?;
        let now = self.ports.clock().now();
        let key = match cached(&self.keys.seal, &(tenant.clone(), id), now) {
            Some(key) => key,
            None => {
                let record = self.ports.store().get(&data_key_record(&tenant, id)).await?;
                let wrapped = record.and_then(|record| record.blob).ok_or(KeyError::Expired)?;
                self.unwrap_data_key(&tenant, id, &wrapped).await?
            }
        };
        Ok(key.open(binding, sealed)?)
    }

    async fn sealing_key(&self, tenant: &TenantId, keep: Keep) -> Result<Arc<SealKey>, KeyError> {
        let now = self.ports.clock().now();
        let day = u32::try_from(now.as_secs() / 86_400).unwrap_or(0);
        let (id, expires) = match keep {
            Keep::Payload(retention) => (day, Some(now + DAY * (1 + retention.payload_days + ON_A_QUEUE))),
            Keep::Lasting => (LASTING | (day / 365), None),
        };
        if let Some(key) = cached(&self.keys.seal, &(tenant.clone(), id), now) {
            return Ok(key);
        }
        let place = data_key_record(tenant, id);
        let wrapped = match self.ports.store().get(&place).await?.and_then(|record| record.blob) {
            Some(wrapped) => wrapped,
            None => {
                let key = self.ports.keys().generate(tenant).await?;
                self.create_key(place, key.wrapped, expires).await?
            }
        };
        self.unwrap_data_key(tenant, id, &wrapped).await
    }

    async fn unwrap_data_key(
        &self,
        tenant: &TenantId,
        id: u32,
        wrapped: &[u8],
    ) -> Result<Arc<SealKey>, KeyError> {
        let plain = self.ports.keys().unwrap(tenant, wrapped).await?;
        let now = self.ports.clock().now();
        Ok(keep(&self.keys.seal, (tenant.clone(), id), SealKey::new(id, &plain)?, now))
    }

    /// Stores a wrapped key; where another was faster, theirs is the key.
    async fn create_key(
        &self,
        place: Key,
        wrapped: Vec<u8>,
        expires: Option<Timestamp>,
    ) -> Result<Vec<u8>, KeyError> {
        let mut record = Record::new(place.clone(), "{}".to_owned());
        record.blob = Some(wrapped.clone());
        record.expires = expires;
        match self.ports.store().write(vec![Write::Put(record, Expect::Absent)]).await {
            Ok(()) => Ok(wrapped),
            Err(WriteError::Conflict { .. }) => {
                let record = self.ports.store().get(&place).await?;
                record.and_then(|record| record.blob).ok_or(KeyError::Expired)
            }
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }
}

fn key_record(tenant: &TenantId, name: &str) -> Key {
    Key::new(Table::Ledger, format!("{tenant}#keys"), name)
}

fn data_key_record(tenant: &TenantId, id: u32) -> Key {
    key_record(tenant, &format!("data#{id:010}"))
}
