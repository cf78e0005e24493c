//! The fields of `Query`.

use data_encoding::BASE64;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{
    graphql::{Call, Problem},
    records, takes_time,
};
use crate::parts::clinic::{Clinic, Stamps, Visit};

/// Items of a list that is no connection, where nobody says how many.
const USUAL: usize = 10;
/// Items of a connection, where nobody says how many; and the most of them.
const LARGEST: usize = 100;

type Arguments = Map<String, Value>;

pub(super) fn work(clinic: &Clinic, call: &Call<'_>, now: Timestamp) -> Result<Value, Problem> {
    let arguments = &call.arguments;
    let id = || text(arguments, "id").and_then(|id| id.parse::<u64>().ok());
    Ok(match call.field {
        "appointment" => {
            let with_deleted = flag(arguments, "include_deleted");
            let visit = id().and_then(|id| clinic.visits.get(&id));
            json!(
                visit
                    .filter(|visit| with_deleted || !visit.is_deleted)
                    .map(|visit| records::appointment(clinic, visit))
            )
        }
        "user" => json!(id().and_then(|id| user(clinic, id))),
        "appointmentLocation" => json!(id().and_then(|id| clinic.places.get(&id)).map(records::place)),
        "appointmentType" => records::appointment_type(),
        "billingItem" => {
            json!(
                id().and_then(|id| clinic.payments.get(&id))
                    .map(|payment| records::billing_item(clinic, payment))
            )
        }
        "cms1500" => {
            json!(id().and_then(|id| clinic.charges.get(&id)).map(|charge| records::claim(clinic, charge)))
        }
        "availableSlotsForRange" => slots(clinic, arguments, now)?,
        "appointments" => {
            let found = clinic.visits.values().filter(|visit| is_listed(clinic, visit, arguments, now));
            let rows = found.map(|visit| Row::new(visit.id, visit.stamps, visit.start.to_string())).collect();
            list(call, rows, |id| clinic.visits.get(&id).map(|visit| records::appointment(clinic, visit)))?
        }
        "users" => {
            let wanted = text(arguments, "active_status");
            let found = clinic.patients.values().filter(|patient| match wanted {
                Some("active") => patient.is_active,
                Some("archived") => !patient.is_active,
                _ => true,
            });
            let keywords = text(arguments, "keywords").unwrap_or_default().to_lowercase();
            let named = found.filter(|patient| {
                let person = &patient.person;
                let all =
                    format!("{} {} {} {}", person.given, person.family, person.email, person.birth_date);
                keywords.split_whitespace().all(|word| all.to_lowercase().contains(word))
            });
            let rows = named.map(|p| Row::new(p.id, p.stamps, p.person.family.to_lowercase())).collect();
            list(call, rows, |id| user(clinic, id))?
        }
        "organizationMembers" => {
            let all = clinic.practitioners.values();
            let rows = all.map(|p| Row::new(p.id, p.stamps, p.person.family.to_lowercase())).collect();
            list(call, rows, |id| user(clinic, id))?
        }
        "appointmentLocations" => {
            let stamps = Stamps::new(Timestamp::UNIX_EPOCH);
            let rows = clinic.places.keys().map(|id| Row::new(*id, stamps, String::new())).collect();
            list(call, rows, |id| clinic.places.get(&id).map(records::place))?
        }
        "billingItems" => {
            let client = text(arguments, "client_id");
            let found =
                clinic.payments.values().filter(|p| client.is_none_or(|id| id == p.patient.to_string()));
            let rows = found.map(|payment| Row::new(payment.id, payment.stamps, String::new())).collect();
            list(call, rows, |id| {
                clinic.payments.get(&id).map(|payment| records::billing_item(clinic, payment))
            })?
        }
        "cms1500s" => {
            let client = text(arguments, "client_id");
            let found =
                clinic.charges.values().filter(|c| client.is_none_or(|id| id == c.patient.to_string()));
            let rows = found.map(|charge| Row::new(charge.id, charge.stamps, String::new())).collect();
            list(call, rows, |id| clinic.charges.get(&id).map(|charge| records::claim(clinic, charge)))?
        }
        other => return Err(Problem(format!("{other} is not simulated"), "")),
    })
}

/// Patients and practitioners are users.
fn user(clinic: &Clinic, id: u64) -> Option<Value> {
    let patient = clinic.patients.get(&id).map(|patient| records::patient(clinic, patient));
    patient.or_else(|| clinic.practitioners.get(&id).map(|found| records::practitioner(clinic, found)))
}

pub(super) fn text<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str)
}

pub(super) fn flag(arguments: &Arguments, name: &str) -> bool {
    arguments.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// Deleted ones never are; others as asked: by default those of the key's owner that lie ahead and will be.
fn is_listed(clinic: &Clinic, visit: &Visit, arguments: &Arguments, now: Timestamp) -> bool {
    let owner = clinic.practitioners.keys().next().copied();
    let is = |name: &str, id: Option<u64>| {
        text(arguments, name).is_none_or(|wanted| id.is_some_and(|id| id.to_string() == wanted))
    };
    let is_within =
        match (moment(clinic, arguments, "startDate", false), moment(clinic, arguments, "endDate", true)) {
            (Some(from), Some(to)) => from <= visit.start && visit.start < to,
            _ => match text(arguments, "filter") {
                Some("all") => true,
                Some("past" | "ended") => visit.start < now,
                _ => visit.start >= now,
            },
        };
    let is_wanted =
        flag(arguments, "with_all_statuses") || !flag(arguments, "is_active") || takes_time(visit);
    !visit.is_deleted
        && (visit.patient.is_some() || flag(arguments, "include_blockers"))
        && (flag(arguments, "is_org") || Some(visit.practitioner) == owner)
        && is("provider_id", Some(visit.practitioner))
        && is("user_id", visit.patient)
        && is_within
        && is_wanted
}

/// A day is from its beginning or to its end in the zone of the key's owner.
fn moment(clinic: &Clinic, arguments: &Arguments, name: &str, is_end: bool) -> Option<Timestamp> {
    let given = text(arguments, name)?;
    if let Ok(at) = given.parse::<Timestamp>() {
        return Some(at);
    }
    let day: Date = given.parse().ok()?;
    let day = if is_end { day.tomorrow().ok()? } else { day };
    day.to_zoned(records::zone(clinic)).ok().map(|start| start.timestamp())
}

/// What a list is sorted by.
struct Row {
    id: u64,
    created: String,
    updated: String,
    other: String,
}

impl Row {
    fn new(id: u64, stamps: Stamps, other: String) -> Self {
        let micros = |at: Timestamp| format!("{:020}", at.as_microsecond().max(0));
        Self { id, created: micros(stamps.created), updated: micros(stamps.updated), other }
    }
}

/// A page of a list, as a connection or a list.
fn list(call: &Call<'_>, rows: Vec<Row>, record: impl Fn(u64) -> Option<Value>) -> Result<Value, Problem> {
    let order = ["order_by", "sort_by"].iter().find_map(|name| text(&call.arguments, name));
    let order = order.unwrap_or("CREATED_AT_DESC").to_uppercase();
    let is_down = order.ends_with("_DESC");
    let total = rows.len();
    let mut sorted: Vec<(String, u64)> = rows
        .into_iter()
        .map(|row| match order.rsplit_once('_').map_or(order.as_str(), |(by, _)| by) {
            "UPDATED_AT" => (row.updated, row.id),
            "CREATED_AT" | "CREATED_DATE" => (row.created, row.id),
            _ => (row.other, row.id),
        })
        .collect();
    sorted.sort();
    if is_down {
        sorted.reverse();
    }
    let count =
        |name: &str| call.arguments.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let size = if call.is_connection {
        count("first").or_else(|| count("last")).unwrap_or(LARGEST).min(LARGEST)
    } else if call.arguments.get("should_paginate").is_some_and(|wanted| wanted == &json!(false)) {
        total
    } else {
        count("page_size").unwrap_or(USUAL)
    };
    let begin = match text(&call.arguments, "after") {
        Some(cursor) => {
            let (of, key, id) =
                read_cursor(cursor).ok_or_else(|| Problem("Invalid cursor".to_owned(), ""))?;
            if of != order {
                return Err(Problem("The cursor is of another order.".to_owned(), ""));
            }
            sorted.partition_point(|row| {
                if is_down { *row >= (key.clone(), id) } else { *row <= (key.clone(), id) }
            })
        }
        None => count("offset").unwrap_or(0).min(total),
    };
    let (begin, end) = match text(&call.arguments, "before").and_then(read_cursor) {
        Some((_, key, id)) => {
            let end = sorted.partition_point(|row| {
                if is_down { *row > (key.clone(), id) } else { *row < (key.clone(), id) }
            });
            (end.saturating_sub(size), end)
        }
        None => (begin, begin.saturating_add(size).min(total)),
    };
    let page = sorted.get(begin..end).unwrap_or_default();
    let nodes: Vec<(String, Value)> = page
        .iter()
        .filter_map(|(key, id)| {
            let cursor = BASE64.encode(json!({"o": order, "k": key, "i": id}).to_string().as_bytes());
            let mut node = record(*id)?;
            if let Value::Object(fields) = &mut node {
                fields.insert("cursor".to_owned(), json!(cursor));
            }
            Some((cursor, node))
        })
        .collect();
    if !call.is_connection {
        return Ok(nodes.into_iter().map(|(_, node)| node).collect());
    }
    let edges: Vec<Value> =
        nodes.iter().map(|(cursor, node)| json!({"cursor": cursor, "node": node})).collect();
    Ok(json!({
        "total_count": total,
        "page_info": {
            "has_next_page": end < total, "has_previous_page": begin > 0,
            "start_cursor": nodes.first().map(|(cursor, _)| cursor), "end_cursor": nodes.last().map(|(cursor, _)| cursor),
        },
        "edges": edges,
        "nodes": nodes.into_iter().map(|(_, node)| node).collect::<Vec<_>>(),
    }))
}

fn read_cursor(cursor: &str) -> Option<(String, String, u64)> {
    let decoded: Value = serde_json::from_slice(&BASE64.decode(cursor.as_bytes()).ok()?).ok()?;
    let text = |name: &str| decoded.get(name).and_then(Value::as_str).map(str::to_owned);
    Some((text("o")?, text("k")?, decoded.get("i")?.as_u64()?))
}

fn slots(clinic: &Clinic, arguments: &Arguments, now: Timestamp) -> Result<Value, Problem> {
    let zone = match text(arguments, "timezone") {
        Some(name) => TimeZone::get(name).map_err(|_| Problem("timezone is not valid".to_owned(), ""))?,
        None => records::zone(clinic),
    };
    let day = |name: &str| {
        let given =
            text(arguments, name).and_then(|text| text.get(..10)).and_then(|text| text.parse::<Date>().ok());
        given.unwrap_or_else(|| now.to_zoned(zone.clone()).date())
    };
    let (first, last) = (day("start_date"), day("end_date"));
    let minutes = text(arguments, "length").and_then(|text| text.parse().ok()).unwrap_or(30);
    let wanted = text(arguments, "provider_id").unwrap_or_default();
    let owners = clinic
        .practitioners
        .values()
        .filter(|owner| flag(arguments, "org_level") || owner.id.to_string() == wanted);
    let mut found: Vec<(Timestamp, u64)> = Vec::new();
    for owner in owners {
        for day in first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).take(31) {
            let starts = clinic.free(owner.id, owner.place, day, minutes, takes_time);
            found.extend(starts.into_iter().filter(|start| *start >= now).map(|start| (start, owner.id)));
        }
    }
    found.sort_unstable();
    let slot = |(start, owner): (Timestamp, u64)| {
        json!({"user_id": owner.to_string(), "date": records::time(clinic, start), "length": minutes,
            "is_fully_booked": false, "appointment_id": null})
    };
    Ok(found.into_iter().map(slot).collect())
}
