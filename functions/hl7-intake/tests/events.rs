//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use bridge_adapters::Catalog;
use bridge_aws::{
    SystemClock,
    lambda::{Invocation, invoke},
};
use bridge_pipeline::ports::{Clock as _, QueueName};
use bridge_testkit::{
    examples::sunrise,
    memory::{Calm, MemoryPorts, Shared, lock},
};
use hl7_intake::Hl7Intake;
use serde_json::Value;

const REGISTER: &str = include_str!("../../../events/hl7-intake/adt-register.json");
const BATCH: &str = include_str!("../../../events/hl7-intake/batch.json");
const UNSUPPORTED: &str = include_str!("../../../events/hl7-intake/unsupported-event.json");
const WRONG_PASSWORD: &str = include_str!("../../../events/hl7-intake/wrong-password.json");

async fn function() -> (Hl7Intake<MemoryPorts<Calm>>, Shared) {
    let ports = sunrise(&Catalog::builtin(), SystemClock.now().as_millis()).await;
    let world = ports.world().clone();
    (Hl7Intake::new(ports), world)
}

/// The status and the body of the answer.
async fn call(function: &Hl7Intake<MemoryPorts<Calm>>, event: &str) -> (u64, String) {
    let deadline = SystemClock.now() + Duration::from_secs(10);
    let invocation = Invocation { request_id: "r-1".to_owned(), deadline };
    let answer: Value = invoke(function, event.as_bytes(), &invocation).await.unwrap();
    (answer["statusCode"].as_u64().unwrap(), answer["body"].as_str().unwrap().to_owned())
}

/// The bodies of the tasks on `inbound`.
fn queued(world: &Shared) -> Vec<String> {
    let world = lock(world);
    let inbound = world.queues.get(&QueueName::Inbound);
    inbound.iter().flat_map(|queue| &queue.messages).map(|message| message.entry.body.clone()).collect()
}

#[tokio::test]
async fn a_message_becomes_one_sealed_task_however_often_it_is_sent() {
    let (function, world) = function().await;
    for _ in 0..2 {
        let (status, answer) = call(&function, REGISTER).await;
        assert_eq!(status, 200, "{answer}");
        assert!(answer.contains("\rMSA|AA|REG40001\r"), "{answer}");
    }
    let tasks = queued(&world);
    assert_eq!(tasks.len(), 1);
    assert!(tasks[0].contains("\"format\":\"hl7v2\"") && tasks[0].contains("\"kind\":\"ADT^A04\""));
    assert!(!tasks[0].contains("Quillon"), "the payload is sealed");
}

#[tokio::test]
async fn a_batch_is_answered_message_by_message() {
    let (function, world) = function().await;
    let (status, answer) = call(&function, BATCH).await;
    assert_eq!((status, queued(&world).len()), (200, 2));
    assert!(answer.starts_with("BHS|") && answer.ends_with("BTS|2\r"), "{answer}");
    assert!(answer.contains("MSA|AA|REG40002") && answer.contains("MSA|AA|REG40003"), "{answer}");
}

#[tokio::test]
async fn what_is_not_taken_is_answered_and_strangers_are_turned_away() {
    let (function, world) = function().await;
    let (status, answer) = call(&function, UNSUPPORTED).await;
    assert_eq!(status, 422);
    assert!(answer.contains("MSA|AR|REG40004") && answer.contains("|201^"), "{answer}");
    let (status, refusal) = call(&function, WRONG_PASSWORD).await;
    assert!(status == 401 && refusal.contains("signature.wrong"), "{refusal}");
    assert!(queued(&world).is_empty());
}
