//! The ports in memory, with the rules of the services they stand for.
//!
//! One [`World`] is what all processes share: tables, queues, objects, the receiver, and time. A [`MemoryPorts`] is
//! what one process sees of it: its own clock (with a skew), and a [`Hook`] that may pause, fail or spy on each call.

mod cache;
mod files;
mod mortal;
mod product;
mod queue;
mod receiver;
mod signing;
pub(crate) mod step;
mod store;

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bridge_core::{
    Timestamp,
    config::{Connection, Serves},
    destination::{Call, Destination, Outcome},
    id::TenantId,
    manifest::{Adapters, Manifest},
};
use bridge_pipeline::ports::{
    Blobs, Clock, DataKey, DeliverPorts, Entry, Key, Keys, PortError, Ports, Query, Queue, QueueName, Record,
    Store, Write, WriteError,
};
use bridge_pipeline::resilience::{Breaker, EndpointDoc, EndpointId, endpoint_key};
use bridge_seal::{KeyPair, sha256};
use zeroize::Zeroizing;

pub use cache::Kept;
pub use files::Bucket;
pub use mortal::Mortal;
pub use product::{Called, Product};
pub use queue::{FifoQueue, Message};
use receiver::Beginning;
pub use receiver::{Effect, Receiver};
pub use signing::make_signing_key;
pub use step::{Stepping, killed_after};
pub use store::Tables;

/// Everything that outlives a process.
#[derive(Debug, Default)]
pub struct World {
    /// True time, in milliseconds.
    pub now: i64,
    /// The tables.
    pub tables: Tables,
    /// The queues and their dead letter queues.
    pub queues: BTreeMap<QueueName, FifoQueue>,
    /// The bucket.
    pub objects: BTreeMap<String, Vec<u8>>,
    /// The bucket of files.
    pub files: Bucket,
    /// The cache beside the tables, where there is one.
    pub cache: Option<Kept>,
    /// The key service's keys that sign, by name.
    pub signing: BTreeMap<String, KeyPair>,
    /// Where deliveries end.
    pub receiver: Receiver,
    /// What is asked, where a test brings it.
    pub product: Option<Box<dyn Product>>,
}

/// A world, shared by its processes.
pub type Shared = Arc<Mutex<World>>;

/// The world, whatever happened to who held it last.
pub fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What stands between a process and the world.
pub trait Hook: Send + Sync + 'static {
    /// Comes before each call: the place where a process may lose its turn, or its life.
    fn pause(&self) -> impl Future<Output = ()> + Send;
    /// Whether this call fails, and if so whether its effect happens nevertheless.
    fn fault(&self, operation: &'static str) -> Option<Fault>;
    /// Uniform in `0.0..1.0`.
    fn chance(&self) -> f64;
    /// Whether waiting makes time pass: where nothing else does.
    fn passes_time(&self) -> bool {
        false
    }
    /// Plants a bug: what a write becomes. Identity in a healthy world.
    fn corrupt(&self, writes: Vec<Write>) -> Vec<Write> {
        writes
    }
    /// Plants a bug: what is sent. Identity in a healthy world.
    fn lose(&self, entries: Vec<Entry>) -> Vec<Entry> {
        entries
    }
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens.
    Before,
    /// It happens, and the caller is told that it failed.
    After,
}

/// A hook for tests that want nothing to go wrong.
#[derive(Debug, Default)]
pub struct Calm;

impl Hook for Calm {
    async fn pause(&self) {}
    fn fault(&self, _: &'static str) -> Option<Fault> {
        None
    }
    fn chance(&self) -> f64 {
        0.5
    }
    fn passes_time(&self) -> bool {
        true
    }
}

/// What adapters a world knows: manifests and mappings by name.
#[derive(Debug, Default, Clone)]
pub struct MemoryAdapters {
    /// By adapter.
    pub manifests: HashMap<String, Arc<Manifest>>,
    /// By adapter and mapping.
    pub mappings: HashMap<(String, String), Arc<str>>,
}

impl Adapters for MemoryAdapters {
    fn manifest(&self, adapter: &str) -> Option<Arc<Manifest>> {
        self.manifests.get(adapter).cloned()
    }
    fn mapping(&self, adapter: &str, mapping: &str) -> Option<Arc<str>> {
        self.mappings.get(&(adapter.to_owned(), mapping.to_owned())).cloned()
    }
    fn query(&self, _: &str, _: &str) -> Option<Arc<str>> {
        None
    }
}

/// One process's view of a world.
#[derive(Debug)]
pub struct MemoryPorts<H> {
    world: Shared,
    hook: H,
    skew_ms: i64,
    process: u64,
    adapters: MemoryAdapters,
}

impl<H: Hook> MemoryPorts<H> {
    /// A process with a clock that is `skew_ms` ahead of true time.
    pub fn new(world: Shared, hook: H, adapters: MemoryAdapters, skew_ms: i64, process: u64) -> Self {
        Self { world, hook, skew_ms, process, adapters }
    }

    /// What adapters it knows.
    pub fn adapters_known(&self) -> MemoryAdapters {
        self.adapters.clone()
    }

    /// The world.
    pub const fn world(&self) -> &Shared {
        &self.world
    }

    /// One call: pause, perhaps fail, do it.
    async fn call<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut World) -> T + Send,
    ) -> Result<T, PortError> {
        self.hook.pause().await;
        let failed = || PortError { operation, reason: "injected".to_owned() };
        match self.hook.fault(operation) {
            Some(Fault::Before) => Err(failed()),
            Some(Fault::After) => {
                effect(&mut lock(&self.world));
                Err(failed())
            }
            None => Ok(effect(&mut lock(&self.world))),
        }
    }
}

impl<H: Hook> Store for MemoryPorts<H> {
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError> {
        self.call("store.get", |world| world.tables.get(key, world.now)).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), WriteError> {
        let writes = self.hook.corrupt(writes);
        self.call("store.write", |world| world.tables.write(writes, world.now)).await?
    }

    async fn query(&self, query: Query) -> Result<Vec<Record>, PortError> {
        self.call("store.query", |world| world.tables.query(&query, world.now)).await
    }
}

impl<H: Hook> Queue for MemoryPorts<H> {
    async fn send(&self, queue: QueueName, entries: Vec<Entry>) -> Result<(), PortError> {
        // A batch has ten entries at most, and each batch is a call that can fail by itself.
        for chunk in self.hook.lose(entries).chunks(10) {
            let chunk = chunk.to_vec();
            self.call("queue.send", |world| {
                let now = world.now;
                let fifo = world.queues.entry(queue).or_default();
                chunk.into_iter().for_each(|entry| fifo.send(entry, now));
            })
            .await?;
        }
        Ok(())
    }

    async fn hide(&self, queue: QueueName, receipts: Vec<(String, Duration)>) -> Result<(), PortError> {
        self.call("queue.hide", |world| {
            let now = world.now;
            let fifo = world.queues.entry(queue).or_default();
            receipts.iter().for_each(|(receipt, after)| fifo.hide(receipt, *after, now));
        })
        .await
    }
}

impl<H: Hook> Blobs for MemoryPorts<H> {
    async fn put(&self, key: &str, sealed: Vec<u8>) -> Result<(), PortError> {
        let key = key.to_owned();
        self.call("blobs.put", |world| drop(world.objects.insert(key, sealed))).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.call("blobs.get", |world| world.objects.get(key).cloned()).await
    }
}

/// Data keys are derived from the tenant's name, and wrapped by naming it: enough to tell tenants apart.
impl<H: Hook> Keys for MemoryPorts<H> {
    async fn generate(&self, tenant: &TenantId) -> Result<DataKey, PortError> {
        self.call("keys.generate", |world| {
            let salt = world.tables.len().to_be_bytes();
            let plain = sha256(&[tenant.as_str().as_bytes(), &salt]);
            let wrapped = [tenant.as_str().as_bytes(), b"|", &plain].concat();
            DataKey { plain: Zeroizing::new(plain.to_vec()), wrapped }
        })
        .await
    }

    async fn unwrap(&self, tenant: &TenantId, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, PortError> {
        let prefix = format!("{tenant}|");
        let plain = wrapped.strip_prefix(prefix.as_bytes()).map(|plain| Zeroizing::new(plain.to_vec()));
        self.call("keys.unwrap", |_| ()).await?;
        plain.ok_or_else(|| PortError { operation: "keys.unwrap", reason: "of another tenant".to_owned() })
    }
}

impl<H: Hook> Clock for MemoryPorts<H> {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(lock(&self.world).now + self.skew_ms)
    }
    fn chance(&self) -> f64 {
        self.hook.chance()
    }
    async fn sleep(&self, time: Duration) {
        let until = lock(&self.world).now + i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        while lock(&self.world).now < until {
            if self.hook.passes_time() {
                lock(&self.world).now = until;
            }
            self.hook.pause().await;
        }
    }
}

impl<H: Hook> Destination for MemoryPorts<H> {
    async fn deliver(&self, call: &Call<'_>) -> Outcome {
        let body = call.body.expose().clone();
        let (process, delivery, destination) = (self.process, call.delivery, &call.connection.connection);
        let endpoint = &endpoint_of(call.connection);
        let beginning = |now, deadline, breaker| Beginning {
            process,
            delivery,
            destination,
            endpoint,
            now,
            deadline,
            breaker,
        };
        let begins_at = lock(&self.world).now;
        let deadline = begins_at + i64::try_from(call.time_left.as_millis()).unwrap_or(i64::MAX);
        let begun = self
            .call("receiver.begin", |world| {
                let known = world.tables.get(&endpoint_key(endpoint), world.now);
                let state: EndpointDoc = known
                    .map(|record| serde_json::from_str(&record.doc).expect("an endpoint"))
                    .unwrap_or_default();
                world.receiver.begin(&beginning(world.now, deadline, state.breaker));
                world.receiver.is_down(endpoint).then_some(world.now + world.receiver.hang_ms)
            })
            .await;
        self.hook.pause().await;
        let hangs_until = begun.as_ref().ok().copied().flatten().unwrap_or(0).min(deadline + 1);
        while lock(&self.world).now < hangs_until {
            self.hook.pause().await;
        }
        // A transport gives up at its deadline; what the receiver does then, nobody knows.
        if begun.is_err() || lock(&self.world).now > deadline {
            lock(&self.world).receiver.gives_up(self.process, delivery);
            return Outcome::Unknown(bridge_core::Cause::new("timeout", "no answer in time"));
        }
        let roll = self.hook.chance();
        let mut world = lock(&self.world);
        let now = world.now;
        world.receiver.end(self.process, delivery);
        world.receiver.answer(&beginning(now, deadline, Breaker::default()), &body, roll)
    }

    async fn knock(&self, connection: &Connection, _: &Manifest, _: Serves, _: Duration) -> bool {
        let endpoint = endpoint_of(connection);
        let answers = self.call("receiver.knock", |world| {
            world.receiver.knocks += 1;
            !world.receiver.is_down(&endpoint)
        });
        answers.await.unwrap_or(false)
    }
}

/// Which endpoint a connection is as it is called: the one whose address its setting `url` is.
fn endpoint_of(connection: &Connection) -> EndpointId {
    let url = connection.settings.get("url");
    let called = connection.endpoints.iter().find(|endpoint| Some(&endpoint.url) == url);
    let name = called.map(|endpoint| endpoint.name.clone());
    EndpointId { name, ..EndpointId::deliveries(connection.connection.clone()) }
}

impl<H: Hook> Ports for MemoryPorts<H> {
    type Store = Self;
    type Queue = Self;
    type Blobs = Self;
    type Keys = Self;
    type Clock = Self;
    type Adapters = MemoryAdapters;

    fn store(&self) -> &Self {
        self
    }
    fn queue(&self) -> &Self {
        self
    }
    fn blobs(&self) -> &Self {
        self
    }
    fn keys(&self) -> &Self {
        self
    }
    fn clock(&self) -> &Self {
        self
    }
    fn adapters(&self) -> &MemoryAdapters {
        &self.adapters
    }
}

impl<H: Hook> DeliverPorts for MemoryPorts<H> {
    type Destination = Self;
    fn destination(&self) -> &Self {
        self
    }
}
