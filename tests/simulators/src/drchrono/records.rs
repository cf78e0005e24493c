//! What records look like.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde_json::{Value, json};

use crate::parts::clinic::{
    Charge, Clinic, Patient, Payment, Place, Policy, Practitioner, Stamps, Visit, money,
};

/// Local time of a zone, without the zone: `2026-03-02T09:00:00`.
pub(super) fn local(at: Timestamp, zone: TimeZone) -> String {
    at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

pub(super) fn stamp(at: Timestamp) -> String {
    local(at, TimeZone::UTC)
}

pub(super) fn appointment(clinic: &Clinic, visit: &Visit) -> Value {
    json!({
        // Usually digits, but text.
        "id": visit.id.to_string(),
        "scheduled_time": local(visit.start, clinic.zone(visit.place)),
        "duration": visit.minutes,
        "doctor": visit.practitioner,
        "office": visit.place,
        "exam_room": visit.room,
        "patient": visit.patient,
        "profile": (visit.patient.is_some()).then_some(visit.kind),
        "status": visit.status,
        "reason": visit.reason,
        "notes": visit.note,
        "deleted_flag": visit.is_deleted,
        "appt_is_break": visit.patient.is_none(),
        "allow_overlapping": false,
        "is_walk_in": false,
        "recurring_appointment": false,
        "base_recurring_appointment": null,
        "billing_status": "",
        "icd10_codes": [],
        "created_at": stamp(visit.stamps.created),
        "updated_at": stamp(visit.stamps.updated),
    })
}

pub(super) fn patient(patient: &Patient, is_verbose: bool) -> Value {
    let Patient { person, .. } = patient;
    let gender = match person.gender {
        "male" => "Male",
        "female" => "Female",
        _ => "Other",
    };
    let mut record = json!({
        "id": patient.id,
        "chart_id": format!("{}{:06}", chart(&person.family), patient.id),
        "first_name": person.given,
        "middle_name": "",
        "last_name": person.family,
        "nick_name": null,
        "date_of_birth": person.birth_date.to_string(),
        "gender": gender,
        "doctor": patient.practitioner,
        "cell_phone": person.phone,
        "home_phone": "",
        "office_phone": "",
        "email": person.email,
        "address": person.street,
        "city": person.city,
        "state": "NY",
        "zip_code": person.postal_code,
        "patient_status": if patient.is_active { "A" } else { "I" },
        "preferred_language": "eng",
        "emergency_contact_name": "",
        "emergency_contact_phone": "",
        "emergency_contact_relation": null,
        "updated_at": stamp(patient.stamps.updated),
    });
    if let (true, Value::Object(record)) = (is_verbose, &mut record) {
        for (rank, name) in ["primary_insurance", "secondary_insurance"].into_iter().enumerate() {
            record.insert(name.to_owned(), insurance(patient.policies.get(rank)));
        }
    }
    record
}

/// An insurance that is not there is an object of empty texts.
fn insurance(policy: Option<&Policy>) -> Value {
    let text = |of: fn(&Policy) -> &str| policy.map(of).unwrap_or_default();
    json!({
        "insurance_company": text(|policy| policy.payer),
        "insurance_payer_id": text(|policy| policy.payer_id),
        "insurance_id_number": text(|policy| &policy.member),
        "insurance_group_number": text(|policy| &policy.group),
        "insurance_group_name": "",
        "insurance_plan_name": "",
        "is_subscriber_the_patient": true,
        "patient_relationship_to_subscriber": "",
    })
}

fn chart(family: &str) -> String {
    family.chars().filter(char::is_ascii_alphabetic).take(4).collect::<String>().to_uppercase()
}

pub(super) fn doctor(clinic: &Clinic, doctor: &Practitioner) -> Value {
    json!({
        "id": doctor.id,
        "first_name": doctor.person.given,
        "last_name": doctor.person.family,
        "suffix": "",
        "specialty": doctor.specialty,
        "npi_number": doctor.npi,
        "email": doctor.person.email,
        "office_phone": doctor.person.phone,
        "cell_phone": "",
        "home_phone": "",
        "timezone": clinic.places.get(&doctor.place).map_or("", |place| place.zone),
        "practice_group": "7001",
        "is_account_suspended": false,
    })
}

pub(super) fn office(clinic: &Clinic, place: &Place) -> Value {
    let [street, city, state, zip] = &place.address;
    let owner = clinic.practitioners.values().find(|practitioner| practitioner.place == place.id);
    json!({
        "id": place.id,
        "name": place.name,
        "doctor": owner.map(|owner| owner.id.to_string()),
        "address": street,
        "city": city,
        "state": state,
        "zip_code": zip,
        "country": "US",
        "phone_number": place.phone,
        "fax_number": "",
        "archived": false,
        "start_time": "09:00:00",
        "end_time": "17:00:00",
        "exam_rooms": [
            {"index": 1, "name": "Exam 1", "online_scheduling": true},
            {"index": 2, "name": "Exam 2", "online_scheduling": false},
        ],
    })
}

/// Some amounts are numbers, some are texts.
pub(super) fn line_item(charge: &Charge) -> Value {
    let total = charge.cents.saturating_mul(i64::from(charge.quantity));
    json!({
        "id": charge.id,
        "appointment": charge.visit,
        "patient": charge.patient.to_string(),
        "doctor": charge.practitioner.to_string(),
        "code": charge.code,
        "description": charge.text,
        "procedure_type": "U",
        "modifiers": [],
        "diagnosis_pointers": ["1"],
        "quantity": charge.quantity,
        "units": "UN",
        "price": number(charge.cents),
        "billed": number(total),
        "allowed": 0,
        "adjustment": 0,
        "ins1_paid": 0,
        "ins2_paid": 0,
        "ins3_paid": 0,
        "pt_paid": 0,
        "balance_ins": 0,
        "balance_pt": number(total),
        "balance_total": money(total),
        "paid_total": "0.00",
        "billing_status": "",
        "denied_flag": false,
        "service_date": charge.day.to_string(),
        "posted_date": charge.stamps.created.to_zoned(TimeZone::UTC).date().to_string(),
        "updated_at": stamp(charge.stamps.updated),
    })
}

pub(super) fn payment(payment: &Payment) -> Value {
    json!({
        "id": payment.id,
        "patient": payment.patient,
        "doctor": payment.practitioner,
        "appointment": payment.visit,
        "line_item": null,
        "amount": number(payment.cents),
        "payment_method": payment.method,
        "payment_transaction_type": if payment.cents < 0 { "REF" } else { "" },
        "received_date": payment.day.to_string(),
        "posted_date": payment.day.to_string(),
        "notes": payment.note,
        "trace_number": "",
        "created_by": "Invented Clerk",
        "created_at": stamp(payment.stamps.created),
        "updated_at": stamp(payment.stamps.updated),
    })
}

pub(super) fn profile() -> Value {
    json!({"id": 1, "name": "Invented visit", "duration": 30, "color": "#336699", "archived": false,
        "online_scheduling": true})
}

/// Cents as a JSON number with its two places.
fn number(cents: i64) -> Value {
    serde_json::from_str(&money(cents)).unwrap_or_default()
}

/// A break at the end of the next day of each doctor who has none: an appointment without a patient.
pub(super) fn add_breaks(clinic: &mut Clinic, now: Timestamp) {
    let doctors: Vec<(u64, u64)> =
        clinic.practitioners.values().map(|doctor| (doctor.id, doctor.place)).collect();
    for (practitioner, place) in doctors {
        let has_one = clinic.visits.values().any(|v| v.patient.is_none() && v.practitioner == practitioner);
        let zone = clinic.zone(place);
        let day = now.to_zoned(zone.clone()).date().saturating_add(1.day());
        let Ok(start) = day.at(17, 0, 0, 0).to_zoned(zone) else { continue };
        if has_one {
            continue;
        }
        let id = clinic.number();
        let visit = Visit {
            id,
            patient: None,
            practitioner,
            place,
            start: start.timestamp(),
            minutes: 30,
            kind: 0,
            room: 1,
            status: String::new(),
            reason: "Break".to_owned(),
            note: String::new(),
            is_deleted: false,
            stamps: Stamps::new(now),
        };
        clinic.visits.insert(id, visit);
    }
}
