//! Deliveries over a product's interface.

use bridge_core::Timestamp;
use bridge_pipeline::{
    ledger::{DeliveryDoc, DeliveryState},
    ports::QueueName,
};
use bridge_testkit::{memory::lock, practice::Practice};
use serde_json::{Value, json};

use crate::pms::{Fault, conflict, down, post, practice};

fn patient(name: &str) -> Value {
    json!({"resourceType": "Patient", "identifier": [{"system": "urn:pms:patient", "value": "P1"}],
        "name": [{"family": name}]})
}

fn appointment(start: &str) -> Value {
    json!({
        "resourceType": "Appointment", "status": "booked", "start": start, "end": "2026-03-02T23:00:00Z",
        "identifier": [{"system": "urn:studio:visit", "value": start}],
        "participant": [{"actor": {"reference": "Patient?identifier=urn:pms:patient|P1"}, "status": "accepted"}],
    })
}

const TEN: &str = "2026-03-02T10:00:00Z";

fn deliveries(practice: &Practice) -> Vec<DeliveryDoc> {
    let world = lock(&practice.world);
    let deliveries = world.tables.iter().filter(|record| record.key.sk.starts_with("delivery#"));
    deliveries.map(|record| serde_json::from_str(&record.doc).unwrap()).collect()
}

fn only(practice: &Practice) -> DeliveryDoc {
    let mut all = deliveries(practice);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn is_parked(doc: &DeliveryDoc) -> bool {
    matches!(doc.state, DeliveryState::Parked { .. })
}

#[test]
fn what_a_message_says_is_written_in_order_with_the_products_own_ids() {
    let (practice, pms) = practice();
    post(&practice, "a", &json!([patient("Newname"), appointment(TEN)]));
    practice.settle();
    assert_eq!(pms.get().calls, ["write Patient P1", "write Appointment new"]);
    assert_eq!(pms.get().patients["P1"]["name"], "Newname");
    assert_eq!(pms.get().appointments["A1"]["patient"], "P1", "the reference has the product's id");
    let doc = only(&practice);
    assert!(matches!(doc.state, DeliveryState::Delivered { .. }), "{doc:?}");
    assert_eq!(doc.written.len(), 2);
    let reference = doc.written[1].resource.clone().unwrap();
    assert!(reference.starts_with("Appointment/"));
    let tenant = "sim".parse().unwrap();
    let stored = futures::executor::block_on(practice.bridge.resource(&tenant, &reference)).unwrap();
    let (about, json) = stored.expect("what was written comes back");
    assert_eq!((about.connection.as_str(), &about.message), ("sim.pms", &doc.message));
    let json: Value = serde_json::from_slice(json.expose()).unwrap();
    assert_eq!(json["identifier"][0]["value"], "A1");
    let ledger = serde_json::to_string(&doc).unwrap();
    assert!(!ledger.contains("P1") && !ledger.contains("A1") && !ledger.contains("Newname"), "{ledger}");
}

#[test]
fn what_is_written_is_not_written_again() {
    let (practice, pms) = practice();
    pms.get().faults = [Fault::Answer(down()), Fault::None, Fault::Mute].into();
    // The patient goes through at the second attempt; of the appointment nobody hears at first.
    post(&practice, "a", &json!([patient("Newname"), appointment(TEN)]));
    practice.settle();
    let expected = ["write Patient P1", "write Patient P1", "write Appointment new", "look"];
    assert_eq!(pms.get().calls, expected);
    assert_eq!(pms.get().appointments.len(), 1);
    assert!(matches!(only(&practice).state, DeliveryState::Delivered { .. }));
}

#[test]
fn after_an_unknown_outcome_it_is_looked_for_before_it_is_written() {
    let (practice, pms) = practice();
    pms.get().faults = [Fault::Mute].into();
    post(&practice, "a", &json!([appointment(TEN)]));
    practice.settle();
    assert_eq!(pms.get().calls, ["write Appointment new", "look"], "no blind resend");
    assert_eq!(pms.get().appointments.len(), 1);
    let doc = only(&practice);
    assert_eq!(doc.history[0].outcome, "unknown");
    assert!(matches!(doc.state, DeliveryState::Delivered { .. }));
    assert!(doc.written[0].resource.is_some());
}

#[test]
fn where_nothing_was_done_nothing_is_looked_for() {
    let (practice, pms) = practice();
    pms.get().faults = [Fault::Answer(down()), Fault::Answer(down())].into();
    post(&practice, "a", &json!([appointment(TEN)]));
    practice.settle();
    assert!(!pms.get().calls.contains(&"look".to_owned()));
    assert_eq!(only(&practice).attempts, 3);
}

#[test]
fn a_conflict_is_parked_for_somebody_to_look_at() {
    let (practice, pms) = practice();
    pms.get().faults = [Fault::Answer(conflict())].into();
    post(&practice, "a", &json!([appointment(TEN)]));
    practice.settle();
    let doc = only(&practice);
    assert!(is_parked(&doc), "{doc:?}");
    assert_eq!((doc.attempts, doc.cause.unwrap().code.as_str()), (1, "api.conflict"));
}

#[test]
fn what_the_product_does_not_take_is_parked_with_what_to_do() {
    let (practice, pms) = practice();
    let location = json!({"resourceType": "Location", "identifier": [{"system": "urn:x", "value": "1"}], "name": "Room"});
    post(&practice, "a", &json!([location]));
    practice.settle();
    let cause = only(&practice).cause.unwrap();
    assert_eq!(
        (cause.code.as_str(), cause.place.as_str()),
        ("destination.configuration", "routes.resources.Location")
    );
    assert!(pms.get().calls.is_empty());
}

#[test]
fn a_yes_that_is_not_done_yet_is_asked_after_until_it_is() {
    let (practice, pms) = practice();
    pms.get().says_yes_first = true;
    post(&practice, "a", &json!([appointment(TEN)]));
    for queue in [QueueName::Inbound, QueueName::Outbound] {
        practice.work(queue);
    }
    let doc = only(&practice);
    assert!(matches!(doc.state, DeliveryState::Unconfirmed { .. }), "{doc:?}");
    assert_eq!((doc.tries, doc.written.len()), (0, 1), "it counts as no attempt");
    pms.get().confirms = Some(true);
    practice.settle();
    assert_eq!(pms.get().calls, ["write Appointment new", "confirm A1"]);
    let doc = only(&practice);
    assert!(matches!(doc.state, DeliveryState::Delivered { .. }), "{doc:?}");
    assert_eq!(doc.written[0].unconfirmed, None);
}

#[test]
fn a_yes_that_is_never_done_is_parked_with_what_is_known() {
    let (practice, pms) = practice();
    pms.get().says_yes_first = true;
    let begun = Timestamp::from_millis(lock(&practice.world).now);
    post(&practice, "a", &json!([appointment(TEN)]));
    practice.settle();
    let doc = only(&practice);
    assert!(is_parked(&doc), "{doc:?}");
    assert!(doc.written[0].resource.is_some(), "what is known");
    assert_eq!(doc.cause.unwrap().code, "delivery.unconfirmed");
    let waited = Timestamp::from_millis(lock(&practice.world).now).since(begun).as_secs();
    assert!((600..700).contains(&waited), "{waited} s, and 10 minutes are allowed");
    assert!(pms.get().calls.len() > 15, "asked every half minute");
}

#[test]
fn a_no_after_the_yes_is_a_refusal() {
    let (practice, pms) = practice();
    pms.get().says_yes_first = true;
    pms.get().confirms = Some(false);
    post(&practice, "a", &json!([appointment(TEN)]));
    practice.settle();
    assert_eq!(only(&practice).cause.unwrap().code, "api.conflict");
}
