//! `bridge up --demo`: nine simulated products are polled, and what is booked in FHIR stands in one of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::{collections::BTreeSet, process::Command, time::Duration};

use serde_json::Value;
use support::{Process, eventually, get, json};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn nine_products_are_polled_and_a_booking_reaches_one() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    let bridge = Process::start(&state, &["up", "--demo"]);
    let products = bridge.ready["products"].as_object().unwrap();
    assert_eq!(products.len(), 9);

    // The printed command works as it is printed, but for where `bridge` is.
    let token = json(&state, &["token", "--tenant", "lakeside"]).remove(0);
    let token = token["access_token"].as_str().unwrap();
    let line = bridge.ready["try"].as_array().unwrap().last().unwrap().as_str().unwrap();
    let line = line.replace("$(bridge token --tenant lakeside)", token);
    let cliniko = products["lakeside.cliniko"].as_str().unwrap();
    let book = || get(&format!("{cliniko}/_control/book"))?["appointments"].as_array().map(Vec::len);
    let before = eventually("the book", SOON, book);
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(eventually("the book", SOON, book), before + 1);

    // Something of each of them arrives at the other end.
    let names: BTreeSet<&String> = products.keys().collect();
    eventually("all nine", SOON, || {
        let heard = json(&state, &["connections", "list", "lakeside"]);
        let polled = json(&state, &["polls", "list", "--tenant", "lakeside"]);
        assert_eq!(heard.len(), names.len() + 1);
        let sent = |one: &&Value| {
            let resources = one["polls"]["resources"].as_array().unwrap();
            resources.iter().any(|resource| resource[1]["sent"].as_u64() > Some(0))
        };
        (polled.iter().filter(sent).count() == names.len()).then_some(())
    });
    let receiver = bridge.ready["system"]["receiver"].as_str().unwrap().to_owned();
    eventually("deliveries", SOON, || get(&receiver).filter(|book| book["count"].as_u64() > Some(20)));
    bridge.stop();
}
