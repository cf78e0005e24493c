//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use bridge_adapters::Catalog;
use bridge_aws::{
    SystemClock,
    lambda::{EventError, Invocation, invoke},
};
use bridge_pipeline::ports::Clock as _;
use bridge_testkit::{examples::sunrise, memory::lock};
use futures::executor::block_on;
use normalize::Normalize;
use serde_json::{Value, json};

const SEALED_ELSEWHERE: &str = include_str!("../../../events/normalize/sealed-elsewhere.json");
const TWO_LANES: &str = include_str!("../../../events/normalize/two-lanes.json");

/// The answer, and how many tasks are parked then.
fn answer(event: &str) -> (Result<Value, EventError>, usize) {
    block_on(async {
        let now = SystemClock.now();
        let ports = sunrise(&Catalog::builtin(), now.as_millis()).await;
        let world = ports.world().clone();
        let function = Normalize::new(ports);
        let invocation = Invocation { request_id: "r-1".to_owned(), deadline: now + Duration::from_secs(10) };
        let answer = invoke(&function, event.as_bytes(), &invocation).await;
        let parked = lock(&world).tables.iter().filter(|record| record.by_attention.is_some()).count();
        (answer, parked)
    })
}

fn failures(ids: &[&str]) -> Result<Value, EventError> {
    let failures: Vec<Value> = ids.iter().map(|id| json!({"itemIdentifier": id})).collect();
    Ok(json!({"batchItemFailures": failures}))
}

#[test]
fn what_cannot_be_opened_is_parked_and_done_with() {
    assert_eq!(answer(SEALED_ELSEWHERE), (failures(&[]), 1));
}

#[test]
fn a_task_of_a_later_version_comes_back_with_its_lane_and_holds_up_no_other() {
    let back = ["5f3c1c1e-0000-4000-8000-000000000002", "5f3c1c1e-0000-4000-8000-000000000003"];
    assert_eq!(answer(TWO_LANES), (failures(&back), 1));
}

#[test]
fn an_event_of_another_kind_fails_as_a_whole() {
    let unreadable = EventError::Unreadable { kind: "SQS", line: 1, column: 2 };
    assert_eq!(answer("{}"), (Err(unreadable), 0));
}
