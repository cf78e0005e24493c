//! What is FHIR R4 and what is not.

use bridge_fhir::check;
use serde_json::{Value, json};

use crate::resources::{appointment, patient, smallest};

/// `patient()` or another resource with the value at a JSON pointer replaced; `null` removes it.
fn with(mut resource: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match resource.pointer_mut(parent).unwrap() {
        Value::Object(fields) if value.is_null() => drop(fields.shift_remove(name)),
        Value::Object(fields) => drop(fields.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer} is in no object"),
    }
    resource
}

fn issues(resource: &Value) -> Vec<String> {
    check(resource).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn literal(mut resource: Value) -> Value {
    for participant in resource["participant"].as_array_mut().unwrap() {
        participant["actor"]["reference"] = json!("Patient/p");
    }
    resource
}

#[test]
fn valid_resources_have_no_issues() {
    assert_eq!(issues(&patient()), [""; 0]);
    assert_eq!(issues(&literal(appointment())), [""; 0]);
    for resource in smallest() {
        assert_eq!(issues(&resource), [""; 0], "{resource}");
    }
}

/// Exactly the elements of the smallest resources are required; without any one of them the issue names it.
#[test]
fn every_required_element_is_missed_by_name() {
    let optional = [
        "CareTeam.name",
        "Device.lotNumber",
        "Location.name",
        "Medication.code",
        "Organization.name",
        "Patient.active",
        "Practitioner.active",
        "PractitionerRole.active",
        "Specimen.status",
    ];
    for resource in smallest() {
        for (name, _) in resource.as_object().unwrap().iter().skip(1) {
            let path = format!("{}.{name}", resource["resourceType"].as_str().unwrap());
            let expected = match path.as_str() {
                path if optional.contains(&path) => continue,
                "MessageHeader.eventCoding" => "MessageHeader.event[x]",
                "Immunization.occurrenceDateTime" => "Immunization.occurrence[x]",
                "MedicationRequest.medicationCodeableConcept" => "MedicationRequest.medication[x]",
                path => path,
            };
            let found = issues(&with(resource.clone(), &format!("/{name}"), Value::Null));
            assert!(found.contains(&format!("{expected}: is required")), "{path}: {found:?}");
        }
    }
}

#[test]
fn what_is_wrong_is_named_with_its_path() {
    let observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}});
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "urn:uuid:0c8f4a8e-3f6b-5c9e-9d52-0a2b3c4d5e6f", "resource": patient()},
        {"resource": literal(appointment())}
    ]});
    let code = "is not a code of the value set that FHIR R4 requires here";
    let time = "is not written as FHIR R4 writes dates and times: `yyyy`, `yyyy-MM`, `yyyy-MM-dd`, or \
                `yyyy-MM-ddThh:mm:ss` with an offset";
    let unknown = "is not an element of FHIR R4 here";
    let id = "must be 1 to 64 of A-Z, a-z, 0-9, `-` and `.`";
    let reference = "must be `Type/id`, a URL, `#id` of a contained resource, `urn:uuid:…` or `urn:oid:…`";
    for (resource, pointer, value, issue) in [
        // Structure.
        (patient(), "/planted", json!(1), format!("Patient.planted: {unknown}")),
        (patient(), "/Planted Name", json!(1), format!("Patient.(unknown): {unknown}")),
        (patient(), "/name/0/surname", json!("x"), format!("Patient.name[0].surname: {unknown}")),
        (
            patient(),
            "/contact/0/name/planted",
            json!({}),
            format!("Patient.contact[0].name.planted: {unknown}"),
        ),
        (patient(), "/name", json!({"family": "x"}), "Patient.name: must be a list".into()),
        (patient(), "/name/0/family", json!(["x"]), "Patient.name[0].family: must be a text".into()),
        (
            patient(),
            "/managingOrganization",
            json!("Organization/1"),
            "Patient.managingOrganization: must be an object".into(),
        ),
        (patient(), "/active", json!("true"), "Patient.active: must be true or false".into()),
        (
            patient(),
            "/telecom/0/rank",
            json!(0),
            "Patient.telecom[0].rank: must be a whole number above zero".into(),
        ),
        (
            literal(appointment()),
            "/minutesDuration",
            json!(1.5),
            "Appointment.minutesDuration: must be a whole number above zero".into(),
        ),
        // Required elements and codes.
        (
            literal(appointment()),
            "/participant/1/status",
            Value::Null,
            "Appointment.participant[1].status: is required".into(),
        ),
        (
            literal(appointment()),
            "/participant/1/status",
            json!("planted"),
            format!("Appointment.participant[1].status: {code}"),
        ),
        (patient(), "/gender", json!("F"), format!("Patient.gender: {code}")),
        (patient(), "/link/0/other", Value::Null, "Patient.link[0].other: is required".into()),
        (patient(), "/extension/0/url", Value::Null, "Patient.extension[0].url: is required".into()),
        // Dates and times.
        (patient(), "/birthDate", json!("3/9/1984"), format!("Patient.birthDate: {time}")),
        (patient(), "/birthDate", json!("1984-02-30"), format!("Patient.birthDate: {time}")),
        (patient(), "/birthDate", json!("1984-3"), format!("Patient.birthDate: {time}")),
        (patient(), "/birthDate", json!("84"), format!("Patient.birthDate: {time}")),
        (
            patient(),
            "/birthDate",
            json!("planted"),
            "Patient.birthDate: does not have the form that FHIR R4 asks for here".into(),
        ),
        (patient(), "/meta/lastUpdated", json!("2026-03-05"), format!("Patient.meta.lastUpdated: {time}")),
        (
            literal(appointment()),
            "/start",
            json!("2026-07-01T09:30:00"),
            format!("Appointment.start: {time}"),
        ),
        (
            literal(appointment()),
            "/start",
            json!("2026-07-01 09:30:00-05:00"),
            format!("Appointment.start: {time}"),
        ),
        (
            literal(appointment()),
            "/created",
            json!("2026-07-01T09:30-05:00"),
            format!("Appointment.created: {time}"),
        ),
        (
            observation.clone(),
            "/effectiveDateTime",
            json!("2026-07-01T00:00"),
            format!("Observation.effectiveDateTime: {time}"),
        ),
        (observation.clone(), "/valueTime", json!("9:30"), format!("Observation.valueTime: {time}")),
        // Choices.
        (patient(), "/deceasedDateTime", json!("2020-01-01"), "only one deceased[x] may be given".into()),
        (
            observation.clone(),
            "/valueQuantity",
            json!({"value": "1.0"}),
            "Observation.valueQuantity.value: must be a number".into(),
        ),
        (
            observation.clone(),
            "/valuePeriod",
            json!({"start": "then"}),
            "Observation.valuePeriod.start: does not have".into(),
        ),
        (
            observation.clone(),
            "/valueAddress",
            json!({"text": "x"}),
            format!("Observation.valueAddress: {unknown}"),
        ),
        (
            observation.clone(),
            "/valueBoolean",
            json!("true"),
            "Observation.valueBoolean: must be true or false".into(),
        ),
        (
            patient(),
            "/extension/2/extension/0/valueQuantity/value",
            json!("planted"),
            "Patient.extension[2].extension[0].valueQuantity.value: must be a number".into(),
        ),
        (
            patient(),
            "/extension/0/valuePlanted",
            json!(1),
            format!("Patient.extension[0].valuePlanted: {unknown}"),
        ),
        (
            patient(),
            "/extension/2/extension/0",
            json!({"url": "a", "valueRatioRange": {"lowNumerator": {"value": 1}}}),
            format!("Patient.extension[2].extension[0].valueRatioRange: {unknown}"),
        ),
        // What every resource must obey.
        (patient(), "/id", json!("p 1"), format!("Patient.id: {id}")),
        (patient(), "/id", json!("x".repeat(65)), format!("Patient.id: {id}")),
        (patient(), "/id", json!(1), format!("Patient.id: {id}")),
        (patient(), "/name/0/family", json!(""), "Patient.name[0].family: is an empty text".into()),
        (patient(), "/telecom", json!([]), "Patient.telecom: is an empty list".into()),
        (patient(), "/contact/0/name", json!({}), "Patient.contact[0].name: is an empty object".into()),
        (patient(), "/address/0/line/0", Value::Null, "Patient.address[0].line[0]: is null".into()),
        (patient(), "/identifier/1/system", json!("a b"), "Patient.identifier[1].system: is a URI".into()),
        (
            patient(),
            "/generalPractitioner/0/reference",
            json!("dr-1"),
            format!("Patient.generalPractitioner[0].reference: {reference}"),
        ),
        (
            patient(),
            "/generalPractitioner/0/reference",
            json!("Doctor/dr-1"),
            format!("Patient.generalPractitioner[0].reference: {reference}"),
        ),
        (
            patient(),
            "/generalPractitioner/0/reference",
            json!("Practitioner/a b"),
            format!("Patient.generalPractitioner[0].reference: {reference}"),
        ),
        (
            patient(),
            "/generalPractitioner/0/reference",
            json!("Practitioner?name=x"),
            format!("Patient.generalPractitioner[0].reference: {reference}"),
        ),
        // Inner resources.
        (patient(), "/contained/0/name", json!(1), "Patient.contained[0].name: must be a text".into()),
        (patient(), "/contained/0/planted", json!(1), format!("Patient.contained[0].planted: {unknown}")),
        (
            patient(),
            "/contained/0/resourceType",
            json!("Planted"),
            "Patient.contained[0].resourceType: is not a resource type".into(),
        ),
        (
            patient(),
            "/contained/0",
            json!({"id": "x"}),
            "Patient.contained[0].resourceType: is required".into(),
        ),
        (patient(), "/contained", json!({"id": "x"}), "Patient.contained: must be a list".into()),
        (
            bundle.clone(),
            "/entry/0/resource",
            json!({"id": "x"}),
            "Bundle.entry[0].resource: must be a resource, an object with a resourceType".into(),
        ),
        (
            bundle.clone(),
            "/entry/0/resource/gender",
            json!("F"),
            format!("Bundle.entry[0].resource.gender: {code}"),
        ),
        (
            bundle.clone(),
            "/entry/1/resource/participant/0/status",
            Value::Null,
            "Bundle.entry[1].resource.participant[0].status: is required".into(),
        ),
        (
            bundle.clone(),
            "/entry/0/resource/contained/0/id",
            json!("a b"),
            format!("Bundle.entry[0].resource.contained[0].id: {id}"),
        ),
        (
            bundle.clone(),
            "/entry/0/request",
            json!({"method": "PUT"}),
            "Bundle.entry[0].request.url: is required".into(),
        ),
    ] {
        let found = issues(&with(resource, pointer, value));
        assert!(
            found.iter().any(|found| found.contains(&issue)),
            "{pointer}: expected {issue}, found {found:?}"
        );
        assert!(
            !found.iter().any(|found| found.contains("84") || found.contains("F\"")),
            "{pointer}: {found:?}"
        );
    }
}

#[test]
fn the_type_must_be_one_of_r4() {
    for (resource, issue) in [
        (json!({}), "resourceType: is required"),
        (json!([]), "resourceType: is required"),
        (json!({"resourceType": 1}), "resourceType: is required"),
        (
            json!({"resourceType": "patient", "active": true}),
            "resourceType: is not a resource type that the bridge exchanges",
        ),
        (
            json!({"resourceType": "Ingredient", "status": "active"}),
            "resourceType: is not a resource type that the bridge exchanges",
        ),
        (json!({"resourceType": "Observation", "active": true}), "Observation.status: is required"),
        (
            json!({"resourceType": "Organization", "birthDate": "1984-03-09"}),
            "Organization.birthDate: is not an element of FHIR R4 here",
        ),
    ] {
        assert!(issues(&resource).contains(&issue.to_owned()), "{resource}: {:?}", issues(&resource));
    }
}

#[test]
fn numbers_and_times_are_compared_by_value() {
    let observation = r#"{"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "effectiveInstant": "2026-01-02T03:04:05.1200+00:00", "valueQuantity": {"value": NUMBER}}"#;
    for number in ["1.00", "0.1", "-0.0", "1e3", "12345678901234567890", "3.14159265358979323846", "100"] {
        let observation: Value = serde_json::from_str(&observation.replace("NUMBER", number)).unwrap();
        assert_eq!(issues(&observation), [""; 0], "{number}");
    }
}

#[test]
fn several_issues_are_found_at_once() {
    let mut resource = with(patient(), "/planted", json!(1));
    resource = with(resource, "/id", json!("a b"));
    resource = with(resource, "/contained/0/planted", json!(1));
    assert_eq!(
        issues(&resource),
        [
            "Patient.id: must be 1 to 64 of A-Z, a-z, 0-9, `-` and `.`",
            "Patient.planted: is not an element of FHIR R4 here",
            "Patient.contained[0].planted: is not an element of FHIR R4 here",
        ]
    );
}

/// Deep JSON is refused by serde_json's reader, but a mapping could build it. The deepest that is allowed must not
/// need more stack than a thread has.
#[test]
fn depth_is_no_danger() {
    let nested = |levels: usize| {
        let mut extension = json!({"url": "u", "valueString": "x"});
        for _ in 0..levels {
            extension = json!({"url": "u", "extension": [extension]});
        }
        json!({"resourceType": "Patient", "extension": [extension]})
    };
    assert_eq!(issues(&nested(18)), [""; 0]);
    assert_eq!(issues(&nested(19)), ["Patient: nests deeper than 40 levels"]);
    assert_eq!(issues(&nested(500)), ["Patient: nests deeper than 40 levels"]);
}
