//! Making a practice up.

use jiff::{Timestamp, ToSpan as _};

use super::{Charge, Clinic, Patient, Payment, Place, Policy, Practitioner, Stamps, Visit};
use crate::{
    Seed,
    parts::people::{person, pick},
};

/// The product's own words.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Status of an appointment that will be.
    pub booked: &'static str,
    /// The patient is there.
    pub arrived: &'static str,
    /// It was.
    pub fulfilled: &'static str,
    /// Called off.
    pub cancelled: &'static str,
    /// The patient did not come.
    pub no_show: &'static str,
    /// How a patient paid.
    pub paid: &'static str,
}

/// Procedure codes, what they are, and cents: those of the practice itself, nobody's nomenclature.
const SERVICES: &[(&str, &str, i64)] = &[
    ("X1001", "Invented consultation, short", 8_500),
    ("X1002", "Invented consultation, long", 14_050),
    ("X2001", "Invented examination", 6_025),
    ("X9001", "Invented vaccination", 3_199),
];
const PAYERS: &[(&str, &str)] =
    &[("Imaginary Mutual", "X0001"), ("Placebo Health Plan", "X0002"), ("Mirage Insurance", "X0003")];
const SPECIALTIES: &[&str] = &["Family Medicine", "Dermatology", "Pediatrics"];
const REASONS: &[&str] = &["", "Check-up", "Follow-up", "Invented complaint", "Vaccination"];
/// What becomes of past appointments, in turn: mostly they were.
const PAST: usize = 7;
/// Appointments begin at full hours: the half hours between them stay free.
const HOURS: i64 = 8;

impl Clinic {
    /// Adds people, places and appointments. Times of appointments are between now and where they all fit, half of
    /// them behind us.
    pub fn seed(&mut self, seed: &Seed, now: Timestamp, words: &Words) {
        let mut chance = fastrand::Rng::with_seed(seed.number);
        if self.places.is_empty() {
            self.add_places();
        }
        let places: Vec<u64> = self.places.keys().copied().collect();
        for at in 0..seed.practitioners.max(usize::from(self.practitioners.is_empty())) {
            let id = self.number();
            let practitioner = Practitioner {
                id,
                person: person(&mut chance),
                npi: format!("90000{:05}", id % 100_000),
                specialty: SPECIALTIES.get(at % SPECIALTIES.len()).copied().unwrap_or_default(),
                place: places.get(at % places.len().max(1)).copied().unwrap_or_default(),
                stamps: Stamps::new(now),
                made_up: (0, 0),
            };
            self.practitioners.insert(id, practitioner);
        }
        let practitioners: Vec<u64> = self.practitioners.keys().copied().collect();
        for at in 0..seed.patients {
            let practitioner = practitioners.get(at % practitioners.len()).copied().unwrap_or_default();
            self.add_patient(&mut chance, at, practitioner, now);
        }
        let patients: Vec<u64> = self.patients.keys().copied().collect();
        if patients.is_empty() {
            return;
        }
        for at in 0..seed.appointments {
            let practitioner = practitioners.get(at % practitioners.len()).copied().unwrap_or_default();
            let patient = patients.get(chance.usize(0..patients.len())).copied().unwrap_or_default();
            self.add_visit(&mut chance, (at, practitioner, patient), now, words);
        }
    }

    fn add_places(&mut self) {
        for (name, state, zone) in
            [("Testville Office", "NY", "America/New_York"), ("Mockton Office", "CO", "America/Denver")]
        {
            let id = self.number();
            let address = [
                format!("{id} Sample Street"),
                name.replace(" Office", ""),
                state.to_owned(),
                "00001".into(),
            ];
            let place = Place { id, name: name.to_owned(), address, phone: "2125550100".to_owned(), zone };
            self.places.insert(id, place);
        }
    }

    fn add_patient(&mut self, chance: &mut fastrand::Rng, at: usize, practitioner: u64, now: Timestamp) {
        let id = self.number();
        let person = person(chance);
        // Two in three are insured, one in nine twice.
        let count = usize::from(!at.is_multiple_of(3)) + usize::from(at % 9 == 1);
        let policies = (0..count)
            .map(|rank| {
                let (payer, payer_id) = PAYERS.get((at + rank) % PAYERS.len()).copied().unwrap_or_default();
                Policy {
                    id: self.number(),
                    payer,
                    payer_id,
                    member: format!("M{id}{rank}"),
                    group: format!("G{}", at % 5),
                }
            })
            .collect();
        // One in ten is archived.
        let patient =
            Patient { id, person, is_active: at % 10 != 9, practitioner, policies, stamps: Stamps::new(now) };
        self.patients.insert(id, patient);
    }

    fn add_visit(
        &mut self,
        chance: &mut fastrand::Rng,
        (at, practitioner, patient): (usize, u64, u64),
        now: Timestamp,
        words: &Words,
    ) {
        let is_ahead = at % 2 == 0;
        let Some(who) = self.practitioners.get_mut(&practitioner) else { return };
        let count = if is_ahead { &mut who.made_up.0 } else { &mut who.made_up.1 };
        let turn = i64::from(*count);
        *count += 1;
        let (place, days) = (who.place, 1 + turn / HOURS);
        let zone = self.zone(place);
        let today = now.to_zoned(zone.clone()).date();
        let day = today.saturating_add(if is_ahead { days.days() } else { (-days).days() });
        let hour = i8::try_from(9 + turn % HOURS).unwrap_or(9);
        let Ok(start) = day.at(hour, 0, 0, 0).to_zoned(zone) else { return };
        let status = match (is_ahead, at / 2 % PAST) {
            (true, 5) | (false, 5) => words.cancelled,
            (true, _) => words.booked,
            (false, 6) => words.no_show,
            (false, 4) => words.arrived,
            (false, _) => words.fulfilled,
        };
        let id = self.number();
        let visit = Visit {
            id,
            patient: Some(patient),
            practitioner,
            place,
            start: start.timestamp(),
            minutes: 30,
            kind: 1,
            room: 1 + practitioner % 2,
            status: status.to_owned(),
            reason: pick(chance, REASONS).to_owned(),
            note: String::new(),
            is_deleted: false,
            stamps: Stamps::new(now),
        };
        if status == words.fulfilled {
            self.add_bill(chance, &visit, day, now, words);
        }
        self.visits.insert(id, visit);
    }

    fn add_bill(
        &mut self,
        chance: &mut fastrand::Rng,
        visit: &Visit,
        day: jiff::civil::Date,
        now: Timestamp,
        words: &Words,
    ) {
        let (code, text, cents) = SERVICES.get(chance.usize(0..SERVICES.len())).copied().unwrap_or_default();
        let (patient, practitioner) = (visit.patient.unwrap_or_default(), visit.practitioner);
        let id = self.number();
        let charge = Charge {
            id,
            visit: visit.id,
            patient,
            practitioner,
            code: code.to_owned(),
            text,
            quantity: 1,
            cents,
            day,
            stamps: Stamps::new(now),
        };
        self.charges.insert(id, charge);
        if chance.bool() {
            let id = self.number();
            let payment = Payment {
                id,
                patient,
                practitioner,
                visit: Some(visit.id),
                cents: 2_500,
                method: words.paid.to_owned(),
                day,
                note: String::new(),
                stamps: Stamps::new(now),
            };
            self.payments.insert(id, payment);
        }
    }
}
