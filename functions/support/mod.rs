//! What the functions' tests share: a practice in memory, and calls as Lambda makes them.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it")]

use std::time::Duration;

use bridge_adapters::Catalog;
use bridge_aws::{
    SystemClock,
    lambda::{EventError, Function, Invocation, invoke},
};
use bridge_pipeline::ports::{Clock as _, QueueName};
use bridge_testkit::{
    examples::sunrise,
    memory::{Calm, MemoryPorts, Shared, lock},
};
use serde_json::{Value, json};

/// A function over the example practice, and the world it works on.
pub(crate) async fn function<F>(new: impl FnOnce(MemoryPorts<Calm>) -> F) -> (F, Shared) {
    let ports = sunrise(&Catalog::builtin(), SystemClock.now().as_millis()).await;
    let world = ports.world().clone();
    (new(ports), world)
}

/// What the function answers to an event.
pub(crate) async fn call(function: &impl Function, event: &str) -> Result<Value, EventError> {
    let deadline = SystemClock.now() + Duration::from_secs(60);
    let invocation = Invocation { request_id: "r-1".to_owned(), deadline };
    invoke(function, event.as_bytes(), &invocation).await
}

/// The answer of a function that works a queue, and how many tasks are parked then.
pub(crate) async fn answer<F: Function>(
    new: impl FnOnce(MemoryPorts<Calm>) -> F,
    event: &str,
) -> (Result<Value, EventError>, usize) {
    let (function, world) = function(new).await;
    let answer = call(&function, event).await;
    let is_parked = |place: &(String, String)| place.0.ends_with("#parked");
    let world = lock(&world);
    let parked =
        world.tables.iter().filter(|record| record.by_attention.as_ref().is_some_and(is_parked)).count();
    (answer, parked)
}

/// The answer that says which records of a batch come back.
pub(crate) fn failures(ids: &[&str]) -> Result<Value, EventError> {
    let failures: Vec<Value> = ids.iter().map(|id| json!({"itemIdentifier": id})).collect();
    Ok(json!({"batchItemFailures": failures}))
}

/// The status and the body of the answer of a function that serves HTTP.
pub(crate) async fn request(function: &impl Function, event: &str) -> (u64, String) {
    let answer = call(function, event).await.unwrap();
    (answer["statusCode"].as_u64().unwrap(), answer["body"].as_str().unwrap().to_owned())
}

/// The bodies of the tasks on `inbound`.
pub(crate) fn queued(world: &Shared) -> Vec<String> {
    let world = lock(world);
    let inbound = world.queues.get(&QueueName::Inbound);
    inbound.iter().flat_map(|queue| &queue.messages).map(|message| message.entry.body.clone()).collect()
}
