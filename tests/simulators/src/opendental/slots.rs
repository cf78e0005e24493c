//! Free times: working hours without what is taken.

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde_json::{Value, json};

use super::{local, refused, state::State, zone};
use crate::{Answer, Request, parts::paging::number};

/// Working hours on the office's clock.
const HOURS: std::ops::Range<i8> = 8..17;
/// Days that are looked at when none are named.
const USUAL_DAYS: i64 = 14;

/// `GET /appointments/Slots`.
pub(super) fn free(request: &Request, state: &State, now: Timestamp) -> Answer {
    let day = |name: &str| request.parameter(name).map(|text| text.parse::<Date>());
    let today = now.to_zoned(zone()).date();
    let days = match (day("date"), day("dateStart"), day("dateEnd")) {
        (None, None, None) => Ok((today, today.saturating_add(jiff::Span::new().days(USUAL_DAYS)))),
        (Some(Ok(day)), None, None) => Ok((day, day)),
        (None, Some(Ok(first)), Some(Ok(last))) if first <= last => Ok((first, last)),
        _ => Err(refused("Either date, or dateStart and dateEnd.")),
    };
    let Some(minutes) = number(request.parameter("lengthMinutes"), 30, 5, 540) else {
        return refused("lengthMinutes is invalid.");
    };
    let length = SignedDuration::from_mins(i64::try_from(minutes).unwrap_or(30));
    let wants =
        |name: &str, number: u64| request.parameter(name).is_none_or(|text| text == number.to_string());
    let rooms = state.operatories.iter();
    let rooms = rooms.filter(|room| wants("ProvNum", room.dentist) && wants("OpNum", room.number));
    let (first, last) = match days {
        Ok(days) => days,
        Err(refusal) => return refusal,
    };
    let mut found: Vec<Value> = Vec::new();
    for room in rooms {
        let taken: Vec<_> = state
            .appointments
            .iter()
            .filter(|known| known.operatory == room.number || known.provider == room.dentist)
            .filter(|known| !["Broken", "UnschedList"].contains(&known.status))
            .filter_map(super::rows::Appointment::times)
            .collect();
        for day in first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last) {
            for hour in HOURS {
                for minute in [0, 30] {
                    let Ok(start) = zone().to_timestamp(day.at(hour, minute, 0, 0)) else { continue };
                    let end = start.saturating_add(length).unwrap_or(start);
                    if start > now && taken.iter().all(|(from, to)| end <= *from || *to <= start) {
                        found.push(json!({
                            "DateTimeStart": local(start), "DateTimeEnd": local(end),
                            "ProvNum": room.dentist, "OpNum": room.number,
                        }));
                    }
                }
            }
        }
    }
    Answer::json(200, &Value::Array(found))
}
