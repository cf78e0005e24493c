//! NexHealth's records.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{LOCATION, State, ZONE};
use crate::parts::clinic::{Charge, Patient, Payment, Place, Policy, Practitioner, Visit, money};

/// Times have three decimals.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn price(cents: i64) -> Value {
    json!({"amount": money(cents), "currency": "USD"})
}

pub(super) fn location(place: &Place) -> Value {
    let [street, city, state, zip] = &place.address;
    json!({
        "id": place.id, "name": place.name, "institution_id": 105, "street_address": street, "city": city,
        "state": state, "zip_code": zip, "country_code": "US", "phone_number": place.phone, "inactive": false,
        "tz": place.zone, "map_by_operatory": true,
    })
}

pub(super) fn operatory(id: u64) -> Value {
    json!({
        "id": id, "foreign_id": format!("OP{id}"), "name": format!("Sample Room {id}"), "location_id": LOCATION,
        "active": true, "bookable_online": true, "display_name": format!("Room {id}"),
    })
}

pub(super) fn provider(practitioner: &Practitioner) -> Value {
    let person = &practitioner.person;
    json!({
        "id": practitioner.id, "foreign_id": format!("EHR-{}", practitioner.id), "foreign_id_type": "sim",
        "email": person.email, "first_name": person.given, "middle_name": null, "last_name": person.family,
        "name": format!("{} {}", person.given, person.family), "npi": practitioner.npi, "inactive": false,
        "specialty_code": null, "display_name": format!("Dr. {}", person.family),
        "created_at": time(practitioner.stamps.created), "updated_at": time(practitioner.stamps.updated),
    })
}

pub(super) fn patient(patient: &Patient, state: &State, now: Timestamp) -> Value {
    let person = &patient.person;
    let gender = match person.gender {
        "male" => "Male",
        "female" => "Female",
        _ => "Other",
    };
    let foreign = state.is_synced(patient.id, now).then(|| format!("EHR-{}", patient.id));
    json!({
        "id": patient.id, "foreign_id": foreign, "foreign_id_type": "sim", "first_name": person.given,
        "middle_name": null, "last_name": person.family, "name": format!("{} {}", person.given, person.family),
        "email": person.email, "inactive": !patient.is_active, "chart_id": null, "guarantor_id": patient.id,
        "provider_id": patient.practitioner, "billing_type": null, "preferred_language": null,
        "location_ids": [LOCATION], "institution_id": 105,
        "bio": {
            "gender": gender, "date_of_birth": person.birth_date, "phone_number": person.phone,
            "cell_phone_number": person.phone, "home_phone_number": null, "work_phone_number": null,
            "new_patient": false, "non_patient": false, "city": person.city, "state": "NY",
            "zip_code": person.postal_code, "address_line_1": person.street, "address_line_2": null,
        },
        "created_at": time(patient.stamps.created), "updated_at": time(patient.stamps.updated),
        "last_sync_time": time(patient.stamps.updated),
    })
}

pub(super) fn appointment(visit: &Visit, state: &State, now: Timestamp) -> Value {
    let foreign = state.is_synced(visit.id, now).then(|| format!("EHR-{}", visit.id));
    let provider = state.clinic.practitioners.get(&visit.practitioner);
    let is = |word: &str| visit.status == word;
    let updated = time(visit.stamps.updated);
    json!({
        "id": visit.id, "patient_id": visit.patient, "provider_id": visit.practitioner,
        "provider_name": provider.map(|provider| format!("Dr. {}", provider.person.family)),
        "operatory_id": visit.room, "location_id": visit.place, "institution_id": 105,
        "appointment_type_id": visit.kind, "start_time": time(visit.start), "end_time": time(visit.end()),
        "timezone": ZONE, "timezone_offset": "-05:00", "confirmed": false, "patient_confirmed": false,
        "checkin_at": (is("arrived") || is("fulfilled")).then_some(&updated),
        "checked_out": is("fulfilled"), "checked_out_at": is("fulfilled").then_some(&updated),
        "cancelled": is("cancelled"), "cancelled_at": is("cancelled").then_some(&updated),
        "patient_missed": is("noshow"), "unavailable": false, "note": visit.note,
        "is_new_clients_patient": false, "sooner_if_possible": null, "foreign_id": foreign,
        "foreign_id_type": "sim", "created_at": time(visit.stamps.created), "updated_at": updated,
        "last_sync_time": updated, "deleted": false,
    })
}

pub(super) fn coverage(patient: &Patient, held: &Policy, rank: u64) -> Value {
    json!({
        "id": held.id, "patient_id": patient.id, "plan_id": held.payer_id, "subscriber_num": held.member,
        "subscription_relation": "self", "priority": rank, "insurance_type": "dental", "effective_date": "2025-01-01",
        "expiration_date": null, "active": true, "updated_at": time(patient.stamps.updated),
    })
}

pub(super) fn charge(charge: &Charge) -> Value {
    json!({
        "id": charge.id, "foreign_id": format!("EHR-{}", charge.id), "location_id": LOCATION,
        "patient_id": charge.patient, "guarantor_id": charge.patient, "provider_id": charge.practitioner,
        "procedure_id": null, "procedure_code": charge.code, "description": charge.text,
        "fee": price(charge.cents * i64::from(charge.quantity)), "charged_at": charge.day,
        "claim_payouts": [], "updated_at": time(charge.stamps.updated), "deleted_at": null,
    })
}

/// What a patient paid is negative: it makes the balance smaller.
pub(super) fn payment(payment: &Payment) -> Value {
    json!({
        "id": payment.id, "foreign_id": format!("EHR-{}", payment.id), "location_id": LOCATION,
        "patient_id": payment.patient, "guarantor_id": payment.patient, "provider_id": payment.practitioner,
        "payment_amount": price(-payment.cents), "paid_at": payment.day, "description": payment.note,
        "transaction_id": null, "charge_id": null, "claim_id": null, "payment_plan_id": null,
        "insurance_plan_id": null, "payment_type_id": 113, "updated_at": time(payment.stamps.updated),
        "deleted_at": null,
    })
}
