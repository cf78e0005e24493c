//! A practice that has a product: its connection, Practice Studio behind it, and the queues worked to their end.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bridge_adapters::{Catalog, Transports};
use bridge_core::{Phi, config::Connection, http::Request};
use bridge_pipeline::{
    Bridge, batch,
    deliver::Deliver,
    normalize::Normalize,
    poll::{PollStatus, Polls},
    ports::{Clock as _, QueueName, Table},
};
use bridge_simulators::{Seed, Served};
pub(crate) use bridge_testkit::caller::PMS;
use bridge_testkit::{
    memory::{Calm, MemoryAdapters, MemoryPorts, Shared, World, lock},
    practice::actor,
};
use serde_json::{Value, json};

use crate::outward::{Outward, Time};

const STUDIO: &str = "sim.studio";
/// A Monday afternoon, in milliseconds since 1970.
const BEGIN: i64 = 1_790_000_000_000;
/// Longer than any adapter waits between two polls of appointments.
const A_WHILE: Duration = Duration::from_mins(16);
const A_MINUTE: Duration = Duration::from_mins(1);

/// How a practice hears of what changes in its product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// It asks.
    Poll,
    /// It is told, and asks for nothing but what it is told of.
    Webhook,
}

/// The practice.
pub(crate) struct Practice {
    pub(crate) by: By,
    pub(crate) served: Served,
    pub(crate) time: Time,
    pub(crate) bridge: Bridge<Outward<Calm>>,
}

/// A resource as the bridge keeps it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kept {
    pub(crate) reference: String,
    pub(crate) version: String,
}

impl Practice {
    /// A practice with a product of this adapter, of which nothing is known yet.
    pub(crate) async fn open(adapter: &str, by: By) -> Self {
        let simulator = bridge_simulators::by_name(adapter).expect("a simulator of that name");
        let (world, steered): (Shared, _) =
            (Arc::new(Mutex::new(World { now: BEGIN, ..World::default() })), Arc::clone(&simulator));
        let time = Time::new(world, move |millis| {
            steered.clock().hold(jiff::Timestamp::from_millisecond(millis).unwrap());
        });
        let served = bridge_simulators::serve(simulator, None).await.unwrap();
        served.simulator.seed(&Seed { number: 7, patients: 12, practitioners: 3, appointments: 90 });
        served.simulator.prepare();
        if by == By::Webhook {
            // What is told by the second is not of what was there before.
            time.pass(A_WHILE);
            served.simulator.subscribe(&format!("https://bridge.example/webhooks/{PMS}"));
        }
        let memory = MemoryPorts::new(time.world.clone(), Calm, MemoryAdapters::default(), 0, 1);
        let ways = Arc::new(Transports::new().unwrap());
        let ports = Outward::new(memory, time.clone(), Arc::new(Catalog::builtin()), ways);
        let bridge = Bridge::new(ports);
        let tenant = serde_json::from_value(json!({"tenant": "sim", "name": "Simulated practice"}));
        bridge.apply_tenant(&tenant.unwrap()).await.unwrap();
        for connection in [studio(), product(&served, by)] {
            bridge.apply_connection(connection, actor()).await.unwrap();
        }
        Self { by, served, time, bridge }
    }

    /// A while passes, and what has changed in the product is known.
    pub(crate) async fn hear(&self) {
        match self.by {
            By::Poll => self.poll().await,
            By::Webhook => assert!(self.post_webhooks().await > 0, "the product tells of its changes"),
        }
    }

    async fn poll(&self) {
        self.time.pass(A_WHILE);
        // An export is made ready meanwhile.
        for _ in 0..10 {
            self.bridge.queue_due_polls().await.unwrap();
            self.settle().await;
            if self.status().await.resources.iter().all(|(_, cursor)| cursor.run.is_none()) {
                break;
            }
            self.time.pass(A_MINUTE);
        }
        for (resource, cursor) in self.status().await.resources {
            assert!(cursor.cause.is_none() && cursor.run.is_none(), "{resource}: {cursor:?}");
        }
    }

    async fn status(&self) -> PollStatus {
        self.bridge.poll_status(&PMS.parse().unwrap()).await.unwrap().unwrap()
    }

    /// The webhooks that are due are posted; how many.
    async fn post_webhooks(&self) -> usize {
        self.time.pass(A_WHILE);
        let deliveries = self.served.simulator.deliveries();
        for delivery in &deliveries {
            let request = Request {
                method: "POST".to_owned(),
                path: format!("/webhooks/{PMS}"),
                query: String::new(),
                headers: delivery.headers.iter().cloned().collect::<BTreeMap<_, _>>(),
                source: Some([203, 0, 113, 9].into()),
                body: Phi::new(delivery.body.clone()),
            };
            let response = self.bridge.receive(PMS, &request).await;
            assert!(response.status < 300, "{}: {}", response.status, response.body);
        }
        self.settle().await;
        deliveries.len()
    }

    /// Works all queues until nothing waits on them.
    pub(crate) async fn settle(&self) {
        for _ in 0..2_000 {
            let mut worked = false;
            for queue in [QueueName::Polls, QueueName::Inbound, QueueName::Outbound] {
                worked |= self.work(queue).await;
            }
            if !worked && !self.wait() {
                return;
            }
        }
        panic!("the practice does not come to rest");
    }

    /// Works one batch; whether there was one.
    async fn work(&self, queue: QueueName) -> bool {
        let records = lock(&self.time.world).receive(queue, 10);
        if records.is_empty() {
            return false;
        }
        let (bridge, ports) = (&self.bridge, self.bridge.ports());
        let deadline = ports.now() + Duration::from_secs(100);
        let batch = records.clone();
        let again = match queue {
            QueueName::Inbound => batch::run(ports, &Normalize(bridge), batch, deadline).await,
            QueueName::Outbound => batch::run(ports, &Deliver(bridge), batch, deadline).await,
            _ => batch::run(ports, &Polls(bridge), batch, deadline).await,
        };
        lock(&self.time.world).done(queue, &records, &again);
        true
    }

    /// Lets time pass until something hidden is visible; whether there was something.
    fn wait(&self) -> bool {
        let now = lock(&self.time.world).now;
        let next = lock(&self.time.world).queues.values().filter_map(|queue| queue.next_visible(now)).min();
        if let Some(next) = next {
            self.time.pass(Duration::from_millis((next - now).unsigned_abs()));
        }
        next.is_some()
    }

    /// The resources of a type that Practice Studio was sent, in order.
    pub(crate) fn studio(&self, kind: &str) -> Vec<Value> {
        let world = lock(&self.time.world);
        let bundles = world.receiver.effects.iter().map(|effect| serde_json::from_str(&effect.body).unwrap());
        let entries =
            bundles.flat_map(|bundle: Value| bundle["entry"].as_array().cloned().unwrap_or_default());
        entries.map(|mut entry| entry["resource"].take()).filter(|one| one["resourceType"] == kind).collect()
    }

    /// What is kept of a type.
    pub(crate) fn kept(&self, kind: &str) -> Vec<Kept> {
        let world = lock(&self.time.world);
        let resources = world.tables.iter().filter(|record| record.key.table == Table::Resources);
        let kept = resources.filter_map(|record| {
            let (_, reference) = record.key.pk.split_once('#')?;
            let version = record.version.clone().unwrap_or_default();
            let is_it = reference.split('/').next() == Some(kind);
            is_it.then(|| Kept { reference: reference.to_owned(), version })
        });
        kept.collect()
    }

    /// Nothing is parked, and nothing was turned away.
    pub(crate) fn check_nothing_is_parked(&self) {
        let world = lock(&self.time.world);
        let is_parked = |place: &(String, String)| place.0.ends_with("#parked");
        let parked = world.tables.iter().filter(|record| record.by_attention.as_ref().is_some_and(is_parked));
        assert_eq!(parked.map(|record| &record.doc).next(), None);
    }
}

fn studio() -> Connection {
    serde_json::from_value(json!({
        "connection": STUDIO, "adapter": "practice-studio", "zone": "UTC",
        "settings": {"url": "https://studio.example"}, "secrets": {"signing-secret": "whsec_c2ltdWxhdGVk"},
    }))
    .unwrap()
}

fn product(served: &Served, by: By) -> Connection {
    let access = served.simulator.connection(&served.base);
    serde_json::from_value(json!({
        "connection": PMS, "adapter": served.simulator.adapter(), "zone": access.zone, "poll": by == By::Poll,
        "settings": access.settings, "secrets": access.secrets,
        "routes": [{"to": STUDIO, "resources": ["Patient", "Appointment"]}],
    }))
    .unwrap()
}
