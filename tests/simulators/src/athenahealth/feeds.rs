//! Change queues: they hold what happened since the subscription, and forget what they have handed out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{Timestamp, civil::DateTime};
use serde_json::{Value, json};

use super::{error, form, records};
use crate::{
    Answer, Request,
    parts::{clinic::Clinic, paging},
};

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    ScheduleAppointment,
    UpdateAppointment,
    CancelAppointment,
    CheckIn,
    CheckOut,
    AddPatient,
    UpdatePatient,
    UpdateProvider,
}

impl Event {
    pub(super) const ALL: [Self; 8] = [
        Self::ScheduleAppointment,
        Self::UpdateAppointment,
        Self::CancelAppointment,
        Self::CheckIn,
        Self::CheckOut,
        Self::AddPatient,
        Self::UpdatePatient,
        Self::UpdateProvider,
    ];

    const fn feed(self) -> &'static str {
        match self {
            Self::AddPatient | Self::UpdatePatient => "patients",
            Self::UpdateProvider => "providers",
            _ => "appointments",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::ScheduleAppointment => "ScheduleAppointment",
            Self::UpdateAppointment => "UpdateAppointment",
            Self::CancelAppointment => "CancelAppointment",
            Self::CheckIn => "CheckIn",
            Self::CheckOut => "CheckOut",
            Self::AddPatient => "AddPatient",
            Self::UpdatePatient => "UpdatePatient",
            Self::UpdateProvider => "UpdateProvider",
        }
    }

    /// The topic of its notifications.
    pub(super) const fn topic(self) -> &'static str {
        match self {
            Self::ScheduleAppointment => "Appointment.schedule",
            Self::UpdateAppointment => "Appointment.update",
            Self::CancelAppointment => "Appointment.cancel",
            Self::CheckIn => "Appointment.check-in",
            Self::CheckOut => "Appointment.check-out",
            Self::AddPatient => "Patient.create",
            Self::UpdatePatient => "Patient.update",
            Self::UpdateProvider => "Provider.update",
        }
    }
}

/// One for appointments, one for patients, one for providers.
#[derive(Debug, Default)]
pub(super) struct Feeds(BTreeMap<&'static str, Feed>);

#[derive(Debug, Default)]
struct Feed {
    events: BTreeSet<&'static str>,
    /// Records that changed, each once, the first first.
    waiting: VecDeque<u64>,
    among: BTreeSet<u64>,
    /// What was handed out, and when.
    processed: Vec<(Timestamp, u64)>,
}

const FEEDS: [&str; 3] = ["appointments", "patients", "providers"];
const USUAL: usize = 1_500;
const LARGEST: usize = 5_000;

impl Feeds {
    /// Subscribes to everything.
    pub(super) fn subscribe(&mut self) {
        for event in Event::ALL {
            self.0.entry(event.feed()).or_default().events.insert(event.name());
        }
    }

    pub(super) fn note(&mut self, event: Event, id: u64) {
        let Some(feed) = self.0.get_mut(event.feed()) else { return };
        if feed.events.contains(event.name()) && feed.among.insert(id) {
            feed.waiting.push_back(id);
        }
    }

    pub(super) fn answer(
        &mut self,
        clinic: &Clinic,
        request: &Request,
        feed: &str,
        path: &[&str],
        now: Timestamp,
    ) -> Answer {
        let Some(name) = FEEDS.into_iter().find(|known| *known == feed) else {
            return error(404, "There is no such feed.");
        };
        let all = Event::ALL.into_iter().filter(|event| event.feed() == name).map(Event::name);
        match (request.method.as_str(), path) {
            ("GET", []) => match self.0.get_mut(name) {
                Some(feed) => feed.read(clinic, request, name, now),
                None => error(403, "Changed messages require setup (subscription) that has not been done."),
            },
            ("GET", ["subscription", "events"]) => {
                let events: Vec<Value> = all.map(|event| json!({"eventname": event})).collect();
                Answer::json(200, &json!({"status": "INACTIVE", "subscriptions": events}))
            }
            ("GET", ["subscription"]) => {
                let (count, events) = (all.count(), self.0.get(name).map(|feed| &feed.events));
                let status = match events.map(BTreeSet::len) {
                    None | Some(0) => "INACTIVE",
                    Some(some) if some < count => "PARTIAL",
                    Some(_) => "ACTIVE",
                };
                let events: Vec<Value> =
                    events.into_iter().flatten().map(|event| json!({"eventname": event})).collect();
                Answer::json(200, &json!({"status": status, "subscriptions": events}))
            }
            // One event a call; none stands for all.
            ("POST", ["subscription"]) => {
                let form = form(request);
                let wanted: Vec<_> =
                    all.filter(|event| form.get("eventname").is_none_or(|wanted| wanted == *event)).collect();
                if wanted.is_empty() {
                    return error(400, "EVENTNAME is not valid.");
                }
                self.0.entry(name).or_default().events.extend(wanted);
                Answer::json(200, &json!({"success": true}))
            }
            ("DELETE", ["subscription"]) => {
                let form = form(request);
                match (form.get("eventname"), self.0.get_mut(name)) {
                    (Some(event), Some(feed)) => feed.events.retain(|known| *known != event),
                    _ => {
                        self.0.remove(name);
                    }
                }
                Answer::json(200, &json!({"success": true}))
            }
            _ => error(405, "The method is not supported."),
        }
    }
}

impl Feed {
    /// `offset` skips what waits now: whoever follows it through a queue that forgets, loses nothing but reads late.
    fn read(&mut self, clinic: &Clinic, request: &Request, name: &str, now: Timestamp) -> Answer {
        let limit = paging::number(request.parameter("limit"), USUAL, 1, LARGEST);
        let offset = paging::number(request.parameter("offset"), 0, 0, usize::MAX);
        let (Some(limit), Some(offset)) = (limit, offset) else {
            return error(400, "LIMIT and OFFSET must be numbers; LIMIT is 5000 at most.");
        };
        let again = match window(request) {
            Ok(again) => again,
            Err(answer) => return answer,
        };
        let (ids, total): (Vec<u64>, usize) = if let Some((from, to)) = again {
            let all: BTreeSet<u64> =
                self.processed.iter().filter(|(at, _)| from <= *at && *at <= to).map(|(_, id)| *id).collect();
            (all.iter().copied().skip(offset).take(limit).collect(), all.len())
        } else {
            (self.waiting.iter().copied().skip(offset).take(limit).collect(), self.waiting.len())
        };
        let rows: Vec<Value> = ids.iter().filter_map(|id| record(clinic, name, *id)).collect();
        if again.is_none() && request.parameter("leaveunprocessed") != Some("true") {
            let end = (offset + ids.len()).min(self.waiting.len());
            self.waiting.drain(offset.min(end)..end);
            for id in ids {
                self.among.remove(&id);
                self.processed.push((now, id));
            }
        }
        Answer::json(200, &json!({"totalcount": total, name: rows}))
    }
}

/// What was handed out between two times is handed out again.
fn window(request: &Request) -> Result<Option<(Timestamp, Timestamp)>, Answer> {
    let read = |name: &str| {
        let Some(text) = request.parameter(name) else { return Ok(None) };
        let at = DateTime::strptime("%m/%d/%Y %H:%M:%S", text)
            .or_else(|_| DateTime::strptime("%m/%d/%Y %H:%M", text))
            .and_then(|at| at.to_zoned(records::practice_zone()));
        at.map(|at| Some(at.timestamp()))
            .map_err(|_| error(400, &format!("{} is not valid.", name.to_uppercase())))
    };
    let (from, to) = (read("showprocessedstartdatetime")?, read("showprocessedenddatetime")?);
    // An end without a fraction is the end of its second.
    let to = to.map(|to| to.saturating_add(jiff::SignedDuration::from_millis(999)).unwrap_or(to));
    Ok(from.map(|from| (from, to.unwrap_or(Timestamp::MAX))))
}

fn record(clinic: &Clinic, name: &str, id: u64) -> Option<Value> {
    match name {
        "appointments" => clinic.visits.get(&id).map(|visit| records::booked(clinic, visit)),
        "patients" => clinic.patients.get(&id).map(records::patient),
        _ => clinic.practitioners.get(&id).map(records::provider),
    }
}
