//! The account's records.

use jiff::Timestamp;

use super::rows::{Patient, Practitioner};
use crate::{Book, Seed, book, parts::people::person};

/// All of them.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) patients: Vec<Patient>,
    pub(super) practitioners: Vec<Practitioner>,
    last_id: u64,
}

impl State {
    pub(super) fn seed(&mut self, seed: &Seed, now: Timestamp) {
        let mut chance = fastrand::Rng::with_seed(seed.number);
        for _ in 0..seed.practitioners {
            let id = self.id();
            self.practitioners.push(Practitioner { id, person: person(&mut chance), updated_at: now });
        }
        for _ in 0..seed.patients {
            let id = self.id();
            self.patients.push(Patient { id, person: person(&mut chance), updated_at: now });
        }
    }

    pub(super) fn touch(&mut self, resource: &str, count: usize, now: Timestamp) -> Vec<String> {
        if resource != "Patient" {
            return Vec::new();
        }
        let touch = |patient: &mut Patient| {
            patient.updated_at = now;
            patient.id.to_string()
        };
        self.patients.iter_mut().take(count).map(touch).collect()
    }

    pub(super) fn book(&self) -> Book {
        let patient = |patient: &Patient| book::Patient {
            id: patient.id.to_string(),
            family: patient.person.family.clone(),
            given: patient.person.given.clone(),
            birth_date: patient.person.birth_date.to_string(),
        };
        Book { patients: self.patients.iter().map(patient).collect(), ..Book::default() }
    }

    fn id(&mut self) -> u64 {
        self.last_id += 1;
        1_000_000_000_000 + self.last_id
    }
}
