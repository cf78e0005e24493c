//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use poll::Poll;
use serde_json::json;
use support::failures;

const QUEUE_DUE: &str = include_str!("../../../events/poll/queue-due.json");
const POLL: &str = include_str!("../../../events/poll/poll.json");

#[tokio::test]
async fn the_schedule_queues_what_is_due() {
    let (answer, _) = support::answer(Poll::new, QUEUE_DUE).await;
    assert_eq!(answer, Ok(json!({"connections": 0})));
}

#[tokio::test]
async fn a_connection_that_is_not_polled_is_done_at_once() {
    let (answer, parked) = support::answer(Poll::new, POLL).await;
    assert_eq!((answer, parked), (failures(&[]), 0));
}
