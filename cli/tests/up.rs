//! The main job on real input: everything starts with one command, a webhook comes in, its FHIR resource is
//! delivered, its trace can be read, and the next start finds all of it again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::{fs, path::Path, process::Command, time::Duration};

use serde_json::Value;
use support::{Process, eventually, get, json, run};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_webhook_is_delivered_and_the_next_start_knows_it() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    let bridge = Process::start(&state, &["up", "--receiver-fail", "0.3"]);

    // The sample traffic of a fresh start arrives.
    let book = bridge.ready["system"]["receiver"].as_str().unwrap().to_owned();
    eventually("the samples", SOON, || get(&book).filter(|book| book["count"] == 5));

    // The command that is printed works as it is printed.
    let output = shell(bridge.ready["try"][0].as_str().unwrap());
    assert!(output.starts_with("HTTP/1.1 202"), "{output}");
    let answer: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    let message = answer["accepted"][0].as_str().unwrap().to_owned();
    let delivered = eventually("the delivery", SOON, || {
        let book = get(&book)?;
        book["deliveries"].as_array()?.iter().find(|delivery| patient_of(delivery) == "Probst").cloned()
    });
    assert_eq!(delivered["bundle"]["type"], "transaction");

    // Its trace tells the story in order.
    let steps = eventually("the end of the trace", SOON, || {
        let trace = json(&state, &["messages", "trace", &message]).remove(0);
        (trace["state"] == "delivered").then(|| trace["steps"].as_array().unwrap().clone())
    });
    let words: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(words[..3], ["receive", "normalize", "queue"]);
    assert_eq!(steps.last().unwrap()["outcome"], "delivered");

    // It is found by an identifier, and by nothing else.
    let found = json(&state, &["messages", "list", "--find", "patient=4711", "--kind", "patient.saved"]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["message"], *message);
    assert!(json(&state, &["messages", "list", "--find", "patient=4712"]).is_empty());

    what_is_wrong_is_refused(&state, home.path());
    what_it_says_holds_no_phi(&bridge);
    bridge.stop();

    // The next start finds everything, and the same webhook is the same message.
    let bridge = Process::start(&state, &["up", "--quiet"]);
    let trace = json(&state, &["messages", "trace", &message]).remove(0);
    assert_eq!(trace["steps"].as_array().unwrap(), &steps);
    let again = shell(bridge.ready["try"][0].as_str().unwrap());
    assert!(again.contains(&message), "{again}");
    payloads_show_only_when_asked_for(&state, &message);
    for connection in ["opendental", "drchrono", "athenahealth", "front-desk", "practice-studio"] {
        let tested = json(&state, &["connections", "test", &format!("sunrise.{connection}")]);
        assert!(tested.iter().all(|finding| finding["well"] == true), "{tested:?}");
    }
    bridge.stop();
    assert_eq!(run(&state, &["messages", "list"]).status.code(), Some(4), "nothing runs any more");
}

fn shell(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn patient_of(delivery: &Value) -> &str {
    delivery["bundle"]["entry"][0]["resource"]["name"][0]["family"].as_str().unwrap_or_default()
}

fn what_is_wrong_is_refused(state: &Path, home: &Path) {
    let file = home.join("desk.yaml");
    let example = include_str!("../../examples/sunrise/opendental.yaml");
    fs::write(&file, example.replace("America/Chicago", "America/Gotham")).unwrap();
    let refused = run(state, &["connections", "apply", file.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("desk.yaml:4: `America/Gotham` is not an IANA time zone"), "{said}");

    // A right one is applied once, differs by one line from what was there, and can be taken back.
    fs::write(&file, example.replace("America/Chicago", "America/Denver")).unwrap();
    let file = file.to_str().unwrap();
    let diff = &json(state, &["connections", "diff", file])[0]["diff"];
    assert!(diff.as_str().unwrap().contains("-zone: America/Chicago\n+zone: America/Denver"), "{diff}");
    // What it would change is seen before: the samples' times, and nobody's data.
    let shadow = run(state, &["--json", "connections", "shadow", file]);
    let shadow = String::from_utf8(shadow.stdout).unwrap();
    assert!(shadow.contains(r#""element":"Appointment.start","is":"changed""#), "{shadow}");
    assert!(!shadow.contains("2026-"), "{shadow}");
    let applied = |args: &[&str]| json(state, args).remove(0);
    assert_eq!(applied(&["connections", "apply", file])["version"], 2);
    assert_eq!(applied(&["connections", "apply", file])["result"], "unchanged");
    let back = applied(&["connections", "rollback", "sunrise.opendental", "--reason", "test"]);
    assert_eq!(back["version"], 3);
    let shown = String::from_utf8(run(state, &["connections", "show", "sunrise.opendental"]).stdout).unwrap();
    assert!(shown.contains("zone: America/Chicago"), "{shown}");
    assert!(!shown.contains("synthetic-open-dental-key"), "a secret was shown");
}

fn what_it_says_holds_no_phi(bridge: &Process) {
    let said = bridge.said();
    assert!(said.contains("\"outcome\":\"delivered\""), "{said}");
    for marker in ["Probst", "Muster", "Mara", "Otto", "4711", "1987-06-05"] {
        let lines: Vec<&str> = said.lines().filter(|line| line.contains(marker)).collect();
        // The command to try is ours: it is printed before anything has come in.
        assert!(lines.iter().all(|line| line.contains("\"event\":\"ready\"")), "{marker}: {lines:?}");
    }
}

fn payloads_show_only_when_asked_for(state: &Path, message: &str) {
    let shown = String::from_utf8(run(state, &["messages", "show", message]).stdout).unwrap();
    assert!(shown.contains(message) && !shown.contains("Probst"), "{shown}");
    assert_eq!(
        run(state, &["messages", "show", message, "--reveal"]).status.code(),
        Some(2),
        "without a reason"
    );
    let revealed = run(state, &["messages", "show", message, "--reveal", "--reason", "a test"]);
    assert!(String::from_utf8_lossy(&revealed.stdout).contains("Probst"));
    let accesses = fs::read_to_string(state.join("access.jsonl")).unwrap();
    assert!(accesses.contains(message) && accesses.contains("a test") && !accesses.contains("Probst"));
}
