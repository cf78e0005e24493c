//! A thousand webhooks over fifty patients at concurrency twenty, every tenth twice, to a receiver that fails a fifth
//! of the calls: each has one effect, in the order of its lane, the ledger agrees, and nothing is parked.
//!
//! `BRIDGE_LOAD_MESSAGES` sizes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use support::{Process, load};

#[tokio::test(flavor = "multi_thread")]
async fn every_message_has_one_effect_in_the_order_of_its_lane() {
    let load = load::Load::sized(1_000, 50);
    let home = tempfile::tempdir().unwrap();
    let (receiver, book) = load::receiver(home.path(), "0.2");
    let bridge = Process::start(home.path(), &["up", "--no-demo"]);
    load.configure(home.path(), &book);

    let begun = Instant::now();
    let gateway = bridge.gateway();
    load.send(move || gateway.clone(), Arc::new(AtomicUsize::new(0))).await;
    println!("{} messages acknowledged after {:?}", load.messages, begun.elapsed());
    load.verify(home.path(), &book, Duration::from_secs(300));
    println!("all delivered after {:?}", begun.elapsed());

    bridge.stop();
    receiver.stop();
}
