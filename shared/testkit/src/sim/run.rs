//! The scheduler: one choice after the other, each decided by the seed.

mod operator;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bridge_pipeline::{
    Bridge,
    ledger::LaneDoc,
    ports::{QueueName, Record},
    resilience::EndpointDoc,
};
use futures::executor::block_on;
use operator::actor;

use super::{
    Coverage, Flaw, Rng, Violation,
    check::check,
    plan::{self, Lay, Note, Speech},
    tasks::{Ended, Process, SimHook, Task},
};
use crate::memory::{Calm, FifoQueue, MemoryAdapters, MemoryPorts, Shared, World, lock};

const QUEUES: [QueueName; 3] = [QueueName::Inbound, QueueName::Outbound, QueueName::Commands];
/// A run that has not settled after this many choices never will.
const CHOICES: u32 = 200_000;

/// A finished run.
#[derive(Debug)]
pub struct Run {
    /// What happened.
    pub coverage: Coverage,
    /// What must not have happened.
    pub violations: Vec<Violation>,
}

struct Sender {
    notes: Vec<Note>,
    next: usize,
    busy: bool,
}

pub(super) struct Sim {
    pub(super) world: Shared,
    pub(super) senders_notes: Vec<Vec<Note>>,
    rng: Rng,
    hook: SimHook,
    senders: Vec<Sender>,
    tasks: Vec<Task>,
    processes: u64,
    /// Environments that wait for their next invocation, with what they have cached.
    idle: Vec<Process>,
    adapters: MemoryAdapters,
    operator: Bridge<MemoryPorts<Calm>>,
    policy: &'static str,
    speech: Speech,
    repaired: bool,
    paused: bool,
    breaker: &'static str,
    lay: Lay,
    /// Of the endpoints that have names: whether they are healthy.
    healthy: BTreeMap<String, bool>,
    pub(super) replayed: u64,
    coverage: Coverage,
    commands: u64,
    /// A lane that was due was not found by its time.
    pub(super) forgotten: bool,
    /// Replays of many that may still go on.
    many: Vec<String>,
}

/// Runs a seed.
pub fn simulate(seed: u64, flaw: Option<Flaw>) -> Run {
    let mut sim = Sim::new(seed, flaw);
    let settled = sim.run();
    let violations = check(&sim, settled);
    sim.coverage.calls = lock(&sim.world).receiver.calls;
    let waited = |record: &&Record| record.key.sk == "slices" && record.doc.contains("turn");
    sim.coverage.waited = lock(&sim.world).tables.iter().filter(waited).count() as u64;
    sim.coverage.probes = lock(&sim.world).receiver.probes;
    sim.coverage.knocks = lock(&sim.world).receiver.knocks;
    let instead = |record: &&Record| record.doc.contains("\"instead\":");
    sim.coverage.instead = lock(&sim.world).tables.iter().filter(instead).count() as u64;
    sim.coverage.outbox = lock(&sim.world).files.keys("outbox/").len() as u64;
    Run { coverage: sim.coverage, violations }
}

impl Sim {
    fn new(seed: u64, flaw: Option<Flaw>) -> Self {
        let mut rng = Rng::new(seed);
        let world: Shared = Arc::new(Mutex::new(World { now: 1_700_000_000_000, ..World::default() }));
        {
            let mut world = lock(&world);
            world.receiver.fail = rng.unit() * 0.4;
            world.receiver.mute = rng.unit() * 0.2;
            world.receiver.puts_off = 0.1;
            world.receiver.rejects = Some("unwanted".to_owned());
            world.queues.extend(QUEUES.map(|queue| (queue, FifoQueue::default())));
        }
        let faults = if rng.chance(0.5) { rng.unit() * 0.1 } else { 0.0 };
        let hook = SimHook { rng: Arc::new(Mutex::new(Rng::new(rng.bits()))), flaw, faults };
        // Replays of what was skipped have no place in a lane: only holding lanes promise order.
        let policy = "hold";
        let limited = rng.chance(0.3);
        let lay = *rng.pick(&Lay::ALL).expect("several");
        // What a limited destination promises is counted over all that is called.
        let lay = if limited && lay == Lay::Drop { Lay::Apart } else { lay };
        let receiver = lay.receiver(if limited { "limited" } else { "studio" }, policy);
        lock(&world).receiver.promised = limited.then_some(plan::PROMISED);
        lock(&world).receiver.one_book = lay == Lay::Together;
        let adapters = plan::adapters();
        let operator = Bridge::new(MemoryPorts::new(world.clone(), Calm, adapters.clone(), 0, 0));
        let senders_notes = plan::notes(&mut rng);
        let speech = if seed % 3 == 2 { Speech::Hl7v2 } else { Speech::Json };
        let sender = |notes: &Vec<Note>| Sender { notes: notes.clone(), next: 0, busy: false };
        let sim = Self {
            senders: senders_notes.iter().map(sender).collect(),
            world,
            senders_notes,
            rng,
            hook,
            tasks: Vec::new(),
            processes: 0,
            idle: Vec::new(),
            adapters,
            operator,
            policy,
            speech,
            repaired: false,
            paused: false,
            breaker: "closed",
            lay,
            healthy: BTreeMap::new(),
            replayed: 0,
            coverage: Coverage { limited: u64::from(limited), ..Coverage::default() },
            commands: 0,
            forgotten: false,
            many: Vec::new(),
        };
        block_on(async {
            sim.operator.apply_tenant(&plan::tenant()).await.expect("a calm world");
            sim.operator
                .apply_connection(plan::source_of(speech, false, policy), actor())
                .await
                .expect("a calm world");
            sim.operator.apply_connection(receiver, actor()).await.expect("a calm world");
            let other = plan::receiver(plan::DROP, "studio", policy);
            sim.operator.apply_connection(other, actor()).await.expect("a calm world");
        });
        sim
    }

    /// Whether everything came to rest.
    fn run(&mut self) -> bool {
        for _ in 0..CHOICES {
            self.coverage.choices += 1;
            if self.is_idle() && self.finish() {
                return true;
            }
            self.choose();
        }
        false
    }

    fn is_idle(&self) -> bool {
        let sent = self.senders.iter().all(|sender| sender.next == sender.notes.len());
        sent && self.tasks.is_empty()
            && lock(&self.world).queues.values().all(|queue| queue.messages.is_empty())
    }

    /// At rest: repairs what is broken and releases what is parked. Whether nothing was left to do.
    fn finish(&mut self) -> bool {
        self.repair();
        if self.paused {
            self.pause(false);
        }
        self.end_outage();
        if let Some(due) = self.next_due() {
            let mut world = lock(&self.world);
            world.now = world.now.max(due + 1);
            drop(world);
            self.forgotten |= self.release_due() == 0;
            return self.forgotten;
        }
        self.release_all() == 0
    }

    fn choose(&mut self) {
        match self.rng.below(100) {
            0..=69 if !self.tasks.is_empty() => self.step(),
            0..=84 => self.begin(),
            85..=88 => self.pass_time(),
            89 if self.rng.chance(0.3) => self.kill(),
            90 if self.rng.chance(0.1) => drop(self.release_all()),
            91 if self.rng.chance(0.05) => self.repair(),
            92 if self.rng.chance(0.1) => self.replay(),
            93 if self.rng.chance(0.05) && (self.paused || self.coverage.pauses < 6) => {
                self.pause(!self.paused);
            }
            94 if self.rng.chance(0.1) => self.outage(),
            95 if self.rng.chance(0.1) => {
                self.release_due();
            }
            96 if self.rng.chance(0.03) => self.replay_many(),
            97 if self.rng.chance(0.03) => self.cancel(),
            _ => self.pass_time_if_stuck(),
        }
    }

    /// One call of one task.
    fn step(&mut self) {
        let at = self.rng.below(self.tasks.len() as u64) as usize;
        let now = lock(&self.world).now;
        if self.tasks[at].begins_at > now {
            return;
        }
        if self.tasks[at].killed_at <= now {
            self.coverage.kills += 1;
            return self.end(at, None);
        }
        let ended = self.tasks[at].poll();
        self.watch_breaker();
        if let Some(ended) = ended {
            self.end(at, Some(ended));
        }
    }

    fn watch_breaker(&mut self) {
        let world = lock(&self.world);
        for record in world.tables.iter().filter(|record| record.key.sk == "endpoint") {
            let endpoint: EndpointDoc = serde_json::from_str(&record.doc).expect("an endpoint");
            let word = endpoint.breaker.state.word();
            if let Some((_, name)) = record.key.pk.split_once('@') {
                let was_healthy = self.healthy.insert(name.to_owned(), word == "closed").unwrap_or(true);
                self.coverage.failovers += u64::from(was_healthy && word != "closed");
                self.coverage.returns += u64::from(!was_healthy && word == "closed");
                continue;
            }
            match std::mem::replace(&mut self.breaker, word) {
                "closed" if word == "open" => self.coverage.opened += 1,
                before if before != "closed" && word == "closed" => self.coverage.closed += 1,
                _ => {}
            }
        }
    }

    /// When the first of the lanes is due that nobody has to look at.
    fn next_due(&self) -> Option<i64> {
        let world = lock(&self.world);
        let lanes = world.tables.iter().filter(|record| record.key.sk == "lane");
        let due = |record: &Record| {
            let lane: LaneDoc = serde_json::from_str(&record.doc).expect("a lane");
            lane.due.filter(|_| lane.held).map(bridge_core::Timestamp::as_millis)
        };
        lanes.filter_map(due).min()
    }

    /// What the schedule does once a minute.
    fn release_due(&mut self) -> usize {
        let lanes = block_on(self.operator.release_due()).expect("a calm world");
        self.coverage.due += lanes as u64;
        lanes
    }

    /// The receiver goes down for a while, or one of its endpoints: the rest of the run, or until the next time this is
    /// chosen.
    fn outage(&mut self) {
        let is_up = {
            let world = lock(&self.world);
            world.receiver.down.is_empty() && world.receiver.down_at.is_empty()
        };
        if !is_up || self.coverage.outages >= 3 {
            return self.end_outage();
        }
        self.coverage.outages += 1;
        let one = self.rng.pick(self.lay.endpoints()).filter(|_| self.rng.chance(0.6));
        let hang_ms = if self.rng.chance(0.5) { 0 } else { self.rng.below(25_000) as i64 };
        let mut world = lock(&self.world);
        world.receiver.hang_ms = hang_ms;
        match one {
            Some(name) => drop(world.receiver.down_at.insert((*name).to_owned())),
            None => drop(world.receiver.down.insert(plan::DESTINATION.parse().expect("valid"))),
        }
    }

    fn end_outage(&self) {
        let mut world = lock(&self.world);
        world.receiver.down.clear();
        world.receiver.down_at.clear();
    }

    fn end(&mut self, at: usize, ended: Option<Ended>) {
        let task = self.tasks.swap_remove(at);
        if let Some(sender) = task.sender {
            self.senders[sender].busy = false;
            if let Some(Ended::Answered { taken: true }) = ended {
                self.acknowledged(sender);
            }
        }
        lock(&self.world).receiver.forget(task.process.id);
        // A process that came to an end is used again; of one that was killed nothing is left but what it wrote.
        if ended.is_some() {
            self.idle.push(task.process);
        }
        match ended {
            Some(Ended::Batch { queue, received, again }) => {
                // The event source deletes what was done; now and then it doesn't get to it.
                if self.rng.chance(0.97) {
                    let drops_all = self.hook.flaw == Some(Flaw::GroupDoesNotStop);
                    let mut world = lock(&self.world);
                    let now = world.now;
                    let fifo = world.queues.get_mut(&queue).expect("declared");
                    let kept: Vec<&String> =
                        if drops_all { again.first().into_iter().collect() } else { again.iter().collect() };
                    for record in received.iter().filter(|record| !kept.contains(&&record.id)) {
                        fifo.delete(&record.receipt, now);
                    }
                }
            }
            // Where nobody answered, the sender posts again.
            Some(Ended::Answered { .. }) | None => {}
        }
    }

    fn acknowledged(&mut self, sender: usize) {
        let sender = &mut self.senders[sender];
        let note = &mut sender.notes[sender.next];
        if note.repeats > 0 {
            note.repeats -= 1;
            self.coverage.repeats += 1;
        } else {
            sender.next += 1;
            self.coverage.notes += 1;
        }
    }

    /// Begins something: a request, or a batch from a queue.
    fn begin(&mut self) {
        let now = lock(&self.world).now;
        let idle = |sender: &&Sender| !sender.busy && sender.next < sender.notes.len();
        let waiting: Vec<usize> =
            self.senders.iter().enumerate().filter(|(_, sender)| idle(sender)).map(|(at, _)| at).collect();
        if self.rng.chance(0.3)
            && let Some(&at) = self.rng.pick(&waiting)
        {
            let process = self.process();
            let sender = &mut self.senders[at];
            sender.busy = true;
            self.tasks.push(Task::request(process, &sender.notes[sender.next], self.speech, Some(at), now));
            return;
        }
        if self.rng.chance(0.02) {
            self.repeat_late(now);
            return;
        }
        let Some(&queue) = self.rng.pick(&QUEUES) else { return };
        let limit = 1 + self.rng.below(10) as usize;
        let received = lock(&self.world).queues.get_mut(&queue).expect("declared").receive(limit, now);
        if received.is_empty() {
            return;
        }
        if self.hook.flaw == Some(Flaw::DeletedTooEarly) {
            let mut world = lock(&self.world);
            let fifo = world.queues.get_mut(&queue).expect("declared");
            received.iter().for_each(|record| fifo.delete(&record.receipt, now));
        }
        // An event source that is throttled holds a batch until shortly before it is visible again.
        let held = if self.rng.chance(0.1) { 100_000 + self.rng.below(20_000) as i64 } else { 0 };
        self.coverage.held_back += u64::from(held > 0);
        let process = self.process();
        self.tasks.push(Task::batch(process, queue, received, now, held));
    }

    /// Posts a note again that was acknowledged, perhaps long ago.
    fn repeat_late(&mut self, now: i64) {
        let done = self.senders.iter().flat_map(|sender| &sender.notes[..sender.next]);
        let done: Vec<Note> = done.cloned().collect();
        if let Some(note) = self.rng.pick(&done) {
            self.coverage.repeats += 1;
            let process = self.process();
            self.tasks.push(Task::request(process, note, self.speech, None, now));
        }
    }

    fn process(&mut self) -> Process {
        if !self.idle.is_empty() && self.rng.chance(0.8) {
            let at = self.rng.below(self.idle.len() as u64) as usize;
            return self.idle.swap_remove(at);
        }
        self.processes += 1;
        Process::start(&self.world, self.hook.clone(), &self.adapters, self.processes)
    }

    fn kill(&mut self) {
        if !self.tasks.is_empty() {
            let at = self.rng.below(self.tasks.len() as u64) as usize;
            self.coverage.kills += 1;
            self.end(at, None);
        }
    }

    fn pass_time(&mut self) {
        let longest = if self.rng.chance(0.02) { 400_000 } else { 3_000 };
        let ms = self.rng.below(longest) as i64;
        lock(&self.world).now += ms;
    }

    /// Jumps to when something can happen again.
    fn pass_time_if_stuck(&mut self) {
        let mut world = lock(&self.world);
        let now = world.now;
        let ready = world.queues.values().any(|queue| queue.is_ready(now));
        let runnable = self.tasks.iter().any(|task| task.begins_at <= now);
        if ready || runnable {
            return;
        }
        let visible = world.queues.values().filter_map(|queue| queue.next_visible(now)).min();
        let begins = self.tasks.iter().map(|task| task.begins_at).min();
        if let Some(next) = visible.into_iter().chain(begins).min() {
            world.now = next.max(now);
        }
    }
}
