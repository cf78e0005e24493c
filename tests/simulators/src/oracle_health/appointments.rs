//! Booking on slots, and JSON Patch (RFC 6902) of a status.

use serde_json::{Value, json};

use super::OracleHealth;
use crate::{
    Answer, Request,
    parts::fhir::{outcome::Refusal, seed},
};

impl OracleHealth {
    /// `POST Appointment`: a time that was found free, for one patient. 201 without a body.
    pub(super) fn book_appointment(&self, request: &Request, base: &str) -> Result<Answer, Refusal> {
        let mut appointment = self.server.incoming("Appointment", request)?;
        let wrong = |text: &str| Refusal::new(422, "business-rule", text);
        if appointment.get("modifierExtension").is_some() {
            return Err(wrong("Unknown modifier extension"));
        }
        let status = appointment.get("status").and_then(Value::as_str).unwrap_or_default();
        if !["proposed", "booked"].contains(&status) {
            return Err(wrong("An appointment begins as proposed or booked"));
        }
        let patient = seed::actor(&appointment, "Patient");
        let now = self.clock.now();
        if status == "booked" {
            let slot = appointment.pointer("/slot/0/reference").and_then(Value::as_str).unwrap_or_default();
            let slot = slot
                .strip_prefix("Slot/")
                .ok_or_else(|| wrong("A booked appointment needs a slot"))?
                .to_owned();
            let mut store = self.server.store();
            if store.get("Patient", &patient).is_none() {
                return Err(wrong("There is no such patient"));
            }
            let found =
                store.get("Slot", &slot).ok_or_else(|| wrong("There is no such slot"))?.resource.clone();
            if found.get("status") != Some(&json!("free")) {
                return Err(wrong("The slot is not free"));
            }
            let start = appointment.get("start").and_then(Value::as_str).and_then(instant);
            let of_slot = found.get("start").and_then(Value::as_str).and_then(instant);
            if start.is_some() && start != of_slot {
                return Err(wrong("The appointment does not begin with its slot"));
            }
            let schedule = found.pointer("/schedule/reference").and_then(Value::as_str).unwrap_or_default();
            let schedule = schedule.trim_start_matches("Schedule/");
            let actors = store
                .get("Schedule", schedule)
                .and_then(|kept| kept.resource.get("actor")?.as_array().cloned());
            let mut participants =
                vec![json!({"actor": seed::reference("Patient", &patient), "status": "accepted"})];
            let of_schedule = actors.unwrap_or_default().into_iter();
            participants.extend(of_schedule.map(|actor| json!({"actor": actor, "status": "accepted"})));
            if let Some(members) = appointment.as_object_mut() {
                for name in ["start", "end", "serviceType"] {
                    members.insert(name.to_owned(), found.get(name).cloned().unwrap_or_default());
                }
                members.insert("minutesDuration".to_owned(), json!(30));
                members.insert("participant".to_owned(), json!(participants));
            }
            store.change("Slot", &slot, now, |slot| set_status(slot, "busy"));
        } else if appointment.get("requestedPeriod").is_none() {
            return Err(wrong("A proposed appointment needs a requestedPeriod"));
        }
        Ok(self.server.create("Appointment", appointment, base, now))
    }

    /// `PATCH Appointment/{id}`, `PATCH Slot/{id}`: the status, and only in allowed steps. 204 without a body.
    pub(super) fn patch(&self, kind: &str, id: &str, request: &Request) -> Result<Answer, Refusal> {
        let wrong = |text: &str| Refusal::new(422, "business-rule", text);
        if !request.header("content-type").is_some_and(|kind| kind.starts_with("application/json-patch+json"))
        {
            return Err(Refusal::new(415, "not-supported", "The body must be application/json-patch+json"));
        }
        let patch = request.json().ok_or_else(|| Refusal::new(400, "structure", "The body is no JSON"))?;
        let mut store = self.server.store();
        let kept = store.get(kind, id).ok_or_else(Refusal::not_found)?.clone();
        match request.header("if-match") {
            Some(version) if version != kept.etag() => {
                return Err(Refusal::new(409, "conflict", "The version is stale"));
            }
            None if kind == "Slot" => return Err(Refusal::new(412, "required", "If-Match is missing")),
            _ => {}
        }
        let now = kept.resource.get("status").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut next = None;
        for step in patch.as_array().map(Vec::as_slice).unwrap_or_default() {
            let part = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default();
            match (part("op"), part("path")) {
                ("test", "/status") if part("value") == now => {}
                ("test", "/status") => return Err(wrong("The status is another")),
                ("replace", "/status") => next = Some(part("value").to_owned()),
                _ => return Err(wrong("Only the status can be patched")),
            }
        }
        let next = next.ok_or_else(|| wrong("The patch changes nothing"))?;
        let moves: &[&str] = match (kind, now.as_str()) {
            ("Slot", "free") => &["busy-tentative"],
            ("Slot", "busy-tentative") => &["free"],
            ("Appointment", "proposed") => &["booked", "cancelled"],
            ("Appointment", "booked") => &["arrived", "checked-in", "cancelled"],
            ("Appointment", "arrived") => &["checked-in", "cancelled"],
            ("Appointment", "checked-in") => &["fulfilled", "cancelled"],
            _ => &[],
        };
        if !moves.contains(&next.as_str()) {
            return Err(wrong("The status can't move so"));
        }
        let at = self.clock.now();
        if kind == "Appointment" && next == "cancelled" {
            let slot = kept.resource.pointer("/slot/0/reference").and_then(Value::as_str).unwrap_or_default();
            store.change("Slot", slot.trim_start_matches("Slot/"), at, |slot| set_status(slot, "free"));
        }
        let kept = store.change(kind, id, at, |resource| set_status(resource, &next));
        Ok(Answer::empty(204)
            .with_header("etag", kept.map(crate::parts::fhir::store::Kept::etag).unwrap_or_default()))
    }
}

fn set_status(resource: &mut Value, status: &str) {
    if let Some(members) = resource.as_object_mut() {
        members.insert("status".to_owned(), json!(status));
    }
}

fn instant(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok()
}
