//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use bridge_aws::lambda::EventError;
use normalize::Normalize;
use serde_json::Value;
use support::failures;

const SEALED_ELSEWHERE: &str = include_str!("../../../events/normalize/sealed-elsewhere.json");
const TWO_LANES: &str = include_str!("../../../events/normalize/two-lanes.json");

async fn answer(event: &str) -> (Result<Value, EventError>, usize) {
    support::answer(Normalize::new, event).await
}

#[tokio::test]
async fn what_cannot_be_opened_is_parked_and_done_with() {
    assert_eq!(answer(SEALED_ELSEWHERE).await, (failures(&[]), 1));
}

#[tokio::test]
async fn a_task_of_a_later_version_comes_back_with_its_lane_and_holds_up_no_other() {
    let back = ["5f3c1c1e-0000-4000-8000-000000000002", "5f3c1c1e-0000-4000-8000-000000000003"];
    assert_eq!(answer(TWO_LANES).await, (failures(&back), 1));
}

#[tokio::test]
async fn an_event_of_another_kind_fails_as_a_whole() {
    let unreadable = EventError::Unreadable { kind: "SQS", line: 1, column: 2 };
    assert_eq!(answer("{}").await, (Err(unreadable), 0));
}
