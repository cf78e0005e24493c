//! Several endpoints, and what becomes of deliveries that none of them takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bridge_core::{
    Cause, Phi,
    config::{Connection, Serves},
    manifest::Manifest,
    remote::{Answer, CallError},
};
use bridge_pipeline::{
    Bridge,
    ledger::{DeliveryDoc, DeliveryState},
    ports::{Clock as _, QueueName},
    remote::{Ask, RemoteError},
    resilience::{EndpointDoc, EndpointId, endpoint_key},
};
use bridge_testkit::{
    memory::{Called, MemoryAdapters, Product, lock},
    practice::{Practice, actor},
    sim::{CONNECTION, DESTINATION},
};
use futures::executor::block_on;
use serde_json::json;

const EAST_AND_WEST: &str = "endpoints: [{name: east, url: 'https://east.example'},
  {name: west, url: 'https://west.example', role: standby}]";

/// A practice whose destination says this besides.
fn practice(more: &str) -> Practice {
    let practice = Practice::with_adapters(Practice::source(), MemoryAdapters::default());
    apply(&practice, DESTINATION, &format!("{{settings: {{url: 'https://studio.example'}}, {more}}}"));
    practice
}

fn apply(practice: &Practice, id: &str, more: &str) {
    let more: serde_json::Value = serde_norway::from_str(more).unwrap();
    let mut text = json!({"connection": id, "adapter": "studio", "zone": "UTC", "secrets": {"signing": "s"}});
    text.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let connection: Connection = serde_json::from_value(text).unwrap();
    block_on(practice.bridge.apply_connection(connection, actor())).unwrap();
}

fn post(practice: &Practice, patient: &str, tag: &str) {
    let body = json!({"patient": patient, "tag": tag, "odd": false}).to_string();
    assert_eq!(practice.post(&[("x-token", "t")], body.as_bytes()).status, 202);
    while practice.work(QueueName::Inbound) {}
}

/// Works what can be worked for so many seconds, a second at a time.
fn run(practice: &Practice, seconds: i64) {
    for _ in 0..seconds {
        while practice.work(QueueName::Outbound) {}
        lock(&practice.world).now += 1_000;
        block_on(practice.bridge.release_due()).unwrap();
        while practice.work(QueueName::Commands) {}
    }
}

/// What an operator does who has looked at what is parked.
fn release_all(practice: &Practice) {
    let tenant = Practice::destination().tenant();
    let lanes = block_on(practice.bridge.parked(&tenant, None)).unwrap();
    let keys: Vec<_> = lanes.iter().map(|lane| (lane.key.clone(), lane.tasks.len())).collect();
    block_on(practice.bridge.release_lanes(&keys, 5, &actor(), "looked at it")).unwrap();
}

fn deliveries(practice: &Practice) -> Vec<DeliveryDoc> {
    let world = lock(&practice.world);
    let records = world.tables.iter().filter(|record| record.key.sk.starts_with("delivery#"));
    let mut docs: Vec<DeliveryDoc> =
        records.map(|record| serde_json::from_str(&record.doc).unwrap()).collect();
    docs.sort_by_key(|doc| doc.queued_at);
    docs
}

fn is_delivered(doc: &DeliveryDoc) -> bool {
    matches!(doc.state, DeliveryState::Delivered { .. })
}

/// Calls by endpoint, since this was asked last.
fn calls(practice: &Practice) -> BTreeMap<String, u64> {
    std::mem::take(&mut lock(&practice.world).receiver.calls_at)
}

/// Keeps an endpoint down until its breaker is open.
fn trip(practice: &Practice, name: &str) {
    lock(&practice.world).receiver.down_at.insert(name.to_owned());
    for number in 0..12 {
        post(practice, &format!("trip-{number}"), &format!("note-trip-{number}"));
        run(practice, 2);
    }
    let state = state(practice, name);
    assert_eq!(state.breaker.state.word(), "open", "{state:?}");
    assert!(deliveries(practice).iter().all(is_delivered), "there is a way round");
    calls(practice);
}

fn state(practice: &Practice, name: &str) -> EndpointDoc {
    let endpoint = EndpointId {
        name: Some(name.parse().unwrap()),
        ..EndpointId::deliveries(DESTINATION.parse().unwrap())
    };
    let key = endpoint_key(&endpoint);
    let world = lock(&practice.world);
    let record = world.tables.iter().find(|record| record.key == key);
    record.map(|record| serde_json::from_str(&record.doc).unwrap()).unwrap_or_default()
}

#[test]
fn an_endpoint_that_fails_is_left_for_the_standby_and_returned_to() {
    let practice = practice(EAST_AND_WEST);
    post(&practice, "a", "note-first");
    run(&practice, 1);
    assert_eq!(calls(&practice), BTreeMap::from([("east".to_owned(), 1)]), "a standby stands by");
    trip(&practice, "east");
    let doc = deliveries(&practice).into_iter().find(|doc| doc.history.len() > 1).unwrap();
    let ways: Vec<&str> = doc.history.iter().map(|attempt| attempt.by.as_str()).collect();
    assert_eq!(ways, ["east", "west"], "the next attempt goes to the next healthy endpoint");

    // While it is left alone it gets knocks, and no delivery.
    for number in 0..30 {
        post(&practice, "b", &format!("note-away-{number}"));
        run(&practice, 10);
    }
    let while_down = calls(&practice);
    assert_eq!(while_down.get("east"), None);
    assert_eq!(while_down["west"], 30);
    assert!(lock(&practice.world).receiver.knocks > 1);

    lock(&practice.world).receiver.down_at.clear();
    for number in 0..60 {
        post(&practice, "b", &format!("note-back-{number}"));
        run(&practice, 10);
    }
    let after = calls(&practice);
    assert_eq!(state(&practice, "east").breaker.state.word(), "closed");
    assert!(after["east"] > 25, "it went back by itself: {after:?}");
    assert!(deliveries(&practice).iter().all(is_delivered));
    assert_eq!(practice.delivered().len(), 1 + 12 + 30 + 60, "each once");
}

#[test]
fn what_was_not_answered_waits_for_the_endpoint_that_may_have_it() {
    let practice = practice(EAST_AND_WEST);
    lock(&practice.world).receiver.mute = 1.0;
    post(&practice, "a", "note-mute");
    while practice.work(QueueName::Outbound) {}
    {
        let mut world = lock(&practice.world);
        world.receiver.mute = 0.0;
        world.receiver.down_at.insert("east".to_owned());
    }
    calls(&practice);
    lock(&practice.world).now += 1_000;
    post(&practice, "a", "note-behind");
    run(&practice, 120);
    let docs = deliveries(&practice);
    assert_eq!(docs[0].doubt.as_deref(), Some("east"));
    assert!(!is_delivered(&docs[0]), "{:?}", docs[0].state);
    assert_eq!(calls(&practice).get("west"), None, "neither it nor what is behind it in its lane");
    lock(&practice.world).receiver.down_at.clear();
    run(&practice, 900);
    assert!(deliveries(&practice).iter().all(is_delivered));
    assert_eq!(practice.delivered().len(), 2, "the endpoint knew the repeat");
    assert!(lock(&practice.world).receiver.blind.is_empty());
}

#[test]
fn what_was_not_answered_does_not_wait_for_ever() {
    let practice = practice(EAST_AND_WEST);
    lock(&practice.world).receiver.mute = 1.0;
    post(&practice, "a", "note-mute");
    while practice.work(QueueName::Outbound) {}
    lock(&practice.world).receiver.mute = 0.0;
    lock(&practice.world).receiver.down_at.insert("east".to_owned());
    for number in 0..12 {
        post(&practice, &format!("p{number}"), &format!("note-{number}"));
        run(&practice, 2);
    }
    let hours = |hours: usize| {
        for _ in 0..hours * 12 {
            lock(&practice.world).now += 299_000;
            run(&practice, 1);
        }
    };
    let doubtful = || deliveries(&practice).into_iter().find(|doc| doc.doubt.is_some()).unwrap();
    hours(70);
    assert!(!matches!(doubtful().state, DeliveryState::Parked { .. }), "{:?}", doubtful());
    hours(4);
    assert!(matches!(doubtful().state, DeliveryState::Parked { .. }), "{:?}", doubtful());
    assert_eq!(doubtful().cause.unwrap().code, "delivery.unanswered");
    lock(&practice.world).receiver.down_at.clear();
    release_all(&practice);
    hours(1);
    assert!(deliveries(&practice).iter().all(is_delivered));
    assert_eq!(practice.delivered().len(), 13, "each once");
}

#[test]
fn endpoints_with_one_book_share_what_was_not_answered() {
    let practice = practice(&format!("{EAST_AND_WEST}, failover: {{one-book: true}}"));
    {
        let mut world = lock(&practice.world);
        (world.receiver.mute, world.receiver.one_book) = (1.0, true);
    }
    post(&practice, "a", "note-mute");
    while practice.work(QueueName::Outbound) {}
    {
        let mut world = lock(&practice.world);
        world.receiver.mute = 0.0;
        world.receiver.down_at.insert("east".to_owned());
    }
    run(&practice, 120);
    assert!(is_delivered(&deliveries(&practice)[0]));
    assert_eq!(practice.delivered().len(), 1, "one book: one effect");
}

#[test]
fn a_lane_stays_with_its_endpoint_where_that_is_said() {
    let two = "endpoints: [{name: east, url: 'https://east.example', weight: 3},
      {name: west, url: 'https://west.example'}], failover: {sticky: lane}";
    let practice = practice(two);
    for round in 0..5 {
        for lane in 0..40 {
            post(&practice, &format!("p{lane}"), &format!("note-{lane}-{round}"));
        }
        run(&practice, 2);
    }
    let mut lanes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for doc in deliveries(&practice) {
        lanes.entry(doc.lane.to_string()).or_default().push(doc.history[0].by.clone());
    }
    assert!(lanes.values().all(|ways| ways.len() == 5 && ways.iter().all(|way| *way == ways[0])));
    let calls = calls(&practice);
    assert!((120..180).contains(&calls["east"]), "three quarters of 200: {calls:?}");
}

#[test]
fn what_nobody_takes_for_long_goes_into_the_outbox_in_order() {
    let practice = practice("fallback: {deliveries: {after: 30, to: outbox}}");
    let destination = DESTINATION.parse().unwrap();
    lock(&practice.world).receiver.down.insert(destination);
    for number in 0..10 {
        post(&practice, &format!("p{}", number % 2), &format!("note-{number}"));
        run(&practice, 2);
    }
    run(&practice, 20 * 60);
    assert_eq!(practice.delivered().len(), 0, "not before its time");
    run(&practice, 40 * 60);
    let docs = deliveries(&practice);
    assert!(docs.iter().all(is_delivered), "{docs:?}");
    assert!(docs.iter().all(|doc| doc.instead.as_deref() == Some("outbox")));
    assert_eq!(docs[0].history.last().unwrap().by, "outbox");
    let files = lock(&practice.world).files.keys("outbox/").len();
    assert_eq!(files, 10, "a file for each");
    let in_order = |patient: usize| {
        let world = lock(&practice.world);
        let keys = world.files.keys(&format!("outbox/{DESTINATION}/undelivered/"));
        let of = |key: &&str| String::from_utf8(world.files.get(key).unwrap().to_vec()).unwrap();
        let tag = |body: String| body.split('"').find(|part| part.starts_with("note-")).unwrap().to_owned();
        let tags: Vec<String> = keys.iter().map(|key| tag(of(key))).collect();
        let of_patient = tags.iter().filter_map(|tag| tag["note-".len()..].parse::<usize>().ok());
        of_patient.filter(|number| number % 2 == patient).collect::<Vec<_>>()
    };
    assert_eq!(in_order(0), [0, 2, 4, 6, 8]);
    assert_eq!(in_order(1), [1, 3, 5, 7, 9]);

    lock(&practice.world).receiver.down.clear();
    calls(&practice);
    run(&practice, 600);
    assert_eq!(calls(&practice), BTreeMap::new(), "what was handed over is done");
    post(&practice, "p0", "note-10");
    run(&practice, 600);
    let docs = deliveries(&practice);
    assert!(docs.last().unwrap().instead.is_none(), "the destination gets its own again");
    assert_eq!(practice.delivered().len(), 11);
}

#[test]
fn a_route_may_name_another_connection_and_doubt_keeps_a_delivery_from_it() {
    let practice = practice("");
    apply(&practice, "sim.drop", "{settings: {url: 'https://drop.example'}}");
    let mut source = Practice::source();
    source.routes[0].fallback = Some(serde_json::from_value(json!({"after": 5, "to": "sim.drop"})).unwrap());
    block_on(practice.bridge.apply_connection(source, actor())).unwrap();
    lock(&practice.world).receiver.mute = 1.0;
    post(&practice, "doubtful", "note-doubtful");
    while practice.work(QueueName::Outbound) {}
    {
        let mut world = lock(&practice.world);
        world.receiver.mute = 0.0;
        world.receiver.down.insert(DESTINATION.parse().unwrap());
    }
    for number in 0..10 {
        post(&practice, &format!("p{number}"), &format!("note-{number}"));
        run(&practice, 2);
    }
    run(&practice, 15 * 60);
    let docs = deliveries(&practice);
    let (doubtful, others): (Vec<_>, Vec<_>) = docs.iter().partition(|doc| doc.doubt.is_some());
    assert_eq!(doubtful.len(), 1);
    assert!(!is_delivered(doubtful[0]), "the destination may have it");
    assert!(others.iter().all(|doc| doc.instead.as_deref() == Some("sim.drop")), "{others:?}");
    lock(&practice.world).receiver.down.clear();
    run(&practice, 900);
    assert!(deliveries(&practice).iter().all(is_delivered));
    assert_eq!(practice.delivered().len(), 11);
}

#[test]
fn an_endpoint_that_is_gone_parks_what_it_may_have() {
    let practice = practice(EAST_AND_WEST);
    lock(&practice.world).receiver.mute = 1.0;
    post(&practice, "a", "note-gone");
    while practice.work(QueueName::Outbound) {}
    lock(&practice.world).receiver.mute = 0.0;
    apply(&practice, DESTINATION, "{endpoints: [{name: north, url: 'https://north.example'}]}");
    run(&practice, 120);
    let docs = deliveries(&practice);
    assert!(matches!(docs[0].state, DeliveryState::Parked { .. }), "{:?}", docs[0].state);
    assert_eq!(docs[0].cause.as_ref().unwrap().code, "delivery.endpoint-gone");
    release_all(&practice);
    run(&practice, 60);
    assert!(is_delivered(&deliveries(&practice)[0]), "somebody looked, and sent it again");
}

/// Answers where it is up; elsewhere it fails, or says nothing.
#[derive(Debug, Clone, Default)]
struct Office(Arc<Mutex<(Option<CallError>, Vec<String>)>>);

impl Product for Office {
    fn call(&mut self, call: &Called, _: i64) -> Result<Answer, CallError> {
        let mut office = self.0.lock().unwrap();
        office.1.push(call.at.clone());
        match &office.0 {
            Some(error) if call.at.contains("east") => Err(error.clone()),
            _ => Ok(Answer::default()),
        }
    }
}

const OFFICE: &str = "{adapter: office, version: 1, title: An invented product,
  settings: {url: {about: where}}, api: {base: '{url}', operations: {list: {path: /list}}}}";

#[test]
fn a_question_goes_to_the_next_endpoint_and_finds_the_way_back() {
    let manifest: Manifest = serde_norway::from_str(OFFICE).unwrap();
    let mut adapters = MemoryAdapters::default();
    adapters.manifests.insert("office".to_owned(), Arc::new(manifest));
    let source = serde_norway::from_str(&format!(
        "{{connection: {CONNECTION}, adapter: office, zone: UTC, {EAST_AND_WEST}}}"
    ));
    let practice = Practice::with_adapters(source.unwrap(), adapters);
    let office = Office::default();
    lock(&practice.world).product = Some(Box::new(office.clone()));
    let ask = || -> Result<Vec<String>, RemoteError> {
        let bridge: &Bridge<_> = &practice.bridge;
        let loaded = block_on(bridge.connection(&CONNECTION.parse().unwrap())).unwrap().unwrap();
        let arguments = Phi::new(BTreeMap::new());
        let ask = Ask { operation: "list", arguments: &arguments, input: None, page: None };
        let deadline = bridge.ports().now() + Duration::from_secs(60);
        let answer = block_on(bridge.call_remote(&loaded, &ask, deadline));
        lock(&practice.world).now += 2_000;
        let asked = std::mem::take(&mut office.0.lock().unwrap().1);
        answer.map(|_| asked)
    };
    assert_eq!(ask().unwrap(), ["https://east.example"]);
    // Not answered is as good as failed where nothing can have changed.
    for error in [
        CallError::Retry(None, Cause::new("api.status", "answered 503")),
        CallError::Unknown(Cause::new("api.timeout", "no answer in time")),
    ] {
        office.0.lock().unwrap().0 = Some(error);
        assert_eq!(ask().unwrap(), ["https://east.example", "https://west.example"]);
    }
    for _ in 0..10 {
        ask().unwrap();
    }
    assert_eq!(ask().unwrap(), ["https://west.example"], "the first one is left alone");
    office.0.lock().unwrap().0 = None;
    lock(&practice.world).now += 120_000;
    for _ in 0..3 {
        assert_eq!(ask().unwrap(), ["https://east.example"], "each question a probe");
    }
    assert_eq!(ask().unwrap(), ["https://east.example"]);
    // What it refuses is an answer.
    office.0.lock().unwrap().0 = Some(CallError::Invalid(Cause::new("api.status", "answered 400")));
    assert!(matches!(ask(), Err(RemoteError::Call(CallError::Invalid(_)))));
    let loaded = block_on(practice.bridge.connection(&CONNECTION.parse().unwrap())).unwrap().unwrap();
    let states = block_on(practice.bridge.endpoint_states(&loaded)).unwrap();
    let names: Vec<&str> = states.iter().map(|state| state.endpoint.as_str()).collect();
    assert_eq!(names, ["east", "west"]);
    assert!(states.iter().all(|state| state.serves == Serves::Interface && state.state == "healthy"));
}
