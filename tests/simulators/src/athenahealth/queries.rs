//! Reading what is no appointment.

use serde_json::{Value, json};

use super::{error, missing, records, single};
use crate::{
    Answer, Request,
    http::encode,
    parts::{clinic::Clinic, paging},
};

/// Rows on a page where nobody asks for less, and the most of them.
const USUAL: usize = 1_500;
const LARGEST: usize = 5_000;

pub(super) fn answer(clinic: &Clinic, request: &Request, path: &[&str]) -> Answer {
    let known = |id: &str| id.parse::<u64>().ok();
    match path {
        ["departments"] => {
            let rows = clinic.places.values().collect::<Vec<_>>();
            list(request, "departments", &rows, |place| records::department(place, place_time(clinic)))
        }
        ["departments", id] => {
            let place = known(id).and_then(|id| clinic.places.get(&id));
            single(place.map(|place| records::department(place, place_time(clinic))), "department")
        }
        ["providers"] => {
            let rows = clinic.practitioners.values().collect::<Vec<_>>();
            list(request, "providers", &rows, |provider| records::provider(provider))
        }
        ["providers", id] => {
            single(known(id).and_then(|id| clinic.practitioners.get(&id)).map(records::provider), "provider")
        }
        ["patients"] => patients(clinic, request),
        ["patients", id] => {
            single(known(id).and_then(|id| clinic.patients.get(&id)).map(records::patient), "patient")
        }
        ["patients", id, "insurances"] => match known(id).and_then(|id| clinic.patients.get(&id)) {
            Some(patient) => {
                let rows = records::insurances(patient);
                list(request, "insurances", &rows, Value::clone)
            }
            None => error(404, "The patient does not exist."),
        },
        ["patients", id, "receipts"] => match known(id).filter(|id| clinic.patients.contains_key(id)) {
            Some(patient) => receipts(clinic, request, patient),
            None => error(404, "The patient does not exist."),
        },
        ["appointmenttypes"] => {
            let row = json!({"appointmenttypeid": "2", "name": "Any 30", "shortname": "ANY30", "duration": "30",
                "generic": true, "patient": true});
            list(request, "appointmenttypes", &[row], Value::clone)
        }
        ["claims"] => claims(clinic, request),
        _ => error(404, "The resource does not exist."),
    }
}

/// Some moment of the practice's life, for the offset of its departments: when its latest record was made.
fn place_time(clinic: &Clinic) -> jiff::Timestamp {
    clinic.practitioners.values().map(|provider| provider.stamps.created).max().unwrap_or_default()
}

fn patients(clinic: &Clinic, request: &Request) -> Answer {
    const TERMS: &[&str] = &["departmentid", "firstname", "lastname", "dob", "mobilephone", "email"];
    if !TERMS.iter().any(|term| request.parameter(term).is_some()) {
        return missing(TERMS);
    }
    let is = |term: &str, value: &str| {
        request.parameter(term).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    let department = |patient: &crate::parts::clinic::Patient| {
        let provider = clinic.practitioners.get(&patient.practitioner);
        provider.map(|provider| provider.place.to_string()).unwrap_or_default()
    };
    let found: Vec<_> = clinic
        .patients
        .values()
        .filter(|patient| {
            let person = &patient.person;
            is("firstname", &person.given)
                && is("lastname", &person.family)
                && is("dob", &records::day(person.birth_date))
                && is("mobilephone", &person.phone)
                && is("email", &person.email)
                && is("departmentid", &department(patient))
        })
        .collect();
    list(request, "patients", &found, |patient| records::patient(patient))
}

/// What the patient paid by card at a department.
fn receipts(clinic: &Clinic, request: &Request, patient: u64) -> Answer {
    let Some(department) = request.parameter("departmentid") else { return missing(&["departmentid"]) };
    let place = |practitioner: u64| clinic.practitioners.get(&practitioner).map_or(0, |found| found.place);
    let is_there = |practitioner: u64| place(practitioner).to_string() == department;
    let paid = clinic.payments.values().filter(|paid| paid.patient == patient && is_there(paid.practitioner));
    list(request, "receipts", &paid.collect::<Vec<_>>(), |paid| records::receipt(paid))
}

fn claims(clinic: &Clinic, request: &Request) -> Answer {
    const TERMS: &[&str] = &["departmentid", "patientid", "appointmentid", "createdstartdate"];
    if !TERMS.iter().any(|term| request.parameter(term).is_some()) {
        return missing(TERMS);
    }
    let day = |name: &str| request.parameter(name).and_then(records::read_day);
    let (first, last) = (day("createdstartdate"), day("createdenddate"));
    let department = |visit: u64| clinic.visits.get(&visit).map_or(0, |visit| visit.place);
    let is = |term: &str, id: u64| request.parameter(term).is_none_or(|wanted| wanted == id.to_string());
    let found: Vec<_> = clinic
        .charges
        .values()
        .filter(|charge| {
            let made = charge.stamps.created.to_zoned(records::practice_zone()).date();
            is("patientid", charge.patient)
                && is("appointmentid", charge.visit)
                && is("departmentid", department(charge.visit))
                && first.is_none_or(|first| first <= made)
                && last.is_none_or(|last| made <= last)
        })
        .collect();
    list(request, "claims", &found, |charge| records::claim(charge, department(charge.visit)))
}

/// A page: `next` and `previous` are paths.
pub(super) fn list<T>(request: &Request, name: &str, all: &[T], record: impl Fn(&T) -> Value) -> Answer {
    let limit = paging::number(request.parameter("limit"), USUAL, 1, LARGEST);
    let offset = paging::number(request.parameter("offset"), 0, 0, usize::MAX);
    let (Some(limit), Some(offset)) = (limit, offset) else {
        return error(400, "LIMIT and OFFSET must be numbers; LIMIT is 5000 at most.");
    };
    let page = paging::Page::of(all, offset, limit);
    let address = |offset: usize| {
        let mut address = format!("{}?", request.path);
        for (name, value) in request.query.iter().filter(|(name, _)| name != "offset" && name != "limit") {
            address.push_str(&format!("{}={}&", encode(name), encode(value)));
        }
        format!("{address}limit={limit}&offset={offset}")
    };
    let rows: Vec<Value> = page.rows.iter().map(record).collect();
    let mut body = json!({"totalcount": page.total, name: rows});
    if let Value::Object(body) = &mut body {
        if page.has_next() {
            body.insert("next".to_owned(), json!(address(offset + limit)));
        }
        if page.has_previous() {
            body.insert("previous".to_owned(), json!(address(offset.saturating_sub(limit))));
        }
    }
    Answer::json(200, &body)
}
