//! A process may die before any of its calls, fail at any, or lose its time, while what it exports changes: every state that stays is
//! sent, and none is sent twice.

use std::{
    collections::BTreeMap,
    future::pending,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use bridge_pipeline::{
    Bridge, batch,
    export::{CipherError, Exports},
    ports::{Clock as _, QueueName},
};
use bridge_testkit::{
    memory::{Fault, Hook, MemoryPorts, Shared, lock},
    practice::Practice,
    sim::Rng,
};
use futures::{FutureExt as _, executor::block_on};

use crate::fixtures::*;

/// A process that dies before one of its calls, and for which each call takes some time.
struct Mortal {
    world: Shared,
    left: AtomicI64,
    millis: i64,
    fails: f64,
    rng: std::sync::Mutex<Rng>,
}

impl Hook for Mortal {
    async fn pause(&self) {
        lock(&self.world).now += self.millis;
        if self.left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            pending::<()>().await;
        }
    }
    fn fault(&self, _: &'static str) -> Option<Fault> {
        let mut rng = self.rng.lock().unwrap();
        let which = if rng.chance(0.5) { Fault::Before } else { Fault::After };
        rng.chance(self.fails).then_some(which)
    }
    fn chance(&self) -> f64 {
        0.5
    }
}

/// How a run goes wrong.
#[derive(Clone, Copy)]
struct Trouble {
    /// Calls of a process before it dies.
    lives: fn(&mut Rng) -> u64,
    /// What each call takes.
    millis: i64,
    /// Share of the calls that fail.
    fails: f64,
    /// How likely something changes between two processes.
    changes: f64,
}

/// The states of a practice's patients, each unlike any before.
struct States {
    now: BTreeMap<usize, usize>,
    next: usize,
}

impl States {
    fn change(&mut self, practice: &Practice, chart: usize) {
        self.next += 1;
        self.now.insert(chart, self.next);
        change(practice, chart, &format!("s{}", self.next));
    }
}

/// Works on until nothing is due; how many processes it took.
fn work(practice: &Practice, states: &mut States, rng: &mut Rng, trouble: Trouble) -> usize {
    let mut idle = 0;
    for process in 1..3_000 {
        let hook = Mortal {
            world: practice.world.clone(),
            left: AtomicI64::new(i64::try_from((trouble.lives)(rng)).unwrap()),
            millis: trouble.millis,
            fails: trouble.fails,
            rng: std::sync::Mutex::new(Rng::new(rng.below(u64::MAX))),
        };
        let adapters = practice.bridge.ports().adapters_known();
        let ports = MemoryPorts::new(practice.world.clone(), hook, adapters, 0, process as u64);
        let bridge = Bridge::new(ports);
        let _dead_or_done = bridge.queue_due_exports().now_or_never();
        let records = {
            let mut world = lock(&practice.world);
            let now = world.now;
            world.queues.entry(QueueName::Exports).or_default().receive(1, now)
        };
        if rng.chance(trouble.changes) {
            let chart = rng.below(40) as usize;
            states.change(practice, chart);
        }
        if records.is_empty() {
            idle += 1;
            let exports = block_on(practice.bridge.exports(&source().tenant(), None)).unwrap();
            if idle > 3 && exports.iter().all(|doc| doc.run.is_none() && doc.due > now(practice)) {
                return process;
            }
            lock(&practice.world).now += 20_000;
            continue;
        }
        idle = 0;
        let deadline = bridge.ports().now() + Duration::from_secs(60);
        let worker = Exports { bridge: &bridge, pace: STEPS, encryptor: |_| Err(CipherError::System) };
        let worked = batch::run(bridge.ports(), &worker, records.clone(), deadline).now_or_never();
        if let Some(again) = worked {
            let mut world = lock(&practice.world);
            let now = world.now;
            let fifo = world.queues.entry(QueueName::Exports).or_default();
            let done = records.iter().filter(|record| !again.contains(&record.id));
            done.for_each(|record| fifo.delete(&record.receipt, now));
        }
    }
    panic!("the export does not come to its end: {:?}", runs(practice).last());
}

fn run(seed: u64, trouble: Trouble) -> usize {
    let mut rng = Rng::new(seed);
    let practice = practice(NIGHTLY, "America/Chicago");
    let mut states = States { now: BTreeMap::new(), next: 0 };
    let mut processes = 0;
    for _night in 0..3 {
        for _ in 0..rng.below(60) {
            let chart = rng.below(40) as usize;
            states.change(&practice, chart);
        }
        lock(&practice.world).now += 86_400_000;
        processes += work(&practice, &mut states, &mut rng, trouble);
    }
    // Two calm nights: what changed while a run was under way comes with the next.
    for _ in 0..2 {
        lock(&practice.world).now += 86_400_000;
        work(
            &practice,
            &mut states,
            &mut rng,
            Trouble { lives: |_| 1 << 40, millis: 0, fails: 0.0, changes: 0.0 },
        );
    }
    let sent = sent(&practice);
    for (state, count) in &sent {
        assert_eq!(*count, 1, "seed {seed}: {state} was sent {count} times");
    }
    for (chart, state) in &states.now {
        assert!(
            sent.contains_key(&format!("{chart},s{state}")),
            "seed {seed}: {chart},s{state} was not sent"
        );
    }
    assert_whole(&practice);
    let world = lock(&practice.world);
    let marks = world.tables.iter().filter(|record| record.key.pk.contains("#marks#")).count();
    assert_eq!(marks, 0, "seed {seed}: something is still marked");
    processes
}

#[test]
fn killed_before_any_call_every_change_is_sent_once() {
    let trouble = Trouble { lives: |rng| 3 + rng.below(70), millis: 0, fails: 0.0, changes: 0.3 };
    let processes: usize = (0..60).map(|seed| run(seed, trouble)).sum();
    assert!(processes > 600, "{processes}: they hardly ever died");
}

#[test]
fn killed_at_each_call_in_turn() {
    // Every process lives one call longer than the one before it: no call is left out.
    for lives in 1..200 {
        let practice = practice(NIGHTLY, "America/Chicago");
        let mut states = States { now: BTreeMap::new(), next: 0 };
        (1..=20).for_each(|chart| states.change(&practice, chart));
        lock(&practice.world).now += 86_400_000;
        let mut rng = Rng::new(lives);
        let first = std::sync::atomic::AtomicBool::new(true);
        let hook = Mortal {
            world: practice.world.clone(),
            left: AtomicI64::new(i64::try_from(lives).unwrap()),
            millis: 0,
            fails: 0.0,
            rng: std::sync::Mutex::new(Rng::new(1)),
        };
        let adapters = practice.bridge.ports().adapters_known();
        let bridge = Bridge::new(MemoryPorts::new(practice.world.clone(), hook, adapters, 0, 9));
        block_on(practice.bridge.queue_due_exports()).unwrap();
        let records = {
            let mut world = lock(&practice.world);
            let now = world.now;
            world.queues.entry(QueueName::Exports).or_default().receive(1, now)
        };
        let deadline = bridge.ports().now() + Duration::from_secs(60);
        let worker = Exports { bridge: &bridge, pace: STEPS, encryptor: |_| Err(CipherError::System) };
        let ended = batch::run(bridge.ports(), &worker, records, deadline).now_or_never().is_some();
        first.store(ended, Ordering::Relaxed);
        // What it had taken changes before anybody comes after it.
        (1..=20).step_by(3).for_each(|chart| states.change(&practice, chart));
        let calm = Trouble { lives: |_| 1 << 40, millis: 0, fails: 0.0, changes: 0.0 };
        work(&practice, &mut states, &mut rng, calm);
        lock(&practice.world).now += 86_400_000;
        work(&practice, &mut states, &mut rng, calm);
        let sent = sent(&practice);
        assert!(sent.values().all(|count| *count == 1), "killed at call {lives}: {sent:?}");
        for (chart, state) in &states.now {
            assert!(
                sent.contains_key(&format!("{chart},s{state}")),
                "killed at call {lives}: {chart},s{state}"
            );
        }
        assert_whole(&practice);
        if ended {
            assert!(lives > 40, "it has only {lives} calls");
            return;
        }
    }
    panic!("it never came to its end");
}

#[test]
fn calls_that_fail_or_only_seem_to_lose_nothing() {
    let trouble = Trouble { lives: |_| 1 << 40, millis: 5, fails: 0.03, changes: 0.3 };
    for seed in 200..240 {
        run(seed, trouble);
    }
}

#[test]
fn a_run_that_takes_longer_than_an_invocation_goes_on_in_the_next() {
    let trouble = Trouble { lives: |_| 1 << 40, millis: 900, fails: 0.0, changes: 0.3 };
    let processes: usize = (300..310).map(|seed| run(seed, trouble)).sum();
    assert!(processes > 100, "{processes} invocations: they were not too long");
}

#[test]
fn an_upload_that_was_cleared_away_is_made_again() {
    let practice = practice(NIGHTLY, "America/Chicago");
    (1..=20).for_each(|chart| change(&practice, chart, "a"));
    lock(&practice.world).now += 86_400_000;
    let mut states = States { now: BTreeMap::new(), next: 0 };
    let mut rng = Rng::new(1);
    for _ in 0..40 {
        let lives: fn(&mut Rng) -> u64 = |rng| 40 + rng.below(80);
        let hook = Mortal {
            world: practice.world.clone(),
            left: AtomicI64::new(i64::try_from(lives(&mut rng)).unwrap()),
            millis: 0,
            fails: 0.0,
            rng: std::sync::Mutex::new(Rng::new(2)),
        };
        let adapters = practice.bridge.ports().adapters_known();
        let bridge = Bridge::new(MemoryPorts::new(practice.world.clone(), hook, adapters, 0, 9));
        let _ = bridge.queue_due_exports().now_or_never();
        let records = {
            let mut world = lock(&practice.world);
            let now = world.now;
            world.queues.entry(QueueName::Exports).or_default().receive(1, now)
        };
        let deadline = bridge.ports().now() + Duration::from_secs(60);
        let worker = Exports { bridge: &bridge, pace: STEPS, encryptor: |_| Err(CipherError::System) };
        let _ = batch::run(bridge.ports(), &worker, records, deadline).now_or_never();
        let mut world = lock(&practice.world);
        world.files.clear_uploads();
        world.now += 300_000;
    }
    work(
        &practice,
        &mut states,
        &mut rng,
        Trouble { lives: |_| 1 << 40, millis: 0, fails: 0.0, changes: 0.0 },
    );
    assert_eq!(sent(&practice).len(), 20);
    assert_whole(&practice);
}
