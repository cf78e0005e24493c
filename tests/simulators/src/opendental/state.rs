//! The office's tables: how they are made up, changed at the desk, and compared.

use jiff::{SignedDuration, Timestamp};

use super::{
    events::Subscription,
    instant,
    insurance::Insurances,
    local,
    rows::{Appointment, NO_DAY, Operatory, Patient, Payment, Procedure, Provider},
};
use crate::{
    Amount, Book, Booking, Seed, Status, book,
    parts::people::{Person, person},
};

/// All tables, each in the order of its keys.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) patients: Vec<Patient>,
    pub(super) providers: Vec<Provider>,
    pub(super) operatories: Vec<Operatory>,
    pub(super) appointments: Vec<Appointment>,
    pub(super) procedures: Vec<Procedure>,
    pub(super) payments: Vec<Payment>,
    pub(super) insurances: Insurances,
    pub(super) deleted: Vec<Appointment>,
    pub(super) subscribed: Vec<Subscription>,
    numbers: u64,
}

/// CDT codes with their words and usual fees.
const CODES: &[((&str, &str), &str, &str)] = &[
    (("D0120", "periodic oral evaluation"), "52.00", ""),
    (("D1110", "prophylaxis - adult"), "98.50", ""),
    (("D2392", "resin-based composite - two surfaces, posterior"), "215.00", "14"),
];

impl State {
    /// An office with nobody in it.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Keys are small whole numbers; each table here counts on from the others.
    pub(super) fn next(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn seed(&mut self, seed: &Seed, now: Timestamp) {
        let mut chance = fastrand::Rng::with_seed(seed.number);
        let stamp = local(now);
        for _ in 0..seed.practitioners {
            let number = self.next();
            self.providers.push(Provider { number, person: person(&mut chance), stamp: stamp.clone() });
            let room = self.next();
            self.operatories.push(Operatory { number: room, dentist: number });
        }
        let known = self.patients.len();
        for _ in 0..seed.patients {
            let (number, person) = (self.next(), person(&mut chance));
            let born = match chance.u8(0..10) {
                0 => NO_DAY.to_owned(),
                _ => person.birth_date.to_string(),
            };
            let gender = match person.gender {
                "male" => "Male",
                "female" => "Female",
                _ => "Unknown",
            };
            let provider = self.providers.first().map_or(0, |provider| provider.number);
            let stamp = stamp.clone();
            self.patients.push(Patient { number, person, status: "Patient", born, gender, provider, stamp });
        }
        let new: Vec<u64> = self.patients.iter().skip(known).map(|patient| patient.number).collect();
        self.insurances.seed(&new, &stamp);
        for number in 0..seed.appointments {
            self.seed_appointment(&mut chance, number, now);
        }
    }

    /// Half of them in the past, a few of each outcome.
    fn seed_appointment(&mut self, chance: &mut fastrand::Rng, count: usize, now: Timestamp) {
        let some = |chance: &mut fastrand::Rng, count: usize| (count > 0).then(|| chance.usize(0..count));
        let patient = some(chance, self.patients.len()).and_then(|at| self.patients.get(at));
        let room = some(chance, self.operatories.len()).and_then(|at| self.operatories.get(at));
        let (Some(patient), Some(room)) = (patient.map(|patient| patient.number), room.cloned()) else {
            return;
        };
        let quarter = i64::try_from(count).unwrap_or_default();
        let shift = if count.is_multiple_of(2) { -quarter - 4 } else { quarter + 96 };
        let hour = Timestamp::from_second(now.as_second().div_euclid(3_600) * 3_600).unwrap_or(now);
        let starts = hour.saturating_add(SignedDuration::from_mins(shift * 15)).unwrap_or(hour);
        let (past, outcome) = (shift < 0, chance.u8(0..10));
        let status = match (past, outcome) {
            (_, 0) => "Broken",
            (true, _) => "Complete",
            (false, 1) => "ASAP",
            _ => "Scheduled",
        };
        let (number, stamp) = (self.next(), local(now));
        self.appointments.push(Appointment {
            number,
            patient,
            provider: room.dentist,
            provider_abbr: format!("DOC{}", room.dentist),
            operatory: room.number,
            status,
            pattern: ["/XX/", "//XXXX//", "/XXXX/"].get(count % 3).copied().unwrap_or("/XX/").to_owned(),
            starts: local(starts),
            note: String::new(),
            confirmed: (19, "Not Called".to_owned()),
            arrived: None,
            created: stamp.clone(),
            stamp: stamp.clone(),
            missed: false,
        });
        if status == "Complete" {
            self.seed_charge(number, count, &stamp);
        }
    }

    fn seed_charge(&mut self, appointment: u64, count: usize, stamp: &str) {
        let Some(done) = self.appointments.iter().rfind(|known| known.number == appointment).cloned() else {
            return;
        };
        let Some((code, fee, tooth)) = CODES.get(count / 2 % CODES.len()) else { return };
        let day = done.starts.get(..10).unwrap_or(NO_DAY).to_owned();
        let number = self.next();
        self.procedures.push(Procedure {
            number,
            patient: done.patient,
            appointment,
            provider: done.provider,
            day: day.clone(),
            fee,
            code: *code,
            tooth,
            status: "C",
            stamp: stamp.to_owned(),
        });
        let number = self.next();
        self.payments.push(Payment {
            number,
            patient: done.patient,
            amount: (*fee).to_owned(),
            day: day.clone(),
            entered: stamp.get(..10).unwrap_or(NO_DAY).to_owned(),
            check: String::new(),
            note: String::new(),
        });
    }

    pub(super) fn touch(&mut self, resource: &str, count: usize, now: &str) -> Vec<String> {
        fn touched<R>(
            rows: &mut [R],
            count: usize,
            now: &str,
            stamp: impl Fn(&mut R) -> (&mut String, u64),
        ) -> Vec<String> {
            let touch = |row: &mut R| {
                let (stamp, number) = stamp(row);
                now.clone_into(stamp);
                number.to_string()
            };
            rows.iter_mut().take(count).map(touch).collect()
        }
        match resource {
            "Patient" => touched(&mut self.patients, count, now, |row| (&mut row.stamp, row.number)),
            "Practitioner" => touched(&mut self.providers, count, now, |row| (&mut row.stamp, row.number)),
            "Appointment" => {
                self.appointments.iter_mut().take(count).for_each(|row| row.note = format!("Seen {now}."));
                touched(&mut self.appointments, count, now, |row| (&mut row.stamp, row.number))
            }
            "Procedure" | "ChargeItem" => {
                touched(&mut self.procedures, count, now, |row| (&mut row.stamp, row.number))
            }
            "Coverage" => self.insurances.touch(count, now),
            _ => Vec::new(),
        }
    }

    /// A patient's insurances; nothing where there is no such patient.
    pub(super) fn insurances_of(&self, number: &str) -> Option<Vec<serde_json::Value>> {
        let patient = self.patients.iter().find(|known| known.number.to_string() == number)?;
        Some(self.insurances.of_patient(patient.number))
    }

    pub(super) fn delete_appointment(&mut self, number: &str, now: &str) -> bool {
        let Some(at) = self.appointments.iter().position(|known| known.number.to_string() == number) else {
            return false;
        };
        let mut gone = self.appointments.remove(at);
        now.clone_into(&mut gone.stamp);
        self.deleted.push(gone);
        true
    }

    pub(super) fn in_book(&self) -> Book {
        let patient = |patient: &Patient| {
            let Person { family, given, .. } = &patient.person;
            let birth_date = if patient.born == NO_DAY { "" } else { &patient.born };
            book::Patient {
                id: patient.number.to_string(),
                family: family.clone(),
                given: given.clone(),
                birth_date: birth_date.to_owned(),
            }
        };
        let amount = |number: u64, patient: u64, amount: &str| Amount {
            id: number.to_string(),
            patient: patient.to_string(),
            amount: amount.to_owned(),
        };
        Book {
            patients: self.patients.iter().map(patient).collect(),
            appointments: self.appointments.iter().filter_map(Appointment::in_book).collect(),
            payments: self.payments.iter().map(|row| amount(row.number, row.patient, &row.amount)).collect(),
            procedures: self.procedures.iter().map(|row| amount(row.number, row.patient, row.fee)).collect(),
        }
    }
}

impl Appointment {
    /// Minutes by the pattern.
    pub(super) fn minutes(&self) -> i64 {
        i64::try_from(self.pattern.len()).unwrap_or(i64::MAX).saturating_mul(5)
    }

    /// From when until when.
    pub(super) fn times(&self) -> Option<(Timestamp, Timestamp)> {
        let start = instant(&self.starts)?;
        Some((start, start.saturating_add(SignedDuration::from_mins(self.minutes())).ok()?))
    }

    fn in_book(&self) -> Option<Booking> {
        let (start, end) = self.times()?;
        let status = match (self.status, &self.arrived) {
            ("Broken", _) if self.missed => Status::NoShow,
            ("Broken", _) => Status::Cancelled,
            ("Complete", _) => Status::Fulfilled,
            (_, Some(_)) => Status::Arrived,
            _ => Status::Booked,
        };
        Some(Booking {
            id: self.number.to_string(),
            patient: self.patient.to_string(),
            practitioner: self.provider.to_string(),
            start,
            end,
            status,
        })
    }
}
