//! What holds of every product here.

use bridge_core::remote::CallError;
use bridge_simulators::{Fault, Status, Trouble};
use serde_json::{Value, json};

use crate::site::Site;

/// Practitioners, places and patients are found; every appointment of the product becomes FHIR with the product's own moment.
pub(crate) async fn reads_the_book(site: &Site, operation: &str, arguments: &[(&str, &str)]) {
    let book = site.served.simulator.book();
    let records = site.all(operation, arguments).await;
    let read: Vec<Value> = records.iter().flat_map(|record| site.resources("Appointment", record)).collect();
    assert_eq!(read.len(), book.appointments.len());
    for booking in &book.appointments {
        let found = read.iter().find(|resource| site.identifier(resource)["value"] == booking.id);
        let found = found.unwrap_or_else(|| panic!("{} was not read", booking.id));
        let moment = |name: &str| found[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!((moment("start"), moment("end")), (booking.start, booking.end), "{}", booking.id);
        let expected = match booking.status {
            Status::Booked => "booked",
            Status::Arrived => "arrived",
            Status::Fulfilled => "fulfilled",
            Status::Cancelled => "cancelled",
            Status::NoShow => "noshow",
        };
        assert_eq!(found["status"], expected, "{}", booking.id);
    }
    for of in ["Practitioner", "Location"] {
        assert!(!site.search(of, &[]).await.is_empty(), "{of}");
    }
}

/// A time that is free for somebody, and an appointment then.
pub(crate) async fn to_book(site: &Site, nth: usize) -> Value {
    let practitioner = site.search("Practitioner", &[]).await.remove(0);
    let id = site.identifier(&practitioner)["value"].as_str().unwrap().to_owned();
    let now = site.served.simulator.clock().now();
    let day =
        |days: i64| (now + jiff::SignedDuration::from_hours(24 * days)).strftime("%Y-%m-%d").to_string();
    let (from, to) = (format!("ge{}", day(2)), format!("le{}", day(9)));
    let asked =
        [("schedule.actor:Practitioner", id.as_str()), ("start", from.as_str()), ("start", to.as_str())];
    let slots = site.search("Slot", &asked).await;
    assert!(slots.len() > 8, "{slots:#?}");
    let slot = &slots[nth];
    let patient = patient(site).await;
    json!({
        "resourceType": "Appointment", "status": "booked", "start": slot["start"], "end": slot["end"], "comment": "Invented.",
        "participant": [site.participant(&patient), site.participant(&practitioner)],
    })
}

/// The first patient of the product.
pub(crate) async fn patient(site: &Site) -> Value {
    let known = site.served.simulator.book().patients.remove(0);
    let read = &site.api().resources["Patient"].read.as_ref().unwrap().operation;
    let record = site.call(read, &[("id", &known.id)], None).await.unwrap().records.expose()[0].clone();
    let patient = site.resources("Patient", &record).remove(0);
    assert_eq!(patient["name"][0]["family"], known.family);
    assert_eq!(patient["birthDate"], known.birth_date);
    patient
}

/// Booked, moved, called off; and seen so in the product. Gives the ids that it had.
pub(crate) async fn books_moves_and_cancels(site: &Site) -> (String, String) {
    let mut resource = to_book(site, 0).await;
    let later = to_book(site, 5).await;
    let state = |id: &str| {
        let found = site.served.simulator.book().appointments.into_iter().find(|booking| booking.id == id);
        let found = found.unwrap_or_else(|| panic!("{id} is not there"));
        (found.start, found.status)
    };
    let start = |resource: &Value| resource["start"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();

    let (id, made) = site.written(resource.clone(), None).await;
    assert_eq!(state(&id), (start(&resource), Status::Booked));
    assert_eq!(start(&made), start(&resource));
    // The same again, after nobody knew whether it was done: found, not booked twice.
    let again = site.write(resource.clone(), None, true).await.unwrap();
    assert_eq!(again.id.expose(), &id);

    (resource["start"], resource["end"]) = (later["start"].clone(), later["end"].clone());
    let (moved, read) = site.written(resource.clone(), Some(&id)).await;
    assert_eq!(state(&moved), (start(&later), Status::Booked));
    assert_eq!(start(&read), start(&later));

    resource["status"] = json!("cancelled");
    resource["cancelationReason"] = json!({"text": "Invented reason."});
    let (cancelled, read) = site.written(resource, Some(&moved)).await;
    assert_eq!((cancelled.as_str(), state(&moved).1), (moved.as_str(), Status::Cancelled));
    assert_eq!(read["status"], "cancelled");
    (id, moved)
}

/// What is lost on the way back is found when it is written again.
pub(crate) async fn an_answer_may_be_lost(site: &Site, method: &str, path: &str) {
    let resource = to_book(site, 1).await;
    let before = site.served.simulator.book().appointments.len();
    site.served.faults().add(Fault::next(Trouble::Lost).at(method, path));
    let lost = site.write(resource.clone(), None, false).await.unwrap_err();
    assert!(matches!(lost, CallError::Unknown(_)), "{lost}");
    site.write(resource, None, true).await.unwrap();
    assert_eq!(site.served.simulator.book().appointments.len(), before + 1);
}

/// Errors of every kind are told apart.
pub(crate) async fn tells_errors_apart(site: &Site, operation: &str, arguments: &[(&str, &str)]) {
    let fail = async |trouble: Trouble| {
        site.served.faults().add(Fault::next(trouble));
        site.call(operation, arguments, None).await.unwrap_err()
    };
    let status = |status| Trouble::Status { status, body: "nothing".to_owned() };
    let throttled = fail(Trouble::Throttle).await;
    assert!(matches!(throttled, CallError::Throttled(..)), "{throttled}");
    for (trouble, name) in [
        (status(500), "Retry"),
        (status(503), "Retry"),
        (status(401), "Unauthenticated"),
        (status(403), "Forbidden"),
        (Trouble::Reset, "Retry"),
        (Trouble::Malformed, ""),
    ] {
        let error = fail(trouble.clone()).await;
        assert!(format!("{error:?}").starts_with(name), "{trouble:?}: {error:?}");
    }
    site.call(operation, arguments, None).await.unwrap();
}
