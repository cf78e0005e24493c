//! Keys by which products know the bridge (SMART backend services): they stay in the key service, which signs with them.
//! Their public halves stand in one JSON Web Key Set, at an address that is registered with the product once.
//!
//! A key is published before it signs, and for a while after another signs in its stead: whoever keeps a copy of the set
//! never meets a signature whose key it can't know ([ADR 31](../../../docs/adr/0031-keys-that-sign-stay-in-kms.md)).
//!
//! | record | table | pk | sk |
//! |---|---|---|---|
//! | signing key | config | `#signing` | `key#{thumbprint}` |

mod jwks;
mod record;
mod signer;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bridge_core::{Timestamp, id::TenantId, task::Actor};
use bridge_seal::{JwtAlgorithm, PublicJwk};

use crate::{
    bridge::Bridge,
    ledger::docs_write,
    ports::{Expect, Index, Key, PortError, Ports, Query, Record, Store, Table, Write, WriteError},
};

pub use jwks::JWKS_PATH;
pub use record::SigningKey;

/// Everybody sees a change of the keys after this long.
const AGE: Duration = Duration::from_mins(1);

/// A new key of the key service.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose; `None` for everybody who has none of their own.
    pub tenant: Option<TenantId>,
    /// What it signs with.
    pub algorithm: JwtAlgorithm,
    /// What the key service calls it.
    pub key: String,
    /// Its public half: SubjectPublicKeyInfo in DER.
    pub public: Vec<u8>,
    /// It signs from then on.
    pub signs_from: Timestamp,
    /// For so long after that the keys that it replaces stay published.
    pub overlap: Duration,
}

/// Why a key was not taken or could not be withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// What the key service gave is no key of the algorithm.
    #[error("the key service gave a public key that does not fit the algorithm")]
    Unfit,
    /// A record is not in a form this version knows.
    #[error("a record of a signing key can't be read by this version")]
    Unreadable,
    /// There is no such key.
    #[error("there is no signing key {0}: `bridge keys list` shows them")]
    Missing(String),
    /// Withdrawing it would leave connections without one.
    #[error(
        "{0} is the only key that signs now for whom it is for: make another with `bridge keys rotate` first"
    )]
    InUse(String),
    /// Somebody else was faster.
    #[error("the signing keys were changed by somebody else just now: look at them again")]
    Changed,
}

/// The keys as one process last read them.
#[derive(Debug, Default)]
pub(crate) struct KnownKeys(Mutex<Option<(Arc<Vec<SigningKey>>, Timestamp)>>);

impl<P: Ports> Bridge<P> {
    /// All keys, those that are withdrawn included, oldest first.
    ///
    /// # Errors
    /// When the store fails, or a record can't be read.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, SigningError> {
        let found = self.stored_keys().await?;
        Ok(found.into_iter().map(|(key, _)| key).collect())
    }

    /// The same from memory, where they were read a minute ago at most and hold what is looked for.
    pub(crate) async fn known_keys(
        &self,
        has: impl Fn(&[SigningKey]) -> bool,
    ) -> Result<Arc<Vec<SigningKey>>, SigningError> {
        let now = self.now();
        let known = self.signing.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((keys, at)) = known
            && now.since(at) < AGE
            && has(&keys)
        {
            return Ok(keys);
        }
        let keys = Arc::new(self.signing_keys().await?);
        *self.signing.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&keys), now));
        Ok(keys)
    }

    /// Publishes a key, and lets it sign from its time on; the keys before it stay published until the overlap is over.
    ///
    /// # Errors
    /// See [`SigningError`]. Nothing is changed then.
    pub async fn add_signing_key(&self, new: NewKey, actor: Actor) -> Result<SigningKey, SigningError> {
        let jwk = PublicJwk::of_spki(new.algorithm, &new.public).ok_or(SigningError::Unfit)?;
        let key = SigningKey {
            kid: jwk.thumbprint(),
            tenant: new.tenant,
            algorithm: new.algorithm.as_str().to_owned(),
            key: new.key,
            public: jwk.members().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            created_at: self.now(),
            signs_from: new.signs_from,
            withdrawn: None,
            actor,
        };
        let mut writes = vec![Write::Put(record_of(&key), Expect::Absent)];
        let ends = key.signs_from + new.overlap;
        for (mut old, record) in self.stored_keys().await? {
            if old.replaces(&key) && old.withdrawn.is_none_or(|until| until > ends) {
                old.withdrawn = Some(ends);
                writes.push(Write::Put(record_of(&old), Expect::Rev(record.rev)));
            }
        }
        self.write_keys(writes).await?;
        Ok(key)
    }

    /// Takes a key out of the set at once: nothing is signed with it any more, and nothing that was is good.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn withdraw_signing_key(&self, kid: &str, actor: Actor) -> Result<SigningKey, SigningError> {
        let now = self.now();
        let stored = self.stored_keys().await?;
        let (mut key, record) = stored
            .iter()
            .find(|(key, _)| key.kid == kid)
            .cloned()
            .ok_or_else(|| SigningError::Missing(kid.to_owned()))?;
        let others = stored.iter().filter(|(other, _)| other.kid != kid && other.replaces(&key));
        if key.signs(now) && !others.into_iter().any(|(other, _)| other.signs(now)) {
            return Err(SigningError::InUse(kid.to_owned()));
        }
        key.withdrawn = Some(key.withdrawn.unwrap_or(now).min(now));
        key.actor = actor;
        self.write_keys(vec![Write::Put(record_of(&key), Expect::Rev(record.rev))]).await?;
        Ok(key)
    }

    async fn write_keys(&self, writes: Vec<Write>) -> Result<(), SigningError> {
        match self.ports.store().write(writes).await {
            Ok(()) => {
                *self.signing.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
                Ok(())
            }
            Err(WriteError::Conflict { .. }) => Err(SigningError::Changed),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }

    async fn stored_keys(&self) -> Result<Vec<(SigningKey, Record)>, SigningError> {
        let query = Query::prefix(Table::Config, Index::Main, PARTITION, "key#");
        let records = self.ports.store().query(query).await?;
        let read = |record: Record| {
            let key = serde_json::from_str(&record.doc).map_err(|_| SigningError::Unreadable);
            key.map(|key| (key, record))
        };
        let mut keys: Vec<(SigningKey, Record)> = records.into_iter().map(read).collect::<Result<_, _>>()?;
        keys.sort_by(|(one, _), (other, _)| one.age().cmp(&other.age()));
        Ok(keys)
    }
}

/// No tenant is called so.
const PARTITION: &str = "#signing";

fn record_of(key: &SigningKey) -> Record {
    Record::new(Key::new(Table::Config, PARTITION, format!("key#{}", key.kid)), docs_write(key))
}
