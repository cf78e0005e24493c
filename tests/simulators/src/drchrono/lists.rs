//! Lists, their filters and pages.

use data_encoding::BASE64URL_NOPAD;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde_json::{Value, json};

use super::{detail, invalid, records};
use crate::{
    Answer, Request,
    http::encode,
    parts::{
        clinic::{Clinic, Visit},
        paging,
    },
};

/// Rows on a page where nobody asks for less.
const LARGEST: usize = 250;
/// Rows on a page with the heavy parts.
const LARGEST_VERBOSE: usize = 25;

pub(super) fn list(clinic: &Clinic, name: &str, request: &Request) -> Answer {
    match ids(clinic, name, request) {
        Ok(Some(ids)) => page(clinic, name, request, &ids),
        Ok(None) => super::detail(404, "Not found."),
        Err(answer) => answer,
    }
}

pub(super) fn one(clinic: &Clinic, name: &str, id: &str, request: &Request) -> Answer {
    let record = id.parse().ok().and_then(|id| record(clinic, name, id, is_verbose(request)));
    record.map_or_else(|| detail(404, "Not found."), |record| Answer::json(200, &record))
}

fn is_verbose(request: &Request) -> bool {
    request.parameter("verbose") == Some("true")
}

/// The numbers of the records that a request's filters leave, in order. `None`: there is no such list.
pub(super) fn ids(clinic: &Clinic, name: &str, request: &Request) -> Result<Option<Vec<u64>>, Answer> {
    let since = since(request)?;
    let after = |updated: Timestamp| since.is_none_or(|since| updated.as_second() >= since.as_second());
    let is = |parameter: &str, id: u64| is(request, parameter, &id.to_string());
    Ok(Some(match name {
        "appointments" | "appointments_list" => {
            let days = days(request)?;
            if since.is_none() && days.is_none() && request.parameter("occurred_since").is_none() {
                let text = "One of since, occurred_since, date or date_range is required.";
                return Err(detail(400, text));
            }
            let fits = |visit: &&Visit| {
                let day = visit.start.to_zoned(clinic.zone(visit.place)).date();
                after(visit.stamps.updated)
                    && days.is_none_or(|(first, last)| first <= day && day <= last)
                    // What was deleted is told to those who ask for changes.
                    && (!visit.is_deleted || since.is_some())
                    && request.parameter("patient").is_none_or(|id| Some(id.to_owned()) == visit.patient.map(|id| id.to_string()))
                    && is("doctor", visit.practitioner)
                    && is("office", visit.place)
                    && self::is(request, "status", &visit.status)
            };
            clinic.visits.values().filter(fits).map(|visit| visit.id).collect()
        }
        "patients" | "patients_list" => {
            let text = |parameter: &str, value: &str| {
                request.parameter(parameter).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
            };
            let found = clinic.patients.values().filter(|patient| {
                after(patient.stamps.updated)
                    && is("doctor", patient.practitioner)
                    && text("last_name", &patient.person.family)
                    && text("first_name", &patient.person.given)
                    && text("email", &patient.person.email)
                    && text("date_of_birth", &patient.person.birth_date.to_string())
            });
            found.map(|patient| patient.id).collect()
        }
        "doctors" => clinic.practitioners.keys().copied().filter(|id| is("doctor", *id)).collect(),
        "offices" => clinic.places.keys().copied().collect(),
        "appointment_profiles" => vec![1],
        "line_items" | "line_items_list" => {
            let found = clinic.charges.values().filter(|charge| {
                after(charge.stamps.updated)
                    && is("patient", charge.patient)
                    && is("appointment", charge.visit)
            });
            found.map(|charge| charge.id).collect()
        }
        "patient_payments" => {
            let found = clinic.payments.values().filter(|payment| {
                after(payment.stamps.updated)
                    && is("patient", payment.patient)
                    && is("doctor", payment.practitioner)
            });
            found.map(|payment| payment.id).collect()
        }
        "availability" => return Err(availability(clinic, request)),
        _ => return Ok(None),
    }))
}

fn is(request: &Request, parameter: &str, value: &str) -> bool {
    request.parameter(parameter).is_none_or(|wanted| wanted == value)
}

pub(super) fn record(clinic: &Clinic, name: &str, id: u64, is_verbose: bool) -> Option<Value> {
    Some(match name {
        "appointments" | "appointments_list" => records::appointment(clinic, clinic.visits.get(&id)?),
        "patients" | "patients_list" => records::patient(clinic.patients.get(&id)?, is_verbose),
        "doctors" => records::doctor(clinic, clinic.practitioners.get(&id)?),
        "offices" => records::office(clinic, clinic.places.get(&id)?),
        "line_items" | "line_items_list" => records::line_item(clinic.charges.get(&id)?),
        "patient_payments" => records::payment(clinic.payments.get(&id)?),
        "appointment_profiles" => (id == 1).then(records::profile)?,
        _ => return None,
    })
}

/// A page: the cursor holds the last number of the page before.
fn page(clinic: &Clinic, name: &str, request: &Request, ids: &[u64]) -> Answer {
    let most = if is_verbose(request) { LARGEST_VERBOSE } else { LARGEST };
    let Some(size) = paging::number(request.parameter("page_size"), most, 1, LARGEST) else {
        return invalid("page_size", "A valid number up to 250 is required.");
    };
    let size = size.min(most);
    let from = match request.parameter("cursor").map(read_cursor) {
        None => 0,
        Some(Some(last)) => ids.partition_point(|id| *id <= last),
        Some(None) => return detail(404, "Invalid cursor"),
    };
    let page = paging::Page::of(ids, from, size);
    let address = |last: u64| {
        let mut address = format!("{}{}?", request.base(), request.path);
        for (name, value) in request.query.iter().filter(|(name, _)| name != "cursor") {
            address.push_str(&format!("{}={}&", encode(name), encode(value)));
        }
        address + "cursor=" + &BASE64URL_NOPAD.encode(format!("p={last}").as_bytes())
    };
    let next = page.rows.last().filter(|_| page.has_next()).map(|last| address(*last));
    // The page before ends where the one before that does.
    let before = page.before.checked_sub(size + 1).and_then(|at| ids.get(at));
    let previous = page.has_previous().then(|| address(before.copied().unwrap_or_default()));
    let rows: Vec<Value> =
        page.rows.iter().filter_map(|id| record(clinic, name, *id, is_verbose(request))).collect();
    Answer::json(200, &json!({"previous": previous, "next": next, "results": rows}))
}

fn read_cursor(cursor: &str) -> Option<u64> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?;
    text.strip_prefix("p=")?.parse().ok()
}

/// `since` is a date, or a date and a time without a zone.
fn since(request: &Request) -> Result<Option<Timestamp>, Answer> {
    let Some(text) = request.parameter("since") else { return Ok(None) };
    let at = text.parse::<DateTime>().ok().filter(|_| !text.ends_with('Z'));
    at.and_then(|at| at.to_zoned(TimeZone::UTC).ok())
        .map(|at| Some(at.timestamp()))
        .ok_or_else(|| invalid("since", "Enter a valid date/time."))
}

/// `date=2026-03-02` or `date_range=2026-03-02/2026-03-09`, both ends included.
fn days(request: &Request) -> Result<Option<(Date, Date)>, Answer> {
    let day = |text: &str| text.parse::<Date>().map_err(|_| invalid("date", "Enter a valid date."));
    if let Some(date) = request.parameter("date") {
        return day(date).map(|day| Some((day, day)));
    }
    let Some(range) = request.parameter("date_range") else { return Ok(None) };
    let (first, last) = range.split_once('/').ok_or_else(|| invalid("date_range", "Enter a valid range."))?;
    Ok(Some((day(first)?, day(last)?)))
}

fn availability(clinic: &Clinic, request: &Request) -> Answer {
    let minutes = match request.parameter("duration").map(str::parse::<i64>) {
        None => 30,
        Some(Ok(minutes)) if (5..=480).contains(&minutes) => minutes,
        Some(_) => return invalid("duration", "A valid integer is required."),
    };
    let (first, last) = match days(request) {
        Ok(Some(days)) => days,
        Ok(None) => return detail(400, "One of date or date_range is required."),
        Err(answer) => return answer,
    };
    let mut rows = Vec::new();
    for doctor in clinic.practitioners.values() {
        let office = doctor.place.to_string();
        if !is(request, "doctor", &doctor.id.to_string()) || !is(request, "office", &office) {
            continue;
        }
        for day in first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).take(31) {
            for start in clinic.free(doctor.id, doctor.place, day, minutes, super::takes_time) {
                rows.push(json!({
                    "scheduled_time": records::local(start, clinic.zone(doctor.place)), "duration": minutes,
                    "doctor": doctor.id, "office": doctor.place, "exam_room": 1 + doctor.id % 2,
                }));
            }
        }
    }
    Answer::json(200, &json!({"previous": null, "next": null, "results": rows}))
}
