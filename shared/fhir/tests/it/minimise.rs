//! What a route leaves out.

use bridge_fhir::{Resource, check, check_drop, minimise};
use serde_json::{Value, json};

use crate::resources::{appointment, patient, smallest};

fn minimised(json: Value, drop: &[&str]) -> Value {
    let resource_type = json["resourceType"].as_str().unwrap().to_owned();
    let mut resource = Resource { resource_type, id: "1".to_owned(), json };
    minimise(&mut resource, &drop.iter().map(|&path| path.to_owned()).collect::<Vec<_>>());
    resource.json
}

#[test]
fn elements_go_with_what_belongs_to_them() {
    for (path, pointers) in [
        ("Patient.telecom", &["/telecom"][..]),
        ("Patient.birthDate", &["/birthDate", "/_birthDate"]),
        ("Patient.name.given", &["/name/0/given", "/name/0/_given"]),
        ("Patient.contact.name.text", &["/contact/0/name"]),
        ("Patient.address.line", &["/address/0/line"]),
        ("Patient.extension", &["/extension"]),
        ("Patient.contained", &["/contained"]),
        ("Patient.deceased[x]", &["/deceasedBoolean"]),
        ("Patient.extension.extension.value[x]", &["/extension/2/extension/0/valueQuantity"]),
        ("Patient.name.extension.value[x]", &[]),
        ("Patient.deceasedBoolean", &["/deceasedBoolean"]),
    ] {
        let before = patient();
        assert_eq!(check_drop(&[path.to_owned()]), Ok(()));
        let after = minimised(before.clone(), &[path]);
        assert_eq!(check(&after), Ok(()), "{path}");
        let mut expected = before;
        for pointer in pointers {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            expected.pointer_mut(parent).unwrap().as_object_mut().unwrap().shift_remove(name).unwrap();
        }
        assert_eq!(after, expected, "{path}");
    }
}

#[test]
fn nothing_else_goes() {
    assert_eq!(
        minimised(patient(), &["Practitioner.telecom", "Patient.photo", "Patient.name.period"]),
        patient()
    );
    let only = json!({"resourceType": "Patient", "contact": [{"name": {"text": "x"}}], "active": true});
    let left = json!({"resourceType": "Patient", "active": true});
    assert_eq!(minimised(only, &["Patient.contact.name.text"]), left);
}

#[test]
fn a_path_that_would_do_nothing_or_harm_is_refused() {
    let form = "must be `Type.element`, for example `Patient.telecom`";
    let unknown = "is not an element of FHIR R4";
    let required = "is required in FHIR R4, so it cannot be left out";
    for (path, text) in [
        ("telecom", form),
        ("Patient", form),
        ("Patient.", form),
        ("Patient..name", form),
        ("Patient.name[0]", form),
        ("patient.name", form),
        ("Patient.name given", form),
        ("", form),
        ("Patiend.telecom", unknown),
        ("Ingredient.status", unknown),
        ("Patient.telcom", unknown),
        ("Patient.name.surname", unknown),
        ("Patient.name.family.x", unknown),
        ("Patient.deceasedQuantity", unknown),
        ("Patient.planted[x]", unknown),
        ("Observation.valueQuantity.planted", unknown),
        ("Observation.component.planted", unknown),
        ("Appointment.status", required),
        ("Appointment.participant", required),
        ("Appointment.participant.status", required),
        ("Patient.link.other", required),
        ("Patient.link.type", required),
        ("Patient.communication.language", required),
        ("Patient.extension.url", required),
        ("Patient.resourceType", required),
        ("Patient.id", required),
        ("Observation.code", required),
        ("MessageHeader.eventCoding", required),
        ("MessageHeader.event[x]", required),
        ("DocumentReference.content.attachment", required),
        ("Coverage.class.value", required),
        ("Coverage.costToBeneficiary.value[x]", required),
        ("Invoice.lineItem.chargeItemReference", required),
        ("Provenance.entity.role", required),
    ] {
        let issue = check_drop(&[path.to_owned()]).unwrap_err();
        assert_eq!((issue.path.as_str(), issue.text.as_str()), (path, text));
    }
}

#[test]
fn elements_of_every_depth_are_known() {
    for path in [
        "Patient.telecom",
        "Patient.telecom.rank",
        "Patient.contact.name.family",
        "Patient.contact.period.start",
        "Patient.maritalStatus.coding.display",
        "Patient.multipleBirthInteger",
        "Patient.multipleBirth[x]",
        "Patient.text.id",
        "Patient.photo.data",
        "Patient.meta.tag",
        "Patient.link",
        "Observation.valueQuantity.unit",
        "Observation.value[x]",
        "Observation.component.valueString",
        "Observation.component.referenceRange.low.value",
        "Observation.effectivePeriod.end",
        "Observation.referenceRange",
        "Appointment.participant.actor.display",
        "Appointment.requestedPeriod.start",
        "Appointment.comment",
        "Encounter.location.location.identifier.value",
        "ChargeItem.occurrenceTiming.repeat.boundsPeriod",
        "Coverage.class.name",
        "Coverage.costToBeneficiary.exception",
        "Invoice.lineItem.priceComponent.amount",
        "Provenance.entity.agent",
        "Bundle.entry.request.ifMatch",
        "Bundle.entry.resource",
    ] {
        assert_eq!(check_drop(&[path.to_owned()]), Ok(()));
    }
}

/// Every element of a resource with a bit of everything is known, however deep.
#[test]
fn every_element_of_a_resource_is_known() {
    fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| paths(item, path, found)),
            Value::Object(_) if path.ends_with(".contained") => {}
            Value::Object(fields) => {
                for (name, field) in fields.iter().filter(|(name, _)| !name.starts_with('_')) {
                    let path = format!("{path}.{name}");
                    paths(field, &path, found);
                    found.push(path);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    paths(&patient(), "Patient", &mut found);
    paths(&appointment(), "Appointment", &mut found);
    assert!(found.len() > 60, "{found:?}");
    for path in found {
        let text = check_drop(std::slice::from_ref(&path)).err().map(|issue| issue.text);
        assert_ne!(text.as_deref(), Some("is not an element of FHIR R4"), "{path}");
    }
}

/// Of the elements of the smallest resources exactly the optional ones may be dropped, and then the rest is valid.
#[test]
fn dropping_never_makes_a_resource_invalid() {
    for resource in smallest() {
        for (name, _) in resource.as_object().unwrap() {
            let path = format!("{}.{name}", resource["resourceType"].as_str().unwrap());
            let dropped = minimised(resource.clone(), &[&path]);
            assert_eq!(check_drop(std::slice::from_ref(&path)).is_ok(), check(&dropped).is_ok(), "{path}");
        }
    }
}
