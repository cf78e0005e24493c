//! The status tables, whole: every word a product has for the state of an appointment, and what FHIR calls it.

use crate::fixture::{Fixture, adapters};
use bridge_adapters::Catalog;
use serde_json::{Value, json};

/// What the status of the adapter's plain appointment becomes with a change of its message.
fn status(adapter: &str, case: &str, change: &Value) -> String {
    let catalog = Catalog::builtin();
    let fixture = Fixture::open(&adapters().join(adapter).join("fixtures").join(case));
    let resources = fixture.run_changed(catalog.get(adapter).unwrap(), change).expect("a resource");
    resources[0]["status"].as_str().unwrap().to_owned()
}

#[test]
fn opendental() {
    let table = [
        ("Scheduled", "booked"),
        ("ASAP", "booked"),
        ("Complete", "fulfilled"),
        ("UnschedList", "waitlist"),
        ("Planned", "proposed"),
        ("Broken", "cancelled"),
        ("anything else", "pending"),
    ];
    for (word, fhir) in table {
        assert_eq!(status("opendental", "appointment", &json!({"AptStatus": word})), fhir, "{word}");
    }
    let stamps = [
        ("DateTimeArrived", "arrived"),
        ("DateTimeSeated", "checked-in"),
        ("DateTimeDismissed", "fulfilled"),
    ];
    let mut change = json!({});
    for (stamp, fhir) in stamps {
        change[stamp] = json!("2026-03-05 14:21:00");
        assert_eq!(status("opendental", "appointment", &change), fhir, "{stamp}");
    }
}

#[test]
fn drchrono() {
    let table = [
        ("", "booked"),
        ("Confirmed", "booked"),
        ("Not Confirmed", "pending"),
        ("Checked In Online", "booked"),
        ("Arrived", "arrived"),
        ("Checked In", "checked-in"),
        ("In Room", "checked-in"),
        ("In Session", "fulfilled"),
        ("Complete", "fulfilled"),
        ("Rescheduled", "cancelled"),
        ("Cancelled", "cancelled"),
        ("No Show", "noshow"),
        ("anything else", "pending"),
    ];
    for (word, fhir) in table {
        assert_eq!(status("drchrono", "appointment", &json!({"object": {"status": word}})), fhir, "{word}");
    }
}

#[test]
fn athenahealth() {
    let table = [
        ("Appointment.schedule", "booked"),
        ("Appointment.check-in", "checked-in"),
        ("Appointment.check-out", "fulfilled"),
        ("Appointment.cancel", "cancelled"),
        ("Appointment.reschedule", "pending"),
        ("Appointment.update", "pending"),
    ];
    for (topic, fhir) in table {
        let change = json!({"topic": format!("https://api.example.org/SubscriptionTopic/{topic}")});
        assert_eq!(status("athenahealth", "appointment-schedule", &change), fhir, "{topic}");
    }
}
