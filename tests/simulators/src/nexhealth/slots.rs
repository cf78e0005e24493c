//! Free times, grouped by provider.

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use serde_json::{Value, json};

use super::{LOCATION, ZONE, error};
use crate::{Answer, Request, parts::clinic::Clinic, parts::paging::number};

/// `GET /available_slots`.
pub(super) fn available(request: &Request, clinic: &Clinic, now: Timestamp) -> Answer {
    let start = request.parameter("start_date").and_then(|text| text.parse::<Date>().ok());
    let days = request
        .parameter("days")
        .and_then(|days| days.parse::<u16>().ok())
        .filter(|days| (1..=31).contains(days));
    let (Some(start), Some(days)) = (start, days) else {
        return error(400, "start_date and days are needed");
    };
    if !request.parameters("lids[]").any(|id| id == LOCATION.to_string()) {
        return error(400, "lids is missing");
    }
    let Some(minutes) = number(request.parameter("slot_length"), 15, 5, 540) else {
        return error(400, "slot_length is invalid");
    };
    let wanted: Vec<&str> = request.parameters("pids[]").collect();
    if wanted.is_empty() && request.parameter("appointment_type_id").is_none() {
        return error(400, "pids or appointment_type_id is needed");
    }
    let length = SignedDuration::from_mins(i64::try_from(minutes).unwrap_or(15));
    let zone = clinic.zone(LOCATION);
    let local = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string();
    let groups: Vec<Value> = clinic
        .practitioners
        .values()
        .filter(|row| wanted.is_empty() || wanted.contains(&row.id.to_string().as_str()))
        .map(|row| {
            let times = (0..days).flat_map(|day| {
                let day = start.saturating_add(i64::from(day).days());
                clinic.free(row.id, LOCATION, day, length.as_mins(), |visit| visit.status != "cancelled")
            });
            let room = 1 + row.id % 2;
            let slot = |at: Timestamp| {
                let end = at.saturating_add(length).unwrap_or(at);
                json!({"time": local(at), "end_time": local(end), "operatory_id": room, "provider_id": row.id})
            };
            let slots: Vec<Value> = times.filter(|at| *at > now).map(slot).collect();
            json!({"lid": LOCATION, "pid": row.id, "operatory_id": room, "slots": slots, "tz": ZONE})
        })
        .collect();
    Answer::json(
        200,
        &json!({
            "code": true, "description": null, "error": null, "data": groups, "count": groups.len(),
        }),
    )
}
