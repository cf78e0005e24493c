//! `bridge` is killed every few seconds and its emulator stopped and started, while Practice Studio and six products
//! answer 500, too often (in seconds, as a date, a time in a header, seconds in a text, a code in a good answer, a SOAP
//! fault), hang, reset, answer after everybody has given up though they did the work, or lose the answer; and NexHealth
//! says yes and writes later, or never. Afterwards the books of all of them and the ledger agree row by row.
//!
//! `BRIDGE_DELIVERIES` sizes it, `BRIDGE_SEED` repeats its choices and moments: `just chaos`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use support::{
    Process,
    chance::{Chance, variable},
    chaos::World,
};

/// Where nothing else is said; `just chaos` makes five thousand.
const DELIVERIES: u64 = 400;
/// A patient's lane has so many, more or less. Each kill stops the lanes that are under way for two minutes: many lanes let
/// the others go on.
const PER_LANE: usize = 4;
/// Between two kills at least and at most, in milliseconds, beside the time that a start takes.
const PAUSE: (u64, u64) = (2_000, 8_000);
/// The last tenth is left in peace: what a killed process had in hand comes back after two minutes, every time.
const IN_PEACE: f64 = 0.9;
/// A crashed invocation's records come back after their queue's visibility time-out, and some wait for a breaker.
const TO_RECOVER: Duration = Duration::from_secs(1_200);

const UP: [&str; 2] = ["up", "--no-demo"];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes, of which the machine is idle for most: `just chaos`"]
async fn nothing_is_lost_or_done_twice_in_a_world_that_misbehaves() {
    let seed = Chance::seed();
    let mut chance = Chance::of(seed);
    let deliveries = usize::try_from(variable("BRIDGE_DELIVERIES").unwrap_or(DELIVERIES)).unwrap();
    let home = tempfile::tempdir().unwrap();
    let world = Arc::new(World::new(deliveries, deliveries / PER_LANE).await);
    let mut bridge = Process::start(home.path(), &UP);
    world.configure(home.path());
    let gateway = Arc::new(Mutex::new(bridge.gateway()));
    world.begin(&gateway).await;

    let begun = Instant::now();
    let troubles = tokio::spawn(Arc::clone(&world).make_trouble(seed));
    let sending = tokio::spawn(Arc::clone(&world).send(Arc::clone(&gateway)));
    let (mut kills, mut is_restarted) = (0, false);
    loop {
        tokio::time::sleep(Duration::from_millis(PAUSE.0 + chance.below(PAUSE.1 - PAUSE.0))).await;
        let share = world.taken() as f64 / world.messages() as f64;
        println!("{:?}, {kills} kills: {}", begun.elapsed(), world.standing());
        if share >= IN_PEACE && is_restarted {
            break;
        }
        // The emulator goes with the bridge that is asked to stop; it survives one that is killed.
        if share >= 0.5 && !is_restarted {
            bridge.stop();
            is_restarted = true;
        } else {
            bridge.kill();
            kills += 1;
        }
        bridge = Process::start(home.path(), &UP);
        *gateway.lock().unwrap() = bridge.gateway();
    }
    sending.await.unwrap();
    world.calm_down();
    let met = troubles.await.unwrap();
    world.settle(TO_RECOVER);
    world.send_in_vain(&gateway).await;
    world.verify(home.path(), TO_RECOVER);

    println!(
        "{} deliveries, {} calls, {} repeats at Practice Studio, {kills} kills, all in {:?}",
        world.messages(),
        world.calls(),
        world.repeats(),
        begun.elapsed()
    );
    let refusals = world.refusals(&met);
    for ((name, met), (refused, calls)) in world.names().iter().zip(&met).zip(refusals) {
        println!("{name}: {met:?}, {refused} of {calls} calls refused by its own limit");
        assert!(refused as f64 <= calls as f64 / 100.0, "{name} was called too often");
        assert!(
            met.contains_key("too often"),
            "{name} was never called too often: the run proves less than it says"
        );
    }
    bridge.stop();
}
