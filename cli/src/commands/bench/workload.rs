//! A benchmark's practice, and the vendor that calls it. Its receiver takes everything.

use std::{sync::Arc, time::Duration};

use bridge_core::{Phi, task::Actor};
use futures::future::try_join_all;
use tokio::sync::Semaphore;

use super::messages::Content as Messages;
use crate::{
    failure::Failure,
    files::{self, Content},
    system::Pipeline,
};

const AT_ONCE: usize = 20;
/// With which vendors sign; as in the files below.
const KEY: &str = "synthetic-bench-key";
pub(super) const SECRET: &str = "whsec_YmVuY2htYXJrLXNpZ25pbmctc2VjcmV0LTAwMDE=";

const FILES: [&str; 4] = [
    "{tenant: bench, name: Benchmark}",
    "{connection: bench.studio, adapter: practice-studio, zone: America/Chicago,
      settings: {url: 'http://127.0.0.1:1/'},
      secrets: {signing-secret: whsec_YmVuY2htYXJrLXNpZ25pbmctc2VjcmV0LTAwMDE=}}",
    "{connection: bench.drchrono, adapter: drchrono, zone: America/Chicago,
      secrets: {secret-token: synthetic-bench-key}, routes: [{to: bench.studio, resources: [Patient]}]}",
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
feeds:
  rows: {keys: 'rows-*.csv', file: {format: csv}, key-columns: [id], mapping: row, lane: [/id], find-by: {patient: /id},
    columns: [{name: id, required: true}, {name: family, required: true}, {name: born, type: date}]}
  batches: {keys: 'batches-*.csv', file: {format: csv}, key-columns: [id], mapping: row, lane: [/id], find-by: {patient: /id},
    columns: [{name: id, required: true}, {name: family, required: true}, {name: born, type: date}], batch: {rows: 50}}
  list: {keys: 'list-*.csv', file: {format: csv}, key-columns: [id], mapping: row, lane: [/id], find-by: {patient: /id},
    columns: [{name: id, required: true}, {name: family, required: true}, {name: born, type: date}], delta: {mode: snapshot}}
mappings:
  row: |
    {
      "resourceType": "Patient",
      "identifier": [$identifier("urn:bench:patient", id)],
      "name": [{"family": family, "given": [given]}],
      "birthDate": born,
      "gender": sex,
      "address": [{"text": address}],
      "telecom": [{"system": "phone", "value": phone}, {"system": "email", "value": email}]
    }
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

/// Posts messages `from..to`, each of `bytes`, signed, until each is acknowledged.
pub(super) async fn send(
    gateway: &str,
    content: Messages,
    from: usize,
    to: usize,
    bytes: usize,
) -> Result<(), Failure> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build();
    let client = client.map_err(|error| Failure::World(format!("no HTTP client can be made: {error}")))?;
    let free = Arc::new(Semaphore::new(AT_ONCE));
    try_join_all((from..to).map(|number| post(&client, &free, gateway, content, number, bytes))).await?;
    Ok(())
}

async fn post(
    client: &reqwest::Client,
    free: &Semaphore,
    gateway: &str,
    content: Messages,
    number: usize,
    bytes: usize,
) -> Result<(), Failure> {
    let _one_of_twenty = free.acquire().await.map_err(|error| Failure::World(error.to_string()))?;
    let body = content.message(number, bytes);
    let request = client
        .post(format!("{gateway}/webhooks/{}", content.connection()))
        .header("content-type", "application/json");
    let request = match content {
        Messages::Events => request
            .header("x-drchrono-signature", KEY)
            .header("x-drchrono-event", "PATIENT_MODIFY")
            .header("x-drchrono-delivery", number),
        Messages::Noise | Messages::Rows | Messages::Batches | Messages::Snapshot => {
            let signature = bridge_seal::hmac_sha256(KEY.as_bytes(), &[body.as_bytes()]);
            request.header("x-signature", data_encoding::HEXLOWER.encode(&signature))
        }
    };
    let answer = request.body(body).send().await.map_err(|error| Failure::World(error.to_string()))?;
    match answer.status().as_u16() {
        202 => Ok(()),
        status => Err(Failure::World(format!("a webhook of the benchmark was answered with HTTP {status}"))),
    }
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
    fn its_configuration_is_right() {
        for text in FILES {
            files::parse("benchmark", text.to_owned()).unwrap();
        }
    }
}
