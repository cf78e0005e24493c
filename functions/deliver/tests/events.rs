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
use deliver::Deliver;
use futures::executor::block_on;
use serde_json::{Value, json};

const SEALED_ELSEWHERE: &str = include_str!("../../../events/deliver/sealed-elsewhere.json");

/// The answer, and how many tasks are parked then.
fn answer(event: &str) -> (Result<Value, EventError>, usize) {
    block_on(async {
        let now = SystemClock.now();
        let ports = sunrise(&Catalog::builtin(), now.as_millis()).await;
        let world = ports.world().clone();
        let function = Deliver::new(ports);
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
fn what_cannot_be_opened_is_parked_and_nobody_is_called() {
    assert_eq!(answer(SEALED_ELSEWHERE), (failures(&[]), 1));
}
