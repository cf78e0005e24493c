//! Two messages about one resource, in lanes of their own: whoever overtakes whom, destinations end with the newest state.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bridge_pipeline::{
    Bridge,
    batch::{self, Received},
    normalize::Normalize,
    ports::{Clock as _, QueueName},
};
use bridge_testkit::{
    memory::{Fault, Hook, MemoryPorts, lock},
    practice::Practice,
};

use futures::executor::block_on;

use crate::naming::{book, practice_in_lanes, settle, tell_of_a1, told};

/// Stands still before one of its calls, until it is let go.
struct Halted(Arc<AtomicU64>);

impl Hook for Halted {
    async fn pause(&self) {
        std::future::poll_fn(|_| {
            let one_less = |left: u64| left.checked_sub(1);
            match self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
                Ok(_) => Poll::Ready(()),
                Err(_) => Poll::Pending,
            }
        })
        .await;
    }
    fn fault(&self, _: &'static str) -> Option<Fault> {
        None
    }
    fn chance(&self) -> f64 {
        0.5
    }
}

/// The product has the appointment in this state, and what was read of it is on its way.
fn read(practice: &Practice, handle: &crate::pms::Handle, number: u32, status: &str) -> Vec<Received> {
    book(handle, status);
    tell_of_a1(practice, number);
    assert!(practice.work(QueueName::Inbound) && practice.work(QueueName::Polls));
    let records = lock(&practice.world).receive(QueueName::Inbound, 10);
    assert_eq!(records.len(), 1);
    records
}

#[test]
fn a_state_that_comes_back_is_told_again_if_another_was_told_meanwhile() {
    let mut overtaken = 0;
    for calls in 0..40 {
        let (practice, handle) = practice_in_lanes("", "[]");
        tell_of_a1(&practice, 1);
        settle(&practice);
        let cancelled = read(&practice, &handle, 2, "cancelled");
        let booked = read(&practice, &handle, 3, "booked");

        let left = Arc::new(AtomicU64::new(calls));
        let adapters = practice.bridge.ports().adapters_known();
        let hook = Halted(Arc::clone(&left));
        let slow = Bridge::new(MemoryPorts::new(practice.world.clone(), hook, adapters, 0, 9));
        let deadline = practice.bridge.ports().now() + Duration::from_secs(60);
        let (worker, mut context) = (Normalize(&slow), Context::from_waker(Waker::noop()));
        let mut working = Box::pin(batch::run(slow.ports(), &worker, booked, deadline));
        let halted = working.as_mut().poll(&mut context).is_pending();
        overtaken += u32::from(halted);

        let (ports, quick) = (practice.bridge.ports(), Normalize(&practice.bridge));
        assert!(block_on(batch::run(ports, &quick, cancelled, deadline)).is_empty());
        if halted {
            left.store(u64::MAX, Ordering::Relaxed);
            assert!(working.as_mut().poll(&mut context).is_ready());
        }
        settle(&practice);
        let told = told(&practice);
        assert_eq!(told.last().map(String::as_str), Some("booked"), "{calls} calls: {told:?}");
    }
    assert!((5..35).contains(&overtaken), "{overtaken} were overtaken");
}
