//! What messages come to: the delivered and the stored state.

use serde_json::{Value, json};

use crate::site::{AGREED, Site, message};

fn adt(event: &str, at: &str, rest: &str) -> String {
    // The time is as good a control id as any.
    message(&format!("ADT^{event}"), at, at, rest)
}

#[test]
fn a_message_becomes_a_bundle_of_what_it_says() {
    let site = Site::new(AGREED);
    site.accepted(&message(
        "SIU^S12",
        "20260302103000",
        "1",
        "SCH||F77^NORTH|||||||30|min|^^^20260310093000\rPID|1||4711^^^NORTH^MR||Testperson^Una||19700101|F",
    ));
    let (patient, appointment) = (site.delivered("Patient"), site.delivered("Appointment"));
    assert_eq!(patient["identifier"][0]["system"], "https://north.example/mrn");
    assert_eq!(patient["birthDate"], "1970-01-01");
    assert_eq!(appointment["start"], "2026-03-10T09:30:00-05:00");
    let actor = format!("Patient/{}", patient["id"].as_str().unwrap());
    assert!(appointment.to_string().contains(&actor));
    let record = &site.messages()[0];
    assert_eq!((&record["kind"], &record["mapped_by"]), (&json!("SIU^S12"), &json!("hl7v2@1/v2-to-fhir")));
    assert_eq!(record["format"], "hl7v2");
    assert_eq!(record["find"].as_array().unwrap().len(), 3, "control id, patient, appointment");
}

#[test]
fn empty_leaves_and_null_removes() {
    let site = Site::new(AGREED);
    site.accepted(&adt(
        "A04",
        "20260302103000",
        "PID|1||1^^^NORTH^MR||Test^Una||19700101|F|||1 Way^^Town||555-0100|555-0199",
    ));
    site.accepted(&adt("A08", "20260302103100", "PID|1||1^^^NORTH^MR||Test^Ulla||||||||\"\""));
    let patient = site.delivered("Patient");
    assert_eq!(patient["name"][0]["given"][0], "Ulla");
    assert_eq!((&patient["birthDate"], &patient["gender"]), (&json!("1970-01-01"), &json!("female")));
    assert_eq!(patient["address"][0]["city"], "Town");
    let telecom = patient["telecom"].as_array().unwrap();
    assert!(telecom.len() == 1 && telecom[0]["use"] == "work", "{telecom:?}");
    let reference = format!("Patient/{}", patient["id"].as_str().unwrap());
    assert_eq!(site.stored(&reference), patient, "what is delivered is what is known");
}

#[test]
fn an_older_message_adds_what_nobody_has_said_since_and_takes_nothing_back() {
    let site = Site::new(AGREED);
    site.accepted(&adt("A08", "20260302104000", "PID|1||1^^^NORTH^MR||Test^New"));
    site.accepted(&adt("A08", "20260302103000", "PID|1||1^^^NORTH^MR||Test^Old||19700101"));
    let patient = site.delivered("Patient");
    assert_eq!(patient["name"][0]["given"][0], "New");
    assert_eq!(patient["birthDate"], "1970-01-01");
    let before = site.0.delivered().len();
    site.accepted(&adt("A08", "20260302102000", "PID|1||1^^^NORTH^MR||Test^Older"));
    assert_eq!(site.0.delivered().len(), before, "nothing of it stands, so nothing of it is sent");
    let patient = format!("Patient/{}", patient["id"].as_str().unwrap());
    let superseded = |record: &Value| record["superseded"].to_string().contains(&patient);
    assert_eq!(site.messages().iter().filter(|record| superseded(record)).count(), 1);
}

#[test]
fn within_a_second_the_later_message_is_the_newer_and_a_clock_ahead_does_no_harm() {
    let site = Site::new(AGREED);
    let at = |control: &str, name: &str, at: &str| {
        site.accepted(&message("ADT^A08", at, control, &format!("PID|1||1^^^NORTH^MR||Test^{name}")));
        site.delivered("Patient")["name"][0]["given"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(at("1", "First", "20260302103000"), "First");
    assert_eq!(at("2", "Second", "20260302103000"), "Second");
    assert_eq!(at("3", "Ahead", "20990101000000"), "Ahead");
    // The world's clock stands at its beginning: the next message is of the time it came.
    bridge_testkit::memory::lock(&site.0.world).now += 60_000;
    assert_eq!(at("4", "Right", ""), "Right");
    let arrival = Site::new("newest-by: arrival");
    arrival.accepted(&adt("A08", "20260302104000", "PID|1||1^^^NORTH^MR||Test^First"));
    arrival.accepted(&adt("A08", "20260302103000", "PID|1||1^^^NORTH^MR||Test^Second"));
    assert_eq!(arrival.delivered("Patient")["name"][0]["given"][0], "Second");
}

#[test]
fn merged_patients_stay_linked_and_a_merge_back_closes_no_circle() {
    let site = Site::new(AGREED);
    let stored = |number: &str| -> Value {
        site.accepted(&message(
            "ADT^A08",
            "2026",
            &format!("look-{number}-{}", site.messages().len()),
            &format!("PID|1||{number}^^^NORTH^MR"),
        ));
        site.delivered("Patient")
    };
    site.accepted(&adt("A40", "20260302103000", "PID|1||1^^^NORTH^MR||Test^Una\rMRG|2^^^NORTH^MR"));
    let (one, two) = (stored("1"), stored("2"));
    assert_eq!(
        (&one["link"][0]["type"], &two["link"][0]["type"]),
        (&json!("replaces"), &json!("replaced-by"))
    );
    assert_eq!((&one["active"], &two["active"]), (&Value::Null, &json!(false)));
    site.accepted(&adt("A08", "20260302103100", "PID|1||1^^^NORTH^MR||Test^Ulla"));
    assert_eq!(stored("1")["link"][0]["type"], "replaces", "an update says nothing of the merge");
    site.accepted(&adt("A40", "20260302103200", "PID|1||2^^^NORTH^MR\rMRG|1^^^NORTH^MR"));
    let (one, two) = (stored("1"), stored("2"));
    assert_eq!(
        (&one["link"][0]["type"], &two["link"][0]["type"]),
        (&json!("replaced-by"), &json!("replaces"))
    );
    assert_eq!((&one["active"], &two["active"]), (&json!(false), &Value::Null));
    assert_eq!(one["link"].as_array().unwrap().len() + two["link"].as_array().unwrap().len(), 2);
}

#[test]
fn a_hook_has_the_last_word() {
    let hook = r#"(
        $code := message.segments[name = "ZPI"].fields."2"[0]."1";
        resources[resourceType != "Encounter"].(
            resourceType = "Patient"
                ? $merge([$, {"extension": [{"url": "https://north.example/vip", "valueString": $code}]}])
                : $
        )
    )"#;
    let agreed = format!("{{{AGREED}, hook: site}}");
    let site = Site::with_mappings(&agreed, &[("site", hook)]);
    site.accepted(&adt(
        "A04",
        "20260302103000",
        "PID|1||1^^^NORTH^MR||Test^Una\rPV1|1|O|||||||||||||||||V1\rZPI|1|GOLD^x",
    ));
    let patient = site.delivered("Patient");
    assert_eq!(patient["extension"][0]["valueString"], "GOLD");
    assert_eq!(patient["name"][0]["given"][0], "Una");
    assert_eq!(site.delivered("Encounter"), Value::Null, "the hook leaves it out");
    assert_eq!(site.messages()[0]["mapped_by"], "hl7v2@1/v2-to-fhir sim.source@1/site");
}

#[test]
fn what_was_not_used_is_in_the_record_by_place() {
    let site = Site::new(AGREED);
    site.accepted(&adt("A08", "20260302103000", "PID|1||1^^^NORTH^MR||Test^Una||1970MARKER\rZPI|1|MARKER"));
    let record = &site.messages()[0];
    let notes: Vec<&str> =
        record["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
    assert!(notes.iter().any(|note| note.starts_with("PID-7")), "{notes:?}");
    assert!(notes.contains(&"ZPI: the segment is not used"), "{notes:?}");
    assert!(!record.to_string().contains("MARKER"));
}
