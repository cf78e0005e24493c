//! The gateway over the pipeline, in memory: from the socket to the task on the queue.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use bridge_adapters::Catalog;
use bridge_core::{
    manifest::Adapters as _,
    task::{Actor, InboundTask},
};
use bridge_pipeline::{Bridge, ports::QueueName};
use bridge_testkit::memory::{Fault, Hook, MemoryAdapters, MemoryPorts, Shared, World, lock};
use mllp_gateway::{Gateway, Limits, pipeline::Pipeline, tls::Identity};
use support::{Client, accepted};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

/// Lets the queue or the tables fail while it is set.
#[derive(Clone, Default)]
struct Failing(Arc<AtomicBool>, &'static str);

impl Hook for Failing {
    async fn pause(&self) {}
    fn fault(&self, operation: &'static str) -> Option<Fault> {
        (self.0.load(SeqCst) && operation == self.1).then_some(Fault::Before)
    }
    fn chance(&self) -> f64 {
        0.5
    }
}

struct Practice {
    world: Shared,
    fails: Arc<AtomicBool>,
    client: Client<TcpStream>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<bool>,
}

impl Practice {
    /// A gateway with this door, in front of two laboratories of one tenant; `failing` is what fails when it is told to.
    async fn new(door: &str, failing: &'static str) -> Self {
        let mut adapters = MemoryAdapters::default();
        let manifest = Catalog::builtin().manifest("hl7v2").expect("an adapter");
        adapters.manifests.insert("hl7v2".to_owned(), manifest);
        let world: Shared = Arc::default();
        *lock(&world) = World { now: 1_790_000_000_000, ..World::default() };
        let hook = Failing(Arc::default(), failing);
        let fails = Arc::clone(&hook.0);
        let ports = || MemoryPorts::new(world.clone(), hook.clone(), adapters.clone(), 0, 1);
        let bridge = Bridge::new(ports());
        let tenant = serde_norway::from_str("{tenant: practice, name: Test}").unwrap();
        bridge.apply_tenant(&tenant).await.unwrap();
        for (name, facility) in [("north", "NORTH"), ("east", "EAST")] {
            let yaml = format!(
                "{{connection: practice.{name}, adapter: hl7v2, zone: America/Chicago, \
                 hl7v2: {{sender: {{application: LAB, facility: {facility}}}}}}}"
            );
            let actor = Actor { name: "test".to_owned(), reason: "test".to_owned() };
            bridge.apply_connection(serde_norway::from_str(&yaml).unwrap(), actor).await.unwrap();
        }
        let mut gateway = Gateway::new(Arc::new(Pipeline::new(ports())), Limits::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        gateway.open(&serde_norway::from_str(door).unwrap(), listener, &Identity::default()).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(gateway.serve(async move { drop(stopped.await) }));
        Self { world, fails, client, stop, served }
    }

    /// Connection and kind of each task on the queue.
    fn tasks(&self) -> Vec<(String, String)> {
        let mut world = lock(&self.world);
        let now = world.now;
        let records = world.queues.entry(QueueName::Inbound).or_default().receive(10, now);
        let task = |body: &str| {
            let InboundTask::Normalize(task) = serde_json::from_str(body).unwrap();
            (task.connection.to_string(), task.kind)
        };
        records.iter().map(|record| task(&record.body)).collect()
    }

    async fn stop(self) {
        drop(self.stop);
        assert!(self.served.await.unwrap());
    }
}

fn named(connection: &str) -> (String, String) {
    (connection.to_owned(), "ADT^A08".to_owned())
}

const OWN: &str = "{port: 0, connection: practice.north}";
const SHARED: &str = "{port: 0, tenants: [practice]}";

#[tokio::test]
async fn an_accepted_message_is_a_sealed_task_on_the_queue() {
    let mut practice = Practice::new(OWN, "").await;
    assert_eq!(practice.client.exchange("1", "4711").await, accepted("1"));
    let world = format!("{:?}", lock(&practice.world));
    assert!(!world.contains("Testperson") && !world.contains("4711"), "not sealed");
    assert_eq!(practice.tasks(), [named("practice.north")]);
    practice.stop().await;
}

#[tokio::test]
async fn the_header_tells_whose_a_message_is_on_a_shared_port() {
    let mut practice = Practice::new(SHARED, "").await;
    let from = |facility: &str| support::message("1", "4711").replace("|NORTH|", &format!("|{facility}|"));
    for facility in ["EAST", "NORTH"] {
        let framed = [b"\x0b", from(facility).as_bytes(), b"\x1c\r"].concat();
        practice.client.write(&framed).await;
        assert_eq!(practice.client.answer().await, Some(accepted("1")));
    }
    let framed = [b"\x0b", from("SOUTH").as_bytes(), b"\x1c\r"].concat();
    practice.client.write(&framed).await;
    assert_eq!(practice.client.answer().await.unwrap().0, "AR");
    let mut tasks = practice.tasks();
    tasks.sort();
    assert_eq!(tasks, [named("practice.east"), named("practice.north")]);
}

#[tokio::test]
async fn no_positive_answer_without_the_queue() {
    let mut practice = Practice::new(OWN, "queue.send").await;
    practice.fails.store(true, SeqCst);
    assert_eq!(practice.client.exchange("1", "4711").await.0, "AE");
    assert!(practice.tasks().is_empty());
    practice.fails.store(false, SeqCst);
    assert_eq!(practice.client.exchange("1", "4711").await, accepted("1"));
    assert_eq!(practice.tasks().len(), 1);
}

#[tokio::test]
async fn a_message_waits_where_its_connection_can_not_be_looked_up() {
    let mut practice = Practice::new(SHARED, "store.query").await;
    practice.fails.store(true, SeqCst);
    assert_eq!(practice.client.exchange("1", "4711").await.0, "AE");
    practice.fails.store(false, SeqCst);
    assert_eq!(practice.client.exchange("1", "4711").await, accepted("1"));
    let mut nobody = Practice::new("{port: 0, connection: practice.south}", "").await;
    assert_eq!(nobody.client.exchange("1", "4711").await.0, "AE");
    assert!(nobody.tasks().is_empty());
}
