//! A bridge that polls a clinic: processes that are killed at any call, lose their turn, and have clocks of their own.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    ops::Range,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll as Polled, Waker},
    time::Duration,
};

use bridge_core::{
    Phi,
    config::{Connection, Secret},
    task::{InboundTask, Payload},
};
use bridge_pipeline::{
    Bridge,
    batch::{self, Received},
    poll::{PollStatus, Polls},
    ports::{Clock as _, QueueName},
};
use bridge_seal::Binding;
use bridge_testkit::{
    clinic::{Clinic, MANIFEST},
    memory::{Fault, Hook, MemoryAdapters, MemoryPorts, Shared, Stepping, lock},
    practice::{Practice, actor},
    sim::{CONNECTION, Rng},
};
use data_encoding::BASE64;
use futures::executor::block_on;

pub(crate) const STAMPED: &str =
    "{mapping: record, lane: [/id], source-id: [/id, /state], version: /changed}";
pub(crate) const KEYED: &str = "{mapping: record, lane: [/id], source-id: [/id, /state]}";
const NOW: i64 = 1_795_000_000_000;
/// As `infra/template.yaml` has it, in milliseconds.
const TIMEOUT: i64 = 120_000;
const VISIBILITY: i64 = 150_000;

/// What is simulated.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) poll: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) stamps: bool,
    pub(crate) page: usize,
    pub(crate) limits: &'static str,
    pub(crate) allows: Option<(usize, i64)>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { seed: 1, poll: "", kind: KEYED, stamps: true, page: 10, limits: "[]", allows: None }
    }
}

/// What stands between a process and the world: turns at each call, and failures.
#[derive(Clone)]
struct Weather {
    rng: Arc<Mutex<Rng>>,
    faults: f64,
}

impl Hook for Weather {
    fn pause(&self) -> impl Future<Output = ()> + Send {
        Stepping.pause()
    }
    fn fault(&self, _: &'static str) -> Option<Fault> {
        let mut rng = self.rng.lock().unwrap();
        let after = rng.chance(0.5);
        rng.chance(self.faults).then_some(if after { Fault::After } else { Fault::Before })
    }
    fn chance(&self) -> f64 {
        self.rng.lock().unwrap().unit()
    }
    fn passes_time(&self) -> bool {
        true
    }
}

type Running = Pin<Box<dyn Future<Output = (Vec<Received>, Vec<String>)>>>;

pub(crate) struct Office {
    pub(crate) clinic: Clinic,
    world: Shared,
    calm: Bridge<MemoryPorts<Stepping>>,
    adapters: MemoryAdapters,
    rng: Rng,
    weather: Weather,
    /// Futures, with the true time at which each is killed.
    running: Vec<(Running, i64)>,
    /// Every state that a record had, by id.
    states: BTreeMap<u64, BTreeSet<u64>>,
    next_state: u64,
    /// Ids of the messages of each state.
    seen: BTreeMap<(u64, u64), BTreeSet<String>>,
    /// Entries that came on `inbound`, repeats included.
    pub(crate) queued: u64,
    pub(crate) kills: u64,
    /// What came is counted by its id, and not opened.
    counts: bool,
    ids: BTreeSet<String>,
    /// There and back again: states repeat.
    repeats: bool,
}

impl Office {
    pub(crate) fn new(plan: &Plan) -> Self {
        let manifest =
            MANIFEST.replace("POLL", plan.poll).replace("LIMITS", plan.limits).replace("KIND", plan.kind);
        let manifest = serde_norway::from_str(&manifest).unwrap();
        let mut adapters = MemoryAdapters::default();
        adapters.manifests.insert("clinic".to_owned(), Arc::new(manifest));
        let practice = Practice::with_adapters(Practice::source(), adapters.clone());
        let world = practice.world.clone();
        let clinic = Clinic::new(plan.page);
        let mut rng = Rng::new(plan.seed);
        {
            let mut book = clinic.book();
            book.stamps = plan.stamps;
            book.allows = plan.allows;
            // An overlap makes up for clocks that differ by less.
            book.skew_ms = rng.below(100_000) as i64 - 50_000;
            let mut world = lock(&world);
            world.now = NOW;
            world.product = Some(Box::new(clinic.clone()));
            world.queues.entry(QueueName::Polls).or_default().visibility_ms = VISIBILITY;
        }
        let calm = Bridge::new(MemoryPorts::new(world.clone(), Stepping, adapters.clone(), 0, 0));
        let weather = Weather { rng: Arc::new(Mutex::new(Rng::new(rng.bits()))), faults: 0.0 };
        let office = Self {
            clinic,
            world,
            calm,
            adapters,
            weather,
            running: Vec::new(),
            states: BTreeMap::new(),
            next_state: 0,
            seen: BTreeMap::new(),
            queued: 0,
            kills: 0,
            counts: false,
            ids: BTreeSet::new(),
            repeats: !plan.stamps && plan.kind != KEYED,
            rng,
        };
        run(office.calm.apply_connection(source("0"), actor())).unwrap();
        office
    }

    fn now(&self) -> i64 {
        lock(&self.world).now
    }

    pub(crate) fn set(&mut self, ids: Range<u64>, state: u64) {
        let now = self.now();
        for id in ids {
            self.clinic.book().set(id, state, now);
            self.states.entry(id).or_default().insert(state);
        }
    }

    /// Some records change.
    fn change(&mut self) {
        for _ in 0..self.rng.below(12) {
            let id = self.rng.below(40);
            self.next_state += 1;
            let state = if self.repeats { self.rng.below(2) } else { self.next_state };
            self.set(id..id + 1, state);
        }
    }

    /// So many choices, with anything that can happen.
    pub(crate) fn storm(&mut self, choices: usize) {
        self.weather.faults = if self.rng.chance(0.5) { 0.05 } else { 0.0 };
        for _ in 0..choices {
            if self.rng.chance(0.15) {
                self.change();
            }
            self.choose(|rng| rng.below(15) as usize);
        }
    }

    /// The same without changes, with processes that live for as many steps as `life` says.
    pub(crate) fn storm_with(&mut self, choices: usize, life: impl Fn(&mut Rng) -> usize + Copy) {
        self.weather.faults = 0.0;
        for _ in 0..choices {
            self.choose(life);
            if lock(&self.world).queues[&QueueName::Polls].messages.is_empty() && self.running.is_empty() {
                break;
            }
        }
    }

    fn choose(&mut self, life: impl Fn(&mut Rng) -> usize) {
        match self.rng.below(10) {
            0 => {
                let ms = if self.rng.chance(0.05) { 7_200_000 } else { 60_000 };
                lock(&self.world).now += self.rng.below(ms) as i64;
            }
            1 | 2 => {
                run(self.calm.queue_due_polls()).unwrap();
            }
            3 if self.running.len() < 3 => self.begin(),
            4 if !self.running.is_empty() && self.rng.chance(0.6) => {
                let at = self.rng.below(self.running.len() as u64) as usize;
                drop(self.running.swap_remove(at));
                self.kills += 1;
            }
            _ => {
                let steps = life(&mut self.rng);
                self.step(steps);
            }
        }
        self.collect();
    }

    /// A process of its own takes a batch.
    fn begin(&mut self) {
        let now = self.now();
        let received = lock(&self.world).queues.get_mut(&QueueName::Polls).unwrap().receive(10, now);
        if received.is_empty() {
            return;
        }
        let skew = self.rng.below(4_000) as i64 - 2_000;
        let ports =
            MemoryPorts::new(self.world.clone(), self.weather.clone(), self.adapters.clone(), skew, 9);
        let bridge = Bridge::new(ports);
        let running = Box::pin(async move {
            let deadline = bridge.ports().now() + Duration::from_millis(TIMEOUT as u64);
            let again = batch::run(bridge.ports(), &Polls(&bridge), received.clone(), deadline).await;
            (received, again)
        });
        self.running.push((running, now + TIMEOUT + 1_000));
    }

    fn step(&mut self, steps: usize) {
        if self.running.is_empty() {
            return;
        }
        let at = self.rng.below(self.running.len() as u64) as usize;
        for _ in 0..steps {
            lock(&self.world).now += 10;
            if self.now() > self.running[at].1 {
                drop(self.running.swap_remove(at));
                self.kills += 1;
                return;
            }
            let mut context = Context::from_waker(Waker::noop());
            if let Polled::Ready((received, again)) = self.running[at].0.as_mut().poll(&mut context) {
                let now = self.now();
                let mut world = lock(&self.world);
                let fifo = world.queues.get_mut(&QueueName::Polls).unwrap();
                let done = received.iter().filter(|record| !again.contains(&record.id));
                done.for_each(|record| fifo.delete(&record.receipt, now));
                drop(world);
                drop(self.running.swap_remove(at));
                return;
            }
        }
    }

    /// Reads what came on `inbound`.
    fn collect(&mut self) {
        let messages =
            std::mem::take(&mut lock(&self.world).queues.entry(QueueName::Inbound).or_default().messages);
        for message in messages {
            self.queued += 1;
            let InboundTask::Normalize(task) = serde_json::from_str(&message.entry.body).unwrap();
            assert_eq!(task.kind, "api.record");
            if self.counts {
                self.ids.insert(task.message.to_string());
                continue;
            }
            let Payload::Inline(text) = &task.payload else { panic!("a large record") };
            let id = task.message.to_string();
            let binding = Binding { connection: &task.connection, purpose: "message", id: &id };
            let plain = run(self.calm.open(binding, &BASE64.decode(text.as_bytes()).unwrap())).unwrap();
            let record: serde_json::Value = serde_json::from_slice(plain.expose()).unwrap();
            let key = (record["id"].as_u64().unwrap(), record["state"].as_u64().unwrap());
            let ids = self.seen.entry(key).or_default();
            ids.insert(id);
        }
    }

    /// The weather calms down, and everything that is due is worked until nothing is left.
    pub(crate) fn settle(&mut self) {
        self.kills += self.running.len() as u64;
        self.running.clear();
        self.weather.faults = 0.0;
        // Past every lease and every wait; each round is a poll of everything.
        for _ in 0..4 {
            lock(&self.world).now += 61_000;
            for _ in 0..2_000 {
                run(self.calm.queue_due_polls()).unwrap();
                if !self.work_once() {
                    let now = self.now();
                    let next = lock(&self.world).queues[&QueueName::Polls].next_visible(now);
                    match next {
                        Some(next) => lock(&self.world).now = next,
                        None if self.is_up_to_date() => break,
                        None => lock(&self.world).now += 60_000,
                    }
                }
            }
            self.collect();
        }
    }

    fn is_up_to_date(&self) -> bool {
        let status = self.status();
        let is_idle =
            |cursor: &bridge_pipeline::poll::CursorDoc| cursor.run.is_none() && cursor.cause.is_none();
        !status.resources.is_empty() && status.resources.iter().all(|(_, cursor)| is_idle(cursor))
    }

    /// Works a batch to its end, if there is one.
    pub(crate) fn work_once(&mut self) -> bool {
        if lock(&self.world).queues[&QueueName::Polls].messages.is_empty() {
            run(self.calm.queue_due_polls()).unwrap();
        }
        self.begin();
        let worked = !self.running.is_empty();
        while !self.running.is_empty() {
            self.step(1_000_000);
        }
        self.collect();
        worked
    }

    /// Every record's last state came, every state has one message, and nothing came that never was.
    pub(crate) fn check(&self) {
        for (id, state) in self.clinic.book().states() {
            assert!(
                self.seen.contains_key(&(id, state)),
                "record {id} is in state {state}, which never came"
            );
        }
        for ((id, state), messages) in &self.seen {
            assert!(self.states[id].contains(state), "{id} was never in {state}");
            assert!(self.repeats || messages.len() == 1, "{id} in {state} became {messages:?}");
        }
    }

    pub(crate) fn messages(&self) -> usize {
        self.seen.values().map(BTreeSet::len).sum()
    }

    /// Counts what comes, and opens nothing.
    pub(crate) fn counts_alone(&mut self) {
        self.counts = true;
    }

    /// How many messages came, repeats left out.
    pub(crate) fn distinct(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn status(&self) -> PollStatus {
        run(self.calm.poll_status(&CONNECTION.parse().unwrap())).unwrap().unwrap()
    }

    pub(crate) fn pass_minutes(&mut self, minutes: i64) {
        lock(&self.world).now += minutes * 60_000;
    }

    pub(crate) fn pass_hours(&mut self, hours: i64) {
        self.pass_minutes(hours * 60);
    }

    /// The practice takes back what it had given.
    pub(crate) fn revoke(&mut self) {
        self.clinic.book().revoke(77);
    }

    /// And gives it again.
    pub(crate) fn authorise_again(&mut self) {
        run(self.calm.apply_connection(source("77"), actor())).unwrap();
    }

    /// The largest record of the ledger about polls, in bytes.
    pub(crate) fn largest_record(&self) -> usize {
        let world = lock(&self.world);
        let of_polls = world.tables.iter().filter(|record| record.key.pk.contains("#polls"));
        of_polls.map(|record| record.doc.len() + record.blob.as_ref().map_or(0, Vec::len)).max().unwrap_or(0)
    }
}

fn source(first: &str) -> Connection {
    let mut source = Practice::source();
    source.adapter = "clinic".to_owned();
    source.poll = true;
    (source.webhook, source.mappings) = (None, BTreeMap::new());
    source.settings.clear();
    source.secrets = BTreeMap::from([("first".to_owned(), Secret::One(Phi::new(first.to_owned())))]);
    source
}

/// Steps until it is over.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    block_on(futures::future::poll_fn(move |context| {
        let polled = future.as_mut().poll(context);
        context.waker().wake_by_ref();
        polled
    }))
}
