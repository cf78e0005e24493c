//! What can't go on is set aside with its cause, in order, and goes on in that order once somebody has put it right.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::{Process, eventually, get, json, post_json, rest, run};

const SOON: Duration = Duration::from_secs(30);
/// The functions read a connection anew after half a minute.
const UNTIL_READ: Duration = Duration::from_secs(31);

#[test]
fn a_mapping_that_fails_parks_its_lane_until_it_is_put_right() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    let bridge = Process::start(&state, &["up"]);
    let example = include_str!("../../examples/sunrise/front-desk.yaml");
    let desk = home.path().join("front-desk.yaml");
    let apply = |text: String| {
        fs::write(&desk, text).unwrap();
        let args = ["connections", "apply", desk.to_str().unwrap(), "--reason", "test"];
        assert_eq!(json(&state, &args)[0]["result"], "applied");
    };

    let book = bridge.ready["system"]["receiver"].as_str().unwrap().to_owned();
    eventually("the samples", SOON, || get(&book).filter(|book| book["count"] == 5));

    // `sex` of the first has no FHIR code; the second is right, and of the same patient.
    let wrong = post(&bridge, "1", "robot");
    let parked = |message: &str| {
        let trace = json(&state, &["messages", "list", "--state", "parked", "--kind", "patient.saved"]);
        trace.into_iter().find(|parked| parked["message"] == *message)
    };
    let found = eventually("the first to be parked", SOON, || parked(&wrong));
    assert_eq!(found["cause"]["code"], "fhir.invalid");
    assert_eq!(found["cause"]["place"], "Patient.gender");
    assert!(!found.to_string().contains("robot"), "a cause says where, never what");
    let behind = post(&bridge, "2", "female");
    let found = eventually("the second to be parked behind it", SOON, || parked(&behind));
    assert_eq!(found["cause"]["code"], "lane.held");

    // Another patient's lane is not held up.
    let other = json!({"event": "visit.saved", "id": "3", "at": "2026-03-02T10:00:00Z", "visit": {
        "id": "v-9", "patient": "4712", "reason": "Pain", "at": "2026-03-10 09:00:00", "minutes": 10}});
    send(&bridge, &other);
    eventually("the other lane", SOON, || get(&book).filter(|book| visits(book).contains(&"v-9".to_owned())));

    // Put right, and released: first what it would do, then doing it.
    apply(
        example.replace("\"gender\": sex", "\"gender\": sex in [\"female\", \"male\"] ? sex : \"unknown\""),
    );
    rest(UNTIL_READ);
    let release =
        ["messages", "replay", "--all-parked", "--cause", "fhir.invalid", "--reason", "mapping fixed"];
    let plan = json(&state, &release).remove(0);
    assert_eq!(plan["messages"], json!([wrong, behind]), "in order");
    assert_eq!((plan["lanes"].as_array().unwrap().len(), &plan["done"]), (1, &json!(false)));
    assert_eq!(json(&state, &[&release[..], &["--yes"]].concat())[0]["done"], true);
    for message in [&wrong, &behind] {
        eventually("the release", SOON, || {
            (json(&state, &["messages", "trace", message])[0]["state"] == "delivered").then_some(())
        });
    }
    let genders: Vec<Value> = get(&book).unwrap()["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|delivery| delivery["bundle"]["entry"][0]["resource"].clone())
        .filter(|resource| {
            resource["identifier"][0]["value"] == "4711" && resource["resourceType"] == "Patient"
        })
        .map(|patient| patient["gender"].clone())
        .collect();
    assert_eq!(genders, ["unknown", "female"], "in the order in which they were sent");
    assert_eq!(json(&state, &release)[0]["lanes"], json!([]));
    bridge.stop();
}

#[test]
fn work_of_a_paused_connection_waits_and_then_flows_in_order() {
    let home = tempfile::tempdir().unwrap();
    let bridge = Process::start(home.path(), &["up"]);
    let book = bridge.ready["system"]["receiver"].as_str().unwrap().to_owned();
    eventually("the samples", SOON, || get(&book).filter(|book| book["count"] == 5));
    let studio = "sunrise.practice-studio";

    json(home.path(), &["connections", "pause", studio, "--reason", "maintenance"]);
    rest(UNTIL_READ);
    let messages: Vec<String> = (1..=3).map(|number| post(&bridge, &number.to_string(), "female")).collect();
    let parked = |path: &Path| json(path, &["messages", "list", "--state", "parked"]).len();
    eventually("all to wait", SOON, || (parked(home.path()) == 3).then_some(()));
    assert_eq!(get(&book).unwrap()["count"], 5, "nothing reached the paused destination");

    let begun = Instant::now();
    let resumed = run(home.path(), &["connections", "resume", studio, "--reason", "done"]);
    println!("resumed after {:?}: {}", begun.elapsed(), String::from_utf8_lossy(&resumed.stdout));
    assert!(resumed.status.success());
    let book = eventually("all to arrive", SOON, || get(&book).filter(|book| book["count"] == 8));
    let keys: Vec<&Value> = book["deliveries"].as_array().unwrap()[5..].iter().map(|d| &d["key"]).collect();
    let sent: Vec<Value> = messages
        .iter()
        .map(|m| json(home.path(), &["messages", "show", m])[0]["deliveries"][0]["delivery"].clone())
        .collect();
    assert_eq!(keys, sent.iter().collect::<Vec<_>>(), "in the order in which they were sent");
    bridge.stop();
}

/// Posts a patient to the front desk; returns the message's id.
fn post(bridge: &Process, id: &str, sex: &str) -> String {
    send(
        bridge,
        &json!({"event": "patient.saved", "id": id, "at": format!("2026-03-02T09:0{id}:00Z"), "patient": {
        "id": "4711", "given": "Pia", "family": "Probst", "born": "1987-06-05", "sex": sex}}),
    )
}

fn send(bridge: &Process, body: &Value) -> String {
    let url = format!("{}/webhooks/sunrise.front-desk", bridge.gateway());
    let answer = post_json(&url, ("x-desk-key", "synthetic-front-desk-key"), body).unwrap();
    answer["accepted"][0].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn visits(book: &Value) -> Vec<String> {
    let resources =
        book["deliveries"].as_array().unwrap().iter().map(|d| &d["bundle"]["entry"][0]["resource"]);
    resources.filter_map(|resource| resource["identifier"][0]["value"].as_str().map(str::to_owned)).collect()
}
