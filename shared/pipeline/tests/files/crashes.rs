//! A reader may die before any of its calls, or lose its time: another goes on, and every row is sent once.

use std::time::Duration;

use bridge_pipeline::{
    Bridge, batch,
    files::{FileState, Ingest, Pace},
    ports::{Clock as _, QueueName},
};
use bridge_testkit::{
    memory::{MemoryPorts, Mortal, lock},
    practice::Practice,
    sim::Rng,
};
use futures::FutureExt as _;

use crate::fixtures::*;

/// How a run goes wrong.
#[derive(Clone, Copy)]
struct Trouble {
    /// Calls of a process before it dies, at most.
    lives: u64,
    /// What each call takes.
    millis: i64,
    /// Share of the calls that fail.
    fails: f64,
}

/// Drops a file, which is read by processes that die; how many it took.
fn read(practice: &Practice, name: &str, bytes: &[u8], rng: &mut Rng, trouble: Trouble) -> usize {
    practice.drop_file(name, bytes);
    // As the template has it: six times as long as an invocation may take.
    lock(&practice.world).queues.entry(QueueName::Drops).or_default().visibility_ms = 90 * 60 * 1_000;
    let mut unheard = 0;
    let is_over = || practice.files().iter().any(|doc| doc.name == name && doc.state.is_final());
    for process in 1..2_000 {
        let lives = rng.below(trouble.lives) + 3;
        let seed = rng.below(u64::MAX);
        let hook = Mortal::new(&practice.world, lives, trouble.millis, trouble.fails, seed);
        let adapters = practice.bridge.ports().adapters_known();
        let ports = MemoryPorts::new(practice.world.clone(), hook, adapters, 0, process as u64);
        let bridge = Bridge::new(ports);
        let pace: Pace = practice.pace;
        let records = lock(&practice.world).receive(QueueName::Drops, 1);
        if records.is_empty() {
            if is_over() {
                return process;
            }
            // Nobody is heard of: time passes until somebody else is asked.
            lock(&practice.world).now += 20_000;
            unheard += 20;
            assert!(unheard < 180, "a reader that died was missed for {unheard} s and more");
            continue;
        }
        unheard = 0;
        let deadline = bridge.ports().now() + Duration::from_secs(60);
        let worker = Ingest { bridge: &bridge, pace, decryptor: practice.decryptor };
        let worked = batch::run(bridge.ports(), &worker, records.clone(), deadline).now_or_never();
        if let Some(again) = worked {
            lock(&practice.world).done(QueueName::Drops, &records, &again);
        }
        if rng.chance(0.2) {
            practice.work(QueueName::Inbound);
        }
    }
    panic!("the file does not come to its end: {:?}", practice.files());
}

/// Drops a file for readers that die after some calls, until it is read.
pub(crate) fn read_all(practice: &Practice, name: &str, bytes: &[u8], seed: u64) {
    read(practice, name, bytes, &mut Rng::new(seed), Trouble { lives: 60, millis: 0, fails: 0.0 });
    practice.settle();
}

fn run(seed: u64, feed: &str, trouble: Trouble) -> usize {
    let mut rng = Rng::new(seed);
    let practice = practice(feed);
    let rows = 40 + rng.below(200) as usize;
    let processes = read(&practice, "1.csv", file((1..=rows).map(row)).as_bytes(), &mut rng, trouble);
    practice.settle();
    let doc = newest(&practice);
    assert_eq!(doc.state, FileState::Done, "seed {seed}: {:?}", doc.cause);
    assert_eq!((doc.progress.sent, doc.progress.report.received), (rows as u64, rows as u64), "seed {seed}");
    assert_once(&practice, 1..=rows);
    if feed.contains("snapshot") {
        let changed = |chart: usize| if chart == 9 { "9,Renamed,1980-01-01\n".into() } else { row(chart) };
        read(&practice, "2.csv", file((1..rows).map(changed)).as_bytes(), &mut rng, trouble);
        practice.settle();
        let doc = newest(&practice);
        assert_eq!((doc.state, doc.progress.sent), (FileState::Done, 2), "seed {seed}: {:?}", doc.cause);
        let delivered = delivered(&practice);
        assert_eq!(delivered.len(), rows + 2, "seed {seed}");
        assert!(delivered.values().all(|count| *count == 1), "seed {seed}: {delivered:?}");
    }
    processes
}

#[test]
fn killed_before_any_call_every_row_goes_on_once() {
    let trouble = Trouble { lives: 90, millis: 0, fails: 0.0 };
    let processes: usize = (0..40).map(|seed| run(seed, CHANGES, trouble)).sum();
    assert!(processes > 120, "{processes}: they hardly ever died");
}

#[test]
fn a_snapshot_survives_as_well() {
    let trouble = Trouble { lives: 120, millis: 0, fails: 0.0 };
    for seed in 100..120 {
        run(seed, &snapshot(), trouble);
    }
}

#[test]
fn rows_that_share_messages_are_put_together_again_as_they_were() {
    let mut rng = Rng::new(250);
    let trouble = Trouble { lives: 90, millis: 0, fails: 0.0 };
    let mut processes = 0;
    for seed in 250..280 {
        let (rows, lanes) = (1 + rng.below(9) as u16, 1 + rng.below(4) as u8);
        processes += run(seed, &batched(CHANGES, rows, lanes), trouble);
        run(seed, &batched(&snapshot(), rows, lanes), trouble);
    }
    assert!(processes > 60, "{processes}: they hardly ever died");
    let trouble = Trouble { lives: 100_000, millis: 5, fails: 0.02 };
    for seed in 280..290 {
        run(seed, &batched(CHANGES, 5, 3), trouble);
    }
}

#[test]
fn calls_that_fail_or_only_seem_to_lose_nothing() {
    let trouble = Trouble { lives: 100_000, millis: 5, fails: 0.02 };
    for seed in 200..220 {
        run(seed, CHANGES, trouble);
    }
    for seed in 220..230 {
        run(seed, &snapshot(), trouble);
    }
}

#[test]
fn a_file_that_takes_longer_than_an_invocation_goes_on_in_the_next() {
    let practice = practice(CHANGES);
    let trouble = Trouble { lives: 100_000, millis: 700, fails: 0.0 };
    let rows = file((1..=500).map(row));
    let processes = read(&practice, "1.csv", rows.as_bytes(), &mut Rng::new(300), trouble);
    assert!(processes > 3, "{processes} invocations: it was not too long");
    practice.settle();
    assert_eq!((newest(&practice).state, newest(&practice).progress.sent), (FileState::Done, 500));
    assert_once(&practice, 1..=500);
}

#[test]
fn refusing_and_killed_a_file_is_still_refused_before_a_row_went_on() {
    let mut rng = Rng::new(400);
    let practice = practice(&(CHANGES.to_owned() + "bad-rows: {policy: refuse-file}\n"));
    let rows = (1..=80).map(row).chain(["81,,\n".into()]);
    read(&practice, "1.csv", file(rows).as_bytes(), &mut rng, Trouble { lives: 60, millis: 0, fails: 0.0 });
    practice.settle();
    assert_eq!(newest(&practice).state, FileState::Refused);
    assert_once(&practice, []);
}
