//! What callers change.

use jiff::{Timestamp, ToSpan as _, civil::Date};
use serde_json::{Value, json};

use super::{
    error, invalid,
    rows::{Appointment, Patient, Row, Stamps},
    state::{State, whole},
};
use crate::{Answer, parts::people::Person};

/// The reasons that a cancellation may have.
const REASONS: &[u64] = &[10, 20, 30, 40, 50, 60];

/// An id as callers write it: text, or a number.
fn id_in(body: &Value, name: &str) -> Option<u64> {
    match body.get(name)? {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64(),
    }
}

fn text_in(body: &Value, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).map(|text| text.trim().to_owned())
}

/// A time in UTC, or an answer that says what is wrong.
fn time_in(body: &Value, name: &str) -> Result<Option<Timestamp>, Answer> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(time) => {
            let time = time.as_str().and_then(|text| text.parse::<Timestamp>().ok());
            time.map(|time| Some(whole(time))).ok_or_else(|| invalid(name, "is not a time"))
        }
    }
}

impl State {
    pub(super) fn create_patient(&mut self, body: &Value, now: Timestamp, base: &str) -> Answer {
        let person = Person {
            family: String::new(),
            given: String::new(),
            birth_date: Date::MIN,
            gender: "",
            phone: String::new(),
            email: String::new(),
            street: String::new(),
            city: String::new(),
            postal_code: String::new(),
        };
        let mut patient = Patient { id: 0, person, born: None, sex: None, stamps: Stamps::new(whole(now)) };
        if let Err(refusal) = patient.change(body) {
            return refusal;
        }
        patient.id = self.id();
        let answer = Answer::json(201, &patient.json(base))
            .with_header("location", format!("{base}/v1/patients/{}", patient.id));
        self.patients.push(patient);
        answer
    }

    pub(super) fn change_patient(&mut self, id: &str, body: &Value, now: Timestamp, base: &str) -> Answer {
        let Some(patient) = self.patients.iter_mut().find(|patient| patient.id.to_string() == id) else {
            return error(404, "Resource not found");
        };
        let mut changed = patient.clone();
        if let Err(refusal) = changed.change(body) {
            return refusal;
        }
        changed.stamps.updated = whole(now);
        *patient = changed;
        Answer::json(200, &patient.json(base))
    }

    pub(super) fn book_appointment(&mut self, body: &Value, now: Timestamp, base: &str) -> Answer {
        let appointment = match self.appointment(body, now) {
            Ok(appointment) => appointment,
            Err(refusal) => return refusal,
        };
        let answer = Answer::json(201, &appointment.json(base))
            .with_header("location", format!("{base}/v1/individual_appointments/{}", appointment.id));
        self.appointments.push(appointment);
        answer
    }

    /// The appointment that a body describes. It may overlap others: that is what `conflicts` is for.
    fn appointment(&mut self, body: &Value, now: Timestamp) -> Result<Appointment, Answer> {
        let blank = |name: &str| invalid(name, "can't be blank");
        let named = |name: &str| id_in(body, name).ok_or_else(|| blank(name));
        let missing = |name: &str| invalid(name, "does not exist");
        let starts = time_in(body, "starts_at")?.ok_or_else(|| blank("starts_at"))?;
        let patient = named("patient_id")?;
        let patient =
            self.patients.iter().find(|known| known.id == patient && known.stamps.archived.is_none());
        let patient = patient.ok_or_else(|| missing("patient_id"))?;
        let (practitioner, business) = (named("practitioner_id")?, named("business_id")?);
        self.practitioners
            .iter()
            .find(|known| known.id == practitioner && known.active)
            .ok_or_else(|| missing("practitioner_id"))?;
        self.businesses.iter().find(|known| known.id == business).ok_or_else(|| missing("business_id"))?;
        let kind = named("appointment_type_id")?;
        let kind = self.types.iter().find(|known| known.id == kind);
        let kind = kind.ok_or_else(|| missing("appointment_type_id"))?;
        let ends = time_in(body, "ends_at")?.unwrap_or_else(|| starts + kind.minutes.minutes());
        if ends <= starts {
            return Err(invalid("ends_at", "must be after starts_at"));
        }
        let (patient, patient_name) =
            (patient.id, format!("{} {}", patient.person.given, patient.person.family));
        let kind = kind.id;
        Ok(Appointment {
            id: self.id(),
            patient,
            patient_name,
            practitioner,
            business,
            kind,
            starts,
            ends,
            notes: text_in(body, "notes"),
            arrived: false,
            missed: false,
            cancelled: None,
            stamps: Stamps::new(whole(now)),
        })
    }

    pub(super) fn change_appointment(
        &mut self,
        id: &str,
        body: &Value,
        now: Timestamp,
        base: &str,
    ) -> Answer {
        let practitioners: Vec<u64> = self.practitioners.iter().map(|known| known.id).collect();
        let types: Vec<(u64, i64)> = self.types.iter().map(|known| (known.id, known.minutes)).collect();
        let Some(appointment) = self.appointments.iter_mut().find(|known| known.id.to_string() == id) else {
            return error(404, "Resource not found");
        };
        if appointment.cancelled.is_some() {
            return invalid("base", "The appointment is cancelled");
        }
        match appointment.changed(body, &practitioners, &types) {
            Err(refusal) => refusal,
            Ok(mut changed) => {
                changed.stamps.updated = whole(now);
                *appointment = changed;
                Answer::json(200, &appointment.json(base))
            }
        }
    }

    pub(super) fn cancel_appointment(&mut self, id: &str, body: &Value, now: Timestamp) -> Answer {
        let Some(appointment) = self.appointments.iter_mut().find(|known| known.id.to_string() == id) else {
            return error(404, "Resource not found");
        };
        let Some(reason) = id_in(body, "cancellation_reason").filter(|reason| REASONS.contains(reason))
        else {
            return invalid("cancellation_reason", "is not one of the reasons");
        };
        if appointment.cancelled.is_none() {
            let now = whole(now);
            appointment.cancelled = Some((now, reason, text_in(body, "cancellation_note")));
            appointment.stamps.updated = now;
        }
        Answer::empty(204)
    }

    pub(super) fn archive_appointment(&mut self, id: &str, now: Timestamp) -> Answer {
        let Some(appointment) = self.appointments.iter_mut().find(|known| known.id.to_string() == id) else {
            return error(404, "Resource not found");
        };
        let now = whole(now);
        (appointment.stamps.archived, appointment.stamps.updated) = (Some(now), now);
        Answer::empty(204)
    }

    pub(super) fn conflicts(&self, id: &str) -> Answer {
        let Some(one) = self.appointments.iter().find(|known| known.id.to_string() == id) else {
            return error(404, "Resource not found");
        };
        let exist = self.appointments.iter().any(|other| {
            other.id != one.id
                && other.practitioner == one.practitioner
                && other.cancelled.is_none()
                && other.starts < one.ends
                && one.starts < other.ends
        });
        Answer::json(200, &json!({"conflicts": {"exist": exist}}))
    }
}

impl Patient {
    /// Fields that are not named stay as they are.
    fn change(&mut self, body: &Value) -> Result<(), Answer> {
        let person = &mut self.person;
        for (name, field) in [
            ("first_name", &mut person.given),
            ("last_name", &mut person.family),
            ("email", &mut person.email),
            ("address_1", &mut person.street),
            ("city", &mut person.city),
            ("post_code", &mut person.postal_code),
        ] {
            if body.get(name).is_some() {
                *field = text_in(body, name).unwrap_or_default();
            }
        }
        if let Some(born) = body.get("date_of_birth") {
            self.born = match born.as_str() {
                None | Some("") => None,
                Some(text) => Some(text.parse().map_err(|_| invalid("date_of_birth", "is not a date"))?),
            };
        }
        if let Some(sex) = text_in(body, "sex") {
            let known =
                ["Male", "Female", "Intersex", "Not applicable"].into_iter().find(|known| *known == sex);
            self.sex = Some(known.ok_or_else(|| invalid("sex", "is not included in the list"))?);
        }
        if let Some(phones) = body.get("patient_phone_numbers").and_then(Value::as_array) {
            let number = phones.first().and_then(|phone| text_in(phone, "number"));
            self.person.phone = number.unwrap_or_default();
        }
        for (name, text) in [("first_name", &self.person.given), ("last_name", &self.person.family)] {
            if text.is_empty() {
                return Err(invalid(name, "can't be blank"));
            }
        }
        Ok(())
    }
}

impl Appointment {
    /// As a body changes it; `ends_at: null` is the type's length again.
    fn changed(&self, body: &Value, practitioners: &[u64], types: &[(u64, i64)]) -> Result<Self, Answer> {
        let mut changed = self.clone();
        if let Some(practitioner) = id_in(body, "practitioner_id") {
            if !practitioners.contains(&practitioner) {
                return Err(invalid("practitioner_id", "does not exist"));
            }
            changed.practitioner = practitioner;
        }
        if let Some(kind) = id_in(body, "appointment_type_id") {
            if !types.iter().any(|(known, _)| *known == kind) {
                return Err(invalid("appointment_type_id", "does not exist"));
            }
            changed.kind = kind;
        }
        if let Some(starts) = time_in(body, "starts_at")? {
            changed.starts = starts;
        }
        if body.get("ends_at").is_some_and(Value::is_null) {
            let minutes =
                types.iter().find(|(known, _)| *known == changed.kind).map_or(30, |(_, minutes)| *minutes);
            changed.ends = changed.starts + minutes.minutes();
        } else if let Some(ends) = time_in(body, "ends_at")? {
            changed.ends = ends;
        }
        if body.get("notes").is_some() {
            changed.notes = text_in(body, "notes");
        }
        for (name, field) in
            [("patient_arrived", &mut changed.arrived), ("did_not_arrive", &mut changed.missed)]
        {
            if let Some(value) = body.get(name).and_then(Value::as_bool) {
                *field = value;
            }
        }
        if changed.ends <= changed.starts {
            return Err(invalid("ends_at", "must be after starts_at"));
        }
        Ok(changed)
    }
}
