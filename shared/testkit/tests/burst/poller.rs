//! A bridge that polls, one process after another, and a book of what came on `inbound`.

use std::{
    collections::{BTreeMap, HashMap},
    fmt, fs,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bridge_adapters::{Catalog, Transports};
use bridge_core::{
    id::MessageId,
    task::{InboundTask, Payload},
};
use bridge_pipeline::{
    Bridge, batch,
    poll::Polls,
    ports::{Clock as _, Entry, QueueName},
};
use bridge_seal::{Binding, sha256};
use bridge_testkit::{
    memory::{MemoryAdapters, MemoryPorts, Shared, World, lock},
    practice::actor,
};
use data_encoding::BASE64;

use crate::{
    outward::{Inbound, Outward, Time},
    product::{Product, hold},
    storm::Storm,
};

const CONNECTION: &str = "sim.pms";
/// In milliseconds since 1970.
const BEGIN: i64 = 1_790_000_000_000;
/// As `infra/template.yaml` has it.
const TIMEOUT: Duration = Duration::from_secs(120);
const VISIBILITY: i64 = 150_000;
/// How many processes die in a burst, about, and how many calls to ports a record takes.
const DEATHS: f64 = 25.0;
const CALLS_OF_A_RECORD: f64 = 0.15;
/// No call is more dangerous: a page takes some twenty, and somebody must get through one.
const WORST: f64 = 0.03;

/// What came, by the product's id.
#[derive(Default)]
struct Came {
    messages: HashMap<u64, u64>,
    queued: u64,
    /// Records of which there were two messages.
    twice: u64,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<Entry>>>);

impl Inbound for Sink {
    fn take(&self, entries: Vec<Entry>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(entries);
    }
}

/// The bridge.
pub(crate) struct Poller<'a> {
    product: &'a Product,
    time: Time,
    storm: Storm,
    calm: Bridge<Outward<Storm>>,
    catalog: Arc<Catalog>,
    ways: Arc<Transports>,
    sink: Sink,
    came: Mutex<Came>,
    count: usize,
}

/// What a burst cost.
pub(crate) struct Figures {
    count: usize,
    took: Duration,
    virtual_minutes: i64,
    pub(crate) kills: u64,
    queued: u64,
    /// Resident memory at its largest, in bytes.
    pub(crate) peak: u64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, took, virtual_minutes, kills, queued, peak } = self;
        let rows = *count as f64 / took.as_secs_f64();
        write!(
            f,
            "{count} rows in {:.1} s ({rows:.0} rows/s), {virtual_minutes} minutes of the product's time, {kills} processes \
             died, {queued} entries queued, peak {} MiB",
            took.as_secs_f64(),
            peak >> 20
        )
    }
}

impl<'a> Poller<'a> {
    pub(crate) async fn start(product: &'a Product, count: usize, seed: u64) -> Self {
        let world: Shared = Arc::new(Mutex::new(World { now: BEGIN, ..World::default() }));
        lock(&world).queues.entry(QueueName::Polls).or_default().visibility_ms = VISIBILITY;
        let base = product.base.clone();
        let time = Time::new(world, move |millis| hold(&base, millis));
        // What was there before is not what has changed.
        time.pass(Duration::from_hours(48));
        let (storm, sink) = (Storm::new(seed), Sink::default());
        let (catalog, ways) = (Arc::new(Catalog::builtin()), Arc::new(Transports::new().unwrap()));
        let ports = process(&time, &storm, &sink, &catalog, &ways, 0);
        let calm = Bridge::new(ports);
        let tenant = serde_json::from_value(serde_json::json!({"tenant": "sim", "name": "A practice"}));
        calm.apply_tenant(&tenant.unwrap()).await.unwrap();
        calm.apply_connection(product.connection(CONNECTION), actor()).await.unwrap();
        let came = Mutex::default();
        Self { product, time, storm, calm, catalog, ways, sink, came, count }
    }

    /// Polls without a storm until everything is up to date.
    pub(crate) async fn settle(&self) {
        self.storm.set(0.0, 0.0);
        for _ in 0..100_000 {
            if !self.turn().await && self.is_up_to_date().await {
                return;
            }
        }
        panic!("the poll does not come to an end");
    }

    /// The same once more, a little later.
    pub(crate) async fn poll_again(&self) {
        self.time.pass(Duration::from_mins(3));
        self.turn().await;
        self.settle().await;
    }

    pub(crate) fn forget(&self) {
        *self.came.lock().unwrap() = Came::default();
    }

    pub(crate) fn queued(&self) -> u64 {
        self.came.lock().unwrap().queued
    }

    /// Polls while processes die, until every record came.
    pub(crate) async fn storm(&self, ids: &[String]) -> Figures {
        let (began, now) = (Instant::now(), lock(&self.time.world).now);
        let kill = (DEATHS / (ids.len() as f64 * CALLS_OF_A_RECORD)).min(WORST);
        reset_peak();
        let mut kills = 0;
        while self.came.lock().unwrap().messages.len() < ids.len() {
            self.storm.set(kill, kill / 2.0);
            if self.storm.dice(0.05) {
                self.product.lose_an_answer();
            }
            self.time.pass(Duration::from_secs(20));
            kills += u64::from(self.one_process().await == Some(false));
            assert!(began.elapsed() < Duration::from_mins(20), "the poll does not come to an end");
        }
        self.settle().await;
        Figures {
            count: self.count,
            took: began.elapsed(),
            virtual_minutes: (lock(&self.time.world).now - now) / 60_000,
            kills,
            queued: self.queued(),
            peak: peak(),
        }
    }

    /// Each record came, as one message, however often it was queued.
    pub(crate) fn check(&self, ids: &[String]) {
        let came = self.came.lock().unwrap();
        let missing = ids.iter().filter(|id| !came.messages.contains_key(&hash(id))).count();
        assert_eq!((missing, came.messages.len(), came.twice), (0, ids.len(), 0));
    }

    /// A process works what is there, or time passes; whether there was something.
    async fn turn(&self) -> bool {
        if self.one_process().await.is_some() {
            return true;
        }
        let now = lock(&self.time.world).now;
        let next = lock(&self.time.world).queues[&QueueName::Polls].next_visible(now);
        if let Some(next) = next {
            self.time.pass(Duration::from_millis((next - now).unsigned_abs()));
            return true;
        }
        let is_done = self.is_up_to_date().await;
        if !is_done {
            self.time.pass(Duration::from_mins(1));
        }
        !is_done
    }

    /// `None` when there was nothing to do, `Some(false)` when the process died of it.
    async fn one_process(&self) -> Option<bool> {
        // The schedule is not what dies here.
        while self
            .storm
            .unless_it_dies(self.calm.queue_due_polls())
            .await
            .is_none_or(|queued| queued.is_err())
        {}
        let received = lock(&self.time.world).receive(QueueName::Polls, 1);
        if received.is_empty() {
            return None;
        }
        let ports = process(&self.time, &self.storm, &self.sink, &self.catalog, &self.ways, 1);
        let bridge = Bridge::new(ports);
        let deadline = bridge.ports().now() + TIMEOUT;
        let polls = Polls(&bridge);
        let run = batch::run(bridge.ports(), &polls, received.clone(), deadline);
        let again = self.storm.unless_it_dies(run).await;
        if let Some(again) = &again {
            lock(&self.time.world).done(QueueName::Polls, &received, again);
        }
        self.collect().await;
        Some(again.is_some())
    }

    async fn is_up_to_date(&self) -> bool {
        self.storm.set(0.0, 0.0);
        let status = self.calm.poll_status(&CONNECTION.parse().unwrap()).await.unwrap().unwrap();
        let is_idle =
            |cursor: &bridge_pipeline::poll::CursorDoc| cursor.run.is_none() && cursor.cause.is_none();
        !status.resources.is_empty() && status.resources.iter().all(|(_, cursor)| is_idle(cursor))
    }

    /// Reads what came.
    async fn collect(&self) {
        self.storm.set(0.0, 0.0);
        let entries = std::mem::take(&mut *self.sink.0.lock().unwrap());
        for entry in entries {
            let InboundTask::Normalize(task) = serde_json::from_str(&entry.body).unwrap();
            if task.kind != "api.appointment" {
                continue;
            }
            let Payload::Inline(text) = &task.payload else { panic!("a large record") };
            let id = task.message.to_string();
            let binding = Binding { connection: &task.connection, purpose: "message", id: &id };
            let plain = self.calm.open(binding, &BASE64.decode(text.as_bytes()).unwrap()).await.unwrap();
            let record: BTreeMap<String, serde_json::Value> = serde_json::from_slice(plain.expose()).unwrap();
            let own = record.get("id").or_else(|| record.get("appointmentid")).unwrap();
            let own = own.as_str().map_or_else(|| own.to_string(), str::to_owned);
            self.enter(&own, &task.message);
        }
    }

    fn enter(&self, own: &str, message: &MessageId) {
        let mut came = self.came.lock().unwrap();
        came.queued += 1;
        let message = hash(message.as_str());
        let known = *came.messages.entry(hash(own)).or_insert(message);
        came.twice += u64::from(known != message);
    }
}

fn process(
    time: &Time,
    storm: &Storm,
    sink: &Sink,
    catalog: &Arc<Catalog>,
    ways: &Arc<Transports>,
    number: u64,
) -> Outward<Storm> {
    let memory = MemoryPorts::new(time.world.clone(), storm.clone(), MemoryAdapters::default(), 0, number);
    let (catalog, ways) = (Arc::clone(catalog), Arc::clone(ways));
    Outward::new(memory, time.clone(), catalog, ways).into(storm.clone(), sink.clone())
}

fn hash(text: &str) -> u64 {
    u64::from_le_bytes(sha256(&[text.as_bytes()])[..8].try_into().unwrap())
}

/// From here on another peak is measured, where the machine lets us.
fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The largest resident memory so far, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
}
