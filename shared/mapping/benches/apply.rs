//! What one mapping of a 1 KB record costs. `cargo bench -p bridge-mapping`; the aim is 20,000 per second and core.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use bridge_mapping::{Context, Mapping};
use divan::{Bencher, black_box};
use serde_json::Value;

fn main() {
    divan::main();
}

/// A patient as a PMS webhook carries one, with the fields that mappings do not use.
const RECORD: &str = r#"{
    "PatNum": 4711, "LName": "Quillfeather", "FName": "Tansy", "MiddleI": "B", "Preferred": "", "PatStatus": "Patient",
    "Gender": "Female", "Position": "Married", "Birthdate": "1984-03-09", "SSN": "", "Address": "12 Larkspur Row",
    "Address2": "", "City": "Nonesuch", "State": "OR", "Zip": "97000", "HmPhone": "(503)555-0111", "WkPhone": "",
    "WirelessPhone": "(503)555-0199", "Guarantor": 4711, "Email": "tansy@quillfeather.example", "EstBalance": EST,
    "PriProv": 3, "SecProv": 0, "FeeSched": 0, "BillingType": 40, "ImageFolder": "QuillfeatherTansy4711",
    "AddrNote": "", "FamFinUrgNote": "", "MedUrgNote": "", "ApptModNote": "prefers mornings", "StudentStatus": "",
    "ClinicNum": 0, "HasIns": "I", "Premed": "false", "Language": "", "AdmitDate": "0001-01-01", "Title": "",
    "DateFirstVisit": "2019-11-20", "DateTimeDeceased": "0001-01-01 00:00:00", "TxtMsgOk": "Yes",
    "PreferContactMethod": "TextMessage", "SecDateEntry": "2019-11-20", "DateTStamp": "2026-03-05 14:30:12",
    "contacts": [{"type": "spouse", "name": "Ambrose Q"}, {"type": "mother", "name": "Ottoline Q"}]
}"#;

const MAPPING: &str = r#"(
    $system := $settings.site & "/PatNum";
    $phone := function($number, $use) { $number ? {"system": "phone", "value": $number, "use": $use} };
    {
        "resourceType": "Patient",
        "identifier": [$identifier($system, PatNum)],
        "active": PatStatus = "Patient",
        "name": [{"family": LName, "given": [FName, MiddleI][$ != ""], "use": "official"}],
        "gender": $lookup({"Male": "male", "Female": "female"}, Gender),
        "birthDate": $date(Birthdate),
        "deceasedDateTime": $zoned(DateTimeDeceased),
        "telecom": [
            $phone(HmPhone, "home"), $phone(WkPhone, "work"), $phone(WirelessPhone, "mobile"),
            Email ? {"system": "email", "value": Email}
        ],
        "address": [{"line": [Address, Address2][$ != ""], "city": City, "state": State, "postalCode": Zip}],
        "contact": contacts.{"relationship": [{"text": type}], "name": {"text": name}},
        "generalPractitioner": [$reference("Practitioner", $settings.site & "/ProvNum", PriProv)],
        "extension": [{"url": "urn:example:balance", "valueDecimal": EstBalance}],
        "meta": {"lastUpdated": $zoned(DateTStamp)}
    }
)"#;

fn run(bencher: Bencher<'_, '_>, balance: &str) {
    let mapping = Mapping::compile("bench", MAPPING).unwrap();
    let record: Value = serde_json::from_str(&RECORD.replace("EST", balance)).unwrap();
    let zone = "America/Los_Angeles".parse().unwrap();
    let settings = BTreeMap::from([("site".to_owned(), "https://pms.example/12".to_owned())]);
    let context = Context { zone: &zone, kind: "Patient", headers: &BTreeMap::new(), settings: &settings };
    let result = mapping.apply(&record, &context).unwrap();
    assert_eq!(result["extension"][0]["valueDecimal"].to_string(), balance);
    bencher
        .counter(divan::counter::ItemsCount::new(1u32))
        .bench(|| mapping.apply(black_box(&record), &context));
}

/// The usual case: doubles hold every number as written.
#[divan::bench]
fn patient(bencher: Bencher<'_, '_>) {
    run(bencher, "120.5");
}

/// One number has to be protected.
#[divan::bench]
fn patient_with_protected_number(bencher: Bencher<'_, '_>) {
    run(bencher, "120.50");
}

#[divan::bench]
fn compile() -> Mapping {
    Mapping::compile("bench", black_box(MAPPING)).unwrap()
}
