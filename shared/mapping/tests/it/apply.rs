//! A mapping from source to result.

use std::{collections::BTreeMap, sync::Arc, thread};

use bridge_mapping::{Context, Mapping};
use serde_json::{Value, json};

use crate::map;

const APPOINTMENT: &str = r#"{
    "resourceType": "Appointment",
    "identifier": [$identifier($settings.site & "/AptNum", AptNum)],
    "status": "booked",
    "start": $zoned(AptDateTime),
    "end": $plusMinutes($zoned(AptDateTime), 10 * $length(Pattern)),
    "comment": Note,
    "participant": [{"actor": $reference("Patient", $settings.site & "/PatNum", PatNum), "status": "accepted"}]
}"#;

#[test]
fn a_record_becomes_a_resource() {
    let record = r#"{"AptNum": 34, "PatNum": "7", "AptDateTime": "2026-07-01 09:30:00", "Pattern": "/XX/"}"#;
    let resource: Value = serde_json::from_str(&map(APPOINTMENT, record)).unwrap();
    assert_eq!(
        resource,
        json!({
            "resourceType": "Appointment",
            "identifier": [{"system": "https://pms.example/12/AptNum", "value": "34"}],
            "status": "booked",
            "start": "2026-07-01T09:30:00-05:00",
            "end": "2026-07-01T10:10:00-05:00",
            "participant": [
                {"actor": {"reference": "Patient?identifier=https://pms.example/12/PatNum|7"}, "status": "accepted"}
            ]
        })
    );
}

#[test]
fn a_mapping_knows_its_connection() {
    assert_eq!(
        map("$zone & ' ' & $kind & ' ' & $settings.site", "{}"),
        r#""America/Chicago Appointment https://pms.example/12""#
    );
    assert_eq!(map("$headers.`x-event`", "{}"), r#""APPT""#);
    assert_eq!(map("{'a': $settings.absent, 'b': $absent}", "{}"), "{}");
    assert_eq!(map("($kind := 'mine'; $kind)", "{}"), r#""mine""#);
    // However it looks at its settings.
    for source in [
        "$settings.site",
        "$lookup($settings, 'site')",
        "$settings.absent ? '' : $settings.*",
        "($mine := $settings; $mine.site)",
        "$settings[site].site",
        "{'a': $settings}.a.site",
    ] {
        assert_eq!(map(source, "{}"), r#""https://pms.example/12""#, "{source}");
    }
}

#[test]
fn nothing_selected_is_null() {
    assert_eq!(map("absent", "{}"), "null");
    assert_eq!(map("rows[id = 9]", r#"{"rows": [{"id": 1}]}"#), "null");
}

#[test]
fn order_and_unknown_fields_of_the_record_stay() {
    let record = r#"{"z":1,"a":{"x-ü":[null,true,"é\n"],"":{}},"m":[[],[[1],2]]}"#;
    assert_eq!(map("$", record), record);
    let with_field = record.replace("[[1],2]]}", r#"[[1],2]],"k":1}"#);
    assert_eq!(map("$merge([$, {'k': 1}])", record), with_field);
}

/// One compiled mapping serves connections and threads at once; nothing of one evaluation reaches another.
#[test]
fn one_mapping_many_threads_and_connections() {
    let mapping = Arc::new(
        Mapping::compile("test", "{'zone': $zone, 'at': $zoned(at), 'site': $settings.site}").unwrap(),
    );
    let workers = ["America/Chicago", "Europe/Berlin"].map(|name| {
        let mapping = Arc::clone(&mapping);
        thread::spawn(move || {
            let zone = name.parse().unwrap();
            for round in 0..200 {
                let settings = BTreeMap::from([("site".to_owned(), round.to_string())]);
                let context =
                    Context { zone: &zone, kind: "k", headers: &BTreeMap::new(), settings: &settings };
                let result = mapping.apply(&json!({"at": "2026-07-01 12:00:00"}), &context).unwrap();
                let offset = if name == "Europe/Berlin" { "+02:00" } else { "-05:00" };
                let at = format!("2026-07-01T12:00:00{offset}");
                assert_eq!(result, json!({"zone": name, "at": at, "site": round.to_string()}));
            }
        })
    });
    for worker in workers {
        worker.join().unwrap();
    }
}
