//! A mapping from source to result.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use bridge_mapping::{Context, Mapping};
use serde_json::Value;

fn map(source: &str, input: &str) -> String {
    let zone = "America/Chicago".parse().unwrap();
    let settings = BTreeMap::from([("site".to_owned(), "https://pms.example/12".to_owned())]);
    let context =
        Context { zone: &zone, kind: "Appointment", headers: &BTreeMap::new(), settings: &settings };
    let input: Value = serde_json::from_str(input).unwrap();
    match Mapping::compile("test", source).and_then(|mapping| mapping.apply(&input, &context)) {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_record_becomes_a_resource() {
    let source = r#"{
        "resourceType": "Appointment",
        "identifier": [$identifier($settings.site & "/AptNum", AptNum)],
        "status": "booked",
        "start": $zoned(AptDateTime),
        "end": $plusMinutes($zoned(AptDateTime), 10 * $length(Pattern)),
        "participant": [{"actor": $reference("Patient", $settings.site & "/PatNum", PatNum), "status": "accepted"}]
    }"#;
    let input = r#"{"AptNum": 34, "PatNum": "7", "AptDateTime": "2026-07-01 09:30:00", "Pattern": "/XX/"}"#;
    assert_eq!(
        map(source, input),
        r#"{"resourceType":"Appointment","identifier":[{"system":"https://pms.example/12/AptNum","value":"34"}],"#.to_owned()
            + r#""status":"booked","start":"2026-07-01T09:30:00-05:00","end":"2026-07-01T10:10:00-05:00","#
            + r#""participant":[{"actor":{"reference":"Patient?identifier=https://pms.example/12/PatNum%7C7"},"#.replace("%7C", "|").as_str()
            + r#""status":"accepted"}]}"#
    );
}

#[test]
fn variables() {
    assert_eq!(
        map("[$zone, $kind, $settings.site]", "{}"),
        r#"["America/Chicago","Appointment","https://pms.example/12"]"#
    );
}

#[test]
fn numbers_go_through_as_written() {
    let numbers = r#"{"a":1.00,"b":12345678901234567890,"c":0.1,"d":[1e+400,1e+2,-0.0,-0],"e":42}"#;
    assert_eq!(map("$", numbers), numbers);
}
