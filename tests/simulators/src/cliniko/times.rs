//! Free times, as online booking would offer them.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde_json::json;

use super::{error, invalid, state::State};
use crate::{Answer, Request};

/// Working hours on the practice's clock.
const HOURS: std::ops::Range<i8> = 9..17;

/// `available_times` of one practitioner at one place for one type of appointment.
pub(super) fn available(
    request: &Request,
    state: &State,
    (business, practitioner, kind): (&str, &str, &str),
    now: Timestamp,
) -> Answer {
    let date = |name: &str| request.parameter(name).and_then(|text| text.parse::<Date>().ok());
    let (Some(from), Some(to)) = (date("from"), date("to")) else {
        return invalid("from", "from and to are dates, and both are needed");
    };
    if to < from || (to - from).get_days() > 7 {
        return invalid("to", "from and to must not be more than 7 days apart");
    }
    let kind = state.types.iter().find(|known| known.id.to_string() == kind);
    let is_there = state.businesses.iter().any(|known| known.id.to_string() == business)
        && state.practitioners.iter().any(|known| known.id.to_string() == practitioner);
    let (Some(kind), true) = (kind, is_there) else {
        return error(404, "Resource not found");
    };
    let length = SignedDuration::from_mins(kind.minutes);
    let taken: Vec<(Timestamp, Timestamp)> = state
        .appointments
        .iter()
        .filter(|known| {
            let gone = known.cancelled.is_some() || known.stamps.archived.is_some();
            known.practitioner.to_string() == practitioner && !gone
        })
        .map(|known| (known.starts, known.ends))
        .collect();
    let zone = TimeZone::get("Australia/Melbourne").unwrap_or(TimeZone::UTC);
    let mut times = Vec::new();
    for day in from.series(jiff::Span::new().days(1)).take_while(|day| *day <= to) {
        for hour in HOURS {
            for minute in [0, 30] {
                let Ok(start) = zone.to_timestamp(day.at(hour, minute, 0, 0)) else { continue };
                let end = start.saturating_add(length).unwrap_or(start);
                let is_free = taken.iter().all(|(starts, ends)| end <= *starts || *ends <= start);
                if start > now && is_free {
                    times.push(json!({"appointment_start": start}));
                }
            }
        }
    }
    let path = format!("{}{}", request.base(), request.path);
    Answer::json(
        200,
        &json!({
            "available_times": times, "total_entries": times.len(),
            "links": {"self": format!("{path}?from={from}&to={to}&page=1")},
        }),
    )
}
