//! Files through the command and the drop folder, to the delivered resource and the report; and a bridge that is killed
//! while it reads one.
//!
//! `BRIDGE_KILLS`, `BRIDGE_LOAD_MESSAGES` and `BRIDGE_NOTE` (characters of a row) size the second; `BRIDGE_KILL_WITHIN` is
//! the latest moment of a reader's turn to die at, in milliseconds, and `BRIDGE_SEED` repeats the moments. A hundred
//! megabytes: `just kill-files`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use support::{
    Process,
    chance::{Chance, variable},
    eventually, get, json, load, run,
};

const SOON: Duration = Duration::from_secs(60);
/// A crashed reader's turn ends after a minute, and its file is hidden for as long; its rows' queues hide theirs for two.
const TO_RECOVER: Duration = Duration::from_secs(900);

const PATIENTS: &str = "Patient No,Last Name,First Name,Birth Date,Gender\n\
    9017,Quillon,Tilda,02/29/1980,female\n9018,,Otto,03/01/1990,male\n9019,Ploverwick,Ada,01/13/1990,female\n";

#[test]
fn a_file_is_delivered_row_by_row_and_told_of() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    let sample = home.path().join("patients-1.csv");
    fs::write(&sample, PATIENTS).unwrap();
    let sample = sample.to_str().unwrap();

    a_feed_is_tried_without_a_bridge(&state, sample);
    let bridge = Process::start(&state, &["up"]);
    let book = bridge.ready["system"]["receiver"].as_str().unwrap().to_owned();

    let put = json(&state, &["files", "put", sample, "--connection", "sunrise.front-desk"]);
    let report = put.last().unwrap();
    assert_eq!(
        (&report["state"], &report["sent"], &report["bad"]),
        (&"done".into(), &2.into(), &1.into()),
        "{report}"
    );
    let file = report["file"].as_str().unwrap();
    let rows = json(&state, &["files", "quarantine", file]);
    assert_eq!((&rows[0]["line"], &rows[0]["column"]), (&3.into(), &"family".into()));
    eventually("the patients", SOON, || {
        let book = get(&book)?.to_string();
        (book.contains("Quillon") && book.contains("Ploverwick")).then_some(())
    });
    let found = eventually("the message", SOON, || {
        let list = ["messages", "list", "--find", "patient=9017", "--state", "delivered"];
        json(&state, &list).into_iter().next()
    });
    assert_eq!(found["kind"], "feed/patients");
    eventually("the rows to be delivered", SOON, || {
        let rows = json(&state, &["files", "report", file, "--delivered"]).pop().unwrap();
        (rows["rows"] == serde_json::json!({"delivered": 2, "on the queue": 0})).then_some(())
    });

    // The same bytes under another name, by the drop folder.
    let folder = state.join("drops/sunrise.front-desk");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("patients-2.csv"), PATIENTS).unwrap();
    eventually("the report of the drop folder", SOON, || {
        bridge.said().contains("\"event\":\"file\"").then_some(())
    });
    let files = json(&state, &["files", "status", "--connection", "sunrise.front-desk"]);
    let states: Vec<_> = files.iter().map(|file| (file["name"].as_str().unwrap(), &file["state"])).collect();
    assert_eq!(states, [("patients-2.csv", &"duplicate".into()), ("patients-1.csv", &"done".into())]);
    assert!(
        state.join("sent/sunrise.front-desk/patients-2.csv").exists()
            && !folder.join("patients-2.csv").exists()
    );

    let refused =
        run(&state, &["files", "put", sample, "--connection", "sunrise.front-desk", "--name", "other.txt"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no feed takes `other.txt`"));
    for planted in ["Quillon", "Ploverwick", "9017"] {
        assert!(!bridge.said().contains(planted), "{planted} was said");
    }
    bridge.stop();
}

fn a_feed_is_tried_without_a_bridge(state: &Path, sample: &str) {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sunrise/front-desk.yaml");
    let checked = run(state, &["feeds", "check", sample, "--feed", "patients", "--config", config]);
    let said = String::from_utf8(checked.stdout).unwrap();
    assert_eq!(checked.status.code(), Some(5), "{said}");
    assert!(said.contains("line 3 (record 2), column family"), "{said}");
    assert!(
        said.contains("\"family\": \"Quillon\"") && said.contains("\"birthDate\": \"1980-02-29\""),
        "{said}"
    );
    let proposed = json(state, &["feeds", "infer", sample]).remove(0);
    assert_eq!(proposed["feed"]["keys"], "patients-*.csv");
    assert_eq!(proposed["feed"]["key-columns"], serde_json::json!(["patient-no"]));
}

#[test]
fn killed_while_it_reads_every_row_is_delivered_once_and_in_order() {
    let load = load::Load::sized(600, 30);
    let kills = variable("BRIDGE_KILLS").unwrap_or(2);
    let mut chance = Chance::of(Chance::seed());
    let home = tempfile::tempdir().unwrap();
    let (receiver, book) = load::receiver(home.path(), "0");
    let mut bridge = Process::start(home.path(), &["up", "--no-demo"]);
    load.configure(home.path(), &book);
    let file = home.path().join("visits.csv");
    load.write_file(&file, usize::try_from(variable("BRIDGE_NOTE").unwrap_or(1_500)).unwrap());
    let within = variable("BRIDGE_KILL_WITHIN").unwrap_or(300);
    json(home.path(), &["files", "put", file.to_str().unwrap(), "--connection", "load.source", "--no-wait"]);
    let status = || json(home.path(), &["files", "status", "--tenant", "load"]).into_iter().next();
    let begun = Instant::now();
    let (mut heard, mut while_read, mut while_sent) = (Value::Null, 0, 0);
    for kill in 1..=kills {
        // Every third while the file is read, once the last reader's turn is over: the first at any moment of it, the others
        // while rows are sent. The rest without waiting for a reader: the other stages are at work then.
        let is_read = kill % 3 == 1;
        let is_there = |file: &Value| file["at"] != heard && (kill == 1 || file["phase"] == "send");
        let file = eventually("a reader", TO_RECOVER, || {
            status().filter(|file| file["state"] == "done" || !is_read || is_there(file))
        });
        if file["state"] == "done" {
            println!("read to its end before kill {kill}");
            break;
        }
        support::rest(Duration::from_millis(chance.below(if is_read { within } else { 3_000.min(within) })));
        let file = status().unwrap();
        bridge.kill();
        while_read += u64::from(is_read && file["state"] == "reading");
        while_sent += u64::from(is_read && file["phase"] == "send");
        heard.clone_from(&file["at"]);
        println!(
            "kill {kill} after {:?}: {} in {}, {} sent",
            begun.elapsed(),
            file["state"],
            file["phase"],
            file["sent"]
        );
        bridge = Process::start(home.path(), &["up", "--no-demo"]);
    }
    assert!(while_read > 0, "no kill came while the file was read");
    let done =
        eventually("the end of the file", TO_RECOVER, || status().filter(|file| file["state"] == "done"));
    assert_eq!(done["sent"], load.messages);
    println!(
        "read after {:?}, {while_read} kills while it was, {while_sent} while rows were sent",
        begun.elapsed()
    );
    load.verify(home.path(), &book, TO_RECOVER);
    println!("all delivered after {:?}", begun.elapsed());
    bridge.stop();
    receiver.stop();
}
