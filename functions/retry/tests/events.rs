//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use bridge_adapters::Catalog;
use bridge_aws::{
    Settings, SystemClock,
    lambda::{EventError, Invocation, invoke, sqs::Sources},
};
use bridge_pipeline::ports::Clock as _;
use bridge_testkit::{examples::sunrise, memory::lock};
use futures::executor::block_on;
use retry::Retry;
use serde_json::{Value, json};

const RELEASE: &str = include_str!("../../../events/retry/release-lane.json");
const REPLAY: &str = include_str!("../../../events/retry/replay-message.json");
const RELEASE_DUE: &str = include_str!("../../../events/retry/release-due.json");
const DEAD_LETTER: &str = include_str!("../../../events/retry/inbound-dead-letter.json");
const NOT_OURS: &str = include_str!("../../../events/normalize/two-lanes.json");

fn sources() -> Sources {
    let url = |name: &str| format!("http://127.0.0.1:4566/000000000000/bridge-{name}.fifo");
    Sources::new(&Settings {
        ledger_table: String::new(),
        resources_table: String::new(),
        config_table: String::new(),
        inbound_queue_url: url("inbound"),
        outbound_queue_url: url("outbound"),
        commands_queue_url: url("commands"),
        payload_bucket: String::new(),
        key_id: String::new(),
        endpoint: None,
        region: None,
        credentials: None,
    })
}

/// The answer, and how many tasks are parked then.
fn answer(event: &str) -> (Result<Value, EventError>, usize) {
    block_on(async {
        let now = SystemClock.now();
        let ports = sunrise(&Catalog::builtin(), now.as_millis()).await;
        let world = ports.world().clone();
        let function = Retry::new(ports, sources());
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
fn commands_about_nothing_are_done_at_once() {
    assert_eq!(answer(RELEASE), (failures(&[]), 0));
    assert_eq!(answer(REPLAY), (failures(&[]), 0));
}

#[test]
fn a_dead_letter_is_parked() {
    assert_eq!(answer(DEAD_LETTER), (failures(&[]), 1));
}

#[test]
fn the_schedule_asks_for_what_is_due() {
    assert_eq!(answer(RELEASE_DUE), (Ok(json!({"lanes": 0})), 0));
}

#[test]
fn work_of_another_function_is_not_touched() {
    let unknown = EventError::UnknownQueue("bridge-inbound.fifo".to_owned());
    assert_eq!(answer(NOT_OURS), (Err(unknown), 0));
}
