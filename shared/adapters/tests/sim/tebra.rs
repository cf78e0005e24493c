//! Tebra.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bridge_core::remote::CallError;
use bridge_simulators::{Fault, Seed, Status, Trouble, tebra::Tebra};
use serde_json::{Value, json};

use crate::{common, site::Site};

const PATH: &str = "/services/soap/2.1/KareoServices.svc";

async fn site() -> Site {
    Site::open(Arc::new(Tebra::default()), &[]).await
}

/// An appointment three days from now, at an hour.
async fn to_book(site: &Site, hour: i64) -> Value {
    let practitioner = site.search("Practitioner", &[]).await.remove(0);
    let location = site.search("Location", &[]).await.remove(0);
    let patient = common::patient(site).await;
    let midnight = site.served.simulator.clock().now().as_second().div_euclid(86_400) * 86_400;
    let at = |minutes: i64| {
        jiff::Timestamp::from_second(midnight + 3 * 86_400 + minutes * 60).unwrap().to_string()
    };
    json!({
        "resourceType": "Appointment", "status": "booked", "start": at(hour * 60), "end": at(hour * 60 + 20),
        "comment": "Invented & <odd>.",
        "participant": [site.participant(&patient), site.participant(&practitioner), site.participant(&location)],
    })
}

#[tokio::test]
async fn the_whole_book_is_read() {
    let site = site().await;
    common::reads_the_book(&site, "appointments", &[]).await;
    let book = site.served.simulator.book();
    assert_eq!(site.all("charges", &[]).await.len(), book.procedures.len());
    let charge = site.resources("ChargeItem", &site.all("charges", &[]).await[0]).remove(0);
    assert_eq!(charge["priceOverride"]["value"].to_string(), book.procedures[0].amount.trim_end_matches('0'));
    assert_eq!(site.all("payments", &[]).await.len(), book.payments.len());
    let never = [("changed-from", "1/1/1990 1:00:00 AM"), ("changed-to", "1/2/1990 1:00:00 AM")];
    assert!(site.all("payments", &never).await.is_empty(), "nil is an empty list");
    let known = &book.patients[0];
    let asked =
        [("family", known.family.as_str()), ("given", &known.given), ("birthdate", &known.birth_date)];
    let found = site.search("Patient", &asked).await;
    assert!(found.iter().any(|patient| site.identifier(patient)["value"] == known.id));
}

#[tokio::test]
async fn all_patients_are_read_in_batches() {
    let site = site().await;
    site.served.simulator.seed(&Seed { number: 2, patients: 1_200, practitioners: 0, appointments: 0 });
    let records = site.all("all-patients", &[]).await;
    let ids: BTreeSet<_> = records.iter().map(|record| record["ID"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), records.len()), (1_220, 1_220));
}

#[tokio::test]
async fn changes_are_asked_for_by_the_practices_clock() {
    let site = site().await;
    let clock = site.served.simulator.clock();
    clock.advance(Duration::from_secs(3_600));
    let touched = site.served.simulator.touch("Appointment", 3);
    let text = |minutes: i64| {
        let at = clock.now() + jiff::SignedDuration::from_mins(minutes);
        at.in_tz("America/Chicago").unwrap().strftime("%-m/%-d/%Y %-I:%M:%S %p").to_string()
    };
    let (from, to) = (text(-10), text(10));
    let found = site.all("appointments", &[("changed-from", &from), ("changed-to", &to)]).await;
    let ids: Vec<_> = found.iter().map(|record| record["ID"].as_str().unwrap()).collect();
    assert_eq!(ids, touched);
}

#[tokio::test]
async fn appointments_are_booked_moved_and_cancelled() {
    let site = site().await;
    let mut resource = to_book(&site, 15).await;
    let start = |resource: &Value| resource["start"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let state = |id: &str| {
        let all = site.served.simulator.book().appointments;
        let found = all.into_iter().find(|booking| booking.id == id).unwrap();
        (found.start, found.status)
    };
    let (id, made) = site.written(resource.clone(), None).await;
    assert_eq!((state(&id), start(&made)), ((start(&resource), Status::Booked), start(&resource)));
    assert_eq!(made["comment"], resource["comment"]);
    assert_eq!(
        site.write(resource.clone(), None, true).await.unwrap().id.expose(),
        &id,
        "found, not booked twice"
    );

    let later = to_book(&site, 17).await;
    (resource["start"], resource["end"]) = (later["start"].clone(), later["end"].clone());
    let (moved, read) = site.written(resource.clone(), Some(&id)).await;
    assert_eq!((moved.as_str(), start(&read)), (id.as_str(), start(&later)));
    // What the list shows of it is the same resource.
    let listed = site.all("appointments", &[]).await;
    let listed = listed.iter().find(|record| record["ID"] == *id).unwrap();
    assert_eq!(site.resources("Appointment", listed)[0]["id"], read["id"]);

    resource["status"] = json!("cancelled");
    let (_, read) = site.written(resource, Some(&id)).await;
    assert_eq!((state(&id), &read["status"]), ((start(&later), Status::Cancelled), &json!("cancelled")));
}

#[tokio::test]
async fn a_booking_whose_answer_was_lost_is_found() {
    let site = site().await;
    let resource = to_book(&site, 16).await;
    let before = site.served.simulator.book().appointments.len();
    // The search before the write is the first call, and does no harm.
    site.served.faults().add(Fault::next(Trouble::Lost).at("POST", PATH).times(1));
    let first = site.write(resource.clone(), None, false).await.unwrap_err();
    assert!(matches!(first, CallError::Retry(..)), "only asked so far: {first}");
    site.write(resource.clone(), None, true).await.unwrap();
    site.write(resource, None, true).await.unwrap();
    assert_eq!(site.served.simulator.book().appointments.len(), before + 1);
}

#[tokio::test]
async fn patients_are_registered_and_changed() {
    let site = site().await;
    let mut patient = json!({
        "resourceType": "Patient", "gender": "female", "birthDate": "1990-02-03",
        "name": [{"family": "Exampleson", "given": ["Ilka"]}],
        "telecom": [{"system": "phone", "use": "mobile", "value": "2125550199"}],
    });
    let (id, made) = site.written(patient.clone(), None).await;
    assert_eq!((&made["birthDate"], &made["gender"]), (&json!("1990-02-03"), &json!("female")));
    assert_eq!(site.written(patient.clone(), None).await.0, id, "found, not registered twice");
    patient["name"][0]["family"] = json!("Changedname");
    let (_, read) = site.written(patient, Some(&id)).await;
    assert_eq!(
        (&read["name"][0]["family"], &read["telecom"][0]["value"]),
        (&json!("Changedname"), &json!("2125550199"))
    );
}

#[tokio::test]
async fn refusals_inside_of_200_are_told_apart() {
    let site = site().await;
    common::tells_errors_apart(&site, "providers", &[]).await;
    let missing = site.call("read-appointment", &[("id", "99999")], None).await.unwrap_err();
    assert!(matches!(missing, CallError::NotFound(_)), "{missing}");
    let said = |text: &str| {
        let body = format!(
            "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><GetProvidersResponse><GetProvidersResult>\
             {text}</GetProvidersResult></GetProvidersResponse></s:Body></s:Envelope>"
        );
        Trouble::Status { status: 200, body }
    };
    for (text, name) in [
        (
            "<IsError>false</IsError><Authenticated>false</Authenticated><Authorized>false</Authorized>",
            "Unauthenticated",
        ),
        ("<Authenticated>true</Authenticated><Authorized>false</Authorized>", "Forbidden"),
        ("<CustomerKeyValid>false</CustomerKeyValid>", "Unauthenticated"),
        ("<IsError>true</IsError>", "Invalid"),
    ] {
        site.served.faults().add(Fault::next(said(text)));
        let error = site.call("providers", &[], None).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(name), "{text}: {error:?}");
    }
}
