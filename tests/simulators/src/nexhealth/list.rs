//! Lists: filtered, and cut into pages by cursors.

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::{LOCATION, State, error, shapes};
use crate::{
    Answer, Request,
    parts::clinic::{Clinic, Patient},
    parts::paging::number,
};

/// Rows of a page when nothing is said, and the most of one.
const USUAL: usize = 5;
const MOST: usize = 1_000;

/// A time in any of the forms that are taken: with an offset, or a day of UTC.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let day = || text.parse::<Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse().ok().or_else(|| day().map(|day| day.timestamp()))
}

/// A parameter that must be a time where it is given.
fn time(request: &Request, name: &str) -> Result<Option<Timestamp>, Answer> {
    match request.parameter(name) {
        None | Some("") => Ok(None),
        Some(text) => moment(text).map(Some).ok_or_else(|| error(400, &format!("{name} is invalid"))),
    }
}

pub(super) fn located(request: &Request) -> Result<(), Answer> {
    match request.parameter("location_id") {
        Some(id) if id == LOCATION.to_string() => Ok(()),
        Some(_) => Err(error(403, "The key has no access to this location")),
        None => Err(error(400, "location_id is missing")),
    }
}

/// A page of rows, each with its id; the cursor is the last id that was given, and says so to nobody.
fn page(request: &Request, rows: Vec<(u64, Value)>) -> Answer {
    let Some(size) = number(request.parameter("per_page"), USUAL, 1, MOST) else {
        return error(400, "per_page must be from 1 to 1000");
    };
    let after = match request.parameter("end_cursor").filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => match open(cursor) {
            Some(after) => after,
            None => return error(400, "end_cursor is invalid"),
        },
    };
    let rest: Vec<_> = rows.into_iter().filter(|(id, _)| *id > after).collect();
    let has_next = rest.len() > size;
    let (ids, shown): (Vec<u64>, Vec<Value>) = rest.into_iter().take(size).unzip();
    let cursor = |id: Option<&u64>| id.map(|id| seal(*id));
    Answer::json(
        200,
        &json!({
            "code": true, "description": null, "error": null, "data": shown,
            "page_info": {
                "has_previous_page": after > 0, "has_next_page": has_next,
                "start_cursor": cursor(ids.first()), "end_cursor": cursor(ids.last()),
            },
        }),
    )
}

fn seal(id: u64) -> String {
    data_encoding::BASE64URL_NOPAD.encode(format!("c:{id}").as_bytes())
}

fn open(cursor: &str) -> Option<u64> {
    let text = data_encoding::BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    String::from_utf8(text).ok()?.strip_prefix("c:")?.parse().ok()
}

pub(super) fn operatories(request: &Request) -> Answer {
    match located(request) {
        Ok(()) => page(request, (1..=2).map(|id| (id, shapes::operatory(id))).collect()),
        Err(refusal) => refusal,
    }
}

pub(super) fn providers(request: &Request, clinic: &Clinic) -> Answer {
    let since = match located(request).and_then(|()| time(request, "updated_since")) {
        Ok(since) => since,
        Err(refusal) => return refusal,
    };
    let rows = clinic.practitioners.values();
    let rows = rows.filter(|row| since.is_none_or(|since| row.stamps.updated >= since));
    page(request, rows.map(|row| (row.id, shapes::provider(row))).collect())
}

pub(super) fn patients(request: &Request, state: &State, now: Timestamp) -> Answer {
    let since = match located(request).and_then(|()| time(request, "updated_since")) {
        Ok(since) => since,
        Err(refusal) => return refusal,
    };
    let is = |name: &str, value: &str| {
        request.parameter(name).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    let named = request.parameter("name").map(str::to_lowercase);
    let rows = state.clinic.patients.values().filter(|row| {
        let person = &row.person;
        let name = format!("{} {}", person.given, person.family).to_lowercase();
        since.is_none_or(|since| row.stamps.updated >= since)
            && named.as_ref().is_none_or(|wanted| name.contains(wanted.as_str()))
            && is("email", &person.email)
            && is("phone_number", &person.phone)
            && is("date_of_birth", &person.birth_date.to_string())
            && is("inactive", if row.is_active { "false" } else { "true" })
            && is("foreign_id", &format!("EHR-{}", row.id))
    });
    page(request, rows.map(|row| (row.id, shapes::patient(row, state, now))).collect())
}

pub(super) fn appointments(request: &Request, state: &State, now: Timestamp) -> Answer {
    let window = located(request).and_then(|()| {
        let needed =
            |name: &str| time(request, name)?.ok_or_else(|| error(400, &format!("{name} is missing")));
        Ok((needed("start")?, needed("end")?, time(request, "updated_since")?))
    });
    let (start, end, since) = match window {
        Ok(window) => window,
        Err(refusal) => return refusal,
    };
    let among = |name: &str, id: Option<u64>| {
        let mut wanted = request.parameters(name).flat_map(|ids| ids.split(',')).peekable();
        wanted.peek().is_none() || id.is_some_and(|id| wanted.any(|wanted| wanted == id.to_string()))
    };
    let cancelled = request.parameter("cancelled");
    let rows = state.clinic.visits.values().filter(|row| {
        (start..=end).contains(&row.start)
            && since.is_none_or(|since| row.stamps.updated >= since)
            && among("patient_ids[]", row.patient)
            && among("provider_ids[]", Some(row.practitioner))
            && among("operatory_ids[]", Some(row.room))
            && cancelled.is_none_or(|wanted| (wanted == "true") == (row.status == "cancelled"))
    });
    page(request, rows.map(|row| (row.id, shapes::appointment(row, state, now))).collect())
}

/// The ledger wants at least one filter.
fn filtered(request: &Request) -> Result<Option<Timestamp>, Answer> {
    located(request)?;
    let since = time(request, "updated_since")?;
    match since.is_some() || request.parameter("patient_id").is_some() {
        true => Ok(since),
        false => Err(error(400, "At least one filter is needed")),
    }
}

fn of_patient(request: &Request, patient: u64) -> bool {
    request.parameter("patient_id").is_none_or(|wanted| wanted == patient.to_string())
}

pub(super) fn charges(request: &Request, clinic: &Clinic) -> Answer {
    let since = match filtered(request) {
        Ok(since) => since,
        Err(refusal) => return refusal,
    };
    let rows = clinic.charges.values().filter(|row| {
        since.is_none_or(|since| row.stamps.updated >= since) && of_patient(request, row.patient)
    });
    page(request, rows.map(|row| (row.id, shapes::charge(row))).collect())
}

pub(super) fn payments(request: &Request, clinic: &Clinic) -> Answer {
    let since = match filtered(request) {
        Ok(since) => since,
        Err(refusal) => return refusal,
    };
    let rows = clinic.payments.values().filter(|row| {
        since.is_none_or(|since| row.stamps.updated >= since) && of_patient(request, row.patient)
    });
    page(request, rows.map(|row| (row.id, shapes::payment(row))).collect())
}

/// Those that are active, unless the others are asked for. The insurance is as old as its patient's record.
pub(super) fn coverages(request: &Request, clinic: &Clinic) -> Answer {
    let since = match time(request, "updated_since") {
        Ok(since) => since,
        Err(refusal) => return refusal,
    };
    let wanted = request.parameter("patient_id");
    if wanted.is_some_and(|id| !id.parse().is_ok_and(|id: u64| clinic.patients.contains_key(&id))) {
        return error(404, "Not found");
    }
    let active = request.parameter("active").is_none_or(|active| active == "true");
    let rows = clinic.patients.values().filter(|patient| {
        active
            && since.is_none_or(|since| patient.stamps.updated >= since)
            && wanted.is_none_or(|wanted| wanted == patient.id.to_string())
    });
    let mut rows: Vec<_> = rows.flat_map(held).collect();
    rows.sort_by_key(|(id, _)| *id);
    page(request, rows)
}

/// What a patient has, the first payer first, by id.
fn held(patient: &Patient) -> impl Iterator<Item = (u64, Value)> {
    patient.policies.iter().zip(1..).map(|(held, rank)| (held.id, shapes::coverage(patient, held, rank)))
}

pub(super) fn coverage(clinic: &Clinic, id: u64) -> Option<Value> {
    clinic.patients.values().flat_map(held).find_map(|(known, shown)| (known == id).then_some(shown))
}
