//! Booking, moving and breaking appointments, and taking payments.

use serde_json::Value;

use super::{
    Made, instant, key_in, missing, refused,
    rows::{Appointment, Payment, Row as _},
    state::State,
    text_in,
};
use crate::Answer;

/// Nine hours of five minutes.
const LONGEST_PATTERN: usize = 108;
/// What `confirmVal` may be, with the practice's numbers.
const CONFIRMED: &[(&str, u64)] =
    &[("None", 18), ("Sent", 20), ("Confirmed", 21), ("Not Accepted", 22), ("Failed", 23)];

impl State {
    pub(super) fn book(&mut self, body: &Value, now: &str) -> Result<Made, Answer> {
        let needed = |name: &str| key_in(body, name).ok_or_else(|| refused(&format!("{name} is required.")));
        let (patient, operatory) = (needed("PatNum")?, needed("Op")?);
        self.patients.iter().find(|known| known.number == patient).ok_or_else(missing)?;
        let room = self.operatories.iter().find(|known| known.number == operatory);
        let room = room.ok_or_else(|| refused("Op is invalid."))?.clone();
        let starts = text_in(body, "AptDateTime").ok_or_else(|| refused("AptDateTime is required."))?;
        let number = self.next();
        let mut appointment = Appointment {
            number,
            patient,
            provider: room.dentist,
            provider_abbr: format!("DOC{}", room.dentist),
            operatory,
            status: "Scheduled",
            pattern: "/XX/".to_owned(),
            starts,
            note: String::new(),
            confirmed: (19, "Not Called".to_owned()),
            arrived: None,
            created: now.to_owned(),
            stamp: now.to_owned(),
            missed: false,
        };
        self.set(&mut appointment, body)?;
        let made = Made::of(&appointment, now);
        self.appointments.push(appointment);
        Ok(made)
    }

    pub(super) fn change_appointment(
        &mut self,
        number: &str,
        body: &Value,
        now: &str,
    ) -> Result<Made, Answer> {
        let at = self.at(number)?;
        let mut changed = self.appointments.get(at).cloned().ok_or_else(missing)?;
        self.set(&mut changed, body)?;
        self.put(at, changed, now)
    }

    /// Only what is scheduled can be broken.
    pub(super) fn break_appointment(
        &mut self,
        number: &str,
        body: &Value,
        now: &str,
    ) -> Result<Made, Answer> {
        let at = self.at(number)?;
        let mut changed = self.appointments.get(at).cloned().ok_or_else(missing)?;
        if changed.status != "Scheduled" {
            return Err(refused("Only scheduled appointments can be broken."));
        }
        let to_list = match text_in(body, "sendToUnscheduledList").as_deref() {
            Some("true") => true,
            Some("false") => false,
            _ => {
                return Err(refused("sendToUnscheduledList is required, and must be \"true\" or \"false\"."));
            }
        };
        changed.missed = match text_in(body, "breakType").as_deref() {
            None | Some("Cancelled") => false,
            Some("Missed") => true,
            Some(_) => return Err(refused("breakType must be Missed or Cancelled.")),
        };
        changed.status = if to_list { "UnschedList" } else { "Broken" };
        self.put(at, changed, now)
    }

    pub(super) fn confirm(&mut self, number: &str, body: &Value, now: &str) -> Result<Made, Answer> {
        let at = self.at(number)?;
        let mut changed = self.appointments.get(at).cloned().ok_or_else(missing)?;
        let word = text_in(body, "confirmVal").unwrap_or_default();
        let known = CONFIRMED.iter().find(|(known, _)| *known == word);
        let (_, value) = known.ok_or_else(|| refused("confirmVal is invalid."))?;
        changed.confirmed = (*value, word);
        self.put(at, changed, now)
    }

    fn at(&self, number: &str) -> Result<usize, Answer> {
        self.appointments.iter().position(|known| known.number.to_string() == number).ok_or_else(missing)
    }

    fn put(&mut self, at: usize, mut changed: Appointment, now: &str) -> Result<Made, Answer> {
        now.clone_into(&mut changed.stamp);
        let made = Made { number: changed.number(), row: changed.json(now) };
        *self.appointments.get_mut(at).ok_or_else(missing)? = changed;
        Ok(made)
    }

    /// Fields that are not named stay as they are.
    fn set(&self, appointment: &mut Appointment, body: &Value) -> Result<(), Answer> {
        if let Some(starts) = text_in(body, "AptDateTime") {
            appointment.starts = starts;
        }
        if instant(&appointment.starts).is_none() {
            return Err(refused("AptDateTime must have the format yyyy-MM-dd HH:mm:ss."));
        }
        if let Some(pattern) = text_in(body, "Pattern") {
            let fits = (1..=LONGEST_PATTERN).contains(&pattern.len())
                && pattern.bytes().all(|mark| matches!(mark, b'X' | b'/'));
            if !fits {
                return Err(refused("Pattern must hold X and / only, up to nine hours."));
            }
            appointment.pattern = pattern;
        }
        if let Some(number) = key_in(body, "ProvNum") {
            let provider = self.providers.iter().find(|known| known.number == number);
            let provider = provider.ok_or_else(|| refused("ProvNum is invalid."))?;
            (appointment.provider, appointment.provider_abbr) = (number, provider.abbreviation());
        }
        if let Some(number) = key_in(body, "Op") {
            if !self.operatories.iter().any(|known| known.number == number) {
                return Err(refused("Op is invalid."));
            }
            appointment.operatory = number;
        }
        if let Some(note) = text_in(body, "Note") {
            appointment.note = note;
        }
        if let Some(arrived) = text_in(body, "DateTimeArrived") {
            instant(&arrived).ok_or_else(|| refused("DateTimeArrived is invalid."))?;
            appointment.arrived = Some(arrived);
        }
        Ok(())
    }

    /// Payments of patients, never of insurers.
    pub(super) fn pay(&mut self, body: &Value, now: &str) -> Result<Made, Answer> {
        let patient = key_in(body, "PatNum").ok_or_else(|| refused("PatNum is required."))?;
        self.patients.iter().find(|known| known.number == patient).ok_or_else(missing)?;
        let amount = match body.get("PayAmt") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => return Err(refused("PayAmt is required.")),
        };
        if amount.parse::<f64>().is_err() {
            return Err(refused("PayAmt is invalid."));
        }
        let today = now.get(..10).unwrap_or_default().to_owned();
        let number = self.next();
        let payment = Payment {
            number,
            patient,
            amount,
            day: text_in(body, "PayDate").unwrap_or_else(|| today.clone()),
            entered: today,
            check: text_in(body, "CheckNum").unwrap_or_default(),
            note: text_in(body, "PayNote").unwrap_or_default(),
        };
        let made = Made::of(&payment, now);
        self.payments.push(payment);
        Ok(made)
    }
}
