//! What happens to a write after it was asked for: while its caller waits, when nobody does, and when it is replayed.

use std::{
    future::Future as _,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bridge_core::{Phi, config::Connection, http::Request, id::MessageId, task::Command};
use bridge_pipeline::{Bridge, fhir_api::FhirCall, ports::QueueName};
use bridge_testkit::{
    memory::{Calm, Fault as Failing, Hook, MemoryPorts, lock},
    practice::actor,
};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::{
    asking::{BASE, Caller, caller},
    pms::{Fault, PMS, conflict},
    reading::{TEN, appointment},
};

/// Gives up its turn at each call, and lets time pass when it waits.
#[derive(Debug, Default)]
struct Yielding;

impl Hook for Yielding {
    async fn pause(&self) {
        let mut yielded = false;
        std::future::poll_fn(|_| match std::mem::replace(&mut yielded, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }
    fn fault(&self, _: &'static str) -> Option<Failing> {
        None
    }
    fn chance(&self) -> f64 {
        0.5
    }
    fn passes_time(&self) -> bool {
        true
    }
}

#[test]
fn who_waits_gets_the_products_resource_in_the_same_answer() {
    let caller = caller();
    let body = appointment(&caller, TEN).to_string();
    // The function that answers and the one that delivers are two processes.
    let ports = MemoryPorts::new(
        caller.practice.world.clone(),
        Yielding,
        caller.practice.bridge.ports().adapters_known(),
        0,
        7,
    );
    let answering = Bridge::new(ports);
    let request = Request {
        method: "POST".to_owned(),
        path: format!("/fhir/{PMS}/Appointment"),
        query: String::new(),
        headers: [
            ("authorization".to_owned(), format!("Bearer {}", caller.token())),
            ("content-type".to_owned(), "application/fhir+json".to_owned()),
        ]
        .into(),
        source: None,
        body: Phi::new(body.into_bytes()),
    };
    let deadline = caller.now() + Duration::from_secs(25);
    let call = FhirCall { connection: PMS, path: "Appointment", request: &request, base: BASE, deadline };
    let mut answer = pin!(answering.fhir(call, caller.access()));
    let mut turns = 0;
    let response = loop {
        match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => break response,
            Poll::Pending => {
                turns += 1;
                assert!(turns < 10_000, "it never answers");
                caller.practice.work(QueueName::Outbound);
            }
        }
    };
    assert_eq!(response.status, 201, "{}", response.body);
    let resource: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!((&resource["start"], &resource["identifier"][0]["value"]), (&json!(TEN), &json!("A1")));
    assert_eq!(
        response.headers["location"],
        format!("{BASE}/Appointment/{}", resource["id"].as_str().unwrap())
    );
    assert!(caller.now() < deadline);
}

/// The same practice, whose product's connection sends what becomes of writes to Practice Studio.
fn telling(caller: &Caller) {
    let connection: Connection = serde_norway::from_str(
        "{connection: sim.pms, adapter: pms, zone: America/Denver, routes: [{to: sim.studio, resources: [Task]}]}",
    )
    .unwrap();
    block_on(caller.practice.bridge.apply_connection(connection, actor())).unwrap();
}

/// The Tasks that Practice Studio was sent, oldest first.
fn told(caller: &Caller) -> Vec<Value> {
    let world = lock(&caller.practice.world);
    let bodies = world.receiver.effects.iter().map(|effect| effect.body.clone());
    let bundles = bodies.filter_map(|body| serde_json::from_str::<Value>(&body).ok());
    let tasks = bundles.map(|bundle| bundle["entry"][0]["resource"].clone());
    tasks.filter(|resource| resource["resourceType"] == "Task").collect()
}

#[test]
fn who_does_not_wait_is_told_by_an_event() {
    let caller = caller();
    telling(&caller);
    let asked = [("prefer", "respond-async")];
    let taken = caller.send("POST", "Appointment", &asked, &appointment(&caller, TEN).to_string());
    assert_eq!(taken.status, 202);
    caller.practice.settle();
    let [task] = told(&caller).try_into().unwrap();
    assert_eq!((&task["status"], &task["intent"]), (&json!("completed"), &json!("order")));
    let delivery = taken.headers["content-location"].rsplit('/').next().unwrap();
    assert_eq!(task["identifier"][0]["value"], delivery, "the one whose status can be asked for");
    let (status, appointment_now) = caller.get(task["focus"]["reference"].as_str().unwrap());
    assert_eq!((status, &appointment_now["start"]), (200, &json!(TEN)));

    let taken_chair = appointment(&caller, "2026-03-02T12:00:00Z").to_string();
    caller.pms.get().faults = [Fault::Answer(conflict())].into();
    caller.send("POST", "Appointment", &asked, &taken_chair);
    caller.practice.settle();
    let tasks = told(&caller);
    assert_eq!((tasks.len(), &tasks[1]["status"]), (2, &json!("rejected")));
    assert_eq!(tasks[1]["statusReason"]["coding"][0]["code"], "api.conflict");
    // Who waited was told.
    caller.send("POST", "Appointment", &[], &appointment(&caller, "2026-03-02T13:00:00Z").to_string());
    caller.practice.settle();
    assert_eq!(told(&caller).len(), 2);
}

#[test]
fn a_write_can_be_replayed() {
    let caller = caller();
    let taken = caller.send(
        "POST",
        "Appointment",
        &[("prefer", "respond-async")],
        &appointment(&caller, TEN).to_string(),
    );
    caller.practice.settle();
    caller.pms.get().appointments.clear();
    let digest = taken.headers["content-location"].rsplit("dlv_").next().unwrap().to_owned();
    let message: MessageId = format!("msg_{digest}").parse().unwrap();
    let command =
        Command::ReplayMessage { connection: PMS.parse().unwrap(), message: message.clone(), actor: actor() };
    block_on(caller.practice.bridge.command(&command, "once".to_owned())).unwrap();
    caller.practice.settle();
    assert_eq!(caller.pms.get().appointments.len(), 1, "made again");
    let connection = PMS.parse().unwrap();
    let (doc, _) = block_on(caller.practice.bridge.ledger().message(&connection, &message)).unwrap().unwrap();
    assert_eq!((doc.replays.len(), doc.replayed), (1, 1));
    assert_eq!(doc.destinations, [connection]);
    let ports: &MemoryPorts<Calm> = caller.practice.bridge.ports();
    assert!(lock(ports.world()).tables.iter().all(|record| !record.key.sk.starts_with("parked#")));
}
