//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use bridge_aws::lambda::EventError;
use deliver::Deliver;
use serde_json::Value;
use support::failures;

const SEALED_ELSEWHERE: &str = include_str!("../../../events/deliver/sealed-elsewhere.json");

async fn answer(event: &str) -> (Result<Value, EventError>, usize) {
    support::answer(Deliver::new, event).await
}

#[tokio::test]
async fn what_cannot_be_opened_is_parked_and_nobody_is_called() {
    assert_eq!(answer(SEALED_ELSEWHERE).await, (failures(&[]), 1));
}
