//! A place for answers that all processes share, beside the tables: Valkey or Redis.

use std::{future::Future, time::Duration};

/// What may be forgotten at any time, and is sealed before it gets here. A cache that fails is one that has forgotten: nobody
/// waits for it long, and nothing fails because of it.
pub trait Cache: Send + Sync {
    /// What was put there under this key, if it is there.
    fn get(&self, key: &str) -> impl Future<Output = Option<Vec<u8>>> + Send;

    /// Puts something there for so long.
    fn put(&self, key: &str, value: Vec<u8>, lifetime: Duration) -> impl Future<Output = ()> + Send;
}
