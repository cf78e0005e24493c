//! `kill -9` of `bridge` at random moments while a load runs: after the last start everything is delivered, nothing is
//! lost or done twice, and no lane is out of order. The emulator lives on, as AWS would.
//!
//! `BRIDGE_KILLS` and `BRIDGE_LOAD_MESSAGES` size it, `BRIDGE_SEED` repeats its moments.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use support::{
    Process,
    chance::{Chance, variable},
    load,
};

/// A crashed invocation's records come back after their queue's visibility time-out, two minutes at most; a lane can
/// be struck at both queues.
const TO_RECOVER: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_when_the_bridge_is_killed() {
    let load = load::Load::sized(1_000, 50);
    let kills = variable("BRIDGE_KILLS").map_or(20, |kills| usize::try_from(kills).unwrap());
    let mut chance = Chance::of(Chance::seed());
    let home = tempfile::tempdir().unwrap();
    let (receiver, book) = load::receiver(home.path(), "0.2");
    let mut bridge = Process::start(home.path(), &["up", "--no-demo"]);
    load.configure(home.path(), &book);

    let gateway = Arc::new(Mutex::new(bridge.gateway()));
    let sent = Arc::new(AtomicUsize::new(0));
    let sending = {
        let (gateway, sent) = (Arc::clone(&gateway), Arc::clone(&sent));
        tokio::spawn(load.send(move || gateway.lock().unwrap().clone(), sent))
    };
    let begun = Instant::now();
    for kill in 1..=kills {
        // Spread over the whole run, each at a moment of its own.
        let so_far = load.messages * (kill - 1) / (kills + 1);
        support::eventually("progress", Duration::from_secs(120), || {
            (sent.load(Ordering::Relaxed) >= so_far).then_some(())
        });
        tokio::time::sleep(Duration::from_millis(chance.below(1_000))).await;
        bridge.kill();
        println!("kill {kill} after {:?}, {} acknowledged", begun.elapsed(), sent.load(Ordering::Relaxed));
        bridge = Process::start(home.path(), &["up", "--no-demo"]);
        *gateway.lock().unwrap() = bridge.gateway();
    }
    sending.await.unwrap();
    load.verify(home.path(), &book, TO_RECOVER);
    println!("all delivered after {:?}", begun.elapsed());

    bridge.stop();
    receiver.stop();
}
