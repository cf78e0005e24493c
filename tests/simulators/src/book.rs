//! What a simulator holds and is asked for, in words that no product owns.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a connection says to reach a simulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// The practice's zone: America/New_York, if nothing else is said.
    pub zone: String,
    /// Settings by name.
    pub settings: BTreeMap<String, String>,
    /// Secrets by name. They open nothing but the simulator.
    pub secrets: BTreeMap<String, String>,
}

impl Default for Access {
    fn default() -> Self {
        Self { zone: "America/New_York".to_owned(), settings: BTreeMap::new(), secrets: BTreeMap::new() }
    }
}

impl Access {
    /// Of a practice in this zone.
    #[must_use]
    pub fn zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut self.zone);
        self
    }

    /// With a setting.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// With a secret.
    #[must_use]
    pub fn secret(mut self, name: &str, value: impl Into<String>) -> Self {
        self.secrets.insert(name.to_owned(), value.into());
        self
    }
}

/// How much to make, and of which chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// The same number makes the same people.
    pub number: u64,
    /// Patients to add.
    pub patients: usize,
    /// Practitioners to add.
    pub practitioners: usize,
    /// Appointments to add.
    pub appointments: usize,
}

impl Default for Seed {
    fn default() -> Self {
        Self { number: 1, patients: 20, practitioners: 3, appointments: 40 }
    }
}

/// What a simulator holds, each list in the order of the product's ids.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Book {
    /// Patients, archived ones among them.
    pub patients: Vec<Patient>,
    /// Appointments, cancelled ones among them.
    pub appointments: Vec<Booking>,
    /// Money that patients paid.
    pub payments: Vec<Amount>,
    /// Services that were charged.
    pub procedures: Vec<Amount>,
}

/// A patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Patient {
    /// The product's id.
    pub id: String,
    /// Family name.
    pub family: String,
    /// First given name.
    pub given: String,
    /// `YYYY-MM-DD`; empty where it is not known.
    pub birth_date: String,
}

/// An appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Booking {
    /// The product's id.
    pub id: String,
    /// The patient's id.
    pub patient: String,
    /// The practitioner's id.
    pub practitioner: String,
    /// The first moment.
    pub start: jiff::Timestamp,
    /// The moment after the last.
    pub end: jiff::Timestamp,
    /// What became of it.
    pub status: Status,
}

/// What became of an appointment, in FHIR's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It will be.
    Booked,
    /// The patient is there.
    Arrived,
    /// It was.
    Fulfilled,
    /// Called off, or deleted.
    Cancelled,
    /// The patient did not come.
    NoShow,
}

/// Money for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// The product's id of the payment or procedure.
    pub id: String,
    /// The patient's id.
    pub patient: String,
    /// Decimal, without a currency: `120.00`. What a patient paid is positive, whatever the product writes.
    pub amount: String,
}
