//! Oracle Health.

use std::{collections::BTreeSet, sync::Arc};

use bridge_core::remote::CallError;
use bridge_simulators::{Fault, Seed, Status, Trouble, oracle_health::OracleHealth};
use serde_json::{Value, json};

use crate::{common, site::Site};

async fn site() -> Site {
    Site::open(Arc::new(OracleHealth::default()), &[]).await
}

/// The id of somebody who has appointments.
fn practitioner(site: &Site) -> String {
    site.served.simulator.book().appointments.remove(0).practitioner
}

/// An appointment at the nth free half hour of a practitioner.
async fn to_book(site: &Site, nth: usize) -> Value {
    let practitioner = practitioner(site);
    let day = |days: i64| {
        let at = site.served.simulator.clock().now() + jiff::SignedDuration::from_hours(24 * days);
        at.strftime("%Y-%m-%d").to_string()
    };
    let asked = [
        ("schedule.actor", format!("Practitioner/{practitioner}")),
        ("start", format!("ge{}", day(28))),
        ("start", format!("lt{}", day(40))),
        ("status", "free".to_owned()),
    ];
    let asked: Vec<_> = asked.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let slots = site.search("Slot", &asked).await;
    let slot = &slots[nth];
    let patient = common::patient(site).await;
    json!({
        "resourceType": "Appointment", "status": "booked", "start": slot["start"], "end": slot["end"], "comment": "Invented.",
        "participant": [
            site.participant(&patient),
            {"actor": {"type": "Practitioner", "identifier": {"system": "urn:oracle-health:practitioner", "value": practitioner}},
             "status": "accepted"},
        ],
    })
}

#[tokio::test]
async fn the_whole_book_is_read_through_pages_that_overlap() {
    let site = site().await;
    site.served.simulator.seed(&Seed { number: 2, patients: 0, practitioners: 0, appointments: 110 });
    let book = site.served.simulator.book();
    let records = site.all("appointments-around-today", &[]).await;
    assert!(records.len() > book.appointments.len(), "some came twice");
    let mut read = BTreeSet::new();
    for resource in records.iter().flat_map(|record| site.resources("Appointment", record)) {
        let id = site.identifier(&resource)["value"].as_str().unwrap().to_owned();
        let booking = book.appointments.iter().find(|booking| booking.id == id).unwrap();
        assert_eq!(resource["start"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap(), booking.start);
        read.insert(id);
    }
    assert_eq!(read.len(), book.appointments.len());
    let known = &book.patients[0];
    let found = site.search("Patient", &[("family", &known.family)]).await;
    assert!(found.iter().any(|patient| site.identifier(patient)["value"] == known.id));
    assert!(!site.search("Location", &[("name", "Sampleby")]).await.is_empty());
    let error = site.call("find-practitioners", &[], None).await.unwrap_err();
    assert!(matches!(error, CallError::Invalid(_)), "a search must say something: {error}");
}

#[tokio::test]
async fn an_appointment_is_booked_on_a_slot_and_called_off() {
    let site = site().await;
    let mut resource = to_book(&site, 0).await;
    let status = |id: &str| {
        let all = site.served.simulator.book().appointments;
        all.into_iter().find(|booking| booking.id == id).unwrap().status
    };
    let (id, made) = site.written(resource.clone(), None).await;
    assert_eq!((status(&id), &made["comment"]), (Status::Booked, &json!("Invented.")));
    assert_eq!(
        site.write(resource.clone(), None, true).await.unwrap().id.expose(),
        &id,
        "found, not booked twice"
    );

    let mut taken = resource.clone();
    let other = site.served.simulator.book().patients.remove(1);
    taken["participant"][0]["actor"]["identifier"]["value"] = json!(other.id);
    let error = site.write(taken, None, false).await.unwrap_err();
    assert!(matches!(error, CallError::Conflict(_)), "{error}");

    // Moving is no step of this interface.
    let error = site.write(resource.clone(), Some(&id), false).await.unwrap_err();
    assert!(matches!(error, CallError::Invalid(_)), "{error}");

    resource["status"] = json!("arrived");
    assert_eq!(site.written(resource.clone(), Some(&id)).await.1["status"], "arrived");
    resource["status"] = json!("fulfilled");
    let error = site.write(resource.clone(), Some(&id), false).await.unwrap_err();
    assert!(matches!(error, CallError::Invalid(_)), "not from arrived: {error}");
    resource["status"] = json!("cancelled");
    assert_eq!(site.written(resource.clone(), Some(&id)).await.1["status"], "cancelled");
    assert_eq!(status(&id), Status::Cancelled);
    // Once more changes nothing, and asks for nothing that would be refused.
    assert_eq!(site.written(resource, Some(&id)).await.0, id);
}

#[tokio::test]
async fn a_booking_whose_answer_was_lost_is_found() {
    let site = site().await;
    let resource = to_book(&site, 1).await;
    let before = site.served.simulator.book().appointments.len();
    site.served.faults().add(Fault { method: Some("POST".to_owned()), ..Fault::next(Trouble::Lost) });
    let lost = site.write(resource.clone(), None, false).await.unwrap_err();
    assert!(matches!(lost, CallError::Unknown(_)), "{lost}");
    site.write(resource, None, true).await.unwrap();
    assert_eq!(site.served.simulator.book().appointments.len(), before + 1);
}

#[tokio::test]
async fn patients_coverage_and_charges_are_written() {
    let site = site().await;
    let patient = json!({
        "resourceType": "Patient", "gender": "female", "birthDate": "1990-02-03",
        "identifier": [{"system": "urn:studio:patient", "value": "77"}],
        "name": [{"family": "Exampleson", "given": ["Ilka"]}],
    });
    let (id, made) = site.written(patient.clone(), None).await;
    assert_eq!(site.written(patient, None).await.0, id);
    let who = json!({"type": "Patient", "identifier": site.identifier(&made)});
    let coverage = json!({
        "resourceType": "Coverage", "status": "active", "subscriberId": "M-77", "beneficiary": who,
        "payor": [{"display": "Imaginary Mutual"}],
    });
    assert_eq!(site.written(coverage, None).await.1["beneficiary"]["identifier"]["value"], id);
    let charge = json!({
        "resourceType": "ChargeItem", "status": "billable", "subject": who, "occurrenceDateTime": "2026-03-02T09:00:00Z",
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99214"}]},
        "priceOverride": {"value": 80, "currency": "USD"},
    });
    let (charge, _) = site.written(charge, None).await;
    assert!(site.served.simulator.book().procedures.iter().any(|one| one.id == charge && one.patient == id));
}

#[tokio::test]
async fn errors_are_told_apart_and_tokens_renewed() {
    let site = site().await;
    let id = site.served.simulator.book().patients.remove(0).id;
    common::tells_errors_apart(&site, "read-patient", &[("id", &id)]).await;
    site.served.simulator.expire_tokens();
    let error = site.call("read-patient", &[("id", &id)], None).await.unwrap_err();
    assert!(matches!(error, CallError::Unauthenticated(_)), "{error}");
    site.sign_in().await.unwrap();
    site.call("read-patient", &[("id", &id)], None).await.unwrap();
}
