//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use hl7_intake::Hl7Intake;
use support::{function, queued, request};

const REGISTER: &str = include_str!("../../../events/hl7-intake/adt-register.json");
const BATCH: &str = include_str!("../../../events/hl7-intake/batch.json");
const UNSUPPORTED: &str = include_str!("../../../events/hl7-intake/unsupported-event.json");
const WRONG_PASSWORD: &str = include_str!("../../../events/hl7-intake/wrong-password.json");

#[tokio::test]
async fn a_message_becomes_one_sealed_task_however_often_it_is_sent() {
    let (function, world) = function(Hl7Intake::new).await;
    for _ in 0..2 {
        let (status, answer) = request(&function, REGISTER).await;
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
    let (function, world) = function(Hl7Intake::new).await;
    let (status, answer) = request(&function, BATCH).await;
    assert_eq!((status, queued(&world).len()), (200, 2));
    assert!(answer.starts_with("BHS|") && answer.ends_with("BTS|2\r"), "{answer}");
    assert!(answer.contains("MSA|AA|REG40002") && answer.contains("MSA|AA|REG40003"), "{answer}");
}

#[tokio::test]
async fn what_is_not_taken_is_answered_and_strangers_are_turned_away() {
    let (function, world) = function(Hl7Intake::new).await;
    let (status, answer) = request(&function, UNSUPPORTED).await;
    assert_eq!(status, 422);
    assert!(answer.contains("MSA|AR|REG40004") && answer.contains("|201^"), "{answer}");
    let (status, refusal) = request(&function, WRONG_PASSWORD).await;
    assert!(status == 401 && refusal.contains("signature.wrong"), "{refusal}");
    assert!(queued(&world).is_empty());
}
