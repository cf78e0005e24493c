//! Webhooks that only name a record: it is read from the product, whatever happens to who reads it, and goes its way.

use std::time::Duration;

use bridge_core::{
    Cause, Phi, Timestamp,
    config::Connection,
    http::{Request, Response},
    manifest::Manifest,
    remote::CallError,
    task::{Command, Stage},
};
use bridge_pipeline::{
    Bridge, batch,
    normalize::Normalize,
    poll::Polls,
    ports::{Clock as _, QueueName},
    queries::{Overview, Selection, Standing},
    retry::DeadLetters,
};
use bridge_testkit::{
    memory::{MemoryPorts, Mortal, lock},
    practice::{Practice, actor},
};
use futures::{FutureExt as _, executor::block_on};
use serde_json::{Value, json};

use crate::pms::{self, Fault, Handle, PMS, down};

const WEBHOOK: &str = "
verify: {kind: token, header: x-token, secret: token}
kind: /event
kinds:
  appointment:
    fetch: {resource: Appointment, id: /id}
    lane: [/id]
    source-id: [/number]
    find-by: {appointment: /id}
  patient:
    fetch: {resource: Patient, id: /id, needs: asks}
    mapping: patient
    lane: [/id]
    source-id: [/number]
";

/// A practice whose product tells of what changes, and whose own records go to Practice Studio.
fn practice(asks: &str) -> (Practice, Handle) {
    practice_in_lanes(asks, "[/patient]")
}

/// The same, with its appointments in other lanes.
pub(crate) fn practice_in_lanes(asks: &str, lanes: &str) -> (Practice, Handle) {
    let (practice, handle) = pms::practice();
    let mut manifest: Manifest = serde_norway::from_str(pms::MANIFEST).unwrap();
    manifest.webhook = Some(serde_norway::from_str(WEBHOOK).unwrap());
    let setting = "{about: whether the interface is asked, default: ''}";
    manifest.settings.insert("asks".to_owned(), serde_norway::from_str(setting).unwrap());
    let appointment = manifest.api.as_mut().unwrap().kinds.get_mut("appointment").unwrap();
    appointment.lane = serde_norway::from_str(lanes).unwrap();
    let mut adapters = practice.bridge.ports().adapters_known();
    adapters.manifests.insert("pms".to_owned(), manifest.into());
    let bridge = Bridge::new(MemoryPorts::new(practice.world.clone(), Default::default(), adapters, 0, 1));
    let practice = Practice { bridge, ..practice };
    block_on(practice.bridge.apply_connection(connection(asks), actor())).unwrap();
    book(&handle, "booked");
    (practice, handle)
}

fn connection(asks: &str) -> Connection {
    serde_norway::from_str(&format!(
        "{{connection: {PMS}, adapter: pms, zone: America/Denver, secrets: {{token: t}}, settings: {{asks: '{asks}'}}, \
         routes: [{{to: {}, resources: [Patient, Appointment]}}]}}",
        Practice::destination()
    ))
    .unwrap()
}

pub(crate) fn book(handle: &Handle, status: &str) {
    let (start, end) = ("2026-11-23T10:00:00Z", "2026-11-23T10:30:00Z");
    let record = json!({"id": "A1", "patient": "P1", "status": status, "start": start, "end": end});
    handle.get().appointments.insert("A1".to_owned(), record);
}

fn tell(practice: &Practice, event: &Value) -> Response {
    let headers = [("x-token", "t"), ("content-type", "application/json")];
    let request = Request {
        method: "POST".to_owned(),
        path: format!("/webhooks/{PMS}"),
        query: String::new(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        source: None,
        body: Phi::new(event.to_string().into_bytes()),
    };
    block_on(practice.bridge.receive(PMS, &request))
}

pub(crate) fn tell_of_a1(practice: &Practice, number: u32) {
    let response = tell(practice, &json!({"event": "appointment", "id": "A1", "number": number}));
    assert_eq!(response.status, 202, "{}", response.body);
}

/// Works everything that waits, polls too.
pub(crate) fn settle(practice: &Practice) {
    for _ in 0..200 {
        practice.settle();
        if !practice.work(QueueName::Polls) {
            let mut world = lock(&practice.world);
            let now = world.now;
            match world.queues.get(&QueueName::Polls).and_then(|queue| queue.next_visible(now)) {
                Some(next) => world.now = next,
                None => return,
            }
        }
    }
    panic!("the practice does not come to rest");
}

/// The statuses that Practice Studio was told, in order.
pub(crate) fn told(practice: &Practice) -> Vec<String> {
    let bundles = practice.delivered();
    let status = |bundle: String| {
        let bundle: Value = serde_json::from_str(&bundle).unwrap();
        bundle["entry"][0]["resource"]["status"].as_str().unwrap_or_default().to_owned()
    };
    bundles.into_iter().map(status).collect()
}

fn messages(practice: &Practice, kind: &str) -> Vec<Overview> {
    let selection = Selection {
        connection: PMS.parse().unwrap(),
        since: Timestamp::default(),
        until: practice.bridge.ports().now() + Duration::from_hours(1),
        kind: Some(kind.to_owned()),
        standing: None,
        find: None,
        limit: 100,
    };
    block_on(practice.bridge.messages(&selection)).unwrap()
}

#[test]
fn the_record_that_an_event_names_is_read_and_goes_its_way() {
    let (practice, handle) = practice("");
    tell_of_a1(&practice, 1);
    settle(&practice);
    assert_eq!(handle.get().calls, ["read-appointment id=A1"]);
    assert_eq!(told(&practice), ["booked"]);
    let (event, record) =
        (&messages(&practice, "appointment")[0], &messages(&practice, "api.appointment")[0]);
    assert_eq!(event.message.mapped_by, format!("pms@1/fetch Appointment as {}", record.message.message));
    assert_eq!((event.message.find.len(), event.standing), (1, Standing::Normalized));
    assert_eq!(record.standing, Standing::Delivered);
    // The same event again is the same message.
    tell_of_a1(&practice, 1);
    settle(&practice);
    assert_eq!(told(&practice), ["booked"]);
}

#[test]
fn there_and_back_again_are_two_changes() {
    let (practice, handle) = practice("");
    for (number, status) in [(1, "booked"), (2, "cancelled"), (3, "booked")] {
        book(&handle, status);
        tell_of_a1(&practice, number);
        settle(&practice);
    }
    assert_eq!(told(&practice), ["booked", "cancelled", "booked"]);
}

#[test]
fn what_was_told_is_not_told_again_unless_it_is_replayed() {
    let (practice, handle) = practice("");
    for number in 1..=3 {
        tell_of_a1(&practice, number);
        settle(&practice);
    }
    assert_eq!(told(&practice), ["booked"]);
    let read = messages(&practice, "api.appointment");
    assert_eq!(read.len(), 3);
    let unchanged = |one: &&Overview| !one.message.unchanged.is_empty();
    assert_eq!(read.iter().filter(unchanged).count(), 2, "the trace says why nothing was sent");
    // What somebody sends through again goes on, and so does what comes after the connection, and perhaps its routes, changed.
    let last = read.into_iter().max_by_key(|one| one.message.order.clone()).unwrap().message;
    let command =
        Command::ReplayMessage { connection: PMS.parse().unwrap(), message: last.message, actor: actor() };
    block_on(practice.bridge.command(&command, "by the test".to_owned())).unwrap();
    settle(&practice);
    assert_eq!(told(&practice), ["booked"; 2]);
    block_on(practice.bridge.apply_connection(connection("no more"), actor())).unwrap();
    lock(&practice.world).now += 600_000;
    tell_of_a1(&practice, 4);
    settle(&practice);
    assert_eq!(told(&practice), ["booked"; 3]);
    // A change is one.
    book(&handle, "cancelled");
    tell_of_a1(&practice, 5);
    settle(&practice);
    assert_eq!(told(&practice), ["booked", "booked", "booked", "cancelled"]);
}

#[test]
fn what_one_relies_on_another_to_tell_is_told_whoever_dies() {
    let mut died = 0;
    for lives in 0..60 {
        let (practice, _handle) = practice_in_lanes("", "[]");
        tell_of_a1(&practice, 1);
        assert!(practice.work(QueueName::Inbound) && practice.work(QueueName::Polls));
        // The record that was read, which nobody tells of to the end.
        let mortal = Mortal::new(&practice.world, lives, 0, 0.0, lives);
        let adapters = practice.bridge.ports().adapters_known();
        let bridge = Bridge::new(MemoryPorts::new(practice.world.clone(), mortal, adapters, 0, 9));
        let records = lock(&practice.world).receive(QueueName::Inbound, 10);
        assert_eq!(records.len(), 1);
        let deadline = bridge.ports().now() + Duration::from_secs(60);
        let ended = batch::run(bridge.ports(), &Normalize(&bridge), records, deadline).now_or_never();
        died += u32::from(ended.is_none());
        // The same state once more, in a lane of its own, before the first is worked again.
        tell_of_a1(&practice, 2);
        settle(&practice);
        assert_eq!(told(&practice), ["booked"], "{lives} calls");
    }
    assert!((5..55).contains(&died), "{died} died");
}

#[test]
fn whoever_dies_at_any_call_is_followed_by_another_and_the_record_comes_once() {
    for queue in [QueueName::Inbound, QueueName::Polls] {
        let mut died = 0;
        for lives in 0..60 {
            let (practice, _handle) = practice("");
            tell_of_a1(&practice, 1);
            if queue == QueueName::Polls {
                assert!(practice.work(QueueName::Inbound));
            }
            let mortal = Mortal::new(&practice.world, lives, 0, 0.0, lives);
            let adapters = practice.bridge.ports().adapters_known();
            let bridge = Bridge::new(MemoryPorts::new(practice.world.clone(), mortal, adapters, 0, 9));
            let records = lock(&practice.world).receive(queue, 10);
            assert!(!records.is_empty());
            let deadline = bridge.ports().now() + Duration::from_secs(60);
            let (ports, batch) = (bridge.ports(), records.clone());
            let ended = match queue {
                QueueName::Inbound => batch::run(ports, &Normalize(&bridge), batch, deadline).now_or_never(),
                _ => batch::run(ports, &Polls(&bridge), batch, deadline).now_or_never(),
            };
            match ended {
                // It was done, and nobody took it off the queue.
                Some(again) if lives % 2 == 0 => lock(&practice.world).done(queue, &records, &again),
                Some(_) => {}
                None => died += 1,
            }
            settle(&practice);
            assert_eq!(told(&practice), ["booked"], "{queue:?}: {lives} calls");
        }
        assert!((5..55).contains(&died), "{queue:?}: {died} died");
    }
}

#[test]
fn what_can_not_be_read_now_is_read_later() {
    let (practice, handle) = practice("");
    let throttled = CallError::Throttled(None, Cause::new("http.429", "too often"));
    handle.get().faults.extend([Fault::Answer(down()), Fault::Answer(throttled), Fault::Answer(down())]);
    let before = lock(&practice.world).now;
    tell_of_a1(&practice, 1);
    settle(&practice);
    assert_eq!(told(&practice), ["booked"]);
    assert!(lock(&practice.world).now - before >= 3_000, "it was not asked without a pause");
}

#[test]
fn what_may_not_be_read_is_parked_with_its_cause_and_read_when_it_is_released() {
    let (practice, handle) = practice("");
    let forbidden = || Fault::Answer(CallError::Forbidden(Cause::new("http.403", "not for you")));
    handle.get().faults.push_back(forbidden());
    tell_of_a1(&practice, 1);
    settle(&practice);
    let parked = messages(&practice, "appointment").remove(0);
    assert_eq!(
        (parked.standing, parked.message.cause.unwrap().code),
        (Standing::Parked, "http.403".to_owned())
    );
    assert_eq!(parked.message.find.len(), 1, "it is still found by what it names");
    // What comes after it waits behind it.
    book(&handle, "cancelled");
    tell_of_a1(&practice, 2);
    settle(&practice);
    assert_eq!(told(&practice), <[&str; 0]>::default());
    release(&practice, &parked.message.lane);
    settle(&practice);
    assert_eq!(told(&practice), ["cancelled"], "as it is now, which the second event says once more");
    assert!(messages(&practice, "appointment").iter().all(|one| one.standing == Standing::Normalized));
}

fn release(practice: &Practice, lane: &bridge_core::id::LaneId) {
    let command = Command::ReleaseLane {
        connection: PMS.parse().unwrap(),
        stage: Stage::Inbound,
        lane: lane.clone(),
        actor: actor(),
        not_before: None,
    };
    block_on(practice.bridge.command(&command, "by the test".to_owned())).unwrap();
}

#[test]
fn what_was_given_up_by_the_queue_is_parked_and_not_dropped() {
    let (practice, _handle) = practice("");
    tell_of_a1(&practice, 1);
    assert!(practice.work(QueueName::Inbound));
    let records = lock(&practice.world).receive(QueueName::Polls, 10);
    let letters = DeadLetters { bridge: &practice.bridge, queue: QueueName::Polls };
    let deadline = practice.bridge.ports().now() + Duration::from_secs(60);
    let again = block_on(batch::run(practice.bridge.ports(), &letters, records.clone(), deadline));
    lock(&practice.world).done(QueueName::Polls, &records, &again);
    let parked = messages(&practice, "appointment").remove(0);
    assert_eq!(parked.message.cause.unwrap().code, "work.exhausted");
    release(&practice, &parked.message.lane);
    settle(&practice);
    assert_eq!(told(&practice), ["booked"]);
}

#[test]
fn a_record_that_is_gone_is_no_failure() {
    let (practice, handle) = practice("");
    handle.get().appointments.clear();
    tell_of_a1(&practice, 1);
    settle(&practice);
    let event = messages(&practice, "appointment").remove(0);
    assert_eq!(event.message.mapped_by, "pms@1/fetch Appointment which is gone");
    assert_eq!(event.standing, Standing::Normalized);
}

#[test]
fn a_connection_that_can_not_ask_takes_the_event_as_it_is() {
    let event = json!({"event": "patient", "id": "P2", "name": "As told", "number": 1});
    for (asks, calls) in [("", 0), ("yes", 1)] {
        let (practice, handle) = practice(asks);
        tell(&practice, &event);
        settle(&practice);
        assert_eq!(handle.get().calls.len(), calls);
        let name = if calls == 0 { "As told" } else { "Quillon" };
        assert!(practice.delivered()[0].contains(name));
    }
    // An event without an id has nothing that could be read.
    let (practice, _handle) = practice("yes");
    tell(&practice, &json!({"event": "appointment", "number": 1}));
    settle(&practice);
    let parked = messages(&practice, "appointment").remove(0);
    assert_eq!(parked.message.cause.unwrap().code, "webhook.no_record");
}
