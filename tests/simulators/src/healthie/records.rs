//! What records look like, whole: the selection of a request is cut of them.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::parts::clinic::{
    Charge, Clinic, Patient, Payment, Place, Policy, Practitioner, Stamps, Visit, money,
};

/// The zone of the key's owner: the first practitioner.
pub(super) fn zone(clinic: &Clinic) -> TimeZone {
    clinic.practitioners.values().next().map_or(TimeZone::UTC, |owner| clinic.zone(owner.place))
}

/// A time with the offset of that zone: `2026-03-02T09:00:00-05:00`.
pub(super) fn time(clinic: &Clinic, at: Timestamp) -> String {
    at.to_zoned(zone(clinic)).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn with_stamps(clinic: &Clinic, mut record: Value, stamps: Stamps) -> Value {
    if let Value::Object(fields) = &mut record {
        fields.insert("created_at".to_owned(), json!(time(clinic, stamps.created)));
        fields.insert("updated_at".to_owned(), json!(time(clinic, stamps.updated)));
    }
    record
}

pub(super) fn patient(clinic: &Clinic, patient: &Patient) -> Value {
    let Patient { person, .. } = patient;
    let gender = match person.gender {
        "male" => json!("Male"),
        "female" => json!("Female"),
        _ => Value::Null,
    };
    let record = json!({
        "id": patient.id.to_string(),
        "first_name": person.given,
        "last_name": person.family,
        "full_name": format!("{} {}", person.given, person.family),
        "dob": person.birth_date.to_string(),
        "gender": gender,
        "sex": gender,
        "email": person.email,
        "phone_number": person.phone,
        "is_patient": true,
        "active": patient.is_active,
        "dietitian_id": patient.practitioner.to_string(),
        "dietitian": clinic.practitioners.get(&patient.practitioner).map(|owner| practitioner(clinic, owner)),
        "location": {
            "id": format!("{}", patient.id), "line1": person.street, "line2": "", "city": person.city, "state": "NY",
            "zip": person.postal_code, "country": "US",
        },
        "policies": patient.policies.iter().enumerate().map(|(rank, held)| policy(patient, rank, held)).collect::<Vec<_>>(),
    });
    with_stamps(clinic, record, patient.stamps)
}

fn policy(patient: &Patient, rank: usize, policy: &Policy) -> Value {
    json!({
        "id": policy.id.to_string(),
        "num": policy.member,
        "group_num": policy.group,
        "name": policy.payer,
        "priority_type": if rank == 0 { "primary" } else { "secondary" },
        "holder_relationship": "Self",
        "user_id": patient.id.to_string(),
        "insurance_plan": {
            "id": policy.payer_id, "payer_id": policy.payer_id, "payer_name": policy.payer,
            "name_and_id": format!("{} - {}", policy.payer, policy.payer_id),
        },
    })
}

pub(super) fn practitioner(clinic: &Clinic, practitioner: &Practitioner) -> Value {
    let person = &practitioner.person;
    let record = json!({
        "id": practitioner.id.to_string(),
        "first_name": person.given,
        "last_name": person.family,
        "full_name": format!("{} {}", person.given, person.family),
        "email": person.email,
        "phone_number": person.phone,
        "npi": practitioner.npi,
        "is_patient": false,
        "is_active_provider": true,
        "active": true,
        "timezone": clinic.places.get(&practitioner.place).map(|place| place.zone),
    });
    with_stamps(clinic, record, practitioner.stamps)
}

pub(super) fn place(place: &Place) -> Value {
    let text = format!("{}, {}", place.name, place.address.join(", "));
    json!({"id": place.id.to_string(), "location": text, "clients_can_book": true, "has_rooms": false})
}

pub(super) fn appointment_type() -> Value {
    json!({"id": "1", "name": "Invented session", "length": 30, "is_group": false,
        "available_contact_types": ["Healthie Video Call", "In Person", "Phone Call"]})
}

pub(super) fn appointment(clinic: &Clinic, visit: &Visit) -> Value {
    // Whose kind is 2 is held in person.
    let is_video = visit.kind == 2;
    let client = visit.patient.and_then(|id| clinic.patients.get(&id)).map(|found| patient(clinic, found));
    let record = json!({
        "id": visit.id.to_string(),
        "date": time(clinic, visit.start),
        "start": time(clinic, visit.start),
        "end": time(clinic, visit.end()),
        "length": visit.minutes,
        // Nothing where nothing has become of it yet.
        "pm_status": (!visit.status.is_empty()).then_some(&visit.status),
        "contact_type": if is_video { "Healthie Video Call" } else { "In Person" },
        "is_blocker": visit.patient.is_none(),
        "is_group": false,
        "confirmed": true,
        "notes": visit.note,
        "reason": visit.reason,
        "appointment_location_id": (!is_video).then(|| visit.place.to_string()),
        "appointment_type_id": "1",
        "appointment_type": appointment_type(),
        "other_party_id": visit.practitioner.to_string(),
        "provider": clinic.practitioners.get(&visit.practitioner).map(|found| practitioner(clinic, found)),
        "user_id": visit.patient.map(|id| id.to_string()),
        "attendees": client.iter().collect::<Vec<_>>(),
        "user": client,
        "timezone_abbr": visit.start.to_zoned(zone(clinic)).strftime("%Z").to_string(),
        "deleted_at": visit.is_deleted.then(|| time(clinic, visit.stamps.updated)),
    });
    with_stamps(clinic, record, visit.stamps)
}

pub(super) fn billing_item(clinic: &Clinic, payment: &Payment) -> Value {
    let record = json!({
        "id": payment.id.to_string(),
        "amount_paid": money(payment.cents),
        "amount_paid_string": format!("${}", money(payment.cents)),
        "currency": "USD",
        "state": "succeeded",
        "note": payment.note,
        "payment_medium": payment.method,
        "sender_id": payment.patient.to_string(),
        "sender": clinic.patients.get(&payment.patient).map(|found| patient(clinic, found)),
        "recipient_id": payment.practitioner.to_string(),
        "recipient": clinic.practitioners.get(&payment.practitioner).map(|found| practitioner(clinic, found)),
        "is_outside_payment": true,
    });
    with_stamps(clinic, record, payment.stamps)
}

/// A claim of one service.
pub(super) fn claim(clinic: &Clinic, charge: &Charge) -> Value {
    let total = money(charge.cents.saturating_mul(i64::from(charge.quantity)));
    let record = json!({
        "id": charge.id.to_string(),
        "status": "Not Sent",
        "patient_id": charge.patient.to_string(),
        "patient": clinic.patients.get(&charge.patient).map(|found| patient(clinic, found)),
        "rendering_provider": clinic.practitioners.get(&charge.practitioner).map(|found| practitioner(clinic, found)),
        "total_charge": total,
        "date_of_service": charge.day.to_string(),
        "cpt_codes_cms1500s": [{
            "id": charge.id.to_string(),
            "cpt_code": {"id": charge.code, "code": charge.code, "description": charge.text},
            "fee": money(charge.cents), "units": charge.quantity, "service_date": charge.day.to_string(),
            "updated_at": time(clinic, charge.stamps.updated),
        }],
    });
    with_stamps(clinic, record, charge.stamps)
}
