//! The pipeline with its ports and its caches: one per process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bridge_core::{Timestamp, id::ConnectionId};
use bridge_mapping::Mapping;

use crate::{
    configuration::Loaded,
    fhir_api::cache::Pages,
    keys::KeyRing,
    ledger::Ledger,
    ports::{Clock, Ports},
    rejections::Rejections,
    resilience::{endpoint::Endpoints, limits::Limits, retries::Retries},
    signing::KnownKeys,
    tokens::Tokens,
};

/// A change of a connection is seen everywhere after this long.
pub const CONFIGURATION_AGE: Duration = Duration::from_secs(30);

/// What was found of a connection, and when it was looked up.
type Looked = (Option<Arc<Loaded>>, Timestamp);

/// The pipeline of one process. Cheap to share; everything it keeps is a cache.
pub struct Bridge<P> {
    pub(crate) ports: P,
    pub(crate) keys: KeyRing,
    pub(crate) rejections: Rejections,
    pub(crate) endpoints: Endpoints,
    pub(crate) limits: Limits,
    pub(crate) retries: Retries,
    pub(crate) tokens: Tokens,
    pub(crate) pages: Pages,
    pub(crate) signing: KnownKeys,
    connections: Mutex<HashMap<ConnectionId, Looked>>,
    mappings: Mutex<HashMap<String, Arc<Mapping>>>,
}

impl<P: Ports> Bridge<P> {
    /// Over these ports.
    pub fn new(ports: P) -> Self {
        Self {
            ports,
            keys: KeyRing::default(),
            rejections: Rejections::default(),
            endpoints: Endpoints::default(),
            limits: Limits::default(),
            retries: Retries::default(),
            tokens: Tokens::default(),
            pages: Pages::default(),
            signing: KnownKeys::default(),
            connections: Mutex::default(),
            mappings: Mutex::default(),
        }
    }

    /// The ports.
    pub const fn ports(&self) -> &P {
        &self.ports
    }

    /// The ledger.
    pub const fn ledger(&self) -> Ledger<'_, P> {
        Ledger::new(&self.ports)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock().now()
    }

    pub(crate) fn cached_connection(&self, id: &ConnectionId) -> Option<Option<Arc<Loaded>>> {
        let now = self.now();
        let cache = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let (loaded, at) = cache.get(id)?;
        (now.since(*at) < CONFIGURATION_AGE).then(|| loaded.clone())
    }

    pub(crate) fn cache_connection(&self, id: &ConnectionId, loaded: Option<Arc<Loaded>>) {
        let now = self.now();
        let mut cache = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        // Unknown ids come from outside: they must not fill the memory.
        if cache.len() >= 10_000 {
            cache.clear();
        }
        cache.insert(id.clone(), (loaded, now));
    }

    /// A compiled mapping by its name and version.
    pub(crate) fn cached_mapping(&self, name: &str) -> Option<Arc<Mapping>> {
        self.mappings.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(crate) fn cache_mapping(&self, name: &str, mapping: &Arc<Mapping>) {
        let mut cache = self.mappings.lock().unwrap_or_else(PoisonError::into_inner);
        // Old versions of connections pile up in a process that lives long.
        if cache.len() >= 1_000 {
            cache.clear();
        }
        cache.insert(name.to_owned(), mapping.clone());
    }

    /// Forgets what was read of the configuration, so that a change is seen at once.
    pub fn forget_configuration(&self) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl<P> std::fmt::Debug for Bridge<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bridge")
    }
}
