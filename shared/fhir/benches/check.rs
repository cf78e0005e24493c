//! What checking one resource costs. `cargo bench -p bridge-fhir`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bridge_fhir::check;
use divan::{Bencher, black_box, counter::ItemsCount};
use serde_json::Value;

fn main() {
    divan::main();
}

const PATIENT: &str = r#"{
    "resourceType": "Patient", "id": "8f0d3f0e-6b5d-5d5f-9a53-4f9c1d1f0a11",
    "identifier": [{"system": "https://pms.example/12/PatNum", "value": "4711"}],
    "active": true,
    "name": [{"family": "Quillfeather", "given": ["Tansy", "B"], "use": "official"}],
    "telecom": [
        {"system": "phone", "value": "(503)555-0111", "use": "home"},
        {"system": "phone", "value": "(503)555-0199", "use": "mobile"},
        {"system": "email", "value": "tansy@quillfeather.example"}
    ],
    "gender": "female", "birthDate": "1984-03-09",
    "address": [{"line": ["12 Larkspur Row"], "city": "Nonesuch", "state": "OR", "postalCode": "97000"}],
    "contact": [{"relationship": [{"text": "spouse"}], "name": {"text": "Ambrose Q"}}],
    "generalPractitioner": [{"reference": "Practitioner/5b8c2d4e-1f3a-5b6c-8d7e-9f0a1b2c3d4e"}],
    "extension": [{"url": "urn:example:balance", "valueDecimal": 120.50}],
    "meta": {"lastUpdated": "2026-03-05T14:30:12-08:00"}
}"#;

const APPOINTMENT: &str = r#"{
    "resourceType": "Appointment", "id": "0a1b2c3d-4e5f-5a6b-8c7d-9e0f1a2b3c4d",
    "identifier": [{"system": "https://pms.example/12/AptNum", "value": "34"}],
    "status": "booked", "start": "2026-07-01T09:30:00-07:00", "end": "2026-07-01T10:10:00-07:00",
    "minutesDuration": 40, "comment": "prefers mornings", "created": "2026-06-01T08:00:00-07:00",
    "appointmentType": {"coding": [{"system": "https://pms.example/12/AptType", "code": "RCT"}], "text": "root canal"},
    "participant": [
        {"actor": {"reference": "Patient/8f0d3f0e-6b5d-5d5f-9a53-4f9c1d1f0a11"}, "status": "accepted"},
        {"actor": {"reference": "Practitioner/5b8c2d4e-1f3a-5b6c-8d7e-9f0a1b2c3d4e"}, "status": "accepted"},
        {"actor": {"reference": "Location/7c6d5e4f-3a2b-5c1d-8e0f-1a2b3c4d5e6f"}, "status": "needs-action"}
    ]
}"#;

fn run(bencher: Bencher<'_, '_>, resource: &str) {
    let resource: Value = serde_json::from_str(resource).unwrap();
    assert_eq!(check(&resource), Ok(()));
    bencher.counter(ItemsCount::new(1u32)).bench(|| check(black_box(&resource)));
}

#[divan::bench]
fn patient(bencher: Bencher<'_, '_>) {
    run(bencher, PATIENT);
}

#[divan::bench]
fn appointment(bencher: Bencher<'_, '_>) {
    run(bencher, APPOINTMENT);
}
