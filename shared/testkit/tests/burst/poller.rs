//! A bridge that polls, one process after another.

use std::{
    fmt, fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bridge_adapters::{Catalog, Transports};
use bridge_pipeline::{
    Bridge, batch,
    poll::Polls,
    ports::{Clock as _, QueueName},
};
use bridge_testkit::{
    memory::{MemoryAdapters, MemoryPorts, Shared, World, lock},
    practice::actor,
};

use crate::{
    came::Came,
    outward::{Outward, Time},
    product::{BEGIN, Product, hold},
    storm::Storm,
};

const CONNECTION: &str = "sim.pms";
/// As `infra/template.yaml` has it.
const TIMEOUT: Duration = Duration::from_secs(120);
const VISIBILITY: i64 = 150_000;
/// How many processes die in a burst, about, and how many calls to ports a record takes.
const DEATHS: f64 = 25.0;
const CALLS_OF_A_RECORD: f64 = 0.15;
/// No call is more dangerous: a page takes some twenty, and somebody must get through one.
const WORST: f64 = 0.03;

/// The bridge.
pub(crate) struct Poller<'a> {
    product: &'a Product,
    time: Time,
    storm: Storm,
    calm: Arc<Bridge<Outward<Storm>>>,
    catalog: Arc<Catalog>,
    ways: Arc<Transports>,
    came: Came,
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
    peak: u64,
    /// Of that, what the ledger in memory has: a hash of each record, which a real one keeps elsewhere.
    ledger: u64,
}

impl Figures {
    /// What the bridge had in memory, and the test's own book of what came.
    pub(crate) fn own_peak(&self) -> u64 {
        self.peak - self.ledger
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, took, virtual_minutes, kills, queued, peak, ledger } = self;
        let rows = *count as f64 / took.as_secs_f64();
        write!(
            f,
            "{count} rows in {:.1} s ({rows:.0} rows/s), {virtual_minutes} minutes of the product's time, {kills} processes \
             died, {queued} entries queued, peak {} MiB with a ledger of {} MiB",
            took.as_secs_f64(),
            peak >> 20,
            ledger >> 20
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
        let (catalog, ways) = (Arc::new(Catalog::builtin()), Arc::new(Transports::new().unwrap()));
        // Of whoever is not to die: no storm that anybody raises.
        let memory = memory(&time, Storm::new(0), 0);
        let outward = Outward::new(memory, time.clone(), Arc::clone(&catalog), Arc::clone(&ways));
        let calm = Arc::new(Bridge::new(outward));
        let tenant = serde_json::from_value(serde_json::json!({"tenant": "sim", "name": "A practice"}));
        calm.apply_tenant(&tenant.unwrap()).await.unwrap();
        calm.apply_connection(product.connection(CONNECTION), actor()).await.unwrap();
        let came = Came::opened_by(Arc::clone(&calm));
        Self { product, time, storm: Storm::new(seed), calm, catalog, ways, came, count }
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
        self.came.forget();
    }

    pub(crate) fn queued(&self) -> u64 {
        self.came.queued()
    }

    /// Polls while processes die, until every record came.
    pub(crate) async fn storm(&self, ids: &[String]) -> Figures {
        let (began, now) = (Instant::now(), lock(&self.time.world).now);
        let kill = (DEATHS / (ids.len() as f64 * CALLS_OF_A_RECORD)).min(WORST);
        reset_peak();
        let mut kills = 0;
        while self.came.records() < ids.len() {
            self.storm.set(kill, kill / 2.0);
            if self.storm.dice(0.05) {
                self.product.lose_an_answer();
            }
            self.time.pass(Duration::from_secs(20));
            kills += u64::from(self.one_process().await == Some(false));
            assert!(began.elapsed() < Duration::from_mins(20), "the poll does not come to an end");
        }
        self.settle().await;
        let passed = lock(&self.time.world).now - now;
        Figures {
            count: self.count,
            took: began.elapsed(),
            virtual_minutes: passed / 60_000,
            kills,
            queued: self.queued(),
            peak: peak(),
            ledger: self.ledger(),
        }
    }

    /// Each record came, as one message, however often it was queued.
    pub(crate) fn check(&self, ids: &[String]) {
        assert_eq!((self.came.missing(ids), self.came.records(), self.came.twice()), (0, ids.len(), 0));
    }

    /// Bytes of everything in the ledger.
    fn ledger(&self) -> u64 {
        let world = lock(&self.time.world);
        let bytes = world.tables.iter().map(|record| {
            record.doc.len()
                + record.blob.as_ref().map_or(0, Vec::len)
                + record.key.pk.len()
                + record.key.sk.len()
        });
        bytes.sum::<usize>() as u64
    }

    /// A process dies after so many calls to ports.
    pub(crate) async fn dies_after(&self, calls: u32) {
        self.storm.set(0.0, 0.0);
        self.time.pass(Duration::from_mins(3));
        self.storm.dies_after(calls);
        while self.one_process().await != Some(false) {
            self.time.pass(Duration::from_secs(20));
        }
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
        self.calm.queue_due_polls().await.unwrap();
        let received = lock(&self.time.world).receive(QueueName::Polls, 1);
        if received.is_empty() {
            return None;
        }
        let memory = memory(&self.time, self.storm.clone(), 1);
        let (catalog, ways) = (Arc::clone(&self.catalog), Arc::clone(&self.ways));
        let outward = Outward::new(memory, self.time.clone(), catalog, ways);
        let bridge = Bridge::new(outward.into(self.storm.clone(), self.came.clone()));
        let deadline = bridge.ports().now() + TIMEOUT;
        let polls = Polls(&bridge);
        let run = batch::run(bridge.ports(), &polls, received.clone(), deadline);
        let again = self.storm.unless_it_dies(run).await;
        if let Some(again) = &again {
            lock(&self.time.world).done(QueueName::Polls, &received, again);
        }
        Some(again.is_some())
    }

    async fn is_up_to_date(&self) -> bool {
        let status = self.calm.poll_status(&CONNECTION.parse().unwrap()).await.unwrap().unwrap();
        let is_idle =
            |cursor: &bridge_pipeline::poll::CursorDoc| cursor.run.is_none() && cursor.cause.is_none();
        !status.resources.is_empty() && status.resources.iter().all(|(_, cursor)| is_idle(cursor))
    }
}

fn memory(time: &Time, storm: Storm, process: u64) -> MemoryPorts<Storm> {
    MemoryPorts::new(time.world.clone(), storm, MemoryAdapters::default(), 0, process)
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
