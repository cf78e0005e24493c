//! STU3: `Appointment/$find` proposes what is free, `Appointment/$book` takes one of the proposals.

use serde_json::{Value, json};

use super::{CODES, Epic};
use crate::{
    Answer, Request,
    parts::fhir::{
        outcome::{Refusal, fhir, outcome},
        seed,
        server::{body, one},
    },
};

/// Names of the parameters of `$find`: patient, first moment, last moment, place. Not confirmed.
pub const FIND: [&str; 4] = ["patient", "startTime", "endTime", "location-reference"];
/// Names of the parameters of `$book`: patient, what was found, a note. Not confirmed.
pub const BOOK: [&str; 3] = ["patient", "appointment", "appointmentNote"];

/// A proposal's id is a slot's with this in front.
const PROPOSAL: &str = "proposal.";

impl Epic {
    pub(super) fn stu3(&self, request: &Request, path: &[&str], base: &str) -> Result<Answer, Refusal> {
        let now = self.clock.now();
        let letter = |kind: &str, letter: char| self.smart.let_in(request, kind, letter, now);
        match (request.method.as_str(), path) {
            ("POST", ["Appointment", "$find"]) => {
                letter("Appointment", 's')?;
                self.find(&body("Parameters", request)?, base)
            }
            ("POST", ["Appointment", "$book"]) => {
                letter("Appointment", 'c')?;
                self.take(&body("Parameters", request)?, base)
            }
            ("GET", ["Slot", id]) => {
                letter("Slot", 'r')?;
                self.server.store().get("Slot", id).map(|kept| one(200, kept)).ok_or_else(Refusal::not_found)
            }
            _ => Err(Refusal::new(404, "not-supported", "Not offered in STU3")),
        }
    }

    /// What is free between two moments.
    fn find(&self, parameters: &Value, base: &str) -> Result<Answer, Refusal> {
        let [patient, start, end, place] = FIND;
        let patient = self.patient(parameters, patient)?;
        let time = |name: &str| {
            let text =
                value(parameters, name).and_then(|value| value.get("valueDateTime")?.as_str()?.parse().ok());
            text.ok_or_else(|| invalid(&format!("{name} must be a dateTime with an offset")))
        };
        let (from, to): (jiff::Timestamp, jiff::Timestamp) = (time(start)?, time(end)?);
        let place =
            value(parameters, place).and_then(|value| value.pointer("/valueReference/reference")?.as_str());
        let store = self.server.store();
        let mut entries = Vec::new();
        for (id, kept) in store.all("Slot") {
            let slot = &kept.resource;
            let at: Option<jiff::Timestamp> =
                slot.get("start").and_then(|start| start.as_str()?.parse().ok());
            let is_free = slot.get("status") == Some(&json!("free"));
            if !is_free || !at.is_some_and(|at| from <= at && at < to) {
                continue;
            }
            let actors = self.actors(&store, slot);
            if place.is_some_and(|place| {
                !actors.iter().any(|actor| actor.get("reference") == Some(&json!(place)))
            }) {
                continue;
            }
            let proposal = appointment(slot, "proposed", &patient, &actors);
            entries.push(json!({
                "fullUrl": format!("{base}/Appointment/{PROPOSAL}{id}"),
                "resource": with_id(proposal, &format!("{PROPOSAL}{id}")),
                "search": {"mode": "match"},
            }));
        }
        let total = entries.len();
        if entries.is_empty() {
            let nothing = outcome("warning", "not-found", Some((CODES, "4101")), "No results");
            entries.push(json!({"resource": nothing, "search": {"mode": "outcome"}}));
        }
        Ok(fhir(
            200,
            &json!({"resourceType": "Bundle", "type": "searchset", "total": total, "entry": entries}),
        ))
    }

    /// Books a proposal, unless it was taken meanwhile.
    fn take(&self, parameters: &Value, base: &str) -> Result<Answer, Refusal> {
        let [patient, proposal, note] = BOOK;
        let patient = self.patient(parameters, patient)?;
        let proposal =
            value(parameters, proposal).and_then(|value| value.pointer("/valueIdentifier/value")?.as_str());
        let slot = proposal.and_then(|id| id.strip_prefix(PROPOSAL));
        let slot = slot.ok_or_else(|| invalid("appointment must be what $find proposed"))?.to_owned();
        let now = self.clock.now();
        let mut store = self.server.store();
        let found =
            store.get("Slot", &slot).ok_or_else(|| invalid("There is no such proposal"))?.resource.clone();
        if found.get("status") != Some(&json!("free")) {
            return Err(Refusal::new(409, "conflict", "The time is not free any more"));
        }
        let mut booked = appointment(&found, "booked", &patient, &self.actors(&store, &found));
        let note = value(parameters, note).and_then(|value| value.get("valueString").cloned());
        if let (Some(members), Some(note)) = (booked.as_object_mut(), note) {
            members.insert("comment".to_owned(), note);
        }
        store.change("Slot", &slot, now, |slot| {
            if let Some(members) = slot.as_object_mut() {
                members.insert("status".to_owned(), json!("busy"));
            }
        });
        let id = store.create(booked, now);
        let kept = store.get("Appointment", &id).map(|kept| kept.resource.clone()).unwrap_or_default();
        Ok(fhir(
            200,
            &json!({"resourceType": "Bundle", "type": "collection", "entry": [
                {"fullUrl": format!("{base}/Appointment/{id}"), "resource": kept},
            ]}),
        ))
    }

    fn patient(&self, parameters: &Value, name: &str) -> Result<String, Refusal> {
        let reference =
            value(parameters, name).and_then(|value| value.pointer("/valueReference/reference")?.as_str());
        let id = reference.and_then(|reference| reference.strip_prefix("Patient/"));
        let id = id.filter(|id| self.server.store().get("Patient", id).is_some());
        Ok(id.ok_or_else(|| invalid("patient must refer to a patient"))?.to_owned())
    }

    fn actors(&self, store: &crate::parts::fhir::store::Store, slot: &Value) -> Vec<Value> {
        let schedule = slot.pointer("/schedule/reference").and_then(Value::as_str).unwrap_or_default();
        let kept = store.get("Schedule", schedule.trim_start_matches("Schedule/"));
        kept.and_then(|kept| kept.resource.get("actor")?.as_array().cloned()).unwrap_or_default()
    }
}

fn invalid(text: &str) -> Refusal {
    Refusal::new(400, "invalid", text).with_detail(CODES, "4111")
}

/// The parameter of a name.
fn value<'a>(parameters: &'a Value, name: &str) -> Option<&'a Value> {
    parameters.get("parameter")?.as_array()?.iter().find(|one| one.get("name") == Some(&json!(name)))
}

fn appointment(slot: &Value, status: &str, patient: &str, actors: &[Value]) -> Value {
    let mut participants = vec![json!({"actor": seed::reference("Patient", patient), "status": "accepted"})];
    participants.extend(actors.iter().map(|actor| json!({"actor": actor, "status": "accepted"})));
    json!({
        "resourceType": "Appointment", "status": status,
        "start": slot.get("start"), "end": slot.get("end"), "minutesDuration": 30,
        "participant": participants,
    })
}

fn with_id(mut resource: Value, id: &str) -> Value {
    if let Some(members) = resource.as_object_mut() {
        members.insert("id".to_owned(), json!(id));
    }
    resource
}
