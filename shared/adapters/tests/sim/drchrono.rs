//! DrChrono.

use std::sync::Arc;

use bridge_core::remote::CallError;
use bridge_simulators::drchrono::DrChrono;
use serde_json::json;

use crate::{common, site::Site};

async fn site() -> Site {
    Site::open(Arc::new(DrChrono::default()), &[("default-office", "1001")]).await
}

#[tokio::test]
async fn the_whole_book_is_read() {
    let site = site().await;
    common::reads_the_book(&site, "changed-appointments", &[("since", "2000-01-01")]).await;
    let touched = site.served.simulator.touch("Appointment", 3);
    let stamp = site.served.simulator.clock().now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let changed = site.all("changed-appointments", &[("since", &stamp)]).await;
    assert_eq!(changed.iter().map(|record| record["id"].as_str().unwrap()).collect::<Vec<_>>(), touched);
    let patients = site.all("list-insurances", &[]).await;
    let coverages = patients.iter().flat_map(|record| site.resources("Coverage", record)).count();
    assert!(coverages > 5, "{coverages}");
    let book = site.served.simulator.book();
    assert_eq!(site.search("ChargeItem", &[]).await.len(), book.procedures.len());
    assert_eq!(site.search("PaymentNotice", &[]).await.len(), book.payments.len());
}

#[tokio::test]
async fn appointments_are_booked_moved_and_cancelled() {
    let site = site().await;
    let (first, moved) = common::books_moves_and_cancels(&site).await;
    assert_eq!(first, moved, "one appointment all along");
    common::an_answer_may_be_lost(&site, "POST", "/api/appointments").await;
    let mut resource = common::to_book(&site, 2).await;
    site.write(resource.clone(), None, false).await.unwrap();
    // Somebody else at the same time.
    let other = site.served.simulator.book().patients[1].id.clone();
    resource["participant"][0]["actor"]["identifier"]["value"] = json!(other);
    let taken = site.write(resource, None, false).await.unwrap_err();
    assert!(matches!(taken, CallError::Conflict(_)), "{taken}");
}

#[tokio::test]
async fn patients_charges_and_payments_are_written() {
    let site = Site::open(Arc::new(DrChrono::default()), &[("default-doctor", "1003")]).await;
    let patient = json!({
        "resourceType": "Patient", "name": [{"family": "Onlyonce", "given": ["Alba"]}], "birthDate": "1980-02-03",
        "gender": "female", "telecom": [{"system": "phone", "value": "2125550107"}],
    });
    let (id, made) = site.written(patient.clone(), None).await;
    assert_eq!(made["telecom"][0]["value"], "2125550107");
    let again = site.write(patient.clone(), None, true).await.unwrap();
    assert_eq!(again.id.expose(), &id);
    let mut changed = patient;
    changed["name"][0]["family"] = json!("Twiceonly");
    let (_, read) = site.written(changed, Some(&id)).await;
    assert_eq!((&read["name"][0]["family"], &read["gender"]), (&json!("Twiceonly"), &json!("female")));

    let payment = json!({
        "resourceType": "PaymentNotice", "status": "active", "created": "2026-03-05", "paymentDate": "2026-03-05",
        "request": {"identifier": site.identifier(&read)}, "payment": {"display": "x"}, "recipient": {"display": "x"},
        "amount": {"value": 25.5, "currency": "USD"},
    });
    let (paid, read) = site.written(payment.clone(), None).await;
    assert_eq!((&read["amount"]["value"], &read["paymentDate"]), (&json!(25.5), &json!("2026-03-05")));
    assert_eq!(site.write(payment, None, true).await.unwrap().id.expose(), &paid);
    let visit = site.served.simulator.book().appointments[0].id.clone();
    let charge = json!({
        "resourceType": "ChargeItem", "status": "billable", "code": {"coding": [{"code": "X7"}]},
        "subject": {"identifier": {}}, "quantity": {"value": 2}, "priceOverride": {"value": 30.5, "currency": "USD"},
        "supportingInformation": [{"identifier": {"system": "urn:drchrono:appointment", "value": visit}}],
    });
    let (_, read) = site.written(charge, None).await;
    assert_eq!((&read["priceOverride"]["value"], &read["quantity"]["value"]), (&json!(30.5), &json!(2)));
}

#[tokio::test]
async fn errors_waits_and_tokens_are_understood() {
    let site = site().await;
    common::tells_errors_apart(&site, "doctors", &[]).await;
    let missing = site.call("read-patient", &[("id", "1")], None).await.unwrap_err();
    assert!(matches!(missing, CallError::NotFound(_)), "{missing}");
    site.served.faults().add(bridge_simulators::Fault::next(bridge_simulators::Trouble::Throttle));
    let CallError::Throttled(Some(wait), _) = site.call("doctors", &[], None).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(wait.as_secs(), 30, "from the sentence");
    site.served.simulator.expire_tokens();
    let ended = site.call("doctors", &[], None).await.unwrap_err();
    assert!(matches!(ended, CallError::Unauthenticated(_)), "{ended}");
    // With the refresh token that came last: the first one is spent.
    site.sign_in().await.unwrap();
    site.call("doctors", &[], None).await.unwrap();
}
