//! A synthetic practice in FHIR: people, places, free times, appointments, coverage and charges.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{search::collect, store::Store};
use crate::{
    Seed,
    book::{self, Amount, Book, Booking, Status},
    parts::people::{Person, person},
};

const HALF_HOUR: SignedDuration = SignedDuration::from_mins(30);
/// Half hours of a working day, of which the first begins at 14:00 UTC.
const A_DAY: usize = 16;
/// Free times of each practitioner, from 30 days ahead.
const FREE: usize = 32;

/// Puts a practice into a store; `mrn` is the system of the patients' record numbers.
pub fn seed(store: &mut Store, seed: &Seed, mrn: &str, now: Timestamp) {
    let mut chance = fastrand::Rng::with_seed(seed.number);
    if store.all("Location").next().is_none() {
        for name in ["Sampleby Family Practice", "Mockton Annex"] {
            store.create(
                json!({"resourceType": "Location", "status": "active", "name": name, "mode": "instance"}),
                now,
            );
        }
    }
    let locations = ids(store, "Location");
    for _ in 0..seed.practitioners {
        let practitioner = store.create(practitioner(&person(&mut chance)), now);
        let schedule = store.create(
            json!({
                "resourceType": "Schedule", "active": true,
                "actor": [reference("Practitioner", &practitioner), reference("Location", nth(&locations, 0))],
            }),
            now,
        );
        for free in 0..FREE {
            let (start, end) = half_hour(now, 30, free);
            store.create(slot(&schedule, "free", start, end), now);
        }
    }
    let practitioners = ids(store, "Practitioner");
    let first = ids(store, "Patient").len();
    for count in 0..seed.patients {
        let someone = person(&mut chance);
        let number = format!("SIM{:06}", first + count + 1);
        let patient = store.create(patient(&someone, mrn, &number, nth(&practitioners, count)), now);
        store.create(coverage(&patient, &number), now);
    }
    let patients = ids(store, "Patient");
    if patients.is_empty() || practitioners.is_empty() {
        return;
    }
    let first = ids(store, "Appointment").len();
    for count in first..first + seed.appointments {
        // From five days back on, one after the other for each practitioner.
        let (start, end) = half_hour(now, -5, count / practitioners.len());
        let status = match (count % 10, end <= now) {
            (0, _) => "cancelled",
            (1, true) => "noshow",
            (2, true) => "arrived",
            (_, true) => "fulfilled",
            (_, false) => "booked",
        };
        let who = (nth(&patients, chance.usize(..patients.len())), nth(&practitioners, count));
        let appointment = appointment(store, status, (start, end), who, nth(&locations, 0));
        store.create(appointment, now);
        if status == "fulfilled" {
            store.create(charge(who.0, start), now);
        }
    }
}

/// The `n`th half hour of working time from so many days from now on.
fn half_hour(now: Timestamp, days: i64, n: usize) -> (Timestamp, Timestamp) {
    let n = i64::try_from(n).unwrap_or(0);
    let a_day = i64::try_from(A_DAY).unwrap_or(1);
    let midnight = now.as_second().div_euclid(86_400) * 86_400;
    let second = midnight + (days + n / a_day) * 86_400 + 14 * 3_600 + (n % a_day) * 1_800;
    let start = Timestamp::from_second(second).unwrap_or(now);
    (start, start.saturating_add(HALF_HOUR).unwrap_or(start))
}

fn nth(ids: &[String], n: usize) -> &str {
    if ids.is_empty() { "" } else { ids.get(n % ids.len()).map_or("", String::as_str) }
}

fn ids(store: &Store, kind: &str) -> Vec<String> {
    store.all(kind).map(|(id, _)| id.to_owned()).collect()
}

/// A relative reference.
#[must_use]
pub fn reference(kind: &str, id: &str) -> Value {
    json!({"reference": format!("{kind}/{id}")})
}

fn practitioner(person: &Person) -> Value {
    json!({
        "resourceType": "Practitioner", "active": true, "gender": person.gender,
        "name": [{"use": "official", "text": format!("{} {}", person.given, person.family),
            "family": person.family, "given": [person.given]}],
    })
}

fn patient(person: &Person, mrn: &str, number: &str, practitioner: &str) -> Value {
    json!({
        "resourceType": "Patient", "active": true,
        "identifier": [{
            "use": "usual", "system": mrn, "value": number,
            "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
        }],
        "name": [{"use": "official", "family": person.family, "given": [person.given]}],
        "telecom": [
            {"system": "phone", "value": person.phone, "use": "home"},
            {"system": "email", "value": person.email},
        ],
        "gender": person.gender,
        "birthDate": person.birth_date,
        "address": [{"use": "home", "line": [person.street], "city": person.city,
            "postalCode": person.postal_code}],
        "generalPractitioner": [reference("Practitioner", practitioner)],
    })
}

fn coverage(patient: &str, number: &str) -> Value {
    json!({
        "resourceType": "Coverage", "status": "active", "subscriberId": format!("M-{number}"),
        "beneficiary": reference("Patient", patient),
        "payor": [{"display": "Imaginary Mutual"}],
    })
}

fn slot(schedule: &str, status: &str, start: Timestamp, end: Timestamp) -> Value {
    json!({
        "resourceType": "Slot", "schedule": reference("Schedule", schedule), "status": status,
        "serviceType": [{"coding": [{"system": "http://snomed.info/sct", "code": "408443003"}],
            "text": "General medical practice"}],
        "start": written(start), "end": written(end),
    })
}

fn appointment(
    store: &Store,
    status: &str,
    time: (Timestamp, Timestamp),
    who: (&str, &str),
    location: &str,
) -> Value {
    let participant = |kind: &str, id: &str| {
        let mut actor = reference(kind, id);
        actor["display"] = json!(display(store, kind, id));
        json!({"actor": actor, "status": "accepted", "required": "required"})
    };
    json!({
        "resourceType": "Appointment", "status": status,
        "start": written(time.0), "end": written(time.1), "minutesDuration": 30,
        "participant": [
            participant("Patient", who.0),
            participant("Practitioner", who.1),
            participant("Location", location),
        ],
    })
}

fn text(resource: &Value, pointer: &str) -> String {
    resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A person's or a place's name, as it stands beside a reference.
fn display(store: &Store, kind: &str, id: &str) -> String {
    let Some(kept) = store.get(kind, id) else { return String::new() };
    let part = |pointer: &str| text(&kept.resource, pointer);
    match kind {
        "Location" => part("/name"),
        _ => format!("{}, {}", part("/name/0/family"), part("/name/0/given/0")),
    }
}

fn charge(patient: &str, at: Timestamp) -> Value {
    json!({
        "resourceType": "ChargeItem", "status": "billable",
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99213"}]},
        "subject": reference("Patient", patient),
        "occurrenceDateTime": written(at),
        "priceOverride": {"value": 120.5, "currency": "USD"},
    })
}

/// A time as FHIR instants are written here.
#[must_use]
pub fn written(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// What a store holds, in neutral words.
#[must_use]
pub fn book(store: &Store) -> Book {
    let patient = |(id, kept): (&str, &super::store::Kept)| book::Patient {
        id: id.to_owned(),
        family: text(&kept.resource, "/name/0/family"),
        given: text(&kept.resource, "/name/0/given/0"),
        birth_date: text(&kept.resource, "/birthDate"),
    };
    let booking = |(id, kept): (&str, &super::store::Kept)| {
        let resource = &kept.resource;
        let time = |pointer: &str| text(resource, pointer).parse().unwrap_or(Timestamp::UNIX_EPOCH);
        Booking {
            id: id.to_owned(),
            patient: actor(resource, "Patient"),
            practitioner: actor(resource, "Practitioner"),
            start: time("/start"),
            end: time("/end"),
            status: match text(resource, "/status").as_str() {
                "arrived" | "checked-in" => Status::Arrived,
                "fulfilled" => Status::Fulfilled,
                "cancelled" | "entered-in-error" => Status::Cancelled,
                "noshow" => Status::NoShow,
                _ => Status::Booked,
            },
        }
    };
    let charge = |(id, kept): (&str, &super::store::Kept)| Amount {
        id: id.to_owned(),
        patient: text(&kept.resource, "/subject/reference").trim_start_matches("Patient/").to_owned(),
        amount: kept.resource.pointer("/priceOverride/value").map(Value::to_string).unwrap_or_default(),
    };
    Book {
        patients: store.all("Patient").map(patient).collect(),
        appointments: store.all("Appointment").map(booking).collect(),
        payments: Vec::new(),
        procedures: store.all("ChargeItem").map(charge).collect(),
    }
}

/// The id of an appointment's first participant of a type.
#[must_use]
pub fn actor(appointment: &Value, kind: &str) -> String {
    let mut references = Vec::new();
    collect(appointment, &["participant", "actor", "reference"], &mut references);
    let id = |reference: &&Value| Some(reference.as_str()?.strip_prefix(kind)?.strip_prefix('/')?.to_owned());
    references.iter().find_map(id).unwrap_or_default()
}
