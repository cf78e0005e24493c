//! Load in virtual time: processes work side by side, every call takes its time, and none of it passes on the wall
//! clock. What comes out are counts and ratios that are the same on every machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bridge_core::{
    config::{Connection, Route},
    id::ConnectionId,
    manifest::{Limit, Manifest},
};
use bridge_pipeline::{
    Bridge, batch,
    deliver::Deliver,
    export::{CipherError, Exports},
    poll::Polls,
    ports::{Clock as _, QueueName, Write},
    resilience::{EndpointDoc, EndpointId, endpoint_key},
    retry::Retry,
};
use futures::executor::block_on;
use serde_json::json;

use crate::{
    memory::{Effect, Fault, Hook, MemoryAdapters, MemoryPorts, Shared, lock},
    practice::{Practice, actor},
    sim::{DESTINATION, Rng, plan},
};

/// The second destination.
pub const OTHER: &str = "sim.other";
/// What one call to the world takes, in milliseconds.
const CALL_MS: i64 = 5;
/// What some calls take more where a receiver counts by the millisecond.
const UNEVEN_MS: u64 = 10;
/// How far clocks are from true time there.
const SKEW_MS: i64 = 5;
/// How often an idle worker looks for work, in milliseconds.
const IDLE_MS: i64 = 200;
/// The same where limits are of hours, and all work is there from the beginning.
const LONG_IDLE_MS: i64 = 5_000;
/// A limit of such a period, in seconds.
const LONG: u32 = 3600;
/// What an invocation may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Puts futures to sleep, in the world's time.
#[derive(Debug, Clone)]
struct Timers {
    world: Shared,
    wakes: Arc<Mutex<BTreeSet<i64>>>,
}

impl Timers {
    fn sleep(&self, ms: i64) -> impl Future<Output = ()> + Send + use<> {
        let (timers, mut until) = (self.clone(), None);
        std::future::poll_fn(move |_| {
            let now = lock(&timers.world).now;
            let until = *until.get_or_insert(now + ms);
            if until <= now {
                return Poll::Ready(());
            }
            timers.wakes.lock().unwrap_or_else(PoisonError::into_inner).insert(until);
            Poll::Pending
        })
    }

    /// The next time at which somebody wakes.
    fn next(&self, now: i64) -> Option<i64> {
        let mut wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        *wakes = wakes.split_off(&(now + 1));
        wakes.first().copied()
    }
}

/// Every call takes its time; none fails.
#[derive(Debug, Clone)]
pub struct Paced {
    timers: Timers,
    rng: Arc<Mutex<Rng>>,
    /// What a call takes more at most, in milliseconds.
    uneven_ms: u64,
    /// A bug that is planted: records with this sort key are never written.
    forgets: Option<&'static str>,
}

impl Hook for Paced {
    fn pause(&self) -> impl Future<Output = ()> + Send {
        let more = match self.uneven_ms {
            0 => 0,
            most => self.rng.lock().unwrap_or_else(PoisonError::into_inner).below(most),
        };
        self.timers.sleep(CALL_MS + more.cast_signed())
    }
    fn fault(&self, _: &'static str) -> Option<Fault> {
        None
    }
    fn chance(&self) -> f64 {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).unit()
    }
    fn corrupt(&self, writes: Vec<Write>) -> Vec<Write> {
        let is_kept = |write: &Write| match write {
            Write::Put(record, _) => Some(record.key.sk.as_str()) != self.forgets,
            Write::Delete(..) => true,
        };
        writes.into_iter().filter(is_kept).collect()
    }
}

/// How time passes in a world.
#[derive(Debug, Clone, Copy)]
struct Pace {
    is_uneven: bool,
    idle_ms: i64,
}

/// A practice with two destinations, and processes that work its queues.
pub struct Load {
    /// The practice.
    pub practice: Practice,
    timers: Timers,
    workers: Vec<Pin<Box<dyn Future<Output = ()>>>>,
    /// Makes one more process.
    make: Box<dyn Fn(u64) -> Bridge<MemoryPorts<Paced>>>,
    /// When each note was posted, by its tag, in milliseconds of the world's time.
    posted: BTreeMap<String, i64>,
    start: i64,
}

impl Load {
    /// `workers` processes that deliver and one that works commands.
    pub fn new(workers: u64, forgets: Option<&'static str>) -> Self {
        let mut source = Practice::source();
        let to = |id: &str| Route {
            to: id.parse().expect("valid"),
            resources: vec!["Patient".to_owned()],
            drop: Vec::new(),
            fallback: None,
        };
        source.routes = vec![to(DESTINATION), to(OTHER)];
        let others = [plan::receiver(OTHER, "studio", "hold")];
        let pace = Pace { is_uneven: false, idle_ms: IDLE_MS };
        Self::with(source, plan::adapters(), &others, workers, (forgets, pace))
    }

    /// With this source, adapters, and destinations beside the practice's own, in a world of this pace.
    fn with(
        source: Connection,
        adapters: MemoryAdapters,
        destinations: &[Connection],
        workers: u64,
        (forgets, pace): (Option<&'static str>, Pace),
    ) -> Self {
        let practice = Practice::with_adapters(source, adapters.clone());
        for destination in destinations {
            block_on(practice.bridge.apply_connection(destination.clone(), actor())).expect("a calm world");
        }
        let world = practice.world.clone();
        let timers = Timers { world: world.clone(), wakes: Arc::default() };
        let rng = Arc::new(Mutex::new(Rng::new(1)));
        let uneven_ms = if pace.is_uneven { UNEVEN_MS } else { 0 };
        let hook = Paced { timers: timers.clone(), rng, uneven_ms, forgets };
        let shared = world.clone();
        let process = move |id: u64| {
            let skew = if pace.is_uneven { (id % 3).cast_signed() * SKEW_MS - SKEW_MS } else { 0 };
            Bridge::new(MemoryPorts::new(shared.clone(), hook.clone(), adapters.clone(), skew, id))
        };
        let mut running: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
        for id in 0..workers {
            running.push(Box::pin(work(
                process(100 + id),
                QueueName::Outbound,
                timers.clone(),
                pace.idle_ms,
            )));
        }
        running.push(Box::pin(work(process(99), QueueName::Commands, timers.clone(), pace.idle_ms)));
        let start = lock(&world).now;
        Self { practice, timers, workers: running, make: Box::new(process), posted: BTreeMap::new(), start }
    }

    /// With one destination that has these limits, and refuses what is beyond them.
    pub fn limited(limits: &[Limit], workers: u64, forgets: Option<&'static str>) -> Self {
        let words = |limit: &Limit| {
            let Limit { calls, seconds, on_the_clock } = limit;
            format!("{{calls: {calls}, seconds: {seconds}, on-the-clock: {on_the_clock}}}")
        };
        let yaml = format!(
            "{{adapter: profile, version: 1, title: A profile, settings: {{url: {{about: where}}}}, \
             secrets: {{signing: shared}}, deliver: {{transport: {{kind: standard-webhook, url: '{{url}}', \
             secret: signing}}, max-attempts: 100, limits: [{}]}}}}",
            limits.iter().map(words).collect::<Vec<_>>().join(", ")
        );
        let is_long = limits.iter().any(|limit| limit.seconds >= LONG);
        let load = Self::with_profile(&yaml, workers, forgets, if is_long { LONG_IDLE_MS } else { IDLE_MS });
        let id: ConnectionId = DESTINATION.parse().expect("valid");
        let allows = limits.iter().map(|limit| (id.clone(), *limit));
        lock(&load.practice.world).receiver.allows.extend(allows);
        load
    }

    /// With one destination that is called by its own interface, as an adapter `profile` says in YAML. The test brings the
    /// product.
    pub fn at_interface(adapter: &str, workers: u64) -> Self {
        Self::with_profile(adapter, workers, None, IDLE_MS)
    }

    fn with_profile(adapter: &str, workers: u64, forgets: Option<&'static str>, idle_ms: i64) -> Self {
        let manifest: Manifest = serde_norway::from_str(adapter).expect("a manifest");
        let mut adapters = plan::adapters();
        adapters.manifests.insert("profile".to_owned(), Arc::new(manifest));
        let destination = plan::receiver(DESTINATION, "profile", "hold");
        let pace = Pace { is_uneven: true, idle_ms };
        Self::with(Practice::source(), adapters, &[destination], workers, (forgets, pace))
    }

    /// One more process, which does this for ever.
    pub fn add<F: Future<Output = ()> + 'static>(
        &mut self,
        work: impl FnOnce(Bridge<MemoryPorts<Paced>>) -> F,
    ) {
        let process = (self.make)(200 + self.workers.len() as u64);
        self.workers.push(Box::pin(work(process)));
    }

    /// Posts so many notes at once.
    pub fn pile_up(&mut self, notes: usize, patients: usize) {
        (0..notes).for_each(|number| self.post(&format!("p{}", number % patients)));
    }

    /// Calls that a destination refused.
    pub fn refused(&self) -> u64 {
        lock(&self.practice.world).receiver.refused
    }

    /// When it began, in seconds since 1970.
    pub fn began(&self) -> f64 {
        self.start as f64 / 1000.0
    }

    /// Seconds since the beginning.
    pub fn seconds(&self) -> f64 {
        (lock(&self.practice.world).now - self.start) as f64 / 1000.0
    }

    /// Takes an endpoint down, or brings it back. While it is down, callers wait `hang_ms` for nothing.
    pub fn set_down(&self, destination: &str, hang_ms: Option<i64>) {
        let mut world = lock(&self.practice.world);
        let id: ConnectionId = destination.parse().expect("valid");
        match hang_ms {
            Some(ms) => {
                world.receiver.hang_ms = ms;
                world.receiver.down.insert(id);
            }
            None => drop(world.receiver.down.remove(&id)),
        }
    }

    /// Posts a note about one of `patients` every `gap_ms`, until `until` seconds after the beginning.
    pub fn run(&mut self, until: f64, gap_ms: i64, patients: usize) {
        self.run_with(until, gap_ms, |number| format!("p{}", number % patients));
    }

    /// The same, about the patient that `patient` says for a note's number.
    pub fn run_with(&mut self, until: f64, gap_ms: i64, patient: impl Fn(usize) -> String) {
        let end = self.start + (until * 1000.0) as i64;
        let mut arrives = lock(&self.practice.world).now;
        loop {
            let now = lock(&self.practice.world).now;
            if gap_ms > 0 && arrives <= now {
                self.post(&patient(self.posted.len()));
                arrives += gap_ms;
            }
            let mut context = Context::from_waker(Waker::noop());
            for worker in &mut self.workers {
                assert!(worker.as_mut().poll(&mut context).is_pending(), "a worker never ends");
            }
            let next = self.timers.next(now).unwrap_or(now + IDLE_MS);
            let next = if gap_ms > 0 { next.min(arrives.max(now + 1)) } else { next };
            lock(&self.practice.world).now = next.min(end);
            if next >= end {
                return;
            }
        }
    }

    /// Posts a note about a patient, and lets it be normalized at once.
    pub fn post(&mut self, patient: &str) {
        let tag = format!("note-{}-{patient}", self.posted.len());
        let body = json!({"patient": patient, "tag": tag, "odd": false});
        let answer = self.practice.post(&[("x-token", "t")], body.to_string().as_bytes());
        assert_eq!(answer.status, 202, "a note is not accepted");
        self.posted.insert(tag, lock(&self.practice.world).now);
        while self.practice.work(QueueName::Inbound) {}
    }

    /// Pauses a destination, or resumes it.
    pub fn pause(&self, destination: &str, paused: bool) {
        let id = destination.parse().expect("valid");
        block_on(self.practice.bridge.set_paused(&id, paused, actor())).expect("a calm world");
    }

    /// Releases the lanes of a destination in which something is parked, so many tasks a second; how many lanes.
    pub fn release_parked(&self, destination: &str, per_second: u32) -> usize {
        let id: ConnectionId = destination.parse().expect("valid");
        let lanes = block_on(self.practice.bridge.parked(&id.tenant(), Some(&id))).expect("a calm world");
        let keys: Vec<_> = lanes.iter().map(|lane| (lane.key.clone(), lane.tasks.len())).collect();
        let (bridge, actor) = (&self.practice.bridge, actor());
        block_on(bridge.release_lanes(&keys, per_second, &actor, "load")).expect("a calm world");
        lanes.len()
    }

    /// How many tasks are parked.
    pub fn parked(&self) -> usize {
        let world = lock(&self.practice.world);
        world.tables.iter().filter(|record| record.key.sk.starts_with("parked#")).count()
    }

    /// That each patient's notes had their effects in the order in which they were posted.
    pub fn assert_in_order(&self, destination: &str) {
        let world = lock(&self.practice.world);
        let mut last: BTreeMap<String, usize> = BTreeMap::new();
        for effect in
            world.receiver.effects.iter().filter(|effect| effect.destination.as_str() == destination)
        {
            let tag = effect.body.split('"').find(|part| part.starts_with("note-")).expect("a note");
            let (number, patient) = tag["note-".len()..].split_once('-').expect("a tag");
            let number: usize = number.parse().expect("a number");
            let before = last.insert(patient.to_owned(), number);
            assert!(before.is_none_or(|before| before < number), "{tag} came after {before:?}");
        }
    }

    /// How many notes were posted.
    pub fn posted(&self) -> usize {
        self.posted.len()
    }

    /// How many deliveries a destination took between two times, in seconds since the beginning.
    pub fn delivered(&self, destination: &str, from: f64, to: f64) -> usize {
        let world = lock(&self.practice.world);
        let times = world.receiver.effects.iter().filter(|e| e.destination.as_str() == destination);
        times.filter(|effect| self.is_within(effect.at, from, to)).count()
    }

    /// How many calls a destination got between two times, in seconds since the beginning.
    pub fn calls(&self, destination: &str, from: f64, to: f64) -> usize {
        let world = lock(&self.practice.world);
        let calls = world.receiver.log.iter().filter(|(_, to)| to.as_str() == destination);
        calls.filter(|(at, _)| self.is_within(*at, from, to)).count()
    }

    /// The shared state of a destination's endpoint.
    pub fn endpoint(&self, destination: &str) -> EndpointDoc {
        let key = endpoint_key(&EndpointId::deliveries(destination.parse().expect("valid")));
        let world = lock(&self.practice.world);
        let record = world.tables.iter().find(|record| record.key == key);
        record.map(|record| serde_json::from_str(&record.doc).expect("an endpoint")).unwrap_or_default()
    }

    /// Milliseconds from post to delivery, sorted, of what a destination took between two times.
    pub fn ages(&self, destination: &str, from: f64, to: f64) -> Vec<i64> {
        self.ages_of(destination, |effect, _| self.is_within(effect.at, from, to))
    }

    /// The same of the notes from number `first` on.
    pub fn ages_since(&self, destination: &str, first: usize) -> Vec<i64> {
        self.ages_of(destination, |_, number| number >= first)
    }

    fn ages_of(&self, destination: &str, takes: impl Fn(&Effect, usize) -> bool) -> Vec<i64> {
        let world = lock(&self.practice.world);
        let age = |effect: &Effect| {
            let tag = effect.body.split('"').find(|part| part.starts_with("note-"))?;
            let number = tag.split('-').nth(1)?.parse().ok()?;
            takes(effect, number).then_some(effect.at - self.posted.get(tag)?)
        };
        let effects = world.receiver.effects.iter().filter(|e| e.destination.as_str() == destination);
        let mut ages: Vec<i64> = effects.filter_map(age).collect();
        ages.sort_unstable();
        ages
    }

    fn is_within(&self, at: i64, from: f64, to: f64) -> bool {
        let seconds = (at - self.start) as f64 / 1000.0;
        from <= seconds && seconds < to
    }
}

impl std::fmt::Debug for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Load at {} s", self.seconds())
    }
}

/// A function's event source and execution environment, for ever.
async fn work(bridge: Bridge<MemoryPorts<Paced>>, queue: QueueName, timers: Timers, idle_ms: i64) {
    loop {
        let received = lock(&timers.world).receive(queue, 10);
        if received.is_empty() {
            timers.sleep(idle_ms).await;
            continue;
        }
        let (ports, deadline) = (bridge.ports(), bridge.ports().now() + TIMEOUT);
        let again = match queue {
            QueueName::Commands => batch::run(ports, &Retry(&bridge), received.clone(), deadline).await,
            QueueName::Polls => batch::run(ports, &Polls(&bridge), received.clone(), deadline).await,
            QueueName::Exports => {
                let exports = Exports {
                    bridge: &bridge,
                    pace: Default::default(),
                    encryptor: |_| Err(CipherError::System),
                };
                batch::run(ports, &exports, received.clone(), deadline).await
            }
            _ => batch::run(ports, &Deliver(&bridge), received.clone(), deadline).await,
        };
        lock(&timers.world).done(queue, &received, &again);
    }
}
