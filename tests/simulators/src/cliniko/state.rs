//! The account's records: how they are made up, changed by the practice, and compared.

use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::rows::{Appointment, AppointmentType, Business, Invoice, Item, Patient, Practitioner, Stamps};
use crate::{
    Amount, Book, Booking, Seed, Status, book,
    parts::people::{Person, person, pick},
};

/// All of them, each list in the order of its ids.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) patients: Vec<Patient>,
    pub(super) practitioners: Vec<Practitioner>,
    pub(super) businesses: Vec<Business>,
    pub(super) types: Vec<AppointmentType>,
    pub(super) appointments: Vec<Appointment>,
    pub(super) invoices: Vec<Invoice>,
    pub(super) items: Vec<Item>,
    last_id: u64,
}

/// Stamps have whole seconds.
pub(super) fn whole(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

impl State {
    /// An account with a place and two types of appointments, as a new one has.
    pub(super) fn new(now: Timestamp) -> Self {
        let mut state = Self::default();
        let stamps = Stamps::new(whole(now));
        let id = state.id();
        state.businesses.push(Business { id, name: "Sample Street Practice".to_owned(), stamps });
        for (name, minutes, price) in
            [("Standard Consultation", 30, "80.0"), ("First Consultation", 45, "120.0")]
        {
            let id = state.id();
            state.types.push(AppointmentType { id, name, minutes, price, stamps });
        }
        state
    }

    /// 64 bits wide, so that whoever takes it for a double loses digits.
    pub(super) fn id(&mut self) -> u64 {
        self.last_id += 1;
        1_390_726_237_298_000_000 + self.last_id
    }

    pub(super) fn seed(&mut self, seed: &Seed, now: Timestamp) {
        let mut chance = fastrand::Rng::with_seed(seed.number);
        let stamps = Stamps::new(whole(now));
        for _ in 0..seed.practitioners {
            let id = self.id();
            self.practitioners.push(Practitioner { id, person: person(&mut chance), active: true, stamps });
        }
        for _ in 0..seed.patients {
            let (id, person) = (self.id(), person(&mut chance));
            let born = (chance.u8(0..10) > 0).then_some(person.birth_date);
            let sex = Some(pick(&mut chance, &["Male", "Female", "Not applicable"]));
            self.patients.push(Patient { id, person, born, sex, stamps });
        }
        for number in 0..seed.appointments {
            self.seed_appointment(&mut chance, number, stamps);
        }
    }

    /// Half of them in the past, a few of each outcome.
    fn seed_appointment(&mut self, chance: &mut fastrand::Rng, number: usize, stamps: Stamps) {
        let some = |chance: &mut fastrand::Rng, count: usize| (count > 0).then(|| chance.usize(0..count));
        let patient = some(chance, self.patients.len()).and_then(|at| self.patients.get(at));
        let practitioner = some(chance, self.practitioners.len()).and_then(|at| self.practitioners.get(at));
        let kind = self.types.get(number % 2);
        let (Some(patient), Some(practitioner), Some(kind), Some(business)) =
            (patient, practitioner, kind, self.businesses.first())
        else {
            return;
        };
        let quarter = i64::try_from(number).unwrap_or_default();
        let shift = if number.is_multiple_of(2) { -quarter } else { quarter + 96 };
        let starts = quarter_hour(stamps.created, shift);
        let past = shift < 0;
        let outcome = chance.u8(0..10);
        let cancelled = (outcome == 0).then_some((stamps.created, 30, None));
        let (patient_id, name) = (patient.id, format!("{} {}", patient.person.given, patient.person.family));
        let (practitioner, business, kind, minutes, price) =
            (practitioner.id, business.id, kind.id, kind.minutes, (kind.name, kind.price));
        let id = self.id();
        self.appointments.push(Appointment {
            id,
            patient: patient_id,
            patient_name: name,
            practitioner,
            business,
            kind,
            starts,
            ends: starts + minutes.minutes(),
            notes: (outcome == 9).then(|| "Bring the old insoles.".to_owned()),
            arrived: past && outcome > 1,
            missed: past && outcome == 1,
            cancelled,
            stamps,
        });
        if past && outcome > 4 {
            self.bill(id, outcome > 6, price, stamps);
        }
    }

    fn bill(
        &mut self,
        appointment: u64,
        paid: bool,
        (name, price): (&'static str, &'static str),
        stamps: Stamps,
    ) {
        let Some(for_what) = self.appointments.iter().rfind(|known| known.id == appointment).cloned() else {
            return;
        };
        let (id, item) = (self.id(), self.id());
        self.invoices.push(Invoice {
            id,
            number: u64::try_from(self.invoices.len()).unwrap_or_default() + 1,
            appointment,
            patient: for_what.patient,
            practitioner: for_what.practitioner,
            business: for_what.business,
            issued: for_what.starts.to_zoned(jiff::tz::TimeZone::UTC).date(),
            total: price,
            paid,
            stamps,
        });
        self.items.push(Item { id: item, invoice: id, name, price, stamps });
    }

    pub(super) fn touch(&mut self, resource: &str, count: usize, now: Timestamp) -> Vec<String> {
        let now = whole(now);
        macro_rules! touched {
            ($rows:expr) => {
                $rows
                    .iter_mut()
                    .take(count)
                    .map(|row| {
                        row.stamps.updated = now;
                        row.id.to_string()
                    })
                    .collect()
            };
        }
        match resource {
            "Patient" => touched!(self.patients),
            "Practitioner" => touched!(self.practitioners),
            "Location" => touched!(self.businesses),
            "Appointment" => touched!(self.appointments),
            "Invoice" => touched!(self.invoices),
            "ChargeItem" => touched!(self.items),
            _ => Vec::new(),
        }
    }

    pub(super) fn archive_patient(&mut self, id: &str, now: Timestamp) -> bool {
        let patient = self.patients.iter_mut().find(|patient| patient.id.to_string() == id);
        let now = whole(now);
        patient.map(|patient| (patient.stamps.archived, patient.stamps.updated) = (Some(now), now)).is_some()
    }

    pub(super) fn book(&self) -> Book {
        let patient = |patient: &Patient| {
            let Person { family, given, .. } = &patient.person;
            let birth_date = patient.born.map(|born| born.to_string()).unwrap_or_default();
            book::Patient {
                id: patient.id.to_string(),
                family: family.clone(),
                given: given.clone(),
                birth_date,
            }
        };
        Book {
            patients: self.patients.iter().map(patient).collect(),
            appointments: self.appointments.iter().map(Appointment::in_book).collect(),
            // There is no interface for payments.
            payments: Vec::new(),
            // Services are charged by bills.
            procedures: self.invoices.iter().map(|bill| amount(bill.id, bill.patient, bill.total)).collect(),
        }
    }
}

impl Appointment {
    fn in_book(&self) -> Booking {
        let status = match self {
            Self { cancelled: Some(_), .. } | Self { stamps: Stamps { archived: Some(_), .. }, .. } => {
                Status::Cancelled
            }
            Self { missed: true, .. } => Status::NoShow,
            Self { arrived: true, .. } => Status::Arrived,
            _ => Status::Booked,
        };
        Booking {
            id: self.id.to_string(),
            patient: self.patient.to_string(),
            practitioner: self.practitioner.to_string(),
            start: self.starts,
            end: self.ends,
            status,
        }
    }
}

fn amount(id: u64, patient: u64, amount: &str) -> Amount {
    Amount { id: id.to_string(), patient: patient.to_string(), amount: amount.to_owned() }
}

/// So many quarters of an hour from the last full hour.
fn quarter_hour(now: Timestamp, quarters: i64) -> Timestamp {
    let hour = now.as_second().div_euclid(3_600) * 3_600;
    let at = Timestamp::from_second(hour).unwrap_or(now);
    at.saturating_add(SignedDuration::from_mins(quarters.saturating_mul(15))).unwrap_or(at)
}
