//! Epic.

use std::sync::Arc;

use bridge_core::remote::CallError;
use bridge_simulators::{Fault, Seed, Trouble, epic::Epic};
use serde_json::{Value, json};

use crate::{common, site::Site};

async fn site() -> Site {
    Site::open(Arc::new(Epic::default()), &[]).await
}

/// An appointment at the nth free half hour, thirty days from now.
async fn to_book(site: &Site, nth: i64) -> Value {
    let practitioner = site.search("Practitioner", &[]).await.remove(0);
    let patient = common::patient(site).await;
    let midnight = site.served.simulator.clock().now().as_second().div_euclid(86_400) * 86_400;
    let at = |half: i64| {
        jiff::Timestamp::from_second(midnight + 30 * 86_400 + 14 * 3_600 + half * 1_800).unwrap().to_string()
    };
    json!({
        "resourceType": "Appointment", "status": "booked", "start": at(nth), "end": at(nth + 1), "comment": "Invented.",
        "participant": [site.participant(&patient), site.participant(&practitioner)],
    })
}

#[tokio::test]
async fn the_whole_book_is_read_page_by_page() {
    let site = site().await;
    site.served.simulator.seed(&Seed { number: 2, patients: 0, practitioners: 0, appointments: 130 });
    common::reads_the_book(&site, "appointments-around-today", &[]).await;
    let known = site.served.simulator.book().patients.remove(0);
    let found = site.search("Patient", &[("family", &known.family), ("given", &known.given)]).await;
    assert!(found.iter().any(|patient| site.identifier(patient)["value"] == known.id));
    let nobody = site.search("Patient", &[("family", "Nobody"), ("given", "Nobody")]).await;
    assert!(nobody.is_empty(), "the outcome that says so is no record");
    assert_eq!(site.search("Coverage", &[("patient", &format!("Patient/{}", known.id))]).await.len(), 1);
    let statement = site.call("capabilities", &[], None).await.unwrap();
    assert_eq!(statement.body.expose()["date"], "2026-05-01");
}

#[tokio::test]
async fn a_time_is_found_and_booked_once() {
    let site = site().await;
    let resource = to_book(&site, 0).await;
    let (id, made) = site.written(resource.clone(), None).await;
    assert_eq!((&made["status"], &made["comment"]), (&json!("booked"), &json!("Invented.")));
    let again = site.write(resource.clone(), None, true).await.unwrap();
    assert_eq!(again.id.expose(), &id, "found, not booked twice");

    // Somebody else wants the same time of the same practitioner.
    let other = site.served.simulator.book().patients.remove(1);
    let mut taken = resource.clone();
    taken["participant"][0]["actor"]["identifier"]["value"] = json!(other.id);
    let error = site.write(taken, None, false).await.unwrap_err();
    assert!(matches!(error, CallError::Conflict(_)), "{error}");

    // Neither moved nor called off: the interface has no way.
    let mut cancelled = resource;
    cancelled["status"] = json!("cancelled");
    let error = site.write(cancelled, Some(&id), false).await.unwrap_err();
    assert!(matches!(error, CallError::Invalid(_)), "{error}");
}

#[tokio::test]
async fn a_booking_whose_answer_was_lost_is_found() {
    let site = site().await;
    let resource = to_book(&site, 1).await;
    let before = site.served.simulator.book().appointments.len();
    site.served
        .faults()
        .add(Fault::next(Trouble::Lost).at("POST", "/interconnect/api/FHIR/STU3/Appointment/$book"));
    let lost = site.write(resource.clone(), None, false).await.unwrap_err();
    assert!(matches!(lost, CallError::Unknown(_)), "{lost}");
    site.write(resource, None, true).await.unwrap();
    assert_eq!(site.served.simulator.book().appointments.len(), before + 1);
}

#[tokio::test]
async fn a_patient_is_registered_once() {
    let site = site().await;
    let patient = json!({
        "resourceType": "Patient", "gender": "female", "birthDate": "1990-02-03",
        "identifier": [{"system": "urn:studio:patient", "value": "77"}],
        "name": [{"family": "Exampleson", "given": ["Ilka"]}],
    });
    let (id, made) = site.written(patient.clone(), None).await;
    assert_eq!(
        made["identifier"],
        json!([
            {"system": "urn:epic:patient", "value": id}, {"system": "urn:studio:patient", "value": "77"},
        ])
    );
    assert_eq!(site.written(patient, None).await.0, id);
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
    let missing = site.call("read-patient", &[("id", "nobody")], None).await.unwrap_err();
    assert!(matches!(missing, CallError::NotFound(_)), "{missing}");
    let vague = site.call("find-patients", &[("family", "a")], None).await.unwrap_err();
    assert!(matches!(vague, CallError::Invalid(_)), "{vague}");
}

#[tokio::test]
async fn a_list_whose_session_expired_is_begun_anew() {
    let site = site().await;
    site.served.simulator.seed(&Seed { number: 2, patients: 0, practitioners: 0, appointments: 60 });
    let first = site.call("appointments-around-today", &[], None).await.unwrap();
    site.served.simulator.clock().advance(std::time::Duration::from_secs(600));
    site.sign_in().await.unwrap();
    let error = site.call("appointments-around-today", &[], first.next.as_ref()).await.unwrap_err();
    assert!(matches!(error, CallError::Retry(..)), "{error}");
}
