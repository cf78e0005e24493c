//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use bridge_aws::lambda::Function;
use serde_json::Value;
use support::{function, queued, request};
use webhook_intake::WebhookIntake;

const PATIENT: &str = include_str!("../../../events/webhook-intake/drchrono-patient.json");
const GZIP: &str = include_str!("../../../events/webhook-intake/drchrono-patient-gzip.json");
const VERIFICATION: &str = include_str!("../../../events/webhook-intake/drchrono-verification.json");
const WRONG_TOKEN: &str = include_str!("../../../events/webhook-intake/wrong-token.json");

/// The status and the JSON of the answer.
async fn call(function: &impl Function, event: &str) -> (u64, Value) {
    let (status, body) = request(function, event).await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn a_webhook_becomes_one_sealed_task_however_often_it_is_sent() {
    let (function, world) = function(WebhookIntake::new).await;
    let (status, first) = call(&function, PATIENT).await;
    assert_eq!(status, 202, "{first}");
    let (status, second) = call(&function, PATIENT).await;
    assert_eq!((status, &second), (202, &first));
    let tasks = queued(&world);
    assert_eq!(tasks.len(), 1);
    assert!(tasks[0].contains(first["accepted"][0].as_str().unwrap()));
    assert!(!tasks[0].contains("Quillon"), "the payload is sealed");
    assert_eq!(call(&function, GZIP).await.0, 202);
    assert_eq!(queued(&world).len(), 2);
}

#[tokio::test]
async fn the_address_proves_itself_and_strangers_are_turned_away() {
    let (function, world) = function(WebhookIntake::new).await;
    let (status, proof) = call(&function, VERIFICATION).await;
    assert_eq!(status, 200);
    // printf are-you-there | openssl dgst -sha256 -hmac synthetic-drchrono-token
    let hmac = "fbc18f037f1271a2a0ebf3556e74e165bab6a2d5184299a656ca07343c76b798";
    assert_eq!(proof["secret_token"], hmac);
    let (status, refusal) = call(&function, WRONG_TOKEN).await;
    assert_eq!((status, &refusal["error"]["code"]), (401, &Value::from("signature.wrong")));
    assert!(queued(&world).is_empty());
}
