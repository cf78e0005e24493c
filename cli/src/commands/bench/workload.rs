//! The messages of a benchmark: webhooks of one size, over fifty patients, to a receiver that takes everything.

use std::{sync::Arc, time::Duration};

use bridge_core::{Phi, task::Actor};
use futures::future::try_join_all;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::{
    failure::Failure,
    files::{self, Content},
    system::Pipeline,
};

const PATIENTS: usize = 50;
const AT_ONCE: usize = 20;
pub(super) const SECRET: &str = "whsec_YmVuY2htYXJrLXNpZ25pbmctc2VjcmV0LTAwMDE=";

const FILES: [&str; 3] = [
    "{tenant: bench, name: Benchmark}",
    "{connection: bench.studio, adapter: practice-studio, zone: America/Chicago,
      settings: {url: 'http://127.0.0.1:1/'},
      secrets: {signing-secret: whsec_YmVuY2htYXJrLXNpZ25pbmctc2VjcmV0LTAwMDE=}}",
    r#"
connection: bench.source
adapter: generic-json
zone: America/Chicago
secrets: {key: synthetic-bench-key}
webhook:
  verify: {kind: hmac, header: x-signature, secret: key, encoding: hex}
  kind: /event
  kinds:
    patient.saved:
      mapping: patient
      lane: [/patient/id]
      source-id: [/id]
      version: /at
      find-by: {patient: /patient/id}
mappings:
  patient: |
    patient.{
      "resourceType": "Patient",
      "identifier": [$identifier("urn:bench:patient", id)],
      "name": [{"family": family, "given": [given]}],
      "birthDate": $date(born),
      "gender": sex,
      "address": [{"line": [street], "city": city}]
    }
routes:
  - {to: bench.studio, resources: [Patient]}
"#,
];

/// Applies the benchmark's practice; deliveries go to `receiver`.
pub(super) async fn configure(pipeline: &Pipeline, receiver: &str) -> Result<(), Failure> {
    let actor = || Actor { name: "bench".to_owned(), reason: "a benchmark".to_owned() };
    for text in FILES {
        let wrong = |problem: files::Problem| Failure::World(problem.to_string());
        match files::parse("benchmark", text.to_owned()).map_err(wrong)?.content {
            Content::Tenant(tenant) => pipeline.apply_tenant(&tenant).await?,
            Content::Connection(mut connection) => {
                if let Some(url) = connection.settings.get_mut("url") {
                    receiver.clone_into(url);
                }
                pipeline.apply_connection(*connection, actor()).await?;
            }
        }
    }
    Ok(())
}

/// Posts messages `from..to`, each of about `bytes`, signed, until each is acknowledged.
pub(super) async fn send(gateway: &str, from: usize, to: usize, bytes: usize) -> Result<(), Failure> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build();
    let client = client.map_err(|error| Failure::World(format!("no HTTP client can be made: {error}")))?;
    let free = Arc::new(Semaphore::new(AT_ONCE));
    try_join_all((from..to).map(|number| post(&client, &free, gateway, number, bytes))).await?;
    Ok(())
}

async fn post(
    client: &reqwest::Client,
    free: &Semaphore,
    gateway: &str,
    number: usize,
    bytes: usize,
) -> Result<(), Failure> {
    let _one_of_twenty = free.acquire().await.map_err(|error| Failure::World(error.to_string()))?;
    let body = message(number, bytes);
    let signature = bridge_seal::hmac_sha256(b"synthetic-bench-key", &[body.as_bytes()]);
    let answer = client
        .post(format!("{gateway}/webhooks/bench.source"))
        .header("content-type", "application/json")
        .header("x-signature", data_encoding::HEXLOWER.encode(&signature))
        .body(body)
        .send()
        .await
        .map_err(|error| Failure::World(error.to_string()))?;
    match answer.status().as_u16() {
        202 => Ok(()),
        status => Err(Failure::World(format!("a webhook of the benchmark was answered with HTTP {status}"))),
    }
}

/// A message that does not compress better than a real one: its filling is a hash of its number.
fn message(number: usize, bytes: usize) -> String {
    let with = |note: &str| {
        let at = format!("2026-03-02T09:00:00.{number:09}Z");
        json!({
            "event": "patient.saved", "id": format!("bench-{number}"), "at": at,
            "patient": {
                "id": (number % PATIENTS).to_string(), "given": "Bea", "family": format!("Benchmark{number}"),
                "born": "1980-01-31", "sex": "female", "street": "1 Synthetic Street", "city": "Nowhere", "note": note,
            },
        })
        .to_string()
    };
    let length = bytes.saturating_sub(with("").len());
    let mut note = String::new();
    while note.len() < length {
        let hash = bridge_seal::sha256(&[&number.to_le_bytes(), &note.len().to_le_bytes()]);
        note.push_str(&data_encoding::BASE32_NOPAD.encode(&hash));
    }
    note.truncate(length);
    with(&note)
}

/// The secret of the benchmark's receiver.
pub(super) fn secret() -> Phi<String> {
    Phi::new(SECRET.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_have_the_size_that_was_asked_for() {
        for bytes in [512, 2_048, 10_000] {
            assert_eq!(message(7, bytes).len(), bytes);
        }
    }

    #[test]
    fn its_configuration_is_right() {
        for text in FILES {
            files::parse("benchmark", text.to_owned()).unwrap();
        }
    }
}
