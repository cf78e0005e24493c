//! A small practice for tests: one tenant, one source whose webhook rules the test writes, one receiver.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bridge_core::{
    Phi,
    config::Connection,
    http::{Request, Response},
    task::{Actor, Dropped, FileTask},
};
use bridge_pipeline::{
    Bridge, batch,
    deliver::Deliver,
    export::{Encryptor, Exports},
    files::{CipherError, Decryptor, FileDoc, Ingest, Pace},
    normalize::Normalize,
    poll::Polls,
    ports::{Clock as _, Entry, Queue as _, QueueName},
    retry::Retry,
};
use futures::executor::block_on;

use crate::{
    memory::{Calm, MemoryAdapters, MemoryPorts, Shared, World, lock},
    sim::{CONNECTION, DESTINATION, plan},
};

/// The practice, with a bridge of its own.
#[derive(Debug)]
pub struct Practice {
    /// What it runs on.
    pub world: Shared,
    /// Its bridge.
    pub bridge: Bridge<MemoryPorts<Calm>>,
    /// In what steps it reads files.
    pub pace: Pace,
    /// In what steps it writes them.
    pub export_pace: bridge_pipeline::export::Pace,
    /// What decrypts its files; nothing does at first.
    pub decryptor: Decryptor,
    /// What encrypts the files that it is sent; nothing does at first.
    pub encryptor: Encryptor,
}

impl Practice {
    /// A practice whose source has these webhook rules (YAML) and secrets.
    pub fn new(webhook: &str, secrets: &[(&str, &[&str])]) -> Self {
        let mut source = plan::source(plan::REPAIRED, "hold");
        source.webhook =
            Some(serde_norway::from_str(webhook).unwrap_or_else(|e| panic!("webhook rules: {e}")));
        for (name, values) in secrets {
            let values = values.iter().map(|value| Phi::new((*value).to_owned())).collect();
            source.secrets.insert((*name).to_owned(), bridge_core::config::Secret::Rotating(values));
        }
        Self::with_source(source)
    }

    /// A practice with this source.
    pub fn with_source(source: Connection) -> Self {
        Self::with_adapters(source, MemoryAdapters::default())
    }

    /// A practice with this source, and these adapters beside the simulation's.
    pub fn with_adapters(source: Connection, mut adapters: MemoryAdapters) -> Self {
        let world: Shared = Arc::new(Mutex::new(World { now: 1_790_000_000_000, ..World::default() }));
        adapters.manifests.extend(plan::adapters().manifests);
        let bridge = Bridge::new(MemoryPorts::new(world.clone(), Calm, adapters, 0, 1));
        block_on(async {
            bridge.apply_tenant(&plan::tenant()).await.expect("a calm world");
            bridge.apply_connection(source, actor()).await.expect("a calm world");
            bridge.apply_connection(plan::studio("hold"), actor()).await.expect("a calm world");
        });
        Self {
            world,
            bridge,
            pace: Pace::default(),
            export_pace: Default::default(),
            decryptor: |_, _| Err(CipherError::System),
            encryptor: |_| Err(CipherError::System),
        }
    }

    /// A source that maps a patient with a tag, as the simulation's does.
    pub fn source() -> Connection {
        plan::source(plan::REPAIRED, "hold")
    }

    /// Posts a body with these headers; `content-type` is JSON unless given.
    pub fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.send("POST", &format!("/webhooks/{CONNECTION}"), "", headers, body)
    }

    /// Sends a request to the source's door.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let mut all = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: all,
            source: Some([203, 0, 113, 9].into()),
            body: Phi::new(body.to_vec()),
        };
        block_on(self.bridge.receive(CONNECTION, &request))
    }

    /// Drops a file for the source, and tells of it as S3 does.
    pub fn drop_file(&self, name: &str, bytes: &[u8]) -> Dropped {
        let dropped = {
            let mut world = lock(&self.world);
            world.now += 1_000;
            let now = world.now;
            world.files.put(&format!("drops/{CONNECTION}/{name}"), bytes.to_vec(), now)
        };
        self.tell_of(&dropped);
        dropped
    }

    /// An event about a dropped file.
    pub fn tell_of(&self, dropped: &Dropped) {
        let body = serde_json::to_string(&FileTask::Dropped(vec![dropped.clone()])).expect("a task");
        let number = lock(&self.world).queues.entry(QueueName::Drops).or_default().sent() + 1;
        let entry = Entry { body, group: format!("g{number}"), dedup: format!("d{number}") };
        block_on(self.bridge.ports().send(QueueName::Drops, vec![entry])).expect("a calm world");
    }

    /// The source's files, the newest first.
    pub fn files(&self) -> Vec<FileDoc> {
        let connection = CONNECTION.parse().expect("valid");
        block_on(self.bridge.files(&connection, 100)).expect("a calm world")
    }

    /// Works all queues until they are empty or only hold what waits.
    pub fn settle(&self) {
        for _ in 0..1_000 {
            let queues = [
                QueueName::Drops,
                QueueName::Commands,
                QueueName::Inbound,
                QueueName::Outbound,
                QueueName::Exports,
            ];
            let worked = queues.map(|queue| self.work(queue)).iter().any(|worked| *worked);
            if !worked && !self.wait() {
                return;
            }
        }
        panic!("the practice does not come to rest");
    }

    /// Works one batch; whether there was one.
    pub fn work(&self, queue: QueueName) -> bool {
        let records = lock(&self.world).receive(queue, 10);
        if records.is_empty() {
            return false;
        }
        let (bridge, ports) = (&self.bridge, self.bridge.ports());
        let deadline = ports.now() + std::time::Duration::from_secs(60);
        let again = block_on(async {
            match queue {
                QueueName::Inbound => batch::run(ports, &Normalize(bridge), records.clone(), deadline).await,
                QueueName::Outbound => batch::run(ports, &Deliver(bridge), records.clone(), deadline).await,
                QueueName::Commands => batch::run(ports, &Retry(bridge), records.clone(), deadline).await,
                QueueName::Polls => batch::run(ports, &Polls(bridge), records.clone(), deadline).await,
                QueueName::Exports => {
                    let exports = Exports { bridge, pace: self.export_pace, encryptor: self.encryptor };
                    batch::run(ports, &exports, records.clone(), deadline).await
                }
                QueueName::Drops => {
                    let ingest = Ingest { bridge, pace: self.pace, decryptor: self.decryptor };
                    batch::run(ports, &ingest, records.clone(), deadline).await
                }
            }
        });
        lock(&self.world).done(queue, &records, &again);
        true
    }

    /// Lets time pass until something hidden is visible; whether there was something.
    fn wait(&self) -> bool {
        let mut world = lock(&self.world);
        let now = world.now;
        let next = world.queues.values().filter_map(|queue| queue.next_visible(now)).min();
        if let Some(next) = next {
            world.now = next;
        }
        next.is_some()
    }

    /// The bodies that were delivered, in order.
    pub fn delivered(&self) -> Vec<String> {
        lock(&self.world).receiver.effects.iter().map(|effect| effect.body.clone()).collect()
    }

    /// The id of the destination.
    pub fn destination() -> bridge_core::id::ConnectionId {
        DESTINATION.parse().expect("valid")
    }
}

/// Who acts in tests.
pub fn actor() -> Actor {
    Actor { name: "tester".to_owned(), reason: "a test".to_owned() }
}
