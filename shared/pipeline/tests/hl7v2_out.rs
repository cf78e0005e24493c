//! From a JSON webhook, through FHIR, to the HL7 v2 messages that a destination gets.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bridge_core::config::Connection;
use bridge_hl7v2::{
    Message,
    batch::{self, Part},
};
use bridge_pipeline::{
    Bridge, batch as worker,
    normalize::Normalize,
    ports::{Clock as _, Ports as _, Queue as _, QueueName},
};
use bridge_testkit::{
    memory::{Fault, Hook, MemoryAdapters, MemoryPorts, lock},
    practice::{Practice, actor},
};
use futures::executor::block_on;
use serde_json::{Value, json};

const EHR: &str = "
adapter: ehr
version: 1
title: A system that speaks HL7 v2
settings: {send-to: {about: where}}
deliver: {transport: {kind: hl7v2, url: '{send-to}'}}
";

/// A practice whose source sends FHIR as it is, and whose destination takes HL7 v2.
fn practice(route: &str, hl7v2: &str) -> Practice {
    let mut source = Practice::source();
    source.mappings.insert("note".to_owned(), "resources".to_owned());
    source.routes = serde_norway::from_str(&format!("[{{to: sim.ehr, {route}}}]")).unwrap();
    let practice = Practice::with_adapters(source, adapters());
    let ehr: Connection = serde_norway::from_str(&format!(
        "{{connection: sim.ehr, adapter: ehr, zone: UTC, settings: {{send-to: 'mllp://127.0.0.1:2575'}}, \
         hl7v2: {{authorities: {{NORTH: 'urn:north:mrn'}}, {hl7v2}}}}}"
    ))
    .unwrap();
    block_on(practice.bridge.apply_connection(ehr, actor())).unwrap();
    practice
}

fn adapters() -> MemoryAdapters {
    let manifest = Arc::new(serde_norway::from_str(EHR).unwrap());
    MemoryAdapters { manifests: [("ehr".to_owned(), manifest)].into(), ..MemoryAdapters::default() }
}

const ALL: &str = "resources: [Patient, Appointment, ChargeItem, Practitioner]";

fn post(practice: &Practice, tag: &str, resources: &Value) {
    let body = json!({"patient": "p1", "tag": tag, "resources": resources}).to_string();
    assert_eq!(practice.post(&[("x-token", "t")], body.as_bytes()).status, 202);
}

fn patient(family: &str) -> Value {
    json!({
        "resourceType": "Patient", "gender": "female",
        "identifier": [{"system": "urn:north:mrn", "value": "4711"}],
        "name": [{"family": family, "given": ["Una"]}],
        "telecom": [{"system": "phone", "value": "555-0100", "use": "home"}],
    })
}

fn appointment(status: &str, start: &str) -> Value {
    json!({
        "resourceType": "Appointment", "status": status, "start": start, "end": "2026-03-02T11:30:00Z",
        "identifier": [{"system": "urn:north:visit", "value": "V1"}],
        "participant": [{"actor": {"reference": "Patient?identifier=urn:north:mrn|4711"}, "status": "accepted"}],
    })
}

/// The messages of a delivery.
fn cut(body: &str) -> Vec<String> {
    let message = |part| match part {
        Part::Message(lines) => String::from_utf8(lines.bytes.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    };
    batch::split(body.as_bytes()).map(message).collect()
}

fn field(message: &str, place: &str) -> String {
    let parsed = Message::parse(message).unwrap();
    parsed.at(&place.parse().unwrap()).map(|value| value.text().into_owned()).unwrap_or_default()
}

/// The events of all deliveries, in order.
fn events(practice: &Practice) -> Vec<String> {
    let messages = practice.delivered().into_iter().flat_map(|body| cut(&body));
    messages.map(|message| field(&message, "MSH-9.2")).collect()
}

#[test]
fn what_happens_to_a_patient_and_an_appointment_is_told_as_events() {
    let practice = practice(ALL, "send: {receiving-application: EHR}");
    let at = |start| appointment("booked", start);
    let steps = [
        json!([patient("Testperson"), at("2026-03-02T10:00:00Z")]),
        json!([patient("Testperson"), at("2026-03-02T11:00:00Z")]),
        json!([patient("Newname"), at("2026-03-02T11:00:00Z")]),
        json!([at("2026-03-02T11:00:00Z")]),
        json!([appointment("noshow", "2026-03-02T11:00:00Z")]),
        json!([appointment("cancelled", "2026-03-02T11:00:00Z")]),
        json!([appointment("entered-in-error", "2026-03-02T11:00:00Z")]),
        json!([patient("Newname")]),
    ];
    for (n, step) in steps.iter().enumerate() {
        post(&practice, &format!("t{n}"), step);
        practice.settle();
    }
    assert_eq!(events(&practice), ["A28", "S12", "S13", "A31", "S14", "S14", "S26", "S15", "S17", "A31"]);
    let first = cut(&practice.delivered()[0]);
    assert_eq!(field(&first[0], "PID-3.1"), "4711");
    assert_eq!(field(&first[0], "PID-3.4"), "NORTH", "the authority has the name the site gives it");
    assert_eq!(field(&first[1], "SCH-2.1"), "V1");
    assert_eq!(field(&first[1], "PID-5.1"), "Testperson");
    assert_eq!(field(&first[1], "MSH-5"), "EHR");
}

#[test]
fn who_an_appointment_is_for_is_looked_up_as_far_as_the_route_allows() {
    for (route, name, phone) in [
        (ALL, "Testperson", "555-0100"),
        ("resources: [Patient, Appointment], drop: [Patient.telecom]", "Testperson", ""),
        ("resources: [Appointment]", "", ""),
    ] {
        let practice = practice(route, "");
        post(&practice, "t1", &json!([patient("Testperson")]));
        post(&practice, "t2", &json!([appointment("booked", "2026-03-02T10:00:00Z")]));
        practice.settle();
        let last = cut(practice.delivered().last().unwrap()).pop().unwrap();
        assert_eq!(field(&last, "MSH-9.2"), "S12");
        assert_eq!(field(&last, "PID-5.1"), name, "{route}");
        assert!(
            field(&last, "PID-13.1").contains(phone) || field(&last, "PID-13.12").contains(phone),
            "{route}"
        );
        assert_eq!(last.contains("555"), !phone.is_empty(), "{route}");
    }
}

#[test]
fn a_repeat_is_the_same_bytes_and_a_lane_keeps_its_order() {
    let practice = practice(ALL, "");
    {
        let mut world = lock(&practice.world);
        world.receiver.heard = Some(Vec::new());
        // Everything arrives, and nothing is answered.
        world.receiver.mute = 1.0;
    }
    for n in 0..4 {
        post(&practice, &format!("t{n}"), &json!([patient(&format!("Name{n}"))]));
    }
    for _ in 0..3 {
        practice.work(QueueName::Inbound);
        practice.work(QueueName::Outbound);
        lock(&practice.world).now += Duration::from_hours(1).as_millis() as i64;
    }
    lock(&practice.world).receiver.mute = 0.0;
    practice.settle();
    let heard = lock(&practice.world).receiver.heard.take().unwrap();
    let ids: Vec<String> = heard.iter().map(|body| field(body, "MSH-10")).collect();
    let repeats = ids.iter().take_while(|id| **id == ids[0]).count();
    assert!(repeats >= 2, "the first was sent {repeats} times");
    assert!(heard[..repeats].iter().all(|body| *body == heard[0]), "byte by byte");
    let names: Vec<String> = heard[repeats - 1..].iter().map(|body| field(body, "PID-5.1")).collect();
    assert_eq!(names, ["Name0", "Name1", "Name2", "Name3"], "nothing overtakes what has no answer");
    let mut different = ids.clone();
    different.dedup();
    assert_eq!(different.len(), 4, "each delivery has a control id of its own");
    assert!(ids.iter().all(|id| id.len() <= 20));
}

/// Fails the first message on its way out: its resources are stored by then.
struct LostSend(AtomicBool);

impl Hook for LostSend {
    async fn pause(&self) {}
    fn fault(&self, operation: &'static str) -> Option<Fault> {
        (operation == "queue.send" && !self.0.swap(true, Ordering::SeqCst)).then_some(Fault::Before)
    }
    fn chance(&self) -> f64 {
        0.5
    }
}

#[test]
fn normalizing_once_more_tells_the_same_event() {
    let practice = practice(ALL, "");
    post(&practice, "t1", &json!([patient("Testperson"), appointment("booked", "2026-03-02T10:00:00Z")]));
    let records = lock(&practice.world).receive(QueueName::Inbound, 10);
    let mut known = adapters();
    known.manifests.extend(practice.bridge.ports().adapters().manifests.clone());
    let failing =
        Bridge::new(MemoryPorts::new(practice.world.clone(), LostSend(AtomicBool::new(false)), known, 0, 2));
    let deadline = failing.ports().now() + Duration::from_secs(20);
    let again = block_on(worker::run(failing.ports(), &Normalize(&failing), records, deadline));
    assert_eq!(again.len(), 1, "the first run failed");
    assert!(practice.delivered().is_empty());
    practice.settle();
    assert_eq!(events(&practice), ["A28", "S12"], "although the store knew both by then");
}

#[test]
fn a_connection_says_which_events_it_wants() {
    let practice = practice(ALL, "send: {events: ['SIU^*']}");
    post(&practice, "t1", &json!([patient("Testperson")]));
    post(&practice, "t2", &json!([patient("Testperson"), appointment("booked", "2026-03-02T10:00:00Z")]));
    practice.settle();
    assert_eq!(events(&practice), ["S12"]);
    let (source, message) = (Practice::source().connection, first_message(&practice));
    let (doc, _) = block_on(practice.bridge.ledger().message(&source, &message)).unwrap().unwrap();
    assert!(doc.destinations.is_empty() && doc.notes[0].contains("no event"), "{:?}", doc.notes);
}

/// The id of the message with the tag `t1`: the same one twice is one message.
fn first_message(practice: &Practice) -> bridge_core::id::MessageId {
    let body = json!({"patient": "p1", "tag": "t1", "resources": [patient("Testperson")]}).to_string();
    let response = practice.post(&[("x-token", "t")], body.as_bytes());
    let body: Value = serde_json::from_str(&response.body).unwrap();
    body["accepted"][0].as_str().unwrap().parse().unwrap()
}

#[test]
fn what_cannot_be_written_is_parked_with_its_cause() {
    let practice = practice("resources: [ChargeItem]", "");
    let charge = json!({
        "resourceType": "ChargeItem", "status": "billable", "code": {"text": "visit"},
        "identifier": [{"system": "urn:north:charge", "value": "C1"}],
        "subject": {"reference": "Patient?identifier=urn:north:mrn|4711"},
    });
    post(&practice, "t1", &json!([charge]));
    practice.settle();
    assert!(practice.delivered().is_empty());
    let parked = block_on(practice.bridge.parked(&"sim".parse().unwrap(), None)).unwrap();
    let cause = &parked[0].tasks[0].cause;
    assert_eq!((cause.code.as_str(), cause.place.as_str()), ("hl7v2.not_written", "sim.ehr"), "{cause}");
    assert!(cause.text.contains("DFT^P03") && cause.text.contains("Patient"), "{cause}");
}

const PM: &str = "
adapter: pm
version: 1
title: A system that speaks HL7 v2
hl7v2: {authorities: {NORTH: 'urn:north:mrn'}}
";

/// A practice management system on one side, another one on the other.
fn interface() -> Practice {
    let mut known = adapters();
    known.manifests.insert("pm".to_owned(), Arc::new(serde_norway::from_str(PM).unwrap()));
    let practice = Practice::with_adapters(Practice::source(), known);
    for connection in [
        "{connection: sim.ehr, adapter: ehr, zone: UTC, settings: {send-to: 'mllp://127.0.0.1:2575'},
          hl7v2: {authorities: {NORTH: 'urn:north:mrn'}}}",
        "{connection: sim.pm, adapter: pm, zone: UTC,
          routes: [{to: sim.ehr, resources: [Patient, Appointment, Encounter, Practitioner, Location]}]}",
    ] {
        let connection: Connection = serde_norway::from_str(connection).unwrap();
        block_on(practice.bridge.apply_connection(connection, actor())).unwrap();
    }
    practice
}

/// Sends a message through the door, and what comes of it to its end.
fn receive(practice: &Practice, message: &str) {
    let loaded = block_on(practice.bridge.connection(&"sim.pm".parse().unwrap())).unwrap().unwrap();
    let prepared = block_on(practice.bridge.prepare_hl7(&loaded, message.as_bytes(), None));
    let entry = prepared.entry.unwrap_or_else(|| panic!("{:?}", prepared.cause));
    block_on(practice.bridge.ports().queue().send(QueueName::Inbound, vec![entry])).unwrap();
    practice.settle();
    lock(&practice.world).now += 60_000;
}

#[test]
fn what_one_system_tells_the_other_hears() {
    let practice = interface();
    let head = |event: &str, n: u8| {
        format!(
            "MSH|^~\\&|PM|NORTH|BRIDGE||2026010112{n:02}00+0000||{event}|C{n}|P|2.5.1\rEVN||2026010112{n:02}00+0000\r"
        )
    };
    let pid = |family: &str| format!("PID|1||4711^^^NORTH^MR||{family}^Una||19700101|F\r");
    let sch = |start: &str| format!("SCH||V1^NORTH|||||||30|min|^^30^{start}+0000||||||||||||||Booked\r");
    let siu = |event: &str, n: u8, start: &str| {
        head(event, n).split_inclusive('\r').next().unwrap().to_owned() + &sch(start) + &pid("Newname")
    };
    for message in [
        head("ADT^A28^ADT_A05", 1) + &pid("Testperson"),
        head("ADT^A31^ADT_A05", 2) + &pid("Newname"),
        siu("SIU^S12^SIU_S12", 3, "20260302100000"),
        siu("SIU^S13^SIU_S12", 4, "20260302110000"),
        head("ADT^A40^ADT_A39", 5) + &pid("Newname") + "MRG|4712^^^NORTH^MR\r",
        head("ADT^A31^ADT_A05", 6) + &pid("Lastname"),
    ] {
        receive(&practice, &message);
    }
    assert_eq!(events(&practice), ["A28", "A31", "S12", "S13", "A40", "A31"]);
    let delivered = practice.delivered();
    let merge = cut(&delivered[4]);
    assert_eq!(merge.len(), 1, "who is gone is told by the one who stays");
    assert_eq!(
        (field(&merge[0], "PID-3.1").as_str(), field(&merge[0], "MRG-1.1").as_str()),
        ("4711", "4712")
    );
    assert_eq!(field(&cut(&delivered[3])[0], "SCH-11.4"), "20260302110000+0000");
    assert_eq!(field(&cut(&delivered[5])[0], "PID-5.1"), "Lastname", "a merge of long ago is not told again");
}
