//! Answers in a cache beside the tables: shared, sealed, and never in the way.

use bridge_pipeline::Bridge;
use bridge_testkit::memory::{Calm, Fault as Failing, Hook, Kept, MemoryPorts, lock};
use serde_json::Value;

use crate::{
    asking::{Caller, caller},
    pms::{Fault, down},
    reading::{TEN, book},
};

/// A process whose cache fails at every call.
struct NoCache;

impl Hook for NoCache {
    async fn pause(&self) {}
    fn fault(&self, operation: &'static str) -> Option<Failing> {
        operation.starts_with("cache.").then_some(Failing::Before)
    }
    fn chance(&self) -> f64 {
        0.5
    }
    fn passes_time(&self) -> bool {
        true
    }
}

/// The same practice with a cache, and an appointment that was asked for.
fn with_cache() -> Caller {
    let caller = caller();
    book(&caller, TEN);
    lock(&caller.practice.world).cache = Some(Kept::new());
    caller
}

/// Another process: it has nothing in memory.
fn another(caller: &mut Caller) {
    let ports = caller.practice.bridge.ports();
    let ports = MemoryPorts::new(caller.practice.world.clone(), Calm, ports.adapters_known(), 0, 2);
    caller.practice.bridge = Bridge::new(ports);
}

fn found(answer: &(u16, Value)) -> usize {
    assert_eq!(answer.0, 200, "{}", answer.1);
    answer.1["entry"].as_array().map_or(0, Vec::len)
}

#[test]
fn another_process_finds_the_answer_and_nobody_else_can_read_it() {
    let mut caller = with_cache();
    assert_eq!(found(&caller.get("Appointment?status=booked")), 0);
    assert_eq!(found(&caller.get("Appointment")), 1);
    let calls = caller.pms.get().calls.len();
    another(&mut caller);
    assert_eq!(found(&caller.get("Appointment")), 1);
    assert_eq!(caller.pms.get().calls.len(), calls, "the product is not asked again");
    {
        let world = lock(&caller.practice.world);
        let kept = world.cache.as_ref().unwrap();
        assert_eq!(kept.len(), 2);
        for (key, (value, until)) in kept {
            let text = format!("{key}{}", String::from_utf8_lossy(value));
            assert!(!text.contains("Appointment") && !text.contains("2026-03-02"), "{key}");
            assert_eq!(until - world.now, 24 * 3_600_000, "it may stand in for a day");
        }
        let in_tables = world.tables.iter().filter(|record| record.key.pk.contains("#page#"));
        assert_eq!(in_tables.count(), 0, "one or the other");
    }
    // Its adapter says that it is good for half a minute; then it only stands in for a product that fails.
    caller.pass(31);
    caller.pms.get().faults = [Fault::Answer(down())].into();
    another(&mut caller);
    let stale = caller.send("GET", "Appointment", &[], "");
    assert_eq!((stale.status, stale.headers["warning"].starts_with("110")), (200, true));
    assert_eq!(found(&caller.get("Appointment")), 1);
}

#[test]
fn a_cache_that_fails_or_lies_is_as_good_as_none() {
    let caller = with_cache();
    let ports = caller.practice.bridge.ports().adapters_known();
    let failing = Bridge::new(MemoryPorts::new(caller.practice.world.clone(), NoCache, ports, 0, 3));
    let calls = caller.pms.get().calls.len();
    let answered = caller.send_by(&failing, "GET", "Appointment", &[], "");
    assert_eq!(answered.status, 200);
    assert!(lock(&caller.practice.world).cache.as_ref().unwrap().is_empty());
    assert_eq!(caller.pms.get().calls.len(), calls + 1);

    // Bytes that are none of ours, or another question's.
    let mut caller = caller;
    caller.get("Appointment");
    caller.get("Appointment?status=cancelled");
    for value in lock(&caller.practice.world).cache.as_mut().unwrap().values_mut() {
        value.0.reverse();
    }
    another(&mut caller);
    let calls = caller.pms.get().calls.len();
    assert_eq!(found(&caller.get("Appointment")), 1);
    assert_eq!(caller.pms.get().calls.len(), calls + 1, "asked of the product");
}
