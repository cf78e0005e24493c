//! A small practice in no product's words: what simulators of products that share this shape keep.
//!
//! A product decides what its records look like, which words an appointment's status may have and what is refused;
//! here are the records themselves, how they are made up, moved and counted.

mod day;
mod seed;

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::people::Person;
use crate::{Amount, Book, Booking, Patient as Neutral, Status};

pub use seed::Words;

/// Records by their numbers, all from one sequence.
#[derive(Debug, Clone, Default)]
pub struct Clinic {
    /// Who treats.
    pub practitioners: BTreeMap<u64, Practitioner>,
    /// Where.
    pub places: BTreeMap<u64, Place>,
    /// Whom.
    pub patients: BTreeMap<u64, Patient>,
    /// When.
    pub visits: BTreeMap<u64, Visit>,
    /// What was done, for how much.
    pub charges: BTreeMap<u64, Charge>,
    /// What patients paid.
    pub payments: BTreeMap<u64, Payment>,
    last: u64,
    /// The number that was touched last, by FHIR type: the next touch goes on behind it.
    touched: BTreeMap<String, u64>,
}

/// When a record was made and last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamps {
    /// Made.
    pub created: Timestamp,
    /// Last changed.
    pub updated: Timestamp,
}

impl Stamps {
    /// Of a record that is made now.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { created: now, updated: now }
    }
}

/// Who treats.
#[derive(Debug, Clone)]
pub struct Practitioner {
    /// The product's number.
    pub id: u64,
    /// Name and ways to be reached.
    pub person: Person,
    /// Ten digits that no provider has: the check digit is wrong.
    pub npi: String,
    /// Field of work.
    pub specialty: &'static str,
    /// The place of the first choice.
    pub place: u64,
    /// Made and changed.
    pub stamps: Stamps,
    /// How many appointments were made up ahead of now, and behind it.
    made_up: (u32, u32),
}

/// Where patients are treated.
#[derive(Debug, Clone)]
pub struct Place {
    /// The product's number.
    pub id: u64,
    /// What it is called.
    pub name: String,
    /// Street, town, state and postal code.
    pub address: [String; 4],
    /// Ten digits.
    pub phone: String,
    /// Its IANA zone.
    pub zone: &'static str,
}

impl Place {
    /// Its zone; UTC for a name that is none.
    #[must_use]
    pub fn time_zone(&self) -> TimeZone {
        TimeZone::get(self.zone).unwrap_or(TimeZone::UTC)
    }
}

/// Whom is treated.
#[derive(Debug, Clone)]
pub struct Patient {
    /// The product's number.
    pub id: u64,
    /// Name, birth date, ways to be reached.
    pub person: Person,
    /// Not archived.
    pub is_active: bool,
    /// The practitioner who has them.
    pub practitioner: u64,
    /// Insurance, the first payer first.
    pub policies: Vec<Policy>,
    /// Made and changed.
    pub stamps: Stamps,
}

/// Somebody else pays.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The product's number.
    pub id: u64,
    /// Name of the payer, obviously invented.
    pub payer: &'static str,
    /// Its id.
    pub payer_id: &'static str,
    /// The patient's number there.
    pub member: String,
    /// The group's number there.
    pub group: String,
}

/// An appointment, or a time that is open for one.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The product's number.
    pub id: u64,
    /// `None`: an open slot, or a break.
    pub patient: Option<u64>,
    /// With whom.
    pub practitioner: u64,
    /// Where.
    pub place: u64,
    /// The first moment.
    pub start: Timestamp,
    /// How long.
    pub minutes: i64,
    /// The product's number of its kind.
    pub kind: u64,
    /// The room's number there, where the product has rooms.
    pub room: u64,
    /// The product's own word.
    pub status: String,
    /// Why the patient comes.
    pub reason: String,
    /// What the practice wrote.
    pub note: String,
    /// The product keeps deleted ones.
    pub is_deleted: bool,
    /// Made and changed.
    pub stamps: Stamps,
}

impl Visit {
    /// The moment after the last.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.start
            .saturating_add(jiff::SignedDuration::from_secs(self.minutes.saturating_mul(60)))
            .unwrap_or(Timestamp::MAX)
    }
}

/// A service that was charged.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The product's number.
    pub id: u64,
    /// The appointment at which it was done.
    pub visit: u64,
    /// For whom.
    pub patient: u64,
    /// By whom.
    pub practitioner: u64,
    /// Procedure code.
    pub code: String,
    /// What that is.
    pub text: &'static str,
    /// How often.
    pub quantity: u32,
    /// For how much each, in cents.
    pub cents: i64,
    /// The day.
    pub day: Date,
    /// Made and changed.
    pub stamps: Stamps,
}

/// Money from a patient.
#[derive(Debug, Clone)]
pub struct Payment {
    /// The product's number.
    pub id: u64,
    /// From whom.
    pub patient: u64,
    /// To whom.
    pub practitioner: u64,
    /// For which appointment.
    pub visit: Option<u64>,
    /// How much, in cents.
    pub cents: i64,
    /// The product's own word for how.
    pub method: String,
    /// The day.
    pub day: Date,
    /// What was written to it.
    pub note: String,
    /// Made and changed.
    pub stamps: Stamps,
}

impl Clinic {
    /// The next number of the sequence.
    pub fn number(&mut self) -> u64 {
        self.last = self.last.max(1000) + 1;
        self.last
    }

    /// The zone of a place; UTC for a place that is not there.
    #[must_use]
    pub fn zone(&self, place: u64) -> TimeZone {
        self.places.get(&place).map_or(TimeZone::UTC, Place::time_zone)
    }

    /// Changes up to `count` records of a FHIR type at `now`, beginning behind those that were touched before, and
    /// gives their numbers.
    pub fn touch(&mut self, resource: &str, count: usize, now: Timestamp) -> Vec<u64> {
        let word = format!("touched at {now}");
        match resource {
            "Appointment" => {
                let booked = self.visits.iter_mut().filter(|(_, visit)| visit.patient.is_some());
                next(&mut self.touched, resource, booked, count, |visit| {
                    visit.note.clone_from(&word);
                    visit.stamps.updated = now;
                })
            }
            "Patient" => next(&mut self.touched, resource, self.patients.iter_mut(), count, |patient| {
                patient.person.street.clone_from(&word);
                patient.stamps.updated = now;
            }),
            "Practitioner" => {
                next(&mut self.touched, resource, self.practitioners.iter_mut(), count, |practitioner| {
                    practitioner.person.phone = "2125550199".to_owned();
                    practitioner.stamps.updated = now;
                })
            }
            "ChargeItem" | "Procedure" => {
                next(&mut self.touched, resource, self.charges.iter_mut(), count, |charge| {
                    charge.quantity += 1;
                    charge.stamps.updated = now;
                })
            }
            "PaymentNotice" | "Invoice" => {
                next(&mut self.touched, resource, self.payments.iter_mut(), count, |payment| {
                    payment.note.clone_from(&word);
                    payment.stamps.updated = now;
                })
            }
            _ => Vec::new(),
        }
    }

    /// All of it in neutral words; `status` knows the product's.
    #[must_use]
    pub fn book(&self, status: impl Fn(&Visit) -> Status) -> Book {
        let amount = |id: u64, patient: u64, cents| Amount {
            id: id.to_string(),
            patient: patient.to_string(),
            amount: money(cents),
        };
        Book {
            patients: self.patients.values().map(neutral).collect(),
            appointments: self.visits.values().filter_map(|visit| booking(visit, &status)).collect(),
            payments: self.payments.values().map(|p| amount(p.id, p.patient, p.cents)).collect(),
            procedures: self
                .charges
                .values()
                .map(|c| amount(c.id, c.patient, c.cents.saturating_mul(i64::from(c.quantity))))
                .collect(),
        }
    }
}

/// Touches the next `count`, round and round, none of them twice.
fn next<'a, T: 'a>(
    touched: &mut BTreeMap<String, u64>,
    resource: &str,
    records: impl Iterator<Item = (&'a u64, &'a mut T)>,
    count: usize,
    change: impl Fn(&mut T),
) -> Vec<u64> {
    let last = touched.get(resource).copied().unwrap_or_default();
    let (first, again): (Vec<_>, Vec<_>) = records.partition(|(id, _)| **id > last);
    let chosen = first.into_iter().chain(again).take(count);
    let ids: Vec<u64> = chosen
        .map(|(id, record)| {
            change(record);
            *id
        })
        .collect();
    if let Some(id) = ids.last() {
        touched.insert(resource.to_owned(), *id);
    }
    ids
}

fn neutral(patient: &Patient) -> Neutral {
    Neutral {
        id: patient.id.to_string(),
        family: patient.person.family.clone(),
        given: patient.person.given.clone(),
        birth_date: patient.person.birth_date.to_string(),
    }
}

fn booking(visit: &Visit, status: &impl Fn(&Visit) -> Status) -> Option<Booking> {
    Some(Booking {
        id: visit.id.to_string(),
        patient: visit.patient?.to_string(),
        practitioner: visit.practitioner.to_string(),
        start: visit.start,
        end: visit.end(),
        status: if visit.is_deleted { Status::Cancelled } else { status(visit) },
    })
}

/// Cents as a decimal: `120.05`, `-3.00`.
#[must_use]
pub fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// A decimal of up to two places as cents; `None` for anything else.
#[must_use]
pub fn cents(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part: i64 = match part.len() {
        0 => 0,
        1 => part.parse::<u8>().ok().map(|tenth| i64::from(tenth) * 10)?,
        2 => part.parse::<u8>().ok().map(i64::from)?,
        _ => return None,
    };
    let whole: u32 = whole.parse().ok()?;
    Some(sign * (i64::from(whole) * 100 + part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    const WORDS: Words =
        Words { booked: "b", arrived: "a", fulfilled: "f", cancelled: "c", no_show: "n", paid: "CASH" };

    fn clinic() -> Clinic {
        let mut clinic = Clinic::default();
        let now = "2026-03-02T15:00:00Z".parse().unwrap();
        clinic.seed(&Seed::default(), now, &WORDS);
        clinic
    }

    #[test]
    fn a_seed_makes_the_same_practice_and_no_double_booking() {
        let (one, two) = (clinic(), clinic());
        let book = one.book(|_| Status::Booked);
        assert_eq!(book, two.book(|_| Status::Booked));
        assert_eq!((book.patients.len(), book.appointments.len()), (20, 40));
        assert!(!book.payments.is_empty() && !book.procedures.is_empty());
        for visit in one.visits.values() {
            let found = one.clash(visit.practitioner, visit.start, visit.minutes, Some(visit.id), |_| true);
            assert_eq!(found, None);
        }
    }

    #[test]
    fn touching_goes_round() {
        let mut clinic = clinic();
        let now = Timestamp::UNIX_EPOCH;
        let first = clinic.touch("Patient", 15, now);
        let second = clinic.touch("Patient", 15, now);
        assert_eq!(first.len(), 15);
        assert_eq!(second.iter().filter(|id| first.contains(id)).count(), 10);
        assert_eq!(clinic.touch("Patient", 99, now).len(), 20, "none twice");
    }

    #[test]
    fn money_keeps_its_cents() {
        for text in ["120.05", "-3.00", "0.10"] {
            assert_eq!(money(cents(text).unwrap()), text);
        }
        assert_eq!(cents("7"), Some(700));
        assert_eq!(cents("7.5"), Some(750));
        assert_eq!((cents("1.234"), cents("many"), cents("1.-5")), (None, None, None));
    }
}
