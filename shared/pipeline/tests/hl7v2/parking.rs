//! What can't go on waits with its cause, and goes on when the cause is gone. And nothing of a patient shows.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use bridge_testkit::memory::lock;
use serde_json::Value;
use tracing::Level;

use crate::site::{AGREED, Site, message};

/// Why the head of the lane is parked.
fn cause(site: &Site) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let causes = site.messages().into_iter().map(|record| record["cause"].clone());
    let cause = causes.filter(|cause| cause["code"] != "lane.held").find(|cause| !cause.is_null()).unwrap();
    (text(&cause["code"]), text(&cause["place"]))
}

#[test]
fn what_a_site_wants_looked_at_is_parked_by_segment_and_field_and_released() {
    let site = Site::new("park-on: [unknown-authority]");
    site.accepted(&message("ADT^A08", "20260302103000", "1", "PID|1||1^^^NORTH^MR||Test^Una"));
    site.accepted(&message("ADT^A08", "20260302103100", "2", "PID|1||1^^^NORTH^MR||Test^Ulla"));
    assert!(site.0.delivered().is_empty());
    let (code, at) = cause(&site);
    assert!(code == "hl7v2.incomplete" && at.starts_with("PID-3"), "{code} at {at}");
    site.agree(&format!("{{park-on: [unknown-authority], {AGREED}}}"), &[]);
    site.release("1");
    assert_eq!(site.0.delivered().len(), 2);
    assert_eq!(site.delivered("Patient")["name"][0]["given"][0], "Ulla", "in order");
}

#[test]
fn a_message_about_nothing_is_parked_with_what_it_lacks() {
    let site = Site::new(AGREED);
    site.accepted(&message("SIU^S12", "20260302103000", "1", "PID|1||1^^^NORTH^MR||Test^Una"));
    assert_eq!(cause(&site), ("hl7v2.not_converted".to_owned(), "SCH".to_owned()));
}

#[test]
fn a_hook_that_fails_parks_and_one_that_is_repaired_goes_on() {
    let agreed = format!("{{{AGREED}, hook: site}}");
    let site = Site::with_mappings(&agreed, &[("site", "$error('not yet')")]);
    site.accepted(&message("ADT^A08", "20260302103000", "1", "PID|1||1^^^NORTH^MR||Test^Una"));
    assert_eq!(cause(&site).0, "mapping.failed");
    let wrong = "resources.$merge([$, {'gender': 'unheard-of'}])";
    site.agree(&agreed, &[("site", wrong)]);
    site.release("1");
    let (code, at) = cause(&site);
    assert_eq!(code, "fhir.invalid", "{at}");
    site.agree(&agreed, &[("site", "resources")]);
    site.release("2");
    assert_eq!(site.0.delivered().len(), 1);
}

#[test]
fn nothing_of_a_patient_is_in_a_key_a_clear_part_an_answer_or_a_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_ansi(false);
    let said = subscriber.with_writer(move || writer.clone()).finish();
    // For all threads: what another test says first would else be switched off for this one as well.
    tracing::subscriber::set_global_default(said).unwrap();
    nothing_shows();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for outcome in ["accepted", "refused", "normalized", "parked", "delivered"] {
        assert!(log.contains(&format!("outcome=\"{outcome}\"")), "no line about what was {outcome}: {log}");
    }
    assert!(!log.contains("PLANTED"), "{log}");
}

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn nothing_shows() {
    let site = Site::new(AGREED);
    let planted = [
        message(
            "ADT^A08",
            "20260302103000",
            "PLANTED1",
            "PID|1||PLANTED2^^^NORTH^MR||PLANTED3^PLANTED4\rZXX|PLANTED5",
        ),
        message(
            "SIU^S12",
            "20260302103000",
            "c2",
            "SCH|PLANTED6|PLANTED7\rPID|1||PLANTED2||PLANTED3||PLANTED8",
        ),
        message("SIU^S12", "20260302103000", "c3", "PID|1||PLANTED2||PLANTED3"),
        message("ADT^PLANTED", "20260302103000", "c4", "PID|1||PLANTED2"),
        "MSH|^~\\&|PM|NORTH|||2026||ADT^A08|c5|P|2.5\rPID|1||PLANTED2||PLANTED3\u{fffd}\r".to_owned(),
        "PLANTED and nothing else".to_owned(),
    ];
    let mut answers = Vec::new();
    for text in &planted {
        answers.extend(site.receive(text).answer);
    }
    let latin = b"MSH|^~\\&|PM|NORTH|||2026||ADT^A08|c6|P|2.5\rPID|1||PLANTED2||PLANTED3\xff\r";
    answers.extend(site.receive(latin).answer);
    let answers = String::from_utf8(answers).unwrap();
    // MSA-2 repeats MSH-10, and the trigger event goes back in MSH-9 as it came.
    let answers = answers.replace("MSA|AA|PLANTED1", "").replace("ACK^PLANTED", "");
    assert!(!answers.contains("PLANTED"), "{answers}");
    let on_queue = format!("{:?}", lock(&site.0.world).queues);
    site.0.settle();
    let world = lock(&site.0.world);
    let records: String = world
        .tables
        .iter()
        .map(|record| {
            format!("{:?}{}{:?}{:?}", record.key, record.doc, record.by_connection, record.by_attention)
        })
        .collect();
    assert!(!on_queue.contains("PLANTED"), "on a queue");
    assert!(!records.contains("PLANTED"), "in a record's clear part");
}
