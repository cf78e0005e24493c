//! What the pipeline may expect of its ports, as tests that any implementation can be put through: the one in memory,
//! which the simulation trusts, and the one on AWS.
//!
//! A contract that is broken panics. `room` keeps runs apart that share a world: it becomes part of every key.

mod blobs;
mod cache;
mod files;
mod keys;
mod queue;
mod signing;
mod store;

pub use blobs::blobs;
pub use cache::cache;
pub use files::files;
pub use keys::keys;
pub use queue::{Source, queue};
pub use signing::signing;
pub use store::store;

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use bridge_pipeline::{
        batch::Received,
        ports::{JwtAlgorithm, Pinned, QueueName},
    };

    use super::*;
    use crate::memory::{Calm, Kept, MemoryAdapters, MemoryPorts, Shared, World, lock, make_signing_key};

    fn world() -> (Shared, MemoryPorts<Calm>) {
        let world: Shared = Arc::default();
        *lock(&world) = World { now: 1_800_000_000_000, ..World::default() };
        let ports = MemoryPorts::new(world.clone(), Calm, MemoryAdapters::default(), 0, 1);
        (world, ports)
    }

    /// The consumer's end of a queue in memory.
    struct InMemory(Shared);

    impl Source for InMemory {
        async fn receive(&self) -> Vec<Received> {
            lock(&self.0).receive(QueueName::Inbound, 10)
        }
        async fn delete(&self, receipt: &str) {
            let mut world = lock(&self.0);
            let now = world.now;
            world.queues.entry(QueueName::Inbound).or_default().delete(receipt, now);
        }
        async fn wait(&self, time: Duration) {
            lock(&self.0).now += i64::try_from(time.as_millis()).unwrap();
        }
    }

    #[test]
    fn the_world_in_memory_keeps_the_contracts() {
        let (world, ports) = world();
        futures::executor::block_on(async {
            store(&ports, &ports, "room").await;
            blobs(&ports, "room").await;
            keys(&ports).await;
            lock(&world).cache = Some(Kept::default());
            cache(&ports, "room", |time| {
                lock(&world).now += i64::try_from(time.as_millis()).unwrap();
                std::future::ready(())
            })
            .await;
            for algorithm in JwtAlgorithm::ALL {
                let public = make_signing_key(&world, algorithm.as_str(), algorithm);
                signing(&ports, algorithm.as_str(), algorithm, &public).await;
            }
            let newest = |key: String| {
                let dropped = lock(&world).files.newest(&key).expect("it was put");
                let (version, etag) = (Some(dropped.clone()), dropped);
                std::future::ready(Pinned { key, version, etag })
            };
            files(&ports, "room", newest).await;
            queue(&ports, &InMemory(world), QueueName::Inbound).await;
        });
    }
}
