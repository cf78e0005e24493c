//! Making and changing patients.

use jiff::civil::Date;
use serde_json::Value;

use super::{
    Made, key_in, missing, refused,
    rows::{NO_DAY, Patient},
    state::State,
    text_in,
};
use crate::{Answer, parts::people::Person};

impl State {
    pub(super) fn create_patient(&mut self, body: &Value, now: &str) -> Result<Made, Answer> {
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
        let number = self.next();
        let mut patient = Patient {
            number,
            person,
            status: "Patient",
            born: NO_DAY.to_owned(),
            gender: "Unknown",
            provider: self.providers.first().map_or(0, |provider| provider.number),
            stamp: now.to_owned(),
        };
        patient.set(body)?;
        let made = Made::of(&patient, now);
        self.patients.push(patient);
        Ok(made)
    }

    pub(super) fn change_patient(&mut self, number: &str, body: &Value, now: &str) -> Result<Made, Answer> {
        let patient = self.patients.iter_mut().find(|known| known.number.to_string() == number);
        let patient = patient.ok_or_else(missing)?;
        if patient.status == "Deleted" {
            return Err(refused("Deleted patients can't be changed."));
        }
        let mut changed = patient.clone();
        changed.set(body)?;
        now.clone_into(&mut changed.stamp);
        *patient = changed;
        Ok(Made::of(patient, now))
    }
}

impl Patient {
    /// Fields that are not named stay as they are.
    fn set(&mut self, body: &Value) -> Result<(), Answer> {
        let person = &mut self.person;
        for (name, field) in [
            ("LName", &mut person.family),
            ("FName", &mut person.given),
            ("WirelessPhone", &mut person.phone),
            ("Email", &mut person.email),
            ("Address", &mut person.street),
            ("City", &mut person.city),
            ("Zip", &mut person.postal_code),
        ] {
            if let Some(text) = text_in(body, name) {
                *field = text;
            }
        }
        if person.family.is_empty() || person.given.is_empty() {
            return Err(refused("LName and FName are required."));
        }
        if let Some(born) = text_in(body, "Birthdate") {
            born.parse::<Date>().map_err(|_| refused("Birthdate must have the format yyyy-MM-dd."))?;
            self.born = born;
        }
        if let Some(gender) = text_in(body, "Gender") {
            let known = ["Male", "Female", "Unknown", "Other"].into_iter().find(|known| *known == gender);
            self.gender = known.ok_or_else(|| refused("Gender is invalid."))?;
        }
        if let Some(provider) = key_in(body, "PriProv") {
            self.provider = provider;
        }
        Ok(())
    }
}
