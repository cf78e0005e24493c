//! What can be written, and what is refused.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};
use serde_json::Value;

use super::{State, detail, invalid, lists, takes_time};
use crate::{
    Answer, Request,
    parts::{
        clinic::{Charge, Clinic, Patient, Payment, Stamps, Visit, cents},
        people::Person,
    },
};

const STATUSES: &[&str] = &[
    "",
    "Arrived",
    "Checked In",
    "Checked In Online",
    "In Room",
    "In Session",
    "Complete",
    "Confirmed",
    "Not Confirmed",
    "Rescheduled",
    "Cancelled",
    "No Show",
];
const METHODS: &[&str] = &[
    "DRCP", "CASH", "CHCK", "DBIT", "CRDT", "AMEX", "VISA", "MSTR", "DISC", "SQR1", "SQRE", "PTPA", "ONPT",
    "OTHR",
];

pub(super) fn create(state: &mut State, list: &str, request: &Request, now: Timestamp) -> Answer {
    let Some(body) = request.json() else { return detail(400, "JSON parse error") };
    let State { clinic, hooks, .. } = state;
    let made = match list {
        "appointments" => new_visit(clinic, &body, now).inspect(|id| hooks.note("APPOINTMENT_CREATE", *id)),
        "patients" => new_patient(clinic, &body, now).inspect(|id| hooks.note("PATIENT_CREATE", *id)),
        "line_items" => new_charge(clinic, &body, now),
        "patient_payments" => new_payment(clinic, &body, now),
        _ => return detail(405, "Method \"POST\" not allowed."),
    };
    match made {
        Ok(id) => Answer::json(201, &lists::record(clinic, list, id, false).unwrap_or_default()),
        Err(answer) => answer,
    }
}

/// Changes are answered without the record.
pub(super) fn change(state: &mut State, list: &str, id: &str, request: &Request, now: Timestamp) -> Answer {
    let Some(body) = request.json() else { return detail(400, "JSON parse error") };
    let State { clinic, hooks, .. } = state;
    let Ok(id) = id.parse() else { return detail(404, "Not found.") };
    let done = match list {
        "appointments" => {
            change_visit(clinic, id, &body, now).inspect(|()| hooks.note("APPOINTMENT_MODIFY", id))
        }
        "patients" => change_patient(clinic, id, &body, now).inspect(|()| hooks.note("PATIENT_MODIFY", id)),
        _ => return detail(405, "Method \"PATCH\" not allowed."),
    };
    done.err().unwrap_or_else(|| Answer::empty(204))
}

/// What is deleted stays, with a flag.
pub(super) fn delete(state: &mut State, id: &str, now: Timestamp) -> Answer {
    let Some(visit) = id.parse().ok().and_then(|id| state.clinic.visits.get_mut(&id)) else {
        return detail(404, "Not found.");
    };
    visit.is_deleted = true;
    visit.stamps.updated = now;
    state.hooks.note("APPOINTMENT_DELETE", visit.id);
    Answer::empty(204)
}

fn required(field: &str) -> Answer {
    invalid(field, "This field is required.")
}

fn number(body: &Value, field: &str) -> Option<u64> {
    let value = body.get(field)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn text(body: &Value, field: &str) -> Option<String> {
    body.get(field).and_then(Value::as_str).map(str::to_owned)
}

fn new_visit(clinic: &mut Clinic, body: &Value, now: Timestamp) -> Result<u64, Answer> {
    for field in ["doctor", "exam_room", "office", "patient", "scheduled_time"] {
        if body.get(field).is_none() {
            return Err(required(field));
        }
    }
    let mut visit = Visit {
        id: 0,
        patient: None,
        practitioner: 0,
        place: 0,
        start: now,
        minutes: 30,
        kind: 1,
        room: 1,
        status: String::new(),
        reason: String::new(),
        note: String::new(),
        is_deleted: false,
        stamps: Stamps::new(now),
    };
    apply(clinic, &mut visit, body)?;
    visit.id = clinic.number();
    let id = visit.id;
    clinic.visits.insert(id, visit);
    Ok(id)
}

fn change_visit(clinic: &mut Clinic, id: u64, body: &Value, now: Timestamp) -> Result<(), Answer> {
    let mut visit = clinic.visits.get(&id).cloned().ok_or_else(|| detail(404, "Not found."))?;
    apply(clinic, &mut visit, body)?;
    visit.stamps.updated = now;
    clinic.visits.insert(id, visit);
    Ok(())
}

/// Puts what a body says into an appointment, and refuses what can't be.
fn apply(clinic: &Clinic, visit: &mut Visit, body: &Value) -> Result<(), Answer> {
    let known = |field: &str, is_there: bool| {
        is_there.then_some(()).ok_or_else(|| invalid(field, "Invalid pk - object does not exist."))
    };
    if let Some(doctor) = number(body, "doctor") {
        known("doctor", clinic.practitioners.contains_key(&doctor))?;
        visit.practitioner = doctor;
    }
    if let Some(office) = number(body, "office") {
        known("office", clinic.places.contains_key(&office))?;
        visit.place = office;
    }
    if let Some(patient) = number(body, "patient") {
        known("patient", clinic.patients.contains_key(&patient))?;
        visit.patient = Some(patient);
    }
    if let Some(room) = number(body, "exam_room") {
        known("exam_room", (1..=2).contains(&room))?;
        visit.room = room;
    }
    if let Some(time) = text(body, "scheduled_time") {
        let wrong = || invalid("scheduled_time", "Enter a valid date/time.");
        let time: DateTime = time.parse().ok().filter(|_| !time.ends_with('Z')).ok_or_else(wrong)?;
        visit.start = time.to_zoned(clinic.zone(visit.place)).map_err(|_| wrong())?.timestamp();
    }
    if let Some(minutes) = number(body, "duration") {
        let minutes = i64::try_from(minutes).ok().filter(|minutes| (1..=1_440).contains(minutes));
        visit.minutes = minutes.ok_or_else(|| invalid("duration", "A valid integer is required."))?;
    }
    if let Some(status) = text(body, "status") {
        if !STATUSES.contains(&status.as_str()) {
            return Err(invalid("status", "This is not a valid choice."));
        }
        visit.status = status;
    }
    visit.reason = text(body, "reason").unwrap_or_else(|| visit.reason.clone());
    visit.note = text(body, "notes").unwrap_or_else(|| visit.note.clone());
    let may_overlap = body.get("allow_overlapping").and_then(Value::as_bool).unwrap_or_default();
    let except = (visit.id != 0).then_some(visit.id);
    if takes_time(visit)
        && !may_overlap
        && let Some(other) = clinic.clash(visit.practitioner, visit.start, visit.minutes, except, takes_time)
    {
        return Err(detail(409, &format!("This appointment overlaps with appointment {other}.")));
    }
    Ok(())
}

fn new_patient(clinic: &mut Clinic, body: &Value, now: Timestamp) -> Result<u64, Answer> {
    for field in ["gender", "doctor"] {
        if body.get(field).is_none() {
            return Err(required(field));
        }
    }
    let nobody = Person {
        family: String::new(),
        given: String::new(),
        birth_date: Date::ZERO,
        gender: "other",
        phone: String::new(),
        email: String::new(),
        street: String::new(),
        city: String::new(),
        postal_code: String::new(),
    };
    let (person, is_active, stamps) = (nobody, true, Stamps::new(now));
    let mut patient = Patient { id: 0, person, is_active, practitioner: 0, policies: Vec::new(), stamps };
    apply_patient(clinic, &mut patient, body)?;
    let is_same = |other: &&Patient| {
        let (a, b) = (&other.person, &patient.person);
        (&a.family, &a.given, a.birth_date) == (&b.family, &b.given, b.birth_date)
    };
    let may_repeat = body.get("allow_duplicates").and_then(Value::as_bool).unwrap_or_default();
    if let Some(other) = clinic.patients.values().find(is_same).filter(|_| !may_repeat) {
        return Err(detail(
            409,
            &format!("A patient with the same name and date of birth exists: {}.", other.id),
        ));
    }
    patient.id = clinic.number();
    let id = patient.id;
    clinic.patients.insert(id, patient);
    Ok(id)
}

fn change_patient(clinic: &mut Clinic, id: u64, body: &Value, now: Timestamp) -> Result<(), Answer> {
    let mut patient = clinic.patients.get(&id).cloned().ok_or_else(|| detail(404, "Not found."))?;
    apply_patient(clinic, &mut patient, body)?;
    patient.stamps.updated = now;
    clinic.patients.insert(id, patient);
    Ok(())
}

fn apply_patient(clinic: &Clinic, patient: &mut Patient, body: &Value) -> Result<(), Answer> {
    if let Some(doctor) = number(body, "doctor") {
        if !clinic.practitioners.contains_key(&doctor) {
            return Err(invalid("doctor", "Invalid pk - object does not exist."));
        }
        patient.practitioner = doctor;
    }
    if let Some(gender) = text(body, "gender") {
        patient.person.gender = match gender.as_str() {
            "Male" => "male",
            "Female" => "female",
            "Other" | "UNK" | "ASKU" | "" => "other",
            _ => return Err(invalid("gender", "This is not a valid choice.")),
        };
    }
    if let Some(day) = text(body, "date_of_birth").filter(|day| !day.is_empty()) {
        let wrong = || invalid("date_of_birth", "Enter a valid date.");
        patient.person.birth_date = day.parse().map_err(|_| wrong())?;
    }
    if let Some(status) = text(body, "patient_status") {
        if !["A", "I", "D"].contains(&status.as_str()) {
            return Err(invalid("patient_status", "This is not a valid choice."));
        }
        patient.is_active = status == "A";
    }
    let Person { family, given, phone, email, street, city, postal_code, .. } = &mut patient.person;
    let fields = [
        ("last_name", family),
        ("first_name", given),
        ("cell_phone", phone),
        ("email", email),
        ("address", street),
        ("city", city),
        ("zip_code", postal_code),
    ];
    for (field, place) in fields {
        if let Some(value) = text(body, field) {
            *place = value;
        }
    }
    Ok(())
}

fn new_charge(clinic: &mut Clinic, body: &Value, now: Timestamp) -> Result<u64, Answer> {
    for field in ["appointment", "code", "procedure_type", "diagnosis_pointers"] {
        if body.get(field).is_none() {
            return Err(required(field));
        }
    }
    let visit = number(body, "appointment").and_then(|id| clinic.visits.get(&id)).cloned();
    let visit = visit.ok_or_else(|| invalid("appointment", "Invalid pk - object does not exist."))?;
    if !["C", "H", "U", "S"].contains(&text(body, "procedure_type").unwrap_or_default().as_str()) {
        return Err(invalid("procedure_type", "This is not a valid choice."));
    }
    let price = body.get("price").map_or(Some(0), |price| cents(&price.to_string()));
    let charge = Charge {
        id: clinic.number(),
        visit: visit.id,
        patient: visit.patient.unwrap_or_default(),
        practitioner: visit.practitioner,
        code: text(body, "code").unwrap_or_default(),
        text: "",
        quantity: number(body, "quantity").and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        cents: price.ok_or_else(|| invalid("price", "A valid number is required."))?,
        day: visit.start.to_zoned(clinic.zone(visit.place)).date(),
        stamps: Stamps::new(now),
    };
    let id = charge.id;
    clinic.charges.insert(id, charge);
    Ok(id)
}

fn new_payment(clinic: &mut Clinic, body: &Value, now: Timestamp) -> Result<u64, Answer> {
    let patient = number(body, "patient").ok_or_else(|| required("patient"))?;
    let Some(known) = clinic.patients.get(&patient) else {
        return Err(invalid("patient", "Invalid pk - object does not exist."));
    };
    let amount = body.get("amount").and_then(|amount| cents(&amount.to_string()));
    let amount = amount.ok_or_else(|| invalid("amount", "A valid number is required."))?;
    if amount == 0 {
        return Err(invalid("amount", "The amount cannot be zero."));
    }
    let method = text(body, "payment_method").unwrap_or_else(|| "CASH".to_owned());
    if !METHODS.contains(&method.as_str()) {
        return Err(invalid("payment_method", "This is not a valid choice."));
    }
    let practitioner = known.practitioner;
    let received = text(body, "received_date").and_then(|day| day.parse().ok());
    let payment = Payment {
        id: clinic.number(),
        patient,
        practitioner,
        visit: number(body, "appointment"),
        cents: amount,
        method,
        day: received.unwrap_or_else(|| now.to_zoned(jiff::tz::TimeZone::UTC).date()),
        note: text(body, "notes").unwrap_or_default(),
        stamps: Stamps::new(now),
    };
    let id = payment.id;
    clinic.payments.insert(id, payment);
    Ok(id)
}
