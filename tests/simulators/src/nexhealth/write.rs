//! What callers write; the office's agent takes it over a little later, or refuses it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    LOCATION, State, data, error,
    list::{located, moment},
    shapes,
};
use crate::{
    Answer, Request,
    parts::{
        clinic::{Patient, Stamps, Visit},
        people::Person,
    },
};

fn id_in(body: &Value, name: &str) -> Option<u64> {
    body.get(name).and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()))
}

fn text_in(body: &Value, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn time_in(body: &Value, name: &str) -> Result<Option<Timestamp>, Answer> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(time) => {
            let time = time.as_str().and_then(moment);
            time.map(Some).ok_or_else(|| error(400, &format!("{name} is invalid")))
        }
    }
}

impl State {
    pub(super) fn book(&mut self, request: &Request, body: &Value, now: Timestamp) -> Answer {
        match located(request).and_then(|()| self.visit(body, now)) {
            Err(refusal) => refusal,
            Ok(visit) => {
                let id = visit.id;
                let shown = self.written(id, now, |state| {
                    state.clinic.visits.insert(id, visit.clone());
                    shapes::appointment(&visit, state, now)
                });
                self.tell("appointment_created", id, now);
                self.tell("appointment_insertion", id, now);
                data(201, &json!({"appt": shown}))
            }
        }
    }

    /// Remembers that the agent has something to do.
    fn written(&mut self, id: u64, now: Timestamp, work: impl FnOnce(&mut Self) -> Value) -> Value {
        self.pending.insert(id, now);
        if self.agent_refuses {
            self.refused.push(id);
        }
        work(self)
    }

    fn visit(&mut self, body: &Value, now: Timestamp) -> Result<Visit, Answer> {
        let appt = body.get("appt").ok_or_else(|| error(400, "appt is missing"))?;
        let needed = |name: &str| id_in(appt, name).ok_or_else(|| error(400, &format!("{name} is missing")));
        let (patient, practitioner) = (needed("patient_id")?, needed("provider_id")?);
        // The location's bookings are mapped to operatories.
        let room = needed("operatory_id")?;
        let start = time_in(appt, "start_time")?.ok_or_else(|| error(400, "start_time is missing"))?;
        if !self.clinic.patients.contains_key(&patient) {
            return Err(error(404, "The patient is not known"));
        }
        if !self.clinic.practitioners.contains_key(&practitioner) {
            return Err(error(404, "The provider is not known"));
        }
        let end = time_in(appt, "end_time")?;
        let minutes = end.map_or(15, |end| end.duration_since(start).as_mins());
        if minutes < 1 {
            return Err(error(400, "end_time must be after start_time"));
        }
        let note = text_in(appt, "note").unwrap_or_default();
        if note.chars().count() > 128 {
            return Err(error(400, "note is too long"));
        }
        if self
            .clinic
            .clash(practitioner, start, minutes, None, |visit| visit.status != "cancelled")
            .is_some()
        {
            return Err(error(400, "The time is not available"));
        }
        Ok(Visit {
            id: self.clinic.number(),
            patient: Some(patient),
            practitioner,
            place: LOCATION,
            start,
            minutes,
            kind: id_in(appt, "appointment_type_id").unwrap_or(0),
            room,
            status: "booked".to_owned(),
            reason: String::new(),
            note,
            is_deleted: false,
            stamps: Stamps::new(now),
        })
    }

    pub(super) fn change_appointment(&mut self, id: u64, body: &Value, now: Timestamp) -> Answer {
        let Some(appt) = body.get("appt") else { return error(400, "appt is missing") };
        let Some(mut visit) = self.clinic.visits.get(&id).cloned() else { return error(404, "Not found") };
        let times = time_in(appt, "start_time").and_then(|start| Ok((start, time_in(appt, "end_time")?)));
        let (start, end) = match times {
            Ok(times) => times,
            Err(refusal) => return refusal,
        };
        let end = end.unwrap_or_else(|| visit.end());
        visit.start = start.unwrap_or(visit.start);
        visit.minutes = end.duration_since(visit.start).as_mins();
        if visit.minutes < 1 {
            return error(400, "end_time must be after start_time");
        }
        let taken = |other: &Visit| other.status != "cancelled";
        let clash = self.clinic.clash(visit.practitioner, visit.start, visit.minutes, Some(id), taken);
        if start.is_some() && clash.is_some() {
            return error(400, "The time is not available");
        }
        visit.room = id_in(appt, "operatory_id").unwrap_or(visit.room);
        if let Some(note) = text_in(appt, "note") {
            visit.note = note;
        }
        match appt.get("cancelled").and_then(Value::as_bool) {
            Some(true) => "cancelled".clone_into(&mut visit.status),
            Some(false) if visit.status == "cancelled" => "booked".clone_into(&mut visit.status),
            _ => {}
        }
        if appt.get("checkin_at").is_some_and(Value::is_string) && visit.status == "booked" {
            "arrived".clone_into(&mut visit.status);
        }
        visit.stamps.updated = now;
        let shown = shapes::appointment(&visit, self, now);
        self.clinic.visits.insert(id, visit);
        self.tell("appointment_updated", id, now);
        data(200, &json!({"appt": shown}))
    }

    pub(super) fn create_patient(&mut self, request: &Request, body: &Value, now: Timestamp) -> Answer {
        let made = located(request).and_then(|()| self.patient(body, now));
        let (patient, wants_known) = match made {
            Ok(made) => made,
            Err(refusal) => return refusal,
        };
        let same = self.clinic.patients.values().find(|known| {
            let (one, other) = (&known.person, &patient.person);
            one.family.eq_ignore_ascii_case(&other.family)
                && one.given.eq_ignore_ascii_case(&other.given)
                && one.birth_date == other.birth_date
                && one.phone == other.phone
        });
        match same {
            Some(known) if wants_known => {
                return data(200, &json!({"user": shapes::patient(known, self, now)}));
            }
            Some(_) => return error(400, "A patient with this information exists"),
            None => {}
        }
        let id = patient.id;
        let shown = self.written(id, now, |state| {
            let shown = shapes::patient(&patient, state, now);
            state.clinic.patients.insert(id, patient);
            shown
        });
        self.tell("patient_created", id, now);
        data(201, &json!({"user": shown}))
    }

    fn patient(&mut self, body: &Value, now: Timestamp) -> Result<(Patient, bool), Answer> {
        let of = |value: &Value, name: &str| {
            let text = text_in(value, name).filter(|text| !text.trim().is_empty());
            text.ok_or_else(|| error(400, &format!("{name} is missing")))
        };
        let none = Value::Null;
        let practitioner = body.get("provider").and_then(|provider| id_in(provider, "provider_id"));
        let practitioner = practitioner.ok_or_else(|| error(400, "provider_id is missing"))?;
        if !self.clinic.practitioners.contains_key(&practitioner) {
            return Err(error(404, "The provider is not known"));
        }
        let patient = body.get("patient").unwrap_or(&none);
        let bio = patient.get("bio").unwrap_or(&none);
        let birth_date = of(bio, "date_of_birth")?.parse();
        let birth_date = birth_date.map_err(|_| error(400, "date_of_birth is invalid"))?;
        let gender = match text_in(bio, "gender").as_deref() {
            Some("Male") => "male",
            Some("Other") => "other",
            // So it is with all systems that want to know.
            None | Some("Female") => "female",
            Some(_) => return Err(error(400, "gender is invalid")),
        };
        let email = of(patient, "email")?;
        if !email.contains('@') {
            return Err(error(400, "email is invalid"));
        }
        let person = Person {
            family: of(patient, "last_name")?,
            given: of(patient, "first_name")?,
            birth_date,
            gender,
            phone: of(bio, "phone_number")?,
            email,
            street: text_in(bio, "address_line_1").unwrap_or_default(),
            city: text_in(bio, "city").unwrap_or_default(),
            postal_code: text_in(bio, "zip_code").unwrap_or_default(),
        };
        let wants_known = body.get("return_existing_if_match").and_then(Value::as_bool).unwrap_or_default();
        let id = self.clinic.number();
        let stamps = Stamps::new(now);
        let patient = Patient { id, person, is_active: true, practitioner, policies: Vec::new(), stamps };
        Ok((patient, wants_known))
    }
}
