//! Ids and references.

use bridge_fhir::{Resource, assemble, check, resource_id};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::resources::{appointment, patient};

const TENANT: Uuid = Uuid::from_u128(0x5eed);

fn one(resource: Value) -> Result<Resource, String> {
    match assemble(TENANT, vec![resource]) {
        Ok(resources) => Ok(resources.into_iter().next().unwrap()),
        Err(issue) => Err(issue.to_string()),
    }
}

#[test]
fn a_message_becomes_linked_resources() {
    let resources = assemble(TENANT, vec![appointment(), patient()]).unwrap();
    let [appointment, patient] = resources.as_slice() else { panic!("{resources:?}") };
    assert_eq!(appointment.json["participant"][0]["actor"]["reference"], json!(patient.reference()));
    let room = resource_id(TENANT, "Location", "urn:oid:1.2", "Room 4|B");
    assert_eq!(appointment.json["participant"][1]["actor"]["reference"], json!(format!("Location/{room}")));

    // The id follows from the first identifier that has a system, and stands after the type.
    assert_eq!(patient.id, resource_id(TENANT, "Patient", "https://pms.example/PatNum", "4711"));
    assert_eq!(patient.json["id"], json!(patient.id));
    let names: Vec<_> = appointment.json.as_object().unwrap().keys().take(3).cloned().collect();
    assert_eq!(names, ["resourceType", "id", "identifier"]);
    for resource in &resources {
        assert_eq!(check(&resource.json), Ok(()), "{resource:?}");
    }
}

#[test]
fn ids_are_stable_and_apart() {
    let id = resource_id(TENANT, "Patient", "s", "1");
    assert_eq!(id, resource_id(TENANT, "Patient", "s", "1"));
    assert_eq!(Uuid::parse_str(&id).map(|id| id.get_version_num()), Ok(5));
    for other in [
        resource_id(Uuid::from_u128(1), "Patient", "s", "1"),
        resource_id(TENANT, "Person", "s", "1"),
        resource_id(TENANT, "Patient", "t", "1"),
        resource_id(TENANT, "Patient", "s", "2"),
        resource_id(TENANT, "Patient", "s\n1", ""),
        resource_id(TENANT, "Patient", "", "s\n1"),
    ] {
        assert_ne!(id, other);
    }
    // What is stored under an id today must be found under it tomorrow.
    assert_eq!(id, "d90f2f83-59ea-5b57-809b-899de351f031");
}

#[test]
fn everything_but_id_and_references_is_untouched() {
    let mut given = patient();
    let resource = one(given.clone()).unwrap();
    given["id"] = json!(resource.id);
    assert_eq!(resource.json, given);
    assert_eq!(resource.json["extension"][0]["valueDecimal"].to_string(), "120.50");
}

#[test]
fn what_cannot_be_assembled_is_named() {
    let identified = |reference: &str| {
        json!({"resourceType": "Encounter", "identifier": [{"system": "s", "value": "1"}],
            "participant": [{"individual": {"reference": reference}}]})
    };
    let by_search = "Encounter.participant[0].individual.reference: \
                     a reference by search must be `Type?identifier=system|value`";
    let no_identifier = "needs an identifier with system and value: the id of the resource follows from it";
    for (resource, issue) in [
        (json!("planted"), "[0]: is not a resource, which is a JSON object".to_owned()),
        (json!({"identifier": []}), "[0].resourceType: is required".to_owned()),
        (json!({"resourceType": "Patient"}), format!("Patient.identifier: {no_identifier}")),
        (
            json!({"resourceType": "Patient", "identifier": [{"system": "s"}, {"value": "1"}, {"system": "", "value": "1"}]}),
            format!("Patient.identifier: {no_identifier}"),
        ),
        (identified("Practitioner?identifier=planted"), by_search.to_owned()),
        (identified("Practitioner?identifier=|planted"), by_search.to_owned()),
        (identified("Practitioner?identifier=s|"), by_search.to_owned()),
        (identified("Practitioner?identifier=s|1&active=true"), by_search.to_owned()),
        (identified("Practitioner?identifier=s|1,s|2"), by_search.to_owned()),
        (identified("Practitioner?identifier=s|%zz"), by_search.to_owned()),
        (identified("Practitioner?identifier=s|%f"), by_search.to_owned()),
        (identified("Practitioner?name=planted"), by_search.to_owned()),
    ] {
        assert_eq!(one(resource), Err(issue));
    }
    let twice = assemble(TENANT, vec![patient(), patient()]).map_err(|issue| issue.to_string());
    assert_eq!(twice, Err("Patient.identifier: is the same for two resources of the message".to_owned()));
}

#[test]
fn other_references_stay() {
    for reference in [
        "Practitioner/1",
        "#p",
        "urn:uuid:0c8f4a8e-3f6b-5c9e-9d52-0a2b3c4d5e6f",
        "https://ehr.example/r/1?a=b",
    ] {
        let resource = json!({"resourceType": "Slot", "identifier": [{"system": "s", "value": "1"}],
            "schedule": {"reference": reference}});
        assert_eq!(one(resource).unwrap().json["schedule"]["reference"], json!(reference));
    }
}

#[test]
fn a_single_identifier_counts_too() {
    let bundle =
        json!({"resourceType": "Bundle", "type": "message", "identifier": {"system": "s", "value": "1"}});
    assert_eq!(one(bundle).unwrap().id, resource_id(TENANT, "Bundle", "s", "1"));
}

/// As the `$reference` of mappings writes it.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the identifier, a reference leads to the resource that has it.
    #[test]
    fn a_reference_finds_its_resource(system in "\\PC{1,20}", value in "\\PC{1,20}", depth in 0usize..4) {
        let target = json!({"resourceType": "Patient", "identifier": [{"system": system, "value": value}]});
        let reference = format!("Patient?identifier={}|{}", percent(&system), percent(&value));
        let mut holder = json!({"reference": reference});
        for _ in 0..depth {
            holder = json!([{"nested": [holder]}]);
        }
        let source = json!({"resourceType": "Basic", "identifier": [{"system": "s", "value": "1"}], "subject": holder});
        let resources = assemble(TENANT, vec![source, target]).unwrap();
        let text = resources[0].json.to_string();
        prop_assert!(text.contains(&resources[1].reference()), "{text}");
        prop_assert!(!text.contains('?') || system.contains('?') || value.contains('?'));
    }
}
