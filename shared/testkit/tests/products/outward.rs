//! Ports in memory, with the real way out to a simulated product, and one clock for both.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::{fmt, sync::Arc, time::Duration};

use bridge_adapters::{Catalog, Transports};
use bridge_core::Timestamp;
use bridge_pipeline::ports::{
    Clock, DeliverPorts, Entry, FilePorts, PortError, Ports, Queue, QueueName, RemotePorts,
};
use bridge_testkit::memory::{Fault, Hook, MemoryPorts, Shared, lock};

/// Takes what is put on `inbound`, so that it need not be kept.
pub(crate) trait Inbound: Send + Sync + 'static {
    fn take(&self, entries: Vec<Entry>);
}

/// A process: what it stores and queues is in memory, what it calls is the product's simulator on loopback.
pub(crate) struct Outward<H> {
    pub(crate) memory: MemoryPorts<H>,
    catalog: Arc<Catalog>,
    ways: Arc<Transports>,
    time: Time,
    inbound: Option<(H, Box<dyn Inbound>)>,
}

impl<H> fmt::Debug for Outward<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outward")
    }
}

/// The time of the world and of the product, moved together.
#[derive(Clone)]
pub(crate) struct Time {
    pub(crate) world: Shared,
    /// Sets the product's clock, in milliseconds since 1970.
    hold: Arc<dyn Fn(i64) + Send + Sync>,
}

impl Time {
    pub(crate) fn new(world: Shared, hold: impl Fn(i64) + Send + Sync + 'static) -> Self {
        let now = lock(&world).now;
        hold(now);
        Self { world, hold: Arc::new(hold) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(lock(&self.world).now)
    }

    pub(crate) fn pass(&self, time: Duration) {
        let now = {
            let mut world = lock(&self.world);
            world.now += i64::try_from(time.as_millis()).unwrap();
            world.now
        };
        (self.hold)(now);
    }
}

impl<H: Hook> Outward<H> {
    pub(crate) fn new(
        memory: MemoryPorts<H>,
        time: Time,
        catalog: Arc<Catalog>,
        ways: Arc<Transports>,
    ) -> Self {
        Self { memory, catalog, ways, time, inbound: None }
    }

    /// The same, with another end of `inbound`. Its calls fare as the hook says.
    pub(crate) fn into(self, hook: H, inbound: impl Inbound) -> Self {
        Self { inbound: Some((hook, Box::new(inbound))), ..self }
    }
}

impl<H: Hook> Clock for Outward<H> {
    fn now(&self) -> Timestamp {
        Clock::now(&self.memory)
    }
    fn chance(&self) -> f64 {
        self.memory.chance()
    }
    async fn sleep(&self, time: Duration) {
        self.time.pass(time);
    }
}

impl<H: Hook> Queue for Outward<H> {
    async fn send(&self, queue: QueueName, entries: Vec<Entry>) -> Result<(), PortError> {
        let Some((hook, inbound)) = self.inbound.as_ref().filter(|_| queue == QueueName::Inbound) else {
            return self.memory.send(queue, entries).await;
        };
        let failed = || PortError { operation: "queue.send", reason: "injected".to_owned() };
        for chunk in entries.chunks(10) {
            hook.pause().await;
            match hook.fault("queue.send") {
                Some(Fault::Before) => return Err(failed()),
                Some(Fault::After) => {
                    inbound.take(chunk.to_vec());
                    return Err(failed());
                }
                None => inbound.take(chunk.to_vec()),
            }
        }
        Ok(())
    }

    async fn hide(&self, queue: QueueName, receipts: Vec<(String, Duration)>) -> Result<(), PortError> {
        self.memory.hide(queue, receipts).await
    }
}

impl<H: Hook> Ports for Outward<H> {
    type Store = MemoryPorts<H>;
    type Queue = Self;
    type Blobs = MemoryPorts<H>;
    type Keys = MemoryPorts<H>;
    type Clock = Self;
    type Adapters = Catalog;
    fn store(&self) -> &MemoryPorts<H> {
        &self.memory
    }
    fn queue(&self) -> &Self {
        self
    }
    fn blobs(&self) -> &MemoryPorts<H> {
        &self.memory
    }
    fn keys(&self) -> &MemoryPorts<H> {
        &self.memory
    }
    fn clock(&self) -> &Self {
        self
    }
    fn adapters(&self) -> &Catalog {
        &self.catalog
    }
}

impl<H: Hook> RemotePorts for Outward<H> {
    type Remote = Transports;
    fn remote(&self) -> &Transports {
        &self.ways
    }
}

impl<H: Hook> FilePorts for Outward<H> {
    type Files = MemoryPorts<H>;
    fn files(&self) -> &MemoryPorts<H> {
        &self.memory
    }
}

impl<H: Hook> DeliverPorts for Outward<H> {
    type Destination = MemoryPorts<H>;
    fn destination(&self) -> &MemoryPorts<H> {
        &self.memory
    }
}
