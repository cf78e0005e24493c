//! athenahealth.

use std::{collections::BTreeSet, sync::Arc};

use bridge_core::remote::CallError;
use bridge_simulators::athenahealth::Athenahealth;
use serde_json::{Value, json};

use crate::{common, site::Site};

const ALWAYS: &[(&str, &str)] = &[("from", "01/01/2000"), ("to", "12/31/2099")];

async fn site() -> Site {
    Site::open(Arc::new(Athenahealth::default()), &[("default-department", "1001")]).await
}

#[tokio::test]
async fn the_whole_book_is_read() {
    let site = site().await;
    common::reads_the_book(&site, "find-appointments", ALWAYS).await;
    let patient = common::patient(&site).await;
    let id = site.identifier(&patient)["value"].as_str().unwrap().to_owned();
    let coverages: Vec<Value> = {
        let mut all = Vec::new();
        for patient in site.served.simulator.book().patients {
            all.extend(site.search("Coverage", &[("patient", &patient.id)]).await);
        }
        all
    };
    assert!(coverages.len() > 5);
    assert!(coverages.iter().all(|coverage| coverage["beneficiary"]["reference"].is_string()));
    let book = site.served.simulator.book();
    let charges = site.all("claims", ALWAYS).await;
    assert_eq!(
        charges.iter().flat_map(|record| site.resources("ChargeItem", record)).count(),
        book.procedures.len()
    );
    let of_patient = book.appointments.iter().filter(|booking| booking.patient == id).count();
    assert_eq!(site.search("Appointment", &[("patient", &id)]).await.len(), of_patient);
}

#[tokio::test]
async fn a_change_queue_is_emptied_page_by_page() {
    let site = site().await;
    let unset = site.call("changed-appointments", &[], None).await.unwrap_err();
    assert!(matches!(unset, CallError::Forbidden(_)), "{unset}");
    let base = &site.served.base;
    let token = reqwest::Client::builder().build().unwrap().post(format!("{base}/oauth2/v1/token"));
    let token = token.basic_auth("athena-app", Some("athena-app-not-a-secret"));
    let form = "grant_type=client_credentials&scope=athena/service/Athenanet.MDP.*";
    let answer =
        token.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
    let token: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let subscribe = format!("{base}/v1/999001/appointments/changed/subscription");
    let subscribe = reqwest::Client::builder().build().unwrap().post(subscribe);
    subscribe.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();

    let touched: BTreeSet<String> = site.served.simulator.touch("Appointment", 30).into_iter().collect();
    let ids = |records: &[Value]| -> BTreeSet<String> {
        records.iter().map(|record| record["appointmentid"].as_str().unwrap().to_owned()).collect()
    };
    let first = site.call("changed-appointments", &[], None).await.unwrap();
    assert!(first.next.is_none());
    assert_eq!(ids(first.records.expose()), touched);
    assert!(site.all("changed-appointments", &[]).await.is_empty(), "read once");
    let again = site
        .all("processed-appointments", &[("from", "01/01/2020 00:00:00"), ("to", "12/31/2099 00:00:00")])
        .await;
    assert_eq!(ids(&again), touched, "and asked for again after a crash");
}

#[tokio::test]
async fn appointments_are_booked_moved_and_cancelled() {
    let site = site().await;
    let (first, moved) = common::books_moves_and_cancels(&site).await;
    assert_ne!(first, moved, "a move makes another appointment");
    common::an_answer_may_be_lost(&site, "PUT", "/v1/999001/appointments").await;
    let mut resource = common::to_book(&site, 2).await;
    resource["start"] = json!("2026-03-05T03:00:00-05:00");
    let closed = site.write(resource, None, false).await.unwrap_err();
    assert!(matches!(closed, CallError::Conflict(_)), "nothing is open then: {closed}");
}

#[tokio::test]
async fn patients_are_written() {
    let site = site().await;
    let patient = json!({
        "resourceType": "Patient", "name": [{"family": "Onlyonce", "given": ["Alba"]}], "birthDate": "1980-02-03",
        "gender": "female", "telecom": [{"system": "phone", "use": "mobile", "value": "2125550107"}],
    });
    let (id, made) = site.written(patient.clone(), None).await;
    assert_eq!(
        (&made["birthDate"], &made["telecom"][0]["value"]),
        (&json!("1980-02-03"), &json!("2125550107"))
    );
    let mut changed = patient;
    changed["name"][0]["family"] = json!("Twiceonly");
    let (same, read) = site.written(changed.clone(), Some(&id)).await;
    assert_eq!((&same, &read["name"][0]["family"]), (&id, &json!("Twiceonly")));
    changed["name"][0]["family"] = json!("x".repeat(31));
    let long = site.write(changed, Some(&id), false).await.unwrap_err();
    assert!(matches!(long, CallError::Invalid(_)), "{long}");
}

#[tokio::test]
async fn errors_and_tokens_are_understood() {
    let site = site().await;
    common::tells_errors_apart(&site, "providers", &[]).await;
    site.served.simulator.expire_tokens();
    let ended = site.call("providers", &[], None).await.unwrap_err();
    assert!(matches!(ended, CallError::Unauthenticated(_)), "{ended}");
    site.sign_in().await.unwrap();
    site.call("providers", &[], None).await.unwrap();
}
