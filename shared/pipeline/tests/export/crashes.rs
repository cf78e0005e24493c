//! A process may die before any of its calls, fail at any, or lose its time, while what it exports changes: every state that stays is
//! sent, and none is sent twice.

use std::{collections::BTreeMap, time::Duration};

use bridge_pipeline::{
    Bridge,
    batch::{self, Received},
    export::{CipherError, Exports},
    ports::{Clock as _, QueueName},
};
use bridge_testkit::{
    memory::{MemoryPorts, Mortal, lock},
    practice::Practice,
    sim::Rng,
};
use futures::{FutureExt as _, executor::block_on};

use crate::fixtures::*;

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

const CALM: Trouble = Trouble { lives: |_| 1 << 40, millis: 0, fails: 0.0, changes: 0.0 };

fn process_of(practice: &Practice, mortal: Mortal, seed: u64) -> Bridge<MemoryPorts<Mortal>> {
    let adapters = practice.bridge.ports().adapters_known();
    Bridge::new(MemoryPorts::new(practice.world.clone(), mortal, adapters, 0, seed))
}

/// What is to come again of what a process works at; `None` when it dies.
fn worked(bridge: &Bridge<MemoryPorts<Mortal>>, records: &[Received]) -> Option<Vec<String>> {
    let deadline = bridge.ports().now() + Duration::from_secs(60);
    let worker = Exports { bridge, pace: STEPS, encryptor: |_| Err(CipherError::System) };
    batch::run(bridge.ports(), &worker, records.to_vec(), deadline).now_or_never()
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
        let (lives, seed) = ((trouble.lives)(rng), rng.below(u64::MAX));
        let mortal = Mortal::new(&practice.world, lives, trouble.millis, trouble.fails, seed);
        let bridge = process_of(practice, mortal, process as u64);
        let _dead_or_done = bridge.queue_due_exports().now_or_never();
        let records = lock(&practice.world).receive(QueueName::Exports, 1);
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
        if let Some(again) = worked(&bridge, &records) {
            lock(&practice.world).done(QueueName::Exports, &records, &again);
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
        work(&practice, &mut states, &mut rng, CALM);
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
        let bridge = process_of(&practice, Mortal::new(&practice.world, lives, 0, 0.0, 1), 9);
        block_on(practice.bridge.queue_due_exports()).unwrap();
        let records = lock(&practice.world).receive(QueueName::Exports, 1);
        let ended = worked(&bridge, &records).is_some();
        // What it had taken changes before anybody comes after it.
        (1..=20).step_by(3).for_each(|chart| states.change(&practice, chart));
        work(&practice, &mut states, &mut rng, CALM);
        lock(&practice.world).now += 86_400_000;
        work(&practice, &mut states, &mut rng, CALM);
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
        let lives = 40 + rng.below(80);
        let bridge = process_of(&practice, Mortal::new(&practice.world, lives, 0, 0.0, 2), 9);
        let _ = bridge.queue_due_exports().now_or_never();
        let records = lock(&practice.world).receive(QueueName::Exports, 1);
        worked(&bridge, &records);
        let mut world = lock(&practice.world);
        world.files.clear_uploads();
        world.now += 300_000;
    }
    work(&practice, &mut states, &mut rng, CALM);
    assert_eq!(sent(&practice).len(), 20);
    assert_whole(&practice);
}
