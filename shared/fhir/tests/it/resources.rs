//! One small valid resource of each type that the bridge exchanges, each with an identifier where it has one.

use serde_json::{Value, json};

/// A patient with everything that tends to get lost: exact decimals, extensions, primitive extensions, contained
/// resources, offsets.
pub(crate) fn patient() -> Value {
    serde_json::from_str(
        r##"{
        "resourceType": "Patient",
        "id": "p-1.A",
        "meta": {"lastUpdated": "2026-03-05T14:30:12.500-06:00"},
        "contained": [{"resourceType": "Organization", "id": "org", "name": "Larkspur Dental"}],
        "extension": [
            {"url": "urn:example:balance", "valueDecimal": 120.50},
            {"url": "urn:example:visit", "valueDateTime": "2019-11-20T08:00:00.000+00:00"},
            {"url": "urn:example:nested", "extension": [{"url": "a", "valueQuantity": {"value": 1.00, "unit": "mg"}}]}
        ],
        "identifier": [
            {"use": "usual", "value": "no system"},
            {"system": "https://pms.example/PatNum", "value": "4711"}
        ],
        "active": true,
        "name": [{"use": "official", "family": "Quillfeather", "given": ["Tansy", null],
            "_given": [null, {"extension": [{"url": "urn:example:reason", "valueCode": "unknown"}]}]}],
        "telecom": [{"system": "phone", "value": "+1 503 555 0199", "use": "mobile", "rank": 1}],
        "gender": "female",
        "birthDate": "1984-03-09",
        "_birthDate": {"extension": [{"url": "urn:example:birthTime", "valueDateTime": "1984-03-09T04:05:06Z"}]},
        "deceasedBoolean": false,
        "address": [{"line": ["12 Larkspur Row"], "city": "Nonesuch", "state": "OR", "postalCode": "97000"}],
        "contact": [{"relationship": [{"text": "spouse"}], "name": {"text": "Ambrose Quillfeather"}}],
        "communication": [{"language": {"text": "English"}, "preferred": true}],
        "generalPractitioner": [{"reference": "Practitioner/dr-1"}],
        "managingOrganization": {"reference": "#org"},
        "link": [{"other": {"reference": "Patient/p-2"}, "type": "replaces"}]
    }"##,
    )
    .unwrap()
}

pub(crate) fn appointment() -> Value {
    json!({
        "resourceType": "Appointment",
        "identifier": [{"system": "https://pms.example/AptNum", "value": "34"}],
        "status": "booked",
        "start": "2026-07-01T09:30:00-05:00",
        "end": "2026-07-01T10:10:00-05:00",
        "minutesDuration": 40,
        "participant": [
            {"actor": {"reference": "Patient?identifier=https://pms.example/PatNum|4711"}, "status": "accepted"},
            {"actor": {"reference": "Location?identifier=urn:oid:1.2|Room%204%7CB"}, "status": "accepted"}
        ]
    })
}

/// The smallest valid resource of each type.
pub(crate) fn smallest() -> Vec<Value> {
    let concept = json!({"text": "x"});
    let subject = json!({"reference": "Patient/p"});
    let coding = json!({"system": "urn:example:codes", "code": "x"});
    vec![
        json!({"resourceType": "Account", "status": "active"}),
        json!({"resourceType": "AllergyIntolerance", "patient": subject}),
        json!({"resourceType": "Appointment", "status": "booked", "participant": [{"status": "accepted"}]}),
        json!({"resourceType": "AuditEvent", "type": coding, "recorded": "2026-01-02T03:04:05Z",
            "agent": [{"requestor": false}], "source": {"observer": {"display": "bridge"}}}),
        json!({"resourceType": "Basic", "code": concept}),
        json!({"resourceType": "Bundle", "type": "collection"}),
        json!({"resourceType": "CareTeam", "name": "Root canals"}),
        json!({"resourceType": "ChargeItem", "status": "billable", "code": concept, "subject": subject}),
        json!({"resourceType": "Communication", "status": "completed"}),
        json!({"resourceType": "Condition", "subject": subject}),
        json!({"resourceType": "Coverage", "status": "active", "beneficiary": subject, "payor": [subject]}),
        json!({"resourceType": "Device", "lotNumber": "7"}),
        json!({"resourceType": "DiagnosticReport", "status": "final", "code": concept}),
        json!({"resourceType": "DocumentReference", "status": "current",
            "content": [{"attachment": {"contentType": "text/plain", "data": "eA=="}}]}),
        json!({"resourceType": "Encounter", "status": "finished", "class": coding}),
        json!({"resourceType": "EpisodeOfCare", "status": "active", "patient": subject}),
        json!({"resourceType": "Immunization", "status": "completed", "vaccineCode": concept, "patient": subject,
            "occurrenceDateTime": "2026-01-02"}),
        json!({"resourceType": "Invoice", "status": "issued"}),
        json!({"resourceType": "Location", "name": "Room 4"}),
        json!({"resourceType": "Medication", "code": concept}),
        json!({"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": subject,
            "medicationCodeableConcept": concept}),
        json!({"resourceType": "MessageHeader", "eventCoding": coding, "source": {"endpoint": "urn:example:bridge"}}),
        json!({"resourceType": "Observation", "status": "final", "code": concept}),
        json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}),
        json!({"resourceType": "Organization", "name": "Larkspur Dental"}),
        json!({"resourceType": "Patient", "active": true}),
        json!({"resourceType": "PaymentNotice", "status": "active", "created": "2026-01-02",
            "payment": {"reference": "PaymentReconciliation/1"}, "recipient": {"display": "payer"},
            "amount": {"value": 10.5, "currency": "USD"}}),
        json!({"resourceType": "Practitioner", "active": true}),
        json!({"resourceType": "PractitionerRole", "active": true}),
        json!({"resourceType": "Procedure", "status": "completed", "subject": subject}),
        json!({"resourceType": "Provenance", "target": [subject], "recorded": "2026-01-02T03:04:05Z",
            "agent": [{"who": {"display": "bridge"}}]}),
        json!({"resourceType": "RelatedPerson", "patient": subject}),
        json!({"resourceType": "Schedule", "actor": [subject]}),
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": subject}),
        json!({"resourceType": "Slot", "schedule": {"reference": "Schedule/s"}, "status": "free",
            "start": "2026-01-02T03:04:05Z", "end": "2026-01-02T03:14:05Z"}),
        json!({"resourceType": "Specimen", "status": "available"}),
        json!({"resourceType": "Subscription", "status": "active", "reason": "x", "criteria": "Patient",
            "channel": {"type": "rest-hook"}}),
        json!({"resourceType": "Task", "status": "requested", "intent": "order"}),
    ]
}
