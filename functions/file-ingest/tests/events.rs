//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use bridge_testkit::memory::{Shared, lock};
use file_ingest::FileIngest;
use serde_json::Value;
use support::{call, failures, function, queued};

const DROPPED: &str = include_str!("../../../events/file-ingest/dropped.json");
const TEST: &str = include_str!("../../../events/file-ingest/test-notification.json");
const AGAIN: &str = include_str!("../../../events/file-ingest/read-again.json");

const PATIENTS: &str = "Patient No,Last Name,First Name,Birth Date,Gender\n\
    17,Quillon,Tilda,02/29/1980,female\n18,,Otto,03/01/1990,male\n19,Ploverwick,Ada,13/01/1990,female\n";

/// Puts a file, and gives the event about it: the committed one, about another object.
fn drop_file(world: &Shared, name: &str, bytes: &str) -> String {
    let mut world = lock(world);
    let now = world.now;
    let dropped =
        world.files.put(&format!("drops/sunrise.front-desk/{name}"), bytes.as_bytes().to_vec(), now);
    let mut event: Value = serde_json::from_str(DROPPED).unwrap();
    let body = event["Records"][0]["body"].as_str().unwrap();
    let mut body: Value = serde_json::from_str(body).unwrap();
    let object = &mut body["Records"][0]["s3"]["object"];
    object["key"] = dropped.key.into();
    object["size"] = dropped.size.into();
    object["eTag"] = dropped.etag.into();
    object["versionId"] = dropped.version.into();
    object["sequencer"] = dropped.sequencer.into();
    event["Records"][0]["body"] = body.to_string().into();
    event.to_string()
}

fn report(world: &Shared) -> Value {
    let world = lock(world);
    let keys = world.files.keys("outbox/");
    let key = keys.iter().find(|key| key.ends_with("/report.json")).unwrap();
    serde_json::from_slice(world.files.get(key).unwrap()).unwrap()
}

#[tokio::test]
async fn a_file_becomes_sealed_tasks_and_a_report_however_often_it_is_told_of() {
    let (function, world) = function(FileIngest::new).await;
    let event = drop_file(&world, "patients-1.csv", PATIENTS);
    for _ in 0..2 {
        assert_eq!(call(&function, &event).await, failures(&[]));
    }
    let tasks = queued(&world);
    assert_eq!(tasks.len(), 1, "two rows are bad");
    assert!(tasks[0].contains("\"kind\":\"feed/patients\""), "{}", tasks[0]);
    assert!(!tasks[0].contains("Quillon"), "the payload is sealed");
    let report = report(&world);
    assert_eq!(
        (&report["received"], &report["bad"], &report["sent"]),
        (&3.into(), &2.into(), &1.into()),
        "{report}"
    );
    let world = lock(&world);
    let quarantine = world.files.keys("outbox/").into_iter().find(|key| key.ends_with(".ndjson")).unwrap();
    let lines = std::str::from_utf8(world.files.get(quarantine).unwrap()).unwrap();
    assert!(lines.contains("\"line\":3") && lines.contains("\"column\":\"born\""), "{lines}");
    let everything: Vec<String> = world.tables.iter().map(|record| record.doc.clone()).collect();
    for planted in ["Quillon", "Ploverwick", "13/01/1990"] {
        assert!(!everything.iter().any(|doc| doc.contains(planted)) && !lines.contains(planted), "{planted}");
    }
}

#[tokio::test]
async fn a_file_that_no_feed_takes_is_told_of_in_the_ledger_and_done_with() {
    let (function, world) = function(FileIngest::new).await;
    let event = drop_file(&world, "other.txt", "x");
    assert_eq!(call(&function, &event).await, failures(&[]));
    assert!(queued(&world).is_empty());
    let world = lock(&world);
    assert!(world.tables.iter().any(|record| record.doc.contains("file.no_feed")));
}

#[tokio::test]
async fn a_test_of_the_notification_and_an_unknown_file_are_done_with() {
    let (function, world) = function(FileIngest::new).await;
    assert_eq!(call(&function, TEST).await, failures(&[]));
    assert_eq!(call(&function, AGAIN).await, failures(&[]));
    assert!(queued(&world).is_empty());
}
