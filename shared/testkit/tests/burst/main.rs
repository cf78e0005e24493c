//! A practice changes everything at once: the poll catches every change, once, through processes that die at any of their
//! calls, within what the product allows, and in the same memory whatever the number.
//!
//! `BRIDGE_BURST=100000 cargo test -p bridge-testkit --test burst -- --nocapture` prints the figures for a hundred thousand;
//! `BRIDGE_BURST_SEED` chooses another storm.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

mod came;
#[path = "../products/outward.rs"]
mod outward;
mod poller;
mod product;
mod storm;

use poller::{Figures, Poller};
use product::Product;
use tokio::sync::Mutex;

/// Memory is measured for the whole process: one burst after the other.
static ALONE: Mutex<()> = Mutex::const_new(());

/// What the memory of a process may differ by between a burst and one of ten times the size: hashes stay, records don't.
const FLAT: u64 = 32 << 20;

fn number(name: &str, default: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how much to simulate is the caller's choice")]
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

async fn burst(adapter: &str, count: usize) -> Figures {
    let seed = number("BRIDGE_BURST_SEED", 1);
    println!("{adapter}: {count} changes, seed {seed}");
    let product = Product::start(adapter);
    product.seed(count);
    let poller = Poller::start(&product, count, seed).await;
    // What is there when the connection is made.
    poller.settle().await;
    poller.forget();
    let ids = product.touch(count);
    assert_eq!(ids.len(), count);
    let figures = poller.storm(&ids).await;
    poller.check(&ids);
    let before = poller.queued();
    for _ in 0..3 {
        poller.poll_again().await;
    }
    assert_eq!(poller.queued(), before, "what was sent is not sent again");
    let (calls, refused) = product.calls();
    println!("  {figures}; {calls} calls, {refused} refused");
    // Clocks that differ by seconds cost a call now and then at the end of a minute.
    assert!(refused * 50 <= calls, "{refused} of {calls} calls were refused");
    figures
}

/// A tenth, then all of it: what a burst may not cost more of is memory.
async fn bursts(adapter: &str) {
    let _alone = ALONE.lock().await;
    let count = usize::try_from(number("BRIDGE_BURST", 1_500)).unwrap();
    let small = burst(adapter, count / 10).await;
    let large = burst(adapter, count).await;
    let (tenth, all) = (small.own_peak(), large.own_peak());
    assert!(all <= tenth + FLAT, "{tenth} bytes for a tenth, {all} for all");
    let kills = small.kills + large.kills;
    assert!(kills > 3, "{kills} kills are no storm");
}

#[tokio::test]
async fn every_change_of_a_burst_in_cliniko_comes_once() {
    bursts("cliniko").await;
}

#[tokio::test]
async fn every_change_of_a_burst_in_athenahealth_comes_once() {
    bursts("athenahealth").await;
}

/// A process dies in the middle of the second page of a queue that forgets: what was handed out to it and before
/// it is more than a page holds.
#[tokio::test]
async fn what_a_queue_handed_out_to_the_dead_comes_from_all_its_pages() {
    let _alone = ALONE.lock().await;
    let product = Product::start("athenahealth");
    product.seed(2_500);
    let poller = Poller::start(&product, 2_500, 1).await;
    poller.settle().await;
    poller.forget();
    let ids = product.touch(2_500);
    // A page of a thousand takes a hundred sends.
    poller.dies_after(170).await;
    assert!((1_001..2_000).contains(&poller.queued()), "{} came before", poller.queued());
    poller.settle().await;
    poller.check(&ids);
}

/// The product, in a process of its own: its memory is not what is measured.
#[tokio::test]
#[ignore = "started by the burst, in a process of its own"]
async fn serves_a_product() {
    product::serve().await;
}
