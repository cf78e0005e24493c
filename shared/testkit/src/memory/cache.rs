//! A cache in memory, with Valkey's expiry by the world's true time.

use std::{collections::BTreeMap, time::Duration};

use bridge_pipeline::ports::Cache;

use super::{Hook, MemoryPorts, World, lock};

/// Values by key, each with the moment at which it is gone, in milliseconds.
pub type Kept = BTreeMap<String, (Vec<u8>, i64)>;

impl<H: Hook> MemoryPorts<H> {
    /// What a cache does where it is there and does not fail.
    async fn of_cache<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut Kept, i64) -> Option<T> + Send,
    ) -> Option<T> {
        let effect = |world: &mut World| effect(world.cache.as_mut()?, world.now);
        self.call(operation, effect).await.ok().flatten()
    }

    /// Itself, where the world has a cache.
    pub(super) fn has_cache(&self) -> bool {
        lock(&self.world).cache.is_some()
    }
}

impl<H: Hook> Cache for MemoryPorts<H> {
    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.of_cache("cache.get", |kept, now| {
            kept.get(key).filter(|(_, until)| now < *until).map(|(value, _)| value.clone())
        })
        .await
    }

    async fn put(&self, key: &str, value: Vec<u8>, lifetime: Duration) {
        self.of_cache("cache.put", |kept, now| {
            let until = now + i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
            kept.insert(key.to_owned(), (value, until)).map(drop)
        })
        .await;
    }
}
