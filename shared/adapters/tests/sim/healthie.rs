//! Healthie.

use std::{fs, path::Path, sync::Arc};

use bridge_core::remote::CallError;
use bridge_simulators::healthie::Healthie;
use serde_json::{Value, json};

use crate::{common, site::Site};

async fn site() -> Site {
    Site::open(Arc::new(Healthie::default()), &[("default-appointment-type", "1")]).await
}

/// Every document that the adapter ships is right by the schema, and within the limits.
#[tokio::test]
async fn every_document_fits_the_schema() {
    let site = site().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../adapters/healthie/queries");
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let variables = json!({"provider": "1003", "input": {}});
        let body = json!({"query": fs::read_to_string(&file).unwrap(), "variables": variables}).to_string();
        let request =
            reqwest::Client::builder().build().unwrap().post(format!("{}/graphql", site.served.base));
        let request = request.header("authorization", "Basic healthie-key-not-a-secret");
        let request =
            request.header("authorizationsource", "API").header("healthie-graphql-api-version", "2026-01-01");
        let answer = request.body(body).send().await.unwrap().bytes().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert!(answer["errors"].is_null() && answer["data"].is_object(), "{}: {answer}", file.display());
        count += 1;
    }
    assert!(count >= 20, "{count}");
}

#[tokio::test]
async fn the_whole_book_is_read() {
    let site = site().await;
    common::reads_the_book(&site, "changed-appointments", &[]).await;
    site.served.simulator.clock().advance(std::time::Duration::from_secs(60));
    let touched = site.served.simulator.touch("Appointment", 3);
    let first = site.call("changed-appointments", &[], None).await.unwrap();
    let newest: Vec<_> =
        first.records.expose()[..3].iter().rev().map(|record| record["id"].as_str().unwrap()).collect();
    assert_eq!(newest, touched);
    let patients = site.all("policies", &[]).await;
    assert!(patients.iter().flat_map(|record| site.resources("Coverage", record)).count() > 5);
    let book = site.served.simulator.book();
    assert_eq!(site.search("ChargeItem", &[]).await.len(), book.procedures.len());
    assert_eq!(site.search("PaymentNotice", &[]).await.len(), book.payments.len());
    let known = &book.patients[0];
    let found = site.search("Patient", &[("family", &known.family)]).await;
    assert!(found.iter().any(|patient| site.identifier(patient)["value"] == known.id));
}

#[tokio::test]
async fn appointments_are_booked_moved_and_cancelled() {
    let site = site().await;
    let (first, moved) = common::books_moves_and_cancels(&site).await;
    assert_eq!(first, moved, "one appointment all along");
}

#[tokio::test]
async fn patients_and_payments_are_written() {
    let site = site().await;
    let patient = json!({
        "resourceType": "Patient", "name": [{"family": "Onlyonce", "given": ["Alba"]}], "birthDate": "1980-02-03",
        "gender": "female", "telecom": [{"system": "phone", "value": "2125550107"}],
    });
    let (id, made) = site.written(patient.clone(), None).await;
    assert_eq!((&made["birthDate"], &made["gender"]), (&json!("1980-02-03"), &json!("female")));
    let mut changed = patient;
    changed["name"][0]["family"] = json!("Twiceonly");
    let (_, read) = site.written(changed, Some(&id)).await;
    assert_eq!(read["name"][0]["family"], "Twiceonly");
    let refused = json!({"resourceType": "Patient", "name": [{"family": "Nobody"}]});
    let refused = site.write(refused, None, false).await.unwrap_err();
    assert!(matches!(refused, CallError::Invalid(_)), "refused with status 200: {refused}");
    let payment = json!({
        "resourceType": "PaymentNotice", "status": "active", "created": "2026-03-05",
        "request": {"identifier": site.identifier(&read)}, "payment": {"display": "x"}, "recipient": {"display": "x"},
        "amount": {"value": 25.5, "currency": "USD"},
    });
    let (_, read) = site.written(payment, None).await;
    assert_eq!(read["amount"], json!({"value": 25.5, "currency": "USD"}));
}

#[tokio::test]
async fn errors_are_understood() {
    let site = site().await;
    common::tells_errors_apart(&site, "providers", &[]).await;
    let missing = site.call("read-appointment", &[("id", "1")], None).await;
    assert!(missing.unwrap().records.expose().is_empty());
}
