//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use std::time::Duration;

use bridge_aws::{
    SystemClock,
    lambda::{Invocation, invoke},
};
use bridge_pipeline::ports::Clock as _;
use bridge_testkit::memory::lock;
use export::Export;
use serde_json::json;
use support::{call, failures, function};

const EXPORT_DUE: &str = include_str!("../../../events/export/export-due.json");
const EXPORT: &str = include_str!("../../../events/export/export.json");

#[tokio::test]
async fn the_schedule_queues_what_is_due_and_nothing_before() {
    let (function, world) = function(Export::new).await;
    assert_eq!(call(&function, EXPORT_DUE).await, Ok(json!({"exports": 0})));
    lock(&world).now += 8 * 86_400_000;
    assert_eq!(call(&function, EXPORT_DUE).await, Ok(json!({"exports": 1})));
}

#[tokio::test]
async fn a_run_without_changes_is_over_and_leaves_no_file() {
    let (function, world) = function(Export::new).await;
    lock(&world).now += 8 * 86_400_000;
    let deadline = SystemClock.now() + Duration::from_hours(8 * 24) + Duration::from_mins(5);
    let invocation = Invocation { request_id: "r-1".to_owned(), deadline };
    assert_eq!(invoke(&function, EXPORT.as_bytes(), &invocation).await, failures(&[]));
    let world = lock(&world);
    assert!(world.tables.iter().any(|record| record.key.sk == "run" && record.doc.contains("\"closed\"")));
    assert!(world.files.keys("outbox/").is_empty());
}
