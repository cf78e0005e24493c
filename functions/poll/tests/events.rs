//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use futures::executor::block_on;
use poll::Poll;
use serde_json::json;
use support::failures;

const QUEUE_DUE: &str = include_str!("../../../events/poll/queue-due.json");
const POLL: &str = include_str!("../../../events/poll/poll.json");

#[test]
fn the_schedule_queues_what_is_due() {
    let (answer, _) = block_on(support::answer(Poll::new, QUEUE_DUE));
    assert_eq!(answer, Ok(json!({"connections": 0})));
}

#[test]
fn a_connection_that_is_not_polled_is_done_at_once() {
    let (answer, parked) = block_on(support::answer(Poll::new, POLL));
    assert_eq!((answer, parked), (failures(&[]), 0));
}
