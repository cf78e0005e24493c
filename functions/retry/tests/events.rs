//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use bridge_aws::{
    Settings,
    lambda::{EventError, sqs::Sources},
};
use retry::Retry;
use serde_json::{Value, json};
use support::failures;

const RELEASE: &str = include_str!("../../../events/retry/release-lane.json");
const REPLAY: &str = include_str!("../../../events/retry/replay-message.json");
const RELEASE_DUE: &str = include_str!("../../../events/retry/release-due.json");
const WATCH_DUE: &str = include_str!("../../../events/retry/watch-due.json");
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
        polls_queue_url: url("polls"),
        exports_queue_url: url("exports"),
        drops_queue_url: String::new(),
        payload_bucket: String::new(),
        files_bucket: String::new(),
        stack: String::new(),
        key_id: String::new(),
        endpoint: None,
        region: None,
        credentials: None,
    })
}

async fn answer(event: &str) -> (Result<Value, EventError>, usize) {
    support::answer(|ports| Retry::new(ports, sources()), event).await
}

#[tokio::test]
async fn commands_about_nothing_are_done_at_once() {
    assert_eq!(answer(RELEASE).await, (failures(&[]), 0));
    assert_eq!(answer(REPLAY).await, (failures(&[]), 0));
}

#[tokio::test]
async fn a_dead_letter_is_parked() {
    assert_eq!(answer(DEAD_LETTER).await, (failures(&[]), 1));
}

#[tokio::test]
async fn the_schedule_asks_for_what_is_due() {
    assert_eq!(answer(RELEASE_DUE).await, (Ok(json!({"lanes": 0})), 0));
    // All of the example that something can come from; they were applied just now.
    assert_eq!(answer(WATCH_DUE).await, (Ok(json!({"connections": 5, "silent": 0})), 0));
}

#[tokio::test]
async fn work_of_another_function_is_not_touched() {
    let unknown = EventError::UnknownQueue("bridge-inbound.fifo".to_owned());
    assert_eq!(answer(NOT_OURS).await, (Err(unknown), 0));
}
